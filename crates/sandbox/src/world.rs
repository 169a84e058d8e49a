//! The world: every account, identity, table, bucket, key and export that the sandbox knows.
//!
//! It is plain data. It begins as `assets/world.json`, and the whole of it, as it has become, is
//! what a state file holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, PublicAccess};
use super::export::Export;
use super::import::Import;
use super::item_store::ItemStore;
use super::judged::Judged;
use super::log_group::LogGroup;
use super::open_questions::{ForwardedTransport, HeadKeyUse};
use super::policy_text::{Edited, PolicyText};
use super::table_definition::Making;
use super::trail_event::TrailEvent;
use tableferry_policy::arn::Partition;

/// The only version of the world's format that there has been.
pub(super) const VERSION: u32 = 1;

/// All that the sandbox knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct World {
    /// The format's version.
    pub version: u32,
    /// Where all of it lies; state files of earlier versions do not tell.
    #[serde(default = "commercial")]
    pub partition: Partition,
    /// When this world was made; ages in it count from here.
    #[serde(default)]
    pub born: Timestamp,
    pub organization: Organization,
    /// Policies by ARN: AWS managed, customer managed, and those of the organization.
    pub managed_policies: BTreeMap<String, PolicyText>,
    pub accounts: BTreeMap<String, Account>,
    pub buckets: BTreeMap<String, Bucket>,
    /// Temporary credentials by access key id.
    #[serde(default)]
    pub sessions: BTreeMap<String, TemporaryKeys>,
    /// Exports by ARN.
    #[serde(default)]
    pub exports: BTreeMap<String, Export>,
    /// Imports by ARN.
    #[serde(default)]
    pub imports: BTreeMap<String, Import>,
    /// CloudWatch's log groups by ARN.
    #[serde(default)]
    pub log_groups: BTreeMap<String, LogGroup>,
    /// CloudTrail's event history, by account.
    #[serde(default)]
    pub trail: BTreeMap<String, Vec<TrailEvent>>,
    /// The profiles of the shared configuration files.
    pub profiles: Vec<ProfileEntry>,
    /// Whether something changed that a state file does not hold yet.
    #[serde(skip)]
    pub is_changed: bool,
    /// What services see of the transport in each other's calls.
    #[serde(skip)]
    pub forwarded_transport: ForwardedTransport,
    /// How many of the next items of `BatchWriteItem` come back as unprocessed.
    #[serde(skip)]
    pub unprocessed_items: u32,
    /// Whether the head of an encrypted object takes its key.
    #[serde(skip)]
    pub head_key_use: HeadKeyUse,
    /// What was judged, if somebody asked for it.
    #[serde(skip)]
    pub judged: Judged,
}

/// The organization that some of the accounts belong to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Organization {
    pub id: String,
    pub root: String,
    pub management_account: String,
    pub accounts: Vec<String>,
    /// ARNs of the policies attached to the root.
    pub service_control: Vec<String>,
    pub resource_control: Vec<String>,
    /// What is attached to accounts themselves; to one that is not here, the policies of full
    /// access, as AWS attaches them to every account.
    #[serde(default)]
    pub of_accounts: BTreeMap<String, Controls>,
    /// Member accounts that the reading of the organization's policies is delegated to.
    #[serde(default)]
    pub delegated: Vec<String>,
}

/// The control policies attached to one target, by ARN.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Controls {
    #[serde(default)]
    pub service_control: Option<Vec<String>>,
    #[serde(default)]
    pub resource_control: Option<Vec<String>>,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Account {
    pub name: String,
    #[serde(default)]
    pub alias: Option<String>,
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    #[serde(default)]
    pub groups: BTreeMap<String, Group>,
    /// Block Public Access of the whole account; not set if absent.
    #[serde(default)]
    pub public_access: Option<PublicAccess>,
    #[serde(default)]
    pub tables: Vec<Table>,
    #[serde(default)]
    pub keys: Vec<Key>,
}

/// An IAM group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    #[serde(default)]
    pub attached: Vec<String>,
    #[serde(default)]
    pub inline: BTreeMap<String, Edited>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub id: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub mfa_serial: Option<String>,
    /// Secrets by access key id.
    pub access_keys: BTreeMap<String, String>,
    #[serde(default)]
    pub attached: Vec<String>,
    #[serde(default)]
    pub inline: BTreeMap<String, Edited>,
    /// The names of the groups that it is in.
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The permissions boundary's ARN.
    #[serde(default)]
    pub boundary: Option<String>,
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Role {
    pub id: String,
    #[serde(default = "root_path")]
    pub path: String,
    #[serde(default)]
    pub description: String,
    #[serde(default = "one_hour")]
    pub max_session_seconds: u32,
    #[serde(default = "a_quarter")]
    pub created_days_ago: u32,
    pub trust: PolicyText,
    #[serde(default)]
    pub attached: Vec<String>,
    #[serde(default)]
    pub inline: BTreeMap<String, Edited>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The permissions boundary's ARN.
    #[serde(default)]
    pub boundary: Option<String>,
}

/// A `DynamoDB` table: of the world as it begins, with generated items, or made by a call, with
/// written ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Table {
    pub name: String,
    pub region: String,
    /// What its generated items look like; `None` where all of them were written.
    #[serde(default)]
    pub kind: Option<ItemKind>,
    /// How many items are generated.
    #[serde(default)]
    pub items: u64,
    #[serde(default)]
    pub created_days_ago: u32,
    /// How it was made, where a call made it.
    #[serde(default)]
    pub making: Option<Making>,
    /// Its items since the first one was written.
    #[serde(default)]
    pub store: Option<ItemStore>,
    /// From when it is being deleted, and when it is gone.
    #[serde(default)]
    pub deletion: Option<(Timestamp, Timestamp)>,
    #[serde(default)]
    pub is_protected: bool,
    /// The attribute that holds the time to live.
    #[serde(default)]
    pub time_to_live: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Since when point-in-time recovery is on in the world as it begins.
    #[serde(default)]
    pub recovery_days_ago: Option<u32>,
    /// Since when point-in-time recovery is on; `None` where it is off.
    #[serde(default)]
    pub recovery_since: Option<Timestamp>,
    #[serde(default = "longest_window")]
    pub recovery_period_days: u32,
    /// The customer managed key that encrypts the table.
    #[serde(default)]
    pub key_id: Option<String>,
    /// The table's own policy.
    #[serde(default)]
    pub policy: Option<PolicyText>,
}

/// What the generated items of a table look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ItemKind {
    Orders,
    Users,
    Events,
    Sessions,
    Ledger,
}

/// A KMS key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Key {
    pub id: String,
    pub region: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(default)]
    pub description: String,
    /// The service that AWS manages the key for.
    #[serde(default)]
    pub aws_managed: Option<String>,
    #[serde(default = "enabled")]
    pub state: String,
    #[serde(default)]
    pub policy: Edited,
    #[serde(default)]
    pub grants: Vec<KeyGrant>,
}

/// A grant on a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeyGrant {
    pub id: String,
    pub grantee: String,
    pub operations: Vec<String>,
    /// Pairs that the encryption context must hold.
    #[serde(default)]
    pub context_subset: BTreeMap<String, String>,
    /// The whole encryption context.
    #[serde(default)]
    pub context_equals: Option<BTreeMap<String, String>>,
}

/// Temporary credentials, as STS issues them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TemporaryKeys {
    pub secret: String,
    pub token: String,
    pub account: String,
    pub origin: SessionOrigin,
    /// When they were issued; the world's birth if absent.
    #[serde(default)]
    pub issued_at: Option<Timestamp>,
    /// When they end; never if absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub has_mfa: bool,
    #[serde(default)]
    pub source_identity: Option<String>,
    /// Session policies: inline and by ARN, all as text.
    #[serde(default)]
    pub policies: Vec<PolicyText>,
}

/// Whose temporary credentials they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum SessionOrigin {
    /// A role's, from `AssumeRole`.
    Role { role: String, session_name: String },
    /// A user's, from `GetSessionToken`.
    User { user: String },
}

/// A profile of the shared configuration files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ProfileEntry {
    pub name: String,
    /// The access key that its credentials hold.
    #[serde(default)]
    pub access_key: Option<String>,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

const fn commercial() -> Partition {
    Partition::Aws
}

fn root_path() -> String {
    "/".to_owned()
}

fn enabled() -> String {
    "Enabled".to_owned()
}

const fn a_quarter() -> u32 {
    90
}

const fn one_hour() -> u32 {
    3600
}

const fn longest_window() -> u32 {
    35
}
