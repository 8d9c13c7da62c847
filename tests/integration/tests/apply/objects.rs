//! Objects of many kinds, each with two managers and, where it has one, a third of its status.

use k8s_client::{
    Codec, Patch,
    api::{
        apiextensions::v1::apply::CustomResourceDefinitionApplyConfiguration,
        apps::v1::apply::{
            ControllerRevisionApplyConfiguration, DaemonSetApplyConfiguration, DeploymentApplyConfiguration,
            ReplicaSetApplyConfiguration, StatefulSetApplyConfiguration,
        },
        autoscaling::v2::apply::HorizontalPodAutoscalerApplyConfiguration,
        batch::v1::apply::{CronJobApplyConfiguration, JobApplyConfiguration},
        coordination::v1::apply::LeaseApplyConfiguration,
        core::v1::apply::{
            ConfigMapApplyConfiguration, LimitRangeApplyConfiguration, NamespaceApplyConfiguration,
            NodeApplyConfiguration, PersistentVolumeApplyConfiguration, PersistentVolumeClaimApplyConfiguration,
            PodApplyConfiguration, SecretApplyConfiguration, ServiceAccountApplyConfiguration,
            ServiceApplyConfiguration,
        },
        discovery::v1::apply::EndpointSliceApplyConfiguration,
        networking::v1::apply::{IngressApplyConfiguration, NetworkPolicyApplyConfiguration},
        policy::v1::apply::PodDisruptionBudgetApplyConfiguration,
        rbac::v1::apply::{RoleApplyConfiguration, RoleBindingApplyConfiguration},
    },
    apply::{Applicable, Extract},
    k8s_openapi::serde::Serialize,
    resource::{Applies, Gets},
};
use k8s_client_integration_tests::{Test, TestResult, object, unique};
use serde_json::{Value, json};

/// The managers of all objects; the last has applied the status of some.
pub(crate) const MANAGERS: [&str; 3] = ["one", "two", "three"];

/// Is shown the client and one object of each kind.
pub(crate) trait Visitor {
    async fn see<A, C>(&mut self, client: &C, object: &<C::Kind as Codec>::Object) -> TestResult
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize,
        C: Applies + Gets;
}

/// A line of objects: who applied what, and whoever looks at it.
macro_rules! see {
    ($visitor:ident $client:expr, $configuration:ty: $one:tt $two:tt $($status:tt)?) => {{
        let client = $client;
        let applying = |configuration: Value| object::<$configuration>(configuration);
        client.apply(&applying(json!($one))).field_manager(MANAGERS[0]).await?;
        let applied = client.apply(&applying(json!($two))).field_manager(MANAGERS[1]).await?;
        $(drop(applied);
        let applied = client.apply_status(&applying(json!($status))).field_manager(MANAGERS[2]).force().await?;)?
        let seen = $visitor.see::<$configuration, _>(&client, &applied).await;
        client.delete(applied.metadata.name.as_deref().unwrap_or_default()).await?;
        seen?;
    }};
}

/// Makes the objects, one after the other.
pub(crate) async fn visit(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    workloads(test, visitor).await?;
    pods(test, visitor).await?;
    batch(test, visitor).await?;
    network(test, visitor).await?;
    data(test, visitor).await?;
    policies(test, visitor).await?;
    cluster_objects(test, visitor).await
}

fn template(spec: &Value) -> Value {
    json!({ "metadata": { "labels": { "app": "web" } }, "spec": spec })
}

fn containers() -> Value {
    json!({ "containers": [{
        "name": "main",
        "image": "main:1",
        "command": ["main", "--quiet"],
        "ports": [{ "containerPort": 53 }, { "containerPort": 53, "protocol": "UDP" }],
        "env": [
            { "name": "LEVEL", "value": "debug" },
            { "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
        ],
        "resources": { "requests": { "cpu": "100m", "memory": "1Gi" } },
        "volumeMounts": [{ "name": "scratch", "mountPath": "/scratch" }],
    }], "volumes": [{ "name": "scratch", "emptyDir": {} }] })
}

fn sidecar() -> Value {
    json!({ "containers": [
        { "name": "sidecar", "image": "side:1", "ports": [{ "containerPort": 8080, "name": "metrics" }] },
        { "name": "main", "env": [{ "name": "MORE", "value": "1" }], "resources": { "limits": { "cpu": "1" } } },
    ] })
}

async fn workloads(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    let apps = test.client.apps_v1();
    let (one, two) = (template(&containers()), template(&sidecar()));
    let selector = json!({ "matchLabels": { "app": "web" } });
    see!(visitor apps.deployments(&test.namespace), DeploymentApplyConfiguration:
        {
            "metadata": { "name": "web", "labels": { "a": "1" } },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "strategy": { "rollingUpdate": { "maxSurge": "50%", "maxUnavailable": 1 } },
                "template": one,
            },
        }
        {
            "metadata": { "name": "web", "labels": { "b": "2" } },
            "spec": { "minReadySeconds": 5, "template": two },
        }
        { "metadata": { "name": "web" }, "status": { "conditions": [
            { "type": "example.com/Swept", "status": "True", "reason": "Test", "message": "it was" },
        ] } }
    );
    see!(visitor apps.stateful_sets(&test.namespace), StatefulSetApplyConfiguration:
        {
            "metadata": { "name": "web", "annotations": { "a": "1" } },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "serviceName": "web",
                "template": one,
                "volumeClaimTemplates": [{
                    "metadata": { "name": "data" },
                    "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
                }],
            },
        }
        { "metadata": { "name": "web", "annotations": { "b": "2" } }, "spec": { "template": two } }
    );
    see!(visitor apps.daemon_sets(&test.namespace), DaemonSetApplyConfiguration:
        { "metadata": { "name": "web" }, "spec": { "selector": selector, "template": one } }
        { "metadata": { "name": "web" }, "spec": { "minReadySeconds": 1, "template": two } }
    );
    see!(visitor apps.controller_revisions(&test.namespace), ControllerRevisionApplyConfiguration:
        { "metadata": { "name": "web" }, "revision": 1, "data": { "spec": { "template": null, "list": [1, {}] } } }
        { "metadata": { "name": "web", "labels": { "b": "2" } }, "revision": 1 }
    );
    see!(visitor apps.replica_sets(&test.namespace), ReplicaSetApplyConfiguration:
        { "metadata": { "name": "web" }, "spec": { "replicas": 0, "selector": selector, "template": one } }
        { "metadata": { "name": "web" }, "spec": { "template": two } }
    );
    Ok(())
}

async fn pods(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    // An owner that does not exist would be the pod's end.
    let owner = test.client.core_v1().namespaces().get(&test.namespace).await?.metadata.uid;
    let term = json!({ "matchExpressions": [{ "key": "zone", "operator": "In", "values": ["a", "b"] }] });
    see!(visitor test.client.core_v1().pods(&test.namespace), PodApplyConfiguration:
        {
            "metadata": { "name": "web", "labels": { "a": "1" } },
            "spec": {
                "affinity": { "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [term] },
                } },
                "containers": [{
                    "name": "main",
                    "image": "main:1",
                    "ports": [{ "containerPort": 53 }, { "containerPort": 53, "protocol": "UDP" }],
                    "livenessProbe": { "httpGet": { "path": "/live", "port": "http" } },
                    "securityContext": { "capabilities": { "drop": ["ALL"] } },
                    "volumeMounts": [
                        { "name": "config", "mountPath": "/config", "readOnly": true },
                        { "name": "scratch", "mountPath": "/scratch" },
                    ],
                }],
                "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["web", "front"] }],
                "imagePullSecrets": [{ "name": "registry" }],
                "initContainers": [{ "name": "init", "image": "init:1", "args": ["--once"] }],
                "nodeSelector": { "zone": "a" },
                "securityContext": { "runAsNonRoot": true, "supplementalGroups": [1, 2] },
                "tolerations": [{ "key": "zone", "operator": "Exists" }],
                "topologySpreadConstraints": [{
                    "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": { "matchLabels": { "a": "1" } },
                }],
                "volumes": [
                    { "name": "config", "configMap": { "name": "web", "items": [{ "key": "a", "path": "b" }] } },
                    { "name": "scratch", "emptyDir": {} },
                ],
            },
        }
        {
            "metadata": { "name": "web", "labels": { "b": "2" }, "ownerReferences": [
                { "apiVersion": "v1", "kind": "Namespace", "name": test.namespace, "uid": owner },
            ] },
            "spec": { "containers": [{ "name": "main", "image": "main:1" }] },
        }
        {
            "metadata": { "name": "web" },
            "status": {
                "conditions": [{ "type": "example.com/Swept", "status": "True" }],
                "podIP": "10.0.0.1",
                "podIPs": [{ "ip": "10.0.0.1" }],
                "startTime": "2026-01-02T03:04:05Z",
            },
        }
    );
    Ok(())
}

async fn batch(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    let spec = json!({ "restartPolicy": "Never", "containers": [{ "name": "main", "image": "main:1" }] });
    let template = template(&spec);
    see!(visitor test.client.batch_v1().jobs(&test.namespace), JobApplyConfiguration:
        { "metadata": { "name": "web" }, "spec": { "suspend": true, "template": template } }
        { "metadata": { "name": "web", "labels": { "b": "2" } }, "spec": { "parallelism": 2 } }
    );
    see!(visitor test.client.batch_v1().cron_jobs(&test.namespace), CronJobApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": { "schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": { "spec": { "template": template } } },
        }
        { "metadata": { "name": "web" }, "spec": { "jobTemplate": { "spec": { "backoffLimit": 3 } } } }
        { "metadata": { "name": "web" }, "status": { "lastScheduleTime": "2026-01-02T03:04:05Z" } }
    );
    Ok(())
}

async fn network(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    see!(visitor test.client.core_v1().services(&test.namespace), ServiceApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": {
                "type": "LoadBalancer",
                "selector": { "app": "web" },
                "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "ports": [{ "name": "dns", "port": 53 }, { "name": "udp", "port": 53, "protocol": "UDP" }],
            },
        }
        {
            "metadata": { "name": "web" },
            "spec": { "ports": [{ "name": "http", "port": 80, "protocol": "TCP", "targetPort": "http" }] },
        }
        {
            "metadata": { "name": "web" },
            "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } },
        }
    );
    let backend = |number: i32| json!({ "service": { "name": "web", "port": { "number": number } } });
    see!(visitor test.client.networking_v1().ingresses(&test.namespace), IngressApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": {
                "defaultBackend": backend(80),
                "rules": [{
                    "host": "example.com",
                    "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend(81) }] },
                }],
            },
        }
        { "metadata": { "name": "web" }, "spec": { "tls": [{ "hosts": ["example.com"], "secretName": "web" }] } }
        { "metadata": { "name": "web" }, "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } } }
    );
    see!(visitor test.client.networking_v1().network_policies(&test.namespace), NetworkPolicyApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": {
                "podSelector": { "matchLabels": { "app": "web" } },
                "ingress": [{ "from": [{ "podSelector": {} }], "ports": [{ "port": 80 }] }],
            },
        }
        { "metadata": { "name": "web" }, "spec": { "egress": [{}], "policyTypes": ["Ingress", "Egress"] } }
    );
    see!(visitor test.client.discovery_v1().endpoint_slices(&test.namespace), EndpointSliceApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "addressType": "IPv4",
            "endpoints": [{ "addresses": ["10.0.0.1"], "conditions": { "ready": true } }],
        }
        { "metadata": { "name": "web" }, "addressType": "IPv4", "ports": [{ "name": "http", "port": 80 }] }
    );
    Ok(())
}

async fn data(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    let core = test.client.core_v1();
    see!(visitor core.config_maps(&test.namespace), ConfigMapApplyConfiguration:
        {
            "metadata": { "name": "web", "finalizers": ["example.com/one", "example.com/both"] },
            "data": { "a.b": "1" },
            "binaryData": { "bin": "AAEC" },
        }
        {
            "metadata": { "name": "web", "finalizers": ["example.com/two", "example.com/both"] },
            "data": { "b": "2" },
            "immutable": false,
        }
    );
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    core.config_maps(&test.namespace).patch("web", &release).await?;
    see!(visitor core.secrets(&test.namespace), SecretApplyConfiguration:
        { "metadata": { "name": "web" }, "data": { "a": "MQ==" }, "type": "example.com/web" }
        { "metadata": { "name": "web" }, "data": { "b": "Mg==" } }
    );
    see!(visitor core.service_accounts(&test.namespace), ServiceAccountApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "secrets": [{ "name": "a" }],
            "imagePullSecrets": [{ "name": "registry" }],
        }
        { "metadata": { "name": "web" }, "secrets": [{ "name": "b" }], "automountServiceAccountToken": false }
    );
    see!(visitor core.persistent_volume_claims(&test.namespace), PersistentVolumeClaimApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1024Mi" } } },
        }
        { "metadata": { "name": "web", "labels": { "b": "2" } }, "spec": { "storageClassName": "none" } }
        { "metadata": { "name": "web" }, "status": { "conditions": [{ "type": "Resizing", "status": "False" }] } }
    );
    see!(visitor core.limit_ranges(&test.namespace), LimitRangeApplyConfiguration:
        { "metadata": { "name": "web" }, "spec": { "limits": [{ "type": "Pod", "max": { "cpu": "100" } }] } }
        { "metadata": { "name": "web", "labels": { "b": "2" } } }
    );
    see!(visitor test.client.coordination_v1().leases(&test.namespace), LeaseApplyConfiguration:
        { "metadata": { "name": "web" }, "spec": { "holderIdentity": "one", "leaseDurationSeconds": 15 } }
        { "metadata": { "name": "web" }, "spec": { "renewTime": "2026-01-02T03:04:05.000006Z" } }
    );
    Ok(())
}

async fn policies(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    let rbac = test.client.rbac_v1();
    see!(visitor rbac.roles(&test.namespace), RoleApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }],
        }
        { "metadata": { "name": "web", "labels": { "b": "2" } } }
    );
    see!(visitor rbac.role_bindings(&test.namespace), RoleBindingApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web" },
        }
        {
            "metadata": { "name": "web" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web" },
            "subjects": [{ "kind": "ServiceAccount", "name": "web", "namespace": test.namespace }],
        }
    );
    let autoscalers = test.client.autoscaling_v2().horizontal_pod_autoscalers(&test.namespace);
    see!(visitor autoscalers, HorizontalPodAutoscalerApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": {
                "maxReplicas": 2,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody" },
                "metrics": [{
                    "type": "Resource",
                    "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } },
                }],
            },
        }
        {
            "metadata": { "name": "web" },
            "spec": { "behavior": { "scaleDown": { "stabilizationWindowSeconds": 60 } } },
        }
    );
    see!(visitor test.client.policy_v1().pod_disruption_budgets(&test.namespace), PodDisruptionBudgetApplyConfiguration:
        {
            "metadata": { "name": "web" },
            "spec": { "maxUnavailable": "50%", "selector": { "matchLabels": { "app": "web" } } },
        }
        { "metadata": { "name": "web" }, "spec": { "unhealthyPodEvictionPolicy": "AlwaysAllow" } }
        {
            "metadata": { "name": "web" },
            "status": {
                "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
                "disruptedPods": { "web-1": "2026-01-02T03:04:05Z" },
            },
        }
    );
    Ok(())
}

async fn cluster_objects(test: &Test, visitor: &mut impl Visitor) -> TestResult {
    let core = test.client.core_v1();
    let name = unique("apply");
    see!(visitor core.namespaces(), NamespaceApplyConfiguration:
        { "metadata": { "name": name, "labels": { "a": "1" } }, "spec": { "finalizers": ["kubernetes"] } }
        { "metadata": { "name": name, "labels": { "b": "2" } } }
    );
    see!(visitor core.nodes(), NodeApplyConfiguration:
        {
            "metadata": { "name": name, "labels": { "a": "1" } },
            "spec": { "podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"], "unschedulable": true },
        }
        { "metadata": { "name": name, "labels": { "b": "2" } }, "spec": { "providerID": "test:///web" } }
        {
            "metadata": { "name": name },
            "status": {
                "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }],
                "capacity": { "cpu": "4", "memory": "1Gi", "example.com/web": "2" },
                "conditions": [{ "type": "example.com/Swept", "status": "True" }],
            },
        }
    );
    see!(visitor core.persistent_volumes(), PersistentVolumeApplyConfiguration:
        {
            "metadata": { "name": name },
            "spec": {
                "capacity": { "storage": "1Gi" },
                "accessModes": ["ReadWriteOnce"],
                "hostPath": { "path": "/web" },
                "storageClassName": "none",
                "claimRef": { "namespace": test.namespace, "name": "nobody" },
            },
        }
        { "metadata": { "name": name }, "spec": { "claimRef": { "kind": "PersistentVolumeClaim" } } }
    );
    let group = format!("{name}.example.com");
    let definition = format!("webs.{group}");
    let schema = json!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": { "spec": { "type": "object", "properties": { "size": { "type": "integer", "default": 1 } } } },
    });
    let names = json!({ "plural": "webs", "kind": "Web" });
    see!(visitor test.client.apiextensions_v1().custom_resource_definitions(), CustomResourceDefinitionApplyConfiguration:
        {
            "metadata": { "name": definition },
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": names,
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema },
                    "additionalPrinterColumns": [{ "name": "Size", "type": "integer", "jsonPath": ".spec.size" }],
                }],
            },
        }
        {
            "metadata": { "name": definition },
            "spec": { "names": { "shortNames": ["wb"], "categories": ["all"] } },
        }
    );
    Ok(())
}
