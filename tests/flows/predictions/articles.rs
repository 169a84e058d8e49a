//! The situations of well-known articles, each from its faulty policy to a working one: what the
//! linter or the check says of it, and that the export completes once the remedies are done.

use rstest::rstest;
use serde_json::{Value, json};
use tableferry::assess::judge::judge;
use tableferry::assess::remedy::{Fix, GrantOptions, remedies};
use tableferry::assess::verdict::{Overall, overall};
use tableferry::job::requirement::{Actor, Criticality, RequirementId};
use tableferry_policy::lint::{DocumentKind, Severity, lint};

use crate::predictions::place::{self, Place, carry_out};
use crate::predictions::rows::table::{EVENTS, KEY, LANDING, kms};
use crate::predictions::rows::{base, plan_text, whereabouts};

const ACTIONS: [&str; 3] = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"];
const OBJECTS: &str = "arn:aws:s3:::export-landing/*";
const ROLE: &str = "arn:aws:iam::111111111111:role/OnCallExporter";

fn policy(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// An Allow of the three actions on the landing bucket's objects.
fn allow(principal: &Value, condition: Option<Value>) -> Value {
    let mut statement = json!({
        "Sid": "Article", "Effect": "Allow", "Principal": principal, "Action": ACTIONS, "Resource": OBJECTS,
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    statement
}

/// A working Allow, and a Deny beside it.
fn beside(deny: &Value) -> Value {
    policy(&json!([allow(&json!({ "AWS": ROLE }), None), deny]))
}

fn service_of_dynamodb() -> Value {
    policy(&json!([allow(
        &json!({ "Service": "dynamodb.amazonaws.com" }),
        None
    )]))
}

fn gone_role() -> Value {
    policy(&json!([allow(
        &json!({ "AWS": "AROASANDBOXGONE00000A" }),
        None
    )]))
}

/// "AROA…:*" in a condition: it names the sessions of a role, and the role was made anew.
fn unique_id_pattern() -> Value {
    let condition = json!({ "StringLike": { "aws:userid": "AROASANDBOXGONE00000A:*" } });
    policy(&json!([allow(&json!("*"), Some(condition))]))
}

fn address_guard() -> Value {
    beside(&json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": OBJECTS,
        "Condition": { "NotIpAddress": { "aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"] } },
    }))
}

/// The exemption that the articles give for S3 Inventory, which an export is not.
fn inventory_guard() -> Value {
    beside(&json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": OBJECTS,
        "Condition": {
            "NotIpAddress": { "aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"] },
            "ArnNotLike": { "aws:SourceArn": "arn:aws:s3:::source-bucket" },
        },
    }))
}

fn spared_without_its_session() -> Value {
    beside(&json!({
        "Sid": "Everybody", "Effect": "Deny", "Action": "s3:*", "Resource": OBJECTS,
        "NotPrincipal": { "AWS": [
            "arn:aws:iam::111111111111:root", ROLE,
            "arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:user/dev-admin",
        ] },
    }))
}

fn one_action_alone() -> Value {
    let mut statement = allow(&json!({ "AWS": ROLE }), None);
    statement["Action"] = "s3:PutObject".into();
    policy(&json!([statement]))
}

#[rstest]
#[case::names_the_service(service_of_dynamodb())]
#[case::names_a_role_that_is_gone(gone_role())]
#[case::denies_by_address(address_guard())]
#[case::spares_s3_inventory(inventory_guard())]
#[case::spares_the_role_without_its_session(spared_without_its_session())]
#[case::allows_put_object_alone(one_action_alone())]
fn a_bucket_policy_of_the_articles_fails_and_is_fixed(#[case] faulty: Value) {
    let mut world = base();
    world["buckets"]["export-landing"]["policy"] = faulty;
    from_faulty_to_working(world, &plan_text(LANDING, "", EVENTS));
}

/// Such a pattern counts as public, so that the policy cannot be written while it stands there.
#[test]
fn a_pattern_of_unique_ids_counts_as_public_and_must_go_first() {
    let mut world = base();
    world["buckets"]["export-landing"]["policy"] = unique_id_pattern();
    let text = plan_text(LANDING, "", EVENTS);
    let plan = place::plan(&text);
    let faulty = world.clone();
    place::run(async move || {
        let place = Place::open(&faulty, &plan).await;
        let facts = place.survey(&plan).await;
        let found = remedies(
            &plan,
            &facts,
            jiff::Timestamp::now(),
            GrantOptions::default(),
        );
        let problems: Vec<&String> = found
            .remedies
            .iter()
            .flat_map(|remedy| &remedy.problems)
            .collect();
        assert!(
            problems
                .iter()
                .any(|text| text.contains("make it non-public first")),
            "{problems:?}"
        );
        let Some(Fix::Document { target, after, .. }) =
            found.remedies.first().map(|first| &first.fix)
        else {
            panic!("{found:#?}");
        };
        let refused = place.put(target, after, &faulty).await.unwrap_err();
        assert_eq!(refused.0, "AccessDenied");
    });
    world["buckets"]["export-landing"]["policy"] = gone_role();
    from_faulty_to_working(world, &text);
}

fn delegated() -> Value {
    json!({ "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": "arn:aws:iam::222222222222:root" } })
}

/// The samples' `"Action": "kms:"`, which is cut short: the name is missing.
fn cut_short() -> Value {
    policy(&json!([delegated(), {
        "Sid": "Article", "Effect": "Allow", "Principal": { "AWS": ROLE },
        "Action": ["kms:GenerateDataKey", "kms:"], "Resource": "*",
    }]))
}

/// The same with nothing beside it.
fn cut_short_alone() -> Value {
    policy(&json!([delegated(), {
        "Sid": "Enable cross account IAM User Permissions", "Effect": "Allow",
        "Principal": { "AWS": ROLE }, "Action": "kms:", "Resource": "*",
    }]))
}

/// What serves objects alone, where a Bucket Key sends the bucket's ARN as encryption context.
fn for_objects_alone() -> Value {
    policy(&json!([delegated(), {
        "Sid": "ProductionExports", "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
        "Condition": {
            "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
            "StringLike": { "kms:EncryptionContext:aws:s3:arn": [OBJECTS] },
        },
    }]))
}

fn without_decrypt() -> Value {
    policy(&json!([delegated(), {
        "Sid": "Article", "Effect": "Allow", "Principal": { "AWS": ROLE },
        "Action": ["kms:GenerateDataKey", "kms:DescribeKey"], "Resource": "*",
    }]))
}

fn for_the_wrong_service() -> Value {
    policy(&json!([delegated(), {
        "Sid": "Article", "Effect": "Allow", "Principal": { "AWS": ROLE },
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
        "Condition": { "StringEquals": { "kms:ViaService": "dynamodb.eu-west-1.amazonaws.com" } },
    }]))
}

#[rstest]
#[case::without_decrypt(without_decrypt())]
#[case::with_an_action_cut_short(cut_short())]
#[case::with_no_action_but_one_cut_short(cut_short_alone())]
#[case::for_another_service(for_the_wrong_service())]
fn a_key_policy_of_the_articles_fails_and_is_fixed(#[case] faulty: Value) {
    let mut world = base();
    place::key_in(&mut world, KEY)["policy"] = faulty;
    from_faulty_to_working(world, &plan_text(LANDING, &kms(KEY), EVENTS));
}

/// The owner's conditions stay: the value that a Bucket Key sends is added to the one that fails.
#[test]
fn a_key_policy_for_objects_alone_serves_a_bucket_key_once_it_is_fixed() {
    let mut world = base();
    place::key_in(&mut world, KEY)["policy"] = for_objects_alone();
    world["buckets"]["export-landing"]["default_encryption"] =
        json!({ "algorithm": "aws:kms", "key": KEY, "bucket_key": true });
    from_faulty_to_working(world, &plan_text(LANDING, &kms(KEY), EVENTS));
}

/// An identity policy that names the key by its alias' ARN, which no policy can.
#[test]
fn an_identity_policy_that_names_a_key_by_its_alias_fails_and_is_fixed() {
    let mut world = base();
    let arn = "arn:aws:iam::111111111111:policy/ExportToDevelopment";
    let statements = world["managed_policies"][arn]["Statement"]
        .as_array_mut()
        .unwrap();
    for statement in statements
        .iter_mut()
        .filter(|found| found["Sid"] == "UseDevelopmentKeys")
    {
        statement["Resource"] = "arn:aws:kms:eu-west-1:222222222222:alias/exports".into();
    }
    from_faulty_to_working(world, &plan_text(LANDING, &kms(KEY), EVENTS));
}

/// A bucket whose default is a KMS key, and whose policy demands it; the export's default is AES256.
#[test]
fn a_bucket_that_demands_its_default_key_is_met_by_the_plan() {
    let mut world = base();
    world["buckets"]["export-landing"]["default_encryption"] =
        json!({ "algorithm": "aws:kms", "key": KEY, "bucket_key": true });
    world["buckets"]["export-landing"]["policy"] = beside(&json!({
        "Sid": "OurKeyAlone", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": OBJECTS,
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY } },
    }));
    from_faulty_to_working(world, &plan_text(LANDING, "", EVENTS));
}

/// Two that work, whatever an article says: the account's root, and a role's ARN.
#[rstest]
#[case::the_root(json!({ "AWS": "arn:aws:iam::111111111111:root" }), None)]
#[case::the_account(json!({ "AWS": "111111111111" }), None)]
#[case::a_role(json!({ "AWS": ROLE }), None)]
#[case::a_session(json!({ "AWS": "arn:aws:sts::111111111111:assumed-role/OnCallExporter/oncall" }), None)]
#[case::everybody_of_the_organization(
    json!("*"),
    Some(json!({ "StringEquals": { "aws:PrincipalOrgID": "o-tableferry1" } }))
)]
fn a_principal_that_aws_takes_works(#[case] principal: Value, #[case] condition: Option<Value>) {
    let mut world = base();
    world["buckets"]["export-landing"]["policy"] = policy(&json!([allow(&principal, condition)]));
    place::run(async || works(&world, &place::plan(&plan_text(LANDING, "", EVENTS))).await);
}

/// What cannot even be stored is an error of the linter.
#[rstest]
#[case::an_action_without_a_name(DocumentKind::Key, cut_short(), "kms:")]
#[case::a_service_among_accounts(
    DocumentKind::Bucket,
    policy(&json!([allow(&json!({ "AWS": ["s3.amazonaws.com"] }), None)])),
    "s3.amazonaws.com"
)]
fn what_the_articles_misprint_is_an_error(
    #[case] kind: DocumentKind,
    #[case] faulty: Value,
    #[case] named: &str,
) {
    let found = lint(&faulty.to_string(), kind);
    let is_told = found.iter().any(|finding| {
        finding.severity == Severity::Error && format!("{finding:?}").contains(named)
    });
    assert!(is_told, "{found:#?}");
}

/// `check` is not clean and the export fails; with the remedies it is, and the export completes.
fn from_faulty_to_working(mut world: Value, text: &str) {
    place::run(async move || {
        let plan = place::plan(text);
        let place = Place::open(&world, &plan).await;
        let facts = place.survey(&plan).await;
        let now = jiff::Timestamp::now();
        let verdicts = judge(&plan, &facts, now);
        assert_ne!(overall(&verdicts, false), Overall::Allowed);
        let ending = place.export(&plan).await;
        assert!(!ending.is_completed());
        let found = remedies(&plan, &facts, now, GrantOptions::default());
        for remedy in &found.remedies {
            // The reader's own address is as unknown, and nothing that an exemption is for.
            let is_of_reader = remedy.resolves.iter().all(|id| {
                matches!(
                    id,
                    RequirementId::Permission {
                        who: Actor::Reader,
                        ..
                    }
                )
            });
            let is_message = matches!(remedy.fix, Fix::RequestText { .. }) && !is_of_reader;
            assert!(remedy.is_sound() && !is_message, "{remedy:#?}");
            if let Fix::Document { target, after, .. } = &remedy.fix {
                assert_eq!(place.put(target, after, &world).await, Ok(()), "{after}");
            }
            carry_out(&mut world, remedy, &whereabouts());
        }
        works(&world, &found.plan).await;
    });
}

/// `check` is clean, and the export completes.
async fn works(world: &Value, plan: &tableferry::job::Plan) {
    let place = Place::open(world, plan).await;
    let verdicts = place.check(plan).await;
    let of_job: Vec<_> = verdicts
        .into_iter()
        .filter(|found| found.criticality == Criticality::Required)
        .collect();
    assert_eq!(overall(&of_job, false), Overall::Allowed, "{of_job:#?}");
    let ending = place.export(plan).await;
    assert!(ending.is_completed(), "{ending:?}");
}
