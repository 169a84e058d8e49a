//! Numbers of `DynamoDB`: which texts are one, and when two of them are equal.
//!
//! "Positive range: 1E-130 to 9.9999999999999999999999999999999999999E+125", the same below zero, "up to
//! 38 digits of precision", and "leading and trailing zeroes are trimmed" (developer guide, data types).

use super::fault::LineFaultKind;

/// The most digits.
const DIGITS: usize = 38;
/// The powers of ten that the first digit may stand for.
const POWERS: std::ops::RangeInclusive<i64> = -130..=125;

/// A number in the one form that all texts of it share: a sign, the digits between its first and last
/// that are not zero, and the power of ten of the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'t> {
    is_negative: bool,
    /// It may hold a decimal point, and is empty for zero.
    mantissa: &'t [u8],
    power: i64,
}

impl<'t> Number<'t> {
    /// Reads a text: an optional minus, digits, optional decimals, an optional power of ten.
    pub(super) fn parse(text: &'t [u8]) -> Result<Self, LineFaultKind> {
        const NO_NUMBER: LineFaultKind = LineFaultKind::NotOfItsType("N");
        let is_negative = text.first() == Some(&b'-');
        let rest = text.get(usize::from(is_negative)..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, power) = match end {
            None => (rest, 0),
            Some(end) => {
                let power = rest.get(end + 1..).unwrap_or_default();
                (rest.get(..end).unwrap_or_default(), parse_power(power)?)
            }
        };
        let point = mantissa.iter().position(|byte| *byte == b'.');
        let (whole, decimals) = match point {
            None => (mantissa, &b"0"[..]),
            Some(point) => (
                mantissa.get(..point).unwrap_or_default(),
                mantissa.get(point + 1..).unwrap_or_default(),
            ),
        };
        let are_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        if !are_digits(whole) || !are_digits(decimals) {
            return Err(NO_NUMBER);
        }
        Self::trimmed(is_negative, mantissa, point, power)
    }

    fn trimmed(
        is_negative: bool,
        mantissa: &'t [u8],
        point: Option<usize>,
        power: i64,
    ) -> Result<Self, LineFaultKind> {
        let counts = |byte: &u8| matches!(byte, b'1'..=b'9');
        let (Some(first), Some(last)) = (
            mantissa.iter().position(counts),
            mantissa.iter().rposition(counts),
        ) else {
            return Ok(Self {
                is_negative: false,
                mantissa: b"",
                power: 0,
            });
        };
        // The power of ten that the digit at an index stands for.
        let power_at = |index: usize| {
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            let point = i64::try_from(point.unwrap_or(mantissa.len())).unwrap_or(i64::MAX);
            let places = point - index;
            power + if places > 0 { places - 1 } else { places }
        };
        let kept = mantissa.get(first..=last).unwrap_or_default();
        let digits = kept.len() - usize::from(kept.contains(&b'.'));
        if digits > DIGITS || !POWERS.contains(&power_at(first)) {
            return Err(LineFaultKind::NumberOutOfRange);
        }
        Ok(Self {
            is_negative,
            mantissa: kept,
            power: power_at(last),
        })
    }

    fn digits(&self) -> impl Iterator<Item = u8> + use<'t> {
        self.mantissa.iter().copied().filter(|byte| *byte != b'.')
    }

    /// Writes the form that all texts of the number share.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.is_negative {
            out.push(b'-');
        }
        out.extend(self.digits());
        out.push(b'e');
        out.extend(self.power.to_string().bytes());
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_negative == other.is_negative
            && self.power == other.power
            && self.digits().eq(other.digits())
    }
}

/// Whether two texts are the same number.
pub(in crate::archive) fn is_same(one: &str, other: &str) -> bool {
    match (
        Number::parse(one.as_bytes()),
        Number::parse(other.as_bytes()),
    ) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// A power of ten; one of more digits than can be meant is out of range, whatever it is.
fn parse_power(text: &[u8]) -> Result<i64, LineFaultKind> {
    let digits = match text.first() {
        Some(b'+' | b'-') => text.get(1..).unwrap_or_default(),
        _ => text,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(LineFaultKind::NotOfItsType("N"));
    }
    if digits.len() > 9 {
        return Err(LineFaultKind::NumberOutOfRange);
    }
    let power = digits
        .iter()
        .fold(0, |power, digit| power * 10 + i64::from(digit - b'0'));
    Ok(if text.first() == Some(&b'-') {
        -power
    } else {
        power
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        Number::parse(text.as_bytes()).unwrap().write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[rstest]
    #[case(&["0", "-0", "0.00", "0e5", "000"])]
    #[case(&["1", "1.0", "1.000", "10e-1", "0.1E1", "001", "1e0", "1E+0"])]
    #[case(&["-120", "-1.2e2", "-0.12E+3", "-120.0"])]
    #[case(&["0.05", "5e-2", "0.050", "50E-3"])]
    #[case(&["1005", "1.005e3", "1005.00"])]
    fn one_number_has_one_form_however_it_is_written(#[case] texts: &[&str]) {
        for text in texts {
            assert_eq!(canonical(text), canonical(texts[0]), "{text}");
        }
    }

    #[test]
    fn other_numbers_have_other_forms() {
        let texts = ["0", "1", "-1", "10", "0.1", "11", "101", "1.1", "1e125"];
        let forms: std::collections::BTreeSet<_> = texts.map(canonical).into_iter().collect();
        assert_eq!(forms.len(), texts.len());
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case("+1")]
    #[case("1.")]
    #[case(".1")]
    #[case("1e")]
    #[case("1e+")]
    #[case("0x10")]
    #[case("NaN")]
    #[case("Infinity")]
    #[case(" 1")]
    #[case("1,5")]
    #[case("1.2.3")]
    #[case("١")]
    fn what_is_no_decimal_is_no_number(#[case] text: &str) {
        let found = Number::parse(text.as_bytes()).unwrap_err();
        assert_eq!(found, LineFaultKind::NotOfItsType("N"));
    }

    // The bounds of the developer guide's page on data types.
    #[rstest]
    #[case("1E-130", true)]
    #[case("9.9E-131", false)]
    #[case("9.9999999999999999999999999999999999999E+125", true)]
    #[case("-9.9999999999999999999999999999999999999E+125", true)]
    #[case("1E126", false)]
    #[case("12345678901234567890123456789012345678", true)]
    #[case("123456789012345678901234567890123456789", false)]
    #[case("123456789012345678901234567890123456780", true)]
    #[case("0.0000000012345678901234567890123456789012345678", true)]
    #[case("1e9999999999999999999", false)]
    fn a_number_has_38_digits_and_keeps_to_its_range(#[case] text: &str, #[case] is_one: bool) {
        let found = Number::parse(text.as_bytes());
        match found {
            Ok(_) => assert!(is_one, "{text}"),
            Err(kind) => {
                assert!(!is_one, "{text}");
                assert_eq!(kind, LineFaultKind::NumberOutOfRange);
            }
        }
    }

    #[test]
    fn a_whole_number_of_126_places_is_one() {
        let text = format!("1{}", "0".repeat(125));
        assert_eq!(canonical(&text), "1e125");
    }
}
