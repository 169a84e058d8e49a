//! Progress: the exports of a run, live, until each one ended and was verified.

mod diagnosis;
pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::Step;

pub(crate) static STEP: Step = Step {
    title: "Progress",
    help: &[
        "AWS tells no progress: what is counted here are the objects that appear in the \
         bucket. An empty table takes two minutes, terabytes take over an hour.",
        "Quitting ends the waiting, not the exports. `tableferry resume` comes back to them, \
         and so does opening the wizard again.",
        "An export that failed tells its cause and what fixes it: d tells all of it. t goes to \
         Access, where what is denied is fixed, and Review starts it anew with a new token.",
        "What was changed in an account for the export stays until it is taken away: after the \
         last export that is offered, and u shows it.",
    ],
    scopes: &[KeyScope::Progress],
    act: update::act,
    is_possible: update::is_possible,
    can_go_back: update::can_go_back,
    draw: view::draw,
    ..Step::EMPTY
};
