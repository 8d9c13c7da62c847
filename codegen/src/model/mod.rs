//! The API as the emitter sees it: groups, versions, resources and methods as plain data.
//!
//! [`Model::build`] makes it from the specs of all Kubernetes versions at once; what only some of them have carries its
//! [`Presence`].

mod at;
mod build;
mod configurations;
mod definition;
mod draft;
mod graph;
mod home;
mod messages;
mod names;
mod presence;
mod structs;

use std::collections::BTreeMap;

pub(crate) use build::priority as version_priority;
pub(crate) use configurations::merge as merge_of;
pub use configurations::{Configuration, Configurations, Field, FieldType, Identity, Merge};
pub(crate) use definition::ResourceOfDefinition;
pub(crate) use draft::ParsedPath;
pub(crate) use home::META;
pub use home::{Home, META_CRATE};
pub use messages::{Empty, Message, MessageField, Messages, Occurs, Value};
pub use names::{Names, TypeName};
pub(crate) use names::{capitalized, field, identifier, parameter, snake, type_name};
pub use presence::Presence;
pub use structs::{CustomObject, OpenEnum, Struct, StructField, Structs};

use crate::policy::StreamMethod;

/// The API of all Kubernetes versions that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The Kubernetes versions, oldest first: `1.33`.
    pub versions: Vec<String>,
    /// The groups, by crate name.
    pub groups: Vec<Group>,
    /// The apply configurations, by the crate and version that have them.
    pub configurations: BTreeMap<Home, Configurations>,
    /// The messages of protobuf, by the crate and version that have them.
    pub messages: BTreeMap<Home, Messages>,
    /// The types that k8s-openapi does not have, by the crate and version that have them.
    pub structs: BTreeMap<Home, Structs>,
}

/// An API group, which becomes a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name, empty for the core group.
    pub name: String,
    /// The crate's folder and the last part of its name: `rbac`.
    pub crate_name: String,
    /// The API versions, stable ones first, newest first among equals.
    pub versions: Vec<ApiVersion>,
    /// Whether definitions of custom resources make it, so that its objects are JSON alone, and their types its own.
    pub is_custom: bool,
}

/// A version of a group, which becomes a module and a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiVersion {
    /// `v1beta1`
    pub name: String,
    /// The module, which is called like it.
    pub module: String,
    /// The client's type: `RbacV1Client`.
    pub client: String,
    /// The clientset's method: `rbac_v1`.
    pub accessor: String,
    /// Which Kubernetes versions serve it.
    pub presence: Presence,
    /// The resources, by plural.
    pub resources: Vec<Resource>,
}

/// A resource, which becomes one client, or two if it is namespaced and can be listed across namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The kind's type.
    pub object: TypeName,
    /// The kind's name, which is the type's but for oversights.
    pub kind: String,
    /// `deployments`
    pub plural: String,
    /// How its clients are called.
    pub names: Names,
    /// Whether its objects lie in namespaces.
    pub scope: Scope,
    /// Which Kubernetes versions serve it.
    pub presence: Presence,
    /// What can be done with it, in the order in which it is documented.
    pub methods: Vec<Method>,
    /// What its definition says of this version, if it is on its way out.
    pub deprecated: Option<String>,
}

/// Where the objects of a resource lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster itself.
    Cluster,
}

/// One method of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// `update_status`
    pub name: String,
    /// What it does.
    pub verb: Verb,
    /// The subresource that it does it to.
    pub subresource: Option<String>,
    /// The client that has it.
    pub area: Area,
    /// The object that is sent, if the method creates or updates.
    pub body: Option<TypeName>,
    /// What comes back, if it is one type: a delete answers with the object or a status, a watch with events.
    pub answer: Option<TypeName>,
    /// What it opens, if the answer is a stream.
    pub stream: Option<StreamMethod>,
    /// The requests that it can make.
    pub routes: Vec<Route>,
    /// Which Kubernetes versions serve it.
    pub presence: Presence,
}

/// What a method does, in the order of documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Creates an object.
    Create,
    /// Reads an object.
    Get,
    /// Reads many objects.
    List,
    /// Follows many objects.
    Watch,
    /// Replaces an object.
    Update,
    /// Reads, changes and replaces an object.
    Modify,
    /// Changes parts of an object.
    Patch,
    /// Applies a configuration on the server.
    Apply,
    /// Deletes an object.
    Delete,
    /// Deletes many objects.
    DeleteCollection,
    /// Opens a stream.
    Stream,
}

impl Verb {
    /// The verb as methods are named after it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Update => "update",
            Self::Modify => "modify",
            Self::Patch => "patch",
            Self::Apply => "apply",
            Self::Delete => "delete",
            Self::DeleteCollection => "delete_collection",
            Self::Stream => "stream",
        }
    }
}

/// The client that a method belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The client of a namespace, or of the cluster for cluster-wide resources.
    Own,
    /// The client of all namespaces.
    AllNamespaces,
}

/// A request: method and path as the spec writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET`
    pub method: String,
    /// `/apis/apps/v1/namespaces/{namespace}/deployments/{name}`
    pub path: String,
}

/// Whether a version of this name is neither alpha nor beta.
pub(crate) fn is_stable(version: &str) -> bool {
    !version.contains("alpha") && !version.contains("beta")
}

/// `apps/v1`, or `v1` in the core group, which has no name.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The package of a schema: `io.k8s.api.apps.v1` of `io.k8s.api.apps.v1.Deployment`.
fn package(schema: &str) -> &str {
    schema.rsplit_once('.').map_or("", |(package, _)| package)
}

/// Goes through the versions of all groups.
fn versions(groups: &[Group]) -> impl Iterator<Item = (&Group, &ApiVersion)> {
    groups.iter().flat_map(|group| group.versions.iter().map(move |version| (group, version)))
}

/// The answer of calls without an object of their own, for which the runtime has the kind.
const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

impl ApiVersion {
    /// Whether the version is neither alpha nor beta.
    pub fn is_stable(&self) -> bool {
        is_stable(&self.name)
    }

    /// The objects that are sent and answered, but for lists and for Status, which is the runtime's.
    pub fn kinds(&self) -> BTreeMap<&TypeName, Presence> {
        let mut kinds: BTreeMap<&TypeName, Presence> = BTreeMap::new();
        let mut add = |name, presence: Presence| {
            let known = kinds.entry(name).or_insert(presence);
            known.first = known.first.min(presence.first);
            known.last = known.last.max(presence.last);
        };
        for resource in &self.resources {
            add(&resource.object, resource.presence);
            for method in &resource.methods {
                let answer = method.answer.as_ref().filter(|_| method.verb != Verb::List);
                method.body.iter().chain(answer).for_each(|name| add(name, method.presence));
            }
        }
        kinds.retain(|name, _| name.schema != STATUS);
        kinds
    }

    /// Whether a method answers with a Status.
    pub fn answers_status(&self) -> bool {
        let mut answers =
            self.resources.iter().flat_map(|resource| &resource.methods).filter_map(|it| it.answer.as_ref());
        answers.any(|answer| answer.schema == STATUS)
    }

    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(&self, group: &Group) -> String {
        api_version(&group.name, &self.name)
    }
}

impl Resource {
    /// The methods of one of its clients.
    pub fn methods_of(&self, area: Area) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.area == area)
    }

    /// The areas for which it has a client.
    pub fn areas(&self) -> Vec<Area> {
        [Area::Own, Area::AllNamespaces].into_iter().filter(|&area| self.methods_of(area).next().is_some()).collect()
    }

    /// The method for a verb on the resource itself.
    pub fn method(&self, area: Area, verb: Verb) -> Option<&Method> {
        self.methods_of(area).find(|method| method.verb == verb && method.subresource.is_none())
    }

    /// The client's type for an area: `Deployments` or `AllDeployments`.
    pub fn client(&self, area: Area) -> String {
        match area {
            Area::Own => self.names.client.clone(),
            Area::AllNamespaces => format!("All{}", self.names.client),
        }
    }

    /// The accessor for an area: `deployments` or `all_deployments`.
    pub fn accessor(&self, area: Area) -> String {
        match area {
            Area::Own => self.names.accessor.clone(),
            Area::AllNamespaces => format!("all_{}", self.names.accessor.trim_end_matches('_')),
        }
    }
}
