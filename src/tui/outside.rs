//! The words of the work room that the wizard speaks, in one place.

use jiff::Timestamp;

use super::consent::{Proposed, ProposedChange};
use crate::assess::facts::Facts;
use crate::assess::fingerprint::{Fingerprint, fingerprints};
use crate::assess::remedy::{self, Fix, Remedies, Remedy, Terms};
use crate::assess::requirement::Criticality;
use crate::assess::verdict::{
    self, AssessedRequirement, MissingInput, Responsible, Verdict, VerdictGroup,
};
use crate::job::Plan;
use crate::journal::RunRecord;
use crate::work;
pub use crate::work::change::ReadBack;
use crate::work::event::OperationProgress;
pub use crate::work::probe::{LEAVES, Left, NOT_SHOWN};
pub use crate::work::{
    Applied, Blocker, Briefing, ChangeId, ChangeKind, ChangeRecord, Held, Identified, Probe,
    ProbeRecord, ProbeReport, Proposal, Standing, UndoProposal, Undone,
};
use tableferry_policy::evaluate::Principal;

/// A run of the journal, as the wizard shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub id: i64,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The account that exports.
    pub source: String,
    /// The bucket and prefix.
    pub destination: String,
    /// Its exports.
    pub exports: Vec<OperationProgress>,
    /// Its plan, so that its sides can be signed in again.
    pub plan: Option<Plan>,
}

impl From<RunRecord> for RunSummary {
    fn from(run: RunRecord) -> Self {
        let file = format!("the plan of run {}", run.id);
        Self {
            id: run.id.0,
            created_at: run.created_at,
            source: run.source_account,
            destination: run.destination,
            exports: run.operations.iter().map(OperationProgress::of).collect(),
            plan: Plan::parse(&run.plan, &file, run.created_at).ok(),
        }
    }
}

/// What was read of both accounts for a plan, what it comes to, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// When the reading began.
    pub read_at: Timestamp,
    /// The verdicts in the order in which they are shown: groups of one mender, those with something
    /// to mend first.
    pub verdicts: Vec<AssessedRequirement>,
    /// What mends them, in the order in which it is to be done.
    pub remedies: Vec<Remedy>,
    /// What can be done about each of them from here.
    pub ways: Vec<Way>,
    /// The text to send to each mender but the operator.
    pub letters: Vec<(Responsible, String)>,
    /// The plan with what the remedies change in it.
    pub mended_plan: Plan,
    /// Whether the caller goes by an ARN that AWS gives. What policies mean for another nobody can
    /// tell, so that a denial then is no more than a warning.
    pub is_caller_of_aws: bool,
    /// What was read for each of the plan's exports, in its order.
    pub fingerprints: Vec<Fingerprint>,
    /// The probe as it would be made, or why it cannot be. One is made at most once.
    pub probe: Result<Box<Probe>, String>,
    /// When the probe was made whose outcome is among the facts.
    pub probed_at: Option<Timestamp>,
}

/// What can be done about a remedy from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// An account is changed, with consent.
    Change(Box<Proposed>),
    /// The plan is changed.
    Plan,
    /// Nothing, and why.
    Nothing(String),
}

impl Judged {
    /// Judges a plan by what was read; takes tens of milliseconds. `name_to_type` tells the name that
    /// has to be typed before a change.
    #[must_use]
    pub fn of(
        plan: &Plan,
        facts: &Facts,
        now: Timestamp,
        name_to_type: impl Fn(&Proposal) -> Option<String>,
    ) -> Self {
        let found = remedy::remedies(plan, facts, now, Terms::default());
        let ways = ways(&found, facts, name_to_type);
        let mut menders: Vec<Responsible> = Vec::new();
        for remedy in &found.remedies {
            if remedy.responsible != Responsible::You && !menders.contains(&remedy.responsible) {
                menders.push(remedy.responsible.clone());
            }
        }
        let letters = menders.into_iter().map(|responsible| {
            let text = remedy::letter(&responsible, &found.remedies, plan, facts, None);
            (responsible, text)
        });
        let caller = facts.source.caller.arn.to_string();
        Self {
            read_at: facts.surveyed_at,
            verdicts: in_order(&verdict::judge(plan, facts, now)),
            letters: letters.collect(),
            ways,
            remedies: found.remedies,
            mended_plan: found.plan,
            is_caller_of_aws: Principal::parse(&caller).is_some(),
            fingerprints: fingerprints(plan, facts),
            probe: Err("none was drawn up".to_owned()),
            probed_at: None,
        }
    }

    /// Lets nothing be changed and no probe be made, for this reason.
    pub fn hold_back(&mut self, why: &str) {
        for way in &mut self.ways {
            if matches!(way, Way::Change(_)) {
                *way = Way::Nothing(why.to_owned());
            }
        }
        self.probe = Err(why.to_owned());
    }

    /// What the export is certain to fail by.
    pub fn fatal(&self) -> impl Iterator<Item = &AssessedRequirement> {
        self.verdicts.iter().filter(|verdict| {
            self.is_caller_of_aws
                && verdict.outcome == Verdict::Denied
                && verdict.criticality == Criticality::Required
        })
    }

    /// The verdicts as they are told: unknowns of one cause together.
    #[must_use]
    pub fn groups(&self) -> Vec<VerdictGroup<'_>> {
        verdict::grouped_by_cause(&self.verdicts)
    }

    /// What could not be read, and is assumed not to forbid anything; each once.
    #[must_use]
    pub fn assumed(&self) -> Vec<MissingInput> {
        verdict::assumptions(&self.verdicts)
    }

    /// The text to send to whoever can do a remedy; none where that is the operator.
    #[must_use]
    pub fn letter(&self, remedy: &Remedy) -> Option<&str> {
        let (_, text) = self
            .letters
            .iter()
            .find(|(responsible, _)| *responsible == remedy.responsible)?;
        Some(text)
    }

    /// Why a remedy that is sound cannot be done from here.
    #[must_use]
    pub fn reason(&self, place: usize) -> Option<&str> {
        match self.ways.get(place) {
            Some(Way::Nothing(reason)) if !reason.is_empty() => {
                let is_sound = self.remedies.get(place).is_some_and(Remedy::is_sound);
                is_sound.then_some(reason)
            }
            _ => None,
        }
    }

    /// The place of the remedy that resolves a verdict's requirement.
    #[must_use]
    pub fn remedy_of(&self, verdict: &AssessedRequirement) -> Option<usize> {
        if verdict.outcome.is_allowed() {
            return None;
        }
        let id = verdict.requirement.id();
        self.remedies
            .iter()
            .position(|remedy| remedy.resolves.contains(&id))
    }
}

/// What can be done about each remedy.
fn ways(
    found: &Remedies,
    facts: &Facts,
    name_to_type: impl Fn(&Proposal) -> Option<String>,
) -> Vec<Way> {
    let proposals = work::proposals(found, facts);
    let reasons = work::not_proposed(found, facts);
    let way = |remedy: &Remedy| {
        let proposal = proposals.iter().find(|found| found.remedy == *remedy);
        if let Some(proposal) = proposal {
            return Way::Change(Box::new(Proposed {
                change: ProposedChange::Apply(Box::new(proposal.clone())),
                name_to_type: name_to_type(proposal),
            }));
        }
        if matches!(remedy.fix, Fix::Plan { .. }) {
            return Way::Plan;
        }
        let reason = reasons.iter().find(|(of, _)| **of == *remedy);
        Way::Nothing(reason.map_or_else(String::new, |(_, reason)| reason.clone()))
    };
    found.remedies.iter().map(way).collect()
}

/// The verdicts as they are shown.
fn in_order(verdicts: &[AssessedRequirement]) -> Vec<AssessedRequirement> {
    let mut groups = verdict::by_responsible(verdicts);
    groups.sort_by_key(|(_, group)| group.iter().all(|verdict| verdict.outcome.is_allowed()));
    let verdicts = groups.into_iter().flat_map(|(_, group)| group);
    verdicts.cloned().collect()
}
