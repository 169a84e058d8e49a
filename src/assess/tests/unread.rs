//! Permissions judged from what could be read alone: what is assumed, what is unknown, and which other
//! witnesses settle it.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::explain::simulate_lines;
use crate::assess::facts::{
    ControlLevel, Fact, Facts, ObservedCall, PolicyText, ReadError, UnreadPolicy,
};
use crate::assess::judge::judge;
use crate::assess::responsible::Responsible;
use crate::assess::simulation::questions;
use crate::assess::verdict::{Overall, PolicyLayer, SettledBy, Verdict, overall};
use crate::job::requirement::Actor;
use tableferry_policy::evaluate::PolicyKind;

#[test]
fn an_allow_that_nobody_read_is_unknown_and_says_what_settles_it() {
    let mut facts = facts();
    facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.source_mut().boundary = refused("iam:GetRole");
    facts.account_of_mut(Actor::Exporter).service_control =
        refused("organizations:ListPoliciesForTarget");
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    for (action, settled) in [
        ("dynamodb:ExportTableToPointInTime", SettledBy::Start),
        ("s3:PutObject", SettledBy::Probe),
        ("s3:AbortMultipartUpload", SettledBy::Probe),
        ("s3:PutObjectAcl", SettledBy::Export),
        ("dynamodb:DescribeExport", SettledBy::Export),
    ] {
        let Verdict::Unknown { unread, settled_by } = on(&aes_plan(), &facts, action).outcome
        else {
            panic!("{action} is not unknown");
        };
        // The limits that nobody read are assumed to permit; the grant is what is missing.
        let layers: Vec<PolicyLayer> = unread.iter().map(|unread| unread.layer).collect();
        assert_eq!(layers, [PolicyLayer::Identity], "{action}");
        assert_eq!(unread[0].permission, "iam:ListAttachedRolePolicies");
        assert_eq!(settled_by, settled, "{action}");
    }
}

#[test]
fn limits_that_nobody_read_are_assumed_to_permit_and_listed() {
    let mut facts = facts();
    facts.source_mut().boundary = refused("iam:GetRole");
    facts.account_of_mut(Actor::Exporter).service_control =
        refused("organizations:ListPoliciesForTarget");
    let Verdict::Allowed { assumed } = on(&aes_plan(), &facts, "s3:PutObject").outcome else {
        panic!("not allowed");
    };
    let layers: Vec<PolicyLayer> = assumed.iter().map(|unread| unread.layer).collect();
    assert_eq!(layers, [PolicyLayer::Boundary, PolicyLayer::ServiceControl]);
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Allowed);
    assert_eq!(overall(&verdicts, true), Overall::Undecided);
}

/// A boundary that is known to be there must allow, as the identity policies must.
#[test]
fn an_attached_boundary_that_nobody_read_is_a_grant_that_is_missing() {
    let mut facts = facts();
    facts.source_mut().boundary = refused("iam:GetPolicyVersion");
    facts.source_mut().attached_boundary =
        Some("arn:aws:iam::111111111111:policy/Fence".to_owned());
    let Verdict::Unknown { unread, .. } = on(&aes_plan(), &facts, "s3:PutObject").outcome else {
        panic!("not unknown");
    };
    let layers: Vec<PolicyLayer> = unread.iter().map(|unread| unread.layer).collect();
    assert_eq!(layers, [PolicyLayer::AttachedBoundary]);
    assert_eq!(unread[0].permission, "iam:GetPolicyVersion");
}

/// Either would do within the account: both are named, since reading either may settle it.
#[test]
fn within_an_account_either_of_two_unread_grants_may_allow() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).owner = known("111111111111".parse().unwrap());
    facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    let plan = plan("owner = '111111111111'", "");
    let layers = |facts: &Facts| {
        let Verdict::Unknown { unread, .. } = on(&plan, facts, "s3:PutObject").outcome else {
            panic!("not unknown");
        };
        unread.iter().map(|unread| unread.layer).collect::<Vec<_>>()
    };
    assert_eq!(
        layers(&facts),
        [PolicyLayer::Identity, PolicyLayer::Resource]
    );
    // A bucket without a policy leaves the identity policies alone to allow it.
    facts.bucket_mut(&landing()).policy = absent();
    assert_eq!(layers(&facts), [PolicyLayer::Identity]);
}

#[test]
fn a_policy_of_the_other_side_that_must_allow_is_never_assumed() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    let Verdict::Unknown { unread, .. } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(unread[0].permission, "s3:GetBucketPolicy");
    // Within the account it need not allow.
    facts.bucket_mut(&landing()).owner = known("111111111111".parse().unwrap());
    let plan = plan("owner = '111111111111'", "");
    let verdict = on(&plan, &facts, "s3:PutObject");
    assert!(matches!(&verdict.outcome, Verdict::Allowed { assumed } if assumed.len() == 1));
}

#[test]
fn what_is_denied_stays_denied_whatever_was_not_read() {
    let mut facts = bucket_with(&deny(
        &json!({ "StringEquals": { "aws:PrincipalAccount": "111111111111" } }),
    ));
    facts.source_mut().identity_policies = Fact::UNASKED;
    facts.account_of_mut(Actor::Exporter).service_control = Fact::UNASKED;
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Verdict::Denied
    );
}

/// Some of the policies may be read while others may not: what they deny is denied.
#[test]
fn identity_policies_that_were_read_count_though_others_could_not_be() {
    let with = |statements: &Value| {
        let mut facts = facts();
        facts.source_mut().identity_policies = refused("iam:ListRolePolicies");
        facts.source_mut().some_identity_policies = vec![inline("Attached", statements)];
        on(&aes_plan(), &facts, "s3:PutObject")
    };
    let denied = with(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoUploads", "Effect": "Deny", "Action": "s3:Put*", "Resource": "*" },
    ]));
    assert_eq!(denied.outcome, Verdict::Denied);
    assert_eq!(denied.deciding[0].sid, "NoUploads");
    let allowed =
        with(&json!([{ "Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*" }]));
    let Verdict::Allowed { assumed } = &allowed.outcome else {
        panic!("{allowed:#?}");
    };
    assert_eq!(assumed[0].layer, PolicyLayer::Identity);
    assert!(
        allowed
            .deciding
            .iter()
            .any(|deciding| deciding.sid == "All")
    );
}

/// A level that may be read in part: what was read denies, and what was not is taken to allow.
#[rstest]
#[case::service_control(PolicyLayer::ServiceControl)]
#[case::resource_control(PolicyLayer::ResourceControl)]
fn control_policies_that_were_read_count_though_others_may_not_be(#[case] layer: PolicyLayer) {
    let with = |denied: &str| {
        let statement = json!([
            { "Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": denied, "Resource": "*" },
        ]);
        let levels = known(vec![ControlLevel {
            target: "r-root".to_owned(),
            policies: vec![inline("p-read", &statement)],
            unread: vec![UnreadPolicy {
                name: "p-hidden".to_owned(),
                error: ReadError {
                    permission: "organizations:DescribePolicy".to_owned(),
                    detail: "access denied".to_owned(),
                    ..ReadError::default()
                },
            }],
        }]);
        let mut facts = facts();
        if layer == PolicyLayer::ServiceControl {
            facts.account_of_mut(Actor::Exporter).service_control = levels;
        } else {
            facts.account_of_mut(Actor::Reader).resource_control = levels;
        }
        on(&aes_plan(), &facts, "s3:PutObject")
    };
    let denied = with("s3:Put*");
    assert_eq!(denied.outcome, Verdict::Denied);
    assert_eq!(denied.deciding[0].sid, "Guard");
    let Verdict::Allowed { assumed } = with("s3:Get*").outcome else {
        panic!("not allowed");
    };
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0].layer, layer);
    assert!(assumed[0].what.starts_with("p-hidden of "), "{assumed:#?}");
    assert_eq!(assumed[0].permission, "organizations:DescribePolicy");
}

/// A document that cannot be understood is one that was not read: a limit is taken to permit, and the
/// boundary that a principal has must allow.
#[test]
fn a_limit_that_cannot_be_understood_is_not_read() {
    let garbled = PolicyText {
        name: "p-garbled".to_owned(),
        document: "{".into(),
    };
    let mut facts = facts();
    facts.account_of_mut(Actor::Exporter).service_control = known(vec![ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![garbled.clone()],
        unread: Vec::new(),
    }]);
    let Verdict::Allowed { assumed } = on(&aes_plan(), &facts, "s3:PutObject").outcome else {
        panic!("not allowed");
    };
    assert_eq!(assumed[0].layer, PolicyLayer::ServiceControl);
    facts.source_mut().boundary = known(garbled);
    let Verdict::Unknown { unread, .. } = on(&aes_plan(), &facts, "s3:PutObject").outcome else {
        panic!("not unknown");
    };
    assert_eq!(unread[0].layer, PolicyLayer::AttachedBoundary);
}

/// The one who is refused one action for want of an identity policy is not assumed to have its like.
#[test]
fn a_refusal_for_want_of_an_identity_policy_speaks_against_its_siblings() {
    let mut facts = facts();
    facts.source_mut().identity_policies = refused("iam:ListAttachedUserPolicies");
    let lacking = |facts: &Facts, action: &str| {
        let verdict = on(&aes_plan(), facts, action);
        assert!(
            matches!(verdict.outcome, Verdict::Unknown { .. }),
            "{verdict:#?}"
        );
        verdict.denied_by
    };
    assert_eq!(lacking(&facts, "dynamodb:ExportTableToPointInTime"), None);
    facts.tried.push(tried(
        "dynamodb:DescribeTable",
        Some("… because no identity-based policy allows the dynamodb:DescribeTable action"),
    ));
    assert_eq!(
        lacking(&facts, "dynamodb:ExportTableToPointInTime"),
        Some(PolicyKind::Identity)
    );
    // Of another service it says nothing, and a refusal for another reason neither.
    assert_eq!(lacking(&facts, "s3:PutObject"), None);
    facts.tried[0].refusal = Some("… with an explicit deny in a service control policy".to_owned());
    assert_eq!(lacking(&facts, "dynamodb:ExportTableToPointInTime"), None);
}

/// Facts of a caller who can read nothing of its own rights but what IAM's simulation says, the same
/// of every request.
fn simulated(decision: &str, organization: Option<bool>, missing: &[&str]) -> Facts {
    let mut facts = facts();
    facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.source_mut().boundary = refused("iam:GetRole");
    facts.account_of_mut(Actor::Exporter).service_control =
        refused("organizations:ListPoliciesForTarget");
    facts.source_mut().simulation =
        simulation(&kms_plan(), &facts, decision, organization, missing);
    facts
}

#[test]
fn the_simulation_stands_in_for_identity_policies_that_could_not_be_read() {
    let put = |facts: &Facts| on(&kms_plan(), facts, "s3:PutObject");
    let Verdict::Allowed { assumed } = put(&simulated("allowed", Some(true), &[])).outcome else {
        panic!("not allowed");
    };
    // It lists no key that it lacked of the organization's policies: they stay assumed, and named.
    let layers: Vec<PolicyLayer> = assumed.iter().map(|unread| unread.layer).collect();
    assert_eq!(layers, [PolicyLayer::ServiceControl]);
    assert!(assumed[0].what.contains("IAM's simulation"));
    for decision in ["implicitDeny", "explicitDeny"] {
        let verdict = put(&simulated(decision, Some(true), &[]));
        assert_eq!(verdict.outcome, Verdict::Denied);
        assert_eq!(verdict.denied_by, Some(PolicyKind::Identity));
    }
}

/// A service control policy that lets in some Regions alone is seen to deny wherever the Region is
/// not told, and the simulation does not say that it was wanted.
#[test]
fn what_the_simulation_holds_against_an_organization_is_no_proof() {
    let facts = simulated("implicitDeny", Some(false), &[]);
    let verdict = on(&kms_plan(), &facts, "s3:PutObject");
    assert!(
        matches!(verdict.outcome, Verdict::Depends { .. }),
        "{verdict:#?}"
    );
    assert_eq!(verdict.responsible, Responsible::Organization);
    assert_eq!(verdict.denied_by, Some(PolicyKind::ServiceControl));
}

#[test]
fn a_simulation_that_lacked_a_key_of_the_request_says_nothing_of_identity_policies() {
    let of = |action: &str, missing: &str| {
        let facts = simulated("explicitDeny", Some(true), &[missing]);
        on(&kms_plan(), &facts, action).outcome
    };
    let outcome = |missing: &str| of("s3:PutObject", missing);
    for key in ["aws:SourceIp", "aws:PrincipalTag/team"] {
        assert!(matches!(outcome(key), Verdict::Unknown { .. }), "{key}");
    }
    // Parts have no ACL, which the beginning of an upload may have.
    assert_eq!(outcome("s3:x-amz-acl"), Verdict::Denied);
    let acl = of("s3:PutObjectAcl", "s3:x-amz-acl");
    assert!(matches!(acl, Verdict::Unknown { .. }), "{acl:?}");
    // What the request has not either was rightly taken for absent: a VPC endpoint in a forwarded
    // call, a key of another service.
    for key in ["aws:SourceVpce", "iam:PassedToService", "kms:ViaService"] {
        assert_eq!(outcome(key), Verdict::Denied, "{key}");
    }
}

#[test]
fn the_simulation_is_told_what_is_known_of_the_request_and_asked_action_by_action() {
    let questions = questions(&kms_plan(), &facts(), now());
    let of = |action: &str| {
        let mut of = questions.iter().filter(|found| found.action == action);
        let (question, rest) = (of.next().unwrap(), of.count());
        assert_eq!(rest, 0, "{action} is asked about more than once");
        question
    };
    let value = |action: &str, key: &str| {
        let context = &of(action).context;
        let found = context.iter().find(|(name, _)| name == key);
        found.map(|(_, values)| values.join(","))
    };
    let put = "s3:PutObject";
    assert_eq!(
        value(put, "aws:RequestedRegion").as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(value(put, "aws:ViaAWSService").as_deref(), Some("true"));
    assert_eq!(
        value(put, "s3:x-amz-server-side-encryption").as_deref(),
        Some("aws:kms")
    );
    assert_eq!(value(put, "aws:SourceIp"), None);
    assert!(of(put).resources.iter().all(|arn| !arn.contains('*')));
    let key = "kms:GenerateDataKey";
    assert_eq!(
        value(key, "kms:ViaService").as_deref(),
        Some("s3.eu-west-1.amazonaws.com")
    );
    // The objects differ, the key is one: what differs is told of none.
    assert_eq!(of(key).resources.len(), 1);
    assert_eq!(value(key, "kms:EncryptionContext:aws:s3:arn"), None);
}

#[test]
fn a_role_whose_path_is_not_known_may_be_the_one_that_the_policy_names() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Principal"] =
        json!({ "AWS": "arn:aws:iam::111111111111:role/teams/OnCallExporter" });
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").outcome,
        Verdict::Denied
    );
    facts.source_mut().role = refused("iam:GetRole");
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    let Verdict::Unknown { unread, .. } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(unread[0].permission, "iam:GetRole");
}

#[test]
fn a_call_that_worked_needs_no_further_proof() {
    let mut facts = facts();
    facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.tried.push(ObservedCall {
        who: Actor::Exporter,
        action: "dynamodb:DescribeTable".to_owned(),
        resource: TABLE.to_owned(),
        at: now(),
        refusal: None,
    });
    let verdict = on(&aes_plan(), &facts, "dynamodb:DescribeTable");
    assert_eq!(verdict.outcome, Verdict::CLEAR);
}

#[test]
fn a_reader_without_rights_does_not_stop_the_export() {
    let mut facts = facts();
    let destination = facts.destination_mut().unwrap();
    destination.identity_policies = known(Vec::<PolicyText>::new());
    let verdicts = judge(&aes_plan(), &facts, now());
    assert!(
        verdicts
            .iter()
            .any(|verdict| verdict.outcome == Verdict::Denied)
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
        matches!(verdict.outcome, Verdict::Unknown { .. }),
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
    facts.source_mut().caller.arn = "arn:aws:sts::111111111111:user/moto".parse().unwrap();
    facts.source_mut().role = absent();
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(
        matches!(verdict.outcome, Verdict::Unknown { .. }),
        "{verdict:#?}"
    );
    assert!(
        verdict.explanation.contains("user/moto"),
        "{}",
        verdict.explanation
    );
}

fn tried(action: &str, refusal: Option<&str>) -> ObservedCall {
    ObservedCall {
        who: Actor::Exporter,
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
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    facts.tried.push(tried("s3:PutObject", None));
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    assert!(verdict.outcome.is_allowed(), "{verdict:#?}");
    // As far as the probe and the export agree, and no further.
    let Verdict::Allowed { assumed } = &verdict.outcome else {
        panic!("{verdict:#?}");
    };
    assert_eq!(assumed.len(), 1);
    for key in [
        "aws:SourceIp",
        "aws:SourceVpc*",
        "aws:ViaAWSService",
        "aws:CalledVia*",
        "the ACL",
    ] {
        assert!(assumed[0].what.contains(key), "{key}: {verdict:#?}");
    }
    let verdict = on(&aes_plan(), &facts, "s3:PutObjectAcl");
    assert!(matches!(verdict.outcome, Verdict::Unknown { .. }));
}

/// A probe says nothing of a Deny that hits what DynamoDB forwards.
#[test]
fn a_probe_that_worked_takes_no_denial_away() {
    let mut denied = bucket_with(&deny(&json!({ "Bool": { "aws:ViaAWSService": "true" } })));
    denied.tried.push(tried("s3:PutObject", None));
    let verdict = on(&aes_plan(), &denied, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied);
}

/// Nothing that was read explains the refusal: something that was not read refuses, and may refuse
/// the forwarded call too.
#[test]
fn a_probe_that_was_refused_without_a_known_reason_is_evidence_and_no_proof() {
    for policy_is_read in [true, false] {
        let mut facts = facts();
        if !policy_is_read {
            facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
        }
        facts
            .tried
            .push(tried("s3:PutObject", Some("Access Denied")));
        let verdict = on(&aes_plan(), &facts, "s3:PutObject");
        assert!(
            matches!(verdict.outcome, Verdict::Depends { .. }),
            "{verdict:#?}"
        );
        assert!(
            verdict.explanation.contains("Access Denied"),
            "{}",
            verdict.explanation
        );
        let owner = "222222222222".parse().unwrap();
        assert_eq!(
            verdict.responsible,
            Responsible::DestinationOwner(Some(owner))
        );
    }
}

/// The Deny exempts what services forward, and hits a direct call: that is why it was refused.
#[test]
fn a_probe_that_was_refused_by_what_exempts_the_export_changes_no_verdict() {
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

/// The one who judges the lines is told what was not read, and is given no stand-in for it.
#[test]
fn a_line_for_others_names_what_was_not_read_and_holds_nothing_in_its_place() {
    let mut facts = bucket_with(&deny(
        &json!({ "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": "o-a1/*" } }),
    ));
    facts.source_mut().boundary = refused("iam:GetPolicyVersion");
    facts.source_mut().attached_boundary =
        Some("arn:aws:iam::111111111111:policy/Fence".to_owned());
    facts.account_of_mut(Actor::Exporter).organization =
        refused("organizations:DescribeOrganization");
    let lines = simulate_lines(&aes_plan(), &facts, now());
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let put = lines
        .into_iter()
        .find(|line| line["action"] == "s3:PutObject")
        .unwrap();
    assert_eq!(put["permissions_boundary"], Value::Null);
    let permissions: Vec<&str> = put["not_read"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unread| unread["permission"].as_str().unwrap())
        .collect();
    assert!(
        permissions.contains(&"iam:GetPolicyVersion"),
        "{permissions:?}"
    );
    assert!(
        permissions.contains(&"organizations:DescribeOrganization"),
        "{permissions:?}"
    );
}
