//! The macros that generated configurations are made with: a line a field.

/// A struct of optional fields with its setters, its table and serde's traits.
///
/// A field is written `rust_name("apiName"): type`, where the type is a name in scope, `[T]` for a list, `{T}` for a
/// map from strings or `(T)` for a boxed one. Behind it stands how it merges, where the type does not say that:
/// `atomic`, `set` or `keyed("name", "protocol" = "\"TCP\"")`, the fields that tell items apart and the defaults of
/// those that have one; `granular` is a record that merges by its fields although its type is atomic elsewhere.
/// `@ (34..=36)` are the only minor versions of Kubernetes that have the field. `old` are types and fields that the
/// newest version does not have, so that no link leads to them.
#[macro_export]
#[doc(hidden)]
macro_rules! record {
    ($record:ident of old $object:ident $($rest:tt)*) => {
        $crate::record! {
            @[concat!("The apply configuration of `", stringify!($object), "` of older versions of Kubernetes.")] [""]
            $record $($rest)*
        }
    };
    ($record:ident of $object:ident in $module:literal $($rest:tt)*) => {
        $crate::record! {
            @[concat!(
                "The apply configuration of [`", stringify!($object), "`](", $module, "::", stringify!($object), ")."
            )]
            [concat!($module, "::", stringify!($object))]
            $record $($rest)*
        }
    };
    (
        @[$docs:expr] [$object:expr]
        $record:ident $(is ($api_version:literal, $kind:literal))? $(merges $whole:ident)? $(keeps $unknown:ident)? {
            $($field:ident($name:literal): $type:tt $($merge:ident $(($($key:tt)*))?)? $(@ $versions:tt)?,)*
        }
        $(old {
            $(
                $old:ident($old_name:literal): $old_type:tt $($old_merge:ident $(($($old_key:tt)*))?)?
                $(@ $old_versions:tt)?,
            )*
        })?
    ) => {
        #[doc = $docs]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $record {
            $(
                #[doc = concat!("[`", $name, "`](", $object, "::", stringify!($field), ")")]
                pub $field: Option<$crate::field_type!($type)>,
            )*
            $($(
                #[doc = concat!("`", $old_name, "` of older versions of Kubernetes.")]
                pub $old: Option<$crate::field_type!($old_type)>,
            )*)?
            $(
                /// Fields that the schema does not name.
                pub $unknown: ::std::collections::BTreeMap<::std::string::String, $crate::apply::Value>,
            )?
        }

        impl $record {
            $($crate::setter!($field $name $type);)*
            $($($crate::setter!($old $old_name $old_type);)*)?
            $($crate::setter!(unknown $unknown);)?
        }

        impl $crate::apply::Record for $record {
            fn visit_fields(&self, see: &mut dyn FnMut(&'static str, &dyn $crate::apply::Field)) {
                let fields: &[(&'static str, &dyn $crate::apply::Field)] =
                    &[$(($name, &self.$field),)* $($(($old_name, &self.$old),)*)?];
                for (name, field) in fields {
                    see(name, *field);
                }
            }

            fn field_named(&mut self, name: &str) -> Option<&mut dyn $crate::apply::Field> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    $($($old_name => Some(&mut self.$old),)*)?
                    _ => None,
                }
            }

            fn record_shape() -> &'static $crate::apply::Shape {
                static SHAPE: $crate::apply::Shape = $crate::fields_shape!([$($unknown)?] &[
                    $(($name, $crate::field_shape!($(@ $versions)? $type $($merge $(($($key)*))?)?)),)*
                    $($((
                        $old_name,
                        $crate::field_shape!($(@ $old_versions)? $old_type $($old_merge $(($($old_key)*))?)?),
                    ),)*)?
                ]);
                &SHAPE
            }

            $($crate::keeps!($unknown);)?

            $(
                fn record_identity(&self) -> Option<(&'static str, &'static str)> {
                    Some(($api_version, $kind))
                }
            )?
        }

        impl $crate::apply::Node for $record {
            const SHAPE: $crate::apply::Shape = $crate::record_shape!($($whole)?);

            fn node_to_json(&self) -> $crate::apply::Value {
                $crate::apply::record_to_json(self)
            }

            fn node_from_json(value: $crate::apply::Value) -> Result<Self, $crate::apply::Problem> {
                let mut record = <Self as Default>::default();
                $crate::apply::record_from_json(&mut record, value)?;
                Ok(record)
            }
        }

        impl $crate::k8s_openapi::serde::Serialize for $record {
            fn serialize<S: $crate::k8s_openapi::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::apply::serialize(self, serializer)
            }
        }

        impl<'de> $crate::k8s_openapi::serde::Deserialize<'de> for $record {
            fn deserialize<D: $crate::k8s_openapi::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::apply::deserialize(deserializer)
            }
        }
    };
}

/// The methods of a record that keeps the fields that its type does not name.
#[macro_export]
#[doc(hidden)]
macro_rules! keeps {
    ($unknown:ident) => {
        fn unknown_fields(&self) -> Option<&::std::collections::BTreeMap<::std::string::String, $crate::apply::Value>> {
            Some(&self.$unknown)
        }

        fn unknown_fields_mut(&mut self) -> $crate::apply::Unknown<'_> {
            $crate::apply::Unknown::Kept(&mut self.$unknown)
        }
    };
}

/// How the fields of a record merge: without others, or with such as the schema does not name.
#[macro_export]
#[doc(hidden)]
macro_rules! fields_shape {
    ([] $fields:expr) => {
        $crate::apply::Shape::Record($fields)
    };
    ([$unknown:ident] $fields:expr) => {
        $crate::apply::Shape::OpenRecord($fields)
    };
}

/// The type of a field's value.
#[macro_export]
#[doc(hidden)]
macro_rules! field_type {
    ((null $type:tt)) => { Option<$crate::field_type!($type)> };
    ([$item:tt]) => { Vec<$crate::field_type!($item)> };
    ({$value:tt}) => { std::collections::BTreeMap<String, $crate::field_type!($value)> };
    (($boxed:tt)) => { Box<$crate::field_type!($boxed)> };
    ($type:ident) => { $type };
}

/// What the setter of a field takes: its type, or more where nothing converts into that.
#[macro_export]
#[doc(hidden)]
macro_rules! field_argument {
    (ByteString) => {
        $crate::apply::AsByteString
    };
    (IntOrString) => {
        $crate::apply::AsIntOrString
    };
    (Quantity) => {
        $crate::apply::AsQuantity
    };
    ((null $type:tt)) => {
        $crate::field_type!((null $type))
    };
    ($type:tt) => {
        $crate::field_type!($type)
    };
}

/// The setter of a field.
#[macro_export]
#[doc(hidden)]
macro_rules! setter {
    (unknown $unknown:ident) => {
        /// Sets these fields, which the schema does not name.
        pub fn $unknown(
            mut self,
            entries: impl IntoIterator<Item = (impl Into<::std::string::String>, impl Into<$crate::apply::Value>)>,
        ) -> Self {
            self.$unknown = entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            self
        }
    };
    ($field:ident $name:literal [$item:tt]) => {
        #[doc = concat!("Sets `", $name, "` to these items.")]
        pub fn $field(mut self, items: impl IntoIterator<Item = impl Into<$crate::field_argument!($item)>>) -> Self {
            self.$field = $crate::apply::list::<$crate::field_argument!($item), _>(items);
            self
        }
    };
    ($field:ident $name:literal {$value:tt}) => {
        #[doc = concat!("Sets `", $name, "` to these entries.")]
        pub fn $field(
            mut self,
            entries: impl IntoIterator<Item = (impl Into<String>, impl Into<$crate::field_argument!($value)>)>,
        ) -> Self {
            self.$field = $crate::apply::map::<$crate::field_argument!($value), _>(entries);
            self
        }
    };
    ($field:ident $name:literal bool) => { $crate::setter!(by_value $field $name bool); };
    ($field:ident $name:literal i32) => { $crate::setter!(by_value $field $name i32); };
    ($field:ident $name:literal i64) => { $crate::setter!(by_value $field $name i64); };
    ($field:ident $name:literal f64) => { $crate::setter!(by_value $field $name f64); };
    (by_value $field:ident $name:literal $type:ident) => {
        #[doc = concat!("Sets `", $name, "`.")]
        pub fn $field(mut self, value: $type) -> Self {
            self.$field = Some(value);
            self
        }
    };
    ($field:ident $name:literal $type:tt) => {
        #[doc = concat!("Sets `", $name, "`.")]
        pub fn $field(mut self, value: impl Into<$crate::field_argument!($type)>) -> Self {
            let value: $crate::field_argument!($type) = value.into();
            self.$field = Some(value.into());
            self
        }
    };
}

/// How a record merges: by its fields, or as a whole.
#[macro_export]
#[doc(hidden)]
macro_rules! record_shape {
    (atomic) => {
        $crate::apply::Shape::Atomic
    };
    () => {
        $crate::apply::Shape::Of(<Self as $crate::apply::Record>::record_shape)
    };
}

/// How a field merges.
#[macro_export]
#[doc(hidden)]
macro_rules! field_shape {
    (@ ($first:literal..) $($field:tt)*) => {
        $crate::apply::Shape::Only($first, u32::MAX, &$crate::field_shape!($($field)*))
    };
    (@ ($first:literal..=$last:literal) $($field:tt)*) => {
        $crate::apply::Shape::Only($first, $last, &$crate::field_shape!($($field)*))
    };
    ($type:tt granular) => { $crate::apply::Shape::Of(<$crate::field_type!($type) as $crate::apply::Record>::record_shape) };
    ($type:tt atomic) => { $crate::apply::Shape::Atomic };
    ($type:tt set) => { $crate::apply::Shape::Set };
    ([$item:tt] keyed($($key:literal $(= $default:literal)?),*)) => {
        $crate::apply::Shape::Keyed(
            &[$(($key, $crate::key_default!($($default)?))),*],
            &<$crate::field_type!($item) as $crate::apply::Node>::SHAPE,
        )
    };
    ($type:tt) => { <$crate::field_type!($type) as $crate::apply::Node>::SHAPE };
}

/// The default of a key.
#[macro_export]
#[doc(hidden)]
macro_rules! key_default {
    () => {
        None
    };
    ($default:literal) => {
        Some($default)
    };
}

/// What the configuration of an object, or of a template for objects, has beside its fields.
#[macro_export]
#[doc(hidden)]
macro_rules! object {
    ($object:ident namespaced $kind:literal) => {
        impl $object {
            #[doc = concat!("A configuration of the ", $kind, " of this name and namespace that sets nothing yet.")]
            pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> Self {
                let metadata = ObjectMetaApplyConfiguration::default().name(name).namespace(namespace);
                <Self as Default>::default().metadata(metadata)
            }
        }
        $crate::object!(common $object);
    };
    ($object:ident cluster $kind:literal) => {
        impl $object {
            #[doc = concat!("A configuration of the ", $kind, " of this name that sets nothing yet.")]
            pub fn new(name: impl Into<String>) -> Self {
                <Self as Default>::default().metadata(ObjectMetaApplyConfiguration::default().name(name))
            }
        }
        $crate::object!(common $object);
    };
    (template $record:ident) => {
        impl $record {
            /// Sets `metadata.labels` to these entries.
            pub fn labels(
                mut self,
                entries: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
            ) -> Self {
                self.metadata.get_or_insert_default().labels = $crate::apply::map::<String, _>(entries);
                self
            }

            /// Sets `metadata.annotations` to these entries.
            pub fn annotations(
                mut self,
                entries: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
            ) -> Self {
                self.metadata.get_or_insert_default().annotations = $crate::apply::map::<String, _>(entries);
                self
            }
        }
    };
    (common $object:ident) => {
        $crate::object!(template $object);

        impl $object {
            /// Sets `metadata.finalizers` to these items.
            pub fn finalizers(mut self, items: impl IntoIterator<Item = impl Into<String>>) -> Self {
                self.metadata.get_or_insert_default().finalizers = $crate::apply::list::<String, _>(items);
                self
            }

            /// Sets `metadata.ownerReferences` to these items.
            pub fn owner_references(
                mut self,
                items: impl IntoIterator<Item = impl Into<OwnerReferenceApplyConfiguration>>,
            ) -> Self {
                self.metadata.get_or_insert_default().owner_references =
                    $crate::apply::list::<OwnerReferenceApplyConfiguration, _>(items);
                self
            }

            /// Sets `metadata.ownerReferences` to this object, which was read, as the owner that controls this one.
            pub fn controller_reference(
                self,
                owner: &(impl $crate::k8s_openapi::Resource + $crate::object::AnyObject),
            ) -> Self {
                let owner = $crate::object::controller_reference(owner);
                self.owner_references([OwnerReferenceApplyConfiguration {
                    api_version: Some(owner.api_version),
                    kind: Some(owner.kind),
                    name: Some(owner.name),
                    uid: Some(owner.uid),
                    controller: owner.controller,
                    block_owner_deletion: owner.block_owner_deletion,
                }])
            }
        }

        impl $crate::apply::Configuration for $object {
            fn name(&self) -> Option<&str> {
                self.metadata.as_ref()?.name.as_deref()
            }

            fn namespace(&self) -> Option<&str> {
                self.metadata.as_ref()?.namespace.as_deref()
            }

            fn to_json(&self) -> $crate::codec::Result<$crate::apply::Value> {
                Ok($crate::apply::Node::node_to_json(self))
            }
        }
    };
}
