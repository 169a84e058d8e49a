//! Ending the wizard: asked about where something would be lost, and never before a mutation ended.

use super::message::Effect;
use super::model::{Model, Shutdown, Tone};
use super::popups::state::{OpenPopup, Popup, Question};

/// Asks before quitting, except where nothing would be left behind; asked twice, it is answered.
pub(crate) fn quit(model: &mut Model) -> Vec<Effect> {
    let is_asked = model.popup().is_some_and(Popup::asks_to_quit);
    if is_asked || model.progress.is_finished() || model.is_untouched() {
        return leave(model);
    }
    ask(model);
    Vec::new()
}

fn ask(model: &mut Model) {
    let asks = |open: &OpenPopup| open.popup.asks_to_quit();
    if !model.popups.iter().any(asks) {
        model.ask(Question::Quit);
    }
}

/// Ends the wizard, after the mutations in flight.
pub(crate) fn leave(model: &mut Model) -> Vec<Effect> {
    model.popups.clear();
    if model.mutations.is_empty() {
        model.shutdown = Shutdown::Now;
        return vec![Effect::Quit];
    }
    model.shutdown = Shutdown::AfterMutations;
    model.say(
        Tone::Plain,
        "waiting for the answer to a call that was sent, so that nothing is lost …",
    );
    vec![Effect::CutOff]
}
