//! The shared files on disk: found by the variables, read leniently, never confused with the
//! environment's keys.

use std::path::Path;

use tableferry::aws::profiles::ProfileKind;
use tableferry::aws::{Environment, SignInError};

use crate::aws_room::fake::{CONFIG, CREDENTIALS, Fake, profile, sts};

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = variables
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Environment::from_variables(owned)
}

fn write_home(home: &Path) {
    let directory = home.join(".aws");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("config"), CONFIG).unwrap();
    std::fs::write(directory.join("credentials"), CREDENTIALS).unwrap();
}

#[test]
fn the_home_directory_holds_the_files_unless_variables_name_others() {
    let home = tempfile::tempdir().unwrap();
    write_home(home.path());
    let home_text = home.path().to_str().unwrap();
    let profiles = environment(&[("HOME", home_text)]).profiles();
    assert_eq!(profiles.usable[0].name, "ops");
    assert_eq!(profiles.usable[0].kind, ProfileKind::Keys);
    assert!(profiles.usable[0].place.ends_with("config:1"));
    assert!(profiles.problems.is_empty());

    let other = home.path().join("other");
    std::fs::write(&other, "[default]\nregion = eu-west-1\n").unwrap();
    let profiles = environment(&[("HOME", home_text), ("AWS_CONFIG_FILE", "~/other")]).profiles();
    let names: Vec<_> = profiles.usable.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["default", "ops"]);
    assert_eq!(profiles.chosen.as_deref(), Some("default"));
}

#[test]
fn no_files_are_no_problem_but_files_that_a_variable_names_must_be_there() {
    let home = tempfile::tempdir().unwrap();
    let home_text = home.path().to_str().unwrap();
    let profiles = environment(&[("HOME", home_text)]).profiles();
    assert!(profiles.usable.is_empty() && profiles.problems.is_empty());
    let profiles = environment(&[("AWS_CONFIG_FILE", "/nowhere/config")]).profiles();
    assert!(profiles.problems[0].contains("AWS_CONFIG_FILE names this file"));
    assert!(environment(&[]).profiles().usable.is_empty());
}

#[test]
fn without_a_home_directory_it_is_told_that_nothing_was_looked_for() {
    let problems = environment(&[]).profiles().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("HOME is not set"), "{problems:?}");
    assert!(problems[0].contains("AWS_CONFIG_FILE"), "{problems:?}");
}

#[test]
fn files_in_other_encodings_are_told() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let named = path.to_str().unwrap();
    std::fs::write(&path, [0xff, 0xfe, b'[', 0]).unwrap();
    let profiles = environment(&[("AWS_CONFIG_FILE", named)]).profiles();
    assert!(
        profiles.problems[0].contains("UTF-16"),
        "{:?}",
        profiles.problems
    );
    std::fs::write(&path, b"[default]\nregion = eu-west-1\n# caf\xe9\n").unwrap();
    let profiles = environment(&[("AWS_CONFIG_FILE", named)]).profiles();
    assert!(
        profiles.problems[0].contains("line 3 is not UTF-8"),
        "{:?}",
        profiles.problems
    );
    assert_eq!(profiles.usable[0].name, "default");
}

#[test]
fn the_chosen_profile_is_the_variables_and_told_when_it_is_not_there() {
    let profiles = environment(&[("HOME", "/nowhere"), ("AWS_PROFILE", "ghost")]).profiles();
    assert_eq!(profiles.chosen.as_deref(), Some("ghost"));
    assert!(profiles.problems[0].contains("AWS_PROFILE names `ghost`"));
}

#[test]
fn ten_thousand_profiles_are_listed() {
    use std::fmt::Write as _;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let mut text = String::from("[profile p0]\naws_access_key_id = A\naws_secret_access_key = s\n");
    for n in 1..10_000 {
        let source = n / 2;
        writeln!(text, "[profile p{n}]\nrole_arn = arn:aws:iam::111111111111:role/R{n}\nsource_profile = p{source}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let profiles = environment(&[("AWS_CONFIG_FILE", path.to_str().unwrap())]).profiles();
    assert_eq!(profiles.usable.len(), 10_000);
    let expected = ProfileKind::Role {
        from: "p4999".to_owned(),
    };
    assert_eq!(profiles.usable[9_999].kind, expected);
}

#[tokio::test]
async fn an_sso_profile_without_a_login_names_the_command() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let text = "[profile dev]\nregion = eu-west-1\nsso_session = tableferry-no-such-session\n\
                sso_account_id = 111111111111\nsso_role_name = Reader\n\
                [sso-session tableferry-no-such-session]\nsso_region = eu-west-1\n\
                sso_start_url = https://tableferry.invalid/start\n\
                [profile top]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = dev\n";
    std::fs::write(&path, text).unwrap();
    let fake = Fake::new(|request| panic!("no call was due: {request:?}"));
    let environment =
        environment(&[("AWS_CONFIG_FILE", path.to_str().unwrap())]).with_http_client(fake.client());
    for name in ["dev", "top"] {
        let error = environment.sign_in(&profile(name), None).await.unwrap_err();
        let expected = SignInError::LoginRequired {
            profile: "dev".to_owned(),
            command: "aws sso login --profile dev".to_owned(),
            detail: "there is no login in the cache".to_owned(),
        };
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn an_aws_login_profile_without_a_login_names_the_command() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let text = "[profile dev]\nregion = eu-west-1\nlogin_session = arn:aws:iam::111111111111:user/tableferry-nobody\n";
    std::fs::write(&path, text).unwrap();
    let fake = Fake::new(|request| panic!("no call was due: {request:?}"));
    let environment =
        environment(&[("AWS_CONFIG_FILE", path.to_str().unwrap())]).with_http_client(fake.client());
    let error = environment
        .sign_in(&profile("dev"), None)
        .await
        .unwrap_err();
    let SignInError::LoginRequired { command, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(command, "aws login --profile dev");
}

#[tokio::test]
async fn a_credential_process_gives_keys_or_its_own_words() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let json = r#"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s"}"#;
    std::fs::write(home.path().join("keys.json"), json).unwrap();
    let text = format!(
        "[profile good]\nregion = eu-west-1\ncredential_process = cat {}/keys.json\n\
         [profile bad]\nregion = eu-west-1\ncredential_process = echo the vault is locked >&2; exit 3\n",
        home.path().display()
    );
    std::fs::write(&path, text).unwrap();
    let fake = Fake::new(sts);
    let environment =
        environment(&[("AWS_CONFIG_FILE", path.to_str().unwrap())]).with_http_client(fake.client());
    environment.sign_in(&profile("good"), None).await.unwrap();
    assert_eq!(fake.seen()[0].signer(), "AKIAPROCESS");
    let error = environment
        .sign_in(&profile("bad"), None)
        .await
        .unwrap_err();
    let SignInError::Profile { message, .. } = error else {
        panic!("{error:?}")
    };
    assert!(message.contains("the vault is locked"), "{message}");
}

#[tokio::test]
async fn a_source_that_the_sdk_does_not_know_is_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let text = "[profile v]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111111111111:role/R\ncredential_source = Vault\n\
                [profile e]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111111111111:role/R\ncredential_source = Environment\n";
    std::fs::write(&path, text).unwrap();
    let fake = Fake::new(sts);
    let variables = [
        ("AWS_CONFIG_FILE", path.to_str().unwrap()),
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let environment = environment(&variables).with_http_client(fake.client());
    let error = environment.sign_in(&profile("v"), None).await.unwrap_err();
    assert!(error.to_string().contains("`Vault`"), "{error}");
    assert!(fake.seen().is_empty());
    environment.sign_in(&profile("e"), None).await.unwrap();
    assert_eq!(
        fake.seen()[0].signer(),
        "AKIAENV",
        "a profile may ask for the environment's keys"
    );
}

#[tokio::test]
async fn our_session_name_tells_who_it_was() {
    let home = tempfile::tempdir().unwrap();
    write_home(home.path());
    let config = home.path().join(".aws/config");
    let text = format!(
        "{CONFIG}[profile r]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = ops\n"
    );
    std::fs::write(config, text).unwrap();
    let fake = Fake::new(sts);
    let environment = environment(&[("HOME", home.path().to_str().unwrap()), ("USER", "jo han")])
        .with_http_client(fake.client());
    environment.sign_in(&profile("r"), None).await.unwrap();
    let assumed = &fake.seen_of("AssumeRole")[0];
    assert_eq!(
        assumed.parameter("RoleSessionName").unwrap(),
        "tableferry-jo-han"
    );
}

/// Writes the two files of a home, and gives the environment that reads them.
fn home_with(home: &Path, config: &str, credentials: &str) -> Environment {
    let directory = home.join(".aws");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("config"), config).unwrap();
    std::fs::write(directory.join("credentials"), credentials).unwrap();
    environment(&[("HOME", home.to_str().unwrap())])
}

async fn refused(environment: &Environment, name: &str) -> String {
    match environment.sign_in(&profile(name), None).await.unwrap_err() {
        SignInError::Profile { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

/// The AWS CLI takes quoted names, and the SDKs skip their sections.
#[tokio::test]
async fn a_quoted_profile_is_ignored_with_a_reason_that_leads_on_also_where_it_is_chosen() {
    let home = tempfile::tempdir().unwrap();
    let keys = "region = eu-west-1\naws_access_key_id = AKIAEXAMPLE000000001\n\
                aws_secret_access_key = neutral/secret/for/tests/only/0000000000\n";
    let config = format!(
        "[profile plain]\n{keys}\n[profile \"my-macbook-pro\"]\n{keys}\n[profile \"My MacBook Pro\"]\n{keys}\n\
         [profile \"Someone's MacBook Pro\"]\n{keys}\n[profile role]\nrole_arn = arn:aws:iam::111111111111:role/R\n\
         source_profile = my-macbook-pro\n"
    );
    let environment = home_with(home.path(), &config, "");
    let profiles = environment.profiles();
    let usable: Vec<_> = profiles.usable.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(usable, ["plain"]);
    for (name, right) in [
        ("my-macbook-pro", "write `[profile my-macbook-pro]`"),
        ("\"my-macbook-pro\"", "write `[profile my-macbook-pro]`"),
        ("My MacBook Pro", "write `[profile My-MacBook-Pro]`"),
        (
            "Someone's MacBook Pro",
            "write `[profile Someones-MacBook-Pro]`",
        ),
        ("role", "names the source profile `my-macbook-pro`"),
    ] {
        let message = refused(&environment, name).await;
        assert!(message.contains(right), "{name}: {message}");
        assert!(message.contains("quoted"), "{name}: {message}");
    }
    assert_eq!(
        refused(&environment, "my-macbok").await,
        "there is no profile `my-macbok`"
    );
    let home = home.path().to_str().unwrap();
    let chosen = self::environment(&[("HOME", home), ("AWS_PROFILE", "my-macbook-pro")]);
    let problems = chosen.profiles().problems;
    assert!(
        problems[0].contains("write `[profile my-macbook-pro]`"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_quoted_sso_session_is_ignored_for_its_blank_and_its_quotes() {
    let home = tempfile::tempdir().unwrap();
    let environment = home_with(
        home.path(),
        "[profile myprofile]\nsso_session = FOO BAR\nsso_account_id = 111111111111\nsso_role_name = Admin\n\
         region = eu-west-1\n\n[sso-session 'FOO BAR']\nsso_start_url = https://example.awsapps.com/start\n\
         sso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n",
        "",
    );
    let profiles = environment.profiles();
    assert!(profiles.usable.is_empty());
    for reason in [
        &profiles.ignored[0].reason,
        &refused(&environment, "myprofile").await,
    ] {
        for part in [
            "FOO BAR",
            "quoted and holds a blank",
            "write `[sso-session FOO-BAR]`",
        ] {
            assert!(reason.contains(part), "{reason}");
        }
    }
}

#[test]
fn sections_that_are_no_profiles_draw_no_complaint() {
    let home = tempfile::tempdir().unwrap();
    let profiles = home_with(
        home.path(),
        "[default]\nregion = us-east-1\n\n[profile wasabi]\nregion = us-east-1\nendpoint-url = https://s3.wasabisys.com\n\
         s3 =\n    endpoint_url = https://s3.wasabisys.com\n    max_concurrent_requests = 20\n    signature_version = s3v4\n\n\
         [plugins]\nendpoint = awscli_plugin_endpoint\n",
        "[wasabi]\naws_access_key_id = AKIAEXAMPLE000000001\naws_secret_access_key = neutral/secret/for/tests/only/0000000000\n",
    )
    .profiles();
    let names: Vec<_> = profiles.usable.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["default", "wasabi"]);
    assert_eq!((profiles.ignored, profiles.problems), (vec![], vec![]));
}

/// A toolkit lost a line end, and the keys of another profile replaced those of the first.
#[test]
fn a_header_behind_a_value_and_the_settings_that_it_gives_again_are_told_with_their_lines() {
    let home = tempfile::tempdir().unwrap();
    let secret = "neutral/secret/for/tests/only";
    let profiles = home_with(
        home.path(),
        "",
        &format!(
            "[OLD_PROFILE]\naws_access_key_id = AKIAEXAMPLE000000001\naws_secret_access_key = {secret}/0000000001\n\
             region=eu-west-1\ntoolkit_artifact_guid=11111111-1111-1111-1111-111111111111[NEW_PROFILE]\n\
             aws_access_key_id = AKIAEXAMPLE000000002\naws_secret_access_key = {secret}/0000000002\n"
        ),
    )
    .profiles();
    let describe = |line: usize, part: &str| {
        let is_it = |problem: &&String| {
            problem.contains(&format!("credentials:{line}: ")) && problem.contains(part)
        };
        assert!(
            profiles.problems.iter().any(|problem| is_it(&problem)),
            "{part}: {:?}",
            profiles.problems
        );
    };
    describe(5, "`[NEW_PROFILE]` stands behind a value");
    describe(
        6,
        "`aws_access_key_id` is given again for `[OLD_PROFILE]`, and replaces the one of line 2",
    );
    describe(7, "`aws_secret_access_key` is given again");
    assert_eq!(profiles.problems.len(), 3);
    assert!(!profiles.problems.concat().contains(secret));
}
