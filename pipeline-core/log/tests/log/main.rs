//! The log against a disk that tears writes, fails syncs and fills up, and against a model.

mod faults;
mod faulty;
mod model;
