//! Points in time as the server reads and writes them.

use crate::clock;

/// How times are written: the parts of the text that Go's parser looks for.
const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// A time as the server writes it: in UTC and whole seconds, or in microseconds.
///
/// # Errors
///
/// What Go's parser says of any other text.
pub(super) fn canonical(text: &str, in_microseconds: bool) -> Result<String, String> {
    let layout = if in_microseconds { MICROSECONDS } else { SECONDS };
    let mut parser = Parser { text, rest: text, layout };
    let year = parser.number(4, "2006")?;
    parser.exactly('-')?;
    let month = parser.number(2, "01")?;
    parser.exactly('-')?;
    let day = parser.number(2, "02")?;
    parser.exactly('T')?;
    let hour = parser.number(2, "15")?;
    parser.exactly(':')?;
    let minute = parser.number(2, "04")?;
    parser.exactly(':')?;
    let second = parser.number(2, "05")?;
    let fraction = parser.fraction(in_microseconds)?;
    let offset = parser.offset()?;
    if !parser.rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {:?}", parser.rest));
    }
    let ranges = [
        (month, 1, 12, "month"),
        (day, 1, days_of(year, month), "day"),
        (hour, 0, 23, "hour"),
        (minute, 0, 59, "minute"),
        (second, 0, 59, "second"),
    ];
    if let Some((.., what)) = ranges.into_iter().find(|(number, least, most, _)| number < least || number > most) {
        return Err(format!("parsing time {text:?}: {what} out of range"));
    }
    let local = &text[..19];
    // What was before 1970 stays as it is: nobody asks for that in another place than Greenwich.
    let utc = clock::seconds(&format!("{local}Z")).and_then(|seconds| seconds.checked_add_signed(-offset));
    let seconds = match utc {
        Some(utc) if offset != 0 => clock::timestamp(utc)[..19].to_owned(),
        _ => local.to_owned(),
    };
    Ok(if in_microseconds { format!("{seconds}.{fraction}Z") } else { format!("{seconds}Z") })
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    layout: &'static str,
}

impl<'a> Parser<'a> {
    fn wrong(&self, element: &str) -> String {
        let Self { text, rest, layout } = self;
        format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {element:?}")
    }

    fn number(&mut self, digits: usize, element: &str) -> Result<i64, String> {
        let number = self.rest.get(..digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong(element))?;
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn exactly(&mut self, character: char) -> Result<(), String> {
        let rest = self.rest.strip_prefix(character).ok_or_else(|| self.wrong(&character.to_string()))?;
        self.rest = rest;
        Ok(())
    }

    /// The digits behind the point: six of them, or as many as there are.
    fn fraction(&mut self, is_wanted: bool) -> Result<&'a str, String> {
        let digits = self.rest.strip_prefix(['.', ',']).unwrap_or_default();
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if is_wanted && count < 6 {
            return Err(self.wrong(".000000"));
        }
        let count = if is_wanted { 6 } else { count };
        if count > 0 {
            self.rest = &self.rest[1 + count..];
        }
        Ok(&digits[..count])
    }

    /// The seconds by which the place of the time is ahead.
    fn offset(&mut self) -> Result<i64, String> {
        let before = self.rest;
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let sign = match self.rest.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(self.wrong("Z07:00")),
        };
        self.rest = &self.rest[1..];
        let parts = self.number(2, "").and_then(|hours| {
            self.exactly(':')?;
            Ok((hours, self.number(2, "")?))
        });
        let Ok((hours, minutes)) = parts else {
            self.rest = before;
            return Err(self.wrong("Z07:00"));
        };
        Ok(sign * (hours * 3_600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, in_microseconds, expected) in [
            ("2026-01-01T00:00:00Z", false, Ok("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00.75Z", false, Ok("2026-01-01T00:00:00Z")),
            ("2026-01-01T01:30:00+01:30", false, Ok("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00.120000Z", true, Ok("2026-01-01T00:00:00.120000Z")),
            ("2025-12-31T23:00:00.000001-01:00", true, Ok("2026-01-01T00:00:00.000001Z")),
            (
                "2026-01-01T00:00:01.5Z",
                true,
                Err(
                    "parsing time \"2026-01-01T00:00:01.5Z\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \".5Z\" \
                     as \".000000\"",
                ),
            ),
            ("", false, Err("parsing time \"\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"2006\"")),
            ("2026-02-29T00:00:00Z", false, Err("parsing time \"2026-02-29T00:00:00Z\": day out of range")),
            ("2026-01-01T00:00:00Zx", false, Err("parsing time \"2026-01-01T00:00:00Zx\": extra text: \"x\"")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(canonical(text, in_microseconds), expected, "{text}");
        }
    }
}
