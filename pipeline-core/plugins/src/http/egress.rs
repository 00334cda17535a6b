//! Whether a request may leave, judged on the host's name and again on every address behind it.
//!
//! A name that is allowed may lead inside, by mistake or on purpose, and may lead elsewhere at the next
//! look. So the addresses are looked up once, here, all of them must pass, and the connection is made to
//! these very addresses ([`Egress`] is the only source of addresses that the client has). Every hop of a
//! redirect comes through here again.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;
use url::{Host, Url};

use super::address::{Inside, inside};
use super::allow_list::AllowList;
use super::request::{FailureKind, HttpFailure, authority};

/// Names looked up at a time; each holds a thread until the system answers.
const MOST_LOOKUPS: usize = 64;

/// Looks names up; a test has its own.
pub trait Resolve: fmt::Debug + Send + Sync {
    fn resolve(&self, name: &str, timeout: Duration) -> io::Result<Vec<IpAddr>>;
}

/// As the operating system does it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str, timeout: Duration) -> io::Result<Vec<IpAddr>> {
        // The system's call cannot be told to give up, so a thread waits for it in our place, perhaps for
        // longer than the caller does.
        static LOOKING_UP: AtomicUsize = AtomicUsize::new(0);
        if LOOKING_UP.fetch_add(1, Ordering::AcqRel) >= MOST_LOOKUPS {
            LOOKING_UP.fetch_sub(1, Ordering::AcqRel);
            return Err(io::Error::other("too many names are being looked up already"));
        }
        let (answer, receiver) = sync_channel(1);
        let name = name.to_owned();
        let spawned = thread::Builder::new().name("weir-resolve".to_owned()).spawn(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            LOOKING_UP.fetch_sub(1, Ordering::AcqRel);
            // Nobody listens any more after the time is up.
            let _ = answer.send(found.map(|found| found.map(|address| address.ip()).collect()));
        });
        if let Err(error) = spawned {
            LOOKING_UP.fetch_sub(1, Ordering::AcqRel);
            return Err(error);
        }
        receiver.recv_timeout(timeout).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the grant {0:?} is not understood")]
pub struct GrantError(pub String);

impl GrantError {
    /// Stable name for programs.
    pub const fn code(&self) -> &'static str {
        "http_grant"
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        "Write an address or a network, with a port or without: 127.0.0.1:8080, [::1]:8080, 10.0.0.0/8. A name is no \
         grant; for localhost write 127.0.0.1 and ::1."
    }
}

/// Addresses inside that a plugin may reach all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    network: IpNet,
    /// Any port without one.
    port: Option<u16>,
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let bare = text.trim();
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self { network: ip.into(), port: None });
        }
        if let Ok(network) = bare.parse::<IpNet>() {
            return Ok(Self { network, port: None });
        }
        if let Ok(socket) = bare.parse::<SocketAddr>()
            && socket.port() != 0
        {
            return Ok(Self { network: socket.ip().into(), port: Some(socket.port()) });
        }
        // 10.0.0.0/8:8080
        if let Some((network, port)) = bare.rsplit_once(':')
            && let (Ok(network), Ok(port)) = (network.parse::<IpNet>(), port.parse::<u16>())
            && port != 0
        {
            return Ok(Self { network, port: Some(port) });
        }
        Err(GrantError(text.to_owned()))
    }
}

impl Grant {
    fn covers(&self, ip: IpAddr, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
            && (self.network.contains(&ip) || self.network.contains(&ip.to_canonical()))
    }

    fn is_one_address(&self) -> bool {
        self.network.prefix_len() == self.network.max_prefix_len()
    }
}

#[derive(Debug)]
pub struct Egress {
    allowed: AllowList,
    grants: Vec<Grant>,
    resolver: Arc<dyn Resolve>,
}

impl Egress {
    pub fn new<'g>(
        allowed: AllowList,
        grants: impl IntoIterator<Item = &'g str>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, GrantError> {
        let grants = grants.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { allowed, grants, resolver })
    }

    /// On the name alone. A host written as an address that is granted needs no second entry.
    pub fn check_name(&self, url: &Url) -> Result<(), HttpFailure> {
        let port = url.port_or_known_default().unwrap_or_default();
        let granted = match url.host() {
            Some(Host::Ipv4(ip)) => self.is_granted(ip.into(), port),
            Some(Host::Ipv6(ip)) => self.is_granted(ip.into(), port),
            _ => false,
        };
        if granted || self.allowed.allows(url) {
            return Ok(());
        }
        let list = if self.allowed.is_empty() { "empty".to_owned() } else { self.allowed.to_string() };
        Err(HttpFailure::refused(
            format!("the host {} is not among those this plugin may reach ({list})", authority(url)),
            format!("Add {:?} to the plugin's allowed hosts.", authority(url)),
        ))
    }

    /// The addresses to connect to. Fails if even one of them may not be reached: which one a connection
    /// is made to is not ours to choose.
    pub fn addresses(&self, url: &Url, timeout: Duration) -> Result<Vec<SocketAddr>, HttpFailure> {
        self.check_name(url)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let found = match url.host() {
            Some(Host::Ipv4(ip)) => vec![ip.into()],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain(name)) => self.look_up(name, timeout)?,
            None => Vec::new(),
        };
        for ip in &found {
            self.check_address(url, *ip, port)?;
        }
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    fn look_up(&self, name: &str, timeout: Duration) -> Result<Vec<IpAddr>, HttpFailure> {
        match self.resolver.resolve(name, timeout) {
            Ok(found) if !found.is_empty() => Ok(found),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(HttpFailure::new(
                FailureKind::Timeout,
                format!("looking up {name} took longer than {} ms", timeout.as_millis()),
                "Check the machine's name servers.",
            )),
            other => {
                let reason = other.err().map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
                Err(HttpFailure::new(
                    FailureKind::Network,
                    format!("the host {name} was not found: {reason}"),
                    "Check the name, and that this machine can resolve it.",
                ))
            }
        }
    }

    fn check_address(&self, url: &Url, ip: IpAddr, port: u16) -> Result<(), HttpFailure> {
        let Some(place) = inside(ip) else { return Ok(()) };
        if self.is_granted(ip, port) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        let leads = if matches!(url.host(), Some(Host::Domain(_))) {
            format!("{host} leads to {ip}, which is {}", place.as_str())
        } else {
            format!("{host} is {}", place.as_str())
        };
        Err(HttpFailure::refused(
            leads,
            format!("If the plugin is meant to reach it, grant it {:?}.", SocketAddr::new(ip, port).to_string()),
        ))
    }

    fn is_granted(&self, ip: IpAddr, port: u16) -> bool {
        let metadata = inside(ip) == Some(Inside::Metadata);
        self.grants.iter().any(|grant| grant.covers(ip, port) && (!metadata || grant.is_one_address()))
    }
}

#[cfg(test)]
mod tests;
