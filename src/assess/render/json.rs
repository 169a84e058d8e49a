//! The remedies for programs: one object, whose keys stay what they are.

use serde_json::{Value, json};

use super::{Holder, RemedyAction, RemedyBundle, RemedyItem, Rendered};
use crate::assess::verdict::AssessedRequirement;

/// The only version of the format that there has been.
const VERSION: u32 = 1;

/// Writes the remedies as one JSON object, with the verdicts that none of them fixes.
#[must_use]
pub fn json(bundle: &RemedyBundle<'_>, open: &[&AssessedRequirement]) -> Rendered {
    let open: Vec<Value> = open.iter().map(|verdict| verdict.to_json()).collect();
    let object = json!({
        "version": VERSION,
        "facts_read_at": bundle.facts.surveyed_at,
        "source_account": bundle.facts.source().caller.account,
        "bucket": bundle.plan.destination.bucket,
        "remedies": bundle.items().iter().map(remedy).collect::<Vec<_>>(),
        "open": open,
    });
    Rendered {
        text: format!("{object:#}\n"),
        left_out: Vec::new(),
    }
}

fn remedy(item: &RemedyItem<'_>) -> Value {
    let (kind, target, policy_name) = named(&item.change);
    let (before, document) = match item.change {
        RemedyAction::Policy { before, after, .. } => (before.map(parsed), Some(parsed(after))),
        _ => (None, None),
    };
    let value = match item.change {
        RemedyAction::Plan { value, .. } => Some(value),
        RemedyAction::Message { text } => Some(text),
        RemedyAction::Policy { .. } | RemedyAction::Recovery { .. } => None,
    };
    let added = match &item.remedy.fix {
        crate::assess::remedy::Fix::Document { added, .. } => added.as_slice(),
        _ => &[],
    };
    json!({
        "kind": kind,
        "target": target,
        "policy_name": policy_name,
        "account": item.account,
        "region": item.account.as_ref().map(|_| &item.region),
        "value": value,
        "before": before,
        "document": document,
        "added": added,
        "responsible": item.remedy.responsible.to_string(),
        "resolves": item.remedy.resolves_in_words(),
        "resolves_ids": item.remedy.resolves,
        "lets_through": item.remedy.lets_through,
        "warnings": item.remedy.warnings,
        "problems": item.obstacles,
        "is_writable": item.is_writable(),
    })
}

/// What kind of change it is, what is changed, and the inline policy's name.
fn named<'i>(change: &'i RemedyAction<'_>) -> (&'static str, Option<String>, Option<&'i str>) {
    match change {
        RemedyAction::Policy { holder, .. } => match holder {
            Holder::User { user, policy } => ("user_policy", Some(user.clone()), Some(policy)),
            Holder::Role { role, policy } => ("role_policy", Some(role.clone()), Some(policy)),
            Holder::PermissionSet { set } => ("permission_set_policy", Some(set.clone()), None),
            Holder::Nobody { principal } => ("identity_policy", Some(principal.clone()), None),
            Holder::Bucket { bucket } => ("bucket_policy", Some((*bucket).to_owned()), None),
            Holder::Key { key } => ("key_policy", Some((*key).to_owned()), None),
        },
        RemedyAction::Recovery { table } => {
            ("point_in_time_recovery", Some(table.to_string()), None)
        }
        RemedyAction::Plan { key, .. } => ("plan", Some((*key).to_owned()), None),
        RemedyAction::Message { .. } => ("message", None, None),
    }
}

/// A policy as the object that it is; as text where it is none.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
