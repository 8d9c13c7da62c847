//! A resource while the operations of all versions are gathered.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Area, Method, Names, Presence, Resource, Route, Scope, TypeName, Verb,
    at::At,
    names::{Refusal, check_group, check_resource, check_version},
};
use crate::{
    Error,
    policy::{Policy, StreamMethod},
    spec::{Action, Operation},
};

/// What a path says: everything but the verb.
pub(crate) struct ParsedPath<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) plural: &'a str,
    pub(crate) subresource: Option<String>,
    pub(crate) namespaced: bool,
    /// Whether it is one of the deprecated `/watch/` paths.
    pub(crate) watch: bool,
    /// Whether it names an object.
    named: bool,
}

impl<'a> ParsedPath<'a> {
    /// Refuses a path whose words cannot become names.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_group(self.group)?;
        check_version(self.version)?;
        check_resource("resource", self.plural, &[])?;
        match &self.subresource {
            Some(subresource) => check_resource("subresource", subresource, &['-', '/']),
            None => Ok(()),
        }
    }

    /// `None` for what is no resource's path: discovery, `/version` and the like.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/');
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let mut rest: Vec<&str> = parts.collect();
        let watch = rest.first() == Some(&"watch");
        if watch {
            rest.remove(0);
        }
        let namespaced = rest.len() > 2 && rest[..2] == ["namespaces", "{namespace}"];
        if namespaced {
            rest.drain(..2);
        }
        let (plural, rest) = rest.split_first()?;
        let named = rest.first() == Some(&"{name}");
        let mut rest = if named { &rest[1..] } else { rest };
        // The rest of a proxied path belongs to the same subresource.
        if let Some((last, before)) = rest.split_last()
            && last.starts_with('{')
        {
            rest = before;
        }
        let subresource = (!rest.is_empty()).then(|| rest.join("/"));
        Some(Self { group, version, plural, subresource, namespaced, watch, named })
    }
}

#[derive(Default)]
pub(super) struct ResourceDraft {
    /// What its clients are called, if not by the rules for Kubernetes' own.
    names: Option<Names>,
    in_versions: BTreeSet<usize>,
    /// The kinds that its operations name, and where first.
    kinds: BTreeMap<String, At>,
    /// Whether a path has it in namespaces.
    namespaced: bool,
    methods: BTreeMap<Key, MethodDraft>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Whether the path names a namespace.
    namespaced: bool,
    subresource: Option<String>,
    verb: Verb,
}

struct MethodDraft {
    in_versions: BTreeSet<usize>,
    body: Option<String>,
    answer: Option<String>,
    stream: Option<StreamMethod>,
    routes: BTreeSet<Route>,
    at: At,
}

impl ResourceDraft {
    /// A resource whose clients are called so.
    pub(super) fn named(names: Names) -> Self {
        Self { names: Some(names), ..Self::default() }
    }

    /// Adds an operation: another method, another route of one, or one that another version has too.
    pub(super) fn add(
        &mut self,
        version: usize,
        at: &At,
        path: &ParsedPath<'_>,
        operation: &Operation,
        policy: &Policy,
    ) -> Result<(), Error> {
        self.in_versions.insert(version);
        self.namespaced |= path.namespaced;
        let stream = path.subresource.as_deref().and_then(|subresource| policy.stream(subresource));
        if path.subresource.is_none() {
            let kind = operation.kind.as_ref().ok_or_else(|| at.error("has no x-kubernetes-group-version-kind"))?;
            self.kinds.entry(kind.kind.clone()).or_insert_with(|| at.clone());
        }
        for verb in verbs(at, path, operation, stream.is_some())? {
            let key = Key { namespaced: path.namespaced, subresource: path.subresource.clone(), verb };
            let method = MethodDraft::new(version, at.clone(), path, operation, verb, stream.clone())?;
            match self.methods.get_mut(&key) {
                Some(known) => known.join(method)?,
                None => drop(self.methods.insert(key, method)),
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        self,
        at: &At,
        plural: String,
        policy: &Policy,
        versions: &[String],
    ) -> Result<Resource, Error> {
        let mut kinds = self.kinds.iter();
        let Some((kind, first)) = kinds.next() else {
            return Err(at.error("only subresources have paths, so nothing names the kind; skip it in groups.toml"));
        };
        if let Some((other, second)) = kinds.next() {
            return Err(
                second.error(format!("two kinds of one plural: `{other}` here and `{kind}` at {}", first.location))
            );
        }
        let names = match self.names {
            Some(names) => names,
            None => Names::new(kind, &plural).map_err(|refusal| first.error(refusal))?,
        };
        let scope = if self.namespaced { Scope::Namespaced } else { Scope::Cluster };
        let methods = self.methods.into_iter().map(|(key, draft)| draft.finish(key, scope, policy, versions));
        let mut methods = methods.collect::<Result<Vec<Method>, Error>>()?;
        methods.extend(modify(&methods));
        // The order of documentation: the object, its status, the other subresources.
        methods.sort_by_key(|m| (m.area, m.subresource.as_ref().map(|s| (s != "status", s.clone())), m.verb));
        check_distinct(at, &methods)?;

        let own = |m: &&Method| m.subresource.is_none() && matches!(m.verb, Verb::Create | Verb::Get);
        let object = methods.iter().find(own).and_then(|m| m.body.clone().or_else(|| m.answer.clone()));
        let object = object.ok_or_else(|| at.error("neither get nor create names the object's type"))?;
        check_list(at, &methods, &object)?;
        Ok(Resource {
            names,
            kind: kind.clone(),
            presence: Presence::new(&self.in_versions, versions, at)?,
            object,
            plural,
            scope,
            methods,
            deprecated: None,
        })
    }
}

/// Subresources that differ in what cannot be in a name would have one method.
fn check_distinct(at: &At, methods: &[Method]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    match methods.iter().find(|method| !seen.insert((method.area, &method.name))) {
        Some(twice) => Err(at.error(format!("two methods would be called `{}`; name one in groups.toml", twice.name))),
        None => Ok(()),
    }
}

/// k8s-openapi has one type for all lists; it fits as long as they are named after their items.
fn check_list(at: &At, methods: &[Method], object: &TypeName) -> Result<(), Error> {
    let expected = format!("{}List", object.schema);
    let lists = methods.iter().filter(|method| method.verb == Verb::List).filter_map(|method| method.answer.as_ref());
    match lists.into_iter().find(|list| list.schema != expected) {
        Some(list) => Err(at.error(format!("the list is `{}`, not `{expected}`", list.schema))),
        None => Ok(()),
    }
}

/// The verbs that an operation stands for.
fn verbs(at: &At, path: &ParsedPath<'_>, operation: &Operation, is_stream: bool) -> Result<Vec<Verb>, Error> {
    let Some(action) = operation.action else {
        return Err(at.error("has no x-kubernetes-action, so nothing says what it does"));
    };
    if is_stream {
        return Ok(vec![Verb::Stream]);
    }
    let of_resources = [Action::List, Action::Watch, Action::WatchList, Action::Delete, Action::DeleteCollection];
    if path.subresource.is_some() && of_resources.contains(&action) {
        let message = format!("is a {} of a subresource, for which the generator has no form", action.as_str());
        return Err(at.error(&message));
    }
    Ok(match action {
        Action::Post => vec![Verb::Create],
        Action::Get => vec![Verb::Get],
        Action::List if operation.can_watch() => vec![Verb::List, Verb::Watch],
        Action::List => vec![Verb::List],
        // The deprecated path of one object is the collection's with a field selector.
        Action::Watch | Action::WatchList if path.named => Vec::new(),
        Action::Watch | Action::WatchList => vec![Verb::Watch],
        Action::Put => vec![Verb::Update],
        Action::Patch if operation.can_apply() => vec![Verb::Patch, Verb::Apply],
        Action::Patch => vec![Verb::Patch],
        Action::Delete => vec![Verb::Delete],
        Action::DeleteCollection => vec![Verb::DeleteCollection],
        Action::Connect => return Err(at.error("connects, but groups.toml has no [[stream]] for the subresource")),
    })
}

impl MethodDraft {
    fn new(
        version: usize,
        at: At,
        path: &ParsedPath<'_>,
        operation: &Operation,
        verb: Verb,
        stream: Option<StreamMethod>,
    ) -> Result<Self, Error> {
        let typed = stream.is_none() && !matches!(verb, Verb::Watch | Verb::Delete | Verb::DeleteCollection);
        let sends = matches!(verb, Verb::Create | Verb::Update);
        let body = operation.body.as_ref().and_then(|body| body.schema_name()).filter(|_| sends);
        if sends && body.is_none() {
            return Err(at.error("sends an object, but the body names no type"));
        }
        let answers: BTreeSet<&str> = operation.answers.values().filter_map(|answer| answer.schema_name()).collect();
        if answers.len() > 1 {
            return Err(at.error(format!("answers of one operation differ: {answers:?}")));
        }
        if typed && answers.is_empty() {
            return Err(at.error("no answer names a type; if it is a stream, say so in groups.toml"));
        }
        // A watch is the list's route with a parameter, never the deprecated path.
        let route = if path.watch { operation.path.replacen("/watch/", "/", 1) } else { operation.path.clone() };
        let route = if verb == Verb::Watch { format!("{route}?watch=true") } else { route };
        Ok(Self {
            in_versions: BTreeSet::from([version]),
            body: body.map(str::to_owned),
            answer: answers.first().filter(|_| typed).map(|answer| (*answer).to_owned()),
            stream,
            routes: BTreeSet::from([Route { method: operation.method.to_string(), path: route }]),
            at,
        })
    }

    fn join(&mut self, other: Self) -> Result<(), Error> {
        if (&self.body, &self.answer) != (&other.body, &other.answer) {
            return Err(other.at.error(format!(
                "the types {:?} → {:?} differ from {:?} → {:?} in {}",
                other.body, other.answer, self.body, self.answer, self.at.file
            )));
        }
        self.in_versions.extend(other.in_versions);
        self.routes.extend(other.routes);
        Ok(())
    }

    fn finish(self, key: Key, scope: Scope, policy: &Policy, versions: &[String]) -> Result<Method, Error> {
        let area = if scope == Scope::Cluster || key.namespaced { Area::Own } else { Area::AllNamespaces };
        if area == Area::AllNamespaces && !matches!(key.verb, Verb::List | Verb::Watch) {
            return Err(self.at.error("a namespaced resource's path without a namespace can only list and watch"));
        }
        let name = match (&self.stream, &key.subresource) {
            (Some(stream), _) => stream.name.clone(),
            (None, Some(subresource)) => policy.method(key.verb.word(), subresource),
            (None, None) => key.verb.word().to_owned(),
        };
        let type_name = |schema: Option<String>| {
            schema.map(|schema| TypeName::new(&schema).map_err(|refusal| self.at.error(refusal))).transpose()
        };
        Ok(Method {
            name,
            verb: key.verb,
            subresource: key.subresource,
            area,
            body: type_name(self.body)?,
            answer: type_name(self.answer)?,
            stream: self.stream,
            routes: self.routes.into_iter().collect(),
            presence: Presence::new(&self.in_versions, versions, &self.at)?,
        })
    }
}

/// The method that reads, changes and replaces: it exists where its two requests do.
fn modify(methods: &[Method]) -> Option<Method> {
    let own = |verb| methods.iter().find(|m| m.verb == verb && m.area == Area::Own && m.subresource.is_none());
    let (get, update) = (own(Verb::Get)?, own(Verb::Update)?);
    let mut routes = get.routes.clone();
    routes.extend(update.routes.iter().cloned());
    let presence = Presence {
        first: get.presence.first.max(update.presence.first),
        last: get.presence.last.min(update.presence.last),
    };
    Some(Method { name: "modify".to_owned(), verb: Verb::Modify, routes, presence, ..update.clone() })
}
