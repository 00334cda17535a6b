//! What is new about the plugin since the last look.

use pipeline_core::api::plugin::{Diagnostic, PluginRequest, PluginState, PluginView, PluginsRequest, RuntimeFailure};
use pipeline_core::api::registry;

use super::News;
use crate::client::Client;

/// Looks at a new version that wait for its first event.
const LOOKS: u32 = 3;

#[derive(Default)]
pub struct Watch {
    id: String,
    /// The version that was told to be live.
    version: String,
    generation: u64,
    /// Of the version before.
    reload_ms: Option<f64>,
    /// Since a version is live that was not told yet.
    looks: u32,
    problem: Option<Diagnostic>,
    failure: Option<RuntimeFailure>,
    /// (from, to) of the comparison that was told.
    compared: (String, String),
    waiting: Option<String>,
}

impl Watch {
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    pub fn look(&self, client: &Client) -> anyhow::Result<Option<PluginView>> {
        let plugins = client.call::<registry::Plugins>(&PluginsRequest::default())?.plugins;
        Ok(plugins.into_iter().find(|view| view.id == self.id))
    }

    pub fn news(&mut self, client: &Client, view: PluginView) -> anyhow::Result<Vec<News>> {
        let mut news = Vec::new();
        let is_live = !view.version.is_empty() && view.state == PluginState::Live;
        if is_live && (view.generation, &view.version) != (self.generation, &self.version) {
            // The time of a reload is known with the first event on the new code, which may be long in coming.
            let is_timed = view.reload_ms != self.reload_ms;
            self.looks += 1;
            if is_timed || view.generation <= 1 || self.looks > LOOKS {
                (self.generation, self.version, self.looks) = (view.generation, view.version.clone(), 0);
                self.reload_ms = view.reload_ms;
                let reload_ms = view.reload_ms.filter(|_| is_timed);
                news.push(News::Live(PluginView { reload_ms, ..view.clone() }));
            }
        }
        if view.load_error != self.problem {
            self.problem.clone_from(&view.load_error);
            if self.problem.is_some() {
                news.push(News::Failed(view.clone()));
            }
        }
        // The same mistake is made by every event.
        let is_another = |known: &RuntimeFailure, newer: &RuntimeFailure| {
            (&known.version, &known.message) != (&newer.version, &newer.message)
        };
        if let Some(failure) = &view.last_error
            && self.failure.as_ref().is_none_or(|known| is_another(known, failure))
        {
            self.failure = Some(failure.clone());
            news.push(News::Error(view.clone()));
        }
        if view.waiting != self.waiting {
            self.waiting.clone_from(&view.waiting);
            if self.waiting.is_some() {
                news.push(News::Waits(view.clone()));
            }
        }
        if let Some(summary) = &view.diff
            && summary.state != "running"
            // What is live is told first.
            && (self.generation == view.generation || view.waiting.is_some())
            && (&self.compared.0, &self.compared.1) != (&summary.from, &summary.to)
        {
            self.compared = (summary.from.clone(), summary.to.clone());
            let latest = client.call::<registry::PluginDiffLatest>(&PluginRequest { id: self.id.clone() })?;
            news.push(match latest.diff {
                Some(diff) => News::Diff(Box::new(diff)),
                None => News::NoDiff(summary.text.clone()),
            });
        }
        Ok(news)
    }
}
