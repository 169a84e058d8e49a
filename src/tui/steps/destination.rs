//! Destination: which bucket receives the objects, whose it is, and what their keys begin with.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    help: &[
        "DynamoDB writes under the prefix into AWSDynamoDB/. For a bucket of another account \
         the owner must be sent along, or the export fails later.",
        "The bucket may lie in another Region than the tables; a KMS key must lie in the \
         bucket's.",
    ],
    ..BASE
};

/// The same for uploads.
pub(crate) static OF_UPLOADS: Step = Step {
    help: &[
        "The files go to the bucket, under the prefix if there is one. The destination's profile \
         reads the bucket's policy and settings.",
        "A KMS key must lie in the bucket's Region.",
    ],
    ..BASE
};

/// The same for readings.
pub(crate) static OF_READINGS: Step = Step {
    help: &[
        "The objects lie in the bucket, under the prefix if there is one; for an archive it is \
         PREFIX/AWSDynamoDB/ID. The destination's profile reads the bucket's policy and settings, and \
         looks at some of the objects: whose they are, and what encrypts them.",
    ],
    ..BASE
};

/// The same for inventories.
pub(crate) static OF_INVENTORIES: Step = Step {
    help: &[
        "S3 writes the reports under the prefix, if there is one, into a folder with the source bucket's \
         name. The bucket must lie in the Region of the source bucket.",
        "The destination's profile reads the bucket's policy and settings, and looks what arrived.",
    ],
    ..BASE
};

const BASE: Step = Step {
    title: "Destination",
    scopes: &[KeyScope::Destination],
    list: Some(StepList {
        get: |model| &model.destination.list,
        get_mut: |model| &mut model.destination.list,
        count: |model| model.destination.rows().len(),
    }),
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    drop_outdated: update::drop_outdated,
    is_waiting: |model| {
        model.destination.buckets.is_loading() || model.destination.facts.is_loading()
    },
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
