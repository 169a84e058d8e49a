//! Condition operators: their names, and how one value of the request compares with one of the
//! policy ("IAM JSON policy elements: Condition operators").

use std::fmt;
use std::net::IpAddr;

use super::condition_value::{self, Instant, NumericValue};

/// How numbers and dates are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Equal,
    /// Less than the policy's value.
    Less,
    /// Less than the policy's value, or the same.
    LessOrEqual,
    /// Greater than the policy's value.
    Greater,
    /// Greater than the policy's value, or the same.
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What is compared, the negation left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Strings, exactly.
    StringEquals,
    /// Strings, without regard to case.
    StringEqualsIgnoreCase,
    /// Strings, with wildcards.
    StringLike,
    /// Numbers.
    Numeric(Comparison),
    /// Points in time.
    Date(Comparison),
    /// Truth values.
    Bool,
    /// Bytes, written in base64.
    Binary,
    /// Addresses within a range.
    IpAddress,
    /// ARNs part by part, with wildcards.
    Arn,
    /// Whether the key is absent.
    Null,
}

/// Over which of a key's values the test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// The key holds one value.
    Single,
    /// `ForAnyValue:`.
    Any,
    /// `ForAllValues:`.
    All,
}

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// What is compared.
    pub test: Test,
    /// Whether a match makes the condition false, as in `StringNotEquals`.
    pub is_negated: bool,
    /// Over which of the key's values it runs.
    pub quantifier: Quantifier,
    /// Whether an absent key makes the condition true.
    pub if_exists: bool,
}

/// Every operator's name, without qualifiers.
const NAMES: [(&str, Test, bool); 28] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    (
        "StringEqualsIgnoreCase",
        Test::StringEqualsIgnoreCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Test::StringEqualsIgnoreCase,
        true,
    ),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Comparison::Equal), false),
    ("NumericNotEquals", Test::Numeric(Comparison::Equal), true),
    ("NumericLessThan", Test::Numeric(Comparison::Less), false),
    (
        "NumericLessThanEquals",
        Test::Numeric(Comparison::LessOrEqual),
        false,
    ),
    (
        "NumericGreaterThan",
        Test::Numeric(Comparison::Greater),
        false,
    ),
    (
        "NumericGreaterThanEquals",
        Test::Numeric(Comparison::GreaterOrEqual),
        false,
    ),
    ("DateEquals", Test::Date(Comparison::Equal), false),
    ("DateNotEquals", Test::Date(Comparison::Equal), true),
    ("DateLessThan", Test::Date(Comparison::Less), false),
    (
        "DateLessThanEquals",
        Test::Date(Comparison::LessOrEqual),
        false,
    ),
    ("DateGreaterThan", Test::Date(Comparison::Greater), false),
    (
        "DateGreaterThanEquals",
        Test::Date(Comparison::GreaterOrEqual),
        false,
    ),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::Binary, false),
    ("IpAddress", Test::IpAddress, false),
    ("NotIpAddress", Test::IpAddress, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
    // IAM takes it, though the page does not list it.
    ("BinaryNotEquals", Test::Binary, true),
];

impl Operator {
    /// Reads an operator with its qualifiers; names go without regard to case.
    #[must_use]
    pub fn parse(full: &str) -> Option<Self> {
        let (quantifier, rest) = match full.split_once(':') {
            None => (Quantifier::Single, full),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Quantifier::All, rest)
            }
            Some(_) => return None,
        };
        let named = |name: &str| {
            NAMES
                .iter()
                .find(|(known, ..)| known.eq_ignore_ascii_case(name))
        };
        if let Some((_, test, is_negated)) = named(rest) {
            return Some(Self {
                test: *test,
                is_negated: *is_negated,
                quantifier,
                if_exists: false,
            });
        }
        let cut = rest.len().checked_sub("IfExists".len())?;
        let (name, suffix) = rest.split_at_checked(cut)?;
        let (_, test, is_negated) = named(name)?;
        // "You can add IfExists to the end of any condition operator name except the Null
        // condition" (same page).
        (suffix.eq_ignore_ascii_case("IfExists") && *test != Test::Null).then_some(Self {
            test: *test,
            is_negated: *is_negated,
            quantifier,
            if_exists: true,
        })
    }

    /// Whether it says what becomes of several values; `Null` asks for none.
    #[must_use]
    pub fn takes_lists(self) -> bool {
        self.quantifier != Quantifier::Single || self.test == Test::Null
    }

    /// Whether policy variables are replaced in its values: "You can use a policy variable for
    /// Condition values in any condition that involves the string operators or the ARN operators"
    /// ("IAM policy elements: Variables and tags"); the operators' page adds the Boolean one.
    #[must_use]
    pub const fn takes_variables(self) -> bool {
        matches!(
            self.test,
            Test::StringEquals
                | Test::StringEqualsIgnoreCase
                | Test::StringLike
                | Test::Arn
                | Test::Bool
        )
    }
}

impl fmt::Display for Operator {
    /// As policies write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.quantifier {
            Quantifier::Single => "",
            Quantifier::Any => "ForAnyValue:",
            Quantifier::All => "ForAllValues:",
        })?;
        let name = NAMES
            .iter()
            .find(|(_, test, is_negated)| *test == self.test && *is_negated == self.is_negated)
            .map_or("", |(name, ..)| name);
        f.write_str(name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// Compares by value, for the tests that know neither wildcards nor variables; a value that cannot
/// be read as what the test needs matches nothing.
pub(crate) fn compare(test: Test, held: &str, wanted: &str) -> bool {
    match test {
        Test::Numeric(comparison) => match (NumericValue::parse(held), NumericValue::parse(wanted))
        {
            (Some(held), Some(wanted)) => held
                .compare(wanted)
                .is_some_and(|ordering| comparison.holds(ordering)),
            _ => false,
        },
        Test::Date(comparison) => match (Instant::parse(held), Instant::parse(wanted)) {
            (Some(held), Some(wanted)) => comparison.holds(held.cmp(&wanted)),
            _ => false,
        },
        Test::Bool => {
            let is_boolean = |text: &str| {
                text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
            };
            is_boolean(held) && held.eq_ignore_ascii_case(wanted)
        }
        Test::Binary => condition_value::is_same_binary(held, wanted),
        Test::IpAddress => match (held.parse::<IpAddr>(), condition_value::network(wanted)) {
            (Ok(held), Some(network)) => network.contains(&held),
            _ => false,
        },
        Test::StringEquals => held == wanted,
        Test::StringEqualsIgnoreCase => is_same_but_for_case(held, wanted),
        Test::StringLike | Test::Arn | Test::Null => false,
    }
}

/// Equality without regard to case, beyond ASCII too.
pub(crate) fn is_same_but_for_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        left.chars()
            .flat_map(char::to_lowercase)
            .eq(right.chars().flat_map(char::to_lowercase))
    }
}
