//! What a step of a flow is: everything that the wizard asks of one, in one descriptor.
//!
//! A step decides what can be chosen in it, what that sets off, and what is missing before one can go
//! on. Nothing else knows which steps there are.

use std::fmt;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Model;
use super::context::RenderContext;
use crate::tui::keymap::{Action, KeyScope};
use crate::tui::message::Effect;
use crate::tui::services::ShownProblem;
use crate::tui::sight::ScreenId;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::list::FilteredList;

/// A step of a flow.
pub(crate) struct Step {
    pub(crate) title: &'static str,
    /// What it is about, in a few sentences.
    pub(crate) help: &'static [&'static str],
    /// What to know besides, as it depends on what was read.
    pub(crate) notes: fn(&Model) -> &[String],
    /// The scopes of the key table that hold in it beside those of every step, the innermost first.
    pub(crate) scopes: &'static [KeyScope],
    /// The list that moves and filters go to.
    pub(crate) list: Option<StepList>,
    /// What entering it sets off.
    pub(crate) enter: fn(&mut Model) -> Vec<Effect>,
    /// Does an action of its own.
    pub(crate) act: fn(&mut Model, Action) -> Vec<Effect>,
    /// Whether an action is possible now.
    pub(crate) is_possible: fn(&Model, Action) -> bool,
    /// What is missing before one can go on.
    pub(crate) check: fn(&Model) -> Result<(), ShownProblem>,
    /// What it does in place of going on; `None` where one goes on.
    pub(crate) instead_of_next: fn(&mut Model) -> Option<Vec<Effect>>,
    /// Whether one can go back from it.
    pub(crate) can_go_back: fn(&Model) -> bool,
    /// Drops what is of another revision of the plan's parts.
    pub(crate) drop_outdated: fn(&mut Model) -> Vec<Effect>,
    /// What follows, while it is in sight, from the model as it now is.
    pub(crate) refresh: fn(&mut Model) -> Vec<Effect>,
    /// Whether it waits for a reply.
    pub(crate) is_waiting: fn(&Model) -> bool,
    /// What takes no key before it was drawn.
    pub(crate) guarded: fn(&Model) -> Option<ScreenId>,
    pub(crate) draw: fn(&RenderContext<'_>, Rect, &mut ViewState, &mut Frame<'_>),
    /// What is under the cursor, with a title.
    pub(crate) detail: fn(&RenderContext<'_>, usize) -> (String, Vec<Line<'static>>),
    /// What a narrow screen may have cut, for the help.
    pub(crate) in_full: fn(&RenderContext<'_>, usize) -> Vec<Line<'static>>,
    /// Whether the details have a place below it where there is none beside it.
    pub(crate) has_detail_below: bool,
}

/// The list of a step.
#[derive(Clone, Copy)]
pub(crate) struct StepList {
    pub(crate) get: fn(&Model) -> &FilteredList,
    pub(crate) get_mut: fn(&mut Model) -> &mut FilteredList,
    /// How many rows its filter leaves.
    pub(crate) count: fn(&Model) -> usize,
}

impl Step {
    /// A step in which nothing can be done and nothing is in the way.
    pub(crate) const EMPTY: Self = Self {
        title: "",
        help: &[],
        notes: |_| &[],
        scopes: &[],
        list: None,
        enter: |_| Vec::new(),
        act: |_, _| Vec::new(),
        is_possible: |_, _| true,
        check: |_| Ok(()),
        instead_of_next: |_| None,
        can_go_back: |_| true,
        drop_outdated: |_| Vec::new(),
        refresh: |_| Vec::new(),
        is_waiting: |_| false,
        guarded: |_| None,
        draw: |_, _, _, _| {},
        detail: |_, _| ("About this step".to_owned(), Vec::new()),
        in_full: |_, _| Vec::new(),
        has_detail_below: false,
    };
}

/// A step goes by its title, with other help in another flow.
impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.title == other.title
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title)
    }
}
