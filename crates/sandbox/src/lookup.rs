//! How things in the world are found, and what they are called.

use jiff::{SignedDuration, Timestamp};

use super::SandboxError;
use super::bucket::Bucket;
use super::identifier::uuid_of;
use super::partitions::{carried, via_service};
use super::policy_text::PolicyText;
use super::world::{Account, Key, Role, Table, User, VERSION, World};
use tableferry_policy::arn::{Partition, Region};

/// The world as it begins.
const ASSET: &str = include_str!("../assets/world.json");

impl World {
    /// The world as it begins in a partition, born at `now`.
    pub(super) fn fresh(partition: Partition, now: Timestamp) -> Result<Self, SandboxError> {
        let text = carried(ASSET, partition).ok_or(SandboxError::NoWorld(partition))?;
        Self::begin(&text, now)
    }

    /// A world that is written down as it begins, born at `now`.
    pub(super) fn begin(text: &str, now: Timestamp) -> Result<Self, SandboxError> {
        let mut world = Self::read(text)?;
        world.born = now;
        let born = world.born;
        for account in world.accounts.values_mut() {
            for table in &mut account.tables {
                table.recovery_since = table.recovery_days_ago.map(|days| days_before(born, days));
            }
        }
        world.complete_managed_keys();
        Ok(world)
    }

    /// Adds a table of so many items beside `Orders`, whose form its items have.
    pub(super) fn add_generated_table(&mut self, items: u64) {
        let tables = self
            .accounts
            .values_mut()
            .map(|account| &mut account.tables);
        for tables in tables {
            let orders = tables.iter().find(|table| table.name == "Orders").cloned();
            tables.extend(orders.map(|orders| Table {
                name: "Generated".to_owned(),
                items,
                ..orders
            }));
        }
    }

    /// Gives each account that has a table `Orders` small tables like it, `Bulk-0001` and on.
    pub(super) fn add_bulk_tables(&mut self, count: u32) {
        for account in self.accounts.values_mut() {
            let tables = &mut account.tables;
            let Some(orders) = tables.iter().find(|table| table.name == "Orders").cloned() else {
                continue;
            };
            tables.extend((1..=count).map(|number| Table {
                name: format!("Bulk-{number:04}"),
                items: 3,
                ..orders.clone()
            }));
        }
    }

    /// Reads a world, as the asset or a state file holds it.
    pub(super) fn read(text: &str) -> Result<Self, SandboxError> {
        let world: Self = serde_json::from_str(text).map_err(SandboxError::World)?;
        if world.version == VERSION {
            Ok(world)
        } else {
            Err(SandboxError::Version(world.version))
        }
    }

    /// Gives each AWS managed key the policy that AWS gives it: its service, on behalf of the
    /// account's own principals, and nobody else.
    fn complete_managed_keys(&mut self) {
        let partition = self.partition;
        for (id, account) in &mut self.accounts {
            for key in &mut account.keys {
                let Some(service) = key.aws_managed.clone() else {
                    continue;
                };
                let via = via_service(partition, &service, &key.region);
                let policy = serde_json::json!({
                    "Version": "2012-10-17",
                    "Id": format!("auto-{service}-2"),
                    "Statement": [{
                        "Sid": format!("Allow access through {} for all principals in the account that are authorized to use it", service.to_uppercase()),
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                        "Resource": "*",
                        "Condition": {"StringEquals": {"kms:CallerAccount": id, "kms:ViaService": via}},
                    }, {
                        "Sid": "Allow direct access to key metadata to the account",
                        "Effect": "Allow",
                        "Principal": {"AWS": format!("arn:{partition}:iam::{id}:root")},
                        "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
                        "Resource": "*",
                    }],
                });
                key.policy.current = Some(PolicyText(format!("{policy:#}")));
            }
        }
    }

    /// Whether a Region is of another partition. Its access keys are unknown there ("Credentials are
    /// not shared between partitions", "AWS GovCloud (US) compared to standard AWS Regions").
    pub(super) fn is_elsewhere(&self, region: &str) -> bool {
        region
            .parse::<Region>()
            .is_ok_and(|region| region.partition() != self.partition)
    }

    /// Says that the world is not what a state file holds any more.
    pub(super) const fn touch(&mut self) {
        self.is_changed = true;
    }

    /// How many of so many writes come back as unprocessed; they are counted off.
    pub(super) fn take_unprocessed(&mut self, writes: usize) -> usize {
        let taken = self
            .unprocessed_items
            .min(u32::try_from(writes).unwrap_or(u32::MAX));
        self.unprocessed_items -= taken;
        usize::try_from(taken).unwrap_or(0)
    }

    /// Whether an account belongs to the organization.
    pub(super) fn is_member(&self, account: &str) -> bool {
        self.organization.accounts.iter().any(|id| id == account)
    }

    /// Whether two accounts are one, or belong to one organization: only then AWS gives reasons.
    pub(super) fn share_organization(&self, one: &str, other: &str) -> bool {
        one == other || (self.is_member(one) && self.is_member(other))
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub(super) fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// The table of a name in an account and Region.
    pub(super) fn table(&self, account: &str, region: &str, name: &str) -> Option<&Table> {
        self.account(account)?
            .tables
            .iter()
            .find(|table| table.region == region && table.name == name)
    }

    /// The same, to be changed.
    pub(super) fn table_mut(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
    ) -> Option<&mut Table> {
        self.accounts
            .get_mut(account)?
            .tables
            .iter_mut()
            .find(|table| table.region == region && table.name == name)
    }

    /// The role that an ARN with its path names.
    pub(super) fn role_by_arn(&self, arn: &str) -> Option<(&str, &str, &Role)> {
        let (account, name) = self.iam_name(arn, ":role/")?;
        let (id, account) = self.accounts.get_key_value(account)?;
        let (name, role) = account.roles.get_key_value(name)?;
        (role.arn(self.partition, id, name) == arn).then_some((id, name, role))
    }

    /// The user that an ARN with its path names.
    pub(super) fn user_by_arn(&self, arn: &str) -> Option<(&str, &str, &User)> {
        let (account, name) = self.iam_name(arn, ":user/")?;
        let (id, account) = self.accounts.get_key_value(account)?;
        let (name, user) = account.users.get_key_value(name)?;
        (user.arn(self.partition, id, name) == arn).then_some((id, name, user))
    }

    /// The account and the last path element of an IAM ARN of this partition.
    fn iam_name<'a>(&self, arn: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
        let rest = arn.strip_prefix(&format!("arn:{}:iam::", self.partition))?;
        let (account, path) = rest.split_once(kind)?;
        Some((account, path.rsplit('/').next()?))
    }

    /// The key with an id in an account and Region.
    pub(super) fn key(&self, account: &str, region: &str, id: &str) -> Option<&Key> {
        self.account(account)?
            .keys
            .iter()
            .find(|key| key.region == region && key.id == id)
    }

    /// The key that an alias of an account and Region stands for.
    pub(super) fn key_by_alias(&self, account: &str, region: &str, alias: &str) -> Option<&Key> {
        self.account(account)?
            .keys
            .iter()
            .find(|key| key.region == region && key.aliases.iter().any(|name| name == alias))
    }

    /// Whether some identity, account or key of the world has this id or ARN as a principal.
    pub(super) fn has_principal(&self, principal: &str) -> bool {
        if principal == "*" || self.accounts.contains_key(principal) {
            return true;
        }
        if let Some(account) = principal
            .strip_prefix(&format!("arn:{}:iam::", self.partition))
            .and_then(|rest| rest.strip_suffix(":root"))
        {
            return self.accounts.contains_key(account);
        }
        if let Some(rest) = principal.strip_prefix(&format!("arn:{}:sts::", self.partition)) {
            return self.has_session_principal(rest);
        }
        self.role_by_arn(principal).is_some() || self.user_by_arn(principal).is_some()
    }

    /// A session principal is valid where its role exists.
    fn has_session_principal(&self, rest: &str) -> bool {
        let Some((account, resource)) = rest.split_once(':') else {
            return false;
        };
        let mut parts = resource.split('/');
        parts.next() == Some("assumed-role")
            && parts.next().is_some_and(|role| {
                self.account(account)
                    .is_some_and(|account| account.roles.contains_key(role))
            })
            && parts
                .next()
                .is_some_and(|name| !name.is_empty() && name != "*")
    }
}

/// A time some days before another.
pub(super) fn days_before(time: Timestamp, days: u32) -> Timestamp {
    time.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Role {
    /// The role's ARN, with its path.
    pub(super) fn arn(&self, partition: Partition, account: &str, name: &str) -> String {
        format!("arn:{partition}:iam::{account}:role{}{name}", self.path)
    }
}

impl User {
    /// The user's ARN, with its path.
    pub(super) fn arn(&self, partition: Partition, account: &str, name: &str) -> String {
        format!("arn:{partition}:iam::{account}:user{}{name}", self.path)
    }
}

impl Table {
    /// The table's ARN.
    pub(super) fn arn(&self, partition: Partition, account: &str) -> String {
        format!(
            "arn:{partition}:dynamodb:{}:{account}:table/{}",
            self.region, self.name
        )
    }

    /// When the table was made.
    pub(super) fn created_at(&self, born: Timestamp) -> Timestamp {
        match &self.making {
            Some(making) => making.at,
            None => days_before(born, self.created_days_ago),
        }
    }

    /// `TableId`; the table of another account or Region has another, and so has one that is made again.
    pub(super) fn id(&self, arn: &str) -> String {
        match &self.making {
            Some(making) => making.id.clone(),
            None => uuid_of(arn),
        }
    }

    /// `TableStatus`.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        if self.deletion.is_some() {
            return "DELETING";
        }
        match &self.making {
            Some(making) if now < making.active_at => "CREATING",
            _ => "ACTIVE",
        }
    }

    /// Whether its deletion is done.
    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|(_, gone_at)| gone_at <= now)
    }

    /// Whether its items can be read and written.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.status(now) == "ACTIVE"
    }

    /// How many items it has.
    pub(super) fn item_count(&self) -> u64 {
        match &self.store {
            Some(store) => u64::try_from(store.items().len()).unwrap_or(u64::MAX),
            None => self.items,
        }
    }

    /// The recovery window at a time: its beginning and its end.
    ///
    /// The end lies five minutes back, as `LatestRestorableDateTime` typically does ("Point-in-time
    /// backups for `DynamoDB`", developer guide).
    pub(super) fn recovery_window(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let since = self.recovery_since?;
        let earliest = days_before(now, self.recovery_period_days).max(since);
        let latest = now
            .checked_sub(SignedDuration::from_mins(5))
            .unwrap_or(now)
            .max(earliest);
        Some((earliest, latest))
    }
}

impl Key {
    /// The key's ARN.
    pub(super) fn arn(&self, partition: Partition, account: &str) -> String {
        format!(
            "arn:{partition}:kms:{}:{account}:key/{}",
            self.region, self.id
        )
    }
}
