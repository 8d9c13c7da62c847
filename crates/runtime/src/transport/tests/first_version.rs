//! Certificates of X.509 version 1, and others that rustls does not read: `openssl x509 -req` without extensions makes
//! the first, and MicroK8s gives them to its users.

use rcgen::{CustomExtension, Issuer, PublicKeyData, SigningKey};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error as TlsError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    server::{
        ClientHello, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{SubjectPublicKeyInfoDer, UnixTime};

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $name, ".pem"))
    };
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let length = match (high, low) {
        (0, 0..=0x7f) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [vec![tag], length, contents].concat()
}

const SEQUENCE: u8 = 0x30;

/// A certificate that ends before there were extensions, signed by a key of P-256.
fn first_version(key: &KeyPair, issuer: &str, issuer_key: &KeyPair, not_after: &str) -> CertificateDer<'static> {
    let name = |name: &str| {
        let attribute = [&[0x06, 3, 0x55, 4, 3][..], &element(0x0c, &[name.as_bytes()])].concat();
        element(SEQUENCE, &[&element(0x31, &[&element(SEQUENCE, &[&attribute])])])
    };
    // ecdsa-with-SHA256
    let algorithm = element(SEQUENCE, &[&[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]]);
    let validity = element(SEQUENCE, &[&element(0x17, &[b"200101000000Z"]), &element(0x17, &[not_after.as_bytes()])]);
    let signed = element(
        SEQUENCE,
        &[&[0x02, 1, 1], &algorithm, &name(issuer), &validity, &name("me"), &key.subject_public_key_info()],
    );
    let signature = issuer_key.sign(&signed).unwrap();
    element(SEQUENCE, &[&signed, &algorithm, &element(0x03, &[&[0], &signature])]).into()
}

fn pem(certificate: &CertificateDer<'_>) -> PemSource {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let text = BASE64_STANDARD.encode(certificate);
    PemSource::text(format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
}

/// Takes any certificate of this key.
#[derive(Debug)]
struct KeyOfClient(SubjectPublicKeyInfoDer<'static>, WebPkiSupportedAlgorithms);

impl ClientCertVerifier for KeyOfClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(TlsError::General("TLS 1.3 is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature_with_raw_key(message, &self.0, signature, &self.1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.supported_schemes()
    }
}

#[tokio::test]
async fn a_client_certificate_of_the_first_version_is_shown_to_the_server_and_proved() {
    let (authority, key, issuer_key) = (Authority::new(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let provider = super::super::tls::provider();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(KeyOfClient(
            key.subject_public_key_info().into(),
            provider.signature_verification_algorithms,
        )))
        .with_cert_resolver(Arc::new(Always::new(
            authority.sign(&issuer_key, &["localhost"]).der().clone(),
            &issuer_key.serialize_pem(),
        )));
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let server = Server::start(Some(tls)).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let own = first_version(&key, "clients", &issuer_key, "400101000000Z");
    let identity =
        |key: &KeyPair| Some(ClientIdentity { certificate: pem(&own), key: PemSource::text(key.serialize_pem()) });
    config.tls.identity = identity(&key);
    assert!(ask(&config).await.unwrap().contains(&format!("client={} ", fingerprint(&own))));

    config.tls.identity = identity(&issuer_key);
    let error = connected(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the client certificate does not belong to the private key"), "{error}");

    let cut = CertificateDer::from(own[..own.len() - 1].to_vec());
    config.tls.identity = Some(ClientIdentity { certificate: pem(&cut), key: PemSource::text(key.serialize_pem()) });
    let error = connected(&config).unwrap_err().to_string();
    assert_eq!(error, "the client certificate is malformed");
}

#[tokio::test]
async fn a_ca_of_the_first_version_signs_within_its_dates() {
    for (not_after, words) in [("400101000000Z", None), ("210101000000Z", Some("expired at 2021-01-01T00:00:00Z"))] {
        let (key, server_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let ca = first_version(&key, "me", &key, not_after);
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "me");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&server_key, &Issuer::new(params, &key)).unwrap();
        let tls = server(vec![leaf.der().clone()], &server_key.serialize_pem(), None);
        match (ask_with(tls, "localhost", Some(pem(&ca))).await, words) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{error}"),
            (answer, _) => panic!("{not_after}: {answer:?}"),
        }
    }
}

/// What rustls would refuse to serve.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl Always {
    fn new(certificate: CertificateDer<'static>, key: &str) -> Self {
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let key = super::super::tls::provider().key_provider.load_private_key(key).unwrap();
        Self(Arc::new(CertifiedKey::new(vec![certificate], key)))
    }
}

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// The certificates of servers, each with its key, that Go connects to when it does not verify them.
fn odd() -> Vec<(&'static str, CertificateDer<'static>, String)> {
    let key = KeyPair::generate().unwrap();
    let mut critical = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.set_criticality(true);
    critical.custom_extensions.push(unknown);
    let fixture = CertificateDer::from_pem_slice(fixture!("v1.crt").as_bytes()).unwrap();
    vec![
        ("version 1, of openssl", fixture, fixture!("ec.pkcs8").to_owned()),
        ("version 1", first_version(&key, "me", &key, "400101000000Z"), key.serialize_pem()),
        ("critical extension", critical.self_signed(&key).unwrap().der().clone(), key.serialize_pem()),
    ]
}

fn serving(
    certificate: &CertificateDer<'static>,
    key: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(super::super::tls::provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always::new(certificate.clone(), key)))
}

async fn ask_unverified(tls: ServerConfig) -> Result<String> {
    let mut config = Server::start(Some(tls)).await.config("https", "localhost");
    config.tls.insecure_skip_verify = true;
    ask(&config).await
}

#[tokio::test]
async fn without_verification_any_certificate_will_do_if_the_server_has_its_key() {
    for version in [&TLS12, &TLS13] {
        for (what, certificate, key) in odd() {
            let answer = ask_unverified(serving(&certificate, &key, version)).await;
            answer.unwrap_or_else(|error| panic!("{what}, {version:?}: {error}"));
            let other = KeyPair::generate().unwrap().serialize_pem();
            let error = ask_unverified(serving(&certificate, &other, version)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{what}, {version:?}: {error}");
            assert!(error.to_string().contains("a signature"), "{what}, {version:?}: {error}");
        }
    }
}

#[tokio::test]
async fn without_verification_the_key_of_a_malformed_certificate_is_not_guessed() {
    let key = KeyPair::generate().unwrap();
    let garbage = CertificateDer::from(vec![SEQUENCE, 3, 1, 2, 3]);
    let error = ask_unverified(serving(&garbage, &key.serialize_pem(), &TLS13)).await.unwrap_err();
    assert!(error.to_string().contains("the server's certificate is malformed"), "{error}");
}

#[tokio::test]
async fn a_server_certificate_that_cannot_be_verified_is_explained() {
    for (what, certificate, key) in odd() {
        let error =
            ask_with(serving(&certificate, &key, &TLS13), "localhost", Some(pem(&certificate))).await.unwrap_err();
        let words =
            if what == "critical extension" { "critical extension that this client" } else { "X.509 version 1" };
        assert!(error.to_string().contains(words), "{what}: {error}");
    }
}
