//! TLS as a configuration asks for it, by rustls with a provider of its own: the process-wide one is never touched.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

use crate::{
    config::{ClientIdentity, PemSource, TlsConfig},
    error::{Error, Result},
};

pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

pub(super) fn client_config(config: &TlsConfig) -> Result<ClientConfig> {
    let provider = Arc::new(provider());
    let verifier: Arc<dyn ServerCertVerifier> = match (config.insecure_skip_verify, &config.ca) {
        (true, Some(_)) => {
            return Err(Error::config("tls: insecure_skip_verify makes no sense with a CA; remove one of them"));
        }
        (true, None) => Arc::new(AcceptAny(provider.clone())),
        (false, Some(ca)) => trust_only(ca, &provider)?,
        (false, None) => Arc::new(Verifier::new(provider.clone()).map_err(|error| {
            Error::config("the root certificates of the system cannot be used; give a CA").with_source(error)
        })?),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| Error::config("TLS cannot be set up").with_source(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut tls = match &config.identity {
        None => builder.with_no_client_auth(),
        Some(ClientIdentity { certificate, key }) => builder
            .with_client_auth_cert(certificate.certificates()?, key.private_key()?)
            .map_err(|error| Error::config(describe_identity_error(certificate, key, &error)))?,
    };
    tls.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    Ok(tls)
}

#[cfg(feature = "aws-lc-rs")]
pub(super) fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(super) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
pub(super) fn provider() -> CryptoProvider {
    compile_error!("k8s-client needs a crypto provider for TLS: enable the feature `ring` (the default) or `aws-lc-rs`")
}

fn trust_only(ca: &PemSource, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in ca.certificates()? {
        roots
            .add(certificate)
            .map_err(|error| Error::config(format!("{ca}a certificate of the CA is malformed")).with_source(error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| Error::config(format!("{ca}the CA cannot be used")).with_source(error))
}

fn describe_identity_error(certificate: &PemSource, key: &PemSource, error: &TlsError) -> String {
    match error {
        TlsError::InconsistentKeys(_) => {
            format!("{certificate}the client certificate does not belong to the private key")
        }
        TlsError::General(_) => format!(
            "{key}the private key cannot be used: it is damaged, or of a kind that the crypto provider does not know \
             (P-521 needs the feature `aws-lc-rs`): {error}"
        ),
        error => format!("{certificate}the client certificate cannot be used: {error}"),
    }
}

/// Accepts every certificate, and still has the server prove that it holds the certificate's key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

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
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
