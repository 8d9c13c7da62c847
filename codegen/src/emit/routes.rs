//! The test of a group's crate: every method is called, and its request compared with the spec's route.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{Source, gate::Gate, names};
use crate::{
    model::{ApiVersion, Area, Group, Method, Model, Resource, Route, Scope, Verb},
    policy::Stream,
};

/// The file `tests/routes.rs`.
pub(super) fn source(model: &Model, group: &Group, folder: &str) -> Source {
    let library = format_ident!("{}", names::library(&group.crate_name));
    let modules = group.versions.iter().map(|version| {
        let (name, client) = (format_ident!("{}", version.name), format_ident!("{}", version.client));
        let feature = (!version.is_stable()).then(|| {
            let feature = &version.name;
            quote!(#[cfg(feature = #feature)])
        });
        let tests = version.resources.iter().map(|resource| {
            Gate::new(model, version.presence, resource.presence).items(test(model, version, resource))
        });
        Gate::absolute(model, version.presence).items(quote! {
            #feature
            #[allow(unused_imports, clippy::too_many_lines, reason = "it is as long as the API, and depends on its version")]
            mod #name {
                use #library::#name::#client;
                use super::{assert_route, configuration, named, patch, rest_client};
                #(#tests)*
            }
        })
    });
    Source {
        is_custom: false,
        path: format!("{folder}/tests/routes.rs"),
        definition: names::title(group).trim_start_matches("the ").to_owned(),
        docs: vec!["Every method makes the request that the spec has for it.".to_owned()],
        tokens: quote! {
            use k8s_client_runtime::{Config, RestClient, resource::Patch, rest::Request};
            use k8s_openapi::{Metadata, apimachinery::pkg::apis::meta::v1::ObjectMeta};
            #(#modules)*
            /// A client of a server that no request is sent to.
            #[allow(dead_code, reason = "what is used depends on features and on the Kubernetes version")]
            fn rest_client() -> RestClient {
                let config = Config::new("http://127.0.0.1:1").expect("the URL is valid");
                RestClient::new(&config).expect("no certificate is read")
            }
            /// An object whose name is `name`.
            #[allow(dead_code, reason = "what is used depends on features and on the Kubernetes version")]
            fn named<T: Default + Metadata<Ty = ObjectMeta>>() -> T {
                let mut object = T::default();
                object.metadata_mut().name = Some("name".to_owned());
                object
            }
            #[allow(dead_code, reason = "what is used depends on features and on the Kubernetes version")]
            fn patch() -> Patch {
                Patch::Merge(k8s_openapi::serde_json::Value::Null)
            }
            #[allow(dead_code, reason = "what is used depends on features and on the Kubernetes version")]
            fn configuration() -> k8s_openapi::serde_json::Value {
                k8s_openapi::serde_json::json!({ "metadata": { "name": "name" } })
            }
            #[allow(dead_code, reason = "what is used depends on features and on the Kubernetes version")]
            #[track_caller]
            fn assert_route(request: &Request, route: &str) {
                assert_eq!(format!("{} {}", request.method(), request.path_and_query()), route);
            }
        },
    }
}

fn test(model: &Model, version: &ApiVersion, resource: &Resource) -> TokenStream {
    let name = format_ident!("{}", resource.names.accessor);
    let client = format_ident!("{}", version.client);
    let calls = resource.areas().into_iter().map(|area| {
        let accessor = format_ident!("{}", resource.accessor(area));
        let argument = (resource.scope == Scope::Namespaced && area == Area::Own).then(|| quote!("ns"));
        let methods = resource.methods_of(area).filter(|method| method.verb != Verb::Modify);
        let calls = methods.map(|method| {
            Gate::new(model, resource.presence, method.presence).statements(assertions(&accessor, method))
        });
        quote! {
            let #accessor = client.#accessor(#argument);
            #(#calls)*
        }
    });
    quote! {
        #[test]
        fn #name() {
            let client = #client::new(&rest_client());
            #(#calls)*
        }
    }
}

/// One assertion for each route of the method.
fn assertions(client: &Ident, method: &Method) -> TokenStream {
    let name = format_ident!("{}", method.name);
    let arguments = match (method.verb, method.subresource.as_deref()) {
        (Verb::Create, None) | (Verb::Update, None | Some("status")) => quote!(&named()),
        (Verb::Create | Verb::Update, Some(_)) => quote!("name", &named()),
        (Verb::List | Verb::Watch | Verb::DeleteCollection, _) => quote!(),
        (Verb::Patch, _) => quote!("name", &patch()),
        (Verb::Apply, _) => quote!(&configuration()),
        (Verb::Get | Verb::Delete | Verb::Modify | Verb::Stream, _) => quote!("name"),
    };
    let routes = method.routes.iter().map(|Route { method: http, path }| {
        let options = method.stream.as_ref().map(|stream| stream_options(stream.stream, http, path));
        let path = path.replace("{namespace}", "ns").replace("{name}", "name").replace("{path}", "path");
        // The root of what is behind a proxy has a path, too: without it the server answers with a redirect.
        let path = if path.ends_with("/proxy") { format!("{path}/") } else { path };
        let query = match (method.verb, method.stream.as_ref().map(|stream| stream.stream)) {
            // The API wants to be told in every apply whether conflicts are overridden.
            (Verb::Apply, _) => "?force=false",
            // The server waits for the streams that are named here, and only for those.
            (_, Some(Stream::Exec | Stream::Attach)) => "?stderr=true&stdin=false&stdout=true&tty=false",
            _ => "",
        };
        let route = format!("{http} {path}{query}");
        quote!(assert_route(&#client.#name(#arguments)#options.into_request(), #route);)
    });
    quote!(#(#routes)*)
}

/// What a stream's builder is told for one of its routes.
fn stream_options(stream: Stream, http: &str, path: &str) -> TokenStream {
    if stream != Stream::Proxy {
        // WebSocket begins with GET, and SPDY with POST.
        return if http == "POST" { quote!(.spdy()) } else { quote!() };
    }
    let path = path.ends_with("{path}").then(|| quote!(.path("path")));
    quote!(.method(#http.parse().expect("a method")) #path)
}
