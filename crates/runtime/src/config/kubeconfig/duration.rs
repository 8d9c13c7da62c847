//! Time limits as kubectl's `--request-timeout` writes them.

use std::time::Duration;

/// Reads whole seconds (`30`), or a duration of Go (`1m30s`, `1.5h`, `250ms`). 0 is no limit.
pub(in crate::config) fn parse_timeout(text: &str) -> Result<Option<Duration>, String> {
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => parse_go_duration(text),
    };
    match duration {
        Some(duration) if duration.is_zero() => Ok(None),
        Some(duration) => Ok(Some(duration)),
        None => Err(format!(
            "{text:?} is not a time limit; write whole seconds or a number with its unit, such as 90s, 2m or 3h"
        )),
    }
}

/// Numbers with units in a row, as Go's `time.ParseDuration` reads them; none is negative here.
fn parse_go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let unit_end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3600 * 1_000_000_000,
            _ => return None,
        };
        total = total.checked_add(multiply(number, unit)?)?;
        rest = after;
    }
    Some(total)
}

/// A decimal number of units, each so many nanoseconds.
fn multiply(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.bytes() {
        // Below a nanosecond nothing counts.
        place /= 10;
        nanoseconds = nanoseconds.checked_add(place * u64::from(digit - b'0'))?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limits_are_whole_seconds_or_durations_of_go() {
        for (text, milliseconds) in [
            ("0", None),
            ("0s", None),
            ("30", Some(30_000)),
            ("1s", Some(1_000)),
            ("+1s", Some(1_000)),
            ("250ms", Some(250)),
            ("1.5h", Some(5_400_000)),
            (".5s", Some(500)),
            ("1.s", Some(1_000)),
            ("1m30s", Some(90_000)),
            ("1h2m3.004s", Some(3_723_004)),
            ("1000µs", Some(1)),
        ] {
            assert_eq!(parse_timeout(text), Ok(milliseconds.map(Duration::from_millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_limit_is_refused() {
        for text in ["", " ", "+", "-1", "-1s", "1.5", "s", ".s", "1x", "1 s", "1..5s", "1s1", "99999999999999h", "1é"]
        {
            assert!(parse_timeout(text).is_err(), "{text:?}");
        }
    }
}
