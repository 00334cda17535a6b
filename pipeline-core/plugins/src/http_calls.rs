//! HTTP between the contract and the host: requests on their way out, answers on their way in, and what
//! the journal keeps of both.

use std::collections::HashMap;

use serde_json::json;
use weir_api::plugin::PluginCall;
use weir_event::journal::HostCall;

use crate::bindings::weir::plugin::http::{Redirect, Request, Response, Trouble, TroubleKind};
use crate::bindings::weir::plugin::waiting::{Answer, Completion as Done, Wake};
use crate::host_call;
use crate::http;
use crate::http::{Completion, FailureKind, HttpFailure, HttpRequest, HttpResponse, Outcome};
use crate::recent_calls::readable;
use crate::state::InstanceState;

/// A longer answer is not kept; a what-if run then says that it is missing.
const KEPT_ANSWER_BYTES: usize = 64 << 10;

/// Requests without an answer, by the number of their call, with the event they were made for.
#[derive(Debug, Default)]
pub struct SentCalls(HashMap<u32, (u32, HttpRequest)>);

/// Begins a request and gives the number of its call.
pub fn start(state: &mut InstanceState, request: Request) -> u32 {
    let (index, open) = (state.in_hand.0, &mut state.in_hand.1);
    open.http_calls += 1;
    let most = state.identity.limits.http_calls_per_event;
    let is_too_many = open.http_calls > most;
    let request = HttpRequest {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body.unwrap_or_default(),
        redirect: match request.redirect {
            Redirect::Follow => http::Redirect::Follow,
            Redirect::Manual => http::Redirect::Manual,
            Redirect::Error => http::Redirect::Error,
        },
    };
    let number = if is_too_many {
        let failure = HttpFailure::new(
            FailureKind::Refused,
            format!("limit of host calls: more than {most} requests for one event"),
            "Raise the limit of HTTP calls for this plugin.",
        );
        state.queue.answer(Err(failure))
    } else {
        state.around.calls.start(&state.identity.http, request.clone(), &state.queue)
    };
    let number = number.0 as u32;
    state.sent.0.insert(number, (index, request));
    number
}

/// What the guest is told of a completion.
pub fn wake(state: &mut InstanceState, completion: Completion) -> Wake {
    let call = completion.id.0 as u32;
    let Outcome::Http(answer) = completion.outcome else {
        return Wake::Completed(Done { call, answer: Answer::Elapsed });
    };
    if let Some((index, request)) = state.sent.0.remove(&call) {
        let secrets = state.identity.http.secrets();
        let told = host_call::http(state.identity.http.mode(), &request, &answer, completion.took, secrets);
        let kept = kept(&answer).map(|text| secrets.redact(&text).into_owned());
        remember(state, &told, request, &answer);
        let plugin_id = state.identity.plugin_id.clone();
        state.effects.calls.push((index, HostCall { plugin_id, answer: kept, ..told }));
    }
    let answer = match answer {
        Ok(response) => Answer::Response(Response {
            status: response.status,
            status_text: response.status_text,
            url: response.url,
            redirected: response.redirected,
            headers: response.headers,
            body: response.body,
        }),
        Err(failure) => Answer::Trouble(Trouble { kind: trouble(failure.kind), message: said(&failure) }),
    };
    Wake::Completed(Done { call, answer })
}

fn remember(state: &InstanceState, told: &HostCall, request: HttpRequest, answer: &Result<HttpResponse, HttpFailure>) {
    let secrets = state.identity.http.secrets();
    let clean = |text: &str| secrets.redact(text).into_owned();
    let said = match answer {
        Ok(response) => readable(&response.body),
        Err(failure) => said(failure),
    };
    let call = PluginCall {
        at_ms: state.around.clock.now_ms(),
        kind: told.kind.clone(),
        url: clean(&request.url),
        headers: request.headers.iter().map(|(name, value)| (name.clone(), clean(value))).collect(),
        body: clean(&readable(&request.body)),
        method: request.method,
        status: told.status.clone(),
        answer: clean(&said),
        duration_us: told.duration_us,
    };
    state.around.recent_calls.add(&state.identity.plugin_id, call);
}

fn said(failure: &HttpFailure) -> String {
    if failure.hint.is_empty() { failure.message.clone() } else { format!("{} {}", failure.message, failure.hint) }
}

fn trouble(kind: FailureKind) -> TroubleKind {
    match kind {
        FailureKind::Refused => TroubleKind::Refused,
        FailureKind::NoMock => TroubleKind::NoMock,
        FailureKind::Network => TroubleKind::Network,
        FailureKind::Timeout => TroubleKind::Timeout,
        FailureKind::TooLarge => TroubleKind::TooLarge,
    }
}

/// The answer as JSON; a body that is not text is left out.
fn kept(answer: &Result<HttpResponse, HttpFailure>) -> Option<String> {
    let value = match answer {
        Ok(response) => {
            let body = std::str::from_utf8(&response.body).ok()?;
            json!({"status": response.status, "url": response.url, "headers": response.headers, "body": body})
        }
        Err(failure) => json!({"failure": failure.kind.code(), "message": failure.message}),
    };
    Some(value.to_string()).filter(|text| text.len() <= KEPT_ANSWER_BYTES)
}
