//! How a call reaches the service that judges it, and what the request tells of that: one row a route,
//! one cell a key, each with its source.

use super::Carried::{self, Absent, Sent, SentOrAbsent, Unknown};

/// The services between the principal and the one that judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assess) enum Route {
    /// None: the principal calls.
    Direct,
    /// `DynamoDB` writes an export's objects, or uses a table's key.
    ByDynamoDb,
    /// S3 uses the key of an object that the principal writes or reads.
    ByS3,
    /// S3 uses the key of an object that `DynamoDB` writes.
    ByDynamoDbAndS3,
    /// None: a service calls for itself.
    OfService,
}

/// A key that tells of the route, or several that a request has together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::assess) enum RouteKey {
    ViaAwsService,
    CalledVia,
    CalledViaFirst,
    CalledViaLast,
    SecureTransport,
    SourceIp,
    /// The endpoint or network that a call came through.
    Network,
}

impl RouteKey {
    /// All keys.
    pub(in crate::assess) const ALL: [Self; 7] = [
        Self::ViaAwsService,
        Self::CalledVia,
        Self::CalledViaFirst,
        Self::CalledViaLast,
        Self::SecureTransport,
        Self::SourceIp,
        Self::Network,
    ];

    /// The names, as policies have them.
    pub(in crate::assess) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::ViaAwsService => &["aws:ViaAWSService"],
            Self::CalledVia => &["aws:CalledVia"],
            Self::CalledViaFirst => &["aws:CalledViaFirst"],
            Self::CalledViaLast => &["aws:CalledViaLast"],
            Self::SecureTransport => &["aws:SecureTransport"],
            Self::SourceIp => &["aws:SourceIp"],
            Self::Network => &[
                "aws:SourceVpc",
                "aws:SourceVpcArn",
                "aws:SourceVpce",
                "aws:VpceAccount",
                "aws:VpceOrgID",
                "aws:VpceOrgPaths",
                "aws:VpcSourceIp",
            ],
        }
    }
}

/// A cell: the route, the key, what a request has of it, and where that is told. Pages without a guide's
/// name are of the IAM user guide.
pub(in crate::assess) type RouteCell = (Route, RouteKey, Carried, &'static str);

const VIA: &str = "condition-keys, aws:ViaAWSService: false when the principal makes the call directly, \
                   true when a service uses the principal's credentials; an export's refusals name the \
                   principal";
const DIRECT: &str =
    "condition-keys, aws:CalledVia: not present when the principal makes the call directly";
const VIA_DYNAMODB: &str =
    "condition-keys, aws:CalledVia: dynamodb.amazonaws.com is in its list of services";
const VIA_S3: &str = "condition-keys, aws:CalledVia: S3 is not in its list of services, and it is not told \
                      what KMS sees in its place";
const FIRST: &str = "condition-keys, aws:CalledViaFirst: the first service that made a request, which is \
                     DynamoDB's to S3";
const OWN_TRANSPORT: &str =
    "condition-keys, aws:SecureTransport; this program and AWS's tools speak HTTPS alone";
const KEPT_TRANSPORT: &str = "AWS's services speak HTTPS; calls between services leave aws:SecureTransport out (S3 \
                              user guide, amazon-s3-policy-keys), and AWS's own control policies deny \
                              with BoolIfExists without an exception for them (Organizations user guide, \
                              orgs_manage_policies_rcps_examples): of an export nobody tells";
const OWN_ADDRESS: &str = "condition-keys, aws:SourceIp: absent through an endpoint; behind an address \
                           translation it is not the machine's";
const KEPT_ADDRESS: &str = "forward access sessions keep the address (access_forward_access_sessions), other \
                            pages tell of redacted or service addresses (S3 user guide, \
                            amazon-s3-policy-keys); of an export nobody tells";
const OWN_NETWORK: &str = "condition-keys, aws:SourceVpc and aws:SourceVpce: only through an endpoint, which AWS \
                           alone knows";
const NO_NETWORK: &str = "condition-keys, aws:SourceVpc: not in a request that a service makes with the \
                          principal's credentials";

const VIA_NOBODY: &str = "condition-keys, aws:ViaAWSService: true where a service uses the principal's \
                          credentials; here no principal's are used";
const OF_ITSELF: &str = "condition-keys, aws:CalledVia: the services that made requests on behalf of the \
                         principal; here there is none";
const ADDRESS_OF_SERVICE: &str = "AWS re:Post on inventory deliveries that are denied: a Deny with NotIpAddress on \
                                  aws:SourceIp hits S3 itself; which address is seen, if any, is not told";
const NETWORK_OF_SERVICE: &str = "condition-keys, aws:SourceVpc and aws:SourceVpce: only through a VPC endpoint of a \
                                  principal's";

/// All cells.
pub(in crate::assess) const ROUTES: [RouteCell; 35] = [
    (Route::Direct, RouteKey::ViaAwsService, Sent, VIA),
    (Route::Direct, RouteKey::CalledVia, Absent, DIRECT),
    (Route::Direct, RouteKey::CalledViaFirst, Absent, DIRECT),
    (Route::Direct, RouteKey::CalledViaLast, Absent, DIRECT),
    (
        Route::Direct,
        RouteKey::SecureTransport,
        Sent,
        OWN_TRANSPORT,
    ),
    (Route::Direct, RouteKey::SourceIp, Unknown, OWN_ADDRESS),
    (Route::Direct, RouteKey::Network, Unknown, OWN_NETWORK),
    (Route::ByDynamoDb, RouteKey::ViaAwsService, Sent, VIA),
    (Route::ByDynamoDb, RouteKey::CalledVia, Sent, VIA_DYNAMODB),
    (
        Route::ByDynamoDb,
        RouteKey::CalledViaFirst,
        Sent,
        VIA_DYNAMODB,
    ),
    (
        Route::ByDynamoDb,
        RouteKey::CalledViaLast,
        Sent,
        VIA_DYNAMODB,
    ),
    (
        Route::ByDynamoDb,
        RouteKey::SecureTransport,
        SentOrAbsent,
        KEPT_TRANSPORT,
    ),
    (Route::ByDynamoDb, RouteKey::SourceIp, Unknown, KEPT_ADDRESS),
    (Route::ByDynamoDb, RouteKey::Network, Absent, NO_NETWORK),
    (Route::ByS3, RouteKey::ViaAwsService, Sent, VIA),
    (Route::ByS3, RouteKey::CalledVia, Unknown, VIA_S3),
    (Route::ByS3, RouteKey::CalledViaFirst, Unknown, VIA_S3),
    (Route::ByS3, RouteKey::CalledViaLast, Unknown, VIA_S3),
    (
        Route::ByS3,
        RouteKey::SecureTransport,
        SentOrAbsent,
        KEPT_TRANSPORT,
    ),
    (Route::ByS3, RouteKey::SourceIp, Unknown, KEPT_ADDRESS),
    (Route::ByS3, RouteKey::Network, Absent, NO_NETWORK),
    (Route::ByDynamoDbAndS3, RouteKey::ViaAwsService, Sent, VIA),
    (Route::ByDynamoDbAndS3, RouteKey::CalledVia, Unknown, VIA_S3),
    (
        Route::ByDynamoDbAndS3,
        RouteKey::CalledViaFirst,
        Sent,
        FIRST,
    ),
    (
        Route::ByDynamoDbAndS3,
        RouteKey::CalledViaLast,
        Unknown,
        VIA_S3,
    ),
    (
        Route::ByDynamoDbAndS3,
        RouteKey::SecureTransport,
        SentOrAbsent,
        KEPT_TRANSPORT,
    ),
    (
        Route::ByDynamoDbAndS3,
        RouteKey::SourceIp,
        Unknown,
        KEPT_ADDRESS,
    ),
    (
        Route::ByDynamoDbAndS3,
        RouteKey::Network,
        Absent,
        NO_NETWORK,
    ),
    (Route::OfService, RouteKey::ViaAwsService, Sent, VIA_NOBODY),
    (Route::OfService, RouteKey::CalledVia, Absent, OF_ITSELF),
    (
        Route::OfService,
        RouteKey::CalledViaFirst,
        Absent,
        OF_ITSELF,
    ),
    (Route::OfService, RouteKey::CalledViaLast, Absent, OF_ITSELF),
    (
        Route::OfService,
        RouteKey::SecureTransport,
        SentOrAbsent,
        KEPT_TRANSPORT,
    ),
    (
        Route::OfService,
        RouteKey::SourceIp,
        SentOrAbsent,
        ADDRESS_OF_SERVICE,
    ),
    (
        Route::OfService,
        RouteKey::Network,
        Absent,
        NETWORK_OF_SERVICE,
    ),
];

impl Route {
    /// What a request has of a key.
    pub(in crate::assess) fn carries(self, key: RouteKey) -> Carried {
        let mut cells = ROUTES.iter();
        let cell = cells.find(|(route, of, ..)| *route == self && *of == key);
        cell.map_or(Unknown, |(_, _, carried, _)| *carried)
    }
}
