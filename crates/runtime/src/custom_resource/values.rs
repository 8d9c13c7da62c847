//! Values of custom resources that keep the form in which they were written.
//!
//! The server stores the fields of a custom resource as it is sent them, so another spelling of the same value is a
//! change: it raises `metadata.generation`, and controllers act on it.

use k8s_openapi::{
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{MicroTime, Time},
        util::intstr::IntOrString,
    },
    jiff,
    serde::{Deserialize, Deserializer, Serialize, Serializer},
};
use serde_json::Value;

use crate::{
    apply::{Node, Problem, deserialize, unexpected, whole},
    machine,
};

/// A whole number or a text: a port, a percentage, or a quantity.
///
/// k8s-openapi's [`IntOrString`] holds numbers of 32 bits only, and its [`Quantity`] writes numbers as texts.
///
/// ```
/// use k8s_client_runtime::custom_resource::Int64OrString;
/// use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
///
/// let cpu = Int64OrString::from(2);
/// assert_eq!(serde_json::to_string(&cpu)?, "2");
/// assert_eq!(Quantity::from(cpu), Quantity("2".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Int64OrString {
    /// A number.
    Int(i64),
    /// A text.
    String(String),
}

impl Default for Int64OrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl std::fmt::Display for Int64OrString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::String(text) => f.write_str(text),
        }
    }
}

impl From<i32> for Int64OrString {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<i64> for Int64OrString {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Int64OrString {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Int64OrString {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Quantity> for Int64OrString {
    fn from(quantity: Quantity) -> Self {
        Self::String(quantity.0)
    }
}

impl From<IntOrString> for Int64OrString {
    fn from(value: IntOrString) -> Self {
        match value {
            IntOrString::Int(number) => Self::Int(number.into()),
            IntOrString::String(text) => Self::String(text),
        }
    }
}

impl From<Int64OrString> for Quantity {
    fn from(value: Int64OrString) -> Self {
        Self(value.to_string())
    }
}

/// Gives the value back if it is a number that does not fit.
impl TryFrom<Int64OrString> for IntOrString {
    type Error = Int64OrString;

    fn try_from(value: Int64OrString) -> Result<Self, Int64OrString> {
        match value {
            Int64OrString::Int(number) => number.try_into().map(Self::Int).map_err(|_| value),
            Int64OrString::String(text) => Ok(Self::String(text)),
        }
    }
}

impl Node for Int64OrString {
    fn node_to_json(&self) -> Value {
        match self {
            Self::Int(number) => (*number).into(),
            Self::String(text) => text.as_str().into(),
        }
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        match value {
            Value::String(text) => Ok(Self::String(text)),
            value => match whole(&value) {
                Some(number) => Ok(Self::Int(number)),
                None => Err(unexpected("a whole number or a string", &value)),
            },
        }
    }
}

/// A number, whole or not: 1 and 1.0 stay what they are.
///
/// ```
/// use k8s_client_runtime::custom_resource::Number;
///
/// assert_eq!(serde_json::to_string(&Number::from(0.5))?, "0.5");
/// assert_eq!(Number::from(3).as_f64(), 3.0);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Number(serde_json::Number);

impl Number {
    /// The number as a float, which whole ones beyond 2⁵³ are rounded to.
    pub fn as_f64(&self) -> f64 {
        self.0.as_f64().unwrap_or_default()
    }

    /// The number if it is a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }
}

impl Default for Number {
    fn default() -> Self {
        Self(0.into())
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self(number.into())
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

/// JSON has no infinite numbers: they become the largest and the smallest one, and what is no number becomes 0.
impl From<f64> for Number {
    fn from(number: f64) -> Self {
        let finite = if number.is_nan() { 0.0 } else { number.clamp(f64::MIN, f64::MAX) };
        serde_json::Number::from_f64(finite).map_or_else(Self::default, Self)
    }
}

impl Node for Number {
    fn node_to_json(&self) -> Value {
        Value::Number(self.0.clone())
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Number(number) => Ok(Self(number)),
            value => Err(unexpected("a number", &value)),
        }
    }
}

/// A point in time as it was written: RFC 3339 with any zone and precision.
///
/// k8s-openapi's [`Time`] drops fractions of seconds, and would make an object unreadable that has another text here.
///
/// ```
/// use k8s_client_runtime::custom_resource::Timestamp;
///
/// let at = Timestamp::from("2026-05-04T03:02:01.5+02:00");
/// assert_eq!(at.as_str(), "2026-05-04T03:02:01.5+02:00");
/// assert_eq!(at.time().unwrap().0.to_string(), "2026-05-04T01:02:01.5Z");
/// assert!(Timestamp::from("tomorrow").time().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// Now, in seconds, as most fields of Kubernetes have it.
    pub fn now() -> Self {
        let since = machine::system_time().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        Self::from(Time(now.unwrap_or_default()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The time, if the text is one.
    pub fn time(&self) -> Option<Time> {
        self.0.parse().ok().map(Time)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// In seconds.
impl From<Time> for Timestamp {
    fn from(Time(at): Time) -> Self {
        Self(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

/// In microseconds.
impl From<MicroTime> for Timestamp {
    fn from(MicroTime(at): MicroTime) -> Self {
        Self(at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Node for Timestamp {
    fn node_to_json(&self) -> Value {
        self.0.as_str().into()
    }

    fn node_from_json(value: Value) -> Result<Self, Problem> {
        String::node_from_json(value).map(Self)
    }
}

/// serde's traits of types whose form is that of a [`Node`].
macro_rules! serde_by_node {
    ($($type:ident),*) => {
        $(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    self.node_to_json().serialize(serializer)
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserialize(deserializer)
                }
            }
        )*
    };
}

serde_by_node!(Int64OrString, Number, Timestamp);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_str, to_string};

    #[test]
    fn numbers_and_texts_stay_as_they_were_written() -> Result<(), serde_json::Error> {
        for text in ["1", "\"1\"", "\"500m\"", "9007199254740993", "-3"] {
            assert_eq!(to_string(&from_str::<Int64OrString>(text)?)?, text);
        }
        for text in ["1", "1.0", "0.1", "9007199254740993", "-2.5e-7", "123456789.12345679"] {
            assert_eq!(to_string(&from_str::<Number>(text)?)?, text);
        }
        for text in ["\"2026-05-04T03:02:01Z\"", "\"2026-05-04T03:02:01.000+02:00\"", "\"soon\""] {
            assert_eq!(to_string(&from_str::<Timestamp>(text)?)?, text);
        }
        Ok(())
    }

    #[test]
    fn values_of_other_types_are_refused_without_being_shown() {
        let error = from_str::<Int64OrString>("0.5").unwrap_err().to_string();
        assert!(error.contains("expected a whole number or a string, found a number"), "{error}");
        let error = from_str::<Timestamp>("7").unwrap_err().to_string();
        assert!(error.contains("expected a string, found a number"), "{error}");
    }

    #[test]
    fn types_of_k8s_openapi_become_ours_and_back() {
        assert_eq!(IntOrString::try_from(Int64OrString::from(80)), Ok(IntOrString::Int(80)));
        let large = Int64OrString::Int(1 << 40);
        assert_eq!(IntOrString::try_from(large.clone()), Err(large));
        assert_eq!(Int64OrString::from(Quantity("1Gi".to_owned())), Int64OrString::from("1Gi"));
        let at: jiff::Timestamp = "2026-05-04T03:02:01.123456Z".parse().unwrap();
        assert_eq!(Timestamp::from(Time(at)).as_str(), "2026-05-04T03:02:01Z");
        assert_eq!(Timestamp::from(MicroTime(at)).as_str(), "2026-05-04T03:02:01.123456Z");
        assert_eq!(Number::from(f64::NAN), Number::from(0.0));
        assert!(Number::from(f64::INFINITY).as_f64().is_finite());
    }
}
