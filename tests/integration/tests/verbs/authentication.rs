//! Credentials that a plugin gives, and acting as somebody else.

use std::{collections::BTreeMap, fs};

use k8s_client::{
    Clientset,
    config::{Credentials, ExecConfig, Impersonation, PemSource},
};
use k8s_client_integration_tests::{TestResult, config_of, object};
use k8s_client_test_harness::{ADMIN_CONTEXT, TOKEN_CONTEXT};
use k8s_openapi::api::authentication::v1::UserInfo;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Whom the server takes the client for.
async fn user_of(client: &Clientset) -> k8s_client::Result<UserInfo> {
    let review = client.authentication_v1().self_subject_reviews().create(&object(json!({}))).await?;
    Ok(review.status.and_then(|status| status.user_info).unwrap_or_default())
}

/// A plugin of this folder, which answers what is written there and counts its runs.
fn plugin(folder: &TempDir) -> Credentials {
    let mut exec = ExecConfig::new("sh");
    let script = format!("cd '{}'; echo run >> runs; cat answer", folder.path().display());
    exec.args = vec!["-c".to_owned(), script];
    Credentials::Exec(exec)
}

fn will_answer(folder: &TempDir, status: &Value) -> TestResult {
    let answer = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "status": status,
    });
    Ok(fs::write(folder.path().join("answer"), answer.to_string())?)
}

fn runs(folder: &TempDir) -> usize {
    fs::read_to_string(folder.path().join("runs")).unwrap_or_default().lines().count()
}

fn text(pem: &PemSource) -> TestResult<String> {
    match pem {
        PemSource::File(path) => Ok(fs::read_to_string(path)?),
        PemSource::Text(text) => Ok(text.expose_secret().to_owned()),
        _ => Err("neither a file nor text".into()),
    }
}

#[tokio::test]
async fn token_of_a_plugin_is_accepted_and_renewed_after_the_server_refused_it() -> TestResult {
    let mut config = config_of(TOKEN_CONTEXT);
    let Credentials::Bearer(token) = config.credentials.clone() else { return Err("no token".into()) };
    let folder = tempfile::tempdir()?;
    config.credentials = plugin(&folder);
    will_answer(&folder, &json!({ "token": "not this one" }))?;
    let client = Clientset::new(&config)?;
    assert!(user_of(&client).await.is_err_and(|error| error.is_unauthorized()));

    will_answer(&folder, &json!({ "token": token.expose_secret() }))?;
    assert_eq!(user_of(&client).await?.username.as_deref(), Some("admin"));
    assert_eq!(user_of(&Clientset::new(&config)?).await?.username.as_deref(), Some("admin"));
    assert_eq!(runs(&folder), 2);
    Ok(())
}

#[tokio::test]
async fn client_certificate_of_a_plugin_is_accepted() -> TestResult {
    let mut config = config_of(ADMIN_CONTEXT);
    let identity = config.tls.identity.take().ok_or("no client certificate")?;
    let folder = tempfile::tempdir()?;
    config.credentials = plugin(&folder);
    let (certificate, key) = (text(&identity.certificate)?, text(&identity.key)?);
    will_answer(&folder, &json!({ "clientCertificateData": certificate, "clientKeyData": key }))?;
    let client = Clientset::new(&config)?;
    for _ in 0..3 {
        assert_eq!(user_of(&client).await?.username.as_deref(), Some("admin"));
    }
    assert_eq!(runs(&folder), 1);
    Ok(())
}

#[tokio::test]
async fn impersonated_user_has_the_groups_the_uid_and_the_extra_that_were_asked_for() -> TestResult {
    let mut config = config_of(TOKEN_CONTEXT);
    let extra = BTreeMap::from([("example.com/project".to_owned(), vec!["one".to_owned(), "two".to_owned()])]);
    config.impersonate = Some(Impersonation {
        uid: Some("42".to_owned()),
        groups: vec!["developers".to_owned(), "testers".to_owned()],
        extra: extra.clone(),
        ..Impersonation::user("jane")
    });
    let user = user_of(&Clientset::new(&config)?).await?;
    assert_eq!(user.username.as_deref(), Some("jane"));
    assert_eq!(user.uid.as_deref(), Some("42"));
    let groups = user.groups.unwrap_or_default();
    assert_eq!(groups, ["developers", "testers", "system:authenticated"]);
    assert_eq!(user.extra, Some(extra));
    Ok(())
}

#[tokio::test]
async fn impersonated_user_may_do_no_more_than_itself() -> TestResult {
    let mut config = config_of(TOKEN_CONTEXT);
    config.impersonate = Some(Impersonation::user("jane"));
    let error = Clientset::new(&config)?.core_v1().nodes().list().await.expect_err("no role is bound to jane");
    assert!(error.is_forbidden() && error.to_string().contains("\"jane\""), "{error}");

    config.impersonate =
        Some(Impersonation { groups: vec!["system:masters".to_owned()], ..Impersonation::user("jane") });
    Clientset::new(&config)?.core_v1().nodes().list().await?;
    Ok(())
}
