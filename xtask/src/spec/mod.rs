//! `cargo xtask spec update`: takes a Kubernetes version's facts into `api-specs`.

pub(crate) mod cluster;
mod folder;
mod module;
mod preview;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use k8s_client_codegen::{
    diff,
    spec::{self, Discovery, Files, GoSources, Markers, Release, Source, Version, proto},
    write,
};

#[cfg(not(feature = "cluster"))]
use crate::process;
use crate::{Result, api_diff, versions};

/// Works on the stored specs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Stores the facts of one Kubernetes version, in place of those stored for its minor version before.
    Update(Update),
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The Kubernetes version, such as 1.37.2. A cluster tells its own if none is given.
    #[arg(required_unless_present = "from_cluster")]
    version: Option<Version>,
    /// Reads the Go modules of the version, which Go's checksum database vouches for. This is the default.
    #[arg(long, group = "from")]
    from_module: bool,
    /// Reads a checkout of the Kubernetes repository.
    #[arg(long, group = "from", value_name = "DIR")]
    from_dir: Option<PathBuf>,
    /// Reads what a running API server publishes; what only sources tell stays as it was stored before.
    #[arg(long, group = "from")]
    from_cluster: bool,
    /// The kubeconfig of that server; by default $KUBECONFIG, then ~/.kube/config.
    #[arg(long, requires = "from_cluster", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Leaves api-specs as it is, and writes crates into this folder with the types and clients of what is new in the
    /// version: they work before there is a release of k8s-openapi that has its types.
    #[arg(long, value_name = "DIR")]
    preview: Option<PathBuf>,
}

#[cfg(test)]
impl Update {
    /// `spec update VERSION --from-dir FOLDER`
    pub(crate) fn from_folder(version: &str, folder: &Path) -> Self {
        let version = Some(version.parse().unwrap());
        let from_dir = Some(folder.to_owned());
        Self { version, from_module: false, from_dir, from_cluster: false, kubeconfig: None, preview: None }
    }

    /// The same with `--preview FOLDER`.
    pub(crate) fn preview(mut self, folder: &Path) -> Self {
        self.preview = Some(folder.to_owned());
        self
    }
}

/// What one of the sources gives.
struct Upstream {
    source: Source,
    /// `OpenAPI` documents by the name a server publishes them under: `apis/apps/v1`.
    documents: BTreeMap<String, String>,
    /// What discovery adds to them; `None` if the source has it in another form.
    discovery: Option<Discovery>,
    /// What the source has of protobuf and Go; `None` if it has none at all.
    definitions: Option<Definitions>,
}

/// What tells how messages look, and what is marked in their sources.
struct Definitions {
    /// `generated.proto` files by path.
    messages: BTreeMap<String, String>,
    /// The Go sources beside them, which have the structs of the messages.
    sources: BTreeMap<String, String>,
    /// The file with the feature gates: its path and text.
    gates: (String, String),
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let Command::Update(command) = command;
    update(&crate::root(), command)
}

/// Takes a version into the `api-specs` below the root.
pub(crate) fn update(root: &Path, update: &Update) -> Result<()> {
    #[cfg(not(feature = "cluster"))]
    if update.from_cluster {
        let status = process::with_client()?;
        return if status.success() { Ok(()) } else { Err(format!("`spec update` with a client: {status}").into()) };
    }
    let upstream = match (update.version, &update.from_dir) {
        #[cfg(feature = "cluster")]
        (version, None) if update.from_cluster => cluster::read(version, update.kubeconfig.as_deref())?,
        (Some(version), Some(folder)) => folder::read(version, folder)?,
        (Some(version), None) => module::read(version)?,
        (None, _) => return Err("give the Kubernetes version, such as 1.37.2".into()),
    };
    let folder = root.join("api-specs").join(upstream.source.version.folder());
    let old = if folder.exists() { spec::read_dir(&folder)? } else { Files::new() };
    let new = store(upstream, &old)?;
    if let Some(output) = &update.preview {
        preview::write(root, &new, output)?;
        return print_changes(root, &old, &new);
    }
    replace(&folder, &new)?;
    report(&folder, &old, &new);
    print_changes(root, &old, &new)
}

/// Prints what the API has that it had not before: in the same minor version, or in the one before if this one is new.
fn print_changes(root: &Path, old: &Files, new: &Files) -> Result<()> {
    let new = spec::load(new)?;
    let specs = root.join("api-specs");
    let before = if old.is_empty() {
        let stored = versions::stored(&specs)?;
        let Version { major, minor, .. } = new.version();
        let is_older = |folder: &&String| {
            let release: Option<Release> = folder.trim_start_matches('v').parse().ok();
            release.is_some_and(|release| release < Release { major, minor })
        };
        stored.iter().rfind(is_older).map(|folder| spec::read_dir(&specs.join(folder))).transpose()?
    } else {
        Some(old.clone())
    };
    if let Some(before) = before {
        print!("\n{}", diff::text(&api_diff::compare(&spec::load(&before)?, &new)));
    }
    Ok(())
}

/// Makes the files to store, and makes sure that they can be loaded.
fn store(upstream: Upstream, old: &Files) -> Result<Files> {
    let mut source = upstream.source;
    let mut files = spec::intake(&upstream.documents)?;
    let mut markers = old.get("markers.json").cloned();
    let table = if let Some(definitions) = upstream.definitions {
        fn texts(files: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
            files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
        }
        let packages = proto::packages_of_folders(texts(&definitions.messages))?;
        let table = proto::parse(texts(&definitions.messages))?.with_go(&packages, texts(&definitions.sources))?;
        let gates = (definitions.gates.0.as_str(), definitions.gates.1.as_str());
        let sources = GoSources { packages: &packages, files: &definitions.sources, gates };
        markers = Some(Markers::take_in(&sources, source.version, &spec::schemas(&files)?)?.stored());
        table.restricted_to(&proto::packages(&files)).to_string()
    } else {
        let before = old.get("SOURCE").map(|text| text.parse::<Source>()).transpose()?;
        let none = || vec!["none: a server does not publish field numbers".to_owned()];
        source.protobuf = before.map_or_else(none, |source| source.protobuf);
        old.get("protobuf.txt").cloned().unwrap_or_default()
    };
    let discovery = upstream.discovery.map(|discovery| discovery.stored());
    if let Some(text) = discovery.or_else(|| old.get("discovery.json").cloned()) {
        files.insert("discovery.json".to_owned(), text);
    }
    files.extend(markers.map(|text| ("markers.json".to_owned(), text)));
    files.insert("protobuf.txt".to_owned(), table);
    files.insert("SOURCE".to_owned(), source.to_string());
    let lost = spec::load(&files)?.properties_without_field();
    if !lost.is_empty() {
        return Err(format!("protobuf has no fields for {}", lost.join(", ")).into());
    }
    Ok(files)
}

/// Writes into a fresh folder beside the old one and then takes its place, so that a failure leaves the old one whole.
fn replace(folder: &Path, files: &Files) -> Result<()> {
    let fresh = PathBuf::from(format!("{}.new", folder.display()));
    let on = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| format!("{path}: {error}")
    };
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(on(&fresh))?;
    }
    files.keys().try_for_each(|name| write::check_path(name))?;
    for (name, text) in files {
        let path = fresh.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(on(parent))?;
        }
        fs::write(&path, text).map_err(on(&path))?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(on(folder))?;
    }
    fs::rename(&fresh, folder).map_err(on(folder))?;
    Ok(())
}

/// Prints what changed, file by file.
fn report(folder: &Path, old: &Files, new: &Files) {
    let mut unchanged = 0;
    for (name, text) in new {
        match old.get(name) {
            None => println!("added    {name}"),
            Some(before) if before != text => println!("changed  {name}"),
            Some(_) => unchanged += 1,
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        println!("removed  {name}");
    }
    let kilobytes = new.values().map(String::len).sum::<usize>() / 1024;
    println!("{}: {} files, {kilobytes} KiB, {unchanged} unchanged", folder.display(), new.len());
}

/// Reads the files of `folder` whose name `name_of` knows, by that name.
fn read_folder(folder: &Path, name_of: impl Fn(&str) -> Option<String>) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().and_then(|name| name_of(name.to_str()?)) {
            files.insert(name, fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    Ok(files)
}

/// Reads the `OpenAPI` documents of a Kubernetes source tree.
fn read_documents(tree: &Path) -> Result<BTreeMap<String, String>> {
    let folder = tree.join("api/openapi-spec/v3");
    let documents = read_folder(&folder, spec::document_name)?;
    if documents.is_empty() {
        return Err(format!("{}: no `*_openapi.json` here; is it a Kubernetes source tree?", folder.display()).into());
    }
    Ok(documents)
}

/// Reads the answers of discovery that a Kubernetes source tree has.
fn read_discovery(tree: &Path) -> Result<Discovery> {
    let read = |name: &str| {
        let path = tree.join("api/discovery").join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    Ok(Discovery::take_in(&read("aggregated_v2.json")?, &read("api__v1.json")?)?)
}

/// Reads the definitions in folders, and the feature gates of a Kubernetes source tree.
fn read_definitions(tree: &Path, folders: &[PathBuf]) -> Result<Definitions> {
    let gates = tree.join("pkg/features/kube_features.go");
    let text = fs::read_to_string(&gates).map_err(|error| format!("{}: {error}", gates.display()))?;
    let gates = (gates.display().to_string(), text);
    let mut definitions = Definitions { messages: BTreeMap::new(), sources: BTreeMap::new(), gates };
    folders.iter().try_for_each(|folder| add_definitions(folder, &mut definitions))?;
    Ok(definitions)
}

/// Adds the `generated.proto` files at or below `folder`, and the Go sources beside them.
fn add_definitions(folder: &Path, definitions: &mut Definitions) -> Result<()> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let definition = folder.join("generated.proto");
    let has_messages = definition.is_file();
    if has_messages {
        definitions.messages.insert(definition.display().to_string(), read(&definition)?);
    }
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            add_definitions(&path, definitions)?;
        } else if has_messages && path.file_name().and_then(|name| name.to_str()).is_some_and(has_facts) {
            definitions.sources.insert(path.display().to_string(), read(&path)?);
        }
    }
    Ok(())
}

/// Whether a file is Go that somebody wrote, other than tests, or has the releases in which kinds come and go.
fn has_facts(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".go") else { return false };
    if name == "zz_generated.prerelease-lifecycle" {
        return true;
    }
    !name.starts_with("generated.") && !name.starts_with("zz_generated.") && !name.ends_with("_test")
}

/// The modules whose types the API has.
const DEFINITION_MODULES: [&str; 4] =
    ["k8s.io/api", "k8s.io/apiextensions-apiserver", "k8s.io/apimachinery", "k8s.io/kube-aggregator"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_where_a_file_would_leave_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("api-specs/v1.37");
        let good = ("SOURCE".to_owned(), "version: 1.37.0\n".to_owned());
        replace(&folder, &Files::from([good.clone()])).unwrap();
        for name in ["../../escaped.json", "schemas/../../../escaped/package.json", "/tmp/escaped.json"] {
            let files = Files::from([good.clone(), (name.to_owned(), "{}".to_owned())]);
            let error = replace(&folder, &files).unwrap_err().to_string();
            assert!(error.contains("leads out of its folder"), "{name}: {error}");
        }
        assert_eq!(spec::read_dir(root.path()).unwrap().into_keys().collect::<Vec<_>>(), ["api-specs/v1.37/SOURCE"]);
    }
}
