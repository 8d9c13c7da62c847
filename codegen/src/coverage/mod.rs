//! Compares the operations of a stored spec with the generated sources, without asking the generator's model.
//!
//! What a generated method sends stands in its documentation, as `GET /api/v1/namespaces/{namespace}/pods/{name}`, and
//! a generated route test proves it. So the sources alone tell which operations have a method, and [`check`] tells
//! which have none, and why.

mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    Error,
    spec::{Action, Files, Method, Operation, Spec},
};

/// A request that a generated method sends, as its documentation says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    path: String,
    method: Method,
    /// Whether the query has `watch=true`.
    watch: bool,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.path, if self.watch { "?watch=true" } else { "" })
    }
}

/// The full names of the generated methods that send each route.
type Routes = BTreeMap<Route, BTreeSet<String>>;

/// What reaches an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Generated methods, by full name.
    Methods(BTreeSet<String>),
    /// The `watch` methods, which do what the deprecated `/watch/` path does.
    Watch(BTreeSet<String>),
    /// The discovery client: the answer says what the server has.
    Discovery,
    /// A request the user spells out: the operation is not about the API's objects.
    Raw,
    /// Nothing.
    Nothing,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |methods: &BTreeSet<String>| methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Methods(methods) => f.write_str(&joined(methods)),
            Self::Watch(methods) => write!(f, "none: deprecated, covered by {}", joined(methods)),
            Self::Discovery => f.write_str("none: discovery, covered by the discovery client"),
            Self::Raw => f.write_str("none: not about objects, covered by raw requests of RestClient"),
            Self::Nothing => f.write_str("UNCOVERED"),
        }
    }
}

/// Lists a version's operations with what reaches each.
#[derive(Clone, Debug)]
pub struct Report {
    version: String,
    operations: Vec<(String, Reach)>,
    unknown: Vec<String>,
}

impl Report {
    /// Whether every operation is reached and every generated route is in the spec.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.count(|reach| *reach == Reach::Nothing) == 0
    }

    /// Goes through the operations, as `GET /version/`, with what reaches each.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &Reach)> {
        self.operations.iter().map(|(operation, reach)| (operation.as_str(), reach))
    }

    /// Lists generated routes that the spec does not have, each with its methods: the server would answer 404.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    fn count(&self, which: impl Fn(&Reach) -> bool) -> usize {
        self.operations.iter().filter(|(_, reach)| which(reach)).count()
    }
}

impl Report {
    /// One line: how many operations there are and what reaches them.
    pub fn counts(&self) -> String {
        format!(
            "Kubernetes {}: {} operations; {} by generated methods, {} by `watch` methods in place of deprecated \
             paths, {} by discovery, {} by raw requests, {} uncovered; {} generated routes not in the spec",
            self.version,
            self.operations.len(),
            self.count(|reach| matches!(reach, Reach::Methods(_))),
            self.count(|reach| matches!(reach, Reach::Watch(_))),
            self.count(|reach| *reach == Reach::Discovery),
            self.count(|reach| *reach == Reach::Raw),
            self.count(|reach| *reach == Reach::Nothing),
            self.unknown.len(),
        )
    }
}

/// Every operation with what reaches it, the routes that no operation has, then the counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, reach) in &self.operations {
            writeln!(f, "{operation}\n    {reach}")?;
        }
        for unknown in &self.unknown {
            writeln!(f, "NOT IN THE SPEC: {unknown}")?;
        }
        writeln!(f, "{}", self.counts())
    }
}

/// Compares `spec` with the sources of the group crates, given by path below `crates/api` (`apps/src/v1/mod.rs`).
pub fn check(spec: &Spec, sources: &Files) -> Result<Report, Error> {
    let routes = sources::routes(sources, spec.version())?;
    let operations = spec
        .operations()
        .map(|operation| (format!("{} {}", operation.method, operation.path), reach(operation, &routes)));
    let mut known = BTreeSet::new();
    for Operation { path, method, .. } in spec.operations() {
        known.insert(Route { path: path.clone(), method: *method, watch: false });
    }
    for Operation { path, method, .. } in spec.operations().filter(|operation| operation.can_watch()) {
        known.insert(Route { path: path.clone(), method: *method, watch: true });
    }
    let unknown = routes.iter().filter(|(route, _)| !known.contains(route));
    Ok(Report {
        version: spec.version().to_string(),
        operations: operations.collect(),
        unknown: unknown.map(|(route, methods)| format!("`{route}` of {}", Reach::Methods(methods.clone()))).collect(),
    })
}

fn reach(operation: &Operation, routes: &Routes) -> Reach {
    let methods = |path: &str, watch| {
        routes.get(&Route { path: path.to_owned(), method: operation.method, watch }).cloned().unwrap_or_default()
    };
    let direct = methods(&operation.path, false);
    if !direct.is_empty() {
        return if lacks_apply(operation, &direct) { Reach::Nothing } else { Reach::Methods(direct) };
    }
    if matches!(operation.action, Some(Action::Watch | Action::WatchList)) {
        // One object is watched as a collection of one, selected by its name.
        let collection = operation.path.replacen("/watch/", "/", 1);
        let collection = collection.strip_suffix("/{name}").unwrap_or(&collection);
        let watches = methods(collection, true);
        return if watches.is_empty() { Reach::Nothing } else { Reach::Watch(watches) };
    }
    if operation.action.is_none() && is_discovery(operation) {
        return Reach::Discovery;
    }
    if operation.action.is_none() && is_raw(operation) {
        return Reach::Raw;
    }
    Reach::Nothing
}

/// A PATCH that takes an apply patch is two verbs, and both must be there.
fn lacks_apply(operation: &Operation, methods: &BTreeSet<String>) -> bool {
    let has =
        |verb: &str| methods.iter().any(|path| path.rsplit("::").next().is_some_and(|name| name.starts_with(verb)));
    operation.can_apply() && !(has("patch") && has("apply"))
}

/// What tells about the server has an answer of one of these types.
fn is_discovery(operation: &Operation) -> bool {
    let answer = operation.answers.get(&200).and_then(|answer| answer.schema_name());
    matches!(
        answer.and_then(|name| name.strip_prefix("io.k8s.apimachinery.pkg.")),
        Some(
            "apis.meta.v1.APIGroup"
                | "apis.meta.v1.APIGroupList"
                | "apis.meta.v1.APIResourceList"
                | "apis.meta.v1.APIVersions"
                | "version.Info"
        )
    )
}

/// The server's log files, and the keys its service account tokens are checked with.
fn is_raw(operation: &Operation) -> bool {
    let roots = ["/logs/", "/openid/v1/jwks/", "/.well-known/openid-configuration/"];
    roots.iter().any(|root| operation.path.starts_with(root))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::load;

    fn spec() -> Spec {
        let operation = |action: &str, answer: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.{answer}")});
            let responses = json!({"200": {"content": {"json": {"schema": schema}}}});
            let mut operation = json!({"operationId": "test", "responses": responses});
            if !action.is_empty() {
                operation["x-kubernetes-action"] = action.into();
            }
            operation
        };
        let name = json!([{"in": "path", "name": "name", "schema": {}}]);
        let watch = json!([{"in": "query", "name": "watch", "schema": {}}]);
        let paths = json!({
            "/apis/x/v1/things": {"get": operation("list", "Thing"), "parameters": watch},
            "/apis/x/v1/things/{name}": {"patch": operation("patch", "Thing"), "parameters": name},
            "/apis/x/v1/watch/things": {"get": operation("watchlist", "Thing")},
            "/apis/x/v1/watch/things/{name}": {"get": operation("watch", "Thing"), "parameters": name},
            "/apis/x/v1/": {"get": operation("", "APIResourceList")},
            "/logs/": {"get": operation("", "Thing")},
        });
        let schemas = r#"{"Thing": {"type": "object"}, "APIResourceList": {"type": "object"}}"#;
        let files = [
            ("SOURCE", "version: 1.36.1\nopenapi: a test\n"),
            ("protobuf.txt", ""),
            ("parameters.json", "{}"),
            ("schemas/io.k8s.apimachinery.pkg.apis.meta.v1.json", schemas),
            ("paths/apis.x.v1.json", &paths.to_string()),
        ];
        load(&files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()).unwrap()
    }

    fn sources(things: &str) -> Files {
        let files = [
            ("x/src/lib.rs", "pub mod v1;"),
            ("x/src/v1/mod.rs", "mod things; pub use self::things::Things;"),
            ("x/src/v1/things.rs", things),
        ];
        files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    const THINGS: &str = "
        pub struct Things;
        impl Things {
            /// Lists. `GET /apis/x/v1/things`
            pub fn list(&self) {}
            /// Watches.
            ///
            /// `GET /apis/x/v1/things?watch=true`
            pub fn watch(&self) {}
        }
        impl Things {
            /// Patches [`Thing`]s. `PATCH /apis/x/v1/things/{name}`
            pub fn patch(&self) {}
            /// Applies. `PATCH /apis/x/v1/things/{name}`
            pub fn apply(&self) {}
        }
        ::k8s_openapi::k8s_if_ge_1_37! {
            impl Things {
                /// Is of another version. `PUT /apis/x/v1/things/{name}`
                pub fn update(&self) {}
            }
        }
        impl Lists for Things {
            /// Is not generated as a method. `POST /apis/x/v1/things`
            fn list(&self) {}
        }
    ";

    #[test]
    fn each_operation_has_its_methods_or_a_reason() {
        let report = check(&spec(), &sources(THINGS)).unwrap();
        let lines: Vec<_> = report.operations().map(|(operation, reach)| format!("{operation} {reach}")).collect();
        assert_eq!(
            lines,
            [
                "GET /apis/x/v1/ none: discovery, covered by the discovery client",
                "GET /apis/x/v1/things k8s_client_api_x::v1::Things::list",
                "PATCH /apis/x/v1/things/{name} \
                 k8s_client_api_x::v1::Things::apply, k8s_client_api_x::v1::Things::patch",
                "GET /apis/x/v1/watch/things none: deprecated, covered by k8s_client_api_x::v1::Things::watch",
                "GET /apis/x/v1/watch/things/{name} none: deprecated, covered by k8s_client_api_x::v1::Things::watch",
                "GET /logs/ none: not about objects, covered by raw requests of RestClient",
            ]
        );
        assert!(report.is_complete());
        assert!(report.to_string().ends_with(
            "Kubernetes 1.36.1: 6 operations; 2 by generated methods, 2 by `watch` methods in place of deprecated \
             paths, 1 by discovery, 1 by raw requests, 0 uncovered; 0 generated routes not in the spec\n"
        ));
    }

    #[test]
    fn an_operation_without_a_method_is_uncovered() {
        let report = check(&spec(), &sources("")).unwrap();
        let uncovered = report.operations().filter(|(_, reach)| **reach == Reach::Nothing).count();
        assert_eq!((uncovered, report.is_complete()), (4, false));
    }

    #[test]
    fn a_route_of_no_spec_is_reported() {
        let report = check(&spec(), &sources(&THINGS.replace("k8s_if_ge_1_37", "k8s_if_le_1_36"))).unwrap();
        assert_eq!(report.unknown(), ["`PUT /apis/x/v1/things/{name}` of k8s_client_api_x::v1::Things::update"]);
        assert!(!report.is_complete());
    }

    #[test]
    fn gated_modules_and_methods_follow_the_version() {
        let mut sources = sources("");
        let module = "k8s_openapi::k8s_if_1_36! { mod things; }  k8s_openapi::k8s_if_ge_1_37! { mod gone; }";
        sources.insert("x/src/v1/mod.rs".to_owned(), module.to_owned());
        let things = "impl T { k8s_openapi::k8s_if_le_1_36! { /// `GET /apis/x/v1/things`\n pub fn list(&self) {} } }";
        sources.insert("x/src/v1/things.rs".to_owned(), things.to_owned());
        let report = check(&spec(), &sources).unwrap();
        let list = report.operations().find(|(operation, _)| *operation == "GET /apis/x/v1/things").unwrap();
        assert_eq!(list.1.to_string(), "k8s_client_api_x::v1::T::list");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let error = |text: &str| check(&spec(), &sources(text)).unwrap_err().to_string();
        assert!(error("impl {").starts_with("x/src/v1/things.rs: "));
        assert_eq!(error("mod gone;"), "x/src/v1/things.rs: the module `gone` has no file `x/src/v1/things/gone.rs`");
        assert_eq!(
            error("k8s_openapi::k8s_if_lucky! {}"),
            "x/src/v1/things.rs: the macro `k8s_if_lucky!` is not known; teach it to codegen::coverage"
        );
    }
}
