//! Lists and maps that managers share item by item, and those that belong to one as a whole.

use k8s_client::{
    api::core::v1::apply::{
        ConfigMapApplyConfiguration, ContainerApplyConfiguration, ContainerPortApplyConfiguration,
        EnvVarApplyConfiguration, PersistentVolumeApplyConfiguration, PodApplyConfiguration, PodSpecApplyConfiguration,
        ServiceApplyConfiguration, ServicePortApplyConfiguration, ServiceSpecApplyConfiguration,
        TolerationApplyConfiguration,
    },
    apply::Extract as _,
};
use k8s_client_integration_tests::{Test, TestResult, field, object, owned, unique};
use serde_json::{Value, json};

use crate::{container, deployment, pod};

fn port(number: i32) -> ContainerPortApplyConfiguration {
    ContainerPortApplyConfiguration::default().container_port(number)
}

fn env(name: &str, value: &str) -> EnvVarApplyConfiguration {
    EnvVarApplyConfiguration::default().name(name).value(value)
}

/// What of the template's containers a manager owns.
fn owned_containers(object: &k8s_client::k8s_openapi::api::apps::v1::Deployment, manager: &str) -> Value {
    let owned = owned(object, manager, "");
    owned.pointer("/f:spec/f:template/f:spec/f:containers").cloned().unwrap_or_default()
}

/// The containers of the template, by name.
fn names(object: &k8s_client::k8s_openapi::api::apps::v1::Deployment) -> Vec<Value> {
    let containers = field(object, "/spec/template/spec/containers");
    containers.as_array().into_iter().flatten().map(|container| container["name"].clone()).collect()
}

#[tokio::test]
async fn containers_are_shared_by_name() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    deployments.apply(&deployment("web", &test.namespace, "web:1")).field_manager("one").await?;

    // Another container, and an environment for the container that the other manager has.
    let mut theirs = deployment("web", &test.namespace, "web:1");
    let spec = theirs.spec.as_mut().and_then(|spec| spec.template.as_mut()).and_then(|template| template.spec.as_mut());
    let spec = spec.ok_or("the template has a spec")?;
    spec.containers = Some(vec![container("main").env([env("LEVEL", "debug")]), container("sidecar").image("side:1")]);
    let applied = deployments.apply(&theirs).field_manager("two").await?;

    assert_eq!(names(&applied), ["main", "sidecar"]);
    assert_eq!(field(&applied, "/spec/template/spec/containers/0/image"), "web:1");
    assert_eq!(field(&applied, "/spec/template/spec/containers/0/env/0/value"), "debug");
    assert_eq!(
        owned_containers(&applied, "two"),
        json!({
            "k:{\"name\":\"main\"}": {
                ".": {},
                "f:name": {},
                "f:env": { "k:{\"name\":\"LEVEL\"}": { ".": {}, "f:name": {}, "f:value": {} } },
            },
            "k:{\"name\":\"sidecar\"}": { ".": {}, "f:name": {}, "f:image": {} },
        })
    );

    // The second manager's part, and nothing of the first one's, is gone when it is not sent any more.
    theirs.spec.get_or_insert_default().template = None;
    let applied = deployments.apply(&theirs).field_manager("two").await?;
    assert_eq!(names(&applied), ["main"]);
    assert_eq!(field(&applied, "/spec/template/spec/containers/0/env"), Value::Null);
    Ok(())
}

#[tokio::test]
async fn ports_are_told_apart_by_number_and_protocol() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let ports = [port(53), port(53).protocol("UDP"), port(80).protocol("TCP").name("http")];
    let configuration = pod("web", &test.namespace, [container("main").image("web:1").ports(ports)]);
    let applied = pods.apply(&configuration).field_manager("one").await?;
    assert_eq!(
        owned(&applied, "one", "")["f:spec"]["f:containers"]["k:{\"name\":\"main\"}"]["f:ports"],
        json!({
            "k:{\"containerPort\":53,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} },
            "k:{\"containerPort\":53,\"protocol\":\"UDP\"}": { ".": {}, "f:containerPort": {}, "f:protocol": {} },
            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                ".": {}, "f:containerPort": {}, "f:protocol": {}, "f:name": {},
            },
        })
    );
    // Each comes back as it was sent: with its protocol where that was said, without where it is a default.
    assert_eq!(PodApplyConfiguration::extract(&applied, "one")?, configuration);
    let again = pods.apply(&configuration).field_manager("one").await?;
    assert_eq!(again.metadata.resource_version, applied.metadata.resource_version);
    Ok(())
}

#[tokio::test]
async fn service_ports_are_shared() -> TestResult {
    let test = Test::namespace().await;
    let services = test.client.core_v1().services(&test.namespace);
    let configuration = |ports: Vec<ServicePortApplyConfiguration>| {
        let spec = ServiceSpecApplyConfiguration::default().ports(ports);
        ServiceApplyConfiguration::new("web", &test.namespace).spec(spec)
    };
    let port = |name: &str, number| ServicePortApplyConfiguration::default().name(name).port(number);
    let ours = configuration(vec![port("dns", 53), port("dns-udp", 53).protocol("UDP")]);
    let theirs = configuration(vec![port("http", 80).protocol("TCP")]);
    services.apply(&ours).field_manager("one").await?;
    let applied = services.apply(&theirs).field_manager("two").await?;
    assert_eq!(field(&applied, "/spec/ports").as_array().map(Vec::len), Some(3));
    assert_eq!(ServiceApplyConfiguration::extract(&applied, "one")?, ours);
    assert_eq!(ServiceApplyConfiguration::extract(&applied, "two")?, theirs);
    Ok(())
}

#[tokio::test]
async fn atomic_list_belongs_to_one_manager() -> TestResult {
    let test = Test::namespace().await;
    let deployments = test.client.apps_v1().deployments(&test.namespace);
    let with = |arguments: &[&str], key: &str| {
        let mut configuration = deployment("web", &test.namespace, "web:1");
        let spec = PodSpecApplyConfiguration::default()
            .containers([container("main").image("web:1").args(arguments.iter().copied())])
            .tolerations([TolerationApplyConfiguration::default().key(key).operator("Exists")]);
        let template = configuration.spec.as_mut().and_then(|spec| spec.template.as_mut());
        template.expect("the deployment has a template").spec = Some(spec);
        configuration
    };
    let ours = with(&["--quiet"], "one");
    let applied = deployments.apply(&ours).field_manager("one").await?;
    let container = &owned_containers(&applied, "one")["k:{\"name\":\"main\"}"];
    assert_eq!(container["f:args"], json!({}));

    let theirs = with(&["--quiet", "--fast"], "two");
    let error = deployments.apply(&theirs).field_manager("two").await.expect_err("one owns both lists");
    let mut fields: Vec<_> = error.causes().iter().filter_map(|cause| cause.field.as_deref()).collect();
    fields.sort_unstable();
    assert_eq!(fields, [r#".spec.template.spec.containers[name="main"].args"#, ".spec.template.spec.tolerations"]);

    let applied = deployments.apply(&theirs).field_manager("two").force().await?;
    assert_eq!(field(&applied, "/spec/template/spec/containers/0/args"), json!(["--quiet", "--fast"]));
    assert_eq!(field(&applied, "/spec/template/spec/tolerations/0/key"), "two");
    assert_eq!(field(&applied, "/spec/template/spec/tolerations/1"), Value::Null);
    Ok(())
}

#[tokio::test]
async fn atomic_map_belongs_to_one_manager() -> TestResult {
    let test = Test::namespace().await;
    let services = test.client.core_v1().services(&test.namespace);
    let configuration = |key: &str| {
        let ports = [ServicePortApplyConfiguration::default().port(80)];
        let spec = ServiceSpecApplyConfiguration::default().ports(ports).selector([(key, "web")]);
        ServiceApplyConfiguration::new("web", &test.namespace).spec(spec)
    };
    let applied = services.apply(&configuration("app")).field_manager("one").await?;
    assert_eq!(owned(&applied, "one", "")["f:spec"]["f:selector"], json!({}));
    let applied = services.apply(&configuration("name")).field_manager("two").force().await?;
    assert_eq!(field(&applied, "/spec/selector"), json!({ "name": "web" }));
    Ok(())
}

#[tokio::test]
async fn finalizers_are_a_set() -> TestResult {
    let test = Test::namespace().await;
    let config_maps = test.client.core_v1().config_maps(&test.namespace);
    let configuration = ConfigMapApplyConfiguration::new("web", &test.namespace);
    let ours = configuration.clone().finalizers(["example.com/one", "example.com/both"]);
    let theirs = configuration.clone().finalizers(["example.com/two", "example.com/both"]);
    config_maps.apply(&ours).field_manager("one").await?;
    let applied = config_maps.apply(&theirs).field_manager("two").await?;
    assert_eq!(
        owned(&applied, "two", ""),
        json!({ "f:metadata": { "f:finalizers": { "v:\"example.com/two\"": {}, "v:\"example.com/both\"": {} } } })
    );
    let finalizers = field(&applied, "/metadata/finalizers");
    assert_eq!(finalizers.as_array().map(Vec::len), Some(3), "{finalizers}");
    let extracted = ConfigMapApplyConfiguration::extract(&applied, "one")?;
    let mut finalizers = extracted.metadata.and_then(|metadata| metadata.finalizers).unwrap_or_default();
    finalizers.sort();
    assert_eq!(finalizers, ["example.com/both", "example.com/one"]);

    config_maps.apply(&configuration).field_manager("one").await?;
    let applied = config_maps.apply(&configuration).field_manager("two").await?;
    assert_eq!(field(&applied, "/metadata/finalizers"), Value::Null);
    Ok(())
}

#[tokio::test]
async fn atomic_type_can_be_granular_in_a_field() -> TestResult {
    let test = Test::namespace().await;
    let volumes = test.client.core_v1().persistent_volumes();
    let name = unique("volume");
    let ours: PersistentVolumeApplyConfiguration = object(json!({
        "metadata": { "name": name },
        "spec": {
            "capacity": { "storage": "1Gi" },
            "accessModes": ["ReadWriteOnce"],
            "hostPath": { "path": "/web" },
            "storageClassName": "none",
            "claimRef": { "namespace": test.namespace, "name": "web" },
        },
    }));
    let theirs: PersistentVolumeApplyConfiguration = object(json!({
        "metadata": { "name": name },
        "spec": { "claimRef": { "apiVersion": "v1", "kind": "PersistentVolumeClaim" } },
    }));
    volumes.apply(&ours).field_manager("one").await?;
    let applied = volumes.apply(&theirs).field_manager("two").await;
    volumes.delete(&name).await?;
    let applied = applied?;
    assert_eq!(PersistentVolumeApplyConfiguration::extract(&applied, "one")?, ours);
    assert_eq!(PersistentVolumeApplyConfiguration::extract(&applied, "two")?, theirs);
    Ok(())
}

#[tokio::test]
async fn item_keeps_what_another_manager_put_into_it() -> TestResult {
    let test = Test::namespace().await;
    let pods = test.client.core_v1().pods(&test.namespace);
    let main = |value: ContainerApplyConfiguration| pod("web", &test.namespace, [value]);
    pods.apply(&main(container("main").image("web:1"))).field_manager("one").await?;
    let theirs = main(container("main").image("web:2"));
    let applied = pods.apply(&theirs).field_manager("two").force().await?;
    // The first manager lost the image and keeps the container.
    assert_eq!(PodApplyConfiguration::extract(&applied, "one")?, main(container("main")));
    assert_eq!(PodApplyConfiguration::extract(&applied, "two")?, theirs);
    Ok(())
}
