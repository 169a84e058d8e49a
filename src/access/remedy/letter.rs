//! The text to whoever can mend something, for an operator to send: what is asked for, why, for how
//! long, and the change itself.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Mend, Remedy};
use crate::access::facts::Facts;
use crate::access::verdict::Mender;
use crate::plan::Plan;

/// Writes the text for all remedies of one mender; `expires` is when the grants end.
#[must_use]
pub fn letter(
    mender: &Mender,
    remedies: &[Remedy],
    plan: &Plan,
    facts: &Facts,
    expires: Option<Timestamp>,
) -> String {
    let tables: Vec<String> = plan
        .tables
        .iter()
        .map(|job| job.table.to_string())
        .collect();
    let source = &facts.source.caller.account;
    let bucket = &plan.destination.bucket;
    let mut text = format!(
        "To {mender}\n\nWe export {} of account {source} to the bucket {bucket} by DynamoDB's own \
         export to S3. DynamoDB writes the files as the principal that starts the export, which is \
         {}.\n",
        tables.join(", "),
        facts.source.naming()
    );
    for remedy in remedies.iter().filter(|remedy| remedy.mender == *mender) {
        add(&mut text, remedy);
    }
    // Writing to a string cannot fail.
    let _ = match expires {
        Some(expires) => writeln!(text, "\nWhat is granted ends by itself at {expires}."),
        None => writeln!(
            text,
            "\nIt is needed until the export is done; it can be taken away then."
        ),
    };
    text
}

fn add(text: &mut String, remedy: &Remedy) {
    let ask = match &remedy.mend {
        Mend::Document { target, before, .. } => match before {
            Some(_) => format!("Please change the {target} like this:"),
            None => format!("Please add the {target}:"),
        },
        Mend::EnableRecovery { table } => {
            format!("Please switch on point-in-time recovery of {table}.")
        }
        Mend::Plan { key, value } => format!("The plan sets {key} to {value}."),
        Mend::Message { .. } => "Please let these through:".to_owned(),
    };
    let _ = write!(text, "\n{ask}\n");
    match &remedy.mend {
        Mend::Document {
            before,
            after,
            diff,
            ..
        } => {
            let shown = if before.is_some() { diff } else { after };
            let _ = write!(text, "\n{}\n", shown.trim_end());
        }
        Mend::Message { text: told } => {
            let _ = write!(text, "\n{told}\n");
        }
        Mend::EnableRecovery { .. } | Mend::Plan { .. } => {}
    }
    if matches!(remedy.mend, Mend::Document { .. }) && !remedy.mends.is_empty() {
        let _ = write!(text, "\nWithout it, these are denied:\n");
        for what in &remedy.mends {
            let _ = writeln!(text, "  - {what}");
        }
    }
    for (head, list) in [
        ("What it lets through besides:", &remedy.lets_through),
        ("To know:", &remedy.warnings),
    ] {
        if !list.is_empty() {
            let _ = write!(text, "\n{head}\n");
        }
        for what in list {
            let _ = writeln!(text, "  - {what}");
        }
    }
}
