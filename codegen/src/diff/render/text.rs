//! Text for people.

use super::{Report, counts, heading, lines, reason, removals, sections};

/// A report for people to read.
pub fn text(report: &Report) -> String {
    let mut out = vec![format!("{} → {}", report.from, report.to), counts(report)];
    if report.is_empty() {
        out.push("Nothing differs.".to_owned());
    }
    for section in sections(report) {
        out.extend([String::new(), format!("{}: {}", section.audience.as_str(), heading(section.audience))]);
        for (stability, kinds) in section.parts {
            out.push(format!("  {stability}"));
            for (kind, changes) in kinds {
                out.push(format!("    {} — {}", kind.title(), reason(kind, section.audience)));
                out.extend(lines(kind, &changes).into_iter().map(|(place, more)| format!("      {place}{more}")));
            }
        }
    }
    let removals = removals(report);
    if !removals.is_empty() {
        out.extend([String::new(), format!("Going to be removed, as {} says:", report.to)]);
        out.extend(removals.iter().map(|line| format!("  {line}")));
    }
    if !report.not_compared.is_empty() {
        out.extend([String::new(), format!("Not compared: {}.", report.not_compared.join("; "))]);
    }
    out.push(String::new());
    out.join("\n")
}
