//! The columns of Kubernetes' own kinds, and the cells of those that need few words.

use serde_json::{Value, json};

use super::{
    pod,
    row::{NONE, Row, labels, list, selector},
    volumes, workloads,
};

/// The columns of a kind: `NAME:TYPE*PRIORITY`, of which a text is the type and 0 the priority that need not be said;
/// and what makes the cells.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) columns: &'static str,
    pub(super) cells: fn(&Row<'_>) -> Vec<Value>,
}

/// The columns of a resource.
pub(super) fn of(group: &str, plural: &str) -> Kind {
    let (columns, cells): (_, fn(&Row<'_>) -> Vec<Value>) = match (group, plural) {
        ("", "pods") => (
            "Name|Ready|Status|Restarts|Age|IP:string*1|Node:string*1|Nominated Node:string*1|Readiness Gates:string*1",
            pod::cells,
        ),
        ("apps", "deployments") => (
            "Name|Ready|Up-to-date|Available|Age|Containers:string*1|Images:string*1|Selector:string*1",
            workloads::deployment,
        ),
        ("apps", "replicasets") => (REPLICAS, workloads::replica_set),
        ("", "replicationcontrollers") => (REPLICAS, workloads::replication_controller),
        ("apps", "statefulsets") => ("Name|Ready|Age|Containers:string*1|Images:string*1", workloads::stateful_set),
        ("apps", "daemonsets") => (
            "Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer|Available:integer|Node Selector|Age|\
             Containers:string*1|Images:string*1|Selector:string*1",
            workloads::daemon_set,
        ),
        ("batch", "jobs") => (
            "Name|Status|Completions|Duration|Age|Containers:string*1|Images:string*1|Selector:string*1",
            workloads::job,
        ),
        ("batch", "cronjobs") => (
            "Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age|Containers:string*1|\
             Images:string*1|Selector:string*1",
            workloads::cron_job,
        ),
        ("apps", "controllerrevisions") => ("Name|Controller|Revision|Age", workloads::revision),
        ("policy", "poddisruptionbudgets") => {
            ("Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age", workloads::disruption_budget)
        }
        ("", "services") => ("Name|Type|Cluster-IP|External-IP|Port(s)|Age|Selector:string*1", service),
        ("", "nodes") => (
            "Name|Status|Roles|Age|Version|Internal-IP:string*1|External-IP:string*1|OS-Image:string*1|\
             Kernel-Version:string*1|Container-Runtime:string*1",
            node,
        ),
        ("", "namespaces") => ("Name|Status|Age", |row| vec![row.name(), row.text("/status/phase").into(), row.age()]),
        ("", "configmaps") => ("Name|Data|Age", |row| {
            vec![row.name(), (row.members("/data") + row.members("/binaryData")).into(), row.age()]
        }),
        ("", "secrets") => ("Name|Type|Data|Age", |row| {
            vec![row.name(), row.text("/type").into(), row.members("/data").into(), row.age()]
        }),
        ("" | "events.k8s.io", "events") => (
            "Last Seen|Type|Reason|Object|Subobject:string*1|Source:string*1|Message|First Seen:string*1|\
             Count:string*1|Name:string*1",
            event,
        ),
        ("", "persistentvolumeclaims") => (
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|VolumeMode:string*1",
            volumes::claim,
        ),
        ("", "persistentvolumes") => (
            "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|\
             VolumeMode:string*1",
            volumes::volume,
        ),
        ("storage.k8s.io", "storageclasses") => {
            ("Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age", volumes::class)
        }
        ("networking.k8s.io", "ingresses") => ("Name|Class|Hosts|Address|Ports|Age", ingress),
        ("networking.k8s.io", "networkpolicies") => {
            ("Name|Pod-Selector|Age", |row| vec![row.name(), selector(row.at("/spec/podSelector")).into(), row.age()])
        }
        ("coordination.k8s.io", "leases") => {
            ("Name|Holder|Age", |row| vec![row.name(), row.text("/spec/holderIdentity").into(), row.age()])
        }
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            ("Name|Role|Age|Users:string*1|Groups:string*1|ServiceAccounts:string*1", binding)
        }
        ("scheduling.k8s.io", "priorityclasses") => {
            ("Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy", |row| {
                let is_default = row.at("/globalDefault").as_bool().unwrap_or_default();
                let policy = row.text("/preemptionPolicy");
                vec![row.name(), row.number("/value").into(), is_default.into(), row.age(), policy.into()]
            })
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => (
            "Name|Scope|Versions|Created At:date|Group:string*1|Kind:string*1|ShortNames:string*1|\
             Established:boolean*1",
            definition,
        ),
        ("", "limitranges") | ("rbac.authorization.k8s.io", _) | ("storage.k8s.io", "csistoragecapacities") => {
            ("Name|Created At:date", |row| vec![row.name(), row.at("/metadata/creationTimestamp").clone()])
        }
        _ => ("Name|Age", |row| vec![row.name(), row.age()]),
    };
    Kind { columns, cells }
}

const REPLICAS: &str = "Name|Desired:integer|Current:integer|Ready:integer|Age|Containers:string*1|Images:string*1|\
     Selector:string*1";

fn service(row: &Row<'_>) -> Vec<Value> {
    let external = match row.text("/spec/type") {
        "ClusterIP" | "NodePort" => list(row.items("/spec/externalIPs")),
        "LoadBalancer" => {
            let given = row.items("/status/loadBalancer/ingress").iter();
            let given = given.filter_map(|it| it["ip"].as_str().or_else(|| it["hostname"].as_str()));
            let more = row.items("/spec/externalIPs").iter().filter_map(Value::as_str);
            let all: Vec<&str> = given.chain(more).collect();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => row.text("/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    };
    let port = |port: &Value| {
        let protocol = port["protocol"].as_str().unwrap_or_default();
        match port["nodePort"].as_i64() {
            Some(node) if node > 0 => format!("{}:{node}/{protocol}", port["port"]),
            _ => format!("{}/{protocol}", port["port"]),
        }
    };
    let ports: Vec<String> = row.items("/spec/ports").iter().map(port).collect();
    let ports = if ports.is_empty() { NONE.to_owned() } else { ports.join(",") };
    vec![
        row.name(),
        row.text("/spec/type").into(),
        row.text_or("/spec/clusterIPs/0", NONE),
        external.into(),
        ports.into(),
        row.age(),
        labels(row.at("/spec/selector")).into(),
    ]
}

fn node(row: &Row<'_>) -> Vec<Value> {
    let ready = row.items("/status/conditions").iter().find(|condition| condition["type"] == "Ready");
    let mut status = match ready.map(|ready| ready["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if row.at("/spec/unschedulable") == true {
        status.push_str(",SchedulingDisabled");
    }
    let labels = row.at("/metadata/labels").as_object();
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| match name.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if name == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    let address = |kind: &str| {
        let found = row.items("/status/addresses").iter().find(|address| address["type"] == kind);
        found.and_then(|address| address["address"].as_str()).unwrap_or(NONE)
    };
    let info = |name: &str| row.text_or(&format!("/status/nodeInfo/{name}"), "<unknown>");
    let mut kernel = info("kernelVersion").as_str().unwrap_or_default().to_owned();
    let architecture = row.text("/status/nodeInfo/architecture");
    if !architecture.is_empty() {
        kernel = format!("{kernel} ({architecture})");
    }
    vec![
        row.name(),
        status.into(),
        if roles.is_empty() { NONE.into() } else { roles.join(",").into() },
        row.age(),
        row.text("/status/nodeInfo/kubeletVersion").into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        info("osImage"),
        kernel.into(),
        info("containerRuntimeVersion"),
    ]
}

fn event(row: &Row<'_>) -> Vec<Value> {
    // The two groups name the same fields differently.
    let either = |one: &str, other: &str| match row.text(one) {
        "" => row.text(other),
        text => text,
    };
    let since = |time: &str| row.since(time);
    let first = either("/firstTimestamp", "/deprecatedFirstTimestamp");
    let first = since(if first.is_empty() { row.text("/eventTime") } else { first });
    let last = either("/lastTimestamp", "/deprecatedLastTimestamp");
    let mut last = if last.is_empty() { first.clone() } else { since(last) };
    let mut count = row.number("/count").max(row.number("/deprecatedCount")).max(1);
    if row.at("/series").is_object() {
        last = since(row.text("/series/lastObservedTime"));
        count = row.number("/series/count");
    }
    let of = |name: &str| either(&format!("/involvedObject/{name}"), &format!("/regarding/{name}"));
    let (kind, name) = (of("kind").to_lowercase(), of("name"));
    let target = if name.is_empty() { kind } else { format!("{kind}/{name}") };
    let component = either("/source/component", "/deprecatedSource/component");
    let host = either("/source/host", "/deprecatedSource/host");
    let component =
        if component.is_empty() { either("/reportingComponent", "/reportingController") } else { component };
    let host = if host.is_empty() { row.text("/reportingInstance") } else { host };
    let source = if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") };
    vec![
        last,
        row.text("/type").into(),
        row.text("/reason").into(),
        target.into(),
        of("fieldPath").into(),
        source.into(),
        either("/message", "/note").trim().into(),
        first,
        count.into(),
        row.name(),
    ]
}

/// How many hosts a row has.
const HOSTS: usize = 3;

fn ingress(row: &Row<'_>) -> Vec<Value> {
    let rules = row.items("/spec/rules");
    let hosts: Vec<&str> =
        rules.iter().filter_map(|rule| rule["host"].as_str()).filter(|host| !host.is_empty()).collect();
    let shown = hosts.iter().take(HOSTS).copied().collect::<Vec<_>>().join(",");
    let hosts = match hosts.len() {
        0 => "*".to_owned(),
        all if all > HOSTS => format!("{shown} + {} more...", rules.len() - HOSTS),
        _ => shown,
    };
    let addresses = row.items("/status/loadBalancer/ingress").iter();
    let addresses: Vec<&str> =
        addresses.filter_map(|it| it["ip"].as_str().or_else(|| it["hostname"].as_str())).collect();
    let ports = if row.items("/spec/tls").is_empty() { "80" } else { "80, 443" };
    vec![
        row.name(),
        row.text_or("/spec/ingressClassName", NONE),
        hosts.into(),
        addresses.join(",").into(),
        ports.into(),
        row.age(),
    ]
}

fn binding(row: &Row<'_>) -> Vec<Value> {
    let subjects = |kind: &str| {
        let of_kind = row.items("/subjects").iter().filter(|subject| subject["kind"] == kind);
        let names = of_kind.map(|subject| {
            let text = |name: &str| subject[name].as_str().unwrap_or_default();
            if kind == "ServiceAccount" {
                format!("{}/{}", text("namespace"), text("name"))
            } else {
                text("name").to_owned()
            }
        });
        json!(names.collect::<Vec<_>>().join(", "))
    };
    let role = format!("{}/{}", row.text("/roleRef/kind"), row.text("/roleRef/name"));
    vec![row.name(), role.into(), row.age(), subjects("User"), subjects("Group"), subjects("ServiceAccount")]
}

fn definition(row: &Row<'_>) -> Vec<Value> {
    let version = |version: &Value| {
        let name = version["name"].as_str().unwrap_or_default();
        if version["storage"] == true { format!("{name}(storage)") } else { name.to_owned() }
    };
    let versions = row.items("/spec/versions").iter().map(version).collect::<Vec<_>>().join(",");
    let short: Vec<&str> = row.items("/spec/names/shortNames").iter().filter_map(Value::as_str).collect();
    vec![
        row.name(),
        row.text("/spec/scope").into(),
        versions.into(),
        row.at("/metadata/creationTimestamp").clone(),
        row.text("/spec/group").into(),
        row.text("/spec/names/kind").into(),
        short.join(",").into(),
        row.has("Established").into(),
    ]
}
