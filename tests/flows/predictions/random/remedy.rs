//! What remedies promise, seen on worlds made at random, and what the lines of the needs say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tableferry::assess::explain::simulate_lines;
use tableferry::assess::facts::Facts;
use tableferry::assess::judge::judge;
use tableferry::assess::remedy::{Fix, GrantOptions, Remedies, Remedy, Target, remedies};
use tableferry::assess::verdict::{
    AssessedRequirement, MissingInput, PolicyLayer, Requirement, Verdict,
};
use tableferry::job::Plan;
use tableferry::job::requirement::Criticality;
use tableferry_policy::document::Document;
use tableferry_policy::lint::{DocumentKind, Severity, lint};
use tableferry_policy::public::public_statements;
use tableferry_policy::simulate::simulate_line;

use super::case::Case;
use super::play;
use crate::predictions::place::{Place, carry_out};

/// "The maximum size of a bucket policy is 20 KB", and of a key policy 32 KB.
const LARGEST: [(&str, usize); 2] = [("bucket", 20 * 1024), ("key", 32 * 1024)];

/// What is wrong with the remedies of a case.
pub(super) async fn fault(
    case: &Case,
    world: &Value,
    plan: &Plan,
    facts: &Facts,
    before: &[AssessedRequirement],
    now: Timestamp,
) -> Option<String> {
    let is_needed = |found: &&AssessedRequirement| {
        found.criticality == Criticality::Required && !found.outcome.is_allowed()
    };
    if !before.iter().any(|found| is_needed(&found)) {
        return None;
    }
    let found = remedies(plan, facts, now, GrantOptions::default());
    let problem = found
        .remedies
        .iter()
        .filter(|remedy| remedy.is_sound())
        .find_map(broken_promise)
        .or_else(|| changed_verdict(before, &found));
    if problem.is_some() {
        return problem.map(|problem| format!("{problem}\n{}", describe(&found)));
    }
    let mut fixed = world.clone();
    for remedy in found.remedies.iter().filter(|remedy| remedy.is_sound()) {
        carry_out(&mut fixed, remedy, &case.whereabouts());
    }
    // What a remedy writes must be what is taken, and be judged again as it was on paper.
    if let Some(problem) = refused(world, &found).await {
        return Some(format!("{problem}\n{}", describe(&found)));
    }
    if !found.remedies.iter().all(Remedy::is_sound) {
        return None;
    }
    let again = Place::open(&fixed, &found.plan)
        .await
        .survey(&found.plan)
        .await;
    let again = judge(&found.plan, &again, now);
    for verdict in &found.after {
        let later = again
            .iter()
            .find(|later| later.requirement == verdict.requirement);
        if later.is_some_and(|later| {
            is_refused_by_what_was_assumed(verdict, later)
                || is_settled_by_trial(verdict, later)
                || is_written_where_nobody_reads(verdict, later)
        }) {
            continue;
        }
        let later = later.map(|later| later.outcome.as_str());
        // What was unknown is read by then.
        if matches!(verdict.requirement, Requirement::Permission(_))
            && !matches!(verdict.outcome, Verdict::Unknown { .. })
            && later != Some(verdict.outcome.as_str())
        {
            return Some(format!(
                "{} was to be {}, and is {later:?}\n{}",
                verdict.requirement,
                verdict.outcome.as_str(),
                describe(&found)
            ));
        }
    }
    let is_promised = found.after.iter().all(|verdict| {
        verdict.criticality != Criticality::Required
            || matches!(&verdict.outcome, Verdict::Allowed { assumed } if assumed.is_empty())
    });
    if !is_promised {
        return None;
    }
    let endings = play(&fixed, &found.plan).await;
    let is_kept = endings.iter().all(|(_, ending)| ending.is_completed());
    (!is_kept).then(|| {
        format!(
            "the remedies do not suffice: {endings:#?}\n{}",
            describe(&found)
        )
    })
}

/// Whether a call was allowed on paper but for what nobody could read, and AWS, once it had the identity
/// policy that it missed before, names just that.
fn is_refused_by_what_was_assumed(
    paper: &AssessedRequirement,
    later: &AssessedRequirement,
) -> bool {
    let rests_on_more =
        matches!(&paper.outcome, Verdict::Allowed { assumed } if !assumed.is_empty());
    rests_on_more
        && later.outcome == Verdict::Denied
        && later.explanation.contains(" was tried, and refused: ")
        && !later.explanation.contains("identity-based policy")
}

/// Whether the identity policy that was written on paper is one that nobody of the plan may read.
fn is_written_where_nobody_reads(paper: &AssessedRequirement, later: &AssessedRequirement) -> bool {
    let is_of_identity = |unread: &MissingInput| unread.layer == PolicyLayer::Identity;
    let is_unread = matches!(
        &later.outcome,
        Verdict::Unknown { unread, .. } if unread.iter().any(is_of_identity)
    );
    paper.outcome.is_allowed() && is_unread
}

/// Whether what depended on paper was tried by the survey once it was granted, and worked.
fn is_settled_by_trial(paper: &AssessedRequirement, later: &AssessedRequirement) -> bool {
    matches!(paper.outcome, Verdict::Depends { .. })
        && later.outcome.is_allowed()
        && later.explanation.ends_with(", and worked")
}

/// The remedies in a few lines each.
fn describe(found: &Remedies) -> String {
    let lines = found.remedies.iter().map(|remedy| match &remedy.fix {
        Fix::Document { target, after, .. } => {
            let after: String = after.split_whitespace().collect();
            format!(
                "{target}: {after} {:?} {:?}",
                remedy.resolves_in_words(),
                remedy.problems
            )
        }
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What a document of a remedy must not be.
fn broken_promise(remedy: &Remedy) -> Option<String> {
    let Fix::Document {
        target,
        before,
        after,
        ..
    } = &remedy.fix
    else {
        return None;
    };
    let (kind, name) = match target {
        Target::IdentityPolicy { .. } => (DocumentKind::Identity, "identity"),
        Target::BucketPolicy { .. } => (DocumentKind::Bucket, "bucket"),
        Target::KeyPolicy { .. } => (DocumentKind::Key, "key"),
    };
    let errors = |text: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for finding in lint(text, kind) {
            if finding.severity == Severity::Error {
                *counts.entry(finding.message).or_default() += 1;
            }
        }
        counts
    };
    let old = before.as_deref().map(errors).unwrap_or_default();
    for (message, count) in errors(after) {
        if count > old.get(&message).copied().unwrap_or_default() {
            return Some(format!("it has an error: {message}"));
        }
    }
    let public = |text: &str| public_statements(&Document::parse(text).unwrap()).len();
    if public(after) > before.as_deref().map_or(0, public) {
        return Some("it is more public".to_owned());
    }
    let largest = LARGEST.iter().find(|(known, _)| *known == name);
    largest
        .filter(|(_, most)| after.len() > *most)
        .map(|_| format!("it is too large: {}", after.len()))
}

/// A verdict that is worse for the remedies, or better without having been asked for.
fn changed_verdict(before: &[AssessedRequirement], found: &Remedies) -> Option<String> {
    let is_sound = found.remedies.iter().all(Remedy::is_sound);
    let only_adds = found.remedies.iter().all(|remedy| match &remedy.fix {
        Fix::Document { added, .. } => !added.is_empty() && remedy.lets_through.is_empty(),
        Fix::RequestText { .. } => true,
        Fix::Plan { .. } | Fix::EnableRecovery { .. } => false,
    });
    for old in before {
        let Some(new) = found
            .after
            .iter()
            .find(|new| new.requirement == old.requirement)
        else {
            continue;
        };
        if is_sound && old.outcome.is_allowed() && !new.outcome.is_allowed() {
            return Some(format!("{} is worse for it", old.requirement));
        }
        let id = old.requirement.id();
        let is_asked_for = found
            .remedies
            .iter()
            .any(|remedy| remedy.resolves.contains(&id));
        if only_adds && !is_asked_for && old.outcome == Verdict::Denied && new.outcome.is_allowed()
        {
            return Some(format!(
                "{} is better, and was not asked for",
                old.requirement
            ));
        }
    }
    None
}

/// Puts the documents by the API, as an administrator of the account that they lie in.
async fn refused(world: &Value, found: &Remedies) -> Option<String> {
    let place = Place::open(world, &found.plan).await;
    for remedy in found.remedies.iter().filter(|remedy| remedy.is_sound()) {
        let Fix::Document { target, after, .. } = &remedy.fix else {
            continue;
        };
        let answer = place.put(target, after, world).await;
        // An administrator that the document itself keeps out says nothing about the remedy.
        if let Err((code, message)) = answer
            && !code.contains("AccessDenied")
            && !message.contains("will not allow you to update")
        {
            return Some(format!("{target} is refused: {code}: {message}"));
        }
    }
    None
}

/// Whether anyone who judges the lines of the needs reaches the verdicts of the requirements.
pub(super) fn line_fault(
    plan: &Plan,
    facts: &Facts,
    verdicts: &[AssessedRequirement],
    now: Timestamp,
) -> Option<String> {
    let mut worst: BTreeMap<usize, &str> = BTreeMap::new();
    for line in simulate_lines(plan, facts, now) {
        let mut answer = String::new();
        simulate_line(&line, &mut answer);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        let need: usize = id.split('.').next().unwrap().parse().unwrap();
        let is_whole = told["not_read"].as_array().is_some_and(Vec::is_empty);
        let word = match answer["decision"].as_str() {
            _ if !is_whole => "partial",
            Some("allowed") => "allowed",
            Some("depends") => "depends",
            Some("explicit_deny" | "implicit_deny") => "denied",
            _ => "partial",
        };
        let rank = |word: &str| {
            ["allowed", "depends", "denied", "partial"]
                .iter()
                .position(|known| *known == word)
        };
        let known = worst.entry(need).or_insert(word);
        if rank(word) > rank(known) {
            *known = word;
        }
    }
    let permissions = verdicts
        .iter()
        .filter(|found| matches!(found.requirement, Requirement::Permission(_)));
    for (index, verdict) in permissions.enumerate() {
        let Some(word) = worst.get(&index).filter(|word| **word != "partial") else {
            continue;
        };
        // What was tried for real settles more than the policies say.
        let is_witnessed = verdict.explanation.contains(" was tried");
        // A line says which denial it is; a verdict does not care, where it is one either way.
        let is_denied_either_way =
            *word == "depends" && verdict.explanation.contains("is not allowed, whatever ");
        let is_other = *word != verdict.outcome.as_str() && !is_denied_either_way;
        if is_other && !is_witnessed {
            return Some(format!("{} is {word} by its lines", verdict.requirement));
        }
    }
    None
}
