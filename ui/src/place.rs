//! Where the Plugins screen is, as the fragment of the page's address: `#/plugins/url-normalizer/config`.
//! Back, reload and a link from elsewhere lead to the same plugin and tab.

pub const PLUGINS: &str = "#/plugins";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Overview,
    Diff,
    Config,
    Http,
    Limits,
    Storage,
    Tasks,
    Logs,
}

impl Tab {
    pub const ALL: [Self; 8] =
        [Self::Overview, Self::Diff, Self::Config, Self::Http, Self::Limits, Self::Storage, Self::Tasks, Self::Logs];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Diff => "Diff",
            Self::Config => "Config",
            Self::Http => "HTTP",
            Self::Limits => "Limits",
            Self::Storage => "Storage",
            Self::Tasks => "Tasks",
            Self::Logs => "Logs",
        }
    }

    /// As the address has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Diff => "diff",
            Self::Config => "config",
            Self::Http => "http",
            Self::Limits => "limits",
            Self::Storage => "storage",
            Self::Tasks => "tasks",
            Self::Logs => "logs",
        }
    }

    /// The tab so many places to the right, around the ends.
    #[must_use]
    pub fn beside(self, step: isize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default();
        Self::ALL[(at as isize + step).rem_euclid(Self::ALL.len() as isize) as usize]
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginPlace {
    /// `None` stands for the first plugin of the chain.
    pub id: Option<String>,
    pub tab: Tab,
}

impl PluginPlace {
    pub fn from_hash(hash: &str) -> Self {
        let mut parts = hash.strip_prefix(PLUGINS).unwrap_or_default().split('/').skip(1);
        let id = parts.next().filter(|id| !id.is_empty()).map(decoded);
        let name = parts.next().unwrap_or_default();
        let tab = Tab::ALL.into_iter().find(|tab| tab.name() == name).unwrap_or_default();
        Self { id, tab }
    }
}

pub fn hash(id: &str, tab: Tab) -> String {
    format!("{PLUGINS}/{}/{}", encoded(id), tab.name())
}

/// Ids are names of folders: anything but a slash may be in one.
fn encoded(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            other => {
                out.push('%');
                out.extend([other >> 4, other & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        }
    }
    out
}

/// What is no valid escape is taken as it stands.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_address() {
        for id in ["url-normalizer", "mit Leerzeichen", "100%/naïve", "a#b?c"] {
            for tab in Tab::ALL {
                let place = PluginPlace::from_hash(&hash(id, tab));
                assert_eq!(place, PluginPlace { id: Some(id.to_owned()), tab }, "{}", hash(id, tab));
            }
        }
    }

    #[test]
    fn what_is_missing_or_unknown_has_a_default() {
        assert_eq!(PluginPlace::from_hash("#/plugins"), PluginPlace::default());
        assert_eq!(PluginPlace::from_hash("#/live"), PluginPlace::default());
        let odd = PluginPlace::from_hash("#/plugins/a%zz/nowhere");
        assert_eq!(odd, PluginPlace { id: Some("a%zz".into()), tab: Tab::Overview });
    }

    #[test]
    fn tabs_go_round() {
        assert_eq!((Tab::Overview.beside(-1), Tab::Logs.beside(1)), (Tab::Logs, Tab::Overview));
        assert_eq!(Tab::Config.beside(1), Tab::Http);
    }
}
