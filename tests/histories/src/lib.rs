//! The pipeline against the independent model: random histories of raw requests go to both, and what the
//! store holds must be what the model says, to the property.
//!
//! [`history`] makes a history, [`pipeline`] runs it through the real router, logs, plugin stage,
//! identity and DuckDB with the clock held, [`observed`] reads the store in the model's words, and
//! [`difference`] says where the two disagree. Many histories share one pipeline, each under a token of
//! its own, with their requests interleaved and the pipeline restarted in between; [`run`] does that and
//! shrinks what fails to the shortest history that still does.

pub mod difference;
pub mod history;
pub mod observed;
pub mod pipeline;
pub mod run;
