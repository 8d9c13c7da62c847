//! The algorithm by tables: what a candidate does with which lease, as client-go's tests ask it, and where this
//! differs.

use std::time::SystemTime;

use super::*;

/// What the test's records last for.
const DURATION: i32 = 15;

/// A lease on the server.
#[derive(Clone, Copy)]
struct There {
    holder: Option<&'static str>,
    seconds: Option<i32>,
    transitions: Option<i32>,
    version: &'static str,
    preferred: Option<&'static str>,
}

const HELD_BY_OTHER: There =
    There { holder: Some("other"), seconds: Some(DURATION), transitions: Some(4), version: "1", preferred: None };
const MINE: There = There { holder: Some("me"), ..HELD_BY_OTHER };

impl There {
    fn lease(self) -> Lease {
        let mut lease = Lease::default();
        lease.metadata.name = Some("x".to_owned());
        lease.metadata.resource_version = Some(self.version.to_owned());
        lease.metadata.labels = Some([("kept".to_owned(), "1".to_owned())].into());
        lease.spec = Some(LeaseSpec {
            holder_identity: self.holder.map(str::to_owned),
            lease_duration_seconds: self.seconds,
            lease_transitions: self.transitions,
            preferred_holder: self.preferred.map(str::to_owned),
            ..LeaseSpec::default()
        });
        lease
    }
}

fn me() -> Candidacy {
    Candidacy::new("default", "x", "me", DURATION)
}

fn at(start: Instant, seconds: u64) -> Moment {
    let after = Duration::from_secs(seconds);
    Moment { monotonic: start + after, system: SystemTime::UNIX_EPOCH + after }
}

/// What is written: whether it is created, and the number of the term.
#[derive(Debug, PartialEq)]
enum Does {
    Creates(i32),
    Updates(i32),
    Waits,
    Ends(&'static str),
}

fn does(step: &Step) -> Does {
    match step {
        Step::Wait => Does::Waits,
        Step::End(Loss::Taken { holder }) if holder == "other" => Does::Ends("taken by other"),
        Step::End(Loss::Taken { holder }) if holder.is_empty() => Does::Ends("taken by nobody"),
        Step::End(Loss::Taken { holder }) if holder == "me" => Does::Ends("taken by a twin"),
        Step::End(Loss::Unwanted { .. }) => Does::Ends("unwanted"),
        Step::End(loss) => panic!("{loss}"),
        Step::Write(lease) => {
            let spec = lease.spec.as_ref().unwrap();
            assert_eq!(spec.holder_identity.as_deref(), Some("me"));
            assert_eq!(spec.lease_duration_seconds, Some(DURATION));
            assert!(spec.renew_time.is_some() && spec.acquire_time.is_some());
            let number = spec.lease_transitions.unwrap();
            if version(lease).is_some() { Does::Updates(number) } else { Does::Creates(number) }
        }
    }
}

#[test]
fn candidate_takes_what_is_free_and_waits_for_what_another_holds() {
    let free = There { holder: Some(""), ..HELD_BY_OTHER };
    let nearly = There { holder: Some("Me"), ..HELD_BY_OTHER };
    let quick = There { seconds: Some(1), ..HELD_BY_OTHER };
    let silent = There { seconds: None, ..HELD_BY_OTHER };
    for (case, seen, then, after, expected) in [
        ("nothing is there", None, None, 0, Does::Creates(0)),
        ("nobody holds it", Some(free), Some(free), 0, Does::Updates(5)),
        ("it has no holder at all", Some(There { holder: None, ..free }), None, 0, Does::Creates(5)),
        ("another holds it", Some(HELD_BY_OTHER), Some(HELD_BY_OTHER), 14, Does::Waits),
        ("its holder is nearly called so", Some(nearly), Some(nearly), 14, Does::Waits),
        ("it has expired", Some(HELD_BY_OTHER), Some(HELD_BY_OTHER), 15, Does::Updates(5)),
        ("the record's duration counts", Some(quick), Some(quick), 1, Does::Updates(5)),
        ("a record without a duration lasts as long as ours", Some(silent), Some(silent), 14, Does::Waits),
        ("... and no longer", Some(silent), Some(silent), 15, Does::Updates(5)),
        ("it was renewed", Some(HELD_BY_OTHER), Some(There { version: "2", ..HELD_BY_OTHER }), 60, Does::Waits),
        ("it is mine from before", Some(MINE), Some(MINE), 0, Does::Updates(5)),
        ("it was deleted, and the holder may still work", Some(HELD_BY_OTHER), None, 14, Does::Waits),
        ("it was deleted, and the holder has stopped", Some(HELD_BY_OTHER), None, 15, Does::Creates(5)),
        ("the name of the holder is almost mine", Some(There { holder: Some("Me"), ..MINE }), None, 1, Does::Waits),
        (
            "it has no transitions yet",
            Some(There { transitions: None, ..free }),
            Some(There { transitions: None, ..free }),
            0,
            Does::Updates(1),
        ),
        (
            "its transitions make no sense",
            Some(There { transitions: Some(-7), ..free }),
            Some(There { transitions: Some(-7), ..free }),
            0,
            Does::Updates(1),
        ),
    ] {
        let start = Instant::now();
        let mut candidacy = me();
        candidacy.observe(seen.map(There::lease), start);
        candidacy.observe(then.map(There::lease), at(start, after).monotonic);
        let step = candidacy.next(at(start, after));
        assert_eq!(does(&step), expected, "{case}");
        if let Step::Write(lease) = step {
            let kept = seen.is_some();
            assert_eq!(lease.metadata.labels.is_some(), kept, "{case}: what others wrote stays");
            assert_eq!(lease.spec.unwrap().acquire_time, Some(at(start, after).time()), "{case}: a term begins");
        }
    }
}

#[test]
fn leader_keeps_what_is_its_own_and_gives_up_what_is_not() {
    for (case, there, expected) in [
        ("as it was left", Some(MINE), Does::Updates(4)),
        ("changed, but still its own", Some(There { version: "2", ..MINE }), Does::Updates(4)),
        ("taken", Some(There { version: "2", ..HELD_BY_OTHER }), Does::Ends("taken by other")),
        ("blanked", Some(There { version: "2", holder: Some(""), ..MINE }), Does::Ends("taken by nobody")),
        (
            "taken by a process of the same name",
            Some(There { version: "2", transitions: Some(5), ..MINE }),
            Does::Ends("taken by a twin"),
        ),
        ("deleted", None, Does::Creates(4)),
    ] {
        let start = Instant::now();
        let mut candidacy = me();
        candidacy.observe(Some(MINE.lease()), start);
        assert_eq!(candidacy.own_term(), Some(4));
        candidacy.begin(4);
        candidacy.observe(there.map(There::lease), start);
        assert_eq!(does(&candidacy.next(at(start, 100))), expected, "{case}");
    }
}

#[test]
fn renewal_keeps_when_the_term_began_and_always_changes_the_record() {
    let start = Instant::now();
    let mut candidacy = me();
    candidacy.labels = [("app".to_owned(), "x".to_owned())].into();
    let Step::Write(lease) = candidacy.next(at(start, 7)) else { panic!("nobody holds it") };
    let mut lease = *lease;
    candidacy.begin(0);
    for version in 1..4 {
        lease.metadata.resource_version = Some(version.to_string());
        let before = lease.clone();
        candidacy.observe(Some(lease), start);
        // The system's clock stands still, or goes back.
        let Step::Write(next) = candidacy.next(at(start, if version == 3 { 1 } else { 7 })) else {
            panic!("it is mine")
        };
        assert_ne!(next.spec, before.spec);
        assert_eq!(next.spec.as_ref().unwrap().acquire_time, Some(at(start, 7).time()));
        assert_eq!(next.metadata.labels, Some([("app".to_owned(), "x".to_owned())].into()));
        lease = *next;
    }
}

#[test]
fn lease_is_released_only_in_the_term_that_it_is_in() {
    let term = |number| (Some(number), None);
    let claim = |number| (None, Some(number));
    for (case, there, (term, claimed), released) in [
        ("it is the term's", Some(MINE), term(4), true),
        ("another one has it", Some(HELD_BY_OTHER), term(4), false),
        ("a process of the same name has it", Some(MINE), term(3), false),
        ("nobody has it", Some(There { holder: Some(""), ..MINE }), term(4), false),
        ("it is gone", None, term(4), false),
        ("the answer of the try to win it was lost", Some(MINE), claim(4), true),
        ("the try to win it has failed", Some(HELD_BY_OTHER), claim(4), false),
        ("there was no try", Some(MINE), (None, None), false),
    ] {
        let start = Instant::now();
        let mut candidacy = me();
        candidacy.observe(there.map(There::lease), start);
        (candidacy.term, candidacy.claimed) = (term, claimed);
        let lease = candidacy.release(at(start, 3));
        assert_eq!(lease.is_some(), released, "{case}");
        if let Some(spec) = lease.and_then(|lease| lease.spec) {
            assert_eq!(spec.holder_identity.as_deref(), Some(""));
            assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(1), Some(4)));
        }
    }
}

#[test]
fn coordinated_candidate_takes_only_what_the_control_plane_gives_it() {
    let preferred = There { version: "2", preferred: Some("other"), ..MINE };
    for (case, leads, there, after, expected) in [
        ("there is no lease", false, None, 0, Does::Waits),
        ("another one is chosen", false, Some(HELD_BY_OTHER), 60, Does::Waits),
        ("nobody is chosen yet", false, Some(There { holder: Some(""), ..MINE }), 0, Does::Waits),
        ("it is chosen", false, Some(MINE), 14, Does::Updates(5)),
        ("it was chosen too long ago", false, Some(MINE), 15, Does::Waits),
        ("it goes on", true, Some(MINE), 3, Does::Updates(4)),
        ("another one is preferred", true, Some(preferred), 3, Does::Ends("unwanted")),
        (
            "another one is chosen now",
            true,
            Some(There { version: "2", ..HELD_BY_OTHER }),
            3,
            Does::Ends("taken by other"),
        ),
    ] {
        let start = Instant::now();
        let mut candidacy = me();
        candidacy.coordinated = true;
        if leads {
            candidacy.observe(Some(MINE.lease()), start);
            candidacy.begin(4);
        }
        candidacy.observe(there.map(There::lease), start);
        assert_eq!(does(&candidacy.next(at(start, after))), expected, "{case}");
    }
}
