//! What the keys of the Destination step do.

use super::state::BucketOwner;
use crate::assess::facts::BucketFacts;
use crate::aws::s3::Bucket;
use crate::job::Prefix;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::Model;
use crate::tui::popups::state::{Popup, TypedPurpose};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::services::ShownProblem;
use crate::work::event::Side;
use tableferry_policy::arn::BucketName;

/// Drops what another identity of the destination has read.
pub(crate) fn drop_outdated(model: &mut Model) -> Vec<Effect> {
    let side = model.accounts.destination.revision;
    if !model.destination.side.follow(side) {
        return Vec::new();
    }
    model.destination.forget();
    [QueryGroup::Buckets, QueryGroup::Bucket]
        .map(Effect::Cancel)
        .to_vec()
}

/// What entering the step sets off.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let can_read = model.identified(Side::Destination).is_some();
    if can_read && model.destination.buckets.is_not_asked() {
        effects.extend(reload(model));
    }
    if can_read
        && model.destination.facts.is_not_asked()
        && let Some(bucket) = model.destination.bucket.clone()
    {
        effects.extend(read_bucket(model, bucket));
    }
    effects
}

fn reload(model: &mut Model) -> Vec<Effect> {
    if model.identified(Side::Destination).is_none() {
        return Vec::new();
    }
    let request = model.request();
    model.destination.buckets.ask(request);
    let mut effects = vec![Effect::Ask(request, QueryGroup::Buckets, Query::Buckets)];
    if !model.destination.facts.is_not_asked()
        && let Some(bucket) = model.destination.bucket.clone()
    {
        effects.extend(read_bucket(model, bucket));
    }
    effects
}

/// Takes the account's buckets.
pub(crate) fn take_buckets(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<Bucket>, crate::aws::Failure>,
) -> bool {
    let is_taken = model.destination.buckets.answer(request, answer);
    if is_taken {
        model.destination.place_cursor();
    }
    is_taken
}

/// Chooses a bucket; what was known of another one goes.
pub(crate) fn choose(model: &mut Model, bucket: BucketName) -> Vec<Effect> {
    model.destination.choose(bucket.clone());
    if model.identified(Side::Destination).is_some() {
        read_bucket(model, bucket)
    } else {
        Vec::new()
    }
}

fn read_bucket(model: &mut Model, bucket: BucketName) -> Vec<Effect> {
    let request = model.request();
    model.destination.facts = Remote::Loading(request);
    vec![
        Effect::Cancel(QueryGroup::Bucket),
        Effect::Ask(request, QueryGroup::Bucket, Query::Bucket(bucket)),
    ]
}

/// Takes what was read of the chosen bucket; says whether it still counted.
pub(crate) fn take_facts(model: &mut Model, request: RequestId, facts: BucketFacts) -> bool {
    let owner = facts.owner.value().cloned();
    if !model.destination.facts.answer(request, Ok(facts)) {
        return false;
    }
    if let (Some(owner), BucketOwner::Unknown | BucketOwner::Found(_)) =
        (owner, &model.destination.owner)
    {
        model.destination.owner = BucketOwner::Found(owner);
    }
    true
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let destination = &model.destination;
    match action {
        Action::Choose => destination
            .row()
            .is_some_and(|row| Some(&row.name) != destination.bucket.as_ref()),
        Action::Prefix | Action::Owner => destination.bucket.is_some(),
        Action::Reload => model.identified(Side::Destination).is_some(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let destination = &model.destination;
    match action {
        Action::Choose => {
            return match destination.row() {
                Some(row) => choose(model, row.name),
                None => Vec::new(),
            };
        }
        Action::Prefix => {
            let prefix = destination.prefix.as_ref().map_or("", Prefix::as_str);
            let popup = Popup::typed(TypedPurpose::Prefix, prefix);
            model.open(popup);
        }
        Action::Owner => {
            let owner = destination
                .owner()
                .map(ToString::to_string)
                .unwrap_or_default();
            model.open(Popup::typed(TypedPurpose::Owner, &owner));
        }
        Action::Type => model.open(Popup::typed(TypedPurpose::Bucket, "")),
        Action::Reload => return reload(model),
        _ => {}
    }
    Vec::new()
}

/// What is missing before the encryption can be chosen.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    let destination = &model.destination;
    let blocked = |what: String, hint: &str| {
        Err(ShownProblem {
            what,
            hint: hint.to_owned(),
        })
    };
    let Some(bucket) = &destination.bucket else {
        return blocked(
            "no bucket is chosen yet".to_owned(),
            "Enter chooses one, t takes a name",
        );
    };
    if destination.facts.is_loading() {
        return blocked(format!("still reading {bucket}"), "one moment");
    }
    if model.flow.sends_owner && destination.owner().is_none() {
        return blocked(
            format!("whose bucket {bucket} is is not known"),
            "give its account with o: an export into another account's bucket must name it",
        );
    }
    Ok(())
}
