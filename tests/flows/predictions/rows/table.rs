//! The rows.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Fixed, Row, keys, plan_text};

pub(crate) const LANDING: &str =
    "profile = \"dev-admin\"\nbucket = \"export-landing\"\nowner = \"222222222222\"";
pub(crate) const EVENTS: &str = "name = \"Events\"";
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const EXPORTER: &str = "arn:aws:iam::111111111111:policy/ExportToDevelopment";
const S3: &str = "S3AccessDenied";
const PUT: &str = "s3:PutObject";
const BY_DENY: &str = "with an explicit deny in a resource-based policy";

/// The lines of an encryption with a key.
pub(crate) fn kms(key: &str) -> String {
    format!("algorithm = \"KMS\"\nkey = \"{key}\"")
}

fn bucket(name: &str) -> String {
    LANDING.replace("export-landing", name)
}

fn plain() -> String {
    plan_text(LANDING, "", EVENTS)
}

/// Takes a statement from the exporter's managed policy.
pub(crate) fn drop_statement(world: &mut Value, sid: &str) {
    let statements = world["managed_policies"][EXPORTER]["Statement"]
        .as_array_mut()
        .unwrap();
    statements.retain(|statement| statement["Sid"] != sid);
}

/// Takes an action from a statement of the exporter's managed policy.
pub(crate) fn take_action(world: &mut Value, sid: &str, action: &str) {
    let statements = world["managed_policies"][EXPORTER]["Statement"]
        .as_array_mut()
        .unwrap();
    for statement in statements.iter_mut().filter(|found| found["Sid"] == sid) {
        let actions = statement["Action"].as_array_mut().unwrap();
        actions.retain(|known| known != action);
    }
}

/// Adds a Deny on every object of the landing bucket.
fn deny(world: &mut Value, condition: &Value) {
    let policy = &mut world["buckets"]["export-landing"]["policy"];
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*", "Condition": condition,
    }));
}

/// Attaches a control policy to the root, with these statements.
fn control(world: &mut Value, kind: &str, mut statement: Value) {
    statement["Effect"] = "Deny".into();
    statement["Sid"] = "Guard".into();
    statement["Resource"] = "*".into();
    let arn =
        format!("arn:aws:organizations::999999999999:policy/o-tableferry1/{kind}_policy/p-guard");
    world["managed_policies"][&arn] = json!({ "Version": "2012-10-17", "Statement": [statement] });
    world["organization"][kind]
        .as_array_mut()
        .unwrap()
        .push(json!(arn));
}

fn lift(world: &mut Value, kind: &str) {
    world["organization"][kind].as_array_mut().unwrap().pop();
}

fn role(world: &mut Value) -> &mut Value {
    &mut world["accounts"]["111111111111"]["roles"]["OnCallExporter"]
}

fn bind(world: &mut Value, statements: &Value) {
    let arn = "arn:aws:iam::111111111111:policy/Limits";
    role(world)["boundary"] = arn.into();
    world["managed_policies"][arn] = json!({ "Version": "2012-10-17", "Statement": statements });
}

fn ago(minutes: i64) -> String {
    format!(
        "{:.0}",
        Timestamp::now() - SignedDuration::from_mins(minutes)
    )
}

/// Every row that a check predicts.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = of_calls();
    rows.extend(of_statements());
    rows.extend(of_denies());
    rows.extend(of_layers());
    rows.extend(keys::rows());
    rows.extend(of_the_bucket());
    rows
}

/// A row about an upload to the landing bucket that the remedies fix.
pub(crate) fn upload(
    number: &'static str,
    world: fn(&mut Value),
    expected: &'static str,
    because: &'static str,
    text: &'static str,
) -> Row {
    Row {
        number,
        world,
        plan: plain(),
        about: PUT,
        word: expected,
        because,
        code: S3,
        text,
        fix: Fixed::ByRemedies,
    }
}

/// A row that changing the plan fixes.
pub(crate) fn of_plan(
    number: &'static str,
    plan: String,
    about: &'static str,
    because: &'static str,
    (code, text): (&'static str, &'static str),
    fixed: String,
) -> Row {
    Row {
        number,
        world: |_| {},
        plan,
        about,
        word: "denied",
        because,
        code,
        text,
        fix: Fixed::ByPlan(fixed),
    }
}

fn of_calls() -> Vec<Row> {
    let no_owner = plan_text("bucket = \"export-landing\"", "", EVENTS);
    let invalid_time = "InvalidExportTimeException";
    let past = format!("{EVENTS}\ntime = \"2020-01-01T00:00:00Z\"");
    let too_new = format!("{EVENTS}\ntime = \"{}\"", ago(2));
    // The table is 30 days old.
    let days = |number: i64| ago(number * 24 * 60);
    let unborn = format!(
        "name = \"Empty\"\ntype = \"INCREMENTAL_EXPORT\"\nfrom = \"{}\"\nto = \"{}\"",
        days(33),
        days(32)
    );
    let foreign = "name = \"arn:aws:dynamodb:eu-west-1:222222222222:table/Fixtures\"";
    let elsewhere = "name = \"arn:aws:dynamodb:us-east-1:111111111111:table/Events\"";
    let refused = "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: ";
    vec![
        of_plan(
            "1",
            no_owner,
            "bucket_owner",
            "no owner is sent",
            (S3, refused),
            plain(),
        ),
        Row {
            plan: plain().replace("owner = \"222222222222\"", "owner = \"333333333333\""),
            about: "bucket_owner",
            ..upload("2", |_| {}, "denied", "is of 222222222222", refused)
        },
        Row {
            plan: plan_text(LANDING, "", "name = \"Sessions\""),
            about: "recovery",
            code: "PointInTimeRecoveryUnavailableException",
            ..upload(
                "3",
                |_| {},
                "denied",
                "is not enabled for table Sessions",
                "Point in time recovery is not enabled for table 'Sessions'",
            )
        },
        of_plan(
            "4",
            plan_text(LANDING, "", &past),
            "window",
            "before the recovery window",
            (invalid_time, "Export Time is invalid"),
            plain(),
        ),
        of_plan(
            "5",
            plan_text(LANDING, "", &too_new),
            "window",
            "after the recovery window",
            (
                invalid_time,
                "Point in Time Recovery is not available for specified export time",
            ),
            plain(),
        ),
        of_plan(
            "7",
            plan_text(LANDING, "", &unborn),
            "window",
            "before the table was made",
            (
                invalid_time,
                "Incremental export period from time cannot be less than the table creation time : ",
            ),
            plain(),
        ),
        of_plan(
            "28a",
            plan_text(LANDING, "", foreign),
            "table",
            "belongs to account 222222222222, the source is 111111111111",
            ("AccessDeniedException", "Access is denied"),
            plain(),
        ),
        of_plan(
            "28b",
            plan_text(LANDING, "", elsewhere),
            "table",
            "there is no table",
            (
                "TableNotFoundException",
                "Table not found: arn:aws:dynamodb:us-east-1:111111111111:table/Events",
            ),
            plain(),
        ),
    ]
}

fn of_statements() -> Vec<Row> {
    vec![
        Row {
            plan: plan_text(&bucket("export-nopolicy"), "", EVENTS),
            ..upload(
                "9",
                |_| {},
                "denied",
                "no resource-based policy allows it",
                "because no resource-based policy allows the s3:PutObject action",
            )
        },
        Row {
            about: "s3:PutObjectAcl",
            ..upload(
                "10a",
                |world| take_action(world, "WriteObjects", "s3:PutObjectAcl"),
                "denied",
                "no identity-based policy allows it",
                "because no identity-based policy allows the s3:PutObjectAcl action",
            )
        },
        Row {
            about: "s3:AbortMultipartUpload",
            ..upload(
                "10b",
                |world| take_action(world, "WriteObjects", "s3:AbortMultipartUpload"),
                "denied",
                "no identity-based policy allows it",
                "because no identity-based policy allows the s3:AbortMultipartUpload action",
            )
        },
        Row {
            about: "dynamodb:ExportTableToPointInTime",
            code: "AccessDeniedException",
            ..upload(
                "10c",
                |world| take_action(world, "ExportTables", "dynamodb:ExportTableToPointInTime"),
                "denied",
                "no identity-based policy allows it",
                "because no identity-based policy allows the dynamodb:ExportTableToPointInTime action",
            )
        },
        // Between unrelated accounts AWS gives no reason.
        Row {
            plan: plan_text(
                "profile = \"partner-admin\"\nbucket = \"partner-drop\"\nowner = \"333333333333\"",
                "",
                EVENTS,
            ),
            ..upload(
                "13",
                |world| {
                    let statement = &mut world["buckets"]["partner-drop"]["policy"]["Statement"][0];
                    statement["Action"] = json!("s3:PutObjectAcl");
                },
                "denied",
                "no resource-based policy allows it",
                "Access Denied (Service: Amazon S3; Status Code: 403",
            )
        },
        upload(
            "25",
            |world| {
                let statement = &mut world["buckets"]["export-landing"]["policy"]["Statement"][0];
                statement["Principal"] = json!({ "AWS": "AROASANDBOXGONE00000A" });
            },
            "denied",
            "no resource-based policy allows it",
            "because no resource-based policy allows the s3:PutObject action",
        ),
    ]
}

fn of_denies() -> Vec<Row> {
    let denied = |number, world| upload(number, world, "denied", "Guard", BY_DENY);
    vec![
        upload(
            "11a",
            |world| {
                deny(
                    world,
                    &json!({ "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } }),
                );
            },
            "depends",
            "Guard",
            BY_DENY,
        ),
        denied("11b", |world| {
            deny(
                world,
                &json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1a2b3c4d" } }),
            );
        }),
        denied("11c", |world| {
            deny(
                world,
                &json!({ "StringNotEquals": { "aws:SourceVpc": "vpc-1a2b3c4d" } }),
            );
        }),
        denied("11d", |world| {
            deny(
                world,
                &json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-another001" } }),
            );
        }),
        // Nobody tells whether a service's call has the key.
        upload(
            "11e",
            |world| {
                deny(world, &json!({ "Bool": { "aws:SecureTransport": "true" } }));
            },
            "depends",
            "Guard",
            BY_DENY,
        ),
        Row {
            plan: plan_text(&bucket("export-kms-only"), "", EVENTS),
            ..upload(
                "23",
                |world| {
                    world["buckets"]["export-kms-only"]["default_encryption"] =
                        json!({ "algorithm": "aws:kms", "key": KEY });
                },
                "denied",
                "EncryptedUploadsOnly",
                BY_DENY,
            )
        },
        denied("27", |world| {
            let statements =
                world["buckets"]["export-landing"]["policy"]["Statement"].as_array_mut();
            statements.unwrap().push(json!({
                "Sid": "Guard", "Effect": "Deny", "Action": "s3:*",
                "NotPrincipal": { "AWS": [
                    "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:role/OnCallExporter",
                    "arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:user/dev-admin",
                ] },
                "Resource": "arn:aws:s3:::export-landing/*",
            }));
        }),
    ]
}

fn of_layers() -> Vec<Row> {
    let layer = |number, world, because, text, fix: fn(&mut Value)| Row {
        fix: Fixed::InTheWorld(fix),
        ..upload(number, world, "denied", because, text)
    };
    vec![
        layer(
            "12a",
            |world| {
                control(
                    world,
                    "service_control",
                    json!({ "Action": "s3:PutObject" }),
                );
            },
            "Guard",
            "with an explicit deny in a service control policy",
            |world| lift(world, "service_control"),
        ),
        layer(
            "12b",
            |world| {
                control(
                    world,
                    "resource_control",
                    json!({ "Action": "s3:PutObject", "Principal": "*" }),
                );
            },
            "Guard",
            "with an explicit deny in a resource control policy",
            |world| lift(world, "resource_control"),
        ),
        layer(
            "12c",
            |world| {
                bind(
                    world,
                    &json!([
                        { "Effect": "Allow", "Action": "*", "Resource": "*" },
                        { "Sid": "Guard", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" },
                    ]),
                );
            },
            "Guard",
            "with an explicit deny in a permissions boundary",
            |world| role(world)["boundary"] = Value::Null,
        ),
        layer(
            "12d",
            |world| {
                bind(
                    world,
                    &json!([
                        { "Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*" },
                    ]),
                );
            },
            "permissions boundary",
            "because no permissions boundary allows the s3:PutObject action",
            |world| role(world)["boundary"] = Value::Null,
        ),
        layer(
            "12e",
            |world| {
                role(world)["inline"]["Guard"] = json!({ "Version": "2012-10-17", "Statement": [
                { "Sid": "Guard", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" },
            ] });
            },
            "Guard",
            "with an explicit deny in an identity-based policy",
            |world| {
                role(world)["inline"]
                    .as_object_mut()
                    .unwrap()
                    .remove("Guard");
            },
        ),
    ]
}

fn of_the_bucket() -> Vec<Row> {
    let nowhere = plan_text(&bucket("export-nowhere"), "", EVENTS);
    vec![
        of_plan(
            "22",
            nowhere,
            "bucket",
            "there is no bucket export-nowhere",
            (
                "S3NoSuchBucket",
                "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; \
             Error Code: NoSuchBucket; ",
            ),
            plain(),
        ),
        Row {
            about: "public_access",
            fix: Fixed::InTheWorld(|world| {
                let statements = &mut world["buckets"]["export-landing"]["policy"]["Statement"];
                statements[2]["Condition"] =
                    json!({ "StringEquals": { "aws:PrincipalOrgID": "o-tableferry1" } });
            }),
            ..upload(
                "26",
                |world| {
                    let statements =
                        world["buckets"]["export-landing"]["policy"]["Statement"].as_array_mut();
                    statements.unwrap().push(
                        json!({ "Sid": "Everybody", "Effect": "Allow", "Principal": "*",
                    "Action": "s3:GetObject", "Resource": "arn:aws:s3:::export-landing/*" }),
                    );
                },
                "denied",
                "Everybody",
                "Access Denied",
            )
        },
    ]
}
