//! The releases in which kinds come and go: methods that Kubernetes generates.

use std::collections::BTreeMap;

use super::Lifecycle;
use crate::{Error, spec::markers::Release};

/// What the methods of a file are called by, behind their type.
const METHOD: &str = "APILifecycle";

/// Reads the methods of a file, by the names of their types.
pub(super) fn read(file: &str, text: &str) -> Result<BTreeMap<String, Lifecycle>, Error> {
    let mut kinds: BTreeMap<String, Lifecycle> = BTreeMap::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some((receiver, method)) = line.strip_prefix("func (in *").and_then(|rest| rest.split_once(") ")) else {
            continue;
        };
        let Some(what) = method.strip_prefix(METHOD).and_then(|rest| rest.split_once('(')) else { continue };
        let wrong = || Error::at(file, format!("line {}", index + 2), "expected what the method returns");
        let (_, line) = lines.next().ok_or_else(wrong)?;
        let value = line.trim().strip_prefix("return ").ok_or_else(wrong)?;
        let lifecycle = kinds.entry(receiver.to_owned()).or_default();
        match what.0 {
            "Replacement" => lifecycle.replacement = Some(kind(value).ok_or_else(wrong)?),
            name => {
                let release: Release = value.replace(',', ".").parse().map_err(|_| wrong())?;
                // Others, should there ever be any, are not about when.
                for (known, slot) in lifecycle.releases() {
                    if known.eq_ignore_ascii_case(name) {
                        *slot = Some(release);
                    }
                }
            }
        }
    }
    Ok(kinds)
}

/// `schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}`
fn kind(text: &str) -> Option<String> {
    let member = |name: &str| text.split_once(&format!("{name}: \""))?.1.split_once('"').map(|(value, _)| value);
    let (group, version, kind) = (member("Group")?, member("Version")?, member("Kind")?);
    Some(if group.is_empty() { format!("{version} {kind}") } else { format!("{group}/{version} {kind}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
// APILifecycleIntroduced is generated.
func (in *Lease) APILifecycleIntroduced() (major, minor int) {
\treturn 1, 12
}

func (in *Lease) APILifecycleReplacement() schema.GroupVersionKind {
\treturn schema.GroupVersionKind{Group: \"coordination.k8s.io\", Version: \"v1\", Kind: \"Lease\"}
}

func (in *Lease) APILifecycleRemoved() (major, minor int) {
\treturn 1, 22
}
";

    #[test]
    fn methods_tell_releases_and_what_replaces_a_kind() {
        let kinds = read("zz.go", TEXT).unwrap();
        let lease = &kinds["Lease"];
        assert_eq!(lease.introduced, Some(Release { major: 1, minor: 12 }));
        assert_eq!((lease.deprecated, lease.removed), (None, Some(Release { major: 1, minor: 22 })));
        assert_eq!(lease.replacement.as_deref(), Some("coordination.k8s.io/v1 Lease"));
    }

    #[test]
    fn a_method_that_returns_something_else_is_an_error_with_its_line() {
        let error = read("zz.go", &TEXT.replace("return 1, 22", "panic()")).unwrap_err();
        assert_eq!(error.to_string(), "zz.go: line 11: expected what the method returns");
    }
}
