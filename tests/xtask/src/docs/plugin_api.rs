//! `docs/plugin-api.md`: what a plugin sees, as JavaScript and TypeScript have it and as components do.
//!
//! The first half is cut out of the types that `weir new` writes, at their blank lines, the second is what `wit-parser`
//! reads in the contract. Both files are what authors' tools read, too, so the page cannot say anything else. A
//! declaration without a doc comment is an error.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use wit_parser::{Docs, Function, Interface, Resolve, Type, TypeDef, TypeDefKind, World, WorldItem};

const TYPES: &str = "studio/weir/templates/script/types/weir.d.ts";
const CONTRACT: &str = "pipeline-core/plugins/wit/v0_1";
const PREFACE: &str = "\
# Plugin API

Written by `cargo xtask docs` from the types that `weir new` puts into a project and from the contract in
`pipeline-core/plugins/wit`. [plugins.md](plugins.md) says when each function is called and within which limits,
[plugin-component.md](plugin-component.md) how a component behaves, [plugin-http.md](plugin-http.md) what `fetch` may
reach.
";

pub fn page(root: &Path) -> anyhow::Result<String> {
    let types = fs::read_to_string(root.join(TYPES)).context(TYPES)?;
    let mut page = PREFACE.to_owned();
    page.push_str("\n## JavaScript and TypeScript\n");
    write_types(&mut page, &types).context(TYPES)?;
    write_contract(&mut page, &root.join(CONTRACT)).context(CONTRACT)?;
    Ok(page)
}

/// One `interface`, `type`, `class` or `const` of the types.
struct Declaration {
    name: String,
    docs: String,
    code: String,
    /// Where it is imported from; everywhere at hand without one.
    module: Option<String>,
}

fn write_types(page: &mut String, text: &str) -> anyhow::Result<()> {
    let mut heading = None;
    for declaration in declarations(text)? {
        let source = match &declaration.module {
            Some(module) => format!("Imported from `{module}`"),
            None => "Without an import".to_owned(),
        };
        if heading.as_ref() != Some(&source) {
            writeln!(page, "\n### {source}")?;
        }
        heading = Some(source);
        let Declaration { name, docs, code, .. } = declaration;
        writeln!(page, "\n#### `{name}`\n\n{docs}\n\n```ts\n{code}\n```")?;
    }
    Ok(())
}

/// Declarations stand between blank lines, and inside modules four columns in.
fn declarations(text: &str) -> anyhow::Result<Vec<Declaration>> {
    let mut found = Vec::new();
    let mut module: Option<String> = None;
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if let Some(rest) = line.strip_prefix("declare module '") {
            module = rest.split_once('\'').map(|(name, _)| name.to_owned());
            continue;
        }
        let closes = module.is_some() && line == "}";
        if line.is_empty() || closes {
            found.extend(declaration(&lines, module.as_deref())?);
            lines.clear();
        } else {
            lines.push(if module.is_some() { line.strip_prefix("    ").unwrap_or(line) } else { line });
        }
        if closes {
            module = None;
        }
    }
    ensure!(!found.is_empty(), "no declarations found");
    Ok(found)
}

/// None for comments, for what passes a module on, and for what a module keeps to itself.
fn declaration(lines: &[&str], module: Option<&str>) -> anyhow::Result<Option<Declaration>> {
    let is_comment = |line: &&&str| line.starts_with("/**") || line.starts_with(" *");
    let above = lines.iter().take_while(is_comment).count();
    let (docs, code) = lines.split_at(above);
    let Some(first) = code.first().filter(|line| line.starts_with("export ") || line.starts_with("declare ")) else {
        return Ok(None);
    };
    let mut words = first.split_whitespace().skip(1);
    let (kind, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if kind == "*" {
        return Ok(None);
    }
    ensure!(["interface", "type", "class", "const"].contains(&kind), "not understood: {first}");
    let name = name.split(['<', ':', '{', '=']).next().unwrap_or_default().to_owned();
    let docs: Vec<_> = docs
        .iter()
        .map(|line| line.trim().trim_start_matches("/**").trim_end_matches("*/").trim_start_matches('*').trim())
        .filter(|line| !line.is_empty())
        .collect();
    ensure!(!docs.is_empty(), "{name} has no doc comment");
    Ok(Some(Declaration { name, docs: docs.join("\n"), code: code.join("\n"), module: module.map(str::to_owned) }))
}

fn write_contract(page: &mut String, dir: &Path) -> anyhow::Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(dir)?;
    let package = &resolve.packages[package];
    writeln!(page, "\n## The contract: `{}`", package.name)?;
    let world = |name: &str| package.worlds.get(name).copied().with_context(|| format!("no world {name}"));
    let (plugin, engine) = (&resolve.worlds[world("plugin")?], &resolve.worlds[world("engine")?]);
    write_world(page, &resolve, plugin, None)?;
    write_world(page, &resolve, engine, Some(plugin))?;
    // An engine imports what a plugin does, and more.
    for item in engine.imports.values() {
        if let WorldItem::Interface { id, .. } = item {
            write_interface(page, &resolve, &resolve.interfaces[*id])?;
        }
    }
    Ok(())
}

/// What `base` has is not told again.
fn write_world(page: &mut String, resolve: &Resolve, world: &World, base: Option<&World>) -> anyhow::Result<()> {
    let World { name, docs, imports, exports, .. } = world;
    writeln!(page, "\n### World `{name}`\n\n{}\n", told(docs, name)?)?;
    if let Some(base) = base {
        writeln!(page, "It has what `{}` has, and more.\n", base.name)?;
    }
    let interfaces: Vec<_> = imports
        .iter()
        .filter(|(key, _)| base.is_none_or(|base| !base.imports.contains_key(*key)))
        .filter_map(|(_, item)| match item {
            WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.as_deref(),
            _ => None,
        })
        .map(|name| format!("[`{name}`](#interface-{name})"))
        .collect();
    writeln!(page, "Imports {}. Exports:\n", interfaces.join(", "))?;
    for (key, item) in exports {
        match item {
            WorldItem::Function(function) if base.is_none_or(|base| !base.exports.contains_key(key)) => {
                write_function(page, resolve, function)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_interface(page: &mut String, resolve: &Resolve, interface: &Interface) -> anyhow::Result<()> {
    let name = interface.name.as_deref().context("an interface of a package has a name")?;
    writeln!(page, "\n### Interface `{name}`\n\n{}", told(&interface.docs, name)?)?;
    if !interface.functions.is_empty() {
        page.push('\n');
    }
    for function in interface.functions.values() {
        write_function(page, resolve, function)?;
    }
    for (name, id) in &interface.types {
        write_type(page, resolve, name, &resolve.types[*id])?;
    }
    Ok(())
}

fn write_function(page: &mut String, resolve: &Resolve, function: &Function) -> anyhow::Result<()> {
    let Function { name, params, result, docs, .. } = function;
    let params = params
        .iter()
        .map(|param| Ok(format!("{}: {}", param.name, spelt(resolve, param.ty)?)))
        .collect::<anyhow::Result<Vec<_>>>()?
        .join(", ");
    let result = match result {
        Some(result) => format!(" -> {}", spelt(resolve, *result)?),
        None => String::new(),
    };
    write_member(page, &format!("{name}({params}){result}"), Some(told(docs, name)?))
}

fn write_type(page: &mut String, resolve: &Resolve, name: &str, definition: &TypeDef) -> anyhow::Result<()> {
    // Used from another interface, where it is described.
    if matches!(definition.kind, TypeDefKind::Type(Type::Id(_))) {
        return Ok(());
    }
    let kind = definition.kind.as_str();
    writeln!(page, "\n#### {kind} `{name}`\n\n{}\n", told(&definition.docs, name)?)?;
    match &definition.kind {
        TypeDefKind::Record(record) => {
            for field in &record.fields {
                let text = format!("{}: {}", field.name, spelt(resolve, field.ty)?);
                write_member(page, &text, optional(&field.docs))?;
            }
        }
        TypeDefKind::Variant(variant) => {
            for case in &variant.cases {
                let of = case.ty.map(|ty| spelt(resolve, ty)).transpose()?;
                let of = of.map(|of| format!("({of})")).unwrap_or_default();
                write_member(page, &format!("{}{of}", case.name), optional(&case.docs))?;
            }
        }
        TypeDefKind::Enum(cases) => {
            for case in &cases.cases {
                write_member(page, &case.name, optional(&case.docs))?;
            }
        }
        _ => anyhow::bail!("the page has no form for the {kind} {name}"),
    }
    Ok(())
}

fn write_member(page: &mut String, code: &str, docs: Option<String>) -> anyhow::Result<()> {
    match docs {
        Some(docs) => writeln!(page, "- `{code}`: {}", docs.replace('\n', " "))?,
        None => writeln!(page, "- `{code}`")?,
    }
    Ok(())
}

fn optional(docs: &Docs) -> Option<String> {
    docs.contents.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn told(docs: &Docs, what: impl Display) -> anyhow::Result<String> {
    optional(docs).with_context(|| format!("{what} has no doc comment"))
}

/// A type as it is written in the contract.
fn spelt(resolve: &Resolve, ty: Type) -> anyhow::Result<String> {
    let id = match ty {
        Type::Bool => return Ok("bool".into()),
        Type::U8 => return Ok("u8".into()),
        Type::U16 => return Ok("u16".into()),
        Type::U32 => return Ok("u32".into()),
        Type::U64 => return Ok("u64".into()),
        Type::S8 => return Ok("s8".into()),
        Type::S16 => return Ok("s16".into()),
        Type::S32 => return Ok("s32".into()),
        Type::S64 => return Ok("s64".into()),
        Type::F32 => return Ok("f32".into()),
        Type::F64 => return Ok("f64".into()),
        Type::Char => return Ok("char".into()),
        Type::String => return Ok("string".into()),
        Type::ErrorContext => return Ok("error-context".into()),
        Type::Id(id) => id,
    };
    let TypeDef { name, kind, .. } = &resolve.types[id];
    if let Some(name) = name {
        return Ok(name.clone());
    }
    let or_nothing = |ty: Option<Type>| ty.map_or_else(|| Ok("_".to_owned()), |ty| spelt(resolve, ty));
    match kind {
        TypeDefKind::List(of) => Ok(format!("list<{}>", spelt(resolve, *of)?)),
        TypeDefKind::Option(of) => Ok(format!("option<{}>", spelt(resolve, *of)?)),
        TypeDefKind::Result(result) => Ok(format!("result<{}, {}>", or_nothing(result.ok)?, or_nothing(result.err)?)),
        TypeDefKind::Tuple(tuple) => {
            let parts: anyhow::Result<Vec<_>> = tuple.types.iter().map(|ty| spelt(resolve, *ty)).collect();
            Ok(format!("tuple<{}>", parts?.join(", ")))
        }
        TypeDefKind::Type(of) => spelt(resolve, *of),
        other => anyhow::bail!("the page has no form for a {}", other.as_str()),
    }
}
