//! What settles an unknown, seen on worlds made at random: the readings that it names, and a probe.

use std::collections::BTreeSet;

use tableferry::assess::judge::judge;
use tableferry::assess::verdict::{AssessedRequirement, SettledBy, Verdict};
use tableferry::job::requirement::Criticality;

use super::case::Case;
use super::unread::{is_of_limit, lift};
use crate::predictions::place::{self, Ending, Place};

/// What a call of the probe's own and an export's differ in, as words of a policy.
const TELLS_APART: [&str; 6] = [
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:ViaAWSService",
    "aws:CalledVia",
    "s3:x-amz-acl",
    "aws:CurrentTime",
];

fn required(verdicts: &[AssessedRequirement]) -> impl Iterator<Item = &AssessedRequirement> {
    verdicts
        .iter()
        .filter(|found| found.criticality == Criticality::Required)
}

/// What is unknown, and the permissions that would make it known.
fn unknown(verdicts: &[AssessedRequirement]) -> (BTreeSet<String>, Vec<String>) {
    let mut requirements = BTreeSet::new();
    let mut permissions = Vec::new();
    for found in required(verdicts) {
        if let Verdict::Unknown { unread, .. } = &found.outcome {
            requirements.insert(found.requirement.to_string());
            permissions.extend(unread.iter().map(|unread| unread.permission.clone()));
        }
    }
    (requirements, permissions)
}

/// Whether what is unknown stays so though what it names may be read, and would be known if every grant
/// could be.
pub(super) async fn reading_fault(case: &Case, verdicts: &[AssessedRequirement]) -> Option<String> {
    let plan = place::plan(&case.plan());
    let mut lifted = case.clone();
    let (mut left, mut named) = unknown(verdicts);
    while lift(&mut lifted, &named) {
        let verdicts = Place::open(&lifted.world(), &plan).await.check(&plan).await;
        (left, named) = unknown(&verdicts);
    }
    if left.is_empty() || case.refusals.iter().all(is_of_limit) {
        return None;
    }
    let mut open = case.clone();
    open.refusals.retain(is_of_limit);
    let place = Place::open(&open.world(), &plan).await;
    let facts = serde_json::to_string(&place.survey(&plan).await).unwrap();
    // A Deny of the exporter's own may hit the reading, too: then nothing that it names may be read.
    let is_unread =
        |permission: &String| facts.contains(&format!(r#""permission":"{permission}""#));
    if !named.is_empty() && named.iter().all(is_unread) {
        return None;
    }
    let known = place.check(&plan).await;
    let (still, _) = unknown(&known);
    let hidden: Vec<&String> = left.difference(&still).collect();
    (!hidden.is_empty()).then(|| {
        format!("unknown though what it names may be read, and known where all may be: {hidden:?}, naming {named:?}")
    })
}

/// Whether a probe leaves open what it is said to settle, or settles it another way than the export.
pub(super) async fn probe_fault(
    case: &Case,
    before: &[AssessedRequirement],
    endings: &[(String, Ending)],
) -> Option<String> {
    let is_for_probe = |found: &AssessedRequirement| {
        matches!(
            &found.outcome,
            Verdict::Unknown {
                settled_by: SettledBy::Probe,
                ..
            }
        )
    };
    let is_denied = required(before).any(|found| found.outcome == Verdict::Denied);
    if is_denied || !required(before).any(is_for_probe) {
        return None;
    }
    let plan = place::plan(&case.plan());
    let world = case.world();
    let place = Place::open(&world, &plan).await;
    let mut facts = place.survey(&plan).await;
    let report = place.probe(&plan).await?;
    report.put_into(&mut facts);
    let after = judge(&plan, &facts, jiff::Timestamp::now());
    if !report.is_success() {
        return None;
    }
    if let Some(open) = required(&after).find(|found| is_for_probe(found)) {
        return Some(format!("a probe leaves {} open", open.requirement));
    }
    let text = world.to_string();
    let are_distinct = TELLS_APART.iter().any(|word| text.contains(word));
    let is_assumed_of_probe = |found: &AssessedRequirement| match &found.outcome {
        Verdict::Allowed { assumed } => assumed
            .iter()
            .all(|unread| unread.what.starts_with("no condition on ")),
        _ => false,
    };
    let has_failed = endings.iter().any(|(_, ending)| !ending.is_completed());
    let is_promised = !are_distinct && required(&after).all(is_assumed_of_probe);
    (is_promised && has_failed)
        .then(|| format!("a probe settles it, and yet it does not complete: {endings:#?}"))
}
