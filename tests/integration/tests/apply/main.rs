//! Server-side apply with typed configurations on a real kube-apiserver, and the way back from objects to
//! configurations.

mod client_go;
mod conflicts;
mod extraction;
mod lists;
mod objects;
mod refusals;
mod subresources;

use k8s_client::api::{
    apps::v1::apply::{DeploymentApplyConfiguration, DeploymentSpecApplyConfiguration},
    core::v1::apply::{
        ContainerApplyConfiguration, PodApplyConfiguration, PodSpecApplyConfiguration,
        PodTemplateSpecApplyConfiguration,
    },
    meta::v1::apply::LabelSelectorApplyConfiguration,
};

/// A deployment of one container.
fn deployment(name: &str, namespace: &str, image: &str) -> DeploymentApplyConfiguration {
    let template = PodTemplateSpecApplyConfiguration::default()
        .labels([("app", name)])
        .spec(PodSpecApplyConfiguration::default().containers([container("main").image(image)]));
    let spec = DeploymentSpecApplyConfiguration::default()
        .selector(LabelSelectorApplyConfiguration::default().match_labels([("app", name)]))
        .template(template);
    DeploymentApplyConfiguration::new(name, namespace).spec(spec)
}

fn container(name: &str) -> ContainerApplyConfiguration {
    ContainerApplyConfiguration::default().name(name)
}

/// A pod of these containers.
fn pod(
    name: &str,
    namespace: &str,
    containers: impl IntoIterator<Item = ContainerApplyConfiguration>,
) -> PodApplyConfiguration {
    PodApplyConfiguration::new(name, namespace).spec(PodSpecApplyConfiguration::default().containers(containers))
}
