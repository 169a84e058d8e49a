//! The runs under way: resuming one of an earlier session.

use super::state::Popup;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::remote::Remote;
use crate::tui::steps::accounts::state::Chosen;
use crate::tui::steps::{self, accounts, progress};
use crate::work::event::Side;

/// Does an action of the list.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Popup::Runs { cursor, .. }) = model.popup() else {
        return Vec::new();
    };
    let run = model
        .open_runs
        .value()
        .and_then(|runs| runs.get(*cursor))
        .cloned();
    let (Action::Resume, Some(run)) = (action, run) else {
        return Vec::new();
    };
    model.close();
    let Some(plan) = run.plan.clone() else {
        let text = format!(
            "the plan of run {0} cannot be read: try `tableferry resume {0}`",
            run.id
        );
        model.say(Tone::Bad, text);
        return Vec::new();
    };
    model.flow = steps::flow_of(&plan).unwrap_or(&steps::EXPORT);
    model.fill_in(&plan);
    model.accounts.place_cursors();
    model.step = &accounts::STEP;
    model.say(
        Tone::Plain,
        format!("signing in again for run {} …", run.id),
    );
    model.resuming = Some(run);
    accounts::proof::prove_filled_in(model)
}

/// Goes on with the chosen run, as soon as both sides are settled: without the destination a run
/// can be followed, only not verified.
pub(crate) fn resume_when_ready(model: &mut Model) -> Vec<Effect> {
    let proof = |side| match &model.accounts.side(side).chosen {
        Chosen::Nothing | Chosen::Without => None,
        Chosen::Profile { proof, .. } => Some(proof),
    };
    let is_source_proved =
        proof(Side::Source).is_some_and(|proof| matches!(**proof, Remote::Loaded(_)));
    let is_destination_settled = proof(Side::Destination).is_none_or(|proof| proof.is_settled());
    if !is_source_proved || !is_destination_settled || !model.popups.is_empty() {
        return Vec::new();
    }
    let Some(run) = model.resuming.take() else {
        return Vec::new();
    };
    model.notice = None;
    model.step = &progress::STEP;
    model.restart_text();
    model.progress.reopen(run.exports, run.created_at);
    progress::update::resume(model, run.id)
}
