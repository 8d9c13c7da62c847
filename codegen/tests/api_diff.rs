//! What the stored versions of Kubernetes differ in, as text: `api_diff/1.36-1.37.txt`.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p k8s-client-codegen --test api_diff`, and read the difference.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use k8s_client_codegen::{
    diff::{self, Api, Audience, Change, Kind, Report, Stability},
    spec::{self, Spec},
};

const VERSIONS: [&str; 5] = ["1.33", "1.34", "1.35", "1.36", "1.37"];

static SPECS: LazyLock<BTreeMap<&str, Spec>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api-specs");
    let load = |version| spec::load(&spec::read_dir(&folder.join(format!("v{version}"))).unwrap()).unwrap();
    VERSIONS.map(|version| (version, load(version))).into()
});

static APIS: LazyLock<BTreeMap<&str, Api<'_>>> = LazyLock::new(|| {
    let api = |(version, spec): (&&'static str, &'static Spec)| {
        (*version, Api::of_spec(&format!("Kubernetes {}", spec.version()), spec))
    };
    SPECS.iter().map(api).collect()
});

fn report(old: &str, new: &str) -> Report {
    diff::compare(&APIS[old], &APIS[new])
}

/// The steps from each version to the next.
fn steps() -> [(&'static str, &'static str); 4] {
    [("1.33", "1.34"), ("1.34", "1.35"), ("1.35", "1.36"), ("1.36", "1.37")]
}

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api_diff").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    } else {
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(expected == text, "{}: run with UPDATE_GOLDEN=1 and read the difference", path.display());
    }
}

#[test]
fn each_step_and_the_whole_way_are_reported_as_expected() {
    for (old, new) in steps().into_iter().chain([("1.33", "1.37")]) {
        golden(&format!("{old}-{new}.txt"), &diff::text(&report(old, new)));
    }
}

#[test]
fn markdown_and_json_say_the_same_of_a_step() {
    let report = report("1.34", "1.35");
    golden("1.34-1.35.markdown", &diff::markdown(&report));
    golden("1.34-1.35.json", &diff::json(&[report]));
}

/// How many operations there are without the deprecated `/watch/` paths, and how many come and go, counted in
/// upstream's documents without this crate.
#[test]
fn operations_come_and_go_as_counted() {
    let counts = |old, new| {
        let counts = report(old, new).counts;
        (counts.operations, counts.operations_added, counts.operations_removed)
    };
    assert_eq!(counts("1.33", "1.34"), ([843, 859], 66, 50));
    assert_eq!(counts("1.34", "1.35"), ([859, 863], 34, 30));
    assert_eq!(counts("1.35", "1.36"), ([863, 908], 54, 9));
    assert_eq!(counts("1.36", "1.37"), ([908, 971], 117, 54));
    assert_eq!(counts("1.33", "1.37"), ([843, 971], 231, 103));
}

/// The places of all changes of a kind.
fn places(report: &Report, kinds: &[Kind]) -> Vec<String> {
    let of_kind = report.changes.iter().filter(|change| kinds.contains(&change.kind));
    of_kind.map(|change| change.place.to_string()).collect()
}

#[test]
fn fields_of_types_that_both_versions_have_come_and_go_as_counted() {
    let added = [Kind::FieldAdded, Kind::RequiredFieldAdded];
    let counts = |old, new| {
        let report = report(old, new);
        let count = |kinds: &[Kind]| places(&report, kinds).len();
        [count(&added), count(&[Kind::FieldRemoved]), count(&[Kind::NowRequired]), count(&[Kind::NoLongerRequired])]
    };
    assert_eq!(counts("1.33", "1.34"), [36, 0, 0, 1]);
    assert_eq!(counts("1.34", "1.35"), [9, 2, 0, 1]);
    assert_eq!(counts("1.35", "1.36"), [22, 1, 15, 15]);
    assert_eq!(counts("1.36", "1.37"), [48, 4, 10, 21]);
    assert_eq!(counts("1.33", "1.37"), [92, 2, 24, 32]);
}

#[test]
fn what_a_long_way_hides_is_in_its_steps() {
    let field = "core/v1 PodSpec.workloadRef".to_owned();
    assert!(places(&report("1.34", "1.35"), &[Kind::FieldAdded]).contains(&field));
    assert!(places(&report("1.35", "1.36"), &[Kind::FieldRemoved]).contains(&field));
    assert!(!report("1.33", "1.37").changes.iter().any(|change| change.place.to_string() == field));
}

#[test]
fn a_required_field_breaks_writers_only_where_it_is_new() {
    let report = report("1.35", "1.36");
    let new = places(&report, &[Kind::RequiredFieldAdded]);
    assert_eq!(new, ["certificates.k8s.io/v1beta1 PodCertificateRequestSpec.stubPKCS10Request"]);
    assert!(places(&report, &[Kind::NowRequired]).contains(&"batch/v1 CronJob.spec".to_owned()));
    assert!(!Kind::NowRequired.audiences().contains(&Audience::Wire));
}

#[test]
fn an_apply_breaks_where_items_of_a_list_become_owned_one_by_one() {
    let report = report("1.36", "1.37");
    let apply = BTreeSet::from([Audience::Apply]);
    let changes: Vec<&Change> = report.concerning(&apply, Stability::Alpha).collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].to_string(),
        "core/v1 PodStatus.nodeAllocatableResourceClaimStatuses: list type: atomic → map by resourceClaimName"
    );
    assert!(changes[0].reach.status_only);
}

#[test]
fn a_field_of_a_stable_version_promises_no_more_than_the_gate_that_it_is_behind() {
    let report = report("1.36", "1.37");
    let stability = |place: &str| {
        let found = report.changes.iter().find(|change| change.place.to_string() == place);
        found.map(Change::stability)
    };
    assert_eq!(stability("apps/v1 Deployment.spec"), Some(Stability::Stable));
    // Alpha, and so is what only an alpha field leads to; a gate that is on by default changes nothing.
    assert_eq!(stability("resource.k8s.io/v1 Device.nodeAllocatableResourceMappings"), Some(Stability::Alpha));
    assert_eq!(stability("core/v1 NodeAllocatableResourceClaimStatus.resources"), Some(Stability::Alpha));
    assert_eq!(stability("core/v1 NodeSystemInfo.runningInUserNamespace"), Some(Stability::Stable));
}

/// The values that come and go, as `TolerationOperator +Gt`.
fn values(old: &str, new: &str) -> Vec<String> {
    let report = report(old, new);
    let value = |change: &Change| match change.kind {
        Kind::ValueAdded => Some(format!("{} +{}", change.place.name, change.after.as_ref()?)),
        Kind::ValueRemoved => Some(format!("{} -{}", change.place.name, change.before.as_ref()?)),
        _ => None,
    };
    report.changes.iter().filter(|change| change.stability() < Stability::Beta).filter_map(value).collect()
}

#[test]
fn enums_gain_and_lose_values_as_the_sources_say() {
    let toleration = || ["Gt", "Lt"].map(|value| format!("TolerationOperator +{value}"));
    // The gate of the new operators is alpha; nothing marks the values with it.
    assert!(toleration().iter().all(|value| values("1.34", "1.35").contains(value)));
    let report = report("1.36", "1.37");
    let new = report.changes.iter().find(|change| change.place.name == "GRPCProbeMode").expect("an enum");
    assert_eq!((new.kind, new.after.as_deref()), (Kind::EnumAdded, Some("Plaintext, TLS")));
    let strategy = report.changes.iter().find(|it| it.place.name == "StatefulSetUpdateStrategyType").expect("an enum");
    assert_eq!((strategy.kind, strategy.after.as_deref()), (Kind::ValueAdded, Some("Recreate")));
}

#[test]
fn what_will_be_removed_is_told_with_its_release() {
    let report = report("1.36", "1.37");
    let of_release = |minor| {
        let of_release = report.removals.iter().filter(|removal| removal.release.minor == minor);
        of_release.map(|removal| removal.kind.to_string()).collect::<Vec<_>>()
    };
    let resource = |version| {
        ["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"]
            .map(|kind| format!("resource.k8s.io/{version} {kind}"))
    };
    let mut of_1_38 = vec![
        "admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicy".to_owned(),
        "admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicyBinding".to_owned(),
        "coordination.k8s.io/v1alpha2 LeaseCandidate".to_owned(),
    ];
    of_1_38.extend(resource("v1beta1"));
    assert_eq!(of_release(38), of_1_38);
    let mut of_1_39 = vec![
        "coordination.k8s.io/v1beta1 LeaseCandidate".to_owned(),
        "resource.k8s.io/v1alpha3 DeviceTaintRule".to_owned(),
    ];
    of_1_39.extend(resource("v1beta2"));
    assert_eq!(of_release(39), of_1_39);
    assert!(of_release(40).contains(&"storagemigration.k8s.io/v1beta1 StorageVersionMigration".to_owned()));
    assert!(of_release(37).is_empty());
}

#[test]
fn a_group_has_the_changes_of_its_types_and_of_those_that_its_kinds_contain() {
    let report = report("1.33", "1.37").in_group("batch");
    let places: BTreeSet<String> = report.changes.iter().map(|change| change.place.to_string()).collect();
    assert!(places.contains("batch/v1 CronJob.spec"));
    assert!(places.contains("core/v1 PodSpec.schedulingGroup"), "a job has pods");
    assert!(!places.iter().any(|place| place.starts_with("apps/") || place.starts_with("core/v1 PodStatus")));
}

#[test]
fn nothing_differs_from_itself() {
    for version in VERSIONS {
        let report = report(version, version);
        assert_eq!(report.changes, [], "{version}");
        assert!(diff::text(&report).contains("Nothing differs."));
    }
}

/// Place, before and after of all changes; those of one direction are those of the other with both sides exchanged.
#[test]
fn the_way_back_has_the_same_changes_the_other_way_round() {
    type Side = (String, Option<String>, Option<String>);
    for (old, new) in steps().into_iter().chain([("1.33", "1.37")]) {
        let there: BTreeSet<Side> =
            report(old, new).changes.into_iter().map(|it| (it.place.to_string(), it.before, it.after)).collect();
        let back: BTreeSet<Side> =
            report(new, old).changes.into_iter().map(|it| (it.place.to_string(), it.after, it.before)).collect();
        assert_eq!(there, back, "{old}, {new}");
    }
}

/// What is there at the end and was not at the beginning came in some step, and nothing else.
#[test]
fn the_steps_together_are_the_whole_way() {
    let [came, went] = [
        [Kind::ResourceAdded, Kind::FieldAdded, Kind::RequiredFieldAdded, Kind::TypeAdded],
        [Kind::ResourceRemoved, Kind::FieldRemoved, Kind::FieldRemoved, Kind::TypeRemoved],
    ];
    let mut there: BTreeSet<String> = BTreeSet::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for (old, new) in steps() {
        let step = report(old, new);
        for place in places(&step, &came) {
            if !gone.remove(&place) {
                there.insert(place);
            }
        }
        for place in places(&step, &went) {
            if !there.remove(&place) {
                gone.insert(place);
            }
        }
    }
    let whole = report("1.33", "1.37");
    // A type that came has its later fields from its beginning, seen from here.
    let types: BTreeSet<String> = places(&whole, &[Kind::TypeAdded, Kind::TypeRemoved]).into_iter().collect();
    let is_inside = |place: &String| place.rsplit_once('.').is_some_and(|(of, _)| types.contains(of));
    there.retain(|place| !is_inside(place));
    gone.retain(|place| !is_inside(place));
    assert_eq!(places(&whole, &came).into_iter().collect::<BTreeSet<_>>(), there);
    assert_eq!(places(&whole, &went).into_iter().collect::<BTreeSet<_>>(), gone);
}
