//! Uploader, Reader: who does the job where it need not be the source's profile, and for uploads whether the
//! files are sent in parts.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};
use crate::tui::popups::state::TypedPurpose;

pub(crate) static OF_UPLOADS: Step = Step {
    title: "Uploader",
    help: &[
        "The files are uploaded by the source's profile, or by another user or role, which is named \
         by its ARN and whose policies the source's profile reads.",
        "The AWS CLI and the SDKs send all but small files in parts. To a bucket that encrypts with a \
         KMS key an upload in parts needs kms:Decrypt beside kms:GenerateDataKey.",
    ],
    scopes: &[KeyScope::Uploader],
    act: |model, action| update::act(model, action, TypedPurpose::Uploader),
    draw: |context, area, state, frame| {
        let parts = view::parts_line(context);
        view::draw(context, area, (state, frame), Some(parts));
    },
    ..BASE
};

pub(crate) static OF_READINGS: Step = Step {
    title: "Reader",
    help: &[
        "The objects are read by the source's profile, or by another user or role, which is named by \
         its ARN and whose policies the source's profile reads.",
    ],
    scopes: &[KeyScope::Reader],
    act: |model, action| update::act(model, action, TypedPurpose::Reader),
    draw: |context, area, state, frame| view::draw(context, area, (state, frame), None),
    ..BASE
};

const BASE: Step = Step {
    list: Some(StepList {
        get: |model| &model.principal.list,
        get_mut: |model| &mut model.principal.list,
        count: |model| model.principal.rows().len(),
    }),
    is_possible: update::is_possible,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
