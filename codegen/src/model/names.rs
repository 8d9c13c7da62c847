//! Names of Rust items from the names of the API. What cannot be a name is refused, so that no document writes code.

use super::META_CRATE;

/// The names that a resource's clients go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The client's type: `ReplicaSets`, `NetworkPolicies`, `CSINodes`.
    pub client: String,
    /// The accessor's and the module's name: `replica_sets`, `network_policies`, `csi_nodes`.
    pub accessor: String,
}

impl Names {
    /// Joins the kind, which knows the words, with the plural, which knows how they end.
    ///
    /// The kind gives what the two begin with, the plural the rest: `NetworkPolicy` and `networkpolicies` have
    /// `networkpolic` in common, so `NetworkPolic` + `ies`.
    pub(crate) fn new(kind: &str, plural: &str) -> Result<Self, Refusal> {
        let kind = type_name(kind)?;
        let lower = kind.to_ascii_lowercase();
        let common = lower.bytes().zip(plural.bytes()).take_while(|(a, b)| a == b).count();
        let (stem, ending) = (&kind[..common], &plural[common..]);
        let accessor = identifier(&format!("{}{ending}", snake(stem)))?;
        if OF_VERSIONS.contains(&accessor.as_str()) {
            return Err(Refusal(format!("`{accessor}` is another module or method of each version's client already")));
        }
        Ok(Self { client: capitalized(&format!("{stem}{ending}")), accessor })
    }
}

/// Modules and methods that the client of each version has, so that no resource can be called like them.
const OF_VERSIONS: [&str; 6] = ["apply", "clients", "kinds", "new", "protobuf", "rest_client"];

/// A parameter that is an object of this kind. `name` is another one.
pub(crate) fn parameter(kind: &str) -> String {
    let word = snake(kind);
    if word == "name" || is_word_of_rust(&word) { format!("{word}_") } else { word }
}

/// Why a name of the API cannot be one of the generated code: a message without the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

impl From<Refusal> for String {
    fn from(Refusal(message): Refusal) -> Self {
        message
    }
}

/// The name of a module, method, field or parameter: it stays as it is unless it is a word of Rust, which gets an
/// underscore at its end. That is the one rule for all such names. It is k8s-openapi's for the fields of its types.
pub(crate) fn identifier(word: &str) -> Result<String, Refusal> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !word.starts_with(|c: char| c.is_ascii_lowercase()) || !word.chars().all(plain) {
        return Err(Refusal(format!(
            "`{}` cannot be a name in Rust: it needs a letter, then letters, digits and underscores",
            word.escape_debug()
        )));
    }
    Ok(if is_word_of_rust(word) { format!("{word}_") } else { word.to_owned() })
}

/// The name of a type.
pub(crate) fn type_name(name: &str) -> Result<&str, Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let starts = name.starts_with(|c: char| c.is_ascii_uppercase());
    if starts && name.chars().all(plain) && name != "Self" {
        Ok(name)
    } else {
        Err(Refusal(format!("`{}` cannot be the name of a type in Rust", name.escape_debug())))
    }
}

/// Refuses what is no group's name: labels of small letters, digits and dashes with dots between. The core group has
/// none.
pub(crate) fn check_group(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && label.chars().all(plain);
    if name.is_empty() || name.split('.').all(is_label) {
        Ok(())
    } else {
        Err(Refusal(format!("`{}` is not the name of an API group", name.escape_debug())))
    }
}

/// Names that the crate of a group cannot have: of the crate that all share, and of the umbrella's other features.
const NO_CRATES: [&str; 4] = [META_CRATE, "default", "latest", "ring"];

/// Refuses what cannot be the crate of a group, and the module and the feature that are called like it.
pub(crate) fn check_crate(name: &str) -> Result<(), Refusal> {
    if identifier(name).as_deref() == Ok(name) && !NO_CRATES.contains(&name) {
        Ok(())
    } else {
        let name = name.escape_debug();
        Err(Refusal(format!("the crate of the group cannot be called `{name}`; name it by a [[group]] of groups.toml")))
    }
}

/// Refuses what is no version of a group: `v1`, `v2alpha3`.
pub(crate) fn check_version(name: &str) -> Result<(), Refusal> {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_version = |rest: &str| {
        let unstable = rest.split_once("alpha").or_else(|| rest.split_once("beta"));
        unstable.map_or(is_number(rest), |(major, minor)| is_number(major) && is_number(minor))
    };
    if name.strip_prefix('v').is_some_and(is_version) {
        Ok(())
    } else {
        Err(Refusal(format!("`{}` is not a version of an API group such as v1 or v1beta1", name.escape_debug())))
    }
}

/// Refuses what cannot be a resource or subresource of a generated client: other than small letters and digits, and the
/// dashes of a subresource. `what` is the one or the other.
pub(crate) fn check_resource(what: &str, name: &str, separators: &[char]) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_word = |word: &str| word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(plain);
    if name.split(separators).all(is_word) {
        Ok(())
    } else {
        let name = name.escape_debug();
        Err(Refusal(format!("the {what} `{name}` cannot be a name in Rust; skip it in groups.toml if nobody needs it")))
    }
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
pub(crate) fn field(name: &str) -> Result<String, Refusal> {
    // The plural of an acronym is one word.
    let mut letters: Vec<char> = name.chars().map(|letter| if letter == '-' { '_' } else { letter }).collect();
    for i in 2..letters.len() {
        let acronym = letters[i - 1].is_ascii_uppercase() && letters[i - 2].is_ascii_uppercase();
        let ends = letters.get(i + 1).is_none_or(char::is_ascii_uppercase);
        if letters[i] == 's' && acronym && ends {
            letters[i] = 'S';
        }
    }
    identifier(&snake(&letters.into_iter().collect::<String>())).map_err(|_| {
        Refusal(format!(
            "the field `{}` cannot be a name in Rust; give it one by a [[field]] of groups.toml",
            name.escape_debug()
        ))
    })
}

/// `apps` → `Apps`, `v1beta1` → `V1beta1`, `my_group` → `MyGroup`.
pub(crate) fn capitalized(words: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    words.split('_').map(word).collect()
}

/// The words that cannot be identifiers, those that are only reserved included.
fn is_word_of_rust(word: &str) -> bool {
    matches!(
        word,
        "abstract"
            | "as"
            | "async"
            | "await"
            | "become"
            | "box"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "do"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "final"
            | "fn"
            | "for"
            | "gen"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "macro"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "override"
            | "priv"
            | "pub"
            | "ref"
            | "return"
            | "self"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "true"
            | "try"
            | "type"
            | "typeof"
            | "unsafe"
            | "unsized"
            | "use"
            | "virtual"
            | "where"
            | "while"
            | "yield"
    )
}

/// What the names of schemas begin with whose types a version has itself.
const OWN: &str = "own.";

/// A type of the spec and of k8s-openapi, or of a definition of a custom resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeName {
    /// The schema's name: `io.k8s.api.apps.v1.Deployment`.
    pub schema: String,
    /// The module in k8s-openapi: `["api", "apps", "v1"]`. That of types that a version has itself is `["types"]`.
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
    /// The type that k8s-openapi has for a schema.
    pub(crate) fn new(schema: &str) -> Result<Self, Refusal> {
        let unknown = || {
            Refusal(format!(
                "the type `{}` is not in k8s-openapi's naming, which knows io.k8s.api, apimachinery, \
                 apiextensions-apiserver and kube-aggregator; teach codegen/src/model/names.rs",
                schema.escape_debug()
            ))
        };
        if let Some(own) = schema.strip_prefix(OWN)
            && let Some((_, name)) = own.rsplit_once('.')
        {
            return Ok(Self { schema: schema.to_owned(), module: vec!["types".to_owned()], name: name.to_owned() });
        }
        let (rest, root) = PACKAGES
            .iter()
            .find_map(|(prefix, root)| Some((schema.strip_prefix(prefix)?, root)))
            .ok_or_else(unknown)?;
        let mut module = vec![(*root).to_owned()];
        let (package, name) = rest.rsplit_once('.').ok_or_else(unknown)?;
        for part in package.split('.') {
            // What k8s-openapi would call a module that is a word of Rust is unknown.
            let part = part.replace('-', "_");
            module.push(identifier(&part).ok().filter(|name| *name == part).ok_or_else(unknown)?);
        }
        let name = type_name(name).map_err(|_| unknown())?.to_owned();
        Ok(Self { schema: schema.to_owned(), module, name })
    }

    /// A type that the version of a group has itself.
    pub(crate) fn own(crate_name: &str, version: &str, name: &str) -> Self {
        let schema = format!("{OWN}{crate_name}.{version}.{name}");
        Self { schema, module: vec!["types".to_owned()], name: name.to_owned() }
    }

    /// Whether the version has the type itself.
    pub(crate) fn is_own(&self) -> bool {
        self.schema.starts_with(OWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_named_after_kind_and_plural() {
        for (kind, plural, client, accessor) in [
            ("Deployment", "deployments", "Deployments", "deployments"),
            ("ReplicaSet", "replicasets", "ReplicaSets", "replica_sets"),
            ("NetworkPolicy", "networkpolicies", "NetworkPolicies", "network_policies"),
            ("Ingress", "ingresses", "Ingresses", "ingresses"),
            ("Endpoints", "endpoints", "Endpoints", "endpoints"),
            ("CSINode", "csinodes", "CSINodes", "csi_nodes"),
            ("CSIStorageCapacity", "csistoragecapacities", "CSIStorageCapacities", "csi_storage_capacities"),
            ("ServiceCIDR", "servicecidrs", "ServiceCIDRs", "service_cidrs"),
            ("IPAddress", "ipaddresses", "IPAddresses", "ip_addresses"),
            ("APIService", "apiservices", "APIServices", "api_services"),
            ("ComponentStatus", "componentstatuses", "ComponentStatuses", "component_statuses"),
            ("Type", "types", "Types", "types"),
            ("Person", "people", "People", "people"),
            ("Match", "match", "Match", "match_"),
            ("As", "as", "As", "as_"),
            ("Crate", "crate", "Crate", "crate_"),
            ("Gen", "gen", "Gen", "gen_"),
        ] {
            let expected = Names { client: client.into(), accessor: accessor.into() };
            assert_eq!(Names::new(kind, plural), Ok(expected));
        }
        for (kind, plural) in [("Self", "selves"), ("wid-get", "widgets"), ("Kind", "kinds"), ("", "widgets")] {
            assert!(Names::new(kind, plural).is_err(), "{kind} {plural}");
        }
    }

    #[test]
    fn parameters_are_named_after_the_kind() {
        let names = ["CSIStorageCapacity", "Crate", "Type", "Name"].map(parameter);
        assert_eq!(names, ["csi_storage_capacity", "crate_", "type_", "name_"]);
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
            ("self", "self_"),
            ("abstract", "abstract_"),
        ] {
            assert_eq!(field(name).as_deref(), Ok(field_name));
        }
    }

    #[test]
    fn names_that_would_be_code_are_refused() {
        for name in ["", "1s", "_", "a b", "a(\"a\"):bool,}}pub fn owned(){}", "é", "a\nb", "$ref", "a.b", "a/b"] {
            assert!(field(name).is_err(), "{name:?}");
            assert!(identifier(name).is_err(), "{name:?}");
            assert!(check_resource("resource", name, &[]).is_err(), "{name:?}");
        }
        for name in ["a..b", "..", ".", "a.", "A.b", "a\"b", "a/b", "-a"] {
            assert!(check_group(name).is_err(), "{name:?}");
        }
        for name in ["", "v", "1", "v1beta", "v1x", "..", "V1", "v1beta1beta1", "latest"] {
            assert!(check_version(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn groups_versions_and_subresources_of_kubernetes_are_taken() {
        for group in ["", "apps", "rbac.authorization.k8s.io", "my-group.example.com"] {
            assert_eq!(check_group(group), Ok(()));
        }
        for version in ["v1", "v2beta3", "v1alpha1", "v10"] {
            assert_eq!(check_version(version), Ok(()));
        }
        assert_eq!(check_resource("subresource", "a-b/c", &['-', '/']), Ok(()));
        assert_eq!(capitalized("my_group"), "MyGroup");
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
        assert!(module("com.example.v1.Widget").unwrap_err().0.contains("`com.example.v1.Widget`"));
        for schema in
            ["io.k8s.api.apps.v1.widget", "io.k8s.api.apps.v1.Self", "io.k8s.api.type.v1.A", "io.k8s.api.A b.C"]
        {
            assert!(module(schema).is_err(), "{schema}");
        }
    }
}
