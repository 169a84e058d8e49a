//! Each call is judged in its own context, and that context is what is documented of the call.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::call::{Call, Carried, Keys, Route, RouteKey, cells};
use crate::assess::context;
use crate::assess::explain::simulate_lines;
use crate::assess::facts::{Fact, ObjectEncryption, ObservedCall, StoredObject, StoredObjects};
use crate::assess::job_facts::required_permissions;
use crate::assess::remedy::{Fix, GrantOptions, Remedy, remedies};
use crate::assess::request::{PermissionRequest, asks};
use crate::assess::verdict::Verdict;
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::evaluate::ContextValue;
use tableferry_policy::simulate::simulate_line;

/// What is documented, by hand; the sandbox's contexts are held against the same text.
const DOCUMENTED: &str = include_str!("../../../tests/flows/predictions/call_contexts.txt");

/// One cell of that text: the key, the column, and what is there.
type Documented = (&'static str, &'static str, &'static str);

/// The cells of the blocks that begin with a word.
fn documented(kind: &str) -> Vec<Documented> {
    let mut columns: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for line in DOCUMENTED.lines().filter(|line| !line.starts_with('#')) {
        let (line, source) = line.split_once('|').unwrap_or((line, ""));
        let mut words = line.split_whitespace();
        match words.next() {
            Some(first @ ("calls" | "routes")) => {
                columns = words.collect();
                if first != kind {
                    columns.clear();
                }
            }
            Some(key) if !columns.is_empty() => {
                assert!(!source.trim().is_empty(), "{key} has no source");
                let cells: Vec<&str> = words.collect();
                assert_eq!(cells.len(), columns.len(), "{key}");
                let cells = columns.iter().zip(cells);
                found.extend(cells.map(|(column, cell)| (key, *column, cell)));
            }
            _ => {}
        }
    }
    found
}

/// What a cell says.
fn carried(cell: &str) -> Carried {
    match cell {
        "absent" => Carried::Absent,
        "unknown" => Carried::Unknown,
        "true-or-absent" | "some-or-absent" => Carried::SentOrAbsent,
        "inherited" => Carried::Inherited,
        _ => Carried::Sent,
    }
}

/// The key that a policy means; pairs of another service's encryption context are none of a call's.
fn key_named(name: &str) -> Keys {
    let found = Keys::ALL.into_iter().find(|key| key.is_named(name));
    found.unwrap_or_else(|| panic!("no key {name}"))
}

#[test]
fn each_cell_of_the_table_is_as_documented() {
    let documented = documented("calls");
    for (name, call, cell) in &documented {
        let key = key_named(name);
        let cells: Vec<Carried> = cells()
            .filter(|(of, found, ..)| format!("{of:?}") == *call && *found == key)
            .map(|(_, _, carried, _)| *carried)
            .collect();
        // Which pairs there are is told by what they hold.
        if key != Keys::EncryptionContext {
            assert_eq!(cells, [carried(cell)], "{name} of {call}");
        }
    }
    for (call, key, ..) in cells() {
        let is_documented = documented
            .iter()
            .any(|(name, of, _)| format!("{call:?}") == *of && key.is_named(name));
        assert!(is_documented, "{key:?} of {call:?}");
    }
}

#[test]
fn each_cell_of_the_routes_is_as_documented() {
    let routes = [
        Route::Direct,
        Route::ByDynamoDb,
        Route::ByS3,
        Route::ByDynamoDbAndS3,
        Route::OfService,
    ];
    for (name, column, cell) in documented("routes") {
        let route = routes.into_iter().find(|it| format!("{it:?}") == column);
        let key = RouteKey::ALL
            .into_iter()
            .find(|key| key.names().contains(&name));
        let (route, key) = (route.unwrap(), key.unwrap());
        assert_eq!(route.carries(key), carried(cell), "{name}, {column}");
    }
}

/// Reports of the landing bucket's owner's neighbour, encrypted with the export's key.
fn inventory_plan() -> Plan {
    let text = format!(
        "kind = \"inventory\"\nid = \"all\"\nfields = [\"Size\"]\n\n\
         [source]\nprofile = \"prod-admin\"\nbucket = \"orders-files\"\n\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"export-landing\"\n\n\
         [encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

/// The data files of an export, encrypted with the export's key, read by the exporter.
fn reading_plan() -> Plan {
    let text = "kind = \"read\"\n\n[source]\nprofile = \"prod-oncall\"\n\n\
                [destination]\nprofile = \"dev-admin\"\n\
                archive = \"s3://export-landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4/data\"\n";
    Plan::parse(text, "plan.toml", now()).unwrap()
}

/// Facts with one such file.
fn with_stored_object() -> crate::assess::facts::Facts {
    let mut facts = facts();
    let object = StoredObject {
        key: "prod/AWSDynamoDB/01763805600000-a1b2c3d4/data/a.json.gz".to_owned(),
        owner: Fact::UNASKED,
        encryption: known(ObjectEncryption {
            algorithm: "aws:kms".to_owned(),
            key: Some(KEY.to_owned()),
            has_bucket_key: false,
        }),
    };
    facts.bucket_mut(&landing()).objects = known(StoredObjects {
        objects: vec![object],
        listed: 1,
        has_more: false,
    });
    facts
}

/// An export in the landing bucket, encrypted with the export's key, into a table of the exporter's account.
fn import_plan() -> Plan {
    let text = format!(
        "kind = \"import\"\n\n[source]\nprofile = \"prod-admin\"\n\n\
         [destination]\nprofile = \"dev-admin\"\n\
         archive = \"s3://export-landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4\"\n\n\
         [encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n\n\
         [table]\nname = \"Orders-copy\"\npartition_key = \"orderId:S\"\n"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

/// The same export, into a table that is there.
fn load_plan() -> Plan {
    let text = format!(
        "kind = \"load\"\n\n[source]\nprofile = \"prod-admin\"\n\n\
         [destination]\nprofile = \"dev-admin\"\n\
         archive = \"s3://export-landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4\"\n\n\
         [encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n\n\
         [table]\nname = \"Orders\"\n"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

/// A plan's facts with a table that has a key of its own.
fn with_own_key() -> crate::assess::facts::Facts {
    let mut facts = facts();
    own_key(&mut facts);
    facts
}

/// What a key holds in a request of the plan, where it is sent: by the plan, word by word.
fn value_of(name: &str, request: &PermissionRequest<'_>) -> String {
    let is_of_table = matches!(
        request.call,
        Call::GenerateDataKeyOfTable | Call::DecryptOfTable
    );
    let value = match name {
        "s3:x-amz-server-side-encryption" => "aws:kms",
        "s3:InventoryAccessibleOptionalFields" => "Size",
        "s3:x-amz-server-side-encryption-aws-kms-key-id" => KEY,
        "s3:prefix" => "prod/AWSDynamoDB/01763805600000-a1b2c3d4/data/",
        "kms:ViaService" if is_of_table => "dynamodb.eu-west-1.amazonaws.com",
        "kms:ViaService" => "s3.eu-west-1.amazonaws.com",
        "kms:CallerAccount" => request.principal.account().unwrap(),
        "kms:EncryptionContext:aws:s3:arn" => request.about.as_deref().unwrap(),
        "kms:EncryptionContext:aws:dynamodb:tableName" => "Orders",
        "kms:EncryptionContext:aws:dynamodb:subscriberId" => "111111111111",
        _ => panic!("{name} is not sent"),
    };
    value.to_owned()
}

/// Whether a request has of a key what a cell says.
fn agrees(request: &PermissionRequest<'_>, name: &str, cell: &str) -> bool {
    let found = request.context.get(name);
    let is_absent = context::is_absent(&request.context, name, request.action);
    let holds = |value: String| found == Some(&ContextValue::Known(vec![value]));
    match cell {
        "absent" => is_absent,
        "unknown" => found == Some(&ContextValue::Unknown),
        "true-or-absent" => found == Some(&ContextValue::KnownOrAbsent(vec!["true".to_owned()])),
        "some-or-absent" => matches!(found, Some(ContextValue::KnownOrAbsent(_))),
        "sent" | "inherited" => holds(value_of(name, request)),
        value => holds(value.to_owned()),
    }
}

#[test]
fn what_is_judged_has_what_is_documented() {
    let of_plans = [
        (kms_plan(), with_own_key()),
        (inventory_plan(), with_own_key()),
        (reading_plan(), with_stored_object()),
        (import_plan(), with_own_key()),
        (load_plan(), with_own_key()),
    ]
    .map(|(plan, facts)| {
        let needs = required_permissions(&plan, &facts).into_iter();
        needs.map(move |need| (plan.clone(), facts.clone(), need))
    });
    let mut unseen: Vec<Documented> = documented("calls");
    for (plan, facts, need) in &of_plans.into_iter().flatten().collect::<Vec<_>>() {
        // What the reader asks of an inventory is what it asks of an export.
        let is_of_reader = need.who == Actor::Reader && plan.source_bucket().is_some();
        for request in asks(plan, facts, need, now()).unwrap() {
            if is_of_reader {
                continue;
            }
            assert_ne!(request.call, Call::Unlisted, "{}", need.action);
            let route = request.call.route(need.is_direct);
            let of_call = documented("calls")
                .into_iter()
                .map(|cell| (cell, format!("{:?}", request.call)));
            let of_route = documented("routes")
                .into_iter()
                .map(|cell| (cell, format!("{route:?}")));
            for ((name, column, cell), of) in of_call.chain(of_route) {
                if column == of {
                    unseen.retain(|cell| *cell != (name, column, cell.2));
                    assert!(agrees(&request, name, cell), "{name}: {cell}: {request:#?}");
                }
            }
        }
    }
    assert_eq!(unseen, []);
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
    // Nobody tells whether S3 has the header when it asks for this one.
    let acl = on(&aes_plan(), &facts, "s3:PutObjectAcl");
    assert!(matches!(acl.outcome, Verdict::Depends { .. }), "{acl:#?}");
}

#[test]
fn encryption_is_no_remedy_for_a_deny_of_the_abort() {
    let facts = bucket_with(&json!({
        "Sid": "Enc", "Effect": "Deny", "Principal": "*", "Action": "s3:AbortMultipartUpload",
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }
    }));
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    assert_eq!(found.plan, aes_plan());
    let is_asked = |remedy: &Remedy| matches!(&remedy.fix, Fix::RequestText { text } if text.contains("s3:AbortMultipartUpload"));
    assert!(found.remedies.iter().any(is_asked), "{found:#?}");
}

/// What the policy engine makes of each line that explains the plan, by call.
fn decisions(
    plan: &Plan,
    facts: &crate::assess::facts::Facts,
    action: &str,
) -> Vec<(String, String)> {
    let mut decisions: Vec<(String, String)> = Vec::new();
    for line in simulate_lines(plan, facts, now()) {
        let asked: Value = serde_json::from_str(&line).unwrap();
        if asked["action"] != action {
            continue;
        }
        let mut told = String::new();
        simulate_line(&line, &mut told);
        let told: Value = serde_json::from_str(&told).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let decision = (text(&asked["call"]), text(&told["decision"]));
        if !decisions.contains(&decision) {
            decisions.push(decision);
        }
    }
    decisions
}

/// The samples of AWS's pages that ask for `bucket-owner-full-control`, in the export's place.
#[rstest]
#[case::s3_user_guide_example_bucket_policies(json!(["s3:PutObject"]))]
#[case::s3_user_guide_ensure_object_ownership(json!("s3:PutObject"))]
#[case::the_same_under_all_that_an_export_needs(json!(["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]))]
fn an_allow_that_asks_for_an_acl_lets_no_part_in(#[case] actions: Value) {
    let mut facts = facts();
    let is_on_all = actions.as_array().is_some_and(|all| all.len() > 1);
    facts.bucket_mut(&landing()).policy = known(document(&json!([
        {
            "Sid": "PolicyForAllowUploadWithACL", "Effect": "Allow", "Principal": { "AWS": "111111111111" },
            "Action": actions, "Resource": "arn:aws:s3:::export-landing/*",
            "Condition": { "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }
        },
    ])));
    let word = |call: &str, decision: &str| (call.to_owned(), decision.to_owned());
    assert_eq!(
        decisions(&aes_plan(), &facts, "s3:PutObject"),
        [
            word("PutObject", "depends"),
            word("CreateMultipartUpload", "depends"),
            word("UploadPart", "implicit_deny"),
            word("CompleteMultipartUpload", "implicit_deny"),
        ]
    );
    let put = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(put.outcome, Verdict::Denied, "{put:#?}");
    assert!(put.explanation.contains("in UploadPart"), "{put:#?}");
    let abort = on(&aes_plan(), &facts, "s3:AbortMultipartUpload");
    assert_eq!(abort.outcome, Verdict::Denied, "{abort:#?}");
    let acl = on(&aes_plan(), &facts, "s3:PutObjectAcl").outcome;
    assert_eq!(
        matches!(acl, Verdict::Depends { .. }),
        is_on_all,
        "{acl:#?}"
    );
}

/// The conditions of AWS's samples on encryption headers, each under a Deny of `s3:PutObject`, with an
/// export that does as they ask. Those of service and resource control policies stand in the bucket's.
#[rstest]
#[case::organizations_example_scps_for_s3(&aes_plan(), &[json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } })])]
#[case::organizations_example_scps_for_s3_with_kms(&kms_plan(), &[json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } })])]
#[case::organizations_example_scps_for_s3_and_one_algorithm(&aes_plan(), &[
    json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } }),
    json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } }),
])]
#[case::s3_user_guide_using_server_side_encryption(&aes_plan(), &[json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } })])]
#[case::s3_user_guide_using_kms_encryption(&kms_plan(), &[json!({ "Null": { "s3:x-amz-server-side-encryption-aws-kms-key-id": "true" } })])]
#[case::s3_user_guide_example_bucket_policies_specific_key(&kms_plan(), &[json!({ "ArnNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY } })])]
#[case::resource_control_policy_examples_s3_deny_sse_c(&aes_plan(), &[json!({ "Null": { "s3:x-amz-server-side-encryption-customer-algorithm": "false" } })])]
#[case::a_public_gist_for_the_policy_simulator(&kms_plan(), &[
    json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } }),
    json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }),
])]
#[case::of_no_page_by_a_string_operator(&kms_plan(), &[json!({ "StringNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY } })])]
fn an_export_that_matches_a_sample_is_allowed(#[case] plan: &Plan, #[case] conditions: &[Value]) {
    let mut facts = facts();
    let mut statements = granting_bucket();
    for condition in conditions {
        statements.as_array_mut().unwrap().push(json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::export-landing/*", "Condition": condition
        }));
    }
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    for action in ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"] {
        let verdict = on(plan, &facts, action);
        assert_eq!(verdict.outcome, Verdict::CLEAR, "{verdict:#?}");
    }
}

/// The sample of "Enforce conditional writes on Amazon S3 buckets": what makes the object must be
/// conditional, which an export may not be; what begins it and its parts need not.
#[test]
fn a_bucket_for_conditional_writes_takes_parts_and_depends_on_the_end() {
    let mut facts = facts();
    let allow = |condition: Value| {
        json!({
            "Effect": "Allow", "Principal": { "AWS": ROLE }, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::export-landing/*", "Condition": condition
        })
    };
    facts.bucket_mut(&landing()).policy = known(document(&json!([
        allow(json!({ "Null": { "s3:if-none-match": "false" } })),
        allow(json!({ "Bool": { "s3:ObjectCreationOperation": "false" } })),
    ])));
    let word = |call: &str, decision: &str| (call.to_owned(), decision.to_owned());
    assert_eq!(
        decisions(&aes_plan(), &facts, "s3:PutObject"),
        [
            word("PutObject", "depends"),
            word("CreateMultipartUpload", "allowed"),
            word("UploadPart", "allowed"),
            word("CompleteMultipartUpload", "depends"),
        ]
    );
}

/// The sample of "Bucket policy examples using condition keys" that lets one folder be listed.
#[rstest]
#[case("prod/*", true)]
#[case("projects", false)]
fn a_list_is_judged_on_the_folder_that_a_verification_lists(
    #[case] prefix: &str,
    #[case] is_allowed: bool,
) {
    let mut facts = facts();
    facts.destination_mut().unwrap().identity_policies = known(vec![inline(
        "Reads",
        &json!([
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" },
            {
                "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::export-landing",
                "Condition": { "StringLike": { "s3:prefix": prefix } }
            }
        ]),
    )]);
    let decisions = decisions(&aes_plan(), &facts, "s3:ListBucket");
    let decision = if is_allowed {
        "allowed"
    } else {
        "implicit_deny"
    };
    assert_eq!(
        decisions,
        [("ListObjectsV2".to_owned(), decision.to_owned())]
    );
}

/// A Deny of DynamoDB's part alone, on a key that serves bucket and table: what a probe did with it was
/// S3's use.
#[test]
fn a_probe_of_the_objects_key_shows_nothing_of_a_tables() {
    let mut facts = with_own_key();
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        &format!("[encryption]\nalgorithm = 'KMS'\nkey = '{TABLE_KEY}'"),
    );
    facts.tried.push(ObservedCall {
        who: Actor::Exporter,
        action: "kms:Decrypt".to_owned(),
        resource: TABLE_KEY.to_owned(),
        at: now(),
        refusal: None,
    });
    let words: Vec<(Call, bool)> = crate::assess::judge::judge(&plan, &facts, now())
        .iter()
        .filter_map(|verdict| match &verdict.requirement {
            crate::job::requirement::Requirement::Permission(need)
                if need.action == "kms:Decrypt" =>
            {
                Some((Call::of(need, false)[0], verdict.outcome.is_allowed()))
            }
            _ => None,
        })
        .collect();
    assert!(words.contains(&(Call::Decrypt, true)), "{words:?}");
    assert!(words.contains(&(Call::DecryptOfTable, false)), "{words:?}");
}
