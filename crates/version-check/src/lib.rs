//! Stops a build in which no Kubernetes version is chosen, or several are, with a sentence that says so.
//!
//! k8s-openapi stops such a build too, but names its own features, and takes a user's own line for a bug of a library.

mod generated;

use generated::{ENABLED, features};

const _: () = {
    // k8s-openapi's own way to choose, for a library that is checked by itself; and this crate as one of its workspace,
    // where it is built for nobody.
    let elsewhere =
        option_env!("K8S_OPENAPI_ENABLED_VERSION").is_some() || option_env!("CARGO_PRIMARY_PACKAGE").is_some();
    assert!(ENABLED != 0 || elsewhere, concat!("k8s-client: choose one of the features ", features!()));
    assert!(
        ENABLED < 2,
        concat!(
            "k8s-client: choose one of the features ",
            features!(),
            "; several are enabled, by this program or by its dependencies"
        )
    );
};
