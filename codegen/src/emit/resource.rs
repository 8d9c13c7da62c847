//! The file of one resource: its clients.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{
    Source, docs,
    gate::Gate,
    method::{self, MethodSource, Types, marker},
};
use crate::{
    Error,
    model::{ApiVersion, Area, Group, Model, Resource, Scope},
};

/// The file `src/<version>/<resource>.rs`.
pub(super) fn source(
    model: &Model,
    group: &Group,
    version: &ApiVersion,
    resource: &Resource,
    folder: &str,
) -> Result<Source, Error> {
    let bodies = resource.methods.iter().filter_map(|method| method.body.as_ref());
    let modules = bodies.map(|body| body.module.as_slice()).collect();
    let types = Types { own: &resource.object.module, imported: &modules };
    let methods: Vec<_> = resource.methods.iter().map(|method| method::of(model, resource, method, types)).collect();
    let scopes = resource.areas().into_iter().map(|area| scope_type(resource, area));
    let mut imported = methods.iter().flat_map(|method| &method.imports).chain(&ALWAYS_IMPORTED).copied().chain(scopes);
    let clients: Vec<String> = resource.areas().into_iter().map(|area| resource.client(area)).collect();
    if let Some(client) = imported.find(|name| clients.iter().any(|client| client == *name)) {
        let message = format!("`{client}` is the name of a type of the runtime, which the client uses");
        return Err(Error::at(version.api_version(group), &resource.plural, message));
    }
    let imports = imports(resource, &methods, types);
    let areas = resource.areas();
    let clients = areas.into_iter().map(|area| client(version, resource, area, &methods, types));
    Ok(Source {
        path: format!("{folder}/{}.rs", resource.names.accessor),
        definition: format!("{} {}", version.api_version(group), resource.plural),
        docs: vec![format!("Clients of `{}` in `{}`.", resource.plural, version.api_version(group))],
        tokens: quote!(#imports #(#clients)*),
        is_custom: group.is_custom,
    })
}

/// Whether the file of a resource uses the runtime's type of this name, or another resource's may.
pub(crate) fn is_used_by_clients(name: &str) -> bool {
    ALWAYS_IMPORTED.contains(&name) || USED_BY_METHODS.contains(&name)
}

/// What methods use of the runtime.
const USED_BY_METHODS: [&str; 28] = [
    "AllNamespaces",
    "Applicable",
    "Applies",
    "Apply",
    "Attach",
    "Cluster",
    "Create",
    "Creates",
    "Delete",
    "DeleteCollection",
    "Deletes",
    "Exec",
    "Get",
    "Gets",
    "List",
    "Lists",
    "Logs",
    "Modify",
    "Namespaced",
    "Patch",
    "PatchRequest",
    "Patches",
    "PortForward",
    "ProxyRequest",
    "Update",
    "Updates",
    "Watch",
    "Watches",
];

/// What the clients of all resources use of the runtime.
const ALWAYS_IMPORTED: [&str; 3] = ["ResourceClient", "RestClient", "TypedClient"];

fn imports(resource: &Resource, methods: &[MethodSource<'_>], types: Types<'_>) -> TokenStream {
    let mut by_gate: BTreeMap<Gate, BTreeSet<&str>> = BTreeMap::new();
    for method in methods {
        by_gate.entry(method.gate.clone()).or_default().extend(&method.imports);
    }
    let mut open = by_gate.remove(&Gate::default()).unwrap_or_default();
    open.extend(ALWAYS_IMPORTED);
    open.extend(resource.areas().into_iter().map(|area| scope_type(resource, area)));
    // Names that only gated methods use come with their gate, or they would be unused without it.
    let gated: Vec<_> = by_gate
        .into_iter()
        .map(|(gate, names)| (gate, names.difference(&open).copied().collect::<BTreeSet<_>>()))
        .filter(|(_, names)| !names.is_empty())
        .map(|(gate, names)| gate.items(uses(names)))
        .collect();
    let open = uses(open);
    let types = types.imports();
    quote! {
        #open
        #types
        use super::kinds;
        #(#gated)*
    }
}

fn uses(names: BTreeSet<&str>) -> TokenStream {
    let names = names.into_iter().map(|name| format_ident!("{name}"));
    quote!(
        use k8s_client_runtime::codegen::{#(#names),*};
    )
}

fn scope_type(resource: &Resource, area: Area) -> &'static str {
    match (resource.scope, area) {
        (Scope::Cluster, _) => "Cluster",
        (Scope::Namespaced, Area::Own) => "Namespaced",
        (Scope::Namespaced, Area::AllNamespaces) => "AllNamespaces",
    }
}

fn client(
    version: &ApiVersion,
    resource: &Resource,
    area: Area,
    methods: &[MethodSource<'_>],
    types: Types<'_>,
) -> TokenStream {
    let name = format_ident!("{}", resource.client(area));
    let own = marker(&resource.object);
    let scope = format_ident!("{}", scope_type(resource, area));
    let (maker, accessor) = (&version.client, resource.accessor(area));
    let docs = docs::comment([
        format!("A client of every {} {}.", types.link(&resource.object), docs::place(resource, area)),
        String::new(),
        format!("[`{maker}::{accessor}`](super::{maker}::{accessor}) makes it."),
    ]);
    let new = match (resource.scope, area) {
        (Scope::Namespaced, Area::Own) => quote! {
            pub(super) fn new(client: &RestClient, namespace: &str) -> Self {
                Self(ResourceClient::namespaced(client, namespace))
            }
        },
        (Scope::Namespaced, Area::AllNamespaces) => quote! {
            pub(super) fn new(client: &RestClient) -> Self {
                Self(ResourceClient::all_namespaces(client))
            }
        },
        (Scope::Cluster, _) => quote! {
            pub(super) fn new(client: &RestClient) -> Self {
                Self(ResourceClient::cluster(client))
            }
        },
    };

    let mut by_gate: BTreeMap<&Gate, Vec<&MethodSource<'_>>> = BTreeMap::new();
    for method in methods.iter().filter(|method| method.area == area) {
        by_gate.entry(&method.gate).or_default().push(method);
    }
    let open = by_gate.remove(&Gate::default()).unwrap_or_default();
    let methods = open.iter().map(|method| &method.declaration);
    let traits = open.iter().filter_map(|method| method.implementation.as_ref());
    let gated = by_gate.iter().map(|(gate, methods)| {
        let traits = methods.iter().filter_map(|method| method.implementation.as_ref());
        let methods = methods.iter().map(|method| &method.declaration);
        gate.items(quote! { impl #name { #(#methods)* } #(#traits)* })
    });
    quote! {
        #docs
        #[derive(Clone, Debug)]
        pub struct #name(ResourceClient<#own, #scope>);
        impl #name {
            #new
            #(#methods)*
        }
        #(#gated)*
        impl TypedClient for #name {
            type Kind = #own;
        }
        #(#traits)*
    }
}
