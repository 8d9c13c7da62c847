//! One version of an API, as it is compared.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Reach, reach::of_types};
use crate::{
    crd::{Definition, DefinitionVersion},
    model::{ParsedPath, Scope},
    spec::{Action, Lifecycle, Markers, Operation, Release, Schema, Spec, proto},
};

/// One version of an API: what is compared with another one.
#[derive(Clone, Debug)]
pub struct Api<'a> {
    /// What the report calls it.
    pub(super) name: String,
    /// The resources, by group, version and plural.
    pub(super) resources: BTreeMap<ResourceKey, Resource<'a>>,
    /// What is no resource's: `GET /version/`.
    pub(super) others: BTreeMap<String, &'a Operation>,
    /// The types, by a name that is the same on both sides.
    pub(super) types: BTreeMap<String, Type<'a>>,
    /// The numbers of protobuf, if they are known.
    pub(super) protobuf: Option<&'a proto::Table>,
    /// What Go's sources say, if it is known.
    pub(super) markers: Option<&'a Markers>,
    /// The version of Kubernetes.
    pub(super) release: Option<Release>,
    /// Whether the schemas are the validation, and their defaults are filled in, as those of custom resources.
    pub(super) is_custom: bool,
}

/// Group, version and plural. The version is empty where two of them are compared with each other.
pub(super) type ResourceKey = (String, String, String);

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Resource<'a> {
    /// Where it is, its plural as the name.
    pub(super) place: Place,
    pub(super) kind: String,
    pub(super) scope: Scope,
    /// The resource itself, which has no name, and its subresources.
    pub(super) parts: BTreeMap<String, Part<'a>>,
}

/// A resource or one of its subresources.
#[derive(Clone, Debug, Default)]
pub(super) struct Part<'a> {
    /// As RBAC calls them, in the order in which they are usually named.
    pub(super) verbs: BTreeSet<&'static str>,
    /// `GET /api/v1/pods`, with what the spec says of it.
    pub(super) routes: BTreeMap<String, Option<&'a Operation>>,
}

/// A type.
#[derive(Clone, Debug)]
pub(super) struct Type<'a> {
    pub(super) place: Place,
    pub(super) schema: &'a Schema,
    pub(super) reach: Reach,
    /// Since when, and what to use in its place.
    pub(super) deprecated: Option<String>,
    /// The first version without it.
    pub(super) removed: Option<Release>,
}

impl<'a> Resource<'a> {
    /// The kind of its objects, as a place.
    pub(super) fn kind_place(&self) -> Place {
        Place { name: self.kind.clone(), ..self.place.clone() }
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = &'a Operation> + '_ {
        self.parts.values().flat_map(|part| part.routes.values().filter_map(|operation| *operation))
    }
}

impl<'a> Api<'a> {
    /// What a spec of Kubernetes has, but for the deprecated `/watch/` paths. `name` is what the report calls it.
    pub fn of_spec(name: &str, spec: &'a Spec) -> Self {
        let mut resources: BTreeMap<ResourceKey, Resource<'a>> = BTreeMap::new();
        let mut others = BTreeMap::new();
        for operation in spec.operations() {
            let route = format!("{} {}", operation.method, operation.path);
            let path = ParsedPath::parse(&operation.path).filter(|_| operation.action.is_some());
            let Some((path, action)) = path.zip(operation.action) else {
                others.insert(route, operation);
                continue;
            };
            if path.watch {
                continue;
            }
            let key = (path.group.to_owned(), path.version.to_owned(), path.plural.to_owned());
            let resource = resources.entry(key).or_insert_with(|| Resource {
                place: Place {
                    group: group(path.group),
                    version: path.version.to_owned(),
                    name: path.plural.to_owned(),
                    path: String::new(),
                },
                kind: String::new(),
                scope: Scope::Cluster,
                parts: BTreeMap::new(),
            });
            if path.namespaced {
                resource.scope = Scope::Namespaced;
            }
            if let (None, Some(kind)) = (&path.subresource, &operation.kind) {
                resource.kind.clone_from(&kind.kind);
            }
            let part = resource.parts.entry(path.subresource.unwrap_or_default()).or_default();
            part.verbs.insert(verb(action));
            if operation.can_watch() {
                part.verbs.insert("watch");
            }
            part.routes.insert(route, Some(operation));
        }
        let (markers, version) = (spec.markers.as_ref(), spec.version());
        let release = Release { major: version.major, minor: version.minor };
        let mut reach = of_types(resources.values(), &spec.schemas, markers);
        let groups = groups_of_packages(spec);
        let types = spec.schemas.iter().map(|(name, schema)| {
            let reach = reach.remove(name).unwrap_or_default();
            let lifecycle = markers.and_then(|markers| markers.lifecycle.get(name));
            let of_type = Type {
                place: place_of_schema(name, &groups),
                schema,
                reach,
                deprecated: lifecycle.and_then(|lifecycle| deprecation(lifecycle, release)),
                removed: lifecycle.and_then(|lifecycle| lifecycle.removed),
            };
            (name.clone(), of_type)
        });
        Self {
            name: name.to_owned(),
            types: types.collect(),
            resources,
            others,
            protobuf: Some(&spec.protobuf).filter(|table| !table.messages.is_empty()),
            markers,
            release: Some(release),
            is_custom: false,
        }
    }

    /// What definitions of custom resources have: the versions that are served, or the one that is asked for, be it
    /// served or not. Two versions that are asked for are compared with each other, whatever they are called.
    pub fn of_definitions(name: &str, definitions: &'a [Definition], version: Option<&str>) -> Self {
        let mut api = Self {
            name: name.to_owned(),
            resources: BTreeMap::new(),
            others: BTreeMap::new(),
            types: BTreeMap::new(),
            protobuf: None,
            markers: None,
            release: None,
            is_custom: true,
        };
        for definition in definitions {
            for of_version in &definition.versions {
                let is_wanted = version.map_or(of_version.served, |version| version == of_version.name);
                if is_wanted {
                    api.add_definition(definition, of_version, version.is_some());
                }
            }
        }
        api
    }

    fn add_definition(&mut self, definition: &'a Definition, version: &'a DefinitionVersion, any_version: bool) {
        let key_version = if any_version { String::new() } else { version.name.clone() };
        let place = |name: &str| Place {
            group: definition.group.clone(),
            version: version.name.clone(),
            name: name.to_owned(),
            path: String::new(),
        };
        let resource = Resource {
            place: place(&definition.names.plural),
            kind: definition.names.kind.clone(),
            scope: definition.scope,
            parts: parts(definition, version, if any_version { "*" } else { &version.name }),
        };
        let reach = Reach {
            kinds: BTreeSet::from([place(&definition.names.kind)]),
            operations: resource.parts.values().map(|part| part.routes.len()).sum(),
            ..Reach::default()
        };
        let of_type = Type {
            place: place(&definition.names.kind),
            schema: &version.schema,
            reach,
            deprecated: version.deprecated.clone(),
            removed: None,
        };
        self.types.insert(format!("{}/{key_version} {}", definition.group, definition.names.kind), of_type);
        self.resources.insert((definition.group.clone(), key_version, definition.names.plural.clone()), resource);
    }

    /// The groups of its resources.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.resources.values().map(|resource| resource.place.group.as_str())
    }

    /// The operations, each as method and path.
    pub(super) fn operations(&self) -> BTreeSet<&str> {
        let of_resources = self.resources.values().flat_map(|resource| resource.parts.values());
        let routes = of_resources.flat_map(|part| part.routes.keys());
        routes.chain(self.others.keys()).map(String::as_str).collect()
    }
}

/// Since when a kind is deprecated in a version, and what to use.
fn deprecation(lifecycle: &Lifecycle, release: Release) -> Option<String> {
    let since = lifecycle.deprecated.filter(|deprecated| *deprecated <= release)?;
    let instead = lifecycle.replacement.as_ref().map(|kind| format!(", use {kind}")).unwrap_or_default();
    Some(format!("since {since}{instead}"))
}

/// What a server has for a custom resource.
fn parts<'a>(definition: &Definition, version: &DefinitionVersion, name: &str) -> BTreeMap<String, Part<'a>> {
    let (group, plural) = (&definition.group, &definition.names.plural);
    let all = format!("/apis/{group}/{name}/{plural}");
    let collection = match definition.scope {
        Scope::Namespaced => format!("/apis/{group}/{name}/namespaces/{{namespace}}/{plural}"),
        Scope::Cluster => all.clone(),
    };
    let part = |verbs: &[&'static str], routes: Vec<String>| Part {
        verbs: verbs.iter().copied().collect(),
        routes: routes.into_iter().map(|route| (route, None)).collect(),
    };
    let on = |methods: &[&str], path: &str| methods.iter().map(|method| format!("{method} {path}")).collect::<Vec<_>>();
    let object = format!("{collection}/{{name}}");
    let mut routes = on(&["GET", "POST", "DELETE"], &collection);
    routes.extend(on(&["GET", "PUT", "PATCH", "DELETE"], &object));
    routes.extend(on(&["GET"], &all));
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let mut parts = BTreeMap::from([(String::new(), part(&verbs, routes))]);
    for (subresource, is_there) in [("status", version.has_status), ("scale", version.has_scale)] {
        if is_there {
            let routes = on(&["GET", "PUT", "PATCH"], &format!("{object}/{subresource}"));
            parts.insert(subresource.to_owned(), part(&["get", "patch", "update"], routes));
        }
    }
    parts
}

/// The verb of an action, as RBAC has it.
fn verb(action: Action) -> &'static str {
    match action {
        Action::Post => "create",
        Action::Put => "update",
        Action::Watch | Action::WatchList => "watch",
        other => other.as_str(),
    }
}

/// What a group is called here: the core group's name is empty.
fn group(name: &str) -> String {
    if name.is_empty() { "core".to_owned() } else { name.to_owned() }
}

/// The group and version of the packages of schemas, which their kinds tell.
fn groups_of_packages(spec: &Spec) -> BTreeMap<&str, (String, String)> {
    let mut groups = BTreeMap::new();
    for (name, schema) in &spec.schemas {
        let (package, short) = name.rsplit_once('.').unwrap_or(("", name));
        // Those of other types, such as DeleteOptions, are those of all groups.
        if let (Some(kind), 1) = (schema.kinds.first(), schema.kinds.len())
            && kind.kind == short
            && !package.starts_with(SHARED)
        {
            groups.insert(package, (group(&kind.group), kind.version.clone()));
        }
    }
    groups
}

/// The packages of what all groups have in common.
const SHARED: &str = "io.k8s.apimachinery.";

fn place_of_schema(name: &str, groups: &BTreeMap<&str, (String, String)>) -> Place {
    let (package, short) = name.rsplit_once('.').unwrap_or(("", name));
    let (group, version) = groups.get(package).cloned().unwrap_or_else(|| {
        let last = package.rsplit('.').next().unwrap_or_default();
        let is_version = last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let version = if is_version { last.to_owned() } else { String::new() };
        let group = if package.starts_with(SHARED) { "meta" } else { package };
        (group.to_owned(), version)
    });
    Place { group, version, name: short.to_owned(), path: String::new() }
}
