//! What is asked for on top of a profile: the code of an MFA device, and what is assumed.

use crate::job::SignIn;
use crate::job::value::{self, InvalidValue, SessionText};
use crate::tui::model::Model;
use crate::tui::popups::state::Popup;
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::form::{Field, Form};
use crate::work::event::Side;

/// Asks for the code of an MFA device; the error says what was wrong with the one before.
pub(super) fn mfa(side: Side, profile: String, serial: String, error: Option<String>) -> Popup {
    Popup::Mfa {
        side,
        profile,
        serial,
        entry: TextEntry::default(),
        error,
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

/// How the side signs in by what was filled in.
pub(super) fn read_sign_in(
    model: &Model,
    side: Side,
    profile: &str,
    form: &Form,
) -> Result<SignIn, InvalidValue> {
    let kept = model.accounts.side(side).sign_in();
    let source_identity = kept.and_then(|sign_in| sign_in.source_identity.clone());
    let text = |index, kind: SessionText| {
        let given = form.given(index);
        given.map(|text| kind.parse(text)).transpose()
    };
    Ok(SignIn {
        profile: profile.to_owned(),
        region: form.given(0).map(value::region).transpose()?,
        role: form.given(1).map(value::role).transpose()?,
        external_id: text(2, SessionText::ExternalId)?,
        session_name: text(3, SessionText::SessionName)?,
        source_identity,
        duration_seconds: form.given(4).map(value::duration_seconds).transpose()?,
        mfa_serial: text(5, SessionText::MfaSerial)?,
    })
}
