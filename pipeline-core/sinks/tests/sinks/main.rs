//! One feed against a store, a journal and destinations that fail on demand.

#![allow(clippy::unwrap_used)]

mod feed;
mod http;
mod support;
