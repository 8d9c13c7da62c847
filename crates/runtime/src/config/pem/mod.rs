//! Certificates and keys as configurations give them: PEM, in a file or in the configuration itself.

mod blocks;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};

use self::blocks::blocks;
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

/// Certificates that stand in one place, such as those of a CA.
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

    /// The certificates of a client, in order. None at all is an error. A block that cannot be read is passed over if
    /// there are others, as in Go.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let CaBundle { certificates, unusable } = self.bundle(self.read()?.expose_secret())?;
        if unusable > 0 {
            tracing::warn!(certificate = ?self, unusable, used = certificates.len(), "blocks of it cannot be read");
        }
        Ok(certificates)
    }

    /// The certificates of a CA. A block that cannot be read is passed over if there are others, as in Go. An empty
    /// file is no error: whoever fills it may come later.
    pub(crate) fn ca(&self) -> Result<CaBundle> {
        let text = self.read()?;
        let text = text.expose_secret();
        if self.is_empty_file(text) {
            return Ok(CaBundle { certificates: Vec::new(), unusable: 0 });
        }
        self.bundle(text)
    }

    /// The certificates of a text, of which there must be one.
    fn bundle(&self, text: &str) -> Result<CaBundle> {
        let (mut certificates, mut problems) = (Vec::new(), Vec::new());
        for block in blocks(text).filter(|block| block.label == "CERTIFICATE") {
            match block.content {
                Ok(certificate) => certificates.push(certificate.into()),
                Err(problem) => problems.push(problem),
            }
        }
        match (&certificates[..], &problems[..]) {
            ([], [problem, ..]) => Err(self.malformed(problem)),
            ([], []) => Err(self.malformed("no certificate in it (expected -----BEGIN CERTIFICATE-----)")),
            _ => Ok(CaBundle { certificates, unusable: problems.len() }),
        }
    }

    fn is_empty_file(&self, text: &str) -> bool {
        matches!(self, Self::File(_)) && text.trim().is_empty()
    }

    /// The first private key. In which form it is, PKCS#8, PKCS#1 or SEC1, its content says and not its label, as in
    /// Go.
    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>> {
        let text = self.read()?;
        let mut problem = None;
        for block in blocks(text.expose_secret()).filter(|block| block.label.ends_with("PRIVATE KEY")) {
            let wrong = if block.is_encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
                "the private key is encrypted, which is not supported; decrypt it first"
            } else {
                match block.content.map(PrivateKeyDer::try_from) {
                    Ok(Ok(key)) => return Ok(key),
                    Ok(Err(_)) => "the private key cannot be used: it is neither PKCS#8, PKCS#1 nor SEC1",
                    Err(problem) => problem,
                }
            };
            problem.get_or_insert(wrong);
        }
        Err(self.malformed(problem.unwrap_or(
            "no private key in it (expected -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY)",
        )))
    }

    pub(crate) fn read(&self) -> Result<SecretString> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => read_file(path),
        }
    }

    fn malformed(&self, problem: &str) -> Error {
        Error::config(format!("{self}{problem}"))
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
    fn pem_is_read_as_leniently_as_go_reads_it() {
        let made = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let certificate = made.cert.pem();
        let key = made.signing_key.serialize_pem();
        for (what, change) in [
            ("Windows lines", (|pem| pem.replace('\n', "\r\n")) as fn(&str) -> String),
            ("lines of old Macs", |pem| pem.replace('\n', "\r")),
            ("blanks at the ends of lines", |pem| pem.replace('\n', "\t \n")),
            ("indented", |pem| format!("  {}", pem.replace('\n', "\n  "))),
            ("empty lines", |pem| pem.replace('\n', "\n\n")),
            ("headers", |pem| pem.replacen("-----\n", "-----\nsubject: CN=me\nA:\n\n", 1)),
            ("headers without an empty line", |pem| pem.replacen("-----\n", "-----\nName: me\n", 1)),
            ("text around it", |pem| format!("\u{feff}Bag Attributes: \u{fffd}\n{pem}-----\n-----BEGIN\n")),
            ("a block without end in front", |pem| format!("{}\n{pem}", pem.split_once("-----END").unwrap().0)),
            ("a block without end behind", |pem| format!("{pem}{}", pem.split_once("-----END").unwrap().0)),
            ("a damaged block in front", |pem| format!("{}{pem}", pem.replace('M', "M*"))),
        ] {
            let read = |pem: &str| PemSource::text(change(pem));
            assert_eq!(read(&certificate).certificates().unwrap(), [made.cert.der().clone()], "{what}");
            assert_eq!(read(&certificate).ca().unwrap().certificates.len(), 1, "{what}");
            assert_eq!(read(&key).private_key().unwrap().secret_der(), made.signing_key.serialized_der(), "{what}");
        }
    }

    #[test]
    fn what_a_private_key_is_counts_and_not_what_its_label_says() {
        let fixture = |name: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
            std::fs::read_to_string(path).unwrap()
        };
        for (name, is_right) in [
            ("ec.pkcs8.pem", (|key| matches!(key, PrivateKeyDer::Pkcs8(_))) as fn(&PrivateKeyDer<'_>) -> bool),
            ("rsa.pkcs8.pem", |key| matches!(key, PrivateKeyDer::Pkcs8(_))),
            ("rsa.pkcs1.pem", |key| matches!(key, PrivateKeyDer::Pkcs1(_))),
            ("ec.sec1.pem", |key| matches!(key, PrivateKeyDer::Sec1(_))),
        ] {
            let pem = fixture(name);
            for label in ["", "RSA ", "EC ", "ANY "] {
                let plain = pem.replace("RSA PRIVATE", "PRIVATE").replace("EC PRIVATE", "PRIVATE");
                let key = PemSource::text(plain.replace("PRIVATE", &format!("{label}PRIVATE"))).private_key();
                assert!(key.is_ok_and(|key| is_right(&key)), "{label}{name}");
            }
        }
        let damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let error = PemSource::text(damaged).private_key().unwrap_err().to_string();
        assert!(error.contains("neither PKCS#8, PKCS#1 nor SEC1"), "{error}");
        let behind = PemSource::text(format!("{damaged}{}", fixture("ec.sec1.pem")));
        assert!(behind.private_key().is_ok());
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
