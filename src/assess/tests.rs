//! The documents for plans and principals of every kind.

mod calls;
mod checks;
mod example_plans;
mod least;
mod permissions;
mod prior_exports;
mod properties;
mod remedies;
mod request_texts;
mod resolved;
mod unread;
pub(crate) mod world;

use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use super::principal::SourcePrincipal;
use super::requirement::{JobContext, Purpose, Who, needs};
use super::snippets::{Snippets, snippets, snippets_in};
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, Arn, Region};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

fn plan(destination: &str, encryption: &str, tables: &[&str]) -> Plan {
    let tables: Vec<String> = tables
        .iter()
        .map(|name| format!("[[tables]]\nname = '{name}'\n"))
        .collect();
    let tables = tables.concat();
    let text = format!(
        "[source]\nprofile = 'p'\n[destination]\nbucket = 'export-landing'\n{destination}\n\
         [encryption]\n{encryption}\n{tables}"
    );
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    Plan::parse(&text, "plan.toml", now).unwrap()
}

fn role() -> SourcePrincipal {
    SourcePrincipal::Role {
        arn: arn("arn:aws:iam::111111111111:role/OnCallExporter"),
        is_path_known: true,
    }
}

fn written(plan: &Plan, region: &str, principal: &SourcePrincipal) -> Snippets {
    let account: AccountId = "111111111111".parse().unwrap();
    let region: Region = region.parse().unwrap();
    snippets(plan, &account, &region, None, principal)
}

fn json_of(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

#[test]
fn the_identity_policy_has_all_that_the_exporter_needs() {
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        &format!("algorithm = 'KMS'\nkey = '{KEY}'"),
        &[
            "Orders",
            "arn:aws:dynamodb:us-east-1:111111111111:table/Users",
        ],
    );
    let orders = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
    let users = "arn:aws:dynamodb:us-east-1:111111111111:table/Users";
    assert_eq!(
        json_of(&written(&plan, "eu-west-1", &role()).identity),
        json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "TableferryExport",
                    "Effect": "Allow",
                    "Action": [
                        "dynamodb:ExportTableToPointInTime",
                        "dynamodb:DescribeTable",
                        "dynamodb:DescribeContinuousBackups"
                    ],
                    "Resource": [orders, users]
                },
                {
                    "Sid": "TableferryFollow",
                    "Effect": "Allow",
                    "Action": "dynamodb:DescribeExport",
                    "Resource": [format!("{orders}/export/*"), format!("{users}/export/*")]
                },
                {
                    "Sid": "TableferryList",
                    "Effect": "Allow",
                    "Action": "dynamodb:ListExports",
                    "Resource": "*"
                },
                {
                    "Sid": "TableferryWrite",
                    "Effect": "Allow",
                    "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
                    "Resource": "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*"
                },
                {
                    "Sid": "TableferryEncrypt",
                    "Effect": "Allow",
                    "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                    "Resource": KEY
                }
            ]
        })
    );
}

#[test]
fn the_statements_of_the_other_account_name_the_role_with_its_path() {
    let plan = plan(
        "owner = '222222222222'",
        &format!("algorithm = 'KMS'\nkey = '{KEY}'"),
        &["Orders"],
    );
    let principal = SourcePrincipal::from_identity(
        &arn("arn:aws:sts::111111111111:assumed-role/Exporter/pat@night"),
        Some(&arn("arn:aws:iam::111111111111:role/teams/data/Exporter")),
    );
    let snippets = written(&plan, "eu-west-1", &principal);
    assert_eq!(
        json_of(&snippets.bucket.unwrap()),
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "TableferryWrite",
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::111111111111:role/teams/data/Exporter" },
                "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
                "Resource": "arn:aws:s3:::export-landing/AWSDynamoDB/*"
            }]
        })
    );
    assert_eq!(
        json_of(&snippets.key.unwrap()),
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "TableferryEncrypt",
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::111111111111:role/teams/data/Exporter" },
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*"
            }]
        })
    );
}

#[test]
fn documents_are_indented_by_two_spaces_in_the_order_that_people_write() {
    let plan = plan("owner = '222222222222'", "", &["Orders"]);
    let bucket = written(&plan, "eu-west-1", &role()).bucket.unwrap();
    assert!(
        bucket.starts_with(
            "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"TableferryWrite\",\n      \"Effect\": \"Allow\",\n      \"Principal\": {\n        \"AWS\":"
        ),
        "{bucket}"
    );
}

#[rstest]
#[case::user(
    "arn:aws:iam::111111111111:user/people/pat",
    None,
    "arn:aws:iam::111111111111:user/people/pat",
    None
)]
#[case::session_without_path(
    "arn:aws:sts::111111111111:assumed-role/Exporter/x",
    None,
    "arn:aws:iam::111111111111:root",
    Some(("ArnLike", "arn:aws:iam::111111111111:role/*Exporter"))
)]
#[case::another_role_was_read(
    "arn:aws:sts::111111111111:assumed-role/Exporter/x",
    Some("arn:aws:iam::111111111111:role/Other"),
    "arn:aws:iam::111111111111:root",
    Some(("ArnLike", "arn:aws:iam::111111111111:role/*Exporter"))
)]
#[case::identity_center(
    "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Export_Operators_0123456789abcdef/pat",
    Some("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Export_Operators_0123456789abcdef"),
    "arn:aws:iam::111111111111:root",
    Some(("ArnLike", "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Export_Operators_*"))
)]
#[case::identity_center_unread(
    "arn:aws-us-gov:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat",
    None,
    "arn:aws-us-gov:iam::111111111111:root",
    Some(("ArnLike", "arn:aws-us-gov:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_*"))
)]
#[case::identity_center_of_us_east_1(
    "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat",
    Some("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef"),
    "arn:aws:iam::111111111111:root",
    Some(("ArnLike", "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_*"))
)]
#[case::a_role_that_only_looks_reserved(
    "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat",
    Some("arn:aws:iam::111111111111:role/mine/AWSReservedSSO_Ops_0123456789abcdef"),
    "arn:aws:iam::111111111111:role/mine/AWSReservedSSO_Ops_0123456789abcdef",
    None
)]
#[case::root(
    "arn:aws:iam::111111111111:root",
    None,
    "arn:aws:iam::111111111111:root",
    Some(("ArnEquals", "arn:aws:iam::111111111111:root"))
)]
#[case::federated(
    "arn:aws:sts::111111111111:federated-user/pat",
    None,
    "arn:aws:sts::111111111111:federated-user/pat",
    None
)]
fn a_principal_is_named_as_policies_of_another_account_must(
    #[case] identity: &str,
    #[case] role: Option<&str>,
    #[case] principal: &str,
    #[case] condition: Option<(&'static str, &str)>,
) {
    let role = role.map(arn);
    let naming = SourcePrincipal::from_identity(&arn(identity), role.as_ref()).naming();
    assert_eq!(naming.principal, principal);
    let expected = condition.map(|(operator, pattern)| (operator, pattern.to_owned()));
    assert_eq!(naming.condition, expected);
}

#[test]
fn a_grant_to_a_permission_set_is_narrowed_by_a_condition() {
    let principal = SourcePrincipal::from_identity(
        &arn("arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat"),
        None,
    );
    let plan = plan("owner = '222222222222'", "", &["Orders"]);
    let snippets = written(&plan, "eu-west-1", &principal);
    let bucket = json_of(&snippets.bucket.unwrap());
    assert_eq!(
        bucket["Statement"][0]["Condition"],
        json!({ "ArnLike": { "aws:PrincipalArn":
            "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_*"
        } })
    );
    assert!(
        snippets.notes[0].contains("permission set Ops"),
        "{:?}",
        snippets.notes
    );
}

#[test]
fn within_one_account_no_resource_policy_is_needed() {
    let own = "arn:aws:kms:eu-west-1:111111111111:key/abc";
    let plan = plan(
        "owner = '111111111111'",
        &format!("algorithm = 'KMS'\nkey = '{own}'"),
        &["Orders"],
    );
    let snippets = written(&plan, "eu-west-1", &role());
    assert_eq!((snippets.bucket, snippets.key), (None, None));
    assert!(snippets.identity.contains(own));
}

#[test]
fn a_bucket_whose_owner_is_unknown_is_taken_for_a_foreign_one_and_said_to_be() {
    let snippets = written(&plan("", "", &["Orders"]), "eu-west-1", &role());
    assert!(snippets.bucket.is_some());
    assert!(
        snippets
            .notes
            .iter()
            .any(|note| note.contains("is not known"))
    );
}

#[test]
fn every_arn_has_the_partition_of_the_source() {
    let plan = plan(
        "owner = '222222222222'",
        "algorithm = 'KMS'\nkey = '1234abcd-12ab-34cd-56ef-1234567890ab'",
        &["Orders"],
    );
    let principal = SourcePrincipal::from_identity(
        &arn("arn:aws-cn:sts::111111111111:assumed-role/Exporter/x"),
        None,
    );
    let snippets = written(&plan, "cn-north-1", &principal);
    let documents = format!("{}{}", snippets.identity, snippets.bucket.unwrap());
    assert!(!documents.contains("arn:aws:"), "{documents}");
    assert!(
        documents.contains("arn:aws-cn:kms:*:111111111111:key/1234abcd"),
        "{documents}"
    );
    let last = snippets.notes.last().unwrap();
    assert!(
        last.contains("dynamodb.cn-north-1.amazonaws.com.cn"),
        "{last}"
    );
}

#[test]
fn a_key_named_by_alias_is_granted_by_the_condition_on_aliases() {
    let plan = plan(
        "owner = '222222222222'",
        "algorithm = 'KMS'\nkey = 'alias/exports'",
        &["Orders"],
    );
    let snippets = written(&plan, "eu-west-1", &role());
    let identity = json_of(&snippets.identity);
    let statement = identity["Statement"].as_array().unwrap().last().unwrap();
    assert_eq!(statement["Resource"], "arn:aws:kms:*:111111111111:key/*");
    assert_eq!(
        statement["Condition"],
        json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/exports" } })
    );
    assert_eq!(snippets.key, None);
    assert!(snippets.notes.iter().any(|note| note.contains("full ARN")));
}

#[rstest]
#[case::none("algorithm = 'KMS'")]
#[case::short("algorithm = 'KMS'\nkey = 'aws/s3'")]
#[case::alias("algorithm = 'KMS'\nkey = 'alias/aws/s3'")]
#[case::arn("algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/aws/s3'")]
fn nothing_can_be_granted_on_an_aws_managed_key(#[case] encryption: &str) {
    let plan = plan("owner = '222222222222'", encryption, &["Orders"]);
    let snippets = written(&plan, "eu-west-1", &role());
    assert!(!snippets.identity.contains("kms:"), "{}", snippets.identity);
    assert_eq!(snippets.key, None);
}

#[test]
fn wildcards_in_a_prefix_are_written_as_themselves() {
    let plan = plan("prefix = 'a*/${b}?$'", "", &["Orders"]);
    let snippets = written(&plan, "eu-west-1", &role());
    let pattern = "arn:aws:s3:::export-landing/a${*}/${$}{b}${?}$/AWSDynamoDB/*";
    assert!(snippets.identity.contains(pattern), "{}", snippets.identity);
}

#[test]
fn a_reader_needs_the_bucket_the_objects_and_the_key() {
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        &format!("algorithm = 'KMS'\nkey = '{KEY}'"),
        &["Orders"],
    );
    let account: AccountId = "111111111111".parse().unwrap();
    let owner: AccountId = "222222222222".parse().unwrap();
    let region: Region = "eu-west-1".parse().unwrap();
    let situation = JobContext {
        account: &account,
        region: &region,
        owner: Some(&owner),
        table_keys: &[],
    };
    let needs = needs(&plan, situation);
    let of_reader: Vec<_> = needs
        .iter()
        .filter(|need| need.who == Who::Reader)
        .map(|need| (need.purpose, need.action, need.resource.pattern()))
        .collect();
    assert_eq!(
        of_reader,
        [
            (
                Purpose::Verify,
                "s3:GetObject",
                "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*"
            ),
            (
                Purpose::Verify,
                "s3:ListBucket",
                "arn:aws:s3:::export-landing"
            ),
            (Purpose::Decrypt, "kms:Decrypt", KEY),
        ]
    );
    assert!(needs.iter().all(|need| need.account.is_some()));
}

#[test]
fn a_table_in_two_jobs_is_named_once() {
    let plan = {
        let mut plan = plan("", "", &["Orders"]);
        let mut second = plan.tables[0].clone();
        second.format = crate::job::Format::Ion;
        plan.tables.push(second);
        plan
    };
    let identity = json_of(&written(&plan, "eu-west-1", &role()).identity);
    assert_eq!(
        identity["Statement"][0]["Resource"],
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
    );
}

#[test]
fn a_tables_own_key_is_granted_through_dynamodb_alone() {
    let plan = plan("owner = '222222222222'", "", &["Ledger"]);
    let account: AccountId = "111111111111".parse().unwrap();
    let region: Region = "eu-west-1".parse().unwrap();
    let key = arn("arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001");
    let situation = JobContext {
        account: &account,
        region: &region,
        owner: None,
        table_keys: std::slice::from_ref(&key),
    };
    let snippets = snippets_in(&plan, situation, &role());
    let identity = json_of(&snippets.identity);
    assert_eq!(
        identity["Statement"].as_array().unwrap().last().unwrap(),
        &json!({
            "Sid": "TableferryReadTable",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key.to_string(),
            "Condition": { "StringEquals": { "kms:ViaService": "dynamodb.eu-west-1.amazonaws.com" } }
        })
    );
    assert!(
        snippets
            .notes
            .iter()
            .any(|note| note.contains("delegate to IAM"))
    );
}
