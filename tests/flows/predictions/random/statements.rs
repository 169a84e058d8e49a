//! Statements made at random: who, what, on what, under which condition.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::case::{BUCKET, Case, DESTINATION, SOURCE, TABLE};

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Identity,
    Boundary,
    Bucket,
    Key,
    TableKey,
    Table,
    ServiceControl,
    ResourceControl,
}

/// One of some, at random.
pub(super) fn one_of<T: Clone>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())].clone()
}

/// Whether something happens that happens so many times in a hundred.
pub(super) fn happens(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// A statement for a place.
pub(super) fn statement(rng: &mut Rng, case: &Case, place: Place, effect: &str) -> Value {
    let mut made = Map::new();
    made.insert("Effect".to_owned(), effect.into());
    match place {
        Place::Bucket | Place::Key | Place::TableKey | Place::Table => {
            let (element, value) = principal(rng, case, effect);
            made.insert(element.to_owned(), value);
        }
        Place::ResourceControl => {
            made.insert("Principal".to_owned(), "*".into());
        }
        Place::Identity | Place::Boundary | Place::ServiceControl => {}
    }
    let service = match place {
        Place::Bucket => "s3",
        Place::Key | Place::TableKey => "kms",
        Place::Table => "dynamodb",
        _ => one_of(rng, &["s3", "s3", "kms", "dynamodb", "any"]),
    };
    let is_negated = happens(rng, 8);
    let element = if is_negated { "NotAction" } else { "Action" };
    made.insert(element.to_owned(), actions(rng, service));
    let element = if happens(rng, 10) {
        "NotResource"
    } else {
        "Resource"
    };
    let resource = match place {
        // A key policy's resource is the key itself.
        Place::Key | Place::TableKey => json!("*"),
        Place::Bucket if is_negated => json!(format!("arn:aws:s3:::{BUCKET}/*")),
        _ if is_negated => json!("*"),
        _ => resources(rng, case, place, service),
    };
    let element = if resource == "*" { "Resource" } else { element };
    made.insert(element.to_owned(), resource);
    if happens(rng, 65) {
        made.insert("Condition".to_owned(), conditions(rng, case, service));
    }
    Value::Object(made)
}

/// `Principal`, or for a Deny sometimes `NotPrincipal`.
pub(super) fn principal(rng: &mut Rng, case: &Case, effect: &str) -> (&'static str, Value) {
    let root = format!("arn:aws:iam::{SOURCE}:root");
    let caller = case.caller_arn();
    let identity = case.identity_arn();
    if effect == "Deny" && happens(rng, 12) {
        let listed = match rng.u8(..3) {
            0 => json!([root, identity, caller]),
            1 => json!([root, identity]),
            _ => json!([format!("arn:aws:iam::{DESTINATION}:root")]),
        };
        return ("NotPrincipal", json!({ "AWS": listed }));
    }
    let named = match rng.u8(..10) {
        0 | 1 => return ("Principal", "*".into()),
        2 => json!("*"),
        3 => json!(root),
        4 => json!(SOURCE),
        5 => json!(caller),
        6 => json!([format!("arn:aws:iam::{DESTINATION}:user/Admin"), identity]),
        7 => json!(format!("arn:aws:iam::{DESTINATION}:root")),
        8 => json!(["AROAEXAMPLEOFAROLEGONE", identity]),
        _ => json!(identity),
    };
    ("Principal", json!({ "AWS": named }))
}

fn actions(rng: &mut Rng, service: &str) -> Value {
    let pool: &[&str] = match service {
        "s3" => &[
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:AbortMultipartUpload",
            "s3:Put*",
            "s3:*Object",
            "s3:*",
            "s3:GetObject",
        ],
        "kms" => &[
            "kms:GenerateDataKey",
            "kms:GenerateDataKey*",
            "kms:Decrypt",
            "kms:*",
            "kms:De*",
        ],
        "dynamodb" => &[
            "dynamodb:ExportTableToPointInTime",
            "dynamodb:Export*",
            "dynamodb:*",
            "dynamodb:DescribeTable",
        ],
        _ => &["*"],
    };
    match rng.usize(1..=pool.len().min(3)) {
        1 => json!(one_of(rng, pool)),
        many => {
            let mut chosen: Vec<&str> = pool.to_vec();
            rng.shuffle(&mut chosen);
            chosen.truncate(many);
            json!(chosen)
        }
    }
}

fn resources(rng: &mut Rng, case: &Case, place: Place, service: &str) -> Value {
    if !matches!(place, Place::Bucket | Place::Table) && happens(rng, 40) {
        return json!("*");
    }
    let pool: Vec<String> = match service {
        "s3" => {
            let bucket = format!("arn:aws:s3:::{BUCKET}");
            let mut pool: Vec<String> = [
                "/*",
                "*",
                "/*/data/*",
                "/*manifest*",
                "/AWSDynamoDB/*",
                "/other/*",
                "/*/AWSDynamoDB/*/_started",
                "/${aws:PrincipalAccount}/*",
                "/${aws:username}/*",
                "/*.json.gz",
            ]
            .iter()
            .map(|rest| format!("{bucket}{rest}"))
            .collect();
            if let Some(prefix) = case.prefix {
                pool.push(format!("{bucket}/{prefix}/*"));
            }
            pool
        }
        "kms" => vec![
            case.key_arn(),
            Case::table_key_arn(),
            format!("arn:aws:kms:*:{}:key/*", case.key_home()),
            "arn:aws:kms:us-east-1:*:key/*".to_owned(),
        ],
        "dynamodb" => vec![
            format!("arn:aws:dynamodb:eu-west-1:{SOURCE}:table/{TABLE}"),
            format!("arn:aws:dynamodb:*:{SOURCE}:table/*"),
            format!("arn:aws:dynamodb:eu-west-1:{SOURCE}:table/Another"),
        ],
        _ => vec!["*".to_owned()],
    };
    json!(one_of(rng, &pool))
}

/// One or two conditions.
pub(super) fn conditions(rng: &mut Rng, case: &Case, service: &str) -> Value {
    let mut block = Map::new();
    for _ in 0..rng.usize(1..=2) {
        let (operator, key, value) = condition(rng, case, service);
        let keys = block
            .entry(operator)
            .or_insert_with(|| Value::Object(Map::new()));
        keys[key] = value;
    }
    Value::Object(block)
}

fn condition(rng: &mut Rng, case: &Case, service: &str) -> (&'static str, &'static str, Value) {
    match (service, rng.u8(..3)) {
        ("s3", 0) => of_upload(rng, case),
        ("kms", 0) => of_key(rng, case),
        (_, 1) => of_route(rng, case),
        _ => of_principal(rng, case),
    }
}

fn of_upload(rng: &mut Rng, case: &Case) -> (&'static str, &'static str, Value) {
    const SSE: &str = "s3:x-amz-server-side-encryption";
    const KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    let algorithm = json!(one_of(rng, &["aws:kms", "AES256"]));
    match rng.u8(..8) {
        0 => ("StringNotEquals", SSE, algorithm),
        1 => ("StringEquals", SSE, algorithm),
        2 => ("Null", SSE, json!(one_of(rng, &["true", "false"]))),
        3 => ("StringNotEquals", KEY, json!(case.key_arn())),
        4 => ("StringNotEqualsIfExists", KEY, json!(case.key_arn())),
        5 => (
            "StringEquals",
            "s3:x-amz-acl",
            json!("bucket-owner-full-control"),
        ),
        6 => (
            "StringNotEquals",
            "s3:x-amz-acl",
            json!("bucket-owner-full-control"),
        ),
        _ => (
            "StringEquals",
            "s3:ResourceAccount",
            json!(one_of(rng, &[SOURCE, DESTINATION])),
        ),
    }
}

fn of_key(rng: &mut Rng, case: &Case) -> (&'static str, &'static str, Value) {
    let via = [
        "s3.eu-west-1.amazonaws.com",
        "dynamodb.eu-west-1.amazonaws.com",
    ];
    let account = [SOURCE, DESTINATION];
    match rng.u8(..7) {
        0 => ("StringEquals", "kms:ViaService", json!(one_of(rng, &via))),
        1 => (
            "StringNotEquals",
            "kms:ViaService",
            json!(one_of(rng, &via)),
        ),
        2 => (
            "StringEquals",
            "kms:CallerAccount",
            json!(one_of(rng, &account)),
        ),
        3 => (
            "StringLike",
            "kms:EncryptionContext:aws:s3:arn",
            json!(format!("arn:aws:s3:::{BUCKET}*")),
        ),
        4 => (
            "StringEquals",
            "kms:EncryptionContext:aws:s3:arn",
            json!(format!("arn:aws:s3:::{BUCKET}")),
        ),
        5 => (
            "StringEquals",
            "kms:EncryptionContext:aws:dynamodb:tableName",
            json!(one_of(rng, &[TABLE, "Another"])),
        ),
        _ => (
            "StringEquals",
            "aws:ResourceAccount",
            json!(one_of(rng, &[case.key_home(), SOURCE])),
        ),
    }
}

fn of_route(rng: &mut Rng, case: &Case) -> (&'static str, &'static str, Value) {
    let truth = json!(one_of(rng, &["true", "false"]));
    let service = json!("dynamodb.amazonaws.com");
    match rng.u8(..17) {
        0 => ("NotIpAddress", "aws:SourceIp", json!(case.network)),
        1 => ("IpAddress", "aws:SourceIp", json!(case.network)),
        2 => ("NotIpAddressIfExists", "aws:SourceIp", json!(case.network)),
        3 => ("StringNotEquals", "aws:SourceVpce", json!("vpce-1a2b3c4d")),
        4 => ("StringEquals", "aws:SourceVpc", json!("vpc-1a2b3c4d")),
        5 => (
            "StringNotEqualsIfExists",
            "aws:SourceVpc",
            json!("vpc-1a2b3c4d"),
        ),
        6 => ("Bool", "aws:ViaAWSService", truth),
        7 => ("BoolIfExists", "aws:ViaAWSService", truth),
        8 => ("Bool", "aws:SecureTransport", truth),
        15 => ("BoolIfExists", "aws:SecureTransport", truth),
        9 => ("StringEquals", "aws:CalledViaFirst", service),
        10 => (
            "ForAllValues:StringNotEquals",
            "aws:CalledVia",
            json!([service]),
        ),
        11 => (
            "ForAnyValue:StringEquals",
            "aws:CalledVia",
            json!([service]),
        ),
        12 => (
            "DateGreaterThan",
            "aws:CurrentTime",
            json!(one_of(rng, &TIMES)),
        ),
        13 => (
            "DateLessThan",
            "aws:CurrentTime",
            json!(one_of(rng, &TIMES)),
        ),
        14 => ("NumericLessThan", "s3:TlsVersion", json!("1.2")),
        _ => (
            "StringEquals",
            "aws:RequestedRegion",
            json!(one_of(rng, &["eu-west-1", "us-east-1"])),
        ),
    }
}

/// Long gone, and far off.
const TIMES: [&str; 2] = ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"];

fn of_principal(rng: &mut Rng, case: &Case) -> (&'static str, &'static str, Value) {
    let organization = json!(one_of(rng, &["o-worlds0001", "o-another001"]));
    let account = json!(one_of(rng, &[SOURCE, DESTINATION]));
    let arn = json!(one_of(
        rng,
        &[
            case.identity_arn(),
            format!("arn:aws:iam::{SOURCE}:*/Op*"),
            format!("arn:aws:iam::{SOURCE}:role/*"),
            format!("arn:aws:iam::{DESTINATION}:*"),
        ]
    ));
    let truth = json!(one_of(rng, &["true", "false"]));
    match rng.u8(..19) {
        0 => ("StringEquals", "aws:PrincipalOrgID", organization),
        1 => ("StringNotEquals", "aws:PrincipalOrgID", organization),
        2 => (
            "StringNotEqualsIfExists",
            "aws:PrincipalOrgID",
            organization,
        ),
        3 => ("StringEquals", "aws:ResourceOrgID", organization),
        4 => ("StringNotEqualsIfExists", "aws:ResourceOrgID", organization),
        5 => ("StringEquals", "aws:PrincipalAccount", account),
        6 => ("StringNotEquals", "aws:PrincipalAccount", account),
        7 => ("ArnLike", "aws:PrincipalArn", arn),
        8 => ("ArnNotLike", "aws:PrincipalArn", arn),
        9 => ("ArnNotEquals", "aws:PrincipalArn", arn),
        10 => ("StringEquals", "aws:PrincipalTag/team", json!("data")),
        11 => ("StringNotEquals", "aws:PrincipalTag/team", json!("data")),
        12 => ("Bool", "aws:MultiFactorAuthPresent", truth),
        13 => ("BoolIfExists", "aws:MultiFactorAuthPresent", truth),
        14 => (
            "StringEquals",
            "aws:PrincipalType",
            json!(one_of(rng, &["User", "AssumedRole"])),
        ),
        15 => (
            "StringLike",
            "aws:userid",
            json!(format!("{}*", case.unique_id())),
        ),
        16 => ("StringEquals", "aws:ResourceAccount", account),
        17 => (
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            json!(["o-worlds0001/r-worlds/*"]),
        ),
        _ => ("Bool", "aws:PrincipalIsAWSService", truth),
    }
}
