//! Clients of the definitions of well-known projects, and what tests do with all of them.
//!
//! `definitions/SOURCES` says where each definition comes from.

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on has nothing better to do")]

mod fields;
mod random;

use std::{collections::BTreeSet, error::Error, fs, future::Future, pin::Pin};

use k8s_client_codegen::crd::objects;
use k8s_client_runtime::{
    RestClient,
    apply::{Applicable, Extract, Record},
    codec::{Codec, Kind, Listable},
    http,
    k8s_openapi::serde::Serialize,
};
use serde_json::{Value, json};

pub use self::{fields::owned_by_an_apply, random::Random};

/// The generated modules, one for each group.
#[allow(missing_docs, reason = "they have docs")]
pub mod groups {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

/// What the newest stored version of Kubernetes has and the oldest has not, of two groups.
#[allow(missing_docs, reason = "they have docs")]
pub mod previewed {
    include!(concat!(env!("OUT_DIR"), "/preview.rs"));
}

/// What a test returns: `?` works on everything.
pub type TestResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

type Task<'a> = Pin<Box<dyn Future<Output = TestResult> + Send + 'a>>;

/// A kind in one version.
#[derive(Clone, Copy, Debug)]
pub struct KindOfVersion {
    /// `cert-manager.io`
    pub group: &'static str,
    /// `v1`
    pub version: &'static str,
    /// `Certificate`
    pub kind: &'static str,
    /// `certificates`
    pub plural: &'static str,
    /// The file of its definition.
    pub file: &'static str,
    /// An object as its type reads and writes it.
    pub through: fn(&Value) -> TestResult<Value>,
    /// An object as its apply configuration reads and writes it.
    pub through_configuration: fn(&Value) -> TestResult<Value>,
    /// The fields that who applies this owns, by the shape of the configuration.
    pub owned: fn(&Value) -> Value,
    /// What the test of a server does with it.
    pub on_server: for<'a> fn(&'a RestClient, &'a str, &'a Value) -> Task<'a>,
}

/// Fills the table of all kinds.
macro_rules! kinds {
    ($($group:ident::$version:ident $type:ident $configuration:ident ($of:literal, $name:literal, $kind:literal, $plural:literal, $file:literal),)*) => {
        /// Every kind in every version that is served.
        pub const KINDS: &[KindOfVersion] = &[$(KindOfVersion {
            group: $of,
            version: $name,
            kind: $kind,
            plural: $plural,
            file: $file,
            through: through::<groups::$group::$version::kinds::$type>,
            through_configuration: |value| {
                let read: groups::$group::$version::apply::$configuration = serde_json::from_value(value.clone())?;
                Ok(serde_json::to_value(read)?)
            },
            owned: |value| owned_by_an_apply(
                <groups::$group::$version::apply::$configuration as Record>::record_shape(),
                value,
            ),
            on_server: |client, namespace, value| Box::pin(
                on_server::<groups::$group::$version::apply::$configuration>(client, namespace, value)
            ),
        }),*];
    };
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

impl KindOfVersion {
    /// What messages call it.
    pub fn name(&self) -> String {
        format!("{}/{} {}", self.group, self.version, self.kind)
    }

    /// Its definition.
    pub fn definition(&self) -> Value {
        let text = fs::read_to_string(self.file).expect("the file that it was made of is there");
        let objects = objects(self.file, &text).expect("the generator has read it too");
        let items = |object: Value| object["items"].as_array().cloned().unwrap_or_else(|| vec![object]);
        let is_own = |object: &Value| {
            let spec = &object["spec"];
            spec["group"] == self.group && spec["names"]["kind"] == self.kind
        };
        objects.into_iter().flat_map(items).find(is_own).expect("the definition is in the file")
    }

    /// The schema of its objects.
    pub fn schema(&self) -> Value {
        self.schema_where("name", &self.version.into())
    }

    /// Whether the server keeps its objects as they are. Without a program that converts them, it takes from those of
    /// other versions what the version that is stored does not have.
    pub fn is_stored_as_it_is(&self) -> bool {
        self.schema() == self.schema_where("storage", &true.into())
    }

    /// The schema of the version that has this.
    fn schema_where(&self, name: &str, value: &Value) -> Value {
        let definition = self.definition();
        let versions = definition["spec"]["versions"].as_array().cloned().unwrap_or_default();
        let version = versions.into_iter().find(|version| version[name] == *value);
        version.map(|version| version["schema"]["openAPIV3Schema"].clone()).unwrap_or_default()
    }

    /// A random object, whose name is this.
    pub fn object(&self, name: &str, random: &mut Random) -> Value {
        let mut object = random.object(&self.schema());
        object["apiVersion"] = format!("{}/{}", self.group, self.version).into();
        object["kind"] = self.kind.into();
        object["metadata"] = json!({"name": name, "annotations": {"example.com/note": "kept"}});
        object
    }
}

fn through<K: Codec>(value: &Value) -> TestResult<Value> {
    let object = K::decode_json(&serde_json::to_vec(value)?)?;
    Ok(serde_json::from_slice(&K::encode_json(&object)?)?)
}

/// The fields of an object that are its own, and not the server's.
fn own(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| ["annotations", "labels", "name"].contains(&name.as_str()));
    }
    object
}

/// Fails if two values differ, and says what was done.
fn same(what: &str, found: &Value, expected: &Value) -> TestResult {
    match difference(found, expected, "") {
        None => Ok(()),
        Some(difference) => Err(format!("{what}: {difference}").into()),
    }
}

/// The first place where two values differ.
fn difference(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
            names.into_iter().find_map(|name| match (found.get(name), expected.get(name)) {
                (Some(found), Some(expected)) => difference(found, expected, &format!("{path}.{name}")),
                (Some(found), None) => Some(format!("{path}.{name} is there: {found}")),
                (None, expected) => Some(format!("{path}.{name} is not there: {}", expected.unwrap_or(&Value::Null))),
            })
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let mut items = found.iter().zip(expected).enumerate();
            items.find_map(|(index, (found, expected))| difference(found, expected, &format!("{path}[{index}]")))
        }
        _ => (found != expected).then(|| format!("{path} is {found}, not {expected}")),
    }
}

/// What holds for every kind on a real server: it stores an object as it was made, a change of one field changes
/// nothing else, and who applies an object owns the fields that the shape of its configuration says.
async fn on_server<A>(client: &RestClient, namespace: &str, object: &Value) -> TestResult
where
    A: Extract<Kind: Kind + Listable> + Applicable<A::Kind> + Serialize,
{
    let resource = A::Kind::RESOURCE;
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let request = |verb: http::Method| {
        let request = client.verb(verb).group_version(resource.group, resource.version).resource(resource.plural);
        if namespace.is_empty() { request } else { request.namespace(namespace) }
    };
    let decode =
        |value: &Value| A::Kind::decode_json(&serde_json::to_vec(value)?).map_err(Box::<dyn Error + Send + Sync>::from);
    let encode = |object: &_| -> TestResult<Value> { Ok(serde_json::from_slice(&A::Kind::encode_json(object)?)?) };

    // The server has what the type has written.
    let typed = decode(object)?;
    let body = A::Kind::encode_json(&typed)?;
    let created: Value = request(http::Method::POST).body("application/json", body).send().await?.json().await?;
    same("reading and writing what the server answered", &encode(&decode(&created)?)?, &created)?;

    // A change of one annotation changes nothing else.
    let mut changed = encode(&decode(&created)?)?;
    changed["metadata"]["annotations"]["example.com/note"] = "changed".into();
    let body = A::Kind::encode_json(&decode(&changed)?)?;
    let put = request(http::Method::PUT).name(&name);
    let updated: Value = put.body("application/json", body).send().await?.json().await?;
    same("the generation after an update", &updated["metadata"]["generation"], &created["metadata"]["generation"])?;
    let mut expected = own(&created);
    expected["metadata"]["annotations"]["example.com/note"] = "changed".into();
    same("what an update left", &own(&updated), &expected)?;

    // It is in the list as it is by itself.
    let list = request(http::Method::GET).send().await?.bytes().await?;
    let list = A::Kind::decode_list_json(&list)?;
    if k8s_client_runtime::object::AnyList::items(&list).is_empty() {
        return Err("the list is empty".into());
    }

    // Who applies owns what the shape says, and extracts what it applied.
    let configuration = A::from_object(&decode(&created)?)?;
    let applied = serde_json::to_value(&configuration)?;
    let patch = request(http::Method::PATCH).name(&name).query("fieldManager", "tests").query("force", "true");
    let patch = patch.body("application/apply-patch+yaml", serde_json::to_vec(&applied)?);
    let answer: Value = patch.send().await?.json().await?;
    let entries = answer["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let entry = entries.into_iter().find(|entry| entry["manager"] == "tests" && entry["operation"] == "Apply");
    let fields = entry.map(|entry| entry["fieldsV1"].clone()).unwrap_or_default();
    same("the fields that the server says are owned", &owned_by_an_apply(A::record_shape(), &applied), &fields)?;
    let extracted = serde_json::to_value(A::extract(&decode(&answer)?, "tests")?)?;
    same("what was extracted", &extracted, &applied)?;

    request(http::Method::DELETE).name(&name).send().await?;
    Ok(())
}
