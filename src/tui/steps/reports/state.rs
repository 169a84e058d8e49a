//! What is known of an inventory's configuration and reports.

use crate::job::Plan;
use crate::tui::remote::{Remote, RequestId};
use crate::tui::revision::Revision;
use crate::tui::services::InventoryStatus;

/// What is known of an inventory's configuration and reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports {
    pub(crate) status: Remote<InventoryStatus, String>,
    /// The plan that it was asked of.
    pub(super) plan: Option<Plan>,
    /// The changes of ours that it was asked after.
    pub(super) applied: Revision,
    pub(super) undone: Revision,
    /// The question what writing the configuration would change.
    pub(super) proposal: Option<RequestId>,
}
