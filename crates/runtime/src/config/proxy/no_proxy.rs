//! The servers that `NO_PROXY` excepts: text in, yes or no out.

use std::net::IpAddr;

use crate::config::host::to_ascii;

/// Whether a list excepts a server. The host is a name, or an address without brackets.
pub(super) fn excepts(list: &str, host: &str, port: u16) -> bool {
    let host = host.to_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split(',').any(|entry| {
        let entry = entry.trim().to_lowercase();
        // The host is in ASCII already.
        let entry = to_ascii(&entry).unwrap_or_else(|_| entry.as_str().into());
        let (what, entry_port) = split_port(&entry);
        if entry_port.is_some_and(|text| !text.is_empty() && text.parse() != Ok(port)) {
            return false;
        }
        what == "*"
            || match (Network::parse(what), address) {
                (Some(network), address) => address.is_some_and(|address| network.contains(address)),
                (None, Some(_)) => false,
                (None, None) => is_of_domain(&host, what),
            }
    })
}

/// Takes the port, if there is one, from what stands before it, and the brackets off that.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((what, port)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (what, port.strip_prefix(':'));
    }
    match entry.split_once(':') {
        // More than one colon is an IPv6 address.
        Some((what, port)) if !port.contains(':') => (what, Some(port)),
        _ => (entry, None),
    }
}

/// `example.com` is itself and all below it; `.example.com` and `*.example.com` are what is below it.
fn is_of_domain(host: &str, entry: &str) -> bool {
    let entry = if entry.starts_with("*.") { &entry[1..] } else { entry };
    match host.strip_suffix(entry) {
        _ if entry.is_empty() => false,
        Some("") => !entry.starts_with('.'),
        Some(before) => entry.starts_with('.') || before.ends_with('.'),
        None => false,
    }
}

/// Addresses that begin with the same bits; a single one is all bits long.
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if bits.bytes().all(|digit| digit.is_ascii_digit()) => (address, Some(bits)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all: u32 = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok())?;
        if bits > all {
            return None;
        }
        // An IPv4 address written as an IPv6 one.
        match (address.to_canonical(), bits.checked_sub(96)) {
            (IpAddr::V4(v4), Some(bits)) if address.is_ipv6() => Some(Self { address: v4.into(), bits }),
            _ => Some(Self { address, bits }),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let same = match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(its)) => (ours.to_bits() ^ its.to_bits()).leading_zeros(),
            (IpAddr::V6(ours), IpAddr::V6(its)) => (ours.to_bits() ^ its.to_bits()).leading_zeros(),
            _ => return false,
        };
        same >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_are_excepted_as_in_go() {
        for (list, host, expected) in [
            ("", "example.com", false),
            ("*", "example.com", true),
            ("*", "10.0.0.1", true),
            (" other , * ", "fd00::1", true),
            ("example.com", "example.com", true),
            ("example.com", "api.example.com", true),
            ("example.com", "myexample.com", false),
            ("example.com", "example.com.evil", false),
            ("EXAMPLE.com", "Api.Example.COM", true),
            (".example.com", "example.com", false),
            (".example.com", "api.example.com", true),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "example.com", false),
            ("ample.com", "example.com", false),
            ("one.com,\ttwo.com ,three.com", "two.com", true),
            ("example.com:443", "example.com", true),
            ("example.com:6443", "example.com", false),
            (".example.com:443", "api.example.com", true),
            ("example.com:", "example.com", true),
            ("example.com:https", "example.com", false),
            (":443", "example.com", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.10", false),
            ("0.0.1", "10.0.0.1", false),
            ("10.0.0.1:443", "10.0.0.1", true),
            ("10.0.0.1:80", "10.0.0.1", false),
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.1.2.3/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8:80", "10.1.1.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/+8", "10.0.0.0", false),
            ("10.0.0.0/", "10.0.0.0", false),
            ("10.0.0.0/8", "a.10.0.0.0/8", false),
            ("fd00::1", "fd00::1", true),
            ("FD00:0:0::1", "fd00::1", true),
            ("[fd00::1]:443", "fd00::1", true),
            ("[fd00::1]:80", "fd00::1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("::/0", "fd00::1", true),
            ("bücher.example", "xn--bcher-kva.example", true),
            ("*.BÜCHER.example:443", "api.xn--bcher-kva.example", true),
            ("bücher", "xn--bcher-kva.example", false),
        ] {
            assert_eq!(excepts(list, host, 443), expected, "{list:?} {host:?}");
        }
    }

    #[test]
    fn what_go_cannot_read_counts_where_its_meaning_is_clear() {
        for (list, host, expected) in [
            ("[fd00::1]", "fd00::1", true),
            ("[fd00::/8]:443", "fdff::1", true),
            ("[fd00::/8]:80", "fdff::1", false),
            ("[example.com]", "example.com", true),
            ("10.0.0.0/8:443", "10.1.1.1", true),
            ("10.0.0.0/8:80", "10.1.1.1", false),
            ("*:443", "example.com", true),
            ("*:80", "example.com", false),
            ("example.com:0443", "example.com", true),
        ] {
            assert_eq!(excepts(list, host, 443), expected, "{list:?} {host:?}");
        }
    }

    /// Whether two addresses agree in their first bits, a bit at a time.
    fn agree(one: &[u8], other: &[u8], bits: u8) -> bool {
        let bit = |bytes: &[u8], index: usize| bytes[index / 8] >> (7 - index % 8) & 1;
        (0..usize::from(bits)).all(|index| bit(one, index) == bit(other, index))
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(list in ".*", host in ".*", port: u16) {
            excepts(&list, &host, port);
        }

        #[test]
        fn no_list_of_almost_good_entries_is_a_panic(list in "[0-9a-f.:/,\\[\\]* ]{0,60}", address: Ipv6Addr) {
            excepts(&list, &address.to_string(), 443);
        }

        #[test]
        fn ipv4_networks_hold_the_addresses_that_begin_alike(
            network: Ipv4Addr, bits in 0_u8..=32, length in 0_u8..=32, rest: u32,
        ) {
            // Random addresses would hardly ever agree in more than a few bits.
            let mask = u32::MAX.checked_shr(u32::from(length)).unwrap_or(0);
            let address = Ipv4Addr::from_bits(network.to_bits() & !mask | rest & mask);
            let expected = agree(&network.octets(), &address.octets(), bits);
            prop_assert_eq!(excepts(&format!("{network}/{bits}"), &address.to_string(), 443), expected);
        }

        #[test]
        fn ipv6_networks_hold_the_addresses_that_begin_alike(
            network: Ipv6Addr, bits in 0_u8..=128, length in 0_u8..=128, rest: u128,
        ) {
            let mask = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
            let address = Ipv6Addr::from_bits(network.to_bits() & !mask | rest & mask);
            // Those are IPv4 addresses.
            prop_assume!(network.to_ipv4_mapped().is_none() && address.to_ipv4_mapped().is_none());
            let expected = agree(&network.octets(), &address.octets(), bits);
            prop_assert_eq!(excepts(&format!("{network}/{bits}"), &address.to_string(), 443), expected);
        }
    }
}
