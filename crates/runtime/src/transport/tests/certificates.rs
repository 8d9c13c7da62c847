//! Which certificates of a server are accepted, and what is said of the others.

use rustls::version::{TLS12, TLS13};

use super::*;

/// A certificate that changes nothing but what it is told to, for localhost and signed by the authority or by itself.
fn certificate(authority: Option<&Authority>, change: impl FnOnce(&mut CertificateParams)) -> (String, ServerConfig) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server");
    change(&mut params);
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, &authority.0).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let tls = server(vec![certificate.der().clone()], &key.serialize_pem(), None);
    (certificate.pem(), tls)
}

#[tokio::test]
async fn names_and_addresses_are_found_in_the_certificate() {
    let authority = Authority::new();
    for host in ["localhost", "127.0.0.1"] {
        let answer = ask_with(authority.server(&["other", host], None), host, Some(authority.pem())).await;
        answer.unwrap_or_else(|error| panic!("{host}: {error}"));
        let error = ask_with(authority.server(&["other"], None), host, Some(authority.pem())).await.unwrap_err();
        assert!(error.to_string().contains("tls-server-name"), "{host}: {error}");
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let key = KeyPair::generate().unwrap();
        let chain = vec![authority.sign(&key, &["localhost"]).der().clone()];
        let mut tls = ServerConfig::builder_with_provider(Arc::new(super::super::tls::provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let answer = ask_with(tls, "localhost", Some(authority.pem())).await.unwrap();
        assert!(answer.starts_with("HTTP/2.0"), "{version:?}: {answer}");
    }
}

#[tokio::test]
async fn without_a_ca_a_private_authority_is_not_trusted() {
    let error = ask_with(Authority::new().server(&["localhost"], None), "localhost", None).await.unwrap_err();
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Connect => assert!(text.contains("check certificate-authority"), "{text}"),
        // A machine without any root certificates cannot even make the client.
        _ => assert!(text.contains("give a CA"), "{text}"),
    }
}

#[tokio::test]
async fn every_certificate_of_the_ca_is_trusted() {
    let (right, other) = (Authority::new(), Authority::named("other"));
    for (first, second) in [(&right, &other), (&other, &right)] {
        let ca = PemSource::text(format!("# two\n{}\n{}", first.0.pem(), second.0.pem()));
        ask_with(right.server(&["localhost"], None), "localhost", Some(ca)).await.unwrap();
    }
}

#[tokio::test]
async fn intermediates_lead_to_the_ca_and_may_be_the_ca() {
    let root = Authority::new();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "intermediate");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let middle = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root.0).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &middle).unwrap();
    let whole = vec![leaf.der().clone(), middle.der().clone()];
    let leaf_only = vec![leaf.der().clone()];
    for (chain, ca, trusted) in [
        (&whole, root.pem(), true),
        (&whole, PemSource::text(middle.pem()), true),
        (&leaf_only, PemSource::text(middle.pem()), true),
        (&leaf_only, root.pem(), false),
    ] {
        let answer = ask_with(server(chain.clone(), &key.serialize_pem(), None), "localhost", Some(ca)).await;
        assert_eq!(answer.is_ok(), trusted, "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_certificate_that_is_given_as_ca_is_accepted_as_go_does() {
    let authority = Authority::new();
    let ca = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let elsewhere = |params: &mut CertificateParams| {
        params.subject_alt_names = CertificateParams::new(vec!["elsewhere".to_owned()]).unwrap().subject_alt_names;
    };
    let not_a_ca = |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa;
    for (what, (given, tls), words) in [
        ("signed by another", certificate(Some(&authority), |_| {}), None),
        ("self-signed", certificate(None, not_a_ca), None),
        ("self-signed CA", certificate(None, ca), None),
        ("signed by another, wrong name", certificate(Some(&authority), elsewhere), Some("tls-server-name")),
        ("signed by another, expired", certificate(Some(&authority), expired), Some("must be renewed")),
        ("signed by another, too new", certificate(Some(&authority), not_yet_valid), Some("must be renewed")),
        (
            "self-signed CA, expired",
            certificate(None, |params| {
                ca(params);
                expired(params);
            }),
            Some("must be renewed"),
        ),
        (
            "self-signed CA, wrong name",
            certificate(None, |params| {
                ca(params);
                elsewhere(params);
            }),
            Some("tls-server-name"),
        ),
    ] {
        match (ask_with(tls, "localhost", Some(PemSource::text(given))).await, words) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{what}: {error}"),
            (answer, _) => panic!("{what}: {answer:?}"),
        }
    }
}

#[tokio::test]
async fn another_certificate_of_the_same_names_is_not_the_one_that_was_given() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (signer, given_by) in [(None, None), (Some(&authority), Some(&other)), (Some(&authority), Some(&authority))] {
        let (_, tls) = certificate(signer, |_| {});
        let (given, _) = certificate(given_by, |_| {});
        let error = ask_with(tls, "localhost", Some(PemSource::text(given))).await.unwrap_err();
        assert!(error.to_string().contains("check certificate-authority"), "{error}");
    }
}

#[tokio::test]
async fn certificates_out_of_date_are_explained() {
    let authority = Authority::new();
    for change in [expired, not_yet_valid] {
        let (_, tls) = certificate(Some(&authority), change);
        let error = ask_with(tls, "localhost", Some(authority.pem())).await.unwrap_err();
        assert!(error.to_string().contains("the clock of this machine"), "{error}");
    }
}
