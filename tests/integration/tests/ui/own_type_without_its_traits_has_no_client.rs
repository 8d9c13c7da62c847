use k8s_client::{ResourceClient, RestClient, k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta};

#[derive(serde::Deserialize, serde::Serialize)]
struct CronTab {
    metadata: ObjectMeta,
}

fn example(client: RestClient) {
    let _ = ResourceClient::<CronTab>::namespaced(&client, "default");
}

fn main() {}
