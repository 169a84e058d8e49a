//! What a remedy is to a tool: whose policy or which setting it changes, in which account and Region,
//! who signs in there, and what stands against writing it.

use super::{ChangeSide, laid_out};
use crate::assess::facts::{Facts, PrincipalFacts};
use crate::assess::job_facts::bucket_owner;
use crate::assess::principal::SourcePrincipal;
use crate::assess::remedy::{Fix, Remedy, Target};
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::arn::{AccountId, Arn, Region};

/// Whose policy a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder<'a> {
    /// An inline policy of a user.
    User {
        /// The user's name.
        user: String,
        /// The policy's name.
        policy: &'a str,
    },
    /// An inline policy of a role.
    Role {
        /// The role's name, without its path.
        role: String,
        /// The policy's name.
        policy: &'a str,
    },
    /// The inline policy of a permission set, whose roles cannot be edited by hand.
    PermissionSet {
        /// The set's name.
        set: String,
    },
    /// A principal that takes no policy of its own, such as a federated user.
    Nobody {
        /// Who it is.
        principal: String,
    },
    /// A bucket's policy.
    Bucket {
        /// The bucket.
        bucket: &'a str,
    },
    /// A key's policy.
    Key {
        /// The key's ARN.
        key: &'a str,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemedyAction<'a> {
    /// A policy is written.
    Policy {
        /// Whose.
        holder: Holder<'a>,
        /// The live document; `None` where there is none.
        before: Option<&'a str>,
        /// The whole document as it should be.
        after: &'a str,
    },
    /// Point-in-time recovery of a table is switched on.
    Recovery {
        /// The table.
        table: &'a Arn,
    },
    /// The plan is changed.
    Plan {
        /// The key in the plan file.
        key: &'a str,
        /// The value.
        value: &'a str,
    },
    /// Somebody else has to fix it.
    Message {
        /// What to tell them.
        text: &'a str,
    },
}

/// One remedy, and where it belongs.
#[derive(Debug, Clone)]
pub struct RemedyItem<'a> {
    /// The remedy.
    pub remedy: &'a Remedy,
    /// What is to be done.
    pub change: RemedyAction<'a>,
    /// The account that is changed; `None` where none is, or nobody knows which.
    pub account: Option<AccountId>,
    /// The Region that is called.
    pub region: Region,
    /// Who signs in.
    pub side: ChangeSide,
    /// Why it must not be written; empty where it may.
    pub obstacles: Vec<String>,
}

impl RemedyItem<'_> {
    /// What is done, in words.
    #[must_use]
    pub fn title(&self) -> String {
        let what = match &self.change {
            RemedyAction::Policy { holder, .. } => match holder {
                Holder::User { user, policy } => format!("inline policy {policy} of user {user}"),
                Holder::Role { role, policy } => format!("inline policy {policy} of role {role}"),
                Holder::PermissionSet { set } => format!("inline policy of permission set {set}"),
                Holder::Nobody { principal } => format!("identity policy of {principal}"),
                Holder::Bucket { bucket } => format!("bucket policy of {bucket}"),
                Holder::Key { key } => format!("key policy of {key}"),
            },
            RemedyAction::Recovery { table } => format!("point-in-time recovery of {table}"),
            RemedyAction::Plan { key, value } => return format!("{key} = \"{value}\" in the plan"),
            RemedyAction::Message { .. } => return format!("text to {}", self.remedy.responsible),
        };
        match &self.account {
            Some(account) => format!("{what} in account {account}"),
            None => what,
        }
    }

    /// Whether it may be written.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// What to know about it, a sentence each.
    pub(super) fn notes(&self) -> Vec<String> {
        let lists = [
            ("It resolves", &self.remedy.resolves_in_words()),
            ("It lets through", &self.remedy.lets_through),
            ("To know", &self.remedy.warnings),
        ];
        lists
            .into_iter()
            .flat_map(|(word, list)| list.iter().map(move |text| format!("{word}: {text}")))
            .collect()
    }

    /// The sentence that says that it is not in the document, and why.
    pub(super) fn left_out(&self, why: &str) -> String {
        format!("{} is not written: {why}", self.title())
    }

    /// Why no document of any format holds it; `None` where one may.
    pub(super) fn keeps_out(&self) -> Option<String> {
        match &self.change {
            _ if !self.is_writable() => Some(self.left_out(&self.obstacles.join("; "))),
            RemedyAction::Plan { key, value } => {
                Some(format!("set {key} = \"{value}\" in the plan"))
            }
            RemedyAction::Message { text } => {
                Some(format!("for {}: {text}", self.remedy.responsible))
            }
            RemedyAction::Policy {
                holder: Holder::PermissionSet { set },
                after,
                ..
            } => Some(format!(
                "roles of IAM Identity Center cannot be edited by hand: the owner of the permission \
                 set {set} adds this to its inline policy, and provisions it again\n{}",
                laid_out(after)
            )),
            RemedyAction::Policy {
                holder: Holder::Nobody { .. },
                ..
            } => Some(self.left_out("such a principal takes no policy of its own")),
            RemedyAction::Policy { .. } | RemedyAction::Recovery { .. } => None,
        }
    }
}

/// Finds out what a remedy is to a tool.
pub(super) fn of<'a>(plan: &Plan, facts: &Facts, remedy: &'a Remedy) -> RemedyItem<'a> {
    let source = facts.source();
    let mut item = RemedyItem {
        remedy,
        change: RemedyAction::Message { text: "" },
        account: None,
        region: source.region.clone(),
        side: ChangeSide::Source,
        obstacles: remedy.problems.clone(),
    };
    match &remedy.fix {
        Fix::Document {
            target,
            before,
            after,
            ..
        } => {
            item.change = RemedyAction::Policy {
                holder: holder(facts, target),
                before: before.as_deref(),
                after,
            };
            place(plan, facts, target, &mut item);
        }
        Fix::EnableRecovery { table } => {
            item.change = RemedyAction::Recovery { table };
            item.account = table.account_id();
            item.region = table.region_code().unwrap_or(item.region);
        }
        Fix::Plan { key, value, .. } => item.change = RemedyAction::Plan { key, value },
        Fix::RequestText { text } => item.change = RemedyAction::Message { text },
    }
    item
}

fn holder<'a>(facts: &Facts, target: &'a Target) -> Holder<'a> {
    match target {
        Target::BucketPolicy { bucket } => Holder::Bucket {
            bucket: bucket.as_str(),
        },
        Target::KeyPolicy { key } => Holder::Key { key },
        Target::IdentityPolicy { who, name } => {
            let (_, principal) = signed_in(facts, *who);
            let last = |arn: &Arn| {
                let name = arn.resource.rsplit('/').next();
                name.unwrap_or(&arn.resource).to_owned()
            };
            match principal.naming() {
                SourcePrincipal::User { arn } => Holder::User {
                    user: last(&arn),
                    policy: name,
                },
                SourcePrincipal::Role { arn, .. } => Holder::Role {
                    role: last(&arn),
                    policy: name,
                },
                SourcePrincipal::IdentityCenter { permission_set, .. } => Holder::PermissionSet {
                    set: permission_set,
                },
                other => Holder::Nobody {
                    principal: other.to_string(),
                },
            }
        }
    }
}

fn signed_in(facts: &Facts, who: Actor) -> (ChangeSide, &PrincipalFacts) {
    match (who, facts.destination()) {
        (Actor::Reader, Some(destination)) => (ChangeSide::Destination, destination),
        _ => (ChangeSide::Source, facts.source()),
    }
}

/// Where a document lies, and what stands against writing it.
fn place(plan: &Plan, facts: &Facts, target: &Target, item: &mut RemedyItem<'_>) {
    match target {
        Target::IdentityPolicy { who, .. } => {
            let (side, principal) = signed_in(facts, *who);
            item.account = Some(principal.caller.account.clone());
            item.region = principal.region.clone();
            item.side = side;
        }
        Target::BucketPolicy { bucket } => {
            item.account = bucket_owner(plan, facts);
            let region = facts.bucket(bucket).region.value().cloned();
            let of_profile = facts.destination().map(|side| side.region.clone());
            item.region = region.or(of_profile).unwrap_or(item.region.clone());
            if item.account.is_none() {
                item.obstacles.push(format!(
                    "whose bucket {bucket} is, is not known: set destination.owner in the plan"
                ));
            }
        }
        Target::KeyPolicy { key } => {
            let key = key.parse::<Arn>().ok();
            item.account = key.as_ref().and_then(Arn::account_id);
            let region = key.as_ref().and_then(Arn::region_code);
            item.region = region.unwrap_or(item.region.clone());
            if item.account.is_none() {
                item.obstacles
                    .push("the key's account is not known".to_owned());
            }
        }
    }
    if let (true, Some(account)) = (target.is_resource_policy(), &item.account) {
        item.side = side_of(plan, facts, account);
    }
    if let Some(obstacle) = target.obstacle(facts) {
        item.obstacles.push(format!(
            "what stands there now could not be read ({}), and would be replaced",
            obstacle.permission
        ));
    }
}

/// Who of the plan signs in to an account.
fn side_of(plan: &Plan, facts: &Facts, account: &AccountId) -> ChangeSide {
    let of_destination = facts.destination().map(|side| &side.caller.account);
    let is_source = facts.source().caller.account == *account;
    match of_destination {
        Some(own) if own == account => ChangeSide::Destination,
        // Facts of a file may be older than the plan's profile.
        None if !is_source && plan.destination.sign_in.is_some() => ChangeSide::Destination,
        _ if is_source => ChangeSide::Source,
        _ => ChangeSide::Owner(account.clone()),
    }
}
