//! Certificates and keys as configurations give them: PEM, in a file or in the configuration itself.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use secrecy::{ExposeSecret, SecretString};

use super::file;
use crate::error::{Error, Result};

/// PEM text, or the file that holds it.
///
/// A file is read when a client is made, and again while the client lives. The text is never shown by `Debug`.
#[derive(Clone)]
#[non_exhaustive]
pub enum PemSource {
    /// The file of this path.
    File(PathBuf),
    /// This text.
    Text(SecretString),
}

impl PemSource {
    /// PEM text from memory.
    pub fn text(pem: impl Into<String>) -> Self {
        Self::Text(SecretString::from(pem.into()))
    }

    /// All certificates, in order. None at all is an error.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let text = self.read()?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(text.expose_secret().as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| self.malformed(&error))?;
        if certificates.is_empty() {
            return Err(Error::config(format!("{self}no certificate in it (expected -----BEGIN CERTIFICATE-----)")));
        }
        Ok(certificates)
    }

    /// The first private key.
    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>> {
        let text = self.read()?;
        let text = text.expose_secret();
        PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
            // The second is how OpenSSL wrote encrypted keys before PKCS#8.
            _ if text.contains("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") => {
                Error::config(format!("{self}the private key is encrypted, which is not supported; decrypt it first"))
            }
            pem::Error::NoItemsFound => Error::config(format!(
                "{self}no private key in it (expected -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)"
            )),
            error => self.malformed(&error),
        })
    }

    pub(crate) fn read(&self) -> Result<SecretString> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => read_file(path),
        }
    }

    /// pem's own errors quote the line they stumbled over, which may be a part of a key.
    fn malformed(&self, error: &pem::Error) -> Error {
        let what = match error {
            pem::Error::MissingSectionEnd { .. } => "an -----END line is missing",
            pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is malformed",
            pem::Error::Base64Decode(_) => "it is not base64 between its BEGIN and END lines",
            _ => "it is not PEM",
        };
        Error::config(format!("{self}{what}"))
    }
}

fn read_file(path: &Path) -> Result<SecretString> {
    let bytes = file::read(path).map_err(|error| Error::config(path.display().to_string()).with_source(error))?;
    // Comments between the PEM sections may be in any encoding.
    Ok(SecretString::from(String::from_utf8_lossy(&bytes).into_owned()))
}

/// `path: ` for a file and nothing for text, to stand before what is wrong.
impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}: ", path.display()),
            Self::Text(_) => Ok(()),
        }
    }
}

impl fmt::Debug for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text([REDACTED])"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_key_is_said_to_be_encrypted_in_both_forms() {
        for (name, headers) in [
            ("ENCRYPTED PRIVATE KEY", ""),
            ("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"),
            ("EC PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\n"),
        ] {
            let pem = format!("-----BEGIN {name}-----\n{headers}AAAA\n-----END {name}-----\n");
            let error = PemSource::text(pem).private_key().unwrap_err().to_string();
            assert!(error.contains("is encrypted"), "{name}: {error}");
        }
    }
}
