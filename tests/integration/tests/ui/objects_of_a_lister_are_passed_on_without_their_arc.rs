//! A function for any object is given the object, not what holds it.

use std::sync::Arc;

use k8s_client::{k8s_openapi::api::core::v1::Pod, object::AnyObject};

fn name_of(object: &impl AnyObject) -> &str {
    object.name().unwrap_or("no name")
}

fn main() {
    let pod = Arc::new(Pod::default());
    name_of(&pod);
}
