//! Typed clients of custom resources: what k8s-client has for Kubernetes' own groups, made of
//! CustomResourceDefinitions.
//!
//! Each API group becomes a crate or a module, with a module for each version. In it are the types of the objects, a
//! client for each resource with exactly the methods that its definition gives it, and apply configurations.
//!
//! Most use the command, `k8s-client-generate`; README.md shows how. This library is the same for build scripts. They
//! need none of the default features.
//!
//! ```no_run
//! // build.rs
//! use k8s_client_generate::Generator;
//!
//! # fn main() -> Result<(), k8s_client_generate::Error> {
//! let output = std::env::var("OUT_DIR").expect("cargo sets it");
//! Generator::new().path("crds").modules().names("crds/names").print_rerun_if_changed().write(output.as_ref())?;
//! # Ok(())
//! # }
//! ```
//!
//! The library has `include!(concat!(env!("OUT_DIR"), "/mod.rs"));` in a module of its own, and these dependencies:
//! `k8s-client-runtime`, `k8s-client-api-meta` and `k8s-openapi`, and `k8s-client-api-autoscaling` if a resource can be
//! scaled.

#[cfg(feature = "cluster")]
#[doc(hidden)]
pub mod cluster;
mod input;
mod output;
#[cfg(feature = "diff")]
#[doc(hidden)]
pub mod report;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

pub use k8s_client_codegen::Error;
use k8s_client_codegen::{
    crd::{Definition, Group, Names, Reader},
    emit::{Dependencies, Layout},
};

#[doc(hidden)]
pub use self::input::decoded;
pub use self::output::Difference;

/// Makes crates or modules of definitions.
///
/// ```
/// use k8s_client_generate::Generator;
///
/// let definition = r#"
/// apiVersion: apiextensions.k8s.io/v1
/// kind: CustomResourceDefinition
/// metadata: { name: crontabs.stable.example.com }
/// spec:
///   group: stable.example.com
///   scope: Namespaced
///   names: { kind: CronTab, plural: crontabs }
///   versions:
///   - name: v1
///     served: true
///     storage: true
///     schema:
///       openAPIV3Schema:
///         type: object
///         properties:
///           spec: { type: object, properties: { schedule: { type: string } } }
/// "#;
/// let files = Generator::new().text("crontab.yaml", definition).files()?;
/// assert!(files["stable/src/v1/types.rs"].contains("schedule(\"schedule\"): String"));
/// # Ok::<(), k8s_client_generate::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Generator {
    paths: Vec<PathBuf>,
    given: Vec<(String, Given)>,
    groups: Vec<String>,
    modules: bool,
    package: Option<String>,
    workspace: bool,
    descriptions: bool,
    names: Option<PathBuf>,
    rerun_if_changed: bool,
}

/// Definitions that are not in a file.
#[derive(Clone, Debug)]
enum Given {
    Text(String),
    Value(serde_json::Value),
}

impl Generator {
    /// A generator without definitions, which makes crates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or the files of a folder that end in `.yaml`, `.yml` or `.json`, in whatever depth. Those of a
    /// folder that name no definition are passed over.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Adds the definitions in a text of YAML or JSON. `name` is for messages.
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.given.push((name.into(), Given::Text(text.into())));
        self
    }

    /// Adds the definitions in what a server answered: an object, or a list of them. `name` is for messages.
    pub fn value(mut self, name: impl Into<String>, value: serde_json::Value) -> Self {
        self.given.push((name.into(), Given::Value(value)));
        self
    }

    /// Takes the definitions of this API group alone, or of several that are named one by one. Those of others are not
    /// even checked: a cluster may have old ones that no server would take now.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.groups.push(name.into());
        self
    }

    /// Makes modules in place of crates: a folder for each group, and a `mod.rs` beside them.
    pub fn modules(mut self) -> Self {
        self.modules = true;
        self
    }

    /// The name of the package, where there is one group. By default it is the first label of the group's name with
    /// `-client` behind it.
    pub fn package(mut self, name: impl Into<String>) -> Self {
        self.package = Some(name.into());
        self
    }

    /// Takes dependencies, version, edition and lints of the workspace (`workspace = true`).
    pub fn workspace_dependencies(mut self) -> Self {
        self.workspace = true;
        self
    }

    /// Takes the descriptions of the schema into the docs of fields. They may be long, and have a licence of their own.
    pub fn descriptions(mut self) -> Self {
        self.descriptions = true;
        self
    }

    /// The folder of the names files, `<group>.toml`. By default each is `names.toml` in the folder of its group; a
    /// build script needs one, since its output is thrown away.
    pub fn names(mut self, folder: impl Into<PathBuf>) -> Self {
        self.names = Some(folder.into());
        self
    }

    /// Tells cargo, which runs the build script, to run it again when one of the [paths](Self::path) has changed.
    pub fn print_rerun_if_changed(mut self) -> Self {
        self.rerun_if_changed = true;
        self
    }

    /// The files by their paths from the output's folder, as they are without names files from earlier runs.
    ///
    /// # Errors
    ///
    /// When a definition cannot be read, two contradict each other, or there is none. The message names file and place,
    /// in a line for each definition that is wrong; nothing is made of the others then.
    pub fn files(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(self.generated(None)?.files)
    }

    /// What [`write`](Self::write) would change in a folder.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files), and when a file cannot be read.
    pub fn check(&self, output: &Path) -> Result<Difference, Error> {
        output::compare(&self.generated(Some(output))?)
    }

    /// Makes the files in a folder what they should be, and says what was different. Files that an earlier run made and
    /// this one does not are removed; others are left alone.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files), and when a file cannot be read or written.
    pub fn write(&self, output: &Path) -> Result<Difference, Error> {
        if self.rerun_if_changed {
            self.paths.iter().for_each(|path| println!("cargo::rerun-if-changed={}", path.display()));
        }
        let generated = self.generated(Some(output))?;
        let difference = output::compare(&generated)?;
        output::replace(&generated, &difference)?;
        Ok(difference)
    }

    /// The definitions of all that was added, without those of other groups. Not covered by semver: its type is the
    /// generator's own.
    #[doc(hidden)]
    pub fn definitions(&self) -> Result<Vec<Definition>, Error> {
        let mut reader = Reader::new(&self.groups);
        for (name, given) in &self.given {
            match given {
                Given::Text(text) => reader.text(name, text),
                Given::Value(value) => reader.value(name, value),
            }
        }
        input::read(&self.paths, &mut reader);
        let found = reader.found();
        let definitions = reader.finish()?;
        if definitions.is_empty() { Err(self.nothing(found)) } else { Ok(definitions) }
    }

    fn generated(&self, output: Option<&Path>) -> Result<output::Generated, Error> {
        let groups = Group::all(self.definitions()?)?;
        if let (Some(package), [first, second, ..]) = (&self.package, groups.as_slice()) {
            let message = format!(
                "one package cannot be of two groups, `{}` and `{}`: choose one of them, or leave the name out",
                first.name, second.name
            );
            return Err(Error::file(package.as_str(), message));
        }
        let mut generated = output::Generated::new(output);
        for group in &groups {
            let folder = self.folder(group);
            let layout = self.layout(group)?;
            let names = match &self.names {
                Some(folder) => folder.join(format!("{}.toml", group.module)),
                None => output.map(|output| output.join(&folder).join(output::NAMES)).unwrap_or_default(),
            };
            let known = match output::read(&names)? {
                Some(text) => Names::parse(&names.display().to_string(), &text)?,
                None => Names::default(),
            };
            let mut files = group.files(&layout, &known, self.descriptions)?;
            if self.names.is_some()
                && let Some(text) = files.remove(output::NAMES)
            {
                generated.elsewhere.insert(names, text);
            }
            generated.folders.push(if self.modules { folder.clone() } else { format!("{folder}/src") });
            generated.files.extend(files.into_iter().map(|(path, text)| (format!("{folder}/{path}"), text)));
        }
        if self.modules {
            // A build script's output is included, where docs of the module cannot stand.
            let mut text = format!("// {}.\n", output::HEADER);
            for group in &groups {
                let _ = write!(text, "\n/// The API group `{}`.\npub mod {};\n", group.name, group.module);
            }
            generated.files.insert("mod.rs".to_owned(), text);
        }
        Ok(generated)
    }

    fn folder(&self, group: &Group) -> String {
        if self.modules { group.module.clone() } else { group.module.trim_end_matches('_').replace('_', "-") }
    }

    fn layout(&self, group: &Group) -> Result<Layout, Error> {
        if self.modules {
            return Ok(Layout::Module);
        }
        let package = self.package.clone().unwrap_or_else(|| format!("{}-client", self.folder(group)));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !package.starts_with(|c: char| c.is_ascii_alphabetic()) || !package.chars().all(plain) {
            return Err(Error::file(package, "cannot be the name of a package: it needs letters, digits and dashes"));
        }
        let dependencies = if self.workspace { Dependencies::Workspace } else { Dependencies::Released };
        Ok(Layout::Crate { package, dependencies })
    }

    /// The error that there is nothing to do.
    fn nothing(&self, found: usize) -> Error {
        let paths = self.paths.iter().map(|path| path.display().to_string());
        let given = self.given.iter().map(|(name, _)| name.clone());
        let paths: Vec<String> = given.chain(paths).collect();
        let place = if paths.is_empty() { "definitions".to_owned() } else { paths.join(", ") };
        let message = match self.groups.as_slice() {
            [] => "no CustomResourceDefinition (apiextensions.k8s.io/v1) was found".to_owned(),
            groups => format!("{found} CustomResourceDefinitions were found, none of the group {}", groups.join(", ")),
        };
        Error::file(place, message)
    }
}

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
