//! Quantities in the one form that a server writes them in: `500m` for `0.5`, `1Gi` for `1024Mi`.

/// The canonical form; a text that is no quantity stays as it is, and no text is nothing, as in protobuf.
pub(crate) fn canonical(text: &str) -> String {
    let text = if text.is_empty() { "0" } else { text };
    parse(text).map_or_else(|| text.to_owned(), |(nano, binary)| write(nano, binary))
}

/// Whether one quantity is more than another; not, if one is none.
pub(crate) fn is_more(one: &str, other: &str) -> bool {
    matches!((parse(one), parse(other)), (Some((one, _)), Some((other, _))) if one > other)
}

const NANO: i128 = 1_000_000_000;

/// In billionths, and whether the suffix was a binary one.
fn parse(text: &str) -> Option<(i128, bool)> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (sign, digits) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 27 {
        return None;
    }
    // A power of ten, or of two to the tenth.
    let (binary, decimal) = match suffix {
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "" => (0, 0),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (1, 0),
        "Mi" => (2, 0),
        "Gi" => (3, 0),
        "Ti" => (4, 0),
        "Pi" => (5, 0),
        "Ei" => (6, 0),
        exponent => (0, exponent.strip_prefix(['e', 'E'])?.parse::<i32>().ok().filter(|power| power.abs() <= 18)?),
    };
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = decimal + 9 - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(scale.unsigned_abs())?;
    let factor = 1024_i128.checked_pow(binary)?;
    let scaled = mantissa.checked_mul(factor)?;
    // What is less than a billionth is rounded up.
    let nano = if scale >= 0 {
        scaled.checked_mul(power)?
    } else {
        scaled.div_euclid(power) + i128::from(scaled.rem_euclid(power) != 0)
    };
    Some((sign * nano, binary > 0))
}

fn write(nano: i128, binary: bool) -> String {
    if nano == 0 {
        return "0".to_owned();
    }
    if binary && nano % NANO == 0 && (nano / NANO).abs() >= 1024 {
        let mut value = nano / NANO;
        let mut suffix = 0;
        while value % 1024 == 0 && suffix < 6 {
            value /= 1024;
            suffix += 1;
        }
        return format!("{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
    }
    let mut value = nano;
    let mut suffix = 0;
    while value % 1000 == 0 && suffix < 9 {
        value /= 1000;
        suffix += 1;
    }
    format!("{value}{}", ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][suffix])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_their_canonical_form() {
        for (given, written) in [
            ("0.5", "500m"),
            ("1", "1"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1500Mi", "1500Mi"),
            ("0.5Gi", "512Mi"),
            ("1000", "1k"),
            ("1.5e3", "1500"),
            ("100k", "100k"),
            ("-2", "-2"),
            ("0", "0"),
            ("12Ki", "12Ki"),
            ("1e6", "1M"),
            ("nonsense", "nonsense"),
            ("", "0"),
        ] {
            assert_eq!(canonical(given), written, "{given}");
        }
    }
}
