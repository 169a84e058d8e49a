//! What the verdicts of a plan come to together, how many there are of each kind, and which of them are
//! told as one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{AssessedRequirement, MissingInput, Requirement, SettledBy, Verdict};
use crate::assess::responsible::Responsible;
use crate::job::requirement::Criticality;

/// What all verdicts come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overall {
    /// All is allowed.
    Allowed,
    /// Something depends or is unknown, or what follows and verifies the export is denied.
    Undecided,
    /// Something that the export cannot do without is denied.
    Denied,
}

/// Sums up verdicts. Where `is_strict`, what was assumed counts as unknown.
#[must_use]
pub fn overall(verdicts: &[AssessedRequirement], is_strict: bool) -> Overall {
    let of_one = |verdict: &AssessedRequirement| match (&verdict.outcome, verdict.criticality) {
        (Verdict::Denied, Criticality::Required) => Overall::Denied,
        (Verdict::Allowed { assumed }, _) if assumed.is_empty() || !is_strict => Overall::Allowed,
        // Nothing is lost by trying.
        (
            Verdict::Unknown {
                settled_by: SettledBy::Start,
                ..
            },
            _,
        ) if !is_strict => Overall::Allowed,
        _ => Overall::Undecided,
    };
    verdicts
        .iter()
        .map(of_one)
        .max()
        .unwrap_or(Overall::Allowed)
}

/// How many verdicts there are of each kind: the one way to count them, for text, JSON and screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Allowed, with assumptions or without.
    pub allowed: usize,
    /// Of those, allowed as far as what could not be read does not forbid it.
    pub allowed_with_assumptions: usize,
    /// Denied.
    pub denied: usize,
    /// Depending on what nobody can tell before.
    pub depends: usize,
    /// Unknown.
    pub unknown: usize,
}

impl Counts {
    /// Counts verdicts.
    #[must_use]
    pub fn of(verdicts: &[AssessedRequirement]) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            let count = match &verdict.outcome {
                Verdict::Allowed { assumed } => {
                    counts.allowed_with_assumptions += usize::from(!assumed.is_empty());
                    &mut counts.allowed
                }
                Verdict::Denied => &mut counts.denied,
                Verdict::Depends { .. } => &mut counts.depends,
                Verdict::Unknown { .. } => &mut counts.unknown,
            };
            *count += 1;
        }
        counts
    }
}

impl Counts {
    /// How many are allowed, and how many of them rest on assumptions.
    #[must_use]
    pub fn allowed_in_words(&self) -> String {
        match self.allowed_with_assumptions {
            0 => format!("{} allowed", self.allowed),
            assumed => format!("{} allowed ({assumed} assumed)", self.allowed),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} denied, {} depend, {} unknown",
            self.allowed_in_words(),
            self.denied,
            self.depends,
            self.unknown
        )
    }
}

/// Verdicts that are told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictGroup<'v> {
    /// The first of them.
    pub verdict: &'v AssessedRequirement,
    /// The others: unknown for want of the same reading, and settled by the same.
    pub alike: Vec<&'v AssessedRequirement>,
}

/// Puts unknowns that have one cause together, where the first of them stands.
#[must_use]
pub fn grouped_by_cause<'v>(
    verdicts: impl IntoIterator<Item = &'v AssessedRequirement>,
) -> Vec<VerdictGroup<'v>> {
    let mut told: Vec<VerdictGroup<'v>> = Vec::new();
    for verdict in verdicts {
        let is_alike = |other: &&mut VerdictGroup<'v>| {
            matches!(verdict.outcome, Verdict::Unknown { .. })
                && matches!(verdict.requirement, Requirement::Permission(_))
                && matches!(other.verdict.requirement, Requirement::Permission(_))
                && other.verdict.outcome == verdict.outcome
                && other.verdict.responsible == verdict.responsible
        };
        match told.iter_mut().find(is_alike) {
            Some(first) => first.alike.push(verdict),
            None => told.push(VerdictGroup {
                verdict,
                alike: Vec::new(),
            }),
        }
    }
    told
}

/// What was assumed not to forbid what is allowed, each once.
#[must_use]
pub fn assumptions(verdicts: &[AssessedRequirement]) -> Vec<MissingInput> {
    let mut all: Vec<MissingInput> = Vec::new();
    for verdict in verdicts {
        if let Verdict::Allowed { assumed } = &verdict.outcome {
            all.extend(assumed.iter().cloned());
        }
    }
    all.sort_by(|one, other| (one.layer, &one.what).cmp(&(other.layer, &other.what)));
    all.dedup_by(|one, other| one.what == other.what && one.permission == other.permission);
    all
}

/// The verdicts by who can fix them, in the order of the responsible parties: those that need fixing
/// first within each group.
#[must_use]
pub fn by_responsible(
    verdicts: &[AssessedRequirement],
) -> Vec<(Responsible, Vec<&AssessedRequirement>)> {
    let mut groups: BTreeMap<&Responsible, Vec<&AssessedRequirement>> = BTreeMap::new();
    for verdict in verdicts {
        groups
            .entry(&verdict.responsible)
            .or_default()
            .push(verdict);
    }
    groups
        .into_iter()
        .map(|(responsible, mut group)| {
            group.sort_by_key(|verdict| verdict.outcome.is_allowed());
            (responsible.clone(), group)
        })
        .collect()
}
