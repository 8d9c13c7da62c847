use k8s_client::{Clientset, resource::Lists};

fn count(resources: &impl Lists) {
    drop(resources.list());
}

fn example(client: Clientset) {
    count(&client.authorization_v1().subject_access_reviews());
}

fn main() {}
