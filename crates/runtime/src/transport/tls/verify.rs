//! Which certificates of a server are accepted.

use std::{cell::RefCell, fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, PeerMisbehaved, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
        verify_tls13_signature_with_raw_key,
    },
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, RawPublicKeyEntity, VerifiedPath};

use super::x509::{self, Certificate, Limits};
use crate::{
    config::{CaBundle, PemSource},
    error::{Error, Result},
};

/// Accepts what the given certificates signed and, as Go does, these certificates themselves.
///
/// Each is believed as what it is and within its dates, which webpki leaves to its caller: a server's certificate that
/// was given does not make its holder a CA, and a CA ends when its time is over.
#[derive(Debug)]
pub(super) struct AcceptGiven {
    given: Vec<(CertificateDer<'static>, Limits)>,
    /// Of each given certificate, in order.
    anchors: Vec<TrustAnchor<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Where the certificates are from, to stand before what is wrong.
    source: String,
}

impl AcceptGiven {
    /// What cannot be used is passed over if there are others, as in Go. `source` stands before what is wrong.
    pub(super) fn new(source: &PemSource, ca: &CaBundle, provider: &CryptoProvider) -> Result<Self> {
        let (mut given, mut anchors) = (Vec::new(), Vec::new());
        for certificate in &ca.certificates {
            let parsed = Certificate::parse(certificate).and_then(|certificate| certificate.as_anchor());
            if let Some((anchor, limits)) = parsed {
                anchors.push(anchor);
                given.push((certificate.clone(), limits));
            }
        }
        let malformed = ca.certificates.len() - given.len();
        if given.is_empty() && malformed > 0 {
            return Err(Error::config(format!("{source}the certificate of the CA is malformed")));
        }
        let unusable = ca.unusable + malformed;
        if unusable > 0 {
            tracing::warn!(ca = ?source, unusable, used = given.len(), "the CA has certificates that cannot be used");
        }
        let source = source.to_string();
        Ok(Self { given, anchors, algorithms: provider.signature_verification_algorithms, source })
    }

    /// Decides about a server's certificate that is one of the given: nobody else has to have signed it.
    fn verify_given(limits: &Limits, now: UnixTime) -> Result<(), TlsError> {
        let (not_before, not_after) = (limits.not_before, limits.not_after);
        let error = if now < not_before {
            CertificateError::NotValidYetContext { time: now, not_before }
        } else if now > not_after {
            CertificateError::ExpiredContext { time: now, not_after }
        } else if !limits.serves {
            CertificateError::InvalidPurpose
        } else {
            return Ok(());
        };
        Err(error.into())
    }

    fn verify_signed(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TlsError> {
        // Of the first chain that failed by its CA only. Another chain may be good: an authority is renewed with its
        // old key.
        let unfit = RefCell::new(None);
        let fit = |path: &VerifiedPath<'_>| {
            let mut anchors = self.anchors.iter().zip(&self.given);
            let found = anchors.find(|(anchor, _)| std::ptr::eq(*anchor, path.anchor()));
            let (_, (_, limits)) = found.ok_or(webpki::Error::UnknownIssuer)?;
            // webpki wants intermediate certificates to be CAs, and leaves it open what their keys are for.
            let is_signer = |signer: &webpki::Cert<'_>| Certificate::parse(&signer.der()).is_some_and(|it| it.signs());
            let problem = if path.intermediate_certificates().all(is_signer) {
                Unfit::find(limits, path.intermediate_certificates().count(), now)
            } else {
                Some(Unfit::NotACa)
            };
            match problem {
                None => Ok(()),
                Some(problem) => {
                    unfit.borrow_mut().get_or_insert(problem);
                    Err(webpki::Error::UnknownIssuer)
                }
            }
        };
        let usage = webpki::KeyUsage::server_auth();
        let chain = EndEntityCert::try_from(certificate).and_then(|certificate| {
            let algorithms = self.algorithms.all;
            certificate
                .verify_for_usage(algorithms, &self.anchors, intermediates, now, usage, None, Some(&fit))
                .map(|_| ())
        });
        chain.map_err(|error| match unfit.into_inner() {
            Some(unfit) => other(unfit),
            None => refusal(error),
        })
    }
}

impl ServerCertVerifier for AcceptGiven {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if self.given.is_empty() {
            return Err(other(NoCa { source: self.source.clone() }));
        }
        match self.given.iter().find(|(given, _)| given == end_entity) {
            Some((_, limits)) => Self::verify_given(limits, now)?,
            None => self.verify_signed(end_entity, intermediates, now)?,
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a given certificate does not count as the CA of a certificate that it signed.
#[derive(Debug)]
pub(super) enum Unfit {
    NotYetValid(UnixTime),
    Expired(UnixTime),
    NotACa,
    Purpose,
    Intermediates(u64),
    UnknownCritical,
}

impl Unfit {
    fn find(limits: &Limits, intermediates: usize, now: UnixTime) -> Option<Self> {
        let max_intermediates = limits.max_intermediates.unwrap_or(u64::MAX);
        if !limits.signs {
            Some(Self::NotACa)
        } else if limits.unknown_critical {
            Some(Self::UnknownCritical)
        } else if now < limits.not_before {
            Some(Self::NotYetValid(limits.not_before))
        } else if now > limits.not_after {
            Some(Self::Expired(limits.not_after))
        } else if intermediates as u64 > max_intermediates {
            Some(Self::Intermediates(max_intermediates))
        } else {
            (!limits.serves).then_some(Self::Purpose)
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ca = "the CA that signed the server's certificate";
        match self {
            Self::NotYetValid(time) => {
                write!(f, "{ca} is not valid before {}; the clock of this machine may be wrong", x509::shown(*time))
            }
            Self::Expired(time) => {
                write!(f, "{ca} expired at {}; it must be renewed, here and in the cluster", x509::shown(*time))
            }
            Self::NotACa => f.write_str(
                "the server's certificate is signed by a certificate that must not sign others; certificate-authority \
                 must hold a CA, or the server's certificate itself",
            ),
            Self::Purpose => write!(f, "{ca} is not made for servers (its extended key usage has no serverAuth)"),
            Self::Intermediates(max) => write!(f, "{ca} allows {max} intermediate certificates, and there are more"),
            Self::UnknownCritical => write!(f, "{ca} has a critical extension that this client does not know"),
        }
    }
}

impl std::error::Error for Unfit {}

/// There is no CA yet.
#[derive(Debug)]
pub(super) struct NoCa {
    source: String,
}

impl fmt::Display for NoCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        write!(f, "{source}the file of certificate-authority is empty, so no server is trusted; it is read again")
    }
}

impl std::error::Error for NoCa {}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> TlsError {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}

/// The same error as rustls makes of it, which decides about the alert that the server gets.
fn refusal(error: webpki::Error) -> TlsError {
    match error {
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        webpki::Error::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        webpki::Error::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        webpki::Error::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        error => return other(error),
    }
    .into()
}

/// Accepts every certificate, and still has the server prove that it holds the certificate's key.
///
/// The key is taken out of the certificate without webpki, which refuses those of version 1 and those with critical
/// extensions that it does not know. Go, told to accept every certificate, accepts them.
#[derive(Debug)]
pub(super) struct AcceptAny(pub(super) Arc<CryptoProvider>);

impl AcceptAny {
    fn key<'a>(certificate: &'a CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'a>, TlsError> {
        let certificate = Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
        Ok(certificate.public_key())
    }
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let known = self.0.signature_verification_algorithms.mapping;
        let Some((_, algorithms)) = known.iter().find(|(scheme, _)| *scheme == signature.scheme) else {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        };
        let key = Self::key(certificate)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(refusal)?;
        // Before TLS 1.3, the scheme of a signature leaves its curve open.
        let mut algorithms = algorithms.iter();
        if algorithms.any(|algorithm| key.verify_signature(*algorithm, message, signature.signature()).is_ok()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let key = Self::key(certificate)?;
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

    use super::*;
    use crate::transport::tls::provider;

    #[test]
    fn dates_are_looked_at_in_each_handshake() {
        const YEAR: u64 = 365 * 24 * 60 * 60;
        let within = |from, to| {
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
            params
        };
        let mut ca = within(2000, 2020);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let leaf = within(1990, 2030).signed_by(&KeyPair::generate().unwrap(), &ca).unwrap();
        let own = within(2000, 2020).self_signed(&KeyPair::generate().unwrap()).unwrap();
        let given = PemSource::text(ca.pem() + &own.pem());
        let verifier = AcceptGiven::new(&given, &given.ca().unwrap(), &provider()).unwrap();
        for (year, trusted) in [(1995, false), (2010, true), (2025, false)] {
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs((year - 1970) * YEAR));
            for certificate in [leaf.der(), own.der()] {
                let name = ServerName::try_from("localhost").unwrap();
                let answer = verifier.verify_server_cert(certificate, &[], &name, &[], now);
                assert_eq!(answer.is_ok(), trusted, "{year}: {answer:?}");
            }
        }
    }
}
