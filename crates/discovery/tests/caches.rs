//! What caches keep, share and forget.

mod support;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;
use k8s_client_discovery::{Discovery, DiskCache, GroupVersion, MemoryCache, ServerResources};
use serde_json::json;
use support::{Reply, Server, aggregated, files, group, group_list, plain, with_widgets};
use tempfile::TempDir;

/// Puts something in the place of a file.
type Make = fn(&Path);

const HOUR: Duration = Duration::from_secs(3600);

fn group_version(text: &str) -> GroupVersion {
    text.parse().expect("it is a group-version")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

async fn everything(discovery: &dyn Discovery) -> Arc<ServerResources> {
    discovery.groups_and_resources().await.expect("it is served")
}

fn resources(all: &Arc<ServerResources>) -> Vec<String> {
    let names = |list: &k8s_client_discovery::ApiResourceList| {
        let group_version = list.group_version.clone();
        list.resources.iter().map(move |resource| format!("{group_version}/{}", resource.name)).collect::<Vec<_>>()
    };
    all.resources.iter().flat_map(names).collect()
}

#[tokio::test]
async fn many_who_ask_a_memory_cache_at_once_cause_one_discovery() {
    let server = Server::start(aggregated).await;
    let cache = MemoryCache::new(server.discovery());
    let apps = group_version("apps/v1");
    join_all((0..20).map(|_| everything(&cache))).await;
    assert!(cache.resources(&apps).await.expect("it is served").get("deployments").is_some());
    assert_eq!(cache.groups().await.expect("it is served").len(), 2);
    assert!(cache.resources(&group_version("apps/v9")).await.expect_err("it is not served").is_not_found());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn many_who_ask_a_server_that_is_down_at_once_share_its_failure() {
    let server = Server::start(|_| Reply::error("500 Oh")).await;
    let folder = folder();
    let memory = MemoryCache::new(server.discovery());
    let disk = DiskCache::new(server.discovery(), folder.path(), HOUR);
    for cache in [&memory as &dyn Discovery, &disk] {
        let before = server.count();
        let answers = join_all((0..20).map(|_| cache.groups_and_resources())).await;
        assert!(answers.iter().all(Result::is_err));
        assert!(server.count() - before <= 2, "{cache:?} asked {} times", server.count() - before);
        let asked = server.count();
        assert!(cache.groups_and_resources().await.is_err());
        assert!(server.count() > asked, "who asks later has a question of his own");
    }
}

#[tokio::test]
async fn memory_cache_keeps_until_it_is_told_to_forget() {
    let (server, widgets) = with_widgets().await;
    let cache = MemoryCache::new(server.discovery());
    let before = std::time::Instant::now();
    let apps = resources(&everything(&cache).await);
    widgets.store(true, Ordering::SeqCst);
    assert_eq!(resources(&everything(&cache).await), apps);
    assert!(!cache.invalidate_before(before), "what it has is newer");
    assert_eq!(server.count(), 2);
    cache.invalidate();
    assert!(resources(&everything(&cache).await).contains(&"example.com/v1/widgets".to_owned()));
}

#[tokio::test]
async fn memory_cache_asks_again_for_what_failed_and_keeps_it_once_it_is_there() {
    let dead = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&dead);
    let server = Server::start(move |asked| match asked.route() {
        "/apis/apps/v1" if dead.load(Ordering::SeqCst) => Reply::error("503 Service Unavailable"),
        _ => plain(asked),
    })
    .await;
    let cache = MemoryCache::new(server.discovery());
    let apps = group_version("apps/v1");
    assert!(everything(&cache).await.failures.contains_key(&apps));
    assert!(cache.resources(&apps).await.is_err());
    switch.store(false, Ordering::SeqCst);
    assert!(cache.resources(&apps).await.is_ok());
    let asked = server.count();
    let all = everything(&cache).await;
    assert!(all.failures.is_empty());
    assert_eq!(resources(&all), ["v1/pods", "v1/pods/eviction", "apps/v1beta1/deployments", "apps/v1/deployments"]);
    assert_eq!(server.count(), asked);
}

#[tokio::test]
async fn second_program_with_the_same_files_asks_nothing() {
    for answer in [plain, aggregated] {
        let server = Server::start(answer).await;
        let folder = folder();
        let path = folder.path().join("made/when/needed");
        let first = DiskCache::new(server.discovery(), &path, HOUR);
        let from_server = everything(&first).await;
        let asked = server.count();

        let second = DiskCache::new(server.discovery(), &path, HOUR);
        let from_files = everything(&second).await;
        assert_eq!(from_files.groups, from_server.groups);
        assert_eq!(from_files.resources, from_server.resources);
        assert_eq!(second.groups().await.expect("they are there"), from_server.groups);
        let apps = group_version("apps/v1");
        assert_eq!(Some(&second.resources(&apps).await.expect("it is there")), from_server.of(&apps));
        assert_eq!(server.count(), asked);
    }
}

#[tokio::test]
async fn files_have_kubectls_names_and_are_the_users_own() {
    let server = Server::start(aggregated).await;
    let folder = folder();
    let path = folder.path().join("host_6443");
    everything(&DiskCache::new(server.discovery(), &path, HOUR)).await;
    let names: Vec<_> = files(&path).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "apps/v1/serverresources.json",
        "apps/v1beta1/serverresources.json",
        "servergroups.json",
        "v1/serverresources.json",
    ];
    assert_eq!(names, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |name: &str| fs::metadata(path.join(name)).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode("servergroups.json"), 0o600);
        // A umask may take more away.
        assert_eq!((mode("") | 0o050, mode("apps/v1") | 0o050), (0o750, 0o750));
    }
}

#[tokio::test]
async fn damaged_files_are_read_over_and_replaced() {
    let server = Server::start(aggregated).await;
    for damaged in ["servergroups.json", "apps/v1/serverresources.json"] {
        for text in ["", "{\"kind\":\"APIGroupList\",\"groups\":[{\"na", "null", "[]", "{}", "\u{0}\u{0}\u{0}"] {
            let folder = folder();
            let whole = everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
            fs::write(folder.path().join(damaged), text).expect("it can be damaged");
            let cache = DiskCache::new(server.discovery(), folder.path(), HOUR);
            assert_eq!(everything(&cache).await.resources, whole.resources, "{damaged}: {text:?}");

            let asked = server.count();
            everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
            assert_eq!(server.count(), asked, "{damaged}: {text:?} was replaced");
        }
    }
}

/// Whoever may write into the folder could make a reader wait for ever, or read for ever.
#[cfg(unix)]
#[tokio::test]
async fn what_is_not_a_small_regular_file_is_passed_over_and_replaced() {
    let server = Server::start(aggregated).await;
    let make: [(&str, Make); 4] = [
        ("a pipe", |path| {
            assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is there").success());
        }),
        ("a device", |path| std::os::unix::fs::symlink("/dev/zero", path).expect("a link can be made")),
        ("a folder", |path| fs::create_dir(path).expect("a folder can be made")),
        ("a huge file", |path| {
            fs::File::create(path).expect("it can be made").set_len(1 << 40).expect("it may have holes");
        }),
    ];
    for file in ["servergroups.json", "apps/v1/serverresources.json"] {
        for (what, make) in make {
            let folder = folder();
            let whole = everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
            let path = folder.path().join(file);
            fs::remove_file(&path).expect("it is there");
            make(&path);
            let cache = DiskCache::new(server.discovery(), folder.path(), HOUR);
            let asked = server.count();
            let all = tokio::time::timeout(Duration::from_secs(20), everything(&cache)).await;
            let all = all.unwrap_or_else(|_| panic!("{what} as {file} makes the call wait"));
            assert_eq!(all.resources, whole.resources, "{what} as {file}");
            assert!(server.count() > asked, "{what} as {file} is not believed");
            let replaced = fs::symlink_metadata(&path).expect("it is there").is_file();
            assert_eq!(replaced, what != "a folder", "{what} as {file}");
        }
    }
}

#[tokio::test]
async fn file_of_another_group_version_is_not_believed() {
    let server = Server::start(aggregated).await;
    let folder = folder();
    everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    let file = |version: &str| folder.path().join(version).join("serverresources.json");
    fs::copy(file("v1"), file("apps/v1")).expect("it can be copied");
    let all = everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    assert!(all.of(&group_version("apps/v1")).expect("it is served").get("deployments").is_some());
}

#[tokio::test]
async fn files_live_for_their_time() {
    let server = Server::start(aggregated).await;
    let folder = folder();
    everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    let set_age = |age: Duration| {
        for (name, _) in files(folder.path()) {
            let file = fs::File::options().write(true).open(folder.path().join(name)).expect("it is there");
            file.set_modified(SystemTime::now() - age).expect("it is the user's own");
        }
    };
    let requests_at = async |age: Duration| {
        set_age(age);
        let asked = server.count();
        everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
        server.count() - asked
    };
    assert_eq!(requests_at(HOUR / 2).await, 0);
    assert_eq!(requests_at(HOUR * 2).await, 2);
}

#[tokio::test]
async fn what_failed_is_not_kept_and_stays_reported() {
    let dead = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&dead);
    let server = Server::start(move |asked| match asked.route() {
        "/apis" => {
            let kinds: &[&str] = if dead.load(Ordering::SeqCst) { &[] } else { &["Corpse"] };
            let corpses = group("dead.example.com", &[("v1", kinds)]);
            Reply::Aggregated(group_list(&[group("apps", &[("v1", &["Deployment"])]), corpses]))
        }
        _ => aggregated(asked),
    })
    .await;
    let folder = folder();
    let first = DiskCache::new(server.discovery(), folder.path(), HOUR);
    assert!(everything(&first).await.failures.is_empty());

    switch.store(true, Ordering::SeqCst);
    first.invalidate();
    everything(&first).await;
    let corpses = group_version("dead.example.com/v1");
    for _ in 0..2 {
        let second = DiskCache::new(server.discovery(), folder.path(), HOUR);
        let all = everything(&second).await;
        assert!(all.failures.contains_key(&corpses), "the file of better days must not hide it");
        assert!(all.groups.iter().any(|group| group.name == "dead.example.com"));
    }

    switch.store(false, Ordering::SeqCst);
    let third = DiskCache::new(server.discovery(), folder.path(), HOUR);
    assert!(everything(&third).await.of(&corpses).is_some());
}

#[tokio::test]
async fn group_of_which_no_version_is_known_is_not_kept_and_may_be_there() {
    let odd = json!({ "metadata": { "name": "odd.example.com" }, "versions": "none" });
    let server = Server::start(move |asked| match asked.route() {
        "/apis" => Reply::Aggregated(group_list(&[odd.clone(), group("apps", &[("v1", &["Deployment"])])])),
        "/apis/odd.example.com/v1" => Reply::Json(json!({ "resources": [{ "name": "odds", "kind": "Odd" }] })),
        _ => aggregated(asked),
    })
    .await;
    let odds = group_version("odd.example.com/v1");
    let folder = folder();
    for _ in 0..2 {
        let cache = DiskCache::new(server.discovery(), folder.path(), HOUR);
        let all = everything(&cache).await;
        assert!(all.failures.contains_key(&GroupVersion::new("odd.example.com", "")), "no file hides it");
        assert!(all.of(&group_version("apps/v1")).is_some());
    }
    let cache = MemoryCache::new(server.discovery());
    everything(&cache).await;
    assert!(cache.resources(&odds).await.expect("the server is asked for it").get("odds").is_some());
    assert!(cache.resources(&group_version("other/v1")).await.expect_err("it is not served").is_not_found());
}

#[tokio::test]
async fn disk_cache_that_was_told_to_forget_trusts_only_its_own_files() {
    let (server, widgets) = with_widgets().await;
    let folder = folder();
    everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    widgets.store(true, Ordering::SeqCst);

    let cache = DiskCache::new(server.discovery(), folder.path(), HOUR);
    assert_eq!(everything(&cache).await.groups.len(), 2);
    let missed = std::time::Instant::now();
    assert!(cache.invalidate_before(missed), "the files may be of any age");
    assert_eq!(everything(&cache).await.groups.len(), 3);
    assert!(!cache.invalidate_before(missed), "now they are newer than the question");
    let asked = server.count();
    everything(&cache).await;
    assert_eq!(server.count(), asked, "they are its own");
}

#[tokio::test]
async fn memory_in_front_of_disk_forgets_with_it() {
    let (server, widgets) = with_widgets().await;
    let folder = folder();
    everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    widgets.store(true, Ordering::SeqCst);
    let began = std::time::Instant::now();
    let cache = MemoryCache::new(DiskCache::new(server.discovery(), folder.path(), HOUR));
    assert_eq!(everything(&cache).await.groups.len(), 2);
    assert!(cache.invalidate_before(began), "it was read after that, but from old files");
    assert_eq!(everything(&cache).await.groups.len(), 3);
}

#[tokio::test]
async fn folder_that_cannot_be_written_is_no_error() {
    let server = Server::start(aggregated).await;
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").expect("it can be written");
    let cache = DiskCache::new(server.discovery(), file.join("below"), HOUR);
    for _ in 0..2 {
        assert_eq!(everything(&cache).await.groups.len(), 2);
    }
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn group_that_leads_out_of_the_folder_is_not_written_there() {
    let server = Server::start(|asked| match asked.route() {
        "/apis" => Reply::Aggregated(group_list(&[group("../../escaped", &[("v1", &["Thief"])])])),
        _ => aggregated(asked),
    })
    .await;
    let folder = folder();
    let path = folder.path().join("a/b");
    let all = everything(&DiskCache::new(server.discovery(), &path, HOUR)).await;
    assert_eq!(all.groups.len(), 2);
    let names: Vec<_> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a/b/servergroups.json", "a/b/v1/serverresources.json"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_at_the_same_time_leave_whole_files_at_every_moment() {
    let server = Server::start(aggregated).await;
    let folder = folder();
    let whole = everything(&DiskCache::new(server.discovery(), folder.path(), HOUR)).await;
    let done = Arc::new(AtomicBool::new(false));

    let reader = tokio::spawn({
        let (done, path, whole) = (Arc::clone(&done), folder.path().to_owned(), Arc::clone(&whole));
        async move {
            let nobody = Server::start(|_| Reply::error("500 Nobody is here")).await;
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) || reads == 0 {
                let cache = DiskCache::new(nobody.discovery(), &path, HOUR);
                assert_eq!(everything(&cache).await.resources, whole.resources);
                reads += 1;
            }
        }
    });
    let writer = async |path: &Path| {
        let cache = DiskCache::new(server.discovery(), path, HOUR);
        for _ in 0..20 {
            cache.invalidate();
            everything(&cache).await;
        }
    };
    join_all((0..4).map(|_| writer(folder.path()))).await;
    done.store(true, Ordering::SeqCst);
    reader.await.expect("every read found whole files");
    let names: Vec<_> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 4, "no temporary files are left: {names:?}");
}

#[test]
fn folders_of_servers_are_kubectls() {
    for (server, expected) in [
        ("https://127.0.0.1:6443", "127.0.0.1_6443"),
        ("https://rancher.example.com/k8s/clusters/c-1", "rancher.example.com/k8s/clusters/c_1"),
        ("http://host", "host"),
    ] {
        let config = k8s_client_runtime::Config::new(server).expect("a valid URL");
        let client = k8s_client_runtime::RestClient::new(&config).expect("a valid configuration");
        assert_eq!(DiskCache::host_directory(&client), Path::new(expected), "{server}");
    }
}
