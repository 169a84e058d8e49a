//! Readings: what `check` says of a plan of that kind, against what S3 and KMS answer to the AWS SDK's own
//! lists and gets.
//!
//! The situations are those of AWS re:Post's articles on readers of another account ("Why are cross-account
//! users getting Access Denied errors when they try to access my bucket that's encrypted by a custom AWS
//! KMS key?", "Why can't I access an object that was uploaded to my Amazon S3 bucket by another AWS
//! account?") and of the pages that the crate `job::reading` names. Checker and sandbox share the crate
//! that evaluates policies, so that a fault in it shows in neither.

mod random;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use rstest::rstest;
use serde_json::{Value, json};
use tableferry::assess::assessment::Assessment;
use tableferry::assess::limits::Limits;
use tableferry::assess::remedy::{Fix, GrantOptions, remedies};
use tableferry::assess::responsible::Responsible;
use tableferry::assess::verdict::{
    AssessedRequirement, Check, Overall, Requirement, Verdict, overall,
};
use tableferry::job::Plan;

use crate::predictions::diagnosed::{explained, printed};
use crate::predictions::place::{self, Place, Whereabouts, carry_out, key_in, shipped_world};
use crate::predictions::uploads::client;

const BUCKET: &str = "archive";
const FOLDER: &str = "prod/AWSDynamoDB/01700000000000-0123abcd";
const READER: &str = "arn:aws:iam::333333333333:role/Analyst";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const KEY_OF_SOURCE: &str =
    "arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001";

fn document(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn actions(key: &str) -> Value {
    json!([
        { "Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket",
          "Resource": format!("arn:aws:s3:::{BUCKET}") },
        { "Sid": "Get", "Effect": "Allow", "Action": "s3:GetObject",
          "Resource": format!("arn:aws:s3:::{BUCKET}/prod/*") },
        { "Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key },
    ])
}

fn bucket_policy() -> Value {
    document(&json!([
        { "Sid": "List", "Effect": "Allow", "Principal": { "AWS": READER },
          "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}") },
        { "Sid": "Get", "Effect": "Allow", "Principal": { "AWS": READER },
          "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*") },
    ]))
}

fn key_policy(account: &str, reader: &str) -> Value {
    document(&json!([
        { "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
          "Principal": { "AWS": format!("arn:aws:iam::{account}:root") } },
        { "Sid": "Readers", "Effect": "Allow", "Principal": { "AWS": reader },
          "Action": "kms:Decrypt", "Resource": "*" },
    ]))
}

/// An object with a text, encrypted with a key or with S3's own.
fn object(key: Option<&str>) -> Value {
    let encryption = key.map_or_else(|| json!("Aes256"), |key| json!({ "Kms": { "key": key } }));
    json!({
        "content": "YWhveQ==", "etag": "ce08becc73195df12d99d761bfbba68d",
        "modified_at": "2026-11-01T06:00:00Z", "content_type": null, "encryption": encryption,
    })
}

fn objects(key: Option<&str>) -> Value {
    json!({
        format!("{FOLDER}/manifest-summary.json"): object(key),
        format!("{FOLDER}/data/a.json.gz"): object(key),
    })
}

/// A role of a third account that reads, and the bucket and key of another, whose policies let it in.
fn world() -> Value {
    let mut world = shipped_world();
    let trust = document(&json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::333333333333:user/partner-admin" },
        "Action": "sts:AssumeRole",
    }]));
    world["accounts"]["333333333333"]["roles"]["Analyst"] = json!({
        "id": "AROASANDBOXANALYST000", "trust": trust, "inline": { "own": document(&actions(KEY)) },
    });
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1", "policy": bucket_policy(),
        "objects": objects(Some(KEY)),
    });
    key_in(&mut world, KEY)["policy"] = key_policy("222222222222", READER);
    world
}

fn plan() -> Plan {
    plan_of("partner-admin", READER)
}

fn plan_of(profile: &str, reader: &str) -> Plan {
    place::plan(&format!(
        "kind = \"read\"\n\n[source]\nprofile = \"{profile}\"\nregion = \"eu-west-1\"\n\
         principal = \"{reader}\"\n\n[destination]\nprofile = \"dev-admin\"\n\
         archive = \"s3://{BUCKET}/{FOLDER}\"\n"
    ))
}

/// The first refusal of a list of the folder and of a get of all that it shows; none where all is read.
async fn read(s3: &Client, folder: &str) -> Option<String> {
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix(folder);
    let listed = match listed.send().await {
        Ok(listed) => listed,
        Err(error) => {
            let error = error.into_service_error();
            return Some(format!(
                "ListObjectsV2: {}",
                error.message().unwrap_or_default()
            ));
        }
    };
    for object in listed.contents() {
        let got = s3.get_object().bucket(BUCKET).key(object.key().unwrap());
        if let Err(error) = got.send().await {
            let error = error.into_service_error();
            return Some(format!(
                "GetObject: {}",
                error.message().unwrap_or_default()
            ));
        }
    }
    None
}

fn denied(verdicts: &[AssessedRequirement]) -> Vec<String> {
    let denied = verdicts
        .iter()
        .filter(|found| found.outcome == Verdict::Denied);
    denied
        .map(|found| match &found.requirement {
            Requirement::Permission(need) => need.action.to_owned(),
            Requirement::Check { check, .. } => format!("{check:?}"),
        })
        .collect()
}

fn whereabouts() -> Whereabouts {
    Whereabouts {
        exporter: "/accounts/333333333333/roles/Analyst".to_owned(),
        reader: "/accounts/222222222222/users/dev-admin".to_owned(),
    }
}

/// The causes that come first for what the AWS CLI prints of a refusal of `read`, by the facts of both sides.
async fn causes(place: &Place, plan: &Plan, refusal: &str) -> Vec<String> {
    let (operation, message) = refusal.split_once(": ").unwrap();
    let facts = place.survey(plan).await;
    let assessment = Assessment::of(plan, facts, &Limits::default(), jiff::Timestamp::now());
    let text = printed(operation, "AccessDenied", message);
    explained(&text, Some(&assessment))
}

/// Denied as predicted, refused by S3 and explained by its cause first, and after the remedies of all sides allowed and read.
async fn fails_until_it_is_put_right(
    mut world: Value,
    wanted: &[&str],
    sides: &[Responsible],
    cause: &str,
) {
    let plan = plan();
    let before = Place::open(&world, &plan).await;
    let facts = before.survey(&plan).await;
    let now = jiff::Timestamp::now();
    let verdicts = tableferry::assess::judge::judge(&plan, &facts, now);
    assert_eq!(denied(&verdicts), wanted, "{verdicts:#?}");
    let s3 = client(&before, "partner-admin", Some(READER)).await;
    let refusal = read(&s3, FOLDER).await.unwrap();
    assert_eq!(causes(&before, &plan, &refusal).await, [cause], "{refusal}");
    let found = remedies(&plan, &facts, now, GrantOptions::default());
    let by: Vec<&Responsible> = found
        .remedies
        .iter()
        .map(|remedy| &remedy.responsible)
        .collect();
    assert_eq!(by, sides.iter().collect::<Vec<_>>());
    for remedy in &found.remedies {
        assert!(remedy.problems.is_empty(), "{:?}", remedy.problems);
        carry_out(&mut world, remedy, &whereabouts());
    }
    let after = Place::open(&world, &found.plan).await;
    let verdicts = after.check(&found.plan).await;
    assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
    let s3 = client(&after, "partner-admin", Some(READER)).await;
    assert_eq!(read(&s3, FOLDER).await, None);
}

fn bucket_owner() -> Responsible {
    Responsible::DestinationOwner(Some("222222222222".parse().unwrap()))
}

fn key_owner() -> Responsible {
    Responsible::KeyOwner("222222222222".parse().unwrap())
}

#[test]
fn a_reader_that_all_sides_let_in_is_allowed_and_reads() {
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world(), &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert_eq!(read(&s3, FOLDER).await, None);
    });
}

/// Identity policy, bucket policy and key policy: each is put right by whose it is.
#[rstest]
#[case::the_identity_lacks_the_key(
    |world: &mut Value| {
        let own = &mut world["accounts"]["333333333333"]["roles"]["Analyst"]["inline"]["own"];
        own["Statement"].as_array_mut().unwrap().truncate(2);
    },
    &["kms:Decrypt"],
    &[Responsible::You],
    "identity-policy-lacks-key",
)]
#[case::the_bucket_policy_is_missing(
    |world: &mut Value| {
        world["buckets"][BUCKET].as_object_mut().unwrap().remove("policy");
    },
    &["s3:ListBucket", "s3:GetObject"],
    &[bucket_owner()],
    "bucket-policy-lacks",
)]
#[case::the_bucket_policy_lacks_the_list(
    |world: &mut Value| {
        world["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().remove(0);
    },
    &["s3:ListBucket"],
    &[bucket_owner()],
    "bucket-policy-lacks",
)]
#[case::the_key_policy_does_not_name_the_reader(
    |world: &mut Value| {
        key_in(world, KEY)["policy"]["Statement"].as_array_mut().unwrap().truncate(1);
    },
    &["kms:Decrypt"],
    &[key_owner()],
    "key-policy-lacks",
)]
#[case::nothing_is_granted(
    |world: &mut Value| {
        let role = &mut world["accounts"]["333333333333"]["roles"]["Analyst"];
        role.as_object_mut().unwrap().remove("inline");
        world["buckets"][BUCKET].as_object_mut().unwrap().remove("policy");
        key_in(world, KEY)["policy"]["Statement"].as_array_mut().unwrap().truncate(1);
    },
    &["s3:ListBucket", "s3:GetObject", "kms:Decrypt"],
    &[Responsible::You, bucket_owner(), key_owner()],
    "identity-policy-lacks",
)]
fn what_is_missing_is_put_right_on_its_side(
    #[case] change: fn(&mut Value),
    #[case] wanted: &'static [&'static str],
    #[case] sides: &[Responsible],
    #[case] cause: &str,
) {
    let mut world = world();
    change(&mut world);
    let sides = sides.to_vec();
    place::run(|| fails_until_it_is_put_right(world, wanted, &sides, cause));
}

/// The bucket's account reads what another account's key encrypts: the key's policy is that account's.
#[test]
fn a_key_of_the_exporters_account_is_opened_to_readers_of_the_buckets() {
    const LOADER: &str = "arn:aws:iam::222222222222:role/Loader";
    let mut world = world();
    world["buckets"][BUCKET]["objects"] = objects(Some(KEY_OF_SOURCE));
    world["accounts"]["222222222222"]["roles"]["Loader"]["inline"] =
        json!({ "own": document(&actions(KEY_OF_SOURCE)) });
    key_in(&mut world, KEY_OF_SOURCE)["policy"] =
        document(&key_policy("111111111111", LOADER)["Statement"][0]);
    let plan = plan_of("prod-admin", LOADER);
    place::run(|| async {
        let place = Place::open(&world, &plan).await;
        let facts = place.survey(&plan).await;
        let now = jiff::Timestamp::now();
        let verdicts = tableferry::assess::judge::judge(&plan, &facts, now);
        assert_eq!(denied(&verdicts), ["kms:Decrypt"], "{verdicts:#?}");
        let found = remedies(&plan, &facts, now, GrantOptions::default());
        let [remedy] = found.remedies.as_slice() else {
            panic!("{:#?}", found.remedies);
        };
        let owner = Responsible::KeyOwner("111111111111".parse().unwrap());
        assert_eq!(remedy.responsible, owner);
        let Fix::Document { after, .. } = &remedy.fix else {
            panic!("{remedy:#?}");
        };
        assert!(
            after.contains(LOADER) && after.contains("s3.eu-west-1.amazonaws.com"),
            "{after}"
        );
        carry_out(&mut world, remedy, &whereabouts());
        let after = Place::open(&world, &plan).await;
        let verdicts = after.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
    });
}

/// Nobody signs in to the key's account: its policy is an unread grant, and no yes.
#[test]
fn a_key_policy_that_nobody_may_read_is_unknown() {
    let mut world = world();
    world["buckets"][BUCKET]["objects"] = objects(Some(KEY_OF_SOURCE));
    let own = &mut world["accounts"]["333333333333"]["roles"]["Analyst"]["inline"]["own"];
    *own = document(&actions(KEY_OF_SOURCE));
    place::run(|| async {
        let plan = plan();
        let verdicts = Place::open(&world, &plan).await.check(&plan).await;
        assert_eq!(denied(&verdicts), Vec::<String>::new(), "{verdicts:#?}");
        assert_eq!(
            overall(&verdicts, false),
            Overall::Undecided,
            "{verdicts:#?}"
        );
    });
}

fn check_of(verdicts: &[AssessedRequirement], check: Check) -> &AssessedRequirement {
    verdicts.iter().find(|found| found.is_of(check)).unwrap()
}

/// Objects that their writer owns, in a bucket whose policy grants the reader everything (FACTS row 39).
#[rstest]
#[case::kept_from_the_bucket_owner("foreign_owner")]
#[case::shared_with_the_bucket_owner("sharing_owner")]
fn a_bucket_policy_does_not_cover_the_objects_of_their_writer(#[case] owner: &str) {
    let mut world = world();
    world["buckets"][BUCKET]["ownership"] = "ObjectWriter".into();
    let objects = world["buckets"][BUCKET]["objects"].as_object_mut().unwrap();
    for object in objects.values_mut() {
        object[owner] = "111111111111".into();
    }
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        let found = check_of(&verdicts, Check::ObjectOwner);
        assert!(
            matches!(found.outcome, Verdict::Depends { .. }),
            "{found:#?}"
        );
        assert!(found.hint.contains("BucketOwnerEnforced"), "{found:#?}");
        assert_ne!(overall(&verdicts, false), Overall::Allowed);
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        let refusal = read(&s3, FOLDER).await.unwrap();
        assert_eq!(refusal, "GetObject: Access Denied");
        let told = causes(&place, &plan, &refusal).await;
        assert_eq!(told, ["object-owned-by-another"]);
    });
    world["buckets"][BUCKET]["ownership"] = "BucketOwnerEnforced".into();
    let objects = world["buckets"][BUCKET]["objects"].as_object_mut().unwrap();
    for object in objects.values_mut() {
        object.as_object_mut().unwrap().remove(owner);
    }
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        assert_eq!(overall(&place.check(&plan).await, false), Overall::Allowed);
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert_eq!(read(&s3, FOLDER).await, None);
    });
}

/// "You can't use an AWS managed key for cross-account access."
#[test]
fn objects_under_an_aws_managed_key_are_denied_to_other_accounts() {
    let mut world = world();
    let keys = world["accounts"]["222222222222"]["keys"]
        .as_array()
        .unwrap();
    let managed = keys.iter().find(|key| key["aws_managed"] == "s3").unwrap();
    let id = managed["id"].as_str().unwrap();
    let arn = format!("arn:aws:kms:eu-west-1:222222222222:key/{id}");
    world["buckets"][BUCKET]["objects"] = objects(Some(&arn));
    let own = &mut world["accounts"]["333333333333"]["roles"]["Analyst"]["inline"]["own"];
    *own = document(&actions(&arn));
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        let found = check_of(&verdicts, Check::KeyName);
        assert_eq!(found.outcome, Verdict::Denied, "{found:#?}");
        assert_eq!(found.responsible, bucket_owner());
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert!(read(&s3, FOLDER).await.is_some());
    });
}

/// What the head tells stands above the bucket's default, which is of what is written now.
#[test]
fn the_key_that_matters_is_the_one_of_the_objects_and_not_the_buckets_default() {
    let mut world = world();
    world["buckets"][BUCKET]["default_encryption"] =
        json!({ "algorithm": "aws:kms", "key": KEY, "bucket_key": true });
    world["buckets"][BUCKET]["objects"] = objects(None);
    key_in(&mut world, KEY)["policy"] =
        document(&key_policy("222222222222", READER)["Statement"][0]);
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert_eq!(read(&s3, FOLDER).await, None);
    });
}

#[test]
fn a_requester_that_pays_depends_on_its_header() {
    let mut world = world();
    world["buckets"][BUCKET]["requester_pays"] = true.into();
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        let found = check_of(&verdicts, Check::RequestPayer);
        assert!(
            matches!(found.outcome, Verdict::Depends { .. }),
            "{found:#?}"
        );
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert!(read(&s3, FOLDER).await.is_some());
        let key = format!("{FOLDER}/manifest-summary.json");
        let paying = s3.get_object().bucket(BUCKET).key(key);
        let paying = paying.request_payer(aws_sdk_s3::types::RequestPayer::Requester);
        assert!(paying.send().await.is_ok());
    });
}

/// While the policy is public, `RestrictPublicBuckets` keeps every other account out.
#[test]
fn block_public_access_keeps_readers_of_other_accounts_out() {
    let mut world = world();
    let statements = world["buckets"][BUCKET]["policy"]["Statement"].as_array_mut();
    statements
        .unwrap()
        .push(json!({ "Sid": "All", "Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/public/*") }));
    place::run(|| async {
        let plan = plan();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(denied(&verdicts), ["PublicAccess"], "{verdicts:#?}");
        let s3 = client(&place, "partner-admin", Some(READER)).await;
        assert!(read(&s3, FOLDER).await.is_some());
    });
}

/// A Deny on encryption headers, as on many landing buckets, names `s3:Put*` and hits no reader.
#[test]
fn an_empty_folder_is_told_and_is_no_denial_of_access() {
    let mut world = world();
    world["buckets"][BUCKET]["objects"] = json!({});
    place::run(|| async {
        let plan = plan();
        let verdicts = Place::open(&world, &plan).await.check(&plan).await;
        let found = check_of(&verdicts, Check::StoredObjects);
        assert_eq!(found.outcome, Verdict::Denied, "{found:#?}");
        assert!(!found.is_fatal());
        assert_eq!(denied(&verdicts), ["StoredObjects"]);
    });
}
