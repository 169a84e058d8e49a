//! A history of changes in words for people, and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::history::{ChangeEntry, SinceSuccess};
use super::names::ResourceKind;
use crate::diagnosis::secret::without_secrets;
use crate::sanitize::shortened;

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// Texts of AWS's and of callers are cut here.
const LONGEST: usize = 400;

fn shown(text: &str) -> String {
    shortened(&without_secrets(text), LONGEST)
}

/// A change in some lines: what, of what, by which principal, from where, whether it was done, and what differs.
#[must_use]
pub fn describe(entry: &ChangeEntry) -> String {
    let change = &entry.change;
    let mut text = String::new();
    let part = change
        .part
        .as_deref()
        .map(|part| format!(" {}", shown(part)));
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{}  {} {}: {}{} ({})",
        change.at,
        change.resource.kind.as_str(),
        shown(&change.resource.name),
        change.setting,
        part.unwrap_or_default(),
        shown(&change.event),
    );
    let by = change.principal.as_deref().unwrap_or("somebody unnamed");
    let through = change
        .invoked_by
        .as_deref()
        .map(|service| format!(", through {}", shown(service)));
    let from = change
        .address
        .as_deref()
        .map(|address| format!(", from {}", shown(address)));
    let _ = writeln!(
        text,
        "  by {}{}{}",
        shown(by),
        through.unwrap_or_default(),
        from.unwrap_or_default()
    );
    let _ = writeln!(text, "  {}{}", outcome(entry), place(entry));
    match (&entry.difference, &change.document) {
        (Some(difference), _) if difference.trim().is_empty() => {
            let _ = writeln!(text, "  the document is the same as before");
        }
        (Some(difference), _) => {
            for line in difference.lines() {
                let _ = writeln!(text, "    {}", shown(line));
            }
        }
        (None, Some(_)) => {
            let _ = writeln!(
                text,
                "  no earlier document is recorded to compare with; --output json holds what was written"
            );
        }
        (None, None) => {}
    }
    text
}

fn outcome(entry: &ChangeEntry) -> String {
    match &entry.change.refusal {
        None => "done".to_owned(),
        Some(refusal) if refusal.message.is_empty() => format!("refused: {}", shown(&refusal.code)),
        Some(refusal) => format!(
            "refused: {}: {}",
            shown(&refusal.code),
            shown(&refusal.message)
        ),
    }
}

const fn place(entry: &ChangeEntry) -> &'static str {
    match entry.since_success {
        Some(SinceSuccess::After) => ", after the last success",
        Some(SinceSuccess::Before) => ", before the last success",
        None => "",
    }
}

/// A change for programs.
#[must_use]
pub fn to_json(entry: &ChangeEntry) -> Value {
    let change = &entry.change;
    let given = |value: &Option<String>| value.as_deref().map(shown);
    json!({
        "at": change.at,
        "event_name": shown(&change.event),
        "setting": change.setting,
        "resource": {
            "kind": kind_id(change.resource.kind),
            "name": shown(&change.resource.name),
            "account": given(&change.resource.account),
            "region": given(&change.resource.region),
        },
        "part": given(&change.part),
        "principal": given(&change.principal),
        "invoked_by": given(&change.invoked_by),
        "address": given(&change.address),
        "done": change.refusal.is_none(),
        "error": change.refusal.as_ref().map(|refusal| json!({
            "code": shown(&refusal.code), "message": shown(&refusal.message),
        })),
        "since_success": entry.since_success.map(|since| match since {
            SinceSuccess::After => "after",
            SinceSuccess::Before => "before",
        }),
        // A policy holds no secret; it is sanitized as it is printed.
        "document": change.document,
        "diff": entry.difference,
        "event_id": given(&change.id),
        "request_id": given(&change.request_id),
    })
}

/// The kind as JSON names it.
#[must_use]
pub fn kind_id(kind: ResourceKind) -> String {
    kind.as_str().replace(' ', "-")
}
