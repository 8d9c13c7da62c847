//! Merging an applied configuration into a live value.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use serde_json::{Map as Members, Value};

use super::{
    Form,
    compare::{both_empty, names},
    forms_of_two,
    items::element_of,
};
use crate::merge::{
    path::PathElement,
    types::{List, Type},
};

/// The live value with what the configuration says. Nothing is removed.
pub(super) fn merge(live: &Value, config: &Value, of: Type<'_>) -> Value {
    merged(Some(live), Some(config), of).unwrap_or(Value::Null)
}

fn merged(live: Option<&Value>, config: Option<&Value>, of: Type<'_>) -> Option<Value> {
    // Where the forms differ, that of the configuration counts.
    match forms_of_two(of, live, config).1 {
        Form::Scalar(_) => one_value(live, config),
        Form::Map(map) => {
            let [live_members, config_members] = [live, config].map(|value| value.and_then(Value::as_object));
            if map.is_atomic() || both_empty(live_members.map(Members::len), config_members.map(Members::len)) {
                return one_value(live, config);
            }
            let members: Members<String, Value> = names(live_members, config_members)
                .filter_map(|name| {
                    let [live, config] =
                        [live_members, config_members].map(|members| members.and_then(|members| members.get(name)));
                    let of = map.at(name).unwrap_or(Type::Deduced);
                    Some((name.clone(), merged(live, config, of)?))
                })
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Form::List(list) => {
            let [live_items, config_items] = [live, config].map(|value| value.and_then(Value::as_array));
            let atomic = list.is_atomic();
            if atomic || both_empty(live_items.map(Vec::len), config_items.map(Vec::len)) {
                return one_value(live, config);
            }
            let items = merged_items(
                live_items.map(Vec::as_slice).unwrap_or_default(),
                config_items.map(Vec::as_slice).unwrap_or_default(),
                list,
            );
            (!items.is_empty()).then_some(Value::Array(items))
        }
    }
}

fn one_value(live: Option<&Value>, config: Option<&Value>) -> Option<Value> {
    config.or(live).cloned()
}

/// Merges two lists item by item.
///
/// The items that both lists have come in the order of the configuration. Those of the live list alone stay behind the
/// item that they follow there, as far as that is possible; those of the configuration alone come behind these.
fn merged_items(live: &[Value], config: &[Value], list: List<'_>) -> Vec<Value> {
    let live_items = Items::new(live, list);
    let config_items = Items::new(config, list);
    let mut shared: VecDeque<&PathElement> =
        config_items.order.iter().map(|(element, _)| element).filter(|element| live_items.has(element)).collect();
    let mut done = BTreeSet::new();
    let mut result = Vec::new();
    let (mut at_live, mut at_config) = (0, 0);
    let merge = |live: Option<&Value>, config: Option<&Value>| merged(live, config, list.element());
    loop {
        let next_live = live_items.order.get(at_live);
        let next_config = config_items.order.get(at_config);
        if next_live.is_none() && next_config.is_none() {
            return result;
        }
        if let (Some((live_element, _)), Some((config_element, _))) = (next_live, next_config)
            && live_element != config_element
            && config_items.has(live_element)
            && shared.front().is_some_and(|next| *next != live_element)
        {
            // Both have it, but it is not its turn yet.
            at_live += 1;
            continue;
        }
        if let Some((element, item)) = next_live
            && next_config.is_none_or(|(config_element, _)| config_element != element)
        {
            if !config_items.has(element) {
                result.extend(merge(Some(item), None));
                at_live += 1;
                continue;
            }
            if done.contains(element) {
                at_live += 1;
            }
        }
        if let Some((element, _)) = next_config {
            result.extend(merge(live_items.get(element), config_items.get(element)));
            done.insert(element);
            at_config += 1;
            if next_live.is_some_and(|(live_element, _)| live_element == element) {
                at_live += 1;
            }
            if shared.front() == Some(&element) {
                shared.pop_front();
            }
        }
    }
}

/// The items of a list, in their order and by their path elements.
struct Items<'v> {
    order: Vec<(PathElement, &'v Value)>,
    by_element: BTreeMap<PathElement, &'v Value>,
}

impl<'v> Items<'v> {
    fn new(items: &'v [Value], list: List<'_>) -> Self {
        let order: Vec<_> = items.iter().filter_map(|item| Some((element_of(item, list).ok()?, item))).collect();
        let mut by_element = BTreeMap::new();
        for (element, item) in &order {
            match by_element.entry(element.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(*item);
                }
                // Items with the same keys are not merged with another.
                Entry::Occupied(mut occupied) => {
                    occupied.insert(&Value::Null);
                }
            }
        }
        Self { order, by_element }
    }

    fn has(&self, element: &PathElement) -> bool {
        self.by_element.contains_key(element)
    }

    fn get(&self, element: &PathElement) -> Option<&'v Value> {
        self.by_element.get(element).copied()
    }
}
