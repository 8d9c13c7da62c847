//! What is given as CA is believed as what it is and within its dates, as Go's crypto/x509 does.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose as Purpose, Issuer, KeyUsagePurpose};

use super::*;

/// A server for localhost whose certificate the issuer signed, and the certificates that it sends after its own.
fn signed(issuer: &Issuer<'_, KeyPair>, intermediates: &[&CertificateDer<'static>]) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let mut chain = vec![params.signed_by(&key, issuer).unwrap().der().clone()];
    chain.extend(intermediates.iter().map(|certificate| (*certificate).clone()));
    server(chain, &key.serialize_pem(), None)
}

fn critical(params: &mut CertificateParams) {
    let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.set_criticality(true);
    params.custom_extensions.push(unknown);
}

/// Connects to a server of this TLS, and holds what comes of it against the words of the error, if there is to be one.
async fn check(what: &str, ca: String, tls: ServerConfig, words: Option<&str>) {
    match (ask_with(tls, "localhost", Some(PemSource::text(ca))).await, words) {
        (Ok(_), None) => {}
        (Err(error), Some(words)) => {
            assert_eq!(error.kind(), ErrorKind::Connect, "{what}: {error}");
            assert!(error.to_string().contains(words), "{what}: {error}");
        }
        (answer, _) => panic!("{what}: {answer:?}"),
    }
}

#[tokio::test]
async fn a_ca_signs_within_its_dates_and_for_what_it_is_made_for() {
    const NOT_A_CA: Option<&str> = Some("must not sign others");
    const NOT_FOR_SERVERS: Option<&str> = Some("is not made for servers");
    type Change = fn(&mut CertificateParams);
    let rows: [(&str, Change, Option<&str>); 15] = [
        ("a CA", |_| {}, None),
        ("expired", expired, Some("expired at 2002-01-01T00:00:00Z")),
        ("too new", not_yet_valid, Some("is not valid before 2901-01-01T00:00:00Z")),
        ("until the end of time", |params| params.not_after = date_time_ymd(9999, 12, 31), None),
        ("not a CA", |params| params.is_ca = IsCa::ExplicitNoCa, NOT_A_CA),
        ("does not say what it is", |params| params.is_ca = IsCa::NoCa, NOT_A_CA),
        (
            "a server's certificate",
            |params| {
                params.is_ca = IsCa::ExplicitNoCa;
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                params.subject_alt_names =
                    CertificateParams::new(vec!["other.example".to_owned()]).unwrap().subject_alt_names;
            },
            NOT_A_CA,
        ),
        ("signs lists only", |params| params.key_usages = vec![KeyUsagePurpose::CrlSign], NOT_A_CA),
        ("signs both", |params| params.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::KeyCertSign], None),
        ("for clients", |params| params.extended_key_usages = vec![Purpose::ClientAuth], NOT_FOR_SERVERS),
        (
            "for clients and servers",
            |params| params.extended_key_usages = vec![Purpose::ClientAuth, Purpose::ServerAuth],
            None,
        ),
        ("for anything", |params| params.extended_key_usages = vec![Purpose::Any], None),
        ("with a critical extension that nobody knows", critical, Some("critical extension")),
        ("for no other CA", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)), None),
        (
            "for other names",
            |params| {
                params.name_constraints = Some(rcgen::NameConstraints {
                    permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example".to_owned())],
                    excluded_subtrees: Vec::new(),
                });
            },
            Some("must not sign for"),
        ),
    ];
    for (what, change, words) in rows {
        let authority = Authority::with(change);
        check(what, authority.0.pem(), signed(&authority.0, &[]), words).await;
    }
}

#[tokio::test]
async fn a_certificate_that_another_ca_issued_is_not_a_ca_because_it_was_given() {
    let authority = Authority::new();
    let given = |is_ca| {
        CertifiedIssuer::signed_by(
            Authority::params(|params| {
                params.distinguished_name.push(DnType::CommonName, "given");
                params.is_ca = is_ca;
            }),
            KeyPair::generate().unwrap(),
            &authority.0,
        )
        .unwrap()
    };
    let leaf = given(IsCa::ExplicitNoCa);
    check("a leaf", leaf.pem(), signed(&leaf, &[]), Some("must not sign others")).await;
    let middle = given(IsCa::Ca(BasicConstraints::Unconstrained));
    check("an intermediate CA", middle.pem(), signed(&middle, &[]), None).await;
}

#[tokio::test]
async fn a_ca_allows_as_many_others_below_it_as_it_says() {
    for (max, words) in [(0, Some("allows 0 intermediate certificates")), (1, None)] {
        let root = Authority::with(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(max)));
        let params = Authority::params(|params| params.distinguished_name.push(DnType::CommonName, "intermediate"));
        let middle = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root.0).unwrap();
        check("one below", root.0.pem(), signed(&middle, &[middle.der()]), words).await;
    }
}

#[tokio::test]
async fn an_intermediate_certificate_signs_only_if_its_key_is_for_that() {
    let root = Authority::new();
    for (usages, words) in [
        (vec![], None),
        (vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign], None),
        (vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign], Some("must not sign others")),
    ] {
        let params = Authority::params(|params| {
            params.distinguished_name.push(DnType::CommonName, "intermediate");
            params.key_usages = usages;
        });
        let middle = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root.0).unwrap();
        check("one below", root.0.pem(), signed(&middle, &[middle.der()]), words).await;
    }
}

#[tokio::test]
async fn a_renewed_ca_is_found_beside_the_old_one() {
    let key = KeyPair::generate().unwrap();
    let [old, new] =
        [Authority::params(expired), Authority::params(|_| {})].map(|params| params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(Authority::params(|_| {}), &key);
    let server = || {
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&leaf_key, &issuer).unwrap();
        super::server(vec![leaf.der().clone()], &leaf_key.serialize_pem(), None)
    };
    check("old, new", format!("{old}{new}"), server(), None).await;
    check("new, old", format!("{new}{old}"), server(), None).await;
    check("old", old, server(), Some("expired")).await;
}

#[tokio::test]
async fn a_cross_signed_ca_leads_to_either_of_its_signers() {
    let other = Authority::named("other CA");
    for (change, words) in [((|_| {}) as fn(&mut CertificateParams), None), (expired, Some("expired"))] {
        let authority = Authority::with(change);
        let crossed = Authority::params(|_| {}).signed_by(authority.0.key(), &other.0).unwrap();
        let tls = || signed(&authority.0, &[crossed.der()]);
        check("its own", authority.0.pem(), tls(), words).await;
        check("the other's", other.0.pem(), tls(), None).await;
        check("both", format!("{}{}", authority.0.pem(), other.0.pem()), tls(), None).await;
    }
}

#[tokio::test]
async fn a_given_certificate_of_the_server_itself_must_be_made_for_servers() {
    for (purposes, words) in [
        (vec![], None),
        (vec![Purpose::ServerAuth], None),
        (vec![Purpose::ClientAuth], Some("is not made for servers")),
    ] {
        for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::ExplicitNoCa] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            (params.is_ca, params.extended_key_usages) = (is_ca, purposes.clone());
            let own = params.self_signed(&key).unwrap();
            let tls = server(vec![own.der().clone()], &key.serialize_pem(), None);
            check(&format!("{purposes:?}"), own.pem(), tls, words).await;
        }
    }
}

#[tokio::test]
async fn certificates_of_servers_may_stand_beside_a_ca() {
    let authority = Authority::new();
    let other = Authority::with(|params| params.is_ca = IsCa::ExplicitNoCa);
    check("", format!("{}{}", other.0.pem(), authority.0.pem()), signed(&authority.0, &[]), None).await;
}

#[tokio::test]
async fn what_cannot_be_used_beside_a_ca_is_passed_over() {
    const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    const NOT_BASE64: &str = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
    let authority = Authority::new();
    let pem = authority.0.pem();
    for ca in
        [format!("{NO_CERTIFICATE}{pem}"), format!("{pem}{NOT_BASE64}"), format!("{NOT_BASE64}{NO_CERTIFICATE}{pem}")]
    {
        check(&ca.clone(), ca, signed(&authority.0, &[]), None).await;
    }
    for (ca, words) in [(NO_CERTIFICATE, "is malformed"), (NOT_BASE64, "not base64")] {
        let error = ask_with(signed(&authority.0, &[]), "localhost", Some(PemSource::text(ca))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}
