//! Choosing by labels.

use std::{fmt, str::FromStr};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{InvalidSelector, Operator, Requirement, parse};

/// What errors call it.
pub(super) const LABEL_SELECTOR: &str = "label selector";

/// Chooses objects by their labels: all requirements must hold. client-go's `labels.Selector`.
///
/// It is parsed from text with all of Kubernetes' grammar (`=`, `==`, `!=`, `in`, `notin`, `key`, `!key`, `<`, `>`),
/// built by methods, or made of the [`LabelSelector`] in an object. Requirements are kept in the order of their keys,
/// without repeats, so equal selectors print the same text.
///
/// ```
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::{batch::v1::JobSpec, core::v1::Pod};
/// use k8s_client_runtime::selector::Selector;
///
/// # async fn example(pods: ResourceClient<Pod>, job: JobSpec) -> Result<(), Error> {
/// // The pods of a Job, its `matchExpressions` included.
/// let selector = match &job.selector {
///     Some(selector) => Selector::try_from(selector)?,
///     None => Selector::nothing(),
/// };
/// let all = pods.list().label_selector(&selector).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

impl Selector {
    /// A selector without requirements: every object matches. Its text is empty.
    pub fn everything() -> Self {
        Self::default()
    }

    /// A selector that no object matches. Its text is one that every server reads so: `nothing,!nothing`.
    pub fn nothing() -> Self {
        let both = [Operator::Exists, Operator::DoesNotExist];
        both.into_iter().filter_map(|operator| Requirement::new("nothing", operator, []).ok()).collect()
    }

    /// The label must have this value.
    ///
    /// # Errors
    ///
    /// This method and the others like it refuse keys and values that no label can have.
    pub fn equal(self, key: &str, value: impl Into<String>) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::Equals, [value.into()])
    }

    /// The label must have another value, or be absent.
    pub fn not_equal(self, key: &str, value: impl Into<String>) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::NotEquals, [value.into()])
    }

    /// The label must have one of these values: `in`.
    pub fn one_of<V: Into<String>>(
        self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::In, values.into_iter().map(Into::into))
    }

    /// The label must have none of these values, or be absent: `notin`.
    pub fn none_of<V: Into<String>>(
        self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::NotIn, values.into_iter().map(Into::into))
    }

    /// The label must be there, with any value.
    pub fn exists(self, key: &str) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::Exists, [])
    }

    /// The label must not be there.
    pub fn absent(self, key: &str) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::DoesNotExist, [])
    }

    /// The label must be an integer greater than this one.
    pub fn greater_than(self, key: &str, bound: i64) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::GreaterThan, [bound.to_string()])
    }

    /// The label must be an integer less than this one.
    pub fn less_than(self, key: &str, bound: i64) -> Result<Self, InvalidSelector> {
        self.and(key, Operator::LessThan, [bound.to_string()])
    }

    fn and(
        self,
        key: &str,
        operator: Operator,
        values: impl IntoIterator<Item = String>,
    ) -> Result<Self, InvalidSelector> {
        let requirement =
            Requirement::new(key, operator, values).map_err(|problem| InvalidSelector::of(LABEL_SELECTOR, problem))?;
        Ok(self.requirements.into_iter().chain([requirement]).collect())
    }

    /// The requirements, in the order of their keys.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether there are no requirements, so that every object matches.
    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether an object with these labels is meant.
    ///
    /// ```
    /// # use k8s_client_runtime::selector::Selector;
    /// # use k8s_openapi::api::core::v1::Pod;
    /// # fn example(selector: Selector, pod: Pod) -> bool {
    /// selector.matches(pod.metadata.labels.iter().flatten())
    /// # }
    /// ```
    pub fn matches<K: AsRef<str>, V: AsRef<str>>(&self, labels: impl IntoIterator<Item = (K, V)>) -> bool {
        if self.is_everything() {
            return true;
        }
        let labels: Vec<(K, V)> = labels.into_iter().collect();
        self.matches_by(|key| labels.iter().find(|(other, _)| other.as_ref() == key).map(|(_, value)| value.as_ref()))
    }

    /// Whether an object is meant whose labels this function looks up by their keys.
    pub fn matches_by<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(label(requirement.key())))
    }
}

impl FromIterator<Requirement> for Selector {
    fn from_iter<I: IntoIterator<Item = Requirement>>(requirements: I) -> Self {
        let mut requirements: Vec<_> = requirements.into_iter().collect();
        requirements.sort();
        requirements.dedup();
        Self { requirements }
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        Ok(parse::requirements(text)?.into_iter().collect())
    }
}

/// The selector of an object, `matchExpressions` included. One without any requirement chooses everything, as in
/// Kubernetes; an absent one, which Kubernetes reads as nothing, is [`Selector::nothing`].
impl TryFrom<&LabelSelector> for Selector {
    type Error = InvalidSelector;

    fn try_from(selector: &LabelSelector) -> Result<Self, InvalidSelector> {
        let mut result = Self::everything();
        for (key, value) in selector.match_labels.iter().flatten() {
            result = result.equal(key, value)?;
        }
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let problem = format!(
                        "{other:?} is not an operator of matchExpressions; it must be In, NotIn, Exists or DoesNotExist"
                    );
                    return Err(InvalidSelector::of(LABEL_SELECTOR, problem));
                }
            };
            let values = expression.values.iter().flatten().cloned();
            result = result.and(&expression.key, operator, values)?;
        }
        Ok(result)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl From<&Selector> for String {
    fn from(selector: &Selector) -> Self {
        selector.to_string()
    }
}
