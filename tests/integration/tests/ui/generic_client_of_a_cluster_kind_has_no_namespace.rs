use k8s_client::{Clientset, ResourceClient, k8s_openapi::api::core::v1::Node};

async fn example(client: Clientset) {
    let _ = ResourceClient::<Node>::namespaced(client.rest_client(), "default").get("one").await;
}

fn main() {}
