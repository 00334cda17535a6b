//! Where an address is.

use serde_json::Value;

/// The record of an address as the reader of a MaxMind City database gives it, if there is one.
///
/// ```no_run
/// # use weir_plugin::geoip;
/// let country = geoip::locate("203.0.113.7").map(|place| place["country"]["isoCode"].clone());
/// ```
pub fn locate(ip: &str) -> Option<Value> {
    crate::bindings::weir::plugin::geoip::locate(ip).and_then(|text| serde_json::from_str(&text).ok())
}
