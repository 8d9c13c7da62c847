//! The contexts of a kubeconfig: who the server takes the client for.

use k8s_client::{Clientset, Config, config::Credentials};
use k8s_client_integration_tests::{TestResult, client, client_of, config_of, control_plane, field, object};
use k8s_client_test_harness::{ADMIN_CONTEXT, TOKEN_CONTEXT, UNPRIVILEGED_CONTEXT, UNPRIVILEGED_USER};
use serde_json::json;

/// Whom the server takes the client for.
async fn user_of(client: &Clientset) -> k8s_client::Result<String> {
    let review = client.authentication_v1().self_subject_reviews().create(&object(json!({}))).await?;
    let user = review.status.and_then(|status| status.user_info).and_then(|user| user.username);
    Ok(user.unwrap_or_default())
}

#[tokio::test]
async fn client_certificate_is_accepted() -> TestResult {
    let config = config_of(ADMIN_CONTEXT);
    assert!(config.tls.identity.is_some());
    assert!(matches!(config.credentials, Credentials::None));
    assert_eq!(user_of(&client_of(ADMIN_CONTEXT)).await?, "admin");
    Ok(())
}

#[tokio::test]
async fn bearer_token_is_accepted() -> TestResult {
    assert!(config_of(TOKEN_CONTEXT).tls.identity.is_none());
    assert_eq!(user_of(&client_of(TOKEN_CONTEXT)).await?, "admin");
    assert_eq!(user_of(&client_of(UNPRIVILEGED_CONTEXT)).await?, UNPRIVILEGED_USER);
    Ok(())
}

#[tokio::test]
async fn current_context_is_used_when_none_is_named() -> TestResult {
    assert_eq!(user_of(&client()).await?, "admin");
    let config = Config::from_kubeconfig(control_plane().kubeconfig())?;
    assert_eq!(config.default_namespace, "default");
    assert!(Config::loader().kubeconfig(control_plane().kubeconfig()).context("absent").load().is_err());
    Ok(())
}

#[tokio::test]
async fn token_of_a_service_account_is_a_token_like_others() -> TestResult {
    let test = k8s_client_integration_tests::Test::namespace().await;
    let accounts = test.client.core_v1().service_accounts(&test.namespace);
    let request = object(json!({ "spec": { "audiences": [] } }));
    let answer = accounts.create_token("default", &request).await?;
    let token = field(&answer, "/status/token").as_str().unwrap_or_default().to_owned();

    let mut config = config_of(TOKEN_CONTEXT);
    config.credentials = Credentials::Bearer(token.into());
    let user = user_of(&Clientset::new(&config)?).await?;
    assert_eq!(user, format!("system:serviceaccount:{}:default", test.namespace));
    Ok(())
}

#[tokio::test]
async fn server_whose_authority_is_not_the_configured_one_is_refused() -> TestResult {
    let mut config = config_of(ADMIN_CONTEXT);
    config.tls.ca = None;
    let error = user_of(&Clientset::new(&config)?).await.expect_err("the system does not know the authority");
    assert_eq!(error.kind(), k8s_client::ErrorKind::Connect, "{error}");

    config.tls.insecure_skip_verify = true;
    assert_eq!(user_of(&Clientset::new(&config)?).await?, "admin");
    Ok(())
}
