//! What errors say, and which is which.

use super::*;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusDetails;

fn answered(code: i32, reason: &str) -> Error {
    Error::api(Status {
        code: Some(code),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message: Some("it went wrong".to_owned()),
        ..Status::default()
    })
}

#[test]
fn debug_is_the_message_and_tells_all_at_length() {
    let error = answered(404, "NotFound").with_request(&Method::GET, "https://h/api".to_owned());
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(format!("{error:#?}").contains("retries: 0"));
}

#[test]
fn known_reason_beats_code() {
    assert!(answered(404, "NotFound").is_not_found());
    assert!(answered(500, "NotFound").is_not_found());
    assert!(!answered(404, "Forbidden").is_not_found());
    assert!(!answered(409, "AlreadyExists").is_conflict());
    assert!(answered(409, "AlreadyExists").is_already_exists());
}

#[test]
fn unknown_or_missing_reason_leaves_it_to_the_code() {
    assert!(answered(404, "").is_not_found());
    assert!(answered(404, "SomethingNew").is_not_found());
    assert!(answered(409, "").is_conflict());
    assert!(!answered(409, "").is_already_exists());
    assert!(!answered(410, "").is_expired());
    assert!(answered(410, "").is_gone());
}

#[test]
fn too_many_requests_is_told_by_code_whatever_the_reason() {
    assert!(answered(429, "Forbidden").is_too_many_requests());
}

#[test]
fn timeout_is_the_clients_or_the_servers() {
    for error in [Error::new(ErrorKind::Timeout, "late"), answered(504, "Timeout"), answered(504, "")] {
        assert!(error.is_timeout() && !error.is_server_timeout(), "{error}");
    }
    let asks = answered(500, "ServerTimeout");
    assert!(asks.is_server_timeout() && !asks.is_timeout());
    for error in [Error::new(ErrorKind::Connect, "refused"), answered(503, "ServiceUnavailable")] {
        assert!(!error.is_timeout() && !error.is_server_timeout(), "{error}");
    }
}

#[test]
fn a_version_that_the_server_has_not_reached_is_known_by_its_cause_or_by_the_words_of_old_servers() {
    let with_cause = |code, reason: &str, cause: StatusCause| {
        let details = Some(StatusDetails { causes: Some(vec![cause]), ..StatusDetails::default() });
        Error::api(Status { code: Some(code), reason: Some(reason.to_owned()), details, ..Status::default() })
    };
    let named = || StatusCause { reason: Some("ResourceVersionTooLarge".to_owned()), ..StatusCause::default() };
    let words = "Too large resource version: 7, current: 5";
    let unnamed = || StatusCause { message: Some(words.to_owned()), ..StatusCause::default() };
    let saying = |code, reason: &str| {
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        Error::api(Status { code: Some(code), reason, message: Some(words.to_owned()), ..Status::default() })
    };
    for (error, expected) in [
        (with_cause(504, "Timeout", named()), true),
        (with_cause(504, "Timeout", unnamed()), true),
        (saying(504, "Timeout"), true),
        (saying(504, ""), true),
        (with_cause(400, "BadRequest", unnamed()), false),
        (saying(400, "BadRequest"), false),
        (answered(504, "Timeout"), false),
        (Error::new(ErrorKind::Timeout, "late"), false),
    ] {
        assert_eq!(error.is_too_large_resource_version(), expected, "{error:#?}");
    }
}

#[test]
fn message_says_what_was_tried_and_what_came_back() {
    let error = answered(404, "NotFound").with_request(&Method::GET, "https://host/api/v1/pods/x");
    assert_eq!(error.to_string(), "GET https://host/api/v1/pods/x: 404 NotFound: it went wrong");
}

#[test]
fn texts_of_others_act_on_no_terminal_and_forge_no_line() {
    let evil = "\u{1b}]0;pwned\u{7}\r\n2026-01-01 INFO forged \u{202e}line";
    let status = || Status { reason: Some(evil.to_owned()), message: Some(evil.to_owned()), ..Status::default() };
    for error in [
        Error::api(status()),
        Error::new(ErrorKind::Transport, "lost").with_source(evil),
        Error::new(ErrorKind::Transport, evil.replace(['\r', '\n'], "")),
        Error::new(ErrorKind::Timeout, "late").after_retries(1, Some(&Error::api(status()))),
    ] {
        for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}").replace('\n', "")] {
            assert!(!text.contains(|character: char| character.is_control()), "{text:?}");
            assert!(!text.contains('\u{202e}') && text.contains("u{1b}]0;pwned"), "{text:?}");
        }
    }
    let hint = Error::new(ErrorKind::Auth, "no plugin:\ninstall it");
    assert_eq!(hint.to_string(), "no plugin:\ninstall it");
}

#[test]
fn what_does_not_decode_is_not_quoted_where_it_may_be_a_secret() {
    let message = |url: &str| {
        let error = codec::Error::from(serde_json::from_str::<u32>("\n\"hunter2\"").expect_err("it is text"));
        let error = Error::new(ErrorKind::Decode, "the answer could not be decoded").with_source(error);
        let error = error.with_request(&Method::GET, url);
        format!("{error} {error:?}")
    };
    assert!(message("https://h/api/v1/configmaps/x?fieldSelector=secret").contains("hunter2"));
    for path in ["api/v1/namespaces/ns/secrets/x", "api/v1/namespaces/ns/serviceaccounts/x/token"] {
        let message = message(&format!("https://h/{path}"));
        assert!(message.contains("line 2 column") && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn retry_after_comes_from_the_details() {
    let told = |reason: &str, retry_after_seconds| {
        let details = Some(StatusDetails { retry_after_seconds, ..StatusDetails::default() });
        Error::api(Status { reason: Some(reason.to_owned()), details, ..Status::default() }).retry_after()
    };
    for (reason, seconds, expected) in [
        ("TooManyRequests", Some(7), Some(7)),
        ("TooManyRequests", Some(0), Some(0)),
        ("TooManyRequests", None, None),
        ("TooManyRequests", Some(-1), None),
        ("ServerTimeout", Some(7), Some(7)),
        ("ServerTimeout", None, Some(0)),
        ("Timeout", None, None),
    ] {
        assert_eq!(told(reason, seconds), expected.map(Duration::from_secs), "{reason} {seconds:?}");
    }
    assert_eq!(answered(500, "ServerTimeout").retry_after(), None);
}

#[test]
fn errors_that_pass_are_told_from_those_that_stay() {
    let saying = |code, message: &str| {
        let reason = Some("InternalError".to_owned());
        Error::api(Status { code: Some(code), reason, message: Some(message.to_owned()), ..Status::default() })
    };
    let failed = |kind, delivery| Error::new(kind, "it went wrong").with_delivery(delivery);
    for passing in [
        answered(429, "TooManyRequests"),
        answered(429, ""),
        answered(503, "ServiceUnavailable"),
        answered(504, "Timeout"),
        answered(500, "ServerTimeout"),
        answered(502, "InternalError"),
        answered(409, "AlreadyExists").with_retry_after(Some(Duration::from_secs(1))),
        saying(500, "etcdserver: leader changed"),
        saying(500, "rpc error: code = Unavailable desc = etcdserver: request timed out"),
        failed(ErrorKind::Timeout, Delivery::Unknown),
        failed(ErrorKind::Connect, Delivery::Unreachable),
        failed(ErrorKind::Connect, Delivery::Refused),
        failed(ErrorKind::Connect, Delivery::Lost),
        failed(ErrorKind::Transport, Delivery::Lost),
        failed(ErrorKind::Transport, Delivery::Unknown),
    ] {
        assert!(passing.is_transient(), "{passing}");
    }
    for staying in [
        answered(400, "BadRequest"),
        answered(401, "Unauthorized"),
        answered(403, "Forbidden"),
        answered(404, "NotFound"),
        answered(409, "Conflict"),
        answered(410, "Expired"),
        answered(422, "Invalid"),
        answered(500, "InternalError"),
        saying(422, "spec.text: Invalid value: \"etcdserver: leader changed\""),
        failed(ErrorKind::Connect, Delivery::Unknown),
        failed(ErrorKind::Transport, Delivery::Garbled),
        failed(ErrorKind::Config, Delivery::Unknown),
        failed(ErrorKind::Auth, Delivery::Unknown),
        failed(ErrorKind::Request, Delivery::Unknown),
        failed(ErrorKind::Decode, Delivery::Unknown),
    ] {
        assert!(!staying.is_transient(), "{staying}");
    }
}

#[test]
fn message_tells_of_attempts_and_of_the_one_before_if_it_was_another() {
    let before = answered(503, "ServiceUnavailable");
    let after = |error: Error, before| error.after_retries(2, before).to_string();
    assert_eq!(
        after(Error::new(ErrorKind::Transport, "lost"), Some(&before)),
        "lost (in the end, after 3 attempts; the one before: 503 ServiceUnavailable: it went wrong)"
    );
    assert_eq!(
        after(answered(503, "ServiceUnavailable"), Some(&before)),
        "503 ServiceUnavailable: it went wrong (in the end, after 3 attempts)"
    );
    assert_eq!(Error::new(ErrorKind::Transport, "lost").after_retries(0, None).to_string(), "lost");
}
