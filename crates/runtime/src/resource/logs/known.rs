//! The lines of a log that have been given out: 8 bytes for each, however long they are.

use std::{collections::VecDeque, ops::Range};

/// The hash of each line in the order in which they came, and the second of its stamp.
#[derive(Debug, Default)]
pub(super) struct Known {
    hashes: VecDeque<u64>,
    /// The seconds, once for all lines of one that came together: a log has many lines in a second, or is short.
    runs: VecDeque<Run>,
}

#[derive(Debug)]
struct Run {
    second: i64,
    lines: usize,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) fn push(&mut self, second: i64, hash: u64) {
        self.hashes.push_back(hash);
        match self.runs.back_mut() {
            Some(run) if run.second == second => run.lines += 1,
            _ => self.runs.push_back(Run { second, lines: 1 }),
        }
    }

    /// The second of the line that came first.
    pub(super) fn first_second(&self) -> Option<i64> {
        self.runs.front().map(|run| run.second)
    }

    /// Forgets the line that came first.
    pub(super) fn pop_first(&mut self) {
        self.hashes.pop_front();
        if let Some(run) = self.runs.front_mut() {
            run.lines -= 1;
            if run.lines == 0 {
                self.runs.pop_front();
            }
        }
    }

    /// The seconds and hashes of the lines of this second and all later ones.
    pub(super) fn since(&self, second: i64) -> impl Iterator<Item = (i64, u64)> {
        let next = |begin: &mut usize, run: &Run| {
            let lines: Range<usize> = *begin..*begin + run.lines;
            *begin = lines.end;
            Some((run.second, lines))
        };
        let runs = self.runs.iter().scan(0, next).filter(move |(at, _)| *at >= second);
        runs.flat_map(|(at, lines)| self.hashes.range(lines).map(move |hash| (at, *hash)))
    }

    /// How many bytes of memory it holds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>() + self.runs.capacity() * size_of::<Run>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_seconds_and_their_order() {
        let mut known = Known::default();
        let lines = [(7, 1), (7, 2), (5, 3), (7, 4), (7, 4), (8, 5)];
        for (second, hash) in lines {
            known.push(second, hash);
        }
        for forgotten in 0..=lines.len() {
            for since in [5, 6, 7, 8, 9] {
                let expected: Vec<_> = lines[forgotten..].iter().copied().filter(|(at, _)| *at >= since).collect();
                assert_eq!(known.since(since).collect::<Vec<_>>(), expected, "{forgotten} forgotten, since {since}");
            }
            assert_eq!(known.len(), lines.len() - forgotten);
            assert_eq!(known.first_second(), lines.get(forgotten).map(|(at, _)| *at));
            known.pop_first();
        }
    }
}
