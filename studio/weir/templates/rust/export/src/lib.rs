//! Sends stored events to a URL, a batch in each request.

mod batch;
#[rustfmt::skip]
mod weir_types;

use weir_plugin::http::Request;
use weir_plugin::{Event, Meta, Offer, Plugin, PluginError, info};
use weir_types::Config;

struct Export {
    url: String,
    api_key: Option<String>,
}

impl Plugin for Export {
    const OFFERS: &'static [Offer] = &[Offer::ExportEvents];

    fn new(meta: &Meta) -> Result<Self, PluginError> {
        let config = Config::of(meta);
        let url = config.url();
        if !url.starts_with("https://") {
            return Err(PluginError::new(format!("\"URL\" must begin with https://; got {url:?}")));
        }
        let api_key = config.api_key().filter(|key| !key.is_empty()).map(str::to_owned);
        Ok(Self { url: url.to_owned(), api_key })
    }

    // The host gathers stored events and calls this when there are enough, or when the oldest has waited long enough.
    fn export_events(&mut self, events: &[Event]) -> Result<(), PluginError> {
        let mut request = Request::post(&self.url).json(&batch::body(events));
        if let Some(key) = &self.api_key {
            request = request.header("authorization", &format!("Bearer {key}"));
        }
        let answer = request.send().map_err(|error| {
            // No answer at all: the network, or a timeout. The host calls again with the same events.
            PluginError::retry(format!("Could not reach {}: {}", self.url, error.message()))
        })?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(PluginError::retry(format!("The service is busy ({})", answer.status)));
        }
        if !answer.is_success() {
            let (count, status, text) = (events.len(), answer.status, answer.text());
            return Err(PluginError::new(format!("The service refused {count} events: {status} {text}")));
        }
        info!("{} events sent", events.len());
        Ok(())
    }
}

weir_plugin::plugin!(Export);
