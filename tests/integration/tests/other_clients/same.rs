//! What programs print, without what differs between any two servers: uids, times, ages, addresses, revisions and the
//! random parts of names. Columns are as wide as their contents, so that blanks do not count either.

use std::net::Ipv4Addr;

/// The letters that generated names are made of.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The text without what always differs.
pub(crate) fn same(text: &str) -> String {
    let lines = text.lines().filter(|line| !is_head_of_diff(line));
    lines.map(line).collect::<Vec<_>>().join("\n")
}

/// The files that `diff` compared.
fn is_head_of_diff(line: &str) -> bool {
    ["diff -u", "--- /", "+++ /"].iter().any(|start| line.starts_with(start))
}

fn line(line: &str) -> String {
    let mut result = String::new();
    let mut before = String::new();
    let is_part = |character: char| character.is_ascii_alphanumeric() || ":.-/".contains(character);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| is_part(character) != is_part(first)).unwrap_or(rest.len());
        let (part, left) = rest.split_at(end);
        rest = left;
        if is_part(first) {
            result.push_str(&word(part, &before));
            if part != ":" {
                part.trim_end_matches(':').clone_into(&mut before);
            }
        } else if part.trim().is_empty() {
            result.push(' ');
        } else {
            result.push_str(part);
        }
    }
    result.trim_end().to_owned()
}

fn word(word: &str, before: &str) -> String {
    let bare = word.trim_end_matches('.');
    let is_number = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && matches!(before, "resourceVersion" | "Version") {
        return "REVISION".to_owned();
    }
    if bare.parse::<Ipv4Addr>().is_ok() {
        return "ADDRESS".to_owned();
    }
    if is_uid(bare) {
        return "UID".to_owned();
    }
    if is_time(bare) {
        return "TIME".to_owned();
    }
    if is_age(bare) {
        return "AGE".to_owned();
    }
    let parts = word.split('-').map(|part| if is_generated(part) { "GENERATED" } else { part });
    parts.collect::<Vec<_>>().join("-")
}

fn is_uid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// `2026-11-27T14:38:34Z`, and the parts of `Fri, 27 Nov 2026 14:38:34 +0000`.
fn is_time(word: &str) -> bool {
    let mut bytes = word.bytes();
    let is_stamp = word.ends_with('Z') && word.contains('T') && bytes.next().is_some_and(|byte| byte == b'2');
    is_stamp || (word.len() == 8 && word.split(':').filter(|part| part.parse::<u8>().is_ok()).count() == 3)
}

/// `12s`, `3m4s`, `2h`.
fn is_age(word: &str) -> bool {
    let units = word.bytes().filter(|byte| b"smhd".contains(byte)).count();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    units > 0 && digits > 0 && units + digits == word.len() && word.as_bytes()[0].is_ascii_digit()
}

/// The hash of a template, or the random end of a name.
fn is_generated(part: &str) -> bool {
    part.len() >= 5
        && part.bytes().all(|byte| LETTERS.contains(&byte))
        && (part.bytes().any(|byte| byte.is_ascii_digit()) || part.len() == 5 || part.len() > 7)
}

#[test]
fn what_differs_between_any_two_servers_is_left_out() {
    for (text, expected) in [
        (
            "pod/web-6d476bdd76-js72l   1/1     Running   0          12s",
            "pod/web-GENERATED-GENERATED 1/1 Running 0 AGE",
        ),
        ("  uid: 0623078c-a002-43bf-bff1-cc4dc1603ae5", " uid: UID"),
        ("creationTimestamp: \"2026-11-27T14:38:34Z\"", "creationTimestamp: \"TIME\""),
        ("  resourceVersion: \"1993\"", " resourceVersion: \"REVISION\""),
        ("\"resourceVersion\": \"17\",", "\"resourceVersion\": \"REVISION\","),
        ("Resource Version:    1993", "Resource Version: REVISION"),
        ("IP:  10.244.0.7", "IP: ADDRESS"),
        ("service/web ClusterIP 80/TCP 3m4s", "service/web ClusterIP 80/TCP AGE"),
        ("+++ /tmp/MERGED-1/x 2026\n+color: red", "+color: red"),
    ] {
        assert_eq!(same(text), expected);
    }
}
