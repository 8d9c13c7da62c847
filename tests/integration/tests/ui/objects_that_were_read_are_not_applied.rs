use k8s_client::{Clientset, k8s_openapi::api::core::v1::ConfigMap};

async fn example(client: Clientset, read: ConfigMap) {
    let _ = client.core_v1().config_maps("default").apply(&read).field_manager("me").await;
}

fn main() {}
