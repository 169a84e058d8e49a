//! Where calls go: AWS's hosts, or the endpoints that are configured in their place.

use std::path::PathBuf;

use tableferry::aws::Environment;

use crate::aws_room::fake::{
    CONFIG, CREDENTIALS, Fake, Reply, environment, profile, region, signed_in,
};

fn answering() -> Fake {
    Fake::with_sts(|request| {
        if request.operation() == "ListTables" {
            Reply::json(200, r#"{"TableNames":[]}"#)
        } else {
            Reply::head(200, Some("eu-west-1"))
        }
    })
}

/// Answers to everything as STS does where STS is asked by its action, wherever that is.
fn anywhere() -> Fake {
    Fake::new(|request| match request.operation().as_str() {
        "GetCallerIdentity" => crate::aws_room::fake::sts(request),
        "ListTables" => Reply::json(200, r#"{"TableNames":[]}"#),
        _ => Reply::head(200, Some("eu-west-1")),
    })
}

#[tokio::test]
async fn without_an_override_calls_go_to_amazonaws() {
    let fake = answering();
    let session = signed_in(&fake).await;
    assert!(session.endpoints.is_empty());
    session
        .dynamodb(&region("us-east-2"))
        .list_tables()
        .await
        .unwrap();
    let bucket = "landing".parse().unwrap();
    session
        .s3(&region("eu-west-1"))
        .head_bucket(&bucket, None)
        .await
        .unwrap();
    let hosts: Vec<_> = fake
        .seen()
        .into_iter()
        .map(|request| request.host)
        .collect();
    assert_eq!(
        hosts,
        [
            "sts.eu-west-1.amazonaws.com",
            "dynamodb.us-east-2.amazonaws.com",
            "landing.s3.eu-west-1.amazonaws.com"
        ]
    );
}

#[tokio::test]
async fn a_role_of_a_known_account_reaches_dynamodb_by_the_accounts_own_host() {
    let fake = answering();
    let config = format!(
        "{CONFIG}[profile r]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = ops\n"
    );
    let environment = environment(&fake, &config);
    let session = environment.sign_in(&profile("r"), None).await.unwrap();
    session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap();
    let host = fake.seen().pop().unwrap().host;
    assert_eq!(host, "111111111111.ddb.eu-west-1.amazonaws.com");
}

#[tokio::test]
async fn the_accounts_own_host_can_be_turned_off() {
    let fake = answering();
    let config = format!(
        "{CONFIG}account_id_endpoint_mode = disabled\n[profile r]\nrole_arn = arn:aws:iam::111111111111:role/R\n\
         source_profile = ops\naccount_id_endpoint_mode = disabled\n"
    );
    let environment = environment(&fake, &config);
    let session = environment.sign_in(&profile("r"), None).await.unwrap();
    session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap();
    assert_eq!(
        fake.seen().pop().unwrap().host,
        "dynamodb.eu-west-1.amazonaws.com"
    );
}

#[tokio::test]
async fn a_profiles_endpoint_takes_all_calls_and_names_buckets_in_the_path() {
    let fake = anywhere();
    let config = format!("{CONFIG}endpoint_url = http://localhost:5000\n");
    let environment = environment(&fake, &config);
    let session = environment.sign_in(&profile("ops"), None).await.unwrap();
    let shown = [("all".to_owned(), "http://localhost:5000".to_owned())];
    assert_eq!(session.endpoints, shown);
    assert_eq!(environment.profiles().usable[0].endpoints, shown);
    let bucket = "landing".parse().unwrap();
    session
        .s3(&region("eu-west-1"))
        .head_bucket(&bucket, None)
        .await
        .unwrap();
    let seen = fake.seen();
    assert!(seen.iter().all(|request| request.host == "localhost:5000"));
    assert!(seen[1].path.starts_with("/landing"), "{}", seen[1].path);
}

#[tokio::test]
async fn a_services_section_moves_one_service_only() {
    let fake = anywhere();
    let config = format!(
        "{CONFIG}services = local\n[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n"
    );
    let environment = environment(&fake, &config);
    let session = environment.sign_in(&profile("ops"), None).await.unwrap();
    session
        .dynamodb(&region("eu-west-1"))
        .list_tables()
        .await
        .unwrap();
    let seen = fake.seen();
    assert_eq!(seen[0].host, "sts.eu-west-1.amazonaws.com");
    assert_eq!(seen[1].host, "localhost:8000");
    assert_eq!(
        session.endpoints,
        [("dynamodb".to_owned(), "http://localhost:8000".to_owned())]
    );
}

/// A home directory with the usual two files, and an environment with these variables.
fn home(config: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Environment) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let config = file("config", config);
    let credentials = file("credentials", CREDENTIALS);
    let mut all = vec![
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
    ];
    all.extend_from_slice(variables);
    let owned = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let environment = Environment::from_variables(owned);
    (directory, environment)
}

/// Variables, and the hosts of STS and DynamoDB that they lead to.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

#[tokio::test]
async fn variables_go_before_the_profile_and_a_services_own_goes_first() {
    let config = format!(
        "{CONFIG}endpoint_url = http://profile\nservices = s\n[services s]\ndynamodb =\n  endpoint_url = http://section\n"
    );
    let cases: [Case; 4] = [
        (&[], "profile", "section"),
        (&[("AWS_ENDPOINT_URL", "http://all")], "all", "all"),
        (
            &[
                ("AWS_ENDPOINT_URL", "http://all"),
                ("AWS_ENDPOINT_URL_DYNAMODB", "http://one"),
            ],
            "all",
            "one",
        ),
        (
            &[
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ("AWS_ENDPOINT_URL", "http://all"),
            ],
            "sts.eu-west-1.amazonaws.com",
            "dynamodb.eu-west-1.amazonaws.com",
        ),
    ];
    for (variables, sts, dynamodb) in cases {
        let fake = anywhere();
        let (_directory, environment) = home(&config, variables);
        let environment = environment.with_http_client(fake.client());
        let session = environment.sign_in(&profile("ops"), None).await.unwrap();
        session
            .dynamodb(&region("eu-west-1"))
            .list_tables()
            .await
            .unwrap();
        let hosts: Vec<_> = fake
            .seen()
            .into_iter()
            .map(|request| request.host)
            .collect();
        assert_eq!(hosts, [sts, dynamodb], "{variables:?}");
    }
}

#[tokio::test]
async fn the_source_profiles_endpoint_is_not_inherited() {
    let fake = anywhere();
    let config = "[profile ops]\nregion = eu-west-1\nendpoint_url = http://localhost:1\n\
                  [profile r]\nrole_arn = arn:aws:iam::111111111111:role/R\nsource_profile = ops\n";
    let environment = environment(&fake, config);
    let profiles = environment.profiles();
    let role = profiles.usable.iter().find(|p| p.name == "r").unwrap();
    assert!(role.endpoints.is_empty());
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_told_with_the_endpoint() {
    let fake = anywhere();
    let config = format!("{CONFIG}endpoint_url = not a url\n");
    let error = environment(&fake, &config)
        .sign_in(&profile("ops"), None)
        .await
        .unwrap_err();
    let tableferry::aws::SignInError::Call(failure) = error else {
        panic!("{error:?}")
    };
    assert!(
        failure.hint.unwrap().contains("not a url"),
        "{}",
        failure.message
    );
    assert!(fake.seen().is_empty());
}
