//! What the API does not have does not compile.
//!
//! After a change of the compiler or of a name, `TRYBUILD=overwrite cargo test --test compile_fail` writes the expected
//! messages anew; read them before you commit them.

use k8s_client::{
    Clientset, ResourceClient,
    k8s_openapi::api::{
        apps::v1::Deployment,
        authorization::v1::SubjectAccessReview,
        core::v1::{ConfigMap, Node},
    },
};

#[test]
fn wrong_verbs_and_wrong_scopes_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    // What a Kubernetes version does not have, in the versions that these tests are run with.
    #[cfg(feature = "oldest")]
    cases.compile_fail("tests/ui/oldest/*.rs");
    #[cfg(feature = "latest")]
    cases.compile_fail("tests/ui/latest/*.rs");
}

/// The right verb or scope beside each wrong one, so that the cases above fail for no other reason.
#[expect(dead_code, reason = "that it compiles is the test")]
async fn right_verbs_and_right_scopes_compile(client: Clientset) -> k8s_client::Result<()> {
    client.core_v1().config_maps("default").update(&ConfigMap::default()).await?;
    client.authorization_v1().subject_access_reviews().create(&SubjectAccessReview::default()).await?;
    client.core_v1().nodes().get("one").await?;
    client.apps_v1().deployments("default").create(&Deployment::default()).await?;
    client.apps_v1().all_deployments().list().await?;
    ResourceClient::<Node>::cluster(client.rest_client()).get("one").await?;
    #[cfg(feature = "oldest")]
    client.certificates_v1alpha1().cluster_trust_bundles().list().await?;
    #[cfg(feature = "latest")]
    client.lifecycle_v1alpha1().evictions("default").list().await?;
    Ok(())
}
