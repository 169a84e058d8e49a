//! Readings in worlds that are made at random: nothing that is allowed fails, and nothing that is denied
//! succeeds.

use fastrand::Rng;
use serde_json::{Value, json};
use tableferry::assess::verdict::{AssessedRequirement, Verdict};
use tableferry::job::Plan;
use tableferry::job::requirement::Criticality;
use tableferry_sandbox::{ForwardedTransport, HeadKeyUse};

use super::{BUCKET, FOLDER, KEY, KEY_OF_SOURCE, actions, document, object, read};
use crate::predictions::place::{self, Place, key_in, shipped_world};
use crate::predictions::uploads::client;

/// How many worlds are made where nobody says.
const USUAL: u64 = 30;

/// Where the reader is at home, by which profile it is read and signed in, and its role's ARN.
const HOMES: [(&str, &str); 3] = [
    ("111111111111", "prod-admin"),
    ("222222222222", "dev-admin"),
    ("333333333333", "partner-admin"),
];

fn one_of<T: Clone>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())].clone()
}

fn condition(rng: &mut Rng, reader: &str) -> (&'static str, &'static str, Value) {
    let account = reader.split(':').nth(4).unwrap();
    let conditions = [
        ("StringEquals", "aws:PrincipalAccount", json!(account)),
        ("StringNotEquals", "aws:PrincipalAccount", json!(account)),
        ("StringEquals", "aws:PrincipalOrgID", json!("o-tableferry1")),
        (
            "StringNotEquals",
            "aws:PrincipalOrgID",
            json!("o-tableferry1"),
        ),
        (
            "StringNotEqualsIfExists",
            "aws:PrincipalOrgID",
            json!("o-tableferry1"),
        ),
        ("ArnLike", "aws:PrincipalArn", json!(reader)),
        ("ArnNotLike", "aws:PrincipalArn", json!(reader)),
        ("StringLike", "s3:prefix", json!("prod/*")),
        ("StringNotLike", "s3:prefix", json!("prod/*")),
        ("StringEquals", "s3:delimiter", json!("/")),
        ("Null", "s3:delimiter", json!("true")),
        ("NumericLessThanEquals", "s3:max-keys", json!("10")),
        ("NotIpAddress", "aws:SourceIp", json!("203.0.113.0/24")),
        ("IpAddress", "aws:SourceIp", json!("198.51.100.0/24")),
        ("Bool", "aws:SecureTransport", json!("false")),
        ("Bool", "aws:SecureTransport", json!("true")),
        ("Bool", "aws:ViaAWSService", json!("true")),
        ("Null", "s3:x-amz-server-side-encryption", json!("true")),
        ("StringEquals", "s3:x-amz-acl", json!("private")),
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
            "StringNotEquals",
            "kms:ViaService",
            json!("s3.eu-west-1.amazonaws.com"),
        ),
        ("StringEquals", "kms:CallerAccount", json!(account)),
        (
            "StringLike",
            "kms:EncryptionContext:aws:s3:arn",
            json!(format!("arn:aws:s3:::{BUCKET}/*")),
        ),
        (
            "StringEquals",
            "kms:EncryptionContext:aws:s3:arn",
            json!(format!("arn:aws:s3:::{BUCKET}")),
        ),
        (
            "StringLike",
            "kms:EncryptionContext:aws:s3:arn",
            json!("*/manifest-summary.json"),
        ),
    ];
    one_of(rng, &conditions)
}

/// A statement of some document; `kind` is `identity`, `bucket` or `key`.
fn statement(rng: &mut Rng, effect: &str, kind: &str, reader: &str) -> Value {
    let mut made = json!({ "Effect": effect });
    if kind != "identity" {
        let account = reader.split(':').nth(4).unwrap();
        let named = [
            json!({ "AWS": reader }),
            json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
            json!({ "AWS": "222222222222" }),
        ];
        made["Principal"] = if effect == "Deny" && rng.bool() {
            json!("*")
        } else {
            one_of(rng, &named)
        };
    }
    let of_bucket = [
        json!("s3:GetObject"),
        json!("s3:Get*"),
        json!("s3:ListBucket"),
        json!("s3:*"),
        json!("s3:PutObject"),
    ];
    let of_key = [
        json!("kms:Decrypt"),
        json!("kms:*"),
        json!("kms:GenerateDataKey*"),
    ];
    let (bucket, all) = (
        format!("arn:aws:s3:::{BUCKET}"),
        format!("arn:aws:s3:::{BUCKET}/*"),
    );
    let is_of_key = kind == "key" || kind == "identity" && rng.u8(..3) == 0;
    if is_of_key {
        made["Action"] = one_of(rng, &of_key);
        made["Resource"] = json!("*");
    } else {
        made["Action"] = one_of(rng, &of_bucket);
        let places = [
            json!([bucket, all]),
            json!([bucket, all]),
            json!([bucket, format!("arn:aws:s3:::{BUCKET}/{FOLDER}/*")]),
            json!([bucket, format!("arn:aws:s3:::{BUCKET}/*.json")]),
            json!([bucket, format!("arn:aws:s3:::{BUCKET}/other/*")]),
        ];
        made["Resource"] = one_of(rng, &places);
    }
    for _ in 0..rng.usize(..=1) {
        let (operator, key, value) = condition(rng, reader);
        // S3 refuses a policy whose key is not of the service.
        let is_other =
            kind == "bucket" && key.starts_with("kms:") || kind == "key" && key.starts_with("s3:");
        if !is_other {
            made["Condition"] = json!({ operator: { key: value } });
        }
    }
    made
}

/// The statements of a document that begins with a grant, as a rule, and has others beside it.
fn statements(rng: &mut Rng, grant: &[Value], kind: &str, reader: &str) -> Vec<Value> {
    let mut all: Vec<Value> = grant.iter().filter(|_| rng.u8(..8) > 0).cloned().collect();
    for _ in 0..rng.usize(..=2) {
        let effect = if rng.u8(..5) < 2 { "Allow" } else { "Deny" };
        all.push(statement(rng, effect, kind, reader));
    }
    all
}

struct Case {
    world: Value,
    plan: Plan,
    profile: &'static str,
    reader: String,
}

fn case(seed: u64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let (home, profile) = one_of(&mut rng, &HOMES);
    let reader = format!("arn:aws:iam::{home}:role/Analyst");
    let key = one_of(&mut rng, &[None, Some(KEY), Some(KEY), Some(KEY_OF_SOURCE)]);
    let mut world = shipped_world();
    let trust = document(&json!([{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{home}:root") } }]));
    let own = actions(key.unwrap_or(KEY));
    let own = statements(&mut rng, own.as_array().unwrap(), "identity", &reader);
    world["accounts"][home]["roles"]["Analyst"] =
        json!({ "id": "AROASANDBOXANALYST000", "trust": trust });
    if !own.is_empty() {
        world["accounts"][home]["roles"]["Analyst"]["inline"] =
            json!({ "own": document(&own.into()) });
    }
    let grant = [
        json!({ "Sid": "List", "Effect": "Allow", "Principal": { "AWS": reader },
            "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}") }),
        json!({ "Sid": "Get", "Effect": "Allow", "Principal": { "AWS": reader },
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*") }),
    ];
    let of_bucket = statements(&mut rng, &grant, "bucket", &reader);
    let ownership = [
        "BucketOwnerEnforced",
        "BucketOwnerEnforced",
        "BucketOwnerPreferred",
        "ObjectWriter",
    ];
    let ownership = one_of(&mut rng, &ownership);
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1", "ownership": ownership,
        "objects": stored(&mut rng, key, ownership),
        "requester_pays": rng.u8(..12) == 0,
    });
    if rng.bool() {
        world["buckets"][BUCKET]["default_encryption"] =
            json!({ "algorithm": "aws:kms", "key": KEY, "bucket_key": rng.bool() });
    }
    if !of_bucket.is_empty() {
        world["buckets"][BUCKET]["policy"] = document(&of_bucket.into());
    }
    if let Some(key) = key {
        let account = key.split(':').nth(4).unwrap();
        let grant = [
            json!({ "Sid": "Readers", "Effect": "Allow", "Principal": { "AWS": reader },
            "Action": "kms:Decrypt", "Resource": "*" }),
        ];
        let mut all = vec![
            json!({ "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*",
            "Resource": "*", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") } }),
        ];
        all.extend(statements(&mut rng, &grant, "key", &reader));
        key_in(&mut world, key)["policy"] = document(&all.into());
    }
    // As the role itself, whose calls show what it may do, or read by another identity.
    let who = if rng.bool() { "role" } else { "principal" };
    let encryption = match key {
        Some(key) if rng.u8(..4) == 0 => {
            format!("\n[encryption]\nalgorithm = \"KMS\"\nkey = \"{key}\"\n")
        }
        _ => String::new(),
    };
    let plan = place::plan(&format!(
        "kind = \"read\"\n\n[source]\nprofile = \"{profile}\"\nregion = \"eu-west-1\"\n{who} = \"{reader}\"\n\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"{BUCKET}\"\nprefix = \"{FOLDER}\"\n{encryption}"
    ));
    Case {
        world,
        plan,
        profile,
        reader,
    }
}

/// Two objects, by an S3 Bucket Key or not, of the bucket's owner or of their writer.
fn stored(rng: &mut Rng, key: Option<&str>, ownership: &str) -> Value {
    let mut objects = json!({});
    for name in ["manifest-summary.json", "data/a.json.gz"] {
        let mut made = object(key);
        if key.is_some() {
            made["encryption"]["Kms"]["bucket_key"] = rng.bool().into();
        }
        if ownership != "BucketOwnerEnforced" && rng.bool() {
            let kind = one_of(rng, &["foreign_owner", "sharing_owner"]);
            made[kind] = one_of(rng, &["111111111111", "333333333333"]).into();
        }
        objects[format!("{FOLDER}/{name}")] = made;
    }
    objects
}

/// What is claimed: that all is listed and read, that something is not, or neither. What nobody read of the
/// organization's policies forbids nothing here.
fn claim(verdicts: &[AssessedRequirement]) -> Option<bool> {
    let required = || {
        let of = |found: &&AssessedRequirement| found.criticality == Criticality::Required;
        verdicts.iter().filter(of)
    };
    if required().any(|found| found.outcome == Verdict::Denied) {
        return Some(false);
    }
    required()
        .all(|found| found.outcome.is_allowed())
        .then_some(true)
}

#[test]
fn a_reading_that_is_allowed_succeeds_and_one_that_is_denied_fails() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("FIRST_WORLD").unwrap_or(0);
    let seeds: Vec<u64> = match number("WORLD") {
        Some(seed) => vec![seed],
        None => (first..first + number("WORLDS").unwrap_or(USUAL)).collect(),
    };
    let mut counts = [0; 3];
    for seed in seeds {
        let case = case(seed);
        for (head, transport) in [
            (HeadKeyUse::None, ForwardedTransport::Secure),
            (HeadKeyUse::Decrypts, ForwardedTransport::Absent),
        ] {
            let (claim, refusal, told) = place::run(|| async {
                let place = Place::open(&case.world, &case.plan).await;
                place.sandbox.play_head(head);
                place.play_transport(transport);
                let verdicts = place.check(&case.plan).await;
                let s3 = client(&place, case.profile, Some(&case.reader)).await;
                let refusal = read(&s3, &format!("{FOLDER}/")).await;
                (claim(&verdicts), refusal, format!("{verdicts:#?}"))
            });
            counts[match claim {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            }] += 1;
            let is_right = claim.is_none_or(|succeeds| refusal.is_none() == succeeds);
            assert!(
                is_right,
                "seed {seed}, {head:?}, {transport:?}: {claim:?} was claimed, and S3 said {refusal:?}\n{}\n{}\n{told}",
                case.world["buckets"][BUCKET],
                case.plan.to_toml()
            );
        }
    }
    // Worlds that tell nothing would show nothing.
    assert!(
        counts[0] > 0 && counts[1] > 0 || number("WORLD").is_some(),
        "{counts:?}"
    );
}
