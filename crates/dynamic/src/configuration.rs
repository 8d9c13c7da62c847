//! Configurations to be applied to an object that is named apart from them.

use k8s_client_runtime::{
    apply::{Applicable, Configuration},
    codec,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Unstructured, number::with_integers, unstructured::deep};

/// A configuration with the name of the object that it is meant for.
pub(crate) struct Named<'a> {
    name: &'a str,
    /// Why there is none is told when the request is sent.
    object: Result<Unstructured, String>,
}

impl<'a> Named<'a> {
    /// Whatever serde writes as an object. A name is filled in, or must be the same.
    pub(crate) fn new(name: &'a str, configuration: &(impl Serialize + ?Sized)) -> Self {
        Self::of(name, serde_json::to_value(configuration).map_err(codec::Error::from))
    }

    fn of(name: &'a str, configuration: codec::Result<Value>) -> Self {
        let object = configuration.map_err(|error| error.to_string());
        let object = object.and_then(|value| Unstructured::try_from(value).map_err(|error| error.to_string()));
        let object = object.and_then(|mut object| match object.name() {
            Some(own) if own != name => Err(format!(".metadata.name: is {own:?}, but applied to {name:?}")),
            Some(_) => Ok(object),
            None => {
                object.set_name(name);
                Ok(object)
            }
        });
        Self { name, object }
    }
}

impl Configuration for Named<'_> {
    fn name(&self) -> Option<&str> {
        Some(self.name)
    }

    fn namespace(&self) -> Option<&str> {
        self.object.as_ref().ok()?.namespace()
    }

    fn to_json(&self) -> codec::Result<Value> {
        self.object.as_ref().map_err(codec::Error::custom).and_then(sent)
    }
}

#[diagnostic::do_not_recommend]
impl<K> Applicable<K> for Named<'_> {}

/// The server has no verb for a list of objects, which `kubectl apply -f` takes apart.
pub(crate) fn check_single(object: &Unstructured) -> Result<(), String> {
    match object.kind() {
        Some(kind) if kind.ends_with("List") && object.is_list() => {
            Err(format!(".kind: is {kind}, a list: send its items one by one (`Unstructured::into_list` has them)"))
        }
        _ => Ok(()),
    }
}

/// The object as it is sent.
fn sent(object: &Unstructured) -> codec::Result<Value> {
    check_single(object).map_err(codec::Error::custom)?;
    if deep::is_deep(object.object()) {
        let problem = format!(".: is nested more than {} levels deep, which cannot be applied", deep::SHALLOW);
        return Err(codec::Error::custom(problem));
    }
    Ok(with_integers(object).unwrap_or_else(|| object.clone()).into())
}

impl Configuration for Unstructured {
    fn name(&self) -> Option<&str> {
        self.name()
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace()
    }

    fn to_json(&self) -> codec::Result<Value> {
        sent(self)
    }
}

#[diagnostic::do_not_recommend]
impl<K> Applicable<K> for Unstructured {}
