//! What a plugin answers: an `ExecCredential` with a status.

use std::sync::Arc;

use k8s_openapi::jiff::{Timestamp, civil::DateTime};
use serde_json::{Map, Value};

use super::{Credential, api_version};
use crate::{
    auth::{fetched::Fresh, header::bearer},
    config::{ClientIdentity, ExecApiVersion, PemSource, parse_yaml},
    text::non_empty,
};

/// Reads an answer. What is wrong with it is said without a word of it, since all of it may be secret.
pub(super) fn parse(output: &[u8], version: ExecApiVersion) -> Result<Fresh<Credential>, String> {
    if output.trim_ascii().is_empty() {
        return Err("it wrote nothing to standard output".to_owned());
    }
    // Go reads bytes that are not UTF-8 as marks of what is missing.
    let answer = match serde_json::from_str(&String::from_utf8_lossy(output)) {
        Ok(answer) => answer,
        // client-go reads answers in YAML too.
        Err(json) => parse_yaml(output.to_vec()).ok_or_else(|| {
            // Errors of types, which quote values, cannot come of a `Value`; those of syntax name line and column only.
            format!("neither JSON ({json}) nor YAML")
        })?,
    };
    let answer: &Map<_, _> = Value::as_object(&answer).ok_or("not an object of JSON or YAML")?;
    // Go takes an answer without a kind for what it asked for.
    if text(answer, "kind")?.is_some_and(|kind| kind != "ExecCredential") {
        return Err("its kind is not ExecCredential".to_owned());
    }
    check_version(text(answer, "apiVersion")?, version)?;
    let status = match answer.get("status") {
        None | Some(Value::Null) => return Err("it has no status".to_owned()),
        Some(status) => status.as_object().ok_or("its status is not an object")?,
    };
    let token = text(status, "token")?;
    let certificate = text(status, "clientCertificateData")?;
    let key = text(status, "clientKeyData")?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Arc::new(identity(certificate, key)?)),
        (None, None) if token.is_some() => None,
        (None, None) => return Err("its status has neither a token nor a certificate with its key".to_owned()),
        (Some(_), None) => return Err("its status has a clientCertificateData without a clientKeyData".to_owned()),
        (None, Some(_)) => return Err("its status has a clientKeyData without a clientCertificateData".to_owned()),
    };
    let authorization = token.map(bearer).transpose().map_err(|error| error.to_string())?;
    let expires = match text(status, "expirationTimestamp")? {
        None => None,
        Some(time) => Some(expiration(time).ok_or("its status.expirationTimestamp is not a time of RFC 3339")?),
    };
    Ok(Fresh { value: Credential { authorization, identity }, expires })
}

/// When an answer ends, as a clock can say it: a fraction has nine digits at most, and a time that is too far for it is
/// the last one that it has, as is Go's zero time, which means never. None if it is not a time of RFC 3339.
fn expiration(time: &str) -> Option<Timestamp> {
    let (front, zone) = time.split_at_checked(time.len() - zone_length(time)?)?;
    let front = match front.split_once(['.', ',']) {
        Some((seconds, digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            format!("{seconds}.{}", digits.get(..9).unwrap_or(digits))
        }
        Some(_) => return None,
        None => front.to_owned(),
    };
    if let Ok(time) = format!("{front}{zone}").parse::<Timestamp>() {
        return Some(if time == ZERO_TIME { Timestamp::MAX } else { time });
    }
    // The last days of the calendar are not days of the clock.
    let local: DateTime = front.parse().ok()?;
    let has_time = front.contains(['T', 't']);
    (has_time && local.year() == DateTime::MAX.year()).then_some(Timestamp::MAX)
}

/// Go's `time.Time{}`, in seconds since 1970.
const ZERO_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// The length of the zone at the end of a time: `Z`, `+01:00`.
fn zone_length(time: &str) -> Option<usize> {
    if time.ends_with(['Z', 'z']) {
        return Some(1);
    }
    let zone = time.get(time.len().checked_sub(6)?..)?;
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    (hours.parse::<u8>().ok()? < 24 && minutes.parse::<u8>().ok()? < 60).then_some(6)
}

/// A field that is text. An empty one is as good as none, as in Go.
fn text<'a>(object: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, String> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(non_empty(Some(text))),
        Some(_) => Err(format!("its {field} is not a string")),
    }
}

/// The versions that there are or were; what else a plugin writes there is not shown.
const VERSIONS: [&str; 3] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
    "client.authentication.k8s.io/v1alpha1",
];

fn check_version(found: Option<&str>, expected: ExecApiVersion) -> Result<(), String> {
    let expected = api_version(expected);
    if found == Some(expected) {
        return Ok(());
    }
    let found = found.and_then(|found| VERSIONS.into_iter().find(|other| *other == found)).unwrap_or("another");
    Err(format!("its apiVersion is {found}, but the configuration says {expected}; make the two equal"))
}

/// The pair, if both are what they should be.
fn identity(certificate: &str, key: &str) -> Result<ClientIdentity, String> {
    let identity = ClientIdentity { certificate: PemSource::text(certificate), key: PemSource::text(key) };
    identity.certificate.certificates().map_err(|error| format!("its status.clientCertificateData: {error}"))?;
    identity.key.private_key().map_err(|error| format!("its status.clientKeyData: {error}"))?;
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const V1: ExecApiVersion = ExecApiVersion::V1;

    fn answer(status: &Value) -> Vec<u8> {
        json!({ "kind": "ExecCredential", "apiVersion": api_version(V1), "status": status }).to_string().into_bytes()
    }

    fn wrong(status: &Value) -> String {
        parse(&answer(status), V1).err().unwrap()
    }

    #[test]
    fn a_token_a_certificate_or_both_are_taken_with_their_end() {
        let fresh = parse(&answer(&json!({ "token": "abc\n", "clientKeyData": null })), V1).unwrap();
        assert_eq!(fresh.value.authorization.unwrap(), "Bearer abc");
        assert!(fresh.value.identity.is_none() && fresh.expires.is_none());

        let certified = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        let mut status = json!({ "clientCertificateData": certificate, "clientKeyData": key });
        let fresh = parse(&answer(&status), V1).unwrap();
        assert!(fresh.value.authorization.is_none() && fresh.value.identity.is_some());

        status["token"] = "abc".into();
        status["expirationTimestamp"] = "2026-01-02T03:04:05+01:00".into();
        let fresh = parse(&answer(&status), V1).unwrap();
        assert!(fresh.value.authorization.is_some() && fresh.value.identity.is_some());
        assert_eq!(fresh.expires.unwrap().to_string(), "2026-01-02T02:04:05Z");
    }

    #[test]
    fn an_answer_without_a_kind_and_text_that_is_not_utf_8_are_taken() {
        let version = api_version(V1);
        for output in [
            format!(r#"{{"apiVersion":"{version}","status":{{"token":"abc"}}}}"#).into_bytes(),
            format!(r#"{{"kind":null,"apiVersion":"{version}","status":{{"token":"abc"}}}}"#).into_bytes(),
            [&b"{\"metadata\":{\"name\":\"J\xf6rg\"},"[..], &answer(&json!({ "token": "abc" }))[1..]].concat(),
        ] {
            let fresh = parse(&output, V1).unwrap_or_else(|error| panic!("{}\n{error}", output.escape_ascii()));
            assert_eq!(fresh.value.authorization.unwrap(), "Bearer abc");
        }
    }

    #[test]
    fn half_a_pair_or_what_is_no_pem_is_an_error_that_names_the_field() {
        let certified = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        let token = "abc";
        let error = wrong(&json!({ "clientCertificateData": certificate, "token": token }));
        assert!(error.contains("without a clientKeyData"), "{error}");
        let error = wrong(&json!({ "clientKeyData": key, "token": token }));
        assert!(error.contains("without a clientCertificateData"), "{error}");
        let error = wrong(&json!({ "clientCertificateData": "secret", "clientKeyData": key, "token": token }));
        assert!(error.contains("status.clientCertificateData: no certificate"), "{error}");
        let error = wrong(&json!({ "clientCertificateData": certificate, "clientKeyData": "secret" }));
        assert!(error.contains("status.clientKeyData: no private key") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_missing_or_malformed_is_named_without_being_quoted() {
        for (output, what) in [
            (" \n", "wrote nothing"),
            ("{\"token\": secret", "neither JSON"),
            ("token: 'secret", "nor YAML"),
            ("\u{1}secret", "nor YAML"),
            ("- secret", "not an object"),
            ("\"secret\"", "not an object"),
            ("{\"kind\":\"secret\"}", "kind is not ExecCredential"),
            ("{\"kind\":{\"secret\":1}}", "kind is not a string"),
            ("{\"kind\":\"ExecCredential\",\"apiVersion\":\"secret\"}", "apiVersion is another"),
            ("{\"status\":{\"token\":\"secret\"}}", "apiVersion is another"),
        ] {
            let error = parse(output.as_bytes(), V1).err().unwrap();
            assert!(error.contains(what) && !error.contains("secret"), "{error}");
        }
        assert!(wrong(&Value::Null).contains("no status"));
        assert!(wrong(&json!([1])).contains("status is not an object"));
        assert!(wrong(&json!({ "token": "" })).contains("neither a token nor a certificate"));
        assert!(wrong(&json!({ "token": " \n" })).contains("the token is empty"));
        assert!(wrong(&json!({ "token": 7 })).contains("token is not a string"));
        assert!(!wrong(&json!({ "token": "se\ncret" })).contains("cret"));
        let error = wrong(&json!({ "token": "abc", "expirationTimestamp": "soon" }));
        assert!(error.contains("expirationTimestamp") && !error.contains("soon"), "{error}");
    }

    #[test]
    fn answers_in_yaml_are_taken() {
        let version = api_version(V1);
        for yaml in [
            "apiVersion: VERSION\nkind: ExecCredential\nstatus:\n  token: abc\n",
            "# mine\n---\r\napiVersion: \"VERSION\"\r\nkind: 'ExecCredential'\r\nstatus: {token: abc}\r\n---\r\n",
            "{apiVersion: VERSION, kind: ExecCredential, status: {'token': \"a\\x62c\",}}",
            "status: &s\n  token: >-\n    abc\nkind: ExecCredential\napiVersion: VERSION\nx: *s\n...\n",
            "{\"apiVersion\": \"VERSION\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"abc\"},} # JSON?",
        ] {
            let yaml = yaml.replace("VERSION", version);
            let fresh = parse(yaml.as_bytes(), V1).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
            assert_eq!(fresh.value.authorization.unwrap(), "Bearer abc");
            let utf16 = ["\u{feff}", &yaml].concat().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
            assert_eq!(parse(&utf16, V1).unwrap().value.authorization.unwrap(), "Bearer abc");
        }
        let certified = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let lines = |pem: String| pem.trim_end().replace('\n', "\n    ");
        let yaml = format!(
            "apiVersion: {version}\nkind: ExecCredential\nspec: {{}}\nstatus:\n  \
             expirationTimestamp: 2026-01-02T03:04:05Z\n  clientCertificateData: |\n    {}\n  \
             clientKeyData: |\n    {}\n",
            lines(certified.cert.pem()),
            lines(certified.signing_key.serialize_pem())
        );
        let fresh = parse(yaml.as_bytes(), V1).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
        assert!(fresh.value.identity.is_some() && fresh.expires.unwrap().to_string() == "2026-01-02T03:04:05Z");
    }

    #[test]
    fn ends_that_no_clock_can_say_are_taken_as_far_as_it_can() {
        let last = Timestamp::MAX.to_string();
        for (time, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.5+01:30", "2026-01-02T01:34:05.5Z"),
            ("2026-01-02T03:04:05.123456789012345Z", "2026-01-02T03:04:05.123456789Z"),
            ("2026-01-02T03:04:05.99999999999-05:00", "2026-01-02T08:04:05.999999999Z"),
            ("9999-12-31T23:59:59Z", &*last),
            ("9999-12-31T23:59:59.999999999999Z", &*last),
            ("9999-12-31T23:59:59-08:00", &*last),
            ("9999-12-30T21:00:00Z", "9999-12-30T21:00:00Z"),
            ("0001-01-01T00:00:00Z", &last),
        ] {
            let expires = parse(&answer(&json!({ "token": "abc", "expirationTimestamp": time })), V1).unwrap().expires;
            assert_eq!(expires.unwrap().to_string(), expected, "{time}");
        }
        for time in [
            "9999-12-32T00:00:00Z",
            "9999-12-31",
            "10000-01-01T00:00:00Z",
            "9999-12-31T25:00:00Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.x1Z",
            "9999-12-31T23:59:59+99:00",
            "Z",
            "ä+00:00",
            "2026-01-02Z",
            "9999-12-31Z",
        ] {
            assert!(wrong(&json!({ "token": "abc", "expirationTimestamp": time })).contains("RFC 3339"), "{time}");
        }
    }

    #[test]
    fn the_version_of_the_answer_must_be_the_configured_one() {
        let output = answer(&json!({ "token": "abc" }));
        let error = parse(&output, ExecApiVersion::V1Beta1).err().unwrap();
        assert!(error.contains("k8s.io/v1, but") && error.contains("k8s.io/v1beta1"), "{error}");
    }

    proptest! {
        #[test]
        fn no_output_makes_the_parser_panic(output: Vec<u8>) {
            let _ = parse(&output, V1);
        }

        #[test]
        fn no_time_makes_the_parser_panic(
            date in "[0-9]{0,5}-?[0-9]{0,2}-?[0-9]{0,2}[Tt]?",
            time in "[0-9:.,]{0,12}(Z|[+-][0-9:]{0,5}|\\PC{0,3})",
        ) {
            let time = date + &time;
            let _ = expiration(&time);
        }

        #[test]
        fn no_status_makes_the_parser_panic(
            texts in proptest::collection::vec(proptest::option::of("(-----BEGIN (CERTIFICATE|PRIVATE KEY)-----)?\\PC*"), 4),
        ) {
            let _ = parse(&answer(&json!({
                "token": texts[0],
                "clientCertificateData": texts[1],
                "clientKeyData": texts[2],
                "expirationTimestamp": texts[3],
            })), V1);
        }
    }
}
