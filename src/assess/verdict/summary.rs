//! What the verdicts of a plan come to together, how many there are of each kind, and which of them are
//! told as one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{AssessedRequirement, Check, MissingInput, Requirement, SettledBy, Verdict};
use crate::assess::responsible::Responsible;
use crate::job::requirement::{Actor, Criticality, RequiredPermission, Subject};

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
            counts.count(verdict);
        }
        counts
    }

    fn count(&mut self, verdict: &AssessedRequirement) {
        let count = match &verdict.outcome {
            Verdict::Allowed { assumed } => {
                self.allowed_with_assumptions += usize::from(!assumed.is_empty());
                &mut self.allowed
            }
            Verdict::Denied => &mut self.denied,
            Verdict::Depends { .. } => &mut self.depends,
            Verdict::Unknown { .. } => &mut self.unknown,
        };
        *count += 1;
    }

    /// How many there are.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.allowed + self.denied + self.depends + self.unknown
    }

    /// Those that there are, such as `198 allowed, 2 denied`.
    #[must_use]
    pub fn nonzero(&self) -> String {
        let counts = [
            (self.allowed, "allowed"),
            (self.denied, "denied"),
            (self.depends, "depend"),
            (self.unknown, "unknown"),
        ];
        let words = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }

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
    /// The others: unknown for want of the same reading and settled by the same, or one of many of the
    /// same family that come to the same.
    pub alike: Vec<&'v AssessedRequirement>,
    /// The family that they are of, where that is large.
    pub family: Option<Family>,
}

/// Requirements that differ in nothing but what they are of, such as one action on every table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// What is required, to be read before how many they are, such as `dynamodb:DescribeTable on`.
    pub title: String,
    /// What they are of, in the plural.
    pub of: &'static str,
    /// How many there are.
    pub size: usize,
}

/// From how many on requirements of one family are told together: fewer fit a screen one by one.
const MANY: usize = 9;

/// What requirements of one family have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FamilyKey {
    Action(Actor, &'static str, bool),
    Check(Check),
}

impl FamilyKey {
    fn of(requirement: &Requirement) -> Self {
        match requirement {
            Requirement::Permission(need) => Self::Action(need.who, need.action, is_of_key(need)),
            Requirement::Check { check, .. } => Self::Check(*check),
        }
    }

    fn family(self, size: usize) -> Family {
        let (title, is_key) = match self {
            Self::Action(Actor::Exporter, action, is_key) => (format!("{action} on"), is_key),
            Self::Action(Actor::Reader, action, is_key) => {
                (format!("{action} (destination) on"), is_key)
            }
            Self::Action(Actor::Service, action, is_key) => {
                (format!("{action} (service principal) on"), is_key)
            }
            Self::Check(Check::Table) => ("existence of".to_owned(), false),
            Self::Check(Check::KeyState) => ("state of".to_owned(), true),
            Self::Check(check) => (check.title().to_owned(), false),
        };
        Family {
            title,
            of: if is_key { "keys" } else { "tables" },
            size,
        }
    }
}

fn is_of_key(need: &RequiredPermission) -> bool {
    matches!(need.subject, Subject::TableKey | Subject::ObjectKey(_))
}

/// The large families among verdicts, each with what its members come to.
#[must_use]
pub fn large_families(verdicts: &[AssessedRequirement]) -> Vec<(Family, Counts)> {
    let mut members: BTreeMap<FamilyKey, Counts> = BTreeMap::new();
    let mut order = Vec::new();
    for verdict in verdicts {
        let key = FamilyKey::of(&verdict.requirement);
        if !members.contains_key(&key) {
            order.push(key);
        }
        members.entry(key).or_default().count(verdict);
    }
    let counted = order.into_iter().filter_map(|key| {
        let counts = *members.get(&key)?;
        (counts.all() >= MANY).then(|| (key.family(counts.all()), counts))
    });
    counted.collect()
}

/// Puts together what is told in one line, where the first of it stands: unknowns that have one cause,
/// and what comes to the same in a large family.
#[must_use]
pub fn grouped_by_cause<'v>(
    verdicts: impl IntoIterator<Item = &'v AssessedRequirement>,
) -> Vec<VerdictGroup<'v>> {
    let verdicts: Vec<&AssessedRequirement> = verdicts.into_iter().collect();
    let mut sizes: BTreeMap<FamilyKey, usize> = BTreeMap::new();
    for verdict in &verdicts {
        *sizes
            .entry(FamilyKey::of(&verdict.requirement))
            .or_default() += 1;
    }
    let mut told: Vec<VerdictGroup<'v>> = Vec::new();
    for verdict in verdicts {
        let key = FamilyKey::of(&verdict.requirement);
        let size = sizes.get(&key).copied().unwrap_or_default();
        let is_large = size >= MANY;
        let is_alike = |other: &&mut VerdictGroup<'v>| {
            is_of_one_cause(verdict, other.verdict)
                || (is_large
                    && FamilyKey::of(&other.verdict.requirement) == key
                    && comes_to_the_same(verdict, other.verdict))
        };
        match told.iter_mut().find(is_alike) {
            Some(first) => first.alike.push(verdict),
            None => told.push(VerdictGroup {
                verdict,
                alike: Vec::new(),
                family: is_large.then(|| key.family(size)),
            }),
        }
    }
    told
}

fn is_of_one_cause(one: &AssessedRequirement, other: &AssessedRequirement) -> bool {
    let is_permission = |verdict: &AssessedRequirement| {
        matches!(verdict.outcome, Verdict::Unknown { .. })
            && matches!(verdict.requirement, Requirement::Permission(_))
    };
    is_permission(one)
        && is_permission(other)
        && one.outcome == other.outcome
        && one.responsible == other.responsible
}

/// Whether two verdicts of a family differ in nothing but what they are of.
fn comes_to_the_same(one: &AssessedRequirement, other: &AssessedRequirement) -> bool {
    let permissions = |unread: &[MissingInput]| {
        let permissions = unread.iter().map(|unread| unread.permission.clone());
        permissions.collect::<Vec<_>>()
    };
    let is_same_outcome = match (&one.outcome, &other.outcome) {
        (Verdict::Allowed { .. }, Verdict::Allowed { .. }) | (Verdict::Denied, Verdict::Denied) => {
            true
        }
        (
            Verdict::Depends { on, unread },
            Verdict::Depends {
                on: other_on,
                unread: other_unread,
            },
        ) => on == other_on && permissions(unread) == permissions(other_unread),
        (
            Verdict::Unknown { unread, settled_by },
            Verdict::Unknown {
                unread: other_unread,
                settled_by: other_settled_by,
            },
        ) => settled_by == other_settled_by && permissions(unread) == permissions(other_unread),
        _ => false,
    };
    let statements = |verdict: &AssessedRequirement| {
        let deciding = verdict.deciding.iter();
        let named = deciding.map(|one| (one.policy.clone(), one.sid.clone()));
        named.collect::<Vec<_>>()
    };
    is_same_outcome
        && one.responsible == other.responsible
        && one.criticality == other.criticality
        && one.denied_by == other.denied_by
        && one.expected_error == other.expected_error
        && one.cautions.is_empty() == other.cautions.is_empty()
        && (one.outcome.is_allowed() || statements(one) == statements(other))
}

impl VerdictGroup<'_> {
    /// The group in words where it is one of a large family's, such as `dynamodb:DescribeTable on 198 of
    /// 200 tables`; of a single one it says which.
    #[must_use]
    pub fn in_family(&self) -> Option<String> {
        let family = self.family.as_ref()?;
        let count = self.alike.len() + 1;
        Some(match count {
            1 => return None,
            all if all == family.size => format!("{} {all} {}", family.title, family.of),
            some => format!("{} {some} of {} {}", family.title, family.size, family.of),
        })
    }
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
