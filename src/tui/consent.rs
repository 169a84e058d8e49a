//! Changes of accounts: shown, agreed to, done, and waited for.
//!
//! This module decides what it takes to change an account: a change that was shown as a whole, a yes
//! to it alone, and where an account marked production is concerned, its typed name. What is agreed
//! to is carried in the question itself, so that nothing read meanwhile can take its place.

use super::assessing;
use super::changes;
use super::changes::state::{ChangePhase, ChangeUnderWay};
use super::message::{Effect, Mutation, Query, QueryGroup};
use super::model::{Model, Tone};
use super::popups::state::{Popup, Question, TypedPurpose};
use super::remote::RequestId;
use super::services::{
    Applied, ChangeId, PropagationReport, PropagationStatus, Proposed, ProposedChange, ReadBack,
    Undone,
};

/// Takes the yes to a change: it is done, or the account's name is asked for first.
pub(crate) fn agree(model: &mut Model, proposed: Box<Proposed>) -> Vec<Effect> {
    if proposed.name_to_type.is_some() {
        model.open(Popup::typed(TypedPurpose::AccountName(proposed), ""));
        return Vec::new();
    }
    change_account(model, proposed.change)
}

/// Takes the typed name of the account.
pub(crate) fn agree_by_name(
    model: &mut Model,
    proposed: &Proposed,
    typed: &str,
) -> Result<Vec<Effect>, String> {
    match &proposed.name_to_type {
        Some(name) if name != typed => Err(format!("`{typed}` is not `{name}`")),
        _ => Ok(change_account(model, proposed.change.clone())),
    }
}

/// Whether an account may be changed now.
pub(crate) const fn is_possible(model: &Model) -> bool {
    !model.is_read_only && model.changes.under_way.is_none()
}

fn change_account(model: &mut Model, change: ProposedChange) -> Vec<Effect> {
    if !is_possible(model) {
        return Vec::new();
    }
    let (title, stage, mutation) = match change {
        ProposedChange::Apply(proposal) => {
            // The plan that the proposal was found for; a popup lets nobody change it.
            let Some(plan) = assessing::assessed_plan(model) else {
                return Vec::new();
            };
            let title = proposal.title.clone();
            let mutation = Mutation::Apply(Box::new(plan), proposal);
            (title, ChangePhase::Writing, mutation)
        }
        ProposedChange::Undo(undo) => {
            let title = undo.record.title.clone();
            (title, ChangePhase::TakingAway, Mutation::Undo(undo))
        }
        ProposedChange::SetUp(proposal) => {
            let Some(plan) = model.assessing.plan.clone() else {
                return Vec::new();
            };
            let title = proposal.title.clone();
            let mutation = Mutation::SetUpInventory(Box::new(plan), proposal);
            (title, ChangePhase::Writing, mutation)
        }
    };
    let request = model.mutation();
    model.changes.under_way = Some(ChangeUnderWay {
        title,
        since: model.now,
        stage,
    });
    vec![Effect::Mutate(request, mutation)]
}

/// Takes a change that was written, and waits for it to hold.
pub(crate) fn take_applied(model: &mut Model, applied: &Applied) -> Vec<Effect> {
    tell_read_back(model, &applied.title, &applied.read_back);
    model.changes.made.push((applied.id, applied.title.clone()));
    model.changes.applied.advance();
    let Some(plan) = assessing::assessed_plan(model) else {
        model.changes.under_way = None;
        return Vec::new();
    };
    let request = model.request();
    model.changes.under_way = Some(ChangeUnderWay {
        title: applied.title.clone(),
        since: model.now,
        stage: ChangePhase::Propagating(request),
    });
    let wait = Query::WaitForPropagation(Box::new(plan), applied.id);
    vec![Effect::Ask(request, QueryGroup::Propagation, wait)]
}

/// Takes the end of the wait, and reads both accounts again.
pub(crate) fn take_propagation(
    model: &mut Model,
    request: RequestId,
    held: &PropagationReport,
) -> Vec<Effect> {
    let is_awaited = model
        .changes
        .under_way
        .as_ref()
        .is_some_and(|changing| changing.stage == ChangePhase::Propagating(request));
    let Some(changing) = model.changes.under_way.take_if(|_| is_awaited) else {
        return Vec::new();
    };
    let title = changing.title;
    let unsure = held
        .changes
        .iter()
        .find_map(|(_, standing)| match standing {
            PropagationStatus::Holds => None,
            PropagationStatus::NotYet(why) => Some(("The change may not hold yet", why)),
            PropagationStatus::Unknown(why) => Some(("Whether the change holds is not known", why)),
        });
    match unsure {
        None => model.say(Tone::Good, format!("changed, and it holds: {title}")),
        Some((heading, why)) => {
            model.say(Tone::Warning, format!("{title}: changed"));
            model.announce(Popup::text(heading, format!("{title} was changed: {why}")));
        }
    }
    assessing::assess_anew(model)
}

/// Takes the reason why a change was not made, word for word. What was shown may be wrong now, so
/// both accounts are read again.
pub(crate) fn take_not_applied(model: &mut Model, why: String) -> Vec<Effect> {
    model.changes.under_way = None;
    model.announce(Popup::text("The change was not made", why));
    assessing::assess_anew(model)
}

/// Takes a change that was taken away.
pub(crate) fn take_undone(model: &mut Model, undone: &Undone) -> Vec<Effect> {
    let title = model.changes.under_way.take().map_or_else(
        || format!("change {}", undone.id),
        |changing| changing.title,
    );
    tell_read_back(model, &title, &undone.read_back);
    if undone.left.is_empty() {
        model.changes.made.retain(|(id, _)| *id != undone.id);
    }
    if !undone.left.is_empty() {
        let text = format!(
            "{title}: this was altered by somebody else since, and was left as it is:\n\n{}",
            undone.left.join("\n")
        );
        model.announce(Popup::text("Not all was taken away", text));
    }
    let end = if undone.was_in_place {
        "taken away"
    } else {
        "was gone already"
    };
    model.say(Tone::Good, format!("{title}: {end}"));
    model.changes.undone.advance();
    changes::reload(model)
}

/// Takes the reason why a change was not taken away, word for word.
pub(crate) fn take_not_undone(model: &mut Model, why: String) -> Vec<Effect> {
    model.changes.under_way = None;
    model.announce(Popup::text("The change stays in place", why));
    changes::reload(model)
}

/// Tells what was read after a write, where it is not what was written.
fn tell_read_back(model: &mut Model, title: &str, read_back: &ReadBack) {
    match read_back {
        ReadBack::AsWritten | ReadBack::NotYet => {}
        ReadBack::Lost { diff } => {
            let text = format!(
                "{title}: somebody else wrote at the same time, and one of the two updates is lost. \
                 What was written, and what stands there now:\n\n{diff}"
            );
            model.announce(Popup::text("An update was lost", text));
        }
        ReadBack::Unread(failure) => {
            let text = format!("{title} was written, and could not be read back: {failure}");
            model.say(Tone::Warning, text);
        }
    }
}

/// Asks for what taking a change away would do.
pub(crate) fn propose_undo(model: &mut Model, id: ChangeId) -> Vec<Effect> {
    let request = model.request();
    model.changes.undo_asked = Some(request);
    vec![
        Effect::Cancel(QueryGroup::Undo),
        Effect::Ask(request, QueryGroup::Undo, Query::ProposeUndo(id)),
    ]
}

/// Asks whether a change is to be taken away, now that it is known what that would do.
pub(crate) fn take_undo_proposal(
    model: &mut Model,
    request: RequestId,
    answer: Result<Proposed, String>,
) {
    if model.changes.undo_asked != Some(request) {
        return;
    }
    model.changes.undo_asked = None;
    // The one who closed the list meanwhile wants no question any more.
    if !matches!(model.popup(), Some(Popup::Changes { .. })) {
        return;
    }
    match answer {
        Ok(proposed) => model.ask(Question::Change(Box::new(proposed))),
        Err(why) => model.open(Popup::text("The change stays in place", why)),
    }
}
