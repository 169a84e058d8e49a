//! The probe: an upload like the export's own, begun, given a few bytes and taken back, to find out
//! for real what reading policies can only make likely.
//!
//! It is made as the exporting identity, through the same bucket, prefix, owner, encryption and key.
//! No object comes of it: an upload that is not completed is none. Once the upload was begun it is
//! taken back, whatever happened in between; where even that fails, the report says what is left and
//! what removes it.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::event::Side;
use super::{Session, Work};
use crate::access::facts::{Fact, Facts, Tried};
use crate::access::need::Who;
use crate::arn::{Arn, Region};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::S3;
use crate::aws::s3::multipart::{BegunUpload, UploadTarget};
use crate::plan::{Encryption, Plan, shell_quoted};

/// The few bytes that are sent, and never become an object.
const CONTENT: &[u8] = b"A probe of tableferry. It never becomes an object.\n";

/// How many bytes are sent.
pub const SIZE: usize = CONTENT.len();

/// What a probe cannot show, however it ends.
pub const NOT_SHOWN: [&str; 3] = [
    "what an export's own writes carry: DynamoDB forwards them, so that aws:ViaAWSService, \
     aws:CalledVia and the source address differ from a direct call's",
    "s3:PutObjectAcl: the probe sends no access control list, and which one an export sends is not \
     documented",
    "a table's own key, and the right to start the export",
];

/// Why there is nothing to probe with.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The source is not signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
    /// The operator forbade every change, and an upload is one.
    #[error("--read-only forbids every change")]
    ReadOnly,
    /// The bucket's Region is not known, and S3 takes uploads nowhere else.
    #[error("the Region of the bucket is not known: {0}")]
    Bucket(Failure),
}

/// A probe that was drawn up and not made: nothing was sent yet.
#[derive(Debug, Clone)]
pub struct Probe {
    /// As whom it is made.
    pub principal: Arn,
    /// The bucket's Region, in which it is made.
    pub region: Region,
    /// The bucket, its expected owner, and a key that no export and no other probe writes.
    pub target: UploadTarget,
    /// The encryption that it asks for, as the export would.
    pub encryption: Encryption,
    session: Session,
}

/// One of the probe's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeCall {
    /// `CreateMultipartUpload`.
    Begin,
    /// `UploadPart`.
    SendPart,
    /// `AbortMultipartUpload`.
    Abort,
}

/// How one of the probe's calls ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// Which.
    pub call: ProbeCall,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// What a probe left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// An incomplete upload that could not be taken back. It is no object, and its part is billed.
    Upload {
        /// `UploadId`.
        id: String,
    },
    /// Perhaps an incomplete upload: whether it was begun was not answered.
    Perhaps,
}

/// What a probe found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// When it was made.
    pub at: Timestamp,
    /// Where to.
    pub target: UploadTarget,
    /// With which encryption.
    pub encryption: Encryption,
    /// The calls that were made, in their order.
    pub steps: Vec<ProbeStep>,
    /// What is left of it.
    pub left: Left,
    /// The bucket's partition and the key's ARN, by which needs are found again.
    object_arn: String,
    key_arn: Option<String>,
}

impl Work {
    /// Draws a probe of a plan up, and sends nothing but the question where the bucket lies.
    ///
    /// # Errors
    /// Where nothing may be changed, the source is not signed in, or nobody tells the bucket's Region.
    pub async fn draw_up_probe(&self, plan: &Plan) -> Result<Probe, ProbeError> {
        if self.is_read_only() {
            return Err(ProbeError::ReadOnly);
        }
        let source = self.session(Side::Source).ok_or(ProbeError::NotSignedIn)?;
        let destination = plan
            .destination
            .sign_in
            .as_ref()
            .and_then(|_| self.session(Side::Destination));
        let bucket = &plan.destination.bucket;
        let located = source.s3(&source.region).locate(bucket).await;
        let region = match (located, &destination) {
            (Ok(region), _) => region,
            (Err(_), Some(other)) => other
                .s3(&other.region)
                .locate(bucket)
                .await
                .map_err(ProbeError::Bucket)?,
            (Err(failure), None) => return Err(ProbeError::Bucket(failure)),
        };
        // Without an owner DynamoDB takes the bucket for one of the exporting account, as the API
        // reference has it: S3BucketOwner "is a required parameter" for any other.
        let owner = plan
            .destination
            .owner
            .clone()
            .or_else(|| destination.map(|session| session.identity.account))
            .unwrap_or_else(|| source.identity.account.clone());
        Ok(Probe {
            principal: source.identity.arn.clone(),
            region,
            target: UploadTarget {
                bucket: bucket.clone(),
                owner,
                key: key(plan),
            },
            encryption: plan.encryption.clone(),
            session: source,
        })
    }

    /// Makes a probe. A deed: once begun, let it end. `cancel` is heeded before each call but the
    /// one that takes the upload back.
    pub async fn probe(&self, probe: &Probe, cancel: &CancellationToken) -> ProbeReport {
        let s3 = probe.session.s3(&probe.region);
        let mut report = ProbeReport::new(probe);
        if cancel.is_cancelled() {
            return report;
        }
        match s3.begin_upload(&probe.target, &probe.encryption).await {
            Ok(upload) => {
                report.note(ProbeCall::Begin, None);
                report.key_arn = upload.kms_key.clone().or(report.key_arn);
                send_and_abort(&s3, &upload, cancel, &mut report).await;
            }
            Err(failure) => {
                if failure.is_passing() {
                    report.left = Left::Perhaps;
                }
                report.note(ProbeCall::Begin, Some(failure));
            }
        }
        report
    }
}

async fn send_and_abort(
    s3: &S3,
    upload: &BegunUpload,
    cancel: &CancellationToken,
    report: &mut ProbeReport,
) {
    let target = report.target.clone();
    let mut is_part_open = false;
    if !cancel.is_cancelled() {
        let sent = s3.send_part(&target, upload, CONTENT).await.err();
        is_part_open = sent.as_ref().is_some_and(Failure::is_passing);
        report.note(ProbeCall::SendPart, sent);
    }
    let mut aborted = s3.abort_upload(&target, upload).await;
    // "If any part uploads are currently in progress, those part uploads might or might not succeed.
    // As a result, it might be necessary to abort a given multipart upload multiple times" (API
    // reference of AbortMultipartUpload).
    if is_part_open && aborted.is_ok() {
        aborted = s3.abort_upload(&target, upload).await;
    }
    let failure = aborted.err().filter(|failure| !is_gone(failure));
    if failure.is_some() {
        report.left = Left::Upload {
            id: upload.id.clone(),
        };
    }
    report.note(ProbeCall::Abort, failure);
}

/// Whether there is nothing left to abort: an earlier attempt did it, and its answer was lost.
fn is_gone(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("NoSuchUpload")
}

/// A key among those that the export writes, laid out as a data file's, in a folder that no export
/// is called by: an export's id is made of digits and hexadecimal digits.
fn key(plan: &Plan) -> String {
    let folder = format!("AWSDynamoDB/tableferry-probe-{}", uuid::Uuid::new_v4());
    match &plan.destination.prefix {
        Some(prefix) => format!("{prefix}/{folder}/data/probe.json.gz"),
        None => format!("{folder}/data/probe.json.gz"),
    }
}

impl Probe {
    /// What would be sent, one line a call, so that a person can agree to it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let target = &self.target;
        let encryption = match &self.encryption {
            Encryption::Aes256 => "AES256".to_owned(),
            Encryption::Kms { key: Some(key) } => format!("aws:kms with key {key}"),
            Encryption::Kms { key: None } => "aws:kms with the key aws/s3".to_owned(),
        };
        vec![
            format!(
                "CreateMultipartUpload of s3://{target} in {}, as {}, expected bucket owner {}, \
                 encryption {encryption}",
                self.region, self.principal, target.owner
            ),
            format!("UploadPart of {} bytes to the same upload", CONTENT.len()),
            "AbortMultipartUpload of the same upload: no object is left".to_owned(),
        ]
    }
}

impl ProbeCall {
    /// The operation's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "CreateMultipartUpload",
            Self::SendPart => "UploadPart",
            Self::Abort => "AbortMultipartUpload",
        }
    }
}

impl ProbeReport {
    fn new(probe: &Probe) -> Self {
        let bucket = probe.target.bucket.arn(probe.principal.partition);
        Self {
            at: Timestamp::now(),
            target: probe.target.clone(),
            encryption: probe.encryption.clone(),
            steps: Vec::new(),
            left: Left::Nothing,
            object_arn: format!("{bucket}/{}", probe.target.key),
            key_arn: probe.encryption.key().map(str::to_owned),
        }
    }

    fn note(&mut self, call: ProbeCall, failure: Option<Failure>) {
        self.steps.push(ProbeStep { call, failure });
    }

    /// Whether every call was made, and none failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.steps.len() == 3 && self.steps.iter().all(|step| step.failure.is_none())
    }

    /// The permissions that were tried for real, as facts. What was answered with anything but a
    /// refusal, such as an unknown key or no answer, shows nothing about a permission.
    #[must_use]
    pub fn tried(&self) -> Vec<Tried> {
        let mut tried = Vec::new();
        for step in &self.steps {
            match &step.failure {
                None => tried.extend(
                    self.actions(step.call)
                        .iter()
                        .filter_map(|action| self.trial(action, None)),
                ),
                Some(failure) if failure.kind == FailureKind::AccessDenied => {
                    let action = refused_action(step.call, &failure.message);
                    tried.extend(self.trial(action, Some(&failure.message)));
                }
                Some(_) => {}
            }
        }
        tried
    }

    /// Adds to facts what the probe found out: the permissions, and whose the bucket is, since S3 lets
    /// in no request that expects another owner ("Verifying bucket ownership with bucket owner
    /// condition").
    pub fn put_into(&self, facts: &mut Facts) {
        facts.tried.extend(self.tried());
        let is_let_in = self.steps.iter().any(|step| step.failure.is_none());
        if is_let_in && !facts.bucket.owner.is_settled() {
            let owner = self.target.owner.clone();
            facts.bucket.owner = Fact::known(owner, self.at, "the probe's ExpectedBucketOwner");
        }
    }

    /// What a call takes ("Multipart upload API and permissions" and "Uploading and copying objects
    /// using multipart upload", S3 user guide): the data key is made when the upload begins, and
    /// decrypted for each part.
    const fn actions(&self, call: ProbeCall) -> &'static [&'static str] {
        match (call, &self.encryption) {
            (ProbeCall::Begin, Encryption::Kms { .. }) => &["s3:PutObject", "kms:GenerateDataKey"],
            (ProbeCall::SendPart, Encryption::Kms { .. }) => &["s3:PutObject", "kms:Decrypt"],
            (ProbeCall::Begin | ProbeCall::SendPart, Encryption::Aes256) => &["s3:PutObject"],
            (ProbeCall::Abort, _) => &["s3:AbortMultipartUpload"],
        }
    }

    fn trial(&self, action: &str, refusal: Option<&str>) -> Option<Tried> {
        let resource = if action.starts_with("kms:") {
            self.key_arn.clone()?
        } else {
            self.object_arn.clone()
        };
        Some(Tried {
            who: Who::Exporter,
            action: action.to_owned(),
            resource,
            at: self.at,
            refusal: refusal.map(str::to_owned),
        })
    }

    /// What takes away what is left, as a command; none where nothing is.
    #[must_use]
    pub fn removal(&self) -> Option<String> {
        let UploadTarget { bucket, owner, key } = &self.target;
        let place = format!("--bucket {bucket} --expected-bucket-owner {owner}");
        let key = shell_quoted(key);
        match &self.left {
            Left::Nothing => None,
            Left::Upload { id } => Some(format!(
                "aws s3api abort-multipart-upload {place} --key {key} --upload-id {}",
                shell_quoted(id)
            )),
            Left::Perhaps => Some(format!(
                "aws s3api list-multipart-uploads {place} --prefix {key}"
            )),
        }
    }
}

/// Which permission a refusal is about. KMS's refusals name theirs also through S3; one that names
/// none is S3's own, as it words it for other accounts.
fn refused_action(call: ProbeCall, message: &str) -> &'static str {
    const NAMED: [&str; 3] = ["kms:GenerateDataKey", "kms:Decrypt", "s3:PutObject"];
    let own = match call {
        ProbeCall::Begin | ProbeCall::SendPart => "s3:PutObject",
        ProbeCall::Abort => "s3:AbortMultipartUpload",
    };
    NAMED
        .into_iter()
        .find(|action| message.contains(&format!("perform: {action} ")))
        .unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_about_the_permission_that_it_names() {
        let kms = "User: arn:aws:sts::111111111111:assumed-role/OnCall/pat is not authorized to \
                   perform: kms:Decrypt on this resource because the resource does not exist in \
                   this Region, no resource-based policies allow access, or a resource-based \
                   policy explicitly denies access";
        assert_eq!(refused_action(ProbeCall::SendPart, kms), "kms:Decrypt");
        assert_eq!(
            refused_action(ProbeCall::Begin, "Access Denied"),
            "s3:PutObject"
        );
        let abort = refused_action(ProbeCall::Abort, "Access Denied");
        assert_eq!(abort, "s3:AbortMultipartUpload");
    }
}
