//! The exact texts of known failures of exports, imports, sign-ins and S3 Inventory, each with the cause that
//! is named first by the text alone. Sources: aws-controllers-k8s/dynamodb-controller, docs/api-quirks
//! (observed), IAM user guide troubleshoot_access-denied, S3 user guide, KMS developer guide.

use rstest::rstest;

use crate::diagnosis::catalogue::Certainty;
use crate::diagnosis::scan::scan;
use crate::diagnosis::{Circumstances, diagnose};

/// The causes that come first, and whether they are told as certain.
fn first(text: &str) -> (Vec<String>, bool) {
    let mut found = None;
    scan(text.as_bytes(), |one| {
        let diagnosis = diagnose(&one.error, &Circumstances::of_text(&one.error));
        let is_error = diagnosis.is_some();
        if found.is_none() {
            found = diagnosis;
        }
        is_error
    })
    .unwrap();
    let found = found.unwrap_or_else(|| panic!("nothing found in {text}"));
    let ids = found.first().map(|one| one.cause.id.clone()).collect();
    let is_certain = found
        .first()
        .all(|one| one.certainty == Certainty::TheCause);
    (ids, is_certain)
}

const BY: &str =
    "User: arn:aws:sts::111122223333:assumed-role/Exporter/me is not authorized to perform:";

#[rstest]
#[case::row_3(
    "PointInTimeRecoveryUnavailableException: Point in time recovery is not enabled for table 'Orders'",
    "recovery-off"
)]
#[case::row_4(
    "An error occurred (InvalidExportTimeException) when calling the ExportTableToPointInTime operation: Export Time is invalid",
    "export-time-invalid"
)]
#[case::row_5(
    "Point in Time Recovery is not available for specified export time",
    "export-time-too-late"
)]
#[case::row_6(
    "Difference between export period from time and export period to time is less than 15 minutes",
    "increment-window"
)]
#[case::row_7a(
    "Incremental export period from time cannot be less than the table creation time : 1",
    "increment-bounds"
)]
#[case::row_7b(
    "Incremental export period to time cannot be greater than the current time : 1",
    "increment-bounds"
)]
#[case::row_8a(
    "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided",
    "export-type-mismatch"
)]
#[case::row_8b(
    "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided",
    "export-type-mismatch"
)]
#[case::row_17(
    "An error occurred (AccessDeniedException) when calling the Decrypt operation: The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    "decrypt-not-allowed"
)]
#[case::row_18(
    "KMS.NotFoundException: Invalid keyId aws/s3 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; Request ID: X; Proxy: null)",
    "key-not-shared"
)]
#[case::row_19(
    "KmsNotFoundException: Invalid arn us-east-1 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; Request ID: X; Proxy: null)",
    "key-other-region"
)]
#[case::row_20(
    "KmsNotFoundException: Key 'arn:aws:kms:eu-west-1:444455556666:key/0' does not exist (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; Request ID: X; Proxy: null)",
    "key-missing"
)]
#[case::row_21(
    "ValidationException: Invalid Request: KMS Key Id is not supported for this encryption type",
    "key-with-aes256"
)]
#[case::row_22(
    "S3NoSuchBucket: The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; Request ID: X; Proxy: null)",
    "bucket-missing"
)]
#[case::row_24(
    "An error occurred (MalformedPolicy) when calling the PutBucketPolicy operation: Invalid principal in policy",
    "policy-principal-invalid"
)]
#[case::row_28a(
    "An error occurred (AccessDeniedException) when calling the ExportTableToPointInTime operation: Access is denied",
    "wrong-account"
)]
#[case::row_28b(
    "An error occurred (TableNotFoundException) when calling the ExportTableToPointInTime operation: Table not found: arn:aws:dynamodb:eu-west-1:111122223333:table/T",
    "table-missing"
)]
#[case::row_29(
    "An error occurred (ValidationException) when calling the ExportTableToPointInTime operation: One or more parameter values were invalid: tableArn is not a valid ARN",
    "table-arn-invalid"
)]
#[case::row_30(
    "ExportConflictException: Export conflict: Duplicate request detected with conflicting parameters",
    "token-conflict"
)]
#[case::row_32(
    "An error occurred (ThrottlingException) when calling the DescribeExport operation (reached max retries: 4): Rate exceeded",
    "throttled"
)]
#[case::row_33a(
    "An error occurred (ExportNotFoundException) when calling the DescribeExport operation: Export not found: Invalid export arn",
    "export-not-found"
)]
#[case::row_33b(
    "An error occurred (ValidationException) when calling the DescribeExport operation: Invalid Export ARN",
    "export-not-found"
)]
#[case::row_35(
    "An error occurred (ValidationError) when calling the AssumeRole operation: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    "role-chaining"
)]
#[case::row_36(
    "An error occurred (AccessDenied) when calling the AssumeRole operation: MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
    "mfa-missing"
)]
#[case::row_38(
    "An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
    "session-expired"
)]
#[case::row_40(
    "AccessControlListNotSupported: The bucket does not allow ACLs",
    "acl-disabled"
)]
#[case::row_41(
    "{\"FailureCode\": \"ItemValidationError\", \"FailureMessage\": \"Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details.\"}",
    "import-items-invalid"
)]
#[case::row_42(&format!("FAILED: {BY} logs:CreateLogStream on resource: arn:aws:logs:eu-west-2:111122223333:log-group:/aws-dynamodb/imports:log-stream:0/info because no identity-based policy allows the logs:CreateLogStream action"), "import-logs-lacks")]
#[case::row_43(
    "An error occurred (ResourceInUseException) when calling the ImportTable operation: Table already exists: Orders",
    "table-exists"
)]
#[case::row_9(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" because no resource-based policy allows the s3:PutObject action"), "bucket-policy-lacks")]
#[case::row_10(&format!("{BY} s3:PutObjectAcl on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:PutObjectAcl action"), "identity-policy-lacks")]
#[case::row_11(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy"), "bucket-policy-denies")]
#[case::row_12a(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a service control policy"), "scp-denies")]
#[case::row_12b(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource control policy"), "rcp-denies")]
#[case::row_12c(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a permissions boundary"), "boundary-denies")]
#[case::row_12d(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a session policy"), "session-policy-denies")]
#[case::row_12e(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a VPC endpoint policy"), "endpoint-policy-denies")]
#[case::row_12f(&format!("{BY} s3:PutObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in an identity-based policy"), "identity-policy-denies")]
#[case::row_15(&format!("{BY} kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:444455556666:key/1 because no identity-based policy allows the kms:GenerateDataKey action"), "identity-policy-lacks-key")]
fn the_text_of_a_known_failure_names_its_cause(#[case] text: &str, #[case] cause: &str) {
    assert_eq!(first(text).0, [cause], "{text}");
}

/// Rows whose text leaves several causes: none is told as certain.
#[rstest]
#[case::row_13("Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X; Proxy: null)", &["identity-policy-lacks", "bucket-policy-lacks", "bucket-policy-denies"])]
#[case::row_14(&format!("{BY} kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"), &["key-policy-lacks", "key-other-region", "key-policy-denies"])]
#[case::row_37("An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/r", &["trust-policy-lacks", "identity-policy-lacks"])]
#[case::inventory("Access denied Inventory export for 2026-11-20 failed because S3 doesn't have access to the destination bucket or KMS key. Ask the owner of the destination bucket or KMS key to grant the necessary access and then try again.", &["inventory-bucket-policy", "inventory-key-policy"])]
fn where_the_text_leaves_several_causes_none_is_certain(
    #[case] text: &str,
    #[case] causes: &[&str],
) {
    let (found, is_certain) = first(text);
    for cause in causes {
        assert!(
            found.iter().any(|one| one == cause),
            "{cause} not in {found:?}"
        );
    }
    assert!(!is_certain, "{text}");
}
