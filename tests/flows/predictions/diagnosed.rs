//! Failed exports, explained with the facts of both accounts: each known failure is named first, and a bare
//! "Access Denied" between strangers is told apart by what the assessment finds.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use tableferry::assess::assessment::Assessment;
use tableferry::assess::limits::Limits;
use tableferry::diagnosis::catalogue::Certainty;
use tableferry::diagnosis::scan::scan;
use tableferry::diagnosis::{Circumstances, Diagnosis, OperationFailure, assessed, diagnose};
use tableferry::job::Plan;
use tableferry_sandbox::{ExportAcl, SourceAddress};

use crate::predictions::place::{self, Ending, Place};
use crate::predictions::rows::{base, plan_text, table};

/// The diagnosis of an export of a plan that fails in a world, by the facts of that world.
async fn diagnosed(
    world: &Value,
    plan: &Plan,
    acl: Option<ExportAcl>,
    is_bare: bool,
) -> (Diagnosis, String) {
    let place = Place::open(world, plan).await;
    if let Some(acl) = acl {
        place.play_as(SourceAddress::Service, acl);
    }
    let facts = place.survey(plan).await;
    let request = place.requests(plan).await.remove(0);
    let ending = place.send(&request).await;
    let (code, message) = ending.describe();
    // The sandbox tells KMS's reason to strangers, too; whether S3 does is not documented.
    let message = if is_bare { BARE } else { message };
    let failure = OperationFailure {
        operation: "ExportTableToPointInTime".to_owned(),
        is_refused: matches!(ending, Ending::Refused { .. }),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        bucket: Some(request.bucket.to_string()),
        is_owner_sent: Some(request.bucket_owner.is_some()),
        ..OperationFailure::default()
    };
    let assessment = Assessment::of(plan, facts, &Limits::default(), Timestamp::now());
    let error = failure.reported();
    let known = failure.circumstances(&error, Some(&assessment));
    let diagnosis = diagnose(&error, &known).unwrap();
    (diagnosis, message.to_owned())
}

/// What the AWS CLI prints of a refusal.
pub fn printed(operation: &str, code: &str, message: &str) -> String {
    format!("An error occurred ({code}) when calling the {operation} operation: {message}")
}

/// The causes that come first for a text, by the text alone or with the facts of its plan.
pub fn explained(text: &str, assessment: Option<&Assessment>) -> Vec<String> {
    let mut first = Vec::new();
    scan(text.as_bytes(), |found| {
        let known = match assessment {
            Some(assessment) => assessed::circumstances(&found.error, assessment),
            None => Circumstances::of_text(&found.error),
        };
        let diagnosis = diagnose(&found.error, &known);
        let is_error = diagnosis.is_some();
        if first.is_empty()
            && let Some(diagnosis) = diagnosis
        {
            first.extend(diagnosis.first().map(|one| one.cause.id.clone()));
        }
        is_error
    })
    .unwrap();
    first
}

/// The message that was observed (aws-controllers-k8s/dynamodb-controller, docs/api-quirks/export.md).
const BARE: &str = "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X; \
    Proxy: null)";

fn first(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.first().map(|one| one.cause.id.as_str()).collect()
}

/// The cause of each row: what FACTS says of it, in the catalogue's names.
const CAUSES: [(&str, &str); 36] = [
    ("1", "export-owner-missing"),
    ("2", "export-owner-wrong"),
    ("3", "recovery-off"),
    ("4", "export-time-invalid"),
    ("5", "export-time-too-late"),
    ("7", "increment-bounds"),
    ("28a", "wrong-account"),
    ("28b", "table-missing"),
    ("9", "bucket-policy-lacks"),
    ("10a", "identity-policy-lacks"),
    ("10b", "identity-policy-lacks"),
    ("10c", "identity-policy-lacks"),
    ("13", "bucket-policy-lacks"),
    ("25", "principal-made-again"),
    ("11a", "bucket-policy-denies"),
    ("11b", "bucket-policy-denies"),
    ("11c", "bucket-policy-denies"),
    ("11d", "bucket-policy-denies"),
    ("11e", "bucket-policy-denies"),
    ("23", "encryption-demanded"),
    ("27", "bucket-policy-denies"),
    ("12a", "scp-denies"),
    ("12b", "rcp-denies"),
    ("12c", "boundary-denies"),
    ("12d", "boundary-lacks"),
    ("12e", "identity-policy-denies"),
    ("14", "key-policy-lacks"),
    ("15", "identity-policy-lacks-key"),
    ("16", "identity-policy-lacks-key"),
    ("16c", "identity-policy-lacks-key"),
    ("18a", "key-not-shared"),
    ("18b", "key-not-shared"),
    ("19", "key-other-region"),
    ("20", "key-missing"),
    ("22", "bucket-missing"),
    ("26", "public-access-restricted"),
];

#[test]
fn every_known_failure_that_happens_is_explained_by_its_cause_first() {
    let mut wrong = Vec::new();
    for row in table::rows() {
        let Some((_, cause)) = CAUSES.iter().find(|(number, _)| *number == row.number) else {
            wrong.push(format!("row {} has no cause", row.number));
            continue;
        };
        let explained = catch_unwind(AssertUnwindSafe(|| {
            place::run(async || {
                let mut world = base();
                (row.world)(&mut world);
                let plan = place::plan(&row.plan);
                diagnosed(&world, &plan, None, false).await
            })
        }));
        match explained {
            Ok((diagnosis, _)) if first(&diagnosis) == [*cause] => {}
            Ok((diagnosis, message)) => {
                wrong.push(format!(
                    "row {}: {:?} for {message}",
                    row.number,
                    first(&diagnosis)
                ));
            }
            Err(_) => wrong.push(format!("row {} does not fail as it should", row.number)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const PARTNER: &str =
    "profile = \"partner-admin\"\nbucket = \"partner-drop\"\nowner = \"333333333333\"";
const PARTNER_KEY: &str = "0000cafe-0000-4e11-8000-000000000333";

fn bucket(world: &mut Value) -> &mut Value {
    &mut world["buckets"]["partner-drop"]
}

fn add_statement(world: &mut Value, statement: Value) {
    let statements = bucket(world)["policy"]["Statement"].as_array_mut();
    statements.unwrap().push(statement);
}

/// A control policy that denies uploads, attached to the organization's root.
fn control(world: &mut Value, kind: &str, statement: &Value) {
    let arn =
        format!("arn:aws:organizations::999999999999:policy/o-tableferry1/{kind}_policy/p-guard");
    world["managed_policies"][&arn] = json!({"Version": "2012-10-17", "Statement": [statement]});
    world["organization"][kind]
        .as_array_mut()
        .unwrap()
        .push(json!(arn));
}

/// A key of the bucket's account.
fn put_key(world: &mut Value, statements: &Value) {
    let key = json!({"id": PARTNER_KEY, "region": "eu-west-1",
        "policy": {"Version": "2012-10-17", "Statement": statements}});
    let keys = &mut world["accounts"]["333333333333"]["keys"];
    match keys.as_array_mut() {
        Some(keys) => keys.push(key),
        None => *keys = json!([key]),
    }
}

fn with_key() -> String {
    let key = format!("arn:aws:kms:eu-west-1:333333333333:key/{PARTNER_KEY}");
    plan_text(PARTNER, &table::kms(&key), table::EVENTS)
}

fn plain() -> String {
    plan_text(PARTNER, "", table::EVENTS)
}

/// Ten causes of one bare "Access Denied": caller and bucket are in different organizations, and AWS gives
/// no reason (S3 user guide, troubleshoot-403-errors).
#[rstest]
#[case::owner_missing("export-owner-missing", |_: &mut Value| {},
    plain().replace("profile = \"partner-admin\"\n", "").replace("\nowner = \"333333333333\"", ""), None)]
#[case::owner_wrong("export-owner-wrong", |_: &mut Value| {},
    plain().replace("owner = \"333333333333\"", "owner = \"222222222222\""), None)]
#[case::bucket_policy_missing("bucket-policy-lacks", |world: &mut Value| { bucket(world).as_object_mut().unwrap().remove("policy"); },
    plain(), None)]
#[case::bucket_deny("bucket-policy-denies", |world: &mut Value| add_statement(world, json!({
    "Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::partner-drop/*",
    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-another001"}}})), plain(), None)]
#[case::identity_policy("identity-policy-lacks",
    |world: &mut Value| table::take_action(world, "WriteObjects", "s3:PutObject"), plain(), None)]
#[case::key_policy("key-policy-lacks", |world: &mut Value| {
    put_key(world, &json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
        "Action": "kms:*", "Resource": "*"}]));
    // The caller's own policies allow it.
    world["accounts"]["111111111111"]["roles"]["OnCallExporter"]["inline"]["Keys"] = json!({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"]}]});
}, with_key(), None)]
#[case::acl("acl-demanded", |world: &mut Value| {
    let statement = &mut bucket(world)["policy"]["Statement"][0];
    statement["Condition"] = json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}});
}, plain(), Some(ExportAcl::Absent))]
#[case::scp("scp-may-deny", |world: &mut Value| control(world, "service_control",
    &json!({"Sid": "Guard", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"})), plain(), None)]
#[case::rcp("rcp-denies", |world: &mut Value| {
    // The bucket's account is in the organization, and the caller's is not.
    world["organization"]["accounts"] = json!(["333333333333", "999999999999"]);
    world["organization"]["delegated"] = json!(["333333333333"]);
    control(world, "resource_control", &json!({"Sid": "Guard", "Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "*"}));
}, plain(), None)]
#[case::block_public_access("public-access-restricted", |world: &mut Value| add_statement(world, json!({
    "Sid": "Everybody", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::partner-drop/*"})), plain(), None)]
fn a_bare_access_denied_between_strangers_is_told_by_the_facts(
    #[case] cause: &str,
    #[case] change: fn(&mut Value),
    #[case] plan: String,
    #[case] acl: Option<ExportAcl>,
) {
    let (diagnosis, message) = place::run(async || {
        let mut world = base();
        change(&mut world);
        diagnosed(
            &world,
            &place::plan(&plan),
            acl,
            cause == "key-policy-lacks",
        )
        .await
    });
    assert!(
        message.starts_with("Access Denied (Service: Amazon S3; Status Code: 403"),
        "not bare: {message}"
    );
    let told = first(&diagnosis);
    assert_eq!(
        told,
        [cause],
        "excluded {:?}",
        diagnosis
            .excluded
            .iter()
            .map(|(cause, _)| &cause.id)
            .collect::<Vec<_>>()
    );
    let others_certain = diagnosis
        .candidates
        .iter()
        .any(|one| one.certainty == Certainty::TheCause && one.cause.id != cause);
    assert!(!others_certain);
}
