//! The mapper against all that the server serves.

use k8s_client::{
    RestMapper,
    discovery::{AmbiguousShortName, Discovery as _, GroupVersionResource, MemoryCache, RestMapping},
};
use k8s_client_integration_tests::{TestResult, client};

use crate::is_built_in;

#[tokio::test]
async fn every_resource_maps_to_its_kind_and_back() -> TestResult {
    let discovery = client().discovery();
    let all = discovery.groups_and_resources().await?;
    let mapper = RestMapper::new(MemoryCache::new(discovery));
    let mut resources = 0;
    for list in all.resources.iter().filter(|list| is_built_in(&list.group_version)) {
        for resource in list.resources.iter().filter(|resource| !resource.is_subresource()) {
            let expected = RestMapping {
                resource: list.group_version.with_resource(&resource.name),
                kind: list.group_version.with_kind(&resource.kind.kind),
                scope: resource.scope,
            };
            assert_eq!(mapper.kind_for(&expected.resource).await?, expected.kind);
            let version = expected.kind.version.as_str();
            assert_eq!(mapper.mapping(&expected.kind.group_kind(), &[version]).await?, expected);

            let (group, name) = (&expected.resource.group, &resource.name);
            let mut names = vec![name.clone(), resource.singular_name.clone(), resource.kind.kind.clone()];
            names.extend(resource.short_names.iter().cloned());
            for name in names {
                let argument = format!("{name}.{version}.{group}");
                // `pods.v1.` names no group, and so any group's pods of v1.
                assert_eq!(mapper.mapping_for(&argument).await?, expected, "{argument}");
                let partial = GroupVersionResource::new(group, version, &*name);
                if name != resource.kind.kind {
                    assert_eq!(mapper.resource_for(&partial).await?, expected.resource, "{argument}");
                }
            }
            resources += 1;
        }
    }
    assert!(resources > 60, "{resources}");
    Ok(())
}

#[tokio::test]
async fn names_that_people_type_mean_what_they_mean_to_kubectl() -> TestResult {
    let (sender, warnings) = std::sync::mpsc::channel();
    let mapper = RestMapper::new(client().discovery());
    let mapper = mapper.with_warning_handler(move |ambiguous: &AmbiguousShortName| {
        let _ = sender.send(ambiguous.to_string());
    });
    for (argument, expected) in [
        ("deploy", "apps/v1, Resource=deployments"),
        ("svc", "v1, Resource=services"),
        ("po", "v1, Resource=pods"),
        ("ev", "v1, Resource=events"),
        ("events.events.k8s.io", "events.k8s.io/v1, Resource=events"),
        ("hpa", "autoscaling/v2, Resource=horizontalpodautoscalers"),
        ("hpa.v1.autoscaling", "autoscaling/v1, Resource=horizontalpodautoscalers"),
        ("NetworkPolicy", "networking.k8s.io/v1, Resource=networkpolicies"),
        ("crd", "apiextensions.k8s.io/v1, Resource=customresourcedefinitions"),
        ("ing.networking", "networking.k8s.io/v1, Resource=ingresses"),
    ] {
        assert_eq!(mapper.mapping_for(argument).await?.resource.to_string(), expected, "{argument}");
    }
    let miss = mapper.mapping_for("unicorns").await.expect_err("there are none");
    assert!(miss.is_no_match() && miss.to_string().contains("unicorns"), "{miss}");
    // kubectl warns of this one too.
    let expected = "short name \"ev\" was taken for events, but could also mean events.events.k8s.io";
    assert_eq!(warnings.try_iter().collect::<Vec<_>>(), [expected]);
    Ok(())
}

#[tokio::test]
async fn category_all_is_what_kubectl_gets() -> TestResult {
    let mapper = RestMapper::new(client().discovery());
    let mappings = mapper.category("all").await?;
    let built_in = mappings.iter().filter(|mapping| is_built_in(&mapping.resource.group_version()));
    let mut names: Vec<_> = built_in.map(|mapping| mapping.resource.group_resource().to_string()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "cronjobs.batch",
            "daemonsets.apps",
            "deployments.apps",
            "horizontalpodautoscalers.autoscaling",
            "jobs.batch",
            "pods",
            "replicasets.apps",
            "replicationcontrollers",
            "services",
            "statefulsets.apps",
        ]
    );
    Ok(())
}
