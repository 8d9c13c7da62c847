//! What the server reports of a process that has ended.

use std::{fmt, string::String};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;

use crate::{
    codec,
    error::{Error, Result},
    text::{Keep, printable},
};

/// How a process ended, by its exit code.
///
/// A process that never began, or whose container went away, has none: that is an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExitStatus(i32);

impl ExitStatus {
    /// Whether the process exited with 0.
    pub fn success(self) -> bool {
        self.0 == 0
    }

    /// The exit code. Shells and runtimes give 128 and the number of a signal that ended the process.
    pub fn code(self) -> i32 {
        self.0
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

/// Whether a report has come to its end.
pub(super) fn is_whole(report: &[u8]) -> bool {
    parse(report).is_some()
}

/// What a whole report says.
pub(super) fn read(report: &[u8]) -> Result<ExitStatus> {
    let Some(status) = parse(report) else {
        return Err(Error::cut_off("the report of how the process ended"));
    };
    if status.status.as_deref() == Some("Success") {
        return Ok(ExitStatus(0));
    }
    exit_code(&status).map(ExitStatus).ok_or_else(|| Error::api(status))
}

fn parse(report: &[u8]) -> Option<Status> {
    codec::from_json::<Status>(report).ok().filter(|status| status.status.is_some())
}

fn exit_code(status: &Status) -> Option<i32> {
    if status.reason.as_deref() != Some("NonZeroExitCode") {
        return None;
    }
    let causes = status.details.as_ref()?.causes.as_deref()?;
    let cause = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?;
    cause.message.as_ref()?.parse().ok()
}

/// A report as words, of a Status its message.
pub(super) fn words(report: &[u8]) -> String {
    let text = parse(report).and_then(|status| status.message);
    let text = text.unwrap_or_else(|| String::from_utf8_lossy(report).into_owned());
    printable(text.trim(), Keep::Nothing).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_say_how_a_process_ended() {
        let success = br#"{"metadata":{},"status":"Success"}"#;
        assert_eq!(read(success).unwrap(), ExitStatus(0));
        assert!(read(success).unwrap().success());
        for code in [1, 137, 255] {
            let report = format!(
                r#"{{"metadata":{{}},"status":"Failure","message":"command terminated with non-zero exit code","reason":
                "NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"{code}"}}]}}}}"#
            );
            let status = read(report.as_bytes()).unwrap();
            assert_eq!((status.code(), status.success()), (code, false));
            assert_eq!(status.to_string(), format!("exit code {code}"));
        }
    }

    #[test]
    fn failures_without_an_exit_code_are_errors() {
        for (report, expected) in [
            (
                r#"{"status":"Failure","message":"exec: \"nope\": executable file not found in $PATH","reason":"InternalError",
                "code":500}"#,
                "500 InternalError: exec: \"nope\": executable file not found in $PATH",
            ),
            (
                r#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}"#,
                "NonZeroExitCode",
            ),
            (r#"{"status":"Failure","reason":"NonZeroExitCode"}"#, "NonZeroExitCode"),
        ] {
            let error = read(report.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn half_a_report_is_none() {
        for report in [&b""[..], br#"{"metadata":{},"status":"Suc"#, b"{}", b"rpc error", b"\"Success\""] {
            assert!(!is_whole(report), "{report:?}");
            assert!(read(report).is_err());
        }
        assert_eq!(words(b" rpc error\x1b[1m\n"), r"rpc error\u{1b}[1m");
        assert_eq!(words(br#"{"status":"Failure","message":"no"}"#), "no");
    }
}
