//! How values merge when several managers apply them.

use super::generated::COMPILED_IN;

/// How a value merges: what the schema's `x-kubernetes-list-type`, `-list-map-keys` and `-map-type` say.
///
/// What has no shape is atomic: it belongs to one manager as a whole.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// An object with a manager for each field. There are no others.
    Record(&'static [(&'static str, Shape)]),
    /// The same, but with others that the schema does not name: each has a manager as [`Untyped`](Shape::Untyped).
    OpenRecord(&'static [(&'static str, Shape)]),
    /// An object of another type, which is looked up when it is needed since types may contain themselves.
    Of(fn() -> &'static Shape),
    /// A map with a manager for each entry.
    Map(&'static Shape),
    /// A list with a manager for each item, of which these fields are the key. A field that is missing in an item
    /// counts as its default.
    Keyed(&'static [(&'static str, Option<&'static str>)], &'static Shape),
    /// A list that is a set of scalars, each of which has its managers.
    Set,
    /// A scalar, or an object or list that belongs to one manager as a whole.
    Atomic,
    /// Anything: objects have a manager for each field, lists are atomic.
    Untyped,
    /// A field that only some minor versions of Kubernetes have, from the first to the last.
    Only(u32, u32, &'static Shape),
}

impl Shape {
    /// The shape itself, with types looked up.
    pub(super) fn resolved(&self) -> &Self {
        match self {
            Self::Of(shape) => shape().resolved(),
            Self::Only(_, _, shape) => shape.resolved(),
            shape => shape,
        }
    }

    /// How a field or an entry of an object merges; `None` of a field that there is none of.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match self.resolved() {
            Self::Record(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, shape)| shape),
            Self::OpenRecord(fields) => {
                let field = fields.iter().find(|(field, _)| *field == name);
                Some(field.map_or(&Self::Untyped, |(_, shape)| shape))
            }
            Self::Map(shape) => Some(shape),
            Self::Untyped => Some(&Self::Untyped),
            _ => Some(&Self::Atomic),
        }
    }

    /// Whether k8s-openapi's types of the Kubernetes version that was chosen have the field.
    pub(super) fn is_compiled_in(&self) -> bool {
        match self {
            Self::Only(first, last, _) => (*first..=*last).contains(&COMPILED_IN),
            _ => true,
        }
    }
}
