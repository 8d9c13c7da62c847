//! The sources of a group's crate, apart from its tests.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{
    Source, docs,
    gate::Gate,
    kinds,
    names::{self, title},
    resource,
};
use crate::{
    Error,
    model::{ApiVersion, Area, Group, Home, Model, Resource, Scope, Verb},
};

/// All files below `src`.
pub(super) fn sources(model: &Model, group: &Group, folder: &str) -> Result<Vec<Source>, Error> {
    let mut sources = vec![library(model, group, folder)];
    sources.extend(of_versions(model, group, folder)?);
    Ok(sources)
}

/// The files of the versions.
pub(super) fn of_versions(model: &Model, group: &Group, folder: &str) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for version in &group.versions {
        let folder = format!("{folder}/src/{}", version.module);
        sources.push(client(model, group, version, &folder));
        sources.push(kinds::source(model, group, version, &folder)?);
        for resource in &version.resources {
            sources.push(resource::source(model, group, version, resource, &folder)?);
        }
    }
    Ok(sources)
}

fn library(model: &Model, group: &Group, folder: &str) -> Source {
    let modules = group.versions.iter().map(|version| {
        let name = format_ident!("{}", version.name);
        let feature = (!version.is_stable()).then(|| {
            let feature = &version.name;
            quote!(#[cfg(feature = #feature)])
        });
        let shared = Home::new(group, version).is_shared(model);
        let gate = if shared { Gate::default() } else { Gate::absolute(model, version.presence) };
        gate.items(quote!(#feature pub mod #name;))
    });
    let neighbours = model.neighbours_of_group(group);
    let neighbours = neighbours.keys().map(|crate_name| {
        let (name, library) = (format_ident!("{crate_name}"), format_ident!("{}", names::library(crate_name)));
        quote!(pub use #library as #name;)
    });
    let api = (neighbours.len() > 0).then(|| {
        let docs = docs::comment(["The crates whose apply configurations those of this one contain."]);
        quote!(#docs pub mod api { #(#neighbours)* })
    });
    let readme = readme_tests(model, group);
    Source {
        is_custom: false,
        path: format!("{folder}/src/lib.rs"),
        definition: title(group).trim_start_matches("the ").to_owned(),
        docs: library_docs(model, group),
        tokens: quote!(#(#modules)* #api #readme),
    }
}

fn library_docs(model: &Model, group: &Group) -> Vec<String> {
    let mut docs = vec![format!("Clients of {} of Kubernetes.", title(group)), String::new()];
    docs.push("| version | client | in Kubernetes | feature |".to_owned());
    docs.push("|---|---|---|---|".to_owned());
    for version in &group.versions {
        let versions = model.since_until(version.presence);
        let feature = if version.is_stable() { String::new() } else { format!("`{}`", version.name) };
        docs.push(format!("| `{}` | `{}` | {versions} | {feature} |", version.name, version.client));
    }
    docs.push(String::new());
    docs.push(
        "The objects are k8s-openapi's types. Choose the Kubernetes version with a feature of this crate, of"
            .to_owned(),
    );
    docs.push(
        "k8s-openapi or of k8s-client: `latest`, or that of one version. What only some versions have says so."
            .to_owned(),
    );
    let applied = group.versions.iter().find(|version| model.configurations.contains_key(&Home::new(group, version)));
    if let Some(version) = applied {
        let feature =
            if version.is_stable() { String::new() } else { format!(" (with the feature `{}`)", version.name) };
        docs.push(String::new());
        docs.push(format!(
            "`{}::apply`{feature} and its like have the apply configurations: every type with all its fields optional.",
            version.name
        ));
        docs.push("They have the fields of every supported Kubernetes version, whichever is compiled in: they contain none of".to_owned());
        docs.push("k8s-openapi's objects, and a server refuses a field that it does not know.".to_owned());
    }
    docs.extend(example(model, group));
    docs
}

/// The version and the resource that can do most.
pub(super) fn best(group: &Group) -> Option<(&ApiVersion, &Resource)> {
    let candidates = group.versions.iter().flat_map(|version| version.resources.iter().map(move |r| (version, r)));
    candidates.reduce(|best, next| {
        let rank = |(version, resource): (&ApiVersion, &Resource)| {
            let range = resource.presence.last - resource.presence.first;
            (version.is_stable(), range, resource.presence.last, resource.methods.len())
        };
        if rank(next) > rank(best) { next } else { best }
    })
}

/// The lines of an example that has a `client`.
pub(super) fn calls(resource: &Resource) -> Vec<String> {
    let accessor = resource.accessor(Area::Own);
    let argument = if resource.scope == Scope::Namespaced { "\"default\"" } else { "" };
    let resources = format!("client.{accessor}({argument})");
    if resource.method(Area::Own, Verb::List).is_some() {
        vec![
            format!("let {accessor} = {resources};"),
            format!("for object in {accessor}.list().limit(500).await?.items {{"),
            "    println!(\"{}\", object.metadata.name.unwrap_or_default());".to_owned(),
            "}".to_owned(),
        ]
    } else {
        let object = format!("k8s_openapi::{}::{}", resource.object.module.join("::"), resource.object.name);
        vec![
            format!("let object = {object}::default(); // fill it in"),
            format!("let answer = {resources}.create(&object).await?;"),
        ]
    }
}

fn example(model: &Model, group: &Group) -> Vec<String> {
    let Some((version, resource)) = best(group) else { return Vec::new() };
    let gate: Vec<String> = Gate::absolute(model, resource.presence).macros().collect();
    let feature = format!("# #[cfg(feature = \"{}\")]", version.name);
    let mut docs = vec![String::new(), "```no_run".to_owned()];
    docs.extend(gate.iter().map(|name| format!("# {name} {{")));
    docs.extend((!version.is_stable()).then(|| feature.clone()));
    docs.push(format!("use {}::{}::{};", names::library(&group.crate_name), version.name, version.client));
    docs.extend((!version.is_stable()).then_some(feature));
    docs.push(
        "# async fn example(rest_client: &k8s_client_runtime::RestClient) -> k8s_client_runtime::Result<()> {"
            .to_owned(),
    );
    docs.push(format!("let client = {}::new(rest_client);", version.client));
    docs.extend(calls(resource));
    docs.push("# Ok(())".to_owned());
    docs.push("# }".to_owned());
    docs.extend(gate.iter().map(|_| "# }".to_owned()));
    docs.push("```".to_owned());
    docs
}

/// What compiles the examples of README.md as tests: with the versions and the feature that have what they name.
fn readme_tests(model: &Model, group: &Group) -> TokenStream {
    let Some((version, resource)) = best(group) else { return TokenStream::new() };
    let docs = docs::comment(["The examples of README.md, as tests."]);
    let feature = (!version.is_stable()).then(|| {
        let feature = &version.name;
        quote!(#[cfg(feature = #feature)])
    });
    Gate::absolute(model, resource.presence).items(quote! {
        #docs
        #[cfg(doctest)]
        #feature
        #[doc = include_str!("../README.md")]
        struct Readme;
    })
}

/// The file `src/<version>/mod.rs`: the version's client.
fn client(model: &Model, group: &Group, version: &ApiVersion, folder: &str) -> Source {
    let name = format_ident!("{}", version.client);
    let (mut open_modules, mut open_uses, mut gated) = (Vec::new(), Vec::new(), Vec::new());
    let (mut accessors, mut gated_accessors) = (Vec::new(), Vec::new());
    for resource in &version.resources {
        let gate = Gate::new(model, version.presence, resource.presence);
        let module = format_ident!("{}", resource.names.accessor);
        let clients = resource.areas().into_iter().map(|area| format_ident!("{}", resource.client(area)));
        let declaration = quote!(mod #module;);
        let export = quote!(pub use #module::{#(#clients),*};);
        let methods: Vec<TokenStream> = resource.areas().into_iter().map(|area| accessor(resource, area)).collect();
        if gate.is_open() {
            open_modules.push(declaration);
            open_uses.push(export);
            accessors.extend(methods);
        } else {
            gated.push(gate.items(quote!(#declaration #export)));
            gated_accessors.push(gate.items(quote!(impl #name { #(#methods)* })));
        }
    }
    let (api_version, home) = (version.api_version(group), Home::new(group, version));
    let docs = docs::comment([format!("The client of `{api_version}`: it makes those of the resources.")]);
    let new = docs::comment(["A client that sends its requests through this one."]);
    let rest_client = docs::comment(["The client that the requests go through."]);
    let applied = model.configurations.contains_key(&home).then(|| {
        quote!(
            pub mod apply;
        )
    });
    // Nobody takes the configurations of custom resources without their clients.
    let feature = (!group.is_custom).then(|| quote!(#[cfg(feature = "clients")]));
    let own = if group.is_custom {
        quote!(
            pub mod types;
        )
    } else {
        quote!(
            #[doc(hidden)]
            pub mod protobuf;
        )
    };
    let clients = quote! {
        #feature
        pub use self::clients::*;
        #feature
        #[path = "."]
        mod clients {
            use k8s_client_runtime::codegen::RestClient;
            pub mod kinds;
            #(#open_modules)*
            #(#open_uses)*
            #(#gated)*
            #docs
            #[derive(Clone, Debug)]
            pub struct #name(RestClient);
            impl #name {
                #new
                pub fn new(client: &RestClient) -> Self {
                    Self(client.clone())
                }
                #rest_client
                pub fn rest_client(&self) -> &RestClient {
                    &self.0
                }
                #(#accessors)*
            }
            #(#gated_accessors)*
        }
    };
    let gate = Gate::absolute(model, version.presence);
    let is_always_there = gate.is_open() || !home.is_shared(model);
    let (clients, docs) = if is_always_there {
        (clients, format!("Clients of `{api_version}`; [`{}`] makes them.", version.client))
    } else {
        // A link would lead nowhere with the other versions.
        (gate.items(clients), format!("Clients of `{api_version}`; `{}` makes them.", version.client))
    };
    Source {
        is_custom: group.is_custom,
        path: format!("{folder}/mod.rs"),
        definition: api_version.clone(),
        docs: vec![docs],
        tokens: quote!(#applied #own #clients),
    }
}

fn accessor(resource: &Resource, area: Area) -> TokenStream {
    let name = format_ident!("{}", resource.accessor(area));
    let client = format_ident!("{}", resource.client(area));
    let kind = &resource.kind;
    // What makes a client says so, once; what the generated code itself uses does not.
    let deprecated = resource.deprecated.as_ref().map(|note| quote!(#[deprecated = #note]));
    match (resource.scope, area) {
        (Scope::Namespaced, Area::Own) => {
            let docs = docs::comment([format!("A client of every `{kind}` of this namespace.")]);
            quote!(#docs #deprecated pub fn #name(&self, namespace: &str) -> #client { #client::new(&self.0, namespace) })
        }
        (_, area) => {
            let docs = docs::comment([format!("A client of every `{kind}` {}.", docs::place(resource, area))]);
            quote!(#docs #deprecated pub fn #name(&self) -> #client { #client::new(&self.0) })
        }
    }
}
