//! Requests that are recorded on their way to the sandbox: read-only work makes none that changes
//! anything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use jiff::Timestamp;
use rstest::rstest;
use tableferry::aws::Environment;
use tableferry::job::Plan;
use tableferry::job::requirement::Actor;
use tableferry::journal::Journal;
use tableferry::work::probe::ProbeError;
use tableferry::work::{ControlDocuments, Settings, Side, StartError, Work};
use tableferry_sandbox::{Options, Sandbox};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::access_checks::predicted::example;

/// An HTTP client that writes down what passes.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    inner: SharedHttpClient,
    seen: Arc<Mutex<Vec<String>>>,
    /// The same requests whole: who asks in which Region, and everything that is asked.
    whole: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Recording {
            inner: self.inner.http_connector(settings, components),
            seen: Arc::clone(&self.seen),
            whole: Arc::clone(&self.whole),
        })
    }
}

#[derive(Debug)]
struct Recording {
    inner: SharedHttpConnector,
    seen: Arc<Mutex<Vec<String>>>,
    whole: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Recording {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.seen.lock().unwrap().push(operation(&request));
        self.whole.lock().unwrap().push(whole(&request));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            // Others have their turn while the answer is on its way.
            tokio::task::yield_now().await;
            answer.await
        })
    }
}

/// The operation's name, or the method and path of a protocol that names none.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let body = request.body().bytes().unwrap_or_default();
    let form = String::from_utf8_lossy(body);
    let action = form
        .split('&')
        .find_map(|field| field.strip_prefix("Action="));
    match action {
        Some(action) => action.to_owned(),
        None => format!("{} {}", request.method(), request.uri()),
    }
}

/// Who asks, in which Region, and everything that is asked: what makes a read the same as another.
fn whole(request: &HttpRequest) -> String {
    let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
    let scope = header("authorization");
    // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…
    let scope = scope.split(['=', ',']).nth(1).unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    format!(
        "{} by {scope}: {} {} owner={} {}",
        operation(request),
        request.method(),
        request.uri(),
        header("x-amz-expected-bucket-owner"),
        String::from_utf8_lossy(body)
    )
}

/// Whether an operation changes nothing, by AWS's own naming of operations.
fn only_reads(operation: &str) -> bool {
    const READS: [&str; 7] = [
        "Get",
        "List",
        "Describe",
        "Simulate",
        "AssumeRole",
        "GET ",
        "HEAD ",
    ];
    READS.iter().any(|verb| operation.starts_with(verb))
}

fn recorded_work(is_read_only: bool) -> (Work, Arc<Mutex<Vec<String>>>) {
    let (work, recorder) = recorder(is_read_only);
    (work, recorder.seen)
}

pub(super) fn recorder(is_read_only: bool) -> (Work, Recorder) {
    let sandbox = Sandbox::open(Options {
        job_length: Duration::from_millis(40),
        ..Options::default()
    })
    .unwrap();
    let files = sandbox.profiles(None);
    let recorder = Recorder {
        inner: sandbox.http_client(),
        seen: Arc::default(),
        whole: Arc::default(),
    };
    let client = SharedHttpClient::new(recorder.clone());
    let environment = Environment::in_memory(files.config, files.credentials, client);
    let environment = if is_read_only {
        environment.read_only()
    } else {
        environment
    };
    let settings = Settings {
        is_sandbox: true,
        ..Settings::default()
    };
    let work = Work::new(environment, Journal::in_memory().unwrap(), settings);
    (work, recorder)
}

fn plan(name: &str) -> Plan {
    Plan::parse(&example(name), "plan.toml", Timestamp::now()).unwrap()
}

pub(super) async fn sign_in(work: &Work, plan: &Plan) {
    work.sign_in(Side::Source, &plan.source.sign_in, None)
        .await
        .unwrap();
    if let Some(destination) = &plan.destination.sign_in {
        work.sign_in(Side::Destination, destination, None)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn read_only_work_makes_no_call_that_changes_anything() {
    let (work, seen) = recorded_work(true);
    let plan = plan("kms-customer-key");
    sign_in(&work, &plan).await;
    let tables = work.tables().await.unwrap();
    work.table(&tables[0]).await;
    let bucket = work.bucket(&plan.destination.bucket).await;
    work.buckets().await.unwrap();
    work.keys(bucket.region.value().unwrap()).await.unwrap();
    let controls = ControlDocuments::default();
    // Without optimization, futures as large as these want a heap.
    let assessed = Box::pin(work.assess(&plan, &controls)).await.unwrap();
    assert_eq!(assessed.assessment.fatal().next(), None);
    let summary = work.summarize_start(&assessed).unwrap();

    let (sender, _events) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let started = Box::pin(work.start(&plan, &summary, sender, &cancel)).await;
    assert!(matches!(started, Err(StartError::ReadOnly)), "{started:?}");
    let probe = work.draw_up_probe(&plan, None).await;
    assert!(matches!(probe, Err(ProbeError::ReadOnly)), "{probe:?}");
    assert!(work.runs().unwrap().is_empty());

    let seen = seen.lock().unwrap();
    assert!(seen.len() > 30, "{seen:?}");
    let changing: Vec<_> = seen.iter().filter(|call| !only_reads(call)).collect();
    assert!(changing.is_empty(), "{changing:?}");
}

/// All that a run reads before it starts, the sign-in included.
#[rstest]
#[case::one_table("one-table")]
#[case::encrypted("kms-customer-key")]
#[case::a_table_with_a_key("table-own-key")]
#[case::refused("unread-identity")]
#[tokio::test]
async fn nothing_is_read_twice_before_a_start(#[case] example: &str) {
    let (work, recorder) = recorder(false);
    let plan = plan(example);
    sign_in(&work, &plan).await;
    let controls = ControlDocuments::default();
    let assessed = Box::pin(work.assess(&plan, &controls)).await.unwrap();
    work.summarize_start(&assessed).unwrap();
    let bucket = assessed.assessment.facts.bucket(&plan.destination.bucket);
    work.draw_up_probe(&plan, Some(bucket)).await.unwrap();
    let mut reads = recorder.whole.lock().unwrap().clone();
    assert!(reads.len() > 20, "{reads:#?}");
    reads.sort_unstable();
    let twice: Vec<&String> = reads
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| &pair[0])
        .collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

/// The recording itself: without the guard, the calls that change something are seen.
#[tokio::test]
async fn work_that_may_change_something_is_seen_to() {
    let (work, seen) = recorded_work(false);
    let plan = plan("kms-customer-key");
    sign_in(&work, &plan).await;
    let probe = work.draw_up_probe(&plan, None).await.unwrap();
    let report = work
        .probe(&plan, &probe, &CancellationToken::new())
        .await
        .unwrap();
    assert!(report.is_success(), "{report:?}");
    let seen = seen.lock().unwrap();
    let changing: Vec<&str> = seen
        .iter()
        .filter(|call| !only_reads(call))
        .map(|call| call.split(' ').next().unwrap())
        .collect();
    assert_eq!(changing, ["POST", "PUT", "DELETE"]);
}

/// Waits until a call of this method was recorded.
async fn recorded(seen: &Mutex<Vec<String>>, method: &str) {
    while !seen
        .lock()
        .unwrap()
        .iter()
        .any(|call| call.starts_with(method))
    {
        tokio::task::yield_now().await;
    }
}

/// The one who asked for it may go away, as the wizard does when it is left.
#[tokio::test]
async fn a_probe_that_nobody_waits_for_takes_its_upload_back_all_the_same() {
    let (work, seen) = recorded_work(false);
    let plan = plan("one-table");
    sign_in(&work, &plan).await;
    let probe = work.draw_up_probe(&plan, None).await.unwrap();
    let cancel = CancellationToken::new();
    tokio::select! {
        biased;
        () = recorded(&seen, "POST ") => {}
        report = work.probe(&plan, &probe, &cancel) => panic!("it has ended: {report:?}"),
    }
    assert_eq!(work.unfinished_probes().unwrap().len(), 1);
    let end = async {
        recorded(&seen, "DELETE ").await;
        while !work.unfinished_probes().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, end).await.unwrap();
}

/// Cancelled before it began, a probe sends nothing.
#[tokio::test]
async fn a_probe_that_is_called_off_sends_nothing() {
    let (work, seen) = recorded_work(false);
    let plan = plan("one-table");
    sign_in(&work, &plan).await;
    let probe = work.draw_up_probe(&plan, None).await.unwrap();
    let before = seen.lock().unwrap().len();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let report = work.probe(&plan, &probe, &cancel).await.unwrap();
    assert!(report.steps.is_empty() && report.tried().is_empty());
    assert_eq!(seen.lock().unwrap().len(), before);
}

/// What runs is counted with the size of its table, once for each export.
#[tokio::test]
async fn exports_in_flight_are_counted_with_the_sizes_of_their_tables() {
    let sandbox = Sandbox::open(Options {
        job_length: Duration::from_mins(1),
        ..Options::default()
    })
    .unwrap();
    let files = sandbox.profiles(None);
    let environment =
        Environment::in_memory(files.config, files.credentials, sandbox.http_client());
    let work = Work::new(
        environment,
        Journal::in_memory().unwrap(),
        Settings::default(),
    );
    let plan = plan("one-table");
    sign_in(&work, &plan).await;
    let facts = || async {
        let controls = ControlDocuments::default();
        Box::pin(work.survey(&plan, &controls)).await.unwrap()
    };
    let before = facts().await;
    let before = before
        .account_of(Actor::Exporter)
        .in_flight
        .value()
        .unwrap();
    assert_eq!((before.count, before.bytes), (0, Some(0)));
    for _ in 0..2 {
        let controls = ControlDocuments::default();
        let assessed = Box::pin(work.assess(&plan, &controls)).await.unwrap();
        let mut summary = work.summarize_start(&assessed).unwrap();
        let (sender, _events) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        summary.newest = None;
        Box::pin(work.start(&plan, &summary, sender, &cancel))
            .await
            .unwrap();
    }
    let facts = facts().await;
    let size = facts
        .table("Orders")
        .unwrap()
        .description
        .value()
        .unwrap()
        .size_bytes;
    let running = facts.account_of(Actor::Exporter).in_flight.value().unwrap();
    assert_eq!(running.count, 2);
    assert_eq!(running.bytes, size.map(|size| size * 2));
    assert!(size.is_some_and(|size| size > 0));
    // The account's setting is the effective one, with what its organization sets.
    let account = facts.account_of(Actor::Reader);
    assert!(account.public_access.is_settled());
    assert!(account.organization_public_access.is_absent());
}
