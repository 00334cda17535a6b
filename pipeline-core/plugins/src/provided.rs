//! Which bare imports a plugin may have: the list that the engine is built from, and what Node has but a
//! sandbox cannot have.

/// How a name may be written.
#[derive(PartialEq, Eq)]
enum Kind {
    Node,
    Package,
    Internal,
}

macro_rules! provided {
    (@kind node) => { Kind::Node };
    (@kind package) => { Kind::Package };
    (@kind internal) => { Kind::Internal };
    ($($kind:ident $name:literal => $file:literal;)*) => {
        const PROVIDED: &[(Kind, &str)] = &[$((provided!(@kind $kind), $name),)*];
    };
}

include!("../js-engine/src/provided_list.rs");

/// Name, why it is refused, what to do instead.
const REFUSED: [(&str, &str, &str); 24] = [
    ("fs", "plugins have no file system", FILES),
    ("fs/promises", "plugins have no file system", FILES),
    ("net", "plugins have no sockets", FETCH),
    ("tls", "plugins have no sockets", FETCH),
    ("dgram", "plugins have no sockets", FETCH),
    ("http", "requests go through the host, which can mock and limit them", FETCH),
    ("https", "requests go through the host, which can mock and limit them", FETCH),
    ("http2", "requests go through the host, which can mock and limit them", FETCH),
    ("dns", "plugins have no sockets", FETCH),
    ("dns/promises", "plugins have no sockets", FETCH),
    ("child_process", "plugins cannot start programs", "Do the work in the plugin, or ask a service with fetch."),
    ("worker_threads", "a plugin runs in one thread", "Do the work in the plugin function."),
    ("cluster", "a plugin runs in one thread", "Do the work in the plugin function."),
    ("vm", "a plugin cannot make another sandbox", "Use `new Function(code)`; it runs inside the plugin."),
    ("v8", "the engine is not V8", "Leave it out; the studio shows time and memory of each plugin."),
    ("inspector", "the engine is not V8", "Leave it out; the studio shows time and memory of each plugin."),
    ("repl", "plugins have no terminal", "Use console.log; its lines appear in the plugin's log."),
    ("readline", "plugins have no terminal", "Use console.log; its lines appear in the plugin's log."),
    ("tty", "plugins have no terminal", "Use console.log; its lines appear in the plugin's log."),
    ("module", "files are resolved before the plugin runs", "Import with a literal name."),
    ("async_hooks", "the engine does not track what a promise belongs to", "Pass the value as an argument."),
    ("diagnostics_channel", "nothing in a sandbox publishes to it", "Use console.log."),
    ("pg", "plugins have no sockets, and PostgreSQL speaks no HTTP", GATEWAY),
    ("wasi", "a plugin cannot make another sandbox", "Write the plugin in Rust; it runs as WebAssembly itself."),
];

const FILES: &str =
    "Put the data into a .json file and import it, use an attachment (meta.attachments), or meta.storage.";
const GATEWAY: &str = "Put an HTTP gateway (such as PostgREST) in front of the database, and use fetch.";
const FETCH: &str = "Use fetch.";

pub fn is_provided(specifier: &str) -> bool {
    let of_node = specifier.strip_prefix("node:");
    let name = of_node.unwrap_or(specifier);
    PROVIDED
        .iter()
        .any(|(kind, known)| *known == name && (*kind == Kind::Node || *kind == Kind::Package && of_node.is_none()))
}

/// For messages.
pub fn names() -> String {
    let names: Vec<&str> = PROVIDED.iter().filter(|(kind, _)| *kind != Kind::Internal).map(|(_, name)| *name).collect();
    names.join(", ")
}

/// Why a module of Node cannot be had, and what to do instead.
pub fn refusal(specifier: &str) -> Option<(&'static str, &'static str)> {
    let name = specifier.strip_prefix("node:").unwrap_or(specifier);
    REFUSED.iter().find(|(known, _, _)| *known == name).map(|(_, reason, instead)| (*reason, *instead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_as_they_are_written() {
        for name in [
            "crypto",
            "node:crypto",
            "timers/promises",
            "node:stream/promises",
            "node-fetch",
            "@posthog/plugin-contrib",
        ] {
            assert!(is_provided(name), "{name}");
        }
        for name in ["node:node-fetch", "internal/fetch", "node:internal/fetch", "uuid", "fs", "node:", ""] {
            assert!(!is_provided(name), "{name}");
        }
    }

    #[test]
    fn no_name_is_both_provided_and_refused() {
        for (name, reason, instead) in REFUSED {
            assert!(!is_provided(name), "{name}");
            assert!(!reason.is_empty() && instead.ends_with('.'), "{name}");
        }
        assert!(refusal("node:fs/promises").is_some() && refusal("lodash").is_none());
    }
}
