//! The client's own certificate, which is of any version: the server decides about it.

use std::sync::Arc;

use rustls::{
    client::ResolvesClientCert,
    crypto::CryptoProvider,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::x509::{self, Certificate};
use crate::{
    config::ClientIdentity,
    error::{Error, Result},
};

/// Offers the certificates to servers. `source` is where they came from, for errors to name it.
///
/// rustls' own way to the same would read the certificate as if it were a server's: of version 3 only.
pub(super) fn resolver(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
    source: &ClientIdentity,
) -> Result<Arc<dyn ResolvesClientCert>> {
    let ClientIdentity { certificate: certificate_source, key: key_source } = source;
    let key = provider.key_provider.load_private_key(key).map_err(|error| {
        Error::config(format!(
            "{key_source}the private key cannot be used: it is damaged, or of a kind that the crypto provider does not \
             know (RSA needs 2048 bits at least, and P-521 the feature `aws-lc-rs`): {error}"
        ))
    })?;
    let malformed = || Error::config(format!("{certificate_source}the client certificate is malformed"));
    let own = certificates.first().and_then(|own| Certificate::parse(own)).ok_or_else(malformed)?.public_key();
    // A key that does not tell its public part is left to the server.
    if let Some(public) = key.public_key()
        && x509::key_bits(&public) != x509::key_bits(&own)
    {
        let problem = "the client certificate does not belong to the private key";
        return Err(Error::config(format!("{certificate_source}{problem}")));
    }
    drop(own);
    Ok(Arc::new(SingleCertAndKey::from(CertifiedKey::new(certificates, key))))
}
