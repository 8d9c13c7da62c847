//! The generator on a small hand-made spec with one of each case: `golden/spec.txt` gives `golden/expected`.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p k8s-client-codegen --test golden`, and read the difference.

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_client_codegen::{
    emit::{Files, Formatter},
    generate,
    policy::Policy,
    write,
};

#[test]
fn hand_made_spec_gives_the_expected_files() {
    let (files, expected) = (generated(), folder().join("expected"));
    let difference = write::compare(&expected, &files).expect("the expected files can be read");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        write::replace(&expected, &files, &difference).expect("the expected files can be written");
    } else {
        assert!(difference.is_empty(), "run with UPDATE_GOLDEN=1 and read the difference: {difference:#?}");
    }
}

/// The Kubernetes versions that the small spec has.
const VERSIONS: [&str; 2] = ["1.33", "1.34"];

#[test]
fn generating_twice_gives_the_same_bytes() {
    assert_eq!(generated(), generated());
}

/// The expected crates are compiled by cargo, in a workspace of their own with the settings of this one.
#[test]
fn expected_files_compile() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    let files = generated();
    let difference = write::compare(&folder, &files).expect("the folder can be read");
    write::replace(&folder, &files, &difference).expect("the folder can be written");
    fs::write(folder.join("Cargo.toml"), manifest()).expect("the manifest can be written");
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the workspace has a lock file");

    for version in VERSIONS {
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--workspace", "--features", "all-versions", "--all-targets"])
            .current_dir(&folder)
            .env("K8S_OPENAPI_ENABLED_VERSION", version)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            // What a warning says about generated code, it says about the generator.
            .env("RUSTFLAGS", "-D warnings")
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "with {version}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn generated() -> Files {
    let lines = fs::read_to_string(folder().join("spec.txt")).expect("the spec can be read");
    let specs = VERSIONS.map(|version| support::spec(version, &lines).expect("the spec is right"));
    let policy = fs::read_to_string(folder().join("groups.toml")).expect("the policy can be read");
    let policy = Policy::parse("groups.toml", &policy).expect("the policy is right");
    generate(&specs, &policy, &Formatter { root: root() }).expect("files can be made").files
}

/// This workspace's manifest with other members.
fn manifest() -> String {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest can be read");
    let mut manifest: toml::Table = text.parse().expect("it is TOML");
    let workspace = manifest["workspace"].as_table_mut().expect("a workspace");
    workspace.insert("members".to_owned(), vec!["crates/api/*"].into());
    workspace.insert("exclude".to_owned(), vec!["crates/api/CRATES.md"].into());
    workspace.remove("default-members");
    let dependencies = workspace["dependencies"].as_table_mut().expect("dependencies");
    for (_, dependency) in dependencies.iter_mut() {
        // Those of the groups are the expected ones, in this workspace.
        if let Some(path) = dependency.get_mut("path").filter(|path| !path.as_str().is_some_and(is_of_a_group)) {
            *path = root().join(path.as_str().expect("a path")).display().to_string().into();
        }
    }
    manifest.to_string()
}

fn is_of_a_group(path: &str) -> bool {
    path.starts_with("crates/api/")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("codegen lies in the workspace").to_owned()
}
