//! The permission that a call needs, where its name differs from the call's.
//!
//! A refusal without IAM's sentence names the call alone, and a policy must allow the action: S3's actions
//! go by other names than many of its calls ("Required permissions for Amazon S3 API operations", S3 user
//! guide).

/// The calls of S3 whose action has another name, in their order, each with that action.
const OF_S3: [(&str, &str); 44] = [
    ("CompleteMultipartUpload", "s3:PutObject"),
    ("CreateMultipartUpload", "s3:PutObject"),
    (
        "DeleteBucketAnalyticsConfiguration",
        "s3:PutAnalyticsConfiguration",
    ),
    ("DeleteBucketCors", "s3:PutBucketCORS"),
    ("DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    (
        "DeleteBucketInventoryConfiguration",
        "s3:PutInventoryConfiguration",
    ),
    ("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
    (
        "DeleteBucketMetricsConfiguration",
        "s3:PutMetricsConfiguration",
    ),
    (
        "DeleteBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ),
    ("DeleteBucketReplication", "s3:PutReplicationConfiguration"),
    ("DeleteBucketTagging", "s3:PutBucketTagging"),
    ("DeleteObjects", "s3:DeleteObject"),
    ("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    (
        "GetBucketAccelerateConfiguration",
        "s3:GetAccelerateConfiguration",
    ),
    (
        "GetBucketAnalyticsConfiguration",
        "s3:GetAnalyticsConfiguration",
    ),
    ("GetBucketCors", "s3:GetBucketCORS"),
    ("GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    (
        "GetBucketInventoryConfiguration",
        "s3:GetInventoryConfiguration",
    ),
    (
        "GetBucketLifecycleConfiguration",
        "s3:GetLifecycleConfiguration",
    ),
    (
        "GetBucketMetricsConfiguration",
        "s3:GetMetricsConfiguration",
    ),
    (
        "GetBucketNotificationConfiguration",
        "s3:GetBucketNotification",
    ),
    ("GetBucketReplication", "s3:GetReplicationConfiguration"),
    ("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("HeadBucket", "s3:ListBucket"),
    ("HeadObject", "s3:GetObject"),
    (
        "ListBucketInventoryConfigurations",
        "s3:GetInventoryConfiguration",
    ),
    ("ListBuckets", "s3:ListAllMyBuckets"),
    ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("ListObjectVersions", "s3:ListBucketVersions"),
    ("ListObjects", "s3:ListBucket"),
    ("ListObjectsV2", "s3:ListBucket"),
    ("ListParts", "s3:ListMultipartUploadParts"),
    (
        "PutBucketAccelerateConfiguration",
        "s3:PutAccelerateConfiguration",
    ),
    (
        "PutBucketAnalyticsConfiguration",
        "s3:PutAnalyticsConfiguration",
    ),
    ("PutBucketCors", "s3:PutBucketCORS"),
    ("PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    (
        "PutBucketInventoryConfiguration",
        "s3:PutInventoryConfiguration",
    ),
    (
        "PutBucketLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    (
        "PutBucketMetricsConfiguration",
        "s3:PutMetricsConfiguration",
    ),
    (
        "PutBucketNotificationConfiguration",
        "s3:PutBucketNotification",
    ),
    ("PutBucketReplication", "s3:PutReplicationConfiguration"),
    ("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("SelectObjectContent", "s3:GetObject"),
    ("UploadPart", "s3:PutObject"),
];

/// The action that a policy must allow for a call of S3 that goes by another name; `service` is in lower
/// case, where it is known.
pub(super) fn of_call(service: Option<&str>, operation: &str) -> Option<&'static str> {
    if service.is_some_and(|service| service != "s3") {
        return None;
    }
    let at = OF_S3
        .binary_search_by(|(call, _)| (*call).cmp(operation))
        .ok()?;
    OF_S3.get(at).map(|(_, action)| *action)
}

#[cfg(test)]
mod tests {
    use tableferry_policy::lint::{Kind, lint};

    use super::*;

    #[test]
    fn the_calls_are_in_order_and_their_actions_are_s3s() {
        assert!(OF_S3.is_sorted_by(|one, other| one.0 < other.0));
        // The linter knows the actions of the service authorization reference.
        for (call, action) in OF_S3 {
            let policy = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}",
                    "Resource": "*"}}}}"#
            );
            let found = lint(&policy, Kind::Identity);
            assert_eq!(found, [], "{call}");
        }
    }

    #[test]
    fn a_call_of_another_service_is_not_s3s() {
        assert_eq!(of_call(Some("s3"), "HeadObject"), Some("s3:GetObject"));
        assert_eq!(of_call(None, "ListBuckets"), Some("s3:ListAllMyBuckets"));
        assert_eq!(of_call(Some("mediastore-data"), "HeadObject"), None);
        assert_eq!(of_call(Some("s3"), "GetObject"), None);
    }
}
