//! Proving a side: the sign-in, and what it may need from the operator.

use super::forms;
use super::state::{Chosen, other, word};
use crate::aws::{MfaCode, SignInError};
use crate::job::SignIn;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::{Popup, Question};
use crate::tui::remote::RequestId;
use crate::tui::services::Identified;
use crate::work::event::Side;

/// Signs a side in.
pub(crate) fn prove(
    model: &mut Model,
    side: Side,
    sign_in: SignIn,
    code: Option<MfaCode>,
) -> Vec<Effect> {
    model
        .popups
        .retain(|open| !open.popup.is_about_signing_in(side));
    let mut effects = vec![Effect::Cancel(QueryGroup::SignIn(side))];
    model.accounts.side_mut(side).choose(Some(&sign_in));
    let request = model.request();
    if let Chosen::Profile { proof, .. } = &mut model.accounts.side_mut(side).chosen {
        proof.ask(request);
    }
    model.accounts.going_on = Some(side);
    let query = Query::SignIn(side, Box::new(sign_in), code);
    effects.push(Effect::Ask(request, QueryGroup::SignIn(side), query));
    effects
}

/// Proves a side as it signs in already, with the code of its MFA device if it has one.
pub(crate) fn prove_again(model: &mut Model, side: Side, code: Option<MfaCode>) -> Vec<Effect> {
    match model.accounts.side(side).sign_in().cloned() {
        Some(sign_in) => prove(model, side, sign_in, code),
        None => Vec::new(),
    }
}

/// Proves the sides that a plan filled in.
pub(crate) fn prove_filled_in(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    for side in [Side::Source, Side::Destination] {
        let is_unproved = matches!(
            &model.accounts.side(side).chosen,
            Chosen::Profile { proof, .. } if proof.is_not_asked()
        );
        if is_unproved {
            effects.extend(prove_again(model, side, None));
        }
    }
    effects
}

/// Takes the answer to a sign-in, unless nobody waits for it any more.
pub(crate) fn take_proof(
    model: &mut Model,
    request: RequestId,
    side: Side,
    answer: Result<Identified, SignInError>,
) {
    let popup = answer
        .as_ref()
        .err()
        .and_then(|error| way_out(model, side, error));
    let Chosen::Profile { proof, .. } = &mut model.accounts.side_mut(side).chosen else {
        return;
    };
    if !proof.answer(request, answer) {
        return;
    }
    let failure = proof.error().map(ToString::to_string);
    model.accounts.side_mut(side).note_identity();
    if let Some(failure) = failure.filter(|_| *model.step != super::STEP) {
        model.say(Tone::Bad, format!("{}: {failure}", word(side)));
    }
    if let Some(popup) = popup {
        model.announce(popup);
    }
    go_on_to_the_other(model, side);
    tell_same_account(model);
}

/// What can be asked of the operator so that the sign-in succeeds. The sandbox has no use for the
/// commands that sign in to AWS.
fn way_out(model: &Model, side: Side, error: &SignInError) -> Option<Popup> {
    match error {
        SignInError::MfaRequired { profile, serial } => {
            Some(forms::mfa(side, profile.clone(), serial.clone(), None))
        }
        SignInError::CodeRefused {
            profile,
            serial,
            failure,
        } => {
            let hint = failure.hint.as_deref().unwrap_or_default();
            let error = format!("AWS refused the code: {} {hint}", failure.message.trim());
            Some(forms::mfa(
                side,
                profile.clone(),
                serial.clone(),
                Some(error),
            ))
        }
        SignInError::LoginRequired {
            profile,
            command,
            detail,
        } if !model.is_sandbox => Some(Popup::ask(Question::LogIn {
            side,
            profile: profile.clone(),
            command: command.clone(),
            detail: detail.clone(),
        })),
        _ => None,
    }
}

fn tell_same_account(model: &mut Model) {
    let account = |side| {
        model
            .identified(side)
            .map(|known| known.identity.account.clone())
    };
    let (source, destination) = (account(Side::Source), account(Side::Destination));
    if let (Some(source), Some(destination)) = (source, destination)
        && source == destination
    {
        let text = format!("both sides are the same account, {source}: that works, if it is meant");
        model.say(Tone::Warning, text);
    }
}

/// Moves the focus on to a side that has chosen nothing, once this one is settled and unless a key was
/// pressed since it was chosen: until then what is pressed is about this one.
pub(super) fn go_on_to_the_other(model: &mut Model, side: Side) {
    let accounts = &mut model.accounts;
    let is_due = accounts.going_on == Some(side) && accounts.focus == side;
    if is_due && accounts.side(side).is_settled() && accounts.side(other(side)).is_nothing() {
        accounts.focus = other(side);
        let id = model.sight.id();
        model.accounts.moved = Some(id);
    }
}
