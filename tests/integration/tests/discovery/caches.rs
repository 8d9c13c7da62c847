//! Files that outlive the program.

use std::{fs, sync::Arc, time::Duration};

use k8s_client::{
    Config, RestClient, RestMapper,
    discovery::{Discovery as _, DiscoveryClient, DiskCache},
};
use k8s_client_integration_tests::{TestResult, client};
use tempfile::TempDir;

use crate::built_in;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// A client of a server that is not there: whoever asks it anything fails.
pub(crate) fn nobody() -> DiscoveryClient {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let config = Config::new(&format!("http://{}", free.expect("a loopback port is free"))).expect("a URL");
    DiscoveryClient::new(&RestClient::new(&config).expect("a valid configuration"))
}

#[tokio::test]
async fn second_program_with_the_same_files_asks_nothing() -> TestResult {
    let folder = folder();
    let first = DiskCache::new(client().discovery(), folder.path(), HOUR);
    // A dead group of another test is not kept, and so would be asked for.
    let all = k8s_client_integration_tests::eventually("all groups are well", || async {
        first.invalidate();
        first.groups_and_resources().await.ok().filter(|all| all.failures.is_empty())
    })
    .await;

    let second = Arc::new(DiskCache::new(nobody(), folder.path(), HOUR));
    let from_files = second.groups_and_resources().await?;
    assert_eq!(from_files.groups, all.groups);
    assert_eq!(from_files.resources, all.resources);
    let mapper = RestMapper::new(second);
    assert_eq!(mapper.mapping_for("deploy").await?.kind.to_string(), "apps/v1, Kind=Deployment");
    Ok(())
}

#[tokio::test]
async fn damaged_file_is_read_over_and_replaced() -> TestResult {
    let folder = folder();
    let all = DiskCache::new(client().discovery(), folder.path(), HOUR).groups_and_resources().await?;
    let expected = built_in(&all);
    for name in ["servergroups.json", "apps/v1/serverresources.json"] {
        let path = folder.path().join(name);
        let whole = fs::read(&path)?;
        fs::write(&path, &whole[..whole.len() / 2])?;
        let cache = DiskCache::new(client().discovery(), folder.path(), HOUR);
        let all = cache.groups_and_resources().await?;
        assert_eq!(built_in(&all), expected);
        serde_json::from_slice::<serde_json::Value>(&fs::read(&path)?)?;
    }
    Ok(())
}
