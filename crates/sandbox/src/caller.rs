//! Who calls: what an access key stands for, and the names AWS gives it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::{Origin, PolicyText, TemporaryKeys, User, World};
use tableferry_policy::evaluate::Principal;

/// A principal, as it stood when it called; an export keeps it for as long as it writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Caller {
    pub account: String,
    /// The access key id that signed.
    pub access_key: String,
    pub who: Who,
    /// The ARN that `GetCallerIdentity` gives and refusals name.
    pub arn: String,
    /// The ARN that `aws:PrincipalArn` holds: of a session, its role's.
    pub principal_arn: String,
    /// The id that `aws:userid` holds.
    pub user_id: String,
    /// What temporary credentials carry; `None` for a user's own keys.
    pub session: Option<SessionFacts>,
}

/// Whether a user calls, or a session of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Who {
    User { name: String },
    Session { role: String, name: String },
}

/// What temporary credentials carry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SessionFacts {
    pub issued_at: Timestamp,
    pub has_mfa: bool,
    pub source_identity: Option<String>,
    pub policies: Vec<PolicyText>,
}

/// What an access key opens.
pub(super) struct Opened<'a> {
    pub caller: Caller,
    pub secret: &'a str,
    /// The token that has to come with the key.
    pub token: Option<&'a str>,
    pub expires_at: Option<Timestamp>,
}

impl Caller {
    /// The policy engine's words for the caller.
    pub(super) fn principal(&self) -> Principal {
        match self.who {
            Who::User { .. } => Principal::User {
                arn: self.arn.clone(),
            },
            Who::Session { .. } => Principal::Session {
                arn: self.arn.clone(),
                role_arn: Some(self.principal_arn.clone()),
            },
        }
    }

    fn of_user(account: &str, name: &str, user: &User, access_key: &str) -> Self {
        let arn = user.arn(account, name);
        Self {
            account: account.to_owned(),
            access_key: access_key.to_owned(),
            who: Who::User {
                name: name.to_owned(),
            },
            principal_arn: arn.clone(),
            arn,
            user_id: user.id.clone(),
            session: None,
        }
    }
}

impl World {
    /// The tags of the caller's user or role.
    pub(super) fn tags(&self, caller: &Caller) -> impl Iterator<Item = (&String, &String)> {
        let account = self.account(&caller.account);
        let tags = account.and_then(|account| match &caller.who {
            Who::User { name } => account.users.get(name).map(|user| &user.tags),
            Who::Session { role, .. } => account.roles.get(role).map(|role| &role.tags),
        });
        tags.into_iter().flatten()
    }

    /// What an access key id opens; `None` where nobody has it.
    pub(super) fn open_key(&self, access_key: &str) -> Option<Opened<'_>> {
        if let Some(keys) = self.sessions.get(access_key) {
            return self.open_session(access_key, keys);
        }
        self.accounts.iter().find_map(|(id, account)| {
            account.users.iter().find_map(|(name, user)| {
                user.access_keys.get(access_key).map(|secret| Opened {
                    caller: Caller::of_user(id, name, user, access_key),
                    secret,
                    token: None,
                    expires_at: None,
                })
            })
        })
    }

    fn open_session<'a>(&'a self, access_key: &str, keys: &'a TemporaryKeys) -> Option<Opened<'a>> {
        let account = self.account(&keys.account)?;
        let mut caller = match &keys.origin {
            Origin::User { user } => {
                Caller::of_user(&keys.account, user, account.users.get(user)?, access_key)
            }
            Origin::Role { role, session_name } => {
                let found = account.roles.get(role)?;
                Caller {
                    account: keys.account.clone(),
                    access_key: access_key.to_owned(),
                    arn: session_arn(&keys.account, role, session_name),
                    principal_arn: found.arn(&keys.account, role),
                    user_id: format!("{}:{session_name}", found.id),
                    who: Who::Session {
                        role: role.clone(),
                        name: session_name.clone(),
                    },
                    session: None,
                }
            }
        };
        caller.session = Some(SessionFacts {
            issued_at: keys.issued_at.unwrap_or(self.born),
            has_mfa: keys.has_mfa,
            source_identity: keys.source_identity.clone(),
            policies: keys.policies.clone(),
        });
        Some(Opened {
            caller,
            secret: &keys.secret,
            token: Some(&keys.token),
            expires_at: keys.expires_at,
        })
    }
}

/// The ARN of a role's session, which leaves out the role's path.
pub(super) fn session_arn(account: &str, role: &str, session_name: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}")
}
