use k8s_client::{Clientset, k8s_openapi::api::apps::v1::Deployment};

async fn example(client: Clientset) {
    let _ = client.apps_v1().all_deployments().create(&Deployment::default()).await;
}

fn main() {}
