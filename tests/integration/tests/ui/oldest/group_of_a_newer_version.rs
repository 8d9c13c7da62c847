use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.lifecycle_v1alpha1().evictions("default").list().await;
}

fn main() {}
