//! What went wrong in TLS, in plain words and with what to check. rustls' own words are for programmers.

use std::fmt;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::{
    verify::{NoCa, Unfit},
    x509::shown,
};
use crate::text::{Keep, printable};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Peer {
    /// The API server.
    Server,
    /// An `https` proxy, about which a kubeconfig can say nothing.
    Proxy,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "the server",
            Self::Proxy => "the proxy",
        })
    }
}

/// What an error of TLS means, and what to do about it.
pub(in crate::transport) fn describe(error: &TlsError, peer: Peer) -> String {
    let text = match error {
        TlsError::InvalidCertificate(error) => describe_certificate(error, peer),
        TlsError::AlertReceived(alert) => describe_alert(*alert, peer),
        TlsError::InvalidMessage(_) => {
            format!(
                "{peer} did not answer in TLS: does it speak TLS on this port? If not, its address begins with http://"
            )
        }
        TlsError::PeerIncompatible(what) => {
            format!("{peer} and this client have no version or method of TLS in common: {}", words(what))
        }
        TlsError::PeerMisbehaved(what) => format!("{peer} breaks the rules of TLS: {}", words(what)),
        TlsError::InappropriateMessage { .. } | TlsError::InappropriateHandshakeMessage { .. } => {
            format!("{peer} breaks the rules of TLS: a message came that was not its turn")
        }
        TlsError::NoCertificatesPresented => format!("{peer} showed no certificate"),
        TlsError::DecryptError => format!("what {peer} sent cannot be decrypted"),
        error => error.to_string(),
    };
    // A certificate's names are texts of others.
    printable(&text, Keep::Nothing).into_owned()
}

fn describe_certificate(error: &CertificateError, peer: Peer) -> String {
    let certificate = format!("{peer}'s certificate");
    let trust = match peer {
        Peer::Server => "check certificate-authority: it must hold the CA that signed the server's certificate",
        Peer::Proxy => "the system must trust the certificate of an https proxy",
    };
    let name = match peer {
        Peer::Server => "connect by a name that the certificate is made for, or set tls-server-name to one",
        Peer::Proxy => "the proxy's URL must have a name that the certificate is made for",
    };
    let renew = format!("{certificate} must be renewed, or the clock of this machine is wrong");
    match error {
        CertificateError::UnknownIssuer => format!("{certificate} is not signed by a CA that is trusted; {trust}"),
        // Two authorities of one name, which is usual for clusters made by one tool, differ in the signature only.
        CertificateError::BadSignature => {
            format!("a signature of {certificate} is not that of the CA it names; {trust}")
        }
        CertificateError::NotValidForName => format!("{certificate} is made for another name; {name}"),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = match presented.as_slice() {
                [] => "no name at all".to_owned(),
                names => names.iter().map(|name| shown_name(name)).collect::<Vec<_>>().join(", "),
            };
            format!("{certificate} is made for {presented}, not for {}; {name}", expected.to_str())
        }
        CertificateError::Expired => format!("{certificate} expired; {renew}"),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("{certificate} expired at {}; {renew}", shown(*not_after))
        }
        CertificateError::NotValidYet => format!("{certificate} is not valid yet; {renew}"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("{certificate} is not valid before {}; {renew}", shown(*not_before))
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("{certificate} is not made for servers: its extended key usage has no serverAuth")
        }
        CertificateError::BadEncoding => format!("{certificate} is malformed"),
        CertificateError::Revoked => format!("{certificate} was revoked"),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            format!(
                "a signature of {certificate} is of a kind that this client does not know, or that its key cannot make"
            )
        }
        CertificateError::UnhandledCriticalExtension => unknown_critical(&certificate),
        CertificateError::Other(other) => {
            let error = &*other.0;
            if let Some(unfit) = error.downcast_ref::<Unfit>() {
                return unfit.to_string();
            }
            if let Some(no_ca) = error.downcast_ref::<NoCa>() {
                return no_ca.to_string();
            }
            match error.downcast_ref::<webpki::Error>() {
                Some(error) => describe_chain(error, &certificate),
                None => format!("{certificate} is not accepted: {error}"),
            }
        }
        error => format!("{certificate} is not accepted: {}", words(error)),
    }
}

/// What rustls has no word of its own for.
fn describe_chain(error: &webpki::Error, certificate: &str) -> String {
    match error {
        webpki::Error::UnsupportedCertVersion => format!(
            "{certificate} is of X.509 version 1, which cannot name the hosts that it is for; it must be made again as \
             version 3"
        ),
        webpki::Error::UnsupportedCriticalExtension => unknown_critical(certificate),
        webpki::Error::CaUsedAsEndEntity => format!(
            "{certificate} is that of a CA, which is accepted only when certificate-authority holds this certificate itself"
        ),
        webpki::Error::EndEntityUsedAsCa => {
            format!("{certificate} is signed by a certificate that is not that of a CA")
        }
        webpki::Error::NameConstraintViolation => {
            format!("{certificate} is made for a name that its CA must not sign for")
        }
        error => format!("{certificate}, or one of its CAs, is not accepted: {}", words(error)),
    }
}

fn unknown_critical(certificate: &str) -> String {
    format!("{certificate} has a critical extension that this client does not know")
}

/// webpki shows names with their kinds, as in `DnsName("example.com")` and `IpAddress(10.0.0.1)`.
fn shown_name(name: &str) -> &str {
    let inside = |kind: &str, end: &str| name.strip_prefix(kind)?.strip_suffix(end);
    inside("DnsName(\"", "\")").or_else(|| inside("IpAddress(", ")")).unwrap_or(name)
}

fn describe_alert(alert: AlertDescription, peer: Peer) -> String {
    let hint = match alert {
        // A client certificate is for the server only.
        _ if peer == Peer::Proxy => "",
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "; it requires a client certificate: set client-certificate and client-key"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => "; it refuses the client certificate: check client-certificate",
        _ => "",
    };
    format!("{peer} ended the connection with the alert \"{}\"{hint}", words(&alert))
}

/// The name of a variant as words: `NoCipherSuitesInCommon` is `no cipher suites in common`.
fn words(variant: &dyn fmt::Debug) -> String {
    let name = format!("{variant:?}");
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = character.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if begins {
            words.push(' ');
        }
        // CA and the like stay as they are.
        let abbreviation = characters.peek().is_none_or(|next| !next.is_ascii_lowercase());
        words.push(if abbreviation { character } else { character.to_ascii_lowercase() });
        before = character;
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, PeerIncompatible, PeerMisbehaved};

    use super::*;

    #[test]
    fn errors_of_tls_are_said_in_words() {
        let other =
            |error: webpki::Error| TlsError::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))));
        for (error, expected) in [
            (
                TlsError::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "the server and this client have no version or method of TLS in common: no cipher suites in common",
            ),
            (
                TlsError::PeerMisbehaved(PeerMisbehaved::TooMuchEarlyDataReceived),
                "the server breaks the rules of TLS: too much early data received",
            ),
            (
                TlsError::AlertReceived(AlertDescription::UnknownCA),
                "the server ended the connection with the alert \"unknown CA\"; it refuses the client certificate: check \
                 client-certificate",
            ),
            (
                TlsError::AlertReceived(AlertDescription::HandshakeFailure),
                "the server ended the connection with the alert \"handshake failure\"",
            ),
            (
                other(webpki::Error::PathLenConstraintViolated),
                "the server's certificate, or one of its CAs, is not accepted: path len constraint violated",
            ),
            (
                other(webpki::Error::UnsupportedCriticalExtension),
                "the server's certificate has a critical extension that this client does not know",
            ),
        ] {
            assert_eq!(describe(&error, Peer::Server), expected);
        }
    }

    #[test]
    fn names_in_a_certificate_can_do_nothing_to_a_terminal() {
        let error = TlsError::InvalidCertificate(CertificateError::NotValidForNameContext {
            expected: "server.example".try_into().unwrap(),
            presented: vec!["DnsName(\"other.example\")".to_owned(), "\u{1b}[2Jx".to_owned()],
        });
        let text = describe(&error, Peer::Server);
        assert!(text.contains("made for other.example, \\u{1b}[2Jx, not for server.example"), "{text}");
    }
}
