//! Accounts: who exports and who receives, each proved before anything else.

pub(crate) mod proof;

use crate::aws::SignInError;
use crate::aws::profiles::{IgnoredProfile, Profile, Profiles};
use crate::job::{Plan, SignIn};
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::{GuardId, Model, Tone};
use crate::tui::outside::{Identified, Problem};
use crate::tui::popups::sign_in;
use crate::tui::remote::Remote;
use crate::tui::widgets::list::List;
use crate::work::event::Side;
use tableferry_policy::arn::{AccountId, Region};

/// Both sides and the profiles they choose from.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(crate) profiles: Remote<Profiles, String>,
    pub(crate) focus: Side,
    pub(crate) source: Account,
    pub(crate) destination: Account,
    /// The side that was chosen last, while no key was pressed since: its proof moves the focus on.
    pub(crate) going_on: Option<Side>,
    /// That the focus moved on by itself: no key is taken before that was drawn.
    pub(crate) moved: Option<GuardId>,
}

/// One side.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub(crate) list: List,
    pub(crate) chosen: Chosen,
    /// Whose things were read for it.
    proved_as: Option<(AccountId, Region)>,
}

/// What a side has chosen.
#[derive(Debug, Clone, Default)]
pub enum Chosen {
    /// Nothing yet.
    #[default]
    Nothing,
    /// No profile: what would need it stays unknown.
    Without,
    /// A profile, and whether it proved to be somebody.
    Profile {
        /// How it signs in.
        sign_in: Box<SignIn>,
        /// Who it is.
        proof: Box<Remote<Identified, SignInError>>,
    },
}

/// A row of the profile list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// A profile that can be chosen.
    Usable(&'a Profile),
    /// The destination can do without a profile.
    Without,
    /// A profile that the SDK would ignore.
    Ignored(&'a IgnoredProfile),
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            profiles: Remote::NotAsked,
            focus: Side::Source,
            source: Account::default(),
            destination: Account::default(),
            going_on: None,
            moved: None,
        }
    }
}

impl Account {
    /// How the side signs in.
    pub(crate) fn sign_in(&self) -> Option<&SignIn> {
        match &self.chosen {
            Chosen::Profile { sign_in, .. } => Some(sign_in),
            _ => None,
        }
    }

    /// Who the side proved to be.
    pub(crate) fn identified(&self) -> Option<&Identified> {
        match &self.chosen {
            Chosen::Profile { proof, .. } => proof.value(),
            _ => None,
        }
    }

    pub(crate) fn is_signing_in(&self) -> bool {
        matches!(&self.chosen, Chosen::Profile { proof, .. } if proof.is_loading())
    }

    fn is_nothing(&self) -> bool {
        matches!(self.chosen, Chosen::Nothing)
    }

    /// Whether there is nothing left to do for it: it was proved, or does without a profile.
    fn is_settled(&self) -> bool {
        match &self.chosen {
            Chosen::Nothing => false,
            Chosen::Without => true,
            Chosen::Profile { proof, .. } => matches!(**proof, Remote::Loaded(_)),
        }
    }

    fn is_settled_on(&self, row: Row<'_>) -> bool {
        match (&self.chosen, row) {
            (Chosen::Profile { sign_in, proof }, Row::Usable(profile)) => {
                sign_in.profile == profile.name && proof.error().is_none()
            }
            (Chosen::Without, Row::Without) => true,
            _ => false,
        }
    }
}

impl Accounts {
    pub(crate) const fn side(&self, side: Side) -> &Account {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    pub(crate) const fn side_mut(&mut self, side: Side) -> &mut Account {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.source.chosen = Chosen::unproved(plan.source.sign_in.clone());
        self.destination.chosen = match &plan.destination.sign_in {
            Some(sign_in) => Chosen::unproved(sign_in.clone()),
            None => Chosen::Without,
        };
    }

    /// The rows of a side's list that its filter leaves.
    pub(crate) fn rows(&self, side: Side) -> Vec<Row<'_>> {
        let Some(profiles) = self.profiles.value() else {
            return Vec::new();
        };
        let list = &self.side(side).list;
        let usable = profiles
            .usable
            .iter()
            .filter(|profile| list.lets_through(&profile.name))
            .map(Row::Usable);
        let without = (side == Side::Destination && list.filter.is_none()).then_some(Row::Without);
        let ignored = profiles
            .ignored
            .iter()
            .filter(|profile| list.lets_through(&profile.name))
            .map(Row::Ignored);
        usable.chain(without).chain(ignored).collect()
    }

    /// The row under a side's cursor.
    pub(crate) fn row(&self, side: Side) -> Option<Row<'_>> {
        self.rows(side).get(self.side(side).list.cursor).copied()
    }

    /// Puts the cursors on what was chosen, or on the profile that the environment names.
    pub(crate) fn place_cursors(&mut self) {
        for side in [Side::Source, Side::Destination] {
            let wanted = self
                .side(side)
                .sign_in()
                .map(|sign_in| sign_in.profile.clone())
                .or_else(|| {
                    let profiles = self.profiles.value()?;
                    profiles.chosen.clone().filter(|_| side == Side::Source)
                });
            let is_without = matches!(self.side(side).chosen, Chosen::Without);
            let cursor = self.rows(side).iter().position(|row| match row {
                Row::Usable(profile) => wanted.as_ref() == Some(&profile.name),
                Row::Without => is_without,
                Row::Ignored(_) => false,
            });
            if let Some(cursor) = cursor {
                self.side_mut(side).list.cursor = cursor;
            }
        }
    }
}

impl Chosen {
    fn unproved(sign_in: SignIn) -> Self {
        Self::Profile {
            sign_in: Box::new(sign_in),
            proof: Box::default(),
        }
    }
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let accounts = &model.accounts;
    let side = accounts.side(accounts.focus);
    let row = accounts.row(accounts.focus);
    match action {
        Action::Choose => match row {
            Some(Row::Ignored(_)) | None => false,
            Some(row) => !side.is_settled_on(row),
        },
        Action::NextSide => side.is_settled() && accounts.side(other(accounts.focus)).is_nothing(),
        Action::Edit => matches!(row, Some(Row::Usable(_))),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Choose => choose(model),
        Action::OtherSide | Action::NextSide => {
            model.accounts.focus = other(model.accounts.focus);
            Vec::new()
        }
        Action::Edit => {
            edit(model);
            Vec::new()
        }
        Action::Reload => reload(model),
        _ => Vec::new(),
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Source => Side::Destination,
        Side::Destination => Side::Source,
    }
}

/// Asks for the profiles.
pub(crate) fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.accounts.profiles.ask(request);
    vec![Effect::Ask(request, Errand::Opening, Query::Profiles)]
}

/// Shows what was read of the files.
pub(crate) fn take_in(model: &mut Model) {
    model.accounts.place_cursors();
    let problems = model
        .accounts
        .profiles
        .value()
        .map(|profiles| &profiles.problems);
    if let Some(problem) = problems.and_then(|problems| problems.first().cloned()) {
        model.say(Tone::Bad, problem);
    }
}

/// Takes the profile under the cursor and proves it.
fn choose(model: &mut Model) -> Vec<Effect> {
    let side = model.accounts.focus;
    match model.accounts.row(side) {
        Some(Row::Usable(profile)) => {
            let kept = model.accounts.side(side).sign_in();
            let sign_in = match kept {
                Some(sign_in) if sign_in.profile == profile.name => sign_in.clone(),
                _ => SignIn {
                    profile: profile.name.clone(),
                    ..SignIn::default()
                },
            };
            proof::prove(model, side, sign_in, None)
        }
        Some(Row::Without) => {
            model.accounts.side_mut(side).chosen = Chosen::Without;
            let mut effects = proof::forget(model, side);
            effects.push(Effect::Cancel(Errand::SignIn(side)));
            model.accounts.going_on = Some(side);
            go_on_to_the_other(model, side);
            effects
        }
        _ => Vec::new(),
    }
}

/// Moves the focus on to a side that has chosen nothing, once this one is settled and unless a key was
/// pressed since it was chosen: until then what is pressed is about this one.
fn go_on_to_the_other(model: &mut Model, side: Side) {
    let accounts = &mut model.accounts;
    let is_due = accounts.going_on == Some(side) && accounts.focus == side;
    if is_due && accounts.side(side).is_settled() && accounts.side(other(side)).is_nothing() {
        accounts.focus = other(side);
        let id = model.guard_id();
        model.accounts.moved = Some(id);
    }
}

/// Opens the form for what is assumed on top of the profile under the cursor.
fn edit(model: &mut Model) {
    let side = model.accounts.focus;
    let Some(Row::Usable(profile)) = model.accounts.row(side) else {
        return;
    };
    let kept = model.accounts.side(side).sign_in();
    let sign_in = match kept {
        Some(sign_in) if sign_in.profile == profile.name => sign_in.clone(),
        _ => SignIn {
            profile: profile.name.clone(),
            ..SignIn::default()
        },
    };
    model.open(sign_in::form(side, &sign_in));
}

/// What is missing before the tables can be chosen.
pub(crate) fn can_advance(model: &Model) -> Result<(), Problem> {
    proved(model, Side::Source)?;
    proved(model, Side::Destination)?;
    let region = |side| model.identified(side).map(|known| known.region.clone());
    if let (Some(source), Some(destination)) = (region(Side::Source), region(Side::Destination)) {
        let (from, to) = (source.partition(), destination.partition());
        if from != to {
            return Err(Problem {
                what: format!("the source is in partition {from}, the destination in {to}"),
                hint: "nothing crosses from one partition to another; choose two sides of one"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

fn proved(model: &Model, side: Side) -> Result<(), Problem> {
    let word = word(side);
    let blocker = |what: String, hint: &str| {
        Err(Problem {
            what,
            hint: hint.to_owned(),
        })
    };
    match &model.accounts.side(side).chosen {
        Chosen::Nothing => blocker(
            format!("the {word} has no profile yet"),
            "choose one with Enter",
        ),
        Chosen::Without => Ok(()),
        Chosen::Profile { sign_in, proof } => match **proof {
            Remote::Loaded(_) => Ok(()),
            Remote::Refused(_) | Remote::Failed(_) => blocker(
                format!("the {word} could not sign in as {}", sign_in.profile),
                "Enter on it tries again",
            ),
            _ => blocker(
                format!("still signing in to {}", sign_in.profile),
                "one moment",
            ),
        },
    }
}

/// The side in a word.
pub(crate) const fn word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}
