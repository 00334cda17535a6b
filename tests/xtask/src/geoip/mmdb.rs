//! Writes the MaxMind DB format, version 2.0, as far as a small database needs it: a search tree over the
//! bits of an address with 24-bit records, the data that its leaves point at, and the metadata. IPv4
//! networks live under `::/96`. Equal values are stored once and pointed at.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

const SEPARATOR_BYTES: usize = 16;
const METADATA_MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    prefix_bits: u8,
    as_written: (IpAddr, u8),
}

impl FromStr for Network {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (address, prefix) = text.split_once('/').with_context(|| format!("{text} has no /prefix"))?;
        let ip: IpAddr = address.parse().with_context(|| format!("{address} is no address"))?;
        let prefix: u8 = prefix.parse().with_context(|| format!("{prefix} is no prefix length"))?;
        let (address, prefix_bits, most) = match ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), 96 + u16::from(prefix), 32),
            IpAddr::V6(ip) => (ip.to_bits(), u16::from(prefix), 128),
        };
        ensure!(prefix > 0 && prefix <= most, "{text}: the prefix must be 1 to {most}");
        let prefix_bits = prefix_bits as u8;
        let host_bits = u128::MAX.checked_shr(u32::from(prefix_bits)).unwrap_or(0);
        ensure!(address & host_bits == 0, "{text} has bits set after the prefix");
        Ok(Self { address, prefix_bits, as_written: (ip, prefix) })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.as_written.0, self.as_written.1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

pub struct Metadata<'a> {
    pub database_type: &'a str,
    pub description: &'a str,
    pub languages: &'a [&'a str],
    pub build_epoch_s: u64,
}

pub struct Writer {
    nodes: Vec<[Record; 2]>,
    data: Section,
}

impl Writer {
    pub fn new() -> Self {
        Self { nodes: vec![[Record::Nothing; 2]], data: Section::default() }
    }

    /// Networks may not overlap: which of two would answer must not depend on their order.
    pub fn insert(&mut self, network: Network, record: &Value) -> anyhow::Result<()> {
        let data = Record::Data(self.data.root(record)?);
        let mut node = 0;
        for depth in 0..network.prefix_bits {
            let bit = (network.address >> (127 - depth) & 1) as usize;
            let last = depth + 1 == network.prefix_bits;
            match self.nodes[node][bit] {
                Record::Nothing if last => self.nodes[node][bit] = data,
                Record::Nothing => {
                    self.nodes.push([Record::Nothing; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][bit] = Record::Node(next);
                    node = next;
                }
                Record::Node(next) if !last => node = next,
                Record::Node(_) | Record::Data(_) => bail!("it overlaps a network given earlier"),
            }
        }
        Ok(())
    }

    pub fn finish(self, metadata: &Metadata<'_>) -> anyhow::Result<Vec<u8>> {
        let count = self.nodes.len();
        let mut out = Vec::new();
        for record in self.nodes.iter().flatten() {
            let value = match *record {
                Record::Nothing => count,
                Record::Node(node) => node,
                Record::Data(offset) => count + SEPARATOR_BYTES + offset,
            };
            ensure!(value < 1 << 24, "the database is too large for 24-bit records");
            out.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
        }
        out.extend_from_slice(&[0; SEPARATOR_BYTES]);
        out.extend_from_slice(&self.data.bytes);
        out.extend_from_slice(METADATA_MARK);
        // The reader wants these widths; everything else is as in the data.
        let mut section = Section::default();
        section.control(7, 9);
        let plain = BTreeMap::from([
            ("database_type", json!(metadata.database_type)),
            ("description", json!({ "en": metadata.description })),
            ("languages", json!(metadata.languages)),
        ]);
        for (name, value) in &plain {
            section.string(name);
            section.value(value)?;
        }
        section.uint("binary_format_major_version", 5, 2);
        section.uint("binary_format_minor_version", 5, 0);
        section.uint("ip_version", 5, 6);
        section.uint("record_size", 5, 24);
        section.uint("node_count", 6, count as u64);
        section.uint("build_epoch", 9, metadata.build_epoch_s);
        out.extend_from_slice(&section.bytes);
        Ok(out)
    }
}

/// Values one after the other; a pointer is an offset from the beginning of the section.
#[derive(Default)]
struct Section {
    bytes: Vec<u8>,
    /// Where a value is, by its JSON.
    known: HashMap<String, usize>,
}

impl Section {
    /// Where the value is that a leaf of the tree points at.
    fn root(&mut self, value: &Value) -> anyhow::Result<usize> {
        if let Some(&offset) = self.known.get(&value.to_string()) {
            return Ok(offset);
        }
        let offset = self.bytes.len();
        self.value(value)?;
        Ok(offset)
    }

    fn value(&mut self, value: &Value) -> anyhow::Result<()> {
        match value {
            Value::Null => bail!("the format has no null"),
            Value::Bool(value) => self.control(14, usize::from(*value)),
            Value::Number(number) => {
                if let Some(whole) = number.as_u64() {
                    self.number(6, u64::from(u32::try_from(whole).with_context(|| format!("{whole} is too large"))?));
                } else {
                    let fraction = number.as_f64().with_context(|| format!("{number} is no number here"))?;
                    self.control(3, 8);
                    self.bytes.extend_from_slice(&fraction.to_be_bytes());
                }
            }
            Value::String(_) | Value::Array(_) | Value::Object(_) => {
                let key = value.to_string();
                if let Some(&offset) = self.known.get(&key) {
                    return self.pointer(offset);
                }
                self.known.insert(key, self.bytes.len());
                self.whole(value)?;
            }
        }
        Ok(())
    }

    fn whole(&mut self, value: &Value) -> anyhow::Result<()> {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.control(11, items.len());
                for item in items {
                    self.value(item)?;
                }
            }
            Value::Object(fields) => {
                self.control(7, fields.len());
                for (name, field) in fields {
                    self.value(&Value::String(name.clone()))?;
                    self.value(field)?;
                }
            }
            _ => bail!("{value} is not stored by reference"),
        }
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.control(2, text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn uint(&mut self, name: &str, kind: u8, value: u64) {
        self.string(name);
        self.number(kind, value);
    }

    /// Without leading zero bytes, as the format allows.
    fn number(&mut self, kind: u8, value: u64) {
        let skip = value.leading_zeros() as usize / 8;
        self.control(kind, 8 - skip);
        self.bytes.extend_from_slice(&value.to_be_bytes()[skip..]);
    }

    fn pointer(&mut self, offset: usize) -> anyhow::Result<()> {
        if offset < 2048 {
            self.bytes.extend_from_slice(&[0b0010_0000 | (offset >> 8) as u8, offset as u8]);
        } else {
            let offset = offset - 2048;
            ensure!(offset < 1 << 19, "the database is too large for 19-bit pointers");
            self.bytes.extend_from_slice(&[0b0010_1000 | (offset >> 16) as u8, (offset >> 8) as u8, offset as u8]);
        }
        Ok(())
    }

    /// The kinds above seven are written as an extension, between the first byte and those of the size.
    fn control(&mut self, kind: u8, size: usize) {
        let first = if kind < 8 { kind << 5 } else { 0 };
        let (low, rest): (u8, Vec<u8>) = match size {
            0..29 => (size as u8, Vec::new()),
            29..285 => (29, vec![(size - 29) as u8]),
            _ => (30, ((size - 285) as u16).to_be_bytes().to_vec()),
        };
        self.bytes.push(first | low);
        if kind >= 8 {
            self.bytes.push(kind - 7);
        }
        self.bytes.extend_from_slice(&rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_overlap_are_refused() {
        let mut writer = Writer::new();
        writer.insert("192.0.2.0/25".parse().unwrap(), &json!({ "a": 1 })).unwrap();
        for overlapping in ["192.0.2.0/24", "192.0.2.0/25", "192.0.2.64/26"] {
            assert!(writer.insert(overlapping.parse().unwrap(), &json!({})).is_err(), "{overlapping}");
        }
        writer.insert("192.0.2.128/25".parse().unwrap(), &json!({ "a": 2 })).unwrap();
    }

    #[test]
    fn a_network_is_its_first_address() {
        assert!("192.0.2.1/24".parse::<Network>().is_err());
        assert!("192.0.2.0/33".parse::<Network>().is_err());
        assert!("192.0.2.0".parse::<Network>().is_err());
        assert!("2001:db8::/32".parse::<Network>().is_ok());
    }
}
