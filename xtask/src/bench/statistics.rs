//! Medians: one run that something else disturbed must not count.

/// What several runs of the same say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) most: f64,
}

impl Summary {
    /// None of no values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) };
        Some(Self { least, median, most })
    }

    /// Of one value.
    pub(super) fn one(value: f64) -> Self {
        Self { least: value, median: value, most: value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_one_or_between_the_middle_two() {
        let median = |values: &[f64]| Summary::of(values.iter().copied()).map(|summary| summary.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn extremes_are_kept() {
        assert_eq!(Summary::of([2.0, 9.0, 1.0]), Some(Summary { least: 1.0, median: 2.0, most: 9.0 }));
        assert_eq!(Summary::of([2.0]), Some(Summary::one(2.0)));
    }
}
