//! Tables in Markdown: a line for each thing measured, a column for each client, and how we stand at the end.

use std::fmt;

use super::{peer::Peer, statistics::Summary};

/// Those of ours that are held against the others.
const COMPARED: [Peer; 4] = [Peer::K8sClient, Peer::K8sClientLean, Peer::K8sClientWhole, Peer::K8sClientProjected];

/// A table of medians.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) peers: Vec<Peer>,
    pub(super) rows: Vec<Row>,
}

/// One thing that was measured of each client. Where it was measured of none, the line is left out.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) unit: Unit,
    /// As many as there are peers.
    pub(super) cells: Vec<Option<Summary>>,
}

/// How a number is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Seconds,
    /// In KiB and MiB, as memory is counted.
    Bytes,
    /// In MB, as downloads are counted.
    FileSize,
    Count,
    Ratio,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes if value < 1024.0 * 1024.0 => format!("{:.1} KiB", value / 1024.0),
            Self::Bytes => format!("{:.1} MiB", value / (1024.0 * 1024.0)),
            Self::FileSize => format!("{:.1} MB", value / 1e6),
            Self::Count => grouped(format!("{value:.0}")),
            Self::Ratio => format!("{value:.2}"),
        }
    }

    /// The median, and how far the runs were apart where that can be seen.
    fn summary(self, summary: Summary) -> String {
        let median = self.show(summary.median);
        let (least, most) = (self.show(summary.least), self.show(summary.most));
        match self {
            Self::Seconds if least != most => {
                format!("{median} ({}–{})", least.trim_end_matches(" s"), most.trim_end_matches(" s"))
            }
            _ => median,
        }
    }
}

/// A whole number with its digits in groups of three.
pub(super) fn grouped(number: impl fmt::Display) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| |")?;
        for peer in &self.peers {
            write!(f, " {peer} |")?;
        }
        let ours: Vec<Peer> = self.peers.iter().copied().filter(|peer| COMPARED.contains(peer)).collect();
        for peer in &ours {
            write!(f, " {peer} / best peer |")?;
        }
        writeln!(f, "\n|---|{}", "--:|".repeat(self.peers.len() + ours.len()))?;
        for row in self.rows.iter().filter(|row| row.cells.iter().any(Option::is_some)) {
            write!(f, "| {} |", row.label)?;
            for cell in &row.cells {
                write!(f, " {} |", cell.map_or_else(|| "–".to_owned(), |summary| row.unit.summary(summary)))?;
            }
            for peer in &ours {
                match self.ratio(row, *peer) {
                    Some(ratio) => write!(f, " {ratio:.2} |")?,
                    None => write!(f, " – |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Table {
    /// Our median by the best median of other projects: below 1 we are ahead of all of them.
    fn ratio(&self, row: &Row, peer: Peer) -> Option<f64> {
        let medians = || {
            let cells = self.peers.iter().zip(&row.cells);
            cells.filter_map(|(peer, cell)| cell.map(|summary| (*peer, summary.median)))
        };
        let (_, ours) = medians().find(|(other, _)| *other == peer)?;
        let best = medians().filter(|(peer, _)| peer.is_foreign()).map(|(_, median)| median).reduce(f64::min)?;
        (best > 0.0).then(|| ours / best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_compared_with_the_best_of_the_others() {
        let one = |value| Some(Summary::one(value));
        let table = Table {
            peers: vec![Peer::K8sClient, Peer::K8sClientJson, Peer::Kube, Peer::ClientGo],
            rows: vec![
                Row {
                    label: "CPU".to_owned(),
                    unit: Unit::Seconds,
                    cells: vec![one(3.0), one(0.1), one(4.0), Summary::of([1.0, 2.0, 3.0])],
                },
                Row { label: "of nobody".to_owned(), unit: Unit::Count, cells: vec![None; 4] },
                Row {
                    label: "allocations".to_owned(),
                    unit: Unit::Count,
                    cells: vec![one(1_234_567.0), None, None, None],
                },
            ],
        };
        let expected = "\
| | k8s-client | k8s-client-json | kube | client-go | k8s-client / best peer |
|---|--:|--:|--:|--:|--:|
| CPU | 3.00 s | 0.10 s | 4.00 s | 2.00 s (1.00–3.00) | 1.50 |
| allocations | 1,234,567 | – | – | – | – |
";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn numbers_are_shown_with_their_units() {
        assert_eq!(Unit::Seconds.show(0.456), "0.46 s");
        assert_eq!(Unit::Bytes.show(1_572_864.0), "1.5 MiB");
        assert_eq!(Unit::Bytes.show(2_048.0), "2.0 KiB");
        assert_eq!(Unit::FileSize.show(9_120_000.0), "9.1 MB");
        for (number, shown) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (123_456.0, "123,456")] {
            assert_eq!(Unit::Count.show(number), shown);
        }
    }
}
