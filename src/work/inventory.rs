//! S3 Inventory: the configuration of a plan written to the source bucket, and the reports that arrived
//! in the destination.
//!
//! A configuration is replaced as a whole, so that what stood there is kept in the journal and put back by
//! `undo`. What arrived is told from the destination alone: no call of S3 says whether a delivery failed.

use jiff::Timestamp;
use md5::{Digest as _, Md5};

use super::change::{ApplyError, ChangeTarget, TargetState, Writing};
use super::event::Side;
use super::{Applied, Session, Work};
use crate::archive::inventory::{
    InventoryFault, InventoryFile, InventoryManifest, ReportFolder, check_manifest, reports,
};
use crate::aws::failure::Failure;
use crate::aws::s3::S3;
use crate::aws::s3::content::ObjectName;
use crate::aws::s3::inventory::InventoryName;
use crate::job::inventory::Inventory;
use crate::job::inventory::configuration::InventoryConfiguration;
use crate::job::{Kind, Plan};
use tableferry_policy::arn::{AccountId, Region};
use tableferry_policy::edit;

/// A manifest names each data file in about 200 bytes.
const LARGEST_MANIFEST: u64 = 64 * 1024 * 1024;
/// A checksum has 32 characters.
const LARGEST_CHECKSUM: u64 = 1024;

/// A configuration as it would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryProposal {
    /// What is changed, such as `inventory configuration all of orders-files`.
    pub title: String,
    /// The source's account, whose bucket it is.
    pub account: AccountId,
    /// The configuration of this id as it stands; `None` where there is none.
    pub before: Option<String>,
    /// The configuration as the plan has it.
    pub after: String,
    /// The difference, for people; empty where there is none.
    pub diff: String,
    target: ChangeTarget,
}

impl InventoryProposal {
    /// Whether anything would be written.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        let before = TargetState::Document(self.before.clone());
        !before.is_as_written(&TargetState::Document(Some(self.after.clone())))
    }
}

/// Why nothing could be said of an inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The plan is of another kind.
    #[error("the plan is no inventory")]
    OtherKind,
    /// A side is not signed in.
    #[error("the {0} is not signed in")]
    NotSignedIn(Side),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Failure),
}

impl InventoryError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::OtherKind => "give a plan with `kind = \"inventory\"`".to_owned(),
            Self::NotSignedIn(_) => "choose its profile first".to_owned(),
            Self::Call(failure) => failure
                .hint
                .clone()
                .unwrap_or_else(|| format!("{} is what it takes", failure.operation)),
        }
    }
}

/// What is known of a plan's reports.
#[derive(Debug, Clone)]
pub struct InventoryStatus {
    /// The configuration of the source bucket, where it could be read; `None` in it where there is none.
    pub configuration: Result<Option<InventoryConfiguration>, Failure>,
    /// Whether the configuration is the plan's.
    pub is_as_planned: bool,
    /// The place that reports are written to, `s3://…/`.
    pub place: String,
    /// The reports that arrived, the oldest first.
    pub reports: Vec<DeliveredReport>,
    /// What the newest complete report is found to be; `None` where there is none.
    pub newest: Option<ReportVerification>,
}

/// A report in the destination.
#[derive(Debug, Clone)]
pub struct DeliveredReport {
    /// When its making began.
    pub at: Timestamp,
    /// Its folder.
    pub folder: String,
    /// Whether all of it is there: its checksum is written last.
    pub is_complete: bool,
}

/// What a report was found to be.
#[derive(Debug, Clone)]
pub struct ReportVerification {
    /// When its making began.
    pub at: Timestamp,
    /// How many data files it has.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// What is wrong with it.
    pub faults: Vec<InventoryFault>,
    /// Why not all of it was looked at, in a sentence.
    pub unread: Option<String>,
}

impl ReportVerification {
    /// Whether all of it was looked at, and nothing is wrong.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.faults.is_empty() && self.unread.is_none()
    }
}

impl Work {
    /// Reads the configuration as it stands, and says what writing the plan's would change. `owner` is
    /// the account that S3 is told to expect as the destination's.
    pub async fn propose_inventory(
        &self,
        plan: &Plan,
        owner: Option<&AccountId>,
    ) -> Result<InventoryProposal, InventoryError> {
        let inventory = inventory_of(plan)?;
        let session = self.session(Side::Source);
        let session = session.ok_or(InventoryError::NotSignedIn(Side::Source))?;
        let account = session.identity.account.clone();
        let (region, found) = read_configuration(&session, inventory).await?;
        let wanted = inventory.configuration(plan, owner, session.partition());
        let target = ChangeTarget::Inventory {
            bucket: inventory.bucket.clone(),
            owner: account.clone(),
            region,
            id: inventory.id.clone(),
        };
        let before = found.map(|found| found.to_json());
        let after = wanted.to_json();
        Ok(InventoryProposal {
            title: target.to_string(),
            account,
            diff: edit::diff(before.as_deref().unwrap_or_default(), &after),
            before,
            after,
            target,
        })
    }

    /// Writes a configuration as it was proposed: the journal first, and only where the one that stands
    /// there is the one that was shown.
    pub async fn set_up_inventory(
        &self,
        plan: &Plan,
        proposal: &InventoryProposal,
    ) -> Result<Applied, ApplyError> {
        let writing = Writing {
            account: proposal.account.clone(),
            source_account: proposal.account.clone(),
            side: Side::Source,
            title: proposal.title.clone(),
            target: proposal.target.clone(),
            before: TargetState::Document(proposal.before.clone()),
            after: TargetState::Document(Some(proposal.after.clone())),
            added: Vec::new(),
        };
        self.write(plan, writing).await
    }

    /// When the making of the newest complete report began; `None` where there is none, or the plan is no
    /// inventory. Its delivery was later, and no listing tells when.
    pub async fn newest_report(&self, plan: &Plan) -> Result<Option<Timestamp>, InventoryError> {
        let Kind::Inventory(inventory) = &plan.kind else {
            return Ok(None);
        };
        let reader = self.session(Side::Destination);
        let reader = reader.or_else(|| self.session(Side::Source));
        let reader = reader.ok_or(InventoryError::NotSignedIn(Side::Destination))?;
        let destination = ReportBucket::open(&reader, plan).await?;
        let found = destination.reports(&inventory.folder(plan)).await?;
        let complete = found.iter().filter(|report| report.is_complete);
        Ok(complete.map(|report| report.at).max())
    }

    /// Looks which reports arrived, and verifies the newest.
    pub async fn inventory_status(
        &self,
        plan: &Plan,
        owner: Option<&AccountId>,
    ) -> Result<InventoryStatus, InventoryError> {
        let inventory = inventory_of(plan)?;
        let source = self.session(Side::Source);
        let source = source.ok_or(InventoryError::NotSignedIn(Side::Source))?;
        let configuration = match read_configuration(&source, inventory).await {
            Ok((_, found)) => Ok(found),
            Err(failure) => Err(failure),
        };
        let wanted = inventory.configuration(plan, owner, source.partition());
        let is_as_planned = configuration.as_ref().is_ok_and(|found| {
            let found = TargetState::Document(found.as_ref().map(InventoryConfiguration::to_json));
            found.is_as_written(&TargetState::Document(Some(wanted.to_json())))
        });
        let reader = self.session(Side::Destination).unwrap_or(source);
        let destination = ReportBucket::open(&reader, plan).await?;
        let folder = inventory.folder(plan);
        let found = destination.reports(&folder).await?;
        let newest = match found.iter().rev().find(|report| report.is_complete) {
            Some(report) => {
                let most = self.inner.settings.largest_download;
                Some(destination.verify(report, inventory, most).await?)
            }
            None => None,
        };
        let reports = found.into_iter().map(|report| DeliveredReport {
            at: report.at,
            is_complete: report.is_complete && report.has_manifest,
            folder: report.folder,
        });
        Ok(InventoryStatus {
            configuration,
            is_as_planned,
            place: format!("s3://{}/{folder}/", plan.destination.bucket),
            reports: reports.collect(),
            newest,
        })
    }
}

fn inventory_of(plan: &Plan) -> Result<&Inventory, InventoryError> {
    match &plan.kind {
        Kind::Inventory(inventory) => Ok(inventory),
        _ => Err(InventoryError::OtherKind),
    }
}

/// The source bucket's Region, and the configuration of the plan's id.
async fn read_configuration(
    session: &Session,
    inventory: &Inventory,
) -> Result<(Region, Option<InventoryConfiguration>), Failure> {
    let located = session
        .s3(&session.region)
        .locate(&inventory.bucket)
        .await?;
    let name = InventoryName {
        bucket: &inventory.bucket,
        owner: &session.identity.account,
        id: &inventory.id,
    };
    let s3 = session.s3(&located.region);
    let found = s3.inventory_configuration(name).await?;
    Ok((located.region, found))
}

/// The bucket that reports arrive in.
struct ReportBucket<'a> {
    s3: S3,
    plan: &'a Plan,
}

impl<'a> ReportBucket<'a> {
    async fn open(session: &Session, plan: &'a Plan) -> Result<Self, Failure> {
        let bucket = &plan.destination.bucket;
        let region = session.s3(&session.region).locate(bucket).await?.region;
        Ok(Self {
            s3: session.s3(&region),
            plan,
        })
    }

    async fn reports(&self, folder: &str) -> Result<Vec<ReportFolder>, Failure> {
        let destination = &self.plan.destination;
        let owner = destination.owner.as_ref();
        let below = format!("{folder}/");
        let objects = self.s3.list_objects(&destination.bucket, &below, owner);
        let objects = objects.await?;
        Ok(reports(objects.iter().map(|object| object.key.as_str())))
    }

    async fn text(&self, key: &str, most: u64) -> Result<Vec<u8>, Failure> {
        let destination = &self.plan.destination;
        let owner = destination.owner.as_ref();
        self.s3
            .get_text(&destination.bucket, key, owner, most)
            .await
    }

    /// Verifies a report: the manifest by its checksum, and each data file by its size and MD5. `most` is
    /// how many bytes may be downloaded.
    async fn verify(
        &self,
        report: &ReportFolder,
        inventory: &Inventory,
        most: Option<u64>,
    ) -> Result<ReportVerification, Failure> {
        let mut found = ReportVerification {
            at: report.at,
            files: 0,
            bytes: 0,
            faults: Vec::new(),
            unread: None,
        };
        let manifest_key = report.manifest_key();
        if !report.has_manifest {
            found.faults.push(InventoryFault::Missing(manifest_key));
            return Ok(found);
        }
        let manifest = self.text(&manifest_key, LARGEST_MANIFEST).await?;
        let checksum = self.text(&report.checksum_key(), LARGEST_CHECKSUM).await?;
        found
            .faults
            .extend(check_manifest(&manifest, &checksum).err());
        let manifest = match InventoryManifest::parse(&manifest) {
            Ok(manifest) => manifest,
            Err(error) => {
                found.unread = Some(format!("{manifest_key} cannot be understood: {error}"));
                return Ok(found);
            }
        };
        if manifest.source_bucket != inventory.bucket.as_str() {
            found.faults.push(InventoryFault::OtherSource {
                found: manifest.source_bucket.clone(),
                expected: inventory.bucket.to_string(),
            });
        }
        found.files = u64::try_from(manifest.files.len()).unwrap_or(u64::MAX);
        found.bytes = manifest.files.iter().map(|file| file.size).sum();
        if let Some(most) = most.filter(|most| found.bytes > *most) {
            found.unread = Some(format!(
                "the data files have {} bytes, and the configuration's limit on what one command \
                 downloads is {most}",
                found.bytes
            ));
            return Ok(found);
        }
        for file in &manifest.files {
            found.faults.extend(self.check(file).await?);
        }
        Ok(found)
    }

    /// What is wrong with a data file.
    async fn check(&self, file: &InventoryFile) -> Result<Option<InventoryFault>, Failure> {
        let destination = &self.plan.destination;
        let name = ObjectName {
            bucket: &destination.bucket,
            owner: destination.owner.as_ref(),
            key: &file.key,
        };
        let mut content = match self.s3.open_object(name, 0, None).await {
            Ok(content) => content,
            Err(failure) if failure.code.as_deref() == Some("NoSuchKey") => {
                return Ok(Some(InventoryFault::Missing(file.key.clone())));
            }
            Err(failure) => return Err(failure),
        };
        let (mut digest, mut size) = (Md5::new(), 0_u64);
        while let Some(part) = content.next().await? {
            size = size.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
            digest.update(&part);
        }
        Ok(file.check(size, &hex::encode(digest.finalize())).err())
    }
}
