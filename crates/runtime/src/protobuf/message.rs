//! What a message is: [`Message`], and [`Type`] for everything that a field can hold.

use std::collections::BTreeMap;

use super::{
    Error, Reader, Result, WireType, Writer,
    slot::{Collection, Slot},
};

/// How objects of one type travel as a protobuf message. [`message!`](crate::message) implements it from a table of
/// fields.
///
/// The functions are not generic, so that they are compiled once, in the crate that has the table.
pub trait Message: 'static {
    /// The type of the objects.
    type Object;

    /// The message's name, for errors.
    const NAME: &'static str;

    /// The numbers and names of the fields, for errors: those of all Kubernetes versions.
    const FIELDS: &'static [(u32, &'static str)] = &[];

    /// An object of which no field was read yet.
    fn empty() -> Self::Object;

    /// Makes an object ready that is there already, with its type's default, before fields are read into it.
    fn begin(object: &mut Self::Object) {
        let _ = object;
    }

    /// Reads one field into the object; one that is not known is passed over.
    fn read_field(object: &mut Self::Object, number: u32, wire: WireType, reader: &mut Reader<'_>) -> Result<()>;

    /// Writes all fields.
    fn write_fields(object: &Self::Object, writer: &mut Writer) -> Result<()>;
}

/// How the value of a field travels: a message or one of [`types`](super::types).
pub trait Type {
    /// The Rust type of the value.
    type Value;

    /// The value that stands for itself: zero.
    fn empty() -> Self::Value;

    /// Reads one value; nothing where what is there means that there is none.
    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<Self::Value>>;

    /// Reads a value into its place. A message that comes in parts is put together.
    fn read_into<S: Slot<Self::Value>>(slot: &mut S, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        if let Some(value) = Self::read(reader, wire)? {
            slot.fill_slot(value);
        }
        Ok(())
    }

    /// Reads a value of a list.
    fn read_item(list: &mut Vec<Self::Value>, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        list.extend(Self::read(reader, wire)?);
        Ok(())
    }

    /// Writes a value as a field of this number.
    fn write(value: &Self::Value, number: u32, writer: &mut Writer) -> Result<()>;
}

impl<M: Message> Type for M {
    type Value = M::Object;

    fn empty() -> M::Object {
        M::empty()
    }

    fn read(reader: &mut Reader<'_>, wire: WireType) -> Result<Option<M::Object>> {
        let mut object = M::empty();
        read_message::<M>(&mut object, reader.message(wire)?)?;
        Ok(Some(object))
    }

    fn read_into<S: Slot<M::Object>>(slot: &mut S, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        read_message::<M>(slot.slot_value_or(M::empty), reader.message(wire)?)
    }

    fn read_item(list: &mut Vec<M::Object>, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        let message = reader.message(wire)?;
        // Read where it is to stay: objects are large.
        list.push(M::empty());
        match list.last_mut() {
            Some(object) => read_message::<M>(object, message),
            None => Ok(()),
        }
    }

    fn write(value: &M::Object, number: u32, writer: &mut Writer) -> Result<()> {
        writer.message(number, |writer| M::write_fields(value, writer))
    }
}

/// Reads all fields that the reader has.
pub(super) fn read_message<M: Message>(object: &mut M::Object, mut reader: Reader<'_>) -> Result<()> {
    let failed = |error: Error, reader: &Reader<'_>, number| {
        let field = M::FIELDS.iter().find(|(field, _)| Some(*field) == number).map(|(_, name)| *name);
        error.at(reader.offset()).within(M::NAME, field)
    };
    M::begin(object);
    loop {
        match reader.field() {
            Ok(None) => return Ok(()),
            Ok(Some((number, wire))) => {
                M::read_field(object, number, wire, &mut reader)
                    .map_err(|error| failed(error, &reader, Some(number)))?;
            }
            Err(error) => return Err(failed(error, &reader, None)),
        }
    }
}

/// What the tables say of a field, for reading.
pub mod read {
    use super::{BTreeMap, Collection, Message, Reader, Result, Slot, Type, WireType, read_message};

    /// A value that is there if the message has it, zero or not.
    pub fn one<T: Type, S: Slot<T::Value>>(slot: &mut S, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        T::read_into(slot, reader, wire)
    }

    /// A value that messages always have and objects only if it is not zero: what JSON leaves out then.
    pub fn one_unless_zero<T: Type, S: Slot<T::Value>>(
        slot: &mut S,
        reader: &mut Reader<'_>,
        wire: WireType,
    ) -> Result<()>
    where
        T::Value: PartialEq,
    {
        match T::read(reader, wire)? {
            Some(value) if value != T::empty() => slot.fill_slot(value),
            _ => {}
        }
        Ok(())
    }

    /// A list, a field for each item.
    pub fn many<T: Type, S: Collection<Vec<T::Value>>>(
        list: &mut S,
        reader: &mut Reader<'_>,
        wire: WireType,
    ) -> Result<()> {
        let list = list.collected_or_empty();
        if list.capacity() == 0 {
            // Room for as many as there are: a list that grows has room for four at least, and objects are large. They
            // are counted once. An empty list may have been counted already: values that stand for nothing are not put
            // in.
            list.reserve_exact(reader.count_from_here(wire));
        }
        T::read_item(list, reader, wire)
    }

    /// A map, a field for each entry.
    pub fn map<T: Type, S: Collection<BTreeMap<String, T::Value>>>(
        map: &mut S,
        reader: &mut Reader<'_>,
        wire: WireType,
    ) -> Result<()> {
        let (mut key, mut value) = (String::new(), None);
        let mut entry = reader.message(wire)?;
        while let Some((number, wire)) = entry.field()? {
            match number {
                1 => super::super::types::Text::read_into(&mut key, &mut entry, wire)?,
                2 => value = T::read(&mut entry, wire)?,
                _ => entry.skip(wire)?,
            }
        }
        map.collected_or_empty().insert(key, value.unwrap_or_else(T::empty));
        Ok(())
    }

    /// A message whose fields are the object's own: a struct that Go embeds.
    pub fn embedded<M: Message>(object: &mut M::Object, reader: &mut Reader<'_>, wire: WireType) -> Result<()> {
        read_message::<M>(object, reader.message(wire)?)
    }
}

/// What the tables say of a field, for objects whose type has no default.
pub mod empty {
    use k8s_openapi::serde_json::{Map, Value};

    use super::{BTreeMap, Collection, Slot, Type};

    /// An object without fields.
    pub fn object() -> Value {
        Value::Object(Map::new())
    }

    /// Nothing, or a zero.
    pub fn one<T: Type, S: Slot<T::Value>>() -> S {
        S::new_slot(T::empty)
    }

    /// Nothing, or a zero.
    pub fn one_unless_zero<T: Type, S: Slot<T::Value>>() -> S {
        S::new_slot(T::empty)
    }

    /// No items.
    pub fn many<T: Type, S: Collection<Vec<T::Value>>>() -> S {
        S::default()
    }

    /// No entries.
    pub fn map<T: Type, S: Collection<BTreeMap<String, T::Value>>>() -> S {
        S::default()
    }
}

/// What the tables say of a field, for writing.
pub mod write {
    use super::{BTreeMap, Collection, Message, Result, Slot, Type, Writer};

    /// A value, if it is there.
    pub fn one<T: Type, S: Slot<T::Value>>(slot: &S, number: u32, writer: &mut Writer) -> Result<()> {
        slot.slot_value().map_or(Ok(()), |value| T::write(value, number, writer))
    }

    /// A value, if it is there.
    pub fn one_unless_zero<T: Type, S: Slot<T::Value>>(slot: &S, number: u32, writer: &mut Writer) -> Result<()> {
        one::<T, S>(slot, number, writer)
    }

    /// A list, a field for each item.
    pub fn many<T: Type, S: Collection<Vec<T::Value>>>(list: &S, number: u32, writer: &mut Writer) -> Result<()> {
        list.collected().into_iter().flatten().try_for_each(|value| T::write(value, number, writer))
    }

    /// A map, a field for each entry.
    pub fn map<T: Type, S: Collection<BTreeMap<String, T::Value>>>(
        map: &S,
        number: u32,
        writer: &mut Writer,
    ) -> Result<()> {
        map.collected().into_iter().flatten().try_for_each(|(key, value)| {
            writer.message(number, |writer| {
                writer.bytes(1, key.as_bytes());
                T::write(value, 2, writer)
            })
        })
    }

    /// A message whose fields are the object's own: a struct that Go embeds.
    pub fn embedded<M: Message>(object: &M::Object, number: u32, writer: &mut Writer) -> Result<()> {
        writer.message(number, |writer| M::write_fields(object, writer))
    }
}

/// Implements [`Message`](crate::protobuf::Message) from a table: each field's number, its name in Rust, how often it
/// occurs and what it holds.
///
/// | how often | |
/// |---|---|
/// | `one` | at most once; a zero is a value like any other |
/// | `one_unless_zero` | at most once; protobuf has zeros which JSON, and so the object, has not |
/// | `many` | a list |
/// | `map` | a map from text |
///
/// `embedded` fields are messages whose fields are the object's own. What only some Kubernetes versions have stands in
/// sections behind the macros of k8s-openapi that gate it.
///
/// ```
/// use k8s_client_runtime::{message, protobuf::types::Text};
///
/// #[derive(Default)]
/// pub struct Point { name: String, labels: Option<Vec<String>> }
///
/// message! {
///     pub PointMessage of Point {
///         1 name: one Text,
///         2 labels: many Text,
///     }
/// }
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! message {
    // k8s-openapi's types have no default where they have to have a time.
    (
        $visibility:vis $message:ident of $object:path, without default {
            $($number:literal $field:ident: $how:ident $type:ty,)*
        }
        $($rest:tt)*
    ) => {
        $crate::message! {
            @ $visibility $message of $object
            as {
                type Object = $object;
                Object { $($field: $crate::protobuf::empty::$how::<$type, _>(),)* }
            };
            { $($number $field: $how $type,)* }
            $($rest)*
        }
    };
    // What has no fields in the API so far is any JSON in k8s-openapi: an object at least, not its default, which is
    // null.
    ($visibility:vis $message:ident of $object:path, any object {}) => {
        $crate::message! {
            @ $visibility $message of $object
            as <$object>::from($crate::protobuf::empty::object());
            {}
            begin |object| *object = Self::empty(),
        }
    };
    (
        $visibility:vis $message:ident of $object:path {
            $($fields:tt)*
        }
        $($rest:tt)*
    ) => {
        $crate::message! {
            @ $visibility $message of $object
            as <$object>::default();
            { $($fields)* }
            $($rest)*
        }
    };
    (
        @ $visibility:vis $message:ident of $object:path
        as $empty:expr;
        {
            $($number:literal $field:ident: $how:ident $type:ty,)*
        }
        $(begin |$begun:ident| $begin:expr,)?
        $(embedded { $($embedded_number:literal $embedded:ty,)* })?
        $(if $($gate:ident)+ { $($gated_number:literal $gated_field:ident: $gated_how:ident $gated_type:ty,)* })*
    ) => {
        #[doc = concat!("[`", stringify!($object), "`] as a message.")]
        #[derive(Clone, Copy, Debug)]
        $visibility enum $message {}

        impl $crate::protobuf::Message for $message {
            type Object = $object;

            const NAME: &'static str = stringify!($message);

            const FIELDS: &'static [(u32, &'static str)] =
                &[$(($number, stringify!($field)),)* $($(($gated_number, stringify!($gated_field)),)*)*];

            fn empty() -> $object {
                $empty
            }

            $(fn begin($begun: &mut $object) {
                $begin;
            })?

            fn read_field(
                object: &mut $object,
                number: u32,
                wire: $crate::protobuf::WireType,
                reader: &mut $crate::protobuf::Reader<'_>,
            ) -> $crate::protobuf::Result<()> {
                #[allow(unused_imports)]
                use $crate::protobuf::read;
                match number {
                    $($number => read::$how::<$type, _>(&mut object.$field, reader, wire),)*
                    $($($embedded_number => read::embedded::<$embedded>(object, reader, wire),)*)?
                    _ => {
                        $($crate::gated! {
                            [$($gate)+]
                            $(if number == $gated_number {
                                return read::$gated_how::<$gated_type, _>(&mut object.$gated_field, reader, wire);
                            })*
                        })*
                        reader.skip(wire)
                    }
                }
            }

            fn write_fields(
                object: &$object,
                writer: &mut $crate::protobuf::Writer,
            ) -> $crate::protobuf::Result<()> {
                #[allow(unused_imports)]
                use $crate::protobuf::write;
                $(write::$how::<$type, _>(&object.$field, $number, writer)?;)*
                $($(write::embedded::<$embedded>(object, $embedded_number, writer)?;)*)?
                $($crate::gated! {
                    [$($gate)+]
                    $(write::$gated_how::<$gated_type, _>(&object.$gated_field, $gated_number, writer)?;)*
                })*
                let _ = (object, writer);
                Ok(())
            }
        }
    };
}

/// Statements that stand in macros of k8s-openapi, outermost first.
#[doc(hidden)]
#[macro_export]
#[doc(hidden)]
macro_rules! gated {
    ([$gate:ident $($inner:ident)+] $($statements:tt)*) => {
        $crate::k8s_openapi::$gate! { $crate::gated! { [$($inner)+] $($statements)* } }
    };
    ([$gate:ident] $($statements:tt)*) => {
        $crate::k8s_openapi::$gate! { $($statements)* }
    };
}
