//! Saving the plan: the dialog stays, with the path as it was typed, until the plan is in a file.

use std::path::PathBuf;

use super::state::{OpenPopup, Popup, Question};
use crate::tui::message::{Effect, Mutation};
use crate::tui::model::{Model, Tone};
use crate::tui::remote::RequestId;

/// Writes the plan to the file that is typed; one that is there is left alone.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Popup::Save {
        entry,
        error,
        saving: None,
    }) = model.popup_mut()
    else {
        return Vec::new();
    };
    let Some(path) = entry.given().map(PathBuf::from) else {
        *error = Some("give the file's name".to_owned());
        return Vec::new();
    };
    save(model, path, false)
}

/// Writes the plan over a file that is there, after the yes.
pub(super) fn replace(model: &mut Model, path: PathBuf) -> Vec<Effect> {
    save(model, path, true)
}

fn save(model: &mut Model, path: PathBuf, may_replace: bool) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        return Vec::new();
    };
    let request = model.mutation();
    if let Some(Popup::Save { error, saving, .. }) = model.popup_mut() {
        *error = None;
        *saving = Some(request);
    }
    let mutation = Mutation::SavePlan {
        path,
        text: plan.to_toml(),
        may_replace,
    };
    vec![Effect::Mutate(request, mutation)]
}

/// Where the dialog lies that waits for this answer; nowhere once it was closed.
fn place(model: &Model, request: RequestId) -> Option<usize> {
    let waits = |open: &OpenPopup| matches!(&open.popup, Popup::Save { saving: Some(of), .. } if *of == request);
    model.popups.iter().position(waits)
}

/// The plan is in the file: the dialog has nothing left to ask.
pub(crate) fn take_saved(model: &mut Model, request: RequestId, path: PathBuf) {
    if let Some(place) = place(model, request) {
        model.popups.remove(place);
    }
    model.say(Tone::Good, format!("the plan is in {}", path.display()));
    model.plan_file = Some(path);
}

/// It is not, and why: the path can be corrected.
pub(crate) fn take_not_saved(model: &mut Model, request: RequestId, why: &str) {
    let text = format!("the plan was not saved: {why}");
    if !tell_in_dialog(model, request, &text) {
        model.say(Tone::Bad, text);
    }
}

/// There is such a file: it is asked about over the dialog, which keeps the path for a "no".
pub(crate) fn take_file_exists(model: &mut Model, request: RequestId, path: PathBuf) {
    let text = format!("there is a file {} already", path.display());
    let dialog = place(model, request);
    if !tell_in_dialog(model, request, &text) {
        model.say(Tone::Warning, format!("{text}: the plan was not saved"));
    }
    if let Some(dialog) = dialog {
        model.ask_above(dialog, Question::Replace(path));
    }
}

fn tell_in_dialog(model: &mut Model, request: RequestId, text: &str) -> bool {
    let dialog = place(model, request).and_then(|place| model.popups.get_mut(place));
    let Some(Popup::Save { error, saving, .. }) = dialog.map(|open| &mut open.popup) else {
        return false;
    };
    *error = Some(text.to_owned());
    *saving = None;
    true
}
