//! One loaded plugin: its QuickJS context and the functions of `js/run.js` that drive it.
//!
//! Promises are settled by running QuickJS's job queue. When that is empty and events still wait, the
//! host is asked for the next answer; when nothing is under way either, what waits can never be settled
//! and fails. Up to [`IN_HAND`] events wait at once.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use rquickjs::{Array, Context, Ctx, Function, IntoJs, Module, Object, Persistent, Result, Runtime, Value};

use crate::batch::Batch;
use crate::bridge::{answer, failure, host_object, script_options};
use crate::program::{FileLoader, Files};
use crate::weir::plugin::source::{FileKind, Program};
use crate::weir::plugin::waiting::{self, Wake};
use crate::{Call, Description, Event, Failure, FailureKind};

/// In order: later ones use what earlier ones put on `engine`.
const PRELUDE: [(&str, &str); 6] = [
    ("weir:engine/console.js", include_str!("js/console.js")),
    ("weir:engine/modules.js", include_str!("js/modules.js")),
    ("weir:engine/globals.js", include_str!("js/globals.js")),
    ("weir:engine/meta.js", include_str!("js/meta.js")),
    ("weir:engine/loop.js", include_str!("js/loop.js")),
    ("weir:engine/run.js", include_str!("js/run.js")),
];

/// Of the stack in linear memory. Each frame of JavaScript takes several times as much of the native
/// stack, so this is small enough that recursion ends as an exception and not as a trap.
const JS_STACK_BYTES: usize = 128 * 1024;

const GC_THRESHOLD_BYTES: usize = 8 << 20;
/// Events that may wait at once.
const IN_HAND: usize = 32;

type Saved = Persistent<Function<'static>>;

/// The functions of `engine` that Rust calls, in the order of [`NAMES`].
struct Functions<F> {
    begin: F,
    new_batch: F,
    end_batch: F,
    complete: F,
    abandon: F,
    overdue: F,
    call_method: F,
    call_job: F,
    call_outcome: F,
}

const NAMES: Functions<&str> = Functions {
    begin: "begin",
    new_batch: "newBatch",
    end_batch: "endBatch",
    complete: "complete",
    abandon: "abandon",
    overdue: "overdue",
    call_method: "callMethod",
    call_job: "callJob",
    call_outcome: "callOutcome",
};

impl<F> Functions<F> {
    fn each<T>(&self, mut map: impl FnMut(&F) -> Result<T>) -> Result<Functions<T>> {
        Ok(Functions {
            begin: map(&self.begin)?,
            new_batch: map(&self.new_batch)?,
            end_batch: map(&self.end_batch)?,
            complete: map(&self.complete)?,
            abandon: map(&self.abandon)?,
            overdue: map(&self.overdue)?,
            call_method: map(&self.call_method)?,
            call_job: map(&self.call_job)?,
            call_outcome: map(&self.call_outcome)?,
        })
    }
}

pub struct Session {
    // Saved functions must go before the context they were saved in.
    functions: Functions<Saved>,
    description: Description,
    batch: Rc<Batch>,
    context: Context,
}

impl Session {
    pub fn load(program: Program) -> std::result::Result<Self, Failure> {
        let broken = |error: rquickjs::Error| plain_failure(&format!("engine: {error}"));
        let runtime = Runtime::new().map_err(broken)?;
        runtime.set_max_stack_size(JS_STACK_BYTES);
        runtime.set_memory_limit(program.memory_limit as usize);
        // Reference counts free nearly everything; looking for cycles is for what is left.
        runtime.set_gc_threshold(GC_THRESHOLD_BYTES.min(program.memory_limit as usize / 4));
        let context = Context::full(&runtime).map_err(broken)?;
        let files = Rc::new(Files::new(program));
        runtime.set_loader(FileLoader(Rc::clone(&files)), FileLoader(Rc::clone(&files)));
        let batch = Rc::new(Batch::default());

        let (functions, description) = context.with(|ctx| -> std::result::Result<_, Failure> {
            let engine = prelude(&ctx, &files, &batch).map_err(|error| caught(&ctx, None, error))?;
            let description = run_entry(&ctx, &engine, &files).map_err(|error| caught(&ctx, Some(&engine), error))?;
            let saved = NAMES.each(|name| Ok(Persistent::save(&ctx, engine.get::<_, Function>(*name)?)));
            Ok((saved.map_err(broken)?, description))
        })?;
        Ok(Self { functions, description, batch, context })
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    fn restored<'js>(&self, ctx: &Ctx<'js>) -> Functions<Function<'js>> {
        self.functions.each(|saved| saved.clone().restore(ctx)).expect("saved in this runtime")
    }

    pub fn process_batch(&self, events: Vec<Event>) {
        self.batch.open(events);
        self.context.with(|ctx| Run { session: self, ctx: &ctx, functions: self.restored(&ctx) }.batch());
        self.batch.close();
    }

    /// Calls one of the other functions; its arguments are followed by `meta`.
    pub fn call(&self, call: Call) -> std::result::Result<Option<String>, Failure> {
        self.context.with(|ctx| {
            let run = Run { session: self, ctx: &ctx, functions: self.restored(&ctx) };
            run.call(call).map_err(|error| caught(&ctx, None, error))?
        })
    }
}

/// One call of the host into this instance.
struct Run<'a, 'js> {
    session: &'a Session,
    ctx: &'a Ctx<'js>,
    functions: Functions<Function<'js>>,
}

impl<'js> Run<'_, 'js> {
    fn batch(&self) {
        let batch = &self.session.batch;
        self.told(self.functions.new_batch.call(()));
        let mut queue: VecDeque<usize> = (0..batch.len()).collect();
        let mut in_hand: Vec<usize> = Vec::new();
        while !batch.is_done() {
            self.begin_next(&mut queue, &mut in_hand);
            if in_hand.is_empty() {
                continue;
            }
            let wakes = waiting::wait();
            if wakes.is_empty() {
                for index in in_hand.drain(..) {
                    self.told(self.functions.abandon.call((index,)));
                    self.run_jobs();
                }
            }
            self.deliver(wakes);
            in_hand.retain(|index| !batch.is_reported(*index));
        }
        self.told(self.functions.end_batch.call(()));
    }

    /// Begins every event that may be in hand now, in order.
    fn begin_next(&self, queue: &mut VecDeque<usize>, in_hand: &mut Vec<usize>) {
        let batch = &self.session.batch;
        let mut busy: HashSet<u64> = in_hand.iter().map(|index| batch.order_key(*index)).collect();
        let mut held_back = VecDeque::new();
        while let Some(index) = queue.pop_front() {
            let key = batch.order_key(index);
            if in_hand.len() >= IN_HAND || busy.contains(&key) {
                busy.insert(key);
                held_back.push_back(index);
                if in_hand.len() >= IN_HAND {
                    break;
                }
                continue;
            }
            self.begin(index);
            if !batch.is_reported(index) {
                in_hand.push(index);
                busy.insert(key);
            }
        }
        held_back.append(queue);
        *queue = held_back;
    }

    fn begin(&self, index: usize) {
        crate::weir::plugin::report::in_hand(index as u32);
        let (head, is_lazy) = self.session.batch.head(index);
        let begun =
            self.ctx.json_parse(head).and_then(|event| self.functions.begin.call::<_, ()>((index, event, is_lazy)));
        if let Err(error) = begun {
            self.report_broken(index, error);
        }
        // Also when the result came at once: a plugin may have left work behind it did not await.
        self.run_jobs();
    }

    fn deliver(&self, wakes: Vec<Wake>) {
        for wake in wakes {
            match wake {
                Wake::Overdue(index) => self.told(self.functions.overdue.call((index,))),
                Wake::Completed(completion) => {
                    let given = answer(self.ctx, completion.answer).and_then(|(kind, value)| {
                        self.functions.complete.call::<_, ()>((completion.call, kind, value))
                    });
                    self.told(given);
                }
            }
            self.run_jobs();
        }
    }

    fn call(&self, call: Call) -> Result<std::result::Result<Option<String>, Failure>> {
        self.told(self.functions.new_batch.call(()));
        let parsed = |json: String| self.ctx.json_parse(json);
        let nothing = Vec::<Value>::new;
        let (method, values) = match call {
            Call::Wake => {
                self.deliver(waiting::poll());
                return Ok(Ok(None));
            }
            Call::Job(job) => {
                self.functions.call_job.call::<_, ()>((job.name, parsed(job.payload)?))?;
                return self.outcome();
            }
            Call::Setup => ("setupPlugin".to_owned(), nothing()),
            Call::Teardown => ("teardownPlugin".to_owned(), nothing()),
            Call::Settings => ("getSettings".to_owned(), nothing()),
            Call::Schedule(name) => (name, nothing()),
            Call::Event(event) => ("onEvent".to_owned(), vec![parsed(event)?]),
            Call::Snapshot(event) => ("onSnapshot".to_owned(), vec![parsed(event)?]),
            Call::Events(events) => ("exportEvents".to_owned(), vec![parsed(events)?]),
            Call::Webhook(event) => ("composeWebhook".to_owned(), vec![parsed(event)?]),
        };
        self.functions.call_method.call::<_, ()>((method, values.into_js(self.ctx)?))?;
        self.outcome()
    }

    /// Waits until the call that was begun has ended.
    fn outcome(&self) -> Result<std::result::Result<Option<String>, Failure>> {
        loop {
            self.run_jobs();
            if let Some(outcome) = self.functions.call_outcome.call::<_, Option<Array>>(())? {
                return Ok(match outcome.get::<Option<Array>>(1)? {
                    Some(parts) => Err(failure_from(&parts)),
                    None => Ok(outcome.get(0)?),
                });
            }
            let wakes = waiting::wait();
            if wakes.is_empty() {
                let message = "Error: returned a promise that nothing can settle";
                return Ok(Err(plain_failure(message)));
            }
            if wakes.iter().any(|wake| matches!(wake, Wake::Overdue(_))) {
                return Ok(Err(failure(2, String::new(), String::new(), true)));
            }
            self.deliver(wakes);
        }
    }

    /// For what `js/run.js` could not report itself, which takes an exhausted engine or broken input.
    fn report_broken(&self, index: usize, error: rquickjs::Error) {
        use crate::weir::plugin::report::Outcome;
        self.session.batch.report(index as u32, Outcome::Failed((caught(self.ctx, None, error), None)));
    }

    /// The functions of `js/` catch what plugins throw; what is left is an engine out of memory, and the
    /// next event that is begun says so.
    fn told(&self, outcome: Result<()>) {
        if outcome.is_err() {
            self.ctx.catch();
        }
    }

    fn run_jobs(&self) {
        // A job that throws has rejected a promise nobody handles; Node would warn.
        while self.ctx.execute_pending_job() {}
    }
}

fn prelude<'js>(ctx: &Ctx<'js>, files: &Rc<Files>, batch: &Rc<Batch>) -> Result<Object<'js>> {
    let engine = Object::new(ctx.clone())?;
    engine.set("host", host_object(ctx, files, batch)?)?;
    let json: Object = ctx.globals().get("JSON")?;
    engine.set("parse", json.get::<_, Value>("parse")?)?;
    engine.set("stringify", json.get::<_, Value>("stringify")?)?;
    engine.set("text", ctx.eval::<Value, _>("(value) => String(value).toWellFormed()")?)?;
    for (name, source) in PRELUDE {
        let part: Function = ctx.eval_with_options(source, script_options(name))?;
        part.call::<_, ()>((engine.clone(),))?;
    }
    Ok(engine)
}

fn run_entry<'js>(ctx: &Ctx<'js>, engine: &Object<'js>, files: &Files) -> Result<Description> {
    let open: Function = engine.get("openCommonJs")?;
    let adopt: Function = engine.get("adopt")?;
    let entry = files.entry.as_str();
    let file = files.get(entry).ok_or_else(|| rquickjs::Error::new_loading(entry))?;
    let common: Object;
    let namespace: Value;
    let top_level: Value;
    if matches!(file.kind, FileKind::Module) {
        common = open.call((entry,))?;
        let (module, promise) = Module::declare(ctx.clone(), entry, file.code.as_str())?.eval()?;
        while ctx.execute_pending_job() {}
        promise.finish::<Value>()?;
        let exported = module.namespace()?;
        top_level = exported.get("__weirTopLevel")?;
        namespace = exported.into_value();
    } else {
        let require: Function = engine.get("require")?;
        common = Object::new(ctx.clone())?;
        common.set("exports", require.call::<_, Value>((entry,))?)?;
        top_level = engine.get::<_, Function>("topLevel")?.call((entry,))?;
        namespace = Value::new_undefined(ctx.clone());
    }
    let (methods, schedules, jobs) = {
        let lists: Array = adopt.call((namespace, common, top_level))?;
        (lists.get(0)?, lists.get(1)?, lists.get(2)?)
    };
    Ok(Description { methods, schedules, jobs })
}

fn caught<'js>(ctx: &Ctx<'js>, engine: Option<&Object<'js>>, error: rquickjs::Error) -> Failure {
    if !error.is_exception() {
        return plain_failure(&error.to_string());
    }
    let thrown = ctx.catch();
    if let Some(describe) = engine.and_then(|engine| engine.get::<_, Function>("describe").ok())
        && let Ok(parts) = describe.call::<_, Array>((thrown.clone(),))
    {
        return failure_from(&parts);
    }
    match thrown.as_exception() {
        Some(exception) => {
            let message = exception.message().unwrap_or_default();
            let memory = message == "out of memory";
            failure(u8::from(memory), message, exception.stack().unwrap_or_default(), false)
        }
        // QuickJS throws null when there is no room left for an error.
        None => failure(u8::from(thrown.is_null()), "out of memory".to_owned(), String::new(), false),
    }
}

/// From `[kind, message, stack, retry]`.
fn failure_from(parts: &Array<'_>) -> Failure {
    failure(
        parts.get(0).unwrap_or(0),
        parts.get(1).unwrap_or_default(),
        parts.get(2).unwrap_or_default(),
        parts.get(3).unwrap_or(false),
    )
}

fn plain_failure(message: &str) -> Failure {
    Failure { kind: FailureKind::Exception, message: message.to_owned(), stack: String::new(), retry: false }
}
