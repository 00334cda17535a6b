//! Which addresses are on the public internet.
//!
//! An address is judged by what it reaches, not by how it is written: an IPv6 address that only wraps an
//! IPv4 one (mapped, compatible, translated, 6to4, ISATAP) is the wrapped one. Ranges are those of the
//! IANA special-purpose registries; beside them stand the fixed addresses at which clouds hand out
//! credentials to whoever asks from inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies that a plugin may not reach without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    Unspecified,
    Loopback,
    LinkLocal,
    /// A cloud's service for its own machines. A range never grants it, only its address.
    Metadata,
    Private,
    CarrierNat,
    Multicast,
    Broadcast,
    /// Documentation, benchmarks, relays, future use: nothing public answers there.
    Reserved,
}

impl Inside {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "the unspecified address",
            Self::Loopback => "this machine (loopback)",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata service",
            Self::Private => "a private network",
            Self::CarrierNat => "a carrier's shared network",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved range",
        }
    }
}

/// None for a public address.
pub fn inside(ip: IpAddr) -> Option<Inside> {
    match ip {
        IpAddr::V4(ip) => inside_v4(ip),
        IpAddr::V6(ip) => inside_v6(ip),
    }
}

fn inside_v4(ip: Ipv4Addr) -> Option<Inside> {
    Some(match ip.octets() {
        // AWS, Azure, Google and most others; AWS's container credentials; Alibaba; Azure's host; Oracle.
        [169, 254, 169, 254]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => Inside::Metadata,
        [0, 0, 0, 0] => Inside::Unspecified,
        [127, ..] => Inside::Loopback,
        [169, 254, ..] => Inside::LinkLocal,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Inside::Private,
        [100, 64..=127, ..] => Inside::CarrierNat,
        [255, 255, 255, 255] => Inside::Broadcast,
        [224..=239, ..] => Inside::Multicast,
        [0 | 240..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Inside::Reserved,
        _ => return None,
    })
}

fn inside_v6(ip: Ipv6Addr) -> Option<Inside> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => return Some(Inside::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => return Some(Inside::Loopback),
        _ => {}
    }
    if let Some((wrapped, if_public)) = wrapped(ip) {
        return inside_v4(wrapped).or(if_public);
    }
    Some(match ip.segments() {
        // AWS, its containers, Google.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23 | 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Inside::Metadata,
        [0xfe80..=0xfebf, ..] => Inside::LinkLocal,
        // Unique local, and site-local as it was once.
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Inside::Private,
        [0xff00..=0xffff, ..] => Inside::Multicast,
        // Protocol assignments with Teredo; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Inside::Reserved,
        [0x2000..=0x3fff, ..] => return None,
        _ => Inside::Reserved,
    })
}

/// The IPv4 address inside, and what the whole is if that one is public.
fn wrapped(ip: Ipv6Addr) -> Option<(Ipv4Addr, Option<Inside>)> {
    let segments = ip.segments();
    let pair = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    let low = pair(segments[6], segments[7]);
    Some(match segments {
        // Mapped: a socket connects to the IPv4 host itself. NAT64: a gateway does it for us.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => (low, None),
        // NAT64 with a prefix of the site's own.
        [0x64, 0xff9b, 1, ..] => (low, Some(Inside::Private)),
        // Compatible, translated, ISATAP: out of use, but a gateway may still know them.
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [_, _, _, _, 0 | 0x200, 0x5efe, ..] => (low, Some(Inside::Reserved)),
        // 6to4.
        [0x2002, high, next, ..] => (pair(high, next), Some(Inside::Reserved)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_by_its_edges() {
        use Inside::*;
        let cases: [(&str, Option<Inside>); 75] = [
            ("0.0.0.0", Some(Unspecified)),
            ("0.1.2.3", Some(Reserved)),
            ("1.0.0.0", None),
            ("9.255.255.255", None),
            ("10.0.0.0", Some(Private)),
            ("10.255.255.255", Some(Private)),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(CarrierNat)),
            ("100.100.100.200", Some(Metadata)),
            ("100.127.255.255", Some(CarrierNat)),
            ("100.128.0.0", None),
            ("126.255.255.255", None),
            ("127.0.0.1", Some(Loopback)),
            ("127.255.255.255", Some(Loopback)),
            ("128.0.0.0", None),
            ("168.63.129.16", Some(Metadata)),
            ("169.253.255.255", None),
            ("169.254.0.1", Some(LinkLocal)),
            ("169.254.169.254", Some(Metadata)),
            ("169.254.170.2", Some(Metadata)),
            ("169.255.0.0", None),
            ("172.15.255.255", None),
            ("172.16.0.0", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("172.32.0.0", None),
            ("192.0.0.1", Some(Reserved)),
            ("192.0.0.192", Some(Metadata)),
            ("192.0.1.1", None),
            ("192.0.2.1", Some(Reserved)),
            ("192.88.99.1", Some(Reserved)),
            ("192.167.255.255", None),
            ("192.168.0.0", Some(Private)),
            ("192.169.0.0", None),
            ("198.17.255.255", None),
            ("198.18.0.0", Some(Reserved)),
            ("198.19.255.255", Some(Reserved)),
            ("198.51.100.7", Some(Reserved)),
            ("203.0.113.7", Some(Reserved)),
            ("223.255.255.255", None),
            ("224.0.0.1", Some(Multicast)),
            ("239.255.255.250", Some(Multicast)),
            ("240.0.0.1", Some(Reserved)),
            ("255.255.255.254", Some(Reserved)),
            ("255.255.255.255", Some(Broadcast)),
            ("::", Some(Unspecified)),
            ("::1", Some(Loopback)),
            ("::127.0.0.1", Some(Loopback)),
            ("::8.8.8.8", Some(Reserved)),
            ("::ffff:127.0.0.1", Some(Loopback)),
            ("::ffff:169.254.169.254", Some(Metadata)),
            ("::ffff:8.8.8.8", None),
            ("::ffff:0:10.0.0.1", Some(Private)),
            ("64:ff9b::127.0.0.1", Some(Loopback)),
            ("64:ff9b::169.254.169.254", Some(Metadata)),
            ("64:ff9b::8.8.8.8", None),
            ("64:ff9b:1::8.8.8.8", Some(Private)),
            ("2002:7f00:1::", Some(Loopback)),
            ("2002:a9fe:a9fe::1", Some(Metadata)),
            ("2002:808:808::1", Some(Reserved)),
            ("fd00:ec2::254", Some(Metadata)),
            ("fd20:ce::254", Some(Metadata)),
            ("fd00:ec2::255", Some(Private)),
            ("fc00::1", Some(Private)),
            ("fe80::1", Some(LinkLocal)),
            ("fec0::1", Some(Private)),
            ("ff02::1", Some(Multicast)),
            ("2001::1", Some(Reserved)),
            ("2001:db8::1", Some(Reserved)),
            ("3fff::1", Some(Reserved)),
            ("100::1", Some(Reserved)),
            ("4000::1", Some(Reserved)),
            ("2600:1f00::5efe:127.0.0.1", Some(Loopback)),
            ("2600:1f00::200:5efe:10.0.0.1", Some(Private)),
            ("2606:4700:4700::1111", None),
        ];
        for (address, expected) in cases {
            assert_eq!(inside(address.parse().unwrap()), expected, "{address}");
        }
    }
}
