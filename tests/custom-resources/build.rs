//! Makes the clients of all definitions, and a table of their kinds; and those of kinds of Kubernetes itself that are
//! new in the newest stored version.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use k8s_client_codegen::{
    crd::{Definition, Group, Names, preview},
    emit::Layout,
    policy::Policy,
    spec::{self, Spec},
};
use k8s_client_generate::Generator;

fn main() -> Result<(), Box<dyn Error>> {
    let output = PathBuf::from(env::var("OUT_DIR")?);
    Generator::new().path("definitions").modules().print_rerun_if_changed().write(&output)?;

    let mut definitions = Vec::new();
    let files =
        |folder: &str| fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut files = [files("definitions")?, files("definitions/odd")?].concat();
    files.sort();
    let has_definitions = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "json" || ending == "yaml");
    for file in files.into_iter().filter(has_definitions) {
        let name = format!("{}/{}", env::var("CARGO_MANIFEST_DIR")?, file.display());
        definitions.extend(Definition::read(&name, &fs::read_to_string(file)?)?);
    }
    let mut table = "kinds! {\n".to_owned();
    for group in Group::all(definitions)? {
        let model = group.model()?;
        for (of, version) in model.groups.iter().flat_map(|of| of.versions.iter().map(move |version| (of, version))) {
            for resource in &version.resources {
                let definition = group.definitions().iter().find(|definition| definition.names.kind == resource.kind);
                // Behind the path stands which document of the file it is.
                let file = definition.and_then(|definition| definition.file.split(" (").next()).unwrap_or_default();
                let (module, name) = (format!("{}::{}", group.module, version.module), &resource.object.name);
                let (kind, plural) = (&resource.kind, &resource.plural);
                writeln!(
                    table,
                    "    {module} {name} {name}ApplyConfiguration ({:?}, {:?}, {kind:?}, {plural:?}, {file:?}),",
                    of.name, version.name
                )?;
            }
        }
    }
    table.push_str("}\n");
    fs::write(output.join("table.rs"), table)?;
    preview_modules(&output)
}

/// Groups of which the preview of the newest version is compiled: that without a name, one that has pods inside of its
/// kinds, and one whose `v1` is new.
const PREVIEWED: [&str; 3] = ["batch", "core", "resource"];

/// Writes what the newest stored version has and the oldest has not.
fn preview_modules(output: &Path) -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let (specs, policy) = (root.join("api-specs"), root.join("codegen/groups.toml"));
    println!("cargo::rerun-if-changed={}\ncargo::rerun-if-changed={}", specs.display(), policy.display());
    let folders = fs::read_dir(&specs)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let mut specs: Vec<Spec> = folders
        .iter()
        .map(|folder| spec::load(&spec::read_dir(folder)?))
        .collect::<Result<_, k8s_client_codegen::Error>>()?;
    specs.sort_by_key(Spec::version);
    let [oldest, .., newest] = specs.as_slice() else { return Err("api-specs has no two versions".into()) };
    let policy = Policy::parse("codegen/groups.toml", &fs::read_to_string(policy)?)?;
    let mut modules = String::new();
    for group in preview(newest, oldest, &policy)?.iter().filter(|group| PREVIEWED.contains(&&*group.module)) {
        let folder = output.join("preview").join(&group.module);
        for (path, text) in group.files(&Layout::Module, &Names::default(), false)? {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, text)?;
        }
        let path = folder.join("mod.rs");
        writeln!(modules, "#[path = {:?}]\npub mod {};", path.display().to_string(), group.module)?;
    }
    fs::write(output.join("preview.rs"), modules)?;
    Ok(())
}
