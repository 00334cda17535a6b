//! Which language a plugin is written in, and how it becomes a version in each.
//!
//! Scripts are ready at once, and so is Python once its engine has been made. A Rust crate is built by
//! cargo, and any component has to be compiled to machine code: that takes seconds, so it is a [`Job`] on a
//! thread of its own, while the version before goes on serving. What builds leave behind lies in Weir's
//! cache, never in the plugin's folder.

mod job;
mod python;
mod rust;
mod rustc;

pub use job::{Cancel, Job};
pub use python::PythonEngine;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use weir_api::plugin::Diagnostic;

use crate::blueprint::Blueprint;
use crate::component::{self, PluginComponent};
use crate::engine::WIT_HASH;
use crate::host::Shared;
use crate::manifest::MANIFEST;
use crate::positions::{FileMap, Positions};
use crate::settings::Settings;
use crate::sources::Snapshot;
use crate::version::{self, Given, Program, Version};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Language {
    /// JavaScript or TypeScript.
    Script,
    Rust,
    /// With the file that holds the functions.
    Python(String),
    /// Some language, already built; with the file.
    Component(String),
}

/// What a version is made from.
#[derive(Clone)]
pub struct Order {
    pub plugin_id: String,
    pub dir: PathBuf,
    pub snapshot: Arc<Snapshot>,
    pub settings: Settings,
    pub language: Language,
}

/// A version that can run, and how to make it again.
pub struct Built {
    pub version: Version,
    pub blueprint: Blueprint,
}

/// What it takes time to make, whatever the settings are.
#[derive(Clone)]
pub enum Artifact {
    /// A script needs nothing but its source.
    Source,
    Python {
        entry: String,
    },
    Component {
        entry: String,
        hash: String,
        bytes: Arc<[u8]>,
        /// For the engine that counts instructions, or for the one that does not.
        is_metered: bool,
        component: PluginComponent,
    },
}

impl Language {
    /// `main` decides; without it the first of the usual names does.
    pub fn of(snapshot: &Snapshot) -> Result<Self, Box<Diagnostic>> {
        let manifest = version::manifest(snapshot)?;
        let has = |path: &str| snapshot.texts.contains_key(path);
        let main = manifest.main.as_deref().map(|main| main.trim_start_matches("./")).unwrap_or_default();
        let extension = main.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "wasm" if snapshot.component.is_none() => Err(absent(main, "Build the component, or correct `main`.")),
            "wasm" => Ok(Self::Component(main.to_owned())),
            "py" if !has(main) => Err(absent(main, "Create it with `def process_event(event, meta): return event`.")),
            "py" => Ok(Self::Python(main.to_owned())),
            "rs" => Ok(Self::Rust),
            _ if has(main) || has("index.js") || has("index.ts") => Ok(Self::Script),
            _ if has(CARGO) => Ok(Self::Rust),
            _ => Ok(["plugin.py", "main.py"]
                .iter()
                .find(|name| has(name))
                .map_or(Self::Script, |name| Self::Python((*name).to_owned()))),
        }
    }
}

const CARGO: &str = "Cargo.toml";

fn absent(main: &str, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic {
        message: format!("Could not load source code. \"main\" is {main}, which is not there"),
        file: MANIFEST.to_owned(),
        hint: Some(hint.to_owned()),
        ..Diagnostic::default()
    })
}

impl Order {
    /// What has to be made, if that takes no time.
    pub fn at_once(&self, shared: &Shared) -> Option<Artifact> {
        match &self.language {
            Language::Script => Some(Artifact::Source),
            Language::Python(entry) => {
                shared.python.ready(self.is_metered(shared))?;
                Some(Artifact::Python { entry: entry.clone() })
            }
            Language::Rust | Language::Component(_) => None,
        }
    }

    /// Builds it, which may take its time.
    pub fn carry_out(self, shared: &Shared, cancel: &Cancel) -> Result<Built, Box<Diagnostic>> {
        let artifact = self.make(shared, cancel)?;
        self.complete(shared, artifact)
    }

    /// The version, with the blueprint that makes it again.
    pub fn complete(self, shared: &Shared, artifact: Artifact) -> Result<Built, Box<Diagnostic>> {
        let version = self.assemble(shared, &artifact)?;
        Ok(Built { version, blueprint: Blueprint::new(self, artifact)? })
    }

    /// The slow part.
    pub fn make(&self, shared: &Shared, cancel: &Cancel) -> Result<Artifact, Box<Diagnostic>> {
        match &self.language {
            Language::Script => Ok(Artifact::Source),
            Language::Python(entry) => {
                shared.python.make(&shared.engine, self.is_metered(shared), cancel)?;
                Ok(Artifact::Python { entry: entry.clone() })
            }
            Language::Rust => {
                let built = rust::build(&self.dir, &self.snapshot, cancel)?;
                self.compile_built(shared, built)
            }
            Language::Component(path) => {
                let bytes = self.snapshot.component.as_ref().map_or(&[][..], |(_, bytes)| bytes);
                self.compile(shared, path, bytes.into())
            }
        }
    }

    /// What an earlier build has made.
    pub fn compile_built(&self, shared: &Shared, bytes: Vec<u8>) -> Result<Artifact, Box<Diagnostic>> {
        self.compile(shared, "src/lib.rs", bytes.into())
    }

    /// Whether its instructions are to be counted.
    fn is_metered(&self, shared: &Shared) -> bool {
        shared.around.limits.with(&self.settings.other.limits).is_metered()
    }

    fn compile(&self, shared: &Shared, entry: &str, bytes: Arc<[u8]>) -> Result<Artifact, Box<Diagnostic>> {
        let is_metered = self.is_metered(shared);
        let component = machine_code(shared, entry, &bytes, is_metered)?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        Ok(Artifact::Component { entry: entry.to_owned(), hash, bytes, is_metered, component })
    }

    /// The version with these settings.
    pub fn assemble(&self, shared: &Shared, artifact: &Artifact) -> Result<Version, Box<Diagnostic>> {
        match artifact {
            Artifact::Source => version::build(&self.given(shared), &self.snapshot),
            Artifact::Python { entry } => {
                let engine = shared.python.make(&shared.engine, self.is_metered(shared), &Cancel::default())?;
                python::version(self, shared, entry, engine)
            }
            Artifact::Component { entry, hash, bytes, is_metered, component } => {
                let made_of = [WIT_HASH, hash.as_str()];
                let component = match self.is_metered(shared) {
                    wanted if wanted == *is_metered => component.clone(),
                    wanted => machine_code(shared, entry, bytes, wanted)?,
                };
                self.version(shared, entry, &made_of, &mut Vec::new(), Program::Component(component))
            }
        }
    }

    fn given<'a>(&'a self, shared: &'a Shared) -> Given<'a> {
        Given {
            plugin_id: &self.plugin_id,
            dir: &self.dir,
            settings: &self.settings,
            limits: &shared.around.limits,
            resolver: Arc::clone(&shared.resolver),
            packages: &shared.packages,
        }
    }

    fn version<'s>(
        &'s self,
        shared: &Shared,
        entry: &str,
        made_of: &[&str],
        paths: &mut Vec<&'s str>,
        program: Program,
    ) -> Result<Version, Box<Diagnostic>> {
        let manifest = version::manifest(&self.snapshot)?;
        let identity = version::identity(&self.given(shared), &self.snapshot, &manifest, made_of, paths)?;
        let mut positions = Positions::default();
        for (path, text) in &self.snapshot.texts {
            positions.insert(path, FileMap::default(), text.clone());
        }
        Ok(Version {
            language: match self.language {
                Language::Script => "javascript",
                Language::Rust => "rust",
                Language::Python(_) => "python",
                Language::Component(_) => "component",
            },
            manifest,
            identity: Arc::new(identity),
            entry: entry.to_owned(),
            program,
            positions,
            description: OnceLock::new(),
        })
    }
}

fn machine_code(
    shared: &Shared,
    entry: &str,
    bytes: &[u8],
    is_metered: bool,
) -> Result<PluginComponent, Box<Diagnostic>> {
    let engine = &shared.engine;
    component::plugin(component::tier(engine, is_metered)?, entry, bytes, &engine.cache_dir)
}

/// Weir's folder in the user's cache, which what is slow to build is shared through.
pub fn cache_dir() -> Result<PathBuf, Box<Diagnostic>> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.map(|base| base.join("weir")).ok_or_else(|| {
        Box::new(Diagnostic {
            message: "Nowhere to build: neither XDG_CACHE_HOME nor HOME is set".to_owned(),
            hint: Some("Set HOME to a folder that this user can write to.".to_owned()),
            ..Diagnostic::default()
        })
    })
}
