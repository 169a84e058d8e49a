//! A world with what the tests do in it: sign in, survey, propose, apply, export, read back.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tableferry::assess::facts::Facts;
use tableferry::assess::judge::judge;
use tableferry::assess::remedy::{GrantOptions, remedies};
use tableferry::assess::verdict::{Overall, overall};
use tableferry::aws::environment::SharedHttpClient;
use tableferry::aws::{Environment, Session};
use tableferry::job::{Plan, SignIn};
use tableferry::journal::Journal;
use tableferry::work::{
    ControlDocuments, Poll, PropagationPolicy, Proposal, RunOutcome, Settings, Side, StartSummary,
    Work, proposals,
};
use tableferry_sandbox::{Options, Sandbox};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(super) fn example(name: &str) -> String {
    let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A table without recovery, for somebody who may switch it on and needs nothing else.
pub(super) fn without_recovery() -> String {
    example("pitr-off")
        .replace("prod-oncall", "prod-admin")
        .replace("dev-admin", "prod-admin")
        .replace("export-landing", "prod-archive")
        .replace("222222222222", "111111111111")
}

pub(super) fn plan(text: &str) -> Plan {
    Plan::parse(text, "plan.toml", Timestamp::now()).unwrap()
}

pub(super) fn sandbox() -> Sandbox {
    with(|_| ())
}

pub(super) fn with(change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options {
        job_length: Duration::from_millis(40),
        ..Options::default()
    };
    change(&mut options);
    Sandbox::open(options).unwrap()
}

/// Waits of milliseconds, in place of AWS's minutes.
pub(super) fn settings() -> Settings {
    Settings {
        is_sandbox: true,
        poll: Poll {
            first: Duration::from_millis(5),
            longest: Duration::from_millis(20),
            spacing: Duration::from_millis(1),
            patience: Duration::from_secs(20),
        },
        propagation: PropagationPolicy {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(20),
            read_backs: 3,
            patience: Duration::from_secs(20),
            lock_patience: Duration::from_secs(20),
        },
        ..Settings::default()
    }
}

pub(super) fn environment(sandbox: &Sandbox, http: SharedHttpClient) -> Environment {
    let files = sandbox.profiles(None);
    Environment::in_memory(files.config, files.credentials, http)
}

pub(super) fn work(sandbox: &Sandbox) -> Work {
    let environment = environment(sandbox, sandbox.http_client());
    Work::new(environment, Journal::in_memory().unwrap(), settings())
}

/// The same with a journal on the disk.
pub(super) fn work_on(sandbox: &Sandbox, http: SharedHttpClient, journal: &Path) -> Work {
    let journal = Journal::open(journal).unwrap();
    Work::new(environment(sandbox, http), journal, settings())
}

pub(super) async fn sign_in(work: &Work, plan: &Plan) {
    let source = &plan.source.sign_in;
    work.sign_in(Side::Source, source, None).await.unwrap();
    if let Some(destination) = &plan.destination.sign_in {
        work.sign_in(Side::Destination, destination, None)
            .await
            .unwrap();
    }
}

pub(super) async fn survey(work: &Work, plan: &Plan) -> Facts {
    work.survey(plan, &ControlDocuments::default())
        .await
        .unwrap()
}

/// What the check results in now.
pub(super) async fn check(work: &Work, plan: &Plan) -> Overall {
    let facts = survey(work, plan).await;
    overall(&judge(plan, &facts, Timestamp::now()), false)
}

/// The proposals for a plan as things stand, the sides being signed in.
pub(super) async fn proposed(work: &Work, plan: &Plan) -> Vec<Proposal> {
    let facts = survey(work, plan).await;
    let found = remedies(plan, &facts, Timestamp::now(), GrantOptions::default());
    proposals(&found, &facts)
}

/// The one proposal that there is.
pub(super) async fn only(work: &Work, plan: &Plan) -> Proposal {
    let mut found = proposed(work, plan).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// What a start of the plan would do.
pub(super) async fn start_summary(work: &Work, plan: &Plan) -> StartSummary {
    let controls = ControlDocuments::default();
    let assessed = Box::pin(work.assess(plan, &controls)).await.unwrap();
    work.summarize_start(&assessed).unwrap()
}

pub(super) async fn export(work: &Work, plan: &Plan) -> RunOutcome {
    let summary = start_summary(work, plan).await;
    let (events, _kept) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let run = work
        .start(plan, &summary, events.clone(), &cancel)
        .await
        .unwrap();
    work.follow(run, tableferry::work::Verify::Open, events, cancel)
        .await
        .unwrap()
}

pub(super) async fn session(sandbox: &Sandbox, profile: &str) -> Session {
    let sign_in = SignIn {
        profile: profile.to_owned(),
        region: Some("eu-west-1".parse().unwrap()),
        ..SignIn::default()
    };
    environment(sandbox, sandbox.http_client())
        .sign_in(&sign_in, None)
        .await
        .unwrap()
}

/// A bucket's policy as its owner reads it.
pub(super) async fn bucket_policy(sandbox: &Sandbox, bucket: &str) -> Option<String> {
    let owner = session(sandbox, "dev-admin").await;
    owner
        .s3(&owner.region)
        .bucket_policy(&bucket.parse().unwrap(), None)
        .await
        .unwrap()
}

/// A statement of somebody else's.
pub(super) fn theirs(bucket: &str) -> String {
    format!(
        r#"{{"Sid":"Theirs","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::333333333333:root"}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/theirs/*"}}"#
    )
}

/// A document with that statement alone.
pub(super) fn their_policy(bucket: &str) -> String {
    format!(
        "{{\n \"Version\": \"2012-10-17\",\n \"Statement\": [ {} ]\n}}",
        theirs(bucket)
    )
}
