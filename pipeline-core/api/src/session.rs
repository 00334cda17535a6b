//! How a browser gets in: a one-time code in the link's fragment becomes a cookie.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenLinkRequest {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub url: String,
}

/// Body of `POST /api/session`; the answer is 204 with the cookie, or 401.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionRequest {
    pub code: String,
}
