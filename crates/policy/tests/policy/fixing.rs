//! Lint, edits and Block Public Access.

use rstest::rstest;
use tableferry_policy::document::Document;
use tableferry_policy::edit::{Added, EditError, add_statement, diff, remove_statement};
use tableferry_policy::evaluate::Principal;
use tableferry_policy::lint::{DocumentKind, Finding, Severity, lint};
use tableferry_policy::public::{is_restricted, public_statements};

fn found(kind: DocumentKind, statement: &str) -> Vec<Finding> {
    lint(
        &format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statement}]}}"),
        kind,
    )
}

const P: &str = r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/Exporter"}"#;

/// Among them the faults of well-known articles: an action cut short, a service written as AWS.
#[rstest]
#[case(
    DocumentKind::Key,
    r#"{"Effect":"Allow",P,"Action":"kms:","Resource":"*"}"#,
    "action-without-name"
)]
#[case(
    DocumentKind::Key,
    r#"{"Effect":"Allow",P,"Action":"kms:Decript","Resource":"*"}"#,
    "unknown-action"
)]
#[case(DocumentKind::Bucket, r#"{"Effect":"Allow","Principal":{"AWS":["s3.amazonaws.com"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}"#, "service-as-aws")]
#[case(
    DocumentKind::Bucket,
    r#"{"Effect":"Allow",P,"Action":"s3:PutObject","Resource":"arn:aws:s3:::b"}"#,
    "bucket-for-objects"
)]
#[case(
    DocumentKind::Bucket,
    r#"{"Effect":"Deny",P,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"}"#,
    "objects-for-bucket"
)]
#[case(
    DocumentKind::Identity,
    r#"{"Effect":"Allow",P,"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}"#,
    "principal-not-allowed"
)]
#[case(
    DocumentKind::Bucket,
    r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}"#,
    "missing-principal"
)]
#[case(
    DocumentKind::Trust,
    r#"{"Effect":"Allow",P,"Action":"sts:AssumeRole","Resource":"*"}"#,
    "resource-not-allowed"
)]
#[case(
    DocumentKind::Identity,
    r#"{"Effect":"Allow","Action":"s3:PutObject"}"#,
    "missing-resource"
)]
#[case(
    DocumentKind::Bucket,
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#,
    "public"
)]
#[case(DocumentKind::Bucket, r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#, "not-principal")]
#[case(
    DocumentKind::Trust,
    r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}"#,
    "not-principal"
)]
#[case(DocumentKind::Bucket, r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:CalledVia":"dynamodb.amazonaws.com"}}}"#, "multivalued-key")]
#[case(DocumentKind::Bucket, r#"{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEID12345678"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#, "stale-principal")]
#[case(
    DocumentKind::ResourceControl,
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#,
    "rcp-allow"
)]
// "RCP syntax": the table of elements has no NotAction.
#[case(
    DocumentKind::ResourceControl,
    r#"{"Effect":"Deny","Principal":"*","NotAction":"s3:GetObject","Resource":"*"}"#,
    "rcp-not-action"
)]
#[case(
    DocumentKind::Identity,
    r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"landing/*"}"#,
    "invalid-resource"
)]
#[case(DocumentKind::Identity, r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Null":{"aws:SourceVpc":"true"},"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#, "never-matches")]
#[case(DocumentKind::Identity, r#"{"Sid":"A","Effect":"Deny","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"sqs:*","Resource":"*"}"#, "duplicate-sid")]
fn what_is_wrong_is_found(#[case] kind: DocumentKind, #[case] statement: &str, #[case] rule: &str) {
    let findings = found(kind, &statement.replace("P,", &format!("{P},")));
    let finding = findings.iter().find(|finding| finding.rule == rule);
    let finding = finding.unwrap_or_else(|| panic!("{findings:?}"));
    assert!(!finding.fix.is_empty());
}

#[test]
fn a_sound_document_gives_no_finding() {
    let findings = found(
        DocumentKind::Bucket,
        r#"{"Sid":"AllowExport","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/Exporter"},"Action":["s3:PutObject","s3:PutObjectAcl","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::b/*"}"#,
    );
    assert_eq!(findings, []);
}

#[test]
fn the_place_of_a_finding_is_that_of_the_value() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": \"kms:\",\n    \"Resource\": \"*\"\n  }\n}";
    let findings = lint(text, DocumentKind::Identity);
    assert_eq!(findings[0].place.to_string(), "line 5, column 15");
    assert_eq!(findings[0].severity, Severity::Error);
    assert!(findings[0].fix.contains("kms:Decrypt"));
}

#[test]
fn an_old_version_with_variables_is_an_error() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}}"#;
    let version = lint(text, DocumentKind::Identity)
        .into_iter()
        .find(|finding| finding.rule == "version");
    assert_eq!(version.unwrap().severity, Severity::Error);
}

/// "Role trust policy length", IAM and AWS STS quotas: white space does not count.
#[rstest]
#[case(2048, false)]
#[case(2049, true)]
fn a_document_over_the_limit_is_an_error(#[case] size: usize, #[case] expected: bool) {
    let head = r#"{"Version":"2012-10-17","Id":""#;
    let tail = r#"","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;
    let text = format!(
        "{head}{}{tail}   \n",
        "x".repeat(size - head.len() - tail.len())
    );
    let is_found = lint(&text, DocumentKind::Trust)
        .iter()
        .any(|finding| finding.rule == "size");
    assert_eq!(is_found, expected);
}

const OURS: &str = r#"{"Sid":"Ours","Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/p/*"}"#;

#[test]
fn a_statement_takes_the_layout_of_the_document() {
    let text = "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {\n            \"Effect\": \"Deny\",\n            \"Principal\": \"*\",\n            \"Action\": \"s3:*\",\n            \"Resource\": \"*\"\n        }\n    ]\n}\n";
    let Ok(Added::Inserted { text: longer }) = add_statement(text, OURS) else {
        panic!()
    };
    assert!(longer.contains("        },\n        {\n            \"Sid\": \"Ours\",\n            \"Effect\": \"Allow\","), "{longer}");
    let removed = remove_statement(&longer, "Ours").unwrap();
    assert_eq!(removed.text, text);
    assert!(!removed.is_empty);
}

#[test]
fn a_lone_statement_gets_a_list_and_loses_it_again() {
    let text = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":1e1}}},"Version":"2008-10-17"}"#;
    let Ok(Added::Inserted { text: longer }) = add_statement(text, OURS) else {
        panic!()
    };
    assert_eq!(Document::parse(&longer).unwrap().statements().len(), 2);
    assert_eq!(remove_statement(&longer, "Ours").unwrap().text, text);
}

#[rstest]
#[case(r#"{"Effect":"Allow","Principal":{"AWS":["222222222222","111111111111"]},"Action":"s3:Put*","Resource":"arn:aws:s3:::b/*"}"#, true)]
#[case(r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"S3:putobject","Resource":["arn:aws:s3:::b/p/*"]}"#, true)]
#[case(r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#, false)]
#[case(
    r#"{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:*","Resource":"*"}"#,
    false
)]
#[case(r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"arn:aws:s3:::b/p/?"}"#, false)]
#[case(
    r#"{"Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"}"#,
    false
)]
fn what_is_granted_already_is_recognised(#[case] existing: &str, #[case] expected: bool) {
    let added = add_statement(&format!("{{\"Statement\":[{existing}]}}"), OURS).unwrap();
    assert_eq!(matches!(added, Added::AlreadyGranted { .. }), expected);
}

#[test]
fn our_sid_with_another_content_is_a_conflict() {
    let text = format!(
        "{{\"Statement\":[{}]}}",
        OURS.replace("PutObject", "GetObject")
    );
    assert!(matches!(
        add_statement(&text, OURS),
        Err(EditError::Conflict { .. })
    ));
}

#[test]
fn documents_on_one_line_are_laid_out_for_the_diff() {
    let before = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let Ok(Added::Inserted { text }) = add_statement(before, OURS) else {
        panic!()
    };
    let shown = diff(before, &text);
    assert!(shown.contains("+      \"Sid\": \"Ours\","), "{shown}");
    assert_eq!(remove_statement(&text, "Ours").unwrap().text, before);
}

/// "The meaning of public" ("Blocking public access to your Amazon S3 storage").
#[rstest]
#[case(r#""Principal":"*""#, "{}", true)]
#[case(
    r#""Principal":{"AWS":"*"}"#,
    r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#,
    false
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringEquals":{"aws:SourceVpc":"${aws:PrincipalTag/vpc}"}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"IpAddress":{"aws:SourceIp":"54.240.143.0/24"}}"#,
    false
)]
#[case(
    r#""Principal":"*""#,
    r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/31"]}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#,
    false
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}"#,
    true
)]
#[case(
    r#""Principal":"*""#,
    r#"{"StringEquals":{"aws:userid":"AIDAEXAMPLE"}}"#,
    false
)]
#[case(
    r#""Principal":"*""#,
    r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:123456789012:accesspoint/*"}}"#,
    false
)]
#[case(
    r#""Principal":"*""#,
    r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/*"}}"#,
    true
)]
#[case(r#""Principal":{"AWS":"111111111111"}"#, "{}", false)]
#[case(r#""Principal":{"Service":"s3.amazonaws.com"}"#, "{}", false)]
fn what_counts_as_public(#[case] principal: &str, #[case] condition: &str, #[case] expected: bool) {
    let text = format!(
        r#"{{"Statement":[{{"Effect":"Allow",{principal},"Action":"s3:*","Resource":"*","Condition":{condition}}}]}}"#
    );
    let document = Document::parse(&text).unwrap();
    assert_eq!(!public_statements(&document).is_empty(), expected);
}

#[test]
fn a_public_policy_shuts_out_other_accounts_but_not_services() {
    let text =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    let document = Document::parse(text).unwrap();
    let restricted = |caller: &str| {
        is_restricted(
            &document,
            &Principal::parse(caller).unwrap(),
            "222222222222",
        )
    };
    assert!(restricted("arn:aws:iam::111111111111:user/ann"));
    assert!(restricted("anonymous"));
    assert!(!restricted("arn:aws:iam::222222222222:user/ann"));
    assert!(!restricted("s3.amazonaws.com"));
}
