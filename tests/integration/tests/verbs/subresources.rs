//! The subresources that are neither status nor scale.

use k8s_client::Patch;
use k8s_client_integration_tests::{Test, TestResult, client, eventually, field, gone, object, unique};
use k8s_openapi::{ByteString, api::certificates::v1::CertificateSigningRequest};
use serde_json::json;

use crate::pod;

#[tokio::test]
async fn eviction_deletes_the_pod() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("web")).await?;
    let eviction = object(json!({ "metadata": { "name": "web", "namespace": test.namespace } }));

    let status = pods.evict("web", &eviction).dry_run().await?;
    assert_eq!(status.status.as_deref(), Some("Success"));
    pods.get("web").await?;

    pods.evict("web", &eviction).await?;
    gone("the evicted pod is gone", || pods.get("web")).await;
    Ok(())
}

#[tokio::test]
async fn eviction_is_refused_while_a_budget_forbids_it() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let mut web = pod("web");
    web.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    let mut web = pods.create(&web).await?;
    web.metadata.resource_version = None;
    let status = web.status.get_or_insert_default();
    status.phase = Some("Running".to_owned());
    status.conditions = Some(vec![object(json!({ "type": "Ready", "status": "True" }))]);
    pods.update_status(&web).await?;
    let budget = json!({
        "metadata": { "name": "web" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    });
    test.client.policy_v1().pod_disruption_budgets(&test.namespace).create(&object(budget)).await?;

    let eviction = object(json!({ "metadata": { "name": "web" } }));
    let error = pods.evict("web", &eviction).await.expect_err("the budget allows no disruption");
    assert!(error.is_too_many_requests(), "{error}");
    assert!(error.has_cause("DisruptionBudget"), "{error}");
    Ok(())
}

#[tokio::test]
async fn pods_are_bound_to_a_node_in_both_ways() -> TestResult {
    let test = Test::namespace().await;
    let core = test.client.core_v1();
    let node = unique("node");
    core.nodes().create(&object(json!({ "metadata": { "name": node } }))).await?;
    let pods = core.pods(&test.namespace);
    for name in ["one", "two"] {
        pods.create(&pod(name)).await?;
    }
    let binding = |pod: &str| {
        object(json!({ "metadata": { "name": pod }, "target": { "apiVersion": "v1", "kind": "Node", "name": node } }))
    };
    pods.bind("one", &binding("one")).await?;
    core.bindings(&test.namespace).create(&binding("two")).await?;

    for name in ["one", "two"] {
        let bound = pods.get(name).await?;
        assert_eq!(bound.spec.and_then(|spec| spec.node_name), Some(node.clone()));
        // Nobody at the node would confirm the end.
        pods.delete(name).grace_period_seconds(0).await?;
    }
    core.nodes().delete(&node).await?;
    Ok(())
}

#[tokio::test]
async fn service_account_token_is_made_and_accepted() -> TestResult {
    let test = Test::namespace().await;
    let accounts = test.client.core_v1().service_accounts(&test.namespace);
    let request = object(json!({ "spec": { "audiences": [], "expirationSeconds": 600 } }));
    let answer = accounts.create_token("default", &request).await?;
    let token = field(&answer, "/status/token");

    let review = object(json!({ "spec": { "token": token } }));
    let review = test.client.authentication_v1().token_reviews().create(&review).await?;
    let status = review.status.expect("a review has an answer");
    assert_eq!(status.authenticated, Some(true), "{status:?}");
    let user = status.user.and_then(|user| user.username);
    assert_eq!(user, Some(format!("system:serviceaccount:{}:default", test.namespace)));
    Ok(())
}

#[tokio::test]
async fn namespace_is_gone_once_it_is_finalized() -> TestResult {
    let namespaces = client().core_v1().namespaces();
    let name = unique("finalized");
    let body = json!({ "metadata": { "name": name }, "spec": { "finalizers": ["kubernetes", "example.com/ours"] } });
    namespaces.create(&object(body)).await?;
    namespaces.delete(&name).await?;
    let mut namespace = namespaces.get(&name).await?;
    assert!(namespace.metadata.deletion_timestamp.is_some());

    namespace.metadata.resource_version = None;
    namespace.spec.get_or_insert_default().finalizers = Some(Vec::new());
    let finalized = namespaces.finalize(&name, &namespace).await?;
    assert_eq!(finalized.spec.and_then(|spec| spec.finalizers), None);
    gone("the namespace is gone", || namespaces.get(&name)).await;
    Ok(())
}

#[tokio::test]
async fn certificate_signing_request_is_approved() -> TestResult {
    let requests = client().certificates_v1().certificate_signing_requests();
    let name = unique("csr");
    requests.create(&signing_request(&name)?).await?;

    let mut request = requests.get_approval(&name).await?;
    let approved = json!({ "type": "Approved", "status": "True", "reason": "Test", "message": "by a test" });
    request.status.get_or_insert_default().conditions = Some(vec![object(approved)]);
    let approval = requests.update_approval(&name, &request).await?;
    let conditions = approval.status.and_then(|status| status.conditions).unwrap_or_default();
    assert_eq!(conditions.len(), 1);

    if k8s_client_integration_tests::control_plane().has_controllers() {
        let certificate =
            eventually("the certificate is signed", || async { requests.get(&name).await.ok()?.status?.certificate });
        assert!(certificate.await.0.starts_with(b"-----BEGIN CERTIFICATE-----"));
    }
    requests.delete(&name).await?;
    Ok(())
}

#[tokio::test]
async fn certificate_signing_request_is_denied_by_patch() -> TestResult {
    let requests = client().certificates_v1().certificate_signing_requests();
    let name = unique("csr");
    requests.create(&signing_request(&name)?).await?;
    let denied = json!({ "type": "Denied", "status": "True", "reason": "Test" });
    let patch = Patch::Merge(json!({ "status": { "conditions": [denied] } }));
    let denied = requests.patch_approval(&name, &patch).await?;
    let conditions = denied.status.and_then(|status| status.conditions).unwrap_or_default();
    assert_eq!(conditions[0].type_, "Denied");
    requests.delete(&name).await?;
    Ok(())
}

/// For a client certificate of an ordinary user.
fn signing_request(name: &str) -> Result<CertificateSigningRequest, rcgen::Error> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "somebody");
    let pem = params.serialize_request(&rcgen::KeyPair::generate()?)?.pem()?;
    let mut request: CertificateSigningRequest = object(json!({
        "metadata": { "name": name },
        "spec": { "request": "", "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"] },
    }));
    request.spec.request = ByteString(pem.into_bytes());
    Ok(request)
}

#[tokio::test]
async fn ephemeral_container_is_added_to_a_pod() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    pods.create(&pod("web")).await?;

    let mut web = pods.get_ephemeral_containers("web").await?;
    let debugger = json!({ "name": "debugger", "image": "debugger:1", "targetContainerName": "main" });
    web.spec.get_or_insert_default().ephemeral_containers = Some(vec![object(debugger)]);
    pods.update_ephemeral_containers("web", &web).await?;

    let patch = json!({ "spec": { "ephemeralContainers": [{ "name": "second", "image": "debugger:2" }] } });
    let web = pods.patch_ephemeral_containers("web", &Patch::StrategicMerge(patch)).await?;
    let containers = web.spec.and_then(|spec| spec.ephemeral_containers).unwrap_or_default();
    let mut names: Vec<_> = containers.iter().map(|container| container.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["debugger", "second"]);
    Ok(())
}

#[tokio::test]
async fn resources_of_a_pod_are_resized_in_place() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let resources = |cpu: &str| json!({ "requests": { "cpu": cpu }, "limits": { "cpu": cpu } });
    let web = json!({
        "metadata": { "name": "web" },
        "spec": { "containers": [{ "name": "main", "image": "main:1", "resources": resources("1") }] },
    });
    pods.create(&object(web)).await?;

    let resize = |cpu: &str| json!({ "spec": { "containers": [{ "name": "main", "resources": resources(cpu) }] } });
    // A plain patch may not do it.
    let error = pods.patch("web", &Patch::StrategicMerge(resize("2"))).await.expect_err("the resources are immutable");
    assert!(error.is_invalid(), "{error}");

    let resized = pods.patch_resize("web", &Patch::StrategicMerge(resize("2"))).await?;
    let cpu = |pod: &k8s_openapi::api::core::v1::Pod| {
        let limits = pod.spec.as_ref()?.containers[0].resources.as_ref()?.limits.as_ref()?;
        limits.get("cpu").map(|cpu| cpu.0.clone())
    };
    assert_eq!(cpu(&resized).as_deref(), Some("2"));

    let mut web = pods.get_resize("web").await?;
    let container = &mut web.spec.get_or_insert_default().containers[0];
    container.resources = Some(object(resources("3")));
    let resized = pods.update_resize("web", &web).await?;
    assert_eq!(cpu(&resized).as_deref(), Some("3"));
    Ok(())
}
