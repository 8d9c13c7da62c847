//! The file of one resource: its clients.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{
    Source, docs,
    gate::Gate,
    method::{self, Types, marker},
};
use crate::model::{ApiVersion, Area, Group, Method, Model, Resource, Scope, Verb};

/// The file `src/<version>/<resource>.rs`.
pub(super) fn source(model: &Model, group: &Group, version: &ApiVersion, resource: &Resource, folder: &str) -> Source {
    let imported = resource.methods.iter().filter_map(|method| method.body.as_ref());
    let imported = imported.map(|body| body.module.as_slice()).collect();
    let types = Types { own: &resource.object.module, imported: &imported };
    let imports = imports(model, resource, types);
    let areas = resource.areas();
    let clients = areas.into_iter().map(|area| client(model, version, resource, area, types));
    Source {
        path: format!("{folder}/{}.rs", module(resource)),
        definition: format!("{} {}", version.api_version(group), resource.plural),
        docs: vec![format!("Clients of `{}` in `{}`.", resource.plural, version.api_version(group))],
        tokens: quote!(#imports #(#clients)*),
    }
}

/// The module of a resource's clients.
pub(super) fn module(resource: &Resource) -> &str {
    resource.names.accessor.trim_start_matches("r#")
}

/// The trait that a method without subresource implements, if there is one.
pub(super) fn verb_trait(resource: &Resource, method: &Method) -> Option<&'static str> {
    if method.subresource.is_some() {
        return None;
    }
    Some(match method.verb {
        Verb::Create if method.answer.as_ref() == Some(&resource.object) => "Creates",
        Verb::Get => "Gets",
        Verb::List => "Lists",
        Verb::Watch => "Watches",
        Verb::Update => "Updates",
        Verb::Patch => "Patches",
        Verb::Apply => "Applies",
        Verb::Delete => "Deletes",
        _ => return None,
    })
}

fn imports(model: &Model, resource: &Resource, types: Types<'_>) -> TokenStream {
    let mut by_gate: BTreeMap<Gate, BTreeSet<&str>> = BTreeMap::new();
    for method in &resource.methods {
        let names = by_gate.entry(Gate::new(model, resource.presence, method.presence)).or_default();
        names.extend(method::imports(method));
        names.extend(verb_trait(resource, method));
    }
    let mut open = by_gate.remove(&Gate::default()).unwrap_or_default();
    open.extend(["ResourceClient", "RestClient", "TypedClient"]);
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
        use k8s_client_runtime::generated::{#(#names),*};
    )
}

fn scope_type(resource: &Resource, area: Area) -> &'static str {
    match (resource.scope, area) {
        (Scope::Cluster, _) => "Cluster",
        (Scope::Namespaced, Area::Own) => "Namespaced",
        (Scope::Namespaced, Area::AllNamespaces) => "AllNamespaces",
    }
}

fn client(model: &Model, version: &ApiVersion, resource: &Resource, area: Area, types: Types<'_>) -> TokenStream {
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

    let mut gated: BTreeMap<Gate, Vec<&Method>> = BTreeMap::new();
    for method in resource.methods_of(area) {
        gated.entry(Gate::new(model, resource.presence, method.presence)).or_default().push(method);
    }
    let open = gated.remove(&Gate::default()).unwrap_or_default();
    let methods = open.iter().map(|method| method::declaration(resource, method, types));
    let traits = open.iter().filter_map(|method| implementation(resource, &name, method, types));
    let gated = gated.iter().map(|(gate, methods)| {
        let traits: Vec<_> = methods.iter().filter_map(|m| implementation(resource, &name, m, types)).collect();
        let methods = methods.iter().map(|method| method::declaration(resource, method, types));
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

fn implementation(
    resource: &Resource,
    client: &proc_macro2::Ident,
    method: &Method,
    types: Types<'_>,
) -> Option<TokenStream> {
    let verb_trait = format_ident!("{}", verb_trait(resource, method)?);
    let name = format_ident!("{}", method.name);
    let builder = format_ident!("{}", method::builder(method));
    let own = marker(&resource.object);
    let object = types.path(&resource.object);
    let (parameters, arguments) = match method.verb {
        Verb::Create | Verb::Update => (quote!(object: &#object), quote!(object)),
        Verb::Patch => (quote!(name: &str, patch: &Patch), quote!(name, patch)),
        Verb::Apply => (quote!(configuration: &impl Applicable<#own>), quote!(configuration)),
        Verb::List | Verb::Watch => (quote!(), quote!()),
        _ => (quote!(name: &str), quote!(name)),
    };
    Some(quote! {
        impl #verb_trait for #client {
            fn #name(&self, #parameters) -> #builder<#own> {
                self.0.#name(#arguments)
            }
        }
    })
}
