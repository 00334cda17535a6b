//! Which hosts a plugin may name: `api.example.com`, `*.example.com`, `*`, each with a port or without.
//!
//! Only the name is judged here. That a name says nothing about where it leads is why `egress` judges
//! every address behind it as well.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the allowed host {pattern:?} is not understood: {reason}")]
pub struct AllowListError {
    pub pattern: String,
    reason: &'static str,
}

impl AllowListError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        "http_allow_list"
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        "Write a host such as api.example.com, all hosts below one as *.example.com, or * for every host; a port may \
         follow, as in localhost:8080. Scheme and path do not belong here."
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<HostPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    hosts: Hosts,
    /// Any port without one.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Every,
    /// What the host must end with, the dot included.
    Below(String),
    One(Host),
}

impl AllowList {
    pub fn parse<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, AllowListError> {
        patterns.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    /// `url` has a host, as every http URL has.
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        self.0.iter().any(|pattern| {
            pattern.port.is_none_or(|port| url.port_or_known_default() == Some(port)) && pattern.hosts.include(&host)
        })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Hosts {
    fn include(&self, host: &Host<&str>) -> bool {
        match self {
            Self::Every => true,
            Self::Below(end) => match host {
                Host::Domain(name) => name.trim_end_matches('.').ends_with(end.as_str()),
                Host::Ipv4(_) | Host::Ipv6(_) => false,
            },
            Self::One(own) => match (own, host) {
                // With a dot at its end a name is the same name, spelt for the whole of DNS.
                (Host::Domain(own), Host::Domain(name)) => own == name.trim_end_matches('.'),
                (own, host) => own == &host.to_owned(),
            },
        }
    }
}

impl FromStr for HostPattern {
    type Err = AllowListError;

    fn from_str(pattern: &str) -> Result<Self, AllowListError> {
        let fail = |reason| AllowListError { pattern: pattern.to_owned(), reason };
        let text = pattern.trim();
        if text.is_empty() {
            return Err(fail("it is empty"));
        }
        if text.contains('/') || text.contains('@') {
            return Err(fail("it is a URL, not a host"));
        }
        // The colons of an IPv6 address are not before a port.
        let split = match text.rfind(':') {
            Some(at) if text.starts_with('[') => (text[..at].ends_with(']')).then_some(at),
            Some(at) if text.find(':') == Some(at) => Some(at),
            _ => None,
        };
        let (name, port) = match split {
            None => (text, None),
            Some(at) => {
                let port = text[at + 1..].parse().ok().filter(|port| *port != 0);
                (&text[..at], Some(port.ok_or_else(|| fail("the port is no number from 1 to 65535"))?))
            }
        };
        let parse = |name: &str| Host::parse(name.trim_end_matches('.')).map_err(|_| fail("the host is no host name"));
        let hosts = if name == "*" {
            Hosts::Every
        } else if let Some(below) = name.strip_prefix("*.") {
            match parse(below)? {
                Host::Domain(domain) if !domain.contains('*') => Hosts::Below(format!(".{domain}")),
                Host::Domain(_) => return Err(fail("only its first part can be *")),
                Host::Ipv4(_) | Host::Ipv6(_) => return Err(fail("an address has nothing below it")),
            }
        } else if name.contains('*') {
            return Err(fail("* stands for whole parts at the beginning only"));
        } else if name.parse::<std::net::Ipv6Addr>().is_ok() {
            Hosts::One(parse(&format!("[{name}]"))?)
        } else {
            Hosts::One(parse(name)?)
        };
        Ok(Self { hosts, port })
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, pattern) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            match &pattern.hosts {
                Hosts::Every => write!(f, "{comma}*")?,
                Hosts::Below(end) => write!(f, "{comma}*{end}")?,
                Hosts::One(host) => write!(f, "{comma}{host}")?,
            }
            if let Some(port) = pattern.port {
                write!(f, ":{port}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_pattern() {
        for (pattern, url, allowed) in [
            ("api.example.com", "https://api.example.com/v1", true),
            ("API.Example.COM", "https://api.example.com/", true),
            ("api.example.com", "https://API.EXAMPLE.COM./", true),
            ("api.example.com.", "https://api.example.com/", true),
            ("api.example.com", "https://example.com/", false),
            ("api.example.com", "https://api.example.com.evil.example/", false),
            ("api.example.com", "https://xapi.example.com/", false),
            ("api.example.com", "http://api.example.com:8080/", true),
            ("api.example.com:443", "https://api.example.com/", true),
            ("api.example.com:443", "http://api.example.com/", false),
            ("api.example.com:8443", "https://api.example.com:8443/", true),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://badexample.com/", false),
            ("*.example.com", "https://a.example.com./", true),
            ("*", "https://anything.example/", true),
            ("*", "http://127.0.0.1/", true),
            ("*:80", "http://anything.example/", true),
            ("*:80", "https://anything.example/", false),
            ("127.0.0.1:8080", "http://0x7f.1:8080/", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8081/", false),
            ("[::1]:8080", "http://[0:0::1]:8080/", true),
            ("::1", "http://[::1]/", true),
            ("[::1]", "http://[::2]/", false),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
        ] {
            let list = AllowList::parse([pattern]).unwrap();
            assert_eq!(list.allows(&Url::parse(url).unwrap()), allowed, "{pattern} {url}");
        }
        assert!(!AllowList::default().allows(&Url::parse("http://a.example/").unwrap()));
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused() {
        for pattern in [
            "",
            " ",
            "https://a.example",
            "a.example/x",
            "u@a.example",
            "a.example:0",
            "a.example:http",
            "a*.example",
            "*.*.example",
            "*.10.0.0.1",
            "[::1",
            "a b",
        ] {
            let error = AllowList::parse([pattern]).unwrap_err();
            assert_eq!((error.code(), error.pattern.as_str()), ("http_allow_list", pattern));
        }
    }

    #[test]
    fn the_list_is_shown_as_it_was_meant() {
        let list = AllowList::parse(["A.example", "*.b.example:8080", "::1", "*"]).unwrap();
        assert_eq!(list.to_string(), "a.example, *.b.example:8080, [::1], *");
    }
}
