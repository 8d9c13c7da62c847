//! Answers without what differs between any two servers: what each draws itself is named by the order in which it
//! comes. So what is the same in one server's answers must be the same in the other's.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
};

use serde_json::{Map, Value, json};

use crate::server::Answer;

/// What a server has drawn so far.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// uids, generated names and addresses, with what stands for them.
    texts: HashMap<String, String>,
    /// The versions of objects, in the order in which they came.
    versions: Vec<u64>,
}

/// Behind these words of a message comes a number that no other server has.
const BEFORE_NUMBERS: [&str; 6] = [
    "too old resource version: ",
    "Too large resource version: ",
    "current: ",
    "for the provided list is too old. (",
    "ResourceVersion in precondition: ",
    "ResourceVersion in object meta: ",
];

impl Drawn {
    pub(crate) fn answer(&mut self, answer: &Answer) -> Value {
        json!({"code": answer.code, "headers": answer.headers, "body": self.value(&answer.body)})
    }

    pub(crate) fn value(&mut self, value: &Value) -> Value {
        self.learn(value);
        self.normal(value, "", false)
    }

    /// How the versions are ordered: the numbers of the first ones to come, from the oldest to the newest.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.versions.len()).collect();
        order.sort_by_key(|index| self.versions[*index]);
        order
    }

    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let metadata = &value["metadata"];
                self.text("uid", &metadata["uid"]);
                self.text("uid", &value["details"]["uid"]);
                if let (Some(base), Some(name)) = (metadata["generateName"].as_str(), metadata["name"].as_str())
                    && name.starts_with(base)
                    && name.len() == base.len() + 5
                {
                    self.text("name", &metadata["name"]);
                }
                let address = &value["spec"]["clusterIP"];
                if metadata["resourceVersion"].is_string() {
                    self.text("address", address);
                } else if let Some(address) = address.as_str() {
                    // One that is only tried is drawn by one server, and always the same of another.
                    self.texts.entry(address.to_owned()).or_insert_with(|| "address that was tried".to_owned());
                }
                if metadata["uid"].is_string() {
                    let version = metadata["resourceVersion"].as_str().and_then(|version| version.parse().ok());
                    if let Some(version) = version.filter(|version| !self.versions.contains(version)) {
                        self.versions.push(version);
                    }
                }
                members.values().for_each(|value| self.learn(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            _ => {}
        }
    }

    fn text(&mut self, what: &str, value: &Value) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty() && *text != "None") else { return };
        // A uid that a request brings is no server's.
        if self.texts.contains_key(text) || text.starts_with("given") {
            return;
        }
        let count = self.texts.values().filter(|name| name.starts_with(&format!("{what}#"))).count() + 1;
        self.texts.insert(text.to_owned(), format!("{what}#{count}"));
    }

    /// `of_object` is whether it is a member of an object's metadata, not of a list's.
    fn normal(&self, value: &Value, key: &str, of_object: bool) -> Value {
        match value {
            Value::Object(members) => {
                let of_object = value["uid"].is_string();
                let normal = members.iter().map(|(key, value)| (self.plain(key), self.normal(value, key, of_object)));
                normal.collect::<Map<_, _>>().into()
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.normal(item, key, false)).collect();
                // Those of several managers come in the order of a map of Go's.
                if key == "causes" && items.iter().any(|cause| cause["reason"] == "FieldManagerConflict") {
                    items.sort_by_key(|cause| (cause["message"].to_string(), cause["field"].to_string()));
                }
                items.into()
            }
            Value::String(text) if key == "resourceVersion" => self.version(text, of_object).into(),
            Value::String(text) if key == "continue" && !text.is_empty() => "a token".into(),
            Value::String(text) if key == "message" => self.message(text).into(),
            Value::String(text) => self.plain(text).into(),
            other => other.clone(),
        }
    }

    fn version(&self, text: &str, of_object: bool) -> String {
        let Ok(version) = text.parse() else { return text.to_owned() };
        match self.versions.iter().position(|known| *known == version) {
            Some(index) if of_object => format!("version#{index}"),
            // A list has the version of the last write, whoever wrote: what counts is which of ours it comes after.
            _ => {
                let before = self.versions.iter().enumerate().filter(|(_, known)| **known <= version);
                match before.max_by_key(|(_, known)| **known) {
                    Some((index, _)) => format!("after version#{index}"),
                    None => "before all".to_owned(),
                }
            }
        }
    }

    fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (drawn, name) in &self.texts {
            if text.contains(drawn.as_str()) {
                text = text.replace(drawn.as_str(), name);
            }
        }
        text
    }

    fn message(&self, text: &str) -> String {
        let mut text = self.plain(text);
        for words in BEFORE_NUMBERS {
            text = without_number(&text, words);
        }
        for words in ["the ResourceVersion in the precondition (", "the ResourceVersion in record ("] {
            if let Some((before, rest)) = text.split_once(words)
                && let Some((version, rest)) = rest.split_once(')')
            {
                text = format!("{before}{words}{}){rest}", self.version(version, true));
            }
        }
        text
    }
}

fn without_number(text: &str, words: &str) -> String {
    let Some((before, rest)) = text.split_once(words) else { return text.to_owned() };
    let rest = rest.trim_start_matches(|character: char| character.is_ascii_digit());
    // `1 (5)` and `1 < 5` have another one.
    let rest = match rest.strip_prefix(" (").or_else(|| rest.strip_prefix(" < ")) {
        Some(rest) => rest.trim_start_matches(|character: char| character.is_ascii_digit()),
        None => rest,
    };
    format!("{before}{words}N{rest}")
}

/// The newest time of an answer that the server may have set itself: not before `since`, and not after `date`.
pub(crate) fn newest_time(value: &Value, since: u64, date: u64) -> Option<u64> {
    match value {
        Value::Object(members) => members.values().filter_map(|value| newest_time(value, since, date)).max(),
        Value::Array(items) => items.iter().filter_map(|value| newest_time(value, since, date)).max(),
        Value::String(text) => crate::server::seconds_of_time(text).filter(|time| (since..=date).contains(time)),
        _ => None,
    }
}

/// The texts of both sides, line by line, with what differs marked.
pub(crate) fn difference(real: &Value, fake: &Value) -> String {
    let lines = |value: &Value| -> Vec<String> { format!("{value:#}").lines().map(str::to_owned).collect() };
    let (real, fake) = (lines(real), lines(fake));
    // The longest common subsequence, from the end.
    let mut lengths = vec![vec![0_usize; fake.len() + 1]; real.len() + 1];
    for (a, line) in real.iter().enumerate().rev() {
        for (b, other) in fake.iter().enumerate().rev() {
            lengths[a][b] =
                if line == other { lengths[a + 1][b + 1] + 1 } else { lengths[a + 1][b].max(lengths[a][b + 1]) };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut marked: Vec<(char, &str)> = Vec::new();
    while a < real.len() || b < fake.len() {
        if a < real.len() && b < fake.len() && real[a] == fake[b] {
            marked.push((' ', &real[a]));
            (a, b) = (a + 1, b + 1);
        } else if b == fake.len() || (a < real.len() && lengths[a + 1][b] >= lengths[a][b + 1]) {
            marked.push(('-', &real[a]));
            a += 1;
        } else {
            marked.push(('+', &fake[b]));
            b += 1;
        }
    }
    let near: BTreeSet<usize> = marked
        .iter()
        .enumerate()
        .filter(|(_, (mark, _))| *mark != ' ')
        .flat_map(|(index, _)| index.saturating_sub(3)..index + 4)
        .collect();
    let mut text = String::from("- the real server, + the fake one\n");
    for (index, (mark, line)) in marked.iter().enumerate().filter(|(index, _)| near.contains(index)) {
        if index > 0 && !near.contains(&(index - 1)) {
            text.push_str("  …\n");
        }
        let _ = writeln!(text, "{mark} {line}");
    }
    text
}
