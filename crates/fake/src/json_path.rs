//! The paths of CustomResourceDefinitions: `.spec.replicas`, `.metadata.labels['app']`, `.spec.parts[0].name`.

use serde_json::Value;

/// The value that a path leads to.
pub(crate) fn get<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path)?.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        value => value.get(step),
    })
}

/// Puts a value where a path of names leads to, making the objects on the way.
pub(crate) fn set(value: &mut Value, path: &str, new: Value) -> Option<()> {
    let mut place = value;
    for step in steps(path)? {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = place.as_object_mut()?.entry(step).or_insert(Value::Null);
    }
    *place = new;
    Some(())
}

/// The names and places of a path; `None` if it is more than these.
pub(crate) fn steps(path: &str) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    let mut rest = path.trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (step, after) = inside.split_once(']')?;
            steps.push(step.trim_matches(['\'', '"']).to_owned());
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            // A dot that belongs to a name has a backslash before it.
            let mut step = String::new();
            let mut characters = name.char_indices();
            let mut end = name.len();
            while let Some((index, character)) = characters.next() {
                match character {
                    '\\' => step.extend(characters.next().map(|(_, character)| character)),
                    '.' | '[' => {
                        end = index;
                        break;
                    }
                    other => step.push(other),
                }
            }
            if step.is_empty() || step.contains(['*', '?', '(']) {
                return None;
            }
            steps.push(step);
            rest = &name[end..];
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_lists_and_names_with_dots() {
        let value = json!({"spec": {"replicas": 3, "parts": [{"name": "a"}]}, "metadata": {"labels": {"a.b/c": "x"}}});
        for (path, expected) in [
            (".spec.replicas", json!(3)),
            ("$.spec.parts[0].name", json!("a")),
            (".metadata.labels['a.b/c']", json!("x")),
            (".metadata.labels.a\\.b/c", json!("x")),
        ] {
            assert_eq!(get(&value, path), Some(&expected), "{path}");
        }
        assert_eq!(get(&value, ".spec.nothing.here"), None);
        assert_eq!(get(&value, ".spec.parts[*].name"), None);
    }

    #[test]
    fn setting_makes_the_objects_on_the_way() {
        let mut value = json!({});
        set(&mut value, ".spec.replicas", json!(2)).unwrap();
        assert_eq!(value, json!({"spec": {"replicas": 2}}));
    }
}
