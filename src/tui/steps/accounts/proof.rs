//! Proving a side: the sign-in, what it may need from the operator, and what an identity that is
//! no longer the side's leaves to be forgotten.

use super::{Chosen, word};
use crate::aws::{MfaCode, SignInError};
use crate::job::SignIn;
use crate::tui::message::{Effect, Errand, Query};
use crate::tui::model::{Model, Tone};
use crate::tui::outside::Identified;
use crate::tui::popups::question::Question;
use crate::tui::popups::{Popup, sign_in};
use crate::tui::remote::RequestId;
use crate::tui::steps::Step;
use crate::work::event::Side;

/// Signs a side in. What was read before is forgotten, unless it signs in as it did before.
pub(crate) fn prove(
    model: &mut Model,
    side: Side,
    sign_in: SignIn,
    code: Option<MfaCode>,
) -> Vec<Effect> {
    model
        .popups
        .retain(|popup| !popup.is_about_signing_in(side));
    let mut effects = vec![Effect::Cancel(Errand::SignIn(side))];
    if model.accounts.side(side).sign_in() != Some(&sign_in) {
        model.accounts.side_mut(side).chosen = Chosen::unproved(sign_in.clone());
        effects.extend(forget(model, side));
    }
    let request = model.request();
    if let Chosen::Profile { proof, .. } = &mut model.accounts.side_mut(side).chosen {
        proof.ask(request);
    }
    model.accounts.going_on = Some(side);
    let query = Query::SignIn(side, Box::new(sign_in), code);
    effects.push(Effect::Ask(request, Errand::SignIn(side), query));
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

/// Forgets what another identity of this side has read.
pub(super) fn forget(model: &mut Model, side: Side) -> Vec<Effect> {
    model.accounts.side_mut(side).proved_as = None;
    model.access.forget();
    let mut effects = vec![Effect::Cancel(Errand::Access)];
    match side {
        Side::Source => {
            model.tables.forget();
            effects.push(Effect::Cancel(Errand::Tables));
        }
        Side::Destination => {
            model.destination.forget();
            model.encryption.forget();
            effects.extend([Errand::Buckets, Errand::Bucket, Errand::Keys].map(Effect::Cancel));
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
) -> Vec<Effect> {
    let popup = answer
        .as_ref()
        .err()
        .and_then(|error| way_out(model, side, error));
    let Chosen::Profile { proof, .. } = &mut model.accounts.side_mut(side).chosen else {
        return Vec::new();
    };
    if !proof.answer(request, answer) {
        return Vec::new();
    }
    let failure = proof.error().map(ToString::to_string);
    if let Some(failure) = failure.filter(|_| model.step != Step::Accounts) {
        model.say(Tone::Bad, format!("{}: {failure}", word(side)));
    }
    if let Some(popup) = popup {
        model.announce(popup);
    }
    super::go_on_to_the_other(model, side);
    tell_same_account(model);
    forget_if_another(model, side)
}

/// What can be asked of the operator so that the sign-in succeeds. The sandbox has no use for the
/// commands that sign in to AWS.
fn way_out(model: &mut Model, side: Side, error: &SignInError) -> Option<Popup> {
    match error {
        SignInError::MfaRequired { profile, serial } => {
            Some(sign_in::mfa(side, profile.clone(), serial.clone(), None))
        }
        SignInError::CodeRefused {
            profile,
            serial,
            failure,
        } => {
            let hint = failure.hint.as_deref().unwrap_or_default();
            let error = format!("AWS refused the code: {} {hint}", failure.message.trim());
            Some(sign_in::mfa(
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
        } if !model.is_sandbox => Some(model.question(Question::LogIn {
            side,
            profile: profile.clone(),
            command: command.clone(),
            detail: detail.clone(),
        })),
        _ => None,
    }
}

/// The same profile may lead to another account than it did: somebody changed the files.
fn forget_if_another(model: &mut Model, side: Side) -> Vec<Effect> {
    let Some(known) = model.identified(side) else {
        return Vec::new();
    };
    let proved_as = (known.identity.account.clone(), known.region.clone());
    let before = &model.accounts.side(side).proved_as;
    let is_another = before.as_ref().is_some_and(|before| *before != proved_as);
    let effects = if is_another {
        forget(model, side)
    } else {
        Vec::new()
    };
    model.accounts.side_mut(side).proved_as = Some(proved_as);
    effects
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
