//! Floats without a fraction, sent as the integers that they are.
//!
//! JSON knows no difference between `2.0` and `2`, but a server does not read `2.0` where a field is an integer. Go
//! writes such a float as `2`, so client-go's programs never send the other.

use serde_json::{Number, Value};

use crate::{Fields, Unstructured};

/// The object with integers in place of floats without a fraction; `None` where there are none of these.
pub(crate) fn with_integers(object: &Unstructured) -> Option<Unstructured> {
    let mut values: Vec<&Value> = object.object().values().collect();
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.values()),
            Value::Number(number) if integer(number).is_some() => {
                let mut object = object.clone();
                make_integers(object.object_mut());
                return Some(object);
            }
            _ => {}
        }
    }
    None
}

/// Puts integers in place of floats without a fraction.
fn make_integers(object: &mut Fields) {
    let mut values: Vec<&mut Value> = object.values_mut().collect();
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.values_mut()),
            Value::Number(number) => {
                if let Some(integer) = integer(number) {
                    *number = integer;
                }
            }
            _ => {}
        }
    }
}

/// The integer that a float is, if it is one of 64 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the float is within the integer's bounds")]
fn integer(number: &Number) -> Option<Number> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?;
    if (-BOUND..BOUND).contains(&float) {
        Some((float as i64).into())
    } else {
        (BOUND..2.0 * BOUND).contains(&float).then(|| (float as u64).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_without_a_fraction_become_integers_and_nothing_else_changes() {
        for (read, sent) in [
            ("2.0", "2"),
            ("2e0", "2"),
            ("8e1", "80"),
            ("-3.00", "-3"),
            ("-0.0", "0"),
            ("1.5e1", "15"),
            ("120E-1", "12"),
            ("9007199254740993.0", "9007199254740992"),
            ("-9223372036854775808.0", "-9223372036854775808"),
            ("1e19", "10000000000000000000"),
            ("0.5", "0.5"),
            ("1e-7", "1e-7"),
            ("18446744073709551615", "18446744073709551615"),
            ("-7", "-7"),
            ("\"2.0\"", "\"2.0\""),
            ("null", "null"),
        ] {
            let json = format!(r#"{{"a":[{{"b":{read}}}],"c":{read}}}"#);
            let object = Unstructured::from_json(json.as_bytes()).unwrap();
            let expected = format!(r#"{{"a":[{{"b":{sent}}}],"c":{sent}}}"#);
            let changed = with_integers(&object);
            assert_eq!(changed.is_some(), read.to_lowercase() != sent, "{read}");
            assert_eq!(serde_json::to_string(&changed.unwrap_or(object)).unwrap(), expected);
        }
        // Beyond 64 bits it stays what it is.
        let object = Unstructured::from_json(br#"{"a":1e20}"#).unwrap();
        assert_eq!(with_integers(&object), None);
    }
}
