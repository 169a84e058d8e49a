//! Each call of an upload is judged in its own context.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::call::{Call, Carried, TABLE};
use crate::assess::verdict::Verdict;
use crate::job::Plan;

/// One expected value a cell, written by hand: S3's API reference (headers of each request),
/// aws/aws-cli#1674 (no ACL on `UploadPart`), API reference of `UploadPart` (encryption is told once).
#[rstest]
#[case(Call::PutObject, Carried::Sent, Carried::Unknown)]
#[case(Call::CreateMultipartUpload, Carried::Sent, Carried::Unknown)]
#[case(Call::UploadPart, Carried::Inherited, Carried::Absent)]
#[case(Call::CompleteMultipartUpload, Carried::Inherited, Carried::Absent)]
#[case(Call::AbortMultipartUpload, Carried::Absent, Carried::Absent)]
#[case(Call::PutObjectAcl, Carried::Sent, Carried::Unknown)]
#[case(Call::Other, Carried::Absent, Carried::Absent)]
fn a_call_carries_what_s3_documents(
    #[case] call: Call,
    #[case] encryption: Carried,
    #[case] acl: Carried,
) {
    assert_eq!((call.encryption(), call.acl()), (encryption, acl));
    assert_eq!(TABLE.iter().filter(|row| row.0 == call).count(), 1);
}

#[test]
fn an_abort_has_no_header_that_a_deny_asks_for() {
    let facts = bucket_with(&json!({
        "Sid": "Enc", "Effect": "Deny", "Principal": "*",
        "Action": ["s3:PutObject*", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } }
    }));
    let abort = on(&aes_plan(), &facts, "s3:AbortMultipartUpload");
    assert_eq!(abort.outcome, Verdict::Denied, "{abort:#?}");
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Verdict::CLEAR
    );
}

#[test]
fn a_part_has_no_acl_that_an_allow_asks_for() {
    let mut facts = facts();
    let mut policy = granting_bucket();
    policy[0]["Condition"] =
        json!({ "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } });
    facts.bucket.policy = known(document(&policy));
    let put = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(put.outcome, Verdict::Denied, "{put:#?}");
    assert!(put.explanation.contains("in UploadPart"), "{put:#?}");
    let abort = on(&aes_plan(), &facts, "s3:AbortMultipartUpload");
    assert_eq!(abort.outcome, Verdict::Denied, "{abort:#?}");
    let acl = on(&aes_plan(), &facts, "s3:PutObjectAcl");
    assert!(matches!(acl.outcome, Verdict::Depends { .. }), "{acl:#?}");
}

/// The samples of AWS's pages on encryption headers, with an export that does as they ask.
#[rstest]
#[case::organizations_example_scps_for_s3(aes_plan(), json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } }))]
#[case::organizations_example_scps_for_s3_algorithm(aes_plan(), json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } }))]
#[case::security_blog_how_to_prevent_uploads_of_unencrypted_objects(kms_plan(), json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }))]
#[case::s3_user_guide_sse_kms_null(kms_plan(), json!({ "Null": { "s3:x-amz-server-side-encryption-aws-kms-key-id": "true" } }))]
#[case::s3_user_guide_specific_key(kms_plan(), json!({ "ArnNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY } }))]
#[case::re_post_other_key(kms_plan(), json!({ "StringNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY } }))]
#[case::rcp_examples_sse_c(aes_plan(), json!({ "Null": { "s3:x-amz-server-side-encryption-customer-algorithm": "false" } }))]
fn an_export_that_matches_a_sample_is_allowed(#[case] plan: Plan, #[case] condition: Value) {
    let facts = bucket_with(&json!({
        "Sid": "Sample", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::export-landing/*", "Condition": condition
    }));
    for action in ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"] {
        let verdict = on(&plan, &facts, action);
        assert_eq!(verdict.outcome, Verdict::CLEAR, "{verdict:#?}");
    }
}
