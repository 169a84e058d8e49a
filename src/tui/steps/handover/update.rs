//! What the keys of the Upload and Read steps do.

use crate::tui::assessing;
use crate::tui::changes;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::Popup;
use crate::tui::shutdown;
use crate::work::event::Side;

/// What entering the step sets off: what is too old is read again, and which changes are in place.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    let mut effects = changes::reload(model);
    if !assessing::is_fresh(model) {
        effects.extend(assessing::assess_anew(model));
    }
    effects
}

/// Reads again what holds for the plan as it is now no longer.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    let is_proved = model.identified(Side::Source).is_some();
    if is_proved && !assessing::is_of_plan(model) {
        return assessing::assess_anew(model);
    }
    Vec::new()
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Save => model.plan().is_some(),
        Action::Copy => command(model).is_some(),
        Action::OpenChanges => !model.changes.removable().is_empty(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Finish => return shutdown::quit(model),
        Action::OpenChanges => return changes::open(model),
        Action::Reload => return assessing::assess_anew(model),
        Action::Save => {
            let dialog = Popup::save(model.plan_file.as_deref());
            model.open(dialog);
        }
        Action::Copy => {
            if let Some(command) = command(model) {
                model.say(
                    Tone::Good,
                    "the command was sent to the terminal's clipboard (OSC 52)",
                );
                return vec![Effect::Copy(command)];
            }
        }
        _ => model.scroll(action),
    }
    Vec::new()
}

/// The command that does the job as the plan has it.
pub(crate) fn command(model: &Model) -> Option<String> {
    model.plan()?.command_elsewhere()
}
