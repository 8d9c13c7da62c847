use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.core_v1().all_pods().get("one").await;
}

fn main() {}
