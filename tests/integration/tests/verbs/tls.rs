//! How the server and the client are authenticated by certificates, with those of the real control plane.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_client::{
    Clientset, Config, ErrorKind,
    config::{ClientIdentity, PemSource},
};
use k8s_client_integration_tests::{Test, TestResult, config_of, field, object};
use k8s_client_test_harness::{ADMIN_CONTEXT, TOKEN_CONTEXT};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use serde_json::json;
use tokio::time::sleep;

use crate::pod;

/// The token's configuration, for the same server by another host name.
fn config_by(host: &str) -> TestResult<Config> {
    let mut config = config_of(TOKEN_CONTEXT);
    let port = config.server.port_u16().ok_or("the control plane's URL has a port")?;
    config.server = format!("https://{host}:{port}").parse()?;
    Ok(config)
}

/// Who the server says that the client is.
async fn user(client: &Clientset) -> TestResult<String> {
    let review = client.authentication_v1().self_subject_reviews().create(&object(json!({}))).await?;
    Ok(field(&review, "/status/userInfo/username").as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_server_is_known_by_its_addresses_and_names() -> TestResult {
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(user(&Clientset::new(&config_by(host)?)?).await?, "admin", "{host}");
    }
    Ok(())
}

#[tokio::test]
async fn tls_server_name_is_what_counts() -> TestResult {
    let mut config = config_by("127.0.0.1")?;
    config.tls.server_name = Some("localhost".to_owned());
    user(&Clientset::new(&config)?).await?;
    config.tls.server_name = Some("elsewhere.example".to_owned());
    let error = Clientset::new(&config)?.core_v1().namespaces().get("default").await.expect_err("another name");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("tls-server-name"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_ca_is_refused_with_what_to_check_unless_nothing_is_verified() -> TestResult {
    let key = KeyPair::generate()?;
    let other = CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&key)?;
    let mut config = config_of(TOKEN_CONTEXT);
    for ca in [Some(PemSource::text(other.pem())), None] {
        config.tls.ca = ca;
        let error = Clientset::new(&config)?.core_v1().namespaces().get("default").await.expect_err("another CA");
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("check certificate-authority"), "{error}");
    }
    config.tls.insecure_skip_verify = true;
    assert_eq!(user(&Clientset::new(&config)?).await?, "admin");
    Ok(())
}

/// The key of the control plane's CA, which lies beside its certificate; a cluster of somebody else does not give it.
fn ca_key() -> Option<PathBuf> {
    let PemSource::File(ca) = config_of(ADMIN_CONTEXT).tls.ca? else { return None };
    Some(ca.with_extension("key")).filter(|key| key.exists())
}

/// Writes a certificate and key for the user.
fn write_identity(folder: &Path, ca_key: &Path, user: &str) -> TestResult {
    let mut ca = CertificateParams::default();
    // As the harness names it.
    ca.distinguished_name.push(DnType::CommonName, "k8s-client test control plane");
    let ca = Issuer::new(ca, KeyPair::from_pem(&fs::read_to_string(ca_key)?)?);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    fs::write(folder.join("certificate"), params.signed_by(&key, &ca)?.pem())?;
    fs::write(folder.join("key"), key.serialize_pem())?;
    Ok(())
}

#[tokio::test]
async fn a_client_becomes_whom_its_renewed_certificate_names() -> TestResult {
    let Some(ca_key) = ca_key() else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    write_identity(folder.path(), &ca_key, "first")?;
    let mut config = config_of(ADMIN_CONTEXT);
    let file = |name| PemSource::File(folder.path().join(name));
    config.tls.identity = Some(ClientIdentity { certificate: file("certificate"), key: file("key") });
    let client = Clientset::new(&config)?;
    assert_eq!(user(&client).await?, "first");
    write_identity(folder.path(), &ca_key, "second")?;
    // Files are read at most once a second, when something connects, such as a request for a connection of its own.
    sleep(Duration::from_millis(1100)).await;
    client.rest_client().get().abs_path("/version").upgrade().await.expect_err("nothing to upgrade to");
    assert_eq!(user(&client).await?, "second");
    Ok(())
}

#[tokio::test]
async fn an_exec_that_cannot_be_answers_a_status_and_leaves_the_client_well() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("unscheduled")).await?;
    let exec = test
        .client
        .rest_client()
        .get()
        .group_version("", "v1")
        .namespace(&test.namespace)
        .resource("pods")
        .name("unscheduled")
        .subresource("exec")
        .query("command", "date")
        .query("stdout", "true")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "v5.channel.k8s.io");
    let error = exec.upgrade().await.expect_err("the pod runs nowhere");
    assert_eq!(error.kind(), ErrorKind::Api, "{error}");
    assert!(error.to_string().contains("does not have a host assigned"), "{error}");
    pods.get("unscheduled").await?;
    Ok(())
}
