//! Markdown for pull requests and changelogs.

use super::{Audience, Report, counts, heading, lines, reason, removals, sections};

/// A report for a pull request or a changelog: what breaks is open, what does not is folded.
pub fn markdown(report: &Report) -> String {
    let mut out = vec![format!("## API changes: {} → {}", report.from, report.to), String::new(), counts(report)];
    if report.is_empty() {
        out.push("Nothing differs.".to_owned());
    }
    for section in sections(report) {
        let is_folded = section.audience >= Audience::Additive;
        let title = format!("{}: {}", section.audience.as_str(), heading(section.audience));
        if is_folded {
            out.extend([String::new(), format!("<details><summary>{title}</summary>")]);
        } else {
            out.extend([String::new(), format!("### {title}")]);
        }
        for (stability, kinds) in section.parts {
            out.extend([String::new(), format!("**{stability}**"), String::new()]);
            for (kind, changes) in kinds {
                out.push(format!("- *{}*: {}", kind.title(), reason(kind, section.audience)));
                out.extend(
                    lines(kind, &changes).into_iter().map(|(place, more)| format!("  - `{place}`{}", escaped(&more))),
                );
            }
        }
        if is_folded {
            out.extend([String::new(), "</details>".to_owned()]);
        }
    }
    let removals = removals(report);
    if !removals.is_empty() {
        out.extend([String::new(), format!("### Going to be removed, as {} says", report.to), String::new()]);
        out.extend(removals.iter().map(|line| format!("- {line}")));
    }
    if !report.not_compared.is_empty() {
        out.extend([String::new(), format!("Not compared: {}.", report.not_compared.join("; "))]);
    }
    out.push(String::new());
    out.join("\n")
}

/// What stands in a line of a list, without what Markdown would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '_' | '<' | '[' | '`' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
