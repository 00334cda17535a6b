//! What `composeWebhook` returns, sent.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::bindings::weir::plugin::http::{Redirect, Request};
use crate::bindings::weir::plugin::waiting::{Answer, Wake};
use crate::caller::Called;
use crate::instance::Instance;

/// Longest wait for the answer; the limits of HTTP end it earlier.
const PATIENCE: Duration = Duration::from_mins(2);

/// PostHog's `Webhook`.
#[derive(Debug, Deserialize)]
struct Webhook {
    url: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    method: Option<String>,
}

pub fn parse(text: &str) -> Result<Request, String> {
    let webhook: Webhook = serde_json::from_str(text).map_err(|error| {
        format!("composeWebhook must return {{url, body, headers?, method?}} with text in all of them: {error}")
    })?;
    let mut headers: Vec<(String, String)> = webhook.headers.into_iter().collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".into(), "application/json".into()));
    }
    let method = webhook.method.unwrap_or_else(|| "POST".into());
    let body = Some(webhook.body.into_bytes()).filter(|_| method != "GET" && method != "HEAD");
    Ok(Request { method, url: webhook.url, headers, body, redirect: Redirect::Follow })
}

/// 429, 5xx and silence ask for another attempt.
pub fn send(instance: &mut Instance, request: Request) -> Called {
    let deadline = Instant::now() + PATIENCE;
    let name = format!("{} {}", request.method, request.url);
    let call = instance.begin_request(request);
    while Instant::now() < deadline {
        for wake in instance.wait_for_answers() {
            let Wake::Completed(done) = wake else { continue };
            if done.call != call {
                continue;
            }
            return match done.answer {
                Answer::Response(response) if response.status == 429 || response.status >= 500 => {
                    Called::Again(format!("{name} was answered with {}", response.status))
                }
                Answer::Response(response) if response.status >= 400 => {
                    Called::Failed(format!("{name} was answered with {}", response.status))
                }
                Answer::Response(_) | Answer::Elapsed => Called::Done(None),
                Answer::Trouble(trouble) => Called::Failed(format!("{name}: {}", trouble.message)),
            };
        }
    }
    Called::Again(format!("{name} was not answered"))
}
