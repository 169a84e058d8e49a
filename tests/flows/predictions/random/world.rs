//! A case as the sandbox's world.

use serde_json::{Value, json};

use super::case::{BUCKET, Case, DESTINATION, Encryption, Membership, SOURCE, TABLE, document};
use crate::predictions::place::Whereabouts;

pub(super) const CONTROL: &str =
    "arn:aws:organizations::999999999999:policy/o-worlds0001/service_control_policy/p-root";
pub(super) const OF_ACCOUNT: &str =
    "arn:aws:organizations::999999999999:policy/o-worlds0001/service_control_policy/p-account";
pub(super) const RESOURCE_CONTROL: &str =
    "arn:aws:organizations::999999999999:policy/o-worlds0001/resource_control_policy/p-denies";
const FULL: &str = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess";
const FULL_RESOURCE: &str =
    "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

impl Case {
    /// The world.
    pub(crate) fn world(&self) -> Value {
        let mut world = json!({
            "version": 1,
            "organization": self.organization(),
            "managed_policies": self.managed_policies(),
            "accounts": {
                SOURCE: self.source(),
                DESTINATION: { "name": "destination", "users": { "Admin": admin(DESTINATION) } },
                "999999999999": { "name": "management" },
            },
            "buckets": { BUCKET: self.landing() },
            "sessions": {},
            "profiles": [
                { "name": "source", "access_key": self.access_key() },
                { "name": "destination", "access_key": format!("AKIA{}ADMIN", self.bucket_home()) },
            ],
        });
        if !self.is_user() {
            world["sessions"][self.access_key()] = json!({
                "secret": "a-secret-of-worlds-that-opens-nothing000",
                "token": "a-token-of-worlds",
                "account": SOURCE,
                "has_mfa": self.has_mfa,
                "origin": { "Role": { "role": self.name(), "session_name": "s1" } },
            });
        }
        if !self.refusals.is_empty() {
            let whereabouts = self.whereabouts();
            for at in [whereabouts.exporter, whereabouts.reader] {
                let holder = world.pointer_mut(&at).unwrap();
                holder["inline"]["Refusals"] = document(&self.refusals);
            }
        }
        let mut keys = vec![
            (Self::table_key_arn(), &self.table_key, Vec::new()),
            (self.key_arn(), &self.key, self.grants.clone()),
        ];
        for (arn, policy, grants) in keys.drain(..) {
            let account = arn.split(':').nth(4).unwrap();
            let key = json!({
                "id": arn.rsplit('/').next(), "region": "eu-west-1",
                "policy": document(policy), "grants": grants,
            });
            push(&mut world["accounts"][account]["keys"], key);
        }
        for (account, id) in [(SOURCE, "111"), (DESTINATION, "222")] {
            let key = json!({
                "id": format!("5ea1ed00-a115-4e11-8000-000000000{id}"), "region": "eu-west-1",
                "aliases": ["alias/aws/s3"], "aws_managed": "s3",
            });
            push(&mut world["accounts"][account]["keys"], key);
        }
        world
    }

    /// Where the principals stand in the world.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        let kind = if self.is_user() { "users" } else { "roles" };
        Whereabouts {
            exporter: format!("/accounts/{SOURCE}/{kind}/{}", self.name()),
            reader: format!("/accounts/{}/users/Admin", self.bucket_home()),
        }
    }

    const fn access_key(&self) -> &'static str {
        if self.is_user() {
            "AKIAWORLDSOPS0000000"
        } else {
            "ASIAWORLDSOPS0000000"
        }
    }

    fn organization(&self) -> Value {
        let (accounts, manager) = match self.membership {
            Membership::Nobody => (vec!["999999999999"], "999999999999"),
            Membership::SourceAlone => (vec![SOURCE, "999999999999"], "999999999999"),
            Membership::Both => (vec![SOURCE, DESTINATION, "999999999999"], "999999999999"),
            Membership::SourceManages => (vec![SOURCE, DESTINATION], SOURCE),
        };
        let mut organization = json!({
            "id": "o-worlds0001",
            "root": "r-worlds",
            "management_account": manager,
            "accounts": accounts,
            "service_control": [CONTROL],
            "resource_control": [FULL_RESOURCE, RESOURCE_CONTROL],
        });
        if self.resource_control.is_empty() {
            organization["resource_control"] = json!([FULL_RESOURCE]);
        }
        if self.account_service_control.is_some() {
            organization["of_accounts"] = json!({ SOURCE: { "service_control": [OF_ACCOUNT] } });
        }
        if !self.is_on_call {
            organization["delegated"] = json!([SOURCE, DESTINATION]);
        }
        organization
    }

    fn managed_policies(&self) -> Value {
        let all = document(&[super::case::everything()]);
        let mut policies = json!({
            FULL: all,
            ADMINISTRATOR: all,
            CONTROL: document(&self.service_control),
            FULL_RESOURCE: document(&[json!(
                { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }
            )]),
            RESOURCE_CONTROL: document(&self.resource_control),
        });
        if let Some(own) = &self.account_service_control {
            policies[OF_ACCOUNT] = document(own);
        }
        if let Some(boundary) = &self.boundary {
            policies[boundary_arn()] = document(boundary);
        }
        if !self.attached.is_empty() {
            policies[attached_arn()] = document(&self.attached);
        }
        policies
    }

    fn source(&self) -> Value {
        let mut holder = json!({
            "id": self.unique_id(),
            "path": self.path(),
        });
        if !self.identity.is_empty() {
            holder["inline"] = json!({ "Rights": document(&self.identity) });
        }
        if !self.attached.is_empty() {
            holder["attached"] = json!([attached_arn()]);
        }
        if self.boundary.is_some() {
            holder["boundary"] = json!(boundary_arn());
        }
        if self.has_tag {
            holder["tags"] = json!({ "team": "data" });
        }
        let mut account = json!({ "name": "source", "users": { "Admin": admin(SOURCE) } });
        if self.is_user() {
            holder["access_keys"] =
                json!({ self.access_key(): "a-secret-of-worlds-that-opens-nothing000" });
            if !self.of_group.is_empty() {
                holder["groups"] = json!(["Crew"]);
                account["groups"] =
                    json!({ "Crew": { "inline": { "Rules": document(&self.of_group) } } });
            }
            account["users"][self.name()] = holder;
        } else {
            holder["trust"] = document(&[json!({ "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "AWS": format!("arn:aws:iam::{SOURCE}:root") } })]);
            account["roles"] = json!({ self.name(): holder });
        }
        let mut table = json!({
            "name": TABLE, "region": "eu-west-1", "kind": "Users", "items": 6,
            "created_days_ago": 100, "recovery_days_ago": 50,
        });
        if self.has_table_key {
            table["key_id"] = json!(Self::table_key_arn().rsplit('/').next());
        }
        if !self.table.is_empty() {
            table["policy"] = document(&self.table);
        }
        account["tables"] = json!([table]);
        account
    }

    fn landing(&self) -> Value {
        let mut bucket = json!({
            "account": self.bucket_home(),
            "region": "eu-west-1",
            "public_access": {
                "block_public_policy": false,
                "restrict_public_buckets": self.restricts_public,
            },
        });
        if !self.bucket.is_empty() {
            bucket["policy"] = document(&self.bucket);
        }
        if self.has_bucket_key && self.encryption != Encryption::Aes256 {
            bucket["default_encryption"] =
                json!({ "algorithm": "aws:kms", "key": self.key_arn(), "bucket_key": true });
        }
        bucket
    }
}

pub(super) fn boundary_arn() -> String {
    format!("arn:aws:iam::{SOURCE}:policy/Limits")
}

pub(super) fn attached_arn() -> String {
    format!("arn:aws:iam::{SOURCE}:policy/More")
}

fn admin(account: &str) -> Value {
    json!({
        "id": format!("AIDAWORLDS{account}"),
        "access_keys": { format!("AKIA{account}ADMIN"): "a-secret-of-worlds-that-opens-nothing000" },
        "attached": [ADMINISTRATOR],
    })
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}
