//! Names of Rust items from the names of the API.

/// The names that a resource's clients go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The client's type: `ReplicaSets`, `NetworkPolicies`, `CSINodes`.
    pub client: String,
    /// The accessor's and the module's name: `replica_sets`, `network_policies`, `csi_nodes`.
    pub accessor: String,
    /// A parameter that is an object of the kind: `replica_set`, `csi_node`.
    pub parameter: String,
}

impl Names {
    /// Joins the kind, which knows the words, with the plural, which knows how they end.
    ///
    /// The kind gives what the two begin with, the plural the rest: `NetworkPolicy` and `networkpolicies` have
    /// `networkpolic` in common, so `NetworkPolic` + `ies`.
    pub(crate) fn new(kind: &str, plural: &str) -> Self {
        let lower = kind.to_ascii_lowercase();
        let common = lower.bytes().zip(plural.bytes()).take_while(|(a, b)| a == b).count();
        let (stem, ending) = (&kind[..common], &plural[common..]);
        Self {
            client: format!("{stem}{ending}"),
            accessor: identifier(&format!("{}{ending}", snake(stem))),
            parameter: parameter(kind),
        }
    }
}

/// A parameter that is an object of this kind.
pub(crate) fn parameter(kind: &str) -> String {
    identifier(&snake(kind))
}

/// `CSINode` → `csi_node`: a word begins at a capital after a small letter, and at the last of several capitals when a
/// small letter follows it.
pub(crate) fn snake(camel: &str) -> String {
    let letters: Vec<char> = camel.chars().collect();
    let mut snake = String::with_capacity(camel.len() + 4);
    for (i, &letter) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase();
        let before_small = i > 0 && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A field of an apply configuration, as k8s-openapi calls it: `clusterIPs` → `cluster_ips`, `type` → `type_`.
pub(crate) fn field(name: &str) -> String {
    // The plural of an acronym is one word.
    let mut letters: Vec<char> = name.chars().map(|letter| if letter == '-' { '_' } else { letter }).collect();
    for i in 2..letters.len() {
        let acronym = letters[i - 1].is_ascii_uppercase() && letters[i - 2].is_ascii_uppercase();
        let ends = letters.get(i + 1).is_none_or(char::is_ascii_uppercase);
        if letters[i] == 's' && acronym && ends {
            letters[i] = 'S';
        }
    }
    let name = identifier(&snake(&letters.into_iter().collect::<String>()));
    name.strip_prefix("r#").map_or(name.clone(), |keyword| format!("{keyword}_"))
}

/// `apps` → `Apps`, `v1beta1` → `V1beta1`.
pub(crate) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The word as an identifier: raw if it is a keyword, with an underscore if it cannot be raw.
fn identifier(word: &str) -> String {
    match word {
        "self" | "super" | "crate" => format!("{word}_"),
        "as" | "async" | "await" | "box" | "break" | "const" | "continue" | "dyn" | "else" | "enum" | "extern"
        | "false" | "final" | "fn" | "for" | "gen" | "if" | "impl" | "in" | "let" | "loop" | "macro" | "match"
        | "mod" | "move" | "mut" | "override" | "priv" | "pub" | "ref" | "return" | "static" | "struct" | "trait"
        | "true" | "try" | "type" | "typeof" | "unsafe" | "unsized" | "use" | "virtual" | "where" | "while"
        | "yield" => format!("r#{word}"),
        _ => word.to_owned(),
    }
}

/// A type of the spec and of k8s-openapi.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeName {
    /// The schema's name: `io.k8s.api.apps.v1.Deployment`.
    pub schema: String,
    /// The module in k8s-openapi: `["api", "apps", "v1"]`.
    pub module: Vec<String>,
    /// The type: `Deployment`.
    pub name: String,
}

/// What the schemas' names begin with, and the module of k8s-openapi that has their types.
const PACKAGES: [(&str, &str); 4] = [
    ("io.k8s.api.", "api"),
    ("io.k8s.apimachinery.", "apimachinery"),
    ("io.k8s.apiextensions-apiserver.", "apiextensions_apiserver"),
    ("io.k8s.kube-aggregator.", "kube_aggregator"),
];

impl TypeName {
    /// The type that k8s-openapi has for a schema. The error is a message.
    pub(crate) fn new(schema: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "the type `{schema}` is not in k8s-openapi's naming, which knows io.k8s.api, apimachinery, \
                 apiextensions-apiserver and kube-aggregator; teach codegen/src/model/names.rs"
            )
        };
        let (rest, root) = PACKAGES
            .iter()
            .find_map(|(prefix, root)| Some((schema.strip_prefix(prefix)?, root)))
            .ok_or_else(unknown)?;
        let mut module = vec![(*root).to_owned()];
        module.extend(rest.split('.').map(|part| part.replace('-', "_")));
        let name =
            module.pop().filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase())).ok_or_else(unknown)?;
        Ok(Self { schema: schema.to_owned(), module, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_named_after_kind_and_plural() {
        for (kind, plural, client, accessor, parameter) in [
            ("Deployment", "deployments", "Deployments", "deployments", "deployment"),
            ("ReplicaSet", "replicasets", "ReplicaSets", "replica_sets", "replica_set"),
            ("NetworkPolicy", "networkpolicies", "NetworkPolicies", "network_policies", "network_policy"),
            ("Ingress", "ingresses", "Ingresses", "ingresses", "ingress"),
            ("Endpoints", "endpoints", "Endpoints", "endpoints", "endpoints"),
            ("CSINode", "csinodes", "CSINodes", "csi_nodes", "csi_node"),
            (
                "CSIStorageCapacity",
                "csistoragecapacities",
                "CSIStorageCapacities",
                "csi_storage_capacities",
                "csi_storage_capacity",
            ),
            ("ServiceCIDR", "servicecidrs", "ServiceCIDRs", "service_cidrs", "service_cidr"),
            ("IPAddress", "ipaddresses", "IPAddresses", "ip_addresses", "ip_address"),
            ("APIService", "apiservices", "APIServices", "api_services", "api_service"),
            ("ComponentStatus", "componentstatuses", "ComponentStatuses", "component_statuses", "component_status"),
            ("Type", "types", "Types", "types", "r#type"),
            ("Crate", "crates", "Crates", "crates", "crate_"),
        ] {
            let expected = Names { client: client.into(), accessor: accessor.into(), parameter: parameter.into() };
            assert_eq!(Names::new(kind, plural), expected);
        }
    }

    #[test]
    fn fields_are_called_as_k8s_openapi_calls_them() {
        for (name, field_name) in [
            ("replicas", "replicas"),
            ("minReadySeconds", "min_ready_seconds"),
            ("clusterIPs", "cluster_ips"),
            ("hostIP", "host_ip"),
            ("nonResourceURLs", "non_resource_urls"),
            ("podCIDRs", "pod_cidrs"),
            ("serverAddressByClientCIDRs", "server_address_by_client_cidrs"),
            ("targetWWNs", "target_wwns"),
            ("x-kubernetes-list-type", "x_kubernetes_list_type"),
            ("type", "type_"),
            ("continue", "continue_"),
        ] {
            assert_eq!(field(name), field_name);
        }
    }

    #[test]
    fn types_are_found_where_k8s_openapi_has_them() {
        let module = |schema: &str| TypeName::new(schema).map(|t| format!("{}::{}", t.module.join("::"), t.name));
        assert_eq!(module("io.k8s.api.apps.v1.Deployment").unwrap(), "api::apps::v1::Deployment");
        assert_eq!(
            module("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition").unwrap(),
            "apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition"
        );
        assert_eq!(
            module("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService").unwrap(),
            "kube_aggregator::pkg::apis::apiregistration::v1::APIService"
        );
        assert!(module("com.example.v1.Widget").unwrap_err().contains("`com.example.v1.Widget`"));
        assert!(module("io.k8s.api.apps.v1.widget").is_err());
    }
}
