//! Each call in its own context: the sandbox's against what is documented, and policies that tell the
//! calls of one upload apart.

use serde_json::{Value, json};
use tableferry::assess::verdict::AssessedRequirement;
use tableferry::aws::s3::multipart::{UploadSettings, UploadTarget};
use tableferry::job::requirement::{Actor, Requirement};
use tableferry_policy::evaluate::ContextValue;
use tableferry_sandbox::{AclContext, ExportAcl, JudgedRequest, SourceAddress};

use crate::predictions::place::{self, Place};
use crate::predictions::rows::table::{KEY, LANDING, kms};
use crate::predictions::rows::{base, plan_text};

/// What is documented, by hand; the assessment's table is held against the same text.
const DOCUMENTED: &str = include_str!("call_contexts.txt");

/// The cells of a column: the key, and what is there.
fn documented(column: &str) -> Vec<(&'static str, &'static str)> {
    let mut at = None;
    let mut cells = Vec::new();
    for line in DOCUMENTED.lines().filter(|line| !line.starts_with('#')) {
        let line = line.split_once('|').map_or(line, |(line, _)| line);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["calls" | "routes", columns @ ..] => {
                at = columns.iter().position(|known| *known == column);
            }
            [key, all @ ..] => cells.extend(at.map(|at| (*key, all[at]))),
            [] => {}
        }
    }
    assert!(!cells.is_empty(), "{column} is not documented");
    cells
}

/// What a key holds by the plan, where a call has it: of the export of `Ledger` to the landing bucket.
fn value_of(name: &str, column: &str, seen: &JudgedRequest) -> String {
    let is_of_table = column == "DecryptOfTable";
    let value = match name {
        "s3:x-amz-server-side-encryption" => "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id" => KEY,
        "s3:prefix" => "prod/AWSDynamoDB/",
        "kms:ViaService" if is_of_table => "dynamodb.eu-west-1.amazonaws.com",
        "kms:ViaService" => "s3.eu-west-1.amazonaws.com",
        "kms:CallerAccount" | "kms:EncryptionContext:aws:dynamodb:subscriberId" => "111111111111",
        "kms:EncryptionContext:aws:s3:arn" => {
            let Some(ContextValue::Known(found)) = seen.context.get(name) else {
                panic!("no {name}: {seen:#?}");
            };
            assert!(found[0].starts_with("arn:aws:s3:::export-landing/prod/AWSDynamoDB/"));
            return found[0].clone();
        }
        "kms:EncryptionContext:aws:dynamodb:tableName" => "Ledger",
        _ => panic!("{name} is not sent"),
    };
    value.to_owned()
}

/// Holds a request that the sandbox judged against a column; what nobody tells it may play either way.
fn compare(seen: &JudgedRequest, column: &str) {
    for (name, cell) in documented(column) {
        let expected = match cell {
            "unknown" | "true-or-absent" | "some-or-absent" => continue,
            "absent" => None,
            "sent" | "inherited" => Some(value_of(name, column, seen)),
            value => Some(value.to_owned()),
        };
        let expected = expected.map(|value| ContextValue::Known(vec![value]));
        assert_eq!(
            seen.context.get(name),
            expected.as_ref(),
            "{name} of {column}: {seen:#?}"
        );
    }
}

/// The requests of an action on resources whose ARN ends so.
fn those<'s>(seen: &'s [JudgedRequest], action: &str, end: &str) -> Vec<&'s JudgedRequest> {
    seen.iter()
        .filter(|found| found.action == action && found.resource.ends_with(end))
        .collect()
}

/// The plan of a table with a key of its own, to a bucket whose objects have another.
fn encrypted() -> tableferry::job::Plan {
    place::plan(&plan_text(LANDING, &kms(KEY), "name = \"Ledger\""))
}

#[test]
fn the_sandboxs_calls_of_an_export_have_what_is_documented() {
    place::run(|| async {
        let plan = encrypted();
        let place = Place::open(&base(), &plan).await;
        place.sandbox.keep_judged();
        assert!(place.export(&plan).await.is_completed());
        let seen = place.sandbox.judged();
        let whole = those(&seen, "s3:PutObject", "/_started");
        compare(whole[0], "PutObject");
        // A data file: begun, one part, ended.
        let data = those(&seen, "s3:PutObject", ".json.gz");
        for (seen, column) in data.iter().zip([
            "CreateMultipartUpload",
            "UploadPart",
            "CompleteMultipartUpload",
        ]) {
            compare(seen, column);
            compare(seen, "ByDynamoDb");
        }
        compare(
            those(&seen, "s3:PutObjectAcl", ".json.gz")[0],
            "PutObjectAcl",
        );
        let aborted = those(&seen, "s3:AbortMultipartUpload", ".json.gz");
        compare(aborted[0], "AbortMultipartUpload");
        let of_table = "key/0ed6e700-1edc-4e11-8000-000000000001";
        for (action, key, column, route) in [
            (
                "kms:GenerateDataKey",
                KEY,
                "GenerateDataKey",
                "ByDynamoDbAndS3",
            ),
            ("kms:Decrypt", KEY, "Decrypt", "ByDynamoDbAndS3"),
            ("kms:Decrypt", of_table, "DecryptOfTable", "ByDynamoDb"),
        ] {
            let used = those(&seen, action, key);
            compare(used[0], column);
            compare(used[0], route);
        }
        let started = those(&seen, "dynamodb:ExportTableToPointInTime", "table/Ledger");
        compare(started[0], "ExportTableToPointInTime");
        compare(started[0], "Direct");
    });
}

#[test]
fn the_sandboxs_calls_of_a_principal_have_what_is_documented() {
    place::run(|| async {
        let plan = encrypted();
        let place = Place::open(&base(), &plan).await;
        assert!(place.export(&plan).await.is_completed());
        place.sandbox.keep_judged();
        place.check(&plan).await;
        let seen = place.sandbox.judged();
        for action in ["DescribeTable", "DescribeContinuousBackups", "ListExports"] {
            let read = those(&seen, &format!("dynamodb:{action}"), "");
            compare(read[0], action);
            compare(read[0], "Direct");
        }
        let source = place.session("prod-oncall").await;
        let s3 = source.s3(&source.region);
        let bucket = &plan.destination.bucket;
        place.sandbox.keep_judged();
        let reader = place.session("dev-admin").await;
        let of_reader = reader.s3(&reader.region);
        let objects = of_reader
            .list_objects(bucket, "prod/AWSDynamoDB/", None)
            .await;
        compare(
            those(&place.sandbox.judged(), "s3:ListBucket", "export-landing")[0],
            "ListObjectsV2",
        );
        let key = &objects.unwrap()[0].key;
        of_reader
            .get_text(bucket, key, None, 1 << 20)
            .await
            .unwrap();
        compare(
            those(&place.sandbox.judged(), "s3:GetObject", key)[0],
            "GetObject",
        );
        // What a probe does.
        let target = UploadTarget {
            bucket: bucket.clone(),
            owner: "222222222222".parse().unwrap(),
            key: "prod/AWSDynamoDB/probe".to_owned(),
        };
        place.sandbox.keep_judged();
        let settings = UploadSettings {
            encryption: &plan.encryption,
            gives_control: false,
        };
        let upload = s3.begin_upload(&target, settings).await.unwrap();
        let part = bytes::Bytes::from_static(b"part");
        s3.send_part(&target, &upload, 1, part).await.unwrap();
        s3.abort_upload(&target, &upload.id).await.unwrap();
        let seen = place.sandbox.judged();
        let puts = those(&seen, "s3:PutObject", "probe");
        compare(puts[0], "CreateMultipartUpload");
        compare(puts[1], "UploadPart");
        let aborted = those(&seen, "s3:AbortMultipartUpload", "probe");
        compare(aborted[0], "AbortMultipartUpload");
        compare(aborted[0], "Direct");
        compare(those(&seen, "kms:GenerateDataKey", KEY)[0], "ByS3");
    });
}

/// The words of the verdicts on the exporter's calls to S3.
fn words(verdicts: &[AssessedRequirement]) -> Vec<(&'static str, &'static str)> {
    let of_exporter = verdicts
        .iter()
        .filter_map(|verdict| match &verdict.requirement {
            Requirement::Permission(need)
                if need.who == Actor::Exporter && need.action.starts_with("s3:") =>
            {
                Some((need.action, verdict.outcome.as_str()))
            }
            _ => None,
        });
    of_exporter.collect()
}

/// A bucket that asks for encryption wherever something is written or given up (V01).
#[test]
fn a_deny_for_want_of_encryption_that_names_the_abort_denies_the_abort_alone() {
    let mut world = base();
    world["buckets"]["export-nopolicy"]["policy"] = json!({ "Version": "2012-10-17", "Statement": [
        {
            "Sid": "ProductionExports", "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": "arn:aws:s3:::export-nopolicy/*"
        },
        {
            "Sid": "Enc", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:PutObject*", "s3:AbortMultipartUpload"],
            "Resource": "arn:aws:s3:::export-nopolicy/*",
            "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } }
        }
    ]});
    let destination = LANDING.replace("export-landing", "export-nopolicy");
    let plan = place::plan(&plan_text(&destination, "", "name = \"Orders\""));
    place::run(|| async {
        let place = Place::open(&world, &plan).await;
        assert_eq!(
            words(&place.check(&plan).await),
            [
                ("s3:PutObject", "allowed"),
                // No page tells whether S3 has the header when it asks for this.
                ("s3:PutObjectAcl", "depends"),
                ("s3:AbortMultipartUpload", "denied"),
            ]
        );
        place.play_acl_context(AclContext::AclAlone);
        let ending = place.export(&plan).await;
        assert!(
            ending.describe().1.contains("perform: s3:PutObjectAcl"),
            "{ending:?}"
        );
        place.play_acl_context(AclContext::Upload);
        let ending = place.export(&plan).await;
        let (code, message) = ending.describe();
        assert_eq!(code, "S3AccessDenied");
        assert!(
            message.contains("perform: s3:AbortMultipartUpload"),
            "{message}"
        );
        assert!(
            message.contains("with an explicit deny in a resource-based policy"),
            "{message}"
        );
    });
}

/// A bucket that lets in what carries `bucket-owner-full-control` (D12), whichever ACL an export sends.
#[test]
fn an_allow_that_asks_for_an_acl_fails_an_export_with_and_without_one() {
    let mut world = base();
    world["buckets"]["export-landing"]["policy"] = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "PolicyForAllowUploadWithACL", "Effect": "Allow", "Principal": { "AWS": "111111111111" },
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }
    }]});
    let plan = place::plan(&plan_text(LANDING, "", "name = \"Orders\""));
    place::run(|| async {
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(
            words(&verdicts),
            [
                ("s3:PutObject", "denied"),
                ("s3:PutObjectAcl", "denied"),
                ("s3:AbortMultipartUpload", "denied"),
            ]
        );
        let put = verdicts
            .iter()
            .find(|verdict| words(&[(*verdict).clone()]) == [("s3:PutObject", "denied")]);
        assert!(
            put.unwrap().explanation.contains("in UploadPart"),
            "{put:#?}"
        );
        for acl in [ExportAcl::BucketOwnerFullControl, ExportAcl::Absent] {
            place.play_as(SourceAddress::Service, acl);
            assert_eq!(place.export(&plan).await.describe().0, "S3AccessDenied");
        }
    });
    // What an ACL alone decides: with all else granted, the parts are what is denied.
    let statements = world["buckets"]["export-landing"]["policy"]["Statement"].as_array_mut();
    statements
        .unwrap()
        .push(granted(&["s3:PutObjectAcl", "s3:AbortMultipartUpload"]));
    place::run(|| async {
        let place = Place::open(&world, &plan).await;
        assert_eq!(
            words(&place.check(&plan).await),
            [
                ("s3:PutObject", "denied"),
                ("s3:PutObjectAcl", "allowed"),
                ("s3:AbortMultipartUpload", "allowed"),
            ]
        );
        for acl in [ExportAcl::BucketOwnerFullControl, ExportAcl::Absent] {
            place.play_as(SourceAddress::Service, acl);
            let ending = place.export(&plan).await;
            let (_, message) = ending.describe();
            assert!(message.contains("perform: s3:PutObject on"), "{message}");
        }
    });
}

fn granted(actions: &[&str]) -> Value {
    json!({
        "Sid": "Rest", "Effect": "Allow", "Principal": { "AWS": "111111111111" },
        "Action": actions, "Resource": "arn:aws:s3:::export-landing/*"
    })
}
