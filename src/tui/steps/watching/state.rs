//! The exports that are watched.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::tui::remote::RequestId;
use crate::tui::widgets::list::FilteredList;
use crate::work::watch::{WatchId, WatchedExport};

/// How many passing difficulties are kept in sight.
const KEPT_NOTES: usize = 5;

/// The exports that are watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watching {
    /// The watch that is under way.
    pub(crate) request: Option<RequestId>,
    pub(crate) exports: BTreeMap<WatchId, WatchedExport>,
    pub(crate) list: FilteredList,
    pub(crate) notes: Vec<String>,
    /// Why it ended.
    pub(crate) ended: Option<String>,
}

impl Watching {
    pub(crate) const fn is_followed(&self) -> bool {
        self.request.is_some()
    }

    /// A watch that is about to begin.
    pub(crate) fn begin(&mut self, request: RequestId) {
        let list = std::mem::take(&mut self.list);
        *self = Self {
            request: Some(request),
            list,
            ..Self::default()
        };
    }

    /// Takes how an export stands. What could not be counted this time is not forgotten.
    pub(crate) fn take(&mut self, export: WatchedExport) {
        let known = self.exports.get(&export.id);
        let seen = export.seen.or_else(|| known.and_then(|known| known.seen));
        self.exports
            .insert(export.id.clone(), WatchedExport { seen, ..export });
    }

    pub(crate) fn note(&mut self, message: String) {
        self.notes.push(message);
        let surplus = self.notes.len().saturating_sub(KEPT_NOTES);
        self.notes.drain(..surplus);
    }

    /// The exports that the filter leaves, the longest under way first: an order that no new state changes.
    pub(crate) fn rows(&self) -> Vec<&WatchedExport> {
        let exports = self.exports.values();
        let mut rows: Vec<&WatchedExport> = exports
            .filter(|export| self.list.lets_through(&export.name))
            .collect();
        rows.sort_by_key(|export| export.started_at.unwrap_or(Timestamp::MAX));
        rows
    }

    /// The export under the cursor.
    pub(crate) fn current(&self) -> Option<&WatchedExport> {
        self.rows().get(self.list.cursor).copied()
    }
}
