//! S3 Inventory: what `check` says of a plan of that kind, against what S3 delivers in the sandbox.
//!
//! The situations are those of AWS re:Post's articles on deliveries that are denied and of "Configuring
//! Amazon S3 Inventory" (S3 user guide). Checker and sandbox share the policy crate: what they share is
//! held against AWS's examples there, and what they do not, each request's context, is compared here.

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use tableferry::assess::assessment::Assessment;
use tableferry::assess::judge::judge;
use tableferry::assess::limits::Limits;
use tableferry::assess::remedy::{Fix, GrantOptions, remedies};
use tableferry::assess::verdict::{AssessedRequirement, Overall, Requirement, Verdict, overall};
use tableferry::aws::s3::inventory::InventoryName;
use tableferry::job::requirement::Criticality;
use tableferry::job::{Kind, Plan};
use tableferry_policy::lint::{DocumentKind, Severity, lint};
use tableferry_sandbox::{ExportAcl, ForwardedTransport, SourceAddress};

use crate::predictions::diagnosed::explained;
use crate::predictions::place::{self, Place, Whereabouts, carry_out, key_in, shipped_world};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const LANDING: &str = "inventory-landing";

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn readers() -> Value {
    json!({
        "Sid": "Readers", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{LANDING}/*"),
    })
}

fn grant() -> Value {
    json!({
        "Sid": "DeliverInventory", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{LANDING}/*"),
        "Condition": {
            "ArnLike": { "aws:SourceArn": "arn:aws:s3:::orders-files" },
            "StringEquals": {
                "aws:SourceAccount": "111111111111",
                "s3:x-amz-acl": "bucket-owner-full-control",
            },
        },
    })
}

fn deny(condition: &Value) -> Value {
    json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{LANDING}"), format!("arn:aws:s3:::{LANDING}/*")],
        "Condition": condition,
    })
}

/// The key's policy without and with the service in it.
fn key_policy(has_service: bool) -> Value {
    let mut statements = vec![json!({
        "Sid": "Enable IAM policies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
    })];
    if has_service {
        statements.push(json!({
            "Sid": "EncryptInventory", "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "kms:GenerateDataKey", "Resource": "*",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": "111111111111" },
                "ArnLike": { "aws:SourceArn": "arn:aws:s3:::orders-files" },
            },
        }));
    }
    document(&statements)
}

fn world(policy: &[Value]) -> Value {
    let mut world = shipped_world();
    world["buckets"][LANDING] = json!({
        "account": "222222222222", "region": "eu-west-1", "policy": document(policy),
    });
    key_in(&mut world, KEY)["policy"] = key_policy(false);
    world
}

fn inventory_plan(rest: &str) -> Plan {
    place::plan(&format!(
        "kind = \"inventory\"\nid = \"all\"\nfields = [\"Size\"]\n\n\
         [source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\nbucket = \"orders-files\"\n\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"{LANDING}\"\nprefix = \"in\"\n{rest}"
    ))
}

fn with_key() -> Plan {
    inventory_plan(&format!(
        "\n[encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n"
    ))
}

/// Writes the plan's configuration, and says whether a complete report is there when the day is over.
async fn delivers(place: &Place, plan: &Plan) -> bool {
    let Kind::Inventory(inventory) = &plan.kind else {
        panic!("{plan:?}");
    };
    let session = place.session("prod-admin").await;
    let owner = plan.destination.owner.clone();
    let owner = owner.unwrap_or_else(|| "222222222222".parse().unwrap());
    let configuration = inventory.configuration(plan, Some(&owner), session.partition());
    let name = InventoryName {
        bucket: &inventory.bucket,
        owner: &session.identity.account,
        id: &inventory.id,
    };
    let s3 = session.s3(&session.region);
    let document = configuration.to_json();
    let written = s3.put_inventory_configuration(name, &document);
    written.await.unwrap();
    place.sandbox.set_clock_offset(SignedDuration::from_mins(3));
    let keys = place.sandbox.object_keys(plan.destination.bucket.as_str());
    // It is written last, and tells that the report is complete.
    keys.iter().any(|key| key.ends_with("/manifest.checksum"))
}

/// The actions of the service that are denied.
fn denied(verdicts: &[AssessedRequirement]) -> Vec<&str> {
    let denied = verdicts
        .iter()
        .filter(|found| found.outcome == Verdict::Denied);
    denied
        .filter_map(|found| match &found.requirement {
            Requirement::Permission(need) => need.service.as_ref().map(|_| need.action),
            Requirement::Check { .. } => None,
        })
        .collect()
}

/// What the console says of a delivery that failed (S3 user guide, storage-inventory).
const FAILED: &str = "Access denied Inventory export for 2026-11-20 failed because S3 doesn't have access to the \
    destination bucket or KMS key. Ask the owner of the destination bucket or KMS key to grant the necessary \
    access and then try again.";

/// What happens in a world: denied, nothing delivered, and after the remedies allowed and delivered.
/// Gives the documents that the remedies write.
async fn fails_until_it_is_fixed(mut world: Value, plan: Plan, wanted: &[&str]) -> Vec<String> {
    let before = Place::open(&world, &plan).await;
    let facts = before.survey(&plan).await;
    let now = Timestamp::now();
    let verdicts = judge(&plan, &facts, now);
    assert_eq!(denied(&verdicts), wanted, "{verdicts:#?}");
    assert!(!delivers(&before, &plan).await);
    let assessment = Assessment::of(&plan, facts.clone(), &Limits::default(), now);
    let cause = match wanted {
        ["s3:PutObject"] => "inventory-bucket-policy",
        _ => "inventory-key-policy",
    };
    assert_eq!(explained(FAILED, Some(&assessment)), [cause]);
    let found = remedies(&plan, &facts, now, GrantOptions::default());
    let whereabouts = Whereabouts {
        exporter: "/accounts/111111111111/users/prod-admin".to_owned(),
        reader: "/accounts/222222222222/users/dev-admin".to_owned(),
    };
    let mut written = Vec::new();
    for remedy in &found.remedies {
        assert!(remedy.problems.is_empty(), "{:?}", remedy.problems);
        carry_out(&mut world, remedy, &whereabouts);
        if let Fix::Document { after, .. } = &remedy.fix {
            written.push(after.clone());
        }
    }
    let after = Place::open(&world, &found.plan).await;
    let verdicts = after.check(&found.plan).await;
    // What only verifies the reports may depend on where the operator sits.
    let mut required = verdicts
        .iter()
        .filter(|found| found.criticality == Criticality::Required);
    assert!(
        required.all(|found| found.outcome.is_allowed()),
        "{verdicts:#?}"
    );
    assert!(delivers(&after, &found.plan).await);
    written
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// I01: no statement names the service.
#[test]
fn a_policy_without_a_grant_gets_one_that_names_the_source_its_account_and_the_acl() {
    let written = place::run(|| {
        fails_until_it_is_fixed(world(&[readers()]), inventory_plan(""), &["s3:PutObject"])
    });
    let policy = parsed(&written[0]);
    let added = &policy["Statement"][1];
    assert_eq!(added["Principal"], json!({ "Service": "s3.amazonaws.com" }));
    assert_eq!(added["Action"], "s3:PutObject");
    assert_eq!(added["Condition"], grant()["Condition"]);
    assert_eq!(
        added["Resource"],
        format!("arn:aws:s3:::{LANDING}/in/orders-files/*")
    );
}

/// I02: the exemption inside the blanket Deny, and nothing else. The office is where the operator sits:
/// from elsewhere nobody could read the policy.
#[test]
fn a_blanket_deny_on_addresses_gets_the_least_exemption() {
    let addresses = json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
    let policy = [deny(&addresses), grant()];
    let written = place::run(|| {
        fails_until_it_is_fixed(world(&policy), inventory_plan(""), &["s3:PutObject"])
    });
    let fixed = json!({
        "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" },
        "ArnNotLike": { "aws:SourceArn": "arn:aws:s3:::orders-files" },
    });
    assert_eq!(parsed(&written[0]), document(&[deny(&fixed), grant()]));
}

/// I03: a service is no AWS principal; S3 and lint refuse the document, and what it says lets nobody in.
#[test]
fn a_service_written_as_an_aws_principal_lets_nobody_in() {
    let mut wrong = grant();
    wrong["Principal"] = json!({ "AWS": ["s3.amazonaws.com"] });
    let text = document(&[wrong.clone()]).to_string();
    let findings = lint(&text, DocumentKind::Bucket);
    let is_error = |severity| severity == Severity::Error;
    assert!(
        findings.iter().any(|found| is_error(found.severity)),
        "{findings:?}"
    );
    place::run(|| async move {
        let (world, plan) = (world(&[wrong]), inventory_plan(""));
        let place = Place::open(&world, &plan).await;
        assert_eq!(denied(&place.check(&plan).await), ["s3:PutObject"]);
        let config = place.administrator(&world, "222222222222");
        let put = aws_sdk_s3::Client::new(&config).put_bucket_policy();
        let refused = put.bucket(LANDING).policy(text).send().await.unwrap_err();
        let refused = refused.into_service_error();
        let code = aws_sdk_s3::error::ProvideErrorMetadata::code(&refused);
        assert_eq!(code, Some("MalformedPolicy"));
    });
}

/// I04: the key's policy does not name the service.
#[test]
fn a_key_that_does_not_name_the_service_is_fixed_as_documented() {
    let written = place::run(|| {
        fails_until_it_is_fixed(world(&[grant()]), with_key(), &["kms:GenerateDataKey"])
    });
    let added = &parsed(&written[0])["Statement"][1];
    let mut documented = key_policy(true)["Statement"][1].clone();
    documented["Sid"] = "TableferryInventoryEncrypt".into();
    assert_eq!(added, &documented);
}

/// Denies that hit the service, each with the exemption; those that do not hit it change nothing.
#[rstest]
#[case::an_endpoint(json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1a2b3c4d" } }), true)]
#[case::an_organization(json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-elsewhere" } }), true)]
#[case::another_account(json!({ "StringNotEquals": { "aws:PrincipalAccount": "222222222222" } }), true)]
#[case::who_is_no_service(json!({
    "StringNotEquals": { "aws:PrincipalOrgID": "o-elsewhere" },
    "Bool": { "aws:PrincipalIsAWSService": "false" },
}), false)]
#[case::services_of_others(json!({
    "StringNotEquals": { "aws:SourceAccount": "111111111111" },
    "Bool": { "aws:PrincipalIsAWSService": "true" },
}), false)]
#[case::plain_http(json!({ "Bool": { "aws:SecureTransport": "false" } }), false)]
fn a_deny_that_hits_the_service_is_found(#[case] condition: Value, #[case] hits: bool) {
    let mut uploads = deny(&condition);
    uploads["Action"] = "s3:PutObject".into();
    let policy = [uploads, grant()];
    if hits {
        place::run(|| {
            fails_until_it_is_fixed(world(&policy), inventory_plan(""), &["s3:PutObject"])
        });
        return;
    }
    place::run(|| async {
        let plan = inventory_plan("");
        let place = Place::open(&world(&policy), &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
        assert!(delivers(&place, &plan).await);
    });
}

/// A Deny for want of the header is met by the configuration's encryption.
#[test]
fn a_demand_for_encryption_is_met_by_the_plan() {
    let mut other = deny(&json!({
        "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" },
    }));
    other["Action"] = "s3:PutObject".into();
    let policy = [other, grant()];
    place::run(|| async {
        let plan = inventory_plan("");
        let facts = Place::open(&world(&policy), &plan)
            .await
            .survey(&plan)
            .await;
        let found = remedies(&plan, &facts, Timestamp::now(), GrantOptions::default());
        let after = Place::open(&world(&policy), &found.plan).await;
        let verdicts = after.check(&found.plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
        assert!(delivers(&after, &found.plan).await);
    });
}

/// What keeps every delivery away, whatever the policies say.
#[rstest]
#[case::another_region(&|world: &mut Value| world["buckets"][LANDING]["region"] = "eu-central-1".into(), "", "inventory-settings")]
#[case::another_owner(&|_: &mut Value| (), "owner = \"333333333333\"\n", "inventory-settings")]
#[case::a_default_without_a_keys_arn(
    &|world: &mut Value| world["buckets"][LANDING]["default_encryption"] = json!({ "algorithm": "aws:kms" }),
    "",
    "inventory-key-policy"
)]
#[case::no_source_bucket(&|world: &mut Value| world["buckets"]["orders-files"] = json!({
    "account": "222222222222", "region": "eu-west-1",
}), "", "inventory-settings")]
fn a_setting_that_no_policy_changes_is_denied(
    #[case] change: &dyn Fn(&mut Value),
    #[case] rest: &str,
    #[case] cause: &str,
) {
    let mut world = world(&[grant()]);
    change(&mut world);
    let plan = inventory_plan(rest);
    let facts = place::run(|| async {
        let place = Place::open(&world, &plan).await;
        place.survey(&plan).await
    });
    let assessment = Assessment::of(&plan, facts, &Limits::default(), Timestamp::now());
    let verdicts = &assessment.requirements;
    assert_eq!(overall(verdicts, false), Overall::Denied, "{verdicts:#?}");
    assert_eq!(denied(verdicts), Vec::<&str>::new());
    assert_eq!(explained(FAILED, Some(&assessment)), [cause]);
}

mod random {
    //! Inventories in worlds that are made at random: nothing that is allowed fails, and nothing that is
    //! denied succeeds.

    use fastrand::Rng;

    use super::*;

    /// How many worlds are made where nobody says.
    const USUAL: u64 = 40;

    fn one_of(rng: &mut Rng, choices: &[Value]) -> Value {
        choices[rng.usize(..choices.len())].clone()
    }

    fn principal(rng: &mut Rng, effect: &str) -> (&'static str, Value) {
        let service = json!({ "Service": "s3.amazonaws.com" });
        if effect == "Deny" && rng.u8(..6) == 0 {
            let listed = [
                service,
                json!({ "AWS": "arn:aws:iam::222222222222:root" }),
                json!({ "Service": "cloudtrail.amazonaws.com" }),
            ];
            return ("NotPrincipal", one_of(rng, &listed));
        }
        let named = [
            service.clone(),
            service.clone(),
            service,
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": "arn:aws:iam::111111111111:root" }),
            json!({ "Service": ["cloudtrail.amazonaws.com", "s3.amazonaws.com"] }),
            json!({ "Service": "cloudtrail.amazonaws.com" }),
        ];
        ("Principal", one_of(rng, &named))
    }

    fn condition(rng: &mut Rng) -> (Value, Value, Value) {
        let conditions = [
            (
                "ArnLike",
                "aws:SourceArn",
                json!("arn:aws:s3:::orders-files"),
            ),
            ("ArnLike", "aws:SourceArn", json!("arn:aws:s3:::orders-*")),
            (
                "ArnNotLike",
                "aws:SourceArn",
                json!("arn:aws:s3:::orders-files"),
            ),
            ("ArnEquals", "aws:SourceArn", json!("arn:aws:s3:::others")),
            ("StringEquals", "aws:SourceAccount", json!("111111111111")),
            (
                "StringNotEquals",
                "aws:SourceAccount",
                json!(["111111111111", "222222222222"]),
            ),
            ("StringEquals", "aws:SourceAccount", json!("333333333333")),
            ("StringEquals", "aws:SourceOrgID", json!("o-exampleorgid")),
            (
                "StringEquals",
                "s3:x-amz-acl",
                json!("bucket-owner-full-control"),
            ),
            ("StringNotEquals", "s3:x-amz-acl", json!("public-read")),
            ("NotIpAddress", "aws:SourceIp", json!("192.0.2.0/24")),
            ("IpAddress", "aws:SourceIp", json!("192.0.2.0/24")),
            ("StringNotEquals", "aws:SourceVpce", json!("vpce-1a2b3c4d")),
            ("StringEquals", "aws:SourceVpce", json!("vpce-1a2b3c4d")),
            ("StringNotEqualsIfExists", "aws:SourceVpc", json!("vpc-1")),
            ("Bool", "aws:SecureTransport", json!("false")),
            ("BoolIfExists", "aws:SecureTransport", json!("false")),
            ("Bool", "aws:PrincipalIsAWSService", json!("true")),
            ("Bool", "aws:PrincipalIsAWSService", json!("false")),
            ("BoolIfExists", "aws:PrincipalIsAWSService", json!("false")),
            ("Bool", "aws:ViaAWSService", json!("false")),
            ("Null", "aws:PrincipalOrgID", json!("true")),
            (
                "StringNotEquals",
                "aws:PrincipalOrgID",
                json!("o-exampleorgid"),
            ),
            (
                "StringNotEquals",
                "aws:PrincipalAccount",
                json!("222222222222"),
            ),
            (
                "ArnNotLike",
                "aws:PrincipalArn",
                json!("arn:aws:iam::222222222222:role/*"),
            ),
            (
                "StringEquals",
                "aws:PrincipalServiceName",
                json!("s3.amazonaws.com"),
            ),
            ("Null", "s3:x-amz-server-side-encryption", json!("true")),
            (
                "StringNotEquals",
                "s3:x-amz-server-side-encryption",
                json!("aws:kms"),
            ),
            (
                "StringEquals",
                "s3:x-amz-server-side-encryption",
                json!("AES256"),
            ),
            (
                "StringNotEquals",
                "aws:ResourceAccount",
                json!("222222222222"),
            ),
            (
                "StringEquals",
                "kms:ViaService",
                json!("s3.eu-west-1.amazonaws.com"),
            ),
            (
                "StringLike",
                "kms:EncryptionContext:aws:s3:arn",
                json!(format!("arn:aws:s3:::{LANDING}/*")),
            ),
            (
                "StringEquals",
                "kms:EncryptionContext:aws:s3:arn",
                json!(format!("arn:aws:s3:::{LANDING}")),
            ),
        ];
        let (operator, key, value) = conditions[rng.usize(..conditions.len())].clone();
        (operator.into(), key.into(), value)
    }

    fn statement(rng: &mut Rng, effect: &str, is_of_key: bool) -> Value {
        let (element, named) = principal(rng, effect);
        let mut made = json!({ "Effect": effect, element: named });
        let actions: &[Value] = if is_of_key {
            &[
                json!("kms:GenerateDataKey"),
                json!("kms:GenerateDataKey*"),
                json!("kms:*"),
                json!("kms:Decrypt"),
            ]
        } else {
            &[
                json!("s3:PutObject"),
                json!("s3:Put*"),
                json!("s3:*"),
                json!("s3:GetObject"),
            ]
        };
        made["Action"] = one_of(rng, actions);
        let at = |end: &str| json!(format!("arn:aws:s3:::{LANDING}/{end}"));
        let resources = [
            at("*"),
            at("*"),
            at("in/*"),
            at("in/orders-files/*"),
            at("other/*"),
            at("*.json"),
        ];
        made["Resource"] = if is_of_key {
            json!("*")
        } else {
            one_of(rng, &resources)
        };
        for _ in 0..rng.usize(..=2) {
            let (operator, key, value) = condition(rng);
            made["Condition"][operator.as_str().unwrap()][key.as_str().unwrap()] = value;
        }
        made
    }

    fn policy(rng: &mut Rng, grant: Option<Value>, is_of_key: bool) -> Vec<Value> {
        let mut statements: Vec<Value> = grant.into_iter().collect();
        for _ in 0..rng.usize(..=2) {
            let effect = if rng.bool() { "Allow" } else { "Deny" };
            statements.push(statement(rng, effect, is_of_key));
        }
        statements
    }

    fn case(seed: u64) -> (Value, Plan) {
        let mut rng = Rng::with_seed(seed);
        let own = (rng.u8(..4) > 0).then(grant);
        let landing = policy(&mut rng, own, false);
        let mut world = world(&landing);
        if landing.is_empty() {
            world["buckets"][LANDING]
                .as_object_mut()
                .unwrap()
                .remove("policy");
        }
        let named = key_policy(rng.u8(..4) > 0)["Statement"]
            .as_array()
            .unwrap()
            .clone();
        let mut statements = named;
        statements.extend(policy(&mut rng, None, true));
        key_in(&mut world, KEY)["policy"] = document(&statements);
        let default = [
            Value::Null,
            json!({ "algorithm": "aws:kms", "key": KEY, "bucket_key": rng.bool() }),
            json!({ "algorithm": "aws:kms" }),
        ];
        world["buckets"][LANDING]["default_encryption"] = one_of(&mut rng, &default);
        if rng.u8(..12) == 0 {
            world["buckets"][LANDING]["region"] = "eu-central-1".into();
        }
        let rest = match rng.u8(..3) {
            0 => "\n[encryption]\nalgorithm = \"AES256\"\n".to_owned(),
            1 => format!("\n[encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n"),
            _ => String::new(),
        };
        let owner = if rng.u8(..12) == 0 {
            "owner = \"333333333333\"\n"
        } else {
            ""
        };
        (world, inventory_plan(&format!("{owner}{rest}")))
    }

    /// What is claimed: that it is delivered and can be read, that it is not, or neither.
    fn claim(verdicts: &[AssessedRequirement]) -> Option<bool> {
        let required = || {
            verdicts
                .iter()
                .filter(|found| found.criticality == Criticality::Required)
        };
        if required().any(|found| found.outcome == Verdict::Denied) {
            return Some(false);
        }
        // Nothing of the destination's side is hidden in these worlds, and no organization denies.
        required()
            .all(|found| found.outcome.is_allowed())
            .then_some(true)
    }

    #[test]
    fn a_report_that_is_allowed_arrives_and_one_that_is_denied_does_not() {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let seeds: Vec<u64> = match number("WORLD") {
            Some(seed) => vec![seed],
            None => (0..number("WORLDS").unwrap_or(USUAL)).collect(),
        };
        let mut counts = [0; 3];
        for seed in seeds {
            let (world, plan) = case(seed);
            let by_default = world["buckets"][LANDING]["default_encryption"]
                == json!({ "algorithm": "aws:kms" });
            let is_unreadable = by_default && !plan.to_toml().contains("[encryption]");
            for address in [SourceAddress::Service, SourceAddress::Absent] {
                for transport in [ForwardedTransport::Secure, ForwardedTransport::Absent] {
                    let (claim, arrives, told) = place::run(|| async {
                        let place = Place::open(&world, &plan).await;
                        place.play_as(address, ExportAcl::default());
                        place.play_transport(transport);
                        let verdicts = place.check(&plan).await;
                        let arrives = delivers(&place, &plan).await && !is_unreadable;
                        (claim(&verdicts), arrives, format!("{verdicts:#?}"))
                    });
                    counts[match claim {
                        Some(true) => 0,
                        Some(false) => 1,
                        None => 2,
                    }] += 1;
                    let is_right = claim.is_none_or(|claim| claim == arrives);
                    assert!(
                        is_right,
                        "seed {seed}, {address:?}, {transport:?}: {claim:?} was claimed, and it arrives: \
                         {arrives}\n{}\n{}\n{told}",
                        world["buckets"][LANDING],
                        plan.to_toml()
                    );
                }
            }
        }
        // Worlds that tell nothing would show nothing.
        assert!(
            counts[0] > 0 && counts[1] > 0 || number("WORLD").is_some(),
            "{counts:?}"
        );
    }
}
