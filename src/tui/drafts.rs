//! Texts made from the plan so far: policies, the equivalent command, the plan file.

use super::model::Model;
use crate::assess::principal::SourcePrincipal;
use crate::assess::snippets::{Snippets, snippets};
use crate::job::{ExportRequest, Plan, by_hand};
use crate::work::event::Side;

/// A policy document that the plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Which one.
    pub title: &'static str,
    /// Where it belongs.
    pub place: String,
    /// The document.
    pub text: String,
}

/// The policies of the plan so far, the caller's own first.
pub(crate) fn policies(model: &Model) -> Vec<Policy> {
    let (Some(plan), Some(written)) = (model.plan(), written(model)) else {
        return Vec::new();
    };
    let source = model.identified(Side::Source);
    let who = source.map_or_else(String::new, |known| known.identity.arn.to_string());
    let bucket = &plan.destination.bucket;
    let owner = model.destination.owner().map_or_else(
        || "the bucket's account".to_owned(),
        |owner| format!("account {owner}"),
    );
    let mut policies = vec![Policy {
        title: "Identity",
        place: format!("Attach to the exporting principal: {who}"),
        text: written.identity,
    }];
    policies.extend(written.bucket.map(|text| Policy {
        title: "Bucket",
        place: format!("Add to the policy of bucket {bucket}, in {owner}"),
        text,
    }));
    policies.extend(written.key.map(|text| Policy {
        title: "Key",
        place: format!(
            "Add to the key policy of {}",
            plan.encryption.key().unwrap_or("the key")
        ),
        text,
    }));
    policies
}

/// What to know before the policies are copied.
pub(crate) fn notes(model: &Model) -> Vec<String> {
    written(model).map_or_else(Vec::new, |written| written.notes)
}

fn written(model: &Model) -> Option<Snippets> {
    let plan = model.plan()?;
    let known = model.identified(Side::Source)?;
    let principal = SourcePrincipal::from_identity(&known.identity.arn, known.role_arn.as_ref());
    Some(snippets(
        &plan,
        &known.identity.account,
        &known.region,
        model.destination.owner(),
        &principal,
    ))
}

/// The plan as a file.
pub(crate) fn toml(plan: &Plan) -> String {
    plan.to_toml()
}

/// The `aws` commands that make the same calls as the same identity, or why there are none; with the
/// tokens of the briefing where there is one, so that they make no second export.
pub(crate) fn command(model: &Model, plan: &Plan) -> Result<String, String> {
    let Some(known) = model.identified(Side::Source) else {
        return Err("the source is not signed in".to_owned());
    };
    let requests: Vec<ExportRequest> = match model.review.briefing.value() {
        Some(briefing) => briefing.requests.clone(),
        None => plan
            .tables
            .iter()
            .map(|job| {
                let arn = plan.table_arn(job, &known.identity.account, &known.region);
                plan.request(job, arn, model.destination.owner().cloned(), String::new())
            })
            .collect(),
    };
    let sign_in = &plan.source.sign_in;
    by_hand(&requests, sign_in, &known.identity.arn, &known.region)
}
