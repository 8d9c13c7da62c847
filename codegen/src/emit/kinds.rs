//! The file of a version's kinds: marker types that pin the code of serde to the group's crate.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Source, docs, gate::Gate, method::Types, names};
use crate::{
    Error,
    model::{ApiVersion, Area, Group, Home, Method, Model, Presence, Resource, Scope, TypeName, Verb},
};

/// The file `src/<version>/kinds.rs`.
pub(super) fn source(model: &Model, group: &Group, version: &ApiVersion, folder: &str) -> Result<Source, Error> {
    let api_version = version.api_version(group);
    let path = format!("{folder}/kinds.rs");
    let used = version.kinds();
    let mut objects: Vec<&TypeName> = used.keys().copied().collect();
    objects.sort_by_key(|object| &object.name);
    if let Some([a, b]) = objects.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::at(path, "", format!("two types would have one marker: {} and {}", a.schema, b.schema)));
    }

    if let Some(name) = objects.iter().find(|object| USED.contains(&object.name.as_str())) {
        let message = format!("{} has the name of another type, which the kinds use", name.schema);
        return Err(Error::at(path, "", message));
    }

    let applied: BTreeSet<&TypeName> = methods(version, Verb::Apply).filter_map(|m| m.answer.as_ref()).collect();
    let own = version.resources.first().map_or(&[][..], |resource| &resource.object.module);
    let status = version.answers_status().then(|| {
        quote!(
            pub use k8s_client_runtime::codegen::kinds::Status;
        )
    });
    let imported = objects.iter().map(|object| object.module.as_slice()).collect();
    let types = Types { own, imported: &imported };
    let imports = types.imports();
    let kinds: Vec<TokenStream> = objects
        .iter()
        .map(|name| {
            let resource = version.resources.iter().find(|resource| resource.object == **name);
            let gate = Gate::new(model, version.presence, used[*name]);
            let configuration = applied.contains(name).then(|| configuration(model, group, version, name));
            let kind = kind(model, group, version, name, resource, types)?;
            let streams = resource.map(|resource| streams(model, used[*name], resource));
            Ok(gate.items(quote!(#kind #configuration #streams)))
        })
        .collect::<Result<_, Error>>()?;
    let resources = || version.resources.iter();
    let listable = resources().any(is_listable).then(|| quote!(Listable,));
    let own_applied = applied
        .iter()
        .any(|object| model.configuration(&object.schema).is_some_and(|(home, _)| *home == Home::new(group, version)));
    let extract = own_applied.then(|| quote!(Extract,));
    let applicable = (!applied.is_empty()).then(|| quote!(Applicable,));
    let has_streams = resources().flat_map(|resource| &resource.methods).any(|method| method.stream.is_some());
    let has_stream = has_streams.then(|| quote!(HasStream,));
    let (kind, resource) =
        if resources().next().is_some() { (quote!(Kind,), quote!(ApiResource,)) } else { Default::default() };
    let media_type = (!group.is_custom).then(|| quote!(MediaType));
    let protobuf = (!group.is_custom).then(|| {
        quote!(
            use super::super::protobuf;
        )
    });
    Ok(Source {
        path,
        is_custom: group.is_custom,
        definition: api_version.clone(),
        docs: vec![
            format!(
                "The kinds of `{api_version}`, as the runtime needs to know them: how their objects are written and read,"
            ),
            "and where the API has them.".to_owned(),
        ],
        tokens: quote! {
            #protobuf
            use k8s_client_runtime::codegen::{codec, #applicable #resource Codec, #extract #has_stream #kind #listable #media_type};
            #imports
            #status
            #(#kinds)*
        },
    })
}

/// Types that the files of kinds use by name.
const USED: [&str; 9] =
    ["ApiResource", "Applicable", "Codec", "Extract", "Kind", "Listable", "MediaType", "Status", "Vec"];

fn methods(version: &ApiVersion, verb: Verb) -> impl Iterator<Item = &Method> {
    version.resources.iter().flat_map(|resource| &resource.methods).filter(move |method| method.verb == verb)
}

/// What makes an apply configuration one of the kind.
fn configuration(model: &Model, group: &Group, version: &ApiVersion, object: &TypeName) -> TokenStream {
    let Some((home, _)) = model.configuration(&object.schema) else { return TokenStream::new() };
    let (marker, name) = (format_ident!("{}", object.name), format_ident!("{}", names::configuration(&object.name)));
    if *home == Home::new(group, version) {
        quote! {
            #[diagnostic::do_not_recommend]
            impl Applicable<#marker> for super::super::apply::#name {}
            impl Extract for super::super::apply::#name {
                type Kind = #marker;
            }
        }
    } else {
        let path: syn::Path = syn::parse_str(&names::apply_module(home)).expect("crate and module are identifiers");
        quote! {
            #[diagnostic::do_not_recommend]
            impl Applicable<#marker> for #path::#name {}
        }
    }
}

/// What the kind's objects have that is not an object.
fn streams(model: &Model, given: Presence, resource: &Resource) -> TokenStream {
    let marker = format_ident!("{}", resource.object.name);
    let streams = resource.methods.iter().filter_map(|method| {
        let builder = format_ident!("{}", method.stream.as_ref()?.stream.builder());
        let gate = Gate::new(model, given, method.presence);
        Some(gate.items(quote! {
            #[diagnostic::do_not_recommend]
            impl HasStream<k8s_client_runtime::codegen::#builder> for #marker {}
        }))
    });
    quote!(#(#streams)*)
}

fn is_listable(resource: &Resource) -> bool {
    resource.method(Area::Own, Verb::List).is_some()
}

fn kind(
    model: &Model,
    group: &Group,
    version: &ApiVersion,
    name: &TypeName,
    resource: Option<&Resource>,
    types: Types<'_>,
) -> Result<TokenStream, Error> {
    let marker = format_ident!("{}", name.name);
    let message = if group.is_custom { None } else { Some(message(model, &Home::new(group, version), name)?) };
    let object = types.path(name);
    let docs = docs::comment([format!("The kind of {}.", types.link(name))]);
    let kind = resource.map(|resource| {
        let (group, version, kind, plural) = (&group.name, &version.name, &resource.kind, &resource.plural);
        let scope = match resource.scope {
            Scope::Namespaced => quote!(k8s_openapi::NamespaceResourceScope),
            Scope::Cluster => quote!(k8s_openapi::ClusterResourceScope),
        };
        quote! {
            #[diagnostic::do_not_recommend]
            impl Kind for #marker {
                type Scope = #scope;
                const RESOURCE: ApiResource =
                    ApiResource { group: #group, version: #version, kind: #kind, plural: #plural };
            }
        }
    });
    let listable = resource.filter(|resource| is_listable(resource)).map(|_| {
        let protobuf = message.as_ref().map(|message| {
            quote! {
                fn decode_list_protobuf(body: &[u8]) -> codec::Result<Self::List> {
                    codec::list_from_protobuf::<#message>(body)
                }
                fn decode_item_protobuf(body: &[u8]) -> codec::Result<Self::Object> {
                    codec::item_from_protobuf::<#message>(body)
                }
            }
        });
        quote! {
            #[diagnostic::do_not_recommend]
            impl Listable for #marker {
                type List = k8s_openapi::List<Self::Object>;
                fn decode_list_json(body: &[u8]) -> codec::Result<Self::List> {
                    codec::from_json(body)
                }
                #protobuf
            }
        }
    });
    let accept = message.as_ref().map(|_| {
        quote!(
            const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;
        )
    });
    let protobuf = message.as_ref().map(|message| {
        quote! {
            fn encode_protobuf(object: &Self::Object) -> codec::Result<Vec<u8>> {
                codec::to_protobuf::<#message>(object)
            }
            fn decode_protobuf(body: &[u8]) -> codec::Result<Self::Object> {
                codec::from_protobuf::<#message>(body)
            }
        }
    });
    Ok(quote! {
        #docs
        #[derive(Clone, Copy, Debug)]
        pub enum #marker {}
        #[diagnostic::do_not_recommend]
        impl Codec for #marker {
            type Object = #object;
            #accept
            fn encode_json(object: &Self::Object) -> codec::Result<Vec<u8>> {
                codec::to_json(object)
            }
            fn decode_json(body: &[u8]) -> codec::Result<Self::Object> {
                codec::from_json(body)
            }
            #protobuf
        }
        #kind
        #listable
    })
}

/// The message of a kind's objects.
fn message(model: &Model, home: &Home, object: &TypeName) -> Result<syn::Path, Error> {
    let (other, _) =
        model.message(home, &object.schema).ok_or_else(|| Error::at(&object.schema, "", "the type has no message"))?;
    let module = if other == home { "protobuf".to_owned() } else { names::protobuf_module(other) };
    Ok(syn::parse_str(&format!("{module}::{}", object.name)).expect("crate, module and type are identifiers"))
}
