//! `DynamoDB`'s numbers in the one form in which it keeps them.
//!
//! "Leading and trailing zeroes are trimmed", up to 38 digits of precision, magnitudes from `1E-130` to
//! `9.9…E+125` ("Supported data types and naming rules", developer guide).

/// Why a text is no number that `DynamoDB` keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFault {
    NotANumber,
    TooPrecise,
    TooLarge,
    TooSmall,
}

/// The plain decimal form of a number.
pub(super) fn normalize(text: &str) -> Result<String, NumberFault> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            exponent
                .parse::<i32>()
                .map_err(|_| NumberFault::NotANumber)?,
        ),
        None => (text, 0),
    };
    let (is_negative, magnitude) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberFault::NotANumber);
    }
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok("0".to_owned());
    }
    if significant.len() > 38 {
        return Err(NumberFault::TooPrecise);
    }
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
    let trailing = length(&digits) - length(digits.trim_end_matches('0'));
    // The number is `significant` times ten to the power of `scale`.
    let scale = exponent
        .saturating_sub(length(fraction))
        .saturating_add(trailing);
    let top = scale.saturating_add(length(significant)) - 1;
    if top > 125 {
        return Err(NumberFault::TooLarge);
    }
    if top < -130 {
        return Err(NumberFault::TooSmall);
    }
    let sign = if is_negative { "-" } else { "" };
    Ok(format!("{sign}{}", plain(significant, scale)))
}

fn plain(digits: &str, scale: i32) -> String {
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let length = i32::try_from(digits.len()).unwrap_or(0);
    if scale >= 0 {
        return format!("{digits}{}", zeros(scale));
    }
    let point = length + scale;
    if point <= 0 {
        return format!("0.{}{digits}", zeros(-point));
    }
    let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", "1")]
    #[case("01.50", "1.5")]
    #[case("-0.0", "0")]
    #[case("100", "100")]
    #[case("1.2e3", "1200")]
    #[case("-12e-4", "-0.0012")]
    #[case("+7", "7")]
    #[case("10E-1", "1")]
    fn zeros_at_both_ends_are_trimmed(#[case] given: &str, #[case] kept: &str) {
        assert_eq!(normalize(given).as_deref(), Ok(kept));
    }

    #[rstest]
    #[case("", NumberFault::NotANumber)]
    #[case("1x", NumberFault::NotANumber)]
    #[case("1e", NumberFault::NotANumber)]
    #[case("123456789012345678901234567890123456789", NumberFault::TooPrecise)]
    #[case("1e126", NumberFault::TooLarge)]
    #[case("1e-131", NumberFault::TooSmall)]
    fn what_it_does_not_keep_is_told(#[case] given: &str, #[case] fault: NumberFault) {
        assert_eq!(normalize(given), Err(fault));
    }
}
