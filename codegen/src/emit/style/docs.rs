//! Sentences of generated documentation.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Area, Method, Resource, Scope, TypeName, Verb};

/// Lines as doc comments; an empty one is a blank line.
pub(in crate::emit) fn comment<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> TokenStream {
    let lines = lines.into_iter().map(|line| {
        let line = line.as_ref();
        if line.is_empty() { String::new() } else { format!(" {line}") }
    });
    quote!(#(#[doc = #lines])*)
}

/// Where a client of a resource looks.
pub(in crate::emit) fn place(resource: &Resource, area: Area) -> &'static str {
    match (resource.scope, area) {
        (Scope::Cluster, _) => "of the cluster",
        (Scope::Namespaced, Area::Own) => "of one namespace",
        (Scope::Namespaced, Area::AllNamespaces) => "of all namespaces",
    }
}

/// What a method does, where its options are described, and by which requests it is done.
pub(in crate::emit) fn method(
    resource: &Resource,
    method: &Method,
    builder: &str,
    link: impl Fn(&TypeName) -> String,
) -> Vec<String> {
    let kind = link(&resource.object);
    let mut lines = vec![sentence(resource, method, &kind, link), format!("[`{builder}`] has an example.")];
    match method.routes.as_slice() {
        _ if method.verb == Verb::Modify => {}
        [route] => lines.extend([String::new(), format!("`{} {}`", route.method, route.path)]),
        routes => {
            lines.push(String::new());
            lines.extend(routes.iter().map(|route| format!("- `{} {}`", route.method, route.path)));
        }
    }
    lines
}

fn sentence(resource: &Resource, method: &Method, kind: &str, link: impl Fn(&TypeName) -> String) -> String {
    let place = match (resource.scope, method.area) {
        (Scope::Namespaced, Area::Own) => "of the namespace",
        (_, area) => place(resource, area),
    };
    if let Some(stream) = &method.stream {
        return stream.docs.replace("{kind}", kind);
    }
    let Some(subresource) = &method.subresource else {
        let is_stored = resource.method(Area::Own, Verb::Get).is_some();
        return match method.verb {
            Verb::Create if is_stored => format!("Creates the given {kind}."),
            Verb::Create => format!("Sends the given {kind}, which the server acts on and does not store."),
            Verb::Get => format!("Reads the named {kind}."),
            Verb::List => format!("Lists every {kind} {place}."),
            Verb::Watch => format!("Follows the changes of every {kind} {place}."),
            Verb::Update => format!("Replaces the {kind} that has the given one's name."),
            Verb::Modify => {
                format!("Reads the named {kind}, changes it and writes it back, again when somebody else was faster.")
            }
            Verb::Patch => format!("Changes parts of the named {kind}."),
            Verb::Apply => {
                format!("Applies a configuration of a {kind}; the server creates what is not there.")
            }
            Verb::Delete => format!("Deletes the named {kind}."),
            Verb::DeleteCollection => format!("Deletes every {kind} {place}, or those that selectors choose."),
            Verb::Stream => unreachable!("streams are described above"),
        };
    };
    let other = method.answer.as_ref().filter(|answer| **answer != resource.object).map(&link);
    match (method.verb, other) {
        (Verb::Apply, None) => {
            format!("Applies a configuration of a {kind} through its subresource `{subresource}`.")
        }
        (Verb::Create, _) => {
            let body = method.body.as_ref().map_or_else(|| "request".to_owned(), link);
            format!("Posts the given {body} to the `{subresource}` of the named {kind}.")
        }
        (Verb::Get, Some(other)) => format!("Reads the {other} of the named {kind}."),
        (Verb::Update, Some(other)) => format!("Replaces the {other} of the named {kind}."),
        (Verb::Patch, Some(other)) => format!("Changes parts of the {other} of the named {kind}."),
        (Verb::Apply, Some(other)) => {
            format!("Applies a configuration of the {other} of a {kind}, which has its name.")
        }
        (Verb::Update, None) if subresource == "status" => {
            format!("Replaces the status of the {kind} that has the given one's name, and nothing else of it.")
        }
        (verb, _) => {
            let what = match verb {
                Verb::Get => "Reads",
                Verb::Update => "Replaces",
                Verb::Patch => "Changes parts of",
                _ => "Deletes",
            };
            format!("{what} the named {kind} through its subresource `{subresource}`.")
        }
    }
}
