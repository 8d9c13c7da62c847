//! Definitions of what a Kubernetes version has and the one before has not, so that it can be tried before k8s-openapi
//! has its types: a kind that is new, or that has changed anywhere in its schema, is described as a custom resource is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Definition, DefinitionNames, DefinitionVersion, Group,
    types::{OBJECT_META, QUANTITY},
};
use crate::{
    Error,
    model::{ParsedPath, Scope, api_version},
    policy::Policy,
    spec::{Action, AdditionalProperties, GroupVersionKind, Operation, Schema, Spec, json::is_zero},
};

/// The groups of all kinds that `new` has and `known` has not, or not with the same fields, types and operations. The
/// groups are called as in the policy.
///
/// # Errors
///
/// When a spec refers to a schema that it does not have.
pub fn preview(new: &Spec, known: &Spec, policy: &Policy) -> Result<Vec<Group>, Error> {
    let before = resources(known);
    let mut definitions = Vec::new();
    for (place, resource) in resources(new) {
        let Some(schema) = resource.schema(new)? else { continue };
        let is_known = match before.get(&place) {
            Some(was) if was.operations == resource.operations => {
                was.schema(known)?.map(types_alone) == Some(types_alone(schema.clone()))
            }
            _ => false,
        };
        if !is_known {
            definitions.push(resource.definition(new, &place, schema));
        }
    }
    let mut groups = Group::all(definitions)?;
    for group in &mut groups {
        group.module = policy.group(&group.name).0;
    }
    Ok(groups)
}

/// Where a resource is: group, version and plural.
type Place = (String, String, String);

/// What is done with a resource, by its subresources; the resource itself is the empty one.
pub(crate) type Operations = BTreeSet<(String, Action)>;

#[derive(Default)]
struct Resource<'a> {
    document: &'a str,
    kind: Option<&'a GroupVersionKind>,
    /// The name of the objects' schema.
    object: Option<&'a str>,
    namespaced: bool,
    operations: Operations,
}

/// The resources of a spec.
fn resources(spec: &Spec) -> BTreeMap<Place, Resource<'_>> {
    let mut resources: BTreeMap<Place, Resource<'_>> = BTreeMap::new();
    for operation in spec.operations() {
        let Some(path) = ParsedPath::parse(&operation.path).filter(|path| !path.watch) else { continue };
        let Some(action) = operation.action else { continue };
        let place = (path.group.to_owned(), path.version.to_owned(), path.plural.to_owned());
        let resource = resources.entry(place).or_default();
        resource.namespaced |= path.namespaced;
        if path.subresource.is_none() {
            resource.document = &operation.document;
            resource.kind = resource.kind.or(operation.kind.as_ref());
            if matches!(action, Action::Get | Action::Post) {
                resource.object = resource.object.or(answer(operation));
            }
        }
        resource.operations.insert((path.subresource.unwrap_or_default(), action));
    }
    resources
}

fn answer(operation: &Operation) -> Option<&str> {
    operation.answers.values().find_map(|answer| answer.schema_name())
}

impl Resource<'_> {
    /// The schema of whole objects, without references; `None` for what is no resource.
    fn schema(&self, spec: &Spec) -> Result<Option<Schema>, Error> {
        let Some(object) = self.object.filter(|_| self.kind.is_some()) else { return Ok(None) };
        let whole = inlined(spec, self.document, &reference(object), &mut Vec::new())?;
        Ok(Some(whole).filter(|schema| schema.properties.contains_key("metadata")))
    }

    fn definition(&self, spec: &Spec, place: &Place, schema: Schema) -> Definition {
        let (group, version, plural) = place;
        let kind = self.kind.map(|kind| kind.kind.clone()).unwrap_or_default();
        let names = spec.discovery.names.get(&api_version(group, version)).and_then(|names| names.get(plural));
        let names = names.cloned().unwrap_or_default();
        let has = |subresource: &str| self.operations.iter().any(|(of, _)| of == subresource);
        Definition {
            file: format!("Kubernetes {}", spec.version()),
            group: group.clone(),
            scope: if self.namespaced { Scope::Namespaced } else { Scope::Cluster },
            names: DefinitionNames {
                list_kind: format!("{kind}List"),
                plural: plural.clone(),
                singular: Some(names.singular).filter(|it| !it.is_empty()).unwrap_or_else(|| kind.to_lowercase()),
                short_names: names.short_names,
                categories: names.categories,
                kind,
            },
            versions: vec![DefinitionVersion {
                name: version.clone(),
                served: true,
                deprecated: None,
                schema,
                has_status: has("status"),
                has_scale: has("scale"),
                operations: Some(self.operations.clone()),
                location: self.object.unwrap_or_default().to_owned(),
            }],
        }
    }
}

fn reference(name: &str) -> Schema {
    Schema { reference: Some(name.to_owned()), ..Schema::default() }
}

/// Types whose form in JSON says more than their schema.
const QUANTITY_TYPE: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/// A schema with what it refers to in place of the references, but for the metadata of objects. `outer` are the types
/// that it stands in: one that contains itself is anything there.
fn inlined<'a>(spec: &'a Spec, document: &str, schema: &'a Schema, outer: &mut Vec<&'a str>) -> Result<Schema, Error> {
    let Some(name) = schema.reference.as_deref() else { return parts(spec, document, schema, outer) };
    let mut whole = match name {
        OBJECT_META => reference(name),
        QUANTITY_TYPE => {
            let other = BTreeMap::from([("pattern".to_owned(), Value::from(QUANTITY))]);
            Schema { int_or_string: true, other, ..Schema::default() }
        }
        INT_OR_STRING => Schema { int_or_string: true, ..Schema::default() },
        name if outer.contains(&name) => Schema::default(),
        name => {
            let message = format!("there is no schema `{name}`");
            let named = spec.schemas.get(name).ok_or_else(|| Error::file(document, message))?;
            outer.push(name);
            let whole = inlined(spec, document, named, outer);
            outer.pop();
            whole?
        }
    };
    // What stands beside a reference is said of the place.
    whole.default = default(schema).or(whole.default);
    whole.list_type = schema.list_type.clone().or(whole.list_type);
    whole.map_type = schema.map_type.clone().or(whole.map_type);
    Ok(whole)
}

/// The default, unless it is what Go has for what is left out: that says nothing, and comes and goes between versions.
fn default(schema: &Schema) -> Option<Value> {
    schema.default.clone().filter(|value| !is_zero(value))
}

/// A schema as far as it tells which fields there are, and of which types.
fn types_alone(schema: Schema) -> Schema {
    let inner = |schema: Box<Schema>| Box::new(types_alone(*schema));
    Schema {
        reference: schema.reference,
        kind: schema.kind,
        format: schema.format,
        items: schema.items.map(inner),
        properties: schema.properties.into_iter().map(|(name, property)| (name, types_alone(property))).collect(),
        additional_properties: schema.additional_properties.map(|additional| match additional {
            AdditionalProperties::Of(values) => AdditionalProperties::Of(inner(values)),
            any @ AdditionalProperties::Any(_) => any,
        }),
        int_or_string: schema.int_or_string,
        ..Schema::default()
    }
}

fn parts<'a>(spec: &'a Spec, document: &str, schema: &'a Schema, outer: &mut Vec<&'a str>) -> Result<Schema, Error> {
    let mut whole = schema.clone();
    whole.kinds.clear();
    whole.default = default(schema);
    if schema.format.as_deref() == Some("int-or-string") {
        whole.int_or_string = true;
    }
    for (name, property) in &schema.properties {
        whole.properties.insert(name.clone(), inlined(spec, document, property, outer)?);
    }
    if let Some(items) = &schema.items {
        whole.items = Some(Box::new(inlined(spec, document, items, outer)?));
    }
    if let Some(AdditionalProperties::Of(values)) = &schema.additional_properties {
        whole.additional_properties = Some(AdditionalProperties::Of(Box::new(inlined(spec, document, values, outer)?)));
    }
    Ok(whole)
}
