//! The one answer: what `check` prints, what `run` prints before a start, and what the wizard's Access
//! step holds for a plan are the same assessment.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rstest::rstest;
use serde_json::Value;
use tableferry::assess::verdict::AssessedRequirement;
use tableferry::job::Plan;
use tableferry::tui::services::AssessedPlan;
use tableferry::work::ControlDocuments;

use crate::access_checks::predicted::{check, example, verdicts};
use crate::access_checks::recorded::{recorder, sign_in};
use crate::program::{Ended, Home};

/// A verdict without the times in its words, which move on between two readings.
fn key(verdict: &Value) -> String {
    format!(
        "{} {} {}",
        verdict["subject"], verdict["verdict"], verdict["responsible"]
    )
}

fn is_open(verdict: &Value) -> bool {
    verdict["verdict"] != "allowed"
}

fn keys<'v>(verdicts: impl IntoIterator<Item = &'v Value>) -> BTreeSet<String> {
    verdicts.into_iter().map(key).collect()
}

#[rstest]
#[tokio::test]
async fn check_and_run_and_the_wizard_say_the_same_of_a_plan(
    #[values(
        "another-region",
        "deny",
        "incremental",
        "key-alias",
        "key-aws-managed",
        "key-other-region",
        "key-without-grant",
        "kms-customer-key",
        "may-not-export",
        "missing-owner",
        "no-destination-profile",
        "no-grant",
        "no-such-bucket",
        "one-table",
        "pitr-off",
        "several",
        "table-own-key",
        "time-outside-window",
        "unread-identity",
        "wrong-owner"
    )]
    name: &str,
) {
    let home = Home::new();
    let text = example(name);
    let checked = verdicts(&check(&home, &text, &[]));
    let told = keys(&checked);

    let file = home.write("plan.toml", &text);
    let arguments = ["run", "--dry-run", "--output", "json"];
    let ran = Ended::of(home.sandbox(&arguments).arg(file));
    // A run tells what is not allowed.
    let open = checked.iter().filter(|verdict| is_open(verdict));
    assert_eq!(keys(&verdicts(&ran)), keys(open), "{ran:?}");

    let (work, _) = recorder(true);
    let plan = Plan::parse(&text, "plan.toml", Timestamp::now()).unwrap();
    sign_in(&work, &plan).await;
    let controls = ControlDocuments::default();
    let assessed = Box::pin(work.assess(&plan, &controls)).await.unwrap();
    let start = work
        .summarize_start(&assessed)
        .map_err(|error| error.to_string());
    let judged = AssessedPlan::new(assessed.assessment, start, |_| None);
    let shown: Vec<Value> = judged
        .verdicts
        .iter()
        .map(AssessedRequirement::to_json)
        .collect();
    assert_eq!(keys(&shown), told);
}
