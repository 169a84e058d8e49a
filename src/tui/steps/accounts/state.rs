//! Both sides: what each has chosen, and who it proved to be.
//!
//! This module decides when a side is another one than before, so that what was read for it is out of
//! date.

use crate::aws::SignInError;
use crate::aws::profiles::{IgnoredProfile, Profile, Profiles};
use crate::job::{Plan, SignIn};
use crate::tui::remote::Remote;
use crate::tui::revision::Revision;
use crate::tui::services::Identified;
use crate::tui::sight::ScreenId;
use crate::tui::widgets::list::FilteredList;
use crate::work::event::Side;
use tableferry_policy::arn::{AccountId, Region};

/// Both sides and the profiles they choose from.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    pub(crate) profiles: Remote<Profiles, String>,
    pub(crate) focus: Side,
    pub(crate) source: AccountChoice,
    pub(crate) destination: AccountChoice,
    /// The side that was chosen last, while no key was pressed since: its proof moves the focus on.
    pub(crate) going_on: Option<Side>,
    /// That the focus moved on by itself: no key is taken before that was drawn.
    pub(crate) moved: Option<ScreenId>,
}

/// One side.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountChoice {
    pub(crate) list: FilteredList,
    pub(crate) chosen: Chosen,
    /// Who it proved to be last.
    proved_as: Option<(AccountId, Region)>,
    /// How often it became another side.
    pub(crate) revision: Revision,
}

/// What a side has chosen.
#[derive(Debug, Clone, Default)]
pub(crate) enum Chosen {
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
pub(crate) enum ProfileRow<'a> {
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
            source: AccountChoice::default(),
            destination: AccountChoice::default(),
            going_on: None,
            moved: None,
        }
    }
}

impl AccountChoice {
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

    fn is_signing_in(&self) -> bool {
        matches!(&self.chosen, Chosen::Profile { proof, .. } if proof.is_loading())
    }

    /// Chooses how the side signs in, unless it signs in so already; without that it does without a
    /// profile.
    pub(super) fn choose(&mut self, sign_in: Option<&SignIn>) {
        let is_chosen = match sign_in {
            Some(_) => self.sign_in() == sign_in,
            None => matches!(self.chosen, Chosen::Without),
        };
        if is_chosen {
            return;
        }
        self.chosen = sign_in.map_or(Chosen::Without, |sign_in| Chosen::unproved(sign_in.clone()));
        self.proved_as = None;
        self.revision.advance();
    }

    fn unprove(&mut self) {
        if let Chosen::Profile { proof, .. } = &mut self.chosen {
            **proof = Remote::NotAsked;
        }
    }

    /// Takes who it is. The same profile may lead to another account than it did: somebody changed
    /// the files.
    pub(super) fn note_identity(&mut self) {
        let Some(known) = self.identified() else {
            return;
        };
        let identity = (known.identity.account.clone(), known.region.clone());
        let before = self.proved_as.replace(identity);
        if before.is_some() && before != self.proved_as {
            self.revision.advance();
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self.chosen, Chosen::Nothing)
    }

    /// Whether there is nothing left to do for it: it was proved, or does without a profile.
    pub(super) fn is_settled(&self) -> bool {
        match &self.chosen {
            Chosen::Nothing => false,
            Chosen::Without => true,
            Chosen::Profile { proof, .. } => matches!(**proof, Remote::Loaded(_)),
        }
    }

    pub(super) fn is_settled_on(&self, row: ProfileRow<'_>) -> bool {
        match (&self.chosen, row) {
            (Chosen::Profile { sign_in, proof }, ProfileRow::Usable(profile)) => {
                sign_in.profile == profile.name && proof.error().is_none()
            }
            (Chosen::Without, ProfileRow::Without) => true,
            _ => false,
        }
    }
}

impl Accounts {
    pub(crate) const fn side(&self, side: Side) -> &AccountChoice {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    pub(crate) const fn side_mut(&mut self, side: Side) -> &mut AccountChoice {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.profiles.is_loading()
            || self.source.is_signing_in()
            || self.destination.is_signing_in()
    }

    pub(crate) fn fill_in(&mut self, plan: &Plan) {
        self.source.choose(Some(&plan.source.sign_in));
        self.destination.choose(plan.destination.sign_in.as_ref());
        // What the plan names is proved before anything is read for it.
        self.source.unprove();
        self.destination.unprove();
    }

    /// The rows of a side's list that its filter leaves.
    pub(crate) fn rows(&self, side: Side) -> Vec<ProfileRow<'_>> {
        let Some(profiles) = self.profiles.value() else {
            return Vec::new();
        };
        let list = &self.side(side).list;
        let usable = profiles
            .usable
            .iter()
            .filter(|profile| list.lets_through(&profile.name))
            .map(ProfileRow::Usable);
        let without =
            (side == Side::Destination && list.filter.is_none()).then_some(ProfileRow::Without);
        let ignored = profiles
            .ignored
            .iter()
            .filter(|profile| list.lets_through(&profile.name))
            .map(ProfileRow::Ignored);
        usable.chain(without).chain(ignored).collect()
    }

    /// The row under a side's cursor.
    pub(crate) fn row(&self, side: Side) -> Option<ProfileRow<'_>> {
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
                ProfileRow::Usable(profile) => wanted.as_ref() == Some(&profile.name),
                ProfileRow::Without => is_without,
                ProfileRow::Ignored(_) => false,
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

pub(super) const fn other(side: Side) -> Side {
    match side {
        Side::Source => Side::Destination,
        Side::Destination => Side::Source,
    }
}

/// The side in a word.
pub(crate) const fn word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}
