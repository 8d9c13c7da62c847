//! Random objects of every kind: what is read is written as it was.

use k8s_client_custom_resource_tests::{KINDS, Random, TestResult};

/// How many objects of each kind.
const OBJECTS: u64 = 40;

#[test]
fn every_object_is_written_as_it_was_read() -> TestResult {
    assert!(KINDS.len() > 50, "{}", KINDS.len());
    for kind in KINDS {
        for seed in 0..OBJECTS {
            let object = kind.object("a", &mut Random::local(seed));
            let written =
                (kind.through)(&object).map_err(|error| format!("{} {seed}: {error}\n{object}", kind.name()))?;
            assert_eq!(written, object, "{} {seed}", kind.name());
        }
    }
    Ok(())
}

#[test]
fn every_configuration_is_written_as_it_was_read() -> TestResult {
    for kind in KINDS {
        for seed in 0..OBJECTS {
            let object = kind.object("a", &mut Random::local(seed));
            let written = (kind.through_configuration)(&object);
            let written = written.map_err(|error| format!("{} {seed}: {error}\n{object}", kind.name()))?;
            assert_eq!(written, object, "{} {seed}", kind.name());
        }
    }
    Ok(())
}

#[test]
fn objects_of_another_kind_are_refused() {
    for kind in KINDS {
        let mut object = kind.object("a", &mut Random::local(1));
        object["kind"] = "Other".into();
        let error = (kind.through)(&object).unwrap_err().to_string();
        assert!(error.contains("kind"), "{}: {error}", kind.name());
    }
}
