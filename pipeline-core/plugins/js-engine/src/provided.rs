//! The modules the engine brings, as text; `js/modules.js` runs one when it is first asked for.

/// How a name may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Package,
    Internal,
}

struct Entry {
    kind: Kind,
    name: &'static str,
    file: &'static str,
    code: &'static str,
}

macro_rules! provided {
    (@kind node) => { Kind::Node };
    (@kind package) => { Kind::Package };
    (@kind internal) => { Kind::Internal };
    ($($kind:ident $name:literal => $file:literal;)*) => {
        const PROVIDED: &[Entry] = &[$(Entry {
            kind: provided!(@kind $kind),
            name: $name,
            file: $file,
            code: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/js/provided/", $file)),
        },)*];
    };
}

include!("provided_list.rs");

/// The file that a plugin's import stands for.
pub fn file_of(specifier: &str) -> Option<&'static str> {
    let of_node = specifier.strip_prefix("node:");
    let name = of_node.unwrap_or(specifier);
    let entry = PROVIDED.iter().find(|entry| entry.name == name && entry.kind != Kind::Internal)?;
    (of_node.is_none() || entry.kind == Kind::Node).then_some(entry.file)
}

/// The file behind any name, for the engine's own code.
pub fn any_file_of(name: &str) -> Option<&'static str> {
    PROVIDED.iter().find(|entry| entry.name == name).map(|entry| entry.file)
}

pub fn code_of(file: &str) -> Option<&'static str> {
    PROVIDED.iter().find(|entry| entry.file == file).map(|entry| entry.code)
}
