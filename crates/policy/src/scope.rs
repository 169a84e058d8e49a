//! Whom and what binds: which kinds of policy bear on a request at all, by who asks and what for.

use super::condition::Truth;
use super::policies::{Policies, PolicyKind};
use super::request::{Principal, Request};

/// How a resource decides who gets in (its resource model).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Within the account, identity policies suffice without the resource's.
    Open,
    /// A KMS key: "unlike IAM policies, … no AWS principal … has any permissions to a KMS key unless
    /// they are explicitly allowed" in its key policy, an IAM policy that it enables, or a grant
    /// ("Key policies in AWS KMS").
    Key,
    /// A role: its trust policy must allow ("IAM role trust policies and KMS key policies are
    /// exceptions to this logic").
    Trust,
}

/// Which policies bear on a request.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the request, and all are read apart"
)]
pub(crate) struct Scope {
    pub(crate) guard: Guard,
    pub(crate) is_same_account: bool,
    /// Whether identity policies, boundary and session policy can hang on the caller.
    pub(crate) has_identity_policies: bool,
    /// What the identity side results in, where policies do not decide it.
    pub(crate) identity_side: Option<Truth>,
    pub(crate) service_control_binds: bool,
    pub(crate) resource_control_binds: bool,
    /// "No permissions are required to perform this operation", and no policy can forbid it
    /// (`GetCallerIdentity` in the STS API reference).
    pub(crate) needs_no_permission: bool,
    /// "You cannot use AWS account root user credentials to call AssumeRole" (STS API reference).
    pub(crate) is_root_assuming: bool,
}

/// The services whose resources resource control policies bind, by prefix ("List of AWS services
/// that support RCPs", AWS Organizations user guide), in alphabetical order.
const RESOURCE_CONTROLLED: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

impl Scope {
    pub(crate) fn of(request: &Request<'_>, policies: &Policies<'_>) -> Self {
        let principal = &request.principal;
        let (service, name) = request
            .action
            .split_once(':')
            .unwrap_or(("", request.action));
        let guard = guard(service, name, request, policies);
        let has_identity_policies = matches!(
            principal,
            Principal::User { .. }
                | Principal::Role { .. }
                | Principal::Session { .. }
                | Principal::FederatedUser { .. }
        );
        let is_service_linked = principal.is_service_linked();
        Self {
            guard,
            is_same_account: principal.account() == Some(request.resource_account),
            has_identity_policies,
            identity_side: match principal {
                Principal::AccountRoot { .. } => Some(Truth::Yes),
                // "If you do not pass [a session policy], then the resulting federated user session
                // has no permissions" but those of resource policies (GetFederationToken).
                Principal::FederatedUser { .. } if policies.session.is_none() => Some(Truth::No),
                _ if has_identity_policies => None,
                _ => Some(Truth::No),
            },
            service_control_binds: principal.account().is_some() && !is_service_linked,
            resource_control_binds: !is_service_linked
                && is_resource_controlled(service, name, request.resource),
            needs_no_permission: service.eq_ignore_ascii_case("sts")
                && name.eq_ignore_ascii_case("GetCallerIdentity")
                && *principal != Principal::Anonymous,
            is_root_assuming: matches!(principal, Principal::AccountRoot { .. })
                && guard == Guard::Trust
                && name.eq_ignore_ascii_case("AssumeRole"),
        }
    }

    /// What kind of policy the resource's own is.
    pub(crate) const fn resource_kind(self) -> PolicyKind {
        match self.guard {
            Guard::Trust => PolicyKind::Trust,
            Guard::Open | Guard::Key => PolicyKind::Resource,
        }
    }

    /// What both sides come to together, guardrails left aside.
    ///
    /// Within an account either side suffices, except for a guarded resource, where the identity side
    /// counts only if its policy delegates to the account. A resource policy that names the account
    /// merely delegates to it, so it adds nothing to the identity side for an open resource. Across
    /// accounts both sides must allow ("Cross-account policy evaluation logic").
    pub(crate) const fn core(
        self,
        itself: Truth,
        entity: Truth,
        account: Truth,
        delegated: Truth,
    ) -> Truth {
        if self.is_root_assuming {
            return Truth::No;
        }
        if matches!(self.identity_side, Some(Truth::No)) && !self.has_identity_policies {
            return itself;
        }
        // A federated user without a session policy: the implicit deny of that limits what is granted
        // to the user who federated.
        let entity = match self.identity_side {
            Some(Truth::No) => Truth::No,
            _ => entity,
        };
        match (self.is_same_account, self.guard) {
            (true, Guard::Open) => itself.or(entity).or(delegated),
            (true, _) => itself.or(entity).or(account.and(delegated)),
            // The boundary and session policy are already part of what is delegated.
            (false, _) => itself.or(entity).or(account).and(delegated),
        }
    }
}

fn guard(service: &str, name: &str, request: &Request<'_>, policies: &Policies<'_>) -> Guard {
    const TRUSTED: [&str; 6] = [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "SetContext",
        "SetSourceIdentity",
        "TagSession",
    ];
    if service.eq_ignore_ascii_case("kms") {
        let is_key = request.resource.contains(":key/") || policies.resource.is_some();
        return if is_key { Guard::Key } else { Guard::Open };
    }
    let is_trust = service.eq_ignore_ascii_case("sts")
        && TRUSTED.iter().any(|known| known.eq_ignore_ascii_case(name))
        && (request.resource.contains(":role/") || policies.resource.is_some());
    if is_trust { Guard::Trust } else { Guard::Open }
}

/// Whether resource control policies cover a service.
pub(crate) fn has_resource_control(service: &str) -> bool {
    RESOURCE_CONTROLLED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(service))
}

/// "Resources and entities not restricted by RCPs" names what is exempt: AWS managed keys,
/// `kms:RetireGrant`, and the trust policies of service-linked roles.
fn is_resource_controlled(service: &str, name: &str, resource: &str) -> bool {
    let is_listed = has_resource_control(service);
    let is_kms = service.eq_ignore_ascii_case("kms");
    let is_exempt = (is_kms
        && (name.eq_ignore_ascii_case("RetireGrant") || resource.contains(":alias/aws/")))
        || resource.contains(":role/aws-service-role/");
    is_listed && !is_exempt
}
