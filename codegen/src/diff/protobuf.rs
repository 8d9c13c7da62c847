//! Numbers and types of fields in protobuf.

use std::collections::BTreeMap;

use super::{Api, Change, Kind};
use crate::spec::proto::{Field, Table, message_of_schema};

pub(super) fn compare(new: &Api<'_>, before: &Table, after: &Table, changes: &mut Vec<Change>) {
    for (name, of_type) in &new.types {
        let message = message_of_schema(name);
        let (Some(before), Some(after)) = (before.messages.get(&message), after.messages.get(&message)) else {
            continue;
        };
        let mut change = |kind, path: &str, before: String, after: String| {
            let place = of_type.place.inside(path);
            let (before, after) = (Some(before), Some(after));
            changes.push(Change { place, kind, before, after, reach: of_type.reach.clone() });
        };
        let by_name: BTreeMap<&str, &Field> = after.iter().map(|field| (field.name.as_str(), field)).collect();
        for old in before {
            let Some(new) = by_name.get(old.name.as_str()) else {
                if let Some(reused) = after.iter().find(|field| field.number == old.number) {
                    let text = |field: &Field| format!("{} {}", field.number, field.name);
                    change(Kind::ProtobufNumberReused, "", text(old), text(reused));
                }
                continue;
            };
            if old.number != new.number {
                change(Kind::ProtobufNumber, &new.name, old.number.to_string(), new.number.to_string());
            }
            if old.kind != new.kind {
                change(Kind::ProtobufType, &new.name, old.kind.to_string(), new.kind.to_string());
            }
        }
    }
}
