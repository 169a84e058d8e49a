//! Watching: all exports under way in the accounts of both sides, live, also those started elsewhere.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    title: "Watch",
    help: &[
        "All exports under way in the accounts and Regions of both sides, as ListExports shows them: those \
         of this machine and those that were started elsewhere. New ones appear by themselves.",
        "AWS tells no progress: what is counted are the compressed files that appear in the bucket, where it \
         can be listed. The table's size is uncompressed. The time left is told once two exports of the \
         table were completed.",
        "Nothing is started and nothing is changed here. `tableferry watch` does the same without the wizard.",
    ],
    scopes: &[KeyScope::Watching],
    list: Some(StepList {
        get: |model| &model.watching.list,
        get_mut: |model| &mut model.watching.list,
        count: |model| model.watching.rows().len(),
    }),
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    drop_outdated: update::stop_out_of_sight,
    is_waiting: |model| model.watching.is_followed(),
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
