//! What the keys of the Review step do: the start, after a yes.

use crate::job::{ExportRequest, Plan, by_hand};
use crate::tui::assessing;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Mutation};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::{Popup, Question};
use crate::tui::remote::Remote;
use crate::tui::services::ShownProblem;
use crate::work::event::Side;

/// What entering the step sets off: what is too old to start by is read again, and what is of another
/// plan.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    model.restart_text();
    if assessing::is_fresh(model) {
        Vec::new()
    } else {
        assessing::assess_anew(model)
    }
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
        Action::Start => match check(model) {
            Ok(()) if !assessing::is_fresh(model) => {
                model.say(
                    Tone::Warning,
                    "what was read is more than ten minutes old: it is read again",
                );
                return assessing::assess_anew(model);
            }
            Ok(()) if assessing::fatal(model).is_empty() => model.ask(Question::Start),
            Ok(()) => model.ask(Question::StartDenied),
            Err(blocker) => model.say_problem(&blocker),
        },
        Action::Save => {
            let dialog = Popup::save(model.plan_file.as_deref());
            model.open(dialog);
        }
        Action::Copy => return copy(model),
        Action::Reload => return assessing::assess_anew(model),
        _ => model.scroll(action),
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
    command(model, &assessing::resolved_plan(model)?).ok()
}

/// The `aws` commands that make the same calls as the same identity, or why there are none; with the
/// tokens of the start summary where there is one, so that they make no second export.
pub(crate) fn command(model: &Model, plan: &Plan) -> Result<String, String> {
    let Some(known) = model.identified(Side::Source) else {
        return Err("the source is not signed in".to_owned());
    };
    let requests: Vec<ExportRequest> = match assessing::start_summary(model) {
        Some(summary) => summary.requests.clone(),
        None => plan
            .tables
            .iter()
            .map(|job| {
                let arn = plan.table_arn(job, &known.identity.account, &known.region);
                plan.request(job, arn, model.destination.owner().cloned(), String::new())
            })
            .collect(),
    };
    let sign_in = &plan.source.sign_in;
    by_hand(&requests, sign_in, &known.identity.arn, &known.region)
}

/// Reads again what holds for the plan as it is now no longer.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    let is_proved = model.identified(Side::Source).is_some();
    if is_proved && !assessing::is_of_plan(model) {
        return enter(model);
    }
    Vec::new()
}

/// What stands in the way of a start.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    let blocked = |what: &str, hint: &str| {
        Err(ShownProblem {
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
    assessing::check_plan(model)?;
    match &model.assessing.assessed {
        _ if !assessing::is_of_plan(model) => blocked("the plan was not checked yet", "one moment"),
        Remote::Loaded(assessed) => match (assessed.stopped_by(), &assessed.start) {
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
    if assessing::fatal(model).is_empty() {
        return start_denied(model);
    }
    model.ask(Question::StartDenied);
    Vec::new()
}

/// Starts the exports, whatever is denied.
pub(crate) fn start_denied(model: &mut Model) -> Vec<Effect> {
    if let Err(problem) = check(model) {
        model.say_problem(&problem);
        return Vec::new();
    }
    let Some(plan) = assessing::resolved_plan(model) else {
        return Vec::new();
    };
    let Some(summary) = assessing::start_summary(model).cloned() else {
        return Vec::new();
    };
    let Some(next) = model.flow.next(model.step) else {
        return Vec::new();
    };
    let request = model.mutation();
    model.progress.begin(request, model.now);
    model.step = next;
    model.restart_text();
    vec![Effect::Mutate(
        request,
        Mutation::Start(Box::new(plan), Box::new(summary)),
    )]
}
