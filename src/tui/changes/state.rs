//! The changes of accounts that were made by us: what is in place, and what is under way.

use jiff::Timestamp;

use crate::tui::remote::{Remote, RequestId};
use crate::tui::revision::Revision;
use crate::tui::services::{ChangeId, ChangeKind, ChangeRecord};

/// The changes of accounts that were made by us.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnChanges {
    /// Those that are in place.
    pub(crate) in_place: Remote<Vec<ChangeRecord>, String>,
    /// Those that were made since the wizard was opened and stand, with what was changed.
    pub(crate) made: Vec<(ChangeId, String)>,
    /// The one under way.
    pub(crate) under_way: Option<ChangeUnderWay>,
    /// The question what taking a change away would do.
    pub(crate) undo_asked: Option<RequestId>,
    /// How often a change was made.
    pub(crate) applied: Revision,
    /// How often one was taken away.
    pub(crate) undone: Revision,
}

/// A change under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeUnderWay {
    /// What is changed.
    pub(crate) title: String,
    /// Since when.
    pub(crate) since: Timestamp,
    pub(crate) stage: ChangePhase,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangePhase {
    /// It is being written.
    Writing,
    /// It is being taken away.
    TakingAway,
    /// It is written, and waited for until it holds.
    Propagating(RequestId),
    /// An upload is begun and taken back.
    Probing,
}

impl OwnChanges {
    /// The changes that can be taken away. Point-in-time recovery stays on: switching it off would
    /// destroy the table's recovery window.
    pub(crate) fn removable(&self) -> Vec<&ChangeRecord> {
        let known = self.in_place.value().into_iter().flatten();
        known
            .filter(|change| change.target.kind() != ChangeKind::Recovery)
            .collect()
    }
}
