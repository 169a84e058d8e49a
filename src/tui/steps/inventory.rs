//! Inventory: which bucket is listed, and how its reports are made.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    title: "Inventory",
    help: &[
        "S3 lists the objects of the source's bucket in a report, every day or every week, and writes it \
         to the destination's bucket as its own principal s3.amazonaws.com.",
        "The id names the configuration in the source bucket, and a folder of the reports. One of the \
         same id that stands there is shown as a difference before it is replaced.",
        "Other columns and a filter are set in a plan file: `fields` and `filter`.",
    ],
    scopes: &[KeyScope::Inventory],
    list: Some(StepList {
        get: |model| &model.inventory.list,
        get_mut: |model| &mut model.inventory.list,
        count: |model| model.inventory.rows().len(),
    }),
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
