//! What a refusal while an archive is read lacks: the permission, and the least statements that give it.

use serde_json::{Value, json};

use super::place::ArchivePlace;
use crate::assess::principal::SourcePrincipal;
use crate::work::Work;
use tableferry_policy::arn::Arn;

/// A permission that the reader of an archive needs and lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPermission {
    /// The principal that it must be given to; of an assumed role, the session.
    pub principal: Arn,
    /// The action.
    pub action: String,
    /// On what.
    pub resource: String,
    /// What must stand in the principal's own policies.
    pub identity_statement: Value,
    /// The resource's policy, which must allow it too where it is another account's.
    pub resource_policy: String,
    /// What must stand there.
    pub resource_statement: Value,
}

impl Work {
    /// The permission that was missing where a call for an archive was refused; `resource` is what AWS named.
    /// `None` for a directory, or an action that no reading of archives needs.
    #[must_use]
    pub fn missing_permission(
        &self,
        place: &ArchivePlace,
        action: &str,
        resource: Option<&str>,
    ) -> Option<MissingPermission> {
        let ArchivePlace::Bucket {
            side,
            bucket,
            folder,
            ..
        } = place
        else {
            return None;
        };
        let session = self.session(*side)?;
        let principal = session.identity.arn.clone();
        let partition = principal.partition;
        let bucket_arn = bucket.arn(partition);
        let of_bucket = || format!("bucket policy of {bucket}");
        let (resource, policy, is_key) = match action {
            // All of them lie in the folder, and those of incremental exports beside it.
            "s3:GetObject" => {
                let above = folder.trim_end_matches('/').rfind('/');
                let above = above.map_or("", |end| folder.get(..=end).unwrap_or_default());
                (format!("{bucket_arn}/{above}*"), of_bucket(), false)
            }
            "s3:ListBucket" => (bucket_arn.clone(), of_bucket(), false),
            "kms:Decrypt" => {
                let key = resource?.to_owned();
                let policy = format!("key policy of {key}");
                (key, policy, true)
            }
            _ => return None,
        };
        let identity_statement = json!({
            "Sid": SID, "Effect": "Allow", "Action": action, "Resource": resource,
        });
        Some(MissingPermission {
            resource_policy: policy,
            // In a key policy `*` is the key itself ("Key policies in AWS KMS").
            resource_statement: resource_statement(
                &principal,
                action,
                if is_key { "*" } else { &resource },
            ),
            principal,
            action: action.to_owned(),
            resource,
            identity_statement,
        })
    }
}

/// The Sid of both statements.
const SID: &str = "TableferryRead";

fn resource_statement(principal: &Arn, action: &str, resource: &str) -> Value {
    let named = SourcePrincipal::from_identity(principal, None).naming();
    let mut statement = json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": { "AWS": named.principal },
        "Action": action,
        "Resource": resource,
    });
    if let Some((operator, pattern)) = named.condition {
        statement["Condition"] = json!({ operator: { "aws:PrincipalArn": pattern } });
    }
    statement
}
