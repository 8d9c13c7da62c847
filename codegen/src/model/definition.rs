//! The resource of a definition: the operations that every server has for it, as if a spec described them.

use std::collections::BTreeMap;

use super::{
    Names, Resource, Scope, TypeName,
    at::At,
    draft::{ParsedPath, ResourceDraft},
};
use crate::{
    Error,
    crd::Operations,
    policy::Policy,
    spec::{Action, Answer, Body, Content, GroupVersionKind, Location, Method, Operation, Parameter, Schema},
};

/// A custom resource in one version.
pub(crate) struct ResourceOfDefinition<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) plural: &'a str,
    pub(crate) scope: Scope,
    /// What its clients are called.
    pub(crate) names: Names,
    /// The type of its objects.
    pub(crate) object: TypeName,
    /// The schema of its subresource `scale`, if it has one.
    pub(crate) scale: Option<&'a str>,
    pub(crate) has_status: bool,
    /// What of all this there is, if not all.
    pub(crate) operations: Option<&'a Operations>,
}

impl ResourceOfDefinition<'_> {
    /// The resource with the methods of its clients.
    pub(crate) fn build(&self, file: &str, location: &str) -> Result<Resource, Error> {
        let at = At::new(file, location);
        let policy = Policy::default();
        let mut draft = ResourceDraft::named(self.names.clone());
        for operation in self.operations() {
            if let Some(path) = ParsedPath::parse(&operation.path).filter(|path| self.has(path, &operation)) {
                draft.add(0, &at, &path, &operation, &policy)?;
            }
        }
        draft.finish(&at, self.plural.to_owned(), &policy, &[String::new()])
    }

    fn has(&self, path: &ParsedPath<'_>, operation: &Operation) -> bool {
        let subresource = path.subresource.clone().unwrap_or_default();
        let key = operation.action.map(|action| (subresource, action));
        self.operations.is_none_or(|all| key.is_some_and(|key| all.contains(&key)))
    }

    fn operations(&self) -> Vec<Operation> {
        let root = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        let everywhere = format!("{root}/{}", self.plural);
        let collection = match self.scope {
            Scope::Namespaced => format!("{root}/namespaces/{{namespace}}/{}", self.plural),
            Scope::Cluster => everywhere.clone(),
        };
        let own = &self.object.schema;
        let list = format!("{own}List");
        let mut operations = vec![
            self.operation(&collection, Action::List, &list),
            self.operation(&collection, Action::Post, own),
            self.operation(&collection, Action::DeleteCollection, own),
        ];
        if self.scope == Scope::Namespaced {
            operations.push(self.operation(&everywhere, Action::List, &list));
        }
        let object = format!("{collection}/{{name}}");
        operations.push(self.operation(&object, Action::Delete, own));
        let status = self.has_status.then(|| (format!("{object}/status"), own.as_str()));
        let scale = self.scale.map(|scale| (format!("{object}/scale"), scale));
        for (path, schema) in [Some((object, own.as_str())), status, scale].into_iter().flatten() {
            for action in [Action::Get, Action::Put, Action::Patch] {
                operations.push(self.operation(&path, action, schema));
            }
        }
        operations
    }

    fn operation(&self, path: &str, action: Action, schema: &str) -> Operation {
        let method = match action {
            Action::Post => Method::Post,
            Action::Put => Method::Put,
            Action::Patch => Method::Patch,
            Action::Delete | Action::DeleteCollection => Method::Delete,
            _ => Method::Get,
        };
        let content = |media_type: &str, reference: Option<&str>| Content {
            media_types: vec![media_type.to_owned()],
            schema: Some(Schema { reference: reference.map(str::to_owned), ..Schema::default() }),
        };
        let body = match action {
            Action::Post | Action::Put => Some(content("application/json", Some(schema))),
            Action::Patch => Some(content("application/apply-patch+yaml", None)),
            _ => None,
        };
        let watch = Parameter {
            name: "watch".to_owned(),
            location: Location::Query,
            required: false,
            schema: Schema::default(),
        };
        Operation {
            document: String::new(),
            path: path.to_owned(),
            method,
            id: format!("{method} {path}"),
            action: Some(action),
            kind: Some(GroupVersionKind {
                group: self.group.to_owned(),
                version: self.version.to_owned(),
                kind: self.kind.to_owned(),
            }),
            parameters: if action == Action::List { vec![watch] } else { Vec::new() },
            body: body.map(|content| Body { required: true, contents: vec![content] }),
            answers: BTreeMap::from([(200, Answer { contents: vec![content("application/json", Some(schema))] })]),
        }
    }
}
