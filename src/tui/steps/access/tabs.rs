//! The tabs of the Access step: the checks, then what fixes them, then the policies in full.

use super::state::Tab;
use crate::assess::remedy::{Fix, Remedy, Target, WholePolicy};
use crate::assess::verdict::{Requirement, VerdictGroup};
use crate::tui::assessing::assessed;
use crate::tui::model::Model;
use crate::tui::services::AssessedPlan;
use crate::work::event::Side;

/// What is under the cursor of the checks.
#[derive(Debug, Clone)]
pub(crate) enum CheckInSight<'a> {
    /// A verdict, with those of the same cause.
    Requirement(VerdictGroup<'a>),
    /// What could not be read, all of it.
    Assumed,
}

/// The tabs there are now.
pub(crate) fn tabs(model: &Model) -> Vec<Tab> {
    let remedies = assessed(model).map_or(0, |assessed| assessed.remedies.len());
    let policies = assessed(model).map_or(0, |assessed| assessed.policies.len());
    std::iter::once(Tab::Checks)
        .chain((0..remedies).map(Tab::Remedy))
        .chain((0..policies).map(Tab::Policy))
        .collect()
}

/// A tab's title.
pub(crate) fn title(model: &Model, tab: Tab) -> String {
    match tab {
        Tab::Checks => "Checks".to_owned(),
        Tab::Remedy(_) => remedy(model, tab).map_or_else(String::new, |(_, remedy)| {
            format!("Fix {}", short_title(remedy))
        }),
        Tab::Policy(_) => policy(model, tab).map_or_else(String::new, |policy| {
            policy_title(&policy.target).to_owned()
        }),
    }
}

fn short_title(remedy: &Remedy) -> &'static str {
    match &remedy.fix {
        Fix::Document { target, .. } => match target {
            Target::IdentityPolicy { .. } => "identity",
            Target::BucketPolicy { .. } => "bucket",
            Target::KeyPolicy { .. } => "key",
        },
        Fix::EnableRecovery { .. } => "recovery",
        Fix::Plan { .. } => "plan",
        Fix::RequestText { .. } => "message",
    }
}

/// What is assessed, in the order in which it is shown.
pub(super) fn subjects(model: &Model) -> Vec<Requirement> {
    let verdicts = assessed(model).map_or(&[][..], |assessed| &assessed.verdicts);
    let subjects = verdicts.iter().map(|verdict| verdict.requirement.clone());
    subjects.collect()
}

pub(super) fn titles(model: &Model) -> Vec<String> {
    let tabs = tabs(model);
    tabs.into_iter().map(|tab| title(model, tab)).collect()
}

/// The remedy of a tab, with what all was assessed of.
pub(crate) fn remedy(model: &Model, tab: Tab) -> Option<(&AssessedPlan, &Remedy)> {
    let Tab::Remedy(place) = tab else {
        return None;
    };
    let assessed = assessed(model)?;
    Some((assessed, assessed.remedies.get(place)?))
}

/// The policy of a tab.
pub(crate) fn policy(model: &Model, tab: Tab) -> Option<&WholePolicy> {
    match tab {
        Tab::Policy(place) => assessed(model)?.policies.get(place),
        Tab::Checks | Tab::Remedy(_) => None,
    }
}

/// What to know before a policy is copied.
pub(crate) fn notes(model: &Model) -> &[String] {
    assessed(model).map_or(&[], |assessed| &assessed.notes)
}

pub(super) const fn policy_title(target: &Target) -> &'static str {
    match target {
        Target::IdentityPolicy { .. } => "Identity",
        Target::BucketPolicy { .. } => "Bucket",
        Target::KeyPolicy { .. } => "Key",
    }
}

/// Where a policy belongs, in a sentence.
pub(crate) fn policy_place(model: &Model, policy: &WholePolicy) -> String {
    match &policy.target {
        Target::IdentityPolicy { .. } => {
            let plan = model.plan();
            let named = plan.as_ref().and_then(|plan| plan.principal());
            let source = model.identified(Side::Source);
            let who = named.or(source.map(|known| &known.identity.arn));
            let who = who.map_or_else(String::new, ToString::to_string);
            let does = plan.as_ref().map_or("", |plan| plan.words().participle);
            format!("Attach to the {does} principal: {who}")
        }
        Target::BucketPolicy { bucket, .. } => {
            let owner = model.destination.owner().map_or_else(
                || "the bucket's account".to_owned(),
                |owner| format!("account {owner}"),
            );
            format!("Add to the policy of bucket {bucket}, in {owner}")
        }
        Target::KeyPolicy { key } => format!("Add to the key policy of {key}"),
    }
}

/// How many rows the checks have: a verdict each, and one for what could not be read.
pub(crate) fn row_count(model: &Model) -> usize {
    assessed(model).map_or(0, |assessed| {
        assessed.groups().len() + usize::from(!assessed.assumed().is_empty())
    })
}

/// What is under the cursor of the checks.
pub(crate) fn checked(model: &Model) -> Option<CheckInSight<'_>> {
    let assessed = assessed(model)?;
    match assessed.groups().into_iter().nth(model.access.cursor) {
        Some(group) => Some(CheckInSight::Requirement(group)),
        None => (model.access.cursor < row_count(model)).then_some(CheckInSight::Assumed),
    }
}
