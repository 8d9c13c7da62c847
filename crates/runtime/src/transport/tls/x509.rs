//! The fields of an X.509 certificate that decide about trust.
//!
//! webpki reads only certificates of version 3 whose critical extensions it knows, and keeps dates and purposes to
//! itself. Go reads all versions, and believes a CA as far as these fields go. What this finds is believed only after
//! webpki has verified the signatures.

use k8s_openapi::jiff::civil::{DateTime, date};
use rustls_pki_types::{Der, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// Of the certificate's optional fields.
const VERSION: u8 = 0xa0;
const ISSUER_ID: u8 = 0x81;
const SUBJECT_ID: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29, below which the extensions of X.509 itself are.
const STANDARD_EXTENSION: [u8; 2] = [0x55, 0x1d];
/// 2.5.29.37.0
const ANY_PURPOSE: [u8; 4] = [0x55, 0x1d, 0x25, 0x00];
/// 1.3.6.1.5.5.7.3.1
const SERVER_AUTHENTICATION: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

/// A certificate of which only the outline was read.
pub(super) struct Certificate<'a> {
    version: u8,
    validity: &'a [u8],
    subject: &'a [u8],
    key: Element<'a>,
    extensions: Option<&'a [u8]>,
}

/// When and for what a certificate may be used.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    /// It may sign certificates: it says that it is a CA, and its key is for that. Before version 3 it could not say
    /// so.
    pub(super) signs: bool,
    /// It and what it signs may be used by servers.
    pub(super) serves: bool,
    /// How many other CAs may stand between it and a server's certificate.
    pub(super) max_intermediates: Option<u64>,
    /// It has a critical extension that is not known here.
    pub(super) unknown_critical: bool,
}

impl<'a> Certificate<'a> {
    /// Nothing for what is not a certificate.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Reader::only(der, SEQUENCE)?;
        let mut signed = Reader(certificate.expect(SEQUENCE)?);
        let _algorithm = certificate.expect(SEQUENCE)?;
        let _signature = certificate.expect(BIT_STRING)?;
        certificate.end()?;

        let version = match signed.optional(VERSION)? {
            None => 1,
            Some(version) => match Reader(version).expect(INTEGER)? {
                [version @ 0..=2] => version + 1,
                _ => return None,
            },
        };
        let _serial = signed.expect(INTEGER)?;
        let _algorithm = signed.expect(SEQUENCE)?;
        let _issuer = signed.expect(SEQUENCE)?;
        let validity = signed.expect(SEQUENCE)?;
        let subject = signed.expect(SEQUENCE)?;
        let key = signed.next().filter(|key| key.tag == SEQUENCE)?;
        signed.optional(ISSUER_ID)?;
        signed.optional(SUBJECT_ID)?;
        let extensions = signed.optional(EXTENSIONS)?;
        signed.end()?;
        Some(Self { version, validity, subject, key, extensions })
    }

    /// The key with its kind.
    pub(super) fn public_key(&self) -> SubjectPublicKeyInfoDer<'a> {
        SubjectPublicKeyInfoDer::from(self.key.whole)
    }

    /// Whether it may sign certificates.
    pub(super) fn signs(&self) -> bool {
        self.as_anchor().is_some_and(|(_, limits)| limits.signs)
    }

    /// From when to when it is valid; nothing for times that cannot be read.
    pub(super) fn validity(&self) -> Option<(UnixTime, UnixTime)> {
        let mut validity = Reader(self.validity);
        let times = (validity.time()?, validity.time()?);
        validity.end()?;
        Some(times)
    }

    /// What verifies certificates that this one signed, and when it may; nothing for fields that cannot be read.
    pub(super) fn as_anchor(&self) -> Option<(TrustAnchor<'static>, Limits)> {
        let (not_before, not_after) = self.validity()?;
        let extensions = Extensions::parse(self.extensions)?;
        let is_ca = extensions.is_ca.unwrap_or(self.version < 3);
        let limits = Limits {
            not_before,
            not_after,
            signs: is_ca && extensions.key_signs.unwrap_or(true),
            serves: extensions.serves.unwrap_or(true),
            max_intermediates: extensions.max_intermediates,
            unknown_critical: extensions.unknown_critical,
        };
        let anchor = TrustAnchor {
            subject: Der::from_slice(self.subject),
            subject_public_key_info: Der::from_slice(self.key.contents),
            name_constraints: extensions.name_constraints.map(Der::from_slice),
        };
        Some((anchor.to_owned(), limits))
    }
}

/// The public key alone, without its kind: a kind has more than one encoding.
pub(super) fn key_bits<'a>(key: &'a SubjectPublicKeyInfoDer<'_>) -> Option<&'a [u8]> {
    let mut key = Reader::only(key, SEQUENCE)?;
    let _algorithm = key.expect(SEQUENCE)?;
    key.expect(BIT_STRING)
}

/// What a time is called in errors: a certificate may be valid until the end of the year 9999, which is too late for
/// jiff's timestamps.
pub(super) fn shown(time: UnixTime) -> String {
    let since = k8s_openapi::jiff::SignedDuration::from_secs(time.as_secs().try_into().unwrap_or(i64::MAX));
    match EPOCH.checked_add(since) {
        Ok(time) => format!("{time}Z"),
        Err(_) => "a time after the year 9999".to_owned(),
    }
}

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

#[derive(Default)]
struct Extensions<'a> {
    is_ca: Option<bool>,
    max_intermediates: Option<u64>,
    key_signs: Option<bool>,
    serves: Option<bool>,
    name_constraints: Option<&'a [u8]>,
    unknown_critical: bool,
}

impl<'a> Extensions<'a> {
    fn parse(extensions: Option<&'a [u8]>) -> Option<Self> {
        let mut parsed = Self::default();
        let Some(extensions) = extensions else { return Some(parsed) };
        let mut extensions = Reader::only(extensions, SEQUENCE)?;
        let mut seen = Vec::new();
        while !extensions.is_empty() {
            let mut extension = Reader(extensions.expect(SEQUENCE)?);
            let id = extension.expect(OBJECT_IDENTIFIER)?;
            let critical = extension.optional(BOOLEAN)?.is_some_and(is_true);
            let value = extension.expect(OCTET_STRING)?;
            extension.end()?;
            // Twice the same is an attempt to be read as one thing here and as another elsewhere.
            if seen.contains(&id) {
                return None;
            }
            seen.push(id);
            let known = match id.strip_prefix(&STANDARD_EXTENSION) {
                Some([number]) => parsed.take(*number, value)?,
                _ => false,
            };
            parsed.unknown_critical |= critical && !known;
        }
        Some(parsed)
    }

    /// Whether the standard extension of this number is known, or nothing when its value cannot be read.
    fn take(&mut self, number: u8, value: &'a [u8]) -> Option<bool> {
        match number {
            // Key usage. All bits zero does not limit anything, as in Go.
            15 => {
                let [_unused, bits @ ..] = Reader::only_contents(value, BIT_STRING)? else { return None };
                if bits.iter().any(|bits| *bits != 0) {
                    self.key_signs = Some(bits[0] & 0b100 != 0);
                }
            }
            // Basic constraints.
            19 => {
                let mut constraints = Reader::only(value, SEQUENCE)?;
                self.is_ca = Some(constraints.optional(BOOLEAN)?.is_some_and(is_true));
                if let Some(max) = constraints.optional(INTEGER)? {
                    self.max_intermediates = Some(number_of(max)?);
                }
                constraints.end()?;
            }
            // Name constraints, which webpki reads.
            30 => self.name_constraints = Some(Reader::only(value, SEQUENCE)?.0),
            // Extended key usage.
            37 => {
                let mut purposes = Reader::only(value, SEQUENCE)?;
                while !purposes.is_empty() {
                    let purpose = purposes.expect(OBJECT_IDENTIFIER)?;
                    let serves = purpose == SERVER_AUTHENTICATION || purpose == ANY_PURPOSE;
                    self.serves = Some(self.serves == Some(true) || serves);
                }
            }
            // Names, lists of revoked certificates, policies and the issuer's key: they limit nothing that is looked
            // at.
            17 | 31 | 32 | 33 | 35 | 36 | 54 => {}
            _ => return Some(false),
        }
        Some(true)
    }
}

fn is_true(boolean: &[u8]) -> bool {
    boolean.iter().any(|byte| *byte != 0)
}

/// A number that is not negative. One that is larger than any number of certificates is as good as the largest.
fn number_of(integer: &[u8]) -> Option<u64> {
    match integer {
        [] | [0x80..=0xff, ..] => None,
        digits => Some(digits.iter().fold(0, |number: u64, digit| number.saturating_mul(256) | u64::from(*digit))),
    }
}

#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    contents: &'a [u8],
    /// With tag and length.
    whole: &'a [u8],
}

/// Reads elements of DER, one after the other. Nothing is what the expected ones are not there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader in the one element that there is.
    fn only(der: &'a [u8], tag: u8) -> Option<Self> {
        Self::only_contents(der, tag).map(Self)
    }

    fn only_contents(der: &'a [u8], tag: u8) -> Option<&'a [u8]> {
        let mut reader = Self(der);
        let contents = reader.expect(tag)?;
        reader.end().map(|()| contents)
    }

    fn next(&mut self) -> Option<Element<'a>> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        if tag & 0x1f == 0x1f {
            // A tag of more than one byte: certificates have none.
            return None;
        }
        let (length, rest) = match first {
            ..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
                if length < 0x80 || digits[0] == 0 {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element { tag: *tag, contents, whole })
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.contents)
    }

    /// The next element if it has the tag.
    #[expect(clippy::option_option, reason = "malformed and absent are not the same")]
    fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        match self.0.first() {
            Some(next) if *next == tag => self.expect(tag).map(Some),
            _ => Some(None),
        }
    }

    /// A time before 1970 is as good as that year.
    fn time(&mut self) -> Option<UnixTime> {
        let element = self.next()?;
        let text = std::str::from_utf8(element.contents).ok()?.strip_suffix('Z')?;
        if !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = match (element.tag, text.len()) {
            (UTC_TIME, 12) => {
                let year: i16 = text[..2].parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
            }
            (GENERALIZED_TIME, 14) => (text[..4].parse().ok()?, &text[4..]),
            _ => return None,
        };
        let part = |index: usize| rest[2 * index..2 * index + 2].parse::<i8>().ok();
        let time = DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
        let seconds = time.duration_since(EPOCH).as_secs();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.try_into().unwrap_or(0))))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn end(&self) -> Option<()> {
        self.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

    use super::*;

    /// A certificate with all that is looked at.
    fn whole() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(3));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_after = rcgen::date_time_ymd(2050, 1, 2);
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("localhost".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn an_anchor_is_the_one_that_webpki_makes() {
        let der = whole();
        let (anchor, limits) = Certificate::parse(&der).unwrap().as_anchor().unwrap();
        let der = der.into();
        assert_eq!(anchor, webpki::anchor_from_trusted_cert(&der).unwrap());
        assert!(limits.signs && limits.serves && !limits.unknown_critical);
        assert_eq!((limits.max_intermediates, shown(limits.not_after).as_str()), (Some(3), "2050-01-02T00:00:00Z"));
        let key = webpki::EndEntityCert::try_from(&der).unwrap().subject_public_key_info();
        assert_eq!(Certificate::parse(&der).unwrap().public_key(), key);
    }

    #[test]
    fn times_are_read_in_both_forms_and_no_other() {
        for (tag, text, expected) in [
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "500101000000Z", Some("1970-01-01T00:00:00Z")),
            (UTC_TIME, "700102000000Z", Some("1970-01-02T00:00:00Z")),
            (GENERALIZED_TIME, "99991231235959Z", Some("9999-12-31T23:59:59Z")),
            (GENERALIZED_TIME, "20240229000000Z", Some("2024-02-29T00:00:00Z")),
            (GENERALIZED_TIME, "20230229000000Z", None),
            (GENERALIZED_TIME, "20240229000000", None),
            (UTC_TIME, "2402290000Z", None),
            (UTC_TIME, "240229000000+0100", None),
            (UTC_TIME, "2402290000-1Z", None),
            (UTC_TIME, "24022900000\u{e9}Z", None),
            (INTEGER, "240229000000Z", None),
        ] {
            let der = [&[tag, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
            assert_eq!(Reader(&der).time().map(shown).as_deref(), expected, "{text}");
        }
    }

    fn read(der: &[u8]) {
        if let Some(certificate) = Certificate::parse(der) {
            let _ = key_bits(&certificate.public_key());
            let _ = certificate.as_anchor();
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(der in proptest::collection::vec(any::<u8>(), 0..64)) {
            read(&der);
            let _ = key_bits(&der.as_slice().into());
            let _ = Extensions::parse(Some(&der));
        }

        #[test]
        fn no_change_of_a_certificate_is_a_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut der = whole();
            let length = der.len();
            der[at.index(length)] = byte;
            read(&der);
            der.truncate(cut.index(length));
            prop_assert!(Certificate::parse(&der).is_none());
        }
    }
}
