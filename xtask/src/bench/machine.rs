//! Where and with what it was measured: numbers mean nothing without.

use std::{fs, path::Path, process::Command, thread};

use super::{proc, programs};
use crate::{Result, root};

/// The machine and the versions, a line of Markdown each.
pub(super) fn describe() -> Result<String> {
    let cpu = proc::read("/proc/cpuinfo")?;
    // Not every architecture names its CPU.
    let model = value(&cpu, "model name").unwrap_or("unnamed");
    let cores = thread::available_parallelism()?;
    let memory = proc::kibibytes(&proc::read("/proc/meminfo")?, "MemTotal").ok_or("/proc/meminfo: has no MemTotal")?;
    let kernel = proc::read("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "* {date}, commit {commit}\n\
         * {model}, {cores} cores, {memory:.0} GiB of memory, Linux {kernel}\n\
         * {rustc}; {go}\n\
         * kube {kube}, client-go {client_go}\n",
        date = output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?,
        commit = output(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]))?,
        memory = memory / (1024.0 * 1024.0),
        kernel = kernel.trim(),
        rustc = output(Command::new("rustc").arg("--version"))?,
        go = output(Command::new("go").arg("version"))?,
        kube = locked("kube", &read(&root().join(programs::RUST).join("Cargo.lock"))?)?,
        client_go = required("k8s.io/client-go", &read(&root().join(programs::GO).join("go.mod"))?)?,
    ))
}

fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim())
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.current_dir(root()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn read(path: &Path) -> Result<String> {
    Ok(fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// The version of a package in a Cargo.lock.
fn locked(package: &str, lock: &str) -> Result<String> {
    let start = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split_once(&start).and_then(|(_, rest)| rest.split('"').next());
    Ok(version.ok_or_else(|| format!("{}/Cargo.lock: has no {package}", programs::RUST))?.to_owned())
}

/// The version of a module in a go.mod.
fn required(module: &str, go_mod: &str) -> Result<String> {
    let of_line = |line: &str| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        (words.next() == Some(module)).then(|| words.next().map(str::to_owned))?
    };
    Ok(go_mod.lines().find_map(of_line).ok_or_else(|| format!("{}/go.mod: requires no {module}", programs::GO))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_whole_names() -> Result<()> {
        let lock = "[[package]]\nname = \"kube-core\"\nversion = \"4.0.0\"\n\n[[package]]\nname = \"kube\"\nversion = \"5.0.0\"\n";
        assert_eq!(locked("kube", lock)?, "5.0.0");
        assert!(locked("kub", lock).is_err());

        let go_mod = "module m\n\nrequire (\n\tk8s.io/client-go-x v0.1.0\n\tk8s.io/client-go v0.37.2\n)\n";
        assert_eq!(required("k8s.io/client-go", go_mod)?, "v0.37.2");
        assert_eq!(required("k8s.io/api", "require k8s.io/api v0.1.2\n")?, "v0.1.2");
        assert!(required("k8s.io/none", go_mod).is_err());
        Ok(())
    }

    #[test]
    fn values_are_found_by_their_names() {
        assert_eq!(value("model\t: 6\nmodel name\t: A CPU @ 2 GHz\n", "model name"), Some("A CPU @ 2 GHz"));
        assert_eq!(value("", "model name"), None);
    }
}
