//! The umbrella's list of groups: the clientset's methods and the re-exports.

use quote::{format_ident, quote};

use super::{Source, docs, gate::Gate, names};
use crate::model::{META_CRATE, Model};

/// The file `crates/clientset/src/generated.rs`.
pub(super) fn source(model: &Model) -> Source {
    let (mut accessors, mut gated) = (Vec::new(), Vec::new());
    for group in &model.groups {
        let module = format_ident!("{}", group.crate_name);
        for version in &group.versions {
            let (name, client) = (format_ident!("{}", version.accessor), format_ident!("{}", version.client));
            let feature = if version.is_stable() {
                group.crate_name.clone()
            } else {
                names::version_feature(group, &version.name)
            };
            let docs = docs::comment([
                format!("The client of `{}`.", version.api_version(group)),
                String::new(),
                needs(&feature),
            ]);
            let path = format_ident!("{}", version.name);
            let accessor = quote! {
                #docs
                #[cfg(feature = #feature)]
                pub fn #name(&self) -> api::#module::#path::#client {
                    api::#module::#path::#client::new(self.rest_client())
                }
            };
            let gate = Gate::absolute(model, version.presence);
            if gate.is_open() {
                accessors.push(accessor);
            } else {
                gated.push(gate.items(quote!(impl Clientset { #accessor })));
            }
        }
    }
    let exports = model.groups.iter().map(|group| {
        let (name, library) =
            (format_ident!("{}", group.crate_name), format_ident!("{}", names::library(&group.crate_name)));
        let feature = &group.crate_name;
        let docs = docs::comment([format!("Clients of {}.", names::title(group)), String::new(), needs(feature)]);
        quote!(#docs #[cfg(feature = #feature)] #[doc(inline)] pub use #library as #name;)
    });
    let meta_library = format_ident!("{}", names::library(META_CRATE));
    let meta = docs::comment(["Apply configurations of what all objects share."]);
    let docs = docs::comment(["The crates of the API groups."]);
    Source {
        is_custom: false,
        path: "crates/clientset/src/generated.rs".to_owned(),
        definition: "all API groups".to_owned(),
        docs: vec!["The API groups of the clientset.".to_owned()],
        tokens: quote! {
            use crate::Clientset;
            impl Clientset {
                #(#accessors)*
            }
            #(#gated)*
            #docs
            pub mod api {
                #meta
                #[doc(inline)]
                pub use #meta_library as meta;
                #(#exports)*
            }
        },
    }
}

/// What rustc cannot say where a feature is off: it finds no method.
fn needs(feature: &str) -> String {
    format!("Needs the feature `{feature}`.")
}
