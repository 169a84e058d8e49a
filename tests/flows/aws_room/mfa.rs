//! Codes from MFA devices: asked for before any call, and sent where they belong.

use tableferry::aws::{FailureKind, MfaCode, SignInError};
use tableferry::job::SignIn;

use crate::aws_room::fake::{self, CONFIG, Fake, environment, profile};

const DEVICE: &str = "arn:aws:iam::111111111111:mfa/operator";

fn config() -> String {
    format!(
        "{CONFIG}[profile guarded]\nrole_arn = arn:aws:iam::111111111111:role/Exporter\n\
         source_profile = ops\nmfa_serial = {DEVICE}\n"
    )
}

fn code() -> MfaCode {
    "123456".parse().unwrap()
}

#[tokio::test]
async fn a_code_is_asked_for_before_any_call() {
    let fake = Fake::new(fake::sts);
    let error = environment(&fake, &config())
        .sign_in(&profile("guarded"), None)
        .await
        .unwrap_err();
    let expected = SignInError::MfaRequired {
        profile: "guarded".to_owned(),
        serial: DEVICE.to_owned(),
    };
    assert_eq!(error, expected);
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_code_goes_with_the_role_that_names_the_device() {
    let fake = Fake::new(fake::sts);
    let session = environment(&fake, &config())
        .sign_in(&profile("guarded"), Some(&code()))
        .await
        .unwrap();
    let assumed = &fake.seen_of("AssumeRole")[0];
    assert_eq!(assumed.parameter("SerialNumber").unwrap(), DEVICE);
    assert_eq!(assumed.parameter("TokenCode").unwrap(), "123456");
    assert!(!session.is_renewable, "a later session needs another code");
}

#[tokio::test]
async fn a_plans_device_is_asked_for_its_role() {
    let fake = Fake::new(fake::sts);
    let sign_in = SignIn {
        role: Some("arn:aws:iam::111111111111:role/Exporter".parse().unwrap()),
        mfa_serial: Some(DEVICE.to_owned()),
        ..profile("ops")
    };
    let environment = environment(&fake, CONFIG);
    let error = environment.sign_in(&sign_in, None).await.unwrap_err();
    assert!(matches!(error, SignInError::MfaRequired { .. }));
    environment.sign_in(&sign_in, Some(&code())).await.unwrap();
    assert_eq!(
        fake.seen_of("AssumeRole")[0]
            .parameter("TokenCode")
            .unwrap(),
        "123456"
    );
}

#[tokio::test]
async fn a_device_without_a_role_makes_a_session_of_the_keys() {
    let fake = Fake::new(fake::sts);
    let sign_in = SignIn {
        mfa_serial: Some(DEVICE.to_owned()),
        duration_seconds: Some(3600),
        ..profile("ops")
    };
    environment(&fake, CONFIG)
        .sign_in(&sign_in, Some(&code()))
        .await
        .unwrap();
    let made = &fake.seen_of("GetSessionToken")[0];
    assert_eq!(made.parameter("SerialNumber").unwrap(), DEVICE);
    assert_eq!(made.parameter("DurationSeconds").unwrap(), "3600");
    assert_eq!(fake.seen_of("GetCallerIdentity")[0].signer(), "ASIAUSER");
}

#[tokio::test]
async fn a_code_that_was_used_before_says_to_wait_for_the_next() {
    let fake = Fake::new(|request| match request.operation().as_str() {
        "AssumeRole" => {
            let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
            fake::query_error(403, "AccessDenied", message)
        }
        _ => fake::sts(request),
    });
    let error = environment(&fake, &config())
        .sign_in(&profile("guarded"), Some(&code()))
        .await
        .unwrap_err();
    let SignInError::CodeRefused {
        profile,
        serial,
        failure,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!((profile.as_str(), serial.as_str()), ("guarded", DEVICE));
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    let hint = failure.hint.unwrap();
    assert!(
        hint.contains("each code works once, and a device shows a new one every 30 seconds"),
        "{hint}"
    );
}

#[tokio::test]
async fn a_session_made_with_a_code_ends_and_says_so() {
    let fake = Fake::new(|request| match request.operation().as_str() {
        "AssumeRole" => fake::session("AssumeRole", "ASIAROLE", "2020-01-01T00:00:00Z"),
        _ => fake::sts(request),
    });
    let error = environment(&fake, &config())
        .sign_in(&profile("guarded"), Some(&code()))
        .await
        .unwrap_err();
    let SignInError::Call(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.kind, FailureKind::Credentials);
    assert!(
        failure.message.contains("the session has ended"),
        "{}",
        failure.message
    );
    assert_eq!(
        fake.seen_of("AssumeRole").len(),
        1,
        "the code is not sent twice"
    );
}

#[tokio::test]
async fn two_devices_in_one_chain_are_refused() {
    let fake = Fake::new(fake::sts);
    let config = format!(
        "{}[profile top]\nrole_arn = arn:aws:iam::222222222222:role/R\nsource_profile = guarded\nmfa_serial = {DEVICE}\n",
        config()
    );
    let error = environment(&fake, &config)
        .sign_in(&profile("top"), None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, SignInError::Profile { message, .. } if message.contains("two MFA codes"))
    );
}

#[tokio::test]
async fn one_code_serves_both_sides_where_they_share_the_device() {
    let fake = Fake::new(fake::sts);
    let environment = environment(&fake, &config());
    let source = profile("guarded");
    let destination = SignIn {
        role: Some("arn:aws:iam::222222222222:role/Receiver".parse().unwrap()),
        mfa_serial: Some(DEVICE.to_owned()),
        ..profile("ops")
    };
    assert!(environment.share_a_device(&source, &destination));
    let (one, other) = environment
        .sign_in_both(&source, &destination, &code())
        .await;
    assert!(!one.unwrap().is_renewable && !other.unwrap().is_renewable);
    assert_eq!(fake.seen_of("GetSessionToken").len(), 1);
    let assumed = fake.seen_of("AssumeRole");
    assert_eq!(assumed.len(), 2);
    for request in assumed {
        assert_eq!(request.signer(), "ASIAUSER");
        assert_eq!(
            request.parameter("TokenCode"),
            None,
            "the code was spent on the session"
        );
    }
}

#[tokio::test]
async fn sides_without_a_common_device_share_no_code() {
    let fake = Fake::new(fake::sts);
    let environment = environment(&fake, &config());
    assert!(!environment.share_a_device(&profile("guarded"), &profile("ops")));
    let (one, other) = environment
        .sign_in_both(&profile("guarded"), &profile("ops"), &code())
        .await;
    assert!(one.is_ok() && other.is_ok());
    assert!(fake.seen_of("GetSessionToken").is_empty());
}
