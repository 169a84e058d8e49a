//! Encryption: with S3's own keys or with a KMS key, and why one of them is suggested.

pub(crate) mod state;
pub(crate) mod update;
pub(crate) mod view;

use crate::tui::keymap::KeyScope;
use crate::tui::model::step::{Step, StepList};

pub(crate) static STEP: Step = Step {
    help: &[
        "AES256 needs no permission on a key. With KMS the exporting principal needs \
         GenerateDataKey and Decrypt, and a key of another account must be named by its full \
         ARN: an alias would be looked up in the exporting account.",
    ],
    ..BASE
};

/// The same for uploads.
pub(crate) static OF_UPLOADS: Step = Step {
    help: &[
        "An upload that names no encryption gets the bucket's default. With a KMS key, by default or \
         named, the uploader needs kms:GenerateDataKey, and kms:Decrypt for an upload in parts, in \
         its own policy and in the key's.",
        "A key of another account must be named by its full ARN: an alias would be looked up in the \
         uploader's account.",
    ],
    ..BASE
};

/// The same for inventories.
pub(crate) static OF_INVENTORIES: Step = Step {
    help: &[
        "Reports that name no encryption get the bucket's default. A KMS key must be a customer managed \
         one by its full ARN, and its policy must let the service principal s3.amazonaws.com use \
         kms:GenerateDataKey.",
    ],
    ..BASE
};

const BASE: Step = Step {
    title: "Encryption",
    scopes: &[KeyScope::Encryption],
    list: Some(StepList {
        get: |model| &model.encryption.list,
        get_mut: |model| &mut model.encryption.list,
        count: |model| model.encryption.rows().len(),
    }),
    enter: update::enter,
    act: update::act,
    is_possible: update::is_possible,
    check: update::check,
    drop_outdated: update::drop_outdated,
    is_waiting: |model| model.encryption.keys.is_loading(),
    draw: view::draw,
    detail: view::detail,
    has_detail_below: true,
    ..Step::EMPTY
};
