//! The policies that apply to a request, by what they are attached to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Document;

/// A document and the name it goes by in explanations.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The name: a policy's name or ARN, or what it is attached to.
    pub name: String,
    /// The document; anyone who evaluates shares it.
    pub document: Arc<Document<'a>>,
}

impl<'a> Named<'a> {
    /// A document under a name.
    pub fn new(name: impl Into<String>, document: impl Into<Arc<Document<'a>>>) -> Self {
        Self {
            name: name.into(),
            document: document.into(),
        }
    }
}

/// The policies of one level of an organization: the root, a unit, or the account.
#[derive(Debug, Clone)]
pub struct Level<'a> {
    /// What the policies are attached to.
    pub target: String,
    /// The policies attached there.
    pub policies: Vec<Named<'a>>,
}

/// A KMS grant.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The grant's id.
    pub id: String,
    /// The principal that may use the key: an ARN, or a service's name.
    pub grantee: String,
    /// The operations, as KMS names them: `GenerateDataKey`, `Decrypt`.
    pub operations: Vec<String>,
    /// Pairs that the encryption context must hold.
    pub context_subset: BTreeMap<String, String>,
    /// The whole encryption context, where the grant fixes it.
    pub context_equals: Option<BTreeMap<String, String>>,
    /// The resource for which a service must act: the request's `aws:SourceArn`.
    pub source_arn: Option<String>,
}

/// Every policy that bears on a request.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// The principal's identity policies: attached, inline, and of its groups.
    pub identity: Vec<Named<'a>>,
    /// The principal's permissions boundary.
    pub boundary: Option<Named<'a>>,
    /// The session policy.
    pub session: Option<Named<'a>>,
    /// Service control policies of the principal's account, root first; empty without an organization.
    pub service_control: Vec<Level<'a>>,
    /// Resource control policies of the resource's account, root first.
    pub resource_control: Vec<Level<'a>>,
    /// The policy of the VPC endpoint that the request comes through.
    pub vpc_endpoint: Option<Named<'a>>,
    /// The resource's own policy: a bucket's, a key's, a role's trust policy.
    pub resource: Option<Named<'a>>,
    /// The key's grants, for KMS.
    pub grants: Vec<Grant>,
    /// Kinds of policy that are taken to allow the request, whatever stands in those given here: what
    /// could not be read may hold an Allow. Their Denies count all the same.
    pub assumed_to_allow: Vec<PolicyKind>,
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// An identity policy.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// A VPC endpoint policy.
    VpcEndpoint,
    /// A resource policy, a key policy among them.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A KMS grant.
    Grant,
}
