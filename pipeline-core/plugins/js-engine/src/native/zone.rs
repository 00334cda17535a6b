//! Time zones by IANA name, for `Intl`.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rquickjs::convert::List;
use rquickjs::{Ctx, Function, Object, Result};

thread_local! {
    /// Finding a zone means parsing it.
    static ZONES: RefCell<HashMap<String, Option<TimeZone>>> = RefCell::default();
}

pub fn define<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    // The name in the database's spelling, or undefined.
    let name = |zone: String| with_zone(&zone, |zone| zone.iana_name().map(str::to_owned)).flatten();
    host.set("zoneName", Function::new(ctx.clone(), name)?)?;
    // Seconds east of Greenwich, daylight saving or not, and the abbreviation.
    let offset = |zone: String, at_ms: f64| {
        with_zone(&zone, |zone| {
            let at = Timestamp::from_millisecond(at_ms as i64).unwrap_or(Timestamp::UNIX_EPOCH);
            let info = zone.to_offset_info(at);
            List((info.offset().seconds(), info.dst().is_dst(), info.abbreviation().to_owned()))
        })
    };
    host.set("zoneOffset", Function::new(ctx.clone(), offset)?)
}

fn with_zone<T>(name: &str, use_it: impl FnOnce(&TimeZone) -> T) -> Option<T> {
    ZONES.with_borrow_mut(|zones| {
        if !zones.contains_key(name) {
            zones.insert(name.to_owned(), TimeZone::get(name).ok());
        }
        zones[name].as_ref().map(use_it)
    })
}
