//! Time, as the server's clock shows it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The last time that RFC 3339 has a form for: the end of the year 9999.
const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// A clock that goes with tokio's, so that paused time stands still for the server too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What the clock shows at `since`, after 1970.
    start: Duration,
    since: Instant,
}

impl Clock {
    /// A clock that shows this now.
    pub(crate) fn showing(time: SystemTime) -> Self {
        Self { start: time.duration_since(UNIX_EPOCH).unwrap_or_default(), since: Instant::now() }
    }

    /// What it shows, after 1970.
    pub(crate) fn now(&self) -> Duration {
        (self.start + self.since.elapsed()).min(LATEST)
    }

    /// Goes on from a later time, but none that has more than four digits for its year.
    pub(crate) fn set_forward(&mut self, by: Duration) {
        self.set(self.now().saturating_add(by).min(LATEST));
    }

    /// Goes on from an earlier time, but none before 1970.
    pub(crate) fn set_back(&mut self, by: Duration) {
        self.set(self.now().saturating_sub(by));
    }

    fn set(&mut self, shown: Duration) {
        *self = Self { start: shown, since: Instant::now() };
    }

    /// What it shows, as RFC 3339 in whole seconds.
    pub(crate) fn timestamp(&self) -> String {
        timestamp(self.now().as_secs())
    }
}

/// Seconds after 1970 as RFC 3339.
pub(crate) fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March have their leap day at their end.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The seconds after 1970 of a time in RFC 3339 that ends with `Z`; what is behind its seconds is left out. `None` for
/// what was before.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    since_1970(text)?.try_into().ok()
}

/// The same, and less than nothing for what was before.
pub(crate) fn since_1970(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !text.ends_with('Z') || !(1..=12).contains(&month) {
        return None;
    }
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let (era, year_of_era) = (year_from_march.div_euclid(400), year_from_march.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
            assert_eq!(super::seconds(text), Some(seconds));
        }
        for (text, seconds) in [
            ("1969-12-31T23:59:59.5Z", -1),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(since_1970(text), Some(seconds), "{text}");
        }
        assert_eq!(super::seconds("1969-12-31T23:59:59Z"), None);
    }
}
