//! Reads the source and gives each network the record that a City database has for it.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::mmdb::{Metadata, Network, Writer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    about: String,
    build_epoch_s: u64,
    continents: BTreeMap<String, Continent>,
    countries: BTreeMap<String, Country>,
    places: Vec<Place>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Continent {
    geoname_id: u32,
    names: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Country {
    continent: String,
    geoname_id: u32,
    is_in_european_union: bool,
    names: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    networks: Vec<String>,
    country: String,
    /// Where the network is registered, if that is another country.
    registered_country: Option<String>,
    city: Option<Value>,
    location: Option<Value>,
    postal: Option<Value>,
    subdivisions: Option<Value>,
}

pub fn database(text: &str) -> anyhow::Result<Vec<u8>> {
    let source: Source = serde_json::from_str(text)?;
    let mut writer = Writer::new();
    for place in &source.places {
        let record = source.record(place)?;
        for network in &place.networks {
            let network: Network = network.parse()?;
            writer.insert(network, &record).with_context(|| format!("network {network}"))?;
        }
    }
    writer.finish(&Metadata {
        database_type: "Weir-Places-City",
        description: &source.about,
        languages: &["de", "en", "fr", "pt-BR"],
        build_epoch_s: source.build_epoch_s,
    })
}

impl Source {
    fn record(&self, place: &Place) -> anyhow::Result<Value> {
        let country = self.country(&place.country)?;
        let Some(continent) = self.continents.get(&country.continent) else {
            bail!("{} is in the continent {}, which is not listed", place.country, country.continent);
        };
        let mut record = Map::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|value| record.insert(name.to_owned(), value));
        put("city", place.city.clone());
        put(
            "continent",
            Some(json!({ "code": country.continent, "geoname_id": continent.geoname_id, "names": continent.names })),
        );
        put("country", Some(country.record(&place.country)));
        put("location", place.location.clone());
        put("postal", place.postal.clone());
        let registered = place.registered_country.as_ref().unwrap_or(&place.country);
        put("registered_country", Some(self.country(registered)?.record(registered)));
        put("subdivisions", place.subdivisions.clone());
        Ok(Value::Object(record))
    }

    fn country(&self, code: &str) -> anyhow::Result<&Country> {
        self.countries.get(code).with_context(|| format!("the country {code} is not listed"))
    }
}

impl Country {
    fn record(&self, code: &str) -> Value {
        let mut record = json!({ "geoname_id": self.geoname_id });
        // Real databases leave it out where it is false.
        if self.is_in_european_union {
            record["is_in_european_union"] = Value::Bool(true);
        }
        record["iso_code"] = json!(code);
        record["names"] = Value::Object(self.names.clone());
        record
    }
}
