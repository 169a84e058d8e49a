//! The probe in the Access step: shown, agreed to, made, and told.
//!
//! This module decides what it takes to make one: a probe that was drawn up with the facts in sight and
//! shown with every call that it sends, and a yes to it. The probe is carried in the question itself,
//! so that none drawn up meanwhile can take its place.

use super::consent::{self, Changing, Stage};
use super::message::{Deed, Effect};
use super::model::{Model, Tone};
use super::outside::{Probe, ProbeRecord, ProbeReport};
use super::popups::Popup;
use super::popups::question::Question;
use super::remote::Remote;
use super::steps::{Step, access};
use crate::job::Plan;

/// Whether a probe can be asked for now.
pub(crate) fn is_possible(model: &Model) -> bool {
    consent::is_possible(model) && access::is_of_plan(model) && !model.access.judged.is_not_asked()
}

/// Asks whether to make the probe, or says why there is none.
pub(crate) fn ask(model: &mut Model) {
    match &model.access.judged {
        Remote::Loaded(judged) => match judged.probe.clone() {
            Ok(probe) => model.ask(Question::Probe(probe)),
            Err(why) => model.open(Popup::text("The probe cannot be made", why)),
        },
        Remote::Refused(_) | Remote::Failed(_) => model.say(
            Tone::Warning,
            "both accounts are read before a probe: r reads them again",
        ),
        // A probe is made at most once: while it is judged anew, the one in sight may be used up.
        _ => model.say(
            Tone::Plain,
            "one moment: both accounts are still being read",
        ),
    }
}

/// Takes the yes to a probe.
pub(crate) fn agree(model: &mut Model, probe: Box<Probe>) -> Vec<Effect> {
    let Some(plan) = model.access.plan.clone() else {
        return Vec::new();
    };
    if !consent::is_possible(model) {
        return Vec::new();
    }
    let request = model.request();
    model.deeds.push(request);
    model.changing = Some(Changing {
        title: format!(
            "an upload to {} is begun and taken back",
            probe.target.bucket
        ),
        since: model.now,
        stage: Stage::Probing(request),
    });
    vec![Effect::Do(request, Deed::Probe(Box::new(plan), probe))]
}

/// Takes what a probe found out: it is told, and the plan judged anew with it.
pub(crate) fn take(model: &mut Model, plan: &Plan, report: Box<ProbeReport>) -> Vec<Effect> {
    model.changing = None;
    tell(model, &report);
    if model.plan().as_ref() != Some(plan) {
        return Vec::new();
    }
    model.access.probed = Some(report);
    access::judge(model)
}

/// Takes the reason why no probe was made, word for word.
pub(crate) fn take_not_made(model: &mut Model, why: String) -> Vec<Effect> {
    model.changing = None;
    model.announce(Popup::text("The probe was not made", why));
    access::survey(model)
}

fn tell(model: &mut Model, report: &ProbeReport) {
    let problems = report.problems();
    if report.is_success() && problems.is_empty() && report.taken_back.is_empty() {
        let text = "the probe got through and left nothing; what it shows is judged anew";
        return model.say(Tone::Good, text);
    }
    let problems = problems
        .into_iter()
        .map(|(what, hint)| format!("✗ {what}\nhint: {hint}"));
    let mut lines: Vec<String> = problems.collect();
    lines.extend(report.lines());
    model.announce(Popup::text("What the probe showed", lines.join("\n\n")));
}

/// Says that earlier probes may have left something, unless something else is being said.
pub(crate) fn tell_unfinished(model: &mut Model, probes: &[ProbeRecord]) {
    if probes.is_empty() || model.notice.is_some() {
        return;
    }
    let text = if model.step == Step::Access {
        "an earlier probe may have left an upload: p takes it back first"
    } else {
        "a probe may have left an upload in a bucket: p in Access takes it back"
    };
    model.say(Tone::Warning, text);
}

/// The same of what was just judged.
pub(crate) fn tell_earlier(model: &mut Model) {
    let judged = access::judged(model).and_then(|judged| judged.probe.as_ref().ok());
    let earlier = judged.map_or_else(Vec::new, |probe| probe.earlier.clone());
    if model.step == Step::Access {
        tell_unfinished(model, &earlier);
    }
}
