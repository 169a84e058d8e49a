//! Changes of accounts: shown, agreed to, done, and waited for.
//!
//! This module decides what it takes to change an account: a change that was shown as a whole, a yes
//! to it alone, and where an account marked production is concerned, its typed name. What is agreed
//! to is carried in the question itself, so that nothing read meanwhile can take its place.

use jiff::Timestamp;

use super::message::{Deed, Effect, Errand, Query};
use super::model::{Model, Tone};
use super::outside::{
    Applied, ChangeId, PropagationReport, PropagationStatus, Proposal, ReadBack, UndoProposal,
    Undone,
};
use super::popups::question::Question;
use super::popups::typed::{self, Purpose};
use super::popups::{Popup, changes};
use super::remote::RequestId;
use super::steps::access;
use tableferry_policy::arn::AccountId;

/// A change as it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// What is to be done.
    pub change: ProposedChange,
    /// The name to type, where an account marked production is concerned.
    pub name_to_type: Option<String>,
}

/// What is to be done to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposedChange {
    /// A remedy is applied.
    Apply(Box<Proposal>),
    /// A change of ours is taken away.
    Undo(Box<UndoProposal>),
}

impl Proposed {
    /// What is changed, such as `bucket policy of export-landing`.
    #[must_use]
    pub fn title(&self) -> &str {
        match &self.change {
            ProposedChange::Apply(proposal) => &proposal.title,
            ProposedChange::Undo(undo) => &undo.record.title,
        }
    }

    /// The account that is changed.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match &self.change {
            ProposedChange::Apply(proposal) => &proposal.account,
            ProposedChange::Undo(undo) => &undo.record.account,
        }
    }
}

/// A change under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changing {
    /// What is changed.
    pub(crate) title: String,
    /// Since when.
    pub(crate) since: Timestamp,
    pub(crate) stage: Stage,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is being written.
    Writing(RequestId),
    /// It is being taken away.
    TakingAway(RequestId),
    /// It is written, and waited for until it holds.
    Holding(RequestId),
    /// An upload is begun and taken back.
    Probing(RequestId),
}

/// Takes the yes to a change: it is done, or the account's name is asked for first.
pub(crate) fn agree(model: &mut Model, proposed: Box<Proposed>) -> Vec<Effect> {
    if proposed.name_to_type.is_some() {
        model.open(typed::popup(Purpose::AccountName(proposed), ""));
        return Vec::new();
    }
    carry_out(model, proposed.change)
}

/// Takes the typed name of the account.
pub(crate) fn agree_by_name(
    model: &mut Model,
    proposed: &Proposed,
    typed: &str,
) -> Result<Vec<Effect>, String> {
    match &proposed.name_to_type {
        Some(name) if name != typed => Err(format!("`{typed}` is not `{name}`")),
        _ => Ok(carry_out(model, proposed.change.clone())),
    }
}

/// Whether an account may be changed now.
pub(crate) const fn is_possible(model: &Model) -> bool {
    !model.is_read_only && model.changing.is_none()
}

fn carry_out(model: &mut Model, change: ProposedChange) -> Vec<Effect> {
    if !is_possible(model) {
        return Vec::new();
    }
    let request = model.request();
    let (title, stage, deed) = match change {
        ProposedChange::Apply(proposal) => {
            // The plan that the proposal was found for; a popup lets nobody change it.
            let Some(plan) = model.access.plan.clone() else {
                return Vec::new();
            };
            let title = proposal.title.clone();
            let deed = Deed::Apply(Box::new(plan), proposal);
            (title, Stage::Writing(request), deed)
        }
        ProposedChange::Undo(undo) => {
            let title = undo.record.title.clone();
            (title, Stage::TakingAway(request), Deed::Undo(undo))
        }
    };
    model.deeds.push(request);
    model.changing = Some(Changing {
        title,
        since: model.now,
        stage,
    });
    vec![Effect::Do(request, deed)]
}

/// Takes a change that was written, and waits for it to hold.
pub(crate) fn take_applied(model: &mut Model, applied: &Applied) -> Vec<Effect> {
    tell_read_back(model, &applied.title, &applied.read_back);
    model.made.push((applied.id, applied.title.clone()));
    model.tables.unread();
    let Some(plan) = model.access.plan.clone() else {
        model.changing = None;
        return Vec::new();
    };
    let request = model.request();
    model.changing = Some(Changing {
        title: applied.title.clone(),
        since: model.now,
        stage: Stage::Holding(request),
    });
    let wait = Query::Hold(Box::new(plan), applied.id);
    vec![Effect::Ask(request, Errand::Holding, wait)]
}

/// Takes the end of the wait, and reads both accounts again.
pub(crate) fn take_held(
    model: &mut Model,
    request: RequestId,
    held: &PropagationReport,
) -> Vec<Effect> {
    let is_awaited = model
        .changing
        .as_ref()
        .is_some_and(|changing| changing.stage == Stage::Holding(request));
    let Some(changing) = model.changing.take_if(|_| is_awaited) else {
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
    access::survey(model)
}

/// Takes the reason why a change was not made, word for word. What was shown may be wrong now, so
/// both accounts are read again.
pub(crate) fn take_not_applied(model: &mut Model, why: String) -> Vec<Effect> {
    model.changing = None;
    model.announce(Popup::text("The change was not made", why));
    access::survey(model)
}

/// Takes a change that was taken away.
pub(crate) fn take_undone(model: &mut Model, undone: &Undone) -> Vec<Effect> {
    let title = model.changing.take().map_or_else(
        || format!("change {}", undone.id),
        |changing| changing.title,
    );
    tell_read_back(model, &title, &undone.read_back);
    if undone.left.is_empty() {
        model.made.retain(|(id, _)| *id != undone.id);
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
    // What was judged with the change in place is no more.
    model.access.forget();
    changes::reload(model)
}

/// Takes the reason why a change was not taken away, word for word.
pub(crate) fn take_not_undone(model: &mut Model, why: String) -> Vec<Effect> {
    model.changing = None;
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
    model.undo_asked = Some(request);
    vec![
        Effect::Cancel(Errand::Undo),
        Effect::Ask(request, Errand::Undo, Query::ProposeUndo(id)),
    ]
}

/// Asks whether a change is to be taken away, now that it is known what that would do.
pub(crate) fn take_undo_proposal(
    model: &mut Model,
    request: RequestId,
    answer: Result<Proposed, String>,
) {
    if model.undo_asked != Some(request) {
        return;
    }
    model.undo_asked = None;
    // The one who closed the list meanwhile wants no question any more.
    if !matches!(model.popup(), Some(Popup::Changes { .. })) {
        return;
    }
    match answer {
        Ok(proposed) => model.ask(Question::Change(Box::new(proposed))),
        Err(why) => model.open(Popup::text("The change stays in place", why)),
    }
}
