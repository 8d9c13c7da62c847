//! Apply configurations: every type that an applied object can contain, with all fields of all versions.
//!
//! They are the same whichever Kubernetes version is compiled in: they do not contain k8s-openapi's types, and a gate
//! has no place inside a struct. So a configuration has each field that some version has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    ApiVersion, Group, Home, Model, Presence, Scope, TypeName, Verb, at::At, home::META, is_stable, names::field,
    package, versions,
};
use crate::{
    Error,
    policy::Policy,
    spec::{AdditionalProperties, Schema, Spec, Type},
};

/// A module of configurations: the `apply` of one version of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configurations {
    /// The types, by name.
    pub types: BTreeMap<String, Configuration>,
}

/// The apply configuration of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The type of k8s-openapi.
    pub object: TypeName,
    /// The fields, by their names in the API.
    pub fields: BTreeMap<String, Field>,
    /// Where it is an object of its own.
    pub identity: Option<Identity>,
    /// Whether it belongs to one manager as a whole wherever it stands.
    pub atomic: bool,
    /// Whether the newest version has it.
    pub current: bool,
    /// The field for what the schema does not name, where the server keeps that.
    pub unknown_fields: Option<String>,
}

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Where its objects are.
    pub scope: Scope,
}

/// A field of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field in Rust, as k8s-openapi calls it.
    pub name: String,
    /// What it holds.
    pub value: FieldType,
    /// How it merges, where that does not follow from what it holds.
    pub merge: Option<Merge>,
    /// The first and the last version that has it, as indices.
    pub presence: Presence,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A type that the runtime knows: `String`, `i32`, `Quantity`.
    Known(&'static str),
    /// Another configuration.
    Record(String),
    /// Another configuration that contains this one.
    Boxed(String),
    /// A list.
    List(Box<FieldType>),
    /// A map from strings.
    Map(Box<FieldType>),
    /// What may be null, where that is not the same as nothing.
    Nullable(Box<FieldType>),
    /// An enum of texts, which the version has itself.
    Enum(String),
}

/// How a field merges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Merge {
    /// It belongs to one manager as a whole.
    Atomic,
    /// A list of scalars, each with its managers.
    Set,
    /// It merges by its fields, although its type is atomic elsewhere.
    Granular,
    /// A list whose items are known by these fields, with the default of each in JSON.
    Keyed(Vec<(String, Option<String>)>),
}

/// Types that have no configuration, since the runtime knows a type for them.
fn known(schema: &str) -> Option<&'static str> {
    Some(match schema.strip_prefix("io.k8s.")? {
        "apimachinery.pkg.api.resource.Quantity" => "Quantity",
        "apimachinery.pkg.apis.meta.v1.MicroTime" => "MicroTime",
        "apimachinery.pkg.apis.meta.v1.Time" => "Time",
        "apimachinery.pkg.util.intstr.IntOrString" => "IntOrString",
        // What the API itself leaves open.
        "apimachinery.pkg.apis.meta.v1.FieldsV1"
        | "apimachinery.pkg.runtime.RawExtension"
        | "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"
        | "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray"
        | "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool"
        | "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray" => "Value",
        _ => return None,
    })
}

/// Gathers the configurations of all that can be applied.
pub(super) fn build(
    specs: &[Spec],
    groups: &[Group],
    policy: &Policy,
) -> Result<BTreeMap<Home, Configurations>, Error> {
    let mut gathering = Gathering {
        homes: Home::of_packages(groups),
        modules: BTreeMap::new(),
        policy,
        newest: specs.len().saturating_sub(1),
    };
    for (index, spec) in specs.iter().enumerate() {
        let mut open = roots(groups, index);
        let mut seen = BTreeSet::new();
        while let Some((schema, identity)) = open.pop() {
            if seen.insert(schema.clone()) || identity.is_some() {
                open.extend(gathering.add(spec, &schema, identity, index)?.into_iter().map(|name| (name, None)));
            }
        }
    }
    Ok(gathering.modules)
}

type Root = (String, Option<Identity>);

/// What is applied itself: the objects of resources, and those of their subresources.
fn roots(groups: &[Group], version: usize) -> Vec<Root> {
    let mut roots = Vec::new();
    for (group, api) in versions(groups) {
        for resource in &api.resources {
            let applies = resource.methods.iter().filter(|method| method.verb == Verb::Apply);
            for method in applies.filter(|method| method.presence.has(version)) {
                let Some(answer) = &method.answer else { continue };
                let own = *answer == resource.object;
                let identity = if own { identity(group, api, &resource.kind, resource.scope) } else { foreign(answer) };
                roots.push((answer.schema.clone(), Some(identity)));
            }
        }
    }
    roots
}

fn identity(group: &Group, api: &ApiVersion, kind: &str, scope: Scope) -> Identity {
    Identity { api_version: api.api_version(group), kind: kind.to_owned(), scope }
}

/// Of an object that is only ever a subresource's, such as a Scale: always of something in a namespace so far.
fn foreign(object: &TypeName) -> Identity {
    let [.., group, version] = object.module.as_slice() else {
        return Identity { api_version: String::new(), kind: object.name.clone(), scope: Scope::Namespaced };
    };
    Identity { api_version: format!("{group}/{version}"), kind: object.name.clone(), scope: Scope::Namespaced }
}

struct Gathering<'a> {
    homes: BTreeMap<String, Home>,
    modules: BTreeMap<Home, Configurations>,
    policy: &'a Policy,
    /// The newest version.
    newest: usize,
}

impl Gathering<'_> {
    /// Adds a type of one version, and names the types that it contains.
    fn add<'a>(
        &mut self,
        spec: &'a Spec,
        name: &str,
        identity: Option<Identity>,
        index: usize,
    ) -> Result<Vec<String>, Error> {
        let at = At::schema(spec, name);
        let schema = spec.schemas.get(name).ok_or_else(|| at.error("there is no such schema"))?;
        let Some(home) = self.homes.get(package(name)).cloned() else {
            return Err(at.error(
                "belongs to no group's version: apply configurations need a crate for it; teach \
                 codegen/src/model/configurations.rs",
            ));
        };
        let object = TypeName::new(name).map_err(|refusal| at.error(refusal))?;
        let mut inner = Vec::new();
        let module = self.modules.entry(home).or_default();
        let configuration = module.types.entry(object.name.clone()).or_insert_with(|| Configuration {
            object,
            fields: BTreeMap::new(),
            identity: None,
            atomic: false,
            current: false,
            unknown_fields: None,
        });
        if configuration.object.schema != name {
            let other = &configuration.object.schema;
            return Err(at.error(format!("has the name of {other}, whose configurations are in the same module")));
        }
        configuration.current |= index == self.newest;
        configuration.atomic = is_atomic(schema.map_type.as_deref());
        configuration.identity = configuration.identity.take().or(identity);
        for (json, property) in &schema.properties {
            if configuration.identity.is_some() && ["apiVersion", "kind"].contains(&json.as_str()) {
                continue;
            }
            if self.policy.omits(name, json) {
                continue;
            }
            let value = field_type(spec, property, &at, &mut inner)?;
            let value = boxed_if_it_contains(spec, name, value);
            let referred =
                |items: &'a Schema| items.reference.as_ref().and_then(|name| spec.schemas.get(name)).unwrap_or(items);
            let merge = merge(property, referred);
            let field_name = match self.policy.field(json) {
                Some(name) => name,
                None => field(json).map_err(|refusal| at.error(refusal))?,
            };
            if let Some((other, _)) =
                configuration.fields.iter().find(|(other, field)| *other != json && field.name == field_name)
            {
                return Err(at.error(format!("`{json}` and `{other}` would both be called `{field_name}`")));
            }
            let field = configuration.fields.entry(json.clone()).or_insert_with(|| Field {
                name: field_name,
                value: value.clone(),
                merge: None,
                presence: Presence::only(index),
            });
            if field.value != value {
                return Err(at.error(format!("`{json}` has another type than in earlier versions")));
            }
            // The newest version's word counts. A list that became a map is owned whole by older servers' word, which
            // extraction understands.
            field.merge = merge;
            field.presence.last = index;
        }
        Ok(inner)
    }
}

fn is_atomic(map_type: Option<&str>) -> bool {
    map_type == Some("atomic")
}

fn field_type(spec: &Spec, schema: &Schema, at: &At, inner: &mut Vec<String>) -> Result<FieldType, Error> {
    if let Some(name) = &schema.reference {
        if let Some(known) = known(name) {
            return Ok(FieldType::Known(known));
        }
        let referred =
            spec.schemas.get(name).ok_or_else(|| at.error(format!("refers to {name}, which is not there")))?;
        if referred.kind == Some(Type::Object) {
            inner.push(name.clone());
            return Ok(FieldType::Record(name.clone()));
        }
        return field_type(spec, referred, at, inner);
    }
    Ok(match (schema.kind, schema.format.as_deref()) {
        (Some(Type::String), Some("byte")) => FieldType::Known("ByteString"),
        (Some(Type::String), _) => FieldType::Known("String"),
        (Some(Type::Boolean), _) => FieldType::Known("bool"),
        (Some(Type::Integer), Some("int32")) => FieldType::Known("i32"),
        (Some(Type::Integer), _) => FieldType::Known("i64"),
        (Some(Type::Number), _) => FieldType::Known("f64"),
        (Some(Type::Array), _) => {
            let items = schema.items.as_deref().ok_or_else(|| at.error("a list without items"))?;
            FieldType::List(Box::new(field_type(spec, items, at, inner)?))
        }
        (Some(Type::Object), _) => match &schema.additional_properties {
            Some(AdditionalProperties::Of(values)) => FieldType::Map(Box::new(field_type(spec, values, at, inner)?)),
            _ => FieldType::Known("Value"),
        },
        (None, _) => FieldType::Known("Value"),
    })
}

/// A type that contains itself without a list or a map between needs a box.
fn boxed_if_it_contains(spec: &Spec, name: &str, value: FieldType) -> FieldType {
    match value {
        FieldType::Record(inner) if contains(spec, &inner, name) => FieldType::Boxed(inner),
        value => value,
    }
}

fn contains(spec: &Spec, outer: &str, name: &str) -> bool {
    let (mut open, mut seen) = (vec![outer], BTreeSet::new());
    while let Some(outer) = open.pop() {
        if outer == name {
            return true;
        }
        let schema = spec.schemas.get(outer).filter(|_| seen.insert(outer));
        let properties = schema.into_iter().flat_map(|schema| schema.properties.values());
        open.extend(properties.filter_map(|property| property.reference.as_deref()));
    }
    false
}

/// How what a schema describes merges. `referred` finds the schema that another one refers to.
pub(crate) fn merge<'a>(schema: &'a Schema, referred: impl Fn(&'a Schema) -> &'a Schema) -> Option<Merge> {
    match schema.map_type.as_deref() {
        Some("atomic") => return Some(Merge::Atomic),
        Some("granular") if schema.reference.is_some() => return Some(Merge::Granular),
        _ => {}
    }
    match schema.list_type.as_deref()? {
        "set" => Some(Merge::Set),
        "map" => {
            let items = referred(schema.items.as_deref()?);
            let default = |key: &String| items.properties.get(key).and_then(|key| key.default.as_ref());
            // An empty string is what Go's structs have, and no key of anything.
            let told = |default: &&Value| default.as_str() != Some("");
            let key = |key: &String| (key.clone(), default(key).filter(told).map(ToString::to_string));
            Some(Merge::Keyed(schema.list_map_keys.iter().map(key).collect()))
        }
        _ => None,
    }
}

/// What every object has, and its configuration needs in scope.
const OF_OBJECTS: [&str; 2] = ["ObjectMeta", "OwnerReference"];

impl Model {
    /// The crate and version of a configuration that another refers to, with its name.
    pub fn configuration(&self, schema: &str) -> Option<(&Home, &Configuration)> {
        let name = schema.rsplit('.').next()?;
        self.configurations.iter().find_map(|(home, module)| {
            module.types.get(name).filter(|configuration| configuration.object.schema == schema).map(|it| (home, it))
        })
    }

    /// The configurations that one contains, with their homes.
    pub fn contained<'a>(&'a self, configuration: &'a Configuration) -> Vec<(&'a Home, &'a Configuration)> {
        let mut schemas: BTreeSet<String> =
            configuration.fields.values().filter_map(|field| record_of(&field.value)).map(str::to_owned).collect();
        if configuration.identity.is_some() {
            schemas.extend(OF_OBJECTS.map(|name| format!("{META}.{name}")));
        }
        schemas.iter().filter_map(|schema| self.configuration(schema)).collect()
    }

    /// The homes that the configurations of one refer to, itself left out.
    pub fn neighbours(&self, home: &Home) -> BTreeSet<Home> {
        let module = self.configurations.get(home);
        let types = module.into_iter().flat_map(|module| module.types.values());
        let mut homes: BTreeSet<Home> = types.flat_map(|it| self.contained(it)).map(|(home, _)| home.clone()).collect();
        homes.remove(home);
        homes
    }

    /// The crates whose configurations a group's contain or apply, with the features of their versions.
    pub fn neighbours_of_group(&self, group: &Group) -> BTreeMap<String, BTreeSet<String>> {
        let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut need = |home: &Home| {
            let wanted = features.entry(home.crate_name.clone()).or_default();
            if !is_stable(&home.version) {
                wanted.insert(home.version.clone());
            }
        };
        for version in &group.versions {
            self.neighbours(&Home::new(group, version)).iter().for_each(&mut need);
            let methods = version.resources.iter().flat_map(|resource| &resource.methods);
            let applied =
                methods.filter(|method| method.verb == Verb::Apply).filter_map(|method| method.answer.as_ref());
            applied.filter_map(|object| self.configuration(&object.schema)).for_each(|(home, _)| need(home));
        }
        features.remove(&group.crate_name);
        features
    }
}

fn record_of(value: &FieldType) -> Option<&str> {
    match value {
        FieldType::Known(_) | FieldType::Enum(_) => None,
        FieldType::Record(schema) | FieldType::Boxed(schema) => Some(schema),
        FieldType::List(inner) | FieldType::Map(inner) | FieldType::Nullable(inner) => record_of(inner),
    }
}
