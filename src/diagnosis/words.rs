//! A diagnosis in words for people, and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::catalogue::{Certainty, ErrorClass};
use super::circumstance::Circumstance;
use super::diagnose::{Candidate, Diagnosis};
use super::group::ErrorGroup;
use super::reported::{ReportedError, Stated};
use super::secret::without_secrets;
use crate::sanitize::shortened;
use tableferry_policy::evaluate::NamedPolicy;

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// The words of an error that AWS did not choose are cut here.
const LONGEST_MESSAGE: usize = 700;

/// An error of one kind, in several lines.
#[must_use]
pub fn describe(group: &ErrorGroup) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{}{}",
        headline(&group.error, group.diagnosis.is_refusal()),
        place(group)
    );
    describe_below(group, &mut text);
    text
}

/// What stands below the first line.
fn describe_below(group: &ErrorGroup, text: &mut String) {
    named(group, text);
    let message = shown(&group.error.message);
    if !message.is_empty() {
        let _ = writeln!(text, "  words     {message}");
    }
    causes(group, text);
    for unknown in not_known(&group.error) {
        let _ = writeln!(text, "  not known {unknown}");
    }
}

/// The failure of operations, by their names, in several lines.
#[must_use]
pub fn describe_operation(group: &ErrorGroup, names: &[&str]) -> String {
    let mut text = String::new();
    let of = match names {
        [] => String::new(),
        names => format!("{}: ", shown(&names.join(", "))),
    };
    let _ = writeln!(
        text,
        "{of}{}",
        headline(&group.error, group.diagnosis.is_refusal())
    );
    describe_below(group, &mut text);
    text
}

fn shown(text: &str) -> String {
    let text = without_secrets(text);
    shortened(&text, LONGEST_MESSAGE)
}

fn headline(error: &ReportedError, is_refusal: bool) -> String {
    let what = what(error);
    let code = error
        .code
        .as_deref()
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    let deed = if is_refusal { "was refused" } else { "failed" };
    format!("{what} {deed}{}", shown(&code))
}

/// The call, as far as it is known.
fn what(error: &ReportedError) -> String {
    let action = error.action.as_deref().or(error.operation.as_deref());
    action.map_or_else(|| "A call".to_owned(), shown)
}

fn place(group: &ErrorGroup) -> String {
    match (group.count, group.first_line == group.last_line) {
        (1, _) => format!(", line {}", group.first_line),
        (count, true) => format!(", {count} times, line {}", group.first_line),
        (count, false) => {
            format!(
                ", {count} times, lines {} to {}",
                group.first_line, group.last_line
            )
        }
    }
}

/// Actor, on what, by which policy.
fn named(group: &ErrorGroup, text: &mut String) {
    let error = &group.error;
    if let Some(principal) = &error.principal {
        let kind = error
            .principal_kind()
            .map(|kind| format!(" ({kind})"))
            .unwrap_or_default();
        let _ = writeln!(text, "  to        {}{kind}", shown(principal));
    }
    if let Some(resource) = &error.resource {
        let others = if group.has_other_resources {
            ", and others there"
        } else {
            ""
        };
        let _ = writeln!(text, "  on        {}{others}", shown(resource));
    }
    if let Some(by) = decided_by(&error.stated) {
        let arn = error
            .policy_arn
            .as_deref()
            .map(|arn| format!(": {}", shown(arn)));
        let _ = writeln!(text, "  by        {by}{}", arn.unwrap_or_default());
    }
    if let Some(time) = &error.event_time {
        let _ = writeln!(text, "  at        {}", shown(time));
    }
}

/// What the sentence says decided.
fn decided_by(stated: &Stated) -> Option<String> {
    Some(match stated {
        Stated::NoAllow(kind) => format!("no {} that allows it", kind.noun()),
        Stated::Deny(Some(kind)) => format!("an explicit deny in {}", kind.with_article()),
        Stated::Deny(None) => "an explicit deny; AWS does not say where".to_owned(),
        _ => return None,
    })
}

fn causes(group: &ErrorGroup, text: &mut String) {
    let first: Vec<&Candidate> = group.diagnosis.first().collect();
    if first.len() > 1 {
        let certainty = first
            .first()
            .map_or("possible", |one| one.certainty.as_str());
        let _ = writeln!(text, "  equally {certainty}, nothing here separates them:");
    }
    for candidate in &first {
        let certainty = if first.len() > 1 {
            "-".to_owned()
        } else {
            format!("{}:", candidate.certainty.as_str())
        };
        let title = filled(&candidate.cause.title, &group.error);
        let _ = writeln!(text, "  {certainty} {title} [{}]", candidate.cause.id);
        let part = |name: &str, words: &str| {
            format!("    {name:<8}{}\n", filled(words, &group.error).trim())
        };
        text.push_str(&part("means", &candidate.cause.means));
        text.push_str(&part("fix", &candidate.cause.fix));
        text.push_str(&part("look at", &candidate.cause.look));
        for evidence in evidence(candidate, &group.error) {
            let _ = writeln!(text, "    speaks for it: {evidence}");
        }
        if let Some(circumstance) = candidate.contradicted_by {
            let _ = writeln!(
                text,
                "    it may be fixed: {}, by what was read now; a change takes minutes to hold",
                words_of(circumstance)
            );
        }
    }
    let others: Vec<String> = group
        .diagnosis
        .candidates
        .iter()
        .skip(first.len())
        .map(|candidate| {
            format!(
                "{} [{}]",
                filled(&candidate.cause.title, &group.error),
                candidate.cause.id
            )
        })
        .collect();
    if !others.is_empty() {
        let _ = writeln!(text, "  less likely: {}", others.join("; "));
    }
    for (cause, circumstance) in &group.diagnosis.excluded {
        let _ = writeln!(
            text,
            "  excluded: {} [{}], since {}",
            filled(&cause.title, &group.error),
            cause.id,
            words_of(*circumstance)
        );
    }
    if first.is_empty() {
        let _ = writeln!(
            text,
            "  the cause is not known here\n    look at the words above, the service's page on its errors, and CloudTrail's event of the call"
        );
    }
}

/// What of AWS's words, or which circumstance, speaks for a cause.
fn evidence(candidate: &Candidate, error: &ReportedError) -> Vec<String> {
    let mut told = Vec::new();
    if candidate.certainty == Certainty::TheCause {
        told.push(match decided_by(&error.stated) {
            Some(by) => format!("AWS names {by}"),
            None => "AWS's own words say it".to_owned(),
        });
    }
    if let Some(circumstance) = candidate.confirmed_by {
        told.push(words_of(circumstance));
    }
    told
}

/// The causes that come first, each in a line with what to do: for a place beside other news.
#[must_use]
pub fn brief(error: &ReportedError, diagnosis: &Diagnosis) -> Vec<String> {
    let first: Vec<&Candidate> = diagnosis.first().collect();
    if first.is_empty() {
        return vec!["the cause is not known here".to_owned()];
    }
    let equals = if first.len() > 1 { "equally " } else { "" };
    first
        .iter()
        .map(|candidate| {
            format!(
                "{equals}{}: {} [{}]; fix: {}",
                candidate.certainty.as_str(),
                filled(&candidate.cause.title, error),
                candidate.cause.id,
                filled(&candidate.cause.fix, error).trim()
            )
        })
        .collect()
}

/// The same for programs.
#[must_use]
pub fn brief_json(error: &ReportedError, diagnosis: &Diagnosis) -> Value {
    let first = diagnosis.first().map(|candidate| {
        json!({
            "id": candidate.cause.id,
            "certainty": candidate.certainty,
            "title": filled(&candidate.cause.title, error),
            "fix": filled(&candidate.cause.fix, error).trim(),
        })
    });
    first.collect()
}

/// A circumstance in words: its name, read as a sentence.
fn words_of(circumstance: Circumstance) -> String {
    let name = serde_json::to_value(circumstance).unwrap_or_default();
    name.as_str().unwrap_or_default().replace('-', " ")
}

/// A text of the catalogue with what the error names.
fn filled(words: &str, error: &ReportedError) -> String {
    if !words.contains('{') {
        return words.to_owned();
    }
    let or = |value: &Option<String>, other: &str| {
        value.as_deref().map_or_else(|| other.to_owned(), shown)
    };
    let action = match (&error.action, &error.operation) {
        (None, Some(operation)) => format!("the call {}", shown(operation)),
        (action, _) => or(action, "the call"),
    };
    let policy = error
        .policy_arn
        .as_deref()
        .map(|arn| format!("The policy is {}.", shown(arn)));
    words
        .replace("{action}", &action)
        .replace("{principal}", &or(&error.principal, "the caller"))
        .replace("{resource}", &or(&error.resource, "the resource"))
        .replace("{policy}", &policy.unwrap_or_default())
}

/// What the text leaves open.
fn not_known(error: &ReportedError) -> Vec<String> {
    let mut open = Vec::new();
    let mut say = |words: &str| open.push(words.to_owned());
    match &error.stated {
        Stated::Bare => say(
            "why: AWS gives no reason to callers outside the resource's organization, to HEAD requests, and in some older services. Read the policies of both sides",
        ),
        Stated::Unstated => say(
            "which policy: this form of the sentence names none. Read the caller's policies and the resource's",
        ),
        Stated::NoAllow(_) | Stated::Deny(_) => {
            say("whether another policy refuses as well: AWS names one kind even where several do");
        }
        _ => {}
    }
    if error.is_cut {
        say("the end of the sentence: the text breaks off");
    }
    if error.has_encoded_message {
        say(
            "the encoded part: `aws sts decode-authorization-message --encoded-message TEXT` opens it",
        );
    }
    open
}

/// An error of one kind, for programs.
#[must_use]
pub fn to_json(group: &ErrorGroup) -> Value {
    let error = &group.error;
    let (stated, policy) = stated_names(&error.stated);
    let shown = |value: &Option<String>| value.as_deref().map(shown);
    json!({
        "class": group.diagnosis.class.map_or("unknown", ErrorClass::as_str),
        "refusal": group.diagnosis.is_refusal(),
        "count": group.count,
        "first_line": group.first_line,
        "last_line": group.last_line,
        "code": shown(&error.code),
        "service": error.service().map(|service| self::shown(&service)),
        "operation": shown(&error.operation),
        "action": shown(&error.action),
        "principal": shown(&error.principal),
        "principal_kind": error.principal_kind(),
        "resource": shown(&error.resource),
        "other_resources": group.has_other_resources,
        "stated": stated,
        "policy_kind": policy,
        "policy_arn": shown(&error.policy_arn),
        "status": error.status,
        "request_id": shown(&error.request_id),
        "event_time": shown(&error.event_time),
        "message": self::shown(&error.message),
        "cut": error.is_cut,
        "causes": causes_json(group),
        "excluded": group.diagnosis.excluded.iter().map(|(cause, circumstance)| json!({
            "id": cause.id, "because": words_of(*circumstance),
        })).collect::<Vec<_>>(),
        "not_known": not_known(error),
    })
}

fn causes_json(group: &ErrorGroup) -> Vec<Value> {
    let mut place = 0;
    let mut before = None;
    let candidates = &group.diagnosis.candidates;
    let describe = |words: &str| filled(words, &group.error).trim().to_owned();
    candidates
        .iter()
        .map(|candidate| {
            let cause = candidate.cause;
            if before != Some((candidate.certainty, candidate.rank)) {
                place += 1;
                before = Some((candidate.certainty, candidate.rank));
            }
            json!({
                "id": cause.id,
                "certainty": candidate.certainty,
                "place": place,
                "title": describe(&cause.title),
                "means": describe(&cause.means),
                "fix": describe(&cause.fix),
                "look": describe(&cause.look),
                "evidence": evidence(candidate, &group.error),
                "contradicted_by": candidate.contradicted_by.map(words_of),
                "sources": cause.sources,
            })
        })
        .collect()
}

/// What is stated, and the kind of policy, as JSON names them.
fn stated_names(stated: &Stated) -> (&'static str, Option<&'static str>) {
    match stated {
        Stated::NoAllow(kind) => ("no-allow", Some(kind.as_str())),
        Stated::Deny(kind) => ("deny", kind.map(NamedPolicy::as_str)),
        Stated::KeyNotReachable => ("key-not-reachable", None),
        Stated::Setting(_) => ("setting", None),
        Stated::Unstated => ("unstated", None),
        Stated::Bare => ("bare", None),
        Stated::Worded => ("worded", None),
        Stated::NotDenied => ("not-denied", None),
    }
}
