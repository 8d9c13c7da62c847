//! The integration tests' sweep: every client, once for each verb trait that it has.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Source, gate::Gate, method::verb_trait, names};
use crate::model::{ApiVersion, Area, Group, Method, Model, Resource, Scope, Verb};

/// The file `tests/integration/tests/sweep/generated.rs`.
pub(super) fn source(model: &Model) -> Source {
    let versions = || model.groups.iter().flat_map(|group| group.versions.iter().map(move |version| (group, version)));
    let calls = versions().map(|(_, version)| {
        let name = format_ident!("{}", version.accessor);
        Gate::absolute(model, version.presence).statements(quote!(#name(clientset, namespace, visitor).await;))
    });
    let functions = versions().map(|(group, version)| {
        let (name, accessor) = (format_ident!("{}", version.accessor), format_ident!("{}", version.accessor));
        let clients = version.resources.iter().flat_map(|resource| {
            resource.areas().into_iter().map(move |area| {
                Gate::new(model, version.presence, resource.presence).statements(visits(group, version, resource, area))
            })
        });
        Gate::absolute(model, version.presence).items(quote! {
            #[allow(unused_variables, clippy::too_many_lines, reason = "it is as long as the API, and depends on its version")]
            async fn #name<V: Visitor>(clientset: &Clientset, namespace: &str, visitor: &mut V) {
                let client = clientset.#accessor();
                #(#clients)*
            }
        })
    });
    Source {
        is_custom: false,
        path: "tests/integration/tests/sweep/generated.rs".to_owned(),
        definition: "all API groups".to_owned(),
        docs: vec!["Goes through every client and every verb that it has.".to_owned()],
        tokens: quote! {
            use k8s_client::Clientset;
            use super::{Area, Resource, Visitor};
            /// Shows the visitor all clients, those of namespaced resources for this namespace and for all.
            pub(crate) async fn visit<V: Visitor>(clientset: &Clientset, namespace: &str, visitor: &mut V) {
                #(#calls)*
            }
            #(#functions)*
        },
    }
}

fn visits(group: &Group, version: &ApiVersion, resource: &Resource, area: Area) -> TokenStream {
    let accessor = format_ident!("{}", resource.accessor(area));
    let (argument, place) = match (resource.scope, area) {
        (Scope::Namespaced, Area::Own) => (quote!(namespace), quote!(Namespaced)),
        (Scope::Namespaced, Area::AllNamespaces) => (quote!(), quote!(AllNamespaces)),
        (Scope::Cluster, _) => (quote!(), quote!(Cluster)),
    };
    let (api_version, plural, kind) = (version.api_version(group), &resource.plural, &resource.kind);
    let has_trait = |method: &&Method| verb_trait(resource, method).is_some();
    let visits = resource.methods_of(area).filter(has_trait).map(|method| {
        let verb = format_ident!("{}", method.verb.word());
        let types = (method.verb == Verb::Apply).then(|| {
            let (group, version) = (format_ident!("{}", group.crate_name), format_ident!("{}", version.name));
            let configuration = format_ident!("{}", names::configuration(&resource.object.name));
            quote!(::<k8s_client::api::#group::#version::apply::#configuration, _>)
        });
        quote!(visitor.#verb #types (&resource, &client).await;)
    });
    let visits: Vec<TokenStream> = visits.collect();
    if visits.is_empty() {
        return TokenStream::new();
    }
    let collection = resource.method(area, Verb::DeleteCollection).is_some();
    quote! {
        {
            let resource = Resource {
                api_version: #api_version, plural: #plural, kind: #kind, area: Area::#place, deletes_collections: #collection,
            };
            let client = client.#accessor(#argument);
            #(#visits)*
        }
    }
}
