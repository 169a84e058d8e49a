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

use super::facts::{
    BucketFacts, Caller, Fact, Facts, KeyFacts, PrincipalFacts, RoleFacts, TableFacts,
};
use super::principal::SourcePrincipal;
use super::remedy::{Target, from_scratch, notes};
use crate::assess::tests::world::landing;
use crate::job::Plan;
use crate::job::export::{DECRYPT, VERIFY};
use crate::job::requirement::{Actor, DefaultKey, JobContext};
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

/// A caller's ARN, and its role's where it is a session whose role was read.
type Exporter = (&'static str, Option<&'static str>);

const ROLE: Exporter = (
    "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat",
    Some("arn:aws:iam::111111111111:role/OnCallExporter"),
);

struct Written {
    identity: String,
    bucket: Option<String>,
    key: Option<String>,
    notes: Vec<String>,
}

/// What is known before anything of the resources was read.
fn facts_of(region: &str, (caller, role): Exporter) -> Facts {
    let now = Timestamp::UNIX_EPOCH;
    let caller = Caller {
        arn: arn(caller),
        account: "111111111111".parse().unwrap(),
        user_id: "AROAEXAMPLEEXAMPLE001:pat".to_owned(),
    };
    let mut source = PrincipalFacts::new(caller, region.parse().unwrap());
    if let Some(role) = role {
        let role = RoleFacts {
            arn: arn(role),
            id: None,
            created_at: None,
        };
        source.role = Fact::known(role, now, "test");
    }
    let bucket = BucketFacts::UNREAD;
    let mut facts = Facts::new(source, now);
    *facts.bucket_mut(&landing()) = bucket;
    facts
}

fn written(plan: &Plan, region: &str, exporter: Exporter) -> Written {
    let mut facts = facts_of(region, exporter);
    if let Some(key) = plan.encryption.key() {
        facts.put_key(KeyFacts::new(key));
    }
    written_by(plan, &facts)
}

fn written_by(plan: &Plan, facts: &Facts) -> Written {
    let policies = from_scratch(plan, facts);
    let of = |is_it: fn(&Target) -> bool| {
        let found = policies.iter().find(|policy| is_it(&policy.target));
        found.map(|policy| policy.text.clone())
    };
    Written {
        identity: of(|target| matches!(target, Target::IdentityPolicy { .. })).unwrap(),
        bucket: of(|target| matches!(target, Target::BucketPolicy { .. })),
        key: of(|target| matches!(target, Target::KeyPolicy { .. })),
        notes: notes(plan, facts),
    }
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
        json_of(&written(&plan, "eu-west-1", ROLE).identity),
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
    let exporter = (
        "arn:aws:sts::111111111111:assumed-role/Exporter/pat@night",
        Some("arn:aws:iam::111111111111:role/teams/data/Exporter"),
    );
    let found = written(&plan, "eu-west-1", exporter);
    assert_eq!(
        json_of(&found.bucket.unwrap()),
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
        json_of(&found.key.unwrap()),
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
    let bucket = written(&plan, "eu-west-1", ROLE).bucket.unwrap();
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
    let exporter = (
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat",
        None,
    );
    let plan = plan("owner = '222222222222'", "", &["Orders"]);
    let found = written(&plan, "eu-west-1", exporter);
    let bucket = json_of(&found.bucket.unwrap());
    assert_eq!(
        bucket["Statement"][0]["Condition"],
        json!({ "ArnLike": { "aws:PrincipalArn":
            "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_*"
        } })
    );
    assert!(
        found.notes[0].contains("permission set Ops"),
        "{:?}",
        found.notes
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
    let found = written(&plan, "eu-west-1", ROLE);
    assert_eq!((found.bucket, found.key), (None, None));
    assert!(found.identity.contains(own));
}

#[test]
fn a_bucket_whose_owner_is_unknown_is_taken_for_a_foreign_one_and_said_to_be() {
    let found = written(&plan("", "", &["Orders"]), "eu-west-1", ROLE);
    assert!(found.bucket.is_some());
    assert!(found.notes.iter().any(|note| note.contains("is not known")));
}

#[test]
fn every_arn_has_the_partition_of_the_source() {
    let plan = plan(
        "owner = '222222222222'",
        "algorithm = 'KMS'\nkey = '1234abcd-12ab-34cd-56ef-1234567890ab'",
        &["Orders"],
    );
    let exporter = ("arn:aws-cn:sts::111111111111:assumed-role/Exporter/x", None);
    let found = written(&plan, "cn-north-1", exporter);
    let documents = format!("{}{}", found.identity, found.bucket.unwrap());
    assert!(!documents.contains("arn:aws:"), "{documents}");
    assert!(
        documents.contains("arn:aws-cn:kms:*:111111111111:key/1234abcd"),
        "{documents}"
    );
    let last = found.notes.last().unwrap();
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
    let found = written(&plan, "eu-west-1", ROLE);
    let identity = json_of(&found.identity);
    let statement = identity["Statement"].as_array().unwrap().last().unwrap();
    assert_eq!(statement["Resource"], "arn:aws:kms:*:111111111111:key/*");
    assert_eq!(
        statement["Condition"],
        json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/exports" } })
    );
    assert_eq!(found.key, None);
    assert!(found.notes.iter().any(|note| note.contains("full ARN")));
}

#[rstest]
#[case::none("algorithm = 'KMS'")]
#[case::short("algorithm = 'KMS'\nkey = 'aws/s3'")]
#[case::alias("algorithm = 'KMS'\nkey = 'alias/aws/s3'")]
#[case::arn("algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/aws/s3'")]
fn nothing_can_be_granted_on_an_aws_managed_key(#[case] encryption: &str) {
    let plan = plan("owner = '222222222222'", encryption, &["Orders"]);
    let found = written(&plan, "eu-west-1", ROLE);
    assert!(!found.identity.contains("kms:"), "{}", found.identity);
    assert_eq!(found.key, None);
}

#[test]
fn wildcards_in_a_prefix_are_written_as_themselves() {
    let plan = plan("prefix = 'a*/${b}?$'", "", &["Orders"]);
    let found = written(&plan, "eu-west-1", ROLE);
    let pattern = "arn:aws:s3:::export-landing/a${*}/${$}{b}${?}$/AWSDynamoDB/*";
    assert!(found.identity.contains(pattern), "{}", found.identity);
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
    let context = JobContext {
        stored_keys: &crate::job::requirement::StoredKeys::NothingThere,
        account: &account,
        region: &region,
        owner: Some(&owner),
        default_key: DefaultKey::Unknown,
        table_keys: &[],
    };
    let needs = plan.requirements(context);
    let of_reader: Vec<_> = needs
        .iter()
        .filter(|need| need.who == Actor::Reader)
        .map(|need| (need.purpose, need.action, need.resource.pattern()))
        .collect();
    assert_eq!(
        of_reader,
        [
            (
                VERIFY,
                "s3:GetObject",
                "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*"
            ),
            (VERIFY, "s3:ListBucket", "arn:aws:s3:::export-landing"),
            (DECRYPT, "kms:Decrypt", KEY),
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
    let identity = json_of(&written(&plan, "eu-west-1", ROLE).identity);
    assert_eq!(
        identity["Statement"][0]["Resource"],
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
    );
}

#[test]
fn a_tables_own_key_is_granted_through_dynamodb_alone() {
    let plan = plan("owner = '222222222222'", "", &["Ledger"]);
    let key = arn("arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001");
    let mut facts = facts_of("eu-west-1", ROLE);
    let mut table = TableFacts::new("Ledger");
    table.description = world::known(world::description("Ledger", Some(key.clone())));
    facts.put_table(table);
    let found = written_by(&plan, &facts);
    let identity = json_of(&found.identity);
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
        found
            .notes
            .iter()
            .any(|note| note.contains("delegate to IAM"))
    );
}
