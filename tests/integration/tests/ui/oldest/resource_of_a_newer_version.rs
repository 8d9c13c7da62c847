use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.certificates_v1().pod_certificate_requests("default").list().await;
}

fn main() {}
