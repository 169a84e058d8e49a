//! What the start screen knows.

use crate::tui::remote::Remote;
use crate::tui::services::{RunSummary, SavedPlan};
use crate::tui::sight::ScreenId;
use crate::tui::widgets::list::FilteredList;

/// What the start screen knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartScreen {
    pub(crate) list: FilteredList,
    /// The runs of the journal, the newest first.
    pub(crate) runs: Remote<Vec<RunSummary>, String>,
    /// The plans in the directory in which the wizard was opened.
    pub(crate) plans: Vec<SavedPlan>,
    /// Set where rows came in above others: no key that was on its way reaches them.
    pub(crate) moved: Option<ScreenId>,
}
