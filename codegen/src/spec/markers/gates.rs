//! The feature gates of Kubernetes, with their stages by version:
//!
//! ```text
//! EnvFiles: {
//!     {Version: version.MustParse("1.34"), Default: false, PreRelease: featuregate.Alpha},
//!     {Version: version.MustParse("1.35"), Default: true, PreRelease: featuregate.Beta},
//! },
//! ```

use std::collections::BTreeMap;

use super::{Gate, Release};
use crate::Error;

/// Reads what the gates are in a version.
pub(super) fn read(file: &str, text: &str, version: Release) -> Result<BTreeMap<String, Gate>, Error> {
    let mut gates = BTreeMap::new();
    let mut current = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(key) = line.strip_suffix(": {").filter(|key| key.chars().all(is_of_name)) {
            // Gates of libraries are named with their package.
            current = Some(key.rsplit('.').next().unwrap_or(key));
        } else if let (Some(name), Some(entry)) = (current, line.strip_prefix("{Version: ")) {
            let problem =
                || Error::at(file, format!("line {}", index + 1), "expected a version, a default and a stage");
            let (since, gate) = stage(entry).ok_or_else(problem)?;
            // The versions of a gate stand in their order.
            if since <= version {
                gates.insert(name.to_owned(), gate);
            }
        } else if line == "}," || line == "}" {
            current = None;
        }
    }
    Ok(gates)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '_'
}

fn stage(entry: &str) -> Option<(Release, Gate)> {
    let since = entry.split_once("MustParse(\"")?.1.split_once('"')?.0.parse().ok()?;
    let rest = entry.split_once("Default: ")?.1;
    let default = rest.starts_with("true");
    let stage: String =
        rest.split_once("PreRelease: featuregate.")?.1.chars().take_while(char::is_ascii_alphanumeric).collect();
    Some((since, Gate { stage: stage.to_ascii_lowercase(), default }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
\tEnvFiles: {
\t\t{Version: version.MustParse(\"1.34\"), Default: false, PreRelease: featuregate.Alpha},
\t\t// Why it is on.
\t\t{Version: version.MustParse(\"1.35\"), Default: true, PreRelease: featuregate.Beta, LockToDefault: true}, // later
\t},

\tgenericfeatures.CoordinatedLeaderElection: {
\t\t{Version: version.MustParse(\"1.36\"), Default: false, PreRelease: featuregate.Alpha},
\t},
";

    #[test]
    fn a_gate_is_what_it_was_in_the_version() {
        let at = |minor| read("features.go", TEXT, Release { major: 1, minor }).unwrap();
        assert_eq!(at(34)["EnvFiles"].to_string(), "alpha, off by default");
        assert_eq!(at(37)["EnvFiles"].to_string(), "beta, on by default");
        assert!(!at(35).contains_key("CoordinatedLeaderElection") && at(36).contains_key("CoordinatedLeaderElection"));
    }

    #[test]
    fn an_entry_of_another_form_is_an_error_with_its_line() {
        let error = read("features.go", &TEXT.replace("Default", "Standard"), Release { major: 1, minor: 37 });
        let error = error.unwrap_err().to_string();
        assert_eq!(error, "features.go: line 3: expected a version, a default and a stage");
    }
}
