//! Signing in: the code of an MFA device, and what is assumed on top of a profile.

use std::str::FromStr;

use crate::aws::session::MfaCode;
use crate::job::SignIn;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::Popup;
use crate::tui::steps::accounts::proof;
use crate::tui::widgets::entry::Entry;
use crate::tui::widgets::form::{Field, Form};
use crate::work::event::Side;
use tableferry_policy::arn::Malformed;

/// Asks for the code of an MFA device; the error says what was wrong with the one before.
pub(crate) fn mfa(side: Side, profile: String, serial: String, error: Option<String>) -> Popup {
    Popup::Mfa {
        side,
        profile,
        serial,
        entry: Entry::default(),
        error,
    }
}

/// Takes the code.
pub(super) fn submit_code(
    model: &mut Model,
    side: Side,
    profile: String,
    serial: String,
    entry: Entry,
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

/// The form for what is assumed on top of a profile.
pub(crate) fn form(side: Side, sign_in: &SignIn) -> Popup {
    let shown = |value: Option<String>| value.unwrap_or_default();
    let text = Field::text;
    let fields = vec![
        text(
            "Region",
            "empty: the profile's",
            &shown(sign_in.region.as_ref().map(ToString::to_string)),
        ),
        text(
            "Role ARN",
            "assumed on top of the profile",
            &shown(sign_in.role.as_ref().map(ToString::to_string)),
        ),
        text(
            "External id",
            "if the role's trust policy asks for one",
            &shown(sign_in.external_id.clone()),
        ),
        text(
            "Session name",
            "as CloudTrail shows it",
            &shown(sign_in.session_name.clone()),
        ),
        text(
            "Duration",
            "seconds, 900 to 43200",
            &shown(sign_in.duration_seconds.map(|seconds| seconds.to_string())),
        ),
        text(
            "MFA serial",
            "the device whose code is asked for",
            &shown(sign_in.mfa_serial.clone()),
        ),
    ];
    Popup::SignIn {
        side,
        profile: sign_in.profile.clone(),
        form: Form::new(fields),
    }
}

/// Takes the form and proves the side with it.
pub(super) fn submit_form(
    model: &mut Model,
    side: Side,
    profile: String,
    mut form: Form,
) -> Vec<Effect> {
    match read(model, side, &profile, &form) {
        Ok(sign_in) => proof::prove(model, side, sign_in, None),
        Err(error) => {
            form.error = Some(error);
            model.open(Popup::SignIn {
                side,
                profile,
                form,
            });
            Vec::new()
        }
    }
}

fn read(model: &Model, side: Side, profile: &str, form: &Form) -> Result<SignIn, String> {
    let kept = model.accounts.side(side).sign_in();
    let source_identity = kept.and_then(|sign_in| sign_in.source_identity.clone());
    let owned = |index| form.given(index).map(str::to_owned);
    let duration_seconds = form.given(4).map(duration).transpose()?;
    let role = parsed(form.given(1))?;
    if let Some(role) = &role {
        check_role(role)?;
    }
    Ok(SignIn {
        profile: profile.to_owned(),
        region: parsed(form.given(0))?,
        role,
        external_id: owned(2),
        session_name: owned(3),
        source_identity,
        duration_seconds,
        mfa_serial: owned(5),
    })
}

fn parsed<T: FromStr<Err = Malformed>>(text: Option<&str>) -> Result<Option<T>, String> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: Malformed| error.to_string())
}

fn check_role(role: &tableferry_policy::arn::Arn) -> Result<(), String> {
    let is_role = role.service == "iam" && role.resource.starts_with("role/");
    is_role
        .then_some(())
        .ok_or_else(|| format!("{role} is no role's ARN: arn:aws:iam::123456789012:role/Name"))
}

/// The range of `DurationSeconds` in `AssumeRole`.
fn duration(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|seconds| (900..=43_200).contains(seconds))
        .ok_or_else(|| "a session lasts 900 to 43200 seconds".to_owned())
}
