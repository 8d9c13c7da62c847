use k8s_client::{Clientset, k8s_openapi::api::core::v1::ConfigMap};

async fn example(client: Clientset) {
    let _ = client.core_v1().config_maps("default").update_status(&ConfigMap::default()).await;
}

fn main() {}
