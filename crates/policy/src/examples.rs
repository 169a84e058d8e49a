//! Example values for unknown context keys: enough of them that every way in which the conditions
//! can come out is tried, and a word on whether that succeeded.

use std::net::IpAddr;

use ipnet::IpNet;

use super::automaton::{self, Glob};
use super::condition::ContextReading;
use super::condition_value::{Instant, NumericValue, network};
use super::document::{Condition, Statement, Version};
use super::operator::{Quantifier, Test};
use super::pattern::{self, GlobToken, ResolvedPattern, UnresolvedVariable};
use super::request::{Context, ContextValue};
use super::verdict;

/// How many values a multivalued key is tried with in every combination.
const MOST_COMBINED: usize = 6;
/// How many readings of one variable are tried.
const MOST_CAPTURES: usize = 32;

/// Global keys that hold lists ("AWS global condition context keys", value type "Multivalued").
const MULTIVALUED: [&str; 14] = [
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceNamesList",
    "aws:ResourceOrgPaths",
    "aws:SourceOrgPaths",
    "aws:TagKeys",
    "aws:VpceOrgPaths",
    "dynamodb:Attributes",
    "dynamodb:LeadingKeys",
    "kms:EncryptionContextKeys",
    "kms:GrantOperations",
    "kms:ResourceAliases",
    "s3:RequestObjectTagKeys",
    "sts:TransitiveTagKeys",
];

/// Whether a key is documented to hold a list.
#[must_use]
pub fn is_multivalued(key: &str) -> bool {
    MULTIVALUED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
}

/// The values that one unknown key is tried with.
pub(crate) struct ExampleValues {
    /// Each value; `None` is the absent key.
    pub(crate) values: Vec<Option<Vec<String>>>,
    /// Whether they cover all that the key could hold.
    pub(crate) is_complete: bool,
}

/// A statement that may apply, with the version of its document.
pub(crate) type UndecidedStatement<'p> = (&'p Statement<'p>, Version);

/// Single values for a key, of which a list can be made.
pub(crate) struct Singles {
    pub(crate) texts: Vec<String>,
    /// Whether the key may hold several of them.
    is_list: bool,
    /// Whether they cover all that one value could be.
    pub(crate) is_complete: bool,
}

/// Finds values for a key from the statements that depend on it, and from what grants demand of it.
pub(crate) fn singles(
    key: &str,
    statements: &[UndecidedStatement<'_>],
    demanded: &[&str],
    resource: &str,
    context: &Context,
) -> Singles {
    if let Some(ContextValue::KnownOrAbsent(values)) = context.get(key) {
        return Singles {
            texts: values.clone(),
            is_list: false,
            is_complete: true,
        };
    }
    let mut collected = Collected::new(context);
    for (statement, version) in statements {
        collected.take_statement(key, statement, *version, resource);
    }
    collected
        .globs
        .extend(demanded.iter().map(|value| Glob::literal(value)));
    if collected.is_quantified {
        // To a set operator an empty text is no value, and so unlike any other that matches nothing.
        collected.globs.push(Glob::literal(""));
    }
    let (texts, is_complete) = collected.examples();
    let is_list = is_multivalued(key)
        || (collected.is_quantified && !key.to_ascii_lowercase().starts_with("aws:"));
    Singles {
        texts,
        is_list,
        is_complete,
    }
}

impl Singles {
    /// All that the key is tried with: the values, every set of them where it may hold a list, and
    /// the absent key. Where the sets would be too many it is each value alone and all together.
    pub(crate) fn combined(self) -> ExampleValues {
        let alone = |value: &String| Some(vec![value.clone()]);
        let mut values: Vec<_> = self.texts.iter().map(alone).collect();
        let mut is_complete = self.is_complete;
        if self.is_list && self.texts.len() > MOST_COMBINED {
            values.push(Some(self.texts));
            is_complete = false;
        } else if self.is_list {
            // One value twice stands for several values that the conditions do not tell apart.
            values.extend(
                self.texts
                    .iter()
                    .map(|value| Some(vec![value.clone(), value.clone()])),
            );
            let sets = (1_usize..1 << self.texts.len()).filter(|set| set.count_ones() > 1);
            values.extend(sets.map(|set| {
                let member =
                    |(at, value): (usize, &String)| (set >> at & 1 == 1).then(|| value.clone());
                Some(self.texts.iter().enumerate().filter_map(member).collect())
            }));
        }
        values.push(None);
        ExampleValues {
            values,
            is_complete,
        }
    }
}

/// What the statements ask of one key.
struct Collected<'c> {
    reading: ContextReading<'c>,
    globs: Vec<Glob>,
    numbers: Vec<NumericValue>,
    moments: Vec<Instant>,
    networks: Vec<IpNet>,
    asks_bool: bool,
    is_quantified: bool,
    is_complete: bool,
}

impl<'c> Collected<'c> {
    fn new(context: &'c Context) -> Self {
        Self {
            reading: ContextReading::new(context),
            globs: Vec::new(),
            numbers: Vec::new(),
            moments: Vec::new(),
            networks: Vec::new(),
            asks_bool: false,
            is_quantified: false,
            is_complete: true,
        }
    }

    fn take_statement(
        &mut self,
        key: &str,
        statement: &Statement<'_>,
        version: Version,
        resource: &str,
    ) {
        for condition in &statement.conditions {
            if condition.key.value.eq_ignore_ascii_case(key) {
                self.take_condition(condition, version);
            }
            if version == Version::Current && condition.operator.takes_variables() {
                self.take_values_with_variable(key, condition);
            }
        }
        if let Some(resources) = statement
            .resources
            .as_ref()
            .filter(|_| version == Version::Current)
        {
            for item in &resources.items {
                if names(&item.value, key)
                    && verdict::resource_pattern(&item.value, version, self.reading).is_err()
                {
                    self.capture(key, &item.value, resource, false);
                }
            }
        }
    }

    fn take_condition(&mut self, condition: &Condition<'_>, version: Version) {
        self.is_quantified |= condition.operator.quantifier != Quantifier::Single;
        for value in &condition.values {
            self.take_value(condition.operator.test, &value.value, version);
        }
    }

    fn take_value(&mut self, test: Test, wanted: &str, version: Version) {
        match test {
            Test::Numeric(_) => self.numbers.extend(NumericValue::parse(wanted)),
            Test::Date(_) => self.moments.extend(Instant::parse(wanted)),
            Test::IpAddress => self.networks.extend(network(wanted)),
            Test::Bool => self.asks_bool = true,
            Test::Null => {}
            Test::Binary => self.globs.push(Glob::literal(wanted)),
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn => {
                match self.reading.ready(wanted, version) {
                    Ok(ready) => self.globs.push(glob(test, &ready)),
                    // A value that cannot be resolved matches nothing, whatever the key holds.
                    Err(UnresolvedVariable::Unresolved) => {}
                    Err(UnresolvedVariable::Unknown) => self.is_complete = false,
                }
            }
        }
    }

    /// The key as a variable in the values for another key.
    fn take_values_with_variable(&mut self, key: &str, condition: &Condition<'_>) {
        let named = condition
            .values
            .iter()
            .filter(|value| names(&value.value, key));
        let held = self.reading.context.get(&condition.key.value);
        for value in named {
            match held {
                Some(ContextValue::Known(held)) => {
                    let test = condition.operator.test;
                    self.is_complete &= test != Test::StringEqualsIgnoreCase;
                    let is_literal = !matches!(test, Test::StringLike | Test::Arn);
                    for text in held {
                        self.capture(key, &value.value, text, is_literal);
                    }
                }
                // Two unknowns are compared with each other.
                Some(_) => self.is_complete = false,
                None => {}
            }
        }
    }

    /// The values of a variable with which a pattern matches a text.
    fn capture(&mut self, key: &str, template: &str, text: &str, is_literal: bool) {
        let Some((before, after)) = around_variable(template, key) else {
            self.is_complete = false;
            return;
        };
        let ready = |part| self.reading.ready(part, Version::Current);
        let (Ok(before), Ok(after)) = (ready(before), ready(after)) else {
            self.is_complete = false;
            return;
        };
        let matches = |part: &ResolvedPattern<'_>, text: &str| {
            if is_literal {
                part.literal() == text
            } else {
                part.is_like(text)
            }
        };
        let cuts: Vec<usize> = (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .collect();
        let starts: Vec<usize> = cuts
            .iter()
            .copied()
            .filter(|at| text.get(..*at).is_some_and(|head| matches(&before, head)))
            .collect();
        let ends: Vec<usize> = cuts
            .iter()
            .copied()
            .filter(|at| text.get(*at..).is_some_and(|tail| matches(&after, tail)))
            .collect();
        let mut left = MOST_CAPTURES;
        for value in starts
            .iter()
            .flat_map(|start| ends.iter().filter_map(|end| text.get(*start..*end)))
        {
            if left == 0 {
                self.is_complete = false;
                return;
            }
            left -= 1;
            self.globs.push(Glob::literal(value));
        }
    }

    /// The example values, and whether they are all that is needed.
    fn examples(&self) -> (Vec<String>, bool) {
        let mut texts = self.number_examples();
        texts.extend(self.moment_examples());
        texts.extend(self.address_examples());
        if self.asks_bool {
            texts.extend(["true".to_owned(), "false".to_owned()]);
        }
        let kinds = [
            !self.globs.is_empty(),
            !self.numbers.is_empty(),
            !self.moments.is_empty(),
            !self.networks.is_empty(),
            self.asks_bool,
        ];
        let mut is_complete =
            self.is_complete && kinds.into_iter().filter(|is_asked| *is_asked).count() <= 1;
        if texts.is_empty() || !self.globs.is_empty() {
            let found = automaton::examples(&self.globs);
            is_complete &= found.is_complete;
            texts.extend(found.texts);
        }
        let mut seen = std::collections::HashSet::new();
        texts.retain(|text| seen.insert(text.clone()));
        (texts, is_complete)
    }

    fn number_examples(&self) -> Vec<String> {
        let mut numbers = self.numbers.clone();
        numbers.sort_by(|a, b| a.compare(*b).unwrap_or(std::cmp::Ordering::Equal));
        let mut texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        texts.extend(numbers.first().map(|number| number.beside(-1).to_string()));
        texts.extend(numbers.last().map(|number| number.beside(1).to_string()));
        for pair in numbers.windows(2) {
            if let [low, high] = pair {
                texts.push(low.middle(*high));
            }
        }
        texts
    }

    fn moment_examples(&self) -> Vec<String> {
        let mut moments = self.moments.clone();
        moments.sort_unstable();
        let mut all = moments.clone();
        all.extend(moments.first().map(|moment| moment.later(-1)));
        all.extend(moments.last().map(|moment| moment.later(1)));
        for pair in moments.windows(2) {
            if let [low, high] = pair {
                all.push(Instant(i128::midpoint(low.0, high.0)));
            }
        }
        all.iter().map(ToString::to_string).collect()
    }

    /// Both ends of every range and the addresses beside them: between two of these nothing changes.
    fn address_examples(&self) -> Vec<String> {
        if self.networks.is_empty() {
            return Vec::new();
        }
        let mut addresses = Vec::new();
        for network in &self.networks {
            let (first, last) = (network.network(), network.broadcast());
            addresses.extend([
                Some(first),
                Some(last),
                beside(first, false),
                beside(last, true),
            ]);
        }
        addresses.push(Some(IpAddr::from([0_u8; 4])));
        addresses.push(Some(IpAddr::from([0_u16; 8])));
        addresses
            .into_iter()
            .flatten()
            .map(|address| address.to_string())
            .collect()
    }
}

fn beside(address: IpAddr, is_next: bool) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let bits = u32::from(address);
            let bits = if is_next {
                bits.checked_add(1)
            } else {
                bits.checked_sub(1)
            };
            bits.map(|bits| IpAddr::V4(bits.into()))
        }
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            let bits = if is_next {
                bits.checked_add(1)
            } else {
                bits.checked_sub(1)
            };
            bits.map(|bits| IpAddr::V6(bits.into()))
        }
    }
}

fn glob(test: Test, ready: &ResolvedPattern<'_>) -> Glob {
    match test {
        Test::StringLike | Test::Arn => Glob {
            tokens: one_star_at_a_time(ready.tokens()),
            ignores_case: false,
            is_arn: test == Test::Arn,
        },
        _ => Glob {
            ignores_case: test == Test::StringEqualsIgnoreCase,
            ..Glob::literal(&ready.literal())
        },
    }
}

fn one_star_at_a_time(mut tokens: Vec<GlobToken>) -> Vec<GlobToken> {
    tokens.dedup_by(|next, last| *next == GlobToken::Many && *last == GlobToken::Many);
    tokens
}

/// Whether a text uses a key as a variable.
pub(crate) fn names(text: &str, key: &str) -> bool {
    pattern::variables(text).any(|name| name.eq_ignore_ascii_case(key))
}

/// What stands before and after the one place where a template uses a key.
fn around_variable<'t>(template: &'t str, key: &str) -> Option<(&'t str, &'t str)> {
    let uses = pattern::variables(template).filter(|name| name.eq_ignore_ascii_case(key));
    if uses.count() != 1 {
        return None;
    }
    let mut from = 0;
    loop {
        let start = from + template.get(from..)?.find("${")?;
        let end = start + template.get(start..)?.find('}')?;
        if names(template.get(start..=end)?, key) {
            return Some((template.get(..start)?, template.get(end + 1..)?));
        }
        from = end + 1;
    }
}
