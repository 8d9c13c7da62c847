//! Go sources, as far as facts are read of them: declarations one line at a time, with the comment above each.

/// A declaration, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// The number of the line, the first being 1.
    pub(super) line: usize,
    /// The lines of the comment right above it, without `//`.
    pub(super) doc: Vec<&'a str>,
    pub(super) declares: Declares<'a>,
}

/// What a line declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declares<'a> {
    /// `import v1 "k8s.io/api/core/v1"`
    Import { alias: &'a str, path: &'a str },
    /// `type Spec struct {`; the fields that follow are its own.
    Struct(&'a str),
    /// A line of the struct before.
    Field(&'a str),
    /// `type Phase string`, or an alias `type Phase = v1.Phase`, whose `of` begins with the `=`.
    Type { name: &'a str, of: &'a str },
    /// `Running Phase = "Running"`; `of` is empty where the type is left out.
    Const { name: &'a str, of: &'a str, value: &'a str },
}

/// Goes through the declarations of a file.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let (mut items, mut doc) = (Vec::new(), Vec::new());
    // How many braces are open inside of a struct, and the word before an open bracket: `const (`.
    let (mut depth, mut comment, mut list) = (0_usize, false, "");
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if comment || line.starts_with("/*") {
            comment = !line.contains("*/");
            continue;
        }
        if let Some(text) = line.strip_prefix("//") {
            doc.push(text.trim());
            continue;
        }
        let mut add = |declares| {
            items.push(Item { line: index + 1, doc: std::mem::take(&mut doc), declares });
        };
        if depth > 0 {
            depth += usize::from(line.ends_with('{'));
            if line.starts_with('}') {
                depth -= 1;
            } else if depth == 1 && !line.is_empty() {
                add(Declares::Field(line));
            }
        } else if let Some(name) = struct_name(line) {
            add(Declares::Struct(name));
            depth = usize::from(line.ends_with('{'));
        } else if let Some((name, of)) = line.strip_prefix("type ").and_then(|line| line.split_once(' ')) {
            add(Declares::Type { name, of: of.split("//").next().unwrap_or(of).trim() });
        } else if line.starts_with(')') {
            list = "";
        } else if let Some(word) = line.strip_suffix(" (").filter(|word| ["const", "import"].contains(word)) {
            list = word;
        } else {
            let rest = |word: &str| if list == word { Some(line) } else { line.strip_prefix(word)?.strip_prefix(' ') };
            if let Some(declares) = rest("const").and_then(constant).or_else(|| rest("import").and_then(import)) {
                add(declares);
            }
        }
        doc.clear();
    }
    items
}

fn struct_name(line: &str) -> Option<&str> {
    let declared = line.strip_suffix("struct {").or_else(|| line.strip_suffix("struct{}"))?;
    declared.trim().strip_prefix("type ").map(str::trim)
}

fn constant(line: &str) -> Option<Declares<'_>> {
    let (left, value) = line.split_once('=')?;
    let mut words = left.split_whitespace();
    Some(Declares::Const { name: words.next()?, of: words.next().unwrap_or_default(), value: value.trim() })
}

fn import(line: &str) -> Option<Declares<'_>> {
    let (alias, rest) = line.split_once('"')?;
    let (path, _) = rest.split_once('"')?;
    let last = path.rsplit('/').next().unwrap_or(path);
    Some(Declares::Import { alias: if alias.trim().is_empty() { last } else { alias.trim() }, path })
}

/// The value of a tag of a field: `json:"…"`.
pub(super) fn tag<'a>(tags: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tags.split_once(&format!("{name}:\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// A text in quotes, with what may stand behind it left out.
pub(super) fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.split_once('"').map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "package v1

import (
\tmetav1 \"k8s.io/apimachinery/pkg/apis/meta/v1\"
\t\"k8s.io/api/core/v1\"
)

/* type Hidden struct {
} */

// Phase is one.
// +enum
type Phase string

// Not about what follows.

const (
\t// It runs.
\tRunning Phase = \"Running\" // later
\tplain = 3
)

type Alias = v1.Alias

type Spec struct {
\t// +featureGate=X
\tPhase *Phase `json:\"phase\"`
\tinner struct {
\t\thidden int
\t}
}

type Own struct{}
";

    #[test]
    fn declarations_come_with_the_comment_right_above_them() {
        let items = items(TEXT);
        let shown: Vec<_> = items.iter().map(|item| (item.line, item.doc.as_slice(), &item.declares)).collect();
        let none: &[&str] = &[];
        let expected = [
            (4, none, &Declares::Import { alias: "metav1", path: "k8s.io/apimachinery/pkg/apis/meta/v1" }),
            (5, none, &Declares::Import { alias: "v1", path: "k8s.io/api/core/v1" }),
            (13, &["Phase is one.", "+enum"], &Declares::Type { name: "Phase", of: "string" }),
            (19, &["It runs."], &Declares::Const { name: "Running", of: "Phase", value: "\"Running\" // later" }),
            (20, none, &Declares::Const { name: "plain", of: "", value: "3" }),
            (23, none, &Declares::Type { name: "Alias", of: "= v1.Alias" }),
            (25, none, &Declares::Struct("Spec")),
            (27, &["+featureGate=X"], &Declares::Field("Phase *Phase `json:\"phase\"`")),
            (33, none, &Declares::Struct("Own")),
        ];
        assert_eq!(shown, expected);
        assert_eq!(quoted("\"Running\" // later"), Some("Running"));
    }
}
