use k8s_client::{custom_resource, k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta};

#[derive(serde::Deserialize, serde::Serialize)]
struct CronTab {
    metadata: ObjectMeta,
}

custom_resource!(CronTab, "v1", "crontabs", Namespaced);

fn main() {}
