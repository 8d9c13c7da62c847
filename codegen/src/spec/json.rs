//! The JSON text of stored files: sorted keys, and any value that fits stays on one line.

use serde_json::Value;

/// The width of a line, as in rustfmt.toml.
const WIDTH: usize = 120;

/// Writes `value` so that a change of one fact changes one line, or few.
pub(crate) fn render(value: &Value) -> String {
    let mut text = String::new();
    match value {
        // A file's outermost object is never joined into one line: files grow.
        Value::Object(map) if !map.is_empty() => broken_object(&mut text, map, 0),
        other => pretty(&mut text, other, 0, 0),
    }
    text.push('\n');
    text
}

/// Whether a value is what a field has of Go that nobody has set.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Writes `value` at nesting `depth`, `before` being the columns its line has used already.
fn pretty(text: &mut String, value: &Value, depth: usize, before: usize) {
    let line = one_line(value);
    let fits = before + line.chars().count() < WIDTH;
    match value {
        Value::Array(items) if !fits && !items.is_empty() => {
            text.push_str("[\n");
            for (index, item) in items.iter().enumerate() {
                let indent = indent(text, depth + 1);
                pretty(text, item, depth + 1, indent);
                text.push_str(if index + 1 < items.len() { ",\n" } else { "\n" });
            }
            indent(text, depth);
            text.push(']');
        }
        Value::Object(map) if !fits && !map.is_empty() => broken_object(text, map, depth),
        _ => text.push_str(&line),
    }
}

fn broken_object(text: &mut String, map: &serde_json::Map<String, Value>, depth: usize) {
    text.push_str("{\n");
    let entries = sorted(map);
    for (index, (key, value)) in entries.iter().enumerate() {
        let key = format!("{}: ", Value::from(key.as_str()));
        let before = indent(text, depth + 1) + key.chars().count();
        text.push_str(&key);
        pretty(text, value, depth + 1, before);
        text.push_str(if index + 1 < entries.len() { ",\n" } else { "\n" });
    }
    indent(text, depth);
    text.push('}');
}

fn indent(text: &mut String, depth: usize) -> usize {
    text.extend(std::iter::repeat_n(' ', depth * 2));
    depth * 2
}

/// Writes `value` on one line with a blank after `:` and `,`; equal values have equal text.
pub(super) fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = sorted(map);
            let entry =
                |(key, value): &(&String, &Value)| format!("{}: {}", Value::from(key.as_str()), one_line(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Sorts here because the map of `serde_json` is sorted or not as other crates of the build choose.
fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_values_share_a_line_and_long_ones_break() {
        let long = "x".repeat(60);
        let value = json!({"b": {"z": [1, 2], "a": ""}, "a": [long, long], "c": {}});
        assert_eq!(
            render(&value),
            [
                "{",
                "  \"a\": [",
                &format!("    \"{long}\","),
                &format!("    \"{long}\""),
                "  ],",
                "  \"b\": {\"a\": \"\", \"z\": [1, 2]},",
                "  \"c\": {}",
                "}",
                "",
            ]
            .join("\n")
        );
    }

    #[test]
    fn rendered_text_reads_back_as_the_same_value() {
        let value = json!({"quote\"d": ["\u{1}\n", 1.5, null, true, {"deep": ["y".repeat(130)]}]});
        assert_eq!(serde_json::from_str::<Value>(&render(&value)).unwrap(), value);
    }
}
