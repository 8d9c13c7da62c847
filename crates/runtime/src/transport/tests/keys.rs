//! Keys of every kind, in every encoding that they have.

use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/", $name, ".pem"))
    };
}

/// Keys with their kind: each in the form that rcgen reads, and in the form that is given to the client.
fn keys() -> Vec<(&'static str, String, String)> {
    let generated = |algorithm| KeyPair::generate_for(algorithm).unwrap().serialize_pem();
    let mut keys: Vec<_> = [
        ("P-256", generated(&PKCS_ECDSA_P256_SHA256)),
        ("P-384", generated(&PKCS_ECDSA_P384_SHA384)),
        ("Ed25519", generated(&PKCS_ED25519)),
    ]
    .into_iter()
    .map(|(kind, key)| (kind, key.clone(), key))
    .collect();
    for (kind, pkcs8, given) in [
        ("P-256 of OpenSSL", fixture!("ec.pkcs8"), fixture!("ec.pkcs8")),
        ("P-256 in SEC1", fixture!("ec.pkcs8"), fixture!("ec.sec1")),
        ("P-384 of OpenSSL", fixture!("p384.pkcs8"), fixture!("p384.pkcs8")),
        ("P-384 in SEC1", fixture!("p384.pkcs8"), fixture!("p384.sec1")),
        ("RSA", fixture!("rsa.pkcs8"), fixture!("rsa.pkcs8")),
        ("RSA in PKCS#1", fixture!("rsa.pkcs8"), fixture!("rsa.pkcs1")),
    ] {
        keys.push((kind, pkcs8.to_owned(), given.to_owned()));
    }
    keys
}

#[tokio::test]
async fn servers_and_clients_may_have_keys_of_any_kind() {
    let (authority, clients) = (Authority::new(), Authority::new());
    for (kind, pkcs8, given) in keys() {
        let key = KeyPair::from_pem(&pkcs8).unwrap();
        let chain = vec![authority.sign(&key, &["localhost"]).der().clone()];
        let server = Server::start(Some(super::server(chain, &given, Some(clients.0.der().clone())))).await;
        let mut config = server.config("https", "localhost");
        config.tls.ca = Some(authority.pem());
        let certificate = PemSource::text(clients.sign(&key, &["me"]).pem());
        config.tls.identity = Some(ClientIdentity { certificate, key: PemSource::text(given) });
        ask(&config).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

fn p521(key: &str) -> ClientIdentity {
    ClientIdentity { certificate: PemSource::text(fixture!("p521.crt")), key: PemSource::text(key) }
}

#[cfg(feature = "aws-lc-rs")]
#[tokio::test]
async fn servers_and_clients_may_have_keys_of_p521() {
    let certificate = CertificateDer::from_pem_slice(fixture!("p521.crt").as_bytes()).unwrap();
    for key in [fixture!("p521.pkcs8"), fixture!("p521.sec1")] {
        let tls = super::server(vec![certificate.clone()], key, Some(certificate.clone()));
        let server = Server::start(Some(tls)).await;
        let mut config = server.config("https", "localhost");
        config.tls.ca = Some(PemSource::text(fixture!("p521.crt")));
        config.tls.identity = Some(p521(key));
        ask(&config).await.unwrap();
    }
}

#[cfg(not(feature = "aws-lc-rs"))]
#[test]
fn a_key_of_p521_is_refused_with_the_feature_that_it_needs() {
    for key in [fixture!("p521.pkcs8"), fixture!("p521.sec1")] {
        let mut config = Config::new("https://localhost").unwrap();
        config.tls.insecure_skip_verify = true;
        config.tls.identity = Some(p521(key));
        let error = connected(&config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("P-521 the feature `aws-lc-rs`"), "{error}");
    }
}

#[test]
fn a_short_key_of_rsa_is_refused_with_the_length_that_it_needs() {
    let mut config = Config::new("https://localhost").unwrap();
    config.tls.insecure_skip_verify = true;
    config.tls.identity = Some(p521(fixture!("rsa1024.pkcs8")));
    let error = connected(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("RSA needs 2048 bits"), "{error}");
}
