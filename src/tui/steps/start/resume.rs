//! Going on with a run of an earlier session.

use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::remote::Remote;
use crate::tui::services::RunSummary;
use crate::tui::steps::accounts::state::Chosen;
use crate::tui::steps::{self, accounts, progress};
use crate::work::event::Side;

/// Signs both sides of a run in again; it is gone on with once they are.
pub(crate) fn begin(model: &mut Model, run: RunSummary) -> Vec<Effect> {
    let flow = run.plan.as_ref().and_then(steps::flow_of);
    let (Some(flow), Some(plan)) = (flow, &run.plan) else {
        let text = format!(
            "the wizard cannot show run {0}: try `tableferry resume {0}`",
            run.id
        );
        model.say(Tone::Bad, text);
        return Vec::new();
    };
    model.begin_flow(flow);
    model.fill_in(plan);
    model.accounts.place_cursors();
    model.say(
        Tone::Plain,
        format!("signing in again for run {} …", run.id),
    );
    model.resuming = Some(run);
    accounts::proof::prove_filled_in(model)
}

/// Goes on with the chosen run, as soon as both sides are settled: without the destination a run
/// can be followed, only not verified.
pub(crate) fn when_ready(model: &mut Model) -> Vec<Effect> {
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
