//! Hosts: where a URL leads to, and their names as DNS and TLS know them, international ones in ASCII letters.

use std::{borrow::Cow, fmt, net::Ipv6Addr, num::NonZeroU16, ops::RangeInclusive};

use http::{
    Uri,
    uri::{self, Scheme},
};

/// The host and the port that a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// An IPv6 address is without its brackets here.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Authority {
    /// The port is that of the URL's scheme where the URL has none.
    pub(crate) fn of(url: &Uri) -> Self {
        let default_port = if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Self { host, port: url.port_u16().unwrap_or(default_port) }
    }
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Reads a `host` or `host:port`, with the name in ASCII then. A port that is left out after its colon is none, as in
/// Go.
pub(super) fn authority(text: &str) -> Result<uri::Authority, String> {
    let text = to_ascii(text.strip_suffix(':').unwrap_or(text))?;
    let authority: uri::Authority = text.parse().map_err(|_| "must be a URL or host:port")?;
    let host = authority.host();
    // `http` reads a port that is no number as no port at all.
    if let Some(port) = authority.as_str().strip_prefix(host).and_then(|rest| rest.strip_prefix(':'))
        && !(port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<NonZeroU16>().is_ok())
    {
        return Err("the port must be a number from 1 to 65535".to_owned());
    }
    if host.is_empty() {
        return Err("must have a host".to_owned());
    }
    // A zone stands behind the address.
    let in_brackets = host.strip_prefix('[').map(|host| host.split(['%', ']']).next().unwrap_or_default());
    if in_brackets.is_some_and(|address| address.parse::<Ipv6Addr>().is_err()) {
        return Err("what stands in brackets must be an address of IPv6".to_owned());
    }
    Ok(authority)
}

/// A `host` or `host:port` with the name in ASCII: `bücher.example` becomes `xn--bcher-kva.example`, as in Go.
///
/// Only tables of Unicode know the normal form of every character, and they are too large to carry for this. So names
/// are taken whose letters are surely in their normal form already, which is how people type them; others are an error.
pub(super) fn to_ascii(authority: &str) -> Result<Cow<'_, str>, String> {
    if authority.is_ascii() {
        return Ok(authority.into());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, format!(":{port}")),
        None => (authority, String::new()),
    };
    // Full stops of East Asian scripts separate labels too.
    let labels = host.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
    let labels = labels.map(label_to_ascii).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{}{port}", labels.join(".")).into())
}

fn label_to_ascii(label: &str) -> Result<String, String> {
    if label.is_ascii() {
        return Ok(label.to_owned());
    }
    let lower = label.to_lowercase();
    if let Some(other) = lower.chars().find(|letter| !is_normal(*letter)) {
        return Err(format!(
            "the host name has the character {other:?}, which cannot be made ASCII here; write the name as DNS has it, \
             with xn-- before such a part"
        ));
    }
    // The labels of DNS have no more than 63 bytes, so that no number of the encoding grows too large.
    if lower.chars().count() > 63 {
        return Err("a part of the host name is longer than 63 characters".to_owned());
    }
    Ok(format!("xn--{}", punycode(&lower)))
}

/// Whether a lower-case character may stand in a name and is its own normal form, as UTS 46 maps it.
fn is_normal(letter: char) -> bool {
    match letter {
        'a'..='z' | '0'..='9' | '-' => true,
        // They stand for other letters, and the last is a sign.
        'ĳ' | 'ŀ' | 'ŉ' | 'ſ' | '・' => false,
        letter => NORMAL.iter().any(|range| range.contains(&letter)),
    }
}

const NORMAL: [RangeInclusive<char>; 17] = [
    // Latin, with the letters of Vietnamese.
    '\u{df}'..='\u{f6}',
    '\u{f8}'..='\u{17f}',
    '\u{1ea1}'..='\u{1ef9}',
    // Greek.
    '\u{3ac}'..='\u{3ce}',
    // Cyrillic, without its combining marks.
    '\u{430}'..='\u{45f}',
    '\u{491}'..='\u{4ff}',
    // Armenian, Hebrew, Arabic, Thai and Georgian letters.
    '\u{561}'..='\u{586}',
    '\u{5d0}'..='\u{5ea}',
    '\u{621}'..='\u{63a}',
    '\u{641}'..='\u{64a}',
    '\u{e01}'..='\u{e32}',
    '\u{10d0}'..='\u{10f0}',
    // Hiragana, Katakana, Han and Hangul.
    '\u{3041}'..='\u{3096}',
    '\u{30a1}'..='\u{30fc}',
    '\u{3400}'..='\u{4dbf}',
    '\u{4e00}'..='\u{9fff}',
    '\u{ac00}'..='\u{d7a3}',
];

/// A label by RFC 3492, with the names that it has there.
fn punycode(label: &str) -> String {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;
    let letters: Vec<u32> = label.chars().map(u32::from).collect();
    let mut encoded: String = label.chars().filter(char::is_ascii).collect();
    let basic: u32 = letters.iter().filter(|letter| **letter < 0x80).map(|_| 1).sum();
    if basic > 0 {
        encoded.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (0x80, 0, 72, basic);
    while let Some(smallest) = letters.iter().copied().filter(|letter| *letter >= n).min() {
        delta += (smallest - n) * (handled + 1);
        n = smallest;
        for letter in &letters {
            if *letter < n {
                delta += 1;
            }
            if *letter != n {
                continue;
            }
            let mut q = delta;
            let mut k = BASE;
            loop {
                let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                if q < t {
                    break;
                }
                encoded.push(digit(t + (q - t) % (BASE - t)));
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            encoded.push(digit(q));
            delta /= if handled == basic { 700 } else { 2 };
            delta += delta / (handled + 1);
            bias = 0;
            while delta > (BASE - T_MIN) * T_MAX / 2 {
                delta /= BASE - T_MIN;
                bias += BASE;
            }
            bias += (BASE - T_MIN + 1) * delta / (delta + 38);
            delta = 0;
            handled += 1;
        }
        delta += 1;
        n += 1;
    }
    encoded
}

fn digit(value: u32) -> char {
    let digits = "abcdefghijklmnopqrstuvwxyz0123456789";
    digits.chars().nth(value as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_hosts_and_ports() {
        for (url, host, port, shown) in [
            ("https://host/", "host", 443, "host:443"),
            ("http://10.0.0.1", "10.0.0.1", 80, "10.0.0.1:80"),
            ("https://[fd00::1]:6443/path", "fd00::1", 6443, "[fd00::1]:6443"),
            ("socks5://proxy:1080", "proxy", 1080, "proxy:1080"),
        ] {
            let authority = Authority::of(&url.parse().unwrap());
            assert_eq!((authority.host.as_str(), authority.port, authority.to_string().as_str()), (host, port, shown));
        }
    }

    #[test]
    fn an_authority_is_a_host_with_or_without_a_port() {
        for (text, expected) in [
            ("host", "host"),
            ("host:", "host"),
            ("host:06443", "host:06443"),
            ("[fd00::1]:", "[fd00::1]"),
            ("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1"),
            ("[fe80::1%25eth0]:1", "[fe80::1%25eth0]:1"),
            ("bücher.example:", "xn--bcher-kva.example"),
        ] {
            assert_eq!(authority(text).as_ref().map(uri::Authority::as_str), Ok(expected), "{text}");
        }
        for (text, words) in [
            ("host:+1", "port"),
            ("host:-1", "port"),
            ("host:0", "port"),
            ("host:00", "port"),
            ("host:65536", "port"),
            ("host:1a", "port"),
            ("fd00::1", "must be"),
            ("[10.0.0.1]", "IPv6"),
            ("[]:1", "IPv6"),
            ("[host]", "IPv6"),
            ("[v1.x]", "IPv6"),
            (":1", "host"),
            (":", "host"),
            ("", "must be"),
            ("a b", "must be"),
        ] {
            assert!(authority(text).is_err_and(|error| error.contains(words)), "{text}: {:?}", authority(text));
        }
    }

    #[test]
    fn international_names_become_ascii() {
        for (name, ascii) in [
            ("host", "host"),
            ("Host.example:6443", "Host.example:6443"),
            ("[::1]:6443", "[::1]:6443"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example:6443", "xn--bcher-kva.example:6443"),
            ("api.münchen-ost.example", "api.xn--mnchen-ost-9db.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("việtnam.example", "xn--vitnam-jk8b.example"),
            ("ελλάς", "xn--hxarsa0b"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
            ("україна", "xn--80aa2annq7l"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("中文:443", "xn--fiq228c:443"),
            ("한국", "xn--3e0b707e"),
            ("مثال", "xn--mgbh0fb"),
        ] {
            assert_eq!(to_ascii(name).as_deref(), Ok(ascii), "{name}");
        }
    }

    #[test]
    fn names_whose_normal_form_is_not_known_are_refused() {
        // A combining mark, letters of full width, a ligature, a sign, a direction mark, a label that is too long.
        for name in ["bu\u{308}cher", "\u{ff48}ost", "\u{fb01}n", "a→b", "a\u{202e}b", &"ü".repeat(64)] {
            assert!(to_ascii(name).is_err(), "{name:?}");
        }
    }
}
