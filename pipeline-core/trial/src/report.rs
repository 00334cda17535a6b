//! One report, in the forms that people, machines and CI servers read.

mod group;
mod html;
mod junit;
mod text;

pub use html::page as html;
pub use junit::document as junit;
pub use text::{Style, text};
