//! Writes results into BENCHMARKS.md, between comments, so that what people write around them stays.

use std::fs;

use crate::{Result, root};

/// The file at the top of the workspace.
const FILE: &str = "BENCHMARKS.md";

/// Replaces what the file has under this name.
pub(super) fn write(section: &str, content: &str) -> Result<()> {
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| format!("{FILE}: {error}"))?;
    let text = replaced(&text, section, content).ok_or_else(|| {
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

fn begin(section: &str) -> String {
    format!("<!-- {section}: written by `cargo xtask bench --record` -->")
}

fn end(section: &str) -> String {
    format!("<!-- end of {section} -->")
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
