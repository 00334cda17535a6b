//! Finds a running server and calls its commands.

use anyhow::{Context as _, bail};
use pipeline_core::api::generator::GeneratorRequest;
use pipeline_core::api::{ApiError, Command, command, registry};
use reqwest::blocking::{RequestBuilder, Response};
use weir_studio::{RunFile, RunFileError};

use crate::args::Target;
use crate::coded::coded;

pub struct Client {
    url: String,
    token: String,
    http: reqwest::blocking::Client,
}

impl Client {
    /// A client for the server that `target` names.
    pub fn find(target: &Target) -> anyhow::Result<Self> {
        let (url, token) = match (&target.url, &target.token) {
            (Some(url), Some(token)) => (url.clone(), token.clone()),
            (Some(_), None) => bail!("--url needs --token (or WEIR_TOKEN); it is in run.json of the data directory"),
            (None, _) => {
                let file = RunFile::read(&target.data).map_err(|error| match error {
                    RunFileError::NoServer { .. } => anyhow::Error::new(error)
                        .context("start one with `weir serve`, or name another with --url and --token, or --data"),
                    error @ RunFileError::Unreadable { .. } => error.into(),
                })?;
                (file.control, file.token)
            }
        };
        let http = reqwest::blocking::Client::builder().no_proxy().timeout(None).build().context("no HTTP client")?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token, http })
    }

    pub fn call<C: Command>(&self, request: &C::Request) -> anyhow::Result<C::Response> {
        let response = self.send(self.http.post(format!("{}{}", self.url, command::path(C::NAME))).json(request))?;
        response.json().context("the server's answer is of another version")
    }

    /// The numbers that it publishes, in Prometheus's text format.
    pub fn metrics(&self) -> anyhow::Result<String> {
        let response = self.send(self.http.get(format!("{}/metrics", self.url)))?;
        response.text().context("the server's answer broke off")
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.bearer_auth(&self.token).send();
        let response = answer.with_context(|| format!("the server at {} does not answer", self.url))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let error: ApiError =
            response.json().with_context(|| format!("the server answered {status} without a reason"))?;
        Err(coded(&error.message, error.code, error.hint.as_deref().unwrap_or_default()))
    }
}

/// Where the server that `target` names takes events.
pub fn capture_url(target: &Target) -> anyhow::Result<String> {
    Ok(Client::find(target)?.call::<registry::Generator>(&GeneratorRequest::default())?.to)
}
