//! The wizard's steps, and the flows that are made of them.
//!
//! A flow is a list of steps. A new step is a folder of its own and a line in its flow.

pub(super) mod access;
pub(super) mod accounts;
pub(super) mod destination;
pub(super) mod encryption;
pub(crate) mod handover;
pub(super) mod inventory;
pub(super) mod principal;
pub(super) mod progress;
pub(super) mod reports;
pub(super) mod review;
pub(super) mod start;
pub(super) mod tables;
pub(super) mod watching;

use super::keymap::Action;
use super::model::flow::Flow;
use crate::job::{Encryption, Kind, Plan};

/// Nothing is planned: what was left, and what can be begun.
pub(crate) static START: Flow = Flow {
    title: "Start",
    about: "",
    begin: Action::Home,
    source_role: "",
    steps: &[&start::STEP],
    kind: |_| None,
    tables: |_| Vec::new(),
    selectors: |_| Vec::new(),
    encryption: |model| model.encryption.choice.clone(),
    takes: |_| false,
    objects: "",
    leaves_encryption: false,
    sends_owner: false,
    saved_in: "",
};

/// Tables are exported to a bucket.
pub(crate) static EXPORT: Flow = Flow {
    title: "Export",
    about: "DynamoDB writes tables to a bucket of any account.",
    begin: Action::BeginExport,
    source_role: "exports",
    steps: &[
        &accounts::STEP,
        &tables::STEP,
        &destination::STEP,
        &encryption::STEP,
        &access::STEP,
        &review::STEP,
        &progress::STEP,
    ],
    kind: |model| model.tables.is_any_chosen().then_some(Kind::Export),
    tables: |model| model.tables.jobs.clone(),
    selectors: |model| model.tables.selectors.clone(),
    encryption: |model| model.encryption.choice.clone(),
    takes: |kind| matches!(kind, Kind::Export),
    objects: "AWSDynamoDB/…",
    leaves_encryption: false,
    sends_owner: true,
    saved_in: "Review",
};

/// Files are uploaded to a bucket, by others.
pub(crate) static UPLOAD: Flow = Flow {
    title: "Upload",
    about: "Whether a user or role may upload to a bucket.",
    begin: Action::BeginUpload,
    source_role: "uploads",
    steps: &[
        &accounts::OF_UPLOADS,
        &principal::OF_UPLOADS,
        &destination::OF_UPLOADS,
        &encryption::OF_UPLOADS,
        &access::OF_UPLOADS,
        &handover::OF_UPLOADS,
    ],
    kind: |model| Some(Kind::Upload(model.principal.upload())),
    tables: |_| Vec::new(),
    selectors: |_| Vec::new(),
    encryption: |model| model.encryption.choice.clone(),
    takes: |kind| matches!(kind, Kind::Upload(_)),
    objects: "…",
    leaves_encryption: true,
    sends_owner: false,
    saved_in: "Upload",
};

/// S3 delivers inventory reports to a bucket.
pub(crate) static INVENTORY: Flow = Flow {
    title: "Inventory",
    about: "S3 delivers lists of a bucket's objects to a bucket.",
    begin: Action::BeginInventory,
    source_role: "has the listed bucket",
    steps: &[
        &accounts::OF_INVENTORIES,
        &inventory::STEP,
        &destination::OF_INVENTORIES,
        &encryption::OF_INVENTORIES,
        &access::OF_INVENTORIES,
        &reports::STEP,
    ],
    kind: |model| model.inventory.inventory().map(Kind::Inventory),
    tables: |_| Vec::new(),
    selectors: |_| Vec::new(),
    encryption: |model| model.encryption.choice.clone(),
    takes: |kind| matches!(kind, Kind::Inventory(_)),
    objects: "…",
    leaves_encryption: true,
    sends_owner: false,
    saved_in: "Reports",
};

/// Exports that are under way are watched; there is no plan.
pub(crate) static WATCH: Flow = Flow {
    title: "Watch",
    about: "All exports under way, also those started elsewhere.",
    begin: Action::Watch,
    source_role: "is watched",
    steps: &[&accounts::OF_WATCHING, &watching::STEP],
    kind: |_| None,
    tables: |_| Vec::new(),
    selectors: |_| Vec::new(),
    encryption: |model| model.encryption.choice.clone(),
    takes: |_| false,
    objects: "AWSDynamoDB/…",
    leaves_encryption: false,
    sends_owner: false,
    saved_in: "",
};

/// Objects that are there are read, by others.
pub(crate) static READING: Flow = Flow {
    title: "Read",
    about: "Whether a user or role may read a bucket's objects.",
    begin: Action::BeginReading,
    source_role: "reads",
    steps: &[
        &accounts::OF_READINGS,
        &principal::OF_READINGS,
        &destination::OF_READINGS,
        &access::OF_READINGS,
        &handover::OF_READINGS,
    ],
    kind: |model| Some(Kind::Reading(model.principal.reading())),
    tables: |_| Vec::new(),
    selectors: |_| Vec::new(),
    // What encrypts the objects is found on them.
    encryption: |_| Some(Encryption::BucketDefault),
    takes: |kind| matches!(kind, Kind::Reading(_)),
    objects: "…",
    leaves_encryption: true,
    sends_owner: false,
    saved_in: "Read",
};

/// The flows that the start screen offers, in its order.
pub(crate) static FLOWS: [&Flow; 5] = [&EXPORT, &UPLOAD, &INVENTORY, &WATCH, &READING];

/// The flow that makes plans of this kind, where the wizard has one.
pub(crate) fn flow_of(plan: &Plan) -> Option<&'static Flow> {
    let flow = FLOWS.iter().find(|flow| (flow.takes)(&plan.kind));
    flow.copied()
}
