//! TLS as a configuration asks for it, by rustls with a provider of its own: the process-wide one is never touched.

mod failure;
mod identity;
mod retirement;
mod rotation;
mod stream;
mod verify;
mod x509;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    ClientConfig,
    client::danger::ServerCertVerifier,
    crypto::CryptoProvider,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls_platform_verifier::Verifier;

pub(super) use self::{
    failure::{Peer, describe},
    retirement::{Retired, Retirement},
    rotation::Rotation,
    stream::TlsStream,
};
use self::{
    verify::{AcceptAny, AcceptGiven},
    x509::Certificate,
};
use crate::{
    config::{CaBundle, ClientIdentity, PemSource, TlsConfig},
    error::{Error, Result},
};

pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// What the sources of certificates and keys hold at one time.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    ca: Option<CaBundle>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Material {
    pub(super) fn read(ca: Option<&PemSource>, identity: Option<&ClientIdentity>) -> Result<Self> {
        let mut material = Self { ca: ca.map(PemSource::ca).transpose()?, identity: None };
        if let Some(ClientIdentity { certificate, key }) = identity {
            material.identity = Some((certificate.certificates()?, key.private_key()?));
        }
        Ok(material)
    }

    /// Whether it trusts a server at all. A CA in a file that is still empty does not.
    pub(super) fn trusts_nobody(&self) -> bool {
        self.ca.as_ref().is_some_and(|ca| ca.certificates.is_empty())
    }

    /// From when to when the client's certificate is valid.
    fn identity_validity(&self) -> Option<(SystemTime, SystemTime)> {
        let (certificates, _) = self.identity.as_ref()?;
        let (begin, end) = Certificate::parse(certificates.first()?)?.validity()?;
        let time = |time: UnixTime| UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
        Some((time(begin)?, time(end)?))
    }

    /// The same CA with another identity.
    pub(super) fn with_identity(&self, identity: &ClientIdentity) -> Result<Self> {
        Ok(Self { ca: self.ca.clone(), ..Self::read(None, Some(identity))? })
    }
}

/// TLS with the material of one time, ready for handshakes.
pub(super) struct Handshake {
    pub(super) material: Material,
    verifier: Arc<dyn ServerCertVerifier>,
    /// For what HTTP the server likes best.
    pub(super) any_http: Arc<ClientConfig>,
    /// For connections that are upgraded, which HTTP/2 cannot be.
    pub(super) http1: Arc<ClientConfig>,
    /// Of the connections that were made with this.
    pub(super) retirement: Retirement,
}

impl Handshake {
    /// What a configuration asks for, with what its sources hold now.
    pub(super) fn of(config: &TlsConfig, disable_http2: bool) -> Result<Self> {
        let identity = config.identity.as_ref();
        let material = Material::read(config.ca.as_ref(), identity)?;
        let verifier = verifier(config, &material)?;
        Self::new(material, verifier, identity, disable_http2)
    }

    /// `identity` is where the material's came from, for errors to name it.
    pub(super) fn new(
        material: Material,
        verifier: Arc<dyn ServerCertVerifier>,
        identity: Option<&ClientIdentity>,
        disable_http2: bool,
    ) -> Result<Self> {
        let provider = Arc::new(provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| Error::config("TLS cannot be set up").with_source(error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let mut http1 = match (&material.identity, identity) {
            (Some((certificates, key)), Some(source)) => builder.with_client_cert_resolver(identity::resolver(
                certificates.clone(),
                key.clone_key(),
                &provider,
                source,
            )?),
            _ => builder.with_no_client_auth(),
        };
        http1.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let mut any_http = http1.clone();
        if !disable_http2 {
            any_http.alpn_protocols.insert(0, HTTP_2.to_vec());
        }
        let (any_http, http1) = (Arc::new(any_http), Arc::new(http1));
        Ok(Self { material, verifier, any_http, http1, retirement: Retirement::default() })
    }

    /// What decides about the server's certificate, if the material has the same CA: reading all roots of the system
    /// again would be slow.
    pub(super) fn verifier_for(&self, material: &Material) -> Option<Arc<dyn ServerCertVerifier>> {
        (self.material.ca == material.ca).then(|| self.verifier.clone())
    }
}

/// What decides about the server's certificate.
pub(super) fn verifier(config: &TlsConfig, material: &Material) -> Result<Arc<dyn ServerCertVerifier>> {
    let provider = Arc::new(provider());
    Ok(match (config.insecure_skip_verify, &config.ca, &material.ca) {
        (true, Some(_), _) => {
            return Err(Error::config("tls: insecure_skip_verify makes no sense with a CA; remove one of them"));
        }
        (true, None, _) => Arc::new(AcceptAny(provider)),
        (false, Some(source), Some(ca)) => Arc::new(AcceptGiven::new(source, ca, &provider)?),
        (false, ..) => Arc::new(Verifier::new(provider).map_err(|error| {
            Error::config("the root certificates of the system cannot be used; give a CA").with_source(error)
        })?),
    })
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
