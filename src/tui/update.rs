//! A message becomes a changed model and work for the outside.
//!
//! Nothing here touches a clock, a disk, a network or a channel: time enters as a message, and what
//! is to be done leaves as data.

use std::sync::Arc;

use crokey::KeyCombination;

use super::actions::is_possible;
use super::assessing;
use super::changes;
use super::consent;
use super::keymap::{Action, Keymap, key_label};
use super::layout;
use super::message::{Effect, FrameNumber, Message, MutationResult, Query, QueryGroup, Reply};
use super::model::{Model, Shutdown, Tone, WizardStart};
use super::popups::state::Popup;
use super::popups::{self, plan_file, question};
use super::probing;
use super::remote::RequestId;
use super::shutdown;
use super::steps::accounts::{self, proof};
use super::steps::progress::state::Following;
use super::steps::{
    self, access, destination, encryption, progress, reports, start as start_screen, tables,
    watching,
};
use super::view::parts;
use super::widgets::list::FilteredList;
use crate::work::event::Side;

/// The model at the start: at the start screen, or in the flow of the plan that it is filled with.
#[must_use]
pub fn start(keymap: Arc<Keymap>, start: WizardStart) -> Model {
    let flow = start.plan.as_ref().and_then(steps::flow_of);
    let flow = flow.unwrap_or(&steps::START);
    let first = flow.steps.first().copied().unwrap_or(&accounts::STEP);
    Model::new(keymap, start, flow, first)
}

/// What the start sets off.
#[must_use]
pub fn open(model: &mut Model) -> Vec<Effect> {
    let mut effects = start_screen::update::reload(model);
    let request = model.request();
    let unfinished = Query::UnfinishedProbes;
    effects.push(Effect::Ask(request, QueryGroup::Opening, unfinished));
    effects.extend(proof::prove_filled_in(model));
    effects
}

/// Takes a message; the effects are for the runtime to run, in their order.
#[must_use]
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::KeyPressed(key, seen) => press(model, key, seen),
        Message::Drawn(frame, page) => {
            model.note_drawn(frame, page);
            return Vec::new();
        }
        Message::Pasted(text) => {
            paste(model, &text);
            Vec::new()
        }
        Message::Resized(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::Ticked(now) => {
            model.now = now;
            Vec::new()
        }
        Message::Replied(request, reply) => take_reply(model, request, reply),
        Message::Reported(event) => {
            progress::update::take_event(model, *event);
            Vec::new()
        }
        Message::WatchEnded(request, end) => progress::update::take_end(model, request, end),
        Message::Watched(request, event) => {
            watching::update::take_event(model, request, event);
            Vec::new()
        }
        Message::WatchedEnded(request, end) => {
            watching::update::take_end(model, request, end);
            Vec::new()
        }
        Message::Done(request, result) => take_result(model, request, result),
        Message::LoginEnded(side, end) => take_login(model, side, end),
        Message::Terminated => shutdown::leave(model),
    };
    effects.extend(settle(model));
    effects
}

/// What follows from the model as it now is, whatever the message was.
fn settle(model: &mut Model) -> Vec<Effect> {
    if model.shutdown == Shutdown::AfterMutations && model.mutations.is_empty() {
        model.shutdown = Shutdown::Now;
        return vec![Effect::Quit];
    }
    let mut effects = assessing::drop_outdated(model);
    for step in model.flow.steps {
        effects.extend((step.drop_outdated)(model));
    }
    effects.extend(if model.resuming.is_some() {
        start_screen::resume::when_ready(model)
    } else {
        (model.step.refresh)(model)
    });
    effects
}

fn press(model: &mut Model, key: KeyCombination, seen: FrameNumber) -> Vec<Effect> {
    if model.shutdown != Shutdown::No {
        return Vec::new();
    }
    model.has_acted = true;
    let keymap = model.keymap.clone();
    let action = keymap.action(&model.scopes(), key, |action| is_possible(model, action));
    if layout::is_too_small(model.size) {
        // Nobody sees what a key would do, nor a question.
        let is_quit = action == Some(Action::Quit);
        return if is_quit {
            shutdown::leave(model)
        } else {
            Vec::new()
        };
    }
    let is_of_program = matches!(
        action,
        Some(Action::Quit | Action::Suspend | Action::Redraw)
    );
    if !is_of_program && !model.is_meant(seen) {
        return Vec::new();
    }
    model.notice = None;
    model.accounts.going_on = None;
    if question::is_mistyped(model, key, action) {
        question::take_mistyped(model);
        return Vec::new();
    }
    if let Some(action) = action {
        return act(model, action);
    }
    if !type_key(model, key) {
        say_not_possible(model, key);
    }
    Vec::new()
}

/// Says that a key does nothing now, and what it would do another time.
fn say_not_possible(model: &mut Model, key: KeyCombination) {
    let label = key_label(key);
    let keymap = model.keymap.clone();
    let text = match keymap.meant(&model.scopes(), key) {
        Some(binding) => format!(
            "{label} ({}): not possible now",
            parts::hint(model, binding)
        ),
        None => format!("{label} means nothing here; ? shows the keys"),
    };
    model.say(Tone::Plain, text);
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return shutdown::quit(model),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        _ => {}
    }
    if model.popup().is_some() {
        return popups::act(model, action);
    }
    match action {
        Action::Help => model.open(Popup::Help),
        Action::Home => return start_screen::update::home(model),
        Action::Back => return back(model),
        Action::Advance => return advance(model),
        Action::Filter => with_list(model, FilteredList::open_filter),
        Action::ClearFilter => with_list(model, FilteredList::clear_filter),
        Action::Submit => with_list(model, FilteredList::keep_filter),
        _ => return move_or_act(model, action),
    }
    Vec::new()
}

fn with_list(model: &mut Model, change: impl FnOnce(&mut FilteredList)) {
    if let Some(list) = model.list_mut() {
        change(list);
    }
}

fn move_or_act(model: &mut Model, action: Action) -> Vec<Effect> {
    let step = model.step;
    if let Some(list) = step.list {
        let (rows, page) = ((list.count)(model), model.sight.page);
        if (list.get_mut)(model).act(action, rows, page) {
            return Vec::new();
        }
    }
    (step.act)(model, action)
}

/// Goes back a step, from the first to the start screen.
fn back(model: &mut Model) -> Vec<Effect> {
    let Some(step) = model.flow.previous(model.step) else {
        return start_screen::update::home(model);
    };
    model.step = step;
    model.restart_text();
    Vec::new()
}

/// Goes on to the next step, or says what is missing.
fn advance(model: &mut Model) -> Vec<Effect> {
    if let Some(effects) = (model.step.instead_of_next)(model) {
        return effects;
    }
    if let Err(problem) = (model.step.check)(model) {
        model.say_problem(&problem);
        return Vec::new();
    }
    let Some(step) = model.flow.next(model.step) else {
        return Vec::new();
    };
    model.step = step;
    model.restart_text();
    (step.enter)(model)
}

/// Takes a key where text is typed; says whether it is.
fn type_key(model: &mut Model, key: KeyCombination) -> bool {
    if let Some(popup) = model.popup_mut() {
        popup.press(key);
        return true;
    }
    let Some(list) = model.list_mut().filter(|list| list.is_typing()) else {
        return false;
    };
    if let Some(filter) = &mut list.filter {
        filter.entry.press(key);
    }
    list.cursor = 0;
    true
}

/// Pasted text goes where text is typed, and nowhere else.
fn paste(model: &mut Model, text: &str) {
    if let Some(popup) = model.popup_mut() {
        if let Some(entry) = popup.entry() {
            entry.insert(text);
        }
        return;
    }
    if let Some(list) = model.list_mut().filter(|list| list.is_typing()) {
        if let Some(filter) = &mut list.filter {
            filter.entry.insert(text);
        }
        list.cursor = 0;
    }
}

/// Takes the answer to a query; one that nobody waits for any more changes nothing.
fn take_reply(model: &mut Model, request: RequestId, reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::Profiles(profiles) => {
            if model.accounts.profiles.answer(request, Ok(profiles)) {
                accounts::update::take_in(model);
                start_screen::update::take_profiles(model);
            }
        }
        Reply::SignedIn(side, answer) => {
            proof::take_proof(model, request, side, *answer);
        }
        Reply::Tables(answer) => {
            model.tables.names.answer(request, answer);
        }
        Reply::Table(facts) => {
            tables::update::take_facts(model, request, *facts);
        }
        Reply::Buckets(answer) => {
            destination::update::take_buckets(model, request, answer);
        }
        Reply::Bucket(facts) => {
            destination::update::take_facts(model, request, *facts);
        }
        Reply::Keys(answer) => {
            if model.encryption.keys.answer(request, answer) {
                encryption::update::suggest(model);
            }
        }
        Reply::Assessed(answer) => access::update::take_assessed(model, request, *answer),
        Reply::Propagation(held) => return consent::take_propagation(model, request, &held),
        Reply::Changes(answer) => changes::take(model, request, answer),
        Reply::UndoProposed(answer) => consent::take_undo_proposal(model, request, *answer),
        Reply::InventoryProposed(answer) => {
            reports::update::take_proposal(model, request, *answer);
        }
        Reply::InventoryStatus(answer) => reports::update::take_status(model, request, *answer),
        Reply::Runs(answer) => start_screen::update::take_runs(model, request, answer),
        Reply::Plans(plans) => start_screen::update::take_plans(model, plans),
        Reply::UnfinishedProbes(probes) => access::update::tell_unfinished(model, &probes),
    }
    Vec::new()
}

/// Takes the end of a mutation. It always counts.
fn take_result(model: &mut Model, request: RequestId, result: MutationResult) -> Vec<Effect> {
    model.mutations.retain(|known| *known != request);
    match result {
        MutationResult::Started(run) if model.shutdown == Shutdown::No => {
            return progress::update::follow(model, run);
        }
        MutationResult::Started(run) => model.progress.run = Some(run),
        MutationResult::NotStarted(why) => {
            model.progress.state = Following::CutOff(why);
        }
        MutationResult::Applied(applied) => return consent::take_applied(model, &applied),
        MutationResult::NotApplied(why) => return consent::take_not_applied(model, why),
        MutationResult::Undone(undone) => return consent::take_undone(model, &undone),
        MutationResult::NotUndone(why) => return consent::take_not_undone(model, why),
        MutationResult::Probed(plan, report) => return probing::take(model, &plan, report),
        MutationResult::NotProbed(why) => return probing::take_not_made(model, why),
        MutationResult::Saved(path) => plan_file::take_saved(model, request, path),
        MutationResult::FileExists(path) => plan_file::take_file_exists(model, request, path),
        MutationResult::NotSaved(why) => plan_file::take_not_saved(model, request, &why),
    }
    Vec::new()
}

fn take_login(model: &mut Model, side: Side, end: Result<(), String>) -> Vec<Effect> {
    match end {
        Ok(()) => proof::prove_again(model, side, None),
        Err(why) => {
            model.say(Tone::Bad, why);
            Vec::new()
        }
    }
}
