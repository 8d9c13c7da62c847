use k8s_client::{Clientset, resource::Gets};

fn show(pods: &impl Gets) {
    drop(pods.get("one"));
}

fn example(client: Clientset) {
    show(&client.core_v1().all_pods());
}

fn main() {}
