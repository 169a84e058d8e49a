//! What the keys of the start screen do.

use super::rows::{StartRow, rows};
use super::{resume, view};
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::flow::Flow;
use crate::tui::model::{Model, Shutdown, Tone};
use crate::tui::popups::state::{Popup, TypedPurpose};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::services::{RunSummary, SavedPlan};
use crate::tui::steps::accounts::{self, proof};
use crate::tui::steps::{self, FLOWS};
use crate::tui::widgets::format;

/// Comes back to the start screen from a step; what was chosen so far stays chosen.
pub(crate) fn home(model: &mut Model) -> Vec<Effect> {
    let left = model.flow;
    model.resuming = None;
    model.flow = &steps::START;
    model.step = &super::STEP;
    model.restart_text();
    let mut effects = Vec::new();
    for step in left.steps {
        effects.extend((step.drop_outdated)(model));
    }
    effects.extend(reload(model));
    effects
}

/// Asks for the runs of the journal, the plans of the directory, and the profiles.
pub(crate) fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.start.runs.ask(request);
    let mut effects = vec![
        Effect::Ask(request, QueryGroup::Opening, Query::Runs),
        Effect::Ask(model.request(), QueryGroup::Opening, Query::Plans),
    ];
    effects.extend(accounts::update::reload(model));
    effects
}

/// Takes the runs. Those that are left to do come above all else, so that no key that was on its way
/// reaches one of them; in another step it is said that there are some.
pub(crate) fn take_runs(
    model: &mut Model,
    request: RequestId,
    answer: Result<Vec<RunSummary>, String>,
) {
    if !model.start.runs.answer(request, answer) {
        return;
    }
    match &model.start.runs {
        Remote::Loaded(runs) => {
            let left = runs.iter().filter(|run| run.is_open).count();
            if left == 0 {
                return;
            }
            if *model.step == super::STEP {
                model.start.list.cursor = 0;
                model.start.moved = Some(model.sight.id());
            } else {
                let runs = format::counted(left as u64, "run");
                model.say(Tone::Warning, format!("{runs} left to do: 0 shows what"));
            }
        }
        Remote::Failed(why) => {
            let text = format!("the journal cannot be read: {why}");
            model.say(Tone::Bad, text);
        }
        _ => {}
    }
}

/// Takes those plans of the directory that there is a flow for.
pub(crate) fn take_plans(model: &mut Model, mut plans: Vec<SavedPlan>) {
    plans.retain(|saved| steps::flow_of(&saved.plan).is_some());
    model.start.plans = plans;
}

/// Puts the cursor on the sandbox where there is no profile to begin anything with, unless a key was
/// pressed.
pub(crate) fn take_profiles(model: &mut Model) {
    if model.has_acted || !view::is_without_profiles(model) {
        return;
    }
    let place = rows(model)
        .iter()
        .position(|row| matches!(row, StartRow::Sandbox));
    model.start.list.cursor = place.unwrap_or(0);
}

fn row(model: &Model) -> Option<StartRow<'_>> {
    rows(model).get(model.start.list.cursor).copied()
}

/// Whether an action is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Choose => row(model).is_some(),
        Action::Show => matches!(row(model), Some(StartRow::Left(_) | StartRow::Ended(_))),
        Action::Sandbox => !model.is_sandbox,
        _ => true,
    }
}

/// Does an action of the start screen.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Choose => choose(model),
        Action::Show => {
            show(model);
            Vec::new()
        }
        Action::Explain => explain(model),
        Action::Sandbox => practise(model),
        Action::Reload => reload(model),
        _ => {
            let flow = FLOWS.iter().find(|flow| flow.begin == action);
            flow.map_or_else(Vec::new, |flow| begin(model, flow))
        }
    }
}

fn begin(model: &mut Model, flow: &'static Flow) -> Vec<Effect> {
    model.begin_flow(flow);
    Vec::new()
}

/// Does what the row under the cursor stands for.
fn choose(model: &mut Model) -> Vec<Effect> {
    match row(model) {
        Some(StartRow::Left(run)) => {
            let run = run.clone();
            resume::begin(model, run)
        }
        Some(StartRow::Flow(flow)) => begin(model, flow),
        Some(StartRow::Explain) => explain(model),
        Some(StartRow::Sandbox) => practise(model),
        Some(StartRow::Plan(saved)) => {
            let saved = saved.clone();
            open_plan(model, saved)
        }
        Some(StartRow::Ended(_)) => {
            show(model);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Shows all about the run under the cursor.
fn show(model: &mut Model) {
    if let Some(StartRow::Left(run) | StartRow::Ended(run)) = row(model) {
        let text = view::run_text(run, model.now, model.is_sandbox);
        model.open(Popup::text("Run", text));
    }
}

/// Fills the steps with a plan of the directory.
fn open_plan(model: &mut Model, saved: SavedPlan) -> Vec<Effect> {
    let Some(flow) = steps::flow_of(&saved.plan) else {
        return Vec::new();
    };
    model.begin_flow(flow);
    model.fill_in(&saved.plan);
    model.accounts.place_cursors();
    model.plan_file = Some(saved.path);
    proof::prove_filled_in(model)
}

fn explain(model: &mut Model) -> Vec<Effect> {
    model.open(Popup::typed(TypedPurpose::Refusal, ""));
    Vec::new()
}

/// Ends the wizard, to open it on the sandbox; what was chosen here stays out of there.
fn practise(model: &mut Model) -> Vec<Effect> {
    if !model.mutations.is_empty() {
        model.say(
            Tone::Warning,
            "a change is under way: wait until it has ended",
        );
        return Vec::new();
    }
    model.shutdown = Shutdown::ForSandbox;
    vec![Effect::Quit]
}
