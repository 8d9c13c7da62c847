//! The name of the machine. Not part of the API: for the crates of this library only.

use std::{env, fs};

/// The host's name, which in a pod is the pod's; empty when nothing has it.
///
/// A pod has its name in the variable `HOSTNAME`, Windows has its own variable.
pub fn host_name() -> String {
    let variable = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| env::var(name).ok());
    let file =
        || ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().find_map(|path| fs::read_to_string(path).ok());
    variable.or_else(file).unwrap_or_default().trim().to_owned()
}
