//! A program's own type, defined by a CustomResourceDefinition and used through the generic client.

use k8s_client::{
    Backoff, Patch, ResourceClient, WatchEvent,
    codec::Listable,
    openapi::{
        ClusterResourceScope, ListableResource, Metadata, NamespaceResourceScope, Resource,
        apimachinery::pkg::apis::meta::v1::ObjectMeta,
    },
    resource::Scope,
    retry_on_conflict,
};
use k8s_client_integration_tests::{Test, TestResult, client, eventually, field, object, soon, unique};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Everything a program needs to write for a type of its own.
macro_rules! custom_resource {
    ($name:ident, $plural:literal, $scope:ty) => {
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            api_version: String,
            kind: String,
            metadata: ObjectMeta,
            spec: Spec,
            #[serde(default)]
            status: Option<Status>,
        }

        impl Resource for $name {
            const API_VERSION: &'static str = "test.example.com/v1";
            const GROUP: &'static str = "test.example.com";
            const KIND: &'static str = stringify!($name);
            const VERSION: &'static str = "v1";
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = $scope;
        }

        impl ListableResource for $name {
            const LIST_KIND: &'static str = concat!(stringify!($name), "List");
        }

        impl Metadata for $name {
            type Ty = ObjectMeta;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }

        impl $name {
            fn new(name: &str, replicas: i32) -> Self {
                Self {
                    api_version: Self::API_VERSION.to_owned(),
                    kind: Self::KIND.to_owned(),
                    metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
                    spec: Spec { replicas },
                    status: None,
                }
            }
        }
    };
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Spec {
    replicas: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Status {
    ready: i32,
}

custom_resource!(Backend, "backends", NamespaceResourceScope);
custom_resource!(Region, "regions", ClusterResourceScope);

/// Defines the type, unless it is, and waits until the server serves it.
async fn define<T: Resource>(scope: &str) {
    let definitions = client().apiextensions_v1().custom_resource_definitions();
    let (plural, kind) = (T::URL_PATH_SEGMENT, T::KIND);
    let name = format!("{plural}.{}", T::GROUP);
    let integer = |field: &str| json!({ "type": "object", "properties": { field: { "type": "integer" } } });
    let schema = json!({
        "type": "object",
        "properties": { "spec": integer("replicas"), "status": integer("ready") },
    });
    let version = json!({
        "name": T::VERSION,
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": schema },
        "subresources": {
            "status": {},
            "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.ready" },
        },
    });
    let definition = object(json!({
        "metadata": { "name": name },
        "spec": {
            "group": T::GROUP,
            "scope": scope,
            "names": { "plural": plural, "singular": kind.to_lowercase(), "kind": kind },
            "versions": [version],
        },
    }));
    match definitions.create(&definition).await {
        // Another test was quicker.
        Err(error) if error.is_already_exists() => {}
        created => drop(created.expect("an administrator may define a type")),
    }
    eventually("the definition is established", || async {
        let conditions = definitions.get(&name).await.ok()?.status?.conditions?;
        conditions.iter().any(|is| is.type_ == "Established" && is.status == "True").then_some(())
    })
    .await;
}

/// The client of the namespaced type, once the server serves it.
pub(crate) async fn backends(test: &Test) -> ResourceClient<Backend> {
    define::<Backend>("Namespaced").await;
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
    assert_eq!(created.spec, Spec { replicas: 1 });
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
    assert_eq!((updated.status, updated.spec), (Some(Status { ready: 1 }), Spec { replicas: 1 }));

    let patch = Patch::Merge(json!({ "spec": { "replicas": 5 } }));
    let scale = backends.patch_subresource::<k8s_openapi::api::autoscaling::v1::Scale>("web", "scale", &patch).await?;
    assert_eq!(field(&scale, "/spec/replicas"), 5);
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
async fn own_type_may_live_in_the_cluster() -> TestResult {
    define::<Region>("Cluster").await;
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
