//! What the start screen lists, and how far a run is.

use crate::aws::dynamodb::ExportStatus;
use crate::tui::model::Model;
use crate::tui::model::flow::Flow;
use crate::tui::services::{RunSummary, SavedPlan};
use crate::tui::steps::FLOWS;
use crate::work::event::{OperationProgress, ProgressStage, Verification};

/// How many of the runs that ended are shown.
const MOST_ENDED: usize = 3;

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Left,
    Jobs,
    Ended,
    Plans,
}

impl Section {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Left => "Left to do",
            Self::Jobs => "Begin",
            Self::Ended => "Last runs",
            Self::Plans => "Plans here",
        }
    }
}

/// A row of the start screen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StartRow<'a> {
    /// A run in which something is left to be done.
    Left(&'a RunSummary),
    Flow(&'static Flow),
    Explain,
    Sandbox,
    /// A run that ended.
    Ended(&'a RunSummary),
    Plan(&'a SavedPlan),
}

impl StartRow<'_> {
    pub(crate) const fn section(&self) -> Section {
        match self {
            Self::Left(_) => Section::Left,
            Self::Flow(_) | Self::Explain | Self::Sandbox => Section::Jobs,
            Self::Ended(_) => Section::Ended,
            Self::Plan(_) => Section::Plans,
        }
    }

    /// What the filter looks at.
    fn name(&self) -> String {
        match self {
            Self::Left(run) | Self::Ended(run) => {
                format!("run {} {} {}", run.id, run.destination, tables(run))
            }
            Self::Flow(flow) => format!("{} {}", flow.title, flow.about),
            Self::Explain => EXPLAIN.0.to_owned(),
            Self::Sandbox => SANDBOX.0.to_owned(),
            Self::Plan(saved) => saved.path.display().to_string(),
        }
    }
}

/// What else than a job can be begun, with what it is for.
pub(crate) const EXPLAIN: (&str, &str) = (
    "Explain an error",
    "Paste a refusal: what it means and what to do.",
);
pub(crate) const SANDBOX: (&str, &str) = (
    "Sandbox",
    "Practise on an AWS in memory: no account, nothing billed.",
);

/// The rows that the filter leaves.
pub(crate) fn rows(model: &Model) -> Vec<StartRow<'_>> {
    let start = &model.start;
    let runs = || start.runs.value().into_iter().flatten();
    let left = runs().filter(|run| run.is_open).map(StartRow::Left);
    let ended = runs().filter(|run| !run.is_open).map(StartRow::Ended);
    let sandbox = (!model.is_sandbox).then_some(StartRow::Sandbox);
    left.chain(FLOWS.iter().map(|flow| StartRow::Flow(flow)))
        .chain([StartRow::Explain])
        .chain(sandbox)
        .chain(ended.take(MOST_ENDED))
        .chain(start.plans.iter().map(StartRow::Plan))
        .filter(|row| start.list.filter.is_none() || start.list.lets_through(&row.name()))
        .collect()
}

/// The tables of a run, by name.
pub(crate) fn tables(run: &RunSummary) -> String {
    let names = run.exports.iter().map(|export| export.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

/// What a run has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Calls are left to be made, or their answers never came.
    CutOff,
    UnderWay,
    /// All of it is complete, and its files were not looked at yet.
    NotVerified,
    Failed,
    /// Complete, and files are missing or differ.
    Damaged,
    /// Complete, and nobody could read its files.
    Unknown,
    Verified,
}

/// What a run has come to: the worst of its operations where it ended, else what is left to be done first.
pub(crate) fn run_state(run: &RunSummary) -> RunState {
    let any = |is: fn(&OperationProgress) -> bool| run.exports.iter().any(is);
    if run.is_open {
        if any(|export| {
            matches!(
                export.stage,
                ProgressStage::Planned | ProgressStage::Calling
            )
        }) {
            return RunState::CutOff;
        }
        if any(|export| export.stage == ProgressStage::Running(ExportStatus::InProgress)) {
            return RunState::UnderWay;
        }
        return RunState::NotVerified;
    }
    if any(|export| export.stage != ProgressStage::Running(ExportStatus::Completed)) {
        RunState::Failed
    } else if any(|export| matches!(export.verification, Some(Verification::Wrong { .. }))) {
        RunState::Damaged
    } else if any(|export| !matches!(export.verification, Some(Verification::Verified { .. }))) {
        RunState::Unknown
    } else {
        RunState::Verified
    }
}

impl RunState {
    /// How it stands, and what Enter does about it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::CutOff => "cut off: Enter goes on",
            Self::UnderWay => "under way: Enter follows it",
            Self::NotVerified => "complete and not verified: Enter verifies",
            Self::Failed => "not all of it was exported",
            Self::Damaged => "complete, but files are missing or differ",
            Self::Unknown => "complete; nobody could read its files",
            Self::Verified => "complete and verified",
        }
    }
}
