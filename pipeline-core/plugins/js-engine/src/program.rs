//! The plugin's files inside the engine: how an import finds its file and a file becomes a module.
//!
//! The host has read and checked every file and resolved every literal import; nothing here looks
//! further than what it sent.

use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Result, Symbol};

use crate::provided;
use crate::weir::plugin::source::{File, FileKind, Program};

/// Before the file of a provided module; no path of a plugin's file has a colon in front of a slash.
pub const PROVIDED_SCHEME: &str = "weir:provided/";

pub struct Files {
    pub entry: String,
    files: HashMap<String, File>,
    links: HashMap<(String, String), String>,
}

impl Files {
    pub fn new(program: Program) -> Self {
        Self {
            entry: program.entry,
            files: program.files.into_iter().map(|file| (file.path.clone(), file)).collect(),
            links: program.links.into_iter().map(|link| ((link.importer, link.specifier), link.path)).collect(),
        }
    }

    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    pub fn resolve(&self, importer: &str, specifier: &str) -> Option<String> {
        if let Some(file) = provided::file_of(specifier) {
            return Some(format!("{PROVIDED_SCHEME}{file}"));
        }
        self.links.get(&(importer.to_owned(), specifier.to_owned())).cloned()
    }
}

pub struct FileLoader(pub Rc<Files>);

impl Resolver for FileLoader {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        importer: &str,
        specifier: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        self.0.resolve(importer, specifier).ok_or_else(|| {
            let message = format!("Cannot import '{specifier}'! This package is not provided by PostHog in plugins.");
            Error::new_resolving_message(importer, specifier, message)
        })
    }
}

impl Loader for FileLoader {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        path: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if path.starts_with(PROVIDED_SCHEME) {
            return Module::declare(ctx.clone(), path, exported_as_module(ctx, path)?);
        }
        let file = self.0.get(path).ok_or_else(|| Error::new_loading(path))?;
        let code = match file.kind {
            FileKind::Module => file.code.clone(),
            FileKind::Json => format!("export default {};", file.code),
            FileKind::Script => exported_as_module(ctx, path)?,
        };
        Module::declare(ctx.clone(), path, code)
    }
}

/// Runs a CommonJS file or a provided module and writes the module that hands on what it exported.
fn exported_as_module(ctx: &Ctx<'_>, path: &str) -> Result<String> {
    let symbol: Symbol = ctx.eval("Symbol.for('weir.require')")?;
    let require: Function = ctx.globals().get(symbol)?;
    let exports: rquickjs::Value = require.call((path,))?;
    let names: Vec<String> = match exports.as_object() {
        Some(object) => object.keys::<String>().collect::<Result<_>>()?,
        None => Vec::new(),
    };
    // A Rust string prints as a JavaScript string for every path the host accepts.
    let mut code =
        format!("const exported = globalThis[Symbol.for('weir.require')]({path:?}); export default exported;");
    // An export may be called what no variable may (`delete`), hence the detour.
    for (index, name) in names.iter().filter(|name| *name != "default" && is_identifier(name)).enumerate() {
        let _ = write!(code, " const e{index} = exported.{name}; export {{ e{index} as {name} }};");
    }
    Ok(code)
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}
