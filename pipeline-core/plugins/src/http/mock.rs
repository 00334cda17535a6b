//! Answers from the plugin's folder instead of the network.
//!
//! `mocks/*.json` holds one mock, a list of them, or `{"mocks": [...]}`:
//!
//! ```json
//! {
//!   "name": "rates of the day",
//!   "request": {
//!     "method": "GET",
//!     "url": "https://api.example.com/rates/*",
//!     "query": { "base": "EUR" },
//!     "headers": { "accept": "application/json" },
//!     "body": { "only": "these fields" }
//!   },
//!   "response": { "status": 200, "headers": { "x-quota": "7" }, "json": { "USD": 1.08 } },
//!   "delay_ms": 40,
//!   "times": 2
//! }
//! ```
//!
//! Of the request only `url` must be there. `*` stands for any run of characters in `url` and in the values
//! of `query` and `headers`. A `url` with a `?` is compared with the whole URL, one without only with what
//! is before it. A `body` that is text is compared as a whole (with `*`); any other is JSON that the
//! request's body must contain: objects may have more fields, arrays must be as long. The body of a
//! response is one of `json`, `body` (text), `base64` and `file` (beside the mock). Instead of `response`
//! there may be `responses`, given one after the other, the last one again and again, or `fail`, which is
//! `"timeout"` or `"network"`. After `times` answers a mock is used up.
//!
//! The first mock that fits answers, in the order of file names and then of places in the file. How often
//! each was used is counted from load to load, or to [`Mocks::start_over`].

mod load;
mod matching;
mod nearest;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use thiserror::Error;
use url::Url;

use super::request::{FailureKind, HttpFailure, HttpRequest, HttpResponse};
use crate::secrets::Secrets;

pub const MOCKS_DIR: &str = "mocks";

/// Why the mocks of a plugin cannot be used, with the place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}:{line}:{column}: {reason}", path.display())]
pub struct MockError {
    pub path: PathBuf,
    /// From one; zero lines when the file as a whole is meant.
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

impl MockError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        "http_mock_file"
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        "A mock is {\"request\": {\"url\": \"https://…\"}, \"response\": {\"status\": 200, \"json\": {}}}; see the \
         documentation of plugins for all fields."
    }
}

/// The mocks of one plugin.
#[derive(Debug, Default)]
pub struct Mocks {
    list: Vec<Arc<Mock>>,
    /// How often each has answered.
    used: Mutex<Vec<u32>>,
}

#[derive(Debug)]
struct Mock {
    /// What to call it in an error: its name, its file and its line.
    label: String,
    request: matching::Pattern,
    answers: Vec<Answer>,
    delay: Duration,
    times: Option<u32>,
}

#[derive(Debug, Clone)]
enum Answer {
    Response(HttpResponse),
    Fails(FailureKind),
}

/// What a mock says, and when it is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mocked {
    pub after: Duration,
    pub answer: Result<HttpResponse, HttpFailure>,
}

impl Mocks {
    /// All mocks in the folder of a plugin; none if it has no folder `mocks`.
    pub fn load(plugin_dir: &Path) -> Result<Self, MockError> {
        load::folder(plugin_dir).map(Self::new)
    }

    /// Mocks that are written inside another file: `list` is a piece of its `text`. Files that they name are
    /// beside it, inside the plugin's folder.
    pub fn inside(plugin_dir: &Path, file: &Path, text: &str, list: &RawValue) -> Result<Self, MockError> {
        load::inside(plugin_dir, file, text, list).map(Self::new)
    }

    fn new(list: Vec<Mock>) -> Self {
        Self::of(list.into_iter().map(Arc::new).collect())
    }

    fn of(list: Vec<Arc<Mock>>) -> Self {
        let used = Mutex::new(vec![0; list.len()]);
        Self { list, used }
    }

    /// These first, then the others; neither has answered yet.
    #[must_use]
    pub fn before(&self, others: &Self) -> Self {
        Self::of(self.list.iter().chain(&others.list).map(Arc::clone).collect())
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Counts from the first answer again.
    pub fn start_over(&self) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).fill(0);
    }

    /// `url` is the request's, as [`HttpRequest::checked`] gives it. Secrets stay out of errors.
    pub fn answer(&self, request: &HttpRequest, url: &Url, secrets: &Secrets) -> Mocked {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = self
            .list
            .iter()
            .zip(used.iter_mut())
            .find(|(mock, used)| mock.times.is_none_or(|times| **used < times) && mock.request.fits(request, url));
        let Some((mock, used)) = fitting else {
            let failure = nearest::unanswered(&self.list, &used, request, url, secrets);
            return Mocked { after: Duration::ZERO, answer: Err(failure) };
        };
        let turn = (*used as usize).min(mock.answers.len() - 1);
        *used = used.saturating_add(1);
        let answer = match &mock.answers[turn] {
            Answer::Response(response) => {
                let mut response = response.clone();
                url.as_str().clone_into(&mut response.url);
                Ok(response)
            }
            Answer::Fails(kind) => Err(HttpFailure::new(
                *kind,
                format!("the mock {} fails on purpose ({})", mock.label, kind.code()),
                "Give the mock a response instead of \"fail\" to let the call succeed.",
            )),
        };
        Mocked { after: mock.delay, answer }
    }
}

#[cfg(test)]
mod tests;
