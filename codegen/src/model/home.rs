//! Which crate has what a schema describes.

use std::collections::BTreeMap;

use super::{ApiVersion, Group, Model, package};

/// The crate of the types that all objects share. No group serves it.
pub const META_CRATE: &str = "meta";

/// The package of those types.
pub(crate) const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// A crate and the version's module in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// `apps`
    pub crate_name: String,
    /// `v1`
    pub version: String,
}

impl Home {
    /// The home of a group's version.
    pub fn new(group: &Group, version: &ApiVersion) -> Self {
        Self { crate_name: group.crate_name.clone(), version: version.module.clone() }
    }

    /// The home of what all objects share.
    pub fn meta() -> Self {
        Self { crate_name: META_CRATE.to_owned(), version: "v1".to_owned() }
    }

    /// Whether the configurations of another home contain some of this one's. Those have all fields of all versions,
    /// so they need this home with every version, be there clients or not.
    pub fn is_shared(&self, model: &Model) -> bool {
        model.configurations.keys().any(|other| model.neighbours(other).contains(self))
    }

    /// The homes of packages: that of the resources whose objects are in a package.
    pub(super) fn of_packages(groups: &[Group]) -> BTreeMap<String, Self> {
        let mut homes = BTreeMap::new();
        for (group, api) in super::versions(groups) {
            for resource in &api.resources {
                let package = package(&resource.object.schema).to_owned();
                // A resource may borrow its object, as pods/eviction does; the last label of the package tells whose
                // it is.
                if package.rsplit('.').next() == Some(&api.name) {
                    homes.entry(package).or_insert_with(|| Self::new(group, api));
                }
            }
        }
        homes.insert(META.to_owned(), Self::meta());
        homes
    }
}
