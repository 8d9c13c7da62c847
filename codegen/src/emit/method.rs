//! The methods of a client: one line each, which hands over to the runtime.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{docs, gate::Gate};
use crate::model::{Area, Method, Model, Resource, TypeName, Verb, parameter};

/// How files call the types of k8s-openapi: `api` is the module of the resource's own kind.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    /// The module that is called `api`.
    pub own: &'a [String],
    /// The modules that the file imports; a documentation link alone is no reason to.
    pub imported: &'a BTreeSet<&'a [String]>,
}

impl Types<'_> {
    /// The alias of a type's module.
    pub(super) fn module(self, name: &TypeName) -> Ident {
        if name.module == self.own { format_ident!("api") } else { format_ident!("{}", alias(&name.module)) }
    }

    /// The type.
    pub(super) fn path(self, name: &TypeName) -> TokenStream {
        let (module, name) = (self.module(name), format_ident!("{}", name.name));
        quote!(#module::#name)
    }

    /// A documentation link to the type.
    pub(super) fn link(self, name: &TypeName) -> String {
        let module = if name.is_own() && !self.imported.contains(name.module.as_slice()) {
            "super::super::types".to_owned()
        } else if self.imported.contains(name.module.as_slice()) {
            self.module(name).to_string()
        } else {
            format!("k8s_openapi::{}", name.module.join("::"))
        };
        format!("[`{0}`]({module}::{0})", name.name)
    }

    /// The imports of these modules.
    pub(super) fn imports(self) -> TokenStream {
        let imports = self.imported.iter().map(|module| {
            let alias = format_ident!("{}", if *module == self.own { "api".to_owned() } else { alias(module) });
            let path = module.iter().map(|part| format_ident!("{part}"));
            let library = if is_own(module) { quote!(super::super) } else { quote!(k8s_openapi) };
            quote!(use #library::#(#path)::* as #alias;)
        });
        quote!(#(#imports)*)
    }
}

/// Whether it is the module of the types that the version has itself.
fn is_own(module: &[String]) -> bool {
    module.first().is_some_and(|first| first == "types")
}

/// How a foreign module is called: by its group and version, `autoscaling_v1`.
fn alias(module: &[String]) -> String {
    module[module.len().saturating_sub(2)..].join("_")
}

/// The code of one method of a client, made once.
pub(super) struct MethodSource<'a> {
    /// The client that has it.
    pub area: Area,
    /// What it is gated with, where its resource is given.
    pub gate: Gate,
    /// The names of the runtime that the code needs.
    pub imports: BTreeSet<&'a str>,
    /// The method, with documentation and body.
    pub declaration: TokenStream,
    /// The trait of the verb, implemented by the method.
    pub implementation: Option<TokenStream>,
}

/// The code of a method.
pub(super) fn of<'a>(model: &Model, resource: &Resource, method: &'a Method, types: Types<'_>) -> MethodSource<'a> {
    let builder = builder(method);
    let verb_trait = verb_trait(resource, method);
    let mut imports: BTreeSet<&str> = [builder].into_iter().chain(verb_trait).collect();
    imports.extend(match method.verb {
        Verb::Patch => Some("Patch"),
        Verb::Apply => Some("Applicable"),
        _ => None,
    });
    let builder = format_ident!("{builder}");
    MethodSource {
        area: method.area,
        gate: Gate::new(model, resource.presence, method.presence),
        imports,
        declaration: declaration(resource, method, &builder, types),
        implementation: verb_trait.map(|verb_trait| implementation(resource, method, verb_trait, &builder, types)),
    }
}

/// The runtime's type that a method returns.
fn builder(method: &Method) -> &str {
    match method.verb {
        Verb::Create => "Create",
        Verb::Get => "Get",
        Verb::List => "List",
        Verb::Watch => "Watch",
        Verb::Update => "Update",
        Verb::Modify => "Modify",
        Verb::Patch => "PatchRequest",
        Verb::Apply => "Apply",
        Verb::Delete => "Delete",
        Verb::DeleteCollection => "DeleteCollection",
        Verb::Stream => method.stream.as_ref().map_or("", |method| method.stream.builder()),
    }
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

/// The method's declaration with documentation and body.
fn declaration(resource: &Resource, method: &Method, builder: &Ident, types: Types<'_>) -> TokenStream {
    let docs = docs::comment(docs::method(resource, method, &builder.to_string(), |name| types.link(name)));
    let name = format_ident!("{}", method.name);
    let own = marker(&resource.object);
    let answer = method.answer.as_ref().map_or_else(|| own.clone(), marker);
    let object = method.body.as_ref().unwrap_or(&resource.object);
    let (object_marker, object_type) = (marker(object), types.path(object));
    let object = format_ident!("{}", parameter(&object.name));
    let differs = method.answer.as_ref() != Some(&resource.object);

    let (parameters, returns, call) = match (method.verb, method.subresource.as_deref()) {
        (Verb::Create, None) if differs => {
            (quote!(#object: &#object_type), quote!(#builder<#answer>), quote!(create_answering(#object)))
        }
        (Verb::Create | Verb::Update, None) => {
            (quote!(#object: &#object_type), quote!(#builder<#own>), quote!(#name(#object)))
        }
        (Verb::Update, Some("status")) => {
            (quote!(#object: &#object_type), quote!(#builder<#own>), quote!(update_status(#object)))
        }
        (Verb::Create, Some(subresource)) => (
            quote!(name: &str, #object: &#object_type),
            quote!(#builder<#answer>),
            quote!(create_subresource::<#object_marker, #answer>(name, #subresource, #object)),
        ),
        (Verb::Update, Some(subresource)) => (
            quote!(name: &str, #object: &#object_type),
            quote!(#builder<#answer>),
            quote!(update_subresource(name, #subresource, #object)),
        ),
        (Verb::Get, None) | (Verb::Delete, _) => (quote!(name: &str), quote!(#builder<#own>), quote!(#name(name))),
        (Verb::Get, Some(subresource)) => {
            (quote!(name: &str), quote!(#builder<#answer>), quote!(get_subresource(name, #subresource)))
        }
        (Verb::List | Verb::Watch | Verb::DeleteCollection, _) => (quote!(), quote!(#builder<#own>), quote!(#name())),
        (Verb::Patch, None) => (quote!(name: &str, patch: &Patch), quote!(#builder<#own>), quote!(patch(name, patch))),
        (Verb::Patch, Some(subresource)) => (
            quote!(name: &str, patch: &Patch),
            quote!(#builder<#answer>),
            quote!(patch_subresource(name, #subresource, patch)),
        ),
        (Verb::Apply, None) => (applicable(&own), quote!(#builder<#own>), quote!(apply(configuration))),
        (Verb::Apply, Some(subresource)) => {
            (applicable(&answer), quote!(#builder<#answer>), quote!(apply_subresource(#subresource, configuration)))
        }
        (Verb::Modify, _) => {
            return quote! {
                #docs
                pub fn #name<'f>(
                    &self,
                    name: &str,
                    change: impl FnMut(&mut #object_type) + Send + 'f,
                ) -> #builder<'f, #own> {
                    self.0.modify(name, change)
                }
            };
        }
        (Verb::Stream, _) => (quote!(name: &str), quote!(#builder), quote!(#name(name))),
    };
    quote! {
        #docs
        pub fn #name(&self, #parameters) -> #returns {
            self.0.#call
        }
    }
}

fn applicable(kind: &TokenStream) -> TokenStream {
    quote!(configuration: &impl Applicable<#kind>)
}

/// The trait of a verb, implemented by the method of the same name.
fn implementation(
    resource: &Resource,
    method: &Method,
    verb_trait: &str,
    builder: &Ident,
    types: Types<'_>,
) -> TokenStream {
    let (client, verb_trait) = (format_ident!("{}", resource.client(method.area)), format_ident!("{verb_trait}"));
    let name = format_ident!("{}", method.name);
    let own = marker(&resource.object);
    let object = types.path(&resource.object);
    let (parameters, arguments) = match method.verb {
        Verb::Create | Verb::Update => (quote!(object: &#object), quote!(object)),
        Verb::Patch => (quote!(name: &str, patch: &Patch), quote!(name, patch)),
        Verb::Apply => (applicable(&own), quote!(configuration)),
        Verb::List | Verb::Watch => (quote!(), quote!()),
        _ => (quote!(name: &str), quote!(name)),
    };
    quote! {
        #[diagnostic::do_not_recommend]
        impl #verb_trait for #client {
            fn #name(&self, #parameters) -> #builder<#own> {
                self.0.#name(#arguments)
            }
        }
    }
}

/// The marker type of an object type.
pub(super) fn marker(name: &TypeName) -> TokenStream {
    let name = format_ident!("{}", name.name);
    quote!(kinds::#name)
}
