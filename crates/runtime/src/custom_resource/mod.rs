//! Types of a program's own, for the objects of custom resources.
//!
//! They are written by hand, with [`custom_resource!`](macro@crate::custom_resource), or generated of a definition, by
//! [k8s-client-generate](https://docs.rs/k8s-client-generate).

mod structure;
mod values;

use k8s_openapi::{
    ListableResource, Metadata,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::{
        CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionSpec,
        CustomResourceDefinitionVersion, CustomResourceSubresourceStatus, CustomResourceSubresources,
        CustomResourceValidation, JSONSchemaProps,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    serde::{Serialize, de::DeserializeOwned},
};

pub use self::values::{Int64OrString, Number, Timestamp};
use crate::schema::ResourceScope;

/// The type of a custom resource's objects: what [`custom_resource!`](macro@crate::custom_resource) makes of a struct.
pub trait CustomResource:
    ListableResource + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned + Send + 'static
{
    /// Whether the status is a subresource: then [`update_status`](crate::resource::ResourceClient::update_status) and
    /// [`apply_status`](crate::resource::ResourceClient::apply_status) change it, and nothing else does.
    const HAS_STATUS: bool;

    /// Whether the objects live in namespaces.
    const SCOPE: ResourceScope;

    /// The names that `kubectl` takes for the resource beside its plural.
    const SHORT_NAMES: &'static [&'static str] = &[];

    /// The groups of resources that it belongs to, such as `all`.
    const CATEGORIES: &'static [&'static str] = &[];

    /// The name of one object, if it is not the kind in small letters.
    const SINGULAR: Option<&'static str> = None;

    /// The definition that makes the server serve the resource, in this version alone.
    ///
    /// The schema is that of a whole object; the server drops fields that it does not name. Printer columns and the
    /// like can be set in what this returns.
    ///
    /// ```
    /// # use k8s_client_runtime::{CustomResource, custom_resource};
    /// # use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    /// # #[derive(serde::Deserialize, serde::Serialize)]
    /// # struct CronTab { metadata: ObjectMeta }
    /// # custom_resource!(CronTab, "stable.example.com/v1", "crontabs", Namespaced);
    /// # fn example() -> Result<(), serde_json::Error> {
    /// let schema = serde_json::from_value(serde_json::json!({
    ///     "type": "object",
    ///     "properties": {
    ///         "spec": { "type": "object", "properties": { "schedule": { "type": "string" } } },
    ///     },
    /// }))?;
    /// let definition = CronTab::definition(schema);
    /// assert_eq!(definition.metadata.name.as_deref(), Some("crontabs.stable.example.com"));
    /// # Ok(())
    /// # }
    /// # example().unwrap();
    /// ```
    fn definition(schema: JSONSchemaProps) -> CustomResourceDefinition {
        let status = || CustomResourceSubresourceStatus(serde_json::json!({}));
        let subresources = || CustomResourceSubresources { status: Some(status()), ..Default::default() };
        let version = CustomResourceDefinitionVersion {
            name: Self::VERSION.to_owned(),
            served: true,
            storage: true,
            schema: Some(CustomResourceValidation { open_api_v3_schema: Some(schema) }),
            subresources: Self::HAS_STATUS.then(subresources),
            ..Default::default()
        };
        let names = CustomResourceDefinitionNames {
            kind: Self::KIND.to_owned(),
            list_kind: Some(Self::LIST_KIND.to_owned()),
            plural: Self::URL_PATH_SEGMENT.to_owned(),
            singular: Some(Self::SINGULAR.map_or_else(|| Self::KIND.to_lowercase(), str::to_owned)),
            short_names: names(Self::SHORT_NAMES),
            categories: names(Self::CATEGORIES),
        };
        let scope = match Self::SCOPE {
            ResourceScope::Namespaced => "Namespaced",
            ResourceScope::Cluster => "Cluster",
        };
        CustomResourceDefinition {
            metadata: ObjectMeta {
                name: Some(format!("{}.{}", Self::URL_PATH_SEGMENT, Self::GROUP)),
                ..Default::default()
            },
            spec: CustomResourceDefinitionSpec {
                group: Self::GROUP.to_owned(),
                names,
                scope: scope.to_owned(),
                versions: vec![version],
                ..Default::default()
            },
            ..Default::default()
        }
    }
}

/// Names of a definition, which has no empty list of them.
fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect()).filter(|names: &Vec<String>| !names.is_empty())
}

/// Makes a struct the type of a custom resource's objects, so that a
/// [`ResourceClient`](crate::resource::ResourceClient) works with them.
///
/// The struct has a field `metadata` of type [`ObjectMeta`] and serde's traits. It needs no fields for `apiVersion` and
/// `kind`: they are filled in when an object is written, and an object of another kind is an error when it is read.
///
/// The macro is given the struct, the group and version, the plural name that URLs have, and the scope, `Namespaced` or
/// `Cluster`. Behind them may stand, in any order:
///
/// * `status`, if the definition has the subresource of that name;
/// * `kind = "…"`, if the kind is not called as the struct is;
/// * `list_kind = "…"`, if the kind of lists is not the kind with `List` behind it;
/// * `singular = "…"`, `short_names = ["…"]` and `categories = ["…"]`, as the definition has them;
/// * `apply = …`, a second struct that is [applied](crate::resource::ResourceClient::apply), if there is one. It has a
///   field `metadata`, too, and is `Serialize`; every other field is an `Option`, and `None` is not sent.
///
/// ```no_run
/// use k8s_client_runtime::{Error, RestClient, custom_resource, resource::ResourceClient};
/// use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Deserialize, Serialize)]
/// struct CronTab {
///     metadata: ObjectMeta,
///     spec: CronTabSpec,
///     status: Option<CronTabStatus>,
/// }
///
/// #[derive(Clone, Debug, Deserialize, Serialize)]
/// struct CronTabSpec {
///     schedule: String,
///     replicas: i32,
/// }
///
/// #[derive(Clone, Debug, Deserialize, Serialize)]
/// struct CronTabStatus {
///     replicas: i32,
/// }
///
/// /// What this program owns of a CronTab.
/// #[derive(Serialize)]
/// struct CronTabConfiguration {
///     metadata: ObjectMeta,
///     spec: CronTabSpecConfiguration,
/// }
///
/// #[derive(Default, Serialize)]
/// struct CronTabSpecConfiguration {
///     schedule: Option<String>,
///     replicas: Option<i32>,
/// }
///
/// custom_resource!(CronTab, "stable.example.com/v1", "crontabs", Namespaced, status, apply = CronTabConfiguration);
///
/// async fn example(client: RestClient) -> Result<(), Error> {
///     let crontabs = ResourceClient::<CronTab>::namespaced(&client, "default");
///
///     let name = || ObjectMeta { name: Some("nightly".to_owned()), ..ObjectMeta::default() };
///     let spec = CronTabSpec { schedule: "0 3 * * *".to_owned(), replicas: 1 };
///     let mut nightly = crontabs.create(&CronTab { metadata: name(), spec, status: None }).await?;
///
///     nightly.status = Some(CronTabStatus { replicas: 1 });
///     crontabs.update_status(&nightly).await?;
///
///     let spec = CronTabSpecConfiguration { replicas: Some(3), ..Default::default() };
///     let wanted = CronTabConfiguration { metadata: name(), spec };
///     crontabs.apply(&wanted).field_manager("scaler").force().await?;
///
///     for crontab in ResourceClient::<CronTab>::all_namespaces(&client).list().await?.items {
///         println!("{:?} runs at {}", crontab.metadata.name, crontab.spec.schedule);
///     }
///     Ok(())
/// }
/// ```
///
/// It implements k8s_openapi's `Resource`, `ListableResource` and `Metadata`, and [`CustomResource`], which makes the
/// definition. A type that implements the first three by itself works as well.
#[macro_export]
macro_rules! custom_resource {
    ($type:ident, $api_version:literal, $plural:literal, Namespaced $(, $option:ident $(= $value:tt)?)* $(,)?) => {
        $crate::custom_resource_part! {
            all of $type, $api_version, $plural, Namespaced, NamespaceResourceScope: $($option $(= $value)?,)*
        }
    };
    ($type:ident, $api_version:literal, $plural:literal, Cluster $(, $option:ident $(= $value:tt)?)* $(,)?) => {
        $crate::custom_resource_part! {
            all of $type, $api_version, $plural, Cluster, ClusterResourceScope: $($option $(= $value)?,)*
        }
    };
    ($($other:tt)*) => {
        compile_error!(
            "custom_resource! is called with (Type, \"GROUP/VERSION\", \"PLURAL\", Namespaced) or (…, Cluster), \
             and then `, status`, `, kind = \"Kind\"` or `, apply = Configuration`"
        );
    };
}

/// What [`custom_resource!`](macro@crate::custom_resource) consists of.
#[macro_export]
#[doc(hidden)]
macro_rules! custom_resource_part {
    (
        all of $type:ident, $api_version:literal, $plural:literal, $scope:ident, $scope_type:ident:
        $($option:ident $(= $value:tt)?,)*
    ) => {
        // Taken apart here, so that a wrong one is an error even where nobody asks for its parts.
        const _: (&str, &str) = $crate::custom_resource::group_and_version($api_version);

        impl $crate::k8s_openapi::Resource for $type {
            const API_VERSION: &'static str = $crate::custom_resource::api_version($api_version);
            const GROUP: &'static str = $crate::custom_resource::group_and_version($api_version).0;
            const KIND: &'static str = $crate::custom_resource_part!(kind of $type: $($option $(= $value)?,)*);
            const VERSION: &'static str = $crate::custom_resource::group_and_version($api_version).1;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = $crate::k8s_openapi::$scope_type;
        }

        impl $crate::k8s_openapi::ListableResource for $type {
            const LIST_KIND: &'static str =
                $crate::custom_resource_part!(list_kind of $type: $($option $(= $value)?,)*);
        }

        impl $crate::k8s_openapi::Metadata for $type {
            type Ty = $crate::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

            fn metadata(&self) -> &Self::Ty {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut Self::Ty {
                &mut self.metadata
            }
        }

        impl $crate::CustomResource for $type {
            const HAS_STATUS: bool = $crate::custom_resource_part!(status: $($option $(= $value)?,)*);
            const SCOPE: $crate::schema::ResourceScope = $crate::schema::ResourceScope::$scope;
            $($crate::custom_resource_part! { name of $type: $option $(= $value)? })*
        }

        $($crate::custom_resource_part! { item of $type: $option $(= $value)? })*
    };

    (kind of $type:ident: kind = $kind:literal, $($rest:tt)*) => { $kind };
    (kind of $type:ident: $option:ident $(= $value:tt)?, $($rest:tt)*) => {
        $crate::custom_resource_part!(kind of $type: $($rest)*)
    };
    (kind of $type:ident:) => { stringify!($type) };

    (list_kind of $type:ident: list_kind = $kind:literal, $($rest:tt)*) => { $kind };
    (list_kind of $type:ident: kind = $kind:literal, $($rest:tt)*) => {
        $crate::custom_resource_part!(list_kind of $type, $kind: $($rest)*)
    };
    (list_kind of $type:ident: $option:ident $(= $value:tt)?, $($rest:tt)*) => {
        $crate::custom_resource_part!(list_kind of $type: $($rest)*)
    };
    (list_kind of $type:ident:) => { concat!(stringify!($type), "List") };
    (list_kind of $type:ident, $of_kind:literal: list_kind = $kind:literal, $($rest:tt)*) => { $kind };
    (list_kind of $type:ident, $of_kind:literal: $option:ident $(= $value:tt)?, $($rest:tt)*) => {
        $crate::custom_resource_part!(list_kind of $type, $of_kind: $($rest)*)
    };
    (list_kind of $type:ident, $of_kind:literal:) => { concat!($of_kind, "List") };

    (name of $type:ident: singular = $name:literal) => {
        const SINGULAR: Option<&'static str> = Some($name);
    };
    (name of $type:ident: short_names = [$($name:literal),* $(,)?]) => {
        const SHORT_NAMES: &'static [&'static str] = &[$($name),*];
    };
    (name of $type:ident: categories = [$($name:literal),* $(,)?]) => {
        const CATEGORIES: &'static [&'static str] = &[$($name),*];
    };
    (name of $type:ident: $($other:tt)*) => {};

    (status: status, $($rest:tt)*) => { true };
    (status: $option:ident $(= $value:tt)?, $($rest:tt)*) => { $crate::custom_resource_part!(status: $($rest)*) };
    (status:) => { false };

    (item of $type:ident: status) => {};
    (item of $type:ident: kind = $kind:literal) => {};
    (item of $type:ident: list_kind = $kind:literal) => {};
    (item of $type:ident: singular = $name:literal) => {};
    (item of $type:ident: short_names = [$($name:literal),* $(,)?]) => {};
    (item of $type:ident: categories = [$($name:literal),* $(,)?]) => {};
    (item of $type:ident: apply = $configuration:ident) => {
        impl $crate::apply::Configuration for $configuration {
            fn name(&self) -> Option<&str> {
                self.metadata.name.as_deref()
            }

            fn namespace(&self) -> Option<&str> {
                self.metadata.namespace.as_deref()
            }

            fn to_json(&self) -> $crate::codec::Result<$crate::apply::Value> {
                $crate::apply::without_unset::<$type>(self)
            }
        }

        impl $crate::apply::Applicable<$type> for $configuration {}
    };
    (item of $type:ident: $($other:tt)*) => {
        compile_error!(
            "custom_resource!: an option is `status`, `kind = \"Kind\"`, `list_kind = \"KindList\"`, `singular = \"name\"`, \
             `short_names = [\"name\"]`, `categories = [\"name\"]` or `apply = Configuration`"
        );
    };
}

/// The parts of an `apiVersion`, taken apart when a program is compiled.
#[doc(hidden)]
pub const fn group_and_version(api_version: &'static str) -> (&'static str, &'static str) {
    let bytes = api_version.as_bytes();
    // Generated code writes the core group with the slash, though it has no name: nobody else may forget theirs.
    let mut at = if api_version.len() > 2 && bytes[0] == b'/' { 0 } else { 1 };
    while at + 1 < bytes.len() {
        if bytes[at] == b'/' {
            let (group, rest) = api_version.split_at(at);
            return (group, rest.split_at(1).1);
        }
        at += 1;
    }
    panic!("custom_resource!: the second argument is GROUP/VERSION, such as \"stable.example.com/v1\"")
}

/// The `apiVersion` as objects have it.
#[doc(hidden)]
pub const fn api_version(written: &'static str) -> &'static str {
    let (group, version) = group_and_version(written);
    if group.is_empty() { version } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::{Resource, apimachinery::pkg::apis::meta::v1::ObjectMeta};
    use serde::{Deserialize, Serialize};

    #[derive(Deserialize, Serialize)]
    struct Tab {
        metadata: ObjectMeta,
    }

    #[derive(Deserialize, Serialize)]
    struct Zone {
        metadata: ObjectMeta,
    }

    custom_resource!(Tab, "stable.example.com/v1beta1", "crontabs", Namespaced, kind = "CronTab", status);
    custom_resource!(Zone, "example.com/v1", "zones", Cluster);

    #[derive(Deserialize, Serialize)]
    struct Data {
        metadata: ObjectMeta,
    }

    custom_resource!(
        Data,
        "example.com/v1",
        "data",
        Cluster,
        kind = "Datum",
        list_kind = "Data",
        singular = "datum",
        short_names = ["dt", "d"],
        categories = ["all"]
    );

    #[test]
    fn names_of_a_definition_are_its_own() {
        assert_eq!((Data::KIND, Data::LIST_KIND), ("Datum", "Data"));
        let names = Data::definition(JSONSchemaProps::default()).spec.names;
        assert_eq!(names.short_names, Some(vec!["dt".to_owned(), "d".to_owned()]));
        assert_eq!((names.singular.as_deref(), names.categories), (Some("datum"), Some(vec!["all".to_owned()])));
        let names = Zone::definition(JSONSchemaProps::default()).spec.names;
        assert_eq!((names.singular.as_deref(), names.categories), (Some("zone"), None));
    }

    #[test]
    fn core_group_is_written_with_its_slash() {
        assert_eq!((group_and_version("/v1"), api_version("/v1")), (("", "v1"), "v1"));
        assert_eq!(api_version("example.com/v1"), "example.com/v1");
    }

    #[test]
    fn names_are_made_of_few() {
        assert_eq!((Tab::GROUP, Tab::VERSION), ("stable.example.com", "v1beta1"));
        assert_eq!((Tab::KIND, Tab::LIST_KIND, Tab::URL_PATH_SEGMENT), ("CronTab", "CronTabList", "crontabs"));
        assert_eq!((Zone::KIND, Zone::LIST_KIND), ("Zone", "ZoneList"));
    }

    #[test]
    fn definition_has_scope_names_and_status() {
        let tabs = Tab::definition(JSONSchemaProps::default());
        assert_eq!(tabs.metadata.name.as_deref(), Some("crontabs.stable.example.com"));
        assert_eq!((tabs.spec.scope.as_str(), tabs.spec.names.singular.as_deref()), ("Namespaced", Some("crontab")));
        let status = |definition: &CustomResourceDefinition| {
            let subresources = definition.spec.versions[0].subresources.as_ref();
            subresources.is_some_and(|subresources| subresources.status.is_some())
        };
        assert!(status(&tabs));
        let zones = Zone::definition(JSONSchemaProps::default());
        assert_eq!(zones.spec.scope, "Cluster");
        assert!(!status(&zones));
    }
}
