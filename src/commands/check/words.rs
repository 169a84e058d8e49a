//! Verdicts and remedies, as people and programs read them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::assess::assessment::Assessment;
use crate::assess::facts::Facts;
use crate::assess::remedy::{Fix, Remedies, Remedy};
use crate::assess::verdict::{
    AssessedRequirement, Counts, MissingInput, Overall, SettledBy, Verdict, VerdictGroup,
    by_responsible, grouped_by_cause, large_families,
};
use crate::commands::report::Report;
use crate::job::JobWords;
use crate::job::requirement::Criticality;
use tableferry_policy::evaluate::Deciding;

/// Tells every verdict, grouped by who can fix it, and what was assumed.
pub(in crate::commands) fn tell(report: &Report, assessment: &Assessment) {
    tell_age(report, &assessment.facts, assessment.made_at);
    let families = large_families(&assessment.requirements);
    if !families.is_empty() {
        report.line("together:");
    }
    for (family, counts) in families {
        report.line(&format!(
            "  {} {} {}: {}",
            family.title,
            family.size,
            family.of,
            counts.nonzero()
        ));
    }
    for (responsible, group) in by_responsible(&assessment.requirements) {
        report.line(&format!("{responsible}:"));
        for verdict in &group {
            report.object(&verdict_object(verdict));
        }
        for told in grouped_by_cause(group) {
            // Counted above, and nothing else is to be said of them.
            let is_counted = told.family.is_some()
                && told.verdict.outcome.is_allowed()
                && told.verdict.cautions.is_empty();
            if !is_counted {
                tell_verdict(report, &told, assessment.plan.words());
            }
        }
    }
    let assumed = assessment.assumed();
    if !assumed.is_empty() {
        report.line("not read, and assumed not to forbid it:");
    }
    for unread in &assumed {
        report.line(&format!("  {}", without_detail(unread)));
    }
    for sentence in assessment.estimate.sentences() {
        report.line(&format!("estimate: {sentence}"));
    }
}

/// Tells when facts were read.
pub(in crate::commands) fn tell_age(report: &Report, facts: &Facts, now: Timestamp) {
    let age = now.duration_since(facts.surveyed_at);
    report.line(&format!(
        "facts of {}, {}",
        facts.surveyed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        age_in_words(age)
    ));
}

/// Tells what all verdicts come to.
pub(in crate::commands) fn tell_end(report: &Report, assessment: &Assessment, overall: Overall) {
    let (facts, now) = (&assessment.facts, assessment.made_at);
    let counts = assessment.counts();
    report.line(&format!(
        "{}: {counts}",
        overall_in_words(assessment.plan.words(), overall, counts)
    ));
    report.object(&json!({
        "event": "checked",
        "overall": overall_word(overall),
        "counts": counts,
        "facts_read_at": facts.surveyed_at,
        "facts_age_seconds": now.duration_since(facts.surveyed_at).as_secs(),
        "assumed": assessment.assumed(),
        "estimate": assessment.estimate,
    }));
}

fn tell_verdict(report: &Report, told: &VerdictGroup<'_>, words: JobWords) {
    let verdict = told.verdict;
    report.line(&format!(
        "  {:<8} {}{}",
        verdict.outcome.as_str(),
        subjects(told),
        by(&verdict.deciding)
    ));
    for caution in &verdict.cautions {
        report.line(&format!("           note: {caution}"));
    }
    if verdict.outcome.is_allowed() {
        return;
    }
    report.line(&format!("           {}", verdict.explanation));
    if verdict.outcome == Verdict::Denied && verdict.criticality != Criticality::Required {
        report.line(&format!(
            "           the {} itself completes without it",
            words.noun
        ));
    }
    match &verdict.outcome {
        Verdict::Depends { on, unread } => {
            report.line(&format!("           it depends on {on}"));
            tell_unread(report, unread);
        }
        Verdict::Unknown { unread, settled_by } => {
            tell_unread(report, unread);
            if *settled_by != SettledBy::Reading {
                report.line(&format!(
                    "           else settled by {}",
                    settled_by.as_str()
                ));
            }
        }
        Verdict::Allowed { .. } | Verdict::Denied => {}
    }
    if let Some(words) = &verdict.expected_error {
        report.line(&format!("           AWS would say: {words}"));
    }
    if !verdict.hint.is_empty() {
        report.line(&format!("           hint: {}", verdict.hint));
    }
}

fn tell_unread(report: &Report, unread: &[MissingInput]) {
    for unread in unread {
        report.line(&format!("           not read: {}", unread_in_words(unread)));
    }
}

/// How many of a large family are named where they come to the same.
const MOST_NAMED: usize = 5;

/// What a line is about: of many that come to the same how many they are and the first of them,
/// otherwise each.
pub(in crate::commands) fn subjects(told: &VerdictGroup<'_>) -> String {
    let all = std::iter::once(told.verdict).chain(told.alike.iter().copied());
    if let Some(many) = told.in_family() {
        let mut named: Vec<String> = all
            .map(|verdict| verdict.requirement.of().to_owned())
            .take(MOST_NAMED)
            .collect();
        let left = told.alike.len() + 1 - named.len();
        if left > 0 {
            named.push(format!("{left} more"));
        }
        return format!("{many}: {}", named.join(", "));
    }
    let others: Vec<String> = told
        .alike
        .iter()
        .map(|verdict| verdict.requirement.to_string())
        .collect();
    match others.as_slice() {
        [] => told.verdict.requirement.to_string(),
        others => format!("{}, and {}", told.verdict.requirement, others.join(", ")),
    }
}

/// A verdict as an event of a command's output.
pub(in crate::commands) fn verdict_object(verdict: &AssessedRequirement) -> Value {
    as_event("verdict", verdict.to_json())
}

/// An object as an event of a command's output.
pub(in crate::commands) fn as_event(name: &str, mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("event".to_owned(), json!(name));
    }
    object
}

/// The statements that decide, at the end of a line.
fn by(deciding: &[Deciding]) -> String {
    let statements: Vec<String> = deciding
        .iter()
        .map(|statement| {
            let effect = if statement.is_deny { "Deny" } else { "Allow" };
            format!("{effect} `{}` of {}", statement.sid, statement.policy)
        })
        .collect();
    if statements.is_empty() {
        String::new()
    } else {
        format!("  [{}]", statements.join("; "))
    }
}

/// What was assumed; why it could not be read is the usual for on-call staff, and no news.
fn without_detail(unread: &MissingInput) -> String {
    match unread.permission.as_str() {
        "" => format!("{}: {}", unread.what, unread.detail),
        permission => format!("{} ({permission})", unread.what),
    }
}

fn unread_in_words(unread: &MissingInput) -> String {
    match unread.permission.as_str() {
        "" => format!("{}: {}", unread.what, unread.detail),
        permission => format!("{} ({permission}): {}", unread.what, unread.detail),
    }
}

/// By how much two clocks may differ without a word about it.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// How old facts are, roughly.
fn age_in_words(age: SignedDuration) -> String {
    if age < -SKEW {
        return "which is still to come: check this machine's clock, and that of the survey's; how old \
                they are is not known"
            .to_owned();
    }
    match (age.as_hours(), age.as_mins()) {
        (_, ..1) => "just read".to_owned(),
        (0, 1) => "a minute old".to_owned(),
        (..2, minutes) => format!("{minutes} minutes old"),
        (hours @ ..48, _) => format!("{hours} hours old: policies may have changed since"),
        (hours, _) => format!("{} days old: policies may have changed since", hours / 24),
    }
}

const fn overall_word(overall: Overall) -> &'static str {
    match overall {
        Overall::Allowed => "allowed",
        Overall::Undecided => "undecided",
        Overall::Denied => "denied",
    }
}

fn overall_in_words(words: JobWords, overall: Overall, counts: Counts) -> String {
    match overall {
        Overall::Allowed if counts.unknown > 0 => "the start settles what is unknown".to_owned(),
        Overall::Allowed => "all is allowed".to_owned(),
        Overall::Undecided => "undecided".to_owned(),
        Overall::Denied => format!("the {} would be refused", words.noun),
    }
}

/// Tells what fixes what is not allowed.
pub(in crate::commands) fn tell_remedies(report: &Report, found: &Remedies) {
    for remedy in &found.remedies {
        report.object(&as_event("remedy", remedy.to_json()));
        tell_remedy(report, remedy);
    }
}

/// Tells one remedy: what it does, as a difference, what else it lets through, and what to know.
pub(in crate::commands) fn tell_remedy(report: &Report, remedy: &Remedy) {
    let title = match &remedy.fix {
        Fix::Document { target, .. } => format!("write the {target}"),
        Fix::EnableRecovery { table } => format!("enable point-in-time recovery of {table}"),
        Fix::Plan { key, value, .. } => format!("set {key} = \"{value}\" in the plan"),
        Fix::RequestText { .. } => "send this text".to_owned(),
    };
    report.line(&format!("remedy for {}: {title}", remedy.responsible));
    let text = match &remedy.fix {
        Fix::Document { diff, .. } => diff.as_str(),
        Fix::RequestText { text } => text.as_str(),
        Fix::EnableRecovery { .. } | Fix::Plan { .. } => "",
    };
    for line in text.lines() {
        report.line(&format!("  {line}"));
    }
    let notes = [
        ("lets through", &remedy.lets_through),
        ("warning", &remedy.warnings),
        ("not to be done as it stands", &remedy.problems),
    ];
    for (word, texts) in notes {
        for text in texts {
            report.line(&format!("  {word}: {text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_as_roughly_as_it_matters() {
        let describe = |seconds| age_in_words(SignedDuration::from_secs(seconds));
        assert_eq!(describe(-3), "just read");
        assert!(describe(-61).contains("clock"));
        assert!(describe(-4 * 365 * 86_400).contains("still to come"));
        assert_eq!(describe(59), "just read");
        assert_eq!(describe(60), "a minute old");
        assert_eq!(describe(119 * 60), "119 minutes old");
        assert!(describe(3 * 3600).starts_with("3 hours old"));
        assert!(describe(72 * 3600).starts_with("3 days old"));
    }
}
