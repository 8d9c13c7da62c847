//! Types of a program's own, defined by a CustomResourceDefinition and used through the generic client.

use std::time::Duration;

use k8s_client::{
    Backoff, CustomResource, Json, Listable, Patch, ResourceClient, WaitFor as _, WatchEvent, custom_resource,
    k8s_openapi::{
        ClusterResourceScope, ListableResource, Metadata, Resource,
        apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
        apimachinery::pkg::apis::meta::v1::ObjectMeta,
    },
    resource::{AnyScope, Scope},
    retry_on_conflict,
    schema::GroupVersionResource,
    wait::conditions::crd_established,
};
use k8s_client_integration_tests::{Test, TestResult, client, eventually, field, object, soon, unique};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A type as a program writes it: what the server has of it, and nothing else.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Backend {
    metadata: ObjectMeta,
    spec: Spec,
    status: Option<Status>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Spec {
    replicas: i32,
    image: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Status {
    ready: i32,
}

/// What is applied of it.
#[derive(Serialize)]
struct BackendConfiguration {
    metadata: ObjectMeta,
    spec: Option<SpecConfiguration>,
    status: Option<Status>,
}

#[derive(Default, Serialize)]
struct SpecConfiguration {
    replicas: Option<i32>,
    image: Option<String>,
}

custom_resource!(Backend, "test.example.com/v1", "backends", Namespaced, status, apply = BackendConfiguration);

impl Backend {
    fn new(name: &str, replicas: i32) -> Self {
        Self { metadata: named(name), spec: Spec { replicas, image: None }, status: None }
    }
}

/// The same objects, read as something that they are not.
#[derive(Debug, Deserialize, Serialize)]
struct Mistaken {
    metadata: ObjectMeta,
}

custom_resource!(Mistaken, "test.example.com/v1", "backends", Namespaced, kind = "Frontend");

/// A type that has its traits without the macro, and says its `apiVersion` and `kind` itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: Spec,
}

impl Resource for Region {
    const API_VERSION: &'static str = "test.example.com/v1";
    const GROUP: &'static str = "test.example.com";
    const KIND: &'static str = "Region";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "regions";
    type Scope = ClusterResourceScope;
}

impl ListableResource for Region {
    const LIST_KIND: &'static str = "RegionList";
}

impl Metadata for Region {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Region {
    fn new(name: &str, replicas: i32) -> Self {
        Self {
            api_version: Self::API_VERSION.to_owned(),
            kind: Self::KIND.to_owned(),
            metadata: named(name),
            spec: Spec { replicas, image: None },
        }
    }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// The schema of both.
fn schema() -> Value {
    let properties = |fields: Value| json!({ "type": "object", "properties": fields });
    properties(json!({
        "spec": properties(json!({ "replicas": { "type": "integer" }, "image": { "type": "string" } })),
        "status": properties(json!({ "ready": { "type": "integer" } })),
    }))
}

/// Defines the type, unless it is, and waits until the server says that it serves it.
async fn define(definition: CustomResourceDefinition) {
    let definitions = client().apiextensions_v1().custom_resource_definitions();
    match definitions.create(&definition).await {
        // Another test was quicker.
        Err(error) if error.is_already_exists() => {}
        created => drop(created.expect("an administrator may define a type")),
    }
    let name = definition.metadata.name.expect("it was given one");
    let established = definitions.wait_for(&name, crd_established).within(Duration::from_secs(60)).await;
    established.expect("the definition is established");
}

/// The client of the namespaced type, once the server serves it.
pub(crate) async fn backends(test: &Test) -> ResourceClient<Backend> {
    let mut definition = Backend::definition(object(schema()));
    let subresources = definition.spec.versions[0].subresources.as_mut().expect("it has a status");
    subresources.scale =
        Some(object(json!({ "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready" })));
    define(definition).await;
    let backends = ResourceClient::namespaced(test.client.rest_client(), &test.namespace);
    served(&backends).await;
    backends
}

/// Established is said a moment before the path is served.
async fn served<S: Scope, K: Listable>(client: &ResourceClient<K, S>) {
    eventually("the type is served", || async { client.list().limit(1).await.ok() }).await;
}

#[tokio::test]
async fn own_type_has_every_verb() -> TestResult {
    let test = Test::namespace().await;
    let backends = backends(&test).await;

    let created = backends.create(&Backend::new("web", 1)).await?;
    assert_eq!(created.spec, Spec { replicas: 1, image: None });
    assert_eq!(backends.get("web").await?, created);

    let list = backends.list().await?;
    assert_eq!(list.items, [created]);
    let mut events = backends.watch().resource_version(list.metadata.resource_version.unwrap_or_default()).await?;

    let modified = backends.modify("web", |web| web.spec.replicas = 2).await?;
    assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Modified(modified)));

    let patched = backends.patch("web", &Patch::Merge(json!({ "spec": { "replicas": 3 } }))).await?;
    assert_eq!(patched.spec.replicas, 3);
    let error =
        backends.patch("web", &Patch::StrategicMerge(json!({}))).await.expect_err("only built-in kinds have it");
    assert!(error.is_unsupported_media_type(), "{error}");

    let configuration = json!({
        "apiVersion": Backend::API_VERSION,
        "kind": Backend::KIND,
        "metadata": { "name": "web" },
        "spec": { "replicas": 4 },
    });
    let applied = backends.apply(&configuration).field_manager("test").force().await?;
    assert_eq!(applied.spec.replicas, 4);

    assert!(backends.delete("web").await?.object().is_none());
    assert!(backends.get("web").await.is_err_and(|error| error.is_not_found()));
    backends.create(&Backend::new("web", 1)).await?;
    backends.delete_collection().await?;
    assert!(backends.list().await?.items.is_empty());
    Ok(())
}

#[tokio::test]
async fn own_type_has_status_and_scale() -> TestResult {
    let test = Test::namespace().await;
    let backends = backends(&test).await;
    let mut web = backends.create(&Backend::new("web", 1)).await?;
    web.status = Some(Status { ready: 1 });
    web.spec.replicas = 7;
    let updated = backends.update_status(&web).await?;
    assert_eq!((updated.status, updated.spec), (Some(Status { ready: 1 }), Spec { replicas: 1, image: None }));

    let patch = Patch::Merge(json!({ "spec": { "replicas": 5 } }));
    let scale = backends.patch_subresource::<k8s_openapi::api::autoscaling::v1::Scale>("web", "scale", &patch).await?;
    assert_eq!(field(&scale, "/spec/replicas"), 5);
    Ok(())
}

#[tokio::test]
async fn own_configuration_is_applied_without_what_is_not_set() -> TestResult {
    let test = Test::namespace().await;
    let backends = backends(&test).await;
    let wanted = |replicas: Option<i32>, image: Option<&str>| BackendConfiguration {
        metadata: named("web"),
        spec: Some(SpecConfiguration { replicas, image: image.map(str::to_owned) }),
        status: None,
    };
    backends.apply(&wanted(None, Some("nginx"))).field_manager("images").await.expect_err("replicas are required");

    backends.apply(&wanted(Some(2), None)).field_manager("scaler").await?;
    let both = backends.apply(&wanted(None, Some("nginx"))).field_manager("images").await?;
    assert_eq!(both.spec, Spec { replicas: 2, image: Some("nginx".to_owned()) });
    let error = backends.apply(&wanted(Some(3), None)).field_manager("images").await.expect_err("another one's field");
    assert!(error.is_conflict(), "{error}");

    let status = BackendConfiguration { metadata: named("web"), spec: None, status: Some(Status { ready: 1 }) };
    let applied = backends.apply_status(&status).field_manager("controller").await?;
    assert_eq!((applied.status, applied.spec.replicas), (Some(Status { ready: 1 }), 2));
    Ok(())
}

#[tokio::test]
async fn object_of_another_kind_is_not_taken_for_the_own_type() -> TestResult {
    let test = Test::namespace().await;
    let backends = backends(&test).await;
    backends.create(&Backend::new("web", 1)).await?;

    let mistaken = ResourceClient::<Mistaken>::namespaced(test.client.rest_client(), &test.namespace);
    let error = mistaken.get("web").await.expect_err("it is a Backend").to_string();
    assert!(error.contains("expected test.example.com/v1 Frontend, found test.example.com/v1 Backend"), "{error}");
    let error = mistaken.create(&Mistaken { metadata: named("other") }).await.expect_err("so says the server");
    assert!(error.is_invalid(), "{error}");
    assert_eq!(error.causes()[0].field.as_deref(), Some("kind"));

    // A type without a kind reads anything.
    let resource = GroupVersionResource::new(Backend::GROUP, Backend::VERSION, Backend::URL_PATH_SEGMENT);
    let scope = AnyScope::unknown().namespace(&test.namespace);
    let any = ResourceClient::<Json<Value>>::at(test.client.rest_client(), &resource, scope);
    assert_eq!(any.get("web").await?["kind"], Backend::KIND);
    Ok(())
}

#[tokio::test]
async fn own_type_is_listed_and_watched_in_all_namespaces() -> TestResult {
    let (here, there) = (Test::namespace().await, Test::namespace().await);
    let all = ResourceClient::<Backend>::all_namespaces(here.client.rest_client());
    let (here_backends, there_backends) = (backends(&here).await, backends(&there).await);
    let mut events = all.watch().label_selector(format!("in={}", here.namespace)).await?;
    for backends in [&here_backends, &there_backends] {
        let mut web = Backend::new("web", 1);
        web.metadata.labels = Some([("in".to_owned(), here.namespace.clone())].into());
        let created = backends.create(&web).await?;
        assert_eq!(soon("it is told", events.try_next()).await?, Some(WatchEvent::Added(created)));
    }
    let listed = all.list().label_selector(format!("in={}", here.namespace)).await?;
    assert_eq!(listed.items.len(), 2);
    Ok(())
}

#[tokio::test]
async fn own_type_may_live_in_the_cluster_and_have_its_traits_by_hand() -> TestResult {
    define(object(json!({
        "metadata": { "name": "regions.test.example.com" },
        "spec": {
            "group": Region::GROUP,
            "scope": "Cluster",
            "names": { "plural": Region::URL_PATH_SEGMENT, "singular": "region", "kind": Region::KIND },
            "versions": [
                { "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema() } },
            ],
        },
    })))
    .await;
    let regions = ResourceClient::<Region>::cluster(client().rest_client());
    served(&regions).await;
    let name = unique("north");
    regions.create(&Region::new(&name, 1)).await?;
    retry_on_conflict(Backoff::DEFAULT_RETRY, || async {
        let mut north = regions.get(&name).await?;
        north.spec.replicas = 2;
        regions.update(&north).await
    })
    .await?;
    assert_eq!(regions.get(&name).await?.spec.replicas, 2);
    regions.delete(&name).await?;
    Ok(())
}

#[tokio::test]
async fn value_of_the_wrong_type_is_invalid() -> TestResult {
    let test = Test::namespace().await;
    let backends = backends(&test).await;
    backends.create(&Backend::new("web", 1)).await?;
    let error = backends.patch("web", &Patch::Merge(json!({ "spec": { "replicas": "many" } }))).await;
    let error = error.expect_err("the schema says integer");
    assert!(error.is_invalid(), "{error}");
    assert_eq!(error.causes()[0].field.as_deref(), Some("spec.replicas"));
    Ok(())
}
