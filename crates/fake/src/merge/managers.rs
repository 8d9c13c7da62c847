//! managedFields: who owns which fields.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Map as Members, Value, json};

use super::{
    set::FieldSet,
    value::{quoted, write_text},
};

/// How many entries of plain updates an object keeps; the oldest of more become one.
const MAX_UPDATE_MANAGERS: usize = 10;

/// The manager that has what the oldest of too many managers owned.
const ANCIENT_CHANGES: &str = "ancient-changes";

/// How a manager came to own its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// What tells one entry of managedFields from another.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    name: String,
    operation: Operation,
    /// Empty for those that apply: they have one entry whatever version they apply in.
    api_version: String,
    subresource: String,
    /// What managers are sorted by.
    text: String,
}

impl Manager {
    /// A manager; without a name it is `unknown`.
    pub(crate) fn new(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let name = if name.is_empty() { "unknown" } else { name };
        Self::exactly(name, operation, api_version, subresource)
    }

    fn exactly(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply { "" } else { api_version };
        let mut text = String::from("{");
        for (key, value) in [
            ("manager", name),
            ("operation", operation.name()),
            ("apiVersion", api_version),
            ("subresource", subresource),
        ] {
            if value.is_empty() {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            write_text(&mut text, key);
            text.push(':');
            write_text(&mut text, value);
        }
        text.push('}');
        Self {
            name: name.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
            text,
        }
    }

    /// The manager as conflicts name it.
    pub(super) fn in_conflict(&self) -> String {
        let mut text = quoted(&self.name);
        if !self.subresource.is_empty() {
            text.push_str(" with subresource ");
            text.push_str(&quoted(&self.subresource));
        }
        if self.operation == Operation::Update {
            text.push_str(" using ");
            text.push_str(&self.api_version);
        }
        text
    }
}

impl Ord for Manager {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Manager {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Manager {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Manager {}

/// What a manager owns.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) fields: FieldSet,
    /// The version whose schema the fields are of.
    pub(crate) api_version: String,
    /// When the fields changed last, as RFC 3339 has it.
    pub(crate) time: Option<String>,
}

/// The owners of an object's fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managers(pub(super) BTreeMap<Manager, Owned>);

impl Managers {
    /// Reads managedFields.
    pub(crate) fn decode(managed_fields: Option<&Value>) -> Result<Self, String> {
        let entries = match managed_fields {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err("managedFields is not a list".to_owned()),
        };
        let mut managers = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let operation = match text("operation") {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return Err("operation must be `Apply` or `Update`".to_owned()),
            };
            if text("apiVersion").is_empty() {
                return Err("apiVersion must not be empty".to_owned());
            }
            match text("fieldsType") {
                "FieldsV1" => {}
                "" => return Err(format!("missing fieldsType in managed fields entry {index}")),
                other => {
                    return Err(format!("invalid fieldsType {} in managed fields entry {index}", quoted(other)));
                }
            }
            let manager = Manager::exactly(text("manager"), operation, text("apiVersion"), text("subresource"));
            let owned = Owned {
                fields: FieldSet::from_fields_v1(entry.get("fieldsV1").unwrap_or(&Value::Null))?,
                api_version: text("apiVersion").to_owned(),
                time: entry.get("time").and_then(Value::as_str).map(str::to_owned),
            };
            managers.insert(manager, owned);
        }
        Ok(Self(managers))
    }

    /// managedFields as the server writes them: applied ones first, then by time, manager, version and subresource.
    pub(crate) fn encode(&self) -> Option<Value> {
        let mut entries: Vec<(&Manager, &Owned)> = self.0.iter().collect();
        entries.sort_by(|(left, left_owned), (right, right_owned)| {
            left.operation
                .name()
                .cmp(right.operation.name())
                .then_with(|| left_owned.time.cmp(&right_owned.time))
                .then_with(|| left.name.cmp(&right.name))
                .then_with(|| left_owned.api_version.cmp(&right_owned.api_version))
                .then_with(|| left.subresource.cmp(&right.subresource))
        });
        let entry = |(manager, owned): (&Manager, &Owned)| {
            let mut entry = Members::new();
            if !manager.name.is_empty() {
                entry.insert("manager".to_owned(), json!(manager.name));
            }
            entry.insert("operation".to_owned(), json!(manager.operation.name()));
            entry.insert("apiVersion".to_owned(), json!(owned.api_version));
            if let Some(time) = &owned.time {
                entry.insert("time".to_owned(), json!(time));
            }
            entry.insert("fieldsType".to_owned(), json!("FieldsV1"));
            entry.insert("fieldsV1".to_owned(), owned.fields.to_fields_v1());
            if !manager.subresource.is_empty() {
                entry.insert("subresource".to_owned(), json!(manager.subresource));
            }
            Value::Object(entry)
        };
        (!entries.is_empty()).then(|| Value::Array(entries.into_iter().map(entry).collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the oldest of more than ten managers that update one manager for each version.
    pub(super) fn cap(&mut self) {
        let updates = self.0.iter().filter(|(manager, _)| manager.operation == Operation::Update);
        let mut updates: Vec<(Option<String>, Manager)> =
            updates.map(|(manager, owned)| (owned.time.clone(), manager.clone())).collect();
        updates.sort();
        let mut count = updates.len();
        let mut first_of_version = BTreeMap::<String, Manager>::new();
        for (time, manager) in updates {
            if count <= MAX_UPDATE_MANAGERS {
                return;
            }
            let Some(owned) = self.0.get(&manager).cloned() else { continue };
            let Some(first) = first_of_version.get(&owned.api_version) else {
                first_of_version.insert(owned.api_version, manager);
                continue;
            };
            let ancient = Manager::new(ANCIENT_CHANGES, Operation::Update, &owned.api_version, "");
            let before = self.0.remove(&ancient).or_else(|| self.0.remove(first));
            let fields = owned.fields.union(&before.map(|before| before.fields).unwrap_or_default());
            self.0.insert(ancient, Owned { fields, time, api_version: owned.api_version });
            self.0.remove(&manager);
            count -= 1;
        }
    }
}

/// Whether a body asks to forget all managers: its managedFields are an empty list, or one empty entry.
pub(super) fn asks_for_reset(managed_fields: Option<&Value>) -> bool {
    match managed_fields.and_then(Value::as_array).map(Vec::as_slice) {
        Some([]) => true,
        Some([only]) => only.is_null() || only.as_object().is_some_and(Members::is_empty),
        _ => false,
    }
}
