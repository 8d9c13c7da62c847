//! What only some Kubernetes versions have stands in k8s-openapi's `k8s_if_…!` macros.
//!
//! rustfmt leaves the inside of macro calls alone. So a gate is first written as a module, or as an `if` among
//! statements, which rustfmt formats; when that is done, [`restore`] makes the macro call of it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::model::{Model, Presence};

/// What the stand-ins' names begin with.
const STAND_IN: &str = "__k8s_if";

/// The macros around something that not all versions of what surrounds it have: outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::emit) struct Gate(Vec<String>);

impl Gate {
    /// The gate for `inner` where `outer` is given.
    pub(in crate::emit) fn new(model: &Model, outer: Presence, inner: Presence) -> Self {
        let version = |index: usize| model.versions[index].replace('.', "_");
        let (since, until) = (inner.first > outer.first, inner.last < outer.last);
        let mut macros = Vec::new();
        if since && until && inner.first == inner.last {
            macros.push(format!("_{}", version(inner.first)));
        } else {
            macros.extend(since.then(|| format!("_ge_{}", version(inner.first))));
            macros.extend(until.then(|| format!("_le_{}", version(inner.last))));
        }
        Self(macros)
    }

    /// The gate for what not every version has.
    pub(in crate::emit) fn absolute(model: &Model, presence: Presence) -> Self {
        Self::new(model, model.all_versions(), presence)
    }

    /// Whether nothing is gated.
    pub(in crate::emit) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// The macros' paths.
    pub(in crate::emit) fn macros(&self) -> impl DoubleEndedIterator<Item = String> {
        self.0.iter().map(|name| format!("k8s_openapi::k8s_if{name}!"))
    }

    /// Puts items into the gate.
    pub(in crate::emit) fn items(&self, items: TokenStream) -> TokenStream {
        self.0.iter().rev().fold(items, |inner, name| {
            let name = format_ident!("{STAND_IN}{name}");
            quote!(mod #name { #inner })
        })
    }

    /// Puts statements into the gate.
    pub(in crate::emit) fn statements(&self, statements: TokenStream) -> TokenStream {
        self.0.iter().rev().fold(statements, |inner, name| {
            let name = format_ident!("{STAND_IN}{name}");
            quote!(if #name { #inner })
        })
    }
}

/// Makes macro calls of the stand-ins in formatted text.
pub(in crate::emit) fn restore(line: &str) -> String {
    let trimmed = line.trim_start();
    let rest = trimmed.strip_prefix("mod ").or_else(|| trimmed.strip_prefix("if "));
    match rest.and_then(|rest| rest.strip_prefix(STAND_IN)) {
        Some(rest) => {
            let indent = &line[..line.len() - trimmed.len()];
            let name = rest.trim_end_matches(" {");
            format!("{indent}k8s_openapi::k8s_if{name}! {{")
        }
        None => line.to_owned(),
    }
}
