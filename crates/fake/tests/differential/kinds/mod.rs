//! The kinds that sequences are about, and objects of them that every server accepts.

mod cluster;
mod custom;
mod small;
mod workloads;

use fastrand::Rng;
use serde_json::{Value, json};

pub(crate) use custom::definitions;

/// Where definitions of custom resources are.
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A kind.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) api_version: &'static str,
    pub(crate) name: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) is_custom: bool,
    /// Whether its objects are in no namespace. Then their names have the sequence's namespace in them, and a label
    /// too, by which the sequence finds its own.
    pub(crate) is_of_cluster: bool,
    /// Whether it has `status`, with what it can say.
    pub(crate) status: Option<fn(&mut Rng) -> Value>,
    pub(crate) has_scale: bool,
    /// A whole object beside its metadata.
    pub(crate) whole: fn(&mut Rng) -> Value,
    /// A part that can be merged into any object of the kind, by all types of patch.
    pub(crate) part: fn(&mut Rng) -> Value,
    /// Fields of selectors, each with values.
    pub(crate) selectable: &'static [(&'static str, &'static [&'static str])],
}

pub(crate) const KINDS: [Kind; 23] = [
    Kind { part: small::map_part, ..plain("v1", "ConfigMap", "configmaps", small::config_map) },
    Kind {
        part: small::secret_part,
        selectable: &[("type", &["Opaque", "example.com/x"])],
        ..plain("v1", "Secret", "secrets", small::secret)
    },
    Kind { part: |_| json!({}), ..plain("v1", "ServiceAccount", "serviceaccounts", |_| json!({})) },
    plain("coordination.k8s.io/v1", "Lease", "leases", small::lease_spec),
    plain("rbac.authorization.k8s.io/v1", "Role", "roles", small::role),
    Kind {
        part: small::service_part,
        status: Some(|_| json!({})),
        selectable: &[("spec.type", &["ClusterIP", "NodePort"]), ("spec.clusterIP", &["None"])],
        ..plain("v1", "Service", "services", small::service)
    },
    Kind {
        part: small::budget_part,
        status: Some(small::budget_status),
        ..plain("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", small::budget)
    },
    Kind {
        part: small::network_part,
        ..plain("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", small::network_policy)
    },
    Kind {
        part: workloads::deployment_part,
        status: Some(workloads::deployment_status),
        has_scale: true,
        ..plain("apps/v1", "Deployment", "deployments", workloads::deployment)
    },
    Kind {
        part: workloads::replicas_part,
        status: Some(workloads::replica_set_status),
        has_scale: true,
        ..plain("apps/v1", "ReplicaSet", "replicasets", workloads::replica_set)
    },
    Kind {
        part: workloads::stateful_set_part,
        status: Some(workloads::stateful_set_status),
        has_scale: true,
        ..plain("apps/v1", "StatefulSet", "statefulsets", workloads::stateful_set)
    },
    Kind {
        part: workloads::daemon_set_part,
        status: Some(workloads::daemon_set_status),
        ..plain("apps/v1", "DaemonSet", "daemonsets", workloads::daemon_set)
    },
    Kind {
        part: workloads::job_part,
        status: Some(workloads::job_status),
        selectable: &[("status.successful", &["0", "1"])],
        ..plain("batch/v1", "Job", "jobs", workloads::job)
    },
    Kind {
        part: workloads::pod_part,
        status: Some(workloads::pod_status),
        selectable: &[
            ("spec.nodeName", &["n1", ""]),
            ("status.phase", &["Pending", "Running"]),
            ("status.podIP", &["10.9.0.1"]),
            ("spec.hostNetwork", &["false"]),
        ],
        ..plain("v1", "Pod", "pods", workloads::pod)
    },
    Kind {
        is_custom: true,
        part: custom::widget,
        status: Some(custom::widget_status),
        has_scale: true,
        selectable: &[("spec.color", &["red", "blue", ""])],
        ..plain("diff.example.com/v1", "Widget", "widgets", custom::widget)
    },
    Kind { is_custom: true, ..plain("diff.example.com/v1", "Gadget", "gadgets", custom::gadget) },
    Kind {
        is_custom: true,
        part: custom::widget,
        status: Some(custom::widget_status),
        ..of_cluster("diff.example.com/v1", "Globe", "globes", custom::widget)
    },
    Kind {
        status: Some(cluster::namespace_status),
        selectable: &[("status.phase", &["Active", "Terminating"])],
        ..of_cluster("v1", "Namespace", "namespaces", |_| json!({}))
    },
    Kind {
        part: cluster::node_part,
        status: Some(cluster::node_status),
        selectable: &[("spec.unschedulable", &["true", "false"])],
        ..of_cluster("v1", "Node", "nodes", cluster::node)
    },
    Kind {
        part: cluster::volume_part,
        status: Some(cluster::volume_status),
        ..of_cluster("v1", "PersistentVolume", "persistentvolumes", cluster::volume)
    },
    Kind {
        part: small::role,
        ..of_cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", cluster::role)
    },
    Kind {
        part: cluster::priority_part,
        ..of_cluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", cluster::priority)
    },
    Kind {
        part: cluster::class_part,
        ..of_cluster("storage.k8s.io/v1", "StorageClass", "storageclasses", cluster::class)
    },
];

const fn plain(
    api_version: &'static str,
    name: &'static str,
    plural: &'static str,
    whole: fn(&mut Rng) -> Value,
) -> Kind {
    Kind {
        api_version,
        name,
        plural,
        is_custom: false,
        is_of_cluster: false,
        status: None,
        has_scale: false,
        whole,
        part: whole,
        selectable: &[],
    }
}

const fn of_cluster(
    api_version: &'static str,
    name: &'static str,
    plural: &'static str,
    whole: fn(&mut Rng) -> Value,
) -> Kind {
    Kind { is_of_cluster: true, ..plain(api_version, name, plural, whole) }
}

impl Kind {
    /// The path of its objects in the sequence's namespace.
    pub(crate) fn path(&self) -> String {
        let place = if self.is_of_cluster { "" } else { "/namespaces/{ns}" };
        format!("{}{place}/{}", self.root(), self.plural)
    }

    /// An object's name, which no other sequence has.
    pub(crate) fn named(&self, name: &str) -> String {
        if self.is_of_cluster { format!("{{ns}}-{name}") } else { name.to_owned() }
    }

    /// The path of its group and version.
    pub(crate) fn root(&self) -> String {
        let prefix = if self.api_version.contains('/') { "/apis" } else { "/api" };
        format!("{prefix}/{}", self.api_version)
    }
}

/// One of these.
pub(crate) fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

/// The members that are drawn, each with a chance of two in three.
fn some(members: Value, rng: &mut Rng) -> Value {
    let Value::Object(members) = members else { return members };
    members.into_iter().filter(|_| rng.u8(..3) > 0).collect::<serde_json::Map<_, _>>().into()
}

fn text(rng: &mut Rng) -> &'static str {
    one(rng, &["a", "b", "", "x \"<y>\" & é\n", "7"])
}
