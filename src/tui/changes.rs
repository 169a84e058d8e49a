//! The changes of accounts that were made by us: read, listed, and offered to be taken away.

pub(crate) mod state;

use super::message::{Effect, Query, QueryGroup};
use super::model::{Model, Tone};
use super::popups::state::Popup;
use super::remote::RequestId;
use super::services::ChangeRecord;
use super::steps::progress::state::Offer;
use crate::work::event::Side;

/// Opens the list, and reads it again.
pub(crate) fn open(model: &mut Model) -> Vec<Effect> {
    model.open(Popup::Changes { cursor: 0 });
    reload(model)
}

/// Reads which changes are in place; what is known stays in sight until then.
pub(crate) fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.changes.in_place.ask(request);
    vec![
        Effect::Cancel(QueryGroup::Changes),
        Effect::Ask(request, QueryGroup::Changes, Query::Changes),
    ]
}

/// Takes what is in place. After the last export ended it is offered once to take it away.
pub(crate) fn take(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<ChangeRecord>, String>,
) {
    if !model.changes.in_place.answer(request, answer) {
        return;
    }
    if let Some(why) = model.changes.in_place.error() {
        let text = format!("which changes are in place cannot be read: {why}");
        model.say(Tone::Bad, text);
    }
    let count = model.changes.removable().len();
    model.popups.retain_mut(|open| match &mut open.popup {
        Popup::Changes { cursor } => {
            *cursor = (*cursor).min(count.saturating_sub(1));
            count > 0
        }
        _ => true,
    });
    let is_offered = std::mem::take(&mut model.progress.offer) == Offer::Due;
    let mut removable = model.changes.removable().into_iter();
    if is_offered && removable.any(|change| is_at_hand(model, change)) {
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
