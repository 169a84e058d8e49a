//! Control policies of which some may be read and others may not: `DescribePolicy` is allowed policy by
//! policy (service authorization reference, AWS Organizations).

use serde_json::{Value, json};
use tableferry::assess::verdict::{AssessedRequirement, Verdict, assumptions};

use crate::predictions::place::{self, Place};
use crate::predictions::rows::{base, plan_text, table::LANDING};

const GUARD: &str =
    "arn:aws:organizations::999999999999:policy/o-tableferry1/service_control_policy/p-guardrails";
const HIDDEN: &str =
    "arn:aws:organizations::999999999999:policy/o-tableferry1/service_control_policy/p-hiddenrail";

/// A world with two service control policies beside the one of full access, one of which the exporter,
/// and where asked for the destination too, may not read. `denied` is what the other denies.
fn world(denied: &str, is_hidden_from_both: bool) -> Value {
    let mut world = base();
    let organization = &mut world["organization"];
    organization["delegated"] = json!(["111111111111", "222222222222"]);
    let attached = organization["service_control"].as_array_mut().unwrap();
    attached.extend([json!(GUARD), json!(HIDDEN)]);
    let statement = |action: &str| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "Guard", "Effect": "Deny", "Action": action, "Resource": "*" }] })
    };
    world["managed_policies"][GUARD] = statement(denied);
    world["managed_policies"][HIDDEN] = statement("ec2:*");
    let refusal = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "organizations:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "organizations:DescribePolicy", "Resource": HIDDEN }] });
    let accounts = &mut world["accounts"];
    accounts["111111111111"]["roles"]["OnCallExporter"]["inline"]["Organization"] = refusal.clone();
    if is_hidden_from_both {
        accounts["222222222222"]["users"]["dev-admin"]["inline"]["Organization"] = refusal;
    }
    world
}

async fn check(world: &Value) -> Vec<AssessedRequirement> {
    let plan = place::plan(&plan_text(LANDING, "", "name = \"Orders\""));
    Place::open(world, &plan).await.check(&plan).await
}

fn hidden(verdicts: &[AssessedRequirement]) -> Vec<String> {
    let assumed = assumptions(verdicts).into_iter();
    let what = "p-hiddenrail of the service control policies over 111111111111";
    let of_hidden = assumed.filter(|unread| unread.what == what);
    of_hidden.map(|unread| unread.permission).collect()
}

#[test]
fn a_control_policy_that_may_not_be_read_is_assumed_to_permit_beside_those_that_may() {
    place::run(|| async {
        let verdicts = check(&world("ec2:*", true)).await;
        assert_eq!(hidden(&verdicts), ["organizations:DescribePolicy"]);
        let verdicts = check(&world("s3:PutObject", true)).await;
        let is_denied = |found: &AssessedRequirement| {
            found.outcome == Verdict::Denied
                && found
                    .deciding
                    .iter()
                    .any(|deciding| deciding.sid == "Guard")
        };
        assert!(verdicts.iter().any(is_denied), "{verdicts:#?}");
    });
}

#[test]
fn a_control_policy_that_the_exporter_may_not_read_is_read_by_the_destination() {
    place::run(|| async {
        let verdicts = check(&world("ec2:*", false)).await;
        assert!(hidden(&verdicts).is_empty(), "{verdicts:#?}");
    });
}
