//! Every kind on a real kube-apiserver, with its definition installed.

use std::{collections::BTreeMap, time::Duration};

use k8s_client_custom_resource_tests::{
    KINDS, KindOfVersion, Random, TestResult,
    groups::{
        karpenter::v1::{KarpenterV1Client, types::NodePool},
        toys::v1::{
            ToysV1Client,
            apply::{GadgetApplyConfiguration, GadgetStatusApplyConfiguration},
            types::{Gadget, GadgetStatus},
        },
    },
};
use k8s_client_generate::Generator;
use k8s_client_runtime::{
    Config, RestClient,
    apply::Extract as _,
    custom_resource::{Int64OrString, Number, Timestamp},
    http::Method,
};
use k8s_client_test_harness::ControlPlane;
use serde_json::{Value, json};

fn client() -> TestResult<RestClient> {
    Ok(RestClient::new(&Config::from_kubeconfig(ControlPlane::shared().kubeconfig())?)?)
}

/// A namespace of its own.
async fn namespace(client: &RestClient, name: &str) -> TestResult {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    match client.post().abs_path("/api/v1/namespaces").json(&namespace).send().await {
        Err(error) if !error.is_already_exists() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Installs a definition and waits until it is served, in all versions.
async fn install(client: &RestClient, definition: &Value) -> TestResult {
    let root = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let mut definition = definition.clone();
    // The names of Kubernetes' own groups are protected.
    definition["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "unapproved, for a test"});
    match client.post().abs_path(root).json(&definition).send().await {
        Err(error) if !error.is_already_exists() => return Err(error.into()),
        _ => {}
    }
    let spec = &definition["spec"];
    let (group, plural) =
        (spec["group"].as_str().unwrap_or_default(), spec["names"]["plural"].as_str().unwrap_or_default());
    for version in spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true) {
        let list = format!("/apis/{group}/{}/{plural}", version["name"].as_str().unwrap_or_default());
        let mut waits = 0;
        while let Err(error) = client.get().abs_path(&list).send().await {
            waits += 1;
            if !error.is_not_found() || waits > 600 {
                return Err(format!("{list} is not served: {error}").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// How many objects of each kind.
const OBJECTS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_stored_changed_and_applied_as_its_types_say() -> TestResult {
    let client = client()?;
    namespace(&client, "kinds").await?;
    let key = |kind: &KindOfVersion| (kind.group, kind.kind);
    let definitions: BTreeMap<_, Value> = KINDS.iter().map(|kind| (key(kind), kind.definition())).collect();
    for definition in definitions.values() {
        install(&client, definition).await?;
    }
    let mut failures = Vec::new();
    let kinds: Vec<_> = KINDS.iter().filter(|kind| kind.is_stored_as_it_is()).collect();
    assert!(kinds.len() > 35, "{}", kinds.len());
    for kind in kinds {
        let namespaced = definitions[&key(kind)]["spec"]["scope"] == "Namespaced";
        for seed in 0..OBJECTS {
            let name = format!("{}-{seed}", kind.version);
            // An apply takes null for something else.
            let object = kind.object(&name, &mut Random::for_server(seed).without_null());
            let namespace = if namespaced { "kinds" } else { "" };
            if let Err(error) = (kind.on_server)(&client, namespace, &object).await {
                failures.push(format!("{} {seed}: {error}\n{object}", kind.name()));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n\n"));
    Ok(())
}

fn definition(kind: &str) -> Value {
    KINDS.iter().find(|found| found.kind == kind).map(KindOfVersion::definition).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn null_beside_absent_is_kept_through_an_update() -> TestResult {
    let client = client()?;
    namespace(&client, "nulls").await?;
    install(&client, &definition("Gadget")).await?;
    let gadgets = ToysV1Client::new(&client).gadgets("nulls");
    let gadget = |name: &str, spec: Value| -> TestResult<Gadget> {
        Ok(serde_json::from_value(json!({
            "apiVersion": "toys.example.com/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": spec,
        }))?)
    };
    let null =
        gadget("null", json!({"mode": "=~", "parts": [], "maybe": null, "weight": null, "cpu": 2, "ratio": 0.1}))?;
    let absent = gadget("absent", json!({"mode": "=~", "parts": [], "maybe": "yes", "cpu": "2", "ratio": 3}))?;
    for (wanted, weight, cpu) in [(null, Some(None), Int64OrString::Int(2)), (absent, None, Int64OrString::from("2"))] {
        let mut created = gadgets.create(&wanted).await?;
        assert_eq!((created.spec.weight, &created.spec.cpu), (weight, &Some(cpu)));
        // The server has set what was left out.
        assert_eq!(created.spec.level, Some(3));
        created.metadata.annotations = Some([("example.com/note".to_owned(), "new".to_owned())].into());
        let updated = gadgets.update(&created).await?;
        assert_eq!(updated.spec, created.spec);
        assert_eq!(updated.metadata.generation, Some(1), "what is wanted has not changed");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_written_and_applied_by_its_subresource_alone() -> TestResult {
    let client = client()?;
    namespace(&client, "statuses").await?;
    install(&client, &definition("Gadget")).await?;
    let gadgets = ToysV1Client::new(&client).gadgets("statuses");
    let mut gadget = Gadget::default();
    gadget.metadata.name = Some("web".to_owned());
    gadget.spec.mode = "On".into();
    gadget.status = Some(GadgetStatus { replicas: Some(7) });
    gadget.spec.since = Some(Timestamp::from("2026-05-04T03:02:01.25+02:00"));
    gadget.spec.ratio = Some(Number::from(0.5));
    let mut created = gadgets.create(&gadget).await?;
    assert_eq!(created.status, None, "a create does not write the status");
    assert_eq!(created.spec.since, gadget.spec.since);
    created.status = Some(GadgetStatus { replicas: Some(2) });
    let updated = gadgets.update_status(&created).await?;
    assert_eq!(updated.status, created.status);

    let status = GadgetStatusApplyConfiguration::default().replicas(3);
    let configuration = GadgetApplyConfiguration::new("web", "statuses").status(status);
    let applied = gadgets.apply_status(&configuration).field_manager("scaler").force().await?;
    assert_eq!(applied.status, Some(GadgetStatus { replicas: Some(3) }));
    assert_eq!(GadgetApplyConfiguration::extract_subresource(&applied, "scaler", "status")?, configuration);
    assert_eq!(gadgets.get_status("web").await?.status, applied.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_of_a_server_make_the_same_as_their_files() -> TestResult {
    let client = client()?;
    let kind = KINDS.iter().find(|kind| kind.kind == "Gadget").ok_or("there is no Gadget")?;
    install(&client, &kind.definition()).await?;
    let list = client.get().group_version("apiextensions.k8s.io", "v1").resource("customresourcedefinitions");
    let list: Value = list.send().await?.json().await?;
    let of_server = Generator::new().value("the server", list).group(kind.group).files()?;
    assert_eq!(of_server, Generator::new().path(kind.file).files()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scale_is_that_of_the_definition() -> TestResult {
    let client = client()?;
    install(&client, &definition("NodePool")).await?;
    let pools = KarpenterV1Client::new(&client).node_pools();
    let kind = KINDS.iter().find(|kind| kind.kind == "NodePool").ok_or("there is no NodePool")?;
    let mut object = kind.object("scaled", &mut Random::for_server(0).without_null());
    object["spec"]["replicas"] = 2.into();
    let pool: NodePool = serde_json::from_value(object)?;
    pools.create(&pool).await?;
    let mut scale = pools.get_scale("scaled").await?;
    assert_eq!(scale.spec.as_ref().and_then(|spec| spec.replicas), Some(2));
    scale.spec.get_or_insert_default().replicas = Some(5);
    pools.update_scale("scaled", &scale).await?;
    let replicas = serde_json::to_value(pools.get("scaled").await?)?["spec"]["replicas"].clone();
    assert_eq!(replicas, 5);
    pools.delete("scaled").await?;
    let answer = client.verb(Method::GET).abs_path("/apis/karpenter.sh/v1/nodepools/scaled").send().await;
    assert!(answer.is_err_and(|error| error.is_not_found()));
    Ok(())
}
