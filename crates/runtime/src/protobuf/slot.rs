//! Where a field's value goes. k8s-openapi's fields are values, options, boxes and lists, and which of them differs
//! between Kubernetes' versions; the tables of messages need not say it.

use std::collections::BTreeMap;

/// A place for one value.
pub trait Slot<T> {
    /// What is there.
    fn get(&self) -> Option<&T>;

    /// What is there, or an empty value that is there from now on.
    fn get_or(&mut self, empty: fn() -> T) -> &mut T;

    /// Puts a value there.
    fn put(&mut self, value: T);

    /// A new place: with nothing in it if that can be, or else with this value.
    fn new(empty: fn() -> T) -> Self;
}

impl<T> Slot<T> for T {
    fn get(&self) -> Option<&T> {
        Some(self)
    }

    fn get_or(&mut self, _: fn() -> T) -> &mut T {
        self
    }

    fn put(&mut self, value: T) {
        *self = value;
    }

    fn new(empty: fn() -> T) -> Self {
        empty()
    }
}

impl<T> Slot<T> for Option<T> {
    fn get(&self) -> Option<&T> {
        self.as_ref()
    }

    fn get_or(&mut self, empty: fn() -> T) -> &mut T {
        self.get_or_insert_with(empty)
    }

    fn put(&mut self, value: T) {
        *self = Some(value);
    }

    fn new(_: fn() -> T) -> Self {
        None
    }
}

impl<T> Slot<T> for Option<Box<T>> {
    fn get(&self) -> Option<&T> {
        self.as_deref()
    }

    fn get_or(&mut self, empty: fn() -> T) -> &mut T {
        self.get_or_insert_with(|| Box::new(empty()))
    }

    fn put(&mut self, value: T) {
        *self = Some(Box::new(value));
    }

    fn new(_: fn() -> T) -> Self {
        None
    }
}

/// A place for a list or a map, which is not there as long as nothing is in it.
pub trait Collection<C>: Default {
    /// What is there.
    fn get(&self) -> Option<&C>;

    /// What is there, or an empty one that is there from now on.
    fn get_or_empty(&mut self) -> &mut C;
}

macro_rules! collection {
    ($collection:ty) => {
        impl<T> Collection<$collection> for $collection {
            fn get(&self) -> Option<&$collection> {
                Some(self)
            }

            fn get_or_empty(&mut self) -> &mut $collection {
                self
            }
        }

        impl<T> Collection<$collection> for Option<$collection> {
            fn get(&self) -> Option<&$collection> {
                self.as_ref()
            }

            fn get_or_empty(&mut self) -> &mut $collection {
                self.get_or_insert_default()
            }
        }
    };
}

collection!(Vec<T>);
collection!(BTreeMap<String, T>);
