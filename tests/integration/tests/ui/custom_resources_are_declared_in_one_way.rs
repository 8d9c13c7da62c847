use k8s_client::{custom_resource, k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta};

#[derive(serde::Deserialize, serde::Serialize)]
struct CronTab {
    metadata: ObjectMeta,
}

custom_resource!(CronTab, "example.com/v1", Namespaced);

#[derive(serde::Deserialize, serde::Serialize)]
struct Zone {
    metadata: ObjectMeta,
}

custom_resource!(Zone, "example.com/v1", "zones", ClusterScoped);

#[derive(serde::Deserialize, serde::Serialize)]
struct Backup {
    metadata: ObjectMeta,
}

custom_resource!(Backup, "example.com/v1", "backups", Namespaced, state);

fn main() {}
