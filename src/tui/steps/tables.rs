//! Tables: what is exported, and as of when.

pub(crate) mod form;
pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    title: "Tables",
    help: &[
        "An export reads the table's point-in-time recovery, not the table: it uses no read \
         capacity, and recovery must be on.",
        "A full export holds the table at a time, an incremental one what changed in a window \
         of 15 minutes to 24 hours. Items and sizes are AWS's counts, up to six hours old.",
    ],
    scopes: &[KeyScope::Tables],
    list: Some(StepList {
        get: |model| &model.tables.list,
        get_mut: |model| &mut model.tables.list,
        count: |model| model.tables.rows().len(),
    }),
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    instead_of_next: update::say_what_is_off,
    drop_outdated: update::drop_outdated,
    refresh: update::refresh,
    is_waiting: |model| model.tables.is_loading(),
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
