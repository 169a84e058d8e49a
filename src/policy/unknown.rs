//! Requests whose answer depends on context keys that nobody can tell.
//!
//! The weighing in three values already is sound, but it takes every doubtful condition for
//! independent of every other. So the keys are tried with example values, all together: where the
//! examples cover everything that the keys could hold, what they lead to is the exact answer; where
//! they do not, the answer stays *depends*.

use std::collections::HashSet;

use super::condition::{self, Assumption, Reading, Truth};
use super::document::Version;
use super::evaluate::{self, Decision, Evaluation, Outcome, Policies, Request};
use super::verdict::{self, Hit, Weighed};
use super::witness::{self, Doubtful, Witnesses};

/// How many combinations of values are tried at most.
const MOST_TRIALS: usize = 4096;

/// Finds out what the unknown keys lead to.
pub(crate) fn resolve(
    request: &Request<'_>,
    policies: &Policies<'_>,
    weighed: &Weighed<'_>,
) -> Evaluation {
    let doubtful: Vec<Doubtful<'_>> = weighed
        .hits
        .iter()
        .filter(|hit| hit.truth == Truth::Unknown)
        .filter_map(|hit| Some((hit.statement?.1, hit.version)))
        .collect();
    let keys: Vec<&str> = request
        .context
        .unknown_keys()
        .filter(|key| is_asked(key, &doubtful) || is_asked_by_grant(key, &weighed.hits))
        .collect();
    let found = keys
        .iter()
        .map(|key| {
            let found = witness::witnesses(key, &doubtful, request.resource, request.context);
            distinct(found, key, &doubtful, request)
        })
        .collect();
    let mut trials = Trials::new(keys, found);
    // What a grant asks of the encryption context is not among the statements.
    trials.is_complete &= !weighed
        .hits
        .iter()
        .any(|hit| hit.truth == Truth::Unknown && hit.statement.is_none());
    trials.run(request, policies);
    trials.conclude(request, policies, weighed)
}

/// Keeps one value of those for which every statement comes out alike.
fn distinct(
    found: Witnesses,
    key: &str,
    statements: &[Doubtful<'_>],
    request: &Request<'_>,
) -> Witnesses {
    let mut seen = HashSet::new();
    let tells_apart = |value: &Option<Vec<String>>| {
        let assumed = [(key, value.clone())];
        let reading = Reading {
            context: request.context,
            assumed: &assumed,
        };
        let mut outcome = Vec::new();
        for (statement, version) in statements {
            for condition in &statement.conditions {
                outcome.push(condition::condition_holds(condition, *version, reading));
            }
            if let Some(resources) = &statement.resources {
                outcome.push(verdict::resource_applies(
                    resources,
                    request.resource,
                    *version,
                    reading,
                ));
            }
        }
        seen.insert(outcome)
    };
    // Values that are compared with another unknown key cannot be told apart one key at a time.
    let values = if found.is_complete {
        found.values.into_iter().filter(tells_apart).collect()
    } else {
        found.values
    };
    Witnesses { values, ..found }
}

fn is_asked(key: &str, statements: &[Doubtful<'_>]) -> bool {
    statements.iter().any(|(statement, version)| {
        let in_conditions = statement.conditions.iter().any(|condition| {
            condition.key.value.eq_ignore_ascii_case(key)
                || condition
                    .values
                    .iter()
                    .any(|value| witness::names(&value.value, key))
        });
        let in_resources = statement.resources.as_ref().is_some_and(|resources| {
            resources
                .items
                .iter()
                .any(|item| witness::names(&item.value, key))
        });
        in_conditions || (in_resources && *version == Version::Current)
    })
}

fn is_asked_by_grant(key: &str, hits: &[Hit<'_>]) -> bool {
    const PREFIX: &str = "kms:EncryptionContext:";
    key.get(..PREFIX.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(PREFIX))
        && hits
            .iter()
            .any(|hit| hit.statement.is_none() && hit.truth == Truth::Unknown)
}

/// All combinations of the keys' values, counted like the digits of a number.
struct Trials<'k> {
    keys: Vec<&'k str>,
    values: Vec<Vec<Option<Vec<String>>>>,
    is_complete: bool,
    decisions: Vec<Decision>,
}

impl<'k> Trials<'k> {
    fn new(keys: Vec<&'k str>, found: Vec<Witnesses>) -> Self {
        let is_complete = found.iter().all(|witnesses| witnesses.is_complete);
        Self {
            keys,
            values: found
                .into_iter()
                .map(|witnesses| witnesses.values)
                .collect(),
            is_complete,
            decisions: Vec::new(),
        }
    }

    fn run(&mut self, request: &Request<'_>, policies: &Policies<'_>) {
        let count = self
            .values
            .iter()
            .try_fold(1_usize, |count, values| count.checked_mul(values.len()));
        let count = count.filter(|count| *count <= MOST_TRIALS);
        self.is_complete &= count.is_some();
        for index in 0..count.unwrap_or(MOST_TRIALS) {
            let assumed = self.assumption(index);
            let reading = Reading {
                context: request.context,
                assumed: &assumed,
            };
            let decision = verdict::weigh(request, policies, reading).decision();
            self.decisions.push(decision);
        }
    }

    /// The values that a trial assumes.
    fn assumption(&self, mut index: usize) -> Vec<Assumption<'k>> {
        self.keys
            .iter()
            .zip(&self.values)
            .map(|(key, values)| {
                let value = values.get(index % values.len()).cloned().flatten();
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

    /// One example for each decision that was reached.
    fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (index, decision) in self.decisions.iter().enumerate() {
            if outcomes.iter().all(|outcome| outcome.decision != *decision) {
                outcomes.push(Outcome {
                    when: self
                        .assumption(index)
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                    decision: *decision,
                });
            }
        }
        outcomes
    }

    fn conclude(
        &self,
        request: &Request<'_>,
        policies: &Policies<'_>,
        weighed: &Weighed<'_>,
    ) -> Evaluation {
        let outcomes = self.outcomes();
        if self.is_complete && outcomes.len() == 1 {
            let assumed = self.assumption(0);
            let reading = Reading {
                context: request.context,
                assumed: &assumed,
            };
            return evaluate::conclude(
                request,
                policies,
                &verdict::weigh(request, policies, reading),
            );
        }
        let depends_on = self.deciding_keys();
        Evaluation {
            decision: Decision::Depends,
            deciding: weighed.deciding(Truth::Unknown),
            denied_by: None,
            explanation: super::explain::depends(request, &depends_on, &outcomes),
            depends_on,
            outcomes,
        }
    }
}
