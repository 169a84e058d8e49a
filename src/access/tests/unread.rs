//! Permissions judged from what could be read alone: what is assumed, what is unknown, and which other
//! witnesses settle it.

use serde_json::json;

use super::world::*;
use crate::access::facts::{Fact, PolicyText, Simulated, Tried};
use crate::access::need::Who;
use crate::access::verdict::{Layer, Mender, Outcome, Overall, judge, overall};
use crate::policy::evaluate::PolicyKind;

#[test]
fn on_call_staff_who_cannot_read_their_own_rights_are_allowed_with_what_was_assumed() {
    let mut facts = facts();
    facts.source.identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.source.boundary = refused("iam:GetRole");
    facts.source.service_control = refused("organizations:ListPoliciesForTarget");
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Allowed);
    assert_eq!(overall(&verdicts, true), Overall::Undecided);
    let Outcome::Allowed { assumed } = on(&aes_plan(), &facts, "s3:PutObject").outcome else {
        panic!("not allowed");
    };
    let layers: Vec<Layer> = assumed.iter().map(|unread| unread.layer).collect();
    assert_eq!(
        layers,
        [Layer::Identity, Layer::Boundary, Layer::ServiceControl]
    );
    assert_eq!(assumed[0].permission, "iam:ListAttachedRolePolicies");
}

#[test]
fn a_policy_of_the_other_side_that_must_allow_is_never_assumed() {
    let mut facts = facts();
    facts.bucket.policy = refused("s3:GetBucketPolicy");
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    let Outcome::Unknown { unread } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(unread[0].permission, "s3:GetBucketPolicy");
    // Within the account it need not allow.
    facts.bucket.owner = known("111111111111".parse().unwrap());
    let plan = plan("owner = '111111111111'", "");
    let verdict = on(&plan, &facts, "s3:PutObject");
    assert!(matches!(&verdict.outcome, Outcome::Allowed { assumed } if assumed.len() == 1));
}

#[test]
fn what_is_denied_stays_denied_whatever_was_not_read() {
    let mut facts = bucket_with(&deny(
        &json!({ "StringEquals": { "aws:PrincipalAccount": "111111111111" } }),
    ));
    facts.source.identity_policies = Fact::Unasked;
    facts.source.service_control = Fact::Unasked;
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Outcome::Denied
    );
}

#[test]
fn the_simulation_stands_in_for_policies_that_could_not_be_read() {
    let simulated = |decision: &str, organization: Option<bool>| Simulated {
        action: "s3:PutObject".to_owned(),
        resource: "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*".to_owned(),
        decision: decision.to_owned(),
        allowed_by_organization: organization,
        allowed_by_boundary: None,
        missing_context: Vec::new(),
    };
    let mut facts = facts();
    facts.source.identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.source.boundary = refused("iam:GetRole");
    facts.source.service_control = refused("organizations:ListPoliciesForTarget");
    facts.source.simulation = known(vec![simulated("allowed", Some(true))]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Outcome::CLEAR);
    facts.source.simulation = known(vec![simulated("implicitDeny", Some(false))]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.outcome, Outcome::Denied);
    assert_eq!(verdict.mender, Mender::Organization);
    facts.source.simulation = known(vec![simulated("implicitDeny", Some(true))]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(verdict.denied_by, Some(PolicyKind::Identity));
}

#[test]
fn a_role_whose_path_is_not_known_may_be_the_one_that_the_policy_names() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Principal"] =
        json!({ "AWS": "arn:aws:iam::111111111111:role/teams/OnCallExporter" });
    facts.bucket.policy = known(document(&statements));
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Outcome::Denied
    );
    facts.source.role = refused("iam:GetRole");
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    let Outcome::Unknown { unread } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(unread[0].permission, "iam:GetRole");
}

#[test]
fn a_call_that_worked_needs_no_further_proof() {
    let mut facts = facts();
    facts.source.identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.tried.push(Tried {
        who: Who::Exporter,
        action: "dynamodb:DescribeTable".to_owned(),
        resource: TABLE.to_owned(),
        at: now(),
        refusal: None,
    });
    let verdict = on(&aes_plan(), &facts, "dynamodb:DescribeTable");
    assert_eq!(verdict.outcome, Outcome::CLEAR);
}

#[test]
fn a_reader_without_rights_does_not_stop_the_export() {
    let mut facts = facts();
    let destination = facts.destination.as_mut().unwrap();
    destination.identity_policies = known(Vec::<PolicyText>::new());
    let verdicts = judge(&aes_plan(), &facts, now());
    assert!(
        verdicts
            .iter()
            .any(|verdict| verdict.outcome == Outcome::Denied)
    );
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
}

/// The key policy must allow within one account too, or leave it to IAM's policies.
#[test]
fn a_key_policy_of_the_own_account_that_was_not_read_is_no_other_sides() {
    let mut facts = facts();
    own_key(&mut facts);
    let verdict = on(&aes_plan(), &facts, "kms:Decrypt");
    assert!(
        matches!(verdict.outcome, Outcome::Unknown { .. }),
        "{verdict:#?}"
    );
    assert!(
        verdict.explanation.contains("the resource's own policy"),
        "{}",
        verdict.explanation
    );
    assert!(!verdict.explanation.contains("other side"));
}

/// A server that is not AWS, such as moto, has ARNs of its own.
#[test]
fn a_caller_whom_iam_does_not_know_is_unknown_and_not_denied() {
    let mut facts = facts();
    facts.source.caller.arn = "arn:aws:sts::111111111111:user/moto".parse().unwrap();
    facts.source.role = absent();
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(
        matches!(verdict.outcome, Outcome::Unknown { .. }),
        "{verdict:#?}"
    );
    assert!(
        verdict.explanation.contains("user/moto"),
        "{}",
        verdict.explanation
    );
}

fn tried(action: &str, refusal: Option<&str>) -> Tried {
    Tried {
        who: Who::Exporter,
        action: action.to_owned(),
        resource:
            "arn:aws:s3:::export-landing/prod/AWSDynamoDB/tableferry-probe-1/data/probe.json.gz"
                .to_owned(),
        at: now(),
        refusal: refusal.map(str::to_owned),
    }
}

#[test]
fn a_probe_that_worked_settles_what_could_not_be_read_for_its_own_permissions_alone() {
    let mut facts = facts();
    facts.bucket.policy = refused("s3:GetBucketPolicy");
    facts.tried.push(tried("s3:PutObject", None));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(verdict.outcome.is_allowed(), "{verdict:#?}");
    assert_eq!(
        verdict.cautions.len(),
        1,
        "the forwarded context: {verdict:#?}"
    );
    let verdict = on(&aes_plan(), &facts, "s3:PutObjectAcl");
    assert!(matches!(verdict.outcome, Outcome::Unknown { .. }));
}

/// A probe says nothing of a Deny that hits what DynamoDB forwards.
#[test]
fn a_probe_that_worked_takes_no_denial_away() {
    let mut denied = bucket_with(&deny(&json!({ "Bool": { "aws:ViaAWSService": "true" } })));
    denied.tried.push(tried("s3:PutObject", None));
    let verdict = on(&aes_plan(), &denied, "s3:PutObject");
    assert_eq!(verdict.outcome, Outcome::Denied);
}

/// Nothing that was read explains the refusal: something that was not read refuses, and may refuse
/// the forwarded call too.
#[test]
fn a_probe_that_was_refused_without_a_known_reason_is_evidence_and_no_proof() {
    for policy_is_read in [true, false] {
        let mut facts = facts();
        if !policy_is_read {
            facts.bucket.policy = refused("s3:GetBucketPolicy");
        }
        facts
            .tried
            .push(tried("s3:PutObject", Some("Access Denied")));
        let verdict = on(&aes_plan(), &facts, "s3:PutObject");
        assert!(
            matches!(verdict.outcome, Outcome::Depends { .. }),
            "{verdict:#?}"
        );
        assert!(
            verdict.explanation.contains("Access Denied"),
            "{}",
            verdict.explanation
        );
        let owner = "222222222222".parse().unwrap();
        assert_eq!(verdict.mender, Mender::DestinationOwner(Some(owner)));
    }
}

/// The Deny spares what services forward, and hits a direct call: that is why it was refused.
#[test]
fn a_probe_that_was_refused_by_what_spares_the_export_changes_no_verdict() {
    let mut facts = bucket_with(&deny(&json!({ "Bool": { "aws:ViaAWSService": "false" } })));
    facts
        .tried
        .push(tried("s3:PutObject", Some("Access Denied")));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(verdict.outcome.is_allowed(), "{verdict:#?}");
    assert!(
        verdict.cautions[0].contains("tried directly"),
        "{verdict:#?}"
    );
}
