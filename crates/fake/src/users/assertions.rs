//! Assertions that say what differs.

use std::fmt::Write as _;

use k8s_client_runtime::k8s_openapi::serde::Serialize;
use serde_json::Value;

use crate::server::FakeServer;

impl FakeServer {
    /// Asserts that an object is there that has all that this one has; what it has beside that does not matter. Its
    /// name, and its namespace if it is not `default`, say which is meant.
    ///
    /// ```
    /// # use serde_json::json;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = k8s_client_fake::FakeServer::new();
    /// server.add_yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: blue, size: '5'}}")?;
    /// let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}});
    /// server.assert_has(&settings);
    /// server.assert_has(&json!({
    ///     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"color": "blue"},
    /// }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is no such object, or fields of it differ: with each of these fields, what was expected, and what is
    /// there.
    #[track_caller]
    pub fn assert_has(&self, expected: &impl Serialize) {
        let expected = serde_json::to_value(expected).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&expected["apiVersion"]), text(&expected["kind"]));
        let (namespace, name) = (text(&expected["metadata"]["namespace"]), text(&expected["metadata"]["name"]));
        let found = self.object(&api_version, &kind, &namespace, &name);
        let found =
            found.or_else(|| self.object(&api_version, &kind, "default", &name).filter(|_| namespace.is_empty()));
        let Some(found) = found else {
            let place = if namespace.is_empty() { name } else { format!("{namespace}/{name}") };
            panic!("there is no {kind} {place} of {api_version}");
        };
        let mut differences = String::new();
        compare("", &expected, &found, &mut differences);
        assert!(differences.is_empty(), "the {kind} {name} is not as expected:\n{differences}");
    }

    /// Asserts that programs wrote this and nothing else, in this order. Each is a line of [`writes`](Self::writes).
    ///
    /// # Panics
    ///
    /// When they did not: with the lines that are missing (-) and those that are too many (+).
    #[track_caller]
    pub fn assert_writes(&self, expected: &[&str]) {
        let writes = self.writes();
        let writes: Vec<&str> = writes.iter().map(String::as_str).collect();
        assert!(writes == expected, "other writes than expected:\n{}", difference(expected, &writes));
    }
}

/// Writes down the fields of `expected` that `found` has not.
fn compare(path: &str, expected: &Value, found: &Value, differences: &mut String) {
    match (expected, found) {
        (Value::Object(members), Value::Object(_)) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, value, &found[name], differences);
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (number, (item, other)) in items.iter().zip(others).enumerate() {
                compare(&format!("{path}[{number}]"), item, other, differences);
            }
        }
        _ if expected == found => {}
        (_, Value::Null) => {
            let _ = writeln!(differences, "  {path}: {expected} expected, nothing found");
        }
        _ => {
            let _ = writeln!(differences, "  {path}: {expected} expected, {found} found");
        }
    }
}

/// Two lists line by line, with what both have only once.
fn difference(expected: &[&str], found: &[&str]) -> String {
    // How long the longest common part of both is from each pair of places on.
    let mut common = vec![vec![0_usize; found.len() + 1]; expected.len() + 1];
    for (row, line) in expected.iter().enumerate().rev() {
        for (column, other) in found.iter().enumerate().rev() {
            common[row][column] = if line == other {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column, mut text) = (0, 0, String::new());
    while row < expected.len() || column < found.len() {
        let is_missing =
            column == found.len() || (row < expected.len() && common[row + 1][column] >= common[row][column + 1]);
        if row < expected.len() && column < found.len() && expected[row] == found[column] {
            let _ = writeln!(text, "   {}", expected[row]);
            (row, column) = (row + 1, column + 1);
        } else if is_missing {
            let _ = writeln!(text, " - {}", expected[row]);
            row += 1;
        } else {
            let _ = writeln!(text, " + {}", found[column]);
            column += 1;
        }
    }
    text
}
