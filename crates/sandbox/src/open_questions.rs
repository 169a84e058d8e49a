//! What AWS leaves open, and how this sandbox answers it.

use std::time::Duration;

/// Which source address S3 and KMS see while an export writes; AWS documents none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum SourceAddress {
    /// The operator's, kept from the call that started the export.
    Operator,
    /// One of the service's.
    #[default]
    Service,
    /// None.
    Absent,
}

/// Whether S3 and KMS see `aws:SecureTransport` in calls that another service makes on a principal's
/// behalf. The S3 user guide says that it is redacted ("Example 6: Requiring a minimum TLS version");
/// AWS's examples of resource control policies would then stop every such call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedTransport {
    /// It is `true`.
    #[default]
    Secure,
    /// It is not there.
    Absent,
}

/// Whether a head of an object that is encrypted with a KMS key takes that key. The API reference of
/// `HeadObject` asks for `kms:Decrypt` where a checksum is wanted, and for nothing more otherwise; guides to
/// its bare 403 name the key among the causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeadKeyUse {
    /// It does not.
    #[default]
    None,
    /// It takes `kms:Decrypt`, as the content does.
    Decrypts,
}

/// Which access control list an export sends with its objects; AWS documents none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum ExportAcl {
    /// `bucket-owner-full-control`, which every bucket takes.
    #[default]
    BucketOwnerFullControl,
    /// None.
    Absent,
}

impl ExportAcl {
    /// The header's value, if it is sent.
    pub(super) const fn header(self) -> Option<&'static str> {
        match self {
            Self::BucketOwnerFullControl => Some("bucket-owner-full-control"),
            Self::Absent => None,
        }
    }
}

/// Which headers of an upload S3 has before it when it asks for `s3:PutObjectAcl`; AWS tells none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum AclContext {
    /// All of the request that sends the access control list.
    #[default]
    Upload,
    /// The access control list's alone, as `PutObjectAcl` has them.
    AclAlone,
}

/// How the sandbox plays what AWS leaves open, and how long things take in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenQuestions {
    pub job_length: Duration,
    /// How many exports run at once in an account and Region.
    pub most_exports: usize,
    /// How long a written policy takes to hold.
    pub policy_delay: Duration,
    pub source_address: SourceAddress,
    pub export_acl: ExportAcl,
    pub acl_context: AclContext,
}
