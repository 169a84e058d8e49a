//! What holds for bucket policies of every kind.

use proptest::prelude::*;

use serde_json::{Value, json};

use super::world::*;
use crate::assess::explain::simulate_lines;
use crate::assess::facts::PolicyText;
use crate::assess::judge::judge;
use crate::assess::remedy::{Fix, GrantOptions, Target, remedies};
use crate::assess::verdict::{Requirement, Verdict};
use crate::job::requirement::Criticality;
use tableferry_policy::simulate::simulate_line;

fn condition() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        Just(Some(
            json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } })
        )),
        Just(Some(
            json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } })
        )),
        Just(Some(
            json!({ "StringEquals": { "aws:PrincipalOrgID": "o-exampleorg" } })
        )),
        Just(Some(
            json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-other" } })
        )),
        Just(Some(json!({ "Bool": { "aws:SecureTransport": "false" } }))),
        Just(Some(
            json!({ "StringLike": { "s3:x-amz-acl": "*control" } })
        )),
        Just(Some(
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/On*" } })
        )),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::subsequence(
        vec![
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:AbortMultipartUpload",
            "s3:GetObject",
        ],
        1..=4,
    );
    let resource = prop::sample::select(vec![
        "arn:aws:s3:::export-landing/*",
        "arn:aws:s3:::export-landing/prod/*",
        "arn:aws:s3:::export-landing/other/*",
        "arn:aws:s3:::export-landing/prod/AWSDynamoDB/*/data/*",
    ]);
    let principal = prop::sample::select(vec![
        json!("*"),
        json!({ "AWS": ROLE }),
        json!({ "AWS": "arn:aws:iam::111111111111:root" }),
        json!({ "AWS": "arn:aws:iam::222222222222:role/Loader" }),
        json!({ "AWS": ["AROAEXAMPLEEXAMPLE123", "arn:aws:iam::222222222222:root"] }),
    ]);
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    (effect, principal, action, resource, condition()).prop_map(
        |(effect, principal, action, resource, condition)| {
            let mut statement = json!({
                "Effect": effect, "Principal": principal, "Action": action, "Resource": resource
            });
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a bucket policy says can be fixed, or where a Deny names the exporter itself, is asked
    /// about; and once it is fixed nothing more is found.
    #[test]
    fn any_bucket_policy_can_be_fixed(
        policy in prop::collection::vec(statement(), 0..5),
        drops in prop::collection::vec(any::<bool>(), 3),
    ) {
        let mut facts = facts();
        let names_exporter = |statement: &Value| {
            statement["Effect"] == "Deny" && statement["Principal"]["AWS"] == ROLE
        };
        let is_meant = policy.iter().any(names_exporter);
        facts.bucket_mut(&landing()).policy = known(document(&Value::from(policy)));
        let mut identity = full_identity();
        let kept: Vec<Value> = identity.as_array().unwrap().iter().zip(&drops)
            .filter(|(_, drop)| !**drop)
            .map(|(statement, _)| statement.clone())
            .collect();
        identity = Value::from(kept);
        facts.source_mut().identity_policies = known(vec![inline("Rights", &identity)]);
        let plan = aes_plan();
        let found = remedies(&plan, &facts, now(), GrantOptions::default());
        let job: Vec<_> = found.after.iter()
            .filter(|verdict| verdict.criticality == Criticality::Required)
            .collect();
        for verdict in &job {
            let id = verdict.requirement.id();
            let is_asked = is_meant && found.remedies.iter().any(|remedy| {
                matches!(remedy.fix, Fix::RequestText { .. }) && remedy.resolves.contains(&id)
            });
            prop_assert!(verdict.outcome.is_allowed() || is_asked, "{verdict:#?}\n{found:#?}");
        }
        // What the remedies wrote, read back, is judged the same.
        let mut written = facts.clone();
        for remedy in &found.remedies {
            if let Fix::Document { target, after, .. } = &remedy.fix {
                match target {
                    Target::BucketPolicy { .. } => {
                        written.bucket_mut(&landing()).policy = known(after.as_str().into());
                    }
                    Target::IdentityPolicy { name, .. } => {
                        if let Some(all) = written.source_mut().identity_policies.value_mut() {
                            all.push(PolicyText {
                                name: name.clone(),
                                document: after.as_str().into(),
                            });
                        }
                    }
                    Target::KeyPolicy { .. } => {}
                }
            }
        }
        let again = judge(&found.plan, &written, now());
        for (left, right) in again.iter().filter(|v| matches!(v.requirement, Requirement::Permission(_)))
            .zip(&found.after) {
            prop_assert_eq!(left.outcome.as_str(), right.outcome.as_str());
        }
        // Nothing that was allowed is allowed no more.
        for verdict in judge(&plan, &facts, now()) {
            if let Verdict::Allowed { .. } = verdict.outcome {
                prop_assert!(!again.iter().any(|later| later.requirement == verdict.requirement
                    && !later.outcome.is_allowed()), "{:#?}", verdict);
            }
        }
    }

    /// The one who judges the lines of the needs reaches the verdicts of the requirements.
    #[test]
    fn the_lines_of_the_needs_lead_to_the_same_verdicts(
        policy in prop::collection::vec(statement(), 0..5),
    ) {
        let mut facts = facts();
        facts.bucket_mut(&landing()).policy = known(document(&Value::from(policy)));
        let plan = aes_plan();
        let mut worst: Vec<&str> = Vec::new();
        for line in simulate_lines(&plan, &facts, now()) {
            let mut answer = String::new();
            simulate_line(&line, &mut answer);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let id = answer["id"].as_str().unwrap();
            let need: usize = id.split('.').next().unwrap().parse().unwrap();
            let outcome = match answer["decision"].as_str().unwrap() {
                "allowed" => "allowed",
                "depends" => "depends",
                _ => "denied",
            };
            worst.resize(worst.len().max(need + 1), "allowed");
            let rank = |word| ["allowed", "depends", "denied"].iter().position(|w| *w == word);
            if rank(outcome) > rank(worst[need]) {
                worst[need] = outcome;
            }
        }
        let verdicts = judge(&plan, &facts, now());
        for (verdict, outcome) in verdicts.iter().zip(&worst) {
            // A line says which denial it is; a verdict does not care, where it is one either way.
            if *outcome == "depends" && verdict.explanation.contains("is not allowed, whatever ") {
                continue;
            }
            prop_assert_eq!(verdict.outcome.as_str(), *outcome, "{:#?}", verdict);
        }
    }
}
