//! Quantities as a server reads them, in the form that it writes them in: `500m` for `0.5`, `1Gi` for `1024Mi`.

/// What the server says of a text that has not the form of a quantity.
const WRONG_FORM: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/// The same of one whose suffix there is not.
const WRONG_SUFFIX: &str = "unable to parse quantity's suffix";

/// The suffixes of powers of ten, from 10⁻⁹ in steps of three.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Those of powers of 1024.
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The least power of ten that is kept.
const NANO: i32 = -9;
const MILLI: i32 = -3;

/// More digits than this are not counted with: what has them stays as it was given.
const MOST_DIGITS: usize = 27;

/// The same for zeros behind digits, or before them.
const MOST_ZEROS: u32 = 10_000;

/// How a quantity was given, and is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `1k`
    Decimal,
    /// `1e3`
    Exponent,
    /// `1Ki`
    Binary,
}

/// A quantity: `digits · 10^scale`.
#[derive(Clone, Copy, Debug)]
struct Quantity {
    digits: i128,
    scale: i32,
    form: Form,
    /// Whether it is written as it was given.
    keeps_text: bool,
}

/// The form that the server writes.
///
/// # Errors
///
/// What the server says of a text that is no quantity.
pub(crate) fn canonical(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    Ok(read(text)?.map_or_else(|| text.to_owned(), |quantity| quantity.shown(text)))
}

/// The same in a list of resources, where the server keeps thousandths and no less.
pub(crate) fn of_resource(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    Ok(read(text)?.map_or_else(|| text.to_owned(), |quantity| quantity.rounded_up(MILLI).shown(text)))
}

/// Whether one quantity is more than another; not, if one is none.
pub(crate) fn is_more(one: &str, other: &str) -> bool {
    let nano = |text| {
        let quantity = read(text).ok()??;
        quantity.digits.checked_mul(10_i128.checked_pow(u32::try_from(quantity.scale - NANO).ok()?)?)
    };
    matches!((nano(one), nano(other)), (Some(one), Some(other)) if one > other)
}

/// Reads a text; what is too long to be counted with is `None`.
fn read(text: &str) -> Result<Option<Quantity>, &'static str> {
    if text.is_empty() {
        return Err(WRONG_FORM);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end_of_digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = unsigned.split_at(end_of_digits(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(end_of_digits(rest)),
        None => ("", rest),
    };
    let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WRONG_FORM);
    }
    let Some((form, power)) = power_of(suffix) else { return Err(WRONG_SUFFIX) };
    if power.unsigned_abs() > MOST_ZEROS {
        return Ok(None);
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let length = whole.len() + fraction.len();
    let Some(digits) = format!("{whole}{fraction}").parse::<i128>().ok().filter(|_| length <= MOST_DIGITS) else {
        return Ok(None);
    };
    let Ok(after_point) = i32::try_from(fraction.len()) else { return Ok(None) };
    let factor = if form == Form::Binary { 1024_i128.pow(power.unsigned_abs()) } else { 1 };
    let Some(value) = digits.checked_mul(factor) else { return Ok(None) };
    let scale = if form == Form::Binary { -after_point } else { power.saturating_sub(after_point) };
    // The server keeps the text of what it can count with easily, if it looks like what it would write.
    let keeps_text = if form == Form::Binary {
        fraction.is_empty() && i64::try_from(value).is_ok() && digits & 7 != 0
    } else {
        length <= 18 && scale >= NANO && scale % 3 == 0 && digits % 1000 != 0 && whole != "0"
    };
    let digits = if text.starts_with('-') { -value } else { value };
    Ok(Some(Quantity { digits, scale, form, keeps_text }.rounded_up(NANO)))
}

/// What a suffix multiplies by: a power of ten, or one of 1024.
fn power_of(suffix: &str) -> Option<(Form, i32)> {
    let place =
        |all: &[&str]| all.iter().position(|known| *known == suffix).and_then(|place| i32::try_from(place).ok());
    if let Some(place) = place(&DECIMAL) {
        return Some((Form::Decimal, NANO + 3 * place));
    }
    if let Some(place) = place(&BINARY) {
        return Some((Form::Binary, place));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Form::Exponent, i32::try_from(exponent).ok()?))
}

impl Quantity {
    /// With no digit below this power of ten: what is less is rounded away from zero.
    fn rounded_up(self, least: i32) -> Self {
        if self.scale >= least {
            return self;
        }
        let Some(unit) = 10_i128.checked_pow(least.abs_diff(self.scale)) else {
            return Self { digits: self.digits.signum(), scale: least, keeps_text: false, ..self };
        };
        let rest = self.digits % unit;
        let digits = self.digits / unit + if rest == 0 { 0 } else { rest.signum() };
        Self { digits, scale: least, keeps_text: self.keeps_text && rest == 0, ..self }
    }

    fn shown(self, text: &str) -> String {
        if self.keeps_text {
            return text.to_owned();
        }
        let Self { mut digits, mut scale, .. } = self;
        if digits == 0 {
            return "0".to_owned();
        }
        while digits % 10 == 0 {
            digits /= 10;
            scale += 1;
        }
        if self.form == Form::Binary
            && let Some(whole) =
                u32::try_from(scale).ok().and_then(|scale| digits.checked_mul(10_i128.checked_pow(scale)?))
            && whole.unsigned_abs() >= 1024
        {
            return written_in_1024(whole);
        }
        while scale % 3 != 0 {
            let Some(more) = digits.checked_mul(10) else { return text.to_owned() };
            digits = more;
            scale -= 1;
        }
        let suffix = usize::try_from((scale - NANO) / 3).ok().and_then(|place| DECIMAL.get(place));
        match (self.form, suffix) {
            (Form::Exponent, _) if scale == 0 => digits.to_string(),
            (Form::Exponent, _) => format!("{digits}e{scale}"),
            (_, Some(suffix)) => format!("{digits}{suffix}"),
            (_, None) => text.to_owned(),
        }
    }
}

/// A whole number with the largest suffix that leaves it whole.
fn written_in_1024(mut number: i128) -> String {
    // More than that the server does not count.
    number = number.clamp(-i128::from(i64::MAX), i128::from(i64::MAX));
    let mut suffix = 0;
    while number % 1024 == 0 && suffix + 1 < BINARY.len() {
        number /= 1024;
        suffix += 1;
    }
    format!("{number}{}", BINARY[suffix])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a real server made of these, as the requests of a claim.
    #[test]
    fn quantities_are_written_in_their_canonical_form() {
        for (given, written) in [
            ("0.5", "500m"),
            ("1", "1"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1500Mi", "1500Mi"),
            ("0.5Gi", "512Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.1Gi", "107374182400m"),
            ("1500000Ki", "1500000Ki"),
            ("2048Ki", "2Mi"),
            ("12Ki", "12Ki"),
            ("0001Gi", "0001Gi"),
            ("99999999999Ei", "9223372036854775807"),
            ("1000", "1k"),
            ("1000000", "1M"),
            ("1024", "1024"),
            ("1000M", "1G"),
            ("1000.0k", "1M"),
            ("100k", "100k"),
            ("9223372036854775808", "9223372036854775808"),
            ("1e3", "1e3"),
            ("1e6", "1e6"),
            ("1E4", "10e3"),
            ("1.5e3", "1500"),
            ("0.5e3", "500"),
            ("100e3", "100e3"),
            ("1e-3", "1e-3"),
            ("1e19", "10e18"),
            ("1e400", "10e399"),
            ("1E", "1E"),
            ("1.0", "1"),
            ("01", "01"),
            ("+1", "+1"),
            ("1.", "1."),
            ("1.G", "1.G"),
            (" 1 ", "1"),
            ("0.50", "500m"),
            ("-2", "-2"),
            ("0", "0"),
            (".", "0"),
            ("-", "0"),
            ("e3", "0"),
        ] {
            assert_eq!(of_resource(given).as_deref(), Ok(written), "{given}");
            assert_eq!(canonical(given).as_deref(), Ok(written), "{given}");
        }
    }

    #[test]
    fn lists_of_resources_have_thousandths_and_no_less() {
        for (given, written, exact) in
            [("1.5m", "2m", "1500u"), ("100n", "1m", "100n"), ("0.0000000001", "1m", "1n"), ("-1.5m", "-2m", "-1500u")]
        {
            assert_eq!(of_resource(given).as_deref(), Ok(written), "{given}");
            assert_eq!(canonical(given).as_deref(), Ok(exact), "{given}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for (given, problem) in [
            ("", WRONG_FORM),
            (" ", WRONG_FORM),
            ("nonsense", WRONG_FORM),
            ("1x", WRONG_FORM),
            ("ä", WRONG_FORM),
            ("true", WRONG_FORM),
            ("1.2.3", WRONG_FORM),
            ("1e", WRONG_SUFFIX),
            ("1Ei5", WRONG_SUFFIX),
            ("12m5", WRONG_SUFFIX),
        ] {
            assert_eq!(canonical(given), Err(problem), "{given}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        for text in [
            "99999999999999999999999999999999999999999",
            "1e2147483647",
            "1e-2147483648",
            "0.1e-2147483647",
            "-1e9999999999",
        ] {
            let _ = (canonical(text), of_resource(text), is_more(text, "1"));
        }
        assert!(is_more("2", "1500m") && !is_more("1Gi", "1Gi") && !is_more("x", "0"));
    }
}
