//! Messages: how each type that is sent or answered travels as protobuf, with the fields of all versions.
//!
//! The numbers are upstream's; what a field holds is the schema's, since that is what k8s-openapi's type is made of.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Group, Home, META_CRATE, Model, Presence, TypeName,
    at::At,
    names::{field, type_name},
    package, versions,
};
use crate::{
    Error,
    policy::Policy,
    spec::{
        AdditionalProperties, Schema, Spec, Type,
        proto::{self, FieldKind, FieldType, message_of_schema},
    },
};

/// The messages of a crate's module, by name.
pub type Messages = BTreeMap<String, Message>;

/// The message of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The type of k8s-openapi.
    pub object: TypeName,
    /// The fields, by their numbers.
    pub fields: BTreeMap<u32, MessageField>,
    /// Messages whose fields are the object's own, by the numbers of their fields: their names, in the same module.
    pub embedded: BTreeMap<u32, String>,
    /// What an object is before its fields are read.
    pub empty: Empty,
    /// Which Kubernetes versions have it.
    pub presence: Presence,
}

/// What an object is before its fields are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// The type's default.
    Default,
    /// A value with zeros: the type has no default, since it has to have a time.
    Zeros,
    /// An empty object of JSON: the type has no fields, and is any JSON in k8s-openapi.
    AnyObject,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageField {
    /// The field in Rust, as k8s-openapi calls it.
    pub name: String,
    /// How often it occurs.
    pub occurs: Occurs,
    /// What it holds.
    pub value: Value,
    /// Which Kubernetes versions have it.
    pub presence: Presence,
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// At most once.
    One,
    /// At most once, and a zero means that there is none: protobuf always has the field, JSON leaves zeros out.
    OneUnlessZero,
    /// Any number of times.
    Many,
    /// As entries of a map from text.
    Map,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A type that the runtime knows.
    Known(&'static str),
    /// A type of the runtime that contains schemas of custom resources; the schema of those.
    OrSchema(&'static str, String),
    /// Another message, by the schema of its type.
    Message(String),
}

/// Types that travel by rules of their own, which the runtime has.
fn known(schema: &str) -> Option<&'static str> {
    Some(match schema.strip_prefix("io.k8s.")? {
        "apimachinery.pkg.api.resource.Quantity" => "Quantity",
        "apimachinery.pkg.apis.meta.v1.MicroTime" => "MicroTime",
        "apimachinery.pkg.apis.meta.v1.Time" => "Time",
        "apimachinery.pkg.apis.meta.v1.FieldsV1" => "FieldsV1",
        "apimachinery.pkg.util.intstr.IntOrString" => "IntOrString",
        "apimachinery.pkg.runtime.RawExtension" => "RawExtension",
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON" => "JSON",
        _ => return None,
    })
}

/// What a schema of a custom resource may have in place of a schema.
const OR_SCHEMA: [&str; 3] = ["JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"];

/// Gathers the messages of all that is sent and answered. The model has everything else already.
pub(super) fn build(specs: &[Spec], model: &Model, policy: &Policy) -> Result<BTreeMap<Home, Messages>, Error> {
    let mut gathering =
        Gathering { homes: Home::of_packages(&model.groups), near: near(model), modules: BTreeMap::new(), policy };
    for (version, spec) in specs.iter().enumerate() {
        let mut open = roots(&model.groups, version);
        let mut seen = BTreeSet::new();
        while let Some((from, schema)) = open.pop() {
            let home = gathering.home(&from, &schema);
            if seen.insert((home.clone(), schema.clone())) {
                let inner = gathering.add(spec, &home, &schema, version)?;
                open.extend(inner.into_iter().map(|schema| (home.clone(), schema)));
            }
        }
    }
    Ok(gathering.modules)
}

/// What the kinds of each module are made of in one version.
fn roots(groups: &[Group], version: usize) -> Vec<(Home, String)> {
    let mut roots = BTreeSet::new();
    for (group, api) in versions(groups) {
        let home = Home::new(group, api);
        for object in api.kinds().into_iter().filter(|(_, presence)| presence.has(version)).map(|(object, _)| object) {
            roots.insert((home.clone(), object.schema.clone()));
        }
    }
    roots.into_iter().collect()
}

/// The crates that a crate depends on for its apply configurations anyway.
fn near(model: &Model) -> BTreeMap<String, BTreeSet<String>> {
    let near = |group: &Group| model.neighbours_of_group(group).into_keys().collect();
    model.groups.iter().map(|group| (group.crate_name.clone(), near(group))).collect()
}

struct Gathering<'a> {
    homes: BTreeMap<String, Home>,
    near: BTreeMap<String, BTreeSet<String>>,
    modules: BTreeMap<Home, Messages>,
    policy: &'a Policy,
}

impl Gathering<'_> {
    /// Where the message of a type is that a module needs: where the type is at home, if that crate is near. What a
    /// group only borrows, such as the Eviction of pods, it has a copy of, so that its crate needs no other for it.
    fn home(&self, from: &Home, schema: &str) -> Home {
        let is_near = |home: &&Home| {
            home.crate_name == META_CRATE
                || home.crate_name == from.crate_name
                || self.near.get(&from.crate_name).is_some_and(|near| near.contains(&home.crate_name))
        };
        self.homes.get(package(schema)).filter(is_near).unwrap_or(from).clone()
    }

    /// Adds a type of one version, and names the types that it contains.
    fn add(&mut self, spec: &Spec, home: &Home, name: &str, version: usize) -> Result<Vec<String>, Error> {
        let at = At::schema(spec, name);
        let schema = spec.schemas.get(name).ok_or_else(|| at.error("there is no such schema"))?;
        let object = TypeName::new(name).map_err(|refusal| at.error(refusal))?;
        let mut work = Work { spec, at: &at, schema, version, inner: Vec::new() };
        let module = self.modules.entry(home.clone()).or_default();
        let marker = object.name.clone();
        work.message(module, &marker, &object, &message_of_schema(name), self.policy)?;
        Ok(work.inner)
    }
}

/// One type of one version.
struct Work<'a> {
    spec: &'a Spec,
    at: &'a At,
    schema: &'a Schema,
    version: usize,
    /// The types that it contains.
    inner: Vec<String>,
}

impl Work<'_> {
    /// Adds a message, and those that are embedded in it, to the module.
    fn message(
        &mut self,
        module: &mut Messages,
        marker: &str,
        object: &TypeName,
        name: &str,
        policy: &Policy,
    ) -> Result<(), Error> {
        let fields = self.spec.protobuf.messages.get(name);
        let fields = fields.ok_or_else(|| self.at.error(format!("protobuf.txt has no message {name}")))?;
        let here = Presence::only(self.version);
        let mut message = module.remove(marker).unwrap_or_else(|| Message {
            object: object.clone(),
            fields: BTreeMap::new(),
            embedded: BTreeMap::new(),
            empty: if self.schema.properties.is_empty() { Empty::AnyObject } else { Empty::Default },
            presence: here,
        });
        if message.object != *object {
            let other = &message.object.schema;
            return Err(self.at.error(format!("the message {marker} is that of {other} already")));
        }
        message.presence.last = self.version;
        for field in fields {
            if let Some(embedded) = field.embedded() {
                let short = embedded.rsplit('.').next().unwrap_or_default();
                let short = type_name(short).map_err(|refusal| self.at.error(refusal))?;
                let marker = format!("{short}Of{marker}");
                self.message(module, &marker, object, embedded, policy)?;
                message.embedded.insert(field.number, marker);
            } else if let Some(new) = self.field(field, policy)? {
                let is_time = matches!(new.value, Value::Known("Time" | "MicroTime"));
                if is_time && self.schema.required.contains(&field.name) {
                    message.empty = Empty::Zeros;
                }
                add(&mut message.fields, field.number, new).map_err(|problem| self.at.error(problem))?;
            }
        }
        module.insert(marker.to_owned(), message);
        Ok(())
    }

    /// A field of this version, unless the schema has it not. That each property has a field is seen to when a spec is
    /// taken in.
    fn field(&mut self, field: &proto::Field, policy: &Policy) -> Result<Option<MessageField>, Error> {
        let Some(property) = self.schema.properties.get(&field.name) else { return Ok(None) };
        let wrong = || self.at.error(format!("`{}` is not what protobuf.txt says", field.name));
        let (occurs, value) = match &field.kind {
            FieldKind::Optional(of) => {
                let scalar = !matches!(of, FieldType::Message(_));
                let absent = !field.go.pointer && (field.go.omit_zero || field.go.omit_empty && scalar);
                let value = self.value(of, property)?;
                // Zero times are no values in any case, and have no other zero.
                let is_time = matches!(value, Value::Known("Time" | "MicroTime"));
                (if absent && !is_time { Occurs::OneUnlessZero } else { Occurs::One }, value)
            }
            FieldKind::Repeated(of) => {
                let items = property.items.as_deref().ok_or_else(wrong)?;
                (Occurs::Many, self.value(of, items)?)
            }
            FieldKind::Map(FieldType::String, of) => {
                let Some(AdditionalProperties::Of(values)) = &property.additional_properties else {
                    return Err(wrong());
                };
                (Occurs::Map, self.value(of, values)?)
            }
            FieldKind::Map(..) => return Err(self.at.error(format!("`{}`: a map of other than text", field.name))),
        };
        let name = match policy.field(&field.name) {
            Some(name) => name,
            None => self::field(&field.name).map_err(|refusal| self.at.error(refusal))?,
        };
        Ok(Some(MessageField { name, occurs, value, presence: Presence::only(self.version) }))
    }

    fn value(&mut self, of: &FieldType, schema: &Schema) -> Result<Value, Error> {
        if let Some(name) = &schema.reference {
            if let Some(known) = known(name) {
                return Ok(Value::Known(known));
            }
            if let Some(or) = OR_SCHEMA.into_iter().find(|or| name.ends_with(&format!(".{or}"))) {
                let schema = format!("{}.JSONSchemaProps", package(name));
                self.inner.push(schema.clone());
                return Ok(Value::OrSchema(or, schema));
            }
            let referred = self.spec.schemas.get(name);
            let referred = referred.ok_or_else(|| self.at.error(format!("refers to {name}, which is not there")))?;
            if referred.kind != Some(Type::Object) {
                return self.value(of, referred);
            }
            if *of != FieldType::Message(message_of_schema(name)) {
                return Err(self.at.error(format!("holds a {name}, but {of} in protobuf")));
            }
            self.inner.push(name.clone());
            return Ok(Value::Message(name.clone()));
        }
        Ok(Value::Known(match (of, schema.kind, schema.format.as_deref()) {
            (FieldType::String, Some(Type::String), _) => "Text",
            (FieldType::Bytes, Some(Type::String), Some("byte")) => "Bytes",
            (FieldType::Bool, Some(Type::Boolean), _) => "Bool",
            (FieldType::Int32 | FieldType::Int64, Some(Type::Integer), Some("int32")) => "Int32",
            (FieldType::Int32 | FieldType::Int64, Some(Type::Integer), _) => "Int64",
            (FieldType::Double, Some(Type::Number), _) => "Double",
            // A list in a map is a message of that list.
            (FieldType::Message(_), Some(Type::Array), _) => "TextList",
            _ => return Err(self.at.error(format!("nobody knows how a {:?} travels as {of}", schema.kind))),
        }))
    }
}

/// Adds a field of a later version.
fn add(fields: &mut BTreeMap<u32, MessageField>, number: u32, new: MessageField) -> Result<(), String> {
    match fields.get_mut(&number) {
        None => drop(fields.insert(number, new)),
        Some(old) if old.name != new.name || old.value != new.value => {
            return Err(format!("field {number} was `{}` in earlier versions and is `{}`", old.name, new.name));
        }
        Some(old) => {
            // The newest version's word counts: whether JSON leaves out zeros.
            old.occurs = new.occurs;
            old.presence.last = new.presence.last;
        }
    }
    Ok(())
}

impl Model {
    /// The module of the message of a type, as a module sees it.
    pub fn message<'a>(&'a self, from: &Home, schema: &str) -> Option<(&'a Home, &'a Message)> {
        let name = schema.rsplit('.').next()?;
        let own = self.messages.get_key_value(from).into_iter();
        let mut found = own.chain(&self.messages).filter_map(|(home, module)| Some((home, module.get(name)?)));
        found.find(|(_, message)| message.object.schema == schema)
    }
}
