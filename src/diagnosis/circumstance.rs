//! What is known beside the words of an error: read from the text itself, or from facts.
//!
//! It decides which circumstances a text shows. One that is neither known to hold nor known not to hold is
//! not in the set; its opposite is a circumstance of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::reported::ReportedError;

/// Something that confirms or excludes causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Circumstance {
    /// Caller and resource are in one account.
    SameAccount,
    /// Caller and resource are in different accounts.
    OtherAccount,
    /// The action is of KMS.
    OfAKey,
    /// The action is of S3.
    OfS3,
    /// The call is of EC2.
    OfEc2,
    /// The action is `sts:AssumeRole`, or one that goes with it.
    AssumeRole,
    /// The call was not signed.
    Anonymous,
    /// The call is `AssumeRoleWithWebIdentity`.
    WebIdentity,
    /// It is the failure of a DynamoDB export.
    Export,
    /// The call starts an export or import.
    ExportCall,
    /// The action writes the log of an import.
    ImportLog,
    /// S3 could not deliver an inventory report, which it writes as its own principal.
    InventoryDelivery,
    /// A setting of the buckets keeps every inventory report away.
    DeliveryIsPrevented,
    /// The call named the bucket's owner that it expects.
    ExpectedOwner,
    /// The export named the bucket's owner.
    OwnerSent,
    /// The export did not name the bucket's owner.
    OwnerNotSent,
    /// The bucket's owner that was named is the right one.
    OwnerIsRight,
    /// The bucket's owner that was named is another account.
    OwnerIsWrong,
    /// The caller's policies allow it.
    IdentityPolicyAllows,
    /// The caller's policies do not allow it.
    IdentityPolicyDoesNotAllow,
    /// A policy of the caller denies it.
    IdentityPolicyDenies,
    /// The resource's policy allows it.
    ResourcePolicyAllows,
    /// The resource's policy does not allow it.
    ResourcePolicyDoesNotAllow,
    /// The resource's policy denies it.
    ResourcePolicyDenies,
    /// A Deny of the resource's policy hits it under conditions that nobody can tell before.
    ResourcePolicyMayDeny,
    /// The resource's policy does not deny it.
    ResourcePolicyDoesNotDeny,
    /// The key's policy allows it.
    KeyPolicyAllows,
    /// The key's policy does not allow it.
    KeyPolicyDoesNotAllow,
    /// The key's policy denies it.
    KeyPolicyDenies,
    /// The key's policy does not deny it.
    KeyPolicyDoesNotDeny,
    /// The caller's policies allow the use of the key.
    KeyIdentityPolicyAllows,
    /// The caller's policies do not allow the use of the key.
    KeyIdentityPolicyDoesNotAllow,
    /// The key is in another Region than the bucket.
    KeyRegionDiffers,
    /// Key and bucket are in one Region.
    KeyRegionIsTheSame,
    /// The key is named by an alias of another account, or is one that AWS manages.
    KeyNameIsForeign,
    /// There is no such key.
    KeyIsMissing,
    /// The key exists.
    KeyExists,
    /// The role's trust policy names the caller.
    TrustPolicyAllows,
    /// The role's trust policy does not name the caller.
    TrustPolicyDoesNotAllow,
    /// A service control policy denies it.
    ScpDenies,
    /// A resource control policy denies it.
    RcpDenies,
    /// No service control policy denies it.
    ScpDoesNotDeny,
    /// The bucket's policy counts as public, and public buckets are restricted.
    PolicyIsPublic,
    /// The bucket's policy does not count as public.
    PolicyIsNotPublic,
    /// The bucket is Requester Pays.
    BucketIsRequesterPays,
    /// The bucket is not Requester Pays.
    BucketIsNotRequesterPays,
    /// The object belongs to another account.
    ObjectIsForeign,
    /// Object Ownership is `BucketOwnerEnforced`.
    BucketOwnerEnforced,
    /// A policy demands an encryption that the call does not ask for.
    EncryptionIsDemanded,
    /// A policy demands an ACL that the call may not send.
    AclIsDemanded,
    /// No policy demands an encryption that the call does not ask for.
    EncryptionIsNotDemanded,
    /// A policy names a principal that was deleted.
    PrincipalIsStale,
    /// No policy names a principal that was deleted.
    PrincipalIsNotStale,
    /// A policy changed within the last minutes.
    ChangedMinutesAgo,
    /// No policy changed within the last minutes.
    NotChangedLately,
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Circumstances(BTreeSet<Circumstance>);

impl Circumstances {
    /// What the error's text shows.
    #[must_use]
    pub fn of_text(error: &ReportedError) -> Self {
        let mut known = Self::default();
        let accounts = (error.principal_account(), error.resource_account());
        if let (Some(caller), Some(owner)) = accounts {
            known.add_if(caller == owner, Circumstance::SameAccount);
            known.add_if(caller != owner, Circumstance::OtherAccount);
        }
        let service = error.service();
        let service = service.as_deref();
        known.add_if(service == Some("kms"), Circumstance::OfAKey);
        known.add_if(service == Some("s3"), Circumstance::OfS3);
        known.add_if(service == Some("ec2"), Circumstance::OfEc2);
        let action = error.action.as_deref().unwrap_or_default();
        known.add_if(
            matches!(
                action,
                "sts:AssumeRole" | "sts:TagSession" | "sts:SetSourceIdentity"
            ),
            Circumstance::AssumeRole,
        );
        known.add_if(
            error.principal.as_deref() == Some("anonymous"),
            Circumstance::Anonymous,
        );
        let operation = error.operation.as_deref().unwrap_or_default();
        let record = error.record.as_str();
        known.add_if(
            operation == "AssumeRoleWithWebIdentity" || action == "sts:AssumeRoleWithWebIdentity",
            Circumstance::WebIdentity,
        );
        known.add_if(
            matches!(
                operation,
                "ExportTableToPointInTime" | "ImportTable" | "StartBulkPutItems"
            ),
            Circumstance::ExportCall,
        );
        let is_export = error.code.as_deref() == Some("S3AccessDenied")
            || record.contains("S3AccessDenied")
            || record.contains("ExportArn")
            || record.contains("/export/0");
        known.add_if(is_export, Circumstance::Export);
        let resource = error.resource.as_deref().unwrap_or_default();
        known.add_if(
            action.starts_with("logs:") && resource.contains("/aws-dynamodb/"),
            Circumstance::ImportLog,
        );
        known.add_if(
            record.contains("nventory export for") && record.contains("destination bucket"),
            Circumstance::InventoryDelivery,
        );
        let has_owner = record.contains("S3BucketOwner");
        known.add_if(is_export && has_owner, Circumstance::OwnerSent);
        // A description without the field is one of an export that did not name the owner.
        let is_description = record.contains("ExportArn") && record.contains("S3Bucket");
        known.add_if(
            is_export && is_description && !has_owner,
            Circumstance::OwnerNotSent,
        );
        known.add_if(
            record.contains("expected-bucket-owner") || record.contains("ExpectedBucketOwner"),
            Circumstance::ExpectedOwner,
        );
        known
    }

    /// Adds a circumstance that is known to hold.
    pub fn add(&mut self, circumstance: Circumstance) {
        self.0.insert(circumstance);
    }

    /// Takes a circumstance out that does not hold after all.
    pub fn remove(&mut self, circumstance: Circumstance) {
        self.0.remove(&circumstance);
    }

    fn add_if(&mut self, is_known: bool, circumstance: Circumstance) {
        if is_known {
            self.add(circumstance);
        }
    }

    /// Whether it is known to hold.
    #[must_use]
    pub fn holds(&self, circumstance: Circumstance) -> bool {
        self.0.contains(&circumstance)
    }
}
