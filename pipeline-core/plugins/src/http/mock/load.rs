//! Reads `mocks/*.json`. Each mock is read by itself, so that an error can say where it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::matching::Pattern;
use super::{Answer, MOCKS_DIR, Mock, MockError};
use crate::http::request::{FailureKind, HttpResponse};
use crate::http::status::reason;

const MOST_FILES: usize = 1000;
const LARGEST_FILE_BYTES: u64 = 16 << 20;
const LONGEST_DELAY_MS: u64 = 600_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'f> {
    #[serde(borrow)]
    mocks: Vec<&'f RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MockSource {
    name: Option<String>,
    request: RequestSource,
    response: Option<ResponseSource>,
    responses: Option<Vec<ResponseSource>>,
    fail: Option<Fail>,
    #[serde(default)]
    delay_ms: u64,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestSource {
    method: Option<String>,
    url: String,
    #[serde(default)]
    query: BTreeMap<String, Value>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseSource {
    status: Option<u16>,
    status_text: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    json: Option<Value>,
    body: Option<String>,
    base64: Option<String>,
    file: Option<PathBuf>,
    fail: Option<Fail>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Fail {
    Timeout,
    Network,
}

pub fn folder(plugin_dir: &Path) -> Result<Vec<Mock>, MockError> {
    let dir = plugin_dir.join(MOCKS_DIR);
    let whole = |reason: String| MockError { path: dir.clone(), line: 0, column: 0, reason };
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&dir).map_err(|error| whole(error.to_string()))? {
        let path = entry.map_err(|error| whole(error.to_string()))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|extension| extension == "json") && !hidden {
            files.push(path);
        }
    }
    if files.len() > MOST_FILES {
        return Err(whole(format!("{} files; at most {MOST_FILES} are read", files.len())));
    }
    files.sort();
    let mut mocks = Vec::new();
    for path in files {
        let shown = path.strip_prefix(plugin_dir).unwrap_or(&path).to_owned();
        Reader { plugin_dir, dir: &dir, shown }.read(&path, &mut mocks)?;
    }
    Ok(mocks)
}

/// `list` is a piece of `text`, the contents of `file`.
pub fn inside(plugin_dir: &Path, file: &Path, text: &str, list: &RawValue) -> Result<Vec<Mock>, MockError> {
    let shown = file.strip_prefix(plugin_dir).unwrap_or(file).to_owned();
    let reader = Reader { plugin_dir, dir: file.parent().unwrap_or(plugin_dir), shown };
    let sources: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|error| {
        reader.error(place_of(text, list.get()), format!("mocks must be a list: {}", plain(&error)))
    })?;
    let mut mocks = Vec::new();
    reader.read_each(text, sources, &mut mocks)?;
    Ok(mocks)
}

struct Reader<'a> {
    plugin_dir: &'a Path,
    dir: &'a Path,
    /// The path as errors show it.
    shown: PathBuf,
}

/// Where in a file something begins, both from one.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn read(&self, path: &Path, mocks: &mut Vec<Mock>) -> Result<(), MockError> {
        let start = Place { line: 0, column: 0 };
        let text = text(path).map_err(|reason| self.error(start, reason))?;
        // Some editors write a mark of the byte order.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let file =
            |error: serde_json::Error| self.error(Place { line: error.line(), column: error.column() }, plain(&error));
        let many = text.trim_start().starts_with('[');
        let sources: Vec<&RawValue> = if many {
            serde_json::from_str(text).map_err(file)?
        } else {
            let whole: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(file)?;
            if whole.contains_key("mocks") {
                serde_json::from_str::<File<'_>>(text).map_err(file)?.mocks
            } else {
                vec![serde_json::from_str(text).map_err(file)?]
            }
        };
        self.read_each(text, sources, mocks)
    }

    fn read_each(&self, text: &str, sources: Vec<&RawValue>, mocks: &mut Vec<Mock>) -> Result<(), MockError> {
        for source in sources {
            let place = place_of(text, source.get());
            let mock = serde_json::from_str::<MockSource>(source.get()).map_err(|error| {
                let column = if error.line() == 1 { place.column - 1 } else { 0 };
                self.error(
                    Place { line: place.line + error.line() - 1, column: column + error.column() },
                    plain(&error),
                )
            })?;
            mocks.push(self.mock(mock, place).map_err(|reason| self.error(place, reason))?);
        }
        Ok(())
    }

    fn error(&self, place: Place, reason: String) -> MockError {
        MockError { path: self.shown.clone(), line: place.line, column: place.column, reason }
    }

    fn mock(&self, source: MockSource, place: Place) -> Result<Mock, String> {
        let at = format!("{}:{}", self.shown.display(), place.line);
        let label = source.name.map_or_else(|| at.clone(), |name| format!("{name:?} ({at})"));
        let answers = match (source.response, source.responses, source.fail) {
            (Some(one), None, None) => vec![self.answer(one)?],
            (None, Some(all), None) if !all.is_empty() => {
                all.into_iter().map(|one| self.answer(one)).collect::<Result<_, _>>()?
            }
            (None, Some(_), None) => return Err("responses is empty".into()),
            (None, None, Some(fail)) => vec![Answer::Fails(fail.kind())],
            (None, None, None) => return Err("one of response, responses and fail is missing".into()),
            _ => return Err("only one of response, responses and fail may be given".into()),
        };
        if source.times == Some(0) {
            return Err("times is 0, so it would never answer; remove the mock instead".into());
        }
        if source.delay_ms > LONGEST_DELAY_MS {
            return Err(format!("delay_ms is more than {LONGEST_DELAY_MS}"));
        }
        Ok(Mock {
            label,
            request: source.request.pattern()?,
            answers,
            delay: Duration::from_millis(source.delay_ms),
            times: source.times,
        })
    }

    fn answer(&self, source: ResponseSource) -> Result<Answer, String> {
        let bodies = [source.json.is_some(), source.body.is_some(), source.base64.is_some(), source.file.is_some()];
        let given = bodies.into_iter().filter(|given| *given).count();
        if given > 1 {
            return Err("only one of json, body, base64 and file may be given".into());
        }
        if let Some(fail) = source.fail {
            if given > 0 || source.status.is_some() || !source.headers.is_empty() {
                return Err("a response that fails has nothing else".into());
            }
            return Ok(Answer::Fails(fail.kind()));
        }
        let status = source.status.unwrap_or(200);
        if !(200..=599).contains(&status) {
            return Err(format!("status {status} is not from 200 to 599"));
        }
        let mut headers = texts(source.headers, "headers")?;
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        let mut kind = None;
        let body = if let Some(json) = source.json {
            kind = Some("application/json");
            json.to_string().into_bytes()
        } else if let Some(text) = source.body {
            kind = Some("text/plain; charset=utf-8");
            text.into_bytes()
        } else if let Some(encoded) = source.base64 {
            STANDARD.decode(encoded).map_err(|error| format!("base64 cannot be decoded: {error}"))?
        } else if let Some(file) = source.file {
            self.file(&file)?
        } else {
            Vec::new()
        };
        if let Some(kind) = kind
            && !headers.iter().any(|(name, _)| name == "content-type")
        {
            headers.push(("content-type".into(), kind.into()));
        }
        let status_text = source.status_text.unwrap_or_else(|| reason(status).to_owned());
        Ok(Answer::Response(HttpResponse { status, status_text, url: String::new(), redirected: false, headers, body }))
    }

    /// A mock may come from a stranger, so it reads nothing but what came with it.
    fn file(&self, file: &Path) -> Result<Vec<u8>, String> {
        if !file
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir))
        {
            return Err(format!("file {} is not relative to the mock", file.display()));
        }
        let path = self.dir.join(file);
        let real = path.canonicalize().map_err(|error| format!("file {}: {error}", file.display()))?;
        let root = self.plugin_dir.canonicalize().map_err(|error| error.to_string())?;
        if !real.starts_with(root) {
            return Err(format!("file {} is outside the plugin's folder", file.display()));
        }
        bytes(&real)
    }
}

impl RequestSource {
    fn pattern(self) -> Result<Pattern, String> {
        if self.url.is_empty() {
            return Err("request.url is empty".into());
        }
        if self.url.contains('?') && !self.query.is_empty() {
            return Err("request.url has a query and request.query is given as well; use one of them".into());
        }
        // As requests are written; a pattern such as `*` is no URL and stays.
        let url = match Url::parse(&self.url) {
            Ok(mut url) => {
                url.set_fragment(None);
                url.to_string()
            }
            Err(_) => self.url,
        };
        Ok(Pattern {
            method: self.method.filter(|method| method != "*").map(|method| method.to_ascii_uppercase()),
            url,
            query: texts(self.query, "request.query")?,
            headers: texts(self.headers, "request.headers")?,
            body: self.body,
        })
    }
}

impl Fail {
    const fn kind(self) -> FailureKind {
        match self {
            Self::Timeout => FailureKind::Timeout,
            Self::Network => FailureKind::Network,
        }
    }
}

/// Numbers and truth values are as good as their text; a list repeats the name.
fn texts(fields: BTreeMap<String, Value>, what: &str) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                _ => return Err(format!("{what}.{name} is neither text nor a number")),
            };
            all.push((name.clone(), text));
        }
    }
    Ok(all)
}

fn place_of(text: &str, part: &str) -> Place {
    // `part` is a piece of `text`.
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let before = &text.as_bytes()[..offset];
    let line = 1 + text[..offset].matches('\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    Place { line, column }
}

/// Without the place at the end, which is said in the file's own terms.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| "it is not UTF-8 text".to_owned())
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST_FILE_BYTES {
        return Err(format!("{} has {size} bytes; at most {LARGEST_FILE_BYTES} are read", path.display()));
    }
    fs::read(path).map_err(|error| error.to_string())
}
