//! Descriptions of schemas as documentation.

/// The longest line, without what stands before it.
const WIDTH: usize = 110;

/// A description in lines that rustdoc shows as they are: it finds no links, no HTML and no code to run in them.
pub(super) fn of_description(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&escaped(word));
        }
        lines.push(line);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn escaped(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for c in word.chars().filter(|c| !c.is_control()) {
        if matches!(c, '[' | ']' | '<' | '>' | '`' | '*' | '_' | '\\' | '~' | '|' | '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_shown_as_they_are() {
        let text = "See [the docs].\n\n    indented <code>\n```\nfn main() {}\n```\n\n";
        assert_eq!(
            of_description(text),
            ["See \\[the docs\\].", "", "indented \\<code\\>", "\\`\\`\\`", "fn main() {}", "\\`\\`\\`"]
        );
        assert!(of_description(&"word ".repeat(100)).iter().all(|line| line.len() <= WIDTH));
    }
}
