//! Progress: the exports of a run, live, until each one ended and was verified.

use jiff::Timestamp;

use crate::aws::dynamodb::ExportStatus;
use crate::tui::keymap::Action;
use crate::tui::layout;
use crate::tui::message::{Effect, Watch};
use crate::tui::model::{Leaving, Model, Tone};
use crate::tui::outside::RunSummary;
use crate::tui::popups::changes;
use crate::tui::remote::RequestId;
use crate::tui::steps::accounts::proof;
use crate::tui::view;
use crate::tui::widgets::list;
use crate::work::event::{Event, OperationProgress, Side, Stage, Verification};

/// How many passing difficulties are kept in sight.
const KEPT_NOTES: usize = 20;

/// A run and its exports.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub(crate) run: Option<i64>,
    pub(crate) exports: Vec<OperationProgress>,
    pub(crate) notes: Vec<(Timestamp, String)>,
    pub(crate) began_at: Option<Timestamp>,
    pub(crate) state: Following,
    pub(crate) line: usize,
    pub(crate) offer: Offer,
}

/// Whether it is to be offered to take away what was changed for the exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Offer {
    /// Not now, or it was.
    #[default]
    No,
    /// As soon as it is known what is in place.
    Due,
}

/// Whether the run is followed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Following {
    /// There is no run.
    #[default]
    Nothing,
    /// Its calls are being made.
    Starting(RequestId),
    /// Its exports are waited for.
    On(RequestId),
    /// All of them ended.
    Finished,
    /// It was cut off, and why.
    CutOff(String),
}

impl Progress {
    /// A run that is about to start.
    pub(crate) fn begin(&mut self, request: RequestId, now: Timestamp) {
        *self = Self {
            began_at: Some(now),
            state: Following::Starting(request),
            ..Self::default()
        };
    }

    pub(crate) const fn is_followed(&self) -> bool {
        matches!(self.state, Following::Starting(_) | Following::On(_))
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state == Following::Finished
    }

    /// Whether every export was completed and none failed its verification.
    pub(crate) fn is_success(&self) -> bool {
        self.is_finished()
            && self.exports.iter().all(|export| {
                is_completed(export)
                    && !matches!(export.verification, Some(Verification::Wrong { .. }))
            })
    }

    fn take(&mut self, export: OperationProgress) {
        let place = self
            .exports
            .iter()
            .position(|known| known.index == export.index);
        if let Some(known) = place.and_then(|place| self.exports.get_mut(place)) {
            *known = export;
        } else {
            self.exports.push(export);
            self.exports.sort_by_key(|export| export.index);
        }
    }
}

/// Whether AWS calls an export completed.
pub(crate) fn is_completed(export: &OperationProgress) -> bool {
    export.stage == Stage::Running(ExportStatus::Completed)
}

/// Whether an export was refused or failed.
pub(crate) fn is_failed(export: &OperationProgress) -> bool {
    matches!(
        export.stage,
        Stage::Refused | Stage::NotStarted | Stage::Running(ExportStatus::Failed)
    )
}

/// Takes what a run told.
pub(crate) fn take_event(model: &mut Model, event: Event) {
    match event {
        Event::Journalled { run } => model.progress.run = Some(run),
        Event::Operation(export) => model.progress.take(export),
        Event::Noted { message } => {
            let notes = &mut model.progress.notes;
            notes.push((model.now, message));
            let surplus = notes.len().saturating_sub(KEPT_NOTES);
            notes.drain(..surplus);
        }
        Event::Identified { .. } => {}
    }
}

/// Follows a run that was just started.
pub(crate) fn follow(model: &mut Model, run: i64) -> Vec<Effect> {
    let request = model.request();
    model.progress.run = Some(run);
    model.progress.state = Following::On(request);
    vec![Effect::Watch(request, Watch::Follow(run))]
}

/// Goes on with a run that was cut off.
pub(crate) fn resume(model: &mut Model, run: i64) -> Vec<Effect> {
    let request = model.request();
    model.progress.run = Some(run);
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
        Action::OpenChanges => !progress.is_followed() && !changes::removable(model).is_empty(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Finish => {
            model.leaving = Leaving::Now;
            vec![Effect::Quit]
        }
        Action::Follow => sign_in_and_resume(model),
        Action::OpenChanges => changes::open(model),
        Action::Copy => {
            model.say(
                Tone::Good,
                "the details were sent to the terminal's clipboard (OSC 52)",
            );
            let text: Vec<String> = model.progress.exports.iter().map(details).collect();
            vec![Effect::Copy(text.join("\n"))]
        }
        _ => {
            scroll(model, action);
            Vec::new()
        }
    }
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
        exports: progress.exports.clone(),
        plan: model.plan(),
    });
    model.say(Tone::Plain, format!("signing in again for run {id} …"));
    let mut effects = proof::prove_again(model, Side::Source, None);
    effects.extend(proof::prove_again(model, Side::Destination, None));
    effects
}

/// An export in plain text, for a ticket or a message.
fn details(export: &OperationProgress) -> String {
    let mut lines = vec![format!("table: {}", export.subject)];
    let mut add = |label: &str, value: &Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{label}: {value}"));
        }
    };
    add("export", &export.arn);
    add("failure code", &export.failure_code);
    add("failure message", &export.failure_message);
    add("manifest", &export.manifest);
    lines.push(String::new());
    lines.join("\n")
}

fn scroll(model: &mut Model, action: Action) {
    let page = model.page();
    let lines = view::progress::line_count(model, layout::text_columns(model));
    let last = lines.saturating_sub(page) + 1;
    if let Some(line) = list::moved(action, model.progress.line, last, page) {
        model.progress.line = line;
    }
}
