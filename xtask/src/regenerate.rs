//! `cargo xtask regenerate`: makes all generated files, or checks that they are what the generator would make.

use std::{fs, path::Path, thread, time::Instant};

use clap::Args;
use k8s_client_codegen::{
    Error,
    emit::Formatter,
    fixups, generate,
    policy::Policy,
    spec::{self, Spec},
    write,
};

use crate::Result;

/// Makes the crates of the API groups, and what else follows from the stored specs.
#[derive(Debug, Args)]
pub(crate) struct Command {
    /// Writes nothing; names each file that would change and fails if there is one.
    #[arg(long)]
    pub(crate) check: bool,
}

pub(crate) fn run(command: &Command) -> Result<()> {
    let (root, start) = (crate::root(), Instant::now());
    eprintln!("reading api-specs");
    let mut specs = specs(&root.join("api-specs"))?;
    specs.iter_mut().try_for_each(fixups::apply)?;
    let policy = root.join("codegen/groups.toml");
    let policy = Policy::parse("codegen/groups.toml", &fs::read_to_string(policy)?)?;
    let versions: Vec<String> = specs.iter().map(|spec| spec.version().to_string()).collect();
    eprintln!("generating for Kubernetes {}", versions.join(", "));
    let files = generate(&specs, &policy, &Formatter { root: root.clone() })?;
    let difference = write::compare(&root, &files)?;
    for (paths, what) in
        [(&difference.changed, "changed"), (&difference.missing, "missing"), (&difference.extra, "extra")]
    {
        for path in paths {
            eprintln!("  {what}: {path}");
        }
    }
    let count = difference.changed.len() + difference.missing.len() + difference.extra.len();
    if command.check && count > 0 {
        return Err(format!("{count} files are not as generated; run `cargo xtask regenerate`").into());
    }
    if !command.check {
        write::replace(&root, &files, &difference)?;
    }
    eprintln!("{} files, {count} of them differed, in {:.1?}", files.len(), start.elapsed());
    Ok(())
}

/// Loads all stored versions, oldest first.
fn specs(folder: &Path) -> Result<Vec<Spec>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        folders.extend(path.is_dir().then_some(path));
    }
    let specs: std::result::Result<Vec<Spec>, String> = thread::scope(|scope| {
        let loads: Vec<_> = folders.iter().map(|folder| scope.spawn(|| load(folder))).collect();
        loads.into_iter().map(|load| load.join().unwrap_or_else(|_| Err("the loader panicked".to_owned()))).collect()
    });
    let mut specs = specs?;
    specs.sort_by_key(Spec::version);
    if specs.is_empty() {
        return Err("api-specs has no version; run `cargo xtask spec update`".into());
    }
    Ok(specs)
}

/// Loads one version; the error is a message, so that it can come from another thread.
fn load(folder: &Path) -> std::result::Result<Spec, String> {
    let wrong = |error: Error| format!("{}/{error}", folder.display());
    spec::read_dir(folder).and_then(|files| spec::load(&files)).map_err(wrong)
}
