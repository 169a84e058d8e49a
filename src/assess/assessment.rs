//! The assessment: the only answer to "can this job run?".
//!
//! It holds the facts and what they mean for each requirement of a plan. The commands and the wizard
//! read this one value, and judge nothing themselves.

use jiff::{SignedDuration, Timestamp};

use super::cost::Estimate;
use super::facts::{Facts, ObservedCall};
use super::fingerprint::{Fingerprint, fingerprints};
use super::job_facts::owner_sent;
use super::judge::judge;
use super::limits::Limits;
use super::remedy::{self, GrantOptions, Remedies};
use super::verdict::{
    AssessedRequirement, Check, Counts, MissingInput, Overall, assumptions, overall,
};
use crate::job::Plan;
use tableferry_policy::evaluate::Principal;

/// For how long an assessment is good enough to start by.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What a plan requires, and what the facts say of each of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The plan.
    pub plan: Plan,
    /// What was read.
    pub facts: Facts,
    /// The time for which it is made.
    pub made_at: Timestamp,
    /// Every requirement with its verdict: permissions, then settings and times, then limits.
    pub requirements: Vec<AssessedRequirement>,
    /// What its exports are billed for.
    pub estimate: Estimate,
}

impl Assessment {
    /// Assesses a plan by facts, as if the job were started at `now`; takes tens of milliseconds.
    #[must_use]
    pub fn of(plan: &Plan, facts: Facts, limits: &Limits, now: Timestamp) -> Self {
        let mut requirements = judge(plan, &facts, now);
        requirements.extend(limits.assess(plan, &facts));
        Self {
            plan: plan.clone(),
            estimate: Estimate::of(plan, &facts, &limits.prices),
            facts,
            made_at: now,
            requirements,
        }
    }

    /// The same with calls that were observed since.
    #[must_use]
    pub fn with_calls(&self, calls: &[ObservedCall]) -> Self {
        let mut facts = self.facts.clone();
        facts.tried.extend_from_slice(calls);
        let mut requirements = judge(&self.plan, &facts, self.made_at);
        // No call moves a limit.
        let limits = self
            .requirements
            .iter()
            .filter(|found| found.is_of(Check::Limit));
        requirements.extend(limits.cloned());
        Self {
            plan: self.plan.clone(),
            estimate: self.estimate.clone(),
            facts,
            made_at: self.made_at,
            requirements,
        }
    }

    /// What all of it results in. Where `is_strict`, what was assumed counts as unknown.
    #[must_use]
    pub fn overall(&self, is_strict: bool) -> Overall {
        overall(&self.requirements, is_strict)
    }

    /// How many verdicts there are of each kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.requirements)
    }

    /// What could not be read, and is assumed not to forbid anything; each once.
    #[must_use]
    pub fn assumed(&self) -> Vec<MissingInput> {
        assumptions(&self.requirements)
    }

    /// What puts the plan out of bounds: limits and partitions, which no remedy moves.
    pub fn out_of_bounds(&self) -> impl Iterator<Item = &AssessedRequirement> {
        self.requirements
            .iter()
            .filter(|found| found.is_out_of_bounds())
    }

    /// Whether something is denied that nothing forces: a limit, a partition, or a bucket owner that is
    /// sent and does not match.
    #[must_use]
    pub fn is_beyond_force(&self) -> bool {
        let sends_owner = owner_sent(&self.plan, &self.facts).is_some();
        let is_wrong_owner =
            |found: &AssessedRequirement| found.is_fatal() && found.is_of(Check::BucketOwner);
        self.requirements
            .iter()
            .any(|found| found.is_out_of_bounds() || (sends_owner && is_wrong_owner(found)))
    }

    /// What the job is certain to fail by.
    ///
    /// What policies mean for a caller who does not go by an ARN of AWS is not known, so that their
    /// denials are no more than warnings then.
    pub fn fatal(&self) -> impl Iterator<Item = &AssessedRequirement> {
        let caller = self.facts.source().caller.arn.to_string();
        let is_of_aws = Principal::parse(&caller).is_some();
        self.requirements
            .iter()
            .filter(move |found| found.is_fatal() && (is_of_aws || found.stops_the_call()))
    }

    /// What fixes it.
    #[must_use]
    pub fn remedies(&self, grant_options: GrantOptions) -> Remedies {
        self.remedies_with(grant_options, &[])
    }

    /// What fixes it, where the Denies that name the exporter and are given here by Sid or index may
    /// be changed, too.
    #[must_use]
    pub fn remedies_with(&self, grant_options: GrantOptions, change_denies: &[String]) -> Remedies {
        let (plan, facts) = (&self.plan, &self.facts);
        remedy::remedies_with(plan, facts, self.made_at, grant_options, change_denies)
    }

    /// What was read for each of the plan's exports, in its order.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        fingerprints(&self.plan, &self.facts)
    }

    /// Whether it is too old to start by.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.facts.surveyed_at) > GOOD_FOR
    }
}
