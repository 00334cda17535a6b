//! From a body as it came to records, on whichever thread has time for it.

use weir_event::intake::IntakeRecord;

use crate::body::{self, Packing};
use crate::error::{CaptureError, Refusal};
use crate::payload::{self, RequestFacts};
use crate::strict;

/// A body's description, ready to move to another thread with it.
pub struct Packed {
    pub content_type: String,
    pub content_encoding: String,
    pub compression: String,
    pub data: Option<String>,
    pub limit_bytes: usize,
    /// By the rules of the strict endpoint, for a client that calls itself so.
    pub strict: bool,
    pub sdk: String,
}

/// What a request became.
#[derive(Debug, PartialEq, Eq)]
pub struct Unpacked {
    pub records: Vec<IntakeRecord>,
    /// What the client is told, where it is more than that all is well.
    pub answer: Option<String>,
    /// Why single events were refused while their request was not.
    pub refused: Vec<CaptureError>,
}

impl Packed {
    pub fn unpack(&self, mut facts: RequestFacts, bytes: Vec<u8>) -> Result<Unpacked, Refusal> {
        let packing = Packing {
            content_type: &self.content_type,
            content_encoding: &self.content_encoding,
            compression: &self.compression,
            data: self.data.as_deref(),
        };
        let (json, form) = body::unwrap_body(bytes, packing, self.limit_bytes)
            .map_err(|error| payload::known_only_by_request(error, &facts))?;
        if self.strict {
            return strict::unpack(&json, facts, &self.sdk);
        }
        let form_token = [form.api_key, form.token].into_iter().flatten().find(|token| !token.is_empty());
        facts.token = facts.token.or(form_token);
        facts.form_sent_at = form.sent_at.filter(|text| !text.is_empty());
        let records = payload::unpack(&json, facts)?;
        Ok(Unpacked { records, answer: None, refused: Vec::new() })
    }
}
