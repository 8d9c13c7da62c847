//! Conditions to [wait for](super::WaitFor): functions of an object, or of `None` while there is none.
//!
//! They can be called on any object, too: `pod_ready(Some(&pod))`.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec},
        batch::v1::Job,
        core::v1::Pod,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};

use crate::object::AnyObject;

/// The object is there.
pub fn exists<T>(object: Option<&T>) -> bool {
    object.is_some()
}

/// The object is not there. One that was made again under the same name is; see [`deleted_with_uid`].
pub fn deleted<T>(object: Option<&T>) -> bool {
    object.is_none()
}

/// The object with this `metadata.uid` is not there. One of the same name that was made after it does not count, such
/// as the next pod of a StatefulSet.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// use k8s_client_runtime::wait::{WaitFor as _, conditions::deleted_with_uid};
///
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let pod = pods.get("database-0").await?;
/// pods.delete("database-0").await?;
/// pods.wait_for("database-0", deleted_with_uid(pod.metadata.uid.unwrap_or_default())).await?;
/// # Ok(())
/// # }
/// ```
pub fn deleted_with_uid<T: AnyObject>(uid: impl Into<String>) -> impl Fn(Option<&T>) -> bool {
    let uid = uid.into();
    move |object| object.is_none_or(|object| object.uid() != Some(&uid))
}

/// All replicas of the deployment are of its newest template and available, and none of an older one is left:
/// `kubectl rollout status`.
///
/// A rollout that does not come on stays `false`; its condition `Progressing` then has the reason
/// `ProgressDeadlineExceeded`, which the error of a wait shows.
pub fn deployment_rolled_out(deployment: Option<&Deployment>) -> bool {
    let Some((deployment, status)) = deployment.and_then(|it| Some((it, it.status.as_ref()?))) else { return false };
    // Older versions of Kubernetes do not require a spec, and the type is then another.
    let spec = Option::<&DeploymentSpec>::from(&deployment.spec);
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let [all, updated, available] =
        [status.replicas, status.updated_replicas, status.available_replicas].map(Option::unwrap_or_default);
    status.observed_generation >= deployment.metadata.generation
        && updated >= wanted
        && all <= updated
        && available >= updated
}

/// The definition is established: the server has accepted its names and begins to serve its objects. A request may come
/// a moment too early, and is then answered with 404.
pub fn crd_established(definition: Option<&CustomResourceDefinition>) -> bool {
    let status = definition.and_then(|definition| definition.status.as_ref());
    let conditions = status.and_then(|status| status.conditions.as_deref());
    is_true("Established", conditions, |condition| (&condition.type_, &condition.status))
}

/// The job has run to its end as it should.
pub fn job_complete(job: Option<&Job>) -> bool {
    job_is("Complete", job)
}

/// The job has failed for good: its pods failed too often, or it took too long.
pub fn job_failed(job: Option<&Job>) -> bool {
    job_is("Failed", job)
}

/// The pod is ready: all its containers are, and its readiness gates are open.
pub fn pod_ready(pod: Option<&Pod>) -> bool {
    let status = pod.and_then(|pod| pod.status.as_ref());
    let conditions = status.and_then(|status| status.conditions.as_deref());
    is_true("Ready", conditions, |condition| (&condition.type_, &condition.status))
}

/// The pod is in the phase `Running`: its containers have been made, and one at least runs, starts or is restarted.
pub fn pod_running(pod: Option<&Pod>) -> bool {
    let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
    phase == Some("Running")
}

/// Both conditions hold.
pub fn and<T>(first: impl Fn(Option<&T>) -> bool, second: impl Fn(Option<&T>) -> bool) -> impl Fn(Option<&T>) -> bool {
    move |object| first(object) && second(object)
}

/// One of the conditions holds, or both do.
///
/// ```
/// # use k8s_openapi::api::core::v1::Pod;
/// use k8s_client_runtime::wait::conditions::{deleted, or, pod_ready};
///
/// let settled = or(deleted, pod_ready);
/// assert!(settled(None) && !settled(Some(&Pod::default())));
/// ```
pub fn or<T>(first: impl Fn(Option<&T>) -> bool, second: impl Fn(Option<&T>) -> bool) -> impl Fn(Option<&T>) -> bool {
    move |object| first(object) || second(object)
}

/// The condition does not hold.
pub fn not<T>(condition: impl Fn(Option<&T>) -> bool) -> impl Fn(Option<&T>) -> bool {
    move |object| !condition(object)
}

fn job_is(state: &str, job: Option<&Job>) -> bool {
    let conditions = job.and_then(|job| job.status.as_ref()?.conditions.as_deref());
    is_true(state, conditions, |condition| (&condition.type_, &condition.status))
}

/// Whether a status has a condition of this type that is true.
fn is_true<C>(name: &str, conditions: Option<&[C]>, read: fn(&C) -> (&String, &String)) -> bool {
    conditions.unwrap_or_default().iter().map(read).any(|(type_, status)| type_ == name && status == "True")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// What a condition makes of an object with this metadata, spec and status.
    fn holds<T: DeserializeOwned>(condition: fn(Option<&T>) -> bool, object: Value) -> bool {
        let text = object.to_string();
        condition(Some(&serde_json::from_value(object).unwrap_or_else(|error| panic!("{text}: {error}"))))
    }

    fn conditions(type_: &str, status: &str) -> Value {
        let noise = json!({ "type": "Other", "status": "True", "lastTransitionTime": null });
        json!([noise, { "type": type_, "status": status, "lastTransitionTime": null }])
    }

    #[test]
    fn rollout_has_ended_when_kubectl_says_so() {
        let deployment = |generation: i64, replicas: Value, status: Value| {
            let template = json!({ "metadata": {}, "spec": { "containers": [] } });
            let spec = json!({ "replicas": replicas, "selector": {}, "template": template });
            holds(
                deployment_rolled_out,
                json!({ "metadata": { "generation": generation }, "spec": spec, "status": status }),
            )
        };
        let status = |seen: i64, all: i32, updated: i32, available: i32| json!({ "observedGeneration": seen, "replicas": all, "updatedReplicas": updated, "availableReplicas": available });
        for (generation, replicas, status, expected) in [
            (1, json!(3), status(1, 3, 3, 3), true),
            (1, json!(3), status(2, 3, 3, 3), true),
            (2, json!(3), status(1, 3, 3, 3), false),
            (1, json!(3), status(1, 3, 2, 2), false),
            (1, json!(3), status(1, 4, 3, 3), false),
            (1, json!(3), status(1, 3, 3, 2), false),
            (1, json!(0), json!({ "observedGeneration": 1 }), true),
            (1, json!(0), Value::Null, false),
            // One replica unless the spec says otherwise.
            (1, Value::Null, status(1, 1, 1, 1), true),
            (1, Value::Null, status(1, 0, 0, 0), false),
        ] {
            assert_eq!(deployment(generation, replicas.clone(), status.clone()), expected, "{replicas} {status}");
        }
        assert!(!deployment_rolled_out(None));
    }

    #[test]
    fn conditions_of_the_status_must_be_true() {
        let definition = |conditions: Value| {
            let names = json!({ "kind": "A", "plural": "as" });
            let spec = json!({ "group": "g", "names": names, "scope": "Cluster", "versions": [] });
            let status = json!({ "acceptedNames": names, "storedVersions": [], "conditions": conditions });
            holds(crd_established, json!({ "metadata": {}, "spec": spec, "status": status }))
        };
        let job = |condition: fn(Option<&Job>) -> bool, conditions: Value| {
            let spec = json!({ "template": {} });
            holds(condition, json!({ "metadata": {}, "spec": spec, "status": { "conditions": conditions } }))
        };
        let pod = |conditions: Value| {
            let spec = json!({ "containers": [] });
            holds(pod_ready, json!({ "metadata": {}, "spec": spec, "status": { "conditions": conditions } }))
        };
        for (state, expected) in [("True", true), ("False", false), ("Unknown", false)] {
            assert_eq!(definition(conditions("Established", state)), expected, "{state}");
            assert_eq!(job(job_complete, conditions("Complete", state)), expected, "{state}");
            assert_eq!(job(job_failed, conditions("Failed", state)), expected, "{state}");
            assert_eq!(pod(conditions("Ready", state)), expected, "{state}");
        }
        assert!(!definition(Value::Null) && !pod(Value::Null) && !job(job_complete, Value::Null));
        assert!(!job(job_complete, conditions("Failed", "True")) && !job(job_failed, conditions("Complete", "True")));
        assert!(!crd_established(None) && !job_complete(None) && !job_failed(None) && !pod_ready(None));
    }

    #[test]
    fn pod_runs_in_one_phase_only() {
        let phase = |phase: Value| {
            let spec = json!({ "containers": [] });
            holds(pod_running, json!({ "metadata": {}, "spec": spec, "status": { "phase": phase } }))
        };
        assert!(phase(json!("Running")));
        for other in [json!("Pending"), json!("Succeeded"), json!("Failed"), Value::Null] {
            assert!(!phase(other.clone()), "{other}");
        }
        assert!(!pod_running(None) && !pod_running(Some(&Pod::default())));
    }

    #[test]
    fn absence_is_a_state_as_any_other() {
        let mut pod = Pod::default();
        pod.metadata.uid = Some("a".to_owned());
        assert!(exists(Some(&pod)) && !exists::<Pod>(None));
        assert!(deleted::<Pod>(None) && !deleted(Some(&pod)));
        let [this, another] = ["a", "b"].map(deleted_with_uid::<Pod>);
        assert!(this(None) && !this(Some(&pod)) && another(Some(&pod)));
    }

    #[test]
    fn conditions_combine() {
        for (object, expected) in [(None, [false, true, false]), (Some(&Pod::default()), [false, true, true])] {
            let both = and(exists::<Pod>, deleted)(object);
            let one = or(exists::<Pod>, deleted)(object);
            assert_eq!([both, one, not(deleted::<Pod>)(object)], expected);
        }
    }
}
