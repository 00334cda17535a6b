//! What plugins reach over HTTP, and what they get.
//!
//! By default nothing leaves the machine: calls are answered from the mocks in the plugin's folder
//! (`mock`). Switched on for a plugin, a call goes out if the host's name is on its list (`allow_list`)
//! and every address behind the name is public or granted (`address`, `egress`), over a client that can
//! only connect to the addresses that passed (`client`, `redirect`, `body`). `recording` writes real
//! answers down as mocks.
//!
//! A plugin never waits inside a call. [`Calls`] starts it and the answer arrives in the caller's
//! [`CompletionQueue`], whether it comes from a mock, the network or a timer.

mod address;
mod allow_list;
mod body;
mod calls;
mod client;
mod completion;
mod egress;
mod limits;
mod metrics;
mod mock;
mod recorded;
mod recording;
mod redirect;
mod request;
mod status;
#[cfg(test)]
mod test_server;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use allow_list::{AllowList, AllowListError};
pub use calls::{Calls, CallsConfig};
pub use completion::{CallId, Completion, CompletionQueue, Outcome};
pub use egress::{Egress, GrantError, Resolve, SystemResolver};
pub use limits::HttpLimits;
pub use mock::{MockError, Mocked, Mocks};
pub use recorded::Recorded;
pub use recording::{Recorder, mock_of};
pub use request::{FailureKind, HttpFailure, HttpRequest, HttpResponse, Redirect, target};

use crate::secrets::Secrets;
use client::Client;

/// Where a plugin's calls go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpMode {
    /// To the mocks in its folder.
    #[default]
    Mock,
    /// To the network, and what comes back is written down as mocks.
    Record,
    /// To the network.
    Live,
}

impl HttpMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Record => "record",
            Self::Live => "live",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Mock, Self::Record, Self::Live].into_iter().find(|known| known.as_str() == name)
    }
}

/// What is set for one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    pub mode: HttpMode,
    /// Hosts it may reach when the mode is not mock: `api.example.com`, `*.example.com:8443`, `*`.
    pub allow: Vec<String>,
    /// Addresses inside that it may reach all the same: `127.0.0.1:8080`, `10.0.0.0/8`.
    pub grant: Vec<String>,
}

impl HttpSettings {
    /// Whether the lists can be read.
    pub fn check(&self) -> Result<(), HttpSetupError> {
        let allowed = AllowList::parse(self.allow.iter().map(String::as_str))?;
        Egress::new(allowed, self.grant.iter().map(String::as_str), Arc::new(SystemResolver))?;
        Ok(())
    }
}

#[derive(Debug, Error)]
pub enum HttpSetupError {
    #[error(transparent)]
    Mock(#[from] MockError),
    #[error(transparent)]
    AllowList(#[from] AllowListError),
    #[error(transparent)]
    Grant(#[from] GrantError),
}

impl HttpSetupError {
    /// File, line and column (from 1, 0 when unknown) of what is wrong.
    pub fn place(&self) -> (String, u32, u32) {
        match self {
            Self::Mock(error) => {
                let name = error.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (format!("mocks/{name}"), error.line as u32, error.column as u32)
            }
            Self::AllowList(_) | Self::Grant(_) => (String::new(), 0, 0),
        }
    }

    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Mock(error) => error.code(),
            Self::AllowList(error) => error.code(),
            Self::Grant(error) => error.code(),
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Mock(error) => error.hint(),
            Self::AllowList(error) => error.hint(),
            Self::Grant(error) => error.hint(),
        }
    }
}

/// The HTTP of one plugin under one set of settings.
#[derive(Debug)]
pub struct PluginHttp {
    plugin_id: String,
    mode: HttpMode,
    limits: HttpLimits,
    secrets: Secrets,
    mocks: RwLock<Arc<Mocks>>,
    /// None when mocked: there is then nothing that could send.
    client: Option<Client>,
    recorder: Option<Recorder>,
    /// Set in trials, which send nothing whatever the settings say.
    closed: OnceLock<Option<Arc<Recorded>>>,
}

/// How a call begins.
#[derive(Debug)]
pub enum Begun {
    /// The answer is known, and is to be given after this time.
    Answered(Mocked),
    /// [`PluginHttp::exchange`] is to be called on a thread that may wait.
    Blocks,
}

impl PluginHttp {
    pub fn new(
        plugin_id: &str,
        plugin_dir: &Path,
        settings: &HttpSettings,
        limits: HttpLimits,
        secrets: Secrets,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, HttpSetupError> {
        // Read in every mode, so that what is wrong with them is known before they are needed.
        let mocks = Mocks::load(plugin_dir)?;
        let allowed = AllowList::parse(settings.allow.iter().map(String::as_str))?;
        let egress = Egress::new(allowed, settings.grant.iter().map(String::as_str), resolver)?;
        let live = settings.mode != HttpMode::Mock;
        Ok(Self {
            plugin_id: plugin_id.to_owned(),
            mode: settings.mode,
            client: live.then(|| Client::new(Arc::new(egress), limits.clone())),
            recorder: (settings.mode == HttpMode::Record).then(|| Recorder::new(plugin_dir, secrets.clone())),
            limits,
            secrets,
            mocks: RwLock::new(Arc::new(mocks)),
            closed: OnceLock::new(),
        })
    }

    pub fn plugin_id(&self) -> &str {
        &self.plugin_id
    }

    pub const fn mode(&self) -> HttpMode {
        self.mode
    }

    pub const fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Takes mocks that were loaded anew.
    pub fn set_mocks(&self, mocks: Mocks) {
        *self.mocks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(mocks);
    }

    pub fn mocks(&self) -> Arc<Mocks> {
        self.mocks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends nothing from now on: recorded answers are given if there are any. Without a recording, and where
    /// requests are mocked anyway, mocks answer.
    pub fn close(&self, recorded: Option<Arc<Recorded>>) {
        // Closed once, before its first call.
        let _ = self.closed.set(recorded);
    }

    /// Never waits. A request that may not be sent is answered at once, in every mode.
    pub fn begin(&self, request: &HttpRequest) -> Begun {
        let url = match request.checked(&self.limits) {
            Ok(url) => url,
            Err(failure) => return Begun::Answered(Mocked { after: Duration::ZERO, answer: Err(self.clean(failure)) }),
        };
        let closed = self.closed.get();
        if let Some(Some(recorded)) = closed {
            if let Some(answer) = recorded.known(request) {
                return Begun::Answered(answer);
            }
            // What is mocked live needs no record to be known.
            if self.client.is_some() {
                return Begun::Answered(recorded.missing(request));
            }
        }
        if self.client.is_some() && closed.is_none() {
            return Begun::Blocks;
        }
        let mut mocked = self.mocks().answer(request, &url, &self.secrets);
        if mocked.after > self.limits.total {
            // What a server that slow would have done to the call.
            mocked = Mocked { after: self.limits.total, answer: Err(body::late()) };
        }
        Begun::Answered(mocked)
    }

    /// The real call. Blocks for at most the limit's total, or a little longer while a name is looked up.
    pub fn exchange(&self, request: &HttpRequest, cancelled: &AtomicBool) -> Result<HttpResponse, HttpFailure> {
        let Some(client) = &self.client else {
            return Err(HttpFailure::refused("HTTP is mocked for this plugin", "Switch HTTP on for it."));
        };
        let answer = client.send(request, cancelled).map_err(|failure| self.clean(failure));
        if let (Some(recorder), Ok(response)) = (&self.recorder, &answer)
            && let Ok(url) = target(&request.url)
            && let Err(error) = recorder.record(request, &url, response)
        {
            metrics::recording_failed(&self.plugin_id);
            tracing::warn!(%error, plugin = self.plugin_id, "an answer could not be written down as a mock");
        }
        answer
    }

    fn clean(&self, mut failure: HttpFailure) -> HttpFailure {
        failure.message = self.secrets.redact(&failure.message).into_owned();
        failure.hint = self.secrets.redact(&failure.hint).into_owned();
        failure
    }
}

#[cfg(test)]
mod tests;
