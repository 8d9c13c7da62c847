//! What the server refuses, as errors that say why.

use http::Method;
use k8s_client::{Clientset, ErrorKind, config::Credentials};
use k8s_client_integration_tests::{Test, TestResult, client, client_of, config_of, object};
use k8s_client_test_harness::{ADMIN_CONTEXT, TOKEN_CONTEXT, UNPRIVILEGED_CONTEXT, UNPRIVILEGED_USER};
use serde_json::json;

use crate::{config_map, deployment};

#[tokio::test]
async fn missing_object_is_not_found() -> TestResult {
    let test = Test::namespace().await;
    let error = test.client.apps_v1().deployments(&test.namespace).get("web").await.expect_err("it is not there");
    assert!(error.is_not_found() && !error.is_unexpected_server_error(), "{error}");
    assert_eq!((error.kind(), error.code(), error.reason()), (ErrorKind::Api, Some(404), Some("NotFound")));
    let details = error.status().and_then(|status| status.details.as_ref()).expect("the status has details");
    assert_eq!((details.name.as_deref(), details.kind.as_deref()), (Some("web"), Some("deployments")));
    let said =
        format!("/namespaces/{}/deployments/web: 404 NotFound: deployments.apps \"web\" not found", test.namespace);
    assert!(error.to_string().ends_with(&said), "{error}");
    Ok(())
}

#[tokio::test]
async fn second_create_says_that_the_object_exists() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    config_maps.create(&config_map("web", "1")).await?;
    let error = config_maps.create(&config_map("web", "1")).await.expect_err("it exists");
    assert!(error.is_already_exists() && !error.is_conflict(), "{error}");
    assert_eq!(error.code(), Some(409));
    Ok(())
}

#[tokio::test]
async fn invalid_object_has_a_cause_for_each_field() -> TestResult {
    let test = Test::namespace().await;
    let mut invalid = serde_json::to_value(deployment("web", -1))?;
    invalid["spec"]["template"]["metadata"]["labels"]["app"] = "other".into();
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let error = deployments.create(&object(invalid)).await.expect_err("it is invalid");
    assert!(error.is_invalid(), "{error}");
    assert_eq!(error.code(), Some(422));
    let fields: Vec<_> = error.causes().iter().filter_map(|cause| cause.field.as_deref()).collect();
    assert_eq!(fields, ["spec.replicas", "spec.template.metadata.labels"]);
    assert!(error.has_cause("FieldValueInvalid"));
    Ok(())
}

#[tokio::test]
async fn forbidden_says_who_may_not_do_what() -> TestResult {
    let pods = client_of(UNPRIVILEGED_CONTEXT).core_v1().pods("default");
    let error = pods.list().await.expect_err("the user has no role");
    assert!(error.is_forbidden(), "{error}");
    assert_eq!(error.code(), Some(403));
    assert_eq!(error.method(), Some(&Method::GET));
    assert!(error.url().is_some_and(|url| url.ends_with("/api/v1/namespaces/default/pods")), "{error}");
    let said = format!("User \"{UNPRIVILEGED_USER}\" cannot list resource \"pods\"");
    assert!(error.to_string().contains(&said), "{error}");
    assert!(pods.watch().await.is_err_and(|error| error.is_forbidden()), "a watch is refused before it begins");
    Ok(())
}

#[tokio::test]
async fn wrong_token_is_unauthorized_and_kept_secret() -> TestResult {
    let mut config = config_of(TOKEN_CONTEXT);
    config.credentials = Credentials::Bearer("not-a-token-of-this-server".to_owned().into());
    let error = Clientset::new(&config)?.core_v1().namespaces().list().await.expect_err("the token is wrong");
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(error.code(), Some(401));
    assert!(!format!("{error} {error:#?}").contains("not-a-token"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn path_that_is_not_served_is_not_found_with_the_servers_words() -> TestResult {
    let client = client();
    let error = client.rest_client().get().abs_path("/apis/example.com/v9").send().await.expect_err("no such path");
    assert!(error.is_not_found() && error.is_unexpected_server_error(), "{error}");
    assert!(error.to_string().contains("404 page not found"), "{error}");
    Ok(())
}

#[tokio::test]
async fn verb_that_a_resource_lacks_is_method_not_supported() -> TestResult {
    let client = client();
    let request = client.rest_client().delete().group_version("", "v1").resource("namespaces");
    let error = request.send().await.expect_err("namespaces cannot be deleted all at once");
    assert!(error.is_method_not_supported(), "{error}");
    assert_eq!(error.code(), Some(405));
    Ok(())
}

#[tokio::test]
async fn warnings_of_the_server_are_read() -> TestResult {
    let test = Test::namespace().await;
    let twice = json!({ "name": "PORT", "value": "1" });
    let pod = object(json!({
        "metadata": { "name": "web" },
        "spec": { "containers": [{ "name": "main", "image": "main:1", "env": [twice, twice] }] },
    }));
    let answer = test.client.core_v1().pods(&test.namespace).create(&pod).into_request().send().await?;
    assert!(answer.was_created());
    let warnings = answer.warnings();
    assert!(warnings.iter().any(|warning| warning.text.contains("hides previous definition")), "{warnings:?}");

    // Of a deprecated version.
    let lists = client().core_v1().component_statuses().list().into_request().send().await?;
    assert!(lists.warnings().iter().any(|warning| warning.text.contains("deprecated")), "{:?}", lists.warnings());
    Ok(())
}

#[tokio::test]
async fn misuse_is_told_before_anything_is_sent() -> TestResult {
    let core = client_of(ADMIN_CONTEXT).core_v1();
    for error in [
        core.pods("default").get("").await.expect_err("the name is empty"),
        core.pods("default").get("a/b").await.expect_err("the name is two segments"),
        core.pods("").get("web").await.expect_err("the namespace is empty"),
        core.pods("default").update(&object(json!({ "metadata": {} }))).await.expect_err("there is no name"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    }
    Ok(())
}
