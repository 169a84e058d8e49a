//! The wizard's steps, and the flows that are made of them.
//!
//! A flow is a list of steps. A new step is a folder of its own and a line in its flow.

pub mod access;
pub mod accounts;
pub mod destination;
pub mod encryption;
pub mod progress;
pub mod review;
pub mod tables;

use super::model::flow::Flow;
use crate::job::{Kind, Plan};

/// Tables are exported to a bucket.
pub(crate) static EXPORT: Flow = Flow {
    title: "Export",
    steps: &[
        &accounts::STEP,
        &tables::STEP,
        &destination::STEP,
        &encryption::STEP,
        &access::STEP,
        &review::STEP,
        &progress::STEP,
    ],
    kind: |model| (!model.tables.jobs.is_empty()).then_some(Kind::Export),
    tables: |model| model.tables.jobs.clone(),
    takes: |kind| matches!(kind, Kind::Export),
};

/// All flows, the one first that the wizard opens with.
pub(crate) static FLOWS: [&Flow; 1] = [&EXPORT];

/// The flow that makes plans of this kind.
pub(crate) fn flow_of(plan: &Plan) -> &'static Flow {
    let flow = FLOWS.iter().find(|flow| (flow.takes)(&plan.kind));
    flow.copied().unwrap_or(&EXPORT)
}
