//! The kinds of faults that the linter finds, each beside what is close to it and right.
//!
//! The faults are those of public threads; the sound documents are of AWS's pages.

use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::lint::{DocumentKind, Finding, Severity, lint};

fn document(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn found(kind: DocumentKind, statement: &Value) -> Vec<Finding> {
    lint(&document(statement), kind)
}

/// The error of a rule, alone among the errors.
fn only_error(kind: DocumentKind, statement: &Value, rule: &str) -> Finding {
    let mut errors: Vec<Finding> = found(kind, statement)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    assert_eq!(errors.len(), 1, "{statement}: {errors:#?}");
    assert_eq!(errors[0].rule, rule, "{statement}: {errors:#?}");
    errors.remove(0)
}

fn on(resource: &Value) -> Value {
    let service = resource.as_str().unwrap_or_default();
    let action = if service.contains("ynamodb") {
        "dynamodb:*"
    } else if service.contains("kms") {
        "kms:*"
    } else if service.contains("iam") {
        "sts:AssumeRole"
    } else {
        "s3:*"
    };
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// A template doubled the prefix of both ARNs; the right one is told for each.
#[test]
fn an_arn_whose_prefix_is_doubled_is_told_with_the_right_one() {
    let statement = json!({"Sid": "WdbCrossAccount", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "s3:*",
        "Resource": ["arn:aws:s3:::arn:aws:s3:::wdb/*", "arn:aws:s3:::arn:aws:s3:::wdb"]});
    let findings = found(DocumentKind::Bucket, &statement);
    let fixes: Vec<_> = findings
        .iter()
        .map(|finding| (finding.severity, finding.rule, finding.fix.as_str()))
        .collect();
    assert_eq!(
        fixes,
        [
            (
                Severity::Error,
                "invalid-resource",
                "write `arn:aws:s3:::wdb/*`"
            ),
            (
                Severity::Error,
                "invalid-resource",
                "write `arn:aws:s3:::wdb`"
            ),
        ]
    );
}

#[rstest]
// A prefix twice, or in front of what is an ARN already.
#[case("arn:aws:s3:::arn:aws:s3:::arn:aws:s3:::b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:arn:aws:s3:::b", "arn:aws:s3:::b")]
#[case("arn:aws-cn:s3:::arn:aws-cn:s3:::b/p/*", "arn:aws-cn:s3:::b/p/*")]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:table/arn:aws:dynamodb:eu-west-1:111111111111:table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(
    "arn:aws:kms:eu-west-1:111111111111:key/arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)]
#[case("arn:aws:s3:::s3://b/*", "arn:aws:s3:::b/*")]
#[case("s3://b/p/*", "arn:aws:s3:::b/p/*")]
// A colon for a slash.
#[case("arn:aws:s3:::b:*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:::b:/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:::b:prefix/*", "arn:aws:s3:::b/prefix/*")]
#[case("arn:aws:s3:::us-data-1:*", "arn:aws:s3:::us-data-1/*")]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:table:Orders",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
)]
#[case(
    "arn:aws:dynamodb:*:111111111111:table:Orders",
    "arn:aws:dynamodb:*:111111111111:table/Orders"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders:index/*",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/index/*"
)]
#[case(
    "arn:aws:kms:eu-west-1:111111111111:key:1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)]
#[case(
    "arn:aws:iam::111111111111:role:Exporter",
    "arn:aws:iam::111111111111:role/Exporter"
)]
// Colons that are missing or too many.
#[case("arn:aws:s3:b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3::b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:b", "arn:aws:s3:::b")]
#[case("arn:aws:s3::b", "arn:aws:s3:::b")]
#[case("arn:aws:s3::::b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:mybucket*", "arn:aws:s3:::mybucket*")]
#[case("arn:s3:::b/*", "arn:aws:s3:::b/*")]
#[case("arn::s3:::b/*", "arn:aws:s3:::b/*")]
#[case("aws:s3:::b/*", "arn:aws:s3:::b/*")]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111/table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:/table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:table/T",
    "arn:aws:dynamodb:eu-west-1:ACCOUNT:table/T"
)]
#[case(
    "arn:aws:dynamodb:::table/T",
    "arn:aws:dynamodb:REGION:ACCOUNT:table/T"
)]
#[case(
    "arn:aws:dynamodb:111111111111:eu-west-1:table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(
    "arn:aws:dynamodb::111111111111:table/T",
    "arn:aws:dynamodb:REGION:111111111111:table/T"
)]
// A Region or an account in a bucket's ARN, or a Region in a role's.
#[case("arn:aws:s3:eu-west-1:111111111111:b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:eu-west-1::b", "arn:aws:s3:::b")]
#[case("arn:aws:s3::111111111111:b/*", "arn:aws:s3:::b/*")]
#[case("arn:aws:s3:::/b/*", "arn:aws:s3:::b/*")]
#[case(
    "arn:aws:iam:us-east-1:111111111111:role/R",
    "arn:aws:iam::111111111111:role/R"
)]
// No `table/`, no `key/`.
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:Orders",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:tables/Orders",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:Table/Orders",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:Orders/index/*",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/index/*"
)]
#[case(
    "arn:aws:kms:eu-west-1:111111111111:1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)]
#[case(
    "arn:aws:kms:eu-west-1:111111111111:mrk-1234abcd12ab34cd56ef1234567890ab",
    "arn:aws:kms:eu-west-1:111111111111:key/mrk-1234abcd12ab34cd56ef1234567890ab"
)]
#[case(
    "arn:aws:kms:eu-west-1:111111111111:key/alias/data",
    "arn:aws:kms:eu-west-1:111111111111:alias/data"
)]
// Accounts of another length.
#[case(
    "arn:aws:dynamodb:eu-west-1:1234567890:table/T",
    "arn:aws:dynamodb:eu-west-1:ACCOUNT:table/T"
)]
#[case(
    "arn:aws:dynamodb:eu-west-1:1111-2222-3333:table/T",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/T"
)]
#[case("arn:aws:iam::1234567890123:role/R", "arn:aws:iam::ACCOUNT:role/R")]
#[case(
    "arn:aws:kms:eu-west-1:11111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-1:ACCOUNT:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)]
// Partition and service.
#[case("arn:aws:S3:::b/*", "arn:aws:s3:::b/*")]
#[case("arn:amazon:s3:::b/*", "arn:aws:s3:::b/*")]
#[case(
    "arn:aws:dyanmodb:eu-west-1:111111111111:table/T",
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T"
)]
#[case(" arn:aws:s3:::b/*", "arn:aws:s3:::b/*")]
// A variable stays whole in the ARN that is told.
#[case(
    "arn:aws:s3:eu-west-1::b-${aws:PrincipalTag/Bucket}/*",
    "arn:aws:s3:::b-${aws:PrincipalTag/Bucket}/*"
)]
#[case(
    "arn:aws:s3::b/${aws:PrincipalTag/Team}/*",
    "arn:aws:s3:::b/${aws:PrincipalTag/Team}/*"
)]
fn the_arn_that_was_meant_is_told(#[case] wrong: &str, #[case] right: &str) {
    let finding = only_error(
        DocumentKind::Identity,
        &on(&json!(wrong)),
        "invalid-resource",
    );
    assert_eq!(finding.fix, format!("write `{right}`"), "{finding:?}");
}

/// Nothing is guessed where more than one thing can be meant.
#[rstest]
#[case("landing")]
#[case("landing/*")]
#[case("arn:aws")]
#[case("arn:aws:s3:eu-west-1:12345:accesspoint/mine")]
#[case("arn:aws:dynamodb:eu-west-1a:111111111111:*table")]
#[case("arn:aws:kms:eu-west-1:111111111111:data")]
#[case("arn:aws:s3:::my bucket/*")]
#[case("arn:aws:sqs:eu-west-1:12345:queue")]
fn an_arn_of_nothing_is_an_error_with_its_form(#[case] wrong: &str) {
    let finding = only_error(
        DocumentKind::Identity,
        &on(&json!(wrong)),
        "invalid-resource",
    );
    assert!(
        finding.fix.starts_with("write arn:PARTITION"),
        "{finding:?}"
    );
}

/// The forms of the Service Authorization Reference, and the wildcards of AWS's pages.
#[rstest]
#[case("*")]
#[case("arn:aws:s3:::*")]
#[case("arn:aws:s3:::amzn-s3-demo-bucket")]
#[case("arn:aws:s3:::amzn-s3-demo-bucket/*")]
#[case("arn:aws:s3:::amzn-s3-demo-bucket*")]
#[case("arn:aws:s3:::Old_Bucket.example/a:b/arn:aws:s3:::c")]
#[case("arn:aws:s3:::b/date=2026-01-01T00:00:00/*")]
#[case("arn:aws:s3:::*/*:*")]
#[case("arn:*:s3:::b/*")]
#[case("arn:aws*:s3:::b/*")]
#[case("arn:aws-us-gov:s3:::b/*")]
#[case("arn:aws:s3:*:*:b/*")]
#[case("arn:aws:s3:*")]
#[case("arn:aws:*")]
#[case("arn:*")]
#[case("arn:aws:s3:us-west-2:123456789012:accesspoint/my-access-point")]
#[case("arn:aws:s3:us-west-2:123456789012:accesspoint/my-access-point/object/Jane/*")]
#[case("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap")]
#[case("arn:aws:s3:us-west-2:123456789012:job/*")]
#[case("arn:aws:s3:us-west-2:123456789012:storage-lens/*")]
#[case("arn:aws:s3:us-west-2:123456789012:access-grants/default/location/default")]
#[case("arn:aws:s3:*:123456789012:*")]
#[case("arn:aws:s3:::${aws:PrincipalTag/Bucket}")]
#[case("arn:aws:s3:::${aws:PrincipalTag/Bucket}/*")]
#[case("arn:aws:s3:::b/${aws:username}/*")]
#[case("arn:aws:s3:::b/home/${aws:PrincipalTag/team, 'a:b'}/${*}")]
#[case("arn:aws:dynamodb:us-east-1:123456789012:table/Books")]
#[case("arn:aws:dynamodb:us-east-1:123456789012:table/Books/index/*")]
#[case("arn:aws:dynamodb:us-east-1:123456789012:table/Books/stream/2015-05-11T21:21:33.291")]
#[case("arn:aws:dynamodb:us-east-1:123456789012:table/Books/export/01234567890123-a1b2c3d4")]
#[case("arn:aws:dynamodb:*:*:table/*")]
#[case("arn:aws:dynamodb:*:123456789012:*")]
#[case("arn:aws:dynamodb:*:table/Books")]
#[case("arn:aws:dynamodb:us-*:123456789012:t*")]
#[case("arn:aws:dynamodb::123456789012:global-table/Books")]
#[case("arn:aws:dynamodb:us-east-1:123456789012:table/${aws:username}")]
#[case("arn:aws:dynamodb:us-east-1:1234*:table/Books")]
#[case("arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")]
#[case("arn:aws:kms:*:111122223333:key/*")]
#[case("arn:aws:kms:*:111122223333:alias/*")]
#[case("arn:aws:kms:us-west-2:111122223333:*")]
#[case("arn:aws:kms:*::*")]
#[case("arn:aws:iam::123456789012:role/application/*")]
#[case("arn:aws:iam::*:role/OrganizationAccountAccessRole")]
#[case("arn:aws:iam::${aws:PrincipalAccount}:role/R")]
#[case("arn:aws:iam::aws:contextProvider/IdentityCenter")]
fn a_sound_arn_is_silent(#[case] resource: &str) {
    assert_eq!(found(DocumentKind::Identity, &on(&json!(resource))), []);
}

/// ARNs of services that are not taken apart to the end.
#[rstest]
#[case("arn:aws:sqs:us-east-2:444455556666:queue1")]
#[case("arn:aws:logs:us-east-1:123456789012:log-group:/aws-dynamodb/imports:*")]
#[case("arn:aws:execute-api:us-east-1:123456789012:api-id/stage/GET/*")]
#[case("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/*")]
#[case("arn:aws:route53:::hostedzone/Z148QEXAMPLE8V")]
#[case("arn:aws:ec2:us-east-1::image/ami-12345678")]
#[case("arn:aws:cloudfront::123456789012:*")]
#[case("arn:aws:catalog:us-east-1:123456789012:product/prod-1")]
#[case("arn:aws:apigateway:us-east-1::/restapis/*")]
#[case("arn:aws:rds:us-east-2:123456789012:db:*")]
#[case("arn:aws:elasticbeanstalk:us-east-2::solutionstack/32bit Amazon Linux running Tomcat 7")]
#[case("arn:aws:s3express:us-east-1:123456789012:bucket/b--use1-az4--x-s3")]
#[case("arn:aws:s3tables:us-east-1:123456789012:bucket/b")]
fn an_arn_of_another_service_is_silent(#[case] resource: &str) {
    let statement = json!({"Effect": "Deny", "Action": "*", "Resource": resource});
    assert_eq!(found(DocumentKind::Identity, &statement), []);
}

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OBJECTS: &str = "arn:aws:s3:::landing/*";

#[rstest]
#[case(json!("kms:Decrypt"), json!(OBJECTS), "kms:Decrypt")]
#[case(json!("dynamodb:ExportTableToPointInTime"), json!(["arn:aws:s3:::landing", OBJECTS]), "dynamodb:Export")]
#[case(json!("s3:PutObject"), json!(TABLE), "s3:PutObject")]
#[case(json!("s3:PutObject"), json!(KEY), "s3:PutObject")]
#[case(json!("kms:*"), json!([TABLE, OBJECTS]), "dynamodb and s3")]
#[case(json!(["s3:PutObject", "kms:GenerateDataKey"]), json!(OBJECTS), "kms:GenerateDataKey")]
#[case(json!("KMS:Decrypt"), json!("arn:aws:s3:::${aws:PrincipalTag/a:b}/*"), "KMS:Decrypt")]
#[case(json!("s3:PutObject"), json!([OBJECTS, TABLE]), "table/Orders")]
#[case(json!("sts:AssumeRole"), json!(OBJECTS), "sts:AssumeRole")]
#[case(json!("lambda:InvokeFunction"), json!("arn:aws:sqs:eu-west-1:111111111111:q"), "lambda:InvokeFunction")]
fn an_action_on_another_services_resource_has_no_effect(
    #[case] action: Value,
    #[case] resource: Value,
    #[case] named: &str,
) {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let finding = only_error(DocumentKind::Identity, &statement, "other-service");
    assert!(finding.message.contains(named), "{finding:?}");
}

#[rstest]
#[case(json!(["s3:PutObject", "kms:Decrypt"]), json!([OBJECTS, KEY]))]
#[case(json!(["s3:PutObject", "kms:Decrypt"]), json!("*"))]
#[case(json!("*"), json!(TABLE))]
#[case(json!("kms:Decrypt"), json!("arn:aws:*:*:111111111111:*"))]
#[case(json!("s3:TagResource"), json!("arn:aws:s3:*:*:access-grants/default/location/*"))]
#[case(json!(["s3:PutObject", "athena:StartQueryExecution"]), json!([OBJECTS, "arn:aws:athena:eu-west-1:111111111111:workgroup/w"]))]
#[case(json!(["s3:GetObject", "glue:GetTable"]), json!([OBJECTS, TABLE]))]
#[case(json!("sts:AssumeRole"), json!("arn:aws:iam::111111111111:role/R"))]
#[case(json!("sts:GetFederationToken"), json!("arn:aws:sts::111111111111:federated-user/ann"))]
#[case(json!("iam:PassRole"), json!("arn:aws:iam::111111111111:role/R"))]
#[case(json!("s3:GetAccessPointForObjectLambda"), json!("arn:aws:s3-object-lambda:eu-west-1:111111111111:accesspoint/x"))]
fn actions_on_their_own_services_resources_are_silent(
    #[case] action: Value,
    #[case] resource: Value,
) {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    assert_eq!(found(DocumentKind::Identity, &statement), []);
    let negated = json!({"Effect": "Deny", "NotAction": "kms:Decrypt", "Resource": OBJECTS});
    assert_eq!(found(DocumentKind::Identity, &negated), []);
    let negated = json!({"Effect": "Deny", "Action": "kms:Decrypt", "NotResource": OBJECTS});
    assert_eq!(found(DocumentKind::Identity, &negated), []);
}

#[test]
fn a_key_is_not_named_by_its_alias() {
    let alias = "arn:aws:kms:eu-west-1:111111111111:alias/data";
    let of = |action: &str| json!({"Effect": "Allow", "Action": action, "Resource": alias});
    let finding = only_error(DocumentKind::Identity, &of("kms:Decrypt"), "alias-for-key");
    assert!(finding.fix.contains("kms:ResourceAliases"), "{finding:?}");
    for action in ["kms:CreateAlias", "kms:*", "kms:*Alias"] {
        assert_eq!(found(DocumentKind::Identity, &of(action)), [], "{action}");
    }
}

/// The slash stands inside a variable; so do the colons.
#[rstest]
#[case(json!(["s3:ListBucket", "s3:GetBucketLocation"]), "arn:aws:s3:::${aws:PrincipalTag/Bucket}", true)]
#[case(json!("s3:GetObject"), "arn:aws:s3:::${aws:PrincipalTag/Bucket}", true)]
#[case(json!("s3:ListBucket"), "arn:aws:s3:::b-${aws:PrincipalTag/a/b}-c", true)]
#[case(json!("s3:ListBucket"), "arn:aws:s3:::${aws:PrincipalTag/Bucket, 'a/b'}", true)]
#[case(json!("s3:ListBucket"), "arn:aws:s3:::${aws:PrincipalTag/Bucket}/*", false)]
#[case(json!("s3:ListBucket"), "arn:aws:s3:::b/${aws:username}", false)]
fn a_variable_is_one_thing(#[case] action: Value, #[case] resource: &str, #[case] is_silent: bool) {
    let statement =
        json!({"Sid": "ListOwnBucket", "Effect": "Allow", "Action": action, "Resource": resource});
    if is_silent {
        assert_eq!(found(DocumentKind::Identity, &statement), []);
    } else {
        let finding = only_error(DocumentKind::Identity, &statement, "objects-for-bucket");
        let bucket = resource.rsplit_once('/').unwrap().0;
        assert_eq!(finding.fix, format!("write `{bucket}`"));
    }
}

fn trusting(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
}

#[rstest]
#[case("arn:aws::111111111111:root", "write `arn:aws:iam::111111111111:root`")]
#[case("arn:iam::111111111111:root", "write `arn:aws:iam::111111111111:root`")]
#[case(
    "arn:aws:iam:111111111111:root",
    "write `arn:aws:iam::111111111111:root`"
)]
#[case(
    "arn:aws:iam:::111111111111:root",
    "write `arn:aws:iam::111111111111:root`"
)]
#[case(
    "arn:aws:iam::111111111111/root",
    "write `arn:aws:iam::111111111111:root`"
)]
#[case(
    "arn:aws:iam::111111111111:Root",
    "write `arn:aws:iam::111111111111:root`"
)]
#[case(
    "arn:aws:iam::1111-1111-1111:root",
    "write `arn:aws:iam::111111111111:root`"
)]
#[case("1111-1111-1111", "write \"111111111111\"")]
#[case(
    "arn:aws:iam:eu-west-1:111111111111:role/R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws:iam::111111111111:role:R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws:iam::111111111111:Role/R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws:iam::111111111111:roles/R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws:sts::111111111111:role/R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws:iam::111111111111:assumed-role/R/s",
    "write `arn:aws:sts::111111111111:assumed-role/R/s`"
)]
#[case(
    "arn:aws:iam::111111111111:instance-profile/R",
    "write `arn:aws:iam::111111111111:role/R`"
)]
#[case(
    "arn:aws-cn::111111111111:root",
    "write `arn:aws-cn:iam::111111111111:root`"
)]
#[case(
    "arn:aws:iam::111111111111:saml-provider/Okta",
    "write {\"Federated\": \"arn:aws:iam::111111111111:saml-provider/Okta\"}"
)]
fn the_principal_that_was_meant_is_told(#[case] wrong: &str, #[case] fix: &str) {
    let finding = only_error(
        DocumentKind::Trust,
        &trusting(&json!({"AWS": wrong})),
        "invalid-principal",
    );
    assert_eq!(finding.fix, fix, "{finding:?}");
}

#[rstest]
#[case("arn:aws:iam::1234567890:root", "has 10")]
#[case("1234567890", "has 10")]
#[case("1234567890123", "has 13")]
#[case("arn:aws:iam::1234567890123:role/R", "has 13")]
#[case("arn:aws:iam:::root", "the account is missing")]
#[case(
    "arn:aws:iam::111111111111:group/Admins",
    "a group cannot be a principal"
)]
#[case("arn:aws:iam::111111111111:policy/P", "neither root nor")]
#[case("arn:aws:iam::111111111111:Exporter", "neither root nor")]
#[case("arn:aws:iam::111111111111:role/", "no name follows role/")]
#[case("arn:aws:iam::111111111111:role/a b", "cannot be a name")]
#[case("arn:aws:sts::111111111111:assumed-role/R", "the session is missing")]
#[case("arn:aws:s3:::landing", "the ARN of a resource of s3")]
#[case(
    "arn:aws:dynamodb:eu-west-1:111111111111:table/T",
    "the ARN of a resource of dynamodb"
)]
#[case("arn:mars:iam::111111111111:root", "no partition")]
#[case("arn:aws:iam::${aws:PrincipalAccount}:root", "no policy variable")]
#[case("root", "neither an ARN nor an account's id")]
#[case("Exporter", "neither an ARN nor an account's id")]
fn a_principal_that_is_nobody_is_told_why(#[case] wrong: &str, #[case] why: &str) {
    let finding = only_error(
        DocumentKind::Trust,
        &trusting(&json!({"AWS": wrong})),
        "invalid-principal",
    );
    assert!(finding.message.contains(why), "{finding:?}");
}

#[rstest]
#[case("111111111111")]
#[case("arn:aws:iam::111111111111:root")]
#[case("arn:aws:iam::111111111111:user/division_abc/subdivision_xyz/JaneDoe")]
#[case(
    "arn:aws:iam::111111111111:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"
)]
#[case(
    "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
)]
#[case(
    "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com"
)]
#[case("arn:aws:sts::111111111111:federated-user/ann")]
#[case("arn:aws-us-gov:iam::111111111111:role/R")]
#[case("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC")]
fn a_sound_principal_is_silent(#[case] principal: &str) {
    let statement = trusting(&json!({"AWS": principal}));
    assert_eq!(found(DocumentKind::Trust, &statement), []);
}

#[rstest]
#[case("s3", "s3.amazonaws.com")]
#[case("s3.amazon.com", "s3.amazonaws.com")]
#[case("s3.aws.com", "s3.amazonaws.com")]
#[case("s3.aws.amazon.com", "s3.amazonaws.com")]
#[case("S3.amazonaws.com", "s3.amazonaws.com")]
#[case("s3.amazonaws.com.", "s3.amazonaws.com")]
#[case("https://s3.amazonaws.com", "s3.amazonaws.com")]
#[case("s3.amazonws.com", "s3.amazonaws.com")]
#[case("s3.amazonaws", "s3.amazonaws.com")]
#[case("lambda.amazonaws", "lambda.amazonaws.com")]
#[case("dynamodb", "dynamodb.amazonaws.com")]
#[case("ec2.amazon.com", "ec2.amazonaws.com")]
#[case("logs.eu-west-1.amazon.com", "logs.eu-west-1.amazonaws.com")]
fn a_services_name_that_is_none_is_told_with_the_right_one(
    #[case] wrong: &str,
    #[case] right: &str,
) {
    let finding = only_error(
        DocumentKind::Trust,
        &trusting(&json!({"Service": wrong})),
        "invalid-service",
    );
    assert_eq!(finding.fix, format!("write \"{right}\""), "{finding:?}");
}

#[rstest]
#[case("s3.amazonaws.com")]
#[case("logs.eu-west-1.amazonaws.com")]
#[case("delivery.logs.amazonaws.com")]
#[case("dynamodb.application-autoscaling.amazonaws.com")]
#[case("replication.dynamodb.amazonaws.com")]
#[case("ec2.amazonaws.com.cn")]
#[case("states.eu-west-1.amazonaws.com")]
#[case("alexa-appkit.amazon.com")]
#[case("access-grants.s3.amazonaws.com")]
#[case("logging.s3.amazonaws.com")]
fn a_sound_service_is_silent(#[case] service: &str) {
    assert_eq!(
        found(DocumentKind::Trust, &trusting(&json!({"Service": service}))),
        []
    );
}

#[rstest]
#[case(json!({"Service": "arn:aws:iam::111111111111:role/R"}), "invalid-principal")]
#[case(json!({"Service": "111111111111"}), "invalid-principal")]
#[case(json!({"AWS": "s3"}), "service-as-aws")]
#[case(json!({"AWS": "s3.amazon.com"}), "service-as-aws")]
#[case(json!({"AWS": "delivery.logs.amazonaws.com"}), "service-as-aws")]
#[case(json!({"Federated": "arn:aws:iam::1234567890:saml-provider/Okta"}), "invalid-principal")]
#[case(json!({"Federated": "arn:aws:iam::111111111111:role/R"}), "invalid-principal")]
#[case(json!({"Federated": "Okta"}), "invalid-principal")]
#[case(json!({"CanonicalUser": "111111111111"}), "invalid-principal")]
fn a_principal_under_another_ones_name_is_an_error(#[case] principal: Value, #[case] rule: &str) {
    only_error(DocumentKind::Trust, &trusting(&principal), rule);
}

#[rstest]
#[case(json!({"Federated": "cognito-identity.amazonaws.com"}))]
#[case(json!({"Federated": "accounts.google.com"}))]
#[case(json!({"Federated": "arn:aws:iam::111111111111:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"}))]
#[case(json!({"Federated": "arn:aws:iam::111111111111:saml-provider/Okta"}))]
#[case(json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}))]
fn the_other_kinds_of_principals_are_silent(#[case] principal: Value) {
    assert_eq!(found(DocumentKind::Trust, &trusting(&principal)), []);
}

#[rstest]
#[case("dyanmodb:PutItem", "dynamodb:PutItem")]
#[case("dynmodb:*", "dynamodb:*")]
#[case("dynamo:GetItem", "dynamodb:GetItem")]
#[case("ddb:GetItem", "dynamodb:GetItem")]
#[case("DynamoBD:GetItem", "dynamodb:GetItem")]
#[case("kns:Decrypt", "kms:Decrypt")]
#[case("kmss:Decrypt", "kms:Decrypt")]
#[case("s33:GetObject", "s3:GetObject")]
#[case("aws-s3:GetObject", "s3:GetObject")]
#[case("stss:AssumeRole", "sts:AssumeRole")]
#[case("lamda:InvokeFunction", "lambda:InvokeFunction")]
fn a_near_miss_of_a_service_is_an_error(#[case] action: &str, #[case] meant: &str) {
    let statement = json!({"Effect": "Allow", "Action": [action], "Resource": "*"});
    let finding = only_error(DocumentKind::Identity, &statement, "unknown-service");
    assert_eq!(finding.fix, format!("did you mean `{meant}`?"));
}

#[rstest]
#[case(
    "logs:codebuild:StartBuild",
    "action-colons",
    "write `codebuild:StartBuild`"
)]
#[case("s3:s3:GetObject", "action-colons", "write `s3:GetObject`")]
#[case(
    "s3:Get:Object",
    "action-colons",
    "write the action as SERVICE:NAME, such as `s3:PutObject`"
)]
#[case(
    "s3::GetObject",
    "action-colons",
    "write the action as SERVICE:NAME, such as `s3:PutObject`"
)]
#[case(
    "arn:aws:s3:::landing",
    "action-colons",
    "put the ARN in Resource, and name the action as SERVICE:NAME"
)]
#[case("s3:GetObject ", "action-blank", "write `s3:GetObject`")]
#[case("s3: GetObject", "action-blank", "write `s3:GetObject`")]
#[case(
    ":GetObject",
    "action-without-service",
    "write the service in front of the colon, such as `s3:PutObject`"
)]
#[case(
    "dynamodb:",
    "action-without-name",
    "write the whole action, such as `dynamodb:ExportTableToPointInTime`"
)]
fn an_action_that_is_none_is_an_error(#[case] action: &str, #[case] rule: &str, #[case] fix: &str) {
    let statement = json!({"Effect": "Allow", "Action": [action], "Resource": "*"});
    assert_eq!(
        only_error(DocumentKind::Identity, &statement, rule).fix,
        fix
    );
}

/// Names that are near a service's and are another's, and names that no table knows yet.
#[rstest]
#[case("dms:StartReplicationTask")]
#[case("ses:SendEmail")]
#[case("sms:CreateReplicationJob")]
#[case("dax:GetItem")]
#[case("s3express:CreateSession")]
#[case("S3:GetObject")]
#[case("DynamoDB:Query")]
#[case("quantumledger:Start")]
#[case("*")]
#[case("s3:*Object*")]
#[case("execute-api:Invoke")]
fn another_service_is_no_near_miss(#[case] action: &str) {
    let statement = json!({"Effect": "Allow", "Action": [action], "Resource": "*"});
    assert_eq!(found(DocumentKind::Identity, &statement), []);
}

#[test]
fn names_of_actions_that_are_nearly_right_stay_warnings_with_the_right_one() {
    let statement = json!({"Effect": "Allow", "Resource": "*", "Action": ["dynamodb:ExportTableToPointInTime",
        "dynamodb:ExportTableToPointInTme", "s3:PutObjects", "kms:GenerateDatakey"]});
    let fixes: Vec<_> = found(DocumentKind::Identity, &statement)
        .into_iter()
        .map(|finding| (finding.severity, finding.fix))
        .collect();
    let meant = |action: &str| (Severity::Warning, format!("did you mean `{action}`?"));
    assert_eq!(
        fixes,
        [
            meant("dynamodb:ExportTableToPointInTime"),
            meant("s3:PutObject")
        ]
    );
}

#[test]
fn a_bucket_policy_takes_actions_of_s3_only() {
    let of = |action: &str| json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": OBJECTS});
    only_error(
        DocumentKind::Bucket,
        &of("dynamodb:PutItem"),
        "action-of-other-service",
    );
}

/// A Deny on a role's id grants nothing to anybody, so it cannot be public.
#[test]
fn only_what_an_allow_grants_can_be_public() {
    let landing = json!(["arn:aws:s3:::landing", OBJECTS]);
    let role = json!({"AWS": ["arn:aws:iam::111111111111:role/s3-access-role"]});
    let ids = json!(["AROAID2GEXAMPLEROLEID:*", "222222222222"]);
    let corrected = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "", "Effect": "Allow", "Principal": role, "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::landing"},
        {"Sid": "", "Effect": "Allow", "Principal": role, "Action": ["s3:GetObject"], "Resource": OBJECTS},
        {"Sid": "", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": landing,
            "Condition": {"StringNotLike": {"aws:userid": ids}}}]});
    assert_eq!(lint(&corrected.to_string(), DocumentKind::Bucket), []);
    for (effect, principal, operator, rules) in [
        ("Deny", json!("*"), "StringLike", &[][..]),
        ("Deny", json!({"AWS": "*"}), "StringNotLike", &[]),
        ("Allow", role, "StringLike", &[]),
        ("Allow", json!("*"), "StringLike", &["role-id-condition"]),
        (
            "Allow",
            json!({"AWS": "*"}),
            "StringLike",
            &["role-id-condition"],
        ),
        ("Allow", json!("*"), "StringNotLike", &["public"]),
    ] {
        let statement = json!({"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": landing,
            "Condition": {operator: {"aws:userid": ids}}});
        let found: Vec<_> = found(DocumentKind::Bucket, &statement)
            .iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(found, rules, "{statement}");
    }
    let open = json!({"Effect": "Allow", "Action": "s3:*", "Resource": landing,
        "Condition": {"StringLike": {"aws:userid": ids}}});
    assert_eq!(
        found(DocumentKind::Identity, &open),
        [],
        "an identity policy is not public"
    );
}

#[rstest]
#[case(json!({"Principal": "*", "Action": "*"}), "rcp-action")]
#[case(json!({"Principal": "*", "Action": ["s3:*", "*"]}), "rcp-action")]
#[case(json!({"Principal": "*", "Action": "*:*"}), "rcp-action")]
#[case(json!({"Principal": "*", "Action": ["s3:*", "cognito-sync:*"]}), "rcp-service")]
#[case(json!({"Principal": "*", "Action": "lambda:InvokeFunction"}), "rcp-service")]
#[case(json!({"Principal": "*", "Action": "iam:*"}), "rcp-service")]
#[case(json!({"Principal": "*", "Action": "ec2:*"}), "rcp-service")]
#[case(json!({"Principal": "*", "NotAction": "s3:GetObject"}), "rcp-not-action")]
#[case(json!({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "s3:*"}), "rcp-principal")]
#[case(json!({"Principal": {"AWS": "*"}, "Action": "s3:*"}), "rcp-principal")]
#[case(json!({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:*"}), "rcp-principal")]
#[case(json!({"NotPrincipal": "*", "Action": "s3:*"}), "not-principal")]
#[case(json!({"Action": "s3:*"}), "missing-principal")]
#[case(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*"}), "rcp-allow")]
fn what_a_resource_control_policy_may_not_say(#[case] elements: Value, #[case] rule: &str) {
    let mut statement = json!({"Effect": "Deny", "Resource": "*"});
    for (key, value) in elements.as_object().unwrap() {
        statement[key] = value.clone();
    }
    only_error(DocumentKind::ResourceControl, &statement, rule);
}

/// "RCP examples", and each of the services that the program's own actions belong to.
#[rstest]
#[case(json!({"Action": "s3:*", "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}}))]
#[case(json!({"Action": ["s3:*", "sqs:*", "kms:*", "secretsmanager:*", "sts:*", "dynamodb:*"],
    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}))]
#[case(json!({"Action": "sts:AssumeRoleWithWebIdentity", "NotResource": "arn:aws:iam::*:role/aws-service-role/*"}))]
#[case(json!({"Action": "KMS:Decrypt"}))]
fn a_sound_resource_control_policy_is_silent(#[case] elements: Value) {
    let mut statement = json!({"Effect": "Deny", "Principal": "*"});
    for (key, value) in elements.as_object().unwrap() {
        statement[key] = value.clone();
    }
    if statement.get("NotResource").is_none() {
        statement["Resource"] = json!("*");
    }
    assert_eq!(found(DocumentKind::ResourceControl, &statement), []);
}

#[test]
fn a_resource_control_policy_needs_the_current_version() {
    let text = r#"{"Version":"2008-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    let findings = lint(text, DocumentKind::ResourceControl);
    assert_eq!(
        (findings[0].rule, findings[0].severity),
        ("version", Severity::Error)
    );
}

fn denying(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition})
}

#[rstest]
#[case("10.0.0.300/8", "`300` is above 255")]
#[case("256.1.1.1", "`256` is above 255")]
#[case("10.0.0.0/33", "that of IPv4 is 0 to 32")]
#[case("10.0.0.0/", "its prefix is ``")]
#[case("10.0.0.0/-1", "that of IPv4 is 0 to 32")]
#[case("10.0.0.0/255.0.0.0", "that of IPv4 is 0 to 32")]
#[case("10.0.0/24", "four numbers")]
#[case("10.0.0.0.0", "four numbers")]
#[case("10.0.0.*", "no wildcards")]
#[case("*", "no wildcards")]
#[case("2001:db8::/129", "that of IPv6 is 0 to 128")]
#[case("2001:db8:::/32", "not the form of an IPv6")]
#[case("2001:db8::g/32", "not the form of an IPv6")]
#[case("vpc-1", "four numbers")]
fn an_address_that_is_none_is_an_error(#[case] address: &str, #[case] why: &str) {
    for operator in ["IpAddress", "NotIpAddress", "NotIpAddressIfExists"] {
        let condition = json!({operator: {"aws:SourceIp": ["203.0.113.0/24", address]}});
        let finding = only_error(
            DocumentKind::Identity,
            &denying(&condition),
            "invalid-address",
        );
        assert!(finding.message.contains(why), "{finding:?}");
    }
}

/// Bits beyond the prefix are no fault.
#[rstest]
#[case("10.0.0.1/8")]
#[case("10.0.0.0/0")]
#[case("203.0.113.7")]
#[case("203.0.113.7/32")]
#[case("2001:DB8:1234:5678::/64")]
#[case("2001:db8::1/32")]
#[case("::/0")]
#[case("${aws:PrincipalTag/net}")]
fn an_address_is_silent(#[case] address: &str) {
    let condition = json!({"NotIpAddress": {"aws:SourceIp": address}});
    assert_eq!(found(DocumentKind::Identity, &denying(&condition)), []);
}

const ORG: &str = "aws:PrincipalOrgID";

#[rstest]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotEquals": {ORG: "o-1"}}))]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotEquals": {"AWS:principalorgid": "o-1"}}))]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotEqualsIfExists": {ORG: ["o-2", "o-1"]}}))]
#[case(json!({"StringEquals": {ORG: ["o-1", "o-2"]}, "StringNotEquals": {ORG: ["o-2", "o-1", "o-3"]}}))]
#[case(json!({"StringEquals": {ORG: "O-1"}, "StringNotEqualsIgnoreCase": {ORG: "o-1"}}))]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotLike": {ORG: "o-*"}}))]
#[case(json!({"StringLike": {ORG: "o-*"}, "StringNotLike": {ORG: "o-*"}}))]
#[case(json!({"StringLike": {ORG: "o-1*"}, "StringNotLike": {ORG: "*"}}))]
#[case(json!({"StringEqualsIgnoreCase": {ORG: "o-1"}, "StringNotEqualsIgnoreCase": {ORG: "o-1"}}))]
#[case(json!({"StringEquals": {"aws:username": "${aws:PrincipalTag/n}"}, "StringNotEquals": {"aws:username": "${aws:PrincipalTag/n}"}}))]
#[case(json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/R"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/R"}}))]
#[case(json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/R"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/R"}}))]
#[case(json!({"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))]
#[case(json!({"Bool": {"aws:SecureTransport": "true"}, "BoolIfExists": {"aws:SecureTransport": "false"}}))]
#[case(json!({"NumericEquals": {"s3:max-keys": 5}, "NumericNotEquals": {"s3:max-keys": "5.0"}}))]
#[case(json!({"NumericEquals": {"s3:max-keys": "5"}, "NumericGreaterThan": {"s3:max-keys": "10"}}))]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringLike": {ORG: "p-*"}}))]
#[case(json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}}))]
#[case(json!({"Null": {ORG: "true"}, "StringEquals": {ORG: "o-1"}}))]
fn conditions_that_exclude_each_other_are_an_error(#[case] condition: Value) {
    let finding = only_error(
        DocumentKind::Identity,
        &denying(&condition),
        "never-matches",
    );
    assert!(finding.message.contains("can never match"), "{finding:?}");
}

#[rstest]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotEquals": {ORG: "o-2"}}))]
#[case(json!({"StringEquals": {ORG: ["o-1", "o-2"]}, "StringNotEquals": {ORG: "o-1"}}))]
#[case(json!({"StringEqualsIfExists": {ORG: "o-1"}, "StringNotEquals": {ORG: "o-1"}}))]
#[case(json!({"StringNotEquals": {ORG: "o-1"}, "StringNotLike": {ORG: "o-1"}}))]
#[case(json!({"StringEquals": {ORG: "o-1"}, "StringNotEquals": {"aws:PrincipalAccount": "o-1"}}))]
#[case(json!({"StringEqualsIgnoreCase": {ORG: "o-1"}, "StringNotEquals": {ORG: "o-1"}}))]
#[case(json!({"StringLike": {ORG: "o-*"}, "StringNotLike": {ORG: "o-1*"}}))]
#[case(json!({"StringLike": {ORG: "o-1"}, "StringNotEquals": {ORG: "o-2"}}))]
#[case(json!({"StringEquals": {"aws:username": "ann"}, "StringNotEquals": {"aws:username": "${aws:PrincipalTag/n}"}}))]
#[case(json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}}))]
#[case(json!({"Bool": {"aws:SecureTransport": ["true", "false"]}, "BoolIfExists": {"aws:SecureTransport": "false"}}))]
#[case(json!({"NumericEquals": {"s3:max-keys": "5"}, "NumericLessThan": {"s3:max-keys": "10"}}))]
#[case(json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}))]
#[case(json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAllValues:StringNotEquals": {"aws:TagKeys": "b"}}))]
#[case(json!({"Null": {ORG: "false"}, "StringEquals": {ORG: "o-1"}}))]
fn conditions_that_can_hold_together_are_silent(#[case] condition: Value) {
    assert_eq!(found(DocumentKind::Identity, &denying(&condition)), []);
}
