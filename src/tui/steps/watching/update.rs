//! What the keys of the Watch step do, and when it is watched: while the step is in sight.

use crate::diagnosis::diagnose;
use crate::diagnosis::group::ErrorGroups;
use crate::diagnosis::scan::FoundError;
use crate::diagnosis::words::describe_operation;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, QueryGroup, Watch};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::Popup;
use crate::tui::remote::RequestId;
use crate::work::watch::{WatchEvent, WatchedExport};

/// Begins to watch the accounts of both sides.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.watching.begin(request);
    vec![
        Effect::Cancel(QueryGroup::Watching),
        Effect::Watch(request, Watch::Accounts),
    ]
}

/// Ends the watch once another step is in sight.
pub(crate) fn stop_out_of_sight(model: &mut Model) -> Vec<Effect> {
    if *model.step == super::STEP || model.watching.request.take().is_none() {
        return Vec::new();
    }
    vec![Effect::Cancel(QueryGroup::Watching)]
}

/// Takes what a watch reported, unless it counts no more.
pub(crate) fn take_event(model: &mut Model, request: RequestId, event: WatchEvent) {
    if model.watching.request != Some(request) {
        return;
    }
    match event {
        WatchEvent::Export(export) => model.watching.take(*export),
        WatchEvent::Noted { message } => model.watching.note(message),
    }
}

/// Takes the end of a watch.
pub(crate) fn take_end(model: &mut Model, request: RequestId, end: Result<(), String>) {
    if model.watching.request != Some(request) {
        return;
    }
    model.watching.request = None;
    model.watching.ended = end.err();
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let current = model.watching.current();
    match action {
        Action::Show | Action::Copy => current.is_some(),
        Action::Diagnose => current.is_some_and(|export| export.failure.is_some()),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Reload {
        return enter(model);
    }
    let Some(export) = model.watching.current().cloned() else {
        return Vec::new();
    };
    match action {
        Action::Show | Action::Diagnose => {
            let (title, text) = match diagnosis(&export) {
                Some(text) => ("Why it failed", text),
                None => ("Export", super::view::facts(&export, model.now)),
            };
            model.open(Popup::text(title, text));
        }
        Action::Copy => {
            let text = export.uri.or(export.arn).unwrap_or(export.table_arn);
            model.say(
                Tone::Good,
                format!("{text} was sent to the terminal's clipboard (OSC 52)"),
            );
            return vec![Effect::Copy(text)];
        }
        _ => {}
    }
    Vec::new()
}

/// Why an export failed; none where it did not.
fn diagnosis(export: &WatchedExport) -> Option<String> {
    let failure = &export.failure.as_ref()?.failure;
    let error = failure.reported();
    let known = failure.circumstances(&error, None);
    diagnose(&error, &known)?;
    let mut groups = ErrorGroups::default();
    groups.add(FoundError { line: 1, error }, |_| known.clone());
    let group = groups.in_order().first()?;
    Some(describe_operation(group, &[&export.name]))
}
