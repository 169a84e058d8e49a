//! Service control policies that nobody can read: what IAM's simulation is told of the request
//! decides what can be said of them.

use serde_json::{Value, json};
use tableferry::assess::responsible::Responsible;
use tableferry::assess::verdict::{AssessedRequirement, Requirement, Verdict};

use crate::predictions::place::{self, Place, shipped_world};
use crate::predictions::rows::plan_text;

const GUARD: &str =
    "arn:aws:organizations::999999999999:policy/o-tableferry1/service_control_policy/p-guard";
const DESTINATION: &str =
    "profile = \"dev-admin\"\nbucket = \"export-landing\"\nowner = \"222222222222\"";

/// A world whose caller may ask the simulation, and read no policy; over it stands a Deny of S3 calls.
fn world(condition: &Value) -> Value {
    let mut world = shipped_world();
    let may_ask = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*",
    }});
    world["accounts"]["111111111111"]["roles"]["OnCallExporter"]["inline"]["Simulate"] =
        may_ask.to_string().into();
    world["managed_policies"][GUARD] = json!({ "Version": "2012-10-17", "Statement": {
        "Sid": "Guard", "Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition,
    }});
    let policies = world["organization"]["service_control"]
        .as_array_mut()
        .unwrap();
    policies.push(GUARD.into());
    world
}

async fn upload(place: &Place, plan: &tableferry::job::Plan) -> AssessedRequirement {
    let verdicts = place.check(plan).await;
    let is_upload = |verdict: &AssessedRequirement| matches!(&verdict.requirement, Requirement::Permission(need) if need.action == "s3:PutObject");
    verdicts.into_iter().find(is_upload).unwrap()
}

/// The Deny of every landing zone: without the Region it would hit whatever is asked.
#[test]
fn a_deny_outside_some_regions_is_not_held_against_an_export_within_them() {
    let lock = |region: &str| json!({ "StringNotEquals": { "aws:RequestedRegion": region } });
    let plan = place::plan(&plan_text(DESTINATION, "", "name = \"Orders\""));
    place::run(|| async {
        let place = Place::open(&world(&lock("eu-west-1")), &plan).await;
        let verdict = upload(&place, &plan).await;
        let Verdict::Allowed { assumed } = &verdict.outcome else {
            panic!("{verdict:#?}");
        };
        let is_seen = |what: &str| what.contains("IAM's simulation sees nothing against it");
        assert!(
            assumed.iter().any(|unread| is_seen(&unread.what)),
            "{assumed:#?}"
        );
        assert!(place.export(&plan).await.is_completed());
    });
    place::run(|| async {
        let place = Place::open(&world(&lock("us-east-1")), &plan).await;
        let verdict = upload(&place, &plan).await;
        assert!(
            matches!(verdict.outcome, Verdict::Depends { .. }),
            "{verdict:#?}"
        );
        assert_eq!(verdict.responsible, Responsible::Organization);
        let ending = place.export(&plan).await;
        assert!(
            ending.describe().1.contains("service control policy"),
            "{ending:?}"
        );
    });
}

/// A tag of the role that nobody told the simulation, which does not say that it lacked it.
#[test]
fn a_deny_that_exempts_tagged_roles_is_no_certain_denial() {
    let exempt = json!({ "StringNotEquals": { "aws:PrincipalTag/exporter": "yes" } });
    let plan = place::plan(&plan_text(DESTINATION, "", "name = \"Orders\""));
    place::run(|| async {
        let mut world = world(&exempt);
        world["accounts"]["111111111111"]["roles"]["OnCallExporter"]["tags"] =
            json!({ "exporter": "yes" });
        let place = Place::open(&world, &plan).await;
        let verdict = upload(&place, &plan).await;
        assert!(
            matches!(verdict.outcome, Verdict::Depends { .. }),
            "{verdict:#?}"
        );
        assert!(place.export(&plan).await.is_completed());
    });
}
