//! The JavaScript engine of Weir: QuickJS as a component that takes a plugin as text.
//!
//! It guarantees that every event of a batch is reported as soon as it is finished, that events which wait
//! do not hold up others (except those with the same order key, which keep their order), and that plugin
//! code reaches the outside only through the imports of the world `engine`. It limits neither time nor
//! the size of results; the host does. One instance serves one plugin for its life.

mod batch;
mod bridge;
mod event_text;
mod native;
mod program;
mod provided;
mod session;
mod url_parts;

use std::cell::RefCell;

use session::Session;

wit_bindgen::generate!({ path: "../wit/v0_1", world: "engine" });

use weir::plugin::types::FailureKind;

/// Names the sources this was built from; the build looks for it in the finished module.
#[used]
static SOURCE_HASH: &str = match option_env!("WEIR_JS_ENGINE_HASH") {
    Some(hash) => hash,
    None => "",
};

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

struct Engine;

impl Guest for Engine {
    fn load(program: Program) -> Result<(), Failure> {
        let session = Session::load(program)?;
        SESSION.set(Some(session));
        Ok(())
    }

    fn describe() -> Description {
        with_session(|session| session.description().clone())
    }

    fn process_batch(events: Vec<Event>) {
        with_session(|session| session.process_batch(events));
    }

    fn call(call: Call) -> Result<Option<String>, Failure> {
        with_session(|session| session.call(call))
    }
}

/// Calling anything before `load` breaks the contract, so it traps.
fn with_session<R>(run: impl FnOnce(&Session) -> R) -> R {
    SESSION.with_borrow(|session| run(session.as_ref().expect("load comes first")))
}

/// The one thing QuickJS asks of its platform.
#[unsafe(no_mangle)]
extern "C" fn __rquickjs_host_now_us() -> f64 {
    weir::plugin::clock::now_micros() as f64
}

export!(Engine);
