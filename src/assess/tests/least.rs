//! The least remedy, at the place whose owner would make it: what an owner limited stays limited, and
//! what is let through besides is said.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::facts::{ControlLevel, DefaultEncryption, Fact, Facts, ReadError};
use crate::assess::remedy::{
    Fix, GrantOptions, Remedies, Remedy, Target, remedies, remedies_with, request_text, whole,
};
use crate::assess::render::{RemedyBundle, cli, cloudformation, terraform};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{Evidence, Overall, overall};
use crate::job::requirement::Actor;
use crate::job::{Encryption, Plan};

const BUCKET: &str = "arn:aws:s3:::export-landing";

fn found(plan: &Plan, facts: &Facts) -> Remedies {
    remedies(plan, facts, now(), GrantOptions::default())
}

/// Exactly one remedy, a sound document after which all is allowed: itself, and its statements.
fn only(plan: &Plan, facts: &Facts) -> (Remedy, Vec<Value>) {
    let found = found(plan, facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert!(remedy.is_sound(), "{remedy:#?}");
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
    (remedy.clone(), statements(remedy))
}

fn statements(remedy: &Remedy) -> Vec<Value> {
    let Fix::Document { after, .. } = &remedy.fix else {
        panic!("{remedy:#?}");
    };
    let document: Value = serde_json::from_str(after).unwrap();
    document["Statement"].as_array().unwrap().clone()
}

fn with_key_policy(statement: &Value, has_bucket_key: bool) -> Facts {
    let mut facts = facts();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0], statement])));
    facts.bucket_mut(&landing()).encryption = known(DefaultEncryption {
        algorithm: "aws:kms".to_owned(),
        key: Some(KEY.to_owned()),
        has_bucket_key,
    });
    facts
}

/// "The encryption context is the object's ARN, or with an S3 Bucket Key the bucket's" ("Using
/// encryption with AWS KMS keys").
#[rstest]
#[case::bucket_key(true, "arn:aws:s3:::export-landing/*", BUCKET)]
#[case::objects(
    false,
    "arn:aws:s3:::export-landing/other/*",
    "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*"
)]
fn a_condition_on_the_encryption_context_takes_the_exports_value_too(
    #[case] has_bucket_key: bool,
    #[case] owners: &str,
    #[case] added: &str,
) {
    let statement = json!({
        "Sid": "ProductionExports", "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
        "Condition": {
            "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
            "StringLike": { "kms:EncryptionContext:aws:s3:arn": [owners] }
        }
    });
    let facts = with_key_policy(&statement, has_bucket_key);
    let (remedy, after) = only(&kms_plan(), &facts);
    let mut expected = statement;
    expected["Condition"]["StringLike"]["kms:EncryptionContext:aws:s3:arn"] =
        json!([owners, added]);
    assert_eq!(after[1], expected);
    assert_eq!(after.len(), 2);
    assert_eq!(remedy.resolves.len(), 2, "{remedy:#?}");
    let [besides] = remedy.lets_through.as_slice() else {
        panic!("{remedy:#?}");
    };
    assert!(
        besides.contains("`ProductionExports`") && besides.contains(added),
        "{besides}"
    );
}

/// "A key policy sample with `kms:` is cut short": the name of the action is missing.
#[test]
fn an_action_without_a_name_is_repaired_in_its_place() {
    let statement = json!({
        "Sid": "Enable cross account IAM User Permissions", "Effect": "Allow",
        "Principal": { "AWS": ROLE }, "Action": "kms:", "Resource": "*"
    });
    let facts = with_key_policy(&statement, false);
    let (remedy, after) = only(&kms_plan(), &facts);
    let mut expected = statement;
    expected["Action"] = json!(["kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(after, [granting_key()[0].clone(), expected]);
    assert_eq!(remedy.lets_through, Vec::<String>::new());
}

#[test]
fn an_action_repaired_for_a_whole_account_is_said_to_serve_it() {
    let statement = json!({
        "Sid": "Partners", "Effect": "Allow",
        "Principal": { "AWS": "111111111111" }, "Action": ["kms:", "kms:DescribeKey"], "Resource": "*"
    });
    let (remedy, _) = only(&kms_plan(), &with_key_policy(&statement, false));
    let said = remedy.lets_through.join("\n");
    assert!(
        said.contains(
            "`Partners` allows kms:GenerateDataKey and kms:Decrypt to all principals that it names"
        ),
        "{said}"
    );
}

/// The part uploads and the abort carry no ACL (aws/aws-cli#1674), so that the condition cannot be kept.
#[test]
fn a_condition_that_cannot_be_kept_is_said_to_be_left_out() {
    let statement = json!({
        "Sid": "PolicyForAllowUploadWithACL", "Effect": "Allow",
        "Principal": { "AWS": "111111111111" },
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }
    });
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = known(document(&json!([statement])));
    let (remedy, after) = only(&aes_plan(), &facts);
    assert_eq!(after[0], statement);
    let said = remedy.lets_through.join("\n");
    assert!(
        said.contains("s3:PutObject and s3:AbortMultipartUpload whatever s3:x-amz-acl may be")
            && said.contains("`PolicyForAllowUploadWithACL`"),
        "{said}"
    );
}

/// A resource control policy that demands SSE-KMS is met as a bucket policy is: by the plan.
#[test]
fn a_control_policy_that_demands_kms_is_met_by_the_plan() {
    let policy = json!([
        {
            "Sid": "EnforceKMSEncryption", "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObject", "Resource": "*",
            "Condition": { "StringNotEqualsIfExists": { "s3:x-amz-server-side-encryption": "aws:kms" } }
        }
    ]);
    let mut facts = facts();
    facts.bucket_mut(&landing()).encryption = known(DefaultEncryption {
        algorithm: "aws:kms".to_owned(),
        key: Some(KEY.to_owned()),
        has_bucket_key: false,
    });
    facts.account_of_mut(Actor::Reader).resource_control = known(vec![ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![
            inline(
                "RCPFullAWSAccess",
                &json!([{ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }]),
            ),
            inline("Encryption", &policy),
        ],
        unread: Vec::new(),
    }]);
    let denied = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(denied.responsible, Responsible::You, "{denied:#?}");
    let found = found(&aes_plan(), &facts);
    let key = Some(KEY.parse().unwrap());
    assert_eq!(found.plan.encryption, Encryption::Kms { key });
    assert_eq!(overall(&found.after, true), Overall::Allowed, "{found:#?}");
    for remedy in &found.remedies {
        let Fix::Plan { why, .. } = &remedy.fix else {
            panic!("{remedy:#?}");
        };
        assert!(why.contains("resource control policy Encryption"), "{why}");
        assert!(remedy.resolves.contains(&denied.requirement.id()));
    }
}

/// One role signs in for both sides, and the bucket is of its own account.
fn one_identity() -> Facts {
    let mut facts = facts();
    let mut destination = facts.source().clone();
    destination.caller.arn = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/other"
        .parse()
        .unwrap();
    destination.identity_policies = known(Vec::new());
    facts.source_mut().identity_policies = known(Vec::new());
    facts.set_destination(Some(destination));
    facts.bucket_mut(&landing()).owner = known("111111111111".parse().unwrap());
    facts.bucket_mut(&landing()).policy = absent();
    facts
}

#[test]
fn one_identity_on_both_sides_gets_one_policy() {
    let facts = one_identity();
    let plan = plan("owner = '111111111111'\nprefix = 'prod'", "");
    let (remedy, after) = only(&plan, &facts);
    assert_eq!(remedy.responsible, Responsible::You);
    assert!(matches!(
        &remedy.fix,
        Fix::Document { target: Target::IdentityPolicy { who: Actor::Exporter, name }, .. }
            if name == "tableferry-export"
    ));
    let sids: Vec<&str> = after
        .iter()
        .map(|one| one["Sid"].as_str().unwrap())
        .collect();
    assert!(
        sids.contains(&"TableferryExport") && sids.contains(&"TableferryVerify"),
        "{sids:?}"
    );
    let all = [remedy];
    let sheet = RemedyBundle::new(&plan, &facts, &all);
    for (text, change) in [
        (cli(&sheet).text, "put-role-policy"),
        (terraform(&sheet).text, "resource \"aws_iam_role_policy\""),
    ] {
        assert_eq!(text.matches(change).count(), 1, "{text}");
    }
    let account = "111111111111".parse().unwrap();
    let template = cloudformation(&sheet.of_account(&account)).text;
    assert_eq!(
        template.matches("AWS::IAM::RolePolicy").count(),
        1,
        "{template}"
    );
}

/// "Invalid principal in policy": a role's ARN without its path names nobody.
#[test]
fn a_role_whose_path_nobody_could_read_is_named_by_its_account_and_name() {
    let mut facts = facts();
    facts.source_mut().role = refused("iam:GetRole");
    facts.bucket_mut(&landing()).policy = absent();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    let found = found(&kms_plan(), &facts);
    assert_eq!(found.remedies.len(), 2, "{found:#?}");
    assert_eq!(overall(&found.after, false), Overall::Allowed, "{found:#?}");
    for remedy in &found.remedies {
        assert!(remedy.is_sound(), "{remedy:#?}");
        let added = statements(remedy).pop().unwrap();
        assert_eq!(
            added["Principal"],
            json!({ "AWS": "arn:aws:iam::111111111111:root" })
        );
        assert_eq!(
            added["Condition"]["ArnLike"],
            json!({ "aws:PrincipalArn": "arn:aws:iam::111111111111:role/*OnCallExporter" })
        );
        let said = remedy.lets_through.join("\n");
        assert!(
            said.contains("every role of 111111111111 whose name ends in OnCallExporter"),
            "{said}"
        );
    }
}

/// An exemption would leave a Deny that matches nobody, and undo what somebody meant.
#[rstest]
#[case::role(json!({ "AWS": ROLE }), None)]
#[case::session(json!({ "AWS": "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat" }), None)]
#[case::among_others(json!({ "AWS": ["arn:aws:iam::222222222222:role/A", ROLE] }), None)]
#[case::condition(json!("*"), Some(json!({ "ArnEquals": { "aws:PrincipalArn": ROLE } })))]
fn a_deny_that_names_the_exporter_is_asked_about_and_not_changed(
    #[case] principal: Value,
    #[case] condition: Option<Value>,
) {
    let mut statement = json!({
        "Sid": "NotThisOne", "Effect": "Deny", "Principal": principal,
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing/*"
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    let facts = bucket_with(&statement);
    let found = found(&aes_plan(), &facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    let Fix::RequestText { text } = &remedy.fix else {
        panic!("{remedy:#?}");
    };
    for part in [
        "s3:PutObject on",
        "the Deny `NotThisOne` of the bucket policy of export-landing forbids",
        "meant this very principal",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// The principal is taken out of the Deny whose Sid is given; a Deny that would name nobody else goes,
/// since without its principal or its condition it would hit everybody.
#[rstest]
#[case::alone(json!({ "AWS": ROLE }), None, None)]
#[case::session(json!({ "AWS": "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat" }), None, None)]
#[case::among_others(
    json!({ "AWS": ["arn:aws:iam::222222222222:role/A", ROLE] }), None,
    Some((json!({ "AWS": ["arn:aws:iam::222222222222:role/A"] }), None)))]
#[case::only_value(json!("*"), Some(json!({ "ArnEquals": { "aws:PrincipalArn": ROLE } })), None)]
#[case::among_values(
    json!("*"),
    Some(json!({ "ArnEquals": { "aws:PrincipalArn": [ROLE, "arn:aws:iam::222222222222:role/A"] } })),
    Some((json!("*"), Some(json!({
        "ArnEquals": { "aws:PrincipalArn": ["arn:aws:iam::222222222222:role/A"] } })))))]
fn a_deny_that_names_the_exporter_is_changed_where_its_sid_is_given(
    #[case] principal: Value,
    #[case] condition: Option<Value>,
    #[case] left: Option<(Value, Option<Value>)>,
) {
    let mut deny = json!({
        "Sid": "NotThisOne", "Effect": "Deny", "Principal": principal,
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing/*"
    });
    if let Some(condition) = condition {
        deny["Condition"] = condition;
    }
    let facts = bucket_with(&deny);
    let change = |sid: &str| {
        let denies = [sid.to_owned()];
        remedies_with(&aes_plan(), &facts, now(), GrantOptions::default(), &denies)
    };
    assert_eq!(change("Another").named_denies, ["NotThisOne"]);

    let found = change("NotThisOne");
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(remedy.denies_to_type().collect::<Vec<_>>(), ["NotThisOne"]);
    assert!(remedy.is_sound(), "{remedy:#?}");
    assert_eq!(found.named_denies, Vec::<String>::new());
    assert_eq!(found.open().count(), 0, "{found:#?}");
    let said = remedy.lets_through.join("\n");
    assert!(
        said.contains("the Deny `NotThisOne` no longer names"),
        "{said}"
    );
    let Fix::Document { before, after, .. } = &remedy.fix else {
        panic!("{remedy:#?}");
    };
    let statements = |text: &str| -> Vec<Value> {
        let document: Value = serde_json::from_str(text).unwrap();
        document["Statement"].as_array().unwrap().clone()
    };
    let mut wanted = statements(before.as_deref().unwrap());
    let at = wanted.iter().position(|one| *one == deny).unwrap();
    match left {
        Some((principal, condition)) => {
            wanted[at]["Principal"] = principal;
            if let Some(condition) = condition {
                wanted[at]["Condition"] = condition;
            }
        }
        None => {
            let _ = wanted.remove(at);
        }
    }
    assert_eq!(statements(after), wanted);
}

/// A plan of tables `app-orders-1`, `app-orders-2` and so on.
fn of_tables(count: usize) -> Plan {
    let tables: Vec<String> = (1..=count)
        .map(|number| format!("[[tables]]\nname = 'app-orders-{number}'\n"))
        .collect();
    let tables = tables.concat();
    let text = format!(
        "[source]\nprofile = 'p'\n[destination]\nprofile = 'd'\nbucket = 'export-landing'\n\
         owner = '222222222222'\nprefix = 'prod'\n{tables}"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

/// "IAM doesn't count white space when calculating the size of a policy against these limits"; a role
/// takes 10,240 characters of inline policies in all ("IAM and AWS STS quotas").
#[rstest]
#[case::few(3, false)]
#[case::many(200, true)]
fn tables_that_do_not_fit_one_by_one_are_named_by_the_pattern_that_fits(
    #[case] count: usize,
    #[case] is_wide: bool,
    #[values(false, true)] is_whole: bool,
) {
    let plan = of_tables(count);
    let mut facts = facts();
    facts.source_mut().identity_policies = known(Vec::new());
    let found = if is_whole {
        whole(&plan, &facts, now(), GrantOptions::default())
    } else {
        found(&plan, &facts)
    };
    let remedy = found
        .remedies
        .iter()
        .find(|remedy| {
            matches!(
                &remedy.fix,
                Fix::Document {
                    target: Target::IdentityPolicy { .. },
                    ..
                }
            )
        })
        .unwrap();
    assert!(remedy.is_sound(), "{:?}", remedy.problems);
    let Fix::Document { after, .. } = &remedy.fix else {
        panic!("{remedy:#?}");
    };
    let characters = after.chars().filter(|c| !c.is_whitespace()).count();
    assert!(characters <= 10_240, "{characters}");
    let export = &statements(remedy)[0];
    let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/app-orders-";
    let said = remedy.lets_through.join("\n");
    if is_wide {
        assert_eq!(export["Resource"], format!("{table}*"));
        assert!(
            said.contains(
                "every table of 111111111111 in eu-west-1 whose name begins with `app-orders-`"
            ),
            "{said}"
        );
    } else {
        assert_eq!(
            export["Resource"],
            json!([
                format!("{table}1"),
                format!("{table}2"),
                format!("{table}3")
            ])
        );
        assert_eq!(said, "");
    }
}

/// What denies its reading to the bucket's administrator is likely to deny the export, too.
#[test]
fn a_bucket_policy_that_denies_its_own_reading_is_evidence() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = Fact::Refused(ReadError {
        permission: "s3:GetBucketPolicy".to_owned(),
        detail: "User: arn:aws:iam::222222222222:user/dev-admin is not authorized to perform: \
                 s3:GetBucketPolicy on resource: \"arn:aws:s3:::export-landing\" with an explicit deny \
                 in a resource-based policy"
            .to_owned(),
        ..ReadError::default()
    });
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.evidence, Evidence::RefusedReading, "{verdict:#?}");
    assert!(
        verdict
            .explanation
            .contains("is likely to deny s3:PutObject"),
        "{verdict:#?}"
    );
    let found = found(&aes_plan(), &facts);
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    let owner = Responsible::DestinationOwner(Some("222222222222".parse().unwrap()));
    assert_eq!(remedy.responsible, owner);
    let text = request_text(&owner, &found.remedies, &aes_plan(), &facts, None);
    for part in [
        "s3:PutObject on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*",
        "denies even the reading of that policy (s3:GetBucketPolicy)",
        "exempt this principal",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Refused for want of a permission, it says nothing about the export.
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    assert_eq!(
        remedies(&aes_plan(), &facts, now(), GrantOptions::default()).remedies,
        []
    );
}
