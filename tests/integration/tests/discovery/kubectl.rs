//! Beside kubectl.

use std::{fs, process::Command};

use k8s_client::discovery::{Discovery as _, DiskCache, ResourceScope};
use k8s_client_integration_tests::{TestResult, client, control_plane};
use k8s_client_test_harness::build_kubectl;

use crate::caches::{HOUR, folder, nobody};

/// What kubectl prints, with its cache in a folder; nothing where there is no Go to build it with.
fn kubectl(cache: &std::path::Path, arguments: &[&str]) -> TestResult<Option<String>> {
    let Some(program) = build_kubectl()? else {
        println!("skipped: Go, which builds kubectl, is not installed");
        return Ok(None);
    };
    let mut command = Command::new(program);
    command.arg("--kubeconfig").arg(control_plane().kubeconfig()).arg("--cache-dir").arg(cache).args(arguments);
    // Dead groups of other tests are an error to kubectl, after it has printed the rest.
    Ok(Some(String::from_utf8_lossy(&command.output()?.stdout).into_owned()))
}

/// Whether a line of the table is of the server's own groups: other tests come and go with theirs.
fn is_built_in(line: &&str) -> bool {
    !line.contains("example.com")
}

#[tokio::test]
async fn preferred_resources_are_what_kubectl_lists() -> TestResult {
    let folder = folder();
    let Some(printed) = kubectl(folder.path(), &["api-resources", "--no-headers"])? else { return Ok(()) };
    let theirs: Vec<String> =
        printed.lines().filter(is_built_in).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();

    let preferred = client().discovery().preferred_resources().await?;
    let mut ours = Vec::new();
    for list in &preferred.resources {
        for resource in list.resources.iter().filter(|resource| !resource.verbs.is_empty()) {
            let namespaced = resource.scope == ResourceScope::Namespaced;
            let columns = [
                resource.name.clone(),
                resource.short_names.join(","),
                list.group_version.to_string(),
                namespaced.to_string(),
                resource.kind.kind.clone(),
            ];
            let line = columns.into_iter().filter(|column| !column.is_empty()).collect::<Vec<_>>().join(" ");
            ours.push(((list.group_version.group.clone(), resource.name.clone()), line));
        }
    }
    ours.sort();
    let ours: Vec<String> = ours.into_iter().map(|(_, line)| line).filter(|line| is_built_in(&line.as_str())).collect();
    assert!(ours.len() > 50, "{}", ours.len());
    assert_eq!(ours, theirs);
    Ok(())
}

#[tokio::test]
async fn kubectls_files_are_read_and_ours_are_read_by_kubectl() -> TestResult {
    let folder = folder();
    let Some(before) = kubectl(folder.path(), &["api-resources", "--no-headers", "--api-group=apps"])? else {
        return Ok(());
    };
    let directory = folder.path().join("discovery").join(DiskCache::host_directory(client().rest_client()));
    let theirs = DiskCache::new(nobody(), &directory, HOUR);
    let apps = "apps/v1".parse()?;
    let list = theirs.resources(&apps).await?;
    assert_eq!(
        list.get("deployments").map(|resource| resource.short_names.as_slice()),
        Some(&["deploy".to_owned()][..])
    );
    assert!(theirs.groups().await?.iter().any(|group| group.name == "apps"));

    // A sign that kubectl reads what is there: a short name that only our file has.
    let ours = DiskCache::new(client().discovery(), &directory, HOUR);
    ours.invalidate();
    ours.groups_and_resources().await?;
    let file = directory.join("apps/v1/serverresources.json");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, text.replace("\"deploy\"", "\"only-in-the-file\""))?;
    let after = kubectl(folder.path(), &["api-resources", "--no-headers", "--api-group=apps", "--cached"])?;
    let after = after.unwrap_or_default();
    assert!(after.contains("only-in-the-file"), "{after}");
    let names = |table: &str| {
        table.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(names(&after), names(&before));
    Ok(())
}
