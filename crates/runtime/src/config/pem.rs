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

use crate::{
    error::{Error, Result},
    file,
};

/// PEM text, or the file that holds it.
///
/// A file is read when a client is made, and again while the client lives. The text is never shown by `Debug`.
///
/// ```
/// use k8s_client_runtime::config::PemSource;
///
/// let mounted = PemSource::File("/etc/tls/ca.crt".into());
/// let built_in = PemSource::text("-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n");
/// assert_eq!(format!("{mounted:?} {built_in:?}"), r#"File("/etc/tls/ca.crt") Text([REDACTED])"#);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum PemSource {
    /// The file of this path.
    File(PathBuf),
    /// This text.
    Text(SecretString),
}

/// The certificates of a CA.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CaBundle {
    /// In order. None from a file that is still empty.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    /// How many blocks beside them were passed over.
    pub(crate) unusable: usize,
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
            return Err(self.no_certificate());
        }
        Ok(certificates)
    }

    /// The certificates of a CA. A block that cannot be read is passed over if there are others, as in Go. An empty
    /// file is no error: whoever fills it may come later.
    pub(crate) fn ca(&self) -> Result<CaBundle> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let text = self.read()?;
        let text = text.expose_secret();
        let (mut certificates, mut problems) = (Vec::new(), Vec::new());
        for (start, _) in text.match_indices(BEGIN) {
            let block = &text[start..];
            // The next block begins another attempt if this one does not end.
            let end = block[BEGIN.len()..].find("-----BEGIN ").map_or(block.len(), |end| BEGIN.len() + end);
            match CertificateDer::from_pem_slice(&block.as_bytes()[..end]) {
                Ok(certificate) => certificates.push(certificate),
                Err(problem) => problems.push(problem),
            }
        }
        match (&certificates[..], &problems[..]) {
            ([], [problem, ..]) => Err(self.malformed(problem)),
            ([], []) if !self.is_empty_file(text) => Err(self.no_certificate()),
            _ => Ok(CaBundle { certificates, unusable: problems.len() }),
        }
    }

    fn is_empty_file(&self, text: &str) -> bool {
        matches!(self, Self::File(_)) && text.trim().is_empty()
    }

    fn no_certificate(&self) -> Error {
        Error::config(format!("{self}no certificate in it (expected -----BEGIN CERTIFICATE-----)"))
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
    let bytes = file::read(path).map_err(|error| Error::config(file::shown(path)).with_source(error))?;
    // Comments between the PEM sections may be in any encoding.
    Ok(SecretString::from(String::from_utf8_lossy(&bytes).into_owned()))
}

/// `path: ` for a file and nothing for text, to stand before what is wrong.
impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}: ", file::shown(path)),
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
    fn blocks_of_a_ca_that_cannot_be_read_are_passed_over_while_others_are_good() {
        let good = rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem();
        let damaged = good.replacen("MII", "M*I", 1);
        let endless = good.split_once("-----END").unwrap().0;
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (text, expected) in [
            (good.clone(), (1, 0)),
            (format!("# ours\r\n{}{key}{good}", good.replace('\n', "\r\n")), (2, 0)),
            (format!("{damaged}{good}"), (1, 1)),
            (format!("{good}{damaged}{endless}"), (1, 2)),
            (format!("{endless}{good}"), (1, 1)),
            (format!("{good}{}", &good[..good.len() / 2]), (1, 1)),
        ] {
            let bundle = PemSource::text(text.as_str()).ca().unwrap_or_else(|error| panic!("{text}\n{error}"));
            assert_eq!((bundle.certificates.len(), bundle.unusable), expected, "{text}");
        }
        for (text, words) in [
            (damaged.as_str(), "not base64"),
            (endless, "END line is missing"),
            (key, "no certificate in it"),
            ("", "no certificate in it"),
        ] {
            let error = PemSource::text(text).ca().err().unwrap().to_string();
            assert!(error.contains(words), "{text}\n{error}");
        }
    }

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
