//! The functions of the host as JavaScript sees them (`engine.host` in `js/`).

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{ArrayBuffer, Ctx, Exception, Function, IntoJs, Object, Result, TypedArray, Value};

use crate::batch::Batch;
use crate::native;
use crate::native::bytes::Bytes;
use crate::program::{Files, PROVIDED_SCHEME};
use crate::provided;
use crate::url_parts;
use crate::weir::plugin::report::Outcome;
use crate::weir::plugin::types::{Failure, FailureKind};
use crate::weir::plugin::{cache, config, geoip, http, jobs, log, metrics, random, report, storage, waiting};

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

pub fn host_object<'js>(ctx: &Ctx<'js>, files: &Rc<Files>, batch: &Rc<Batch>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    macro_rules! define {
        ($name:literal, $function:expr) => {
            host.set($name, Function::new(ctx.clone(), $function)?)?;
        };
    }

    define!("log", |level: u8, line: String| log::line(log_level(level), &line));
    define!("config", config::values);
    define!("attachments", attachments);
    define!("name", config::name);
    define!("id", config::id);
    define!("random", random::next);
    define!("randomBytes", |ctx: Ctx<'js>, count: u32| TypedArray::<u8>::new(ctx, random::bytes(count)));
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

    define!("httpStart", http_start);
    define!("sleep", waiting::sleep);
    define!("cancel", |call: u32| waiting::cancel(call));
    define!("locate", |ip: String| Optional(geoip::locate(&ip)));
    define!("enqueue", |name: String, payload: String, at_ms: f64| jobs::enqueue(&name, &payload, at_ms));
    define!("metric", |name: String, operation: u8, value: f64| {
        metrics::observe(&name, metric_operation(operation), value);
    });

    // Whether an allocation of some size succeeds; a plugin that ran out of memory has less left.
    define!("hasRoom", |ctx: Ctx<'js>| match ArrayBuffer::new_copy(ctx.clone(), vec![0_u8; 1 << 18]) {
        Ok(_) => true,
        Err(_) => {
            ctx.catch();
            false
        }
    });
    // A negative index is nobody.
    define!("inHand", |index: f64| report::in_hand(if index < 0.0 { u32::MAX } else { index as u32 }));
    let current = Rc::clone(batch);
    define!("properties", move |ctx: Ctx<'js>, index: u32| ctx.json_parse(current.properties(index as usize)));
    let current = Rc::clone(batch);
    define!("unchanged", move |index: u32| current.report(index, Outcome::Unchanged));
    let current = Rc::clone(batch);
    define!("passed", move |index: u32, event: String| current.report(index, Outcome::Passed(event)));
    let current = Rc::clone(batch);
    define!("dropped", move |index: u32| current.report(index, Outcome::Dropped));
    let current = Rc::clone(batch);
    define!("failed", move |index: u32,
                            kind: u8,
                            message: String,
                            stack: String,
                            retry: bool,
                            event: Option<String>| {
        current.report(index, Outcome::Failed((failure(kind, message, stack, retry), event)));
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

/// `[{key, content_type, file_name, contents}]`
fn attachments<'js>(ctx: Ctx<'js>) -> Result<Vec<Object<'js>>> {
    let object = |attachment: config::Attachment| {
        let object = Object::new(ctx.clone())?;
        object.set("key", attachment.key)?;
        object.set("content_type", attachment.content_type)?;
        object.set("file_name", attachment.file_name)?;
        object.set("contents", TypedArray::<u8>::new(ctx.clone(), attachment.contents)?)?;
        Ok(object)
    };
    config::attachments().into_iter().map(object).collect()
}

fn http_start(
    method: String,
    url: String,
    headers: Vec<Vec<String>>,
    body: Option<Bytes>,
    redirect: String,
) -> Result<u32> {
    let body = body.map(|bytes| bytes.0);
    let pair = |pair: Vec<String>| {
        let mut parts = pair.into_iter();
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    let redirect = match redirect.as_str() {
        "manual" => http::Redirect::Manual,
        "error" => http::Redirect::Error,
        _ => http::Redirect::Follow,
    };
    let headers = headers.into_iter().map(pair).collect();
    Ok(http::start(&http::Request { method, url, headers, body, redirect }))
}

/// The kind of an answer and the answer, as `js/loop.js` takes them.
pub fn answer<'js>(ctx: &Ctx<'js>, answer: waiting::Answer) -> Result<(&'static str, Value<'js>)> {
    let object = Object::new(ctx.clone())?;
    let kind = match answer {
        waiting::Answer::Elapsed => "elapsed",
        waiting::Answer::Trouble(trouble) => {
            let code = match trouble.kind {
                http::TroubleKind::Refused => "Refused",
                http::TroubleKind::NoMock => "NoMock",
                http::TroubleKind::Network => "ECONNREFUSED",
                http::TroubleKind::Timeout => "ETIMEDOUT",
                http::TroubleKind::TooLarge => "EMSGSIZE",
            };
            object.set("code", code)?;
            object.set("message", trouble.message)?;
            "trouble"
        }
        waiting::Answer::Response(response) => {
            object.set("status", response.status)?;
            object.set("statusText", response.status_text)?;
            object.set("url", response.url)?;
            object.set("redirected", response.redirected)?;
            let headers: Vec<Vec<String>> =
                response.headers.into_iter().map(|(name, value)| vec![name, value]).collect();
            object.set("headers", headers)?;
            object.set("body", TypedArray::<u8>::new(ctx.clone(), response.body)?)?;
            "response"
        }
    };
    Ok((kind, object.into_value()))
}

/// `kind`: 0 exception, 1 memory, 2 overdue.
pub fn failure(kind: u8, message: String, stack: String, retry: bool) -> Failure {
    let kind = match kind {
        1 => FailureKind::Memory,
        2 => FailureKind::Overdue,
        _ => FailureKind::Exception,
    };
    Failure { kind, message, stack, retry }
}

fn metric_operation(operation: u8) -> metrics::Operation {
    match operation {
        1 => metrics::Operation::Minimum,
        2 => metrics::Operation::Maximum,
        _ => metrics::Operation::Sum,
    }
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
