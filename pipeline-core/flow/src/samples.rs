//! Samples: events that were, saved as fixtures in the plugin's folder, where tests and comparisons find them.
//!
//! A sample holds the event as it came to the plugin, what was set, what was stored before its batch, and the
//! answers that its requests got. What is secret stays out and is named, and what nobody has kept is said.
//! The expectation is what the plugin makes of it now, written down by the same code as `weir test --update`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use weir_api::diff::{PluginAccept, SampleSave, SampleSaved};
use weir_api::event::Journey;
use weir_event::journal::{BatchRecord, HostCall, JournalRecord, StorageMutation};
use weir_event::time;
use weir_plugins::{FIXTURES_DIR, mock_of};
use weir_trial::{Report, Selection, Suite, Verdict};

use crate::codec;
use crate::error::FlowError;
use crate::flow::Flow;
use crate::redrive::{self, Found};
use crate::shadow::ShadowError;

/// Events of one sample.
const MOST_EVENTS: usize = 100;
/// Of the event as plugins see it: what capture adds, and adds again when the sample runs.
const FROM_CAPTURE: [&str; 5] = ["team_id", "now", "site_url", "ip", "sent_at"];

/// What there is to say about a sample besides itself.
#[derive(Default)]
struct Said {
    notes: Vec<String>,
    secrets_left_out: Vec<String>,
}

impl Flow {
    /// Blocks its thread: it reads both logs and the store, and runs the plugin.
    pub fn sample_save(&self, request: &SampleSave) -> Result<SampleSaved, FlowError> {
        let SampleSave { id, name, offsets, replace } = request;
        let dir = self.shadow.folder(id)?;
        let Some(first) = offsets.first().filter(|_| offsets.len() <= MOST_EVENTS) else {
            return Err(ShadowError::SampleOffsets(MOST_EVENTS).into());
        };
        let path = dir.join(FIXTURES_DIR).join(format!("{}.json", file_stem(name)?));
        if path.exists() && !replace {
            return Err(ShadowError::SampleExists(path).into());
        }
        let found = redrive::find(&self.intake_log, &offsets.iter().copied().collect())?;
        let mut said = Said::default();
        let mut events = Vec::new();
        let mut calls = Vec::new();
        for offset in offsets {
            let journey = self.journey(*offset)?.ok_or(ShadowError::UnknownOffset(*offset))?;
            events.push(came_to(id, *offset, &journey, &mut said));
            calls.extend(self.batch_of(*offset)?.1.calls.into_iter().filter(|call| is_of(call, id, *offset)));
        }
        let mocks = mocks(&calls, &mut said);
        let mut sample = self.surroundings(id, *first, &found, &mut said)?;
        sample.insert("name".into(), json!(name));
        if !mocks.is_empty() {
            sample.insert("mocks".into(), json!(mocks));
        }
        match events.as_slice() {
            [event] => sample.insert("event".into(), event.clone()),
            _ => sample.insert("events".into(), json!(events)),
        };
        // Name first, events last, as people write them.
        let order =
            ["name", "now", "ip", "site_url", "config", "attachments", "limits", "storage", "mocks", "event", "events"];
        let sorted: Map<String, Value> =
            order.into_iter().filter_map(|key| Some((key.to_owned(), sample.remove(key)?))).collect();
        write(id, &path, &Value::Object(sorted))?;
        let file = format!("{FIXTURES_DIR}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let report = self.expectations(id, &dir, Some(file))?;
        Ok(SampleSaved {
            path: path.to_string_lossy().into_owned(),
            events: events.len() as u64,
            mocks: mocks.len() as u64,
            secrets_left_out: said.secrets_left_out,
            notes: said.notes.into_iter().chain(failing(&report)).collect(),
            passes: report.results.iter().all(|result| result.verdict == Verdict::Pass),
        })
    }

    /// Writes what the folder's version makes of the plugin's samples as what is expected.
    pub fn plugin_accept(&self, id: &str) -> Result<PluginAccept, FlowError> {
        let dir = self.shadow.folder(id)?;
        let report = self.expectations(id, &dir, None)?;
        if report.results.is_empty() {
            return Err(ShadowError::NoSamples(id.to_owned()).into());
        }
        let mut written: Vec<String> = report
            .results
            .iter()
            .filter(|result| result.updated)
            .map(|result| result.file.to_string_lossy().into_owned())
            .collect();
        written.dedup();
        let passing = report.results.iter().filter(|result| result.verdict == Verdict::Pass).count() as u64;
        Ok(PluginAccept { written, passing, failing: failing(&report) })
    }

    fn expectations(&self, id: &str, dir: &Path, filter: Option<String>) -> Result<Report, FlowError> {
        let selection = Selection { filter, changed: None, threads: 1, update: true };
        let report = Suite::new(self.shadow.workshop(), selection).run(&[dir.to_owned()], &|_, _| {});
        report.map_err(|error| {
            ShadowError::Samples { plugin: id.to_owned(), problem: format!("{error} ({})", error.hint()) }.into()
        })
    }

    /// Everything of a sample but its events and answers: of the first event, where events differ.
    fn surroundings(
        &self,
        id: &str,
        first: u64,
        found: &[Found],
        said: &mut Said,
    ) -> Result<Map<String, Value>, FlowError> {
        let mut sample = Map::new();
        if let Some(found) = found.iter().find(|found| found.offset == first) {
            sample.insert("now".into(), json!(time::iso(found.record.received_at_ms)));
            sample.insert("ip".into(), json!(found.record.ip));
            sample.insert("site_url".into(), json!(found.record.site_url));
        }
        let (manifest, _) = self.host.configuration(id)?;
        let settings = self.host.settings(id);
        let mut config = Map::new();
        for (key, value) in &settings.values {
            if manifest.secret_keys().any(|secret| secret == key) {
                said.secrets_left_out.push(key.clone());
            } else {
                config.insert(key.clone(), json!(value));
            }
        }
        let mut attachments = Map::new();
        for attachment in &settings.attachments {
            match std::str::from_utf8(&attachment.contents) {
                Ok(text) => drop(attachments.insert(
                    attachment.key.clone(),
                    json!({"text": text, "content_type": attachment.content_type, "file_name": attachment.file_name}),
                )),
                Err(_) => said.notes.push(format!("The attachment {} is no text and is left out.", attachment.key)),
            }
        }
        let mut limits = json!(settings.other.limits);
        if settings.other.on_error != Default::default() {
            limits["on_error"] = json!(settings.other.on_error);
        }
        let storage = self.stored_before(id, first, said)?;
        if !self.host.cache(id).is_empty() {
            said.notes.push("The cache is not kept over time, so the sample begins with an empty one.".to_owned());
        }
        for (name, fields) in [
            ("config", config),
            ("attachments", attachments),
            ("limits", limits.as_object().cloned().unwrap_or_default()),
            ("storage", storage),
        ] {
            if !fields.is_empty() {
                sample.insert(name.to_owned(), Value::Object(fields));
            }
        }
        Ok(sample)
    }

    fn stored_before(&self, id: &str, offset: u64, said: &mut Said) -> Result<Map<String, Value>, FlowError> {
        let (sequence, batch) = self.batch_of(offset)?;
        let stored =
            self.store_pool()?.with(|connection| weir_store::plugin_storage_before(connection, id, sequence))?;
        let is_own = |mutation: &StorageMutation| mutation.plugin_id == *id;
        if batch.event_count > 1 && batch.storage.iter().any(is_own) {
            said.notes.push(format!(
                "Storage is as it was before the {} events that were processed together with this one.",
                batch.event_count
            ));
        }
        let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        Ok(stored.into_iter().map(|(key, text)| (key, value(&text))).collect())
    }

    /// What was journalled of an event's batch, with its sequence.
    fn batch_of(&self, offset: u64) -> Result<(u64, BatchRecord), FlowError> {
        let mut reader = self.journal_log.read_from_offset(offset);
        while let Some(record) = reader.read(1, 1)?.into_iter().next() {
            if let JournalRecord::Batch(batch) = codec::decode_journal(&record.payload)? {
                let is_inside =
                    (batch.first_offset..batch.first_offset + u64::from(batch.event_count)).contains(&offset);
                return if is_inside {
                    Ok((record.sequence, batch))
                } else {
                    Err(ShadowError::UnknownOffset(offset).into())
                };
            }
        }
        Err(ShadowError::NotProcessed(offset).into())
    }
}

fn is_of(call: &HostCall, id: &str, offset: u64) -> bool {
    call.plugin_id == id && call.offset == Some(offset)
}

/// The event as it came to the plugin.
fn came_to(id: &str, offset: u64, journey: &Journey, said: &mut Said) -> Value {
    let before = journey.steps.iter().take_while(|step| step.plugin_id != id);
    let mut event = journey.captured.clone();
    for step in before {
        if step.is_after_lost {
            said.notes.push(format!(
                "What {} made of event {offset} is no longer kept; the sample has it as it was before.",
                step.plugin_id
            ));
        }
        match &step.after {
            Some(after) => event = after.clone(),
            None if step.is_after_lost => {}
            None => said.notes.push(format!("Event {offset} was dropped by {} before it came here.", step.plugin_id)),
        }
    }
    if let Some(fields) = event.as_object_mut() {
        for name in FROM_CAPTURE {
            fields.shift_remove(name);
        }
    }
    event
}

/// One mock for each request, with its answers in their order.
fn mocks(calls: &[HostCall], said: &mut Said) -> Vec<Value> {
    let mut mocks: Vec<Value> = Vec::new();
    for call in calls {
        let Some(mut mock) = mock_of(call) else {
            said.notes.push(format!("The answer to {} is not kept.", call.summary));
            continue;
        };
        let response = mock["response"].take();
        let known = mocks.iter_mut().find(|known| known["request"] == mock["request"]);
        if let Some(responses) = known.and_then(|known| known["responses"].as_array_mut()) {
            responses.push(response);
            continue;
        }
        let mut known = json!({"request": mock["request"], "responses": [response]});
        if let Some(name) = mock.get("name") {
            known["name"] = name.clone();
        }
        mocks.push(known);
    }
    mocks
}

fn failing(report: &Report) -> Vec<String> {
    let failed = report.results.iter().filter(|result| result.verdict != Verdict::Pass);
    failed
        .map(|result| {
            let first = result.differences.first().map(|difference| format!("{} differs", difference.path));
            let why = result.problem.as_ref().map(|problem| problem.message.clone()).or(first).unwrap_or_default();
            format!("{} ({}): {}: {why}", result.name, result.file.display(), result.verdict.as_str())
        })
        .collect()
}

/// A file's name from that of a sample.
fn file_stem(name: &str) -> Result<String, ShadowError> {
    let dashed: String =
        name.chars().map(|letter| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let stem: String = words.join("-").chars().take(80).collect();
    if stem.is_empty() { Err(ShadowError::SampleName(name.to_owned())) } else { Ok(stem) }
}

/// Whole or not at all: the folder is watched.
fn write(id: &str, path: &Path, sample: &Value) -> Result<(), FlowError> {
    let failed = |error: &dyn std::fmt::Display| ShadowError::Samples {
        plugin: id.to_owned(),
        problem: format!("{}: {error}", path.display()),
    };
    let mut text = serde_json::to_string_pretty(sample).map_err(|error| failed(&error))?;
    text.push('\n');
    let partial: PathBuf = path.with_extension("json.tmp");
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(|error| failed(&error))?;
    fs::write(&partial, text).map_err(|error| failed(&error))?;
    fs::rename(&partial, path).map_err(|error| failed(&error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_files() {
        let stem = |name: &str| file_stem(name).ok();
        assert_eq!(stem("Checkout without a cart").as_deref(), Some("checkout-without-a-cart"));
        assert_eq!(stem("../../etc/passwd").as_deref(), Some("etc-passwd"));
        assert_eq!(stem("Grüße 2").as_deref(), Some("grüße-2"));
        assert_eq!(stem("../.."), None);
    }

    #[test]
    fn equal_requests_are_one_mock_with_its_answers_in_order() {
        let call = |url: &str, answer: Option<&str>| HostCall {
            offset: Some(1),
            plugin_id: "p".into(),
            kind: "http_live".into(),
            request_digest: String::new(),
            summary: format!("GET {url}"),
            status: "200".into(),
            duration_us: 1,
            response_bytes: 1,
            answer: answer.map(str::to_owned),
        };
        let answered = |body: &str| {
            json!({"status": 200, "url": "https://a.example/", "headers": [["date", "x"], ["a", "b"]], "body": body})
                .to_string()
        };
        let mut said = Said::default();
        let mocks = mocks(
            &[
                call("https://a.example/rates?key=(secret)&of=eu", Some(&answered("{\"one\":1}"))),
                call("https://a.example/rates?key=(secret)&of=eu", Some(&answered("two"))),
                call("https://a.example/late", Some("{\"failure\":\"http_timeout\",\"message\":\"late\"}")),
                call("https://a.example/long", None),
            ],
            &mut said,
        );
        assert_eq!(mocks.len(), 2);
        assert_eq!(
            mocks[0]["request"],
            json!({"method": "GET", "url": "https://a.example/rates", "query": {"key": "*", "of": "eu"}})
        );
        assert_eq!(
            mocks[0]["responses"],
            json!([
                {"status": 200, "headers": {"a": "b"}, "json": {"one": 1}},
                {"status": 200, "headers": {"a": "b"}, "body": "two"},
            ])
        );
        assert_eq!(mocks[1]["responses"], json!([{"fail": "timeout"}]));
        assert_eq!(said.notes, ["The answer to GET https://a.example/long is not kept."]);
    }
}
