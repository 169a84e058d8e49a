//! Uploads: what `check` says of a plan of that kind, against what S3 answers to the AWS SDK's own
//! uploads, in one piece and in parts.
//!
//! The situations are those of AWS re:Post's article on uploads to a bucket with default encryption by
//! a key of another account, and of the pages that the crate `job::upload` names.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use rstest::rstest;
use serde_json::{Value, json};
use tableferry::assess::assessment::Assessment;
use tableferry::assess::limits::Limits;
use tableferry::assess::remedy::{Fix, GrantOptions, remedies};
use tableferry::assess::verdict::{AssessedRequirement, Overall, Requirement, Verdict, overall};
use tableferry::job::requirement::Criticality;
use tableferry::job::{Encryption, Plan};

use crate::predictions::diagnosed::{explained, printed};
use crate::predictions::place::{self, Place, Whereabouts, carry_out, key_in, shipped_world};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const BUCKET: &str = "uploads-kms";
const UPLOADER: &str = "arn:aws:iam::111111111111:role/Uploader";

fn document(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// May upload, and use the key as given.
fn identity(key_actions: &[&str]) -> Value {
    let mut statements = vec![json!({
        "Sid": "Upload", "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    })];
    if !key_actions.is_empty() {
        statements.push(
            json!({ "Sid": "Encrypt", "Effect": "Allow", "Action": key_actions, "Resource": KEY }),
        );
    }
    document(&statements.into())
}

fn bucket_policy() -> Value {
    document(&json!([{
        "Sid": "Uploads", "Effect": "Allow", "Principal": { "AWS": UPLOADER },
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    }]))
}

/// A role that uploads, a bucket of another account, and that account's key by default; the policies of
/// bucket and key let the role in.
fn world(identity: &Value) -> Value {
    let mut world = shipped_world();
    let trust = document(&json!([{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:user/prod-admin" },
        "Action": "sts:AssumeRole",
    }]));
    world["accounts"]["111111111111"]["roles"]["Uploader"] =
        json!({ "id": "AROASANDBOXUPLOADER00", "trust": trust, "inline": { "own": identity } });
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1", "policy": bucket_policy(),
        "default_encryption": { "algorithm": "aws:kms", "key": KEY, "bucket_key": true },
    });
    key_in(&mut world, KEY)["policy"] = document(&json!([
        { "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
          "Principal": { "AWS": "arn:aws:iam::222222222222:root" } },
        { "Sid": "Uploads", "Effect": "Allow", "Principal": { "AWS": UPLOADER },
          "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*" },
    ]));
    world
}

fn upload_plan(is_multipart: bool) -> Plan {
    place::plan(&format!(
        "kind = \"upload\"\nmultipart = {is_multipart}\n\n\
         [source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\nprincipal = \"{UPLOADER}\"\n\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"{BUCKET}\"\n"
    ))
}

/// The SDK's S3 with the keys of a profile, or of the role that uploads.
pub(super) async fn client(place: &Place, profile: &str, role: Option<&str>) -> Client {
    let text = place.sandbox.profiles(None).credentials;
    let section = text.split(&format!("[{profile}]\n")).nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let value = |name: &str| {
        let mut lines = section.lines();
        lines.find_map(|line| line.strip_prefix(&format!("{name} = ")).map(str::to_owned))
    };
    let keys = Credentials::new(
        value("aws_access_key_id").unwrap(),
        value("aws_secret_access_key").unwrap(),
        value("aws_session_token"),
        None,
        "test",
    );
    let config = |keys: Credentials| {
        aws_config::SdkConfig::builder()
            .http_client(place.sandbox.http_client())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .behavior_version(aws_config::BehaviorVersion::latest())
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .build()
    };
    let Some(role) = role else {
        return Client::new(&config(keys));
    };
    let sts = aws_sdk_sts::Client::new(&config(keys));
    let session = sts.assume_role().role_arn(role).role_session_name("up");
    let session = session.send().await.unwrap().credentials.unwrap();
    Client::new(&config(Credentials::new(
        session.access_key_id,
        session.secret_access_key,
        Some(session.session_token),
        None,
        "test",
    )))
}

/// The refusal of an upload as the plan has it; none where the object is there afterwards.
async fn upload(s3: &Client, plan: &Plan, is_multipart: bool) -> Option<String> {
    let bucket = plan.destination.bucket.as_str();
    let key = plan.objects().remove(0).key;
    let algorithm = match &plan.encryption {
        Encryption::Aes256 => Some(ServerSideEncryption::Aes256),
        Encryption::Kms { .. } => Some(ServerSideEncryption::AwsKms),
        Encryption::BucketDefault => None,
    };
    let kms_key = plan.encryption.key().map(str::to_owned);
    let body = || ByteStream::from_static(b"ahoy");
    if !is_multipart {
        let put = s3.put_object().bucket(bucket).key(&key).body(body());
        let put = put
            .set_server_side_encryption(algorithm)
            .set_ssekms_key_id(kms_key);
        let error = put.send().await.err()?.into_service_error();
        return Some(error.message().unwrap_or_default().to_owned());
    }
    let begun = s3.create_multipart_upload().bucket(bucket).key(&key);
    let begun = begun
        .set_server_side_encryption(algorithm)
        .set_ssekms_key_id(kms_key);
    let begun = match begun.send().await {
        Ok(begun) => begun,
        Err(error) => {
            return Some(
                error
                    .into_service_error()
                    .message()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    };
    let id = begun.upload_id().unwrap();
    let part = s3.upload_part().bucket(bucket).key(&key).upload_id(id);
    let part = match part.part_number(1).body(body()).send().await {
        Ok(part) => part,
        Err(error) => {
            return Some(
                error
                    .into_service_error()
                    .message()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    };
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.e_tag().map(str::to_owned));
    let parts = CompletedMultipartUpload::builder().parts(part.build());
    let end = s3.complete_multipart_upload().bucket(bucket).key(&key);
    let end = end.upload_id(id).multipart_upload(parts.build());
    let error = end.send().await.err()?.into_service_error();
    Some(error.message().unwrap_or_default().to_owned())
}

fn denied(verdicts: &[AssessedRequirement]) -> Vec<String> {
    let denied = verdicts
        .iter()
        .filter(|found| found.outcome == Verdict::Denied);
    denied
        .filter_map(|found| match &found.requirement {
            Requirement::Permission(need) => Some(need.action.to_owned()),
            Requirement::Check { .. } => None,
        })
        .collect()
}

/// What happens in a world: denied with AWS's words predicted, refused by S3 with just those, and after
/// the remedies allowed and uploaded.
async fn fails_until_it_is_put_right(mut world: Value, plan: Plan, wanted: &[&str]) {
    let is_multipart = plan.objects()[0].is_multipart;
    let before = Place::open(&world, &plan).await;
    let facts = before.survey(&plan).await;
    let now = jiff::Timestamp::now();
    let verdicts = tableferry::assess::judge::judge(&plan, &facts, now);
    assert_eq!(denied(&verdicts), wanted);
    let s3 = client(&before, "prod-admin", Some(UPLOADER)).await;
    let refusal = upload(&s3, &plan, is_multipart).await.unwrap();
    let is_predicted = |found: &AssessedRequirement| {
        let words = found.expected_error.as_deref();
        found.outcome == Verdict::Denied && words.is_some_and(|words| refusal.contains(words))
    };
    assert!(
        verdicts.iter().any(is_predicted),
        "{refusal}\n{verdicts:#?}"
    );
    let found = remedies(&plan, &facts, now, GrantOptions::default());
    let whereabouts = Whereabouts {
        exporter: "/accounts/111111111111/roles/Uploader".to_owned(),
        reader: "/accounts/222222222222/users/dev-admin".to_owned(),
    };
    assert!(!found.remedies.is_empty());
    for remedy in &found.remedies {
        assert!(remedy.problems.is_empty(), "{:?}", remedy.problems);
        carry_out(&mut world, remedy, &whereabouts);
    }
    let after = Place::open(&world, &found.plan).await;
    let verdicts = after.check(&found.plan).await;
    assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
    let s3 = client(&after, "prod-admin", Some(UPLOADER)).await;
    assert_eq!(upload(&s3, &found.plan, is_multipart).await, None);
}

/// `PutObject` refused: `kms:GenerateDataKey` is missing. An upload in parts refused: it and
/// `kms:Decrypt`.
#[rstest]
#[case::in_one_piece_without_the_key(&[], false, &["kms:GenerateDataKey"])]
#[case::in_parts_without_the_key(&[], true, &["kms:GenerateDataKey", "kms:Decrypt"])]
#[case::in_parts_without_decrypt(&["kms:GenerateDataKey"], true, &["kms:Decrypt"])]
#[case::in_one_piece_without_generate(&["kms:Decrypt"], false, &["kms:GenerateDataKey"])]
fn an_uploader_without_the_key_is_denied_until_its_policy_allows_it(
    #[case] key_actions: &[&str],
    #[case] is_multipart: bool,
    #[case] wanted: &[&str],
) {
    let world = world(&identity(key_actions));
    let plan = upload_plan(is_multipart);
    place::run(|| fails_until_it_is_put_right(world, plan, wanted));
}

/// The cause that comes first for what the AWS CLI prints of an upload that fails in a world, with the
/// facts of both accounts.
async fn first_cause(world: Value, is_multipart: bool) -> Vec<String> {
    let plan = upload_plan(is_multipart);
    let place = Place::open(&world, &plan).await;
    let facts = place.survey(&plan).await;
    let s3 = client(&place, "prod-admin", Some(UPLOADER)).await;
    let refusal = upload(&s3, &plan, is_multipart).await.unwrap();
    let assessment = Assessment::of(&plan, facts, &Limits::default(), jiff::Timestamp::now());
    let text = printed("PutObject", "AccessDenied", &refusal);
    explained(&text, Some(&assessment))
}

/// What the uploader may do with the key, whether in parts, what else is changed, and the cause.
type UploadCase = (&'static [&'static str], bool, fn(&mut Value), &'static str);

/// Uploads to a bucket with default encryption by a customer key (AWS re:Post's article on them): what the
/// AWS CLI prints is explained by its cause first.
#[test]
fn an_upload_that_s3_refuses_is_explained_by_its_cause_first() {
    let without_grant = |world: &mut Value| {
        let statements = key_in(world, KEY)["policy"]["Statement"].as_array_mut();
        statements.unwrap().truncate(1);
    };
    let both: &'static [&'static str] = &["kms:GenerateDataKey", "kms:Decrypt"];
    let cases: [UploadCase; 4] = [
        (&[], false, |_| {}, "identity-policy-lacks-key"),
        (
            &["kms:GenerateDataKey"],
            true,
            |_| {},
            "identity-policy-lacks-key",
        ),
        (both, true, without_grant, "key-policy-lacks"),
        (
            both,
            false,
            |world| {
                world["buckets"][BUCKET]
                    .as_object_mut()
                    .unwrap()
                    .remove("policy");
            },
            "bucket-policy-lacks",
        ),
    ];
    for (key_actions, is_multipart, change, cause) in cases {
        let mut world = world(&identity(key_actions));
        change(&mut world);
        let first = place::run(|| first_cause(world, is_multipart));
        assert_eq!(first, [cause], "{key_actions:?}");
    }
}

/// A small file needs no `kms:Decrypt`.
#[test]
fn an_upload_in_one_piece_is_allowed_without_decrypt() {
    place::run(|| async {
        let plan = upload_plan(false);
        let place = Place::open(&world(&identity(&["kms:GenerateDataKey"])), &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Allowed, "{verdicts:#?}");
        let s3 = client(&place, "prod-admin", Some(UPLOADER)).await;
        assert_eq!(upload(&s3, &plan, false).await, None);
        assert!(upload(&s3, &plan, true).await.is_some());
    });
}

/// Key and uploader in two accounts: the key's policy must allow it, too.
#[test]
fn a_key_policy_that_does_not_name_the_uploader_is_put_right() {
    let mut world = world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"]));
    let statements = key_in(&mut world, KEY)["policy"]["Statement"]
        .as_array_mut()
        .unwrap();
    statements.truncate(1);
    let wanted = ["kms:GenerateDataKey", "kms:Decrypt"];
    place::run(|| fails_until_it_is_put_right(world, upload_plan(true), &wanted));
}

/// A Deny on either side is found, and the least exemption lets the uploader through.
#[test]
fn a_deny_in_the_bucket_policy_is_found_and_exempts_the_uploader() {
    let mut world = world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"]));
    let deny = json!({
        "Sid": "TeamOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        "Condition": { "StringNotEquals": { "aws:PrincipalAccount": "222222222222" } },
    });
    let policy = world["buckets"][BUCKET]["policy"]["Statement"]
        .as_array_mut()
        .unwrap();
    policy.push(deny);
    place::run(|| fails_until_it_is_put_right(world, upload_plan(true), &["s3:PutObject"]));
}

/// A key policy whose condition on the encryption context leaves the bucket itself out, while an S3
/// Bucket Key sends the bucket's ARN: the condition stays, and takes it in.
#[test]
fn a_narrow_encryption_context_is_widened_and_not_dropped() {
    let mut world = world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"]));
    let statement = &mut key_in(&mut world, KEY)["policy"]["Statement"][1];
    statement["Condition"] = json!({
        "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
        "StringLike": { "kms:EncryptionContext:aws:s3:arn": [format!("arn:aws:s3:::{BUCKET}/*")] },
    });
    let plan = upload_plan(true);
    let facts = place::run({
        let (world, plan) = (world.clone(), plan.clone());
        || async move { Place::open(&world, &plan).await.survey(&plan).await }
    });
    let found = remedies(
        &plan,
        &facts,
        jiff::Timestamp::now(),
        GrantOptions::default(),
    );
    let written = found.remedies.iter().find_map(|remedy| match &remedy.fix {
        Fix::Document { after, .. } => Some(after.clone()),
        _ => None,
    });
    let written = written.unwrap();
    assert!(
        written.contains(&format!("\"arn:aws:s3:::{BUCKET}\"")),
        "{written}"
    );
    assert!(written.contains("kms:ViaService"), "{written}");
    let wanted = ["kms:GenerateDataKey", "kms:Decrypt"];
    place::run(|| fails_until_it_is_put_right(world, plan, &wanted));
}

/// A resource control policy that demands the header: the bucket's default adds none, so that the
/// uploader must send it, with the key that the bucket has.
#[test]
fn a_demand_for_the_header_is_met_by_the_plan() {
    let mut world = world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"]));
    let policy = world["buckets"][BUCKET]["policy"]["Statement"]
        .as_array_mut()
        .unwrap();
    policy.push(json!({
        "Sid": "EnforceKMSEncryption", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
        "Condition": { "Null": { "s3:x-amz-server-side-encryption": "true" } },
    }));
    place::run(|| fails_until_it_is_put_right(world, upload_plan(false), &["s3:PutObject"]));
}

/// "Within one account the bucket policy alone may allow the upload, while the key's policy must allow
/// or delegate in any case".
#[rstest]
#[case::a_key_that_delegates(true, &[])]
#[case::a_key_that_does_not(false, &["kms:GenerateDataKey"])]
fn within_an_account_the_bucket_alone_allows_and_the_key_in_any_case(
    #[case] delegates: bool,
    #[case] wanted: &[&str],
) {
    place::run(|| async {
        let own = "arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001";
        let key_alone = json!([{ "Effect": "Allow", "Resource": own,
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"] }]);
        let mut world = world(&document(&key_alone));
        world["buckets"][BUCKET]["account"] = "111111111111".into();
        world["buckets"][BUCKET]["default_encryption"]["key"] = own.into();
        let principal = if delegates { "root" } else { "user/prod-admin" };
        key_in(&mut world, own)["policy"] = document(&json!([{
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": { "AWS": format!("arn:aws:iam::111111111111:{principal}") },
        }]));
        let plan = upload_plan(false)
            .to_toml()
            .replace("dev-admin", "prod-admin");
        let plan = place::plan(&plan);
        let place = Place::open(&world, &plan).await;
        assert_eq!(denied(&place.check(&plan).await), wanted);
        let s3 = client(&place, "prod-admin", Some(UPLOADER)).await;
        let refusal = upload(&s3, &plan, false).await;
        assert_eq!(refusal.is_none(), wanted.is_empty(), "{refusal:?}");
    });
}

/// `aws/s3` serves the callers of its own account alone.
#[test]
fn the_aws_managed_key_is_denied_across_accounts() {
    place::run(|| async {
        let mut world = world(&identity(&["kms:GenerateDataKey", "kms:Decrypt"]));
        world["buckets"][BUCKET]["default_encryption"] = json!({ "algorithm": "aws:kms" });
        let plan = upload_plan(false);
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(overall(&verdicts, false), Overall::Denied, "{verdicts:#?}");
        let s3 = client(&place, "prod-admin", Some(UPLOADER)).await;
        assert!(upload(&s3, &plan, false).await.is_some());
    });
}

/// What nobody may read of a principal is neither a yes nor a no.
#[test]
fn the_policies_of_a_principal_that_no_profile_is_near_are_unread_grants() {
    place::run(|| async {
        let text = upload_plan(true).to_toml();
        let text = text.replace("profile = \"prod-admin\"\nregion = \"eu-west-1\"\n", "");
        let plan = place::plan(&text);
        let place = Place::open(&world(&identity(&[])), &plan).await;
        let verdicts = place.check(&plan).await;
        assert_eq!(
            overall(&verdicts, false),
            Overall::Undecided,
            "{verdicts:#?}"
        );
        assert_eq!(denied(&verdicts), Vec::<String>::new());
    });
}

mod random {
    //! Uploads in the worlds that are made at random: nothing that is allowed fails, and nothing that
    //! is denied succeeds.

    use super::{
        AssessedRequirement, Criticality, Place, Value, Verdict, client, json, place, upload,
    };
    use crate::predictions::random::case::{BUCKET, Case, Encryption};

    /// How many worlds are made where nobody says.
    const USUAL: u64 = 60;

    /// The plan of a case, as an upload of another kind; the bucket's default in place of the key for
    /// every other seed.
    fn text(case: &Case, is_multipart: bool, by_default: bool) -> String {
        let own = case.plan();
        let own = own.split("\n[[tables]]").next().unwrap();
        let own = match own.split_once("[encryption]") {
            Some((before, _)) if by_default => before.to_owned(),
            Some(_) => own.to_owned(),
            None if by_default => own.to_owned(),
            None => format!("{own}\n[encryption]\nalgorithm = \"AES256\""),
        };
        format!("kind = \"upload\"\nmultipart = {is_multipart}\n\n{own}\n")
    }

    fn world(case: &Case, by_default: bool) -> Value {
        let mut world = case.world();
        let has_key = matches!(case.encryption, Encryption::Key | Encryption::OwnKey);
        if by_default && has_key {
            let had = &world["buckets"][BUCKET]["default_encryption"]["bucket_key"];
            let bucket_key = had.as_bool().unwrap_or(false);
            world["buckets"][BUCKET]["default_encryption"] =
                json!({ "algorithm": "aws:kms", "key": case.key_arn(), "bucket_key": bucket_key });
        }
        world
    }

    /// What is claimed: that it succeeds, that it fails, or neither.
    fn claim(case: &Case, verdicts: &[AssessedRequirement]) -> Option<bool> {
        let required = || {
            let of = |found: &&AssessedRequirement| found.criticality == Criticality::Required;
            verdicts.iter().filter(of)
        };
        if required().any(|found| found.outcome == Verdict::Denied) {
            return Some(false);
        }
        let is_clear = |found: &AssessedRequirement| match &found.outcome {
            Verdict::Allowed { assumed } => assumed.iter().all(|unread| case.holds(unread)),
            _ => false,
        };
        required().all(is_clear).then_some(true)
    }

    #[test]
    fn an_upload_that_is_allowed_succeeds_and_one_that_is_denied_fails() {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let seeds: Vec<u64> = match number("WORLD") {
            Some(seed) => vec![seed],
            None => (0..number("WORLDS").unwrap_or(USUAL)).collect(),
        };
        let mut counts = [0; 3];
        for seed in seeds {
            let case = Case::of_seed(seed);
            let by_default = seed % 2 == 0;
            let world = world(&case, by_default);
            for is_multipart in [false, true] {
                let plan = place::plan(&text(&case, is_multipart, by_default));
                let (claim, refusal, told) = place::run(|| async {
                    let place = Place::open(&world, &plan).await;
                    let verdicts = place.check(&plan).await;
                    let s3 = client(&place, "source", None).await;
                    let refusal = upload(&s3, &plan, is_multipart).await;
                    (claim(&case, &verdicts), refusal, format!("{verdicts:#?}"))
                });
                counts[match claim {
                    Some(true) => 0,
                    Some(false) => 1,
                    None => 2,
                }] += 1;
                let is_right = claim.is_none_or(|succeeds| refusal.is_none() == succeeds);
                assert!(
                    is_right,
                    "seed {seed}, in parts {is_multipart}: {claim:?} was claimed, and S3 said \
                     {refusal:?}\n{case}\n{told}"
                );
            }
        }
        // Worlds that tell nothing would show nothing.
        assert!(
            counts[0] > 0 && counts[1] > 0 || number("WORLD").is_some(),
            "{counts:?}"
        );
    }
}
