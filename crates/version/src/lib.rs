//! Has k8s-client-version-check compiled early in every build of k8s-client, and is empty itself.
//!
//! When several crates could be compiled, cargo begins with the one that most others wait for. For k8s-openapi's build
//! script wait its run, k8s-openapi, and all of k8s-client. For the check wait the build script of this crate, its run,
//! this crate, and all of k8s-client: one more. So the check comes first, and its sentence is the only one that a user
//! reads.
