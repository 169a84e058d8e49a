//! What a change is made to, as it stands in the account: read, compared, written.

use crate::aws::iam::PolicyHolder;
use crate::aws::s3::inventory::InventoryName;
use crate::aws::{Failure, Session};
use crate::journal::{ChangeKind, ChangeTarget};
use crate::work::region_of;
use tableferry_policy::edit::{is_same_json, say_the_same};

/// How a target stands, or is to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::work) enum TargetState {
    /// A document, or none.
    Document(Option<String>),
    /// Whether point-in-time recovery is on.
    Recovery(bool),
}

impl TargetState {
    /// The document, where it is one.
    pub(super) fn document(&self) -> Option<&str> {
        match self {
            Self::Document(text) => text.as_deref(),
            Self::Recovery(_) => None,
        }
    }

    /// Whether two states are the same byte for byte, or the same JSON: services lay documents out
    /// anew.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self.document(), other.document()) {
            (Some(one), Some(two)) => is_same_json(one, two),
            _ => self == other,
        }
    }

    /// Whether a service may have made one of the other: beside the layout it may write a list of
    /// one as its element, and lists in another order.
    pub(in crate::work) fn is_as_written(&self, written: &Self) -> bool {
        self.is(written)
            || matches!(
                (self.document(), written.document()),
                (Some(one), Some(two)) if say_the_same(one, two)
            )
    }
}

/// The action that writes a target, as IAM names it.
pub(super) const fn operation(target: &ChangeTarget) -> &'static str {
    match target {
        ChangeTarget::BucketPolicy { .. } => "s3:PutBucketPolicy",
        ChangeTarget::KeyPolicy { .. } => "kms:PutKeyPolicy",
        ChangeTarget::RolePolicy { .. } => "iam:PutRolePolicy",
        ChangeTarget::UserPolicy { .. } => "iam:PutUserPolicy",
        ChangeTarget::Recovery { .. } => "dynamodb:UpdateContinuousBackups",
        ChangeTarget::Inventory { .. } => "s3:PutInventoryConfiguration",
    }
}

/// Reads how a target stands now.
pub(super) async fn read(session: &Session, target: &ChangeTarget) -> Result<TargetState, Failure> {
    Ok(match target {
        ChangeTarget::BucketPolicy {
            bucket,
            owner,
            region,
        } => TargetState::Document(
            session
                .s3(region)
                .bucket_policy(bucket, Some(owner))
                .await?,
        ),
        ChangeTarget::KeyPolicy { key } => {
            let kms = session.kms(&region_of(key, session));
            TargetState::Document(kms.key_policy(&key.to_string()).await?)
        }
        ChangeTarget::RolePolicy { role, policy } => {
            let holder = PolicyHolder::Role(role);
            TargetState::Document(session.iam().inline_policy(holder, policy).await?)
        }
        ChangeTarget::UserPolicy { user, policy } => {
            let holder = PolicyHolder::User(user);
            TargetState::Document(session.iam().inline_policy(holder, policy).await?)
        }
        ChangeTarget::Recovery { table } => {
            let dynamodb = session.dynamodb(&region_of(table, session));
            let recovery = dynamodb.describe_recovery(&table.to_string()).await?;
            TargetState::Recovery(recovery.is_enabled)
        }
        ChangeTarget::Inventory {
            bucket,
            owner,
            region,
            id,
        } => {
            let name = InventoryName { bucket, owner, id };
            let found = session.s3(region).inventory_configuration(name).await?;
            TargetState::Document(found.map(|found| found.to_json()))
        }
    })
}

/// Writes a target. A document that is none is taken away.
pub(super) async fn write(
    session: &Session,
    target: &ChangeTarget,
    state: &TargetState,
) -> Result<(), Failure> {
    let text = state.document();
    match target {
        ChangeTarget::BucketPolicy {
            bucket,
            owner,
            region,
        } => {
            let s3 = session.s3(region);
            match text {
                Some(text) => s3.put_bucket_policy(bucket, owner, text).await,
                None => s3.delete_bucket_policy(bucket, owner).await,
            }
        }
        ChangeTarget::KeyPolicy { key } => {
            let kms = session.kms(&region_of(key, session));
            // Every key has a policy: an empty text is refused by KMS, and says why.
            kms.put_key_policy(key, text.unwrap_or_default()).await
        }
        ChangeTarget::RolePolicy { role, policy } => {
            write_inline(session, PolicyHolder::Role(role), policy, text).await
        }
        ChangeTarget::UserPolicy { user, policy } => {
            write_inline(session, PolicyHolder::User(user), policy, text).await
        }
        ChangeTarget::Recovery { table } => {
            let dynamodb = session.dynamodb(&region_of(table, session));
            let is_enabled = *state == TargetState::Recovery(true);
            dynamodb.switch_recovery(table, is_enabled).await
        }
        ChangeTarget::Inventory {
            bucket,
            owner,
            region,
            id,
        } => {
            let s3 = session.s3(region);
            let name = InventoryName { bucket, owner, id };
            match text {
                Some(text) => s3.put_inventory_configuration(name, text).await,
                None => s3.delete_inventory_configuration(name).await,
            }
        }
    }
}

async fn write_inline(
    session: &Session,
    holder: PolicyHolder<'_>,
    name: &str,
    text: Option<&str>,
) -> Result<(), Failure> {
    match text {
        Some(text) => session.iam().put_inline_policy(holder, name, text).await,
        None => session.iam().delete_inline_policy(holder, name).await,
    }
}

/// The state that a target is brought to by a change whose document this is.
pub(super) fn state(target: &ChangeTarget, document: Option<&str>, is_after: bool) -> TargetState {
    if target.kind() == ChangeKind::Recovery {
        TargetState::Recovery(is_after)
    } else {
        TargetState::Document(document.map(str::to_owned))
    }
}
