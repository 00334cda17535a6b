//! The session and the live WebSocket: exchange the one-time code, connect, read frames, come back
//! after a failure, and say when what is on screen is old.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, WebSocket};
use weir_api::{ErrorCode, ledger::StatusRequest, live::LiveFrame, registry};

use crate::{
    client::Client,
    state::{Link, Studio, put},
};

const STALE_AFTER_MS: f64 = 2_000.0;
const BACK_OFF_MS: [u64; 6] = [250, 500, 1_000, 2_000, 3_000, 5_000];

/// Lives as long as the page: nothing here is ever torn down but with the document.
pub fn start(studio: Studio, client: Client) {
    let connection = Rc::new(Connection { studio, client, last_frame_at: Cell::new(now()), attempts: Cell::new(0) });
    let watch = Rc::clone(&connection);
    set_interval(move || watch.check_age(), Duration::from_millis(500));
    spawn_local(async move {
        connection.redeem_code().await;
        connection.probe().await;
        connection.open_if_allowed();
    });
}

struct Connection {
    studio: Studio,
    client: Client,
    last_frame_at: Cell<f64>,
    attempts: Cell<usize>,
}

impl Connection {
    /// Exchanges `#code=…` for a cookie, and takes the code out of the address bar and the history.
    async fn redeem_code(&self) {
        let hash = window().location().hash().unwrap_or_default();
        let Some(code) = hash.strip_prefix("#code=") else { return };
        let body = serde_json::json!({ "code": code }).to_string();
        let answer = self.client.post("/api/session", &body).await;
        if let Ok(history) = window().history() {
            // Only a cross-origin address can fail, and this one is relative.
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some("./"));
        }
        if let Err(error) = answer
            && error.code != ErrorCode::Unauthorized
        {
            // A used code with a valid cookie is not a problem; the probe below finds out.
            web_sys::console::warn_1(&error.to_string().into());
        }
    }

    /// A WebSocket does not tell why it failed, a command does: 401 locks the page.
    async fn probe(&self) {
        match self.client.call::<registry::Status>(&StatusRequest {}).await {
            Ok(_) if self.studio.link.get_untracked() == Link::Locked => self.studio.link.set(Link::Connecting),
            _ => {}
        }
    }

    /// A locked page keeps asking: the link may be opened in another tab, and the cookie is shared.
    fn open_if_allowed(self: &Rc<Self>) {
        if self.studio.link.get_untracked() == Link::Locked { self.retry() } else { self.open() }
    }

    fn open(self: &Rc<Self>) {
        let location = window().location();
        let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
        let host = location.host().unwrap_or_default();
        let Ok(socket) = WebSocket::new(&format!("{scheme}://{host}/api/live")) else {
            return self.retry();
        };
        let here = Rc::clone(self);
        let on_message = Closure::<dyn FnMut(_)>::new(move |message: MessageEvent| {
            if let Some(text) = message.data().as_string() {
                here.receive(&text);
            }
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let here = Rc::clone(self);
        // `close` comes after every failure too, so one handler is enough. It is the socket's last
        // event, hence the one place where its closures can be dropped.
        let mut on_message = Some(on_message);
        let on_close = Closure::once_into_js(move || {
            drop(on_message.take());
            here.retry();
        });
        socket.set_onclose(Some(on_close.unchecked_ref()));
    }

    fn receive(&self, text: &str) {
        match serde_json::from_str::<LiveFrame>(text) {
            Ok(frame) => {
                self.last_frame_at.set(now());
                self.attempts.set(0);
                put(self.studio.link, Link::Live);
                self.studio.apply(frame);
            }
            Err(error) => web_sys::console::warn_1(&format!("a frame cannot be read: {error}").into()),
        }
    }

    fn retry(self: &Rc<Self>) {
        let attempt = self.attempts.get();
        self.attempts.set(attempt + 1);
        if self.studio.link.get_untracked() != Link::Locked {
            put(self.studio.link, Link::Reconnecting);
        }
        let here = Rc::clone(self);
        let wait = BACK_OFF_MS[attempt.min(BACK_OFF_MS.len() - 1)];
        set_timeout(
            move || {
                spawn_local(async move {
                    here.probe().await;
                    here.open_if_allowed();
                });
            },
            Duration::from_millis(wait),
        );
    }

    fn check_age(&self) {
        let stale = now() - self.last_frame_at.get() > STALE_AFTER_MS;
        put(self.studio.stale, stale && self.studio.primed.get_untracked());
    }
}

fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
