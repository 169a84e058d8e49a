//! Every kind of caller is named so that AWS takes the policy, and so that it fixes the plan.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use tableferry::aws::Environment;
use tableferry::job::Plan;
use tableferry::journal::Journal;
use tableferry::work::{ControlDocuments, Settings, Side, Work};
use tableferry_sandbox::{Options, Sandbox};

use crate::policies::documents::policies;
use crate::program::{Ended, Home};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/0000face-0000-4e11-8000-000000000222";

/// A plan into a bucket without a policy, under a key that is open to its own account alone.
fn plan(source: &str) -> String {
    format!(
        "[source]\n{source}\nregion = 'eu-west-1'\n\
         [destination]\nprofile = 'dev-admin'\nbucket = 'export-nopolicy'\n\
         owner = '222222222222'\nprefix = 'prod'\n\
         [encryption]\nalgorithm = 'KMS'\nkey = '{KEY}'\n\
         [[tables]]\nname = 'Orders'\n"
    )
}

/// The API of the destination's account, over the world that the home keeps.
struct Destination {
    /// Dropped last: the world is written by it.
    _sandbox: Sandbox,
    config: SdkConfig,
}

impl Destination {
    fn open(home: &Home) -> Self {
        let options = Options {
            state: Some(home.path().join("world.json")),
            ..Options::default()
        };
        let sandbox = Sandbox::open(options).unwrap();
        let keys = sandbox.profiles(None).credentials;
        let section = keys.split("[dev-admin]\n").nth(1).unwrap();
        let value = |name: &str| {
            let mut lines = section.lines();
            lines
                .find_map(|line| line.strip_prefix(&format!("{name} = ")))
                .unwrap()
        };
        let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
        let credentials = Credentials::new(id, secret, None, None, "test");
        let config = SdkConfig::builder()
            .http_client(sandbox.http_client())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .behavior_version(BehaviorVersion::latest())
            .build();
        Self {
            _sandbox: sandbox,
            config,
        }
    }

    /// Puts the bucket's policy; the refusal's code and words where it is not taken.
    async fn put_bucket_policy(&self, document: &Value) -> Result<(), String> {
        let put = aws_sdk_s3::Client::new(&self.config)
            .put_bucket_policy()
            .bucket("export-nopolicy")
            .expected_bucket_owner("222222222222")
            .policy(document.to_string());
        describe(put.send().await)
    }

    async fn put_key_policy(&self, document: &Value) -> Result<(), String> {
        let put = aws_sdk_kms::Client::new(&self.config)
            .put_key_policy()
            .key_id(KEY)
            .policy(document.to_string());
        describe(put.send().await)
    }
}

fn describe<T, E: ProvideErrorMetadata, R>(
    answer: Result<T, SdkError<E, R>>,
) -> Result<(), String> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "{} {}",
            error.code().unwrap_or("no code"),
            error.message().unwrap_or_default()
        )),
    }
}

/// The documents of a kind.
fn document(ended: &Ended, kind: &str) -> Value {
    let object: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let remedies = object["remedies"].as_array().unwrap();
    let found = remedies.iter().find(|remedy| remedy["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind}: {ended:?}"))["document"].clone()
}

/// What our statement in a document names.
fn principal(document: &Value, sid: &str) -> Value {
    let statements = document["Statement"].as_array().unwrap();
    let own = statements.iter().find(|statement| statement["Sid"] == sid);
    own.unwrap_or_else(|| panic!("{document}"))["Principal"]["AWS"].clone()
}

const USER: (&str, &str) = (
    "profile = 'prod-admin'",
    "arn:aws:iam::111111111111:user/prod-admin",
);
/// A session of a role: the session's ARN would end with its name.
const SESSION: (&str, &str) = (
    "profile = 'prod-oncall'",
    "arn:aws:iam::111111111111:role/OnCallExporter",
);
/// The role may not read itself, so that its path is known from the plan alone.
const ROLE_WITH_PATH: (&str, &str) = (
    "profile = 'partner-admin'\nrole = 'arn:aws:iam::111111111111:role/partners/PartnerExporter'\n\
     external_id = 'ferry-4711'",
    "arn:aws:iam::111111111111:role/partners/PartnerExporter",
);
/// The role's own ARN would end when the permission set is provisioned again.
const IDENTITY_CENTER: (&str, &str) = ("profile = 'prod-sso'", "arn:aws:iam::111111111111:root");

#[rstest]
#[case::a_user(USER)]
#[case::a_session_of_a_role(SESSION)]
#[case::a_role_with_a_path(ROLE_WITH_PATH)]
#[case::a_role_of_identity_center(IDENTITY_CENTER)]
#[tokio::test]
async fn what_is_written_for_a_caller_is_taken_and_fixes_the_plan(
    #[case] (source, named): (&str, &str),
    #[values(false, true)] is_whole: bool,
) {
    let home = Home::new();
    let plan = plan(source);
    let arguments: &[&str] = if is_whole {
        &["json", "--all"]
    } else {
        &["json"]
    };
    let written = policies(&home, &plan, arguments);
    let of_bucket = document(&written, "bucket_policy");
    let of_key = document(&written, "key_policy");
    assert_eq!(principal(&of_bucket, "TableferryWrite"), named);
    assert_eq!(principal(&of_key, "TableferryEncrypt"), named);
    {
        let destination = Destination::open(&home);
        assert_eq!(destination.put_bucket_policy(&of_bucket).await, Ok(()));
        assert_eq!(destination.put_key_policy(&of_key).await, Ok(()));
    }

    let file = home.write("plan.toml", &plan);
    let checked = Ended::of(home.sandbox(&["check", "--output", "json"]).arg(&file));
    for verdict in checked.objects() {
        let is_permission =
            verdict["event"] == "verdict" && verdict["subject"]["action"].is_string();
        // Two of these roles may not read their own policies, and nobody else of the plan may.
        let is_of_identity = verdict["unread"][0]["layer"] == "identity";
        assert!(
            !is_permission || verdict["verdict"] == "allowed" || is_of_identity,
            "{verdict:#}"
        );
    }
    let ran = Ended::of(
        home.sandbox(&["run", "--yes", "--output", "json"])
            .arg(&file),
    );
    let exports = ran.exports();
    assert_eq!(exports[0]["status"], "COMPLETED", "{ran:?}");
}

/// The wizard writes policies from scratch by what was read; the role may not read itself.
#[tokio::test]
async fn a_role_that_may_not_read_itself_goes_by_the_path_that_it_was_named_by() {
    let sandbox = Sandbox::open(Options::default()).unwrap();
    let files = sandbox.profiles(None);
    let environment =
        Environment::in_memory(files.config, files.credentials, sandbox.http_client());
    let journal = Journal::in_memory().unwrap();
    let work = Work::new(environment, journal, Settings::default());
    let as_user = "profile = 'partner-admin'";
    for (source, expected) in [(ROLE_WITH_PATH.0, Some(ROLE_WITH_PATH.1)), (as_user, None)] {
        let text = format!(
            "[source]\n{source}\nregion = 'eu-west-1'\n\
             [destination]\nbucket = 'export-landing'\n[[tables]]\nname = 'Orders'\n"
        );
        let plan = Plan::parse(&text, "plan.toml", Timestamp::now()).unwrap();
        work.sign_in(Side::Source, &plan.source.sign_in, None)
            .await
            .unwrap();
        let controls = ControlDocuments::default();
        let facts = Box::pin(work.survey(&plan, &controls)).await.unwrap();
        let read = facts.source().role.value().map(|role| role.arn.to_string());
        assert_eq!(read.as_deref(), expected);
    }
}

/// The names that a person would try first.
#[rstest]
#[case::a_role_without_its_path("arn:aws:iam::111111111111:role/PartnerExporter")]
#[case::a_role_of_identity_center_without_its_path(
    "arn:aws:iam::111111111111:role/AWSReservedSSO_ExportOperators_0123456789abcdef"
)]
#[case::all_sessions_of_a_role("arn:aws:sts::111111111111:assumed-role/OnCallExporter/*")]
#[case::a_user_that_is_gone("arn:aws:iam::111111111111:user/nobody")]
#[tokio::test]
async fn a_name_that_aws_does_not_know_is_refused(#[case] name: &str) {
    let home = Home::new();
    let destination = Destination::open(&home);
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TableferryWrite",
            "Effect": "Allow",
            "Principal": { "AWS": name },
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::export-nopolicy/*"
        }]
    });
    let refused = destination.put_bucket_policy(&document).await;
    assert_eq!(
        refused,
        Err("MalformedPolicy Invalid principal in policy".to_owned())
    );
}
