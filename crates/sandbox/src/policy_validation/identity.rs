//! What IAM checks of an identity policy, in its own words (`MalformedPolicyDocument`).

use serde_json::Value;

use super::{statements, texts};
use tableferry_policy::arn::Partition;
use tableferry_policy::document::Document;
use tableferry_policy::lint::{DocumentKind, Severity, lint};

/// Whether IAM takes an identity policy in a partition; `Err` is what it says.
pub(crate) fn check_identity_policy(partition: Partition, text: &str) -> Result<(), String> {
    let syntax = || "Syntax errors in policy.".to_owned();
    let policy: Value = serde_json::from_str(text).map_err(|_| syntax())?;
    for statement in statements(&policy) {
        for action in texts(statement, "Action") {
            check_action(action)?;
        }
        for resource in texts(statement, "Resource") {
            check_resource(partition, resource)?;
        }
    }
    if Document::parse(text).is_err() {
        return Err(syntax());
    }
    let mut errors = lint(text, DocumentKind::Identity)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error);
    let Some(error) = errors.next() else {
        return Ok(());
    };
    Err(match error.rule {
        "principal-not-allowed" => "Policy document should not specify a principal.",
        "missing-resource" | "empty-resource" => "Policy statement must contain resources.",
        "empty-action" => "Policy statement must contain actions.",
        "duplicate-sid" => "Statement IDs (SID) in a single policy must be unique.",
        _ => "The policy failed legacy parsing",
    }
    .to_owned())
}

/// The words are those that users report (aws-cloudformation/cfn-lint#935, garnaat/kappa#111).
fn check_action(action: &str) -> Result<(), String> {
    match action.matches(':').count() {
        0 if action != "*" => Err(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned(),
        ),
        0 | 1 => Ok(()),
        _ => Err("Actions/Condition can contain only one colon.".to_owned()),
    }
}

/// The same (aws/serverless-application-model#1954, kubernetes/kops#6763).
fn check_resource(partition: Partition, resource: &str) -> Result<(), String> {
    if resource == "*" {
        return Ok(());
    }
    let of = resource
        .strip_prefix("arn:")
        .and_then(|rest| rest.split(':').next());
    match of {
        None => Err(format!(
            "Resource {resource} must be in ARN format or \"*\"."
        )),
        Some(of) if of != partition.as_str() && of != "*" => Err(format!(
            "Partition \"{of}\" is not valid for resource \"{resource}\"."
        )),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::no_json("{", "Syntax errors in policy.")]
    #[case::no_service(
        r#""Action":"GetObject","Resource":"*""#,
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    )]
    #[case::two_colons(
        r#""Action":"ec2:ec2:CreateNetworkInterface","Resource":"*""#,
        "Actions/Condition can contain only one colon."
    )]
    #[case::no_resource(
        r#""Action":"s3:GetObject""#,
        "Policy statement must contain resources."
    )]
    #[case::no_arn(
        r#""Action":"s3:GetObject","Resource":"landing/*""#,
        "Resource landing/* must be in ARN format or \"*\"."
    )]
    #[case::another_partition(
        r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::landing/*""#,
        "Partition \"aws\" is not valid for resource \"arn:aws:s3:::landing/*\"."
    )]
    #[case::a_principal(
        r#""Principal":"*","Action":"s3:GetObject","Resource":"*""#,
        "Policy document should not specify a principal."
    )]
    fn what_iam_does_not_take_it_refuses_in_its_words(#[case] rest: &str, #[case] words: &str) {
        let text =
            format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
        let checked = check_identity_policy(Partition::China, &text);
        assert_eq!(checked, Err(words.to_owned()));
    }

    #[test]
    fn an_identity_policy_of_its_partition_is_taken() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::landing/*"}]}"#;
        assert_eq!(check_identity_policy(Partition::China, text), Ok(()));
    }
}
