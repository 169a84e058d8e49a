//! Letters: what another team is asked for, why and for how long, each of it true.

use serde_json::{Value, json};

use super::world::*;
use crate::access::facts::Facts;
use crate::access::remedy::{Remedies, Terms, letter, remedies};
use crate::plan::Plan;

const ENDS: &str = "2026-11-22T20:00:00Z";

/// All letters of a plan, one after the other.
fn letters(plan: &Plan, facts: &Facts, terms: Terms) -> (String, Remedies) {
    let found = remedies(plan, facts, now(), terms);
    let mut menders: Vec<_> = found
        .remedies
        .iter()
        .map(|one| one.mender.clone())
        .collect();
    menders.sort_unstable();
    menders.dedup();
    let all = menders
        .iter()
        .map(|mender| letter(mender, &found.remedies, plan, facts, terms.expires));
    (all.collect(), found)
}

fn until() -> Terms {
    Terms {
        expires: Some(at(ENDS)),
        estimate: None,
    }
}

/// Statements beside those that grant the export.
fn bucket_with(statement: &Value) -> Facts {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements.as_array_mut().unwrap().push(statement.clone());
    facts.bucket.policy = known(document(&statements));
    facts
}

fn office_only() -> Value {
    json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:Put*",
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } }
    })
}

/// "aws:CurrentTime" stands in the statements that we add; a Deny's condition has no time of its own.
#[test]
fn an_exemption_does_not_end_by_itself_and_is_said_not_to() {
    let (text, found) = letters(&aes_plan(), &bucket_with(&office_only()), until());
    assert!(!text.contains("ends by itself at"), "{text}");
    assert!(text.contains("It does not end by itself"), "{text}");
    let warnings = found.remedies[0].warnings.join("\n");
    assert!(
        warnings.contains("`OfficeOnly` does not end at 2026-11-22T20:00:00Z"),
        "{warnings}"
    );
}

#[test]
fn a_statement_and_an_exemption_in_one_document_are_told_apart() {
    let mut facts = bucket_with(&office_only());
    facts.bucket.policy = known(document(&json!([office_only()])));
    let (text, _) = letters(&aes_plan(), &facts, until());
    assert!(
        text.contains(&format!(
            "The statement `TableferryWrite` ends by itself at {ENDS}"
        )),
        "{text}"
    );
    assert!(
        text.contains("What is put into the Deny `OfficeOnly` is needed until the export is done"),
        "{text}"
    );
}

#[test]
fn an_exemptions_letter_names_the_calls_that_the_deny_hits_and_why() {
    let (text, _) = letters(&aes_plan(), &bucket_with(&office_only()), Terms::default());
    for (action, reason) in [
        ("s3:PutObject", "DynamoDB writes the files as the caller"),
        (
            "s3:PutObjectAcl",
            "AWS documents it among what an export needs",
        ),
    ] {
        let line = format!(
            "  - {action} on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*, which the Deny \
             `OfficeOnly` of the bucket policy of export-landing hits: {reason}\n"
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("s3:AbortMultipartUpload"), "{text}");
}

/// "Switching PITR off again destroys the table's recovery window: never an undo by default."
#[test]
fn nobody_is_told_to_switch_recovery_off_again() {
    let mut facts = facts();
    if let Some(recovery) = facts.tables[0].recovery.value_mut() {
        recovery.is_enabled = false;
    }
    for terms in [Terms::default(), until()] {
        let (text, _) = letters(&aes_plan(), &facts, terms);
        assert!(text.contains("switch on point-in-time recovery"), "{text}");
        assert!(!text.contains("taken away"), "{text}");
        assert!(!text.contains("ends by itself"), "{text}");
        assert!(text.contains("leave it on"), "{text}");
    }
}

#[test]
fn what_the_organization_is_asked_says_nothing_of_an_end() {
    let mut facts = facts();
    let policy = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoExports", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" }
    ]);
    facts.source.service_control = known(vec![crate::access::facts::ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![inline("Guardrail", &policy)],
    }]);
    let (text, _) = letters(&aes_plan(), &facts, until());
    assert!(text.starts_with("To the organization"), "{text}");
    assert!(!text.contains("ends by itself"), "{text}");
    assert!(!text.contains("taken away"), "{text}");
}
