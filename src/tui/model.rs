//! All that the screen shows.
//!
//! The model is plain data. It decides nothing by itself but what follows from it: which scopes
//! of the key table hold now, whether something moves, and the plan that was chosen so far.

pub(crate) mod context;
pub(crate) mod flow;
pub(crate) mod step;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::flow::Flow;
use self::step::Step;
use super::assessing::state::{Assessing, Basis};
use super::changes::state::OwnChanges;
use super::keymap::{Action, KeyScope, Keymap};
use super::layout;
use super::message::FrameNumber;
use super::popups::state::{OpenPopup, Popup, Question};
use super::remote::RequestId;
use super::revision::Revision;
use super::services::{Identified, RunSummary, ShownProblem};
use super::sight::{ScreenId, Sight};
use super::steps::access::state::Access;
use super::steps::accounts::state::Accounts;
use super::steps::destination::state::DestinationChoice;
use super::steps::encryption::state::EncryptionStep;
use super::steps::inventory::state::InventoryChoice;
use super::steps::principal::state::PrincipalChoice;
use super::steps::progress::state::RunProgress;
use super::steps::reports::state::Reports;
use super::steps::start::state::StartScreen;
use super::steps::tables::state::Tables;
use super::steps::watching::state::Watching;
use super::widgets::list::FilteredList;
use crate::job::{self, Plan, Source, Violations};
use crate::journal::RunId;
use crate::work::event::Side;
use tableferry_policy::arn::AccountId;

/// What the wizard was started with.
#[derive(Debug, Clone)]
pub struct WizardStart {
    /// Whether the accounts are the sandbox's.
    pub is_sandbox: bool,
    /// Whether changes are forbidden.
    pub is_read_only: bool,
    /// The accounts that are marked production, with the names that are typed before a change.
    pub production: BTreeMap<AccountId, String>,
    /// A plan to fill the steps with.
    pub plan: Option<Plan>,
    /// The file that plan came from.
    pub plan_file: Option<PathBuf>,
    /// The time of the start.
    pub now: Timestamp,
}

/// All that the screen shows.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) keymap: Arc<Keymap>,
    pub(crate) is_sandbox: bool,
    pub(crate) is_read_only: bool,
    pub(crate) production: BTreeMap<AccountId, String>,
    pub(crate) plan_file: Option<PathBuf>,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) flow: &'static Flow,
    /// The flow that was begun last, also while the start screen is in sight.
    begun: &'static Flow,
    pub(crate) step: &'static Step,
    /// How often another flow was begun.
    pub(crate) flow_revision: Revision,
    /// The number of the step's text, a new one where it is shown from its start.
    pub(crate) text: ScreenId,
    pub(crate) popups: Vec<OpenPopup>,
    pub(crate) start: StartScreen,
    pub(crate) accounts: Accounts,
    pub(crate) tables: Tables,
    pub(crate) principal: PrincipalChoice,
    pub(crate) inventory: InventoryChoice,
    pub(crate) reports: Reports,
    pub(crate) destination: DestinationChoice,
    pub(crate) encryption: EncryptionStep,
    pub(crate) access: Access,
    pub(crate) progress: RunProgress,
    pub(crate) watching: Watching,
    pub(crate) assessing: Assessing,
    pub(crate) changes: OwnChanges,
    pub(crate) resuming: Option<RunSummary>,
    pub(crate) notice: Option<Notice>,
    /// The mutations whose end was not reported yet.
    pub(crate) mutations: Vec<RequestId>,
    pub(crate) shutdown: Shutdown,
    pub(crate) has_acted: bool,
    pub(crate) sight: Sight,
    last_request: u64,
}

/// What stands beside an account that the configuration marks so: a word, since colours alone are
/// easily missed.
pub(crate) const PRODUCTION: &str = "PRODUCTION";

/// A sentence in the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}

/// Whether the wizard is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shutdown {
    /// It goes on.
    #[default]
    No,
    /// It ends as soon as the mutations in flight have.
    AfterMutations,
    /// It has ended.
    Now,
    /// It has ended, to be opened again on the sandbox.
    ForSandbox,
}

impl Model {
    /// The model at the start of a flow: nothing is known yet.
    pub(crate) fn new(
        keymap: Arc<Keymap>,
        start: WizardStart,
        flow: &'static Flow,
        step: &'static Step,
    ) -> Self {
        let mut model = Self {
            keymap,
            is_sandbox: start.is_sandbox,
            is_read_only: start.is_read_only,
            production: start.production,
            plan_file: start.plan_file,
            now: start.now,
            size: (80, 24),
            flow,
            begun: flow,
            step,
            flow_revision: Revision::default(),
            text: ScreenId::default(),
            popups: Vec::new(),
            start: StartScreen::default(),
            accounts: Accounts::default(),
            tables: Tables::default(),
            principal: PrincipalChoice::default(),
            inventory: InventoryChoice::default(),
            reports: Reports::default(),
            destination: DestinationChoice::default(),
            encryption: EncryptionStep::default(),
            access: Access::default(),
            progress: RunProgress::default(),
            watching: Watching::default(),
            assessing: Assessing::default(),
            changes: OwnChanges::default(),
            resuming: None,
            notice: None,
            mutations: Vec::new(),
            shutdown: Shutdown::No,
            has_acted: false,
            sight: Sight::default(),
            last_request: 0,
        };
        if let Some(plan) = start.plan {
            model.fill_in(&plan);
        }
        model
    }

    /// Begins another flow with what was chosen so far.
    pub(crate) fn begin_flow(&mut self, flow: &'static Flow) {
        let Some(first) = flow.steps.first() else {
            return;
        };
        if self.begun != flow {
            self.flow_revision.advance();
            self.begun = flow;
        }
        self.flow = flow;
        self.step = first;
        self.restart_text();
    }

    /// Takes a plan's choices in place of what was chosen.
    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.accounts.fill_in(plan);
        self.tables = Tables::filled_in(plan);
        self.principal = PrincipalChoice::filled_in(plan);
        self.inventory = InventoryChoice::filled_in(plan);
        self.destination = DestinationChoice::filled_in(plan);
        self.encryption = EncryptionStep::filled_in(plan);
    }

    /// A number for a new request.
    pub(crate) const fn request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }

    /// A number for a new request of something that is changed; its end is waited for.
    pub(crate) fn mutation(&mut self) -> RequestId {
        let request = self.request();
        self.mutations.push(request);
        request
    }

    fn numbered(&mut self, popup: Popup) -> OpenPopup {
        OpenPopup {
            id: self.sight.id(),
            popup,
        }
    }

    /// Opens a popup on top, as an answer to a key.
    pub(crate) fn open(&mut self, popup: Popup) {
        let popup = self.numbered(popup);
        self.popups.push(popup);
    }

    /// Opens a popup that no key asked for: below those that are open, so that no key meant for
    /// another reaches it.
    pub(crate) fn announce(&mut self, popup: Popup) {
        let popup = self.numbered(popup);
        self.popups.insert(0, popup);
    }

    /// Asks a question, as an answer to a key.
    pub(crate) fn ask(&mut self, question: Question) {
        self.open(Popup::ask(question));
    }

    /// Asks a question about what the popup at this place is for, right above it.
    pub(crate) fn ask_above(&mut self, place: usize, question: Question) {
        let popup = self.numbered(Popup::ask(question));
        let above = (place + 1).min(self.popups.len());
        self.popups.insert(above, popup);
    }

    /// The popup on top.
    pub(crate) fn popup(&self) -> Option<&Popup> {
        self.popups.last().map(|open| &open.popup)
    }

    pub(crate) fn popup_mut(&mut self) -> Option<&mut Popup> {
        self.popups.last_mut().map(|open| &mut open.popup)
    }

    /// Closes the popup on top.
    pub(crate) fn close(&mut self) -> Option<Popup> {
        self.popups.pop().map(|open| open.popup)
    }

    /// What must be drawn before it takes a key, if that is so of what keys go to now.
    fn guarded(&self) -> Option<ScreenId> {
        match self.popups.last() {
            Some(open) => open.popup.is_guarded().then_some(open.id),
            None => (self.step.guarded)(self),
        }
    }

    /// Takes that a frame was drawn. In a terminal that is too small it showed nothing.
    pub(crate) fn note_drawn(&mut self, frame: FrameNumber, page: usize) {
        let guarded = self.guarded();
        let shown = guarded.filter(|_| !layout::is_too_small(self.size));
        self.sight.note_drawn(frame, shown, page);
    }

    /// Whether a key that was read after this frame was meant for what it would go to.
    pub(crate) fn is_meant(&self, seen: FrameNumber) -> bool {
        self.guarded()
            .is_none_or(|id| self.sight.is_meant(id, seen))
    }

    /// Shows the step's text from its start.
    pub(crate) const fn restart_text(&mut self) {
        self.text = self.sight.id();
    }

    /// Scrolls the text of the popup on top, or the step's, if the action is a move.
    pub(crate) fn scroll(&mut self, action: Action) {
        let text = self.popups.last().map_or(self.text, |open| open.id);
        self.sight.scroll(text, action);
    }

    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice {
            tone,
            text: text.into(),
        });
    }

    pub(crate) fn say_problem(&mut self, problem: &ShownProblem) {
        self.say(
            Tone::Warning,
            format!("{} — {}", problem.what, problem.hint),
        );
    }

    /// The proved identity of a side.
    pub(crate) fn identified(&self, side: Side) -> Option<&Identified> {
        self.accounts.side(side).identified()
    }

    /// An account, and that it is marked production where it is.
    pub(crate) fn named(&self, account: &AccountId) -> String {
        if self.production.contains_key(account) {
            format!("{account} {PRODUCTION}")
        } else {
            account.to_string()
        }
    }

    /// Whether source and destination are accounts of their own; unknown without both.
    pub(crate) fn is_cross_account(&self) -> Option<bool> {
        let source = &self.identified(Side::Source)?.identity.account;
        let owner = match self.destination.owner() {
            Some(owner) => owner,
            None => &self.identified(Side::Destination)?.identity.account,
        };
        Some(source != owner)
    }

    /// What an assessment that is made now holds for.
    pub(crate) const fn basis(&self) -> Basis {
        Basis {
            source: self.accounts.source.revision,
            destination: self.accounts.destination.revision,
            undone: self.changes.undone,
            runs: self.progress.revision,
        }
    }

    /// The plan as chosen so far, once every part of it is.
    pub(crate) fn plan(&self) -> Option<Plan> {
        Some(Plan {
            kind: (self.flow.kind)(self)?,
            source: Source {
                sign_in: self.accounts.source.sign_in()?.clone(),
            },
            destination: job::Destination {
                sign_in: self.accounts.destination.sign_in().cloned(),
                bucket: self.destination.bucket.clone()?,
                owner: self.destination.owner().cloned(),
                prefix: self.destination.prefix.clone(),
            },
            encryption: (self.flow.encryption)(self)?,
            mask: None,
            tables: (self.flow.tables)(self),
            selectors: (self.flow.selectors)(self),
        })
    }

    /// What the plan as chosen so far breaks of the rules that a plan file keeps.
    pub(crate) fn violations(&self) -> Option<Violations> {
        self.plan()?.checked(self.now).err()
    }

    /// The scopes of the key table that hold now, the innermost first.
    pub(crate) fn scopes(&self) -> Vec<KeyScope> {
        let mut scopes = match self.popup() {
            Some(popup) => popup.scopes(),
            None => self.step_scopes(),
        };
        scopes.push(KeyScope::Always);
        scopes
    }

    /// The scopes of the step itself, the innermost first.
    pub(crate) fn step_scopes(&self) -> Vec<KeyScope> {
        if self.list().is_some_and(FilteredList::is_typing) {
            return vec![KeyScope::Filter];
        }
        let mut scopes = self.step.scopes.to_vec();
        if self.step.list.is_some() {
            scopes.push(KeyScope::List);
        }
        scopes.extend([KeyScope::Moving, KeyScope::Wizard]);
        scopes
    }

    /// The list that moves and filters go to.
    pub(crate) fn list(&self) -> Option<&FilteredList> {
        self.step.list.map(|list| (list.get)(self))
    }

    pub(crate) fn list_mut(&mut self) -> Option<&mut FilteredList> {
        self.step.list.map(|list| (list.get_mut)(self))
    }

    /// Whether something on the screen moves by itself: then, and only then, the time is sent.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.is_waiting()
            || self.progress.is_followed()
            || self.shutdown == Shutdown::AfterMutations
    }

    /// Whether a reply is waited for.
    fn is_waiting(&self) -> bool {
        !self.mutations.is_empty()
            || self.assessing.assessed.is_loading()
            || self.changes.under_way.is_some()
            || self.changes.undo_asked.is_some()
            || self.flow.steps.iter().any(|step| (step.is_waiting)(self))
    }

    /// The run that was started or resumed, for what is said after the end.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        self.progress.run
    }

    /// The exports of that run as far as they are known.
    #[must_use]
    pub fn exports(&self) -> &[crate::work::event::OperationProgress] {
        &self.progress.exports
    }

    /// Whether the start screen is in sight.
    pub(crate) fn is_at_start(&self) -> bool {
        self.flow.begin == Action::Home
    }

    /// Whether the wizard was left for the sandbox.
    #[must_use]
    pub fn opens_sandbox(&self) -> bool {
        self.shutdown == Shutdown::ForSandbox
    }

    /// Whether nothing was chosen and nothing was begun, so that nothing is lost with it.
    pub(crate) fn is_untouched(&self) -> bool {
        let sides = [Side::Source, Side::Destination];
        sides
            .iter()
            .all(|side| self.accounts.side(*side).is_nothing())
            && self.progress.run.is_none()
            && self.mutations.is_empty()
            && self.changes.under_way.is_none()
    }

    /// Whether exports go on that nobody will have waited for.
    #[must_use]
    pub fn has_unfinished_exports(&self) -> bool {
        self.progress.run.is_some() && !self.progress.is_finished()
    }
}
