//! The routes that the documentation of generated methods names.

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, Visibility};

use super::{Route, Routes};
use crate::{
    Error,
    emit::names,
    spec::{Files, Method, Version},
};

/// Collects the routes of all crates in `sources`, as they are built for `version` with all their features.
pub(super) fn routes(sources: &Files, version: Version) -> Result<Routes, Error> {
    let mut routes = Routes::new();
    for root in sources.keys() {
        if let Some(name) = root.strip_suffix("/src/lib.rs") {
            let mut walk = Walk { sources, version, routes: &mut routes };
            let module = Module { file: root, folder: format!("{name}/src"), path: names::library(name) };
            walk.file(&module)?;
        }
    }
    Ok(routes)
}

/// A module whose items are being read.
struct Module<'a> {
    file: &'a str,
    /// Where the files of its child modules lie.
    folder: String,
    /// What users call it. The modules of single resources are private, and their types re-exported by their parent.
    path: String,
}

struct Walk<'a> {
    sources: &'a Files,
    version: Version,
    routes: &'a mut Routes,
}

impl Walk<'_> {
    fn file(&mut self, module: &Module<'_>) -> Result<(), Error> {
        let text = self.sources.get(module.file).map(String::as_str).unwrap_or_default();
        let file = syn::parse_file(text).map_err(|error| wrong(module, &error))?;
        self.items(module, &file.items)
    }

    fn items(&mut self, module: &Module<'_>, items: &[Item]) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Mod(child) => self.child(module, child)?,
                Item::Impl(block) if block.trait_.is_none() => {
                    if let syn::Type::Path(of) = block.self_ty.as_ref()
                        && let Some(name) = of.path.segments.last()
                    {
                        self.methods(module, &format!("{}::{}", module.path, name.ident), &block.items)?;
                    }
                }
                Item::Macro(call) if self.enters(module, &call.mac)? => {
                    let inner: syn::File = call.mac.parse_body().map_err(|error| wrong(module, &error))?;
                    self.items(module, &inner.items)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn child(&mut self, parent: &Module<'_>, child: &syn::ItemMod) -> Result<(), Error> {
        if is_test(&child.attrs) {
            return Ok(());
        }
        let name = child.ident.to_string();
        let path = match child.vis {
            Visibility::Public(_) => format!("{}::{name}", parent.path),
            _ => parent.path.clone(),
        };
        // A private module for the sake of its `cfg` may have its files beside its parent's.
        let beside = child.attrs.iter().any(|attribute| attribute.path().is_ident("path"));
        let folder = if beside { parent.folder.clone() } else { format!("{}/{name}", parent.folder) };
        if let Some((_, items)) = &child.content {
            return self.items(&Module { file: parent.file, folder, path }, items);
        }
        let candidates = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
        let Some(file) = candidates.iter().find(|file| self.sources.contains_key(*file)) else {
            return Err(Error::file(parent.file, format!("the module `{name}` has no file `{folder}.rs`")));
        };
        self.file(&Module { file, folder, path })
    }

    fn methods(&mut self, module: &Module<'_>, of: &str, items: &[ImplItem]) -> Result<(), Error> {
        for item in items {
            match item {
                ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
                    for route in documented(&method.attrs) {
                        self.routes.entry(route).or_default().insert(format!("{of}::{}", method.sig.ident));
                    }
                }
                ImplItem::Macro(call) if self.enters(module, &call.mac)? => {
                    let tokens = &call.mac.tokens;
                    let block: syn::ItemImpl =
                        syn::parse2(quote::quote!(impl X { #tokens })).map_err(|error| wrong(module, &error))?;
                    self.methods(module, of, &block.items)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether what is inside a macro belongs to the version.
    fn enters(&self, module: &Module<'_>, call: &syn::Macro) -> Result<bool, Error> {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let Some(gate) = name.strip_prefix("k8s_if_") else {
            return Ok(false);
        };
        let gated = |digits: &str| {
            let (major, minor) = digits.split_once('_')?;
            Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        };
        let version = (self.version.major, self.version.minor);
        let inside = if let Some(first) = gate.strip_prefix("ge_") {
            gated(first).map(|first| version >= first)
        } else if let Some(last) = gate.strip_prefix("le_") {
            gated(last).map(|last| version <= last)
        } else {
            gated(gate).map(|only| version == only)
        };
        let unknown = || format!("the macro `{name}!` is not known; teach it to codegen::coverage");
        inside.ok_or_else(|| Error::file(module.file, unknown()))
    }
}

fn wrong(module: &Module<'_>, error: &syn::Error) -> Error {
    // In which line, the compiler says.
    Error::file(module.file, error.to_string())
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Reads the routes that stand in backticks in a doc comment.
fn documented(attributes: &[Attribute]) -> Vec<Route> {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    // Every second piece between backticks is inside of them.
    text.split('`').skip(1).step_by(2).filter_map(route).collect()
}

fn route(code: &str) -> Option<Route> {
    let (method, target) = code.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') || path.contains(char::is_whitespace) || method.chars().any(|c| !c.is_ascii_uppercase()) {
        return None;
    }
    Some(Route {
        path: path.to_owned(),
        method: Method::parse(&method.to_ascii_lowercase())?,
        watch: query.split('&').any(|pair| pair == "watch=true"),
    })
}
