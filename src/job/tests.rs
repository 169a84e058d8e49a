//! Whole plan files: what is read from them, and every rule that they can break.

mod documented;
mod examples;
mod import;
mod inventory;
mod load;
mod mask;
mod properties;
mod reading;
mod rules;
mod selectors;
mod upload;

use jiff::Timestamp;

use super::*;

/// The time that all tests take for now.
fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn parse(text: &str) -> Result<Plan, Violations> {
    Plan::parse(text, "plan.toml", now())
}

/// A plan that keeps every rule, with these lines at the end of its sections.
fn plan_with(source: &str, destination: &str, encryption: &str, table: &str) -> String {
    format!(
        "[source]\nprofile = \"prod\"\n{source}\n\
         [destination]\nbucket = \"export-landing\"\n{destination}\n\
         [encryption]\n{encryption}\n\
         [[tables]]\nname = \"Orders\"\n{table}\n"
    )
}

const WHOLE: &str = r##"
[source]
profile = "prod-oncall"
region = "eu-west-1"
role = "arn:aws:iam::111111111111:role/teams/data/Exporter"
external_id = "ferry-4711"
session_name = "tableferry@night"
source_identity = "pat"
duration_seconds = 3_600
mfa_serial = "arn:aws:iam::111111111111:mfa/pat"

[destination]
profile = "dev-admin"
region = "eu-central-1"
bucket = "export-landing"
owner = "222222222222"
prefix = "prod/2026/"

[encryption]
algorithm = "KMS"
key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"

[[tables]]
name = "Orders"
format = "ION"
time = 2026-11-22T10:00:00+01:00

[[tables]]
name = "arn:aws:dynamodb:us-east-1:111111111111:table/Users"
type = "INCREMENTAL_EXPORT"
from = "2026-11-21T00:00:00Z"
to = "2026-11-21T12:00:00Z"
view = "NEW_IMAGE"
filter = { key_condition = "#pk = :pk", projection = "#pk, total", names = { "#pk" = "id" }, values = { ":pk" = { S = "x" } } }
"##;

#[test]
fn every_key_of_a_plan_is_read() {
    let plan = parse(WHOLE).unwrap();
    let source = &plan.source.sign_in;
    assert_eq!(source.profile, "prod-oncall");
    assert_eq!(source.region.as_ref().unwrap().as_str(), "eu-west-1");
    assert_eq!(
        source.role.as_ref().unwrap().resource,
        "role/teams/data/Exporter"
    );
    assert_eq!(source.external_id.as_deref(), Some("ferry-4711"));
    assert_eq!(source.session_name.as_deref(), Some("tableferry@night"));
    assert_eq!(source.source_identity.as_deref(), Some("pat"));
    assert_eq!(source.duration_seconds, Some(3600));
    assert_eq!(
        source.mfa_serial.as_deref(),
        Some("arn:aws:iam::111111111111:mfa/pat")
    );
    let destination = &plan.destination;
    let sign_in = destination.sign_in.as_ref().unwrap();
    assert_eq!(sign_in.profile, "dev-admin");
    assert_eq!(sign_in.region.as_ref().unwrap().as_str(), "eu-central-1");
    assert_eq!(destination.bucket.as_str(), "export-landing");
    assert_eq!(destination.owner.as_ref().unwrap().as_str(), "222222222222");
    assert_eq!(destination.prefix(), Some("prod/2026"));
    assert_eq!(
        plan.encryption.key(),
        Some("arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    );
    let [orders, users] = plan.tables.as_slice() else {
        panic!("two tables");
    };
    assert_eq!(orders.table, TableRef::Name("Orders".to_owned()));
    assert_eq!(orders.format, Format::Ion);
    let nine: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
    assert_eq!(orders.span, Span::Full { time: Some(nine) });
    assert_eq!(users.table.name(), "Users");
    assert_eq!(users.table.region().unwrap().as_str(), "us-east-1");
    assert_eq!(
        users.span,
        Span::Incremental {
            from: "2026-11-21T00:00:00Z".parse().unwrap(),
            to: "2026-11-21T12:00:00Z".parse().unwrap(),
            view: View::NewImage,
        }
    );
    let filter = users.filter.as_ref().unwrap();
    assert_eq!(filter.key_condition.as_deref(), Some("#pk = :pk"));
    assert_eq!(filter.projection.as_deref(), Some("#pk, total"));
    assert_eq!(filter.expression, None);
    assert_eq!(filter.names["#pk"], "id");
    assert_eq!(filter.values[":pk"], serde_json::json!({ "S": "x" }));
}

#[test]
fn a_short_plan_takes_the_defaults_of_the_call() {
    let plan =
        parse("source.profile = 'p'\ndestination.bucket = 'bb'\n[[tables]]\nname = 'abc'").unwrap();
    assert_eq!(plan.encryption, Encryption::Aes256);
    assert_eq!(plan.destination.sign_in, None);
    let [job] = plan.tables.as_slice() else {
        panic!("one table");
    };
    assert_eq!(job.format, Format::DynamoDbJson);
    assert_eq!(job.span, Span::Full { time: None });
    assert_eq!(job.filter, None);
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    let windows = format!("\u{feff}{}", WHOLE.replace('\n', "\r\n"));
    assert_eq!(parse(&windows), parse(WHOLE));
    let broken = "\u{feff}[source]\r\nprofil = 'x'\r\n";
    let violations = parse(broken).unwrap_err();
    let unknown = violations
        .iter()
        .find(|violation| violation.message.contains("unknown key"))
        .unwrap();
    assert_eq!((unknown.line, unknown.column), (2, 1));
}

#[test]
fn a_plan_is_written_with_only_what_is_set() {
    let plan = parse(&plan_with("", "", "", "")).unwrap();
    assert_eq!(
        plan.to_toml(),
        "[source]\nprofile = \"prod\"\n\n\
         [destination]\nbucket = \"export-landing\"\n\n\
         [[tables]]\nname = \"Orders\"\n"
    );
}

#[test]
fn a_written_plan_is_read_as_the_same_plan() {
    let plan = parse(WHOLE).unwrap();
    let text = plan.to_toml();
    assert_eq!(parse(&text).unwrap(), plan, "{text}");
    assert!(
        text.contains("[tables.filter]\nkey_condition = \"#pk = :pk\""),
        "{text}"
    );
    assert!(
        text.contains("values = { \":pk\" = { S = \"x\" } }"),
        "{text}"
    );
}

#[test]
fn a_table_named_without_an_arn_is_in_the_sources_account_and_region() {
    let plan = parse(WHOLE).unwrap();
    let account: AccountId = "111111111111".parse().unwrap();
    let region: Region = "cn-north-1".parse().unwrap();
    let arns: Vec<String> = plan
        .tables
        .iter()
        .map(|job| plan.table_arn(job, &account, &region).to_string())
        .collect();
    assert_eq!(
        arns,
        [
            "arn:aws-cn:dynamodb:cn-north-1:111111111111:table/Orders",
            "arn:aws:dynamodb:us-east-1:111111111111:table/Users"
        ]
    );
}

fn request(plan: &Plan, index: usize, token: &str) -> ExportRequest {
    let account: AccountId = "111111111111".parse().unwrap();
    let region: Region = "eu-west-1".parse().unwrap();
    let job = &plan.tables[index];
    let arn = plan.table_arn(job, &account, &region);
    plan.request(
        job,
        arn,
        Some("333333333333".parse().unwrap()),
        token.to_owned(),
    )
}

#[test]
fn the_plans_own_word_about_the_owner_comes_before_what_was_found_out() {
    let named = request(&parse(WHOLE).unwrap(), 0, "t");
    assert_eq!(named.bucket_owner.unwrap().as_str(), "222222222222");
    let found = request(&parse(&plan_with("", "", "", "")).unwrap(), 0, "t");
    assert_eq!(found.bucket_owner.unwrap().as_str(), "333333333333");
}

#[test]
fn the_equivalent_command_makes_the_same_call() {
    let plan = parse(WHOLE).unwrap();
    let command = equivalent_command(
        &request(&plan, 1, "ferry-1"),
        "prod oncall",
        &"us-east-1".parse().unwrap(),
    );
    assert_eq!(
        command,
        r##"aws dynamodb export-table-to-point-in-time \
  --profile 'prod oncall' \
  --region us-east-1 \
  --table-arn arn:aws:dynamodb:us-east-1:111111111111:table/Users \
  --s3-bucket export-landing \
  --s3-bucket-owner 222222222222 \
  --s3-prefix prod/2026 \
  --s3-sse-algorithm KMS \
  --s3-sse-kms-key-id arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab \
  --export-format DYNAMODB_JSON \
  --export-type INCREMENTAL_EXPORT \
  --incremental-export-specification ExportFromTime=2026-11-21T00:00:00Z,ExportToTime=2026-11-21T12:00:00Z,ExportViewType=NEW_IMAGE \
  --filter-specification '{"KeyConditionExpression":"#pk = :pk","ProjectionExpression":"#pk, total","ExpressionAttributeNames":{"#pk":"id"},"ExpressionAttributeValues":{":pk":{"S":"x"}}}' \
  --client-token ferry-1"##
    );
}

#[test]
fn the_equivalent_command_is_quoted_for_a_shell() {
    let text = plan_with("", "prefix = \"it's $HOME; `x`\"", "", "");
    let command = equivalent_command(
        &request(&parse(&text).unwrap(), 0, ""),
        "-p",
        &"eu-west-1".parse().unwrap(),
    );
    assert!(
        command.contains(r"--s3-prefix 'it'\''s $HOME; `x`' \"),
        "{command}"
    );
    assert!(command.contains("--profile=-p"), "{command}");
    assert!(!command.contains("client-token"), "{command}");
}

#[test]
fn what_is_legal_and_likely_to_fail_is_warned_of() {
    let cases = [
        ("algorithm = 'KMS'\nkey = 'alias/exports'", "", "full ARN"),
        ("algorithm = 'KMS'\nkey = 'aws/s3'", "", "AWS managed key"),
        (
            "algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/aws/s3'",
            "",
            "AWS managed key",
        ),
        ("algorithm = 'KMS'", "", "aws/s3"),
        (
            "algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/exports'",
            "",
            "ends in key/",
        ),
        (
            "algorithm = 'KMS'\nkey = '1234abcd-12ab-34cd-56ef-1234567890ab'",
            "",
            "not in the bucket's",
        ),
        ("", "time = 2026-01-01T00:00:00Z", "35 days"),
        ("", "time = 2026-11-22T11:56:00Z", "five minutes"),
    ];
    for (encryption, table, part) in cases {
        let plan = parse(&plan_with("", "", encryption, table)).unwrap();
        let warnings = plan.warnings(now());
        assert!(
            warnings.len() == 1 && warnings[0].contains(part),
            "{encryption} {table}: {warnings:?}"
        );
    }
    let plan = parse(&plan_with("", "prefix = '/prod'", "", "")).unwrap();
    assert!(plan.warnings(now())[0].contains("begins with a slash"));
    assert_eq!(parse(WHOLE).unwrap().warnings(now()), Vec::<String>::new());
}

#[test]
fn the_attributes_that_leave_the_account_are_told_by_their_names() {
    let lines = "[tables.filter]\nprojection = 'id, #a.#b[0].c , #b'\n\
                 names = { '#a' = 'billing address', '#b' = 'lines' }";
    let plan = parse(&plan_with("", "", "", lines)).unwrap();
    let filter = plan.tables[0].filter.as_ref().unwrap();
    assert_eq!(
        filter.projected_attributes().unwrap(),
        ["id", "billing address.lines[0].c", "lines"]
    );
    assert_eq!(Filter::default().projected_attributes(), None);
}

#[test]
fn a_plan_that_was_put_together_is_checked_by_the_same_rules() {
    let mut plan = parse(&plan_with("", "", "", "")).unwrap();
    plan.destination.prefix = Some("prod/".parse().unwrap());
    let checked = plan.checked(now()).unwrap();
    assert_eq!(checked.destination.prefix(), Some("prod"));
    assert_eq!(checked, plan);
    plan.tables.clear();
    let violations = plan.checked(now()).unwrap_err();
    assert!(
        violations.to_string().contains("lacks `tables`"),
        "{violations}"
    );
    let orders = TableJob::new("Orders".parse().unwrap());
    plan.tables = vec![orders.clone(), orders];
    assert!(plan.checked(now()).is_err());
}

#[test]
fn a_file_that_is_no_text_is_refused_where_it_stops_being_text() {
    let utf_16: Vec<u8> = WHOLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Plan::from_bytes(&utf_16, "p", now()).is_err());
    let violations = Plan::from_bytes(b"[source]\nprofile = '\xff'", "p", now()).unwrap_err();
    let message = violations.to_string();
    assert!(
        message.starts_with("p:2:12: error: the file is not UTF-8"),
        "{message}"
    );
    assert_eq!(Plan::from_bytes(WHOLE.as_bytes(), "p", now()), parse(WHOLE));
}
