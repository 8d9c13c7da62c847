//! An aggregated API server that is down.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use k8s_client::{
    Clientset, RestMapper,
    discovery::{ApiGroup, Discovery as _, GroupVersion},
    k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use k8s_client_integration_tests::{Test, TestResult, client, eventually, object, unique};
use serde_json::json;

use crate::built_in;

/// Far less than any time limit, far more than the answers take.
const AT_ONCE: Duration = Duration::from_secs(10);

/// An APIService with nobody behind it. It goes with its value, whatever became of the test: as long as it is there, no
/// namespace can be deleted.
struct DeadService {
    name: String,
    group_version: GroupVersion,
}

impl DeadService {
    /// A service at an address where nothing listens.
    async fn register(test: &Test) -> TestResult<Self> {
        let group_version = GroupVersion::new(format!("{}.dead.example.com", unique("g")), "v1");
        let service = unique("nobody");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let services = test.client.core_v1().services(&test.namespace);
        let spec = json!({ "type": "ExternalName", "externalName": "127.0.0.1" });
        services.create(&object(json!({ "metadata": { "name": service }, "spec": spec }))).await?;

        let name = format!("v1.{}", group_version.group);
        let api_service: APIService = object(json!({
            "metadata": { "name": name },
            "spec": {
                "group": group_version.group, "version": "v1",
                "groupPriorityMinimum": 10, "versionPriority": 10, "insecureSkipTLSVerify": true,
                "service": { "namespace": test.namespace, "name": service, "port": port },
            },
        }));
        let registered = Self { name, group_version };
        test.client.apiregistration_v1().api_services().create(&api_service).await?;
        Ok(registered)
    }

    /// Waits until the aggregator names its group.
    async fn named(&self, client: &Clientset) {
        eventually("the dead group is named", || async {
            let groups = client.discovery().groups().await.ok()?;
            groups.iter().any(|group| group.name == self.group_version.group).then_some(())
        })
        .await;
    }
}

impl Drop for DeadService {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let deletion = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { client().apiregistration_v1().api_services().delete(&name).await })?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
        if !matches!(deletion.join(), Ok(Ok(()))) {
            eprintln!("a test's APIService was left behind");
        }
    }
}

#[tokio::test]
async fn dead_service_is_reported_at_once_and_hides_nothing() -> TestResult {
    let test = Test::namespace().await;
    let discovery = test.client.discovery();
    let all = discovery.groups_and_resources().await?;
    let before = built_in(&all);
    let dead = DeadService::register(&test).await?;
    dead.named(&test.client).await;

    let began = Instant::now();
    let all = discovery.groups_and_resources().await?;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(built_in(&all), before);
    assert!(all.failures[&dead.group_version].is_stale(), "{:?}", all.failures);
    assert!(all.groups.iter().flat_map(ApiGroup::group_versions).any(|named| named == dead.group_version));
    let complete = k8s_client::discovery::ServerResources::clone(&all).complete();
    assert!(complete.expect_err("one is missing").failures().contains_key(&dead.group_version));

    let error = discovery.resources(&dead.group_version).await.expect_err("nobody answers");
    assert!(error.request_error().is_some_and(k8s_client::Error::is_service_unavailable), "{error}");
    Ok(())
}

#[tokio::test]
async fn mapper_works_beside_a_dead_service_and_names_it_on_a_miss() -> TestResult {
    let test = Test::namespace().await;
    let dead = DeadService::register(&test).await?;
    dead.named(&test.client).await;
    let mapper = RestMapper::new(test.client.discovery());

    let began = Instant::now();
    assert_eq!(mapper.mapping_for("deploy").await?.kind.to_string(), "apps/v1, Kind=Deployment");
    let argument = format!("corpses.{}", dead.group_version.group);
    let error = mapper.mapping_for(&argument).await.expect_err("nobody knows");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert!(error.is_no_match() && error.failures().contains_key(&dead.group_version), "{error}");
    Ok(())
}
