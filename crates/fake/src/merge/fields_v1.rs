//! FieldsV1: sets of fields as JSON.

use serde_json::{Map, Value};

use super::{
    path::PathElement,
    set::{FieldSet, Node},
    value::write_text,
};

impl FieldSet {
    /// Reads FieldsV1. Elements of unknown kinds are left out.
    pub(crate) fn from_fields_v1(fields: &Value) -> Result<Self, String> {
        match fields {
            Value::Object(fields) => read(fields).map(|(set, _)| set),
            Value::Null => Ok(Self::default()),
            _ => Err("fieldsV1 is not a map".to_owned()),
        }
    }

    /// The set as FieldsV1.
    pub(crate) fn to_fields_v1(&self) -> Value {
        Value::Object(self.0.iter().map(|(element, node)| (element.to_fields_v1(), node.to_fields_v1())).collect())
    }

    /// FieldsV1 as the server writes it: sorted by what the elements mean, so that port 80 comes before port 443.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare the server's text"))]
    pub(crate) fn to_fields_v1_text(&self) -> String {
        let mut text = String::new();
        self.write(false, &mut text);
        text
    }

    fn write(&self, member: bool, text: &mut String) {
        text.push('{');
        if member && !self.is_empty() {
            text.push_str(r#"".":{}"#);
        }
        for (index, (element, node)) in self.0.iter().enumerate() {
            if index > 0 || member {
                text.push(',');
            }
            write_text(text, &element.to_fields_v1());
            text.push(':');
            node.below.write(node.member, text);
        }
        text.push('}');
    }
}

impl Node {
    fn to_fields_v1(&self) -> Value {
        let mut fields = self.below.to_fields_v1();
        if let Value::Object(fields) = &mut fields
            && self.member
            && !fields.is_empty()
        {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        fields
    }
}

/// The set, and whether the map stands for a member itself: it has a `.`, or nothing below.
fn read(fields: &Map<String, Value>) -> Result<(FieldSet, bool), String> {
    let mut set = FieldSet::default();
    let mut member = false;
    for (key, value) in fields {
        if key == "." {
            member = true;
            continue;
        }
        let Some(element) = PathElement::from_fields_v1(key)? else { continue };
        let (below, is_member) = match value {
            Value::Object(fields) => read(fields)?,
            Value::Null => (FieldSet::default(), true),
            _ => return Err(format!("the field {key:?} of fieldsV1 is not a map")),
        };
        set.0.insert(element, Node { member: is_member, below });
    }
    member |= set.is_empty();
    Ok((set, member))
}
