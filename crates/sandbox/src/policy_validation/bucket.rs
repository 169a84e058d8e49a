//! What S3 checks of a bucket policy, in its own words (`MalformedPolicy`).

use serde_json::{Map, Value};

use super::{all_principals_exist, statements, texts};
use crate::bucket::Bucket;
use crate::world::World;
use tableferry_policy::document::{Document, Patterns, Statement};
use tableferry_policy::lint::{DocumentKind, Finding, lint};
use tableferry_policy::public::public_statements;

/// Why a bucket does not take a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// With S3's words.
    Malformed(String),
    Public,
}

/// The elements of a document and of its statements.
const ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// What requests for listings carry, and nothing else does ("Actions, resources, and condition keys for
/// Amazon S3").
const LISTING_KEYS: [&str; 3] = ["s3:prefix", "s3:delimiter", "s3:max-keys"];
const LISTINGS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];

/// Whether a bucket takes a policy.
pub(crate) fn check_bucket_policy(world: &World, name: &str, text: &str) -> Result<(), Refused> {
    let malformed = |message: &str| Refused::Malformed(message.to_owned());
    if text.len() > 20 * 1024 {
        // The limit is documented, its words are not.
        return Err(malformed(
            "Policy exceeds the maximum allowed document size.",
        ));
    }
    check_form(text).map_err(Refused::Malformed)?;
    let policy = Document::parse(text).map_err(|_| malformed("Invalid policy syntax."))?;
    for statement in policy.statements() {
        check_statement(world, name, statement).map_err(malformed)?;
    }
    let findings = lint(text, DocumentKind::Bucket);
    if let Some(message) = findings.iter().find_map(words) {
        return Err(malformed(message));
    }
    if !all_principals_exist(world, &policy) {
        return Err(malformed("Invalid principal in policy"));
    }
    let is_blocked = world
        .bucket(name)
        .is_none_or(|bucket| world.blocks(bucket, |block| block.block_public_policy));
    if is_blocked && !public_statements(&policy).is_empty() {
        Err(Refused::Public)
    } else {
        Ok(())
    }
}

/// The document's JSON and the names of its elements.
fn check_form(text: &str) -> Result<(), String> {
    let not_json = || "Policies must be valid JSON and the first byte must be '{'".to_owned();
    let policy: Value = serde_json::from_str(text).map_err(|_| not_json())?;
    let document = policy.as_object().ok_or_else(not_json)?;
    check_elements(document, &ELEMENTS)?;
    match document.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        _ => return Err("The policy must contain a valid version string".to_owned()),
    }
    if !document.contains_key("Statement") {
        return Err("Missing required field Statement".to_owned());
    }
    for statement in statements(&policy) {
        check_statement_form(statement)?;
    }
    Ok(())
}

fn check_statement_form(statement: &Value) -> Result<(), String> {
    let Some(elements) = statement.as_object() else {
        return Ok(());
    };
    check_elements(elements, &STATEMENT_ELEMENTS)?;
    for element in ["Effect", "Principal", "Action", "Resource"] {
        let has = |name: &str| elements.contains_key(name);
        if !has(element) && !has(&format!("Not{element}")) {
            return Err(format!("Missing required field {element}"));
        }
    }
    let has_service = |action: &str| action == "*" || action.contains(':');
    if texts(statement, "Action").all(has_service) {
        Ok(())
    } else {
        Err("Policy has invalid action".to_owned())
    }
}

fn check_elements(object: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("Unknown field {name}")),
        None => Ok(()),
    }
}

/// What depends on the bucket, or on how the elements of a statement go together.
fn check_statement(
    world: &World,
    name: &str,
    statement: &Statement<'_>,
) -> Result<(), &'static str> {
    if !fits(&statement.actions, |action| {
        action == "*" || action.to_ascii_lowercase().starts_with("s3:")
    }) {
        return Err("Policy has invalid action");
    }
    let resources = statement.resources.as_ref();
    if !resources.is_some_and(|all| fits(all, |one| is_of_bucket(world, one, name))) {
        return Err("Policy has invalid resource");
    }
    let is_of_listings = statement.conditions.iter().any(|condition| {
        LISTING_KEYS
            .iter()
            .any(|key| condition.key.value.eq_ignore_ascii_case(key))
    });
    let is_for_listings = statement.actions.is_negated
        || fits(&statement.actions, |action| {
            action.contains(['*', '?'])
                || LISTINGS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(action))
        });
    if is_of_listings && !is_for_listings {
        return Err("Conditions do not apply to combination of actions and resources in statement");
    }
    Ok(())
}

fn fits(patterns: &Patterns<'_>, fits: impl Fn(&str) -> bool) -> bool {
    patterns.items.iter().all(|item| fits(&item.value))
}

/// The bucket itself, or objects in it.
fn is_of_bucket(world: &World, resource: &str, name: &str) -> bool {
    resource
        .strip_prefix(&Bucket::arn(world.partition, name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
}

/// What S3 says of what lint finds, where it refuses the document for it.
fn words(finding: &Finding) -> Option<&'static str> {
    Some(match finding.rule {
        "empty-action"
        | "action-colons"
        | "action-blank"
        | "action-without-name"
        | "action-without-service"
        | "action-of-other-service"
        | "unknown-action" => "Policy has invalid action",
        "empty-resource" | "invalid-resource" => "Policy has invalid resource",
        "bucket-for-objects" | "objects-for-bucket" => {
            "Action does not apply to any resource(s) in statement"
        }
        "invalid-key" => "Policy has an invalid condition key",
        "invalid-principal" | "invalid-service" => "Invalid principal in policy",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tableferry_policy::arn::Partition;

    use super::*;

    fn check(statement: &str) -> Result<(), Refused> {
        let world = World::fresh(Partition::Aws, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{statement}}}]}}"#);
        check_bucket_policy(&world, "landing", &text)
    }

    fn malformed(message: &str) -> Result<(), Refused> {
        Err(Refused::Malformed(message.to_owned()))
    }

    fn check_text(text: &str) -> Result<(), Refused> {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let world = World::fresh(Partition::Aws, now).unwrap();
        check_bucket_policy(&world, "landing", text)
    }

    const ROOT: &str = r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"}"#;

    #[test]
    fn a_policy_about_its_own_bucket_is_taken() {
        for resource in ["", "/*", "/prod/AWSDynamoDB/*", "*"] {
            let statement =
                format!(r#"{ROOT},"Action":"s3:*","Resource":"arn:aws:s3:::landing{resource}""#);
            assert_eq!(check(&statement), Ok(()), "{resource}");
        }
    }

    #[test]
    fn a_policy_about_something_else_is_not() {
        for resource in ["arn:aws:s3:::other/*", "arn:aws:s3:::landing-2/*", "*"] {
            let statement = format!(r#"{ROOT},"Action":"s3:*","Resource":"{resource}""#);
            assert_eq!(check(&statement), malformed("Policy has invalid resource"));
        }
        let statement =
            format!(r#"{ROOT},"Action":"kms:Decrypt","Resource":"arn:aws:s3:::landing/*""#);
        assert_eq!(check(&statement), malformed("Policy has invalid action"));
    }

    #[test]
    fn a_principal_that_is_gone_is_not_taken() {
        for principal in [
            "arn:aws:iam::111111111111:role/Nobody",
            "AROASANDBOXGONE00000A",
            "arn:aws:iam::444444444444:root",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/*",
            // Without its path an Identity Center role is another role.
            "arn:aws:iam::111111111111:role/AWSReservedSSO_ExportOperators_0123456789abcdef",
        ] {
            let statement = format!(
                r#""Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:PutObject",
                   "Resource":"arn:aws:s3:::landing/*""#
            );
            assert_eq!(
                check(&statement),
                malformed("Invalid principal in policy"),
                "{principal}"
            );
        }
    }

    #[test]
    fn roles_with_paths_sessions_and_account_ids_are_taken() {
        for principal in [
            "111111111111",
            "arn:aws:iam::111111111111:role/partners/PartnerExporter",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/oncall",
            "arn:aws:iam::111111111111:user/prod-admin",
        ] {
            let statement = format!(
                r#""Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:PutObject",
                   "Resource":"arn:aws:s3:::landing/*""#
            );
            assert_eq!(check(&statement), Ok(()), "{principal}");
        }
    }

    #[test]
    fn a_public_policy_is_blocked() {
        let statement = r#""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::landing/*""#;
        assert_eq!(check(statement), Err(Refused::Public));
    }

    /// The words that users of S3 report (versity/versitygw#645, noobaa/noobaa-core#10058,
    /// humanmade/S3-Uploads#239, ministryofjustice/modernisation-platform#10762), and those that
    /// Terraform's users show of `MalformedPolicy`.
    #[rstest::rstest]
    #[case("", "Policies must be valid JSON and the first byte must be '{'")]
    #[case("[]", "Policies must be valid JSON and the first byte must be '{'")]
    #[case("{", "Policies must be valid JSON and the first byte must be '{'")]
    #[case(r#"{"Version":"2012-10-17"}"#, "Missing required field Statement")]
    #[case(
        r#"{"Version":"2012-10-18","Statement":[]}"#,
        "The policy must contain a valid version string"
    )]
    #[case(
        r#"{"Version":"2012-10-17","Statement":[{"condition":{}}]}"#,
        "Unknown field condition"
    )]
    #[case(
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::landing/*"}]}"#,
        "Missing required field Principal"
    )]
    #[case(
        r#"{"Statement":[{"Effect":"Allow","Principal":["111111111111"],"Action":"s3:PutObject","Resource":"arn:aws:s3:::landing/*"}]}"#,
        "Invalid policy syntax."
    )]
    fn a_document_of_the_wrong_form_is_refused_in_s3s_words(
        #[case] text: &str,
        #[case] words: &str,
    ) {
        assert_eq!(check_text(text), malformed(words));
    }

    #[rstest::rstest]
    #[case::a_bucket_action_on_objects(
        r#""Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::landing/*""#,
        "Action does not apply to any resource(s) in statement"
    )]
    #[case::an_object_action_on_the_bucket(
        r#""Action":"s3:PutObject","Resource":"arn:aws:s3:::landing""#,
        "Action does not apply to any resource(s) in statement"
    )]
    #[case::a_doubled_prefix(
        r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::arn:aws:s3:::landing/*""#,
        "Policy has invalid resource"
    )]
    #[case::an_action_that_there_is_not(
        r#""Action":"s3:PutObjectLockConfiguration","Resource":"arn:aws:s3:::landing""#,
        "Policy has invalid action"
    )]
    #[case::an_action_without_a_service(
        r#""Action":"GetObject","Resource":"arn:aws:s3:::landing/*""#,
        "Policy has invalid action"
    )]
    #[case::a_key_without_a_service(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::landing/*","Condition":{"StringEquals":{"SourceIp":"x"}}"#, "Policy has an invalid condition key")]
    #[case::a_key_of_listings_for_more(r#""Action":["s3:ListBucket","s3:GetBucketLocation"],"Resource":"arn:aws:s3:::landing","Condition":{"StringEquals":{"s3:prefix":"a"}}"#, "Conditions do not apply to combination of actions and resources in statement")]
    fn a_statement_that_cannot_work_is_refused_in_s3s_words(
        #[case] rest: &str,
        #[case] words: &str,
    ) {
        assert_eq!(check(&format!("{ROOT},{rest}")), malformed(words));
    }

    #[test]
    fn a_condition_of_listings_is_taken_for_listings() {
        let rest = r#""Action":"s3:ListBucket","Resource":"arn:aws:s3:::landing","Condition":{"StringEquals":{"s3:prefix":"a"}}"#;
        assert_eq!(check(&format!("{ROOT},{rest}")), Ok(()));
    }

    /// "Bucket policies are limited to 20 KB in size" ("Adding a bucket policy by using the Amazon S3
    /// console").
    #[test]
    fn a_policy_of_twenty_kilobytes_is_taken_and_no_larger_one() {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{{ROOT},"Action":"s3:GetObject","Resource":"arn:aws:s3:::landing/*"}}]}}"#
        );
        let filled = |size: usize| format!("{text}{}", " ".repeat(size - text.len()));
        assert_eq!(check_text(&filled(20 * 1024)), Ok(()));
        assert!(check_text(&filled(20 * 1024 + 1)).is_err());
    }
}
