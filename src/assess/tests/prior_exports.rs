//! Exports that completed before, as evidence on what could not be read.

use serde_json::json;

use super::world::*;
use crate::assess::facts::{Drift, Fact, Facts, PastExport};
use crate::assess::judge::judge;
use crate::assess::verdict::{AssessedRequirement, Check, Overall, PolicyLayer, Verdict, overall};
use crate::job::ExportStatus;
use crate::job::requirement::Actor;

/// The bucket's policy could not be read, and the same was done before.
fn unread_bucket(exports: Vec<PastExport>) -> Facts {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    facts.exports = exports;
    facts
}

fn put_object(exports: Vec<PastExport>) -> AssessedRequirement {
    on(&aes_plan(), &unread_bucket(exports), "s3:PutObject")
}

fn named(id: &str) -> PastExport {
    PastExport {
        export_arn: format!("{TABLE}/export/{id}"),
        ..past()
    }
}

fn layers(verdict: &AssessedRequirement) -> Vec<PolicyLayer> {
    let Verdict::Allowed { assumed } = &verdict.outcome else {
        panic!("not allowed: {verdict:#?}");
    };
    assumed.iter().map(|unread| unread.layer).collect()
}

#[test]
fn an_export_that_completed_the_same_way_makes_an_unknown_allowed_with_what_is_assumed() {
    let verdict = put_object(vec![past()]);
    assert_eq!(layers(&verdict), [PolicyLayer::Resource]);
    assert_eq!(
        verdict.explanation,
        format!(
            "the export {TABLE}/export/01763000000000-00000000 completed the same way at \
             2026-11-20T00:10:00Z, and nothing that can be read has changed since"
        )
    );
    assert_eq!(
        verdict.cautions,
        [
            "it rests on the export 01763000000000-00000000: what cannot be read may have changed since"
        ]
    );
    let verdicts = judge(&aes_plan(), &unread_bucket(vec![past()]), now());
    assert_eq!(overall(&verdicts, false), Overall::Allowed);
    assert_eq!(overall(&verdicts, true), Overall::Undecided);
}

/// An unknown names only what must allow; what may forbid was not read either.
#[test]
fn all_that_could_not_be_read_stays_assumed() {
    let mut facts = unread_bucket(vec![past()]);
    facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    facts.source_mut().boundary = refused("iam:GetRole");
    facts.account_of_mut(Actor::Exporter).service_control =
        refused("organizations:ListPoliciesForTarget");
    facts.account_of_mut(Actor::Reader).resource_control = Fact::UNASKED;
    let all = [
        PolicyLayer::Identity,
        PolicyLayer::Boundary,
        PolicyLayer::ServiceControl,
        PolicyLayer::ResourceControl,
        PolicyLayer::Resource,
    ];
    assert_eq!(layers(&on(&aes_plan(), &facts, "s3:PutObject")), all);
    facts.source_mut().simulation = simulation(&aes_plan(), &facts, "allowed", Some(true), &[]);
    let verdict = on(&aes_plan(), &facts, "s3:PutObject");
    let left = [
        PolicyLayer::ServiceControl,
        PolicyLayer::ResourceControl,
        PolicyLayer::Resource,
    ];
    assert_eq!(layers(&verdict), left);
}

#[test]
fn what_has_changed_or_may_have_leaves_it_unknown_and_is_told() {
    for (since, words) in [
        (Drift::Changed, "and something has changed since"),
        (
            Drift::Unknown,
            "whether anything was changed since is not known",
        ),
    ] {
        let writing = PastExport {
            writing: since,
            ..past()
        };
        let verdict = put_object(vec![writing]);
        assert!(
            matches!(verdict.outcome, Verdict::Unknown { .. }),
            "{verdict:#?}"
        );
        assert_eq!(verdict.cautions.len(), 1, "{verdict:#?}");
        assert!(verdict.cautions[0].ends_with(words), "{verdict:#?}");
        // What became of the table's own key says nothing about the bucket.
        let reading = PastExport {
            reading: since,
            ..past()
        };
        assert!(put_object(vec![reading]).outcome.is_allowed());
    }
}

#[test]
fn a_failure_since_speaks_against_it() {
    let failed = |ended: &str| PastExport {
        status: ExportStatus::Failed,
        ended_at: Some(at(ended)),
        ..named("01763100000000-00000000")
    };
    let verdict = put_object(vec![failed("2026-11-21T00:00:00Z"), past()]);
    assert!(
        matches!(verdict.outcome, Verdict::Unknown { .. }),
        "{verdict:#?}"
    );
    let words = "export/01763100000000-00000000 failed since";
    assert!(verdict.cautions[0].ends_with(words), "{verdict:#?}");
    // Whatever it failed by was fixed by then.
    let verdict = put_object(vec![past(), failed("2026-11-19T00:00:00Z")]);
    assert!(verdict.outcome.is_allowed(), "{verdict:#?}");
    // One to another place failed by something of that place.
    let elsewhere = PastExport {
        bucket: "export-elsewhere".to_owned(),
        ..failed("2026-11-21T00:00:00Z")
    };
    assert!(put_object(vec![elsewhere, past()]).outcome.is_allowed());
}

#[test]
fn of_several_one_that_speaks_for_it_is_named_and_the_newest_of_those() {
    let at_day = |id: &str, day: u8, writing| PastExport {
        ended_at: Some(at(&format!("2026-11-{day}T00:10:00Z"))),
        writing,
        ..named(id)
    };
    let exports = vec![
        at_day("changed", 21, Drift::Changed),
        at_day("older", 18, Drift::Unchanged),
        at_day("newer", 19, Drift::Unchanged),
        at_day("oldest", 17, Drift::Unchanged),
    ];
    let verdict = put_object(exports);
    assert!(verdict.outcome.is_allowed());
    assert!(
        verdict.explanation.contains("/export/newer "),
        "{verdict:#?}"
    );
}

#[test]
fn an_export_of_another_kind_is_no_evidence() {
    type Change = fn(&mut PastExport);
    let changes: [(&str, Change); 6] = [
        ("principal", |past| {
            past.principal = "arn:aws:iam::111111111111:role/Other".to_owned();
        }),
        ("account", |past| {
            past.principal = "arn:aws:iam::222222222222:role/OnCallExporter".to_owned();
        }),
        ("bucket", |past| past.bucket = "export-elsewhere".to_owned()),
        ("prefix", |past| past.prefix = None),
        ("key", |past| past.key = Some(KEY.to_owned())),
        ("status", |past| past.status = ExportStatus::InProgress),
    ];
    for (what, change) in changes {
        let mut other = past();
        change(&mut other);
        let verdict = put_object(vec![other]);
        assert!(matches!(verdict.outcome, Verdict::Unknown { .. }), "{what}");
        assert!(verdict.cautions.is_empty(), "{what}");
    }
    // Another table to the same place rests on the same.
    let users = PastExport {
        table_arn: TABLE.replace("Orders", "Users"),
        ..past()
    };
    assert!(put_object(vec![users]).outcome.is_allowed());
}

#[test]
fn no_export_takes_a_denial_away_or_settles_what_depends() {
    let by_account = json!({ "StringEquals": { "aws:PrincipalAccount": "111111111111" } });
    let by_address = json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
    let mut denied = bucket_with(&deny(&by_account));
    denied.exports = vec![past()];
    let verdict = on(&aes_plan(), &denied, "s3:PutObject");
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert!(verdict.cautions.is_empty(), "{verdict:#?}");
    let mut depending = bucket_with(&deny(&by_address));
    depending.exports = vec![past()];
    let verdict = on(&aes_plan(), &depending, "s3:PutObject");
    assert!(
        matches!(verdict.outcome, Verdict::Depends { .. }),
        "{verdict:#?}"
    );
    assert!(verdict.cautions[0].contains("completed the same way"));
}

/// The one who exported the table before could use its key, to wherever the export went.
#[test]
fn an_earlier_export_of_a_table_is_evidence_on_its_own_key() {
    let session = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/night-shift";
    let elsewhere = |principal: &str| PastExport {
        bucket: "export-elsewhere".to_owned(),
        principal: principal.to_owned(),
        writing: Drift::Changed,
        ..past()
    };
    for principal in [ROLE, session] {
        let mut facts = facts();
        own_key(&mut facts);
        facts.exports.push(elsewhere(principal));
        let verdict = on(&aes_plan(), &facts, "kms:Decrypt");
        assert_eq!(
            layers(&verdict),
            [PolicyLayer::Resource, PolicyLayer::Grants],
            "{principal}"
        );
        // What was changed since may have taken it away.
        facts.exports[0].reading = Drift::Changed;
        let verdict = on(&aes_plan(), &facts, "kms:Decrypt");
        assert!(matches!(verdict.outcome, Verdict::Unknown { .. }));
        assert!(
            verdict.cautions[0].contains("completed the same way"),
            "{verdict:#?}"
        );
    }
    for (principal, table) in [
        ("arn:aws:iam::111111111111:role/Other", TABLE),
        ("arn:aws:iam::222222222222:role/OnCallExporter", TABLE),
        (ROLE, "arn:aws:dynamodb:eu-west-1:111111111111:table/Users"),
    ] {
        let mut facts = facts();
        own_key(&mut facts);
        facts.exports.push(PastExport {
            table_arn: table.to_owned(),
            ..elsewhere(principal)
        });
        let verdict = on(&aes_plan(), &facts, "kms:Decrypt");
        assert!(!verdict.outcome.is_allowed(), "{principal} {table}");
        assert!(verdict.cautions.is_empty(), "{principal} {table}");
    }
}

/// A table's policy names a role by a path that the session does not tell.
#[test]
fn an_earlier_export_of_a_table_is_evidence_on_the_call_itself() {
    const EXPORT: &str = "dynamodb:ExportTableToPointInTime";
    let mut facts = facts();
    let path = "arn:aws:iam::111111111111:role/teams/OnCallExporter";
    let mut statements = granting_bucket();
    statements[0]["Principal"]["AWS"] = path.into();
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let guard = json!([{
        "Sid": "Guard", "Effect": "Deny", "Principal": { "AWS": path },
        "Action": EXPORT, "Resource": TABLE
    }]);
    facts.table_mut("Orders").unwrap().policy = known(document(&guard));
    facts.source_mut().role = refused("iam:GetRole");
    let verdict = on(&aes_plan(), &facts, EXPORT);
    assert!(
        matches!(verdict.outcome, Verdict::Unknown { .. }),
        "{verdict:#?}"
    );
    facts.exports.push(PastExport {
        bucket: "export-elsewhere".to_owned(),
        ..past()
    });
    let verdict = on(&aes_plan(), &facts, EXPORT);
    assert!(verdict.outcome.is_allowed(), "{verdict:#?}");
}

/// S3 refuses an export that names a wrong owner.
#[test]
fn an_earlier_export_is_evidence_on_the_owner_that_it_named() {
    let mut facts = unread_bucket(vec![past()]);
    facts.bucket_mut(&landing()).owner = refused("s3:ListBucket");
    let owner = of(&aes_plan(), &facts, Check::BucketOwner);
    assert_eq!(layers(&owner), [PolicyLayer::Setting], "{owner:#?}");
    assert!(owner.explanation.contains("completed the same way"));
    facts.exports[0].writing = Drift::Changed;
    let owner = of(&aes_plan(), &facts, Check::BucketOwner);
    assert!(
        matches!(owner.outcome, Verdict::Unknown { .. }),
        "{owner:#?}"
    );
    assert!(owner.cautions[0].ends_with("something has changed since"));
    // It was told of another, or of none.
    for other in [Some("333333333333".parse().unwrap()), None] {
        facts.exports = vec![PastExport {
            owner: other,
            ..past()
        }];
        let owner = of(&aes_plan(), &facts, Check::BucketOwner);
        assert!(
            matches!(owner.outcome, Verdict::Unknown { .. }),
            "{owner:#?}"
        );
        assert!(owner.cautions.is_empty(), "{owner:#?}");
    }
}
