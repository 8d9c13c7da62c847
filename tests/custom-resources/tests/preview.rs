//! Kubernetes' own kinds with types that are made of its description, on a real kube-apiserver. What they have may be
//! newer than the types of k8s-openapi that this is compiled with.

use k8s_client_custom_resource_tests::{
    TestResult,
    previewed::{
        batch::v1::{
            BatchV1Client,
            apply::{JobApplyConfiguration, JobSpecApplyConfiguration},
            types::Job,
        },
        core::v1::{CoreV1Client, types::Pod},
        resource::v1::{ResourceV1Client, types::DeviceClass},
    },
};
use k8s_client_runtime::{Config, RestClient, apply::Extract as _, custom_resource::Int64OrString};
use k8s_client_test_harness::ControlPlane;
use serde_json::{Value, json};

fn client() -> TestResult<RestClient> {
    Ok(RestClient::new(&Config::from_kubeconfig(ControlPlane::shared().kubeconfig())?)?)
}

/// A job that nobody runs, with as much as there is room for.
fn job(name: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "suspend": true,
            "parallelism": 2,
            "template": {
                "metadata": { "labels": { "app": "preview" } },
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{
                        "name": "main",
                        "image": "none",
                        "resources": { "limits": { "cpu": "1", "memory": "64Mi" } },
                        "readinessProbe": { "tcpSocket": { "port": "web" } },
                        "livenessProbe": { "tcpSocket": { "port": 8080 } },
                        "ports": [{ "containerPort": 8080, "name": "web" }],
                        "env": [{ "name": "NODE", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } }],
                    }],
                },
            },
        },
    })
}

#[tokio::test]
async fn objects_are_read_changed_and_applied_without_loss() -> TestResult {
    let client = BatchV1Client::new(&client()?);
    let jobs = client.jobs("default");
    let wanted: Job = serde_json::from_value(job("preview"))?;
    let made = jobs.create(&wanted).await?;
    let spec = |job: Job| job.spec.ok_or("a job without spec");
    let pod = spec(made)?.template.spec.ok_or("a template without spec")?;
    let container = &pod.containers[0];
    let port = |probe: &Option<_>| serde_json::to_value(probe).map(|probe: Value| probe["tcpSocket"]["port"].clone());
    assert_eq!(port(&container.readiness_probe)?, "web");
    assert_eq!(port(&container.liveness_probe)?, 8080);
    let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let cpu = limits.and_then(|limits| limits.get("cpu"));
    assert_eq!(cpu, Some(&Int64OrString::String("1".to_owned())));
    // The server's answer goes through the type and stays what it was.
    let raw: Value = serde_json::from_slice(&jobs.get("preview").raw().await?)?;
    assert_eq!(serde_json::to_value(serde_json::from_value::<Job>(raw.clone())?)?, raw);

    let changed = jobs.modify("preview", |job| {
        if let Some(spec) = &mut job.spec {
            spec.parallelism = Some(3);
        }
    });
    let changed = changed.await?;
    assert_eq!(changed.metadata.generation, Some(2));
    assert_eq!(spec(changed)?.parallelism, Some(3));

    let configuration = JobApplyConfiguration::new("preview", "default")
        .labels([("applied", "yes")])
        .spec(JobSpecApplyConfiguration::default().active_deadline_seconds(60));
    let applied = jobs.apply(&configuration).field_manager("previewer").await?;
    assert_eq!(JobApplyConfiguration::extract(&applied, "previewer")?, configuration);
    assert_eq!(spec(applied)?.active_deadline_seconds, Some(60));

    assert_eq!(jobs.list().await?.items.len(), 1);
    jobs.delete("preview").await?;
    Ok(())
}

#[tokio::test]
async fn kinds_of_the_core_group_have_no_group() -> TestResult {
    let pods = CoreV1Client::new(&client()?).pods("default");
    let pod: Pod = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "preview" },
        "spec": { "nodeSelector": { "none": "such" }, "containers": [{ "name": "main", "image": "none" }] },
    }))?;
    let made = pods.create(&pod).await?;
    assert_eq!(made.spec.and_then(|spec| spec.node_selector), pod.spec.and_then(|spec| spec.node_selector));
    pods.delete("preview").grace_period_seconds(0).await?;
    Ok(())
}

#[tokio::test]
async fn a_kind_that_the_oldest_version_has_not_is_served() -> TestResult {
    let client = ResourceV1Client::new(&client()?);
    let class = json!({
        "metadata": { "name": "preview.example.com" },
        "spec": { "selectors": [{ "cel": { "expression": "device.driver == \"preview.example.com\"" } }] },
    });
    let class: DeviceClass = serde_json::from_value(class)?;
    let made = client.device_classes().create(&class).await?;
    assert!(made.metadata.uid.is_some());
    assert_eq!(made.spec, class.spec);
    client.device_classes().delete("preview.example.com").await?;
    assert!(client.device_classes().get("preview.example.com").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}
