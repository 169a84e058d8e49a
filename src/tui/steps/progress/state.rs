//! A run and its exports.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::aws::dynamodb::ExportStatus;
use crate::journal::RunId;
use crate::tui::remote::RequestId;
use crate::tui::revision::Revision;
use crate::work::event::{Event, OperationProgress, ProgressStage, Verification};

/// How many passing difficulties are kept in sight.
const KEPT_NOTES: usize = 20;

/// A run and its exports.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunProgress {
    pub(crate) run: Option<RunId>,
    pub(crate) exports: Vec<OperationProgress>,
    /// Why those failed that did, by their place in the plan.
    pub(crate) diagnoses: BTreeMap<usize, FailureDiagnosis>,
    pub(crate) notes: Vec<(Timestamp, String)>,
    pub(crate) began_at: Option<Timestamp>,
    pub(crate) state: Following,
    pub(crate) offer: Offer,
    /// How often a run was begun or resumed.
    pub(crate) revision: Revision,
}

/// The diagnosis of an export's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailureDiagnosis {
    /// The causes that come first, a line each.
    pub(crate) brief: Vec<String>,
    /// All of it.
    pub(crate) text: String,
}

/// Whether it is to be offered to take away what was changed for the exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Offer {
    /// Not now, or it was.
    #[default]
    No,
    /// As soon as it is known what is in place.
    Due,
}

/// Whether the run is followed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Following {
    /// There is no run.
    #[default]
    Nothing,
    /// Its calls are being made.
    Starting(RequestId),
    /// Its exports are waited for.
    On(RequestId),
    /// All of them ended.
    Finished,
    /// It was cut off, and why.
    CutOff(String),
}

impl RunProgress {
    /// A run that is about to start.
    pub(crate) fn begin(&mut self, request: RequestId, now: Timestamp) {
        self.replace(Self {
            began_at: Some(now),
            state: Following::Starting(request),
            ..Self::default()
        });
    }

    /// A run of an earlier session.
    pub(crate) fn reopen(&mut self, exports: Vec<OperationProgress>, began_at: Timestamp) {
        self.replace(Self {
            exports,
            began_at: Some(began_at),
            ..Self::default()
        });
    }

    fn replace(&mut self, by: Self) {
        let mut revision = self.revision;
        revision.advance();
        *self = Self { revision, ..by };
    }

    /// Takes what a run reported at a time.
    pub(crate) fn take_event(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Journalled { run } => self.run = Some(run),
            Event::Operation(export) => self.take(export),
            Event::Noted { message } => {
                self.notes.push((now, message));
                let surplus = self.notes.len().saturating_sub(KEPT_NOTES);
                self.notes.drain(..surplus);
            }
            Event::Identified { .. } => {}
        }
    }

    pub(crate) const fn is_followed(&self) -> bool {
        matches!(self.state, Following::Starting(_) | Following::On(_))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state == Following::Finished
    }

    /// Whether every export was completed and none failed its verification.
    pub(crate) fn is_success(&self) -> bool {
        self.is_finished()
            && self.exports.iter().all(|export| {
                is_completed(export)
                    && !matches!(export.verification, Some(Verification::Wrong { .. }))
            })
    }

    fn take(&mut self, export: OperationProgress) {
        let place = self
            .exports
            .iter()
            .position(|known| known.index == export.index);
        if let Some(known) = place.and_then(|place| self.exports.get_mut(place)) {
            *known = export;
        } else {
            self.exports.push(export);
            self.exports.sort_by_key(|export| export.index);
        }
    }
}

/// Whether AWS calls an export completed.
pub(crate) fn is_completed(export: &OperationProgress) -> bool {
    export.stage == ProgressStage::Running(ExportStatus::Completed)
}

/// Whether an export was refused or failed.
pub(crate) fn is_failed(export: &OperationProgress) -> bool {
    matches!(
        export.stage,
        ProgressStage::Refused
            | ProgressStage::NotStarted
            | ProgressStage::Running(ExportStatus::Failed)
    )
}
