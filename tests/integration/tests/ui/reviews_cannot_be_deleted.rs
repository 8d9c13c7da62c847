use k8s_client::Clientset;

async fn example(client: Clientset) {
    let _ = client.authorization_v1().subject_access_reviews().delete("one").await;
}

fn main() {}
