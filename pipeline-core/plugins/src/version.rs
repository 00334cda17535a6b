//! From a snapshot of a folder to a version that can run.
//!
//! A version is immutable: the files reachable from the entry (`graph`), ready for the engine, and the way
//! back from positions in them. Its name is a hash over everything that decides how it behaves, and over
//! nothing else: the same plugin has the same version on every machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use weir_api::plugin::Diagnostic;
use weir_event::journal::PluginAttachment;

use crate::bindings::weir::plugin::config::Attachment;
use crate::bindings::weir::plugin::source;
use crate::bindings::weir::plugin::types::Description;
use crate::component::{EngineComponent, PluginComponent};
use crate::engine::ENGINE_HASH;
use crate::graph::Graph;
use crate::http::{HttpLimits, HttpMode, PluginHttp, Resolve};
use crate::limits::Limits;
use crate::manifest::{MANIFEST, Manifest};
use crate::packages::Packages;
use crate::positions::{Positions, excerpt};
use crate::secrets::Secrets;
use crate::settings::{OtherSettings, ReloadMode, Settings};
use crate::sources::Snapshot;
use crate::state::Identity;

/// What an instance runs.
pub enum Program {
    /// Source for the JavaScript engine.
    Script(source::Program),
    /// Source for the Python engine.
    Python(Arc<EngineComponent>, source::Program),
    /// A component of its own.
    Component(PluginComponent),
}

pub struct Version {
    /// `javascript`, `typescript`, `rust`, `python` or `component`.
    pub language: &'static str,
    pub manifest: Manifest,
    pub identity: Arc<Identity>,
    /// The file that messages without a place name.
    pub entry: String,
    pub program: Program,
    pub positions: Positions,
    /// Known once an instance has been loaded.
    pub description: OnceLock<Description>,
}

impl Version {
    pub fn entry(&self) -> String {
        self.entry.clone()
    }

    /// Memory an instance may use beyond what plugin code may: the engine, its stack, and the batch on its
    /// way in and out.
    pub fn engine_bytes(&self) -> usize {
        match self.program {
            Program::Script(_) => 16 << 20,
            Program::Python(..) => 64 << 20,
            Program::Component(_) => 4 << 20,
        }
    }

    pub fn processes_events(&self) -> bool {
        self.has_method("processEvent")
    }

    pub fn schedules(&self) -> &[String] {
        self.description.get().map_or(&[], |known| &known.schedules)
    }

    /// Names of everything it exports.
    pub fn functions(&self) -> Vec<String> {
        let Some(known) = self.description.get() else { return Vec::new() };
        let jobs = known.jobs.iter().map(|job| format!("jobs.{job}"));
        known.methods.iter().chain(&known.schedules).cloned().chain(jobs).collect()
    }

    pub fn jobs(&self) -> &[String] {
        self.description.get().map_or(&[], |known| &known.jobs)
    }

    pub fn has_method(&self, name: &str) -> bool {
        self.description.get().is_some_and(|known| known.methods.iter().any(|method| method == name))
    }
}

/// What a version is made from besides its files.
pub struct Given<'a> {
    pub plugin_id: &'a str,
    pub dir: &'a Path,
    pub settings: &'a Settings,
    /// Of plugins for which nothing is set.
    pub limits: &'a Limits,
    pub resolver: Arc<dyn Resolve>,
    pub packages: &'a Packages,
}

pub fn build(given: &Given<'_>, snapshot: &Snapshot) -> Result<Version, Box<Diagnostic>> {
    let manifest = manifest(snapshot)?;
    let entry = find_entry(snapshot, &manifest)?;
    let graph = Graph::follow(given, snapshot, &entry)?;
    let packages = graph.packages_hash();
    let own = graph.files.iter().map(|file| file.path.as_str()).filter(|path| snapshot.texts.contains_key(*path));
    let identity = identity(given, snapshot, &manifest, &[ENGINE_HASH, &packages], &mut own.collect())?;
    let memory_limit = identity.limits.memory_bytes as u32;
    let program = source::Program { entry: entry.clone(), files: graph.files, links: graph.links, memory_limit };
    Ok(Version {
        language: if entry.ends_with("ts") { "typescript" } else { "javascript" },
        identity: Arc::new(identity),
        entry,
        program: Program::Script(program),
        positions: graph.positions,
        manifest,
        description: OnceLock::new(),
    })
}

pub fn manifest(snapshot: &Snapshot) -> Result<Manifest, Box<Diagnostic>> {
    match snapshot.texts.get(MANIFEST) {
        Some(text) => Manifest::parse(text),
        None => Ok(Manifest::default()),
    }
}

/// Whose version it is, and which: `made_of` are hashes of what is not in the folder or not text, `paths`
/// the files that count besides the manifest.
pub fn identity<'s>(
    given: &Given<'_>,
    snapshot: &'s Snapshot,
    manifest: &Manifest,
    made_of: &[&str],
    paths: &mut Vec<&'s str>,
) -> Result<Identity, Box<Diagnostic>> {
    let settings = given.settings;
    let mut values = manifest.default_values();
    for (key, value) in &settings.values {
        match value {
            Some(value) => values.insert(key.clone(), Value::String(value.clone())),
            None => values.remove(key),
        };
    }
    let limits = given.limits.with(&settings.other.limits);
    let secrets = Secrets::of_config(&values, manifest.secret_keys());
    let http_limits = HttpLimits { total: limits.wait, ..HttpLimits::default() };
    let http = PluginHttp::new(
        given.plugin_id,
        given.dir,
        &settings.other.http,
        http_limits,
        secrets,
        Arc::clone(&given.resolver),
    )
    .map_err(|error| {
        let (file, line, column) = error.place();
        Box::new(Diagnostic {
            message: error.to_string(),
            excerpt: snapshot.texts.get(&file).map_or_else(String::new, |text| excerpt(text, line)),
            file,
            line,
            column,
            hint: Some(error.hint().to_owned()),
        })
    })?;
    let attachment = |attachment: &PluginAttachment| Attachment {
        key: attachment.key.clone(),
        content_type: attachment.content_type.clone(),
        file_name: attachment.file_name.clone(),
        contents: attachment.contents.clone(),
    };
    let name = manifest.name.clone().filter(|name| !name.is_empty());
    Ok(Identity {
        plugin_id: given.plugin_id.to_owned(),
        version: hash(snapshot, made_of, paths, &values, settings),
        name: name.unwrap_or_else(|| given.plugin_id.to_owned()),
        missing: manifest.missing(&values, |key| settings.attachments.iter().any(|attachment| attachment.key == key)),
        config_json: Value::Object(values).to_string(),
        attachments: settings.attachments.iter().map(attachment).collect(),
        preset: settings.other.limits.preset.clone(),
        limits,
        on_error: settings.other.on_error,
        log_level: settings.other.log_level,
        http: Arc::new(http),
    })
}

fn find_entry(snapshot: &Snapshot, manifest: &Manifest) -> Result<String, Box<Diagnostic>> {
    let main = manifest.main.as_deref().map(|main| main.trim_start_matches("./"));
    let tried: Vec<&str> = main.into_iter().chain(["index.js", "index.ts"]).collect();
    if let Some(found) = tried.iter().find(|path| snapshot.texts.contains_key(**path)) {
        return Ok((*found).to_owned());
    }
    Err(Box::new(Diagnostic {
        message: format!("Could not load source code. Tried: {}", tried.join(", ")),
        file: MANIFEST.to_owned(),
        hint: Some("Create index.ts with `export function processEvent(event) { return event }`.".to_owned()),
        ..Diagnostic::default()
    }))
}

fn hash<'s>(
    snapshot: &'s Snapshot,
    made_of: &[&str],
    paths: &mut Vec<&'s str>,
    values: &Map<String, Value>,
    settings: &Settings,
) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    };
    for part in made_of {
        add(part);
    }
    paths.push(MANIFEST);
    // What requests are answered with decides as much as code does; while answers are being recorded, the
    // mocks that appear decide nothing.
    if settings.other.http.mode != HttpMode::Record {
        paths.extend(snapshot.texts.keys().map(String::as_str).filter(|path| path.starts_with("mocks/")));
    }
    paths.sort_unstable();
    for path in paths {
        add(path);
        add(snapshot.texts.get(*path).map_or("", String::as_str));
    }
    let sorted: BTreeMap<_, _> = values.iter().collect();
    for (key, value) in sorted {
        add(key);
        add(&value.to_string());
    }
    for attachment in &settings.attachments {
        add(&attachment.key);
        add(&attachment.file_name);
        add(&blake3::hash(&attachment.contents).to_hex());
    }
    // How a version goes live does not make it another.
    let other = OtherSettings { reload: ReloadMode::Auto, ..settings.other.clone() };
    add(&serde_json::to_string(&other).unwrap_or_default());
    hasher.finalize().to_hex()[..12].to_owned()
}
