//! Numbers a plugin keeps about itself, shown beside it.

use crate::bindings::weir::plugin::metrics::{Operation, observe};

/// Adds to a sum.
pub fn add(name: &str, by: f64) {
    observe(name, Operation::Sum, by);
}

/// Keeps the greatest value.
pub fn max(name: &str, value: f64) {
    observe(name, Operation::Maximum, value);
}

/// Keeps the least value.
pub fn min(name: &str, value: f64) {
    observe(name, Operation::Minimum, value);
}
