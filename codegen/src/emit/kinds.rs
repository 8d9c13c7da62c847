//! The file of a version's kinds: marker types that pin the code of serde to the group's crate.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Source, apply, docs, gate::Gate, method::Types};
use crate::{
    model::{ApiVersion, Area, Group, Method, Model, Presence, Resource, Scope, TypeName, Verb},
    spec::Error,
};

/// The answer of calls without an object of their own, for which the runtime has the kind.
const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

/// The file `src/<version>/kinds.rs`.
pub(super) fn source(model: &Model, group: &Group, version: &ApiVersion, folder: &str) -> Result<Source, Error> {
    let api_version = version.api_version(group);
    let path = format!("{folder}/kinds.rs");
    let mut used: BTreeMap<&TypeName, Presence> = BTreeMap::new();
    for resource in &version.resources {
        add(&mut used, &resource.object, resource.presence);
        for method in &resource.methods {
            let answer = method.answer.as_ref().filter(|_| method.verb != Verb::List);
            method.body.iter().chain(answer).for_each(|name| add(&mut used, name, method.presence));
        }
    }
    let mut names: Vec<&TypeName> = used.keys().copied().collect();
    names.sort_by_key(|name| &name.name);
    if let Some([a, b]) = names.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::at(path, "", format!("two types would have one marker: {} and {}", a.schema, b.schema)));
    }

    let applied: BTreeSet<&TypeName> = methods(version, Verb::Apply).filter_map(|m| m.answer.as_ref()).collect();
    let own = version.resources.first().map_or(&[][..], |resource| &resource.object.module);
    let status = names.iter().any(|name| name.schema == STATUS).then(|| {
        quote!(
            pub use k8s_client_runtime::generated::kinds::Status;
        )
    });
    names.retain(|name| name.schema != STATUS);
    let imported = names.iter().map(|name| name.module.as_slice()).collect();
    let types = Types { own, imported: &imported };
    let imports = types.imports();
    let kinds: Vec<TokenStream> = names
        .iter()
        .map(|name| {
            let resource = version.resources.iter().find(|resource| resource.object == **name);
            let gate = Gate::new(model, version.presence, used[*name]);
            let configuration = applied.contains(name).then(|| configuration(model, group, version, name));
            let kind = kind(group, version, name, resource, types);
            gate.items(quote!(#kind #configuration))
        })
        .collect();
    let resources = || version.resources.iter();
    let listable = resources().any(is_listable).then(|| quote!(Listable,));
    let own_applied = applied.iter().any(|object| {
        model.configuration(&object.schema).is_some_and(|(home, _)| *home == apply::home(group, &version.name))
    });
    let extract = own_applied.then(|| quote!(Extract,));
    let applicable = (!applied.is_empty()).then(|| quote!(Applicable,));
    let (kind, resource) =
        if resources().next().is_some() { (quote!(Kind,), quote!(ApiResource,)) } else { Default::default() };
    Ok(Source {
        path,
        definition: api_version.clone(),
        docs: vec![
            format!(
                "The kinds of `{api_version}`, as the runtime needs to know them: how their objects are written and read,"
            ),
            "and where the API has them.".to_owned(),
        ],
        tokens: quote! {
            use k8s_client_runtime::generated::{codec, #applicable #resource Codec, #extract #kind #listable};
            #imports
            #status
            #(#kinds)*
        },
    })
}

fn methods(version: &ApiVersion, verb: Verb) -> impl Iterator<Item = &Method> {
    version.resources.iter().flat_map(|resource| &resource.methods).filter(move |method| method.verb == verb)
}

/// What makes an apply configuration one of the kind.
fn configuration(model: &Model, group: &Group, version: &ApiVersion, object: &TypeName) -> TokenStream {
    let Some((home, _)) = model.configuration(&object.schema) else { return TokenStream::new() };
    let (marker, name) = (format_ident!("{}", object.name), format_ident!("{}", apply::name(&object.name)));
    if *home == apply::home(group, &version.name) {
        quote! {
            impl Applicable<#marker> for super::super::apply::#name {}
            impl Extract for super::super::apply::#name {
                type Kind = #marker;
            }
        }
    } else {
        let path: syn::Path = syn::parse_str(&apply::path(home)).expect("crate and module are identifiers");
        quote!(impl Applicable<#marker> for #path::#name {})
    }
}

fn add<'a>(used: &mut BTreeMap<&'a TypeName, Presence>, name: &'a TypeName, presence: Presence) {
    let known = used.entry(name).or_insert(presence);
    known.first = known.first.min(presence.first);
    known.last = known.last.max(presence.last);
}

fn is_listable(resource: &Resource) -> bool {
    resource.method(Area::Own, Verb::List).is_some()
}

fn kind(
    group: &Group,
    version: &ApiVersion,
    name: &TypeName,
    resource: Option<&Resource>,
    types: Types<'_>,
) -> TokenStream {
    let marker = format_ident!("{}", name.name);
    let object = types.path(name);
    let docs = docs::comment([format!("The kind of {}.", types.link(name))]);
    let kind = resource.map(|resource| {
        let (group, version, kind, plural) = (&group.name, &version.name, &resource.kind, &resource.plural);
        let scope = match resource.scope {
            Scope::Namespaced => quote!(k8s_openapi::NamespaceResourceScope),
            Scope::Cluster => quote!(k8s_openapi::ClusterResourceScope),
        };
        quote! {
            impl Kind for #marker {
                type Scope = #scope;
                const RESOURCE: ApiResource =
                    ApiResource { group: #group, version: #version, kind: #kind, plural: #plural };
            }
        }
    });
    let listable = resource.filter(|resource| is_listable(resource)).map(|_| {
        quote! {
            impl Listable for #marker {
                type List = k8s_openapi::List<Self::Object>;
                fn decode_list_json(body: &[u8]) -> codec::Result<Self::List> {
                    codec::from_json(body)
                }
            }
        }
    });
    quote! {
        #docs
        #[derive(Clone, Copy, Debug)]
        pub enum #marker {}
        impl Codec for #marker {
            type Object = #object;
            fn encode_json(object: &Self::Object) -> codec::Result<Vec<u8>> {
                codec::to_json(object)
            }
            fn decode_json(body: &[u8]) -> codec::Result<Self::Object> {
                codec::from_json(body)
            }
        }
        #kind
        #listable
    }
}
