//! Start: what runs and what was left, what can be begun, and what was done last.

pub(crate) mod explain;
pub(crate) mod resume;
mod rows;
pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    title: "Start",
    help: &[
        "What an earlier session left comes first: Enter goes on with it. A call whose answer never came \
         is repeated with its token, so that nothing is exported twice.",
        "Each job asks for its accounts first, then leads to its last step; nothing is started or changed \
         before a question says what and is answered with Yes. 0 comes back here from any step.",
        "Plans are the files of the directory in which the wizard was opened.",
    ],
    scopes: &[KeyScope::Start],
    list: Some(StepList {
        get: |model| &model.start.list,
        get_mut: |model| &mut model.start.list,
        count: |model| rows::rows(model).len(),
    }),
    enter: update::reload,
    act: update::act,
    is_possible: update::is_possible,
    is_waiting: |model| model.start.runs.is_loading(),
    guarded: |model| model.start.moved,
    draw: view::draw,
    detail: view::detail,
    ..Step::EMPTY
};
