//! Remedies: the least that fixes what a plan is denied, found for all tables together.
//!
//! A remedy is drawn up for each document, all of them are put into a copy of the facts, and the plan
//! is judged again, until nothing new is found missing: behind a missing statement there may be a
//! Deny. What policies of the organization, boundaries and session policies forbid is nothing that an
//! operator can fix in a document; there the remedy is a text for the one who can. A verdict that is
//! *unknown* has no remedy but to read what was not read, unless the caller's own policies settle it.

mod adjust;
mod draft;
mod estimate;
mod exempt;
mod message;
mod notes;
mod proof;
mod recovery_cost;
mod request_text;
mod search;
mod statement;
mod target;
mod whole;

pub use estimate::estimate;
pub use notes::notes;
pub use request_text::request_text;
pub use target::Target;
pub use whole::{WholePolicy, from_scratch, whole};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::facts::Facts;
use super::principal::SourcePrincipal;
use super::responsible::Responsible;
use super::verdict::AssessedRequirement;
use crate::job::Plan;
use crate::job::requirement::{RequiredPermission, RequirementId};
use tableferry_policy::arn::Arn;

/// What is asked of the remedies.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrantOptions {
    /// Until when what is granted holds; for good where there is none.
    pub expires: Option<Timestamp>,
    /// How long the export is expected to take, to judge whether `expires` leaves it enough.
    pub estimate: Option<SignedDuration>,
}

impl GrantOptions {
    /// The least that a grant must hold from now on, three times the estimate, where it holds for
    /// less: an export that takes longer than was thought would fail on the way.
    #[must_use]
    pub fn is_shorter_than(&self, now: Timestamp) -> Option<SignedDuration> {
        let least = self.estimate?.checked_mul(3)?;
        // The end is cut to whole seconds.
        let length = self.expires?.duration_since(now).as_secs().checked_add(1)?;
        (length < least.as_secs()).then_some(least)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// A document is written.
    Document {
        /// Which.
        target: Target,
        /// The live document; `None` where there is none.
        before: Option<String>,
        /// The whole document as it should be.
        after: String,
        /// The difference, as a person reads it.
        diff: String,
        /// The Sids of the statements that are added, by which they are found and removed again.
        added: Vec<String>,
        /// The Denies that are given an exemption.
        exempt: Vec<ExemptingDeny>,
    },
    /// Point-in-time recovery is switched on.
    EnableRecovery {
        /// The table.
        table: Arn,
    },
    /// The plan is changed.
    Plan {
        /// The key in the plan file, such as `destination.owner`.
        key: &'static str,
        /// The value.
        value: String,
        /// Why, in a sentence's half.
        why: String,
    },
    /// Somebody else has to fix it; this is what to tell them.
    RequestText {
        /// The text.
        text: String,
    },
}

/// A Deny of a document that is given an exemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptingDeny {
    /// Its Sid or index, as verdicts name it.
    pub sid: String,
    /// The permissions that it hits.
    pub hits: Vec<RequiredPermission>,
    /// Whether it names the exporter, which is taken out of it: its author meant that principal, so
    /// that its Sid is typed before it is changed.
    pub names_exporter: bool,
}

/// One remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What is to be done.
    pub fix: Fix,
    /// Who can do it.
    pub responsible: Responsible,
    /// The requirements that it resolves.
    pub resolves: Vec<RequirementId>,
    /// What else it lets through; empty where it grants no more than was missing.
    pub lets_through: Vec<String>,
    /// Those of `resolves` that are not denied without it, but depend on what nobody can tell before.
    pub depending: Vec<RequirementId>,
    /// What to know before it is done.
    pub warnings: Vec<String>,
    /// Why it must not be done as it stands; empty where it may be offered.
    pub problems: Vec<String>,
}

impl Remedy {
    /// Whether it may be offered: it was proved sound.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// The Denies that name the exporter and would no longer, by Sid or index.
    pub fn denies_to_type(&self) -> impl Iterator<Item = &str> {
        let exempt: &[ExemptingDeny] = match &self.fix {
            Fix::Document { exempt, .. } => exempt,
            _ => &[],
        };
        let named = exempt.iter().filter(|deny| deny.names_exporter);
        named.map(|deny| deny.sid.as_str())
    }

    /// What it resolves, in words: a line for each requirement.
    #[must_use]
    pub fn resolves_in_words(&self) -> Vec<String> {
        if let Fix::Plan { why, .. } = &self.fix {
            return vec![why.clone()];
        }
        let ids = self.resolves.iter();
        ids.flat_map(|id| self.words_of(id)).collect()
    }

    /// One requirement that it resolves, in words.
    fn words_of(&self, id: &RequirementId) -> Vec<String> {
        match &self.fix {
            Fix::Document { target, exempt, .. } => words_of_hits(id, target, exempt),
            _ => vec![id.to_string()],
        }
    }

    /// The remedy for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fix = match &self.fix {
            Fix::Document {
                target,
                before,
                after,
                diff,
                added,
                exempt,
            } => json!({
                "kind": "document",
                "target": target.to_string(),
                "before": before,
                "after": after,
                "diff": diff,
                "added": added,
                "exempt": exempt.iter().map(|deny| &deny.sid).collect::<Vec<_>>(),
                "denies_to_type": self.denies_to_type().collect::<Vec<_>>(),
            }),
            Fix::EnableRecovery { table } => {
                json!({ "kind": "enable_recovery", "table": table })
            }
            Fix::Plan { key, value, .. } => json!({ "kind": "plan", "key": key, "value": value }),
            Fix::RequestText { text } => json!({ "kind": "message", "text": text }),
        };
        json!({
            "fix": fix,
            "responsible": self.responsible.to_string(),
            "resolves": self.resolves_in_words(),
            "resolves_ids": self.resolves,
            "lets_through": self.lets_through,
            "warnings": self.warnings,
            "problems": self.problems,
        })
    }
}

/// A line for each Deny that a document exempts a requirement from; else its own words.
fn words_of_hits(id: &RequirementId, target: &Target, exempt: &[ExemptingDeny]) -> Vec<String> {
    let hits = exempt.iter().flat_map(|deny| {
        let of_id = deny.hits.iter().filter(|need| need.id() == *id);
        of_id.map(|need| {
            let sid = &deny.sid;
            let reason = need.reason;
            format!("{id}, which the Deny `{sid}` of the {target} hits: {reason}")
        })
    });
    let words: Vec<String> = hits.collect();
    if words.is_empty() {
        vec![id.to_string()]
    } else {
        words
    }
}

/// All remedies of a plan, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedies {
    /// The remedies, in the order in which they are to be done.
    pub remedies: Vec<Remedy>,
    /// The plan with what the remedies change in it.
    pub plan: Plan,
    /// The verdicts as they would be with every sound remedy done.
    pub after: Vec<AssessedRequirement>,
    /// Denies that name the exporter and stay as they are, by Sid or index.
    pub named_denies: Vec<String>,
}

impl Remedies {
    /// What none of the remedies fixes.
    pub fn open(&self) -> impl Iterator<Item = &AssessedRequirement> {
        self.after
            .iter()
            .filter(|verdict| !verdict.outcome.is_allowed())
    }
}

/// Finds the remedies for a plan.
#[must_use]
pub fn remedies(
    plan: &Plan,
    facts: &Facts,
    now: Timestamp,
    grant_options: GrantOptions,
) -> Remedies {
    remedies_with(plan, facts, now, grant_options, &[])
}

/// Finds the remedies for a plan, and takes the exporter out of the Denies that name it and are given
/// here by Sid or index; the others are asked for in a request text.
#[must_use]
pub fn remedies_with(
    plan: &Plan,
    facts: &Facts,
    now: Timestamp,
    grant_options: GrantOptions,
    change_denies: &[String],
) -> Remedies {
    let mut search = search::RemedySearch::new(plan, facts, now, grant_options, change_denies);
    search.run();
    search.conclude()
}

/// What to tell about a grant that ends ("judged at every upload").
fn warnings_of_expiry(plan: &Plan, grant_options: GrantOptions, now: Timestamp) -> Vec<String> {
    let Some(expires) = grant_options.expires else {
        return Vec::new();
    };
    let noun = plan.words().noun;
    let mut warnings = vec![format!(
        "the grant ends at {expires}; every upload is judged by it, so that an {noun} still running \
         then fails. Take the dead statement away afterwards"
    )];
    let length = expires.duration_since(now);
    if grant_options.estimate.is_none() && !plan.tables.is_empty() {
        warnings.push(
            "how long the export will take is not known: AWS documents no throughput, and there is \
             no earlier export of each table to go by. Leave it at least three times what it may take"
                .to_owned(),
        );
    }
    if let Some(wanted) = grant_options.is_shorter_than(now) {
        warnings.push(format!(
            "the grant holds for {} minutes, and three times the estimate is {}",
            length.as_mins(),
            wanted.as_mins()
        ));
    }
    warnings
}

/// What to tell about a statement of ours that is taken out since its time is over.
fn word_of_ended(sid: &str) -> String {
    format!("the statement `{sid}` is taken out: its time is over, and it grants nothing any more")
}

/// What to tell about a statement whose Sid another one has: that one stays, no matter who put it there.
fn word_of_renamed((wanted, given): &(String, String)) -> String {
    format!(
        "the document has another statement `{wanted}`, which says something else and stays as it is: \
         the new one is called `{given}`"
    )
}

/// What to tell about an exemption where a grant was asked for that ends: a condition inside a Deny
/// has no time of its own, short of denying everybody again by another statement.
fn warning_of_exemption(
    plan: &Plan,
    exempt: &[ExemptingDeny],
    grant_options: GrantOptions,
) -> Option<String> {
    let expires = grant_options.expires.filter(|_| !exempt.is_empty())?;
    Some(format!(
        "what is put into the Deny `{}` does not end at {expires}, nor by itself at any other time: \
         take it away after the {}",
        sids(exempt).join("` and the Deny `"),
        plan.words().noun
    ))
}

fn sids(exempt: &[ExemptingDeny]) -> Vec<&str> {
    exempt.iter().map(|deny| deny.sid.as_str()).collect()
}

/// What to know before a document grants a principal anything. That a role of IAM Identity Center
/// cannot be edited by hand is nothing to the one who owns a bucket or a key.
fn caution(principal: &SourcePrincipal, target: &Target) -> Option<String> {
    if target.is_resource_policy() {
        principal.caution_of_naming()
    } else {
        principal.caution()
    }
}
