//! The query of a capture request. Read by hand: a parameter that is there twice is no reason to refuse
//! events, the last one counts.

/// Milliseconds of 2020-01-01: a smaller `_` is no time but a cache buster.
const YEAR_2020_MS: i64 = 1_577_836_800_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureQuery {
    pub compression: String,
    pub data: Option<String>,
    pub token: Option<String>,
    pub api_key: Option<String>,
    /// From `_`, as ISO 8601.
    pub sent_at: Option<String>,
    /// The sender is leaving its page and reads no answer.
    pub beacon: bool,
    /// Version of `/flags` and `/decide`.
    pub version: Option<u32>,
}

impl CaptureQuery {
    pub fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "compression" => parsed.compression = value.into_owned(),
                "data" => parsed.data = Some(value.into_owned()),
                "token" => parsed.token = Some(value.into_owned()),
                "api_key" => parsed.api_key = Some(value.into_owned()),
                "_" => {
                    let plausible = value.parse().ok().filter(|ms| *ms > YEAR_2020_MS);
                    parsed.sent_at = plausible.map(weir_event::time::iso);
                }
                "beacon" => parsed.beacon = value == "1",
                "v" => parsed.version = value.parse().ok(),
                _ => {}
            }
        }
        parsed
    }

    /// A GET has no body to name its project in.
    pub fn claimed_token(&self) -> Option<String> {
        [&self.token, &self.api_key].into_iter().flatten().find(|token| !token.is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_name_counts_and_strangers_are_skipped() {
        let query = CaptureQuery::parse("compression=gzip&ver=1.2&token=&api_key=k&compression=lz64&beacon=1&v=2&x");
        assert_eq!((query.compression.as_str(), query.beacon, query.version), ("lz64", true, Some(2)));
        assert_eq!(query.claimed_token().as_deref(), Some("k"));
        assert_eq!(CaptureQuery::parse("token=t&api_key=k").claimed_token().as_deref(), Some("t"));
    }

    #[test]
    fn the_time_of_sending_is_milliseconds_after_2020() {
        let sent_at = |value: &str| CaptureQuery::parse(&format!("_={value}")).sent_at;
        assert_eq!(sent_at("1700000000123").as_deref(), Some("2023-11-14T22:13:20.123Z"));
        for other in ["1700000000", "1577836800000", "1700000000123.5", "2023-11-14T22:13:20Z", "", "x"] {
            assert_eq!(sent_at(other), None, "{other}");
        }
    }
}
