//! What the keys of the Access step do, and what of the assessment is in sight.
//!
//! A denial does not keep anybody from going on, but it is asked about before the start.

use super::state::Tab;
use super::tabs::{
    CheckInSight, checked, policy, policy_title, remedy, row_count, subjects, tabs, titles,
};
use crate::assess::remedy::Fix;
use crate::job::Violations;
use crate::tui::assessing::{self, assessed};
use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::{Popup, Question};
use crate::tui::probing;
use crate::tui::remote::RequestId;
use crate::tui::services::{AssessedPlan, ProbeRecord, RemedyOption};
use crate::tui::steps::destination::state::BucketOwner;
use crate::tui::widgets::{format, list};
use crate::work::event::Side;

/// What entering the step sets off: both accounts are read anew.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    model.access.cursor = 0;
    show(model, Tab::Checks);
    assessing::assess(model)
}

/// Shows a tab from its start.
fn show(model: &mut Model, tab: Tab) {
    model.access.tab = tab;
    model.restart_text();
}

/// Takes an assessment, unless nobody waits for it any more.
pub(crate) fn take_assessed(
    model: &mut Model,
    request: RequestId,
    answer: Result<AssessedPlan, String>,
) {
    let before = titles(model);
    let shown = subjects(model);
    if !assessing::take(model, request, answer) {
        return;
    }
    // What is left to fix comes first; where all stands as it stood, the reader goes on reading.
    if subjects(model) != shown {
        model.access.cursor = 0;
    }
    model.access.cursor = model.access.cursor.min(row_count(model).saturating_sub(1));
    // A remedy that is there no more must not give its place to another under the reader's eyes.
    if matches!(model.access.tab, Tab::Remedy(_)) && titles(model) != before {
        show(model, Tab::Checks);
    }
    let earlier = assessed(model).and_then(|assessed| assessed.probe.as_ref().ok());
    let earlier = earlier.map_or_else(Vec::new, |probe| probe.earlier.clone());
    if *model.step == super::STEP {
        tell_unfinished(model, &earlier);
    }
}

/// Says that earlier probes may have left something, unless something else is being said.
pub(crate) fn tell_unfinished(model: &mut Model, probes: &[ProbeRecord]) {
    if probes.is_empty() || model.notice.is_some() {
        return;
    }
    let text = if *model.step == super::STEP {
        "an earlier probe may have left an upload: p takes it back first"
    } else {
        "a probe may have left an upload in a bucket: p in Access takes it back"
    };
    model.say(Tone::Warning, text);
}

/// Reads again what holds for the plan as it is now no longer.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    let is_proved = model.identified(Side::Source).is_some();
    if is_proved && !assessing::is_of_plan(model) {
        return enter(model);
    }
    Vec::new()
}

/// Shows every rule that the plan breaks in place of going on.
pub(crate) fn show_violations_instead(model: &mut Model) -> Option<Vec<Effect>> {
    let violations = model.violations()?;
    show_violations(model, &violations);
    Some(Vec::new())
}

/// Every rule that the plan breaks, as the check of a plan file tells them.
fn show_violations(model: &mut Model, violations: &Violations) {
    let told = violations
        .iter()
        .map(|violation| format!("✗ {}\n  hint: {}", violation.message, violation.hint));
    let text = told.collect::<Vec<_>>().join("\n\n");
    model.open(Popup::text("The plan breaks a rule", text));
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Copy => text_to_copy(model).is_some(),
        Action::NextTab | Action::PreviousTab => tabs(model).len() > 1,
        Action::Show => model.access.tab == Tab::Checks && checked(model).is_some(),
        Action::Reload => model.plan().is_some(),
        Action::Apply => consent::is_possible(model) && option_in_sight(model).is_some(),
        Action::NoChange => model.is_read_only && option_in_sight(model).is_some(),
        Action::Probe => probing::is_possible(model),
        Action::NoProbe => !probing::is_allowed(model),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::NextTab => turn(model, 1),
        Action::PreviousTab => turn(model, tabs(model).len().saturating_sub(1)),
        Action::Copy => return copy(model),
        Action::Reload => return assessing::assess_anew(model),
        Action::Show => model.open(Popup::Checked),
        Action::Apply => return apply(model),
        Action::Probe => probing::ask(model),
        Action::NoProbe => model.say(
            Tone::Warning,
            "a probe begins an upload, and nothing is changed with --read-only",
        ),
        Action::NoChange => model.say(
            Tone::Warning,
            "nothing is changed with --read-only: y copies the text of a remedy",
        ),
        _ => move_or_scroll(model, action),
    }
    Vec::new()
}

/// The remedy that is in sight, or that fixes the check under the cursor, and what can be done about
/// it; none where that is nothing.
fn option_in_sight(model: &Model) -> Option<(usize, &RemedyOption)> {
    let assessed = assessed(model)?;
    let place = match (model.access.tab, checked(model)) {
        (Tab::Remedy(place), _) => place,
        (Tab::Checks, Some(CheckInSight::Requirement(group))) => {
            assessed.remedy_of(group.verdict)?
        }
        _ => return None,
    };
    let option = assessed.options.get(place)?;
    (!matches!(option, RemedyOption::Nothing(_))).then_some((place, option))
}

/// Asks about a change of an account, or changes the plan, which is agreed to in Review.
fn apply(model: &mut Model) -> Vec<Effect> {
    let Some((place, option)) = option_in_sight(model) else {
        return Vec::new();
    };
    match option.clone() {
        RemedyOption::Change(proposed) => {
            show(model, Tab::Remedy(place));
            model.ask(Question::Change(proposed));
            Vec::new()
        }
        RemedyOption::Plan => fix_plan(model),
        RemedyOption::Nothing(_) => Vec::new(),
    }
}

/// Takes over what the remedies change in the plan, and assesses it anew.
fn fix_plan(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = assessed(model).map(|assessed| assessed.fixed_plan.clone()) else {
        return Vec::new();
    };
    if let Some(owner) = plan.destination.owner {
        model.destination.owner = BucketOwner::Given(owner);
    }
    model.encryption.choice = Some(plan.encryption);
    model.encryption.place_cursor();
    model.say(Tone::Good, "the plan was changed; it is checked again");
    enter(model)
}

/// Goes so many tabs on, around the end.
fn turn(model: &mut Model, by: usize) {
    let tabs = tabs(model);
    let here = tabs.iter().position(|tab| *tab == model.access.tab);
    let next = here.map_or(0, |here| (here + by) % tabs.len());
    show(model, tabs.get(next).copied().unwrap_or_default());
}

/// What `y` copies here, and what to call it.
fn text_to_copy(model: &Model) -> Option<(String, String)> {
    if let Some(policy) = policy(model, model.access.tab) {
        return Some((policy_title(&policy.target).to_owned(), policy.text.clone()));
    }
    let (assessed, remedy) = remedy(model, model.access.tab)?;
    if let Some(request_text) = assessed.request_text(remedy) {
        return Some((
            format!("the message to {}", remedy.responsible),
            request_text.to_owned(),
        ));
    }
    match &remedy.fix {
        Fix::Document { target, after, .. } => Some((target.to_string(), after.clone())),
        Fix::RequestText { text } => Some(("the message".to_owned(), text.clone())),
        Fix::EnableRecovery { .. } | Fix::Plan { .. } => None,
    }
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let Some((title, text)) = text_to_copy(model) else {
        return Vec::new();
    };
    let size = format::counted(text.lines().count() as u64, "line");
    model.say(
        Tone::Good,
        format!("{title}: {size} sent to the terminal's clipboard (OSC 52)"),
    );
    vec![Effect::Copy(text)]
}

fn move_or_scroll(model: &mut Model, action: Action) {
    if model.access.tab != Tab::Checks {
        model.scroll(action);
        return;
    }
    let (rows, page) = (row_count(model), model.sight.page);
    if let Some(row) = list::moved(action, model.access.cursor, rows, page) {
        model.access.cursor = row;
    }
}
