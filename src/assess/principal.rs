//! Who exports, as the policies of another account must name them.
//!
//! `DynamoDB` writes to S3 as the principal that made the call, so a bucket policy or key policy
//! must allow that principal. The rules for naming it are those of the IAM user guide's page on
//! the `Principal` element, and of the IAM Identity Center user guide's page on referencing
//! permission sets in resource policies.

use std::fmt;

use crate::job::requirement::ServiceActor;
use tableferry_policy::arn::{AccountId, Arn, Partition};

/// What the names of roles begin with that IAM Identity Center makes of permission sets.
const RESERVED: &str = "AWSReservedSSO_";
/// The path that such roles have, before the Region's part.
const RESERVED_PATH: &str = "aws-reserved/sso.amazonaws.com";

/// The principal that makes the export call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePrincipal {
    /// An IAM user.
    User {
        /// Its ARN, with its path.
        arn: Arn,
    },
    /// An IAM role.
    Role {
        /// Its ARN, with its path if that is known.
        arn: Arn,
        /// Whether the path is known. A session's ARN omits it; `GetRole` tells it.
        is_path_known: bool,
    },
    /// A role that IAM Identity Center made of a permission set.
    IdentityCenter {
        /// The partition.
        partition: Partition,
        /// The account that the permission set is provisioned in.
        account: AccountId,
        /// The permission set's name.
        permission_set: String,
        /// Whether the role's path has a Region in it; it has none where Identity Center lives in
        /// us-east-1. `None` if the path is not known.
        has_region_in_path: Option<bool>,
    },
    /// The root user of an account.
    Root {
        /// The partition.
        partition: Partition,
        /// The account.
        account: AccountId,
    },
    /// An AWS service that acts for a resource.
    Service(ServiceActor),
    /// Somebody else, such as a federated user, who is named by the ARN as it is.
    Other {
        /// The ARN that `GetCallerIdentity` gave.
        arn: Arn,
    },
}

/// How a policy statement names a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalElement {
    /// The member of `Principal` that it stands under: `AWS` or `Service`.
    pub kind: &'static str,
    /// What stands there.
    pub principal: String,
    /// What stands in `Condition`, where the principal alone would name too many: an operator and
    /// the pattern that `aws:PrincipalArn` is compared with.
    pub condition: Option<(&'static str, String)>,
}

impl SourcePrincipal {
    /// The principal behind the ARN that `GetCallerIdentity` gives; `role_arn` is the role's own
    /// ARN as `GetRole` gives it, where it could be read.
    #[must_use]
    pub fn from_identity(session_arn: &Arn, role_arn: Option<&Arn>) -> Self {
        let Some(account) = session_arn.account_id() else {
            return Self::Other {
                arn: session_arn.clone(),
            };
        };
        let partition = session_arn.partition;
        match (session_arn.service.as_str(), session_arn.resource.as_str()) {
            ("iam", "root") => Self::Root { partition, account },
            ("iam", resource) if resource.starts_with("user/") => Self::User {
                arn: session_arn.clone(),
            },
            ("iam", resource) if resource.starts_with("role/") => {
                Self::from_role(partition, &account, session_arn.clone(), true)
            }
            ("sts", _) => match session_arn.resource_after("assumed-role") {
                Some(role) => {
                    let name = role.split('/').next().unwrap_or(role);
                    Self::from_session(partition, &account, name, role_arn)
                }
                None => Self::Other {
                    arn: session_arn.clone(),
                },
            },
            _ => Self::Other {
                arn: session_arn.clone(),
            },
        }
    }

    fn from_session(
        partition: Partition,
        account: &AccountId,
        name: &str,
        role_arn: Option<&Arn>,
    ) -> Self {
        // An ARN that was read for another role must not be granted anything.
        let read = role_arn.filter(|arn| {
            arn.account == account.as_str()
                && arn
                    .resource_after("role")
                    .and_then(|path| path.rsplit('/').next())
                    == Some(name)
        });
        let is_path_known = read.is_some();
        let arn = read
            .cloned()
            .unwrap_or_else(|| Arn::iam(partition, account, format!("role/{name}")));
        Self::from_role(partition, account, arn, is_path_known)
    }

    fn from_role(partition: Partition, account: &AccountId, arn: Arn, is_path_known: bool) -> Self {
        let path = arn.resource_after("role").unwrap_or_default();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let permission_set = name
            .strip_prefix(RESERVED)
            .and_then(|rest| rest.rsplit_once('_'))
            .filter(|(set, suffix)| !set.is_empty() && !suffix.is_empty())
            .map(|(set, _)| set.to_owned());
        match permission_set {
            // Nobody but Identity Center can make a role below its path; without the path, the
            // name is what there is to go by.
            Some(permission_set) if !is_path_known || folder.starts_with(RESERVED_PATH) => {
                Self::IdentityCenter {
                    partition,
                    account: account.clone(),
                    permission_set,
                    has_region_in_path: is_path_known.then(|| folder != RESERVED_PATH),
                }
            }
            _ => Self::Role { arn, is_path_known },
        }
    }

    /// How a policy of another account names the principal.
    #[must_use]
    pub fn naming(&self) -> PrincipalElement {
        match self {
            // AWS refuses a principal that does not exist, as a role is without its path.
            Self::Role {
                arn,
                is_path_known: false,
            } if let Some(account) = arn.account_id() => {
                let pattern = format!("role/*{}", role_name(arn));
                PrincipalElement {
                    kind: "AWS",
                    principal: Arn::iam(arn.partition, &account, "root").to_string(),
                    condition: Some((
                        "ArnLike",
                        Arn::iam(arn.partition, &account, pattern).to_string(),
                    )),
                }
            }
            Self::User { arn } | Self::Role { arn, .. } | Self::Other { arn } => PrincipalElement {
                kind: "AWS",
                principal: arn.to_string(),
                condition: None,
            },
            // What it acts for, the conditions of the grant tell.
            Self::Service(service) => PrincipalElement {
                kind: "Service",
                principal: service.name.to_owned(),
                condition: None,
            },
            Self::IdentityCenter {
                partition,
                account,
                permission_set,
                has_region_in_path,
            } => {
                let region = match has_region_in_path {
                    Some(false) => "",
                    _ => "/*",
                };
                let pattern = format!("role/{RESERVED_PATH}{region}/{RESERVED}{permission_set}_*");
                PrincipalElement {
                    kind: "AWS",
                    principal: Arn::iam(*partition, account, "root").to_string(),
                    condition: Some((
                        "ArnLike",
                        Arn::iam(*partition, account, pattern).to_string(),
                    )),
                }
            }
            Self::Root { partition, account } => {
                let root = Arn::iam(*partition, account, "root").to_string();
                // As a Principal this ARN means the whole account; the condition narrows it.
                PrincipalElement {
                    kind: "AWS",
                    principal: root.clone(),
                    condition: Some(("ArnEquals", root)),
                }
            }
        }
    }

    /// What a person must know about this principal before they copy a policy, if anything.
    #[must_use]
    pub fn caution(&self) -> Option<String> {
        match self {
            Self::User { .. }
            | Self::Service(_)
            | Self::Role {
                is_path_known: true,
                ..
            } => None,
            Self::Role { .. } => Some(
                "The path of the role could not be read (iam:GetRole), and AWS refuses a role's ARN \
                 without its path. So the account is named, and the condition narrows it to the \
                 role's name under any path. The one who knows the role's full ARN can name it in place \
                 of both."
                    .to_owned(),
            ),
            Self::IdentityCenter { permission_set, has_region_in_path, .. } => {
                let mut text = format!(
                    "The role belongs to the permission set {permission_set} of IAM Identity \
                     Center. It cannot be edited by hand: the owner of the permission set adds the \
                     identity policy to it."
                );
                if has_region_in_path.is_none() {
                    text.push_str(
                        " The role's path could not be read (iam:GetRole). If Identity Center \
                         lives in us-east-1, its roles have no Region in their path: leave `*/` \
                         out of the pattern then.",
                    );
                }
                Some(text)
            }
            Self::Root { .. } => Some(
                "The root user needs no identity policy. AWS advises not to use it for daily work: \
                 a role with just these permissions is safer."
                    .to_owned(),
            ),
            Self::Other { arn } => Some(format!(
                "{arn} is a session of its own kind: a grant to it ends with its name. A role is \
                 easier to grant to."
            )),
        }
    }
}

impl SourcePrincipal {
    /// What anyone who owns a resource must know before its policy names this principal, if anything.
    #[must_use]
    pub fn caution_of_naming(&self) -> Option<String> {
        match self {
            Self::IdentityCenter {
                has_region_in_path: None,
                ..
            } => Some(
                "The role's path could not be read (iam:GetRole). If Identity Center lives in \
                 us-east-1, its roles have no Region in their path: leave `*/` out of the pattern \
                 then."
                    .to_owned(),
            ),
            Self::IdentityCenter { .. } => None,
            _ => self.caution(),
        }
    }

    /// Who else is named where a policy names this principal; none where it is named alone.
    #[must_use]
    pub fn named_besides(&self) -> Option<String> {
        match self {
            Self::Role {
                arn,
                is_path_known: false,
            } => Some(format!(
                "every role of {} whose name ends in {}, since its path could not be read \
                 (iam:GetRole)",
                arn.account,
                role_name(arn)
            )),
            _ => None,
        }
    }
}

/// A role's name, without its path.
fn role_name(arn: &Arn) -> &str {
    arn.resource.rsplit('/').next().unwrap_or(&arn.resource)
}

impl fmt::Display for SourcePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { arn } | Self::Role { arn, .. } | Self::Other { arn } => arn.fmt(f),
            Self::IdentityCenter {
                account,
                permission_set,
                ..
            } => write!(f, "permission set {permission_set} in {account}"),
            Self::Root { account, .. } => write!(f, "the root user of {account}"),
            Self::Service(service) => write!(
                f,
                "the service principal {}, acting for {} of account {},",
                service.name, service.source_arn, service.source_account
            ),
        }
    }
}
/// Whether two ARNs are of one user, or of one role and its sessions. "Names must be unique within an
/// account" whatever the path ("IAM and AWS STS quotas").
pub(crate) fn is_same_principal(one: &str, other: &str) -> bool {
    let role = |arn: &str| {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?.to_owned(), parts.next()?);
        let name = match resource.split_once('/')? {
            ("assumed-role", names) => names.split('/').next()?,
            ("role", path) => path.rsplit('/').next()?,
            _ => return None,
        };
        Some((account, name.to_owned()))
    };
    one == other || role(one).is_some_and(|own| role(other) == Some(own))
}
