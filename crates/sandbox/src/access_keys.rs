//! What an access key opens: whose it is, the secret and the token that go with it, and until when.

use jiff::Timestamp;

use super::caller::{Caller, CallerIdentity, SessionFacts, session_arn};
use super::world::{SessionOrigin, TemporaryKeys, User, World};
use tableferry_policy::arn::Partition;

/// What an access key opens.
pub(super) struct Opened<'a> {
    pub caller: Caller,
    pub secret: &'a str,
    /// The token that has to come with the key.
    pub token: Option<&'a str>,
    pub expires_at: Option<Timestamp>,
}

impl World {
    /// What an access key id opens; `None` where nobody has it.
    pub(super) fn open_key(&self, access_key: &str) -> Option<Opened<'_>> {
        if let Some(keys) = self.sessions.get(access_key) {
            return self.open_session(access_key, keys);
        }
        self.accounts.iter().find_map(|(id, account)| {
            account.users.iter().find_map(|(name, user)| {
                user.access_keys.get(access_key).map(|secret| Opened {
                    caller: user_caller(self.partition, (id, name), user, access_key),
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
            SessionOrigin::User { user } => user_caller(
                self.partition,
                (&keys.account, user),
                account.users.get(user)?,
                access_key,
            ),
            SessionOrigin::Role { role, session_name } => {
                let found = account.roles.get(role)?;
                Caller {
                    account: keys.account.clone(),
                    access_key: access_key.to_owned(),
                    arn: session_arn(self.partition, &keys.account, role, session_name),
                    principal_arn: found.arn(self.partition, &keys.account, role),
                    user_id: format!("{}:{session_name}", found.id),
                    identity: CallerIdentity::Session {
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

/// A user as a caller, without what temporary credentials carry.
fn user_caller(
    partition: Partition,
    (account, name): (&str, &str),
    user: &User,
    access_key: &str,
) -> Caller {
    let arn = user.arn(partition, account, name);
    Caller {
        account: account.to_owned(),
        access_key: access_key.to_owned(),
        identity: CallerIdentity::User {
            name: name.to_owned(),
        },
        principal_arn: arn.clone(),
        arn,
        user_id: user.id.clone(),
        session: None,
    }
}
