//! The cells of the table of calls, by service.

use super::Call::{
    self, AbortMultipartUpload, BatchWriteItem, CompleteMultipartUpload, CreateMultipartUpload,
    Decrypt, DecryptOfTable, DescribeContinuousBackups, DescribeExport, DescribeImport,
    DescribeTable, ExportTableToPointInTime, GenerateDataKey, GenerateDataKeyOfReport,
    GenerateDataKeyOfTable, GetBucketInventoryConfiguration, GetObject, HeadObject, ImportTable,
    ListExports, ListImports, ListObjectsOfReader, ListObjectsV2, PutBucketInventoryConfiguration,
    PutObject, PutObjectAcl, PutReport, Scan, UploadPart,
};
use super::Carried::{self, Absent, Inherited, Sent, Unknown};

/// A condition key of one service, or several that a call has together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assess) enum Keys {
    /// The algorithm of an upload.
    Encryption,
    /// The KMS key of an upload.
    EncryptionKey,
    /// A key of the customer's own in the request.
    CustomerKey,
    /// A canned access control list.
    Acl,
    /// An access control list grant by grant.
    AclGrants,
    /// What a conditional write demands of the object that is there.
    ConditionalWrite,
    /// Whether the call makes an object.
    ObjectCreation,
    /// What is listed.
    Prefix,
    /// How a list is folded.
    Delimiter,
    /// How much is listed at once.
    PageSize,
    /// What KMS is told of the data.
    EncryptionContext,
    /// The algorithm of a KMS key.
    KmsAlgorithm,
    /// The service that calls KMS.
    ViaService,
    /// Whose principal it calls KMS for.
    CallerAccount,
    /// What a grant is made of.
    GrantTerms,
    /// The alias by which a KMS key is named.
    RequestAlias,
    /// The items of a table, and what is asked of them.
    Items,
    /// The columns that an inventory configuration asks for.
    InventoryFields,
}

impl Keys {
    /// All keys.
    pub(in crate::assess) const ALL: [Self; 18] = [
        Self::Encryption,
        Self::EncryptionKey,
        Self::CustomerKey,
        Self::Acl,
        Self::AclGrants,
        Self::ConditionalWrite,
        Self::ObjectCreation,
        Self::Prefix,
        Self::Delimiter,
        Self::PageSize,
        Self::EncryptionContext,
        Self::KmsAlgorithm,
        Self::ViaService,
        Self::CallerAccount,
        Self::GrantTerms,
        Self::RequestAlias,
        Self::Items,
        Self::InventoryFields,
    ];

    /// The names, as policies have them; one that ends with a colon stands for all that begin so.
    pub(in crate::assess) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Encryption => &["s3:x-amz-server-side-encryption"],
            Self::EncryptionKey => &["s3:x-amz-server-side-encryption-aws-kms-key-id"],
            Self::CustomerKey => &["s3:x-amz-server-side-encryption-customer-algorithm"],
            Self::Acl => &["s3:x-amz-acl"],
            Self::AclGrants => &[
                "s3:x-amz-grant-full-control",
                "s3:x-amz-grant-read",
                "s3:x-amz-grant-read-acp",
                "s3:x-amz-grant-write",
                "s3:x-amz-grant-write-acp",
            ],
            Self::ConditionalWrite => &["s3:if-match", "s3:if-none-match"],
            Self::ObjectCreation => &["s3:ObjectCreationOperation"],
            Self::Prefix => &["s3:prefix"],
            Self::Delimiter => &["s3:delimiter"],
            Self::PageSize => &["s3:max-keys"],
            Self::EncryptionContext => &["kms:EncryptionContextKeys", "kms:EncryptionContext:"],
            Self::KmsAlgorithm => &["kms:EncryptionAlgorithm"],
            Self::ViaService => &["kms:ViaService"],
            Self::CallerAccount => &["kms:CallerAccount"],
            Self::GrantTerms => &[
                "kms:GrantConstraintType",
                "kms:GrantIsForAWSResource",
                "kms:GrantOperations",
                "kms:GranteePrincipal",
                "kms:RetiringPrincipal",
            ],
            Self::RequestAlias => &["kms:RequestAlias"],
            Self::InventoryFields => &["s3:InventoryAccessibleOptionalFields"],
            Self::Items => &[
                "dynamodb:Attributes",
                "dynamodb:EnclosingOperation",
                "dynamodb:FirstPartitionKeyValues",
                "dynamodb:FourthPartitionKeyValues",
                "dynamodb:FullTableScan",
                "dynamodb:LeadingKeys",
                "dynamodb:ReturnConsumedCapacity",
                "dynamodb:ReturnValues",
                "dynamodb:SecondPartitionKeyValues",
                "dynamodb:Select",
                "dynamodb:ThirdPartitionKeyValues",
            ],
        }
    }

    /// Whether a policy means this key by a name.
    pub(in crate::assess) fn is_named(self, name: &str) -> bool {
        self.names().iter().any(|known| {
            let head = if known.ends_with(':') {
                name.get(..known.len())
            } else {
                Some(name)
            };
            head.is_some_and(|head| head.eq_ignore_ascii_case(known))
        })
    }
}

/// A cell: the call, the key, what the call has of it, and where that is told.
///
/// A page is named as its address ends: `API_…` in S3's, KMS's or `DynamoDB`'s API reference, `list_…` in
/// the service authorization reference.
pub(in crate::assess) type Cell = (Call, Keys, Carried, &'static str);

/// All cells. A call has nothing of another service's keys.
pub(in crate::assess) fn cells() -> impl Iterator<Item = &'static Cell> {
    let of_calls = OF_S3.iter().chain(&OF_KMS).chain(&OF_DYNAMODB);
    of_calls.chain(&OF_INVENTORY).chain(&OF_READING)
}

const EXPORT: &str = "API_ExportTableToPointInTime: S3SseAlgorithm, S3SseKmsKeyId; headers of \
                      API_PutObject and API_CreateMultipartUpload";
const EXPORT_ALGORITHMS: &str = "API_ExportTableToPointInTime: S3SseAlgorithm is AES256 or KMS";
const UPLOAD_PART: &str = "API_UploadPart: parameters of encryption are given when an upload \
                           begins; one report against it, boto/botocore#471";
const COMPLETE: &str = "API_CompleteMultipartUpload has no such header; taken as API_UploadPart \
                        tells of parts";
const SSE_C_PARTS: &str = "API_UploadPart and API_CompleteMultipartUpload have it for SSE-C alone, \
                           which an export cannot ask for (S3SseAlgorithm)";
const ABORT: &str = "API_AbortMultipartUpload has no such header; list_amazons3 has no such key \
                     under AbortMultipartUpload";
const ACL_OF_EXPORT: &str = "nothing in the developer guide's S3DataExport pages or in \
                             API_ExportTableToPointInTime tells which ACL is sent";
const ACL_OF_PART: &str = "API_UploadPart has no such header; aws/aws-cli#1674";
const GRANTS_OF_PART: &str = "API_UploadPart has no such header; boto/boto3#2525";
const ACL_OF_COMPLETE: &str = "API_CompleteMultipartUpload has no such header";
const ENCRYPTION_OF_ACL: &str = "list_amazons3 has no such key under PutObjectAcl, while the \
                                 requests that send the ACL have the header; no report tells what \
                                 S3 judges";
const NOT_OF_ACL: &str = "list_amazons3 has no such key under PutObjectAcl";
const NOT_OF_GET: &str = "list_amazons3 has no such key under GetObject";
const NOT_OF_LIST: &str = "list_amazons3 has no such key under ListBucket";
const NOT_OF_PUT: &str = "list_amazons3 has no such key under PutObject";
const NOT_OF_ABORT: &str = "list_amazons3 has no such key under AbortMultipartUpload";
const CONDITIONAL: &str = "API_PutObject and API_CompleteMultipartUpload have the headers; nobody \
                           tells whether an export sends them";
const NOT_CONDITIONAL: &str = "S3 user guide, conditional-writes-enforce: these APIs don't accept \
                               conditional headers";
const CREATION: &str = "S3 user guide, conditional-writes-enforce; list_amazons3, \
                        s3:ObjectCreationOperation: whether the operation creates an object";
const LISTING: &str = "our own request, by API_ListObjectsV2";
const NO_DELIMITER: &str = "our own request has none, by API_ListObjectsV2";

/// What the calls to S3 have, those of an export first.
const OF_S3: [Cell; 80] = [
    (PutObject, Keys::Encryption, Sent, EXPORT),
    (PutObject, Keys::EncryptionKey, Sent, EXPORT),
    (PutObject, Keys::CustomerKey, Absent, EXPORT_ALGORITHMS),
    (PutObject, Keys::Acl, Unknown, ACL_OF_EXPORT),
    (PutObject, Keys::AclGrants, Unknown, ACL_OF_EXPORT),
    (PutObject, Keys::ConditionalWrite, Unknown, CONDITIONAL),
    (PutObject, Keys::ObjectCreation, Sent, CREATION),
    (PutObject, Keys::Prefix, Absent, NOT_OF_PUT),
    (PutObject, Keys::Delimiter, Absent, NOT_OF_PUT),
    (PutObject, Keys::PageSize, Absent, NOT_OF_PUT),
    (CreateMultipartUpload, Keys::Encryption, Sent, EXPORT),
    (CreateMultipartUpload, Keys::EncryptionKey, Sent, EXPORT),
    (
        CreateMultipartUpload,
        Keys::CustomerKey,
        Absent,
        EXPORT_ALGORITHMS,
    ),
    (CreateMultipartUpload, Keys::Acl, Unknown, ACL_OF_EXPORT),
    (
        CreateMultipartUpload,
        Keys::AclGrants,
        Unknown,
        ACL_OF_EXPORT,
    ),
    (
        CreateMultipartUpload,
        Keys::ConditionalWrite,
        Absent,
        NOT_CONDITIONAL,
    ),
    (CreateMultipartUpload, Keys::ObjectCreation, Sent, CREATION),
    (CreateMultipartUpload, Keys::Prefix, Absent, NOT_OF_PUT),
    (CreateMultipartUpload, Keys::Delimiter, Absent, NOT_OF_PUT),
    (CreateMultipartUpload, Keys::PageSize, Absent, NOT_OF_PUT),
    (UploadPart, Keys::Encryption, Inherited, UPLOAD_PART),
    (UploadPart, Keys::EncryptionKey, Inherited, UPLOAD_PART),
    (UploadPart, Keys::CustomerKey, Absent, SSE_C_PARTS),
    (UploadPart, Keys::Acl, Absent, ACL_OF_PART),
    (UploadPart, Keys::AclGrants, Absent, GRANTS_OF_PART),
    (UploadPart, Keys::ConditionalWrite, Absent, NOT_CONDITIONAL),
    (UploadPart, Keys::ObjectCreation, Sent, CREATION),
    (UploadPart, Keys::Prefix, Absent, NOT_OF_PUT),
    (UploadPart, Keys::Delimiter, Absent, NOT_OF_PUT),
    (UploadPart, Keys::PageSize, Absent, NOT_OF_PUT),
    (
        CompleteMultipartUpload,
        Keys::Encryption,
        Inherited,
        COMPLETE,
    ),
    (
        CompleteMultipartUpload,
        Keys::EncryptionKey,
        Inherited,
        COMPLETE,
    ),
    (
        CompleteMultipartUpload,
        Keys::CustomerKey,
        Absent,
        SSE_C_PARTS,
    ),
    (CompleteMultipartUpload, Keys::Acl, Absent, ACL_OF_COMPLETE),
    (
        CompleteMultipartUpload,
        Keys::AclGrants,
        Absent,
        ACL_OF_COMPLETE,
    ),
    (
        CompleteMultipartUpload,
        Keys::ConditionalWrite,
        Unknown,
        CONDITIONAL,
    ),
    (
        CompleteMultipartUpload,
        Keys::ObjectCreation,
        Sent,
        CREATION,
    ),
    (CompleteMultipartUpload, Keys::Prefix, Absent, NOT_OF_PUT),
    (CompleteMultipartUpload, Keys::Delimiter, Absent, NOT_OF_PUT),
    (CompleteMultipartUpload, Keys::PageSize, Absent, NOT_OF_PUT),
    (AbortMultipartUpload, Keys::Encryption, Absent, ABORT),
    (AbortMultipartUpload, Keys::EncryptionKey, Absent, ABORT),
    (AbortMultipartUpload, Keys::CustomerKey, Absent, ABORT),
    (AbortMultipartUpload, Keys::Acl, Absent, ABORT),
    (AbortMultipartUpload, Keys::AclGrants, Absent, ABORT),
    (AbortMultipartUpload, Keys::ConditionalWrite, Absent, ABORT),
    (
        AbortMultipartUpload,
        Keys::ObjectCreation,
        Absent,
        NOT_OF_ABORT,
    ),
    (AbortMultipartUpload, Keys::Prefix, Absent, NOT_OF_ABORT),
    (AbortMultipartUpload, Keys::Delimiter, Absent, NOT_OF_ABORT),
    (AbortMultipartUpload, Keys::PageSize, Absent, NOT_OF_ABORT),
    (PutObjectAcl, Keys::Encryption, Unknown, ENCRYPTION_OF_ACL),
    (
        PutObjectAcl,
        Keys::EncryptionKey,
        Unknown,
        ENCRYPTION_OF_ACL,
    ),
    (PutObjectAcl, Keys::CustomerKey, Absent, EXPORT_ALGORITHMS),
    (PutObjectAcl, Keys::Acl, Unknown, ACL_OF_EXPORT),
    (PutObjectAcl, Keys::AclGrants, Unknown, ACL_OF_EXPORT),
    (
        PutObjectAcl,
        Keys::ConditionalWrite,
        Unknown,
        ENCRYPTION_OF_ACL,
    ),
    (
        PutObjectAcl,
        Keys::ObjectCreation,
        Unknown,
        ENCRYPTION_OF_ACL,
    ),
    (PutObjectAcl, Keys::Prefix, Absent, NOT_OF_ACL),
    (PutObjectAcl, Keys::Delimiter, Absent, NOT_OF_ACL),
    (PutObjectAcl, Keys::PageSize, Absent, NOT_OF_ACL),
    (GetObject, Keys::Encryption, Absent, NOT_OF_GET),
    (GetObject, Keys::EncryptionKey, Absent, NOT_OF_GET),
    (GetObject, Keys::CustomerKey, Absent, NOT_OF_GET),
    (GetObject, Keys::Acl, Absent, NOT_OF_GET),
    (GetObject, Keys::AclGrants, Absent, NOT_OF_GET),
    (GetObject, Keys::ConditionalWrite, Absent, NOT_OF_GET),
    (GetObject, Keys::ObjectCreation, Absent, NOT_OF_GET),
    (GetObject, Keys::Prefix, Absent, NOT_OF_GET),
    (GetObject, Keys::Delimiter, Absent, NOT_OF_GET),
    (GetObject, Keys::PageSize, Absent, NOT_OF_GET),
    (ListObjectsV2, Keys::Encryption, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::EncryptionKey, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::CustomerKey, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::Acl, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::AclGrants, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::ConditionalWrite, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::ObjectCreation, Absent, NOT_OF_LIST),
    (ListObjectsV2, Keys::Prefix, Sent, LISTING),
    (ListObjectsV2, Keys::Delimiter, Absent, NO_DELIMITER),
    (ListObjectsV2, Keys::PageSize, Sent, LISTING),
];

const S3_CONTEXT: &str = "S3 user guide, UsingKMSEncryption, Encryption context: the object's ARN, or \
                          the bucket's with an S3 Bucket Key; KMS developer guide, services-s3: the \
                          key is always aws:s3:arn";
const TABLE_CONTEXT: &str = "developer guide, encryption.usagenotes, and KMS developer guide, \
                             services-dynamodb, DynamoDB encryption context: the table's name and \
                             the account";
const ALGORITHM: &str = "KMS developer guide, conditions-kms, kms:EncryptionAlgorithm, even when it \
                         isn't specified; S3 and DynamoDB take symmetric keys alone";
const VIA_S3: &str = "KMS developer guide, conditions-kms, kms:ViaService: s3.REGION.amazonaws.com; S3 \
                      user guide, UsingKMSEncryption";
const VIA_DYNAMODB: &str = "KMS developer guide, services-dynamodb, the key policy with \
                            dynamodb.REGION.amazonaws.com";
const CALLER: &str = "KMS developer guide, conditions-kms, kms:CallerAccount: any KMS key resource \
                      operation";
const NO_GRANT: &str = "KMS developer guide, conditions-kms: these keys are of CreateGrant, ListGrants \
                        and RevokeGrant";
const ALIAS: &str = "KMS developer guide, conditions-kms, kms:RequestAlias: the KeyId of the request; \
                     what a service passes on is not documented";

/// What the calls to KMS have that a service makes.
const OF_KMS: [Cell; 24] = [
    (GenerateDataKey, Keys::EncryptionContext, Sent, S3_CONTEXT),
    (GenerateDataKey, Keys::KmsAlgorithm, Sent, ALGORITHM),
    (GenerateDataKey, Keys::ViaService, Sent, VIA_S3),
    (GenerateDataKey, Keys::CallerAccount, Sent, CALLER),
    (GenerateDataKey, Keys::GrantTerms, Absent, NO_GRANT),
    (GenerateDataKey, Keys::RequestAlias, Unknown, ALIAS),
    (Decrypt, Keys::EncryptionContext, Sent, S3_CONTEXT),
    (Decrypt, Keys::KmsAlgorithm, Sent, ALGORITHM),
    (Decrypt, Keys::ViaService, Sent, VIA_S3),
    (Decrypt, Keys::CallerAccount, Sent, CALLER),
    (Decrypt, Keys::GrantTerms, Absent, NO_GRANT),
    (Decrypt, Keys::RequestAlias, Unknown, ALIAS),
    (
        GenerateDataKeyOfTable,
        Keys::EncryptionContext,
        Sent,
        TABLE_CONTEXT,
    ),
    (GenerateDataKeyOfTable, Keys::KmsAlgorithm, Sent, ALGORITHM),
    (GenerateDataKeyOfTable, Keys::ViaService, Sent, VIA_DYNAMODB),
    (GenerateDataKeyOfTable, Keys::CallerAccount, Sent, CALLER),
    (GenerateDataKeyOfTable, Keys::GrantTerms, Absent, NO_GRANT),
    (GenerateDataKeyOfTable, Keys::RequestAlias, Unknown, ALIAS),
    (DecryptOfTable, Keys::EncryptionContext, Sent, TABLE_CONTEXT),
    (DecryptOfTable, Keys::KmsAlgorithm, Sent, ALGORITHM),
    (DecryptOfTable, Keys::ViaService, Sent, VIA_DYNAMODB),
    (DecryptOfTable, Keys::CallerAccount, Sent, CALLER),
    (DecryptOfTable, Keys::GrantTerms, Absent, NO_GRANT),
    (DecryptOfTable, Keys::RequestAlias, Unknown, ALIAS),
];

const NO_ITEMS: &str = "list_amazondynamodb has no condition key under this action";

const ITEMS: &str = "list_amazondynamodb has condition keys on keys and attributes under this action; what they \
                     hold is told by the items";

/// What the calls to `DynamoDB` have.
const OF_DYNAMODB: [Cell; 10] = [
    (ExportTableToPointInTime, Keys::Items, Absent, NO_ITEMS),
    (DescribeTable, Keys::Items, Absent, NO_ITEMS),
    (DescribeContinuousBackups, Keys::Items, Absent, NO_ITEMS),
    (DescribeExport, Keys::Items, Absent, NO_ITEMS),
    (ListExports, Keys::Items, Absent, NO_ITEMS),
    (ImportTable, Keys::Items, Absent, NO_ITEMS),
    (DescribeImport, Keys::Items, Absent, NO_ITEMS),
    (ListImports, Keys::Items, Absent, NO_ITEMS),
    (BatchWriteItem, Keys::Items, Unknown, ITEMS),
    (Scan, Keys::Items, Unknown, ITEMS),
];

const REPORT: &str = "S3 user guide, configure-inventory: the encryption of the reports is SSE-S3 or SSE-KMS, as \
                      the configuration says; what is sent where it says nothing is not told";
const REPORT_ACL: &str = "S3 user guide, example-bucket-policies, Granting permissions for S3 Inventory: the \
                          policy asks for bucket-owner-full-control";
const REPORT_GRANTS: &str = "the same policy asks for the canned list, which stands in place of grants \
                             (API_PutObject)";
const REPORT_CONDITIONS: &str = "nothing tells whether S3 sends the headers of a conditional write";
const REPORT_KEY: &str = "what KMS has before it when S3 calls for itself is not told, but for aws:SourceArn \
                          and aws:SourceAccount (S3 user guide, configure-inventory)";
const FIELDS: &str =
    "list_amazons3, s3:InventoryAccessibleOptionalFields: the optional fields of the request";
const NOT_OF_READING: &str = "list_amazons3 has no such key under GetInventoryConfiguration";

/// What the calls of an inventory have: those that S3 makes for itself first.
const OF_INVENTORY: [Cell; 18] = [
    (PutReport, Keys::Encryption, Sent, REPORT),
    (PutReport, Keys::EncryptionKey, Sent, REPORT),
    (PutReport, Keys::CustomerKey, Absent, REPORT),
    (PutReport, Keys::Acl, Sent, REPORT_ACL),
    (PutReport, Keys::AclGrants, Absent, REPORT_GRANTS),
    (
        PutReport,
        Keys::ConditionalWrite,
        Unknown,
        REPORT_CONDITIONS,
    ),
    (PutReport, Keys::ObjectCreation, Sent, CREATION),
    (PutReport, Keys::Prefix, Absent, NOT_OF_PUT),
    (PutReport, Keys::Delimiter, Absent, NOT_OF_PUT),
    (PutReport, Keys::PageSize, Absent, NOT_OF_PUT),
    (
        GenerateDataKeyOfReport,
        Keys::EncryptionContext,
        Sent,
        S3_CONTEXT,
    ),
    (
        GenerateDataKeyOfReport,
        Keys::KmsAlgorithm,
        Unknown,
        REPORT_KEY,
    ),
    (
        GenerateDataKeyOfReport,
        Keys::ViaService,
        Unknown,
        REPORT_KEY,
    ),
    (
        GenerateDataKeyOfReport,
        Keys::CallerAccount,
        Unknown,
        REPORT_KEY,
    ),
    (GenerateDataKeyOfReport, Keys::GrantTerms, Absent, NO_GRANT),
    (GenerateDataKeyOfReport, Keys::RequestAlias, Unknown, ALIAS),
    (
        PutBucketInventoryConfiguration,
        Keys::InventoryFields,
        Sent,
        FIELDS,
    ),
    (
        GetBucketInventoryConfiguration,
        Keys::InventoryFields,
        Absent,
        NOT_OF_READING,
    ),
];

const NOT_OF_HEAD: &str =
    "API_HeadObject: it takes s3:GetObject, under which list_amazons3 has no such key";
const LISTED_FOLDER: &str =
    "API_ListObjectsV2: the prefix that is asked for; a reading lists its folder";
const FOLDED: &str =
    "API_ListObjectsV2: optional; `aws s3 ls` sends a slash, `aws s3 sync` and the SDKs none";
const PAGED: &str = "API_ListObjectsV2: optional, and each tool has a page size of its own";

/// What the calls of a reading have, made by tools that are not ours.
const OF_READING: [Cell; 20] = [
    (HeadObject, Keys::Encryption, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::EncryptionKey, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::CustomerKey, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::Acl, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::AclGrants, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::ConditionalWrite, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::ObjectCreation, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::Prefix, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::Delimiter, Absent, NOT_OF_HEAD),
    (HeadObject, Keys::PageSize, Absent, NOT_OF_HEAD),
    (ListObjectsOfReader, Keys::Encryption, Absent, NOT_OF_LIST),
    (
        ListObjectsOfReader,
        Keys::EncryptionKey,
        Absent,
        NOT_OF_LIST,
    ),
    (ListObjectsOfReader, Keys::CustomerKey, Absent, NOT_OF_LIST),
    (ListObjectsOfReader, Keys::Acl, Absent, NOT_OF_LIST),
    (ListObjectsOfReader, Keys::AclGrants, Absent, NOT_OF_LIST),
    (
        ListObjectsOfReader,
        Keys::ConditionalWrite,
        Absent,
        NOT_OF_LIST,
    ),
    (
        ListObjectsOfReader,
        Keys::ObjectCreation,
        Absent,
        NOT_OF_LIST,
    ),
    (ListObjectsOfReader, Keys::Prefix, Sent, LISTED_FOLDER),
    (ListObjectsOfReader, Keys::Delimiter, Unknown, FOLDED),
    (ListObjectsOfReader, Keys::PageSize, Unknown, PAGED),
];
