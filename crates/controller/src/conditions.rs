//! Conditions that a controller writes into the status of its objects.

use std::time::UNIX_EPOCH;

use k8s_client_runtime::{
    k8s_openapi::{
        apimachinery::pkg::apis::meta::v1::{Condition, Time},
        jiff::Timestamp,
    },
    machine,
    object::AnyObject,
};

/// A condition of this object as it is now, for [`set_condition`]: its type, such as `Ready`; its status, which is
/// `None` if it is unknown; its reason, a word for programs; and a message for people. It holds for the object's
/// generation.
///
/// ```
/// use k8s_client_controller::{condition_of, set_condition};
/// # use k8s_client_runtime::k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::Condition};
///
/// # fn example(site: &ConfigMap, conditions: &mut Vec<Condition>) {
/// let ready = condition_of(site, "Ready", true, "AllThere", "3 pages are served");
/// if set_condition(conditions, ready) {
///     println!("the status is to be written");
/// }
/// # }
/// ```
pub fn condition_of(
    object: &impl AnyObject,
    type_: impl Into<String>,
    status: impl Into<Option<bool>>,
    reason: impl Into<String>,
    message: impl Into<String>,
) -> Condition {
    let status = match status.into() {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    };
    Condition {
        last_transition_time: now(),
        message: message.into(),
        observed_generation: object.generation(),
        reason: reason.into(),
        status: status.to_owned(),
        type_: type_.into(),
    }
}

/// Puts a condition in the place of the one of its type, or behind the others: client-go's `SetStatusCondition`. Its
/// `lastTransitionTime` stays what it was unless the status is another. Returns whether anything has changed.
pub fn set_condition(conditions: &mut Vec<Condition>, mut condition: Condition) -> bool {
    let Some(other) = conditions.iter_mut().find(|other| other.type_ == condition.type_) else {
        conditions.push(condition);
        return true;
    };
    if other.status == condition.status {
        condition.last_transition_time = other.last_transition_time.clone();
    }
    let has_changed = *other != condition;
    *other = condition;
    has_changed
}

/// Whether there is a condition of this type whose status is `True`: client-go's `IsStatusConditionTrue`.
pub fn is_condition_true(conditions: &[Condition], type_: &str) -> bool {
    conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
}

/// The time of day, in whole seconds, as the server keeps it.
fn now() -> Time {
    let since = machine::system_time().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    Time(Timestamp::from_second(seconds).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use k8s_client_runtime::k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};

    use super::*;

    #[test]
    fn time_of_a_condition_is_that_of_its_last_change_of_status() {
        let object = |generation| ConfigMap {
            metadata: ObjectMeta { generation: Some(generation), ..ObjectMeta::default() },
            ..ConfigMap::default()
        };
        let long_ago = Time(Timestamp::UNIX_EPOCH);
        let mut conditions = Vec::new();
        assert!(set_condition(&mut conditions, condition_of(&object(1), "Ready", false, "Begun", "")));
        assert!(conditions[0].last_transition_time.0 > Timestamp::UNIX_EPOCH);
        conditions[0].last_transition_time = long_ago.clone();
        let same = condition_of(&object(1), "Ready", false, "Begun", "");
        assert!(!set_condition(&mut conditions, same), "nothing is new");
        for (status, reason, generation, is_old) in
            [(Some(false), "Begun", 2, true), (Some(false), "Failed", 2, true), (None, "Failed", 2, false)]
        {
            conditions[0].last_transition_time = long_ago.clone();
            let condition = condition_of(&object(generation), "Ready", status, reason, "");
            assert!(set_condition(&mut conditions, condition), "{reason}");
            assert_eq!(conditions[0].last_transition_time == long_ago, is_old, "{reason}");
            assert_eq!(conditions[0].observed_generation, Some(generation));
        }
        assert!(set_condition(&mut conditions, condition_of(&object(2), "Synced", true, "All", "")));
        let all: Vec<_> = conditions.iter().map(|it| (it.type_.as_str(), it.status.as_str())).collect();
        assert_eq!(all, [("Ready", "Unknown"), ("Synced", "True")]);
        let are_true = ["Synced", "Ready", "Other"].map(|type_| is_condition_true(&conditions, type_));
        assert_eq!(are_true, [true, false, false]);
    }
}
