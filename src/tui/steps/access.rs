//! Access: what the plan may do on either side, what fixes what it may not, and the policies that
//! it needs, in full.
//!
//! The step decides which verdicts still count: those of the plan as it is now. A denial does not
//! keep anybody from going on, but it is asked about before the start.

use crate::assess::remedy::{Fix, Remedy, Target, WholePolicy};
use crate::assess::verdict::{AssessedRequirement, Requirement, VerdictGroup};
use crate::job::Plan;
use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::layout;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::{Model, Tone};
use crate::tui::outside::{Judged, ProbeReport, Way};
use crate::tui::popups::Popup;
use crate::tui::popups::question::Question;
use crate::tui::probing;
use crate::tui::remote::{Remote, RequestId};
use crate::tui::steps::destination::Owner;
use crate::tui::view;
use crate::tui::widgets::{format, list};
use crate::work::event::Side;

/// What is known of the plan's permissions, and what of it is in sight.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub(crate) judged: Remote<Judged, String>,
    /// The plan that is judged.
    pub(crate) plan: Option<Plan>,
    /// What a probe of that plan found out, until both accounts are read anew.
    pub(crate) probed: Option<Box<ProbeReport>>,
    pub(crate) tab: Tab,
    /// The row of the checks under the cursor.
    pub(crate) cursor: usize,
    /// The line of another tab in sight first.
    pub(crate) line: usize,
}

/// A tab of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    /// Every verdict.
    #[default]
    Checks,
    /// A remedy, by its place.
    Remedy(usize),
    /// A policy from scratch, by its place.
    Policy(usize),
}

/// What is under the cursor of the checks.
#[derive(Debug, Clone)]
pub(crate) enum Checked<'a> {
    /// A verdict, with those of the same cause.
    Requirement(VerdictGroup<'a>),
    /// What could not be read, all of it.
    Assumed,
}

impl Access {
    /// Forgets what was read for another identity.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// What entering the step sets off: both accounts are read anew.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    model.access.tab = Tab::Checks;
    model.access.cursor = 0;
    model.access.line = 0;
    judge(model)
}

/// Reads and judges anew, without what a probe found out before.
pub(crate) fn survey(model: &mut Model) -> Vec<Effect> {
    model.access.probed = None;
    judge(model)
}

/// Reads and judges; what is known of the same plan stays in sight until then.
pub(crate) fn judge(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        model.access.forget();
        return Vec::new();
    };
    let request = model.request();
    if model.access.plan.as_ref() != Some(&plan) {
        model.access.judged = Remote::NotAsked;
        model.access.probed = None;
    }
    model.access.judged.ask(request);
    model.access.plan = Some(plan.clone());
    let plan = Box::new(plan);
    let query = match model.access.probed.clone() {
        Some(report) => Query::JudgeProbed(plan, report),
        None => Query::Judge(plan),
    };
    vec![
        Effect::Cancel(Errand::Access),
        Effect::Ask(request, Errand::Access, query),
    ]
}

/// Takes what was judged, unless nobody waits for it any more.
pub(crate) fn take_judged(model: &mut Model, request: RequestId, answer: Result<Judged, String>) {
    let before = titles(model);
    let shown = subjects(model);
    if !model.access.judged.answer(request, answer) {
        return;
    }
    // What is left to fix comes first; where all stands as it stood, the reader goes on reading.
    if subjects(model) != shown {
        model.access.cursor = 0;
    }
    model.access.cursor = model.access.cursor.min(row_count(model).saturating_sub(1));
    // A remedy that is there no more must not give its place to another under the reader's eyes.
    if matches!(model.access.tab, Tab::Remedy(_)) && titles(model) != before {
        model.access.tab = Tab::Checks;
        model.access.line = 0;
    }
    probing::tell_earlier(model);
}

/// Whether the verdicts, or the question for them, are of the plan as it is now.
pub(crate) fn is_of_plan(model: &Model) -> bool {
    model.access.plan == model.plan()
}

/// What was judged of the plan as it is now.
pub(crate) fn judged(model: &Model) -> Option<&Judged> {
    let judged = model.access.judged.value()?;
    is_of_plan(model).then_some(judged)
}

/// What the export is certain to fail by, as far as it is known by now.
pub(crate) fn fatal(model: &Model) -> Vec<&AssessedRequirement> {
    judged(model).map_or_else(Vec::new, |judged| judged.fatal().collect())
}

/// The tabs there are now.
pub(crate) fn tabs(model: &Model) -> Vec<Tab> {
    let remedies = judged(model).map_or(0, |judged| judged.remedies.len());
    let policies = judged(model).map_or(0, |judged| judged.policies.len());
    std::iter::once(Tab::Checks)
        .chain((0..remedies).map(Tab::Remedy))
        .chain((0..policies).map(Tab::Policy))
        .collect()
}

/// A tab's title.
pub(crate) fn title(model: &Model, tab: Tab) -> String {
    match tab {
        Tab::Checks => "Checks".to_owned(),
        Tab::Remedy(_) => remedy(model, tab).map_or_else(String::new, |(_, remedy)| {
            format!("Fix {}", short_title(remedy))
        }),
        Tab::Policy(_) => policy(model, tab).map_or_else(String::new, |policy| {
            policy_title(&policy.target).to_owned()
        }),
    }
}

fn short_title(remedy: &Remedy) -> &'static str {
    match &remedy.fix {
        Fix::Document { target, .. } => match target {
            Target::IdentityPolicy { .. } => "identity",
            Target::BucketPolicy { .. } => "bucket",
            Target::KeyPolicy { .. } => "key",
        },
        Fix::EnableRecovery { .. } => "recovery",
        Fix::Plan { .. } => "plan",
        Fix::RequestText { .. } => "message",
    }
}

/// What is judged, in the order in which it is shown.
fn subjects(model: &Model) -> Vec<Requirement> {
    let verdicts = judged(model).map_or(&[][..], |judged| &judged.verdicts);
    let subjects = verdicts.iter().map(|verdict| verdict.requirement.clone());
    subjects.collect()
}

fn titles(model: &Model) -> Vec<String> {
    let tabs = tabs(model);
    tabs.into_iter().map(|tab| title(model, tab)).collect()
}

/// The remedy of a tab, with what all was judged of.
pub(crate) fn remedy(model: &Model, tab: Tab) -> Option<(&Judged, &Remedy)> {
    let Tab::Remedy(place) = tab else {
        return None;
    };
    let judged = judged(model)?;
    Some((judged, judged.remedies.get(place)?))
}

/// The policy of a tab.
pub(crate) fn policy(model: &Model, tab: Tab) -> Option<&WholePolicy> {
    match tab {
        Tab::Policy(place) => judged(model)?.policies.get(place),
        Tab::Checks | Tab::Remedy(_) => None,
    }
}

/// What to know before a policy is copied.
pub(crate) fn notes(model: &Model) -> &[String] {
    judged(model).map_or(&[], |judged| &judged.notes)
}

const fn policy_title(target: &Target) -> &'static str {
    match target {
        Target::IdentityPolicy { .. } => "Identity",
        Target::BucketPolicy { .. } => "Bucket",
        Target::KeyPolicy { .. } => "Key",
    }
}

/// Where a policy belongs, in a sentence.
pub(crate) fn policy_place(model: &Model, policy: &WholePolicy) -> String {
    match &policy.target {
        Target::IdentityPolicy { .. } => {
            let source = model.identified(Side::Source);
            let who = source.map_or_else(String::new, |known| known.identity.arn.to_string());
            format!("Attach to the exporting principal: {who}")
        }
        Target::BucketPolicy { bucket, .. } => {
            let owner = model.destination.owner().map_or_else(
                || "the bucket's account".to_owned(),
                |owner| format!("account {owner}"),
            );
            format!("Add to the policy of bucket {bucket}, in {owner}")
        }
        Target::KeyPolicy { key } => format!("Add to the key policy of {key}"),
    }
}

/// How many rows the checks have: a verdict each, and one for what could not be read.
pub(crate) fn row_count(model: &Model) -> usize {
    judged(model).map_or(0, |judged| {
        judged.groups().len() + usize::from(!judged.assumed().is_empty())
    })
}

/// What is under the cursor of the checks.
pub(crate) fn checked(model: &Model) -> Option<Checked<'_>> {
    let judged = judged(model)?;
    match judged.groups().into_iter().nth(model.access.cursor) {
        Some(told) => Some(Checked::Requirement(told)),
        None => (model.access.cursor < row_count(model)).then_some(Checked::Assumed),
    }
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Copy => text_to_copy(model).is_some(),
        Action::NextTab | Action::PreviousTab => tabs(model).len() > 1,
        Action::Show => model.access.tab == Tab::Checks && checked(model).is_some(),
        Action::Reload => model.plan().is_some(),
        Action::Apply => consent::is_possible(model) && way(model).is_some(),
        Action::NoChange => model.is_read_only && way(model).is_some(),
        Action::Probe => probing::is_possible(model),
        Action::NoProbe => model.is_read_only,
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::NextTab => turn(model, 1),
        Action::PreviousTab => turn(model, tabs(model).len().saturating_sub(1)),
        Action::Copy => return copy(model),
        Action::Reload => return survey(model),
        Action::Show => model.open(Popup::Checked { line: 0 }),
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
fn way(model: &Model) -> Option<(usize, &Way)> {
    let judged = judged(model)?;
    let place = match (model.access.tab, checked(model)) {
        (Tab::Remedy(place), _) => place,
        (Tab::Checks, Some(Checked::Requirement(group))) => judged.remedy_of(group.verdict)?,
        _ => return None,
    };
    let way = judged.ways.get(place)?;
    (!matches!(way, Way::Nothing(_))).then_some((place, way))
}

/// Asks about a change of an account, or changes the plan, which is agreed to in Review.
fn apply(model: &mut Model) -> Vec<Effect> {
    let Some((place, way)) = way(model) else {
        return Vec::new();
    };
    match way.clone() {
        Way::Change(proposed) => {
            model.access.tab = Tab::Remedy(place);
            model.access.line = 0;
            model.ask(Question::Change(proposed));
            Vec::new()
        }
        Way::Plan => mend_plan(model),
        Way::Nothing(_) => Vec::new(),
    }
}

/// Takes over what the remedies change in the plan, and judges it anew.
fn mend_plan(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = judged(model).map(|judged| judged.fixed_plan.clone()) else {
        return Vec::new();
    };
    if let Some(owner) = plan.destination.owner {
        model.destination.owner = Owner::Given(owner);
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
    model.access.tab = tabs.get(next).copied().unwrap_or_default();
    model.access.line = 0;
}

/// What `y` copies here, and what to call it.
fn text_to_copy(model: &Model) -> Option<(String, String)> {
    if let Some(policy) = policy(model, model.access.tab) {
        return Some((policy_title(&policy.target).to_owned(), policy.text.clone()));
    }
    let (judged, remedy) = remedy(model, model.access.tab)?;
    if let Some(letter) = judged.letter(remedy) {
        return Some((
            format!("the message to {}", remedy.responsible),
            letter.to_owned(),
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
    let page = model.page();
    if model.access.tab == Tab::Checks {
        let rows = row_count(model);
        if let Some(row) = list::moved(action, model.access.cursor, rows, page) {
            model.access.cursor = row;
        }
        return;
    }
    let lines = view::access::line_count(model, layout::text_columns(model));
    let last = lines.saturating_sub(page) + 1;
    if let Some(line) = list::moved(action, model.access.line, last, page) {
        model.access.line = line;
    }
}
