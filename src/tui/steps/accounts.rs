//! Accounts: who exports and who receives, each proved before anything else.

pub(crate) mod forms;
pub(crate) mod proof;
pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    help: &[
        "The source is who exports: DynamoDB writes to the bucket as this very principal. The \
         destination is whose bucket receives it.",
        "Each side is proved with GetCallerIdentity before anything else. Keys in the \
         environment never replace a profile that you chose.",
        "A role, an external id or another Region on top of a profile are given with e.",
    ],
    ..BASE
};

/// The same for uploads.
pub(crate) static OF_UPLOADS: Step = Step {
    help: &[
        "The source is who uploads, or who reads the policies of the uploader. The destination is \
         whose bucket receives the files.",
        "Each side is proved with GetCallerIdentity before anything else. Keys in the \
         environment never replace a profile that you chose.",
        "A role, an external id or another Region on top of a profile are given with e.",
    ],
    ..BASE
};

/// The same for readings.
pub(crate) static OF_READINGS: Step = Step {
    help: &[
        "The source is who reads, or who reads the policies of the reader. The destination is whose \
         bucket the objects lie in.",
        "Each side is proved with GetCallerIdentity before anything else. Keys in the \
         environment never replace a profile that you chose.",
        "A role, an external id or another Region on top of a profile are given with e.",
    ],
    ..BASE
};

/// The same for inventories.
pub(crate) static OF_INVENTORIES: Step = Step {
    help: &[
        "The source is whose bucket is listed. The destination is whose bucket receives the reports, \
         which S3 itself writes.",
        "Each side is proved with GetCallerIdentity before anything else. Keys in the \
         environment never replace a profile that you chose.",
        "A role, an external id or another Region on top of a profile are given with e.",
    ],
    ..BASE
};

/// The same where exports are watched.
pub(crate) static OF_WATCHING: Step = Step {
    help: &[
        "The exports of both accounts are watched, each in its profile's Region. One account is enough: the \
         other side may be left out.",
        "A role, an external id or another Region on top of a profile are given with e.",
    ],
    ..BASE
};

const BASE: Step = Step {
    title: "Accounts",
    scopes: &[KeyScope::Accounts],
    list: Some(StepList {
        get: |model| &model.accounts.side(model.accounts.focus).list,
        get_mut: |model| &mut model.accounts.side_mut(model.accounts.focus).list,
        count: |model| model.accounts.rows(model.accounts.focus).len(),
    }),
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    is_waiting: |model| model.accounts.is_waiting(),
    guarded: |model| model.accounts.moved,
    draw: view::draw,
    detail: view::detail,
    in_full: view::problems,
    ..Step::EMPTY
};
