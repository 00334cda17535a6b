//! Plugins that the model has written for itself.
//!
//! What a plugin does is usually taken as the pipeline says, because code that nobody modelled cannot be predicted. The
//! plugins here can: each twin reads the sample's README again and does the same in Rust. A twin stands in for exactly
//! the files that it was written after, so that an edited plugin is never held to what it was.

mod checkout_enricher;
mod sampler;
mod schema_enforcer;
mod url_normalizer;

use serde_json::{Map, Value};

use crate::oracle::Twin;

/// Config values, defaults included.
type Config = Map<String, Value>;

struct Known {
    /// Path and text of every file with code.
    sources: &'static [(&'static str, &'static str)],
    make: fn(&Config) -> Option<Box<dyn Twin>>,
}

macro_rules! sample {
    ($name:literal, $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../sample-plugins/", $name, "/", $file)))),+]
    };
}

const KNOWN: [Known; 4] = [
    Known { sources: sample!("url-normalizer", "index.ts", "query.ts"), make: url_normalizer::make },
    Known { sources: sample!("sampler", "index.js"), make: sampler::make },
    Known { sources: sample!("schema-enforcer", "index.ts", "rules.ts", "violations.ts"), make: schema_enforcer::make },
    Known { sources: sample!("checkout-enricher", "index.js"), make: checkout_enricher::make },
];

/// The twin of a plugin with this code and configuration, if there is one. `text_of` gives the files of its folder.
pub fn twin(text_of: impl Fn(&str) -> Option<String>, config: &Map<String, Value>) -> Option<Box<dyn Twin>> {
    let is_same = |known: &&Known| known.sources.iter().all(|(path, text)| text_of(path).as_deref() == Some(*text));
    KNOWN.iter().find(is_same).and_then(|known| (known.make)(config))
}

fn text<'a>(config: &'a Config, key: &str) -> &'a str {
    config.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Names separated by commas.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_twin_stands_for_the_very_files_only() {
        let [normalizer, sampler] = [&KNOWN[0], &KNOWN[1]];
        let of = |known: &Known, path: &str| {
            known.sources.iter().find(|(file, _)| *file == path).map(|(_, text)| (*text).to_owned())
        };
        let config = json!({"percentage": "10"}).as_object().cloned().expect("an object");
        assert!(twin(|path| of(normalizer, path), &Map::new()).is_some());
        assert!(twin(|path| of(sampler, path), &config).is_some());
        assert!(twin(|path| of(sampler, path).map(|text| text + " "), &config).is_none());
        assert!(twin(|path| of(sampler, path), &Map::new()).is_none(), "the plugin would not go live either");
        assert!(twin(|_| None, &Map::new()).is_none());
    }
}
