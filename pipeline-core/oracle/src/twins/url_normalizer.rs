//! One page, one URL.

use serde_json::{Map, Value, json};
use url::Url;

use super::{Config, text};
use crate::oracle::Twin;

/// Parameters that say where a visitor came from.
const TRACKING: [&str; 10] =
    ["gclid", "gbraid", "wbraid", "fbclid", "msclkid", "dclid", "twclid", "mc_eid", "_hsenc", "_hsmi"];

struct UrlNormalizer {
    query: String,
    keeps_case: bool,
}

#[allow(clippy::unnecessary_wraps)] // As all of them are made.
pub(super) fn make(config: &Config) -> Option<Box<dyn Twin>> {
    let query = Some(text(config, "strip_query")).filter(|query| !query.is_empty()).unwrap_or("tracking");
    Some(Box::new(UrlNormalizer { query: query.to_owned(), keeps_case: text(config, "keep_path_case") == "Yes" }))
}

impl Twin for UrlNormalizer {
    fn process(&mut self, mut event: Map<String, Value>) -> Option<Map<String, Value>> {
        let url = event.get("properties").and_then(|properties| properties["$current_url"].as_str()).map(str::to_owned);
        let Some((url, normal)) = url.and_then(|url| self.normalized(&url).map(|normal| (url, normal))) else {
            return Some(event);
        };
        event["properties"]["$plugin_url_normalized"] = json!(url != normal);
        event["properties"]["$current_url"] = normal.into();
        Some(event)
    }
}

impl UrlNormalizer {
    fn normalized(&self, text: &str) -> Option<String> {
        let mut url = Url::parse(text).ok()?;
        if !url.cannot_be_a_base() {
            let path = if self.keeps_case { url.path().to_owned() } else { url.path().to_lowercase() };
            let bare = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
            url.set_path(bare);
        }
        let query = self.query_of(url.query().unwrap_or_default());
        url.set_query(query.as_deref());
        if url.fragment() == Some("") {
            url.set_fragment(None);
        }
        let href = url.to_string();
        if url.path() != "/" {
            return Some(href);
        }
        let origin = url.origin().ascii_serialization();
        Some(href.replacen(&format!("{origin}/"), &origin, 1))
    }

    fn query_of(&self, query: &str) -> Option<String> {
        let kept = match self.query.as_str() {
            "keep" => query.to_owned(),
            "all" => String::new(),
            _ => query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect::<Vec<_>>().join("&"),
        };
        Some(kept).filter(|kept| !kept.is_empty())
    }
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let campaign = name.strip_prefix("utm_");
    let is_word =
        |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    TRACKING.contains(&name.as_str()) || campaign.is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_one_url() {
        let twin = |query: &str| UrlNormalizer { query: query.into(), keeps_case: false };
        for (given, expected) in [
            (
                "https://WWW.Shop.example:443/Shoes/?utm_source=x&size=4&gclid=1#",
                "https://www.shop.example/shoes?size=4",
            ),
            ("https://shop.example/", "https://shop.example"),
            ("https://shop.example/?", "https://shop.example"),
            ("https://shop.example/a//#prices", "https://shop.example/a#prices"),
            ("https://shop.example/?a=1", "https://shop.example?a=1"),
        ] {
            assert_eq!(twin("tracking").normalized(given).as_deref(), Some(expected));
        }
        assert_eq!(twin("all").normalized("http://a.example/x?y=1").as_deref(), Some("http://a.example/x"));
        assert_eq!(
            twin("keep").normalized("http://a.example/x?utm_a=1").as_deref(),
            Some("http://a.example/x?utm_a=1")
        );
        assert_eq!(twin("keep").normalized("not a page"), None);
    }
}
