//! One loaded plugin: its QuickJS context and the functions of `js/run.js` that drive it.
//!
//! Promises are settled by running QuickJS's job queue until the one that is waited for is done or
//! nothing is left that could settle it; there is no other source of progress.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::{Array, Context, Ctx, Function, Module, Object, Persistent, Result, Runtime, Value};

use crate::bridge::{InHand, failure, host_object, script_options};
use crate::program::{FileLoader, Files};
use crate::weir::plugin::source::{FileKind, Program};
use crate::{Description, Failure, FailureKind};

/// In order: later ones use what earlier ones put on `engine`.
const PRELUDE: [(&str, &str); 5] = [
    ("weir:engine/console.js", include_str!("js/console.js")),
    ("weir:engine/modules.js", include_str!("js/modules.js")),
    ("weir:engine/globals.js", include_str!("js/globals.js")),
    ("weir:engine/meta.js", include_str!("js/meta.js")),
    ("weir:engine/run.js", include_str!("js/run.js")),
];

/// Of the stack in linear memory. Each frame of JavaScript takes several times as much of the native
/// stack, so this is small enough that recursion ends as an exception and not as a trap.
const JS_STACK_BYTES: usize = 128 * 1024;

type Saved = Persistent<Function<'static>>;

pub struct Session {
    // Saved functions must go before the context they were saved in.
    begin: Saved,
    is_waiting: Saved,
    abandon: Saved,
    call: Saved,
    call_error: Saved,
    description: Description,
    in_hand: InHand,
    context: Context,
}

impl Session {
    pub fn load(program: Program) -> std::result::Result<Self, Failure> {
        let broken = |error: rquickjs::Error| plain_failure(&format!("engine: {error}"));
        let runtime = Runtime::new().map_err(broken)?;
        runtime.set_max_stack_size(JS_STACK_BYTES);
        runtime.set_memory_limit(program.memory_limit as usize);
        let context = Context::full(&runtime).map_err(broken)?;
        let files = Rc::new(Files::new(program));
        runtime.set_loader(FileLoader(Rc::clone(&files)), FileLoader(Rc::clone(&files)));
        let in_hand: InHand = Rc::new(Cell::new(0));

        let (saved, description) = context.with(|ctx| -> std::result::Result<_, Failure> {
            let engine = prelude(&ctx, &files, &in_hand).map_err(|error| caught(&ctx, None, error))?;
            let description = run_entry(&ctx, &engine, &files).map_err(|error| caught(&ctx, Some(&engine), error))?;
            let save = |name: &str| -> Result<Saved> { Ok(Persistent::save(&ctx, engine.get::<_, Function>(name)?)) };
            let names = ["begin", "isWaiting", "abandon", "call", "callError"];
            let saved: Vec<Saved> = names.into_iter().map(save).collect::<Result<_>>().map_err(broken)?;
            Ok((saved, description))
        })?;
        let [begin, is_waiting, abandon, call, call_error] =
            <[Saved; 5]>::try_from(saved).map_err(|_| plain_failure("engine: incomplete"))?;
        Ok(Self { begin, is_waiting, abandon, call, call_error, description, in_hand, context })
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    pub fn process_batch(&self, events: Vec<String>) {
        self.context.with(|ctx| {
            let function = |saved: &Saved| saved.clone().restore(&ctx).expect("saved in this runtime");
            let (begin, is_waiting, abandon) =
                (function(&self.begin), function(&self.is_waiting), function(&self.abandon));
            for (index, text) in events.into_iter().enumerate() {
                self.in_hand.set(index as u32);
                self.process(&ctx, &begin, &is_waiting, &abandon, text);
            }
        });
    }

    fn process<'js>(
        &self,
        ctx: &Ctx<'js>,
        begin: &Function<'js>,
        is_waiting: &Function<'js>,
        abandon: &Function<'js>,
        text: String,
    ) {
        let done = match ctx.json_parse(text).and_then(|event| begin.call::<_, bool>((event,))) {
            Ok(done) => done,
            Err(error) => {
                self.report_broken(ctx, error);
                true
            }
        };
        // Also when the result came at once: a plugin may have left work behind it did not await.
        self.run_jobs(ctx);
        if !done && is_waiting.call::<_, bool>(()).unwrap_or(false) && abandon.call::<_, ()>(()).is_err() {
            self.report_broken(ctx, rquickjs::Error::Exception);
        }
    }

    /// For what `js/run.js` could not report itself, which takes an exhausted engine or broken input.
    fn report_broken(&self, ctx: &Ctx<'_>, error: rquickjs::Error) {
        use crate::weir::plugin::report::{Outcome, finished};
        finished(self.in_hand.get(), &Outcome::Failed((caught(ctx, None, error), None)));
    }

    /// Calls a method with an argument, given as JSON text, and `meta`.
    pub fn call(&self, method: &str, argument: Option<String>) -> std::result::Result<(), Failure> {
        self.context.with(|ctx| {
            let function = |saved: &Saved| saved.clone().restore(&ctx).expect("saved in this runtime");
            let argument = argument.map(|json| ctx.json_parse(json)).transpose();
            let outcome = argument
                .and_then(|argument| function(&self.call).call::<_, ()>((method, argument)))
                .and_then(|()| {
                    self.run_jobs(&ctx);
                    function(&self.call_error).call::<_, Option<Array>>(())
                })
                .map_err(|error| caught(&ctx, None, error))?;
            match outcome {
                Some(parts) => Err(failure_from(&parts)),
                None => Ok(()),
            }
        })
    }

    fn run_jobs(&self, ctx: &Ctx<'_>) {
        // A job that throws has rejected a promise nobody handles; Node would warn.
        while ctx.execute_pending_job() {}
    }
}

fn prelude<'js>(ctx: &Ctx<'js>, files: &Rc<Files>, in_hand: &InHand) -> Result<Object<'js>> {
    let engine = Object::new(ctx.clone())?;
    engine.set("host", host_object(ctx, files, in_hand)?)?;
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
            failure(memory, message, exception.stack().unwrap_or_default(), false)
        }
        // QuickJS throws null when there is no room left for an error.
        None => failure(thrown.is_null(), "out of memory".to_owned(), String::new(), false),
    }
}

/// From `[memory, message, stack, retry]`.
fn failure_from(parts: &Array<'_>) -> Failure {
    failure(
        parts.get(0).unwrap_or(false),
        parts.get(1).unwrap_or_default(),
        parts.get(2).unwrap_or_default(),
        parts.get(3).unwrap_or(false),
    )
}

fn plain_failure(message: &str) -> Failure {
    Failure { kind: FailureKind::Exception, message: message.to_owned(), stack: String::new(), retry: false }
}
