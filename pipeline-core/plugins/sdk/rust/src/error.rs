use std::fmt;
use std::panic::Location;

use crate::bindings::weir::plugin::types::{Failure, FailureKind};

/// Why a function of a plugin failed, and where in the plugin's code.
///
/// Any error becomes one with `?`:
///
/// ```
/// # use weir_plugin::PluginError;
/// fn price(text: &str) -> Result<f64, PluginError> {
///     let price: f64 = text.parse()?;
///     if price < 0.0 {
///         return Err(PluginError::new("prices are not negative"));
///     }
///     Ok(price)
/// }
/// assert!(price("much").is_err());
/// ```
pub struct PluginError {
    message: String,
    place: &'static Location<'static>,
    kind: FailureKind,
    is_retry: bool,
}

impl PluginError {
    #[track_caller]
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), place: Location::caller(), kind: FailureKind::Exception, is_retry: false }
    }

    /// Asks for the same call again later, as far as the kind of call allows it.
    #[track_caller]
    pub fn retry(message: impl fmt::Display) -> Self {
        Self { is_retry: true, ..Self::new(message) }
    }

    #[track_caller]
    pub(crate) fn overdue() -> Self {
        Self { kind: FailureKind::Overdue, ..Self::new("waited too long") }
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn failure(self, function: &str) -> Failure {
        let (file, line, column) = (self.place.file(), self.place.line(), self.place.column());
        let stack = format!("    at {function} ({file}:{line}:{column})");
        Failure { kind: self.kind, message: self.message, stack, retry: self.is_retry }
    }
}

impl<E: std::error::Error> From<E> for PluginError {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::new(message)
    }
}

impl fmt::Debug for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.place)
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
