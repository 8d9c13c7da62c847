//! How values merge when several managers apply them.

/// How a value merges: what the schema's `x-kubernetes-list-type`, `-list-map-keys` and `-map-type` say.
///
/// What has no shape is atomic: it belongs to one manager as a whole.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// An object with a manager for each field. Fields that are not here are atomic.
    Record(&'static [(&'static str, Shape)]),
    /// An object of another type, which is looked up when it is needed since types may contain themselves.
    Of(fn() -> &'static Shape),
    /// A map with a manager for each entry.
    Map(&'static Shape),
    /// A list with a manager for each item, of which these fields are the key. A field that is missing in an item counts as
    /// its default.
    Keyed(&'static [(&'static str, Option<&'static str>)], &'static Shape),
    /// A list that is a set of scalars, each of which has its managers.
    Set,
    /// An object or list that belongs to one manager as a whole.
    Atomic,
    /// Anything: objects have a manager for each field, lists are atomic.
    Untyped,
}

impl Shape {
    /// The shape itself, with types looked up.
    pub(super) fn resolved(&self) -> &Self {
        match self {
            Self::Of(shape) => shape().resolved(),
            shape => shape,
        }
    }

    /// How a field or an entry of an object merges.
    pub(super) fn member(&self, name: &str) -> &Self {
        match self.resolved() {
            Self::Record(fields) => {
                fields.iter().find(|(field, _)| *field == name).map_or(&Self::Atomic, |(_, shape)| shape)
            }
            Self::Map(shape) => shape,
            Self::Untyped => &Self::Untyped,
            _ => &Self::Atomic,
        }
    }
}
