//! The words of the work room that the wizard speaks, in one place.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::assess::assessment::Assessment;
use crate::assess::facts::Facts;
use crate::assess::remedy::{self, Fix, GrantOptions, Remedies, Remedy, WholePolicy};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{self, AssessedRequirement, MissingInput, VerdictGroup};
use crate::job::Plan;
use crate::journal::{RunId, RunRecord};
use crate::work;
pub use crate::work::change::ReadBack;
use crate::work::event::OperationProgress;
use crate::work::history::export_uri;
pub use crate::work::probe::Left;
pub use crate::work::{
    Applied, ChangeId, ChangeKind, ChangeRecord, Identified, InventoryProposal, InventoryStatus,
    Probe, ProbeRecord, ProbeReport, PropagationReport, PropagationStatus, Proposal,
    ReportVerification, StartSummary, UndoProposal, Undone,
};
use tableferry_policy::arn::AccountId;

/// What stands in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownProblem {
    /// What is the case.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// A change as it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What is to be done.
    pub change: ProposedChange,
    /// The name to type, where an account marked production is concerned.
    pub name_to_type: Option<String>,
}

/// What is to be done to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposedChange {
    /// A remedy is applied.
    Apply(Box<Proposal>),
    /// A change of ours is taken away.
    Undo(Box<UndoProposal>),
    /// The configuration of an inventory is written.
    SetUp(Box<InventoryProposal>),
}

impl Proposed {
    /// What is changed, such as `bucket policy of export-landing`.
    #[must_use]
    pub fn title(&self) -> &str {
        match &self.change {
            ProposedChange::Apply(proposal) => &proposal.title,
            ProposedChange::Undo(undo) => &undo.record.title,
            ProposedChange::SetUp(proposal) => &proposal.title,
        }
    }

    /// The account that is changed.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match &self.change {
            ProposedChange::Apply(proposal) => &proposal.account,
            ProposedChange::Undo(undo) => &undo.record.account,
            ProposedChange::SetUp(proposal) => &proposal.account,
        }
    }
}

/// A run of the journal, as the wizard shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub id: RunId,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The account that exports.
    pub source: String,
    /// The bucket and prefix.
    pub destination: String,
    /// Whether something is left to be done.
    pub is_open: bool,
    /// Its exports.
    pub exports: Vec<OperationProgress>,
    /// Where the files of those lie that are complete.
    pub uris: Vec<String>,
    /// Its plan, so that its sides can be signed in again.
    pub plan: Option<Plan>,
}

impl From<RunRecord> for RunSummary {
    fn from(run: RunRecord) -> Self {
        let file = format!("the plan of run {}", run.id);
        Self {
            is_open: run.is_open(),
            uris: run.operations.iter().filter_map(export_uri).collect(),
            id: run.id,
            created_at: run.created_at,
            source: run.source_account,
            destination: run.destination,
            exports: run.operations.iter().map(OperationProgress::of).collect(),
            plan: Plan::parse(&run.plan, &file, run.created_at).ok(),
        }
    }
}

/// A plan in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The file.
    pub path: PathBuf,
    /// The plan.
    pub plan: Plan,
}

/// What was read of both accounts for a plan, what it results in, and what fixes it.
#[derive(Debug, Clone)]
pub struct AssessedPlan {
    /// The assessment.
    pub assessment: Assessment,
    /// What a start would do, or why the journal cannot tell.
    pub start: Result<StartSummary, String>,
    /// The verdicts in the order in which they are shown: groups of one responsible party, those with something
    /// to fix first.
    pub verdicts: Vec<AssessedRequirement>,
    /// What fixes them, in the order in which it is to be done.
    pub remedies: Vec<Remedy>,
    /// What can be done about each of them from here.
    pub options: Vec<RemedyOption>,
    /// The text to send to each responsible party but the operator.
    pub request_texts: Vec<(Responsible, String)>,
    /// The plan with what the remedies change in it.
    pub fixed_plan: Plan,
    /// The policies that the plan needs from scratch, whether something is missing or not.
    pub policies: Vec<WholePolicy>,
    /// What to know before those are copied.
    pub notes: Vec<String>,
    /// The probe as it would be made, or why it cannot be. One is made at most once.
    pub probe: Result<Box<Probe>, String>,
    /// When the probe was made whose outcome is among the facts.
    pub probed_at: Option<Timestamp>,
}

/// What can be done about a remedy from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemedyOption {
    /// An account is changed, with consent.
    Change(Box<Proposed>),
    /// The plan is changed.
    Plan,
    /// Nothing, and why.
    Nothing(String),
}

impl AssessedPlan {
    /// Draws up what can be done about an assessment; takes tens of milliseconds. `name_to_type` tells
    /// the name that has to be typed before a change.
    #[must_use]
    pub fn new(
        assessment: Assessment,
        start: Result<StartSummary, String>,
        name_to_type: impl Fn(&Proposal) -> Option<String>,
    ) -> Self {
        let found = assessment.remedies(GrantOptions::default());
        let (plan, facts) = (&assessment.plan, &assessment.facts);
        let options = options(&found, facts, name_to_type);
        let mut responsible_parties: Vec<Responsible> = Vec::new();
        for remedy in &found.remedies {
            if remedy.responsible != Responsible::You
                && !responsible_parties.contains(&remedy.responsible)
            {
                responsible_parties.push(remedy.responsible.clone());
            }
        }
        let request_texts = responsible_parties.into_iter().map(|responsible| {
            let text = remedy::request_text(&responsible, &found.remedies, plan, facts, None);
            (responsible, text)
        });
        Self {
            verdicts: in_order(&assessment.requirements),
            request_texts: request_texts.collect(),
            options,
            policies: remedy::from_scratch(plan, facts),
            notes: remedy::notes(plan, facts),
            remedies: found.remedies,
            fixed_plan: found.plan,
            start,
            probe: Err("none was drawn up".to_owned()),
            probed_at: None,
            assessment,
        }
    }

    /// Lets nothing be changed and no probe be made, for this reason.
    pub fn hold_back(&mut self, why: &str) {
        for way in &mut self.options {
            if matches!(way, RemedyOption::Change(_)) {
                *way = RemedyOption::Nothing(why.to_owned());
            }
        }
        self.probe = Err(why.to_owned());
    }

    /// What the export is certain to fail by.
    pub fn fatal(&self) -> impl Iterator<Item = &AssessedRequirement> {
        self.assessment.fatal()
    }

    /// The first setting that AWS, or the configuration, is certain to refuse the call for.
    #[must_use]
    pub fn stopped_by(&self) -> Option<ShownProblem> {
        let mut settings = self.assessment.requirements.iter();
        let found = settings.find(|found| found.stops_the_call())?;
        Some(ShownProblem {
            what: found.explanation.clone(),
            hint: found.hint.clone(),
        })
    }

    /// The verdicts as they are shown: unknowns of one cause together.
    #[must_use]
    pub fn groups(&self) -> Vec<VerdictGroup<'_>> {
        verdict::grouped_by_cause(&self.verdicts)
    }

    /// What could not be read, and is assumed not to forbid anything; each once.
    #[must_use]
    pub fn assumed(&self) -> Vec<MissingInput> {
        self.assessment.assumed()
    }

    /// The text to send to the one who can do a remedy; none where that is the operator.
    #[must_use]
    pub fn request_text(&self, remedy: &Remedy) -> Option<&str> {
        let (_, text) = self
            .request_texts
            .iter()
            .find(|(responsible, _)| *responsible == remedy.responsible)?;
        Some(text)
    }

    /// Why a remedy that is sound cannot be done from here.
    #[must_use]
    pub fn reason(&self, place: usize) -> Option<&str> {
        match self.options.get(place) {
            Some(RemedyOption::Nothing(reason)) if !reason.is_empty() => {
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
fn options(
    found: &Remedies,
    facts: &Facts,
    name_to_type: impl Fn(&Proposal) -> Option<String>,
) -> Vec<RemedyOption> {
    let proposals = work::proposals(found, facts);
    let reasons = work::not_proposed(found, facts);
    let way = |remedy: &Remedy| {
        let proposal = proposals.iter().find(|found| found.remedy == *remedy);
        if let Some(proposal) = proposal {
            return RemedyOption::Change(Box::new(Proposed {
                change: ProposedChange::Apply(Box::new(proposal.clone())),
                name_to_type: name_to_type(proposal),
            }));
        }
        if matches!(remedy.fix, Fix::Plan { .. }) {
            return RemedyOption::Plan;
        }
        let reason = reasons.iter().find(|(of, _)| **of == *remedy);
        RemedyOption::Nothing(reason.map_or_else(String::new, |(_, reason)| reason.clone()))
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
