//! Review: all of the plan in sight, what a start would do, and the start.

use crate::job::Violations;
use crate::tui::drafts;
use crate::tui::keymap::Action;
use crate::tui::layout;
use crate::tui::message::{Deed, Effect};
use crate::tui::model::{Model, Tone};
use crate::tui::outside::{Problem, StartSummary};
use crate::tui::popups::question::Question;
use crate::tui::popups::{Popup, plan_file};
use crate::tui::remote::Remote;
use crate::tui::steps::{Step, access};
use crate::tui::view;
use crate::tui::widgets::list;

/// From which line on the review is in sight.
#[derive(Debug, Clone, Default)]
pub struct Review {
    pub(crate) line: usize,
}

/// What entering the step sets off: what is too old to start by is read again, and what is of another
/// plan.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    model.review.line = 0;
    if is_fresh(model) {
        Vec::new()
    } else {
        access::survey(model)
    }
}

/// Whether the plan as it is now was assessed, not long ago, or is being assessed.
fn is_fresh(model: &Model) -> bool {
    let state = &model.access.judged;
    access::is_of_plan(model)
        && (state.is_loading()
            || matches!(state, Remote::Loaded(judged) if !judged.assessment.is_stale(model.now)))
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Save => model.plan().is_some(),
        Action::Copy => text_to_copy(model).is_some(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Start => match can_advance(model) {
            Ok(()) if !is_fresh(model) => {
                model.say(
                    Tone::Warning,
                    "what was read is more than ten minutes old: it is read again",
                );
                return access::survey(model);
            }
            Ok(()) if access::fatal(model).is_empty() => model.ask(Question::Start),
            Ok(()) => model.ask(Question::StartDenied),
            Err(blocker) => model.say_problem(&blocker),
        },
        Action::Save => {
            let dialog = plan_file::dialog(model);
            model.open(dialog);
        }
        Action::Copy => return copy(model),
        Action::Reload => return access::survey(model),
        _ => scroll(model, action),
    }
    Vec::new()
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(text) = text_to_copy(model) else {
        return Vec::new();
    };
    model.say(
        Tone::Good,
        "the aws command was sent to the terminal's clipboard (OSC 52)",
    );
    vec![Effect::Copy(text)]
}

/// The commands that make the same calls, where the AWS CLI can.
fn text_to_copy(model: &Model) -> Option<String> {
    drafts::command(model, &model.plan()?).ok()
}

fn scroll(model: &mut Model, action: Action) {
    let page = model.page();
    let lines = view::review::line_count(model, layout::text_columns(model));
    let last = lines.saturating_sub(page) + 1;
    if let Some(line) = list::moved(action, model.review.line, last, page) {
        model.review.line = line;
    }
}

/// Whether the plan keeps the rules of a plan file; the first one that it breaks otherwise.
pub(crate) fn check_plan(model: &Model) -> Result<(), Problem> {
    let violations = model.violations();
    let first = violations.as_ref().and_then(|all| all.iter().next());
    first.map_or(Ok(()), |first| {
        Err(Problem {
            what: first.message.clone(),
            hint: first.hint.clone(),
        })
    })
}

/// Every rule that the plan breaks, as the check of a plan file tells them.
pub(crate) fn show_violations(model: &mut Model, violations: &Violations) {
    let told = violations
        .iter()
        .map(|violation| format!("✗ {}\n  hint: {}", violation.message, violation.hint));
    let text = told.collect::<Vec<_>>().join("\n\n");
    model.open(Popup::text("The plan breaks a rule", text));
}

/// What a start of the plan as it is now would do.
pub(crate) fn start_summary(model: &Model) -> Option<&StartSummary> {
    access::judged(model)?.start.as_ref().ok()
}

/// What stands in the way of a start.
pub(crate) fn can_advance(model: &Model) -> Result<(), Problem> {
    let blocked = |what: &str, hint: &str| {
        Err(Problem {
            what: what.to_owned(),
            hint: hint.to_owned(),
        })
    };
    if model.is_read_only {
        return blocked(
            "nothing is started with --read-only",
            "save the plan with s",
        );
    }
    check_plan(model)?;
    match &model.access.judged {
        _ if !access::is_of_plan(model) => blocked("the plan was not checked yet", "one moment"),
        Remote::Loaded(judged) => match (judged.stopped_by(), &judged.start) {
            (Some(problem), _) => Err(problem),
            (None, Err(why)) => blocked(why, "press r to check again"),
            (None, Ok(_)) => Ok(()),
        },
        Remote::Refused(why) | Remote::Failed(why) => blocked(why, "press r to check again"),
        _ => blocked("still checking what a start needs", "one moment"),
    }
}

/// Starts the exports, after the yes. A denial that came to light since the question was asked is
/// asked about first.
pub(crate) fn start(model: &mut Model) -> Vec<Effect> {
    if access::fatal(model).is_empty() {
        return start_denied(model);
    }
    model.ask(Question::StartDenied);
    Vec::new()
}

/// Starts the exports, whatever is denied.
pub(crate) fn start_denied(model: &mut Model) -> Vec<Effect> {
    if let Err(problem) = can_advance(model) {
        model.say_problem(&problem);
        return Vec::new();
    }
    let Some(plan) = model.plan() else {
        return Vec::new();
    };
    let Some(summary) = start_summary(model).cloned() else {
        return Vec::new();
    };
    // Its tokens are used up.
    model.access.forget();
    let request = model.request();
    model.deeds.push(request);
    model.progress.begin(request, model.now);
    model.step = Step::Progress;
    vec![Effect::Do(
        request,
        Deed::Start(Box::new(plan), Box::new(summary)),
    )]
}
