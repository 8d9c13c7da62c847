//! Every verb of every resource of every group, once, on the real server, without a change to it.
//!
//! What is created, updated and applied is a smallest valid object from `fixtures/`, in dry runs. Reading, patching and
//! deleting go to a name that does not exist, which a server that has the path and the verb answers with "not found".
//! Deleting collections is not tried here, only compared with what the server says it serves.
//!
//! Apply uses the resource's own configuration, and goes further: see `apply`.
//!
//! All of it is done in protobuf and in JSON; the answers must be the same: see `answers`.

mod answers;
mod apply;
mod codecs;
mod generated;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use answers::Answers;
use k8s_client::{
    Clientset, Codec, Config, FieldValidation, Patch,
    apply::{Applicable, Extract},
    object::AnyList as _,
    resource::{Applies, Creates, Deletes, Gets, Lists, Patches, Updates, Watches},
};
use k8s_client_integration_tests::{Test, TestResult, control_plane, object, soon};
use k8s_openapi::serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A name that no object has.
const ABSENT: &str = "k8s-client-sweep-absent";

/// A resource, as the generator knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    api_version: &'static str,
    plural: &'static str,
    kind: &'static str,
    area: Area,
    deletes_collections: bool,
}

/// Where a client looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Namespaced,
    AllNamespaces,
    Cluster,
}

/// An object of any kind, as far as tests look at it.
pub(crate) trait Comparable: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug {}
impl<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug> Comparable for T {}

/// Is shown every client once for each verb that it has.
pub(crate) trait Visitor {
    async fn create<C: Creates<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C);
    async fn get<C: Gets<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C);
    async fn list<C: Lists<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C);
    async fn watch<C: Watches>(&mut self, resource: &Resource, client: &C);
    async fn update<C: Updates>(&mut self, resource: &Resource, client: &C);
    async fn patch<C: Patches>(&mut self, resource: &Resource, client: &C);
    async fn apply<A, C>(&mut self, resource: &Resource, client: &C)
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize + DeserializeOwned,
        C: Applies + Gets + Deletes;
    async fn delete<C: Deletes>(&mut self, resource: &Resource, client: &C);
}

#[tokio::test]
async fn every_verb_of_every_resource_works() -> TestResult {
    let test = Test::namespace().await;
    // Something to read: a cluster may have next to nothing.
    for index in 0..100 {
        let config = json!({ "metadata": { "name": format!("read-{index}") }, "data": { "index": index.to_string() } });
        test.client.core_v1().config_maps(&test.namespace).create(&object(config)).await?;
    }
    let mut sweep = sweep(&test.client, &test.namespace).await?;
    sweep.compare_with_discovery();
    println!("{}", sweep.summary());

    let mut config = Config::from_kubeconfig(control_plane().kubeconfig())?;
    config.disable_protobuf = true;
    let json = Clientset::new(&config)?;
    let (one, two) = (self::sweep(&json, &test.namespace).await?, self::sweep(&json, &test.namespace).await?);
    let (random, objects) = (sweep.answers.random, sweep.answers.read_by_both(&one.answers));
    println!("{random} random objects created, {objects} objects read, the same in JSON and protobuf");
    sweep.problems.extend(sweep.answers.differences(&one.answers, &two.answers));
    sweep.problems.extend(one.problems.into_iter().map(|problem| format!("in JSON: {problem}")));

    assert!(sweep.problems.is_empty(), "{} problems:\n{}", sweep.problems.len(), sweep.problems.join("\n"));
    assert!(random > 100 && objects > 100, "too little was compared");
    if cfg!(feature = "latest") {
        // The control plane that we build is of this version and has all there is switched on.
        assert!(sweep.not_served.is_empty(), "not served: {:?}", sweep.not_served);
    }
    Ok(())
}

/// Does all of it with this client.
async fn sweep(client: &Clientset, namespace: &str) -> TestResult<Sweep> {
    let mut sweep = Sweep::new(Served::discover(client).await?, namespace)?;
    Box::pin(generated::visit(client, namespace, &mut sweep)).await;
    Ok(sweep)
}

/// What the server says it serves: the verbs of each resource, by API version and plural name.
struct Served(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Served {
    async fn discover(client: &Clientset) -> TestResult<Self> {
        let get = async |path: &str| client.rest_client().get().abs_path(path).send().await?.json::<Value>().await;
        let groups = get("/apis").await?;
        // Other tests define groups of their own.
        let definitions = get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await?;
        let definitions = definitions["items"].as_array().into_iter().flatten();
        let defined: BTreeSet<_> = definitions.filter_map(|definition| definition["spec"]["group"].as_str()).collect();
        let is_defined = |group: &&Value| group["name"].as_str().is_some_and(|name| defined.contains(name));
        let groups = groups["groups"].as_array().into_iter().flatten().filter(|group| !is_defined(group));
        let versions = groups.filter_map(|group| group["versions"].as_array());
        let versions = versions.flatten().filter_map(|version| version["groupVersion"].as_str());
        let mut served = BTreeMap::new();
        for version in versions.chain(["v1"]) {
            let path = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
            let list = get(&path).await?;
            let resources = list["resources"].as_array().into_iter().flatten().filter_map(|resource| {
                let name = resource["name"].as_str().filter(|name| !name.contains('/'))?;
                let verbs = resource["verbs"].as_array()?.iter().filter_map(Value::as_str);
                Some((name.to_owned(), verbs.map(str::to_owned).collect()))
            });
            served.insert(version.to_owned(), resources.collect());
        }
        Ok(Self(served))
    }

    fn verbs(&self, resource: &Resource) -> Option<&BTreeSet<String>> {
        self.0.get(resource.api_version)?.get(resource.plural)
    }
}

/// The visitor that tries.
struct Sweep {
    namespace: String,
    served: Served,
    fixtures: BTreeMap<String, BTreeMap<String, Value>>,
    /// The verbs that clients have, by API version and plural name.
    visited: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
    not_served: BTreeSet<(&'static str, &'static str)>,
    calls: BTreeMap<&'static str, usize>,
    problems: Vec<String>,
    answers: Answers,
}

impl Sweep {
    fn new(served: Served, namespace: &str) -> TestResult<Self> {
        let fixtures = fixtures(namespace)?;
        Ok(Self {
            namespace: namespace.to_owned(),
            served,
            fixtures,
            visited: BTreeMap::new(),
            not_served: BTreeSet::new(),
            calls: BTreeMap::new(),
            problems: Vec::new(),
            answers: Answers::default(),
        })
    }

    /// Notes the verb; whether it can be tried.
    fn begin(&mut self, verb: &'static str, resource: &Resource) -> bool {
        let id = (resource.api_version, resource.plural);
        let visited = self.visited.entry(id).or_default();
        visited.insert(verb);
        if resource.deletes_collections {
            visited.insert("deletecollection");
        }
        if self.served.verbs(resource).is_none() {
            self.not_served.insert(id);
            return false;
        }
        *self.calls.entry(verb).or_default() += 1;
        true
    }

    /// Notes what went wrong with the verb.
    fn problem(&mut self, verb: &str, resource: &Resource, problem: impl std::fmt::Display) {
        let Resource { api_version, plural, area, .. } = resource;
        self.problems.push(format!("{verb} {api_version} {plural} ({area:?}): {problem}"));
    }

    /// The path is served and the verb is allowed, but the object is not there.
    fn expect_absent<T>(&mut self, verb: &str, resource: &Resource, answer: k8s_client::Result<T>) {
        match answer {
            Err(error) if error.is_not_found() && !error.is_unexpected_server_error() => {}
            Err(error) => self.problem(verb, resource, error),
            Ok(_) => self.problem(verb, resource, "an object that does not exist was found"),
        }
    }

    fn expect_success<T>(&mut self, verb: &str, resource: &Resource, answer: k8s_client::Result<T>) {
        if let Err(error) = answer {
            self.problem(verb, resource, error);
        }
    }

    /// Creates variants of the smallest object in dry runs. The server does not take all of them.
    async fn create_variants<C: Creates<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C) {
        let Some(fixture) = self.fixture("create", resource) else { return };
        for (index, variant) in answers::variants::<C::Kind>(resource, &fixture).into_iter().enumerate() {
            // What the types of an older Kubernetes version cannot say.
            let Ok(object) = C::Kind::decode_json(variant.to_string().as_bytes()) else { continue };
            let answer = client.create(&object).dry_run().await;
            self.answers.random += usize::from(answer.is_ok());
            let what =
                format!("create {} {} {:?} variant {index}", resource.api_version, resource.plural, resource.area);
            if let Err(error) = self.answers.call(what, &answer) {
                self.problem("create", resource, error);
            }
        }
    }

    /// The smallest valid object, as JSON.
    fn fixture(&mut self, verb: &str, resource: &Resource) -> Option<Value> {
        let fixture = self.fixtures.get(resource.api_version).and_then(|kinds| kinds.get(resource.plural));
        let Some(mut fixture) = fixture.cloned() else {
            self.problem(verb, resource, "no fixture; add one to fixtures/");
            return None;
        };
        fixture["apiVersion"] = resource.api_version.into();
        fixture["kind"] = resource.kind.into();
        Some(fixture)
    }

    /// The smallest valid object. The codec of its kind must keep all of it.
    fn object<K: Codec>(&mut self, verb: &str, resource: &Resource) -> Option<K::Object> {
        let fixture = self.fixture(verb, resource)?;
        let coded = K::decode_json(fixture.to_string().as_bytes()).and_then(|object| {
            let encoded = serde_json::from_slice(&K::encode_json(&object)?)?;
            Ok((object, encoded))
        });
        match coded {
            Ok((object, encoded)) if contains(&encoded, &fixture) => Some(object),
            Ok((_, encoded)) => {
                self.problem(verb, resource, format_args!("the codec made {encoded} of {fixture}"));
                None
            }
            Err(error) => {
                self.problem(verb, resource, error);
                None
            }
        }
    }

    /// The clients have exactly the verbs that the server says it has.
    fn compare_with_discovery(&mut self) {
        // Apply is a kind of patch.
        let name = |verb: &&'static str| if *verb == "apply" { "patch" } else { *verb };
        for ((api_version, plural), verbs) in &self.visited {
            let Some(served) = self.served.0.get(*api_version).and_then(|version| version.get(*plural)) else {
                continue;
            };
            let verbs: BTreeSet<_> = verbs.iter().map(name).collect();
            let served: BTreeSet<_> = served.iter().map(String::as_str).collect();
            if verbs != served {
                self.problems.push(format!("{api_version} {plural}: the client has {verbs:?}, the server {served:?}"));
            }
        }
        if !cfg!(feature = "latest") {
            return;
        }
        for (api_version, resources) in &self.served.0 {
            for plural in resources.keys() {
                // It is answered with a Status, which is no verb of this sweep; the tests of binding have it.
                let is_binding = api_version == "v1" && plural == "bindings";
                if !is_binding && !self.visited.contains_key(&(api_version.as_str(), plural.as_str())) {
                    self.problems.push(format!("{api_version} {plural}: the server has it, the clientset does not"));
                }
            }
        }
    }

    fn summary(&self) -> String {
        let calls: usize = self.calls.values().sum();
        let (resources, not_served) = (self.visited.len(), self.not_served.len());
        format!("{resources} resources, {not_served} of them not served here; {calls} calls: {:?}", self.calls)
    }
}

impl Visitor for Sweep {
    async fn create<C: Creates<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C) {
        if self.begin("create", resource)
            && let Some(object) = self.object::<C::Kind>("create", resource)
        {
            let answer = client.create(&object).dry_run().field_validation(FieldValidation::Strict).await;
            let what = format!("create {} {} {:?}", resource.api_version, resource.plural, resource.area);
            if let Err(error) = self.answers.call(what, &answer) {
                self.problem("create", resource, error);
            }
            self.expect_success("create", resource, answer);
            self.create_variants(resource, client).await;
        }
    }

    async fn get<C: Gets<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C) {
        if self.begin("get", resource) {
            let answer = client.get(ABSENT).await;
            self.expect_absent("get", resource, answer);
        }
    }

    async fn list<C: Lists<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, client: &C) {
        if self.begin("list", resource) {
            let answer = client.list().limit(500).await;
            if let Ok(list) = &answer
                && let Err(error) = self.answers.objects(resource, list.items())
            {
                self.problem("list", resource, error);
            }
            self.expect_success("list", resource, answer);
        }
    }

    async fn watch<C: Watches>(&mut self, resource: &Resource, client: &C) {
        if self.begin("watch", resource) {
            let answer = soon("the watch opens", client.watch().timeout_seconds(5).into_future()).await;
            self.expect_success("watch", resource, answer);
        }
    }

    async fn update<C: Updates>(&mut self, resource: &Resource, client: &C) {
        if self.begin("update", resource)
            && let Some(object) = self.object::<C::Kind>("update", resource)
        {
            match client.update(&object).dry_run().await {
                // Some kinds are created by an update.
                Ok(_) => {}
                answer => self.expect_absent("update", resource, answer),
            }
        }
    }

    async fn patch<C: Patches>(&mut self, resource: &Resource, client: &C) {
        if self.begin("patch", resource) {
            let answer = client.patch(ABSENT, &Patch::Merge(json!({}))).dry_run().await;
            self.expect_absent("patch", resource, answer);
        }
    }

    async fn apply<A, C>(&mut self, resource: &Resource, client: &C)
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize + DeserializeOwned,
        C: Applies + Gets + Deletes,
    {
        if self.begin("apply", resource)
            && let Some(mut fixture) = self.fixture("apply", resource)
        {
            // Something to own: an object of which nobody owns anything has no managed fields.
            fixture["metadata"]["labels"]["swept"] = "yes".into();
            let is_namespaced = resource.area == Area::Namespaced;
            if is_namespaced {
                fixture["metadata"]["namespace"] = self.namespace.clone().into();
            }
            if let Err(problem) = apply::dry_run::<A, C>(client, resource, &fixture).await {
                self.problem("apply", resource, problem);
            } else if is_namespaced && let Err(problem) = apply::for_real::<A, C>(client, &fixture).await {
                self.problem("apply for real", resource, problem);
            }
        }
    }

    async fn delete<C: Deletes>(&mut self, resource: &Resource, client: &C) {
        if self.begin("delete", resource) {
            let answer = client.delete(ABSENT).dry_run().await;
            self.expect_absent("delete", resource, answer);
        }
    }
}

/// A file for each API version, `apps.v1.json`, with an object for each resource; `{namespace}` stands for the test's.
fn fixtures(namespace: &str) -> TestResult<BTreeMap<String, BTreeMap<String, Value>>> {
    let mut fixtures = BTreeMap::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))? {
        let path = file?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a fixture's name is not text")?;
        let api_version =
            name.rsplit_once('.').map_or(name.to_owned(), |(group, version)| format!("{group}/{version}"));
        let text = fs::read_to_string(&path)?.replace("{namespace}", namespace);
        let kinds = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        fixtures.insert(api_version, kinds);
    }
    Ok(fixtures)
}

/// Whether all of the other is in the one.
fn contains(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            // What is empty may be left out.
            let empty = |value: &Value| *value == json!({}) || *value == json!([]) || value.is_null();
            other.iter().all(|(key, value)| one.get(key).map_or(empty(value), |found| contains(found, value)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| contains(one, other))
        }
        _ => one == other,
    }
}
