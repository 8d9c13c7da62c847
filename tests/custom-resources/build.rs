//! Makes the clients of all definitions, and a table of their kinds.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use k8s_client_codegen::crd::{Definition, Group};
use k8s_client_generate::Generator;

fn main() -> Result<(), Box<dyn Error>> {
    let output = PathBuf::from(env::var("OUT_DIR")?);
    Generator::new().path("definitions").modules().print_rerun_if_changed().write(&output)?;

    let mut definitions = Vec::new();
    let mut files: Vec<PathBuf> =
        fs::read_dir("definitions")?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        let name = format!("{}/{}", env::var("CARGO_MANIFEST_DIR")?, file.display());
        definitions.extend(Definition::read(&name, &fs::read_to_string(file)?)?);
    }
    let mut table = "kinds! {\n".to_owned();
    for group in Group::all(definitions)? {
        let model = group.model()?;
        for (of, version) in model.groups.iter().flat_map(|of| of.versions.iter().map(move |version| (of, version))) {
            for resource in &version.resources {
                let definition = group.definitions().iter().find(|definition| definition.names.kind == resource.kind);
                let file = definition.map(|definition| definition.file.clone()).unwrap_or_default();
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
    Ok(())
}
