//! Remedies that are no proposals, each with the reason.

use jiff::Timestamp;
use tableferry::assess::facts::Facts;
use tableferry::assess::remedy::{GrantOptions, remedies};
use tableferry::job::Plan;
use tableferry::work::{not_proposed, proposals};
use tableferry_policy::arn::Arn;

use crate::account_changes::world::*;

/// What is proposed for a plan by changed facts, and why not.
async fn judged(plan: &Plan, change: impl FnOnce(&mut Facts)) -> (usize, Vec<String>) {
    let sandbox = sandbox();
    let work = work(&sandbox);
    sign_in(&work, plan).await;
    let mut facts = survey(&work, plan).await;
    change(&mut facts);
    let found = remedies(plan, &facts, Timestamp::now(), GrantOptions::default());
    let reasons = not_proposed(&found, &facts);
    let reasons = reasons.into_iter().map(|(_, reason)| reason).collect();
    (proposals(&found, &facts).len(), reasons)
}

#[tokio::test]
async fn what_is_of_an_account_that_nobody_signs_in_to_is_not_proposed() {
    let plan = plan(&example("no-grant"));
    assert_eq!(judged(&plan, |_| ()).await, (1, Vec::new()));
    let (count, reasons) = judged(&plan, |facts| facts.set_destination(None)).await;
    assert_eq!(count, 0);
    assert_eq!(
        reasons,
        ["bucket export-nopolicy is of 222222222222, for which nobody is signed in"]
    );
}

#[tokio::test]
async fn a_document_that_must_not_be_written_is_not_proposed() {
    let plan = plan(&example("no-grant"));
    let sandbox = sandbox();
    let work = work(&sandbox);
    sign_in(&work, &plan).await;
    let facts = survey(&work, &plan).await;
    let mut found = remedies(&plan, &facts, Timestamp::now(), GrantOptions::default());
    for remedy in &mut found.remedies {
        remedy.problems.push("it would be public".to_owned());
    }
    assert_eq!(proposals(&found, &facts), []);
    let (_, reason) = not_proposed(&found, &facts).remove(0);
    assert!(reason.ends_with("it would be public"), "{reason}");
}

/// Only the owner of the permission set can change what such a role may do.
#[tokio::test]
async fn a_role_of_identity_center_is_given_no_policy() {
    let plan = plan(&example("may-not-export"));
    let session: Arn =
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Readers_0123456789abcdef/pat"
            .parse()
            .unwrap();
    let (_, reasons) = judged(&plan, |facts| facts.source_mut().caller.arn = session).await;
    let told = "the permission set Readers, and cannot be edited by hand";
    assert!(
        reasons.iter().any(|reason| reason.contains(told)),
        "{reasons:?}"
    );
}
