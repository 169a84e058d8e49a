//! Facts: what was read from the accounts, each known, absent, refused to us, failed, or not asked for.
//!
//! This module decides what there is to know of principals, accounts, buckets, keys and tables, and how
//! it is written down. They are held by their ARN, id or name, whatever the job is. Facts are a
//! file of their own, so that one team can read an account and another judge it. They hold policies,
//! names and times, and no credential.

mod account;
mod fact;
mod file;
mod match_plan;
mod principal;
mod resource;
mod stored;

pub use account::{AccountFacts, ControlLevel, InFlight, Organization, UnreadPolicy};
pub use fact::{Fact, ReadError, Unasked};
pub use file::{FactsError, VERSION};
pub use match_plan::{MatchedFacts, Mismatch, SurveyedAs, SurveyedFor};
pub use principal::{Caller, PolicyText, PrincipalFacts, RoleFacts, Simulated};
pub use resource::{
    BucketFacts, DefaultEncryption, GrantFacts, KeyDescription, KeyFacts, KeyManager, Ownership,
    PublicAccessBlock, Recovery, TableDescription, TableFacts,
};
pub use stored::{ObjectEncryption, ObjectOwner, StoredObject, StoredObjects};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::file::Stored;
use super::principal::is_same_principal;
use crate::job::ExportStatus;
use crate::job::requirement::Actor;
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// All that was read for a job, by what it is about. Any number of each can be held, so that a job is
/// judged by those that it names; what was not read is unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Facts {
    /// When the reading began.
    pub surveyed_at: Timestamp,
    /// What of the plan they were read for tells whether they are of another plan too; `None` in
    /// files that were written before it was noted.
    pub surveyed_for: Option<SurveyedFor>,
    /// The principal that makes the job's calls. Nothing can be judged without it.
    source: PrincipalFacts,
    /// The other principals, by their ARN.
    others: BTreeMap<Arn, PrincipalFacts>,
    /// The principal on the destination's side, which may be the source's; `None` where the plan names
    /// no profile for it.
    destination: Option<Arn>,
    accounts: BTreeMap<AccountId, AccountFacts>,
    buckets: BTreeMap<BucketName, BucketFacts>,
    /// By their ARN, or by their name where it is not known which key that is.
    keys: BTreeMap<String, KeyFacts>,
    tables: BTreeMap<Arn, TableFacts>,
    /// What was tried for real, and whether it worked.
    pub tried: Vec<ObservedCall>,
    /// What we changed ourselves not long ago.
    pub changes: Vec<RecentChange>,
    /// Exports that this machine's journal knows.
    pub exports: Vec<PastExport>,
}

impl Facts {
    /// Facts of which no more is known than who asks.
    #[must_use]
    pub const fn new(source: PrincipalFacts, surveyed_at: Timestamp) -> Self {
        Self {
            surveyed_at,
            surveyed_for: None,
            source,
            others: BTreeMap::new(),
            destination: None,
            accounts: BTreeMap::new(),
            buckets: BTreeMap::new(),
            keys: BTreeMap::new(),
            tables: BTreeMap::new(),
            tried: Vec::new(),
            changes: Vec::new(),
            exports: Vec::new(),
        }
    }

    /// The principal that makes the job's calls.
    #[must_use]
    pub const fn source(&self) -> &PrincipalFacts {
        &self.source
    }

    /// The same, to be changed in place.
    pub const fn source_mut(&mut self) -> &mut PrincipalFacts {
        &mut self.source
    }

    /// The principal on the destination's side, where there is one.
    #[must_use]
    pub fn destination(&self) -> Option<&PrincipalFacts> {
        self.identity(self.destination.as_ref()?)
    }

    /// The same, to be changed in place.
    pub fn destination_mut(&mut self) -> Option<&mut PrincipalFacts> {
        let arn = self.destination.as_ref()?;
        if self.source.caller.arn == *arn {
            Some(&mut self.source)
        } else {
            self.others.get_mut(arn)
        }
    }

    /// Puts a principal on the destination's side, or none.
    pub fn set_destination(&mut self, principal: Option<PrincipalFacts>) {
        if let Some(before) = self.destination.take() {
            self.others.remove(&before);
        }
        if let Some(principal) = principal {
            self.destination = Some(principal.caller.arn.clone());
            self.put_principal(principal);
        }
    }

    /// The principal of this ARN.
    #[must_use]
    pub fn identity(&self, arn: &Arn) -> Option<&PrincipalFacts> {
        if self.source.caller.arn == *arn {
            return Some(&self.source);
        }
        self.others.get(arn)
    }

    /// Adds a principal; of the source, what it could not read of itself is taken.
    pub fn put_principal(&mut self, principal: PrincipalFacts) {
        if self.source.caller.arn == principal.caller.arn {
            self.source.fill(principal);
        } else {
            self.others.insert(principal.caller.arn.clone(), principal);
        }
    }

    /// The principal of a side; the source's where nobody signs in for the destination, and for a
    /// service, which acts for the source's account.
    #[must_use]
    pub fn principal(&self, who: Actor) -> &PrincipalFacts {
        match who {
            Actor::Exporter | Actor::Service => &self.source,
            Actor::Reader => self.destination().unwrap_or(&self.source),
        }
    }

    /// The principal of a side, where there is one, to be changed in place.
    pub fn side_mut(&mut self, who: Actor) -> Option<&mut PrincipalFacts> {
        match who {
            Actor::Exporter => Some(&mut self.source),
            Actor::Reader => self.destination_mut(),
            // No policy is attached to a service.
            Actor::Service => None,
        }
    }

    /// The principals of both sides.
    pub fn sides(&self) -> impl Iterator<Item = &PrincipalFacts> {
        std::iter::once(&self.source).chain(self.destination())
    }

    /// The first side that is of this account.
    #[must_use]
    pub fn side_of(&self, account: &AccountId) -> Option<&PrincipalFacts> {
        self.sides().find(|side| side.caller.account == *account)
    }

    /// Whether one identity signs in for both sides: one user, or one role whatever its sessions.
    #[must_use]
    pub fn is_one_identity(&self) -> bool {
        self.destination().is_some_and(|destination| {
            let own = self.source.caller.arn.to_string();
            is_same_principal(&own, &destination.caller.arn.to_string())
        })
    }

    /// What is known of an account.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> &AccountFacts {
        self.accounts
            .get(id)
            .unwrap_or(const { &AccountFacts::UNREAD })
    }

    /// The same, to be changed in place.
    pub fn account_mut(&mut self, id: &AccountId) -> &mut AccountFacts {
        self.accounts.entry(id.clone()).or_default()
    }

    /// The account of a side.
    #[must_use]
    pub fn account_of(&self, who: Actor) -> &AccountFacts {
        self.account(&self.principal(who).caller.account)
    }

    /// The same, to be changed in place.
    pub fn account_of_mut(&mut self, who: Actor) -> &mut AccountFacts {
        let id = self.principal(who).caller.account.clone();
        self.account_mut(&id)
    }

    /// Every account of which something was read.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountId, &AccountFacts)> {
        self.accounts.iter()
    }

    /// Whether no control policy binds an account: it is alone, or it manages the organization.
    #[must_use]
    pub fn is_beyond_control(&self, id: &AccountId) -> bool {
        self.account(id).is_beyond_control(id)
    }

    /// What is known of a bucket.
    #[must_use]
    pub fn bucket(&self, name: &BucketName) -> &BucketFacts {
        self.buckets
            .get(name)
            .unwrap_or(const { &BucketFacts::UNREAD })
    }

    /// The same, to be changed in place.
    pub fn bucket_mut(&mut self, name: &BucketName) -> &mut BucketFacts {
        self.buckets.entry(name.clone()).or_default()
    }

    /// Every bucket that was read.
    pub fn buckets(&self) -> impl Iterator<Item = (&BucketName, &BucketFacts)> {
        self.buckets.iter()
    }

    /// The three places where Block Public Access of a bucket is set, with what each is called. Where
    /// it is not known whose the bucket is, its account is taken to be that of the one who reads it.
    #[must_use]
    pub fn public_access_blocks(
        &self,
        name: &BucketName,
    ) -> [(&'static str, &Fact<PublicAccessBlock>); 3] {
        let bucket = self.bucket(name);
        let reader = || &self.principal(Actor::Reader).caller.account;
        let account = self.account(bucket.owner.value().unwrap_or_else(reader));
        [
            ("the bucket", &bucket.public_access),
            ("the bucket's account", &account.public_access),
            (
                "the bucket's organization",
                &account.organization_public_access,
            ),
        ]
    }

    /// The key that the plan or a table calls by this name, or that has this ARN.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&KeyFacts> {
        let found = self.keys.get(name);
        found.or_else(|| self.keys.values().find(|key| key.goes_by(name)))
    }

    /// The same, to be changed in place.
    pub fn key_mut(&mut self, name: &str) -> Option<&mut KeyFacts> {
        self.keys.values_mut().find(|key| key.goes_by(name))
    }

    /// Every key that was read.
    pub fn keys(&self) -> impl Iterator<Item = &KeyFacts> + Clone {
        self.keys.values()
    }

    /// Adds a key. One that is held already takes the name that it was asked by here, and what was not
    /// read of it before.
    pub fn put_key(&mut self, key: KeyFacts) {
        let id = key
            .arn()
            .map_or_else(|| key.name().to_owned(), |arn| arn.to_string());
        match self.keys.entry(id) {
            Entry::Vacant(place) => {
                place.insert(key);
            }
            Entry::Occupied(mut known) => known.get_mut().fill(key),
        }
    }

    /// Keeps the keys that are wanted.
    pub fn retain_keys(&mut self, is_wanted: impl Fn(&KeyFacts) -> bool) {
        self.keys.retain(|_, key| is_wanted(key));
    }

    /// The table that the plan calls by this name or ARN.
    #[must_use]
    pub fn table(&self, asked: &str) -> Option<&TableFacts> {
        self.tables.get(&self.table_arn(asked))
    }

    /// The same, to be changed in place.
    pub fn table_mut(&mut self, asked: &str) -> Option<&mut TableFacts> {
        let arn = self.table_arn(asked);
        self.tables.get_mut(&arn)
    }

    /// Every table that was read, in the order of their ARNs.
    pub fn tables(&self) -> impl Iterator<Item = (&Arn, &TableFacts)> {
        self.tables.iter()
    }

    /// The same, to be changed in place.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut TableFacts> {
        self.tables.values_mut()
    }

    /// Keeps the tables that are wanted.
    pub fn retain_tables(&mut self, is_wanted: impl Fn(&Arn) -> bool) {
        self.tables.retain(|arn, _| is_wanted(arn));
    }

    /// Adds a table.
    pub fn put_table(&mut self, table: TableFacts) {
        let arn = match table.description.value() {
            Some(known) => known.arn.clone(),
            None => self.table_arn(&table.asked),
        };
        self.tables.insert(arn, table);
    }

    /// The ARN of a table: one that is named without it is the source's, in its Region.
    fn table_arn(&self, asked: &str) -> Arn {
        let region = &self.source.region;
        asked.parse().unwrap_or_else(|_| Arn {
            partition: region.partition(),
            service: "dynamodb".to_owned(),
            region: region.to_string(),
            account: self.source.caller.account.to_string(),
            resource: format!("table/{asked}"),
        })
    }
}

/// Something that was tried for real: by the survey, which reads, or by the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedCall {
    /// Who tried.
    pub who: Actor,
    /// The action, such as `dynamodb:DescribeTable`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// When.
    pub at: Timestamp,
    /// AWS's refusal; `None` where it worked.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// A change that we made, which may take minutes to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentChange {
    /// What was changed, in words, such as `the policy of bucket export-landing`.
    pub document: String,
    /// When.
    pub at: Timestamp,
}

/// An export that was started before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastExport {
    /// Its ARN.
    pub export_arn: String,
    /// The table's ARN.
    pub table_arn: String,
    /// The user's ARN, or the role's, or the session's where the role's is not known; empty where
    /// nobody can tell who started it.
    pub principal: String,
    /// The bucket.
    pub bucket: String,
    /// The prefix.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The key, as it was given.
    #[serde(default)]
    pub key: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended, where it did.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// How far it came.
    pub status: ExportStatus,
    /// `FailureCode` of one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// `FailureMessage` of one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_message: Option<String>,
    /// The owner of the bucket that it was told of, as `S3BucketOwner`.
    #[serde(default)]
    pub owner: Option<AccountId>,
    /// What has become of what bore on its writing, as far as that can be read.
    #[serde(default)]
    pub writing: Drift,
    /// What has become of what bore on reading its table, as far as that can be read.
    #[serde(default)]
    pub reading: Drift,
}

/// What has become, since an export began, of what it relied on, as far as that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// It is not known what it was then, or it was not read now.
    #[default]
    Unknown,
    /// All is as it was.
    Unchanged,
    /// Something is not as it was, or can be read no more.
    Changed,
}
