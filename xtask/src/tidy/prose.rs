//! A rule about prose: comments of Rust and pages of Markdown are no wider than code.

use super::{Files, is_generated, is_rust};

/// What a line of prose may have at most, in characters: rustfmt's limit for code.
const MAX_WIDTH: usize = 120;

pub(super) fn wide_lines(files: &Files) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_generated(path)) {
        if is_rust(path) {
            let prose = text.lines().map(|line| Some(line.trim_start()).filter(|line| line.starts_with("//")));
            problems.extend(wide(
                path,
                text,
                prose.map(|line| line.map_or("", |line| line.trim_start_matches(['/', '!']))),
            ));
        } else if path.strip_suffix(".md").is_some() {
            problems.extend(wide(path, text, text.lines()));
        }
    }
    problems
}

/// The lines that are too wide, given what of each is prose. Code, tables and links cannot be broken.
fn wide<'a>(path: &str, text: &str, prose: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut in_code = false;
    for (index, (line, prose)) in text.lines().zip(prose).enumerate() {
        let prose = prose.trim_start();
        in_code ^= prose.starts_with("```");
        let is_table = prose.starts_with('|');
        let is_link = prose.starts_with('[') && prose.contains("]: ");
        // What is too wide by one word that has no blank stays.
        let before_last_word = prose.trim_end().rsplit_once(' ').map_or("", |(before, _)| before);
        let can_be_broken = before_last_word.split_whitespace().any(|word| word.chars().any(char::is_alphanumeric));
        if line.chars().count() > MAX_WIDTH && !prose.is_empty() && !in_code && !is_table && !is_link && can_be_broken {
            problems.push(format!(
                "{path}:{}: {} columns of prose; break it at {MAX_WIDTH}",
                index + 1,
                line.chars().count()
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_prose_is_named_but_not_what_cannot_be_broken() {
        let wide = "word ".repeat(25);
        let url = format!("https://{}", "a".repeat(130));
        let rust = format!(
            "//! {wide}\nfn f() {{}}\n/// {url}\n/// [x]: {url} {url}\n/// | {wide} |\n/// ```\n/// {wide}\n/// ```\n    // {wide}\n\
             const A: &str = \"{wide}\";\n"
        );
        let files =
            [("a.rs", rust.as_str()), ("a/generated.rs", &format!("//! {wide}\n")), ("a.md", &format!("{wide}\n"))];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let named = wide_lines(&files);
        assert_eq!(
            named.iter().map(|problem| problem.split(": ").next().unwrap_or_default()).collect::<Vec<_>>(),
            ["a.md:1", "a.rs:1", "a.rs:9"]
        );
    }
}
