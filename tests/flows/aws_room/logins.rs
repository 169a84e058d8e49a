//! IAM Identity Center, with the token cache that `aws sso login` writes.
//!
//! The SDK finds the cache by the process's own HOME, so each test runs itself again in a process
//! with another one.

use std::path::Path;

use tableferry::aws::{Environment, FailureKind, SignInError};

use crate::aws_room::fake::{Fake, Reply, profile, sts};

const MARK: &str = "TABLEFERRY_TEST_HOME";

/// The SHA-1 of `tableferry-test`, by which the cache names the session's token.
const TOKEN_FILE: &str = "75d8dfd48560e0a8635a9760179e3bbc79663430.json";

const CONFIG: &str = "[profile dev]\nregion = eu-west-1\nsso_session = tableferry-test\n\
                      sso_account_id = 111111111111\nsso_role_name = Reader\n\
                      [sso-session tableferry-test]\nsso_region = eu-west-1\n\
                      sso_start_url = https://tableferry.invalid/start\n\
                      [profile long]\nrole_arn = arn:aws:iam::111111111111:role/R\n\
                      source_profile = dev\nduration_seconds = 7200\n";

fn write_home(home: &Path, token_expires_at: &str) {
    let cache = home.join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(home.join(".aws/config"), CONFIG).unwrap();
    let token = format!(
        r#"{{"accessToken": "t", "expiresAt": "{token_expires_at}", "region": "eu-west-1",
            "startUrl": "https://tableferry.invalid/start"}}"#
    );
    std::fs::write(cache.join(TOKEN_FILE), token).unwrap();
}

/// Runs the named test again in a process with a home of its own; answers whether this is that
/// process, so that the test goes on there only.
pub(super) fn is_in_own_home(
    test: &str,
    token_expires_at: &str,
    variables: &[(&str, &str)],
) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let home = tempfile::tempdir().unwrap();
    write_home(home.path(), token_expires_at);
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(MARK, "1")
        .env("HOME", home.path())
        .env_remove("AWS_CONFIG_FILE")
        .env_remove("AWS_SHARED_CREDENTIALS_FILE")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
    false
}

async fn sign_in(fake: &Fake, name: &str) -> Result<tableferry::aws::Session, SignInError> {
    Environment::from_process()
        .with_http_client(fake.client())
        .sign_in(&profile(name), None)
        .await
}

fn portal_refusing(status: u16, kind: &'static str, message: &'static str) -> Fake {
    Fake::with_sts(move |request| {
        assert!(request.host.starts_with("portal.sso."), "{}", request.host);
        let headers = vec![("x-amzn-errortype", kind.to_owned())];
        Reply::Answer(status, headers, format!(r#"{{"message":"{message}"}}"#))
    })
}

#[tokio::test]
async fn a_login_gives_the_roles_credentials() {
    let name = "aws_room::logins::a_login_gives_the_roles_credentials";
    if !is_in_own_home(name, "2099-01-01T00:00:00Z", &[]) {
        return;
    }
    let fake = Fake::with_sts(|_| {
        let body = r#"{"roleCredentials": {"accessKeyId": "ASIASSO", "secretAccessKey": "s",
                       "sessionToken": "t", "expiration": 4070908800000}}"#;
        Reply::Answer(200, Vec::new(), body.to_owned())
    });
    let session = sign_in(&fake, "dev").await.unwrap();
    assert_eq!(fake.seen_of("GetCallerIdentity")[0].signer(), "ASIASSO");
    assert_eq!(
        session.expires_at,
        Some("2099-01-01T00:00:00Z".parse().unwrap())
    );
    assert!(session.is_renewable);
    let error = sign_in(&fake, "long").await.unwrap_err();
    assert!(
        error.to_string().contains("at most one hour"),
        "an SSO role is a role: {error}"
    );
}

#[tokio::test]
async fn an_expired_login_names_the_command() {
    let name = "aws_room::logins::an_expired_login_names_the_command";
    if !is_in_own_home(name, "2020-01-01T00:00:00Z", &[]) {
        return;
    }
    let fake = Fake::new(|request| panic!("no call was due: {request:?}"));
    let expected = SignInError::LoginRequired {
        profile: "dev".to_owned(),
        command: "aws sso login --profile dev".to_owned(),
        detail: "the login has expired".to_owned(),
    };
    assert_eq!(sign_in(&fake, "dev").await.unwrap_err(), expected);
}

#[tokio::test]
async fn a_login_that_sso_no_longer_knows_names_the_command() {
    let name = "aws_room::logins::a_login_that_sso_no_longer_knows_names_the_command";
    if !is_in_own_home(name, "2099-01-01T00:00:00Z", &[]) {
        return;
    }
    let message = "Session token not found or invalid";
    let fake = portal_refusing(401, "UnauthorizedException", message);
    let error = sign_in(&fake, "dev").await.unwrap_err();
    assert!(
        matches!(&error, SignInError::LoginRequired { detail, .. } if detail == "the login has expired"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_role_that_is_not_assigned_is_no_matter_of_logins() {
    let name = "aws_room::logins::a_role_that_is_not_assigned_is_no_matter_of_logins";
    if !is_in_own_home(name, "2099-01-01T00:00:00Z", &[]) {
        return;
    }
    let fake = portal_refusing(403, "ForbiddenException", "No access");
    let error = sign_in(&fake, "dev").await.unwrap_err();
    let SignInError::Profile { message, hint } = error else {
        panic!("{error:?}")
    };
    assert!(message.contains("not assigned to you"), "{message}");
    assert!(hint.contains("permission set"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_never_answers_is_a_timeout() {
    let name = "aws_room::logins::a_portal_that_never_answers_is_a_timeout";
    if !is_in_own_home(name, "2099-01-01T00:00:00Z", &[]) {
        return;
    }
    let fake = Fake::new(|_| Reply::Never);
    let error = sign_in(&fake, "dev").await.unwrap_err();
    assert!(
        matches!(&error, SignInError::Call(failure) if failure.kind == FailureKind::Timeout),
        "{error:?}"
    );
}

/// The trap is the process's own environment: keys there win in the SDK's default chain.
#[tokio::test]
async fn keys_in_the_environment_never_replace_the_profiles_own() {
    let name = "aws_room::logins::keys_in_the_environment_never_replace_the_profiles_own";
    let foreign = [
        ("AWS_ACCESS_KEY_ID", "AKIAFOREIGN"),
        ("AWS_SECRET_ACCESS_KEY", "foreign"),
        ("AWS_SESSION_TOKEN", "foreign"),
        ("AWS_PROFILE", "dev"),
    ];
    if !is_in_own_home(name, "2020-01-01T00:00:00Z", &foreign) {
        return;
    }
    let home = std::env::var("HOME").unwrap();
    let credentials =
        "[ops]\nregion = eu-west-1\naws_access_key_id = AKIAOPS\naws_secret_access_key = secret\n";
    std::fs::write(Path::new(&home).join(".aws/credentials"), credentials).unwrap();
    let fake = Fake::new(sts);
    sign_in(&fake, "ops").await.unwrap();
    assert_eq!(fake.seen()[0].signer(), "AKIAOPS");
    assert_eq!(fake.seen()[0].header("x-amz-security-token"), None);
    let misspelt = sign_in(&fake, "opps").await.unwrap_err();
    assert!(
        matches!(misspelt, SignInError::Profile { .. }),
        "{misspelt:?}"
    );
    let signed_out = sign_in(&fake, "dev").await.unwrap_err();
    assert!(
        matches!(signed_out, SignInError::LoginRequired { .. }),
        "{signed_out:?}"
    );
    let problems = Environment::from_process().profiles().problems;
    assert!(
        problems[0].starts_with("AWS_ACCESS_KEY_ID is set"),
        "{problems:?}"
    );
}
