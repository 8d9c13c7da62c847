//! The macros that generated structs and enums of custom resources are made with: a line a field.
//!
//! They read and write by tables of their fields, as apply configurations do: `apply` says why.

/// A struct of an object of the API, with serde's traits.
///
/// A field is written as for `record!`: `rust_name("apiName"): type`. Those under `required` are always there, the
/// others are `Option`s. Docs may stand above each. `keeps name` is for schemas that preserve unknown fields: they are
/// in the field of this name. All others are dropped, as the server does.
#[macro_export]
#[doc(hidden)]
macro_rules! structure {
    (
        $(#[$docs:meta])*
        $structure:ident $(is ($api_version:literal, $kind:literal))? $(keeps $unknown:ident)?
        $(required { $($(#[$required_docs:meta])* $required:ident($required_name:literal): $required_type:tt,)* })?
        $(optional { $($(#[$field_docs:meta])* $field:ident($name:literal): $type:tt,)* })?
    ) => {
        $(#[$docs])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $structure {
            $($(
                #[doc = concat!("`", $required_name, "`")]
                $(#[$required_docs])*
                pub $required: $crate::field_type!($required_type),
            )*)?
            $($(
                #[doc = concat!("`", $name, "`")]
                $(#[$field_docs])*
                pub $field: ::std::option::Option<$crate::field_type!($type)>,
            )*)?
            $(
                /// Fields that the schema does not name.
                pub $unknown: ::std::collections::BTreeMap<::std::string::String, $crate::apply::Value>,
            )?
        }

        impl $crate::apply::Record for $structure {
            fn visit_fields(&self, see: &mut dyn FnMut(&'static str, &dyn $crate::apply::Field)) {
                let fields: &[(&'static str, &dyn $crate::apply::Field)] = &[$($(($name, &self.$field),)*)?];
                for (name, field) in fields {
                    see(name, *field);
                }
            }

            fn field_named(&mut self, name: &str) -> Option<&mut dyn $crate::apply::Field> {
                match name {
                    $($($name => Some(&mut self.$field),)*)?
                    _ => None,
                }
            }

            fn visit_required(&self, see: &mut dyn FnMut(&'static str, &dyn $crate::apply::RequiredField)) {
                let fields: &[(&'static str, &dyn $crate::apply::RequiredField)] =
                    &[$($(($required_name, &self.$required),)*)?];
                for (name, field) in fields {
                    see(name, *field);
                }
            }

            fn required_named(&mut self, name: &str) -> Option<&mut dyn $crate::apply::RequiredField> {
                match name {
                    $($($required_name => Some(&mut self.$required),)*)?
                    _ => None,
                }
            }

            $crate::unknown_fields!($($unknown)?);

            fn record_shape() -> &'static $crate::apply::Shape {
                &$crate::apply::Shape::Atomic
            }

            $(
                fn record_identity(&self) -> Option<(&'static str, &'static str)> {
                    Some(($api_version, $kind))
                }
            )?
        }

        impl $crate::apply::Node for $structure {
            fn node_to_json(&self) -> $crate::apply::Value {
                $crate::apply::record_to_json(self)
            }

            fn node_from_json(value: $crate::apply::Value) -> Result<Self, $crate::apply::Problem> {
                let mut structure = <Self as Default>::default();
                $crate::apply::record_from_json(&mut structure, value)?;
                Ok(structure)
            }
        }

        impl $crate::k8s_openapi::serde::Serialize for $structure {
            fn serialize<S: $crate::k8s_openapi::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::apply::serialize(self, serializer)
            }
        }

        impl<'de> $crate::k8s_openapi::serde::Deserialize<'de> for $structure {
            fn deserialize<D: $crate::k8s_openapi::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::apply::deserialize(deserializer)
            }
        }
    };
}

/// What becomes of the fields that a struct does not name.
#[macro_export]
#[doc(hidden)]
macro_rules! unknown_fields {
    () => {
        fn unknown_fields_mut(&mut self) -> $crate::apply::Unknown<'_> {
            $crate::apply::Unknown::Dropped
        }
    };
    ($unknown:ident) => {
        $crate::keeps!($unknown);
    };
}

/// An enum of texts that stays open: a newer server may know values that the schema did not have.
#[macro_export]
#[doc(hidden)]
macro_rules! open_enum {
    ($(#[$docs:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// A value that the schema does not name. It is written as it was read.
            Other(::std::string::String),
        }

        impl $name {
            /// The value in the API.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    text => Self::Other(text.into()),
                }
            }
        }

        impl From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from(text.as_str())
            }
        }

        /// The empty text, which is most often none of the values: it is to be set.
        impl Default for $name {
            fn default() -> Self {
                Self::from("")
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::apply::Node for $name {
            fn node_to_json(&self) -> $crate::apply::Value {
                self.as_str().into()
            }

            fn node_from_json(value: $crate::apply::Value) -> Result<Self, $crate::apply::Problem> {
                <::std::string::String as $crate::apply::Node>::node_from_json(value).map(Self::from)
            }
        }

        impl $crate::k8s_openapi::serde::Serialize for $name {
            fn serialize<S: $crate::k8s_openapi::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::k8s_openapi::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::k8s_openapi::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::apply::deserialize(deserializer)
            }
        }
    };
}
