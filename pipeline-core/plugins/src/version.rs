//! From a snapshot of a folder to a version that can run.
//!
//! A version is immutable: the files reachable from the entry, ready for the engine, and the way back
//! from positions in them. Its name is a hash over everything that decides how it behaves, and over
//! nothing else: the same plugin has the same version on every machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use weir_api::plugin::Diagnostic;
use weir_event::journal::PluginAttachment;

use crate::bindings::weir::plugin::config::Attachment;
use crate::bindings::weir::plugin::source::{self, File, FileKind, Link};
use crate::bindings::weir::plugin::types::Description;
use crate::component::{EngineComponent, PluginComponent};
use crate::engine::ENGINE_HASH;
use crate::http::{HttpLimits, PluginHttp, Resolve};
use crate::limits::Limits;
use crate::manifest::{MANIFEST, Manifest};
use crate::positions::{FileMap, Positions, excerpt};
use crate::provided;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::sources::Snapshot;
use crate::state::Identity;
use crate::strip::{Import, strip, top_level_export};

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
}

pub fn build(given: &Given<'_>, snapshot: &Snapshot) -> Result<Version, Box<Diagnostic>> {
    let manifest = manifest(snapshot)?;
    let entry = find_entry(snapshot, &manifest)?;
    let graph = Graph::follow(snapshot, &entry)?;
    let mut paths = graph.files.iter().map(|file| file.path.as_str()).collect();
    let identity = identity(given, snapshot, &manifest, &[ENGINE_HASH], &mut paths)?;
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
    let limits = settings.other.limits.apply(given.limits);
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

#[derive(Default)]
struct Graph {
    files: Vec<File>,
    links: Vec<Link>,
    positions: Positions,
}

impl Graph {
    fn follow(snapshot: &Snapshot, entry: &str) -> Result<Self, Box<Diagnostic>> {
        let mut graph = Self::default();
        let mut seen = BTreeSet::from([entry.to_owned()]);
        let mut waiting = vec![entry.to_owned()];
        while let Some(path) = waiting.pop() {
            let text = snapshot.texts.get(&path).map_or("", String::as_str);
            if Path::new(&path).extension().is_some_and(|extension| extension == "json") {
                check_json(&path, text)?;
                graph.positions.insert(&path, FileMap::default(), text.to_owned());
                graph.files.push(File { path, kind: FileKind::Json, code: text.to_owned() });
                continue;
            }
            let mut stripped = strip(&path, text)?;
            if path == entry && stripped.kind == FileKind::Module {
                stripped.code.push_str(&top_level_export());
            }
            for import in &stripped.imports {
                if provided::is_provided(&import.specifier) {
                    continue;
                }
                let target = resolve(snapshot, &path, import, text)?;
                graph.links.push(Link {
                    importer: path.clone(),
                    specifier: import.specifier.clone(),
                    path: target.clone(),
                });
                if seen.insert(target.clone()) {
                    waiting.push(target);
                }
            }
            graph.positions.insert(&path, stripped.map, text.to_owned());
            graph.files.push(File { path, kind: stripped.kind, code: stripped.code });
        }
        Ok(graph)
    }
}

fn check_json(path: &str, text: &str) -> Result<(), Box<Diagnostic>> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(|error| {
        let line = error.line() as u32;
        Box::new(Diagnostic {
            message: error.to_string(),
            file: path.to_owned(),
            line,
            column: error.column() as u32,
            excerpt: excerpt(text, line),
            hint: None,
        })
    })
}

/// Relative imports may leave out the extension, name a folder with an index, or name `x.js` where the
/// source is `x.ts`.
fn resolve(snapshot: &Snapshot, importer: &str, import: &Import, text: &str) -> Result<String, Box<Diagnostic>> {
    let wanted = &import.specifier;
    let problem = |message: String, hint: Option<String>| {
        Box::new(Diagnostic {
            message,
            file: importer.to_owned(),
            line: import.line,
            column: import.column,
            excerpt: excerpt(text, import.line),
            hint,
        })
    };
    if !(wanted.starts_with("./") || wanted.starts_with("../") || wanted == "." || wanted == "..") {
        if let Some((reason, instead)) = provided::refusal(wanted) {
            return Err(problem(format!("Cannot import '{wanted}': {reason}."), Some(instead.to_owned())));
        }
        let message = format!("Cannot import '{wanted}'! This package is not provided by PostHog in plugins.");
        let hint = format!("Provided are: {}. Copy other code into the plugin's folder.", provided::names());
        return Err(problem(message, Some(hint)));
    }
    let mut parts: Vec<&str> = importer.split('/').collect();
    parts.pop();
    for part in wanted.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.is_empty() => {
                return Err(problem(format!("Cannot import '{wanted}': it lies outside the plugin's folder"), None));
            }
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let base = parts.join("/");
    let folder = if base.is_empty() { String::new() } else { format!("{base}/") };
    let mut candidates = vec![base.clone()];
    candidates.extend(["ts", "mts", "js", "mjs", "cjs", "json"].map(|extension| format!("{base}.{extension}")));
    if let Some(stem) = base.strip_suffix(".js") {
        candidates.push(format!("{stem}.ts"));
    }
    candidates.extend(["index.ts", "index.js"].map(|index| format!("{folder}{index}")));
    candidates
        .into_iter()
        .find(|path| snapshot.texts.contains_key(path))
        .ok_or_else(|| problem(format!("Cannot find '{wanted}'"), None))
}

fn hash(
    snapshot: &Snapshot,
    made_of: &[&str],
    paths: &mut Vec<&str>,
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
    add(&serde_json::to_string(&settings.other).unwrap_or_default());
    hasher.finalize().to_hex()[..12].to_owned()
}
