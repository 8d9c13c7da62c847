//! `cargo xtask regenerate`: makes all generated files, or checks that they are what the generator would make.

use std::{collections::BTreeSet, fs, path::Path, thread, time::Instant};

use clap::Args;
use k8s_client_codegen::{
    Error,
    emit::Formatter,
    fixups, generate,
    policy::Policy,
    spec::{self, Spec},
    write::{self, Difference},
};
use k8s_client_generate::Generator;

use crate::{Result, process};

/// Makes the crates of the API groups, and what else follows from the stored specs.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// Writes nothing; names each file that would change and fails if there is one.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let start = Instant::now();
    let difference = regenerate(&crate::root(), &Types::of_workspace()?, command.check)?;
    for (paths, what) in
        [(&difference.changed, "changed"), (&difference.missing, "missing"), (&difference.extra, "extra")]
    {
        for path in paths {
            eprintln!("  {what}: {path}");
        }
    }
    let example = regenerate_example(&crate::root(), command.check)?;
    eprint!("{example}");
    let count = difference.changed.len() + difference.missing.len() + difference.extra.len() + example.len();
    if command.check && count > 0 {
        return Err(format!("files that are not as generated: {count}; run `cargo xtask regenerate`").into());
    }
    eprintln!("files that differed: {count}, in {:.1?}", start.elapsed());
    Ok(())
}

/// What there is of k8s-openapi, whose types the generated crates use.
struct Types {
    release: String,
    /// Its features, of which `v1_37` and the like are the types of one Kubernetes version.
    features: BTreeSet<String>,
}

impl Types {
    /// The release that `Cargo.lock` names.
    fn of_workspace() -> Result<Self> {
        let metadata = process::metadata()?;
        let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let package = packages.iter().find(|package| package["name"] == "k8s-openapi");
        let package = package.ok_or("cargo metadata: there is no package k8s-openapi")?;
        let features = package["features"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
        Ok(Self { release: package["version"].as_str().unwrap_or_default().to_owned(), features })
    }

    /// Fails if a stored version has no types, before anything is written that would not compile.
    fn check(&self, specs: &[Spec]) -> Result<()> {
        for version in specs.iter().map(Spec::version) {
            let feature = version.feature();
            if !self.features.contains(&feature) {
                let (folder, release) = (version.folder(), &self.release);
                return Err(format!(
                    "k8s-openapi {release} has no types of Kubernetes {version} (its feature {feature}). Raise it in the root \
                     Cargo.toml to a release that has them and run `cargo update k8s-openapi`, or remove api-specs/{folder}; \
                     `cargo xtask spec update {version} --preview FOLDER` makes crates of what is new until there is one"
                )
                .into());
            }
        }
        Ok(())
    }
}

/// Compares what is below the root with what follows from its specs, and makes it so unless it is only to be `checked`.
fn regenerate(root: &Path, types: &Types, checked: bool) -> Result<Difference> {
    eprintln!("reading api-specs");
    let mut specs = specs(&root.join("api-specs"))?;
    types.check(&specs)?;
    specs.iter_mut().try_for_each(fixups::apply)?;
    let policy = fs::read_to_string(root.join("codegen/groups.toml"))?;
    let policy = Policy::parse("codegen/groups.toml", &policy)?;
    let versions: Vec<String> = specs.iter().map(|spec| spec.version().to_string()).collect();
    eprintln!("generating for Kubernetes {}", versions.join(", "));
    let generated = generate(&specs, &policy, &Formatter { root: root.to_owned() })?;
    let files = write::complete(root, generated)?;
    let difference = write::compare(root, &files)?;
    if !checked {
        write::replace(root, &files, &difference)?;
    }
    Ok(difference)
}

/// The same for the example whose crate is made of a definition.
fn regenerate_example(root: &Path, checked: bool) -> Result<k8s_client_generate::Difference> {
    let example = root.join("examples/custom-group");
    let generator = Generator::new().path(example.join("definitions")).workspace_dependencies();
    let output = example.join("generated");
    Ok(if checked { generator.check(&output)? } else { generator.write(&output)? })
}

/// Loads all stored versions, oldest first.
pub(crate) fn specs(folder: &Path) -> Result<Vec<Spec>> {
    let folders: Vec<_> = crate::versions::stored(folder)?.into_iter().map(|name| folder.join(name)).collect();
    let specs: std::result::Result<Vec<Spec>, String> = thread::scope(|scope| {
        let loads: Vec<_> = folders.iter().map(|folder| scope.spawn(|| load(folder))).collect();
        loads.into_iter().map(|load| load.join().unwrap_or_else(|_| Err("the loader panicked".to_owned()))).collect()
    });
    Ok(specs?)
}

/// Loads one version; the error is a message, so that it can come from another thread.
fn load(folder: &Path) -> std::result::Result<Spec, String> {
    let wrong = |error: Error| format!("{}/{error}", folder.display());
    spec::read_dir(folder).and_then(|files| spec::load(&files)).map_err(wrong)
}

#[cfg(test)]
mod tests;
