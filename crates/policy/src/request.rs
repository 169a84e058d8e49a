//! What is asked: who, which action, on what, in which context.

use std::cmp::Ordering;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An IAM user, by ARN.
    User {
        /// The user's ARN, with its path.
        arn: String,
    },
    /// A role itself, by ARN.
    Role {
        /// The role's ARN, with its path.
        arn: String,
    },
    /// A session of an assumed role.
    Session {
        /// The session's ARN, `arn:…:sts::ACCOUNT:assumed-role/NAME/SESSION`.
        arn: String,
        /// The role's ARN with its path, which the session's ARN leaves out; where it is not given
        /// it is taken from `aws:PrincipalArn`, or a role of that name is meant, whatever its path.
        role_arn: Option<String>,
    },
    /// A federated user's session.
    FederatedUser {
        /// Its ARN, `arn:…:sts::ACCOUNT:federated-user/NAME`.
        arn: String,
    },
    /// The root user of an account.
    AccountRoot {
        /// The account's id.
        account: String,
    },
    /// An AWS service, such as `s3.amazonaws.com`.
    Service {
        /// The service principal's name.
        name: String,
    },
    /// A person that an identity provider vouches for, as `AssumeRoleWithSAML` and
    /// `AssumeRoleWithWebIdentity` are called.
    Federated {
        /// The provider: its ARN, or a name such as `accounts.google.com`.
        provider: String,
    },
    /// Nobody: a request without a signature.
    Anonymous,
}

impl Principal {
    /// Reads a principal as operators write it: an ARN, an account's id, a service's name, or `*`
    /// and `anonymous` for nobody. `None` where it is none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" || text.eq_ignore_ascii_case("anonymous") {
            return Some(Self::Anonymous);
        }
        if is_account_id(text) {
            return Some(Self::AccountRoot {
                account: text.to_owned(),
            });
        }
        if !text.starts_with("arn:") {
            return Self::parse_name(text);
        }
        let mut parts = text.splitn(6, ':').skip(2);
        let (service, _, account) = (parts.next()?, parts.next()?, parts.next()?);
        let (resource, arn) = (parts.next()?, text.to_owned());
        if !is_account_id(account) {
            return None;
        }
        match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Some(Self::AccountRoot {
                account: account.to_owned(),
            }),
            ("iam", Some(("user", name))) if !name.is_empty() => Some(Self::User { arn }),
            ("iam", Some(("role", name))) if !name.is_empty() => Some(Self::Role { arn }),
            ("iam", Some(("saml-provider" | "oidc-provider", name))) if !name.is_empty() => {
                Some(Self::Federated { provider: arn })
            }
            ("sts", Some(("assumed-role", names))) if names.contains('/') => Some(Self::Session {
                arn,
                role_arn: None,
            }),
            ("sts", Some(("federated-user", name))) if !name.is_empty() => {
                Some(Self::FederatedUser { arn })
            }
            _ => None,
        }
    }

    fn parse_name(text: &str) -> Option<Self> {
        const PROVIDERS: [&str; 4] = [
            "accounts.google.com",
            "cognito-identity.amazonaws.com",
            "graph.facebook.com",
            "www.amazon.com",
        ];
        let owned = text.to_owned();
        if PROVIDERS.contains(&text) {
            Some(Self::Federated { provider: owned })
        } else if text.contains('.') && !text.contains([' ', '/', ':']) {
            Some(Self::Service { name: owned })
        } else {
            None
        }
    }

    /// The account that the principal belongs to, where it belongs to one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { arn }
            | Self::Role { arn }
            | Self::Session { arn, .. }
            | Self::FederatedUser { arn } => arn.split(':').nth(4),
            Self::AccountRoot { account } => Some(account),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// How sentences call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User { arn }
            | Self::Role { arn }
            | Self::Session { arn, .. }
            | Self::FederatedUser { arn } => arn,
            Self::AccountRoot { account } => account,
            Self::Service { name } => name,
            Self::Federated { provider } => provider,
            Self::Anonymous => "an anonymous caller",
        }
    }

    /// Whether it is a role that belongs to a service, which no organization policy binds: "SCPs do
    /// not affect any service-linked role" ("Service control policies"), nor do RCPs. Its path is
    /// `/aws-service-role/`, and its name begins with `AWSServiceRoleFor`.
    pub(crate) fn is_service_linked(&self) -> bool {
        let named = |arn: &str| {
            arn.splitn(6, ':').nth(5).is_some_and(|resource| {
                resource.starts_with("role/aws-service-role/")
                    || resource.starts_with("assumed-role/AWSServiceRoleFor")
            })
        };
        match self {
            Self::Role { arn } => named(arn),
            Self::Session { arn, role_arn } => named(role_arn.as_deref().unwrap_or(arn)),
            _ => false,
        }
    }
}

/// Whether a text is an account's id: twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a context key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// One value, or several for a multivalued key.
    Known(Vec<String>),
    /// These values, or the key is not there: nobody can tell which.
    KnownOrAbsent(Vec<String>),
    /// Nobody can tell whether it is there, or what it holds.
    Unknown,
}

/// The context of a request: keys without regard to case; a key that is not there is absent.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Sorted by key, without regard to case.
    entries: Vec<(String, ContextValue)>,
}

/// Orders keys without regard to case, and without building the folded keys.
fn compare_keys(left: &str, right: &str) -> Ordering {
    left.bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl Context {
    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.set_all(key, vec![value.into()]);
    }

    /// Sets a multivalued key.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.put(key, ContextValue::Known(values));
    }

    /// Says that a key holds these values if it is there, and that nobody can tell whether it is.
    pub fn set_known_or_absent(&mut self, key: &str, values: Vec<String>) {
        self.put(key, ContextValue::KnownOrAbsent(values));
    }

    /// Says that nobody can tell what a key holds, nor whether it is there.
    pub fn set_unknown(&mut self, key: &str) {
        self.put(key, ContextValue::Unknown);
    }

    /// Takes a key out, so that it is absent.
    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(key) {
            self.entries.remove(at);
        }
    }

    /// What a key holds; `None` where it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        // Most contexts are short and most keys begin alike: there the lengths tell keys apart
        // sooner than a search by order.
        const SHORT: usize = 32;
        let at = if self.entries.len() <= SHORT {
            self.entries
                .iter()
                .position(|(known, _)| known.eq_ignore_ascii_case(key))?
        } else {
            self.find(key).ok()?
        };
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The keys and what they hold, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The keys of which nobody can tell what they hold.
    pub fn unknown_keys(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(|(_, value)| matches!(value, ContextValue::Unknown))
            .map(|(key, _)| key)
    }

    /// The keys that are not settled: unknown ones, and those that may be absent.
    pub(crate) fn unsettled_keys(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(|(_, value)| !matches!(value, ContextValue::Known(_)))
            .map(|(key, _)| key)
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries
            .binary_search_by(|(known, _)| compare_keys(known, key))
    }

    fn put(&mut self, key: &str, value: ContextValue) {
        match self.find(key) {
            Ok(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.entries.insert(at, (key.to_owned(), value)),
        }
    }
}

/// One request to be judged.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: Principal,
    /// The action, such as `s3:PutObject`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for actions without one.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub resource_account: &'a str,
    /// The context of the request.
    pub context: &'a Context,
}
