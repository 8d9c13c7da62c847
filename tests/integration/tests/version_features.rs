//! A program that chooses no Kubernetes version, or two, is stopped by one sentence that names its own features.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use k8s_client_integration_tests::TestResult;

/// The root of the repository.
fn root() -> TestResult<&'static Path> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("tests are two folders below the root")?)
}

/// The features of all Kubernetes versions, oldest first.
fn versions() -> TestResult<Vec<String>> {
    let folders = fs::read_dir(root()?.join("api-specs"))?.map(|folder| Ok(folder?.file_name()));
    let folders: Vec<_> = folders.collect::<std::io::Result<_>>()?;
    let mut versions: Vec<String> = folders.iter().map(|name| name.to_string_lossy().replace('.', "_")).collect();
    versions.sort();
    Ok(versions)
}

/// Checks a program that depends on k8s-client with these features, as cargo in a user's hands would.
fn check(name: &str, features: &[&str]) -> TestResult<Output> {
    let root = root()?;
    let program = tempfile::tempdir()?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies.k8s-client]\npath = {:?}\n\
         default-features = false\nfeatures = {features:?}\n",
        root.join("crates/clientset").to_string_lossy(),
    );
    fs::write(program.path().join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), program.path().join("Cargo.lock"))?;
    fs::create_dir(program.path().join("src"))?;
    fs::write(program.path().join("src/main.rs"), "fn main() {}\n")?;
    let cargo = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--color=never"])
        .current_dir(program.path())
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("version_features"))
        .env_remove("K8S_OPENAPI_ENABLED_VERSION")
        .output()?;
    Ok(cargo)
}

/// What a user reads, of a build that must fail. It is asked for twice, since the second time cargo has less to do
/// before it comes to k8s-openapi.
fn refused(name: &str, features: &[&str]) -> TestResult<String> {
    let versions = versions()?;
    let (oldest, newest) = (versions.first().ok_or("no specs")?, versions.last().ok_or("no specs")?);
    let sentence = format!("k8s-client: choose one of the features {oldest} … {newest}, latest");
    let mut said = String::new();
    for _ in 0..2 {
        let output = check(name, features)?;
        let text = String::from_utf8(output.stderr)?;
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(&sentence), "{text}");
        said = text;
    }
    Ok(said)
}

#[test]
fn no_kubernetes_version_is_an_error_that_names_the_features() -> TestResult {
    let said = refused("chooses-none", &["ring"])?;
    assert!(!said.contains("several are enabled"), "{said}");
    Ok(())
}

#[test]
fn two_kubernetes_versions_are_an_error_that_names_the_features() -> TestResult {
    let said = refused("chooses-two", &["ring", "latest", &versions()?[0]])?;
    assert!(said.contains("several are enabled, by this program or by its dependencies"), "{said}");
    Ok(())
}
