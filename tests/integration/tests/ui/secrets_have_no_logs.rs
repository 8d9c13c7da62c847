use k8s_client::{ResourceClient, RestClient, k8s_openapi::api::core::v1::Secret};

fn example(client: RestClient) {
    let _ = ResourceClient::<Secret>::namespaced(&client, "default").logs("one");
}

fn main() {}
