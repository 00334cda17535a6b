//! The functions of the host as JavaScript sees them (`engine.host` in `js/`).

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Exception, Function, IntoJs, Object, Result, Value};

use crate::native;
use crate::program::{Files, PROVIDED_SCHEME};
use crate::provided;
use crate::url_parts;
use crate::weir::plugin::report::Outcome;
use crate::weir::plugin::types::{Failure, FailureKind};
use crate::weir::plugin::{cache, config, log, random, report, storage};

/// Which event of the batch is in hand.
pub type InHand = Rc<Cell<u32>>;

/// `None` is `undefined`.
struct Optional(Option<String>);

impl<'js> IntoJs<'js> for Optional {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        self.0.map_or_else(|| Ok(Value::new_undefined(ctx.clone())), |text| text.into_js(ctx))
    }
}

struct OptionalList(Option<Vec<String>>);

impl<'js> IntoJs<'js> for OptionalList {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        self.0.map_or_else(|| Ok(Value::new_undefined(ctx.clone())), |list| list.into_js(ctx))
    }
}

pub fn host_object<'js>(ctx: &Ctx<'js>, files: &Rc<Files>, in_hand: &InHand) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    macro_rules! define {
        ($name:literal, $function:expr) => {
            host.set($name, Function::new(ctx.clone(), $function)?)?;
        };
    }

    define!("log", |level: u8, line: String| log::line(log_level(level), &line));
    define!("config", config::values);
    define!("name", config::name);
    define!("random", random::next);
    define!("emit", |event: String| report::emit(&event));

    define!("storageGet", |key: String| Optional(storage::get(&key)));
    define!("storageSet", |key: String, value: String| storage::set(&key, &value));
    define!("storageDelete", |key: String| storage::delete(&key));
    define!("storageAdd", |key: String, by: f64| storage::add(&key, by));

    define!("cacheGet", |key: String| Optional(cache::get(&key)));
    define!("cacheSet", |key: String, value: String, ttl: Option<f64>| cache::set(&key, &value, ttl));
    define!("cacheIncr", |key: String| cache::incr(&key));
    define!("cacheExpire", |key: String, ttl: f64| cache::expire(&key, ttl));
    define!("cacheLpush", |key: String, elements: Vec<String>| cache::lpush(&key, &elements));
    define!("cacheLrange", |key: String, first: f64, last: f64| cache::lrange(&key, first as i32, last as i32));
    define!("cacheLlen", |key: String| cache::llen(&key));
    define!("cacheLpop", |key: String, count: f64| cache::lpop(&key, count as u32));
    define!("cacheLrem", |key: String, count: f64, element: String| cache::lrem(&key, count as i32, &element));

    define!("urlParse", |href: String, base: Option<String>| OptionalList(url_parts::parse(&href, base.as_deref())));
    define!("urlSet", |href: String, field: String, value: String| OptionalList(url_parts::set(&href, &field, &value)));

    let current = Rc::clone(in_hand);
    define!("passed", move |event: String| report::finished(current.get(), &Outcome::Passed(event)));
    let current = Rc::clone(in_hand);
    define!("dropped", move || report::finished(current.get(), &Outcome::Dropped));
    let current = Rc::clone(in_hand);
    define!("failed", move |memory: bool, message: String, stack: String, retry: bool, event: Option<String>| {
        let failure = failure(memory, message, stack, retry);
        report::finished(current.get(), &Outcome::Failed((failure, event)));
    });

    let known = Rc::clone(files);
    define!("resolve", move |importer: String, specifier: String| Optional(known.resolve(&importer, &specifier)));
    let known = Rc::clone(files);
    define!("fileCode", move |path: String| Optional(known.get(&path).map(|file| file.code.clone())));
    let known = Rc::clone(files);
    define!("evaluate", move |ctx: Ctx<'js>, path: String| evaluate(&ctx, &known, &path));
    define!("providedFile", |name: String| Optional(provided::any_file_of(&name).map(str::to_owned)));
    define!("provided", |ctx: Ctx<'js>, file: String| provided_code(&ctx, &file));
    native::define(ctx, &host)?;
    Ok(host)
}

/// The function that a CommonJS file's code is wrapped in.
fn evaluate<'js>(ctx: &Ctx<'js>, files: &Files, path: &str) -> Result<Value<'js>> {
    let Some(file) = files.get(path) else {
        return Err(Exception::throw_message(ctx, &format!("no file {path}")));
    };
    ctx.eval_with_options(file.code.as_str(), script_options(path))
}

/// The function a provided module's file holds.
fn provided_code<'js>(ctx: &Ctx<'js>, file: &str) -> Result<Value<'js>> {
    let Some(code) = provided::code_of(file) else {
        return Err(Exception::throw_message(ctx, &format!("no provided module {file}")));
    };
    ctx.eval_with_options(code, script_options(&format!("{PROVIDED_SCHEME}{file}")))
}

pub fn script_options(path: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(path.to_owned());
    options
}

pub fn failure(memory: bool, message: String, stack: String, retry: bool) -> Failure {
    let kind = if memory { FailureKind::Memory } else { FailureKind::Exception };
    Failure { kind, message, stack, retry }
}

fn log_level(level: u8) -> log::Level {
    match level {
        0 => log::Level::Debug,
        1 => log::Level::Log,
        2 => log::Level::Info,
        3 => log::Level::Warn,
        _ => log::Level::Error,
    }
}
