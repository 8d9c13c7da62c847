use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.core_v1().nodes("default").get("one").await;
}

fn main() {}
