//! One line of text: what belongs there.

use std::borrow::Cow;

use crate::tui::model::flow::Flow;
use crate::tui::popups::state::TypedPurpose;
use crate::tui::services::Proposed;

/// What belongs into a line of text.
pub(super) fn explanation<'a>(purpose: &'a TypedPurpose, flow: &Flow) -> Cow<'a, str> {
    Cow::Borrowed(match purpose {
        TypedPurpose::Table => {
            "A table's name in the source's account and Region, or the ARN of a table in another Region."
        }
        TypedPurpose::Uploader => {
            "The ARN of the user or role that uploads, such as arn:aws:iam::111111111111:role/Uploader."
        }
        TypedPurpose::Reader => {
            "The ARN of the user or role that reads, such as arn:aws:iam::111111111111:role/Analyst."
        }
        TypedPurpose::SourceBucket => {
            "The name of the bucket whose objects are listed, not its ARN. It is of the source's account."
        }
        TypedPurpose::InventoryId => {
            "The name of the configuration: at most 64 letters, digits, full stops, dashes and underscores."
        }
        TypedPurpose::Bucket => {
            "The bucket's name, not its ARN. A bucket that this side may not list can be named here."
        }
        TypedPurpose::Prefix if flow.leaves_encryption => {
            "What the objects' keys begin with. Empty: no prefix."
        }
        TypedPurpose::Prefix => {
            "What the objects' keys begin with; DynamoDB adds /AWSDynamoDB/… to it. Empty: no prefix."
        }
        TypedPurpose::Owner if !flow.sends_owner => {
            "The account of the bucket: twelve digits. Whether the job crosses accounts depends on it."
        }
        TypedPurpose::Owner => {
            "The account of the bucket: twelve digits. It is sent as S3BucketOwner, without which an export into another account's bucket fails."
        }
        TypedPurpose::Key => {
            "The key's full ARN. An alias would be looked up in the exporting account, not in the key's."
        }
        TypedPurpose::Refusal => {
            "A message of AWS, of the AWS CLI or of an SDK, pasted: its first line. Nothing leaves this machine."
        }
        TypedPurpose::AccountName(proposed) => return Cow::Owned(name_wanted(proposed)),
    })
}

/// Which name is typed, and what for.
fn name_wanted(proposed: &Proposed) -> String {
    let name = proposed.name_to_type.as_deref().unwrap_or_default();
    format!(
        "Production is concerned. Type {name} to change the {} in account {}.",
        proposed.title(),
        proposed.account()
    )
}
