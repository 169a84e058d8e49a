//! Texts made from the plan so far: the equivalent command, the plan file.

use super::model::Model;
use super::steps;
use crate::job::{ExportRequest, Plan, by_hand};
use crate::work::event::Side;

/// The plan as a file.
pub(crate) fn toml(plan: &Plan) -> String {
    plan.to_toml()
}

/// The `aws` commands that make the same calls as the same identity, or why there are none; with the
/// tokens of the start summary where there is one, so that they make no second export.
pub(crate) fn command(model: &Model, plan: &Plan) -> Result<String, String> {
    let Some(known) = model.identified(Side::Source) else {
        return Err("the source is not signed in".to_owned());
    };
    let requests: Vec<ExportRequest> = match steps::review::start_summary(model) {
        Some(summary) => summary.requests.clone(),
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
