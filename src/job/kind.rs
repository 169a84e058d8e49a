//! The kinds of jobs: which there are, and what each of their files says.
//!
//! This is the one place that tells kinds apart. The one who assesses, reads or renders asks the plan.

use tableferry_policy::arn::{AccountId, Arn, BucketName};

use super::inventory::{self, Inventory};
use super::load::{self, Load};
use super::reading::{self, Reading};
use super::requirement::{Check, JobContext, Purpose, RequiredPermission};
use super::table_definition::TableDefinition;
use super::upload::{self, Upload};
use super::{Plan, export, import};

/// What a plan asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Kind {
    /// Tables are exported.
    #[default]
    Export,
    /// Objects are uploaded by a principal, outside this program.
    Upload(Upload),
    /// S3 delivers an inventory of a bucket.
    Inventory(Inventory),
    /// Objects that are there are read by a principal, outside this program.
    Reading(Reading),
    /// A full export is imported into a new table.
    Import(TableDefinition),
    /// A full export is loaded, or incremental ones are replayed, into a table that is there.
    Load(Load),
}

impl From<Reading> for Kind {
    fn from(reading: Reading) -> Self {
        Self::Reading(reading)
    }
}

/// What a kind of job is called in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobWords {
    /// The job, such as `export`.
    pub noun: &'static str,
    /// What it does to the bucket, as in "the plan exports to".
    pub verb: &'static str,
    /// The account of the principal, as in "the account that exports".
    pub participle: &'static str,
    /// What it writes.
    pub files: &'static str,
    /// What is to be said of the access control list that its objects come with.
    pub on_acl: &'static str,
    /// When it is over, as in "needed until".
    pub until: &'static str,
    /// The name of the inline policy that a remedy adds to the principal.
    pub policy: &'static str,
}

/// An object that a job writes or reads, as an example of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenObject {
    /// Its key.
    pub key: String,
    /// Whether it is uploaded in parts.
    pub is_multipart: bool,
}

impl Plan {
    /// Every permission that the job needs, of the principal that does it first.
    #[must_use]
    pub fn requirements(&self, context: JobContext<'_>) -> Vec<RequiredPermission> {
        match &self.kind {
            Kind::Export => export::requirements(self, context),
            Kind::Upload(upload) => upload::requirements(self, upload, context),
            Kind::Inventory(inventory) => inventory::requirements(self, inventory, context),
            Kind::Reading(_) => reading::requirements(self, context),
            Kind::Import(table) => import::requirements(self, table, context),
            Kind::Load(load) => load::requirements(self, load, context),
        }
    }

    /// The settings and times that bear on the job.
    #[must_use]
    pub fn checks(&self) -> &'static [Check] {
        match &self.kind {
            Kind::Export => &export::CHECKS,
            Kind::Upload(_) => &upload::CHECKS,
            Kind::Inventory(_) => &inventory::CHECKS,
            Kind::Reading(_) => &reading::CHECKS,
            Kind::Import(_) => &import::CHECKS,
            Kind::Load(load) => load.checks(),
        }
    }

    /// One object of each kind that the job writes, or reads where nobody knows what is there.
    #[must_use]
    pub fn objects(&self) -> Vec<WrittenObject> {
        match &self.kind {
            Kind::Export => export::objects(self),
            Kind::Upload(upload) => upload::objects(self, upload),
            Kind::Inventory(inventory) => inventory::objects(self, inventory),
            Kind::Reading(_) => reading::objects(self),
            Kind::Import(_) => import::objects(self),
            Kind::Load(_) => load::objects(self),
        }
    }

    /// The folders that are listed to do or to verify the job.
    #[must_use]
    pub fn listed_folders(&self) -> Vec<String> {
        match &self.kind {
            Kind::Export => export::listed_folders(self),
            Kind::Upload(_) => Vec::new(),
            Kind::Inventory(inventory) => inventory::listed_folders(self, inventory),
            Kind::Reading(_) => reading::listed_folders(self),
            Kind::Import(_) | Kind::Load(_) => vec![self.data_folder()],
        }
    }

    /// The key of an object that a probe begins among those that the job writes; `unique` is in no
    /// other's.
    #[must_use]
    pub fn probe_key(&self, unique: &str) -> String {
        match &self.kind {
            Kind::Export => export::probe_key(self, unique),
            Kind::Upload(_) => upload::probe_key(self, unique),
            Kind::Inventory(inventory) => inventory::probe_key(self, inventory, unique),
            // Nothing is written to find it out.
            Kind::Reading(_) | Kind::Import(_) | Kind::Load(_) => unique.to_owned(),
        }
    }

    /// What a probe of the job cannot show, however it ends, in sentences.
    #[must_use]
    pub const fn not_shown(&self) -> &'static [&'static str] {
        match &self.kind {
            Kind::Export => &export::NOT_SHOWN,
            Kind::Upload(_) => &upload::NOT_SHOWN,
            Kind::Inventory(_) => &inventory::NOT_SHOWN,
            Kind::Reading(_) => &reading::NOT_SHOWN,
            Kind::Import(_) | Kind::Load(_) => &[],
        }
    }

    /// What is said first to the one who is asked for something; `principal` is who does the job, and
    /// `account` whose account it is of.
    #[must_use]
    pub fn opening(&self, account: &AccountId, principal: &str) -> String {
        match &self.kind {
            Kind::Export => export::opening(self, account, principal),
            Kind::Upload(_) => upload::opening(self, principal),
            Kind::Inventory(inventory) => inventory::opening(self, inventory, account),
            Kind::Reading(_) => reading::opening(self, principal),
            Kind::Import(table) => import::opening(self, table, principal),
            Kind::Load(load) => load::opening(self, load, principal),
        }
    }

    /// The job in a heading, such as "the export of …".
    #[must_use]
    pub fn title(&self, account: &AccountId) -> String {
        match &self.kind {
            Kind::Export => export::title(self, account),
            Kind::Upload(_) => upload::title(self, account),
            Kind::Inventory(inventory) => inventory::title(self, inventory),
            Kind::Reading(_) => reading::title(self, account),
            Kind::Import(table) => import::title(self, table, account),
            Kind::Load(load) => load::title(self, load, account),
        }
    }

    /// What the job is called in messages.
    #[must_use]
    pub const fn words(&self) -> JobWords {
        match &self.kind {
            Kind::Export => export::WORDS,
            Kind::Upload(_) => upload::WORDS,
            Kind::Inventory(_) => inventory::WORDS,
            Kind::Reading(_) => reading::WORDS,
            Kind::Import(_) => import::WORDS,
            Kind::Load(load) => load.words(),
        }
    }

    /// The principal that does the job, where the plan names one that need not be the source's
    /// profile.
    #[must_use]
    pub const fn principal(&self) -> Option<&Arn> {
        match &self.kind {
            Kind::Export | Kind::Inventory(_) | Kind::Import(_) | Kind::Load(_) => None,
            Kind::Upload(upload) => upload.principal.as_ref(),
            Kind::Reading(reading) => reading.principal.as_ref(),
        }
    }

    /// The bucket that the job is about, where there is one beside the destination.
    #[must_use]
    pub const fn source_bucket(&self) -> Option<&BucketName> {
        match &self.kind {
            Kind::Export | Kind::Upload(_) | Kind::Reading(_) | Kind::Import(_) | Kind::Load(_) => {
                None
            }
            Kind::Inventory(inventory) => Some(&inventory.bucket),
        }
    }

    /// Whether the job is about objects that are there, and writes none.
    #[must_use]
    pub const fn reads_objects(&self) -> bool {
        matches!(self.kind, Kind::Reading(_))
    }

    /// Whether a key serves the job only where it is a customer managed key that is named by its ARN.
    #[must_use]
    pub const fn takes_keys_by_arn_alone(&self) -> bool {
        matches!(self.kind, Kind::Inventory(_))
    }

    /// The columns that the job asks for, as `s3:InventoryAccessibleOptionalFields` has them.
    #[must_use]
    pub const fn requested_fields(&self) -> &[String] {
        match &self.kind {
            Kind::Export | Kind::Upload(_) | Kind::Reading(_) | Kind::Import(_) | Kind::Load(_) => {
                &[]
            }
            Kind::Inventory(inventory) => inventory.fields.as_slice(),
        }
    }

    /// The table that the job makes.
    #[must_use]
    pub const fn new_table(&self) -> Option<&TableDefinition> {
        match &self.kind {
            Kind::Import(table) => Some(table),
            Kind::Export
            | Kind::Upload(_)
            | Kind::Inventory(_)
            | Kind::Reading(_)
            | Kind::Load(_) => None,
        }
    }

    /// What the job writes into a table that is there.
    #[must_use]
    pub const fn load(&self) -> Option<&Load> {
        match &self.kind {
            Kind::Load(load) => Some(load),
            Kind::Export
            | Kind::Upload(_)
            | Kind::Inventory(_)
            | Kind::Reading(_)
            | Kind::Import(_) => None,
        }
    }

    /// Whether the plan's tables are exported.
    #[must_use]
    pub const fn is_export(&self) -> bool {
        matches!(self.kind, Kind::Export)
    }

    /// Why no probe of the job shows anything; `None` where one does.
    #[must_use]
    pub const fn not_probed(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Export | Kind::Upload(_) | Kind::Reading(_) => None,
            Kind::Inventory(_) => Some(inventory::NOT_PROBED),
            Kind::Import(_) => Some(import::NOT_PROBED),
            Kind::Load(_) => Some(load::NOT_PROBED),
        }
    }

    /// Why this program does not run the job itself, and what to do; `None` where it does.
    #[must_use]
    pub fn not_run(&self) -> Option<(String, String)> {
        match &self.kind {
            Kind::Export | Kind::Import(_) | Kind::Load(_) => None,
            Kind::Upload(upload) => Some(upload::not_run(self, upload)),
            Kind::Inventory(_) => Some(inventory::not_run()),
            Kind::Reading(reading) => Some(reading::not_run(self, reading)),
        }
    }

    /// The command by which the job is done outside this program; `None` where this program does it.
    #[must_use]
    pub fn command_elsewhere(&self) -> Option<String> {
        match &self.kind {
            Kind::Export | Kind::Import(_) | Kind::Load(_) => None,
            Kind::Upload(_) => Some(upload::command(self)),
            Kind::Inventory(_) => Some("tableferry inventory setup PLAN".to_owned()),
            Kind::Reading(_) => Some(reading::command(self)),
        }
    }

    /// The key policy's side of a plan: the account of a customer managed key that is named by ARN.
    #[must_use]
    pub fn key_account(&self) -> Option<AccountId> {
        self.encryption.key()?.parse::<Arn>().ok()?.account_id()
    }
}

/// The purposes of all kinds of jobs.
pub(crate) fn purposes() -> impl Iterator<Item = Purpose> {
    let others = upload::PURPOSES.into_iter().chain(inventory::PURPOSES);
    let others = others.chain(reading::PURPOSES);
    let others = others.chain(import::PURPOSES).chain(load::PURPOSES);
    export::PURPOSES.into_iter().chain(others)
}
