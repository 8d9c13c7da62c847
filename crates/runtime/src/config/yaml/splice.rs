//! Where in the text a change goes. Nothing is answered for a layout that is not understood.

use serde_json::Value;

use super::{
    Step, nested,
    render::{self, json},
    tree::{self, Kind, Node},
};

pub(super) fn set(text: &str, path: &[Step<'_>], value: &Value) -> Option<String> {
    let newline = newline(text);
    let Some(root) = tree::parse(text).ok()? else {
        // Comments alone, or nothing: the document begins behind them.
        let ended = text.is_empty() || text.ends_with('\n');
        let lines = render::block(&nested(path, value), 0, newline);
        return Some(format!("{text}{}{lines}{newline}", if ended { "" } else { newline }));
    };
    let mut node = &root;
    let mut path = path;
    loop {
        let (step, rest) = path.split_first()?;
        match (&node.kind, step) {
            (Kind::Map { flow, entries }, Step::Key(key)) => {
                let Some((key, below)) = tree::entry(entries, key) else {
                    return add_entry(text, node, *flow, entries, key, &nested(rest, value));
                };
                if rest.is_empty() {
                    return replace_value(text, *flow, key, below, value);
                }
                let missing = match &below.kind {
                    Kind::Map { entries, .. } => entries.is_empty(),
                    Kind::Sequence { items, .. } => items.is_empty(),
                    Kind::Scalar(_) => true,
                    Kind::Alias => return None,
                };
                if missing {
                    return replace_value(text, *flow, key, below, &nested(rest, value));
                }
                node = below;
            }
            (Kind::Sequence { flow, items }, Step::Named(name)) => {
                match items.iter().find(|item| item.is_named(name)) {
                    Some(item) => node = item,
                    None => return add_item(text, *flow, items, &nested(path, value)),
                }
            }
            _ => return None,
        }
        path = rest;
    }
}

pub(super) fn remove(text: &str, path: &[Step<'_>]) -> Option<String> {
    let root = tree::parse(text).ok()??;
    let [Step::Key(list), Step::Named(name)] = path else { return None };
    let Kind::Map { flow: in_flow, entries } = &root.kind else { return None };
    let (key, list) = tree::entry(entries, list)?;
    let Kind::Sequence { flow, items } = &list.kind else { return None };
    let index = items.iter().position(|item| item.is_named(name))?;
    let item = items.get(index)?;
    if items.len() == 1 {
        return replace_value(text, *in_flow, key, list, &Value::Array(Vec::new()));
    }
    if *flow {
        return match index.checked_sub(1) {
            Some(before) => splice(text, items.get(before)?.end, item.end, ""),
            None => splice(text, item.start, items.get(1)?.start, ""),
        };
    }
    let dash = dash(text, item)?;
    let start = dash - column(text, dash);
    // A document marker or another node may stand before the dash.
    if !text.get(start..dash)?.trim().is_empty() {
        return None;
    }
    splice(text, start, line_end(text, item.end).1, "")
}

fn add_entry(text: &str, map: &Node, flow: bool, entries: &[(Node, Node)], key: &str, value: &Value) -> Option<String> {
    match entries {
        [.., (_, last)] if flow => {
            // A key without a value stands at its colon already.
            insert(text, last.end, &format!(", {}: {}", Value::from(key), json(value)))
        }
        [] => insert(text, map.start + 1, &format!("{}: {}", Value::from(key), json(value))),
        [(first, _), .., (_, last)] | [(first, last)] => {
            let indent = column(text, first.start);
            let entry = Value::Object([(key.to_owned(), value.clone())].into_iter().collect());
            let lines = render::block(&entry, indent, newline(text));
            insert_lines(text, last.end, &lines)
        }
    }
}

fn add_item(text: &str, flow: bool, items: &[Node], value: &Value) -> Option<String> {
    // `value` is the whole sequence as it would be without other items.
    let item = value.get(0)?;
    let (first, last) = (items.first()?, items.last()?);
    if flow {
        return insert(text, last.end, &format!(", {}", json(item)));
    }
    let lines = render::item_lines(item, column(text, dash(text, first)?), newline(text));
    insert_lines(text, last.end, &lines)
}

/// The place of the dash before an item.
fn dash(text: &str, item: &Node) -> Option<usize> {
    Some(text.get(..item.start)?.trim_end().strip_suffix('-')?.len())
}

fn replace_value(text: &str, in_flow: bool, key: &Node, old: &Node, value: &Value) -> Option<String> {
    let colon = tree::after_colon(text, key)?;
    let new = if in_flow {
        format!(" {}", json(value))
    } else {
        render::after_key(value, column(text, key.start) + 2, newline(text))
    };
    splice(text, colon, old.end.max(colon), &new)
}

/// Adds lines behind the line that a node ends in.
fn insert_lines(text: &str, end: usize, lines: &str) -> Option<String> {
    let newline = newline(text);
    let (content_end, line_end) = line_end(text, end);
    let ended = line_end > content_end;
    insert(text, content_end, &format!("{newline}{lines}{}", if ended { "" } else { newline }))
}

/// Where the line of a place ends, without and with its line break.
fn line_end(text: &str, place: usize) -> (usize, usize) {
    let rest = text.get(place..).unwrap_or_default();
    match rest.find('\n') {
        Some(end) => {
            let content = rest.get(..end).map_or(end, |line| line.trim_end_matches('\r').len());
            (place + content, place + end + 1)
        }
        None => (text.len(), text.len()),
    }
}

fn column(text: &str, place: usize) -> usize {
    let before = text.trim_start_matches(BYTE_ORDER_MARK);
    let before = before.get(..place.saturating_sub(text.len() - before.len())).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn insert(text: &str, place: usize, new: &str) -> Option<String> {
    splice(text, place, place, new)
}

fn splice(text: &str, start: usize, end: usize, new: &str) -> Option<String> {
    Some(format!("{}{new}{}", text.get(..start)?, text.get(end..)?))
}
