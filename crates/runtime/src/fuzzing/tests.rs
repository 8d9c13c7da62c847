//! The fuzz targets for some seconds each: the seeds of `tests/fuzz/seeds`, and what becomes of them by small changes.

use std::{
    any::Any,
    fs,
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{TestCaseError, TestError, TestRunner},
};

/// An input that takes longer than this hangs. Most take microseconds.
const HANGS: Duration = Duration::from_secs(20);

#[test]
fn no_kubeconfig_breaks_the_loader() {
    fuzz(
        "kubeconfig",
        super::kubeconfig,
        400,
        &[": ", "- ", "\n", "  ", "null", "~", "&a", "*a", "<<: ", "|", "{", "[", "'"],
    );
}

#[test]
fn no_body_breaks_a_watch() {
    fuzz(
        "watch_frames",
        super::watch_frames,
        3000,
        &["\n", "\r\n", "\r", "{", "}", "\"", "\\u00", "é", "null", "\"type\":"],
    );
}

#[test]
fn no_body_breaks_a_list() {
    fuzz(
        "list_stream",
        super::list_stream,
        4000,
        &[
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\\"",
            ",",
            ":",
            "null",
            "\"items\":",
            "\"kind\":",
            "k8s\0",
            "\x12\0",
            "\x12\x02",
            "\x0a",
            "\x1a",
        ],
    );
}

#[test]
fn no_frames_break_a_websocket() {
    fuzz(
        "websocket_frames",
        super::websocket_frames,
        4000,
        &["\x01", "\x02", "\x7d", "\x7e", "\x7f\0\0\0\0", "\0\0", "\u{82}", "\u{88}", "\u{89}", "\u{8a}"],
    );
}

#[test]
fn no_frames_break_spdy() {
    fuzz(
        "spdy_frames",
        super::spdy_frames,
        4000,
        &["\0\0\0\x01", "\0\0\0\x03", "\x01\0\0\x04", "\0\x06", "\0\x03", "\0\0\0\x08", "\0\x07", "abc"],
    );
}

#[test]
fn no_settings_of_a_proxy_are_misread() {
    fuzz(
        "no_proxy",
        super::no_proxy,
        3000,
        &["*", ".", ",", "/", ":", "@", "[", "]", "%", "\n", "://", "::ffff:", "/0", "/129"],
    );
}

#[test]
fn no_answer_of_a_plugin_breaks_the_client() {
    fuzz(
        "exec_answer",
        super::exec_answer,
        3000,
        &["{", "}", "\"", ":", "null", "[", "\\n", "-----BEGIN CERTIFICATE-----", "1"],
    );
}

#[test]
fn panics_and_hangs_are_noticed() {
    let nested: fn(&[u8]) = |input| assert!(!input.starts_with(b"!"), "it is exclaimed");
    assert!(ends_well(nested, b"?".to_vec(), HANGS).is_ok());
    assert!(ends_well(nested, b"!".to_vec(), HANGS).is_err_and(|error| error.to_string().contains("it is exclaimed")));
    let endless: fn(&[u8]) = |_| thread::sleep(Duration::from_secs(1));
    let error = ends_well(endless, Vec::new(), Duration::from_millis(10)).unwrap_err();
    assert!(error.to_string().contains("hangs"), "{error}");
}

#[test]
fn seeds_are_what_they_are_named() {
    for (name, seed) in seeds("kubeconfig") {
        let config = crate::Config::from_kubeconfig_text(&String::from_utf8(seed).unwrap());
        let empty = ["empty", "nulls.yaml"].contains(&name.as_str());
        assert_eq!(config.is_err(), empty, "{name}: {config:?}");
    }
}

/// Tries the seeds of a target, and this many inputs that come of them; the words stand in many.
fn fuzz(target: &str, run: fn(&[u8]), cases: u32, words: &'static [&'static str]) {
    let seeds = seeds(target);
    for (name, seed) in &seeds {
        if let Err(error) = ends_well(run, seed.clone(), HANGS) {
            panic!("{target}/{name}: {error}");
        }
    }
    let seeds: Vec<_> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let changes = vec(change(seeds.clone(), words), 1..8);
    let inputs = (select(seeds), changes).prop_map(|(seed, changes)| {
        changes.into_iter().fold(seed, |mut input, change| {
            change.apply(&mut input);
            input
        })
    });
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() };
    match TestRunner::new(config).run(&inputs, |input| ends_well(run, input, HANGS)) {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => {
            panic!("{target}: {reason}\n{}\nas bytes: {input:?}", String::from_utf8_lossy(&input))
        }
        Err(error) => panic!("{target}: {error}"),
    }
}

/// A change to an input. Where it is meant to happen is a share of the length, so that it survives other changes.
#[derive(Clone, Debug)]
enum Change {
    Byte { at: Index, byte: u8 },
    Insert { at: Index, bytes: Vec<u8> },
    Remove { at: Index, length: usize },
    Repeat { at: Index, length: usize, times: usize },
    Graft { at: Index, from: Index, other: Vec<u8> },
}

fn change(seeds: Vec<Vec<u8>>, words: &'static [&'static str]) -> impl Strategy<Value = Change> {
    let word = select(words).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte { at, byte }),
        (any::<Index>(), word).prop_map(|(at, bytes)| Change::Insert { at, bytes }),
        (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert { at, bytes }),
        (any::<Index>(), 1..64_usize).prop_map(|(at, length)| Change::Remove { at, length }),
        (any::<Index>(), 1..64_usize, 1..64_usize).prop_map(|(at, length, times)| Change::Repeat { at, length, times }),
        (any::<Index>(), any::<Index>(), select(seeds)).prop_map(|(at, from, other)| Change::Graft { at, from, other }),
    ]
}

impl Change {
    fn apply(self, input: &mut Vec<u8>) {
        let place = |at: Index| at.index(input.len() + 1);
        match self {
            Self::Byte { at, byte } => {
                if let Some(old) = {
                    let at = place(at);
                    input.get_mut(at)
                } {
                    *old = byte;
                }
            }
            Self::Insert { at, bytes } => {
                let at = place(at);
                input.splice(at..at, bytes);
            }
            Self::Remove { at, length } => {
                let at = place(at);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Repeat { at, length, times } => {
                let at = place(at);
                let repeated = input[at..(at + length).min(input.len())].repeat(times);
                input.splice(at..at, repeated);
            }
            Self::Graft { at, from, other } => {
                let at = place(at);
                input.truncate(at);
                input.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}

fn ends_well(run: fn(&[u8]), input: Vec<u8>, limit: Duration) -> Result<(), TestCaseError> {
    let (done, told) = mpsc::channel();
    let worker = thread::spawn(move || {
        run(&input);
        let _ = done.send(());
    });
    match told.recv_timeout(limit) {
        Ok(()) => Ok(()),
        Err(RecvTimeoutError::Timeout) => Err(TestCaseError::fail(format!("hangs for {limit:?}"))),
        Err(RecvTimeoutError::Disconnected) => {
            let panic = worker.join().err().map_or_else(String::new, |panic| message(&*panic).to_owned());
            Err(TestCaseError::fail(format!("panics: {panic}")))
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// Name and text of each seed.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| {
            let path = file.expect("the folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a seed can be read"))
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}
