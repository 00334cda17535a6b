//! Log payloads: a version byte, then postcard. See `weir_event::{intake, journal}`.

use serde::{Serialize, de::DeserializeOwned};
use weir_event::intake::{INTAKE_VERSION, IntakeRecord};
use weir_event::journal::{JOURNAL_VERSION, JournalRecord};

use crate::error::FlowError;

pub fn encode_intake(record: &IntakeRecord) -> Result<Vec<u8>, FlowError> {
    encode(INTAKE_VERSION, record)
}

pub fn decode_intake(payload: &[u8]) -> Result<IntakeRecord, FlowError> {
    decode("intake", INTAKE_VERSION, payload)
}

pub fn encode_journal(record: &JournalRecord) -> Result<Vec<u8>, FlowError> {
    encode(JOURNAL_VERSION, record)
}

pub fn decode_journal(payload: &[u8]) -> Result<JournalRecord, FlowError> {
    decode("journal", JOURNAL_VERSION, payload)
}

fn encode<T: Serialize>(version: u8, record: &T) -> Result<Vec<u8>, FlowError> {
    postcard::to_extend(record, vec![version])
        .map_err(|error| FlowError::Codec { log: "any", problem: error.to_string() })
}

fn decode<T: DeserializeOwned>(log: &'static str, version: u8, payload: &[u8]) -> Result<T, FlowError> {
    match payload.split_first() {
        Some((found, body)) if *found == version => {
            postcard::from_bytes(body).map_err(|error| FlowError::Codec { log, problem: error.to_string() })
        }
        Some((found, _)) => Err(FlowError::Codec { log, problem: format!("version {found} is unknown to this build") }),
        None => Err(FlowError::Codec { log, problem: "the record is empty".into() }),
    }
}
