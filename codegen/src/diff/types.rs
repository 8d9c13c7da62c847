//! Types and their fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Api, Change, Kind, Reach, api::Type, reach::gates_of};
use crate::spec::{AdditionalProperties, Schema, Type as JsonType, json::is_zero};

pub(super) fn compare(old: &Api<'_>, new: &Api<'_>, changes: &mut Vec<Change>) {
    let whole = |kind, of_type: &Type<'_>| Change {
        place: of_type.place.clone(),
        kind,
        before: None,
        after: None,
        reach: of_type.reach.clone(),
    };
    // The type of a custom resource comes and goes with it.
    let own_types = |api: &Api<'_>| !api.is_custom;
    let asks = Asks {
        old,
        new,
        of_fields: old.markers.is_some() != new.markers.is_some(),
        knows_values: !values_are_unknown(old) && !values_are_unknown(new),
    };
    for (name, before) in &old.types {
        match new.types.get(name) {
            Some(after) => {
                let mut walk = Walk { asks: &asks, name, before, after, changes };
                walk.schemas("", before.schema, after.schema);
            }
            None if own_types(old) => changes.push(whole(Kind::TypeRemoved, before)),
            None => {}
        }
    }
    let added = new.types.iter().filter(|(name, _)| own_types(new) && !old.types.contains_key(*name));
    changes.extend(added.map(|(_, after)| whole(Kind::TypeAdded, after)));
}

/// A type in words: `string`, `integer int32`, `[]core.v1.Container`, `map[string]string`.
pub(super) fn text(schema: &Schema) -> String {
    if let Some(name) = &schema.reference {
        let prefixes = ["io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg."];
        let short = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
        return short.unwrap_or(name).to_owned();
    }
    if schema.int_or_string {
        return "int-or-string".to_owned();
    }
    match (schema.kind, &schema.items, &schema.additional_properties) {
        (Some(JsonType::Array), Some(items), _) => format!("[]{}", text(items)),
        (_, _, Some(AdditionalProperties::Of(values))) => format!("map[string]{}", text(values)),
        (_, _, Some(AdditionalProperties::Any(true))) => "map[string]any".to_owned(),
        (Some(kind), ..) => match &schema.format {
            Some(format) => format!("{} {format}", kind.as_str()),
            None => kind.as_str().to_owned(),
        },
        (None, ..) => "any".to_owned(),
    }
}

/// Whether nothing says which values strings may have.
pub(super) fn values_are_unknown(api: &Api<'_>) -> bool {
    fn has_values(schema: &Schema) -> bool {
        let items = schema.items.as_deref();
        !schema.values.is_empty() || schema.properties.values().chain(items).any(has_values)
    }
    !api.is_custom && api.markers.is_none() && !api.types.values().any(|of_type| has_values(of_type.schema))
}

/// What is asked of the two sides beside their schemas.
struct Asks<'w, 'a> {
    old: &'w Api<'a>,
    new: &'w Api<'a>,
    /// Whether one side has enums by name, and the other the values of each field.
    of_fields: bool,
    /// Whether both sides know values.
    knows_values: bool,
}

impl Asks<'_, '_> {
    /// The values of a string. Where both sides have enums by name, those are compared.
    fn values(&self, api: &Api<'_>, name: &str, path: &str, schema: &Schema) -> BTreeSet<String> {
        let markers = api.markers.filter(|_| self.of_fields && schema.kind == Some(JsonType::String));
        let field = format!("{name}.{}", property(path));
        let of_enum = markers.and_then(|markers| markers.enum_of(&field));
        match of_enum {
            Some(of_enum) => of_enum.values.iter().map(|value| Value::from(value.as_str()).to_string()).collect(),
            None => schema.values.iter().map(Value::to_string).collect(),
        }
    }
}

/// The property that a path begins with.
fn property(path: &str) -> &str {
    path.split(['.', '[', '{']).next().unwrap_or(path)
}

/// Goes through two forms of a type.
struct Walk<'w, 'a> {
    asks: &'w Asks<'w, 'a>,
    name: &'w str,
    before: &'w Type<'a>,
    after: &'w Type<'a>,
    changes: &'w mut Vec<Change>,
}

impl Walk<'_, '_> {
    fn is_custom(&self) -> bool {
        self.asks.new.is_custom
    }

    /// Whether a path is in the status of a kind, which its controller writes.
    fn is_status(&self, path: &str) -> bool {
        let is_kind = self.is_custom() || !self.after.schema.kinds.is_empty();
        self.after.reach.status_only || (is_kind && (path == "status" || path.starts_with("status.")))
    }

    fn add(&mut self, path: &str, kind: Kind, before: Option<String>, after: Option<String>) {
        let (name, property) = (self.name, property(path));
        let gates = |api: &Api<'_>, of_type: &Type<'_>| {
            let mut gates = of_type.reach.gates.clone();
            gates.extend(gates_of(api.markers, name, property));
            gates
        };
        // What is there on both sides breaks those who have it on the more open one.
        let reach = [(self.asks.old, self.before), (self.asks.new, self.after)]
            .into_iter()
            .filter(|(_, of_type)| property.is_empty() || of_type.schema.properties.contains_key(property))
            .map(|(api, of_type)| Reach { gates: gates(api, of_type), ..of_type.reach.clone() })
            .min_by_key(Reach::stability);
        let mut reach = reach.unwrap_or_default();
        reach.status_only = self.is_status(path);
        self.changes.push(Change { place: self.after.place.inside(path), kind, before, after, reach });
    }

    fn schemas(&mut self, path: &str, old: &Schema, new: &Schema) {
        let (before, after) = (text(old), text(new));
        if before != after {
            return self.add(path, Kind::FieldType, Some(before), Some(after));
        }
        self.defaults(path, old, new);
        self.values(path, old, new);
        self.ownership(path, old, new);
        self.validations(path, old, new);
        let flags = [
            (old.nullable, new.nullable, Kind::NowNullable, Kind::NoLongerNullable),
            (old.preserves_unknown, new.preserves_unknown, Kind::UnknownKept, Kind::UnknownDropped),
            (old.embedded_resource, new.embedded_resource, Kind::EmbeddedResource, Kind::EmbeddedResource),
        ];
        for (before, after, set, cleared) in flags {
            if before != after {
                self.add(path, if after { set } else { cleared }, None, None);
            }
        }
        self.properties(path, old, new);
        if let (Some(before), Some(after)) = (&old.items, &new.items) {
            self.schemas(&format!("{path}[]"), before, after);
        }
        if let (Some(AdditionalProperties::Of(before)), Some(AdditionalProperties::Of(after))) =
            (&old.additional_properties, &new.additional_properties)
        {
            self.schemas(&format!("{path}{{}}"), before, after);
        }
    }

    fn properties(&mut self, path: &str, old: &Schema, new: &Schema) {
        let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, before) in &old.properties {
            let path = inside(name);
            let Some(after) = new.properties.get(name) else {
                self.add(&path, Kind::FieldRemoved, Some(field_text(name, old, before)), None);
                continue;
            };
            self.required(&path, (old.required.contains(name), new.required.contains(name)), after.default.is_some());
            self.schemas(&path, before, after);
        }
        // Where unknown fields are kept, one may be required that no property describes.
        let is_unknown = |name: &&String| !old.properties.contains_key(*name) && !new.properties.contains_key(*name);
        for name in old.required.symmetric_difference(&new.required).filter(is_unknown) {
            self.required(&inside(name), (old.required.contains(name), new.required.contains(name)), false);
        }
        for (name, after) in &new.properties {
            if !old.properties.contains_key(name) {
                let path = inside(name);
                let is_filled = after.default.as_ref().is_some_and(|default| self.is_custom() || !is_zero(default));
                // Kubernetes' own controllers write the status of its kinds.
                let is_ours = !self.is_custom() && self.is_status(&path);
                let breaks = new.required.contains(name) && !is_filled && !is_ours;
                let kind = if breaks { Kind::RequiredFieldAdded } else { Kind::FieldAdded };
                self.add(&path, kind, None, Some(field_text(name, new, after)));
            }
        }
    }

    fn required(&mut self, path: &str, is_required: (bool, bool), has_default: bool) {
        match is_required {
            (false, true) if self.is_custom() && !has_default => self.add(path, Kind::Enforced, None, None),
            (false, true) => self.add(path, Kind::NowRequired, None, None),
            (true, false) => self.add(path, Kind::NoLongerRequired, None, None),
            _ => {}
        }
    }

    fn defaults(&mut self, path: &str, old: &Schema, new: &Schema) {
        if old.default == new.default {
            return;
        }
        let is_real =
            |default: &Option<Value>| default.as_ref().is_some_and(|value| self.is_custom() || !is_zero(value));
        let is_real = is_real(&old.default) || is_real(&new.default);
        // The zero of an item or of a map's value says nothing at all.
        if is_real || !path.ends_with([']', '}']) {
            let kind = if is_real { Kind::DefaultChanged } else { Kind::DefaultStated };
            let text = |default: &Option<Value>| default.as_ref().map_or_else(|| "none".to_owned(), Value::to_string);
            self.add(path, kind, Some(text(&old.default)), Some(text(&new.default)));
        }
    }

    fn values(&mut self, path: &str, old: &Schema, new: &Schema) {
        if !self.asks.knows_values {
            return;
        }
        let before = self.asks.values(self.asks.old, self.name, path, old);
        let after = self.asks.values(self.asks.new, self.name, path, new);
        let joined = |values: Vec<&String>| Some(values.into_iter().cloned().collect::<Vec<_>>().join(", "));
        let added = joined(after.difference(&before).collect());
        let removed = joined(before.difference(&after).collect());
        match (before.is_empty(), after.is_empty()) {
            (true, true) => {}
            (true, false) => self.add(path, Kind::ValuesListed, None, added),
            (false, true) => self.add(path, Kind::ValuesOpen, removed, None),
            (false, false) => {
                if !before.is_subset(&after) {
                    self.add(path, Kind::ValueRemoved, removed, None);
                }
                if !after.is_subset(&before) {
                    self.add(path, Kind::ValueAdded, None, added);
                }
            }
        }
    }

    /// Who owns the items of lists and the entries of maps, and how patches merge them.
    fn ownership(&mut self, path: &str, old: &Schema, new: &Schema) {
        let mut differ = |kind, before: String, after: String| {
            let differs = before != after;
            if differs {
                self.add(path, kind, Some(before), Some(after));
            }
            differs
        };
        let differs = differ(Kind::ListType, list_type(old), list_type(new));
        if !differs {
            let stated = |schema: &Schema| match (&schema.list_type, schema.list_map_keys.as_slice()) {
                (None, []) => "none".to_owned(),
                (list_type, []) => list_type.clone().unwrap_or_default(),
                (list_type, keys) => format!("{} by {}", list_type.as_deref().unwrap_or("none"), keys.join(", ")),
            };
            differ(Kind::ListTypeStated, stated(old), stated(new));
        }
        let or = |text: &Option<String>, default: &str| text.clone().unwrap_or_else(|| default.to_owned());
        differ(Kind::MapType, or(&old.map_type, "granular"), or(&new.map_type, "granular"));
        differ(Kind::PatchStrategy, or(&old.patch_strategy, "replace"), or(&new.patch_strategy, "replace"));
        // Without merging, the key says nothing.
        let key = |schema: &Schema| schema.patch_merge_key.clone();
        if let (Some(before), Some(after)) = (key(old), key(new)) {
            differ(Kind::MergeKey, before, after);
        }
    }

    fn validations(&mut self, path: &str, old: &Schema, new: &Schema) {
        let (before, after) = (validations(old), validations(new));
        for (keyword, value) in &before {
            match after.get(keyword) {
                None => self.add(path, Kind::ValidationLoosened, Some(shown(keyword, value)), None),
                Some(now) if now != value => {
                    let kind = direction(keyword, value, now);
                    self.add(path, kind, Some(shown(keyword, value)), Some(shown(keyword, now)));
                }
                Some(_) => {}
            }
        }
        for (keyword, value) in after.iter().filter(|(keyword, _)| !before.contains_key(*keyword)) {
            self.add(path, Kind::ValidationAdded, None, Some(shown(keyword, value)));
        }
    }
}

/// A field's type, and whether it is required.
fn field_text(name: &str, of: &Schema, field: &Schema) -> String {
    let required = if of.required.contains(name) { ", required" } else { "" };
    format!("{}{required}", text(field))
}

/// Who owns the items of a list; nothing where there is none.
fn list_type(schema: &Schema) -> String {
    match (schema.kind, schema.list_type.as_deref()) {
        (Some(JsonType::Array), Some("map")) => format!("map by {}", schema.list_map_keys.join(", ")),
        (Some(JsonType::Array), Some("set")) => "set".to_owned(),
        (Some(JsonType::Array), _) => "atomic".to_owned(),
        _ => String::new(),
    }
}

/// Keywords that say something to people.
const PROSE: [&str; 4] = ["description", "example", "externalDocs", "title"];

/// The rules of the server's own language of expressions.
const EXPRESSIONS: &str = "x-kubernetes-validations";

/// What restricts values, by keyword.
fn validations(schema: &Schema) -> BTreeMap<&str, Value> {
    let others = schema.other.iter().filter(|(keyword, _)| !PROSE.contains(&keyword.as_str()));
    let mut validations: BTreeMap<&str, Value> = others
        .map(|(keyword, value)| {
            // Messages are prose.
            let rules = || value.as_array()?.iter().map(|rule| rule.get("rule").cloned()).collect::<Option<Value>>();
            let value = if keyword == EXPRESSIONS { rules() } else { None }.unwrap_or_else(|| value.clone());
            (keyword.as_str(), value)
        })
        .collect();
    for (keyword, schemas) in [("allOf", &schema.all_of), ("anyOf", &schema.any_of), ("oneOf", &schema.one_of)] {
        if !schemas.is_empty() {
            let schemas: Vec<Schema> = schemas.iter().map(without_prose).collect();
            validations.insert(keyword, Value::from(format!("{schemas:?}")));
        }
    }
    validations
}

/// A schema without what it says to people, in all its parts.
fn without_prose(schema: &Schema) -> Schema {
    let all = |schemas: &[Schema]| schemas.iter().map(without_prose).collect();
    let one = |schema: &Schema| Box::new(without_prose(schema));
    let mut bare = schema.clone();
    bare.other.retain(|keyword, _| !PROSE.contains(&keyword.as_str()));
    bare.properties = schema.properties.iter().map(|(name, of)| (name.clone(), without_prose(of))).collect();
    bare.items = schema.items.as_deref().map(one);
    if let Some(AdditionalProperties::Of(values)) = &schema.additional_properties {
        bare.additional_properties = Some(AdditionalProperties::Of(one(values)));
    }
    bare.all_of = all(&schema.all_of);
    bare.any_of = all(&schema.any_of);
    bare.one_of = all(&schema.one_of);
    bare
}

/// The longest value that is shown.
const SHOWN: usize = 60;

fn shown(keyword: &str, value: &Value) -> String {
    let text = value.to_string();
    let is_short = text.chars().count() <= SHOWN && !keyword.ends_with("Of");
    if is_short { format!("{keyword} {text}") } else { keyword.to_owned() }
}

/// Whether a restriction became tighter or looser.
fn direction(keyword: &str, old: &Value, new: &Value) -> Kind {
    if let (Some(before), Some(after)) = (old.as_f64(), new.as_f64()) {
        let is_tighter = if keyword.starts_with("min") { after > before } else { after < before };
        if keyword.starts_with("min") || keyword.starts_with("max") {
            return if is_tighter { Kind::ValidationAdded } else { Kind::ValidationLoosened };
        }
    }
    if let (EXPRESSIONS, Some(before), Some(after)) = (keyword, old.as_array(), new.as_array()) {
        if before.iter().all(|rule| after.contains(rule)) {
            return Kind::ValidationAdded;
        }
        if after.iter().all(|rule| before.contains(rule)) {
            return Kind::ValidationLoosened;
        }
    }
    Kind::ValidationChanged
}
