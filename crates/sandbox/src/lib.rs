//! An AWS of our own, for practice and for tests: several accounts in memory, reached through the
//! SDK's HTTP client or over the loopback.
//!
//! It decides what AWS would answer. It plugs in below the SDK, so that the real clients, signing,
//! retries, paging and parsing run; every request's signature is checked, and every request is
//! authorized with the project's own policy engine, in a context that is built here and nowhere
//! else. Refusals come in AWS's words and at AWS's time: at once, or by failing an export later.
//! Where the sandbox stands for something that AWS documents, it names the page; what AWS leaves
//! open it can play either way.
//!
//! Nothing outside this room is special to it, and it reads nothing of the user's.
//!
//! It does not play: expressions in requests for items, imports of CSV or Ion; the limit of 100 TB in
//! flight; inventory reports in ORC or Parquet; AWS's own throttling; an MFA code's being good for one use
//! only; access control lists beyond who owns an object, and versions.

mod access_keys;
mod authorize;
mod bucket;
mod call;
mod caller;
mod clock;
mod context;
mod deliveries;
mod dispatch;
mod dynamodb;
mod encryption;
mod export;
mod export_files;
mod export_steps;
mod faults;
mod filter;
mod http_client;
mod iam;
mod identifier;
mod import;
mod import_steps;
mod inventory;
mod ion;
mod item_rules;
mod item_store;
mod items;
mod json_members;
mod judged;
mod kms;
mod log_group;
mod logs;
mod lookup;
mod number;
mod open_questions;
mod organizations;
mod partitions;
mod policy_text;
mod policy_validation;
mod profiles;
mod query;
mod refusal;
mod s3;
mod s3_account;
mod serve;
mod shared;
mod signature;
mod state_file;
mod sts;
mod table_definition;
mod trail;
mod trail_event;
mod upload;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use s3s::service::S3Service;

pub use clock::ClockOffset;
pub use context::{OPERATOR_ADDRESS, SERVICE_ADDRESS};
pub use faults::{Faults, OperationFault};
pub use judged::JudgedRequest;
pub use open_questions::{AclContext, ExportAcl, ForwardedTransport, HeadKeyUse, SourceAddress};
pub use profiles::SharedFiles;
use shared::Shared;
pub use sts::MFA_CODE;
use tableferry_policy::arn::Partition;

/// How a sandbox is played.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the world is kept, so that a restart goes on with it; in memory alone if absent.
    pub state: Option<PathBuf>,
    /// How long an export takes, from its start to its end.
    pub job_length: Duration,
    /// Which source address S3 and KMS see while an export writes.
    pub source_address: SourceAddress,
    /// Which access control list an export sends with its objects.
    pub export_acl: ExportAcl,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// How far its clock is from the real one.
    pub clock_offset: ClockOffset,
    /// The partition of a new world; absent, `aws`. A world that is kept stays where it is.
    pub partition: Option<Partition>,
    /// How many items the table `Generated` of a new world has; absent, there is none.
    pub generated_items: Option<u64>,
    /// How many small tables a new world has beside, named `Bulk-0001` and on.
    pub bulk_tables: u32,
    /// How many exports run at once in an account and Region; the next is refused.
    pub most_exports: usize,
}

impl Options {
    /// The partitions that a world can lie in.
    pub const PARTITIONS: [Partition; 3] = partitions::PARTITIONS;
}

impl Default for Options {
    /// In memory, exports of six seconds, a service's source address, and no faults.
    fn default() -> Self {
        Self {
            state: None,
            job_length: Duration::from_secs(6),
            source_address: SourceAddress::default(),
            export_acl: ExportAcl::default(),
            faults: Faults::default(),
            clock_offset: ClockOffset::default(),
            partition: None,
            generated_items: None,
            bulk_tables: 0,
            // "Up to 300 export tasks, or up to 100 TB of table size, can be exported concurrently"
            // (developer guide, "Service, account, and table quotas").
            most_exports: 300,
        }
    }
}

/// Why a sandbox cannot be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The world cannot be read as one.
    #[error("the sandbox's world is not readable")]
    World(#[source] serde_json::Error),
    /// The world is of another version of the sandbox.
    #[error("the sandbox's world is of version {0}, which this program does not know")]
    Version(u32),
    /// The sandbox has no world in this partition.
    #[error("the sandbox has no world in the partition {0}")]
    NoWorld(Partition),
    /// The state file holds the world of another partition than the one that is asked for.
    #[error(
        "the sandbox's state file {} holds a world in the partition {kept}, not in {asked}: leave \
         --sandbox-partition out to go on with it, or name another file for a new world",
        path.display()
    )]
    OtherPartition {
        /// The file.
        path: PathBuf,
        /// The partition of its world.
        kept: Partition,
        /// The partition that the options ask for.
        asked: Partition,
    },
    /// The state file cannot be read or written.
    #[error("cannot {deed} the sandbox's state file {}", path.display())]
    State {
        /// What was tried: `read` or `write`.
        deed: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Another process plays the world of the state file.
    #[error(
        "the sandbox's state file {} is in use by another tableferry process: end that one first, or \
         have `tableferry sandbox serve` play it for several",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file that moves the clock cannot be read as an offset.
    #[error("cannot read the clock's offset from {}: {problem}", path.display())]
    Clock {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// A task of the sandbox's own broke off.
    #[error("the sandbox broke off: {0}")]
    Task(String),
    /// The listener failed.
    #[error("the sandbox cannot accept connections")]
    Accept(#[source] std::io::Error),
}

/// An AWS of our own; clones share one world.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    s3: S3Service,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Opens the world that the state file holds, or a new one.
    ///
    /// # Errors
    /// If there is a state file that cannot be read, is in use by another process, or is no world of
    /// this version.
    pub fn open(options: Options) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared::open(options)?);
        let s3 = s3::service(Arc::clone(&shared));
        Ok(Self { shared, s3 })
    }

    /// Opens a world of the caller's own, in the form of `assets/world.json`.
    ///
    /// # Errors
    /// If the text is no world of this version, or the state file cannot be written.
    pub fn of_world(world: &str, options: Options) -> Result<Self, SandboxError> {
        let shared = Arc::new(Shared::of_world(world, options)?);
        let s3 = s3::service(Arc::clone(&shared));
        Ok(Self { shared, s3 })
    }

    /// An HTTP client for the SDK that answers every host of the world's partition from memory.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        http_client::client(self.clone())
    }

    /// The texts of a config and a credentials file with the sandbox's profiles.
    ///
    /// With an endpoint each profile sends its calls there, S3's in path style.
    #[must_use]
    pub fn profiles(&self, endpoint: Option<&str>) -> SharedFiles {
        profiles::write(&self.shared.world(), endpoint)
    }

    /// What goes wrong on purpose, from the next request on.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// Moves the clock, from the next request on.
    pub fn set_clock_offset(&self, offset: jiff::SignedDuration) {
        self.shared.clock.set(offset);
    }

    /// Plays what AWS leaves open another way, for the exports that are started from now on.
    pub fn play_as(&self, source_address: SourceAddress, export_acl: ExportAcl) {
        self.shared.set_open_ends(source_address, export_acl);
    }

    /// Plays another way what S3 has before it when it asks for `s3:PutObjectAcl`, for the exports that
    /// are started from now on.
    pub fn play_acl_context(&self, acl_context: AclContext) {
        self.shared.set_acl_context(acl_context);
    }

    /// Plays another way whether S3 and KMS see `aws:SecureTransport` in what other services ask of them,
    /// from the next request on.
    pub fn play_transport(&self, transport: ForwardedTransport) {
        self.shared.world().forwarded_transport = transport;
    }

    /// Plays another way whether the head of an encrypted object takes its key, from the next request on.
    pub fn play_head(&self, key_use: HeadKeyUse) {
        self.shared.world().head_key_use = key_use;
    }

    /// Keeps the requests that are judged from now on, for [`Self::judged`].
    pub fn keep_judged(&self) {
        self.shared.world().judged.keep();
    }

    /// The requests that were judged since they are kept, in their order.
    #[must_use]
    pub fn judged(&self) -> Vec<JudgedRequest> {
        self.shared.world().judged.all()
    }

    /// What `DescribeExport` would tell of an export now, no matter who may ask; `None` where there is none.
    #[must_use]
    pub fn look_at_export(&self, arn: &str) -> Option<serde_json::Value> {
        let mut world = self.shared.world();
        world.advance(self.shared.clock.now());
        world.exports.get(arn).map(export::Export::description)
    }

    /// The keys in a bucket now; what is due is delivered first.
    #[must_use]
    pub fn object_keys(&self, bucket: &str) -> Vec<String> {
        let mut world = self.shared.world();
        world.advance(self.shared.clock.now());
        let bucket = world.bucket(bucket);
        bucket.map_or_else(Vec::new, |bucket| bucket.objects.keys().cloned().collect())
    }

    /// Writes a bucket's policy (`None` takes it away) as if somebody else had, in between.
    pub fn change_bucket_policy(&self, bucket: &str, policy: Option<String>) {
        let now = self.shared.clock.now();
        let mut world = self.shared.world();
        world.advance(now);
        if let Some(bucket) = world.buckets.get_mut(bucket) {
            bucket.policy.write(policy, now, Duration::ZERO);
            world.touch();
        }
    }

    /// Serves the world over HTTP/1.1 until `shutdown` is done; requests under way end first.
    ///
    /// # Errors
    /// If the listener fails, or the state file cannot be written at the end.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), SandboxError> {
        serve::serve(self, listener, shutdown).await?;
        self.shared.save().await
    }
}
