//! The text to those who can fix something, for an operator to send: what is asked for, why, for how
//! long, and the change itself.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::draft::principal;
use super::{ExemptingDeny, Fix, Remedy, Target, sids};
use crate::assess::facts::Facts;
use crate::assess::principal::SourcePrincipal;
use crate::assess::responsible::Responsible;
use crate::job::Plan;

/// Writes the text for all remedies of one responsible party; `expires` is when the grants end.
#[must_use]
pub fn request_text(
    responsible: &Responsible,
    remedies: &[Remedy],
    plan: &Plan,
    facts: &Facts,
    expires: Option<Timestamp>,
) -> String {
    let account = &facts.source().caller.account;
    let opening = plan.opening(account, &facts.source().naming().to_string());
    let mut text = format!("To {responsible}\n\n{opening}\n");
    let until = plan.words().until;
    for remedy in remedies
        .iter()
        .filter(|remedy| remedy.responsible == *responsible)
    {
        add(&mut text, remedy, facts);
        if let Some(ending) = ending(&remedy.fix, until, expires).filter(|_| remedy.is_sound()) {
            let _ = write!(text, "\n{ending}\n");
        }
    }
    text
}

/// Asks for what a document would give that cannot be written as it was drawn up: what is needed stays
/// the same, and how to give it is left to the one who owns the document.
fn request_without_document(text: &mut String, target: &Target, remedy: &Remedy) {
    let _ = write!(text, "\nPlease let these through in the {target}:\n\n");
    for what in &remedy.resolves_in_words() {
        let _ = writeln!(text, "  - {what}");
    }
    let _ = write!(text, "\nWe cannot offer the finished document:\n");
    for problem in &remedy.problems {
        let _ = writeln!(text, "  - {problem}");
    }
}

// Writing to a string cannot fail.
fn add(text: &mut String, remedy: &Remedy, facts: &Facts) {
    if let (Fix::Document { target, .. }, false) = (&remedy.fix, remedy.is_sound()) {
        request_without_document(text, target, remedy);
        return;
    }
    let ask = match &remedy.fix {
        Fix::Document {
            target: Target::IdentityPolicy { who, name },
            ..
        } => match principal(facts, *who) {
            SourcePrincipal::IdentityCenter {
                permission_set,
                account,
                ..
            } => format!(
                "Please add these statements to the inline policy of the permission set \
                 {permission_set} in IAM Identity Center, and provision the set again to account \
                 {account}:"
            ),
            named => format!("Please give {named} this inline policy, by the name {name}:"),
        },
        Fix::Document { target, before, .. } => match before {
            Some(_) => format!("Please change the {target} like this:"),
            None => format!("Please add the {target}:"),
        },
        Fix::EnableRecovery { table } => {
            format!("Please switch on point-in-time recovery of {table}.")
        }
        Fix::Plan { key, value, .. } => format!("The plan sets {key} to {value}."),
        Fix::RequestText { text } => text.clone(),
    };
    let _ = write!(text, "\n{ask}\n");
    match &remedy.fix {
        Fix::Document {
            before,
            after,
            diff,
            ..
        } => {
            let shown = if before.is_some() { diff } else { after };
            let _ = write!(text, "\n{}\n", shown.trim_end());
        }
        Fix::EnableRecovery { .. } | Fix::Plan { .. } | Fix::RequestText { .. } => {}
    }
    if matches!(remedy.fix, Fix::Document { .. }) {
        let (depending, denied): (Vec<_>, Vec<_>) = remedy
            .resolves
            .iter()
            .partition(|id| remedy.depending.contains(id));
        for (head, ids) in [
            ("Without it, these are denied:", denied),
            (
                "Without it, nobody can tell whether these are allowed:",
                depending,
            ),
        ] {
            if !ids.is_empty() {
                let _ = write!(text, "\n{head}\n");
            }
            for what in ids.into_iter().flat_map(|id| remedy.words_of(id)) {
                let _ = writeln!(text, "  - {what}");
            }
        }
    }
    // The one who owns a permission set knows that its roles cannot be edited by hand.
    let caution = facts.source().naming().caution();
    let is_for_set = matches!(remedy.responsible, Responsible::PermissionSetOwner(_));
    let mut warnings = remedy.warnings.clone();
    warnings.retain(|warning| !is_for_set || Some(warning) != caution.as_ref());
    for (head, list) in [
        ("What it lets through besides:", &remedy.lets_through),
        ("To know:", &warnings),
    ] {
        if !list.is_empty() {
            let _ = write!(text, "\n{head}\n");
        }
        for what in list {
            let _ = writeln!(text, "  - {what}");
        }
    }
}

/// For how long it is asked, of each kind of change what is true of it: a statement of ours can end by
/// itself, an exemption cannot, and recovery that is switched off again takes its window along.
fn ending(fix: &Fix, until: &str, expires: Option<Timestamp>) -> Option<String> {
    match fix {
        Fix::Document { added, exempt, .. } => {
            let sentences: Vec<String> = [
                of_statements(added, until, expires),
                of_exemptions(exempt, until),
            ]
            .into_iter()
            .flatten()
            .collect();
            (!sentences.is_empty()).then(|| sentences.join("\n"))
        }
        Fix::EnableRecovery { .. } => Some(
            "Please leave it on after the export: switching it off again destroys the table's \
             recovery window."
                .to_owned(),
        ),
        Fix::Plan { .. } | Fix::RequestText { .. } => None,
    }
}

fn of_statements(added: &[String], until: &str, expires: Option<Timestamp>) -> Option<String> {
    let (what, verb, them) = match added {
        [] => return None,
        [only] => (
            format!("The statement `{only}`"),
            ["ends by itself", "is"],
            "it",
        ),
        several => (
            format!("The statements `{}`", several.join("`, `")),
            ["end by themselves", "are"],
            "them",
        ),
    };
    let [ends, is] = verb;
    Some(match expires {
        Some(expires) => format!("{what} {ends} at {expires}; please take {them} out afterwards."),
        None => {
            format!("{what} {is} needed until {until}; please take {them} out then.")
        }
    })
}

fn of_exemptions(exempt: &[ExemptingDeny], until: &str) -> Option<String> {
    (!exempt.is_empty()).then(|| {
        format!(
            "What is put into the Deny `{}` is needed until {until}. It does not end by \
             itself: please take it out then.",
            sids(exempt).join("` and the Deny `")
        )
    })
}
