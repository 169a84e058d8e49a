//! Uploader: who uploads, and whether the files are sent in parts.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    title: "Uploader",
    help: &[
        "The files are uploaded by the source's profile, or by another user or role, which is named \
         by its ARN and whose policies the source's profile reads.",
        "The AWS CLI and the SDKs send all but small files in parts. To a bucket that encrypts with a \
         KMS key an upload in parts needs kms:Decrypt beside kms:GenerateDataKey.",
    ],
    scopes: &[KeyScope::Uploader],
    list: Some(StepList {
        get: |model| &model.uploader.list,
        get_mut: |model| &mut model.uploader.list,
        count: |model| model.uploader.rows().len(),
    }),
    act: update::act,
    is_possible: update::is_possible,
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
