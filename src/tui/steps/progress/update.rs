//! What the keys of the Progress step do, and how a run is followed.

use super::diagnosis;
use super::state::{Following, Offer, is_failed};
use crate::journal::RunId;
use crate::tui::changes;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Watch};
use crate::tui::model::{Model, Shutdown, Tone};
use crate::tui::popups::state::Popup;
use crate::tui::remote::RequestId;
use crate::tui::services::RunSummary;
use crate::tui::steps::access;
use crate::tui::steps::accounts::proof;
use crate::tui::steps::accounts::state::word;
use crate::work::event::{Event, OperationProgress, Side};

/// Takes what a run reported; a failure is diagnosed at once.
pub(crate) fn take_event(model: &mut Model, event: Event) {
    model.progress.take_event(event, model.now);
    diagnosis::diagnose_failures(model);
}

/// Follows a run that was just started.
pub(crate) fn follow(model: &mut Model, run: RunId) -> Vec<Effect> {
    let request = model.request();
    model.progress.run = Some(run);
    model.progress.state = Following::On(request);
    vec![Effect::Watch(request, Watch::Follow(run))]
}

/// Goes on with a run that was cut off.
pub(crate) fn resume(model: &mut Model, run: RunId) -> Vec<Effect> {
    let request = model.request();
    model.progress.run = Some(run);
    diagnosis::diagnose_failures(model);
    model.progress.began_at.get_or_insert(model.now);
    model.progress.state = Following::On(request);
    vec![Effect::Watch(request, Watch::Resume(run))]
}

/// Takes the end of a watch, unless it counts no more. After the last export it is looked up what
/// was changed for them.
pub(crate) fn take_end(
    model: &mut Model,
    request: RequestId,
    end: Result<(), String>,
) -> Vec<Effect> {
    if model.progress.state != Following::On(request) {
        return Vec::new();
    }
    if let Err(why) = end {
        model.progress.state = Following::CutOff(why);
        return Vec::new();
    }
    model.progress.state = Following::Finished;
    // The one who tries again after a failure still needs what was changed.
    if model.progress.is_success() {
        model.progress.offer = Offer::Due;
    }
    changes::reload(model)
}

/// Whether another start can be prepared: not while a run is followed.
pub(crate) fn can_go_back(model: &Model) -> bool {
    !model.progress.is_followed() && model.plan().is_some()
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let progress = &model.progress;
    match action {
        Action::Finish => !progress.is_followed(),
        Action::Follow => matches!(progress.state, Following::CutOff(_)) && progress.run.is_some(),
        Action::Copy => !progress.exports.is_empty(),
        Action::Diagnose => !progress.diagnoses.is_empty(),
        Action::TryAgain => can_go_back(model) && progress.exports.iter().any(is_failed),
        Action::OpenChanges => !progress.is_followed() && !model.changes.removable().is_empty(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Finish => {
            model.shutdown = Shutdown::Now;
            vec![Effect::Quit]
        }
        Action::Follow => sign_in_and_resume(model),
        Action::OpenChanges => changes::open(model),
        Action::Diagnose => {
            model.open(Popup::Text {
                title: "Why it failed",
                text: diagnosis::text(model),
            });
            Vec::new()
        }
        Action::TryAgain => try_again(model),
        Action::Copy => {
            model.say(
                Tone::Good,
                "the details were sent to the terminal's clipboard (OSC 52)",
            );
            vec![Effect::Copy(details(model))]
        }
        _ => {
            model.scroll(action);
            Vec::new()
        }
    }
}

/// Goes back to where what is denied is fixed, with everything read anew; Review then starts it with new
/// tokens.
fn try_again(model: &mut Model) -> Vec<Effect> {
    model.step = &access::STEP;
    model.restart_text();
    let effects = (access::STEP.enter)(model);
    model.say(
        Tone::Plain,
        "what is denied is fixed here; Review starts the exports anew, with new tokens",
    );
    effects
}

/// Goes on with a run that was cut off. What cut it off is most often a session that ended, so both
/// sides are proved again first.
fn sign_in_and_resume(model: &mut Model) -> Vec<Effect> {
    let progress = &model.progress;
    let Some(id) = progress.run else {
        return Vec::new();
    };
    model.resuming = Some(RunSummary {
        id,
        created_at: progress.began_at.unwrap_or(model.now),
        source: String::new(),
        destination: String::new(),
        is_open: true,
        exports: progress.exports.clone(),
        uris: Vec::new(),
        plan: model.plan(),
    });
    model.say(Tone::Plain, format!("signing in again for run {id} …"));
    let mut effects = proof::prove_again(model, Side::Source, None);
    effects.extend(proof::prove_again(model, Side::Destination, None));
    effects
}

/// The run in plain text, for a ticket or a message: who, to where, and each export.
fn details(model: &Model) -> String {
    let mut lines = Vec::new();
    lines.extend(model.progress.run.map(|run| format!("run: {run}")));
    for side in [Side::Source, Side::Destination] {
        let known = model.identified(side);
        lines.extend(known.map(|known| {
            let identity = &known.identity;
            format!("{}: {} as {}", word(side), identity.account, identity.arn)
        }));
    }
    let destination = &model.destination;
    lines.extend(destination.bucket.as_ref().map(|bucket| {
        let prefix = destination
            .prefix
            .as_ref()
            .map_or("", |prefix| prefix.as_str());
        format!("bucket: s3://{bucket}/{prefix}")
    }));
    lines.push(String::new());
    lines.extend(model.progress.exports.iter().map(export_details));
    lines.join("\n")
}

/// An export in plain text.
fn export_details(export: &OperationProgress) -> String {
    let mut lines = vec![format!("table: {}", export.subject)];
    let mut add = |label: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{label}: {value}")));
    };
    add("export", export.arn.clone());
    add("started", export.started_at.map(|at| format!("{at:.0}")));
    add("ended", export.ended_at.map(|at| format!("{at:.0}")));
    add("items", export.item_count.map(|items| items.to_string()));
    add(
        "bytes billed",
        export.billed_size_bytes.map(|bytes| bytes.to_string()),
    );
    add("failure code", export.failure_code.clone());
    add("failure message", export.failure_message.clone());
    add("manifest", export.manifest.clone());
    lines.push(String::new());
    lines.join("\n")
}
