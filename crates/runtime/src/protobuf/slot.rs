//! Where a field's value goes. k8s-openapi's fields are values, options, boxes and lists, and which of them differs
//! between Kubernetes' versions; the tables of messages need not say it.
//!
//! One of the traits is there for every type. The names of the methods are such that nobody calls one by mistake and is
//! then advised to import a trait of this module.

use std::collections::BTreeMap;

/// A place for one value.
pub trait Slot<T> {
    /// What is there.
    fn slot_value(&self) -> Option<&T>;

    /// What is there, or an empty value that is there from now on.
    fn slot_value_or(&mut self, empty: fn() -> T) -> &mut T;

    /// Puts a value there.
    fn fill_slot(&mut self, value: T);

    /// A new place: with nothing in it if that can be, or else with this value.
    fn new_slot(empty: fn() -> T) -> Self;
}

impl<T> Slot<T> for T {
    fn slot_value(&self) -> Option<&T> {
        Some(self)
    }

    fn slot_value_or(&mut self, _: fn() -> T) -> &mut T {
        self
    }

    fn fill_slot(&mut self, value: T) {
        *self = value;
    }

    fn new_slot(empty: fn() -> T) -> Self {
        empty()
    }
}

impl<T> Slot<T> for Option<T> {
    fn slot_value(&self) -> Option<&T> {
        self.as_ref()
    }

    fn slot_value_or(&mut self, empty: fn() -> T) -> &mut T {
        self.get_or_insert_with(empty)
    }

    fn fill_slot(&mut self, value: T) {
        *self = Some(value);
    }

    fn new_slot(_: fn() -> T) -> Self {
        None
    }
}

impl<T> Slot<T> for Option<Box<T>> {
    fn slot_value(&self) -> Option<&T> {
        self.as_deref()
    }

    fn slot_value_or(&mut self, empty: fn() -> T) -> &mut T {
        self.get_or_insert_with(|| Box::new(empty()))
    }

    fn fill_slot(&mut self, value: T) {
        *self = Some(Box::new(value));
    }

    fn new_slot(_: fn() -> T) -> Self {
        None
    }
}

/// A place for a list or a map, which is not there as long as nothing is in it.
pub trait Collection<C>: Default {
    /// What is there.
    fn collected(&self) -> Option<&C>;

    /// What is there, or an empty one that is there from now on.
    fn collected_or_empty(&mut self) -> &mut C;
}

macro_rules! collection {
    ($collection:ty) => {
        impl<T> Collection<$collection> for $collection {
            fn collected(&self) -> Option<&$collection> {
                Some(self)
            }

            fn collected_or_empty(&mut self) -> &mut $collection {
                self
            }
        }

        impl<T> Collection<$collection> for Option<$collection> {
            fn collected(&self) -> Option<&$collection> {
                self.as_ref()
            }

            fn collected_or_empty(&mut self) -> &mut $collection {
                self.get_or_insert_default()
            }
        }
    };
}

collection!(Vec<T>);
collection!(BTreeMap<String, T>);
