//! Writes real exchanges down as mocks, so that the next run needs no network.
//!
//! A sample is for keeping and sharing, so nothing secret goes into it: headers that carry credentials,
//! parameters of the query that are named like keys, and the plugin's own secrets wherever they stand.
//! In the part that a request is compared with, each becomes a `*`. One request has one file; recording it
//! again replaces it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::Url;
use weir_event::journal::HostCall;

use super::mock::MOCKS_DIR;
use super::recorded::kept;
use super::request::{FailureKind, HttpRequest, HttpResponse, authority};
use crate::host_call::digest;
use crate::secrets::{SECRET_PLACEHOLDER, Secrets};

const SECRET_HEADERS: [&str; 7] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "www-authenticate",
    "authentication-info",
    "x-amz-security-token",
];

/// In the name of a header or a parameter, once it is without dashes and in lower case.
const SECRET_WORDS: [&str; 11] = [
    "apikey",
    "accesskey",
    "accesstoken",
    "authkey",
    "authtoken",
    "credential",
    "password",
    "passwd",
    "secret",
    "signature",
    "privatekey",
];

/// Whole names that mean a key where nothing else says so.
const SECRET_NAMES: [&str; 8] = ["key", "token", "auth", "pwd", "pass", "sig", "appid", "personalapikey"];

/// Of no use to whoever plays the sample back.
const NOT_RECORDED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "keep-alive",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
];

#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    secrets: Secrets,
    partial: AtomicU64,
}

impl Recorder {
    pub fn new(plugin_dir: &Path, secrets: Secrets) -> Self {
        Self { dir: plugin_dir.join(MOCKS_DIR), secrets, partial: AtomicU64::new(0) }
    }

    /// The file written. `url` is the one asked for, before any redirect.
    pub fn record(&self, request: &HttpRequest, url: &Url, response: &HttpResponse) -> io::Result<PathBuf> {
        let sample = self.sample(request, url, response);
        let name = file_name(&request.method, &sample["request"]);
        fs::create_dir_all(&self.dir)?;
        let turn = self.partial.fetch_add(1, Ordering::Relaxed);
        let partial = self.dir.join(format!(".recording-{}-{turn}", std::process::id()));
        let mut text = serde_json::to_string_pretty(&sample)?;
        text.push('\n');
        let path = self.dir.join(name);
        // Whole or not at all: the folder is read whenever it changes.
        fs::write(&partial, text)?;
        fs::rename(&partial, &path).inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })?;
        Ok(path)
    }

    fn sample(&self, request: &HttpRequest, url: &Url, response: &HttpResponse) -> Value {
        json!({
            "name": format!("recorded {} {}{}", request.method, authority(url), self.secrets.redact(url.path())),
            "request": self.request(request, url),
            "response": self.response(response),
        })
    }

    fn request(&self, request: &HttpRequest, url: &Url) -> Value {
        let mut wanted = Map::new();
        wanted.insert("method".into(), json!(request.method));
        let mut place = url.clone();
        place.set_query(None);
        wanted.insert("url".into(), json!(any(&self.secrets.redact(place.as_str()))));
        let mut query = Map::<String, Value>::new();
        for (name, value) in url.query_pairs() {
            let value = if is_secret_name(&name) { "*".to_owned() } else { any(&self.secrets.redact(&value)) };
            // Of a name that is repeated, one value tells requests apart well enough.
            query.entry(self.secrets.redact(&name).into_owned()).or_insert(Value::String(value));
        }
        if !query.is_empty() {
            wanted.insert("query".into(), Value::Object(query));
        }
        if let Some(body) = self.request_body(request) {
            wanted.insert("body".into(), body);
        }
        Value::Object(wanted)
    }

    /// What a body is compared with: JSON without its secrets, or text with `*` for them.
    fn request_body(&self, request: &HttpRequest) -> Option<Value> {
        if request.body.is_empty() {
            return None;
        }
        if let Ok(mut value) = serde_json::from_slice::<Value>(&request.body)
            && !value.is_string()
        {
            self.without_secrets(&mut value);
            return (!self.holds_secret(&value)).then_some(value);
        }
        let text = std::str::from_utf8(&request.body).ok()?;
        let form = request.header("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
        let text = if form { without_named_values(text) } else { text.to_owned() };
        Some(Value::String(any(&self.secrets.redact(&text))))
    }

    /// Fields that are secret are left out, since JSON has no `*`. In an array that would shift the rest,
    /// so the array goes as a whole.
    fn without_secrets(&self, value: &mut Value) {
        if let Value::Object(fields) = value {
            fields.retain(|name, field| {
                self.without_secrets(field);
                !is_secret_name(name) && !self.holds_secret(field)
            });
        }
    }

    fn holds_secret(&self, value: &Value) -> bool {
        let mut clean = value.clone();
        self.secrets.redact_json(&mut clean);
        clean != *value || names_secret(value)
    }

    fn response(&self, response: &HttpResponse) -> Value {
        let mut said = Map::new();
        said.insert("status".into(), json!(response.status));
        let mut headers = Map::<String, Value>::new();
        for (name, value) in &response.headers {
            if NOT_RECORDED.contains(&name.as_str()) {
                continue;
            }
            let value = if is_secret_header(name) {
                SECRET_PLACEHOLDER.to_owned()
            } else {
                self.secrets.redact(value).into_owned()
            };
            match headers.get_mut(name) {
                None => {
                    headers.insert(name.clone(), json!(value));
                }
                Some(Value::Array(values)) => values.push(json!(value)),
                Some(one) => *one = json!([one.take(), value]),
            }
        }
        said.insert("headers".into(), Value::Object(headers));
        if let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) {
            hide_named(&mut body);
            self.secrets.redact_json(&mut body);
            said.insert("json".into(), body);
        } else if let Ok(text) = std::str::from_utf8(&response.body) {
            if !text.is_empty() {
                said.insert("body".into(), json!(self.secrets.redact(text)));
            }
        } else {
            said.insert("base64".into(), json!(STANDARD.encode(&response.body)));
        }
        Value::Object(said)
    }
}

/// A call of the journal as a mock that answers it again. The journal keeps no body of a request, so any body
/// fits. `None` when the answer was too long to keep, or when nothing was sent.
pub fn mock_of(call: &HostCall) -> Option<Value> {
    let (method, place) = call.summary.split_once(' ')?;
    let url = Url::parse(place).ok()?;
    let request = HttpRequest { method: method.to_owned(), ..HttpRequest::get(place) };
    // What was secret has gone before the journal.
    let recorder = Recorder::new(Path::new(""), Secrets::default());
    match kept(call)? {
        Ok(response) => Some(recorder.sample(&request, &url, &response)),
        Err(failure) => {
            let fail = match failure.kind {
                FailureKind::Timeout => "timeout",
                FailureKind::Network => "network",
                FailureKind::Refused | FailureKind::NoMock | FailureKind::TooLarge => return None,
            };
            Some(json!({"request": recorder.request(&request, &url), "response": {"fail": fail}}))
        }
    }
}

/// A URL fit for logs and errors.
pub fn redacted_url(url: &Url, secrets: &Secrets) -> String {
    let mut clean = url.clone();
    if url.query().is_some() {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        if pairs.iter().any(|(name, _)| is_secret_name(name)) {
            let mut query = clean.query_pairs_mut();
            query.clear();
            for (name, value) in &pairs {
                query.append_pair(name, if is_secret_name(name) { SECRET_PLACEHOLDER } else { value });
            }
        }
    }
    // The placeholder as a person reads it.
    secrets.redact(clean.as_str()).replace("%28secret%29", SECRET_PLACEHOLDER)
}

/// Of a form, with the placeholder for each value that is named like a secret.
fn without_named_values(form: &str) -> String {
    let fields = form.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={SECRET_PLACEHOLDER}"),
        _ => field.to_owned(),
    });
    fields.collect::<Vec<_>>().join("&")
}

pub fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) || is_secret_name(name)
}

fn is_secret_name(name: &str) -> bool {
    let bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let bare = bare.strip_prefix('x').filter(|_| name.starts_with(['x', 'X']) && name.contains('-')).unwrap_or(&bare);
    SECRET_NAMES.contains(&bare) || SECRET_WORDS.iter().any(|word| bare.contains(word))
}

/// Whether an object anywhere inside has a field with a secret's name.
fn names_secret(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(names_secret),
        Value::Object(fields) => fields.iter().any(|(name, field)| is_secret_name(name) || names_secret(field)),
        _ => false,
    }
}

/// Hides what an answer hands out under the name of a secret, such as an access token.
fn hide_named(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_named),
        Value::Object(fields) => {
            for (name, field) in fields {
                if is_secret_name(name) && (field.is_string() || field.is_number()) {
                    *field = json!(SECRET_PLACEHOLDER);
                } else {
                    hide_named(field);
                }
            }
        }
        _ => {}
    }
}

/// As a pattern: what was replaced may be anything.
fn any(redacted: &str) -> String {
    redacted.replace(SECRET_PLACEHOLDER, "*")
}

/// Tells a person what is inside, and one request from another; made from what is no secret any more.
fn file_name(method: &str, wanted: &Value) -> String {
    let place = wanted["url"].as_str().unwrap_or_default();
    let place = place.split_once("://").map_or(place, |(_, place)| place);
    let place: String = place
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' })
        .take(60)
        .collect();
    let place = place.trim_matches(['-', '.']);
    let same = digest(&[wanted.to_string().as_bytes()]);
    format!("recorded-{}-{place}-{}.json", method.to_ascii_lowercase(), &same[..8])
}

#[cfg(test)]
mod tests;
