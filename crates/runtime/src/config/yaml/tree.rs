//! A YAML document with the place of each of its nodes in the text.

use serde_saphyr::granit_parser::{Event, Parser, Span, StructureStyle};

#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where its last character that is no space ends.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(String),
    Map {
        flow: bool,
        entries: Vec<(Node, Node)>,
    },
    Sequence {
        flow: bool,
        items: Vec<Node>,
    },
    /// An alias: what is changed below it would change elsewhere too.
    Alias,
}

impl Node {
    /// Whether nothing is written in the node's place.
    pub(super) fn is_absent(&self) -> bool {
        self.start == self.end
    }

    /// Whether an item of a sequence says that this is its name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let Kind::Map { entries, .. } = &self.kind else { return false };
        entry(entries, "name").map_or(name.is_empty(), |(_, value)| value.is_text(name))
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::Scalar(value) if value == text)
    }
}

/// The entry of this key. If there are several, the last one counts.
pub(super) fn entry<'a>(entries: &'a [(Node, Node)], key: &str) -> Option<&'a (Node, Node)> {
    entries.iter().rfind(|(found, _)| found.is_text(key))
}

/// A document that cannot be read.
pub(super) struct Unreadable;

/// Where the first document of a text ends: at `---`, `...` or the end of the text.
pub(super) fn end_of_document(text: &str) -> usize {
    let ends = Parser::new_from_str(text).map_while(Result::ok).find(|(event, _)| matches!(event, Event::DocumentEnd));
    ends.and_then(|(_, span)| span.byte_range()).map_or(text.len(), |range| range.start)
}

/// The document that is a text; nothing if there is nothing in it.
pub(super) fn parse(text: &str) -> Result<Option<Node>, Unreadable> {
    let mut events = Vec::new();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|_| Unreadable)?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event if is_node(&event) => events.push((event, span)),
            _ => {}
        }
    }
    let mut reader = Reader { text, events: events.into_iter() };
    let Some((event, span)) = reader.events.next() else { return Ok(None) };
    let root = reader.node(event, span).ok_or(Unreadable)?;
    Ok(Some(root).filter(|root| !root.is_absent()))
}

fn is_node(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Scalar(..)
            | Event::Alias(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
    )
}

struct Reader<'a, I> {
    text: &'a str,
    events: I,
}

impl<'a, I: Iterator<Item = (Event<'a>, Span)>> Reader<'_, I> {
    /// The parser limits how deep nodes are nested, and so how deep this goes.
    fn node(&mut self, event: Event<'a>, span: Span) -> Option<Node> {
        let range = span.byte_range()?;
        let (start, end) = (range.start, range.end);
        match event {
            Event::Scalar(value, ..) => {
                // A block scalar reaches into the line behind it.
                let end = start + span.slice(self.text)?.trim_end().len();
                Some(Node { start, end, kind: Kind::Scalar(value.into_owned()) })
            }
            Event::Alias(_) => Some(Node { start, end, kind: Kind::Alias }),
            Event::MappingStart(style, ..) => self.map(start, end, style == StructureStyle::Flow),
            Event::SequenceStart(style, ..) => self.sequence(start, end, style == StructureStyle::Flow),
            _ => None,
        }
    }

    fn map(&mut self, start: usize, mut end: usize, flow: bool) -> Option<Node> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.events.next()?;
            if matches!(event, Event::MappingEnd) {
                if flow {
                    end = span.byte_range()?.end;
                }
                return Some(Node { start, end, kind: Kind::Map { flow, entries } });
            }
            let key = self.node(event, span)?;
            let (event, span) = self.events.next()?;
            let mut value = self.node(event, span)?;
            if value.is_absent() {
                // The parser notices only at the next node that there is no value.
                let colon = after_colon(self.text, &key)?;
                value = Node { start: colon, end: colon, kind: value.kind };
            }
            end = value.end;
            entries.push((key, value));
        }
    }

    fn sequence(&mut self, start: usize, mut end: usize, flow: bool) -> Option<Node> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.events.next()?;
            if matches!(event, Event::SequenceEnd) {
                if flow {
                    end = span.byte_range()?.end;
                }
                return Some(Node { start, end, kind: Kind::Sequence { flow, items } });
            }
            let item = self.node(event, span)?;
            end = item.end;
            items.push(item);
        }
    }
}

/// The place behind the colon of a key.
pub(super) fn after_colon(text: &str, key: &Node) -> Option<usize> {
    let rest = text.get(key.end..)?;
    let colon = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest.get(colon..)?.starts_with(':').then_some(key.end + colon + 1)
}
