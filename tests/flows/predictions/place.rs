//! A world, opened: what is surveyed there, what an export results in, and what a remedy does to it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tableferry::assess::facts::Facts;
use tableferry::assess::judge::judge;
use tableferry::assess::remedy::{Fix, Remedy, Target};
use tableferry::assess::verdict::AssessedRequirement;
use tableferry::aws::dynamodb::StartAnswer;
use tableferry::aws::{Environment, Session};
use tableferry::job::requirement::Actor;
use tableferry::job::{ExportRequest, Plan};
use tableferry::journal::Journal;
use tableferry::work::{ControlDocuments, ProbeReport, Settings, Side, Work};
use tableferry_sandbox::{
    AclContext, ExportAcl, ForwardedTransport, Options, Sandbox, SourceAddress,
};
use tokio_util::sync::CancellationToken;

/// Runs a test's work on a thread of its own, whose stack is large enough for the SDK's futures in a
/// program that is not optimized.
pub(super) fn run<T: Send, F: Future<Output = T>>(work: impl FnOnce() -> F + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn_scoped(scope, || {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                runtime.enable_all().build().unwrap().block_on(work())
            })
            .unwrap()
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The world that comes with the program.
pub(super) fn shipped_world() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/sandbox/assets/world.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A plan from its file's text.
pub(super) fn plan(text: &str) -> Plan {
    Plan::parse(text, "plan.toml", Timestamp::now())
        .unwrap_or_else(|violations| panic!("{violations}\n{text}"))
}

/// How an export ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    /// The call was refused.
    Refused {
        code: String,
        message: String,
    },
    /// The export was accepted, and failed.
    Failed {
        code: String,
        message: String,
    },
}

impl Ending {
    pub(super) const fn is_completed(&self) -> bool {
        matches!(self, Self::Completed)
    }

    /// The code and the text of a failure.
    pub(super) fn describe(&self) -> (&str, &str) {
        match self {
            Self::Completed => panic!("the export completed"),
            Self::Refused { code, message } | Self::Failed { code, message } => (code, message),
        }
    }
}

/// A world in which somebody is signed in.
pub(super) struct Place {
    pub sandbox: Sandbox,
    pub environment: Environment,
    work: Work,
    source: Session,
}

impl Place {
    /// Opens a world and signs in as a plan says.
    pub(super) async fn open(world: &Value, plan: &Plan) -> Self {
        let options = Options {
            job_length: Duration::ZERO,
            ..Options::default()
        };
        let sandbox = Sandbox::of_world(&world.to_string(), options)
            .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
        let files = sandbox.profiles(None);
        let environment =
            Environment::in_memory(files.config, files.credentials, sandbox.http_client());
        let settings = Settings {
            is_sandbox: true,
            ..Settings::default()
        };
        let journal = Journal::in_memory().unwrap();
        let work = Work::new(environment.clone(), journal, settings);
        let how = &plan.source.sign_in;
        work.sign_in(Side::Source, how, None).await.unwrap();
        if let Some(how) = &plan.destination.sign_in {
            work.sign_in(Side::Destination, how, None).await.unwrap();
        }
        let source = environment.sign_in(how, None).await.unwrap();
        Self {
            sandbox,
            environment,
            work,
            source,
        }
    }

    /// All facts about a plan.
    pub(super) async fn survey(&self, plan: &Plan) -> Facts {
        let controls = ControlDocuments::default();
        self.work.survey(plan, &controls).await.unwrap()
    }

    /// What `check` says of a plan.
    pub(super) async fn check(&self, plan: &Plan) -> Vec<AssessedRequirement> {
        judge(plan, &self.survey(plan).await, Timestamp::now())
    }

    /// Probes the plan's destination; nothing where no probe can be made.
    pub(super) async fn probe(&self, plan: &Plan) -> Option<ProbeReport> {
        let probe = self.work.draw_up_probe(plan, None).await.ok()?;
        let cancel = CancellationToken::new();
        self.work.probe(plan, &probe, &cancel).await.ok()
    }

    /// The calls that a run of the plan would make.
    pub(super) async fn requests(&self, plan: &Plan) -> Vec<ExportRequest> {
        let controls = ControlDocuments::default();
        let assessed = Box::pin(self.work.assess(plan, &controls)).await.unwrap();
        self.work.summarize_start(&assessed).unwrap().requests
    }

    /// Starts the plan's first export, whatever is known against it, and waits for its end.
    pub(super) async fn export(&self, plan: &Plan) -> Ending {
        let requests = self.requests(plan).await;
        self.send(&requests[0]).await
    }

    /// The same with a call that was made up before; each time it is a new export.
    pub(super) async fn send(&self, request: &ExportRequest) -> Ending {
        let request = ExportRequest {
            client_token: format!("{}-{}", request.client_token, fastrand::u64(..)),
            ..request.clone()
        };
        let region = request
            .table_arn
            .region_code()
            .unwrap_or_else(|| self.source.region.clone());
        self.send_to(&request, &region).await
    }

    /// The same, to the endpoint of a Region of choice.
    pub(super) async fn send_to(
        &self,
        request: &ExportRequest,
        region: &tableferry_policy::arn::Region,
    ) -> Ending {
        let dynamodb = self.source.dynamodb(region);
        let started = match dynamodb.start_export(request, None).await {
            StartAnswer::Started(started) => started,
            StartAnswer::Refused(failure) | StartAnswer::Unanswered(failure) => {
                return Ending::Refused {
                    code: failure.code.unwrap_or_default(),
                    message: failure.message,
                };
            }
        };
        // The job takes no time, and anyone who looks moves it on.
        let arn = started.arn.to_string();
        let ended = self.sandbox.look_at_export(&arn).unwrap();
        let text = |name: &str| ended[name].as_str().unwrap_or_default().to_owned();
        match text("ExportStatus").as_str() {
            "COMPLETED" => Ending::Completed,
            "FAILED" => Ending::Failed {
                code: text("FailureCode"),
                message: text("FailureMessage"),
            },
            status => panic!("the export is {status}"),
        }
    }

    /// Signs in with a profile.
    pub(super) async fn session(&self, profile: &str) -> Session {
        let how = tableferry::job::SignIn {
            profile: profile.to_owned(),
            ..tableferry::job::SignIn::default()
        };
        self.environment.sign_in(&how, None).await.unwrap()
    }

    /// Puts a bucket's or key's policy by the API, as the first user of the account that has every
    /// right; `Err` holds code and message.
    pub(super) async fn put(
        &self,
        target: &Target,
        document: &str,
        world: &Value,
    ) -> Result<(), (String, String)> {
        match target {
            Target::BucketPolicy { bucket } => {
                let account = world["buckets"][bucket.as_str()]["account"]
                    .as_str()
                    .unwrap();
                let config = self.administrator(world, account);
                let answer = aws_sdk_s3::Client::new(&config)
                    .put_bucket_policy()
                    .bucket(bucket.as_str())
                    .expected_bucket_owner(account)
                    .policy(document)
                    .send()
                    .await;
                answer.map(|_| ()).map_err(|error| refusal(&error))
            }
            Target::KeyPolicy { key } => {
                let account = key.split(':').nth(4).unwrap();
                let config = self.administrator(world, account);
                let answer = aws_sdk_kms::Client::new(&config)
                    .put_key_policy()
                    .key_id(key)
                    .policy(document)
                    .send()
                    .await;
                answer.map(|_| ()).map_err(|error| refusal(&error))
            }
            Target::IdentityPolicy { .. } => Ok(()),
        }
    }

    /// The configuration of clients that call as an account's administrator.
    pub(super) fn administrator(&self, world: &Value, account: &str) -> aws_config::SdkConfig {
        let users = world["accounts"][account]["users"].as_object().unwrap();
        let administers = |user: &&Value| user["attached"].to_string().contains("Administrator");
        let user = users.values().find(administers).unwrap();
        let (key, secret) = user["access_keys"]
            .as_object()
            .unwrap()
            .iter()
            .next()
            .unwrap();
        let credentials = aws_credential_types::Credentials::new(
            key,
            secret.as_str().unwrap(),
            None,
            None,
            "test",
        );
        aws_config::SdkConfig::builder()
            .http_client(self.sandbox.http_client())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
            )
            .behavior_version(aws_config::BehaviorVersion::latest())
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .build()
    }

    /// Plays what AWS leaves open another way.
    pub(super) fn play_as(&self, address: SourceAddress, acl: ExportAcl) {
        self.sandbox.play_as(address, acl);
    }

    /// Plays another way whether services see `aws:SecureTransport` in what others ask of them.
    pub(super) fn play_transport(&self, transport: ForwardedTransport) {
        self.sandbox.play_transport(transport);
    }

    /// Plays what S3 has before it when it asks for `s3:PutObjectAcl` another way.
    pub(super) fn play_acl_context(&self, context: AclContext) {
        self.sandbox.play_acl_context(context);
    }
}

/// Code and message of a refusal.
fn refusal<E, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> (String, String)
where
    E: aws_sdk_s3::error::ProvideErrorMetadata,
{
    let service = error.as_service_error();
    let text = |found: Option<&str>| found.unwrap_or_default().to_owned();
    (
        text(service.and_then(|error| error.code())),
        text(service.and_then(|error| error.message())),
    )
}

/// Where a remedy's documents lie in a world: who exports, in which account, who reads.
pub(super) struct Whereabouts {
    /// The pointer to the exporter's user or role, such as `/accounts/1…/roles/OnCallExporter`.
    pub exporter: String,
    /// The same of the destination's principal.
    pub reader: String,
}

/// A policy's text as a world keeps it byte by byte.
fn kept(text: &str) -> Value {
    json!({ "current": text, "lingering": null })
}

/// Does to a world what a remedy asks for. What changes the plan is with the plan.
pub(super) fn carry_out(world: &mut Value, remedy: &Remedy, whereabouts: &Whereabouts) {
    match &remedy.fix {
        Fix::Document { target, after, .. } => match target {
            Target::BucketPolicy { bucket } => {
                world["buckets"][bucket.as_str()]["policy"] = kept(after);
            }
            Target::KeyPolicy { key } => key_in(world, key)["policy"] = kept(after),
            Target::IdentityPolicy { who, name } => {
                let at = match who {
                    Actor::Exporter => &whereabouts.exporter,
                    Actor::Service => panic!("no policy is attached to a service"),
                    Actor::Reader => &whereabouts.reader,
                };
                let holder = world.pointer_mut(at).unwrap_or_else(|| panic!("no {at}"));
                holder["inline"][name] = after.as_str().into();
            }
        },
        Fix::EnableRecovery { table } => {
            let name = table.resource_after("table").unwrap();
            let tables = &mut world["accounts"][table.account.as_str()]["tables"];
            for found in tables.as_array_mut().unwrap() {
                if found["name"] == name && found["region"] == table.region.as_str() {
                    found["recovery_days_ago"] = json!(1);
                }
            }
        }
        Fix::Plan { .. } | Fix::RequestText { .. } => {}
    }
}

/// The key with an ARN.
pub(super) fn key_in<'w>(world: &'w mut Value, arn: &str) -> &'w mut Value {
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next().unwrap(), parts.next().unwrap());
    let id = arn.rsplit('/').next().unwrap();
    let keys = world["accounts"][account]["keys"].as_array_mut().unwrap();
    keys.iter_mut()
        .find(|key| key["id"] == id && key["region"] == region)
        .unwrap_or_else(|| panic!("no key {arn}"))
}
