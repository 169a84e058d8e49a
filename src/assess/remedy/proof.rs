//! The proof that a document may be written: nothing in it is wrong that was not before, it makes the
//! bucket no more public, it is not too large, and no verdict is worse for it.

use super::Target;
use crate::assess::facts::Facts;
use crate::assess::judge::stale_principals;
use crate::assess::verdict::AssessedRequirement;
use crate::job::requirement::Actor;
use tableferry_policy::arn::BucketName;
use tableferry_policy::lint::{DocumentKind, Finding, Severity, lint, lint_policy};
use tableferry_policy::policy::Policy;
use tableferry_policy::public::public_statements;

/// Why a document must not be written; none where it may.
pub(super) fn problems(
    target: &Target,
    before: Option<&Policy>,
    after: &str,
    facts: &Facts,
) -> Vec<String> {
    let after = &Policy::from(after);
    let kind = match target {
        Target::IdentityPolicy { .. } => DocumentKind::Identity,
        Target::BucketPolicy { .. } => DocumentKind::Bucket,
        Target::KeyPolicy { .. } => DocumentKind::Key,
    };
    let old = before.map(|policy| lint_policy(policy, kind));
    let old = old.unwrap_or_default();
    let new = lint_policy(after, kind);
    let exceeds_limit = new.iter().any(|finding| finding.rule == SIZE);
    let mut problems: Vec<String> = new_findings(&old, &new)
        .into_iter()
        // The limit of a managed policy; ours is an inline one, which has another.
        .filter(|finding| finding.rule != SIZE || kind != DocumentKind::Identity)
        .map(|finding| format!("{}: {} ({})", finding.place, finding.message, finding.fix))
        .collect();
    if kind != DocumentKind::Identity && exceeds_limit {
        problems.extend(before.and_then(weightiest));
    }
    if let Target::IdentityPolicy { who, .. } = target {
        problems.extend(inline_size(facts, *who, after.text()));
    }
    if let Target::BucketPolicy { bucket } = target {
        problems.extend(publicity(bucket, before, after, facts));
    }
    problems
}

/// Whether a document is larger than AWS takes.
pub(super) fn is_too_large(target: &Target, after: &str, facts: &Facts) -> bool {
    match target {
        Target::IdentityPolicy { who, .. } => inline_size(facts, *who, after).is_some(),
        Target::BucketPolicy { .. } => has_size_finding(after, DocumentKind::Bucket),
        Target::KeyPolicy { .. } => has_size_finding(after, DocumentKind::Key),
    }
}

fn has_size_finding(text: &str, kind: DocumentKind) -> bool {
    lint(text, kind).iter().any(|finding| finding.rule == SIZE)
}

/// The rule of the linter that a document is too large by.
const SIZE: &str = "size";

/// "2,048 characters" for all inline policies of a user together and "10,240" for those of a role,
/// white space not counted ("IAM and AWS STS quotas").
fn inline_size(facts: &Facts, who: Actor, after: &str) -> Option<String> {
    let side = facts.principal(who);
    let most = if side.is_role_session() { 10_240 } else { 2048 };
    let length = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let inline = side.known_identity_policies().iter();
    let total: usize = inline
        .filter(|policy| !policy.name.starts_with("arn:"))
        .map(|policy| length(policy.document.text()))
        .sum::<usize>()
        + length(after);
    (total > most).then(|| {
        format!(
            "the inline policies would hold {total} characters, and at most {most} are taken: a managed \
             policy, which holds 6,144, can be attached in its place"
        )
    })
}

/// Which statements of a document that is too large could go: those that name nobody who exists any
/// more, and those that take the most room.
fn weightiest(before: &Policy) -> Option<String> {
    const MOST: usize = 3;
    let document = before.document().ok()?;
    let stale = stale_principals(document);
    let whole: serde_json::Value = serde_json::from_str(before.text()).ok()?;
    let statements = whole.get("Statement")?.as_array()?;
    let mut sized: Vec<(usize, usize)> = statements
        .iter()
        .enumerate()
        .map(|(index, statement)| (statement.to_string().len(), index))
        .collect();
    sized.sort_unstable_by(|one, other| other.cmp(one));
    let label = |index: usize| {
        let statement = document.statements().get(index)?;
        Some(statement.label(index))
    };
    let largest: Vec<String> = sized
        .iter()
        .take(MOST)
        .filter_map(|(size, index)| Some(format!("`{}` ({size} bytes)", label(*index)?)))
        .collect();
    let dead: Vec<String> = stale
        .iter()
        .map(|one| format!("`{}` names the deleted {}", one.sid, one.id))
        .collect();
    let dead = if dead.is_empty() {
        String::new()
    } else {
        format!("; {}", dead.join(", "))
    };
    Some(format!(
        "its largest statements are {}{dead}",
        largest.join(", ")
    ))
}

/// Whether a document has a finding that it had not: what is changed in it is put behind what stood
/// there, so that the findings of a rule keep their order, and those that are new are the last.
fn new_findings<'f>(old: &[Finding], new: &'f [Finding]) -> Vec<&'f Finding> {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let of_rule = |rule: &str| {
        old.iter()
            .filter(is_error)
            .filter(|one| one.rule == rule)
            .count()
    };
    let errors = new.iter().filter(is_error).enumerate();
    errors
        .filter(|(at, finding)| {
            let before = new.iter().filter(is_error).take(*at);
            let earlier = before.filter(|one| one.rule == finding.rule).count();
            finding.rule == SIZE || earlier >= of_rule(finding.rule)
        })
        .map(|(_, finding)| finding)
        .collect()
}

fn publicity(
    bucket: &BucketName,
    before: Option<&Policy>,
    after: &Policy,
    facts: &Facts,
) -> Option<String> {
    let count = |policy: &Policy| {
        let document = policy.document();
        document.map_or(0, |document| public_statements(document).len())
    };
    let (old, new) = (before.map_or(0, count), count(after));
    if new > old {
        return Some("it would make the bucket's policy public".to_owned());
    }
    let blocking = facts
        .public_access_blocks(bucket)
        .into_iter()
        .find(|(_, fact)| fact.value().is_some_and(|block| block.block_public_policy));
    let (place, _) = blocking.filter(|_| new > 0)?;
    Some(format!(
        "the policy counts as public already, and Block Public Access of {place} refuses public \
         policies: make it non-public first"
    ))
}

/// The verdicts that were allowed and would be no more.
pub(super) fn worsened(
    before: &[AssessedRequirement],
    after: &[AssessedRequirement],
) -> Vec<String> {
    before
        .iter()
        .filter(|verdict| verdict.outcome.is_allowed())
        .filter(|verdict| {
            after.iter().any(|later| {
                later.requirement.id() == verdict.requirement.id() && !later.outcome.is_allowed()
            })
        })
        .map(|verdict| format!("{} would be allowed no more", verdict.requirement))
        .collect()
}
