//! The probe in the Access step: shown, agreed to, made, and reported.
//!
//! This module decides what it takes to make one: a probe that was drawn up with the facts in sight and
//! shown with every call that it sends, and a yes to it. The probe is carried in the question itself,
//! so that none drawn up meanwhile can take its place.

use super::assessing;
use super::changes::state::{ChangePhase, ChangeUnderWay};
use super::message::{Effect, Mutation};
use super::model::{Model, Tone};
use super::popups::state::{Popup, Question};
use super::remote::Remote;
use super::services::{Probe, ProbeReport};
use crate::job::Plan;

/// Whether `--read-only` allows the plan's probe: one that only reads changes nothing.
pub(crate) fn is_allowed(model: &Model) -> bool {
    let plan = model.assessing.plan.as_ref();
    !model.is_read_only || plan.is_some_and(Plan::reads_objects)
}

/// Whether a probe can be asked for now.
pub(crate) fn is_possible(model: &Model) -> bool {
    is_allowed(model)
        && model.changes.under_way.is_none()
        && assessing::is_of_plan(model)
        && !model.assessing.assessed.is_not_asked()
}

/// Asks whether to make the probe, or says why there is none.
pub(crate) fn ask(model: &mut Model) {
    match &model.assessing.assessed {
        Remote::Loaded(assessed) => match assessed.probe.clone() {
            Ok(probe) => model.ask(Question::Probe(probe)),
            Err(why) => model.open(Popup::text("The probe cannot be made", why)),
        },
        Remote::Refused(_) | Remote::Failed(_) => model.say(
            Tone::Warning,
            "both accounts are read before a probe: r reads them again",
        ),
        // A probe is made at most once: while it is assessed anew, the one in sight may be used up.
        _ => model.say(
            Tone::Plain,
            "one moment: both accounts are still being read",
        ),
    }
}

/// Takes the yes to a probe.
pub(crate) fn agree(model: &mut Model, probe: Box<Probe>) -> Vec<Effect> {
    let Some(plan) = model.assessing.plan.clone() else {
        return Vec::new();
    };
    if !is_allowed(model) || model.changes.under_way.is_some() {
        return Vec::new();
    }
    let request = model.mutation();
    model.changes.under_way = Some(ChangeUnderWay {
        title: if probe.reads.is_some() {
            format!("objects of {} are listed and read", probe.target.bucket)
        } else {
            format!(
                "an upload to {} is begun and taken back",
                probe.target.bucket
            )
        },
        since: model.now,
        stage: ChangePhase::Probing,
    });
    vec![Effect::Mutate(
        request,
        Mutation::Probe(Box::new(plan), probe),
    )]
}

/// Takes what a probe found out: it is reported, and the plan assessed anew with it.
pub(crate) fn take(model: &mut Model, plan: &Plan, report: Box<ProbeReport>) -> Vec<Effect> {
    model.changes.under_way = None;
    tell(model, &report);
    if model.plan().as_ref() != Some(plan) {
        return Vec::new();
    }
    model.assessing.probed = Some(report);
    assessing::assess(model)
}

/// Takes the reason why no probe was made, word for word.
pub(crate) fn take_not_made(model: &mut Model, why: String) -> Vec<Effect> {
    model.changes.under_way = None;
    model.announce(Popup::text("The probe was not made", why));
    assessing::assess_anew(model)
}

fn tell(model: &mut Model, report: &ProbeReport) {
    let problems = report.problems();
    if report.is_success() && problems.is_empty() && report.taken_back.is_empty() {
        let text = "the probe got through and left nothing; what it shows is assessed anew";
        return model.say(Tone::Good, text);
    }
    let problems = problems
        .into_iter()
        .map(|(what, hint)| format!("✗ {what}\nhint: {hint}"));
    let mut lines: Vec<String> = problems.collect();
    lines.extend(report.lines());
    model.announce(Popup::text("What the probe showed", lines.join("\n\n")));
}
