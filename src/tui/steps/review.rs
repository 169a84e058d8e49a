//! Review: all of the plan in sight, what a start would do, and the start.

pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::{Action, KeyScope};
use crate::tui::model::step::Step;

pub(crate) static STEP: Step = Step {
    title: "Review",
    help: &[
        "Everything was read again for this page. Nothing starts before you answer yes.",
        "s saves the plan: `tableferry run` does the same without the wizard.",
    ],
    scopes: &[KeyScope::Review],
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    instead_of_next: |model| Some(update::act(model, Action::Start)),
    refresh: update::refresh,
    draw: view::draw,
    ..Step::EMPTY
};
