//! The events that change a policy or a setting: their names, what they change, and where the event holds
//! who it is about and the document that was written.
//!
//! Names: S3 user guide, cloudtrail-logging-s3-info and `LogFormat`; KMS developer guide, logging-using-cloudtrail;
//! IAM user guide, cloudtrail-integration; the names of the API where a page has no list.

/// What kind of resource an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// An S3 bucket.
    Bucket,
    /// A KMS key.
    Key,
    /// An IAM role.
    Role,
    /// An IAM user.
    User,
    /// A managed policy.
    ManagedPolicy,
    /// A `DynamoDB` table.
    Table,
    /// An account as a whole.
    Account,
}

impl ResourceKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Key => "key",
            Self::Role => "role",
            Self::User => "user",
            Self::ManagedPolicy => "managed policy",
            Self::Table => "table",
            Self::Account => "account",
        }
    }
}

/// An event that changes something.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeName {
    /// `eventName`.
    pub event: &'static str,
    pub kind: ResourceKind,
    /// What it changes, such as `bucket policy`.
    pub setting: &'static str,
    /// The request parameter that holds the document; empty where the event holds none.
    pub document: &'static str,
    /// The request parameter that names the part of the setting, such as an inline policy.
    pub part: &'static str,
    /// The operation of an access log without its `REST.` and the method; empty where there is none.
    pub logged: &'static str,
}

const fn name(
    event: &'static str,
    kind: ResourceKind,
    setting: &'static str,
    document: &'static str,
) -> ChangeName {
    ChangeName {
        event,
        kind,
        setting,
        document,
        part: "",
        logged: "",
    }
}

const fn of_bucket(
    event: &'static str,
    setting: &'static str,
    document: &'static str,
    logged: &'static str,
) -> ChangeName {
    ChangeName {
        logged,
        ..name(event, ResourceKind::Bucket, setting, document)
    }
}

const fn part(known: ChangeName, part: &'static str) -> ChangeName {
    ChangeName { part, ..known }
}

use ResourceKind::{Account, Key, ManagedPolicy, Role, Table, User};

/// Every name that is known.
const NAMES: [ChangeName; 62] = [
    of_bucket(
        "PutBucketPolicy",
        "bucket policy",
        "bucketPolicy",
        "BUCKETPOLICY",
    ),
    of_bucket("DeleteBucketPolicy", "bucket policy", "", "BUCKETPOLICY"),
    of_bucket("PutBucketAcl", "bucket ACL", "AccessControlPolicy", "ACL"),
    of_bucket(
        "PutBucketOwnershipControls",
        "Object Ownership",
        "OwnershipControls",
        "OWNERSHIP_CONTROLS",
    ),
    of_bucket(
        "DeleteBucketOwnershipControls",
        "Object Ownership",
        "",
        "OWNERSHIP_CONTROLS",
    ),
    of_bucket(
        "PutBucketPublicAccessBlock",
        "Block Public Access",
        "PublicAccessBlockConfiguration",
        "PUBLIC_ACCESS_BLOCK",
    ),
    of_bucket(
        "DeleteBucketPublicAccessBlock",
        "Block Public Access",
        "",
        "PUBLIC_ACCESS_BLOCK",
    ),
    of_bucket(
        "PutBucketEncryption",
        "default encryption",
        "ServerSideEncryptionConfiguration",
        "ENCRYPTION",
    ),
    of_bucket(
        "DeleteBucketEncryption",
        "default encryption",
        "",
        "ENCRYPTION",
    ),
    of_bucket(
        "PutBucketLifecycle",
        "lifecycle",
        "LifecycleConfiguration",
        "LIFECYCLE",
    ),
    of_bucket(
        "PutBucketLifecycleConfiguration",
        "lifecycle",
        "LifecycleConfiguration",
        "",
    ),
    of_bucket("DeleteBucketLifecycle", "lifecycle", "", "LIFECYCLE"),
    part(
        of_bucket(
            "PutBucketInventoryConfiguration",
            "inventory configuration",
            "InventoryConfiguration",
            "INVENTORY",
        ),
        "id",
    ),
    part(
        of_bucket(
            "DeleteBucketInventoryConfiguration",
            "inventory configuration",
            "",
            "INVENTORY",
        ),
        "id",
    ),
    of_bucket(
        "PutBucketVersioning",
        "versioning",
        "VersioningConfiguration",
        "VERSIONING",
    ),
    of_bucket(
        "PutBucketReplication",
        "replication",
        "ReplicationConfiguration",
        "REPLICATION",
    ),
    of_bucket(
        "PutBucketNotification",
        "notification",
        "NotificationConfiguration",
        "NOTIFICATION",
    ),
    of_bucket(
        "PutBucketLogging",
        "server access logging",
        "BucketLoggingStatus",
        "LOGGING_STATUS",
    ),
    of_bucket(
        "PutBucketRequestPayment",
        "Requester Pays",
        "RequestPaymentConfiguration",
        "REQUEST_PAYMENT",
    ),
    of_bucket("CreateBucket", "the bucket itself", "", "BUCKET"),
    of_bucket("DeleteBucket", "the bucket itself", "", "BUCKET"),
    name(
        "PutAccountPublicAccessBlock",
        Account,
        "Block Public Access",
        "PublicAccessBlockConfiguration",
    ),
    name(
        "DeleteAccountPublicAccessBlock",
        Account,
        "Block Public Access",
        "",
    ),
    name("PutKeyPolicy", Key, "key policy", "policy"),
    name("CreateGrant", Key, "grants", ""),
    name("RevokeGrant", Key, "grants", ""),
    name("RetireGrant", Key, "grants", ""),
    name("EnableKey", Key, "state", ""),
    name("DisableKey", Key, "state", ""),
    name("ScheduleKeyDeletion", Key, "state", ""),
    name("CancelKeyDeletion", Key, "state", ""),
    part(
        name("PutRolePolicy", Role, "inline policy", "policyDocument"),
        "policyName",
    ),
    part(
        name("DeleteRolePolicy", Role, "inline policy", ""),
        "policyName",
    ),
    part(
        name("AttachRolePolicy", Role, "attached policy", ""),
        "policyArn",
    ),
    part(
        name("DetachRolePolicy", Role, "attached policy", ""),
        "policyArn",
    ),
    name(
        "UpdateAssumeRolePolicy",
        Role,
        "trust policy",
        "policyDocument",
    ),
    part(
        name(
            "PutRolePermissionsBoundary",
            Role,
            "permissions boundary",
            "",
        ),
        "permissionsBoundary",
    ),
    name(
        "DeleteRolePermissionsBoundary",
        Role,
        "permissions boundary",
        "",
    ),
    name(
        "CreateRole",
        Role,
        "the role itself",
        "assumeRolePolicyDocument",
    ),
    name("DeleteRole", Role, "the role itself", ""),
    name("UpdateRole", Role, "session duration", ""),
    part(
        name("PutUserPolicy", User, "inline policy", "policyDocument"),
        "policyName",
    ),
    part(
        name("DeleteUserPolicy", User, "inline policy", ""),
        "policyName",
    ),
    part(
        name("AttachUserPolicy", User, "attached policy", ""),
        "policyArn",
    ),
    part(
        name("DetachUserPolicy", User, "attached policy", ""),
        "policyArn",
    ),
    part(
        name(
            "PutUserPermissionsBoundary",
            User,
            "permissions boundary",
            "",
        ),
        "permissionsBoundary",
    ),
    name(
        "DeleteUserPermissionsBoundary",
        User,
        "permissions boundary",
        "",
    ),
    part(name("AddUserToGroup", User, "group", ""), "groupName"),
    part(name("RemoveUserFromGroup", User, "group", ""), "groupName"),
    name("DeleteUser", User, "the user itself", ""),
    name(
        "CreatePolicyVersion",
        ManagedPolicy,
        "policy document",
        "policyDocument",
    ),
    name(
        "SetDefaultPolicyVersion",
        ManagedPolicy,
        "default version",
        "",
    ),
    name("DeletePolicyVersion", ManagedPolicy, "policy document", ""),
    name("DeletePolicy", ManagedPolicy, "the policy itself", ""),
    name("PutResourcePolicy", Table, "resource policy", "policy"),
    name("DeleteResourcePolicy", Table, "resource policy", ""),
    name(
        "UpdateContinuousBackups",
        Table,
        "point-in-time recovery",
        "pointInTimeRecoverySpecification",
    ),
    name(
        "UpdateTable",
        Table,
        "the table's settings",
        "sSESpecification",
    ),
    name("CreateTable", Table, "the table itself", ""),
    name("DeleteTable", Table, "the table itself", ""),
    name("RestoreTableToPointInTime", Table, "the table itself", ""),
    name("RestoreTableFromBackup", Table, "the table itself", ""),
];

/// The change that an event of CloudTrail tells, by its `eventName` and `eventSource`.
pub(super) fn of_event(event: &str, source: &str) -> Option<&'static ChangeName> {
    let found = NAMES.iter().find(|known| known.event == event)?;
    // Other services have calls of the same name, such as PutResourcePolicy of Secrets Manager.
    let service = match found.kind {
        ResourceKind::Bucket | Account => "s3",
        Key => "kms",
        Role | User | ManagedPolicy => "iam",
        Table => "dynamodb",
    };
    let name = source.split('.').next().unwrap_or_default();
    (name == service || name == "s3-control" && service == "s3").then_some(found)
}

/// The change that a line of a server access log tells, by its operation, such as `REST.PUT.BUCKETPOLICY`.
pub(super) fn of_log(operation: &str) -> Option<&'static ChangeName> {
    let (method, resource) = operation.strip_prefix("REST.")?.split_once('.')?;
    let deed = match method {
        "PUT" => "Put",
        "DELETE" => "Delete",
        _ => return None,
    };
    // A bucket is made by PUT, too.
    let deed = if method == "PUT" && resource == "BUCKET" {
        "Create"
    } else {
        deed
    };
    NAMES
        .iter()
        .find(|known| known.logged == resource && known.event.starts_with(deed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_access_log_and_an_event_have_one_name() {
        for (operation, event) in [
            ("REST.PUT.BUCKETPOLICY", Some("PutBucketPolicy")),
            ("REST.DELETE.BUCKETPOLICY", Some("DeleteBucketPolicy")),
            (
                "REST.PUT.PUBLIC_ACCESS_BLOCK",
                Some("PutBucketPublicAccessBlock"),
            ),
            ("REST.PUT.ENCRYPTION", Some("PutBucketEncryption")),
            ("REST.PUT.LIFECYCLE", Some("PutBucketLifecycle")),
            ("REST.PUT.LOGGING_STATUS", Some("PutBucketLogging")),
            ("REST.PUT.BUCKET", Some("CreateBucket")),
            ("REST.GET.BUCKETPOLICY", None),
            ("REST.PUT.OBJECT", None),
        ] {
            assert_eq!(
                of_log(operation).map(|known| known.event),
                event,
                "{operation}"
            );
        }
    }

    #[test]
    fn a_call_of_another_service_is_not_the_one_that_is_meant() {
        assert!(of_event("PutResourcePolicy", "dynamodb.amazonaws.com").is_some());
        assert!(of_event("PutResourcePolicy", "secretsmanager.amazonaws.com").is_none());
        assert!(of_event("GetBucketPolicy", "s3.amazonaws.com").is_none());
    }
}
