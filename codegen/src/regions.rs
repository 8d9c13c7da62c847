//! Regions of hand-written files that follow from the specs: tables of Kubernetes' versions and of our own crates.
//!
//! A region stands between `# regenerate: NAME` and `# regenerate: end`, or between the same words in comments of
//! Markdown.

use std::collections::BTreeSet;

use crate::{
    Error,
    emit::{
        Files, HEADER,
        names::{self, kubernetes_feature},
    },
    model::{META_CRATE, Model},
};

/// What makes the regions, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// The Kubernetes versions, oldest first: `1.33`.
    versions: Vec<String>,
    /// The folders below `crates/api`.
    crates: BTreeSet<String>,
}

/// What stands in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Region {
    /// The features of the Kubernetes versions, each of which enables those of these dependencies.
    Features(&'static [&'static str]),
    /// The same, with a name for the oldest version as well.
    FeaturesOfTests(&'static [&'static str]),
    /// Our published crates as dependencies, all of the workspace's version.
    Crates,
    /// The Kubernetes versions in words.
    Versions,
}

/// The region that a hand-written file has, given its path and text.
fn region_of(path: &str, text: &str) -> Option<Region> {
    match path {
        "Cargo.toml" => Some(Region::Crates),
        "README.md" => Some(Region::Versions),
        "tests/integration/Cargo.toml" => Some(Region::FeaturesOfTests(&["k8s-client"])),
        "crates/runtime/Cargo.toml" => Some(Region::Features(&["k8s-client-version", "k8s-openapi"])),
        "crates/version/Cargo.toml" => Some(Region::Features(&["k8s-client-version-check"])),
        "crates/version-check/Cargo.toml" => Some(Region::Features(&[])),
        // The manifest of another crate. Not all have to do with types.
        _ if text.contains(HEADER) => None,
        _ => text.contains("\nlatest = [").then_some(Region::Features(&["k8s-client-runtime"])),
    }
}

impl Region {
    fn name(self) -> &'static str {
        match self {
            Self::Features(_) | Self::FeaturesOfTests(_) => "features of Kubernetes versions",
            Self::Crates => "our crates",
            Self::Versions => "versions",
        }
    }
}

impl Regions {
    pub(crate) fn new(model: &Model) -> Self {
        let mut crates: BTreeSet<String> = model.groups.iter().map(|group| group.crate_name.clone()).collect();
        crates.insert(META_CRATE.to_owned());
        Self { versions: model.versions.clone(), crates }
    }

    /// Hand-written files with their regions as they should be, given all that may have one: among them the manifests
    /// of all crates, which are to be named in the root manifest.
    ///
    /// # Errors
    ///
    /// When a file lacks the markers of its region.
    pub fn fill(&self, texts: &Files) -> Result<Files, Error> {
        let by_hand: Vec<(String, String)> = texts.iter().filter_map(|(path, text)| crate_of(path, text)).collect();
        let filled = |(path, text): (&String, &String)| {
            let text = match region_of(path, text) {
                Some(region) => self.filled(path, text, region, &by_hand)?,
                None => text.clone(),
            };
            Ok((path.clone(), text))
        };
        texts.iter().map(filled).collect()
    }

    fn filled(&self, path: &str, text: &str, region: Region, by_hand: &[(String, String)]) -> Result<String, Error> {
        let name = region.name();
        let (begin, end) = if path.strip_suffix(".md").is_some() {
            (format!("<!-- regenerate: {name} -->"), "<!-- regenerate: end -->")
        } else {
            (format!("# regenerate: {name}\n"), "# regenerate: end\n")
        };
        let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let Some((before, after)) = parts else {
            let markers = format!("put `{}` and `{}` around it", begin.trim_end(), end.trim_end());
            return Err(Error::file(path, format!("lacks the markers of the region `{name}`: {markers}")));
        };
        let inside = match region {
            Region::Crates => self.crates(text, by_hand),
            region => self.text(region),
        };
        Ok([before, &begin, &inside, end, after].concat())
    }

    fn text(&self, region: Region) -> String {
        let (oldest, newest) = (self.versions.first(), self.versions.last());
        match region {
            Region::Features(dependencies) => features(&self.versions, dependencies),
            Region::FeaturesOfTests(dependencies) => {
                let oldest = oldest.map(|version| format!("oldest = [\"{}\"]\n", kubernetes_feature(version)));
                features(&self.versions, dependencies) + &oldest.unwrap_or_default()
            }
            Region::Crates | Region::Versions => match (oldest, newest) {
                (Some(oldest), Some(newest)) if oldest != newest => format!("{oldest} to {newest}"),
                (oldest, _) => oldest.cloned().unwrap_or_default(),
            },
        }
    }

    fn crates(&self, manifest: &str, by_hand: &[(String, String)]) -> String {
        let package = manifest.lines().skip_while(|line| *line != "[workspace.package]");
        let version = value_of(package, "version").unwrap_or_default();
        let mut crates = by_hand.to_vec();
        crates.extend(self.crates.iter().map(|name| (names::package(name), format!("crates/api/{name}"))));
        crates.sort();
        let line = |(name, folder): (String, String)| {
            format!("{name} = {{ path = \"{folder}\", version = \"{version}\", default-features = false }}\n")
        };
        crates.into_iter().map(line).collect()
    }
}

/// The name and the folder of the crate that a manifest is of.
fn crate_of(path: &str, text: &str) -> Option<(String, String)> {
    let folder = path.strip_suffix("/Cargo.toml").filter(|path| path.starts_with("crates/") || *path == "codegen")?;
    Some((value_of(text.lines(), "name")?.to_owned(), folder.to_owned()))
}

/// The first text that a manifest's lines give a key.
fn value_of<'a>(mut lines: impl Iterator<Item = &'a str>, key: &str) -> Option<&'a str> {
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

/// The features of the Kubernetes versions, as every manifest has them.
pub(crate) fn features(versions: &[String], dependencies: &[&str]) -> String {
    let feature = |version: &String| {
        let feature = kubernetes_feature(version);
        let enabled: Vec<String> = dependencies.iter().map(|name| format!("\"{name}/{feature}\"")).collect();
        format!("{feature} = [{}]\n", enabled.join(", "))
    };
    let latest = versions.last().map(|newest| format!("latest = [\"{}\"]\n", kubernetes_feature(newest)));
    versions.iter().map(feature).chain(latest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> Regions {
        Regions {
            versions: vec!["1.36".to_owned(), "1.37".to_owned()],
            crates: ["apps", META_CRATE].map(str::to_owned).into(),
        }
    }

    fn filled(path: &str, text: &str) -> Result<String, Error> {
        let manifest = |name: &str| format!("[package]\nname = \"{name}\"\n");
        let files = [("crates/clientset/Cargo.toml", manifest("k8s-client")), (path, text.to_owned())];
        let files: Files = files.map(|(path, text)| (path.to_owned(), text)).into();
        Ok(regions().fill(&files)?[path].clone())
    }

    #[test]
    fn regions_are_filled_and_the_rest_stays() {
        let manifest = "[features]\na = []\n# regenerate: features of Kubernetes versions\nold = []\nlatest = []\n\
                        # regenerate: end\nb = []\n";
        assert_eq!(
            filled("crates/dynamic/Cargo.toml", manifest).unwrap(),
            "[features]\na = []\n# regenerate: features of Kubernetes versions\nv1_36 = [\"k8s-client-runtime/v1_36\"]\n\
             v1_37 = [\"k8s-client-runtime/v1_37\"]\nlatest = [\"v1_37\"]\n# regenerate: end\nb = []\n"
        );
        let table = |inside: &str| {
            format!("# regenerate: features of Kubernetes versions\n{inside}latest = [\"v1_37\"]\n# regenerate: end\n")
        };
        assert_eq!(
            filled("crates/runtime/Cargo.toml", &table("")).unwrap(),
            table(
                "v1_36 = [\"k8s-client-version/v1_36\", \"k8s-openapi/v1_36\"]\n\
                 v1_37 = [\"k8s-client-version/v1_37\", \"k8s-openapi/v1_37\"]\n"
            )
        );
        assert_eq!(filled("crates/version-check/Cargo.toml", &table("")).unwrap(), table("v1_36 = []\nv1_37 = []\n"));
        let readme = "Kubernetes <!-- regenerate: versions -->1.2<!-- regenerate: end -->, all of it.";
        assert_eq!(
            filled("README.md", readme).unwrap(),
            "Kubernetes <!-- regenerate: versions -->1.36 to 1.37<!-- regenerate: end -->, all of it."
        );
        let without = "[package]\nname = \"k8s-client-queue\"\n";
        assert_eq!(filled("crates/queue/Cargo.toml", without).unwrap(), without);
    }

    #[test]
    fn our_crates_have_the_workspaces_version() {
        let manifest = "[workspace.package]\nversion = \"3.2.1\"\n# regenerate: our crates\n# regenerate: end\n";
        let filled = filled("Cargo.toml", manifest).unwrap();
        for (name, folder) in [
            ("k8s-client", "crates/clientset"),
            ("k8s-client-api-apps", "crates/api/apps"),
            ("k8s-client-api-meta", "crates/api/meta"),
        ] {
            let line = format!("{name} = {{ path = \"{folder}\", version = \"3.2.1\", default-features = false }}\n");
            assert!(filled.contains(&line), "{filled}");
        }
        assert_eq!(filled.matches("3.2.1").count(), 4, "{filled}");
    }

    #[test]
    fn a_file_without_its_markers_is_an_error_that_says_what_to_do() {
        let error = filled("crates/new/Cargo.toml", "[features]\nlatest = []\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "crates/new/Cargo.toml: lacks the markers of the region `features of Kubernetes versions`: put \
             `# regenerate: features of Kubernetes versions` and `# regenerate: end` around it"
        );
    }
}
