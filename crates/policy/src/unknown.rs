//! Requests whose answer depends on context keys that nobody can tell.
//!
//! The evaluation in three values is already sound, but it takes every doubtful condition for
//! independent of every other. So the keys are tried with example values, all together: where the
//! examples cover everything that the keys could hold, what they lead to is the exact answer; where
//! they do not, the answer stays *depends*.

use std::collections::HashSet;

use super::condition::{self, Assumption, ContextReading, Truth};
use super::decision::{Decision, Evaluation, PossibleDecision};
use super::dependency::Dependency;
use super::document::{Condition, Patterns, Statement, Version};
use super::examples::{self, ExampleValues, Singles, UndecidedStatement};
use super::explain;
use super::policies::{Grant, Policies};
use super::request::Request;
use super::verdict::{self, PartialEvaluation};

/// How many combinations of values are tried at most.
const MOST_TRIALS: usize = 4096;
/// How many pairs of trials are compared at most to find how the keys combine.
const MOST_PAIRS: usize = 500_000;
/// How many comparisons the example values of one key are worth; the longest lists that the quotas
/// on policies leave room for stay below it.
const MOST_COMPARISONS: usize = 8_000_000;

/// Finds out what the unknown keys lead to.
pub(crate) fn resolve<'p>(
    request: &Request<'_>,
    policies: &'p Policies<'p>,
    partial: &PartialEvaluation<'p>,
) -> Evaluation {
    let doubtful: Vec<UndecidedStatement<'_>> = partial
        .hits
        .iter()
        .filter(|hit| hit.truth == Truth::Unknown)
        .filter_map(|hit| Some((hit.statement()?, hit.version)))
        .collect();
    let keys: Vec<(&str, Vec<&str>)> = request
        .context
        .unsettled_keys()
        .map(|key| (key, demanded_by_grants(key, policies)))
        .filter(|(key, demanded)| {
            is_asked(key, &doubtful) || !demanded.is_empty() || is_asked_by_grant(key, policies)
        })
        .collect();
    let asked: Vec<Asked<'_>> = keys
        .iter()
        .map(|(key, demanded)| Asked::new(key, demanded, &doubtful, request))
        .collect();
    let mut singles: Vec<Singles> = asked.iter().map(Asked::singles).collect();
    share(&mut singles);
    let found = asked
        .iter()
        .zip(singles)
        .map(|(asked, singles)| asked.combined(singles))
        .collect();
    let keys = keys.into_iter().map(|(key, _)| key).collect();
    let mut trials = Trials::new(keys, found);
    trials.run(request, policies, partial);
    trials.conclude(request, policies, partial)
}

/// An unknown key, and all that asks for it.
struct Asked<'a> {
    key: &'a str,
    statements: &'a [UndecidedStatement<'a>],
    /// The conditions of the statements that ask for it.
    conditions: Vec<(&'a Condition<'a>, Version)>,
    /// The resources of the statements in which it is a variable.
    resources: Vec<(&'a Patterns<'a>, Version)>,
    /// The values that grants demand of it.
    demanded: &'a [&'a str],
    request: &'a Request<'a>,
}

impl<'a> Asked<'a> {
    fn new(
        key: &'a str,
        demanded: &'a [&'a str],
        statements: &'a [UndecidedStatement<'a>],
        request: &'a Request<'a>,
    ) -> Self {
        let of_version = |(statement, version): &UndecidedStatement<'a>| {
            let version = *version;
            let asking = statement.conditions.iter();
            asking
                .filter(|condition| asks_condition(key, condition))
                .map(move |condition| (condition, version))
        };
        let resources = statements.iter().filter_map(|(statement, version)| {
            Some((asked_resources(key, statement, *version)?, *version))
        });
        Self {
            key,
            statements,
            conditions: statements.iter().flat_map(of_version).collect(),
            resources: resources.collect(),
            demanded,
            request,
        }
    }

    fn singles(&self) -> Singles {
        examples::singles(
            self.key,
            self.statements,
            self.demanded,
            self.request.resource,
            self.request.context,
        )
    }

    fn combined(&self, mut singles: Singles) -> ExampleValues {
        let affordable = MOST_COMPARISONS / (self.asked_values() + 1);
        if singles.texts.len() > affordable {
            singles.texts.truncate(affordable);
            singles.is_complete = false;
        }
        // Values that are compared with another unknown key cannot be told apart one key at a time.
        if singles.is_complete {
            self.keep_distinct(&mut singles.texts, |text| Some(std::slice::from_ref(text)));
        }
        let mut examples = singles.combined();
        if examples.is_complete {
            self.keep_distinct(&mut examples.values, Option::as_deref);
        }
        examples
    }

    /// With how many values of the policies each example is compared.
    fn asked_values(&self) -> usize {
        let conditions = self.conditions.iter();
        conditions
            .map(|(condition, _)| condition.values.len())
            .sum()
    }

    /// Keeps one of those for which everything that asks for the key comes out alike.
    fn keep_distinct<T>(&self, values: &mut Vec<T>, held: impl Fn(&T) -> Option<&[String]>) {
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(self.signature(held(value))));
    }

    /// How everything that asks for the key comes out for a value: demands of grants, conditions and
    /// resources.
    fn signature(&self, value: Option<&[String]>) -> Vec<Truth> {
        let is_demanded =
            |wanted: &&str| Truth::from(matches!(value, Some([held]) if held == *wanted));
        let mut outcome: Vec<Truth> = self.demanded.iter().map(is_demanded).collect();
        outcome.push(value.is_some().into());
        let assumed = [(self.key, value)];
        let reading = ContextReading {
            context: self.request.context,
            assumed: &assumed,
        };
        for (condition, version) in &self.conditions {
            outcome.push(condition::condition_holds(condition, *version, reading));
        }
        for (resources, version) in &self.resources {
            let resource = self.request.resource;
            outcome.push(verdict::resource_applies(
                resources, resource, *version, reading,
            ));
        }
        outcome
    }
}

/// Lets keys that may be compared with each other have the same value, and different ones.
fn share(found: &mut [Singles]) {
    let compared = found.iter().filter(|singles| !singles.is_complete);
    let mut pool: Vec<String> = compared.flat_map(|singles| singles.texts.clone()).collect();
    // Any string and any ARN: a test for ARNs that sees no ARN does not match, whatever it wants.
    pool.extend(["another", "arn:aws:iam::000000000000:another"].map(str::to_owned));
    for singles in found.iter_mut().filter(|singles| !singles.is_complete) {
        for text in &pool {
            if !singles.texts.contains(text) {
                singles.texts.push(text.clone());
            }
        }
    }
}

/// The values that grants demand of a key.
fn demanded_by_grants<'p>(key: &str, policies: &'p Policies<'_>) -> Vec<&'p str> {
    let of_grant = |grant: &'p Grant| {
        let source = grant
            .source_arn
            .iter()
            .filter(|_| key.eq_ignore_ascii_case("aws:SourceArn"));
        let context = grant
            .context_subset
            .iter()
            .chain(grant.context_equals.iter().flatten())
            .filter(|(name, _)| {
                encryption_context_name(key)
                    .is_some_and(|asked| asked.eq_ignore_ascii_case(name.as_str()))
            })
            .map(|(_, value)| value);
        source.chain(context).map(String::as_str)
    };
    policies.grants.iter().flat_map(of_grant).collect()
}

/// The encryption context's own name for a key under `kms:EncryptionContext:`.
fn encryption_context_name(key: &str) -> Option<&str> {
    const PREFIX: &str = "kms:EncryptionContext:";
    let (head, name) = key.split_at_checked(PREFIX.len())?;
    head.eq_ignore_ascii_case(PREFIX).then_some(name)
}

fn is_asked(key: &str, statements: &[UndecidedStatement<'_>]) -> bool {
    statements.iter().any(|(statement, version)| {
        statement
            .conditions
            .iter()
            .any(|condition| asks_condition(key, condition))
            || asked_resources(key, statement, *version).is_some()
    })
}

/// Whether a condition asks for the key, or has it as a variable in its values.
fn asks_condition(key: &str, condition: &Condition<'_>) -> bool {
    condition.key.value.eq_ignore_ascii_case(key)
        || condition
            .values
            .iter()
            .any(|value| examples::names(&value.value, key))
}

/// The resources of a statement, where the key is a variable in them.
fn asked_resources<'s>(
    key: &str,
    statement: &'s Statement<'s>,
    version: Version,
) -> Option<&'s Patterns<'s>> {
    statement.resources.as_ref().filter(|resources| {
        version == Version::Current
            && resources
                .items
                .iter()
                .any(|item| examples::names(&item.value, key))
    })
}

/// Whether the mere presence of the key matters to a grant that fixes the encryption context.
fn is_asked_by_grant(key: &str, policies: &Policies<'_>) -> bool {
    encryption_context_name(key).is_some()
        && policies
            .grants
            .iter()
            .any(|grant| grant.context_equals.is_some())
}

/// Keys that let the request be allowed together, by their places, and a trial in which they do.
struct Combination {
    places: Vec<usize>,
    trial: usize,
}

/// All combinations of the keys' values, counted like the digits of a number.
struct Trials<'k> {
    keys: Vec<&'k str>,
    values: Vec<Vec<Option<Vec<String>>>>,
    is_complete: bool,
    decisions: Vec<Decision>,
}

impl<'k> Trials<'k> {
    fn new(keys: Vec<&'k str>, found: Vec<ExampleValues>) -> Self {
        let is_complete = found.iter().all(|examples| examples.is_complete);
        Self {
            keys,
            values: found.into_iter().map(|examples| examples.values).collect(),
            is_complete,
            decisions: Vec::new(),
        }
    }

    fn run<'p>(
        &mut self,
        request: &Request<'_>,
        policies: &'p Policies<'p>,
        partial: &PartialEvaluation<'p>,
    ) {
        let count = self
            .values
            .iter()
            .try_fold(1_usize, |count, values| count.checked_mul(values.len()));
        let count = count.filter(|count| *count <= MOST_TRIALS);
        self.is_complete &= count.is_some();
        for index in 0..count.unwrap_or(MOST_TRIALS) {
            let assumed = self.assumption(index);
            let reading = ContextReading {
                context: request.context,
                assumed: &assumed,
            };
            let decision = partial.under(request, policies, reading).decision();
            self.decisions.push(decision);
        }
    }

    /// The values that a trial assumes.
    fn assumption(&self, mut index: usize) -> Vec<Assumption<'_>> {
        self.keys
            .iter()
            .zip(&self.values)
            .map(|(key, values)| {
                let value = values.get(index % values.len()).and_then(Option::as_deref);
                index /= values.len();
                (*key, value)
            })
            .collect()
    }

    /// The keys a change of which alone changes the decision.
    fn deciding_keys(&self) -> Vec<String> {
        let mut stride = 1;
        let mut deciding = Vec::new();
        for (key, values) in self.keys.iter().zip(&self.values) {
            let width = stride * values.len();
            let matters = self.decisions.iter().enumerate().any(|(index, decision)| {
                let base = index - index % width + index % stride;
                self.decisions
                    .get(base)
                    .is_some_and(|other| other != decision)
            });
            if matters || !self.is_complete {
                deciding.push((*key).to_owned());
            }
            stride = width;
        }
        deciding
    }

    /// The values that the keys at these places have in a trial.
    fn example(&self, trial: usize, places: impl Fn(usize) -> bool) -> PossibleDecision {
        let assumed = self.assumption(trial).into_iter().enumerate();
        PossibleDecision {
            when: assumed
                .filter(|(place, _)| places(*place))
                .map(|(_, (key, value))| (key.to_owned(), value.map(<[String]>::to_vec)))
                .collect(),
            decision: self
                .decisions
                .get(trial)
                .copied()
                .unwrap_or(Decision::Depends),
        }
    }

    /// One example for each decision that was reached; where the request is allowed, one for each way,
    /// which names just the keys that are enough for it.
    fn outcomes(&self, ways: &[Combination]) -> Vec<PossibleDecision> {
        let mut outcomes: Vec<PossibleDecision> = Vec::new();
        for (index, decision) in self.decisions.iter().enumerate() {
            if outcomes.iter().any(|outcome| outcome.decision == *decision) {
                continue;
            }
            if *decision == Decision::Allowed && !ways.is_empty() {
                let example =
                    |way: &Combination| self.example(way.trial, |at| way.places.contains(&at));
                outcomes.extend(ways.iter().map(example));
            } else {
                outcomes.push(self.example(index, |_| true));
            }
        }
        outcomes
    }

    /// The smallest sets of keys that let the request be allowed whatever the other keys hold, each with
    /// a trial in which they do. None where the keys were not tried with all that they may hold, or the
    /// trials are too many to be compared.
    fn ways(&self) -> Vec<Combination> {
        let mut ways: Vec<Combination> = Vec::new();
        let allowed: Vec<usize> = (0..self.decisions.len())
            .filter(|trial| self.decisions.get(*trial) == Some(&Decision::Allowed))
            .collect();
        let sets = 1_usize.checked_shl(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let work = sets
            .and_then(|sets| sets.checked_mul(allowed.len()))
            .and_then(|pairs| pairs.checked_mul(self.decisions.len()));
        let is_affordable = work.is_some_and(|work| work <= MOST_PAIRS);
        if !self.is_complete || !is_affordable {
            return ways;
        }
        let mut sets: Vec<usize> = (1..sets.unwrap_or_default()).collect();
        sets.sort_by_key(|set| set.count_ones());
        for set in sets {
            let places: Vec<usize> = (0..self.keys.len())
                .filter(|place| set >> place & 1 == 1)
                .collect();
            // A trial for which a smaller set is enough tells nothing about this one.
            let found = allowed.iter().find(|trial| {
                let mut smaller = ways.iter().filter(|way| {
                    let mut own = way.places.iter();
                    own.all(|place| places.contains(place))
                });
                self.suffices(**trial, &places)
                    && !smaller.any(|way| self.suffices(**trial, &way.places))
            });
            ways.extend(found.map(|trial| Combination {
                places,
                trial: *trial,
            }));
        }
        ways
    }

    /// Whether a trial is allowed whatever the keys hold that are not at these places.
    fn suffices(&self, trial: usize, places: &[usize]) -> bool {
        let mut decisions = self.decisions.iter().enumerate();
        decisions.all(|(other, decision)| {
            *decision == Decision::Allowed || !self.agree(trial, other, places)
        })
    }

    /// Whether two trials have the same values at these places.
    fn agree(&self, one: usize, other: usize, places: &[usize]) -> bool {
        let (mut one, mut other) = (one, other);
        self.values.iter().enumerate().all(|(place, values)| {
            let is_same = one % values.len() == other % values.len();
            one /= values.len();
            other /= values.len();
            is_same || !places.contains(&place)
        })
    }

    fn conclude<'p>(
        &self,
        request: &Request<'_>,
        policies: &'p Policies<'p>,
        partial: &PartialEvaluation<'p>,
    ) -> Evaluation {
        let first = self.decisions.first();
        if self.is_complete && self.decisions.iter().all(|one| Some(one) == first) {
            let assumed = self.assumption(0);
            let reading = ContextReading {
                context: request.context,
                assumed: &assumed,
            };
            let settled = partial.under(request, policies, reading);
            return explain::conclude(request, policies, &settled);
        }
        let depends_on = self.deciding_keys();
        let ways = self.ways();
        let outcomes = self.outcomes(&ways);
        let named = |way: &Combination| -> Vec<String> {
            let keys = way.places.iter().filter_map(|place| self.keys.get(*place));
            keys.map(|key| (*key).to_owned()).collect()
        };
        let dependency = if ways.is_empty() {
            Dependency::any_of_sets([depends_on.clone()])
        } else {
            Dependency::any_of_sets(ways.iter().map(named))
        };
        let is_shut = partial.layers.allowed == Truth::No || partial.layers.deny == Truth::Yes;
        let is_reached = self.decisions.contains(&Decision::Allowed);
        Evaluation {
            can_be_allowed: !is_shut && (is_reached || !self.is_complete),
            decision: Decision::Depends,
            deciding: partial.deciding(Truth::Unknown),
            denied_by: None,
            explanation: explain::depends(
                request,
                &depends_on,
                &dependency,
                &outcomes,
                self.is_complete,
            ),
            depends_on,
            dependency: Some(dependency),
            outcomes,
            is_exhaustive: self.is_complete,
        }
    }
}
