//! Lines in the plugin's log: [`crate::info!`] and its sisters. What is printed lands there too.

use crate::bindings::weir::plugin::log::line;

pub use crate::bindings::weir::plugin::log::Level;

#[doc(hidden)]
pub fn write(level: Level, message: std::fmt::Arguments<'_>) {
    line(level, &message.to_string());
}

/// Writes a line of level DEBUG.
#[macro_export]
macro_rules! debug {
    ($($part:tt)*) => { $crate::write($crate::Level::Debug, format_args!($($part)*)) };
}

/// Writes a line of level INFO.
///
/// ```no_run
/// weir_plugin::info!("{} events so far", 3);
/// ```
#[macro_export]
macro_rules! info {
    ($($part:tt)*) => { $crate::write($crate::Level::Info, format_args!($($part)*)) };
}

/// Writes a line of level WARN.
#[macro_export]
macro_rules! warn {
    ($($part:tt)*) => { $crate::write($crate::Level::Warn, format_args!($($part)*)) };
}

/// Writes a line of level ERROR.
#[macro_export]
macro_rules! error {
    ($($part:tt)*) => { $crate::write($crate::Level::Error, format_args!($($part)*)) };
}
