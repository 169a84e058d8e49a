//! Signing in: whose keys are used, which roles are assumed with which words, and what is said
//! before a call is made.

use tableferry::aws::{Environment, FailureKind, SignInError};
use tableferry::job::SignIn;

use crate::aws_room::fake::{self, CONFIG, Fake, Reply, environment, profile};

const ROLE: &str = "arn:aws:iam::111111111111:role/Exporter";

fn sts_only() -> Fake {
    Fake::with_sts(|request| panic!("no call was due: {request:?}"))
}

fn refusal(error: SignInError) -> (String, String) {
    match error {
        SignInError::Profile { message, hint } => (message, hint),
        other => panic!("not a profile's fault: {other:?}"),
    }
}

#[tokio::test]
async fn a_profile_of_keys_is_proved_with_its_own_keys() {
    let fake = sts_only();
    let session = environment(&fake, CONFIG)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap();
    assert_eq!(session.identity.account.as_str(), "111111111111");
    assert_eq!(session.region.as_str(), "eu-west-1");
    assert_eq!(session.expires_at, None);
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].host, "sts.eu-west-1.amazonaws.com");
    assert_eq!(seen[0].signer(), "AKIAOPS");
}

#[tokio::test]
async fn a_role_profile_is_assumed_with_its_sources_keys_and_all_its_words() {
    let fake = sts_only();
    let config = format!(
        "{CONFIG}[profile exporter]\nrole_arn = {ROLE}\nsource_profile = ops\nexternal_id = ticket-7\n\
         duration_seconds = 1800\nrole_session_name = night-shift\n"
    );
    let session = environment(&fake, &config)
        .sign_in(&profile("exporter"), None)
        .await
        .unwrap();
    let assumed = &fake.seen_of("AssumeRole")[0];
    assert_eq!(assumed.signer(), "AKIAOPS");
    assert_eq!(assumed.parameter("RoleArn").unwrap(), ROLE);
    assert_eq!(assumed.parameter("ExternalId").unwrap(), "ticket-7");
    assert_eq!(assumed.parameter("DurationSeconds").unwrap(), "1800");
    assert_eq!(assumed.parameter("RoleSessionName").unwrap(), "night-shift");
    assert_eq!(fake.seen_of("GetCallerIdentity")[0].signer(), "ASIAROLE");
    assert_eq!(
        session.expires_at,
        Some("2099-01-01T00:00:00Z".parse().unwrap())
    );
    assert!(session.is_renewable);
    assert_eq!(
        session.region.as_str(),
        "eu-west-1",
        "inherited from the source profile"
    );
}

#[tokio::test]
async fn a_role_on_top_of_a_profile_is_assumed_with_the_plans_words() {
    let fake = sts_only();
    let sign_in = SignIn {
        role: Some(ROLE.parse().unwrap()),
        external_id: Some("x-1".to_owned()),
        source_identity: Some("alice".to_owned()),
        duration_seconds: Some(43200),
        ..profile("ops")
    };
    environment(&fake, CONFIG)
        .sign_in(&sign_in, None)
        .await
        .unwrap();
    let assumed = &fake.seen_of("AssumeRole")[0];
    assert_eq!(assumed.parameter("ExternalId").unwrap(), "x-1");
    assert_eq!(assumed.parameter("SourceIdentity").unwrap(), "alice");
    assert_eq!(assumed.parameter("DurationSeconds").unwrap(), "43200");
    assert_eq!(
        assumed.parameter("RoleSessionName").unwrap(),
        "tableferry",
        "no user is known to an environment in memory"
    );
}

/// STS of one partition knows no role of another, and its refusal would not say so.
#[tokio::test]
async fn a_role_of_another_partition_is_refused_before_any_call() {
    let fake = sts_only();
    let chinese = "arn:aws-cn:iam::111111111111:role/Exporter";
    let config = format!("{CONFIG}[profile far]\nrole_arn = {chinese}\nsource_profile = ops\n");
    let on_top = SignIn {
        role: Some(chinese.parse().unwrap()),
        ..profile("ops")
    };
    for sign_in in [profile("far"), on_top] {
        let error = environment(&fake, &config)
            .sign_in(&sign_in, None)
            .await
            .unwrap_err();
        let (message, _) = refusal(error);
        assert!(
            message.contains("aws-cn") && message.contains("eu-west-1"),
            "{message}"
        );
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_chain_of_roles_is_walked_in_order() {
    let fake = sts_only();
    let config = format!(
        "{CONFIG}[profile mid]\nrole_arn = {ROLE}\nsource_profile = ops\n\
         [profile top]\nrole_arn = arn:aws:iam::222222222222:role/Reader\nsource_profile = mid\n"
    );
    let session = environment(&fake, &config)
        .sign_in(&profile("top"), None)
        .await
        .unwrap();
    assert_eq!(
        session.assumed_from.map(|from| from.to_string()).as_deref(),
        Some("arn:aws:sts::111111111111:assumed-role/Exporter/tableferry")
    );
    let assumed = fake.seen_of("AssumeRole");
    assert_eq!(assumed[0].parameter("RoleArn").unwrap(), ROLE);
    assert_eq!(assumed[0].signer(), "AKIAOPS");
    assert_eq!(
        assumed[1].parameter("RoleArn").unwrap(),
        "arn:aws:iam::222222222222:role/Reader"
    );
    assert_eq!(assumed[1].signer(), "ASIAROLE");
}

#[tokio::test]
async fn a_chained_role_for_more_than_an_hour_is_refused_before_any_call() {
    let fake = sts_only();
    let config = format!(
        "{CONFIG}[profile mid]\nrole_arn = {ROLE}\nsource_profile = ops\n\
         [profile top]\nrole_arn = {ROLE}\nsource_profile = mid\nduration_seconds = 7200\n"
    );
    let error = environment(&fake, &config)
        .sign_in(&profile("top"), None)
        .await
        .unwrap_err();
    let (message, hint) = refusal(error);
    assert!(message.contains("at most one hour"), "{message}");
    assert!(hint.contains("3600"), "{hint}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn words_that_need_a_role_are_refused_without_one() {
    let fake = sts_only();
    let sign_in = SignIn {
        external_id: Some("x-1".to_owned()),
        ..profile("ops")
    };
    let error = environment(&fake, CONFIG)
        .sign_in(&sign_in, None)
        .await
        .unwrap_err();
    assert!(
        refusal(error)
            .0
            .starts_with("external_id goes with an assumed role")
    );
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn words_that_sts_would_refuse_are_refused_with_the_rule() {
    let fake = sts_only();
    let on_top = |change: fn(&mut SignIn)| {
        let mut sign_in = SignIn {
            role: Some(ROLE.parse().unwrap()),
            ..profile("ops")
        };
        change(&mut sign_in);
        sign_in
    };
    let cases = [
        (on_top(|s| s.duration_seconds = Some(60)), "900 to 43200"),
        (
            on_top(|s| s.session_name = Some("two words".to_owned())),
            "2 to 64 letters",
        ),
        (
            on_top(|s| s.external_id = Some("x".to_owned())),
            "trust policy",
        ),
        (
            on_top(|s| s.role = Some("arn:aws:iam::111111111111:user/me".parse().unwrap())),
            "role/NAME",
        ),
    ];
    for (sign_in, wanted) in cases {
        let error = environment(&fake, CONFIG)
            .sign_in(&sign_in, None)
            .await
            .unwrap_err();
        let (_, hint) = refusal(error);
        assert!(hint.contains(wanted), "{hint}");
    }
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_plans_region_goes_before_the_profiles() {
    let fake = sts_only();
    let sign_in = SignIn {
        region: Some(fake::region("us-east-2")),
        ..profile("ops")
    };
    let session = environment(&fake, CONFIG)
        .sign_in(&sign_in, None)
        .await
        .unwrap();
    assert_eq!(session.region.as_str(), "us-east-2");
    assert_eq!(fake.seen()[0].host, "sts.us-east-2.amazonaws.com");
}

#[tokio::test]
async fn a_missing_region_and_a_missing_profile_are_told() {
    let fake = sts_only();
    let environment = environment(&fake, "");
    let (message, _) = refusal(
        environment
            .sign_in(&profile("ops"), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(message, "profile `ops` names no Region");
    let (message, hint) = refusal(
        environment
            .sign_in(&profile("osp"), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(message, "there is no profile `osp`");
    assert_eq!(hint, "did you mean `ops`?");
    let (message, _) = refusal(environment.sign_in(&profile(""), None).await.unwrap_err());
    assert_eq!(message, "no profile is named");
}

#[tokio::test]
async fn a_file_that_the_sdk_cannot_read_still_signs_in() {
    let fake = sts_only();
    let config = format!("\u{feff}[profile other\nnonsense\n{CONFIG}= no name\n");
    let environment = environment(&fake, &config);
    assert_eq!(environment.profiles().problems.len(), 3);
    environment.sign_in(&profile("ops"), None).await.unwrap();
}

#[tokio::test]
async fn a_refused_role_says_what_the_refusal_leaves_open() {
    let message = "User: arn:aws:iam::111111111111:user/operator is not authorized to perform: \
                   sts:AssumeRole on resource: arn:aws:iam::111111111111:role/Exporter";
    let fake = Fake::new(move |_| fake::query_error(403, "AccessDenied", message));
    let config = format!("{CONFIG}[profile r]\nrole_arn = {ROLE}\nsource_profile = ops\n");
    let error = environment(&fake, &config)
        .sign_in(&profile("r"), None)
        .await
        .unwrap_err();
    let SignInError::Call(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    assert_eq!(failure.operation, "sts:AssumeRole");
    assert_eq!(failure.target, ROLE);
    assert_eq!(failure.message, message);
    assert_eq!(failure.status, Some(403));
    let hint = failure.hint.unwrap();
    assert!(
        hint.contains("trust policy") && hint.contains("external id"),
        "{hint}"
    );
}

#[tokio::test]
async fn keys_that_are_no_longer_good_say_what_renews_them() {
    let fake = Fake::new(|_| {
        let message = "The security token included in the request is invalid.";
        fake::query_error(403, "InvalidClientTokenId", message)
    });
    let error = environment(&fake, CONFIG)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap_err();
    let SignInError::Call(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(failure.kind, FailureKind::Credentials);
    assert!(failure.hint.unwrap().contains("profile `ops`"));
}

#[tokio::test]
async fn an_answer_without_an_identity_is_unreadable() {
    let fake = Fake::new(|_| Reply::xml(200, "<GetCallerIdentityResponse/>"));
    let error = environment(&fake, CONFIG)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap_err();
    assert!(matches!(error, SignInError::Call(failure) if failure.kind == FailureKind::Unreadable));
}

#[tokio::test]
async fn a_sign_in_that_reaches_outside_is_refused_in_memory() {
    let fake = sts_only();
    let config = "[profile p]\nregion = eu-west-1\ncredential_process = /bin/false\n";
    let error = environment(&fake, config)
        .sign_in(&profile("p"), None)
        .await
        .unwrap_err();
    assert!(refusal(error).0.contains("a credential process"));
}

#[tokio::test]
async fn a_session_that_can_be_renewed_is_renewed_shortly_before_its_end() {
    let fake = Fake::new(|request| match request.operation().as_str() {
        "AssumeRole" => {
            let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
            fake::session("AssumeRole", "ASIAROLE", &format!("{soon:.0}"))
        }
        _ => fake::sts(request),
    });
    let config = format!("{CONFIG}[profile r]\nrole_arn = {ROLE}\nsource_profile = ops\n");
    environment(&fake, &config)
        .sign_in(&profile("r"), None)
        .await
        .unwrap();
    assert_eq!(
        fake.seen_of("AssumeRole").len(),
        2,
        "a minute is too little to begin with"
    );
}

#[tokio::test]
async fn no_secret_is_printed() {
    let fake = sts_only();
    let keys = "[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = PRIVATE1\n\
                aws_session_token = PRIVATE2\n";
    let environment = Environment::in_memory(CONFIG.to_owned(), keys.to_owned(), fake.client());
    let session = environment.sign_in(&profile("ops"), None).await.unwrap();
    let clients = (
        session.dynamodb(&session.region),
        session.s3(&session.region),
    );
    let printed = format!(
        "{environment:?} {session:?} {clients:?} {:?}",
        environment.profiles()
    );
    assert!(!printed.contains("PRIVATE"), "{printed}");
}
