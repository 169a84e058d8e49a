//! What happens becomes a changed model and work for the outside.
//!
//! Nothing here touches a clock, a disk, a network or a channel: time enters as a message, and what
//! is to be done leaves as data.

use crokey::KeyCombination;

use super::consent;
use super::keymap::Action;
use super::layout;
use super::message::{Effect, Errand, FrameNumber, Message, MutationResult, Query, Reply};
use super::model::{Leaving, Model, Tone};
use super::outside::Problem;
use super::popups::{self, Popup, changes, plan_file, question, runs};
use super::probing;
use super::remote::{Remote, RequestId};
use super::steps::accounts::{self, proof};
use super::steps::{Step, access, destination, encryption, progress, review, tables};
use super::widgets::list::List;
use crate::work::event::Side;

/// What the start sets off.
#[must_use]
pub fn open(model: &mut Model) -> Vec<Effect> {
    let mut effects = accounts::reload(model);
    let request = model.request();
    model.open_runs.ask(request);
    effects.push(Effect::Ask(request, Errand::Opening, Query::OpenRuns));
    let request = model.request();
    let unfinished = Query::UnfinishedProbes;
    effects.push(Effect::Ask(request, Errand::Opening, unfinished));
    effects.extend(proof::prove_filled_in(model));
    effects
}

/// Takes what happened; the effects are for the runtime to carry out, in their order.
#[must_use]
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::KeyPressed(key, seen) => press(model, key, seen),
        Message::Drawn(frame) => {
            model.note_drawn(frame);
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
            progress::take_event(model, *event);
            Vec::new()
        }
        Message::WatchEnded(request, end) => progress::take_end(model, request, end),
        Message::Done(request, outcome) => take_outcome(model, request, outcome),
        Message::LoginEnded(side, end) => take_login(model, side, end),
        Message::Terminated => leave(model),
    };
    effects.extend(settle(model));
    effects
}

/// What follows from the model as it now is, whatever happened.
fn settle(model: &mut Model) -> Vec<Effect> {
    if model.leaving == Leaving::AfterDeeds && model.deeds.is_empty() {
        model.leaving = Leaving::Now;
        return vec![Effect::Quit];
    }
    if model.resuming.is_some() {
        return runs::resume_when_ready(model);
    }
    // A side that was proved anew may have taken away what the step shows.
    let is_proved = model.identified(Side::Source).is_some();
    match model.step {
        Step::Tables if is_proved && model.tables.names.is_not_asked() => tables::enter(model),
        Step::Tables => tables::describe_nearby(model),
        Step::Access if is_proved && !access::is_of_plan(model) => access::enter(model),
        Step::Review if is_proved && !access::is_of_plan(model) => review::enter(model),
        _ => Vec::new(),
    }
}

fn press(model: &mut Model, key: KeyCombination, seen: FrameNumber) -> Vec<Effect> {
    if model.leaving != Leaving::No {
        return Vec::new();
    }
    model.has_acted = true;
    let keymap = model.keymap.clone();
    let action = keymap.action(&model.scopes(), key, |action| is_possible(model, action));
    if layout::is_too_small(model.size) {
        // Nobody sees what a key would do, nor a question.
        let is_quit = action == Some(Action::Quit);
        return if is_quit { leave(model) } else { Vec::new() };
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
    type_key(model, key);
    Vec::new()
}

/// Whether an action is possible now, where its scope holds.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    if model.popup().is_some() {
        return true;
    }
    match action {
        Action::ClearFilter => model.list().is_some_and(|list| list.filter.is_some()),
        Action::Back if model.step == Step::Progress => progress::can_go_back(model),
        Action::Back => model.step.previous().is_some(),
        Action::OpenRuns => model.open_runs.value().is_some_and(|runs| !runs.is_empty()),
        _ => match model.step {
            Step::Accounts => accounts::is_possible(model, action),
            Step::Tables => tables::is_possible(model, action),
            Step::Destination => destination::is_possible(model, action),
            Step::Encryption => encryption::is_possible(model, action),
            Step::Access => access::is_possible(model, action),
            Step::Review => review::is_possible(model, action),
            Step::Progress => progress::is_possible(model, action),
        },
    }
}

/// Whether the hint bar offers an action: it is possible, and nothing blocks it.
pub(crate) fn is_offered(model: &Model, action: Action) -> bool {
    let is_blocked = model.popup().is_none()
        && matches!(action, Action::Advance | Action::Start)
        && can_advance(model).is_err();
    is_possible(model, action) && !is_blocked
}

/// What is missing before one can go on.
pub fn can_advance(model: &Model) -> Result<(), Problem> {
    match model.step {
        Step::Accounts => accounts::can_advance(model),
        Step::Tables => tables::can_advance(model),
        Step::Destination => destination::can_advance(model),
        Step::Encryption => encryption::can_advance(model),
        Step::Review => review::can_advance(model),
        Step::Access => review::check_plan(model),
        Step::Progress => Ok(()),
    }
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(model),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        _ => {}
    }
    if model.popup().is_some() {
        return popups::act(model, action);
    }
    match action {
        Action::Help => model.open(Popup::Help { line: 0 }),
        Action::OpenRuns => runs::open(model),
        Action::Back => return back(model),
        Action::Advance => return advance(model),
        Action::Filter => with_list(model, List::open_filter),
        Action::ClearFilter => with_list(model, List::clear_filter),
        Action::Submit => with_list(model, List::keep_filter),
        _ => return move_or_act(model, action),
    }
    Vec::new()
}

fn with_list(model: &mut Model, change: impl FnOnce(&mut List)) {
    if let Some(list) = model.list_mut() {
        change(list);
    }
}

fn move_or_act(model: &mut Model, action: Action) -> Vec<Effect> {
    let (rows, page) = (row_count(model), model.page());
    if model
        .list_mut()
        .is_some_and(|list| list.act(action, rows, page))
    {
        return Vec::new();
    }
    match model.step {
        Step::Accounts => {
            if action == Action::Choose {
                model.resuming = None;
            }
            accounts::act(model, action)
        }
        Step::Tables => tables::act(model, action),
        Step::Destination => destination::act(model, action),
        Step::Encryption => encryption::act(model, action),
        Step::Access => access::act(model, action),
        Step::Review => review::act(model, action),
        Step::Progress => progress::act(model, action),
    }
}

/// Goes back a step. What a start would do is read again with new tokens: with the old ones AWS
/// would answer with the exports that were started already.
fn back(model: &mut Model) -> Vec<Effect> {
    let Some(step) = model.step.previous() else {
        return Vec::new();
    };
    model.step = step;
    if step == Step::Review {
        model.access.forget();
        return review::enter(model);
    }
    Vec::new()
}

/// Goes on to the next step, or says what is missing.
fn advance(model: &mut Model) -> Vec<Effect> {
    if model.step == Step::Review {
        return review::act(model, Action::Start);
    }
    if let (Step::Access, Some(violations)) = (model.step, model.violations()) {
        review::show_violations(model, &violations);
        return Vec::new();
    }
    if let Err(blocker) = can_advance(model) {
        model.say_problem(&blocker);
        return Vec::new();
    }
    let Some(step) = model.step.next() else {
        return Vec::new();
    };
    if model.step == Step::Tables {
        tables::say_what_is_off(model);
    }
    model.step = step;
    match step {
        Step::Tables => tables::enter(model),
        Step::Destination => destination::enter(model),
        Step::Encryption => encryption::enter(model),
        Step::Access => access::enter(model),
        Step::Review => review::enter(model),
        Step::Accounts | Step::Progress => Vec::new(),
    }
}

/// Asks before quitting, except where nothing would be left behind; asked twice, it is answered.
fn quit(model: &mut Model) -> Vec<Effect> {
    let is_asked = model.popup().is_some_and(Popup::asks_to_quit);
    if is_asked || model.progress.is_finished() {
        return leave(model);
    }
    model.ask_to_quit();
    Vec::new()
}

/// Ends the wizard, after the deeds in flight.
pub(crate) fn leave(model: &mut Model) -> Vec<Effect> {
    model.popups.clear();
    if model.deeds.is_empty() {
        model.leaving = Leaving::Now;
        return vec![Effect::Quit];
    }
    model.leaving = Leaving::AfterDeeds;
    model.say(
        Tone::Plain,
        "waiting for the answer to a call that was sent, so that nothing is lost …",
    );
    vec![Effect::CutOff]
}

fn type_key(model: &mut Model, key: KeyCombination) {
    if let Some(popup) = model.popups.last_mut() {
        popup.press(key);
        return;
    }
    if let Some(list) = model.list_mut().filter(|list| list.is_typing()) {
        if let Some(filter) = &mut list.filter {
            filter.entry.press(key);
        }
        list.cursor = 0;
    }
}

/// Pasted text goes where text is typed, and nowhere else.
fn paste(model: &mut Model, text: &str) {
    if let Some(popup) = model.popups.last_mut() {
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
                accounts::take_in(model);
            }
        }
        Reply::SignedIn(side, answer) => {
            return proof::take_proof(model, request, side, *answer);
        }
        Reply::Tables(answer) => {
            model.tables.names.answer(request, answer);
        }
        Reply::Table(facts) => {
            tables::take_facts(model, request, *facts);
        }
        Reply::Buckets(answer) => {
            destination::take_buckets(model, request, answer);
        }
        Reply::Bucket(facts) => {
            destination::take_facts(model, request, *facts);
        }
        Reply::Keys(answer) => {
            if model.encryption.keys.answer(request, answer) {
                encryption::suggest(model);
            }
        }
        Reply::Judged(answer) => access::take_judged(model, request, *answer),
        Reply::Propagation(held) => return consent::take_held(model, request, &held),
        Reply::Changes(answer) => changes::take(model, request, answer),
        Reply::UndoProposed(answer) => consent::take_undo_proposal(model, request, *answer),
        Reply::OpenRuns(answer) => take_open_runs(model, request, answer),
        Reply::UnfinishedProbes(probes) => probing::tell_unfinished(model, &probes),
    }
    Vec::new()
}

/// Shows the runs under way, unless a key was pressed already: it was meant for something else.
fn take_open_runs(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<super::outside::RunSummary>, String>,
) {
    if !model.open_runs.answer(request, answer) {
        return;
    }
    match &model.open_runs {
        Remote::Loaded(runs) if !runs.is_empty() => {
            let text = format!("{} under way: u shows them", counted_runs(runs.len()));
            if model.has_acted {
                model.say(Tone::Warning, text);
            } else {
                let id = model.guard_id();
                model.announce(Popup::Runs { id, cursor: 0 });
            }
        }
        Remote::Failed(why) => {
            let text = format!("the journal cannot be read: {why}");
            model.say(Tone::Bad, text);
        }
        _ => {}
    }
}

fn counted_runs(count: usize) -> String {
    super::widgets::format::counted(count as u64, "run") + if count == 1 { " is" } else { " are" }
}

/// Takes the end of a deed. It always counts.
fn take_outcome(model: &mut Model, request: RequestId, outcome: MutationResult) -> Vec<Effect> {
    model.deeds.retain(|deed| *deed != request);
    match outcome {
        MutationResult::Started(run) if model.leaving == Leaving::No => {
            return progress::follow(model, run);
        }
        MutationResult::Started(run) => model.progress.run = Some(run),
        MutationResult::NotStarted(why) => {
            model.progress.state = progress::Following::CutOff(why);
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

/// How many rows the step's list has.
fn row_count(model: &Model) -> usize {
    match model.step {
        Step::Accounts => model.accounts.rows(model.accounts.focus).len(),
        Step::Tables => model.tables.rows().len(),
        Step::Destination => model.destination.rows().len(),
        Step::Encryption => model.encryption.rows().len(),
        Step::Access | Step::Review | Step::Progress => 0,
    }
}

impl Model {
    /// The list that moves and filters go to.
    pub(crate) const fn list(&self) -> Option<&List> {
        match self.step {
            Step::Accounts => Some(&self.accounts.side(self.accounts.focus).list),
            Step::Tables => Some(&self.tables.list),
            Step::Destination => Some(&self.destination.list),
            Step::Encryption => Some(&self.encryption.list),
            Step::Access | Step::Review | Step::Progress => None,
        }
    }

    const fn list_mut(&mut self) -> Option<&mut List> {
        match self.step {
            Step::Accounts => Some(&mut self.accounts.side_mut(self.accounts.focus).list),
            Step::Tables => Some(&mut self.tables.list),
            Step::Destination => Some(&mut self.destination.list),
            Step::Encryption => Some(&mut self.encryption.list),
            Step::Access | Step::Review | Step::Progress => None,
        }
    }
}
