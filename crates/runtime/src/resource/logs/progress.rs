//! How far a log has been read, so that another request goes on without a gap and without a repeat.
//!
//! A kubelet can be asked for the lines since a time, in whole seconds. So the lines of the last seconds come again,
//! and are known by their hashes. Equal lines with equal stamps occur: each is dropped as often as it has been given
//! out.
//!
//! Stamps are not quite in order, since standard output and error are copied by two writers. So one second more is
//! asked for than the last line's.
//!
//! A kubelet whose reader is slow loses the log's file while that is rotated, and then sends the newest file from its
//! beginning, more than once. That is a jump back of the stamps, and so is a clock that is set back. They are told
//! apart by what comes: only lines that are known are dropped.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use bytes::Bytes;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::{LogEvent, LogLine, cut::Piece, known::Known, stamp};
use crate::text::{Keep, printable};

/// How many lines are known at most beside those of the last two seconds: 2 MiB of memory. A file of 10 MiB, after
/// which a kubelet rotates by default, has no more if a line has 40 bytes.
const MOST_KNOWN: usize = 1 << 18;

/// How many lines are known at most at all: 8 MiB of memory. The stamps of a very fast log, and those of a clock that
/// stands still, have no end of lines in two seconds.
const MOST: usize = 1 << 20;

/// For how many known lines each line that comes pays. A jump back looks at all that are known, so stamps that jump all
/// the time would make each line as dear as all of them.
const CREDIT: usize = 32;

/// How much can be saved: some replays in a row, of the longest file.
const MOST_CREDIT: usize = 8 * MOST_KNOWN;

/// Stamps that lie further back than this are not merely out of order.
const JUMP: SignedDuration = SignedDuration::from_secs(1);

/// How much of a message of the server is shown.
const MAX_MESSAGE: usize = 2048;

/// What has been given out of the log of one instance of a container.
#[derive(Debug)]
pub(super) struct Progress {
    hasher: RandomState,
    most_known: usize,
    most: usize,
    drops_replays: bool,
    known: Known,
    /// The stamp of the first line that was given out. Those before it were not wanted.
    first: Option<Timestamp>,
    /// Whether a line that is known has come in this answer, if any can come.
    has_met: bool,
    /// The stamp of the last line that was given out.
    last: Option<Timestamp>,
    /// The stamp of the last line that came in this answer, given out or not.
    position: Option<Timestamp>,
    /// How often each line that is known may come again in this answer.
    again: Option<Again>,
    /// For how many known lines jumps back may look.
    credit: usize,
    /// A line of which not all pieces have been given out.
    unfinished: Option<Unfinished>,
    /// What is done with the pieces of the line that is coming.
    line: Line,
    /// The server's last message, until a line comes.
    message: Option<String>,
}

#[derive(Debug)]
struct Again {
    counts: HashMap<u64, u32>,
    /// The last second of them.
    until: i64,
}

#[derive(Clone, Copy, Debug)]
struct Unfinished {
    hash: u64,
    pieces: usize,
}

#[derive(Clone, Copy, Debug)]
enum Line {
    /// It is dropped.
    Dropped,
    /// So many pieces are dropped, since they are known. Then the others are given out.
    Given { stamp: Timestamp, skip: usize },
}

impl Progress {
    pub(super) fn new(drops_replays: bool) -> Self {
        Self {
            hasher: RandomState::new(),
            most_known: MOST_KNOWN,
            most: MOST,
            drops_replays,
            known: Known::default(),
            first: None,
            has_met: true,
            last: None,
            position: None,
            again: None,
            credit: MOST_CREDIT,
            unfinished: None,
            line: Line::Dropped,
            message: None,
        }
    }

    /// Since when lines are to be asked for. `None` as long as none has come.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.last.map(|last| Timestamp::from_second(window(last)).unwrap_or(Timestamp::MIN))
    }

    /// Another answer begins, which is asked for since [`since`](Self::since).
    pub(super) fn reopened(&mut self) {
        self.position = None;
        self.has_met = false;
        self.line = Line::Dropped;
        self.again = self.last.map(|last| self.known_since(window(last)));
    }

    /// What comes now is the log of another instance.
    pub(super) fn next_instance(&mut self) {
        let Self { most_known, most, drops_replays, .. } = *self;
        *self = Self { hasher: self.hasher.clone(), most_known, most, ..Self::new(drops_replays) };
    }

    /// Whether this is the beginning of a line that may come again in this answer.
    pub(super) fn knows(&self, piece: &Piece) -> bool {
        let hash = self.hasher.hash_one(&piece.bytes[..]);
        self.again.as_ref().is_some_and(|again| again.counts.get(&hash).is_some_and(|count| *count > 0))
    }

    /// Takes in the next piece of an answer. Gives what is new in it.
    pub(super) fn take(&mut self, piece: Piece) -> Option<LogEvent> {
        if piece.begins {
            return self.begin(&piece);
        }
        let Line::Given { stamp, skip } = &mut self.line else { return None };
        if let Some(left) = skip.checked_sub(1) {
            *skip = left;
            return None;
        }
        let stamp = *stamp;
        self.unfinished = match self.unfinished {
            Some(Unfinished { hash, pieces }) if !piece.ends => Some(Unfinished { hash, pieces: pieces + 1 }),
            _ => None,
        };
        Some(LogEvent::Line(LogLine::stamped(piece.bytes, stamp, piece.ends)))
    }

    /// Takes in the beginning of a line, by which the whole is known.
    fn begin(&mut self, piece: &Piece) -> Option<LogEvent> {
        self.line = Line::Dropped;
        let Some((stamp, content)) = stamp::split(&piece.bytes) else { return self.message(&piece.bytes) };
        let hash = self.hasher.hash_one(&piece.bytes[..]);
        let jumps = self.position.is_some_and(|position| stamp.saturating_add(JUMP).is_ok_and(|it| it < position));
        self.position = Some(stamp);
        self.credit = MOST_CREDIT.min(self.credit + CREDIT);
        if jumps
            && self.drops_replays
            && let Some(credit) = self.credit.checked_sub(self.known.len())
        {
            // Without credit, lines are rather given out again.
            self.credit = credit;
            self.again = Some(self.known_since(stamp.as_second()));
        }
        if self.again.as_mut().is_some_and(|again| again.take(hash)) {
            self.has_met = true;
            if let Some(unfinished) = self.unfinished.filter(|unfinished| unfinished.hash == hash) {
                // The first of its pieces is this one.
                self.line = Line::Given { stamp, skip: unfinished.pieces - 1 };
            }
            return None;
        }
        // Of a log that was asked for from its last lines on, those before them come, too.
        if self.again.is_some() && !self.has_met && self.first.is_some_and(|first| stamp < first) {
            return None;
        }
        self.again.take_if(|again| again.until < stamp.as_second());
        self.line = Line::Given { stamp, skip: 0 };
        self.unfinished = (!piece.ends).then_some(Unfinished { hash, pieces: 1 });
        self.message = None;
        self.first.get_or_insert(stamp);
        self.last = Some(stamp);
        self.know(stamp, hash);
        Some(LogEvent::Line(LogLine::stamped(content, stamp, piece.ends)))
    }

    /// Remembers a line, and forgets others before, so that there is always room.
    fn know(&mut self, stamp: Timestamp, hash: u64) {
        let recent = window(stamp);
        while self
            .known
            .first_second()
            .is_some_and(|at| self.known.len() >= if at < recent { self.most_known } else { self.most })
        {
            self.known.pop_first();
        }
        self.known.push(stamp.as_second(), hash);
    }

    /// What the server says itself: once, however often it is asked.
    fn message(&mut self, bytes: &Bytes) -> Option<LogEvent> {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_MESSAGE)]);
        let text = printable(text.trim(), Keep::Nothing).into_owned();
        if text.is_empty() || self.message.as_ref() == Some(&text) {
            return None;
        }
        self.message = Some(text.clone());
        Some(LogEvent::Message(text))
    }

    /// The lines that are known of this second and all later ones.
    fn known_since(&self, second: i64) -> Again {
        let mut again = Again { counts: HashMap::new(), until: second };
        for (at, hash) in self.known.since(second) {
            *again.counts.entry(hash).or_default() += 1;
            again.until = again.until.max(at);
        }
        again
    }
}

impl Again {
    /// Whether this is one of the lines that are known, which it then no longer is.
    fn take(&mut self, hash: u64) -> bool {
        match self.counts.get_mut(&hash) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

/// The second from which on lines come again after a line with this stamp.
fn window(last: Timestamp) -> i64 {
    last.as_second().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to a log, in one word each: `10.5:a` is a line of that second with this text, `|` a cut, after
    /// which another answer begins, `!text` a message, and `||` the next instance of the container.
    fn given(progress: &mut Progress, script: &str) -> String {
        let mut given = Vec::new();
        for word in script.split_whitespace() {
            match word {
                "|" => progress.reopened(),
                "||" => progress.next_instance(),
                _ => given.extend(pieces(word).into_iter().filter_map(|piece| progress.take(piece)).map(shown)),
            }
        }
        given.join(" ")
    }

    /// A line in pieces, which are divided by `+`. One that ends in `+` is cut off.
    fn pieces(word: &str) -> Vec<Piece> {
        let text = match word.split_once(':') {
            Some((at, text)) => {
                let (second, fraction) = at.split_once('.').unwrap_or((at, "0"));
                format!("2026-11-27T10:{:0>2}:{:0>2}.{fraction}Z {text}", minute(second), second_of(second))
            }
            None => word.trim_start_matches('!').to_owned(),
        };
        let parts: Vec<_> = text.split('+').collect();
        let last = parts.len() - 1;
        let all = parts.iter().enumerate().map(|(index, part)| Piece {
            bytes: Bytes::copy_from_slice(part.as_bytes()),
            begins: index == 0,
            ends: index == last,
        });
        all.filter(|piece| !piece.bytes.is_empty()).collect()
    }

    fn minute(second: &str) -> u32 {
        second.parse::<u32>().expect("a second") / 60
    }

    fn second_of(second: &str) -> u32 {
        second.parse::<u32>().expect("a second") % 60
    }

    fn shown(event: LogEvent) -> String {
        match event {
            LogEvent::Line(line) if line.ends() => line.to_string(),
            LogEvent::Line(line) => format!("{line}+"),
            LogEvent::Message(text) => format!("!{text}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_line_is_given_out_once() {
        for (what, script, expected) in [
            ("lines as they come", "10:a 11:b 11:b", "a b b"),
            ("what comes again after a cut", "10:a 11:b 12:c | 11:b 12:c 13:d", "a b c d"),
            ("a cut inside of a second", "10.1:a 10.2:b | 10.1:a 10.2:b 10.3:c", "a b c"),
            ("equal lines with equal stamps", "10:a 10:a | 10:a 10:a 10:a 11:b", "a a a b"),
            ("equal texts with other stamps", "10.1:a | 10.1:a 10.2:a", "a a"),
            (
                "cuts before all that is known has come again",
                "10:a 10:b 10:c | 10:a | 10:a 10:b | 10:a 10:b 10:c 10:d",
                "a b c d",
            ),
            ("a beginning that was chosen", "10.5:c | 10.3:a 10.4:b 10.5:c 11:d", "c d"),
            ("a cut before the first line", "| 10:a | 10:a 11:b", "a b"),
            ("a late line of the other stream", "10.9:a 11.0:b | 10.9:a 10.95:late 11.0:b 11.1:c", "a b late c"),
            ("stamps out of order are no replay", "10.9:a 10.8:b 10.8:b 10.7:c", "a b b c"),
            ("a replay", "10:a 11:b 12:c 13:d 10:a 11:b 12:c 13:d 14:e", "a b c d e"),
            ("a replay that comes twice", "10:a 11:b 12:c 10:a 11:b 12:c 10:a 11:b 12:c 13:d", "a b c d"),
            ("what was lost before a replay", "10:a 13:d 10:a 11:b 12:c 13:d 14:e", "a d b c e"),
            ("a clock set back", "100:a 101:b 40:c 41:d 41:e 102:f", "a b c d e f"),
            ("a clock set back, and a cut", "100:a 101:b 40:c 41:d | 100:a 101:b 40:c 41:d 42:e", "a b c d e"),
            (
                "a clock set back on lines that are like old ones",
                "100:a 101:b 50:a 51:b | 100:a 101:b 50:a 51:b",
                "a b a b",
            ),
            ("the next instance", "10:a || 10:a 11:b | 10:a 11:b 12:c", "a a b c"),
            ("a message of the server", "10:a !gone | !gone | !gone | 10:a 11:b !gone", "a !gone b !gone"),
            ("a long line in pieces", "10:ab+cd+e 11:f", "ab+ cd+ e f"),
            ("a long line that comes again", "10:ab+cd+e | 10:ab+cd+e 11:f", "ab+ cd+ e f"),
            ("a long line that was cut off", "10:ab+cd+ | 10:ab+cd+e 11:f", "ab+ cd+ e f"),
            (
                "a long line that was cut off twice",
                "10:ab+ | 10:ab+ | 10:ab+cd+ | 10:ab+cd+e | 10:ab+cd+e",
                "ab+ cd+ e",
            ),
            ("a long message", "!ab+cd 10:e", "!ab e"),
        ] {
            assert_eq!(given(&mut Progress::new(true), script), expected, "{what}");
        }
    }

    #[test]
    fn replays_can_be_kept() {
        let script = "10:a 11:b 12:c 10:a 11:b 12:c 13:d | 12:c 13:d 14:e";
        assert_eq!(given(&mut Progress::new(false), script), "a b c a b c d e");
    }

    #[test]
    fn stamps_that_jump_all_the_time_cost_no_more_than_others() {
        let mut progress = Progress::new(true);
        let line = |second: i64| Piece {
            bytes: format!("{} text", Timestamp::from_second(second).expect("a time")).into(),
            begins: true,
            ends: true,
        };
        // Of two writers, one is an hour behind.
        let lines: i64 = 100_000;
        let given = (0..lines).filter(|at| progress.take(line(1_000_000 + at - at % 2 * 3600)).is_some()).count();
        assert_eq!(given, 100_000, "nothing is lost");
        assert!(progress.credit < progress.known.len(), "what was saved is used up: {}", progress.credit);
        // After lines in their order, a replay is one again.
        let since = |from: i64| (from..from + 300_000).map(line).collect::<Vec<_>>();
        assert_eq!(since(9_000_000).into_iter().filter_map(|line| progress.take(line)).count(), 300_000);
        let replayed = since(9_000_000).into_iter().skip(100_000).filter_map(|line| progress.take(line)).count();
        assert_eq!(replayed, 0);
    }

    #[test]
    fn what_is_known_takes_two_megabytes_however_long_the_lines_are() {
        let mut progress = Progress::new(true);
        let text = "x".repeat(200);
        for number in 0..1_000_000_i64 {
            let stamp = Timestamp::from_second(number / 1000).expect("a time");
            let bytes = format!("{stamp} {number} {text}").into();
            assert!(progress.take(Piece { bytes, begins: true, ends: true }).is_some());
        }
        assert_eq!(progress.known.len(), MOST_KNOWN);
        assert!(progress.known.bytes() <= (2 << 20) + (16 << 10), "{} bytes", progress.known.bytes());
    }

    #[test]
    fn log_is_asked_for_a_second_more_than_the_last_line_has() {
        let mut progress = Progress::new(true);
        let since = |progress: &Progress| progress.since().map(|since| since.to_string());
        assert_eq!(since(&progress), None);
        given(&mut progress, "10.999:a");
        assert_eq!(since(&progress).as_deref(), Some("2026-11-27T10:00:09Z"));
        // The clock has been set back.
        given(&mut progress, "5.5:b");
        assert_eq!(since(&progress).as_deref(), Some("2026-11-27T10:00:04Z"));
        given(&mut progress, "||");
        assert_eq!(since(&progress), None);
        // The beginning of time has nothing before it.
        let first = Piece { bytes: Bytes::from("-009999-01-02T01:59:59Z a"), begins: true, ends: true };
        let _ = progress.take(first);
        let _ = progress.since();
    }

    #[test]
    fn what_is_known_is_bounded_also_if_stamps_stand_still() {
        let mut progress = Progress { most_known: 2, most: 4, ..Progress::new(true) };
        assert_eq!(given(&mut progress, "10:a 10:b 10:c 10:d 10:e 10:f"), "a b c d e f");
        assert_eq!(progress.known.len(), 4);
        // What is not known any more is given out again rather than lost.
        assert_eq!(given(&mut progress, "| 10:a 10:b 10:c 10:d 10:e 10:f 11:g"), "a b g");
    }

    #[test]
    fn what_is_known_is_bounded_but_for_the_last_two_seconds() {
        let mut progress = Progress { most_known: 4, ..Progress::new(true) };
        let all = "10:a 11:b 12:c 13:d 14:e 14:f 14:g 14:h 14:i";
        assert_eq!(given(&mut progress, all), "a b c d e f g h i");
        let texts: Vec<_> = progress.known.since(i64::MIN).map(|(at, _)| at % 60).collect();
        assert_eq!(texts, [13, 14, 14, 14, 14, 14]);
        // What is not known any more is given out again rather than lost.
        assert_eq!(given(&mut progress, "10:a 13:d 14:e"), "a");
    }
}
