//! What a command is: a name, a request and a response. See [`crate::registry`] for the list.

use serde::{Serialize, de::DeserializeOwned};

/// One entry of the control API. Called as `POST /api/v1/<NAME>` with the request as JSON.
pub trait Command {
    const NAME: &'static str;
    type Request: Serialize + DeserializeOwned + Send + 'static;
    type Response: Serialize + DeserializeOwned + Send + 'static;
}

/// The same as data, for route tables, documentation and tests.
#[derive(Debug, Clone, Copy)]
pub struct CommandSpec {
    pub name: &'static str,
    /// First line of the command's documentation.
    pub summary: &'static str,
    pub request: &'static str,
    pub response: &'static str,
}

impl CommandSpec {
    pub fn path(&self) -> String {
        path(self.name)
    }
}

/// The route of a command.
pub fn path(name: &str) -> String {
    format!("/api/v1/{name}")
}
