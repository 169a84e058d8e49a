//! The changes that were made by us and are still in place, offered to be taken away.

use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::{Model, Tone};
use crate::tui::outside::{ChangeKind, ChangeRecord};
use crate::tui::popups::Popup;
use crate::tui::remote::RequestId;
use crate::tui::steps::progress::Offer;
use crate::work::event::Side;

/// The changes that can be taken away. Point-in-time recovery stays on: switching it off would
/// destroy the table's recovery window.
pub(crate) fn removable(model: &Model) -> Vec<&ChangeRecord> {
    let known = model.changes.value().into_iter().flatten();
    known
        .filter(|change| change.target.kind() != ChangeKind::Recovery)
        .collect()
}

/// Opens the list, and reads it again.
pub(crate) fn open(model: &mut Model) -> Vec<Effect> {
    model.open(Popup::Changes { cursor: 0 });
    reload(model)
}

/// Reads which changes are in place; what is known stays in sight until then.
pub(crate) fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.changes.ask(request);
    vec![
        Effect::Cancel(Errand::Changes),
        Effect::Ask(request, Errand::Changes, Query::Changes),
    ]
}

/// Takes what is in place. After the last export ended it is offered once to take it away.
pub(crate) fn take(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<ChangeRecord>, String>,
) {
    if !model.changes.answer(request, answer) {
        return;
    }
    if let Some(why) = model.changes.error() {
        let text = format!("which changes are in place cannot be read: {why}");
        model.say(Tone::Bad, text);
    }
    let count = removable(model).len();
    model.popups.retain_mut(|popup| match popup {
        Popup::Changes { cursor } => {
            *cursor = (*cursor).min(count.saturating_sub(1));
            count > 0
        }
        _ => true,
    });
    let is_offered = std::mem::take(&mut model.progress.offer) == Offer::Due;
    if is_offered
        && removable(model)
            .iter()
            .any(|change| is_at_hand(model, change))
    {
        model.announce(Popup::Changes { cursor: 0 });
    }
}

/// Whether somebody is signed in to the account of a change.
fn is_at_hand(model: &Model, change: &ChangeRecord) -> bool {
    [Side::Source, Side::Destination]
        .into_iter()
        .filter_map(|side| model.identified(side))
        .any(|known| known.identity.account == change.account)
}

/// Does an action of the list.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Popup::Changes { cursor }) = model.popup() else {
        return Vec::new();
    };
    let change = removable(model).get(*cursor).map(|change| change.id);
    match (action, change) {
        (Action::Undo, Some(id)) if consent::is_possible(model) => consent::propose_undo(model, id),
        (Action::Undo, Some(_)) if model.is_read_only => {
            model.say(Tone::Warning, "nothing is changed with --read-only");
            Vec::new()
        }
        _ => Vec::new(),
    }
}
