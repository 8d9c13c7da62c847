//! Writes results into BENCHMARKS.md, between comments, so that what people write around them stays.

use std::fs;

use crate::{Result, root};

/// The file at the top of the workspace.
const FILE: &str = "BENCHMARKS.md";

/// Replaces what the file has of these jobs, which begin with their names as headings. The other jobs of the section
/// stay; then each of these says for itself when, where and how it was measured.
pub(super) fn write(section: &str, explained: &str, jobs: &[String]) -> Result<()> {
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
    let text = recorded(&text, section, explained, jobs).ok_or_else(|| {
        format!(
            "{FILE}: has no `{}` followed by `{}`; write both where the results belong",
            begin(section),
            end(section)
        )
    })?;
    fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"))?;
    println!("recorded in {FILE}");
    Ok(())
}

fn recorded(text: &str, section: &str, explained: &str, jobs: &[String]) -> Option<String> {
    let (explained, before) = (explained.trim(), content(text, section)?);
    let (head, mut blocks) = blocks(before);
    let is_whole = blocks.iter().all(|block| jobs.iter().any(|job| heading(job) == heading(block)));
    if is_whole {
        let all = jobs.iter().map(|job| job.trim()).collect::<Vec<_>>().join("\n\n");
        return replaced(text, section, &format!("{explained}\n\n{all}"));
    }
    for job in jobs {
        let (name, rest) = job.split_once('\n').unwrap_or((job, ""));
        let block = format!("{name}\n\n{explained}\n\n{}", rest.trim());
        match blocks.iter_mut().find(|block| heading(block) == name) {
            Some(before) => *before = block,
            None => blocks.push(block),
        }
    }
    replaced(text, section, &format!("{head}\n\n{}", blocks.join("\n\n")))
}

/// What stands before the first job of a section, and its jobs.
fn blocks(content: &str) -> (String, Vec<String>) {
    let mut parts = vec![String::new()];
    for line in content.lines() {
        if line.starts_with("### ") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend([line, "\n"]);
        }
    }
    let mut parts = parts.into_iter().map(|part| part.trim().to_owned());
    (parts.next().unwrap_or_default(), parts.collect())
}

fn heading(block: &str) -> &str {
    block.lines().next().unwrap_or_default()
}

fn begin(section: &str) -> String {
    format!("<!-- {section}: written by `cargo xtask bench --record` -->")
}

fn end(section: &str) -> String {
    format!("<!-- end of {section} -->")
}

/// What the section has, if there is one.
fn content<'a>(text: &'a str, section: &str) -> Option<&'a str> {
    Some(text.split_once(&begin(section))?.1.split_once(&end(section))?.0)
}

/// The text with the section's content replaced, if it has the section.
fn replaced(text: &str, section: &str, content: &str) -> Option<String> {
    let (begin, end) = (begin(section), end(section));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", content.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::job::Section;

    #[test]
    fn only_what_stands_between_the_comments_is_replaced() {
        let text =
            format!("# By hand\n{}\nold\n{}\nmore\n{}\n{}\n", begin("jobs"), end("jobs"), begin("build"), end("build"));
        let once = replaced(&text, "jobs", "new\n").unwrap_or_default();
        let expected = format!(
            "# By hand\n{}\n\nnew\n\n{}\nmore\n{}\n{}\n",
            begin("jobs"),
            end("jobs"),
            begin("build"),
            end("build")
        );
        assert_eq!(once, expected);
        assert_eq!(replaced(&once, "jobs", "new").as_deref(), Some(expected.as_str()));
    }

    #[test]
    fn jobs_that_were_not_measured_stay_as_they_are() {
        let jobs =
            |jobs: &[&str]| jobs.iter().map(|job| format!("### {job}\n\nWhat it does.\n\n| table |\n")).collect();
        let first: Vec<String> = jobs(&["informer", "queue"]);
        let empty = format!("# By hand\n{}\n{}\nmore\n", begin("controllers"), end("controllers"));
        let both = recorded(&empty, "controllers", "* Monday\n", &first).unwrap_or_default();
        let of = |text: &str| content(text, "controllers").unwrap_or_default().trim().to_owned();
        let informer = "### informer\n\nWhat it does.\n\n| table |";
        assert_eq!(of(&both), format!("* Monday\n\n{informer}\n\n### queue\n\nWhat it does.\n\n| table |"));

        let second: Vec<String> = jobs(&["queue"]);
        let one = recorded(&both, "controllers", "* Tuesday\n", &second).unwrap_or_default();
        let queue = "### queue\n\n* Tuesday\n\nWhat it does.\n\n| table |";
        assert_eq!(of(&one), format!("* Monday\n\n{informer}\n\n{queue}"));
        assert_eq!(recorded(&one, "controllers", "* Tuesday\n", &second).as_deref(), Some(one.as_str()));
        let new = recorded(&one, "controllers", "* Friday\n", &jobs(&["leases"])).unwrap_or_default();
        let leases = "### leases\n\n* Friday\n\nWhat it does.\n\n| table |";
        assert_eq!(of(&new), format!("* Monday\n\n{informer}\n\n{queue}\n\n{leases}"));

        assert_eq!(recorded(&one, "controllers", "* Monday\n", &first).as_deref(), Some(both.as_str()), "all anew");
        assert!(new.starts_with("# By hand\n") && new.ends_with("\nmore\n"));
    }

    #[test]
    fn a_file_without_the_comments_is_left_alone() {
        assert_eq!(replaced("# By hand\n", "jobs", "new"), None);
        assert_eq!(replaced(&begin("jobs"), "jobs", "new"), None);
        assert_eq!(replaced(&format!("{}{}", end("jobs"), begin("jobs")), "jobs", "new"), None);
    }

    #[test]
    fn our_file_has_all_sections() -> Result<()> {
        let text = fs::read_to_string(root().join(FILE))?;
        for section in Section::ALL {
            assert!(replaced(&text, section.name(), "").is_some(), "{FILE}: {}", section.name());
        }
        Ok(())
    }
}
