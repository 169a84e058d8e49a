//! Which principals `Principal` and `NotPrincipal` name, and how closely they name the caller.

use super::condition::ContextReading;
use super::document::{PrincipalKind, Principals};
use super::request::{Principal, is_account_id};

/// How closely a policy names the caller; it decides which implicit denies its Allow gets past
/// ("How AWS enforcement code logic evaluates requests to allow or deny access").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PrincipalMatch {
    /// By account: "both delegate permissions to the account", whose administrator then decides.
    Account,
    /// By the role or user that its session stands for, whose permissions boundary, with the session
    /// policy, still limits it.
    Entity,
    /// Itself, or everybody: no other policy's implicit deny limits it.
    Itself,
}

/// The caller as principals are compared with it.
pub(crate) struct ComparedCaller<'a> {
    pub(crate) principal: &'a Principal,
    account: Option<&'a str>,
    stands_for: Option<Entity<'a>>,
}

/// The role or user behind a caller's credentials.
enum Entity<'a> {
    /// Known by its whole ARN.
    Arn(&'a str),
    /// Known by what a session's ARN tells of it: all but the path.
    Name {
        partition: &'a str,
        account: &'a str,
        /// `role` or `user`.
        kind: &'static str,
        name: &'a str,
    },
}

impl<'a> Entity<'a> {
    /// The entity behind a session. The role is the one that `aws:PrincipalArn` gives, if that is of
    /// this account and name; a federated user session's "ARN is based on the original identity that
    /// was federated" ("AWS JSON policy elements: Principal").
    fn of_session(session: &'a str, principal_arn: Option<&'a str>) -> Option<Self> {
        let mut parts = session.splitn(6, ':').skip(1);
        let (partition, _, _, account) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (kind, names) = match parts.next()?.split_once('/')? {
            ("assumed-role", names) => ("role", names),
            ("federated-user", names) => ("user", names),
            _ => return None,
        };
        let entity = Self::Name {
            partition,
            account,
            kind,
            name: names.split('/').next()?,
        };
        let own = principal_arn.filter(|arn| kind == "role" && entity.is(arn));
        Some(own.map_or(entity, Self::Arn))
    }

    /// Whether an ARN is the entity's. A name is unique in its account, whatever the path ("IAM and
    /// AWS STS quotas"), so a path that the session does not tell makes no difference.
    fn is(&self, arn: &str) -> bool {
        match self {
            Self::Arn(own) => *own == arn,
            Self::Name {
                partition,
                account,
                kind,
                name,
            } => arn
                .strip_prefix("arn:")
                .and_then(|rest| rest.strip_prefix(partition)?.strip_prefix(":iam::"))
                .and_then(|rest| rest.strip_prefix(account)?.strip_prefix(':'))
                .and_then(|rest| rest.strip_prefix(kind)?.strip_prefix('/'))
                .is_some_and(|path| path.rsplit('/').next() == Some(name)),
        }
    }
}

impl<'a> ComparedCaller<'a> {
    pub(crate) fn new(principal: &'a Principal, reading: ContextReading<'a>) -> Self {
        let stands_for = match principal {
            Principal::Role { arn } => Some(Entity::Arn(arn)),
            Principal::Session {
                role_arn: Some(role),
                ..
            } => Some(Entity::Arn(role)),
            Principal::Session {
                arn,
                role_arn: None,
            } => Entity::of_session(arn, reading.known("aws:PrincipalArn")),
            Principal::FederatedUser { arn } => Entity::of_session(arn, None),
            _ => None,
        };
        Self {
            principal,
            account: principal.account(),
            stands_for,
        }
    }

    /// How closely a `Principal` element names the caller, if at all.
    pub(crate) fn named_by(&self, principals: &Principals<'_>) -> Option<PrincipalMatch> {
        if principals.is_everyone {
            return Some(PrincipalMatch::Itself);
        }
        principals
            .entries
            .iter()
            .filter_map(|(kind, text)| self.named_as(*kind, &text.value))
            .max()
    }

    /// How closely one entry names the caller.
    pub(crate) fn named_as(&self, kind: PrincipalKind, text: &str) -> Option<PrincipalMatch> {
        match (kind, self.principal) {
            (PrincipalKind::Aws, _) => self.named_by_aws(text),
            (PrincipalKind::Service, Principal::Service { name }) => {
                (name == text).then_some(PrincipalMatch::Itself)
            }
            (PrincipalKind::Federated, Principal::Federated { provider }) => {
                (provider == text).then_some(PrincipalMatch::Itself)
            }
            _ => None,
        }
    }

    /// How closely a grant's grantee names the caller: an ARN, or a service.
    pub(crate) fn named_by_grant(&self, grantee: &str) -> Option<PrincipalMatch> {
        self.named_as(PrincipalKind::Aws, grantee)
            .or_else(|| self.named_as(PrincipalKind::Service, grantee))
            .filter(|_| grantee != "*")
    }

    fn named_by_aws(&self, text: &str) -> Option<PrincipalMatch> {
        if text == "*" {
            return Some(PrincipalMatch::Itself);
        }
        if let Some(account) = account_named(text) {
            let is_same = self.account == Some(account) && self.is_same_partition(text);
            return is_same.then_some(PrincipalMatch::Account);
        }
        match self.principal {
            Principal::User { arn }
            | Principal::FederatedUser { arn }
            | Principal::Session { arn, .. }
                if arn == text =>
            {
                Some(PrincipalMatch::Itself)
            }
            _ => self
                .stands_for
                .as_ref()
                .is_some_and(|entity| entity.is(text))
                .then_some(PrincipalMatch::Entity),
        }
    }

    fn is_same_partition(&self, text: &str) -> bool {
        match (partition(text), partition(self.principal.name())) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        }
    }

    /// What a `NotPrincipal` element must list so that it exempts the caller.
    ///
    /// "When you use `NotPrincipal`, you must also specify the account ARN of the not-denied
    /// principal"; for an assumed role, AWS checks "the account, then the role, and then the
    /// assumed-role user" ("AWS JSON policy elements: `NotPrincipal`"). So the whole chain is listed,
    /// or the Deny applies.
    pub(crate) const fn exemption_chain(&self) -> &'static [PrincipalMatch] {
        match self.principal {
            Principal::User { .. } | Principal::FederatedUser { .. } => {
                &[PrincipalMatch::Account, PrincipalMatch::Itself]
            }
            Principal::Role { .. } => &[PrincipalMatch::Account, PrincipalMatch::Entity],
            Principal::Session { .. } => &[
                PrincipalMatch::Account,
                PrincipalMatch::Entity,
                PrincipalMatch::Itself,
            ],
            Principal::AccountRoot { .. } => &[PrincipalMatch::Account],
            Principal::Service { .. } | Principal::Federated { .. } | Principal::Anonymous => {
                &[PrincipalMatch::Itself]
            }
        }
    }

    /// What of the chain a `NotPrincipal` element does not list; nothing where it exempts the caller.
    pub(crate) fn unlisted(&self, principals: &Principals<'_>) -> Vec<PrincipalMatch> {
        let lists_everyone = principals.is_everyone
            || principals
                .entries
                .iter()
                .any(|(kind, text)| *kind == PrincipalKind::Aws && text.value == "*");
        if lists_everyone {
            return Vec::new();
        }
        let lists = |wanted: PrincipalMatch| {
            principals
                .entries
                .iter()
                .any(|(kind, text)| self.named_as(*kind, &text.value) == Some(wanted))
        };
        self.exemption_chain()
            .iter()
            .copied()
            .filter(|wanted| !lists(*wanted))
            .collect()
    }

    /// One of the chain in words.
    pub(crate) fn link_name(&self, link: PrincipalMatch) -> String {
        let name = self.principal.name();
        match (link, self.principal) {
            (PrincipalMatch::Account, _) => {
                format!("the account {}", self.account.unwrap_or_default())
            }
            (PrincipalMatch::Entity, Principal::Session { .. }) => match &self.stands_for {
                Some(Entity::Arn(arn)) => format!("the role {arn}"),
                Some(Entity::Name { name, .. }) => format!("the role `{name}`"),
                None => "the role".to_owned(),
            },
            (PrincipalMatch::Entity, _) => format!("the role {name}"),
            (
                PrincipalMatch::Itself,
                Principal::Session { .. } | Principal::FederatedUser { .. },
            ) => {
                format!("the session {name}")
            }
            (PrincipalMatch::Itself, Principal::User { .. }) => format!("the user {name}"),
            (PrincipalMatch::Itself, _) => name.to_owned(),
        }
    }
}

/// The account that a principal entry names as a whole, by its id or by its root's ARN.
pub(crate) fn account_named(text: &str) -> Option<&str> {
    if is_account_id(text) {
        return Some(text);
    }
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let (service, region, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (service == "iam" && region.is_empty() && resource == "root" && is_account_id(account))
        .then_some(account)
}

fn partition(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').next()
}
