//! The options of requests, checked as the server checks them.

use super::Call;
use crate::failure::{Cause, Failure, Result};

/// Checks the options of a create, an update or a patch.
pub(super) fn check_write(call: &Call, kind: &str) -> Result<()> {
    let dry_run = call.query.all("dryRun");
    if dry_run.iter().any(|value| !value.is_empty() && value != "All") {
        let shown = serde_json::json!(dry_run).to_string();
        return Err(Failure::invalid_options(kind, Cause::unsupported("dryRun", &shown, &["All"])));
    }
    let manager = call.query.text("fieldManager");
    if manager.chars().count() > 128 {
        let cause =
            Cause::new("FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes".to_owned());
        return Err(Failure::invalid_options(kind, cause));
    }
    if !manager.chars().all(|character| !character.is_control()) {
        let cause = Cause::invalid("fieldManager", &manager.into(), "should only contain printable characters");
        return Err(Failure::invalid_options(kind, cause));
    }
    let validation = call.query.text("fieldValidation");
    if !matches!(validation, "" | "Ignore" | "Strict" | "Warn") {
        let supported = ["", "Ignore", "Strict", "Warn"];
        let cause = Cause::unsupported("fieldValidation", &format!("{validation:?}"), &supported);
        return Err(Failure::invalid_options(kind, cause));
    }
    Ok(())
}

/// Checks the options of a list or watch that have to do with revisions.
pub(super) fn check_list(call: &Call) -> Result<()> {
    let watches = call.verb == "watch";
    let (version, matches) = (call.query.text("resourceVersion"), call.query.text("resourceVersionMatch"));
    let initial = call.query.flag("sendInitialEvents");
    let invalid = |cause| Err(Failure::invalid_options("ListOptions", cause));
    if watches {
        match initial {
            Some(_) if matches != "NotOlderThan" => {
                let problem = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                return invalid(Cause::forbidden("resourceVersionMatch", problem));
            }
            None if !matches.is_empty() => {
                let problem = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                return invalid(Cause::forbidden("resourceVersionMatch", problem));
            }
            _ => return Ok(()),
        }
    }
    if initial.is_some() {
        return invalid(Cause::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    match (matches, version) {
        ("", _) => Ok(()),
        (_, "") => {
            let problem = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            invalid(Cause::forbidden("resourceVersionMatch", problem))
        }
        _ if !call.query.text("continue").is_empty() => {
            let problem = "resourceVersionMatch is forbidden when continue is provided";
            invalid(Cause::forbidden("resourceVersionMatch", problem))
        }
        ("Exact", "0") => {
            let problem = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            invalid(Cause::forbidden("resourceVersionMatch", problem))
        }
        ("Exact" | "NotOlderThan", _) => Ok(()),
        (other, _) => {
            let supported = ["Exact", "NotOlderThan", ""];
            invalid(Cause::unsupported("resourceVersionMatch", &format!("{other:?}"), &supported))
        }
    }
}
