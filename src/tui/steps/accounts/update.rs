//! What the keys of the Accounts step do.

use super::state::{Chosen, ProfileRow, other, word};
use super::{forms, proof};
use crate::aws::MfaCode;
use crate::job::SignIn;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::Popup;
use crate::tui::remote::Remote;
use crate::tui::services::ShownProblem;
use crate::tui::steps::{self, watching};
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::form::Form;
use crate::work::event::Side;

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let accounts = &model.accounts;
    let side = accounts.side(accounts.focus);
    let row = accounts.row(accounts.focus);
    match action {
        Action::Choose => match row {
            Some(ProfileRow::Ignored(_)) | None => false,
            Some(row) => !side.is_settled_on(row),
        },
        Action::NextSide => side.is_settled() && accounts.side(other(accounts.focus)).is_nothing(),
        Action::Edit => matches!(row, Some(ProfileRow::Usable(_))),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Choose => {
            model.resuming = None;
            choose(model)
        }
        Action::OtherSide | Action::NextSide => {
            model.accounts.focus = other(model.accounts.focus);
            Vec::new()
        }
        Action::Edit => {
            edit(model);
            Vec::new()
        }
        Action::Watch => watch(model),
        Action::Reload => reload(model),
        _ => Vec::new(),
    }
}

/// Begins the flow that watches exports, and goes on to them where the accounts are known.
fn watch(model: &mut Model) -> Vec<Effect> {
    model.begin_flow(&steps::WATCH);
    if check(model).is_err() {
        model.say(
            Tone::Plain,
            "choose the accounts whose exports are watched; one may be left out",
        );
        return Vec::new();
    }
    model.step = &watching::STEP;
    model.restart_text();
    (watching::STEP.enter)(model)
}

/// Asks for the profiles.
pub(crate) fn reload(model: &mut Model) -> Vec<Effect> {
    let request = model.request();
    model.accounts.profiles.ask(request);
    vec![Effect::Ask(request, QueryGroup::Opening, Query::Profiles)]
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
        Some(ProfileRow::Usable(profile)) => {
            let sign_in = sign_in_by(model, side, &profile.name);
            proof::prove(model, side, sign_in, None)
        }
        Some(ProfileRow::Without) => {
            model.accounts.side_mut(side).choose(None);
            model.accounts.going_on = Some(side);
            proof::go_on_to_the_other(model, side);
            vec![Effect::Cancel(QueryGroup::SignIn(side))]
        }
        _ => Vec::new(),
    }
}

/// Opens the form for what is assumed on top of the profile under the cursor.
fn edit(model: &mut Model) {
    let side = model.accounts.focus;
    let Some(ProfileRow::Usable(profile)) = model.accounts.row(side) else {
        return;
    };
    let sign_in = sign_in_by(model, side, &profile.name);
    model.open(forms::form(side, &sign_in));
}

/// How a side signs in by a profile: as it does already, with all that is assumed on top.
fn sign_in_by(model: &Model, side: Side, profile: &str) -> SignIn {
    let kept = model.accounts.side(side).sign_in();
    let kept = kept.filter(|sign_in| sign_in.profile == profile);
    kept.cloned().unwrap_or_else(|| SignIn {
        profile: profile.to_owned(),
        ..SignIn::default()
    })
}

/// What is missing before the tables can be chosen.
pub(crate) fn check(model: &Model) -> Result<(), ShownProblem> {
    proved(model, Side::Source)?;
    proved(model, Side::Destination)?;
    let region = |side| model.identified(side).map(|known| known.region.clone());
    if let (Some(source), Some(destination)) = (region(Side::Source), region(Side::Destination)) {
        let (from, to) = (source.partition(), destination.partition());
        if from != to {
            return Err(ShownProblem {
                what: format!("the source is in partition {from}, the destination in {to}"),
                hint: "nothing crosses from one partition to another; choose two sides of one"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

fn proved(model: &Model, side: Side) -> Result<(), ShownProblem> {
    let word = word(side);
    let problem = |what: String, hint: &str| {
        Err(ShownProblem {
            what,
            hint: hint.to_owned(),
        })
    };
    match &model.accounts.side(side).chosen {
        Chosen::Nothing => problem(
            format!("the {word} has no profile yet"),
            "choose one with Enter",
        ),
        Chosen::Without => Ok(()),
        Chosen::Profile { sign_in, proof } => match **proof {
            Remote::Loaded(_) => Ok(()),
            Remote::Refused(_) | Remote::Failed(_) => problem(
                format!("the {word} could not sign in as {}", sign_in.profile),
                "Enter on it tries again",
            ),
            _ => problem(
                format!("still signing in to {}", sign_in.profile),
                "one moment",
            ),
        },
    }
}

/// Takes the code.
pub(crate) fn submit_code(
    model: &mut Model,
    side: Side,
    profile: String,
    serial: String,
    entry: TextEntry,
) -> Vec<Effect> {
    match entry.text().parse::<MfaCode>() {
        Ok(code) => proof::prove_again(model, side, Some(code)),
        Err(error) => {
            model.open(Popup::Mfa {
                side,
                profile,
                serial,
                entry,
                error: Some(error.to_string()),
            });
            Vec::new()
        }
    }
}

/// Takes the form and proves the side with it.
pub(crate) fn submit_form(
    model: &mut Model,
    side: Side,
    profile: String,
    mut form: Form,
) -> Vec<Effect> {
    match forms::read_sign_in(model, side, &profile, &form) {
        Ok(sign_in) => proof::prove(model, side, sign_in, None),
        Err(invalid) => {
            form.error = Some(invalid.to_string());
            model.open(Popup::SignIn {
                side,
                profile,
                form,
            });
            Vec::new()
        }
    }
}
