//! From definitions to the model that clients are generated of.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Definition, DefinitionVersion, Names as TypeNames,
    identifiers::{self, pascal},
    naming::{Named, Naming},
    types::{Draft, Path, Shared, StructShape, Types, written},
};
use crate::{
    Error,
    model::{
        ApiVersion, Configuration, Configurations, CustomObject, Field, FieldType, Group, Home, Identity, Model, Names,
        OpenEnum, Presence, Resource, ResourceOfDefinition, Struct, StructField, Structs, TypeName, api_version, snake,
        version_priority,
    },
};

/// A group of custom resources: the model of its crate, and the names of its types.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) model: Model,
    pub(super) names: TypeNames,
}

/// What stands for the versions of Kubernetes: custom resources are the same in all.
const ALWAYS: Presence = Presence { first: 0, last: 0 };

/// Makes the model of one group, of which all definitions are.
pub(super) fn build(
    crate_name: &str,
    definitions: &[Definition],
    known: &TypeNames,
    descriptions: bool,
) -> Result<Built, Error> {
    let group_name = definitions.first().map(|definition| definition.group.clone()).unwrap_or_default();
    let others = of_others();
    // What is in another crate is known by that one's name.
    let is_anothers = others.keys().any(|home| home.crate_name == crate_name);
    let home_name = if is_anothers { format!("{crate_name}_") } else { crate_name.to_owned() };
    let mut versions: BTreeMap<&str, Vec<(&Definition, &DefinitionVersion)>> = BTreeMap::new();
    for definition in definitions {
        for version in definition.versions.iter().filter(|version| version.served) {
            versions.entry(&version.name).or_default().push((definition, version));
        }
    }
    let mut group = Group { name: group_name, crate_name: home_name.clone(), versions: Vec::new(), is_custom: true };
    let mut naming = Naming::new(known);
    let mut model = Model {
        versions: vec![String::new()],
        groups: Vec::new(),
        configurations: others,
        messages: BTreeMap::new(),
        structs: BTreeMap::new(),
    };
    let mut modules = BTreeSet::new();
    for (name, resources) in versions {
        let mut module = Module {
            crate_name: &home_name,
            version: identifiers::unique(&identifiers::version(name), "_", &mut modules),
            structs: Structs::default(),
            records: Configurations::default(),
        };
        for (definition, version) in &resources {
            if !naming.reserve(name, &identifiers::kind(&definition.names.kind)) {
                let message =
                    format!("two definitions would have the type `{}`", identifiers::kind(&definition.names.kind));
                return Err(Error::at(&definition.file, &version.location, message));
            }
        }
        let mut api = ApiVersion {
            name: name.to_owned(),
            module: module.version.clone(),
            client: format!("{}{}Client", pascal(crate_name), pascal(name)),
            accessor: format!("{}_{}", snake(&pascal(crate_name)), module.version),
            presence: ALWAYS,
            resources: Vec::new(),
        };
        let mut taken = BTreeSet::from([api.client.clone(), "RestClient".to_owned()]);
        let mut accessors = BTreeSet::new();
        for (definition, version) in resources {
            let object = module.add(&group, &mut naming, definition, version, descriptions)?;
            api.resources.push(resource(definition, version, object, &mut taken, &mut accessors)?);
        }
        api.resources.sort_by(|a, b| a.plural.cmp(&b.plural));
        let home = Home { crate_name: home_name.clone(), version: module.version };
        model.structs.insert(home.clone(), module.structs);
        model.configurations.insert(home, module.records);
        group.versions.push(api);
    }
    group.versions.sort_by_key(|version| std::cmp::Reverse(version_priority(&version.name)));
    model.groups.push(group);
    Ok(Built { model, names: naming.names })
}

/// Configurations of other crates, which those of custom resources contain or have as subresources.
fn of_others() -> BTreeMap<Home, Configurations> {
    let configurations = |schemas: &[&str]| {
        let types = schemas.iter().filter_map(|schema| TypeName::new(schema).ok()).map(|object| {
            let configuration = Configuration {
                object: object.clone(),
                fields: BTreeMap::new(),
                identity: None,
                atomic: false,
                current: true,
                unknown_fields: None,
            };
            (object.name, configuration)
        });
        Configurations { types: types.collect() }
    };
    let meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
    let meta = configurations(&[&format!("{meta}.ObjectMeta"), &format!("{meta}.OwnerReference")]);
    let scale = Home { crate_name: "autoscaling".to_owned(), version: "v1".to_owned() };
    BTreeMap::from([(Home::meta(), meta), (scale, configurations(&[SCALE]))])
}

/// The type of the subresource `scale`.
const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";

fn resource(
    definition: &Definition,
    version: &DefinitionVersion,
    object: TypeName,
    taken: &mut BTreeSet<String>,
    accessors: &mut BTreeSet<String>,
) -> Result<Resource, Error> {
    let names = &definition.names;
    let resource = ResourceOfDefinition {
        group: &definition.group,
        version: &version.name,
        kind: &names.kind,
        plural: &names.plural,
        scope: definition.scope,
        names: client_names(&names.kind, &names.plural),
        object,
        scale: version.has_scale.then_some(SCALE),
        has_status: version.has_status,
        operations: version.operations.as_ref(),
    };
    let mut resource = resource.build(&definition.file, &version.location)?;
    // What is not free gets a number behind it. No name of the runtime that a client's file uses ends in one.
    let is_anothers =
        |name: &str| identifiers::is_reserved(name) || taken.contains(name) || crate::emit::is_used_by_clients(name);
    let is_free = |name: &str| !is_anothers(name) && !is_anothers(&format!("All{name}"));
    let client = identifiers::numbered(&resource.names.client, "", is_free);
    taken.extend([format!("All{client}"), client.clone()]);
    resource.names.client = client;
    let is_free = |name: &str| !accessors.contains(name) && !accessors.contains(&format!("all_{name}"));
    let accessor = identifiers::numbered(&resource.names.accessor, "_", is_free);
    accessors.extend([format!("all_{accessor}"), accessor.clone()]);
    resource.names.accessor = accessor;
    resource.deprecated.clone_from(&version.deprecated);
    Ok(resource)
}

/// What the clients of a resource are called.
fn client_names(kind: &str, plural: &str) -> Names {
    let plural = plural.to_ascii_lowercase().replace('-', "");
    // The module of the types is called so.
    let names = Names::new(&identifiers::kind(kind), &plural).ok().filter(|names| names.accessor != "types");
    names.unwrap_or_else(|| Names {
        client: format!("{}Resources", pascal(&plural)),
        accessor: format!("{}_resources", plural.trim_start_matches(|c: char| !c.is_ascii_alphabetic())),
    })
}

/// The types of a version.
struct Module<'a> {
    crate_name: &'a str,
    /// The version's module.
    version: String,
    structs: Structs,
    records: Configurations,
}

/// The field of whole objects that every type has.
const METADATA: &str = "metadata";

impl Module<'_> {
    /// Adds the types of a kind, and names that of its objects.
    fn add(
        &mut self,
        group: &Group,
        naming: &mut Naming<'_>,
        definition: &Definition,
        version: &DefinitionVersion,
        descriptions: bool,
    ) -> Result<TypeName, Error> {
        let mut types = Types::new(descriptions);
        let root = types.root(&version.schema, &definition.file, &version.location)?;
        let named = naming.name(&version.name, &definition.names.kind, &types, root);
        for (index, shared) in types.structs.iter().enumerate() {
            let object = (index == root).then(|| object(group, definition, version));
            self.structure(&named, index, shared, object, &definition.names.kind, version.deprecated.as_deref());
        }
        for (shared, name) in types.enums.iter().zip(&named.enums) {
            let variants = identifiers::variants(&shared.shape);
            let docs = docs(&shared.paths, &definition.names.kind);
            let variants = variants.into_iter().zip(shared.shape.iter().cloned()).collect();
            self.structs.enums.insert(name.clone(), OpenEnum { docs, variants });
        }
        Ok(self.type_name(&named.structs[root]))
    }

    fn type_name(&self, name: &str) -> TypeName {
        TypeName::own(self.crate_name, &self.version, name)
    }

    fn structure(
        &mut self,
        named: &Named,
        index: usize,
        shared: &Shared<StructShape>,
        object: Option<CustomObject>,
        kind: &str,
        deprecated: Option<&str>,
    ) {
        let (name, shape) = (&named.structs[index], &shared.shape);
        let members = shape.members.keys().map(String::as_str);
        let unknown = shape.keeps_unknown.then_some("unknownFields");
        let mut field_names = identifiers::fields(members.chain(unknown), object.is_some());
        let unknown_fields = unknown.and_then(|_| field_names.pop());

        let (mut fields, mut records) = (BTreeMap::new(), BTreeMap::new());
        for ((json, member), field_name) in shape.members.iter().zip(field_names) {
            let value = self.field_type(named, &member.value);
            let record = if member.value == Draft::Metadata { metadata_record() } else { value.clone() };
            let merge = member.merge.clone();
            records.insert(json.clone(), Field { name: field_name.clone(), value: record, merge, presence: ALWAYS });
            let docs = shared.docs.get(json).cloned().unwrap_or_default();
            fields.insert(json.clone(), StructField { name: field_name, value, required: member.required, docs });
        }
        let identity = object.as_ref().map(|object| Identity {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            scope: object.scope,
        });
        if object.is_some() {
            let record = Field { name: METADATA.to_owned(), value: metadata_record(), merge: None, presence: ALWAYS };
            records.insert(METADATA.to_owned(), record);
            let value = FieldType::Known("ObjectMeta");
            let field = StructField { name: METADATA.to_owned(), value, required: true, docs: Vec::new() };
            fields.insert(METADATA.to_owned(), field);
        }
        let docs = if object.is_some() { object_docs(kind, deprecated) } else { docs(&shared.paths, kind) };
        let configuration = Configuration {
            object: self.type_name(name),
            fields: records,
            identity,
            atomic: shape.atomic,
            current: true,
            unknown_fields: unknown_fields.clone(),
        };
        self.records.types.insert(name.clone(), configuration);
        self.structs.structs.insert(name.clone(), Struct { docs, fields, unknown_fields, object });
    }

    fn field_type(&self, named: &Named, value: &Draft) -> FieldType {
        let inner = |value: &Draft| Box::new(self.field_type(named, value));
        match value {
            Draft::Known(name) => FieldType::Known(name),
            Draft::Metadata => FieldType::Known("ObjectMeta"),
            Draft::Struct(index) => FieldType::Record(self.type_name(&named.structs[*index]).schema),
            Draft::Boxed(index) => FieldType::Boxed(self.type_name(&named.structs[*index]).schema),
            Draft::Enum(index) => FieldType::Enum(named.enums[*index].clone()),
            Draft::List(value) => FieldType::List(inner(value)),
            Draft::Map(value) => FieldType::Map(inner(value)),
            Draft::Nullable(value) => FieldType::Nullable(inner(value)),
        }
    }
}

/// The configuration of metadata.
fn metadata_record() -> FieldType {
    FieldType::Record(format!("{}.ObjectMeta", crate::model::META))
}

fn object(group: &Group, definition: &Definition, version: &DefinitionVersion) -> CustomObject {
    let names = definition.names.clone();
    CustomObject {
        api_version: api_version(&group.name, &version.name),
        kind: names.kind,
        list_kind: names.list_kind,
        plural: names.plural,
        singular: names.singular,
        short_names: names.short_names,
        categories: names.categories,
        scope: definition.scope,
        has_status: version.has_status,
    }
}

fn object_docs(kind: &str, deprecated: Option<&str>) -> Vec<String> {
    let mut docs = vec![format!("The type of every `{kind}`.")];
    if let Some(warning) = deprecated {
        docs.push(String::new());
        docs.extend(super::docs::of_description(&format!("Deprecated: {warning}")));
    }
    docs
}

/// Words in lines that are not too long, unless a word is.
fn filled(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 108 => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// How many places a type's docs name.
const PLACES: usize = 3;

fn docs(paths: &BTreeSet<Path>, kind: &str) -> Vec<String> {
    let mut places: Vec<String> = paths.iter().map(written).collect();
    places.sort_by_key(|place| (place.matches(['.', '[', '{']).count(), place.clone()));
    let more = places.len().saturating_sub(PLACES);
    places.truncate(PLACES);
    let last = if more > 0 { format!("and {more} more, of a `{kind}`.") } else { format!("of a `{kind}`.") };
    let count = places.len();
    let listed = places.iter().enumerate().map(|(index, place)| {
        let comma = if index + 1 < count || more > 0 { "," } else { "" };
        format!("`{place}`{comma}")
    });
    filled(listed.chain([last]))
}
