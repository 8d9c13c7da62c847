//! Which changes of an object are a reason to look at it: filters for controllers.

use k8s_client_runtime::object::AnyObject;

/// Whether what is wanted of an object has changed: it came or went, its generation is another, or it is being deleted
/// now. For [`Controller::filtered`](crate::Controller::filtered), in a controller that writes the status of its own
/// objects and need not look at them for that. Objects without a generation, such as ConfigMaps, are let through.
pub fn generation_changed<T: AnyObject>(old: Option<&T>, new: Option<&T>) -> bool {
    changed(old, new, |old, new| {
        old.generation().is_none()
            || old.generation() != new.generation()
            || old.deletion_timestamp().is_some() != new.deletion_timestamp().is_some()
    })
}

/// Whether the labels of an object have changed, or it came or went.
pub fn labels_changed<T: AnyObject>(old: Option<&T>, new: Option<&T>) -> bool {
    changed(old, new, |old, new| !old.labels().eq(new.labels()))
}

/// Whether the annotations of an object have changed, or it came or went.
pub fn annotations_changed<T: AnyObject>(old: Option<&T>, new: Option<&T>) -> bool {
    changed(old, new, |old, new| !old.annotations().eq(new.annotations()))
}

/// An object that was made again under its name has come, too.
fn changed<T: AnyObject>(old: Option<&T>, new: Option<&T>, differ: impl Fn(&T, &T) -> bool) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.uid() != new.uid() || differ(old, new),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use k8s_client_runtime::k8s_openapi::{
        api::core::v1::ConfigMap,
        apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
        jiff::Timestamp,
    };

    use super::*;

    fn object(change: impl Fn(&mut ObjectMeta)) -> ConfigMap {
        let mut metadata = ObjectMeta { uid: Some("1".to_owned()), generation: Some(1), ..ObjectMeta::default() };
        change(&mut metadata);
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    #[test]
    fn each_filter_lets_its_changes_through_and_no_others() {
        let text = || Some([("a".to_owned(), "b".to_owned())].into());
        let before = object(|_| {});
        for (what, after, expected) in [
            ("nothing", object(|it| it.resource_version = Some("2".to_owned())), [false, false, false]),
            ("the generation", object(|it| it.generation = Some(2)), [true, false, false]),
            ("deletion", object(|it| it.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH))), [true, false, false]),
            ("labels", object(|it| it.labels = text()), [false, true, false]),
            ("annotations", object(|it| it.annotations = text()), [false, false, true]),
            ("the object", object(|it| it.uid = Some("2".to_owned())), [true, true, true]),
        ] {
            let filters = [generation_changed, labels_changed, annotations_changed];
            assert_eq!(filters.map(|filter| filter(Some(&before), Some(&after))), expected, "{what}");
            assert_eq!(filters.map(|filter| filter(None, Some(&after))), [true; 3]);
            assert_eq!(filters.map(|filter| filter(Some(&after), None)), [true; 3]);
        }
        let without = object(|it| it.generation = None);
        assert!(generation_changed(Some(&without), Some(&without)));
    }
}
