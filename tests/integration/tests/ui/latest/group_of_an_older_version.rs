use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.certificates_v1alpha1().cluster_trust_bundles().list().await;
}

fn main() {}
