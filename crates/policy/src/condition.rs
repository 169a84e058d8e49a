//! Conditions against a context, in three values: where a key is unknown, so is what depends on it.

use std::borrow::Cow;

use super::document::{Condition, Statement, Version};
use super::operator::{self, Operator, Quantifier, Test};
use super::pattern::{self, Replacement, ResolvedPattern, UnresolvedVariable};
use super::request::{Context, ContextValue};

/// A claim that holds, does not hold, or depends on what nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Truth {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Truth {
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// Whether any claim holds.
    pub(crate) fn any(claims: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Self::No;
        for claim in claims {
            if claim == Self::Yes {
                return Self::Yes;
            }
            found = found.or(claim);
        }
        found
    }

    /// Whether every claim holds.
    pub(crate) fn all(claims: impl IntoIterator<Item = Self>) -> Self {
        let mut found = Self::Yes;
        for claim in claims {
            if claim == Self::No {
                return Self::No;
            }
            found = found.and(claim);
        }
        found
    }
}

/// A value that an unknown key is assumed to have; `None` assumes that the key is absent.
pub(crate) type Assumption<'a> = (&'a str, Option<&'a [String]>);

/// The context as it is read: what is known, and what is assumed of the rest.
#[derive(Clone, Copy)]
pub(crate) struct ContextReading<'a> {
    pub(crate) context: &'a Context,
    pub(crate) assumed: &'a [Assumption<'a>],
}

/// What a key holds.
#[derive(Clone, Copy)]
enum Lookup<'a> {
    Absent,
    Values(&'a [String]),
    /// These values, or it is absent.
    ValuesOrAbsent(&'a [String]),
    Unknown,
}

impl<'a> ContextReading<'a> {
    /// Reads a context without any assumption.
    pub(crate) const fn new(context: &'a Context) -> Self {
        Self {
            context,
            assumed: &[],
        }
    }

    fn held(&self, key: &str) -> Lookup<'a> {
        let values = match self.context.get(key) {
            None => None,
            Some(ContextValue::Known(values)) => Some(values.as_slice()),
            Some(unsettled) => {
                let assumed = self
                    .assumed
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(key));
                match (assumed, unsettled) {
                    (Some((_, values)), _) => *values,
                    (None, ContextValue::KnownOrAbsent(values)) if !values.is_empty() => {
                        return Lookup::ValuesOrAbsent(values);
                    }
                    (None, _) => return Lookup::Unknown,
                }
            }
        };
        match values {
            // An empty list is a key without a value, and so as good as none.
            Some(values) if !values.is_empty() => Lookup::Values(values),
            _ => Lookup::Absent,
        }
    }

    /// "You can use any available single-valued context key as a policy variable, but you can't use
    /// a multivalued context key" ("Single-valued vs. multivalued context keys").
    fn variable(&self, key: &str) -> Replacement<'a> {
        match self.held(key) {
            Lookup::Values([value]) => Replacement::Value(Cow::Borrowed(value)),
            Lookup::Values(_) | Lookup::Absent => Replacement::Unresolved,
            Lookup::ValuesOrAbsent(_) | Lookup::Unknown => Replacement::Unknown,
        }
    }

    /// A text of the policy with its variables replaced, where its version knows them.
    pub(crate) fn ready<'p>(
        &self,
        text: &'p str,
        version: Version,
    ) -> Result<ResolvedPattern<'p>, UnresolvedVariable> {
        match version {
            Version::Old => Ok(ResolvedPattern::Plain(text)),
            Version::Current => pattern::replace_variables(text, |key| self.variable(key)),
        }
    }

    /// The same, with a `*` for each variable that nobody can tell.
    pub(crate) fn loosely<'p>(
        &self,
        text: &'p str,
        version: Version,
    ) -> Result<ResolvedPattern<'p>, UnresolvedVariable> {
        match version {
            Version::Old => Ok(ResolvedPattern::Plain(text)),
            Version::Current => pattern::replace_variables(text, |key| match self.variable(key) {
                Replacement::Unknown => Replacement::Anything,
                known => known,
            }),
        }
    }

    /// Whether a key holds just this value.
    pub(crate) fn equals(&self, key: &str, value: &str) -> Truth {
        match self.held(key) {
            Lookup::Values([held]) => (held == value).into(),
            Lookup::ValuesOrAbsent([held]) if held == value => Truth::Unknown,
            Lookup::Values(_) | Lookup::ValuesOrAbsent(_) | Lookup::Absent => Truth::No,
            Lookup::Unknown => Truth::Unknown,
        }
    }

    /// The rest of each key that begins with a prefix, and whether it is there.
    pub(crate) fn keys_under(&self, prefix: &str) -> impl Iterator<Item = (&'a str, Truth)> {
        let reading = *self;
        self.context.iter().filter_map(move |(key, _)| {
            let (head, name) = key.split_at_checked(prefix.len())?;
            let presence = match reading.held(key) {
                Lookup::Absent => Truth::No,
                Lookup::Values(_) => Truth::Yes,
                Lookup::ValuesOrAbsent(_) | Lookup::Unknown => Truth::Unknown,
            };
            head.eq_ignore_ascii_case(prefix)
                .then_some((name, presence))
        })
    }

    /// The one value of a key, where it is known and has exactly one.
    pub(crate) fn known(&self, key: &str) -> Option<&'a str> {
        match self.context.get(key)? {
            ContextValue::Known(values) => match values.as_slice() {
                [value] => Some(value),
                _ => None,
            },
            ContextValue::KnownOrAbsent(_) | ContextValue::Unknown => None,
        }
    }
}

/// Whether all conditions of a statement hold.
pub(crate) fn holds(
    statement: &Statement<'_>,
    version: Version,
    reading: ContextReading<'_>,
) -> Truth {
    Truth::all(
        statement
            .conditions
            .iter()
            .map(|condition| condition_holds(condition, version, reading)),
    )
}

/// Whether one condition holds.
pub(crate) fn condition_holds(
    condition: &Condition<'_>,
    version: Version,
    reading: ContextReading<'_>,
) -> Truth {
    let held = reading.held(&condition.key.value);
    let Lookup::ValuesOrAbsent(values) = held else {
        return held_holds(held, condition, version, reading);
    };
    let there = held_holds(Lookup::Values(values), condition, version, reading);
    let absent = held_holds(Lookup::Absent, condition, version, reading);
    if there == absent {
        there
    } else {
        Truth::Unknown
    }
}

/// Whether one condition holds for what its key holds.
fn held_holds(
    held: Lookup<'_>,
    condition: &Condition<'_>,
    version: Version,
    reading: ContextReading<'_>,
) -> Truth {
    let operator = condition.operator;
    if operator.test == Test::Null {
        return match held {
            Lookup::Unknown | Lookup::ValuesOrAbsent(_) => null_of_unknown(condition),
            Lookup::Absent => wants(condition, "true").into(),
            Lookup::Values(_) => wants(condition, "false").into(),
        };
    }
    match (held, operator.quantifier) {
        (Lookup::Unknown | Lookup::ValuesOrAbsent(_), _) => Truth::Unknown,
        (Lookup::Absent, _) => absent_holds(condition, version, reading),
        // "Multivalued context keys require a condition set operator" ("Single-valued vs.
        // multivalued context keys"): without one, several values match nothing.
        (Lookup::Values([value]), Quantifier::Single) => {
            value_holds(value, condition, version, reading)
        }
        (Lookup::Values(_), Quantifier::Single) => Truth::No,
        // `ForAllValues` returns true as well where "the context key value resolves to a null
        // dataset, such as an empty string"; of nothing no value is any.
        (Lookup::Values(values), quantifier) if values.iter().all(String::is_empty) => {
            (quantifier == Quantifier::All).into()
        }
        (Lookup::Values(values), Quantifier::Any) => Truth::any(
            values
                .iter()
                .map(|value| value_holds(value, condition, version, reading)),
        ),
        (Lookup::Values(values), Quantifier::All) => Truth::all(
            values
                .iter()
                .map(|value| value_holds(value, condition, version, reading)),
        ),
    }
}

/// `Null` asks only whether the key is there: `true` where it is not, `false` where it is.
fn wants(condition: &Condition<'_>, text: &str) -> bool {
    condition
        .values
        .iter()
        .any(|value| value.value.eq_ignore_ascii_case(text))
}

fn null_of_unknown(condition: &Condition<'_>) -> Truth {
    match (wants(condition, "true"), wants(condition, "false")) {
        (true, true) => Truth::Yes,
        (false, false) => Truth::No,
        _ => Truth::Unknown,
    }
}

/// "If the key … is not present in the request context, the values do not match and the condition
/// is false. If the policy condition requires that the key is not matched … the condition is true"
/// ("Condition operators"). `ForAllValues` "also returns true if there are no context keys in the
/// request"; `ForAnyValue` returns false ("Set operators for multivalued context keys"), with
/// `IfExists` as well, as has been observed: there is no value that could match.
fn absent_holds(condition: &Condition<'_>, version: Version, reading: ContextReading<'_>) -> Truth {
    let Operator {
        is_negated,
        quantifier,
        if_exists,
        ..
    } = condition.operator;
    match quantifier {
        Quantifier::All => Truth::Yes,
        Quantifier::Single if if_exists => Truth::Yes,
        Quantifier::Single if is_negated => is_resolved(condition, version, reading),
        Quantifier::Any | Quantifier::Single => Truth::No,
    }
}

/// Whether every variable in the values has a value: "If AWS cannot resolve a variable this might
/// cause the entire statement to be invalid" ("IAM policy elements: Variables and tags").
fn is_resolved(condition: &Condition<'_>, version: Version, reading: ContextReading<'_>) -> Truth {
    if !condition.operator.takes_variables() {
        return Truth::Yes;
    }
    Truth::all(
        condition
            .values
            .iter()
            .map(|value| match reading.ready(&value.value, version) {
                Ok(_) => Truth::Yes,
                Err(UnresolvedVariable::Unresolved) => Truth::No,
                Err(UnresolvedVariable::Unknown) => Truth::Unknown,
            }),
    )
}

/// Whether the condition holds for one value of the key. Of several values in the policy any may
/// match, and for a negated operator none may ("Conditions with multiple context keys or values").
fn value_holds(
    held: &str,
    condition: &Condition<'_>,
    version: Version,
    reading: ContextReading<'_>,
) -> Truth {
    let matched = condition
        .values
        .iter()
        .map(|wanted| value_matches(condition.operator, held, &wanted.value, version, reading));
    if !condition.operator.is_negated {
        return Truth::any(matched.map(|found| match found {
            Ok(found) => found.into(),
            Err(UnresolvedVariable::Unresolved) => Truth::No,
            Err(UnresolvedVariable::Unknown) => Truth::Unknown,
        }));
    }
    Truth::all(matched.map(|found| match found {
        Ok(found) => Truth::from(found).not(),
        Err(UnresolvedVariable::Unresolved) => Truth::No,
        Err(UnresolvedVariable::Unknown) => Truth::Unknown,
    }))
}

/// Whether one value of the request matches one of the policy, negation left aside.
fn value_matches(
    operator: Operator,
    held: &str,
    wanted: &str,
    version: Version,
    reading: ContextReading<'_>,
) -> Result<bool, UnresolvedVariable> {
    if !operator.takes_variables() {
        return Ok(operator::compare(operator.test, held, wanted));
    }
    let wanted = reading.ready(wanted, version)?;
    Ok(match operator.test {
        Test::StringLike => wanted.is_like(held),
        Test::Arn => wanted.is_arn_like(held),
        test => operator::compare(test, held, &wanted.literal()),
    })
}
