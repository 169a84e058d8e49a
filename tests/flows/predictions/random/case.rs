//! One world at random: it begins as one in which the export works, and then things happen to it.

use std::fmt;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::statements::{Place, conditions, happens, one_of, principal, statement};

pub(crate) const SOURCE: &str = "111111111111";
pub(crate) const DESTINATION: &str = "222222222222";
pub(crate) const BUCKET: &str = "landing";
pub(crate) const TABLE: &str = "Orders";

/// Who exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    User { path: &'static str },
    Role { path: &'static str },
    IdentityCenter,
}

/// Which accounts belong to the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    Nobody,
    SourceAlone,
    Both,
    SourceManages,
}

/// How the objects are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Aes256,
    /// A customer managed key of the bucket's account.
    Key,
    /// A customer managed key of the exporting account, in whichever account the bucket is.
    OwnKey,
    /// The AWS managed key of the bucket's account.
    Managed,
}

/// A world, a plan, and what is random in them.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a coin that is thrown on its own"
)]
pub(crate) struct Case {
    pub is_same_account: bool,
    pub caller: Caller,
    pub membership: Membership,
    /// Whether the caller may read no policies, as is usual on call.
    pub is_on_call: bool,
    pub encryption: Encryption,
    pub has_bucket_key: bool,
    pub has_table_key: bool,
    pub has_destination: bool,
    pub says_owner: bool,
    pub is_incremental: bool,
    pub restricts_public: bool,
    pub prefix: Option<&'static str>,
    /// The one network that conditions on addresses speak of.
    pub network: &'static str,
    pub identity: Vec<Value>,
    /// The caller's statements in a managed policy.
    pub attached: Vec<Value>,
    pub of_group: Vec<Value>,
    pub boundary: Option<Vec<Value>>,
    pub bucket: Vec<Value>,
    pub key: Vec<Value>,
    pub table_key: Vec<Value>,
    pub table: Vec<Value>,
    pub service_control: Vec<Value>,
    pub account_service_control: Option<Vec<Value>>,
    pub resource_control: Vec<Value>,
    pub grants: Vec<Value>,
    /// What nobody of the plan may read, as Denies for each of its identities.
    pub refusals: Vec<Value>,
    pub has_tag: bool,
    pub has_mfa: bool,
}

impl Case {
    /// The case of a seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut case = Self::working(&mut rng);
        for _ in 0..rng.usize(..=4) {
            case.happen(&mut rng);
        }
        super::unread::hide(&mut case, &mut rng);
        case
    }

    /// One in which nothing is missing.
    fn working(rng: &mut Rng) -> Self {
        let is_same_account = happens(rng, 25);
        let mut encryption = one_of(
            rng,
            &[
                Encryption::Aes256,
                Encryption::Aes256,
                Encryption::Key,
                Encryption::Key,
                Encryption::OwnKey,
            ],
        );
        if is_same_account && happens(rng, 15) {
            encryption = Encryption::Managed;
        }
        let callers = [
            Caller::User { path: "/" },
            Caller::User { path: "/staff/" },
            Caller::Role { path: "/" },
            Caller::Role { path: "/" },
            Caller::Role {
                path: "/teams/data/",
            },
            Caller::IdentityCenter,
        ];
        let mut case = Self {
            is_same_account,
            caller: one_of(rng, &callers),
            membership: one_of(
                rng,
                &[
                    Membership::Nobody,
                    Membership::SourceAlone,
                    Membership::Both,
                    Membership::Both,
                    Membership::SourceManages,
                ],
            ),
            is_on_call: happens(rng, 25),
            encryption,
            has_bucket_key: happens(rng, 30),
            has_table_key: happens(rng, 25),
            has_destination: true,
            says_owner: happens(rng, 50),
            is_incremental: happens(rng, 20),
            restricts_public: happens(rng, 70),
            prefix: one_of(rng, &[None, Some("prod"), Some("a b/c"), Some(SOURCE)]),
            network: one_of(rng, &["203.0.113.0/24", "198.51.100.0/24"]),
            identity: Vec::new(),
            attached: Vec::new(),
            of_group: Vec::new(),
            boundary: None,
            bucket: Vec::new(),
            key: Vec::new(),
            table_key: Vec::new(),
            table: Vec::new(),
            service_control: vec![everything()],
            account_service_control: None,
            resource_control: Vec::new(),
            grants: Vec::new(),
            refusals: Vec::new(),
            has_tag: false,
            has_mfa: false,
        };
        case.has_destination = !case.is_on_call || happens(rng, 60);
        case.grant_everything(rng);
        case
    }

    fn grant_everything(&mut self, rng: &mut Rng) {
        let table = format!("arn:aws:dynamodb:eu-west-1:{SOURCE}:table/{TABLE}");
        self.identity = vec![
            json!({ "Sid": "Export", "Effect": "Allow", "Resource": [table, format!("{table}/export/*")], "Action": [
                "dynamodb:ExportTableToPointInTime", "dynamodb:DescribeTable", "dynamodb:DescribeExport",
                "dynamodb:DescribeContinuousBackups", "dynamodb:ListExports"] }),
            json!({ "Sid": "Write", "Effect": "Allow", "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
                "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"] }),
            json!({ "Sid": "Encrypt", "Effect": "Allow", "Resource": [self.key_arn(), Self::table_key_arn()],
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"] }),
        ];
        if self.is_on_call && happens(rng, 50) {
            self.identity.push(
                json!({ "Sid": "Simulate", "Effect": "Allow", "Resource": "*",
                "Action": ["iam:SimulatePrincipalPolicy", "iam:GetRole"] }),
            );
        }
        if !self.is_on_call {
            self.identity.push(
                json!({ "Sid": "Read", "Effect": "Allow", "Resource": "*", "Action": [
                "iam:Get*", "iam:List*", "organizations:*", "dynamodb:Describe*", "dynamodb:Get*",
                "dynamodb:List*", "s3:ListAllMyBuckets", "s3:GetAccountPublicAccessBlock",
                "kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"] }),
            );
        }
        let root = format!("arn:aws:iam::{SOURCE}:root");
        let named = if happens(rng, 50) {
            root.clone()
        } else {
            self.identity_arn()
        };
        self.bucket = vec![
            json!({ "Sid": "Exports", "Effect": "Allow", "Principal": { "AWS": named },
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": format!("arn:aws:s3:::{BUCKET}/*") }),
        ];
        let owner = format!("arn:aws:iam::{}:root", self.key_home());
        let delegate = |account: &str| {
            json!({ "Sid": "EnableIamPolicies", "Effect": "Allow", "Action": "kms:*",
                "Principal": { "AWS": account }, "Resource": "*" })
        };
        self.key = vec![
            delegate(&owner),
            json!({ "Sid": "Exports", "Effect": "Allow", "Principal": { "AWS": named },
                "Action": ["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*" }),
        ];
        self.table_key = vec![delegate(&root)];
    }

    /// One thing that happens to the world.
    fn happen(&mut self, rng: &mut Rng) {
        let places = [
            Place::Identity,
            Place::Identity,
            Place::Boundary,
            Place::Bucket,
            Place::Bucket,
            Place::Bucket,
            Place::Key,
            Place::Key,
            Place::TableKey,
            Place::Table,
            Place::ServiceControl,
            Place::ResourceControl,
        ];
        let place = one_of(rng, &places);
        match rng.u8(..12) {
            10 | 11 => self.guard(rng),
            0..=3 => self.add(rng, place, "Deny"),
            4 | 5 => self.add(rng, place, "Allow"),
            6 => self.lose(rng, place),
            7 => self.narrow(rng, place),
            8 => self.rename(rng, place),
            _ => self.hand_out(rng),
        }
    }

    fn document(&mut self, rng: &mut Rng, place: Place) -> &mut Vec<Value> {
        match place {
            Place::Identity if matches!(self.caller, Caller::User { .. }) && happens(rng, 30) => {
                &mut self.of_group
            }
            Place::Identity => &mut self.identity,
            Place::Boundary => self.boundary.get_or_insert_with(|| vec![everything()]),
            Place::Bucket => &mut self.bucket,
            Place::Key => &mut self.key,
            Place::TableKey => &mut self.table_key,
            Place::Table => &mut self.table,
            Place::ServiceControl if happens(rng, 40) => self
                .account_service_control
                .get_or_insert_with(|| vec![everything()]),
            Place::ServiceControl => &mut self.service_control,
            Place::ResourceControl => &mut self.resource_control,
        }
    }

    fn add(&mut self, rng: &mut Rng, place: Place, effect: &str) {
        // A resource control policy beside the one of full access may only deny.
        let effect = if place == Place::ResourceControl {
            "Deny"
        } else {
            effect
        };
        let made = statement(rng, self, place, effect);
        self.document(rng, place).push(made);
    }

    /// A Deny on what AWS leaves open.
    fn guard(&mut self, rng: &mut Rng) {
        let condition = match rng.u8(..5) {
            0 | 1 => json!({ "NotIpAddress": { "aws:SourceIp": self.network } }),
            2 => json!({ "StringNotEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } }),
            3 => json!({ "StringNotEquals": { "aws:PrincipalTag/team": "data" } }),
            _ => json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } }),
        };
        self.bucket
            .push(json!({ "Sid": "Guard", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:PutObject", "s3:PutObjectAcl"],
            "Resource": format!("arn:aws:s3:::{BUCKET}/*"), "Condition": condition }));
    }

    /// A statement is lost, or one of its actions.
    fn lose(&mut self, rng: &mut Rng, place: Place) {
        let least = usize::from(must_say_something(place));
        let document = self.document(rng, place);
        if document.len() <= least {
            return;
        }
        let at = rng.usize(..document.len());
        match document[at]["Action"].as_array_mut() {
            Some(actions) if actions.len() > 1 => {
                let action = rng.usize(..actions.len());
                actions.remove(action);
            }
            _ => {
                document.remove(at);
            }
        }
    }

    /// A statement gets a condition.
    fn narrow(&mut self, rng: &mut Rng, place: Place) {
        let service = match place {
            Place::Bucket => "s3",
            Place::Key | Place::TableKey => "kms",
            _ => "any",
        };
        let made = conditions(rng, self, service);
        let document = self.document(rng, place);
        if !document.is_empty() {
            let at = rng.usize(..document.len());
            document[at]["Condition"] = made;
        }
    }

    /// A statement names somebody else.
    fn rename(&mut self, rng: &mut Rng, place: Place) {
        let (_, named) = principal(rng, self, "Allow");
        let document = self.document(rng, place);
        let at = document
            .iter()
            .rposition(|found| found["Principal"].is_object());
        if let Some(at) = at {
            document[at]["Principal"] = named;
        }
    }

    /// A grant on the key.
    fn hand_out(&mut self, rng: &mut Rng) {
        let operations = one_of(
            rng,
            &[
                json!(["GenerateDataKey", "Decrypt"]),
                json!(["Decrypt"]),
                json!(["Encrypt"]),
            ],
        );
        let grantee = one_of(
            rng,
            &[
                self.identity_arn(),
                format!("arn:aws:iam::{DESTINATION}:user/Admin"),
            ],
        );
        let mut grant = json!({ "id": format!("{:064x}", rng.u64(..)), "grantee": grantee, "operations": operations });
        if happens(rng, 30) {
            grant["context_subset"] = json!({ "aws:s3:arn": format!("arn:aws:s3:::{BUCKET}") });
        }
        self.grants.push(grant);
        // A grant shows best where the policy does not say the same.
        if happens(rng, 60) {
            self.key.truncate(1);
        }
    }

    /// The account of the bucket.
    pub(crate) const fn bucket_home(&self) -> &'static str {
        if self.is_same_account {
            SOURCE
        } else {
            DESTINATION
        }
    }

    /// The account of the key.
    pub(crate) fn key_home(&self) -> &'static str {
        match self.encryption {
            Encryption::OwnKey => SOURCE,
            _ => self.bucket_home(),
        }
    }

    pub(crate) fn key_arn(&self) -> String {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        format!("arn:aws:kms:eu-west-1:{}:key/{id}", self.key_home())
    }

    pub(crate) fn table_key_arn() -> String {
        format!("arn:aws:kms:eu-west-1:{SOURCE}:key/0ed6e700-1edc-4e11-8000-000000000001")
    }

    /// The name of the user or role that exports.
    pub(crate) const fn name(&self) -> &'static str {
        match self.caller {
            Caller::IdentityCenter => "AWSReservedSSO_Ops_0123456789abcdef",
            Caller::User { .. } | Caller::Role { .. } => "Ops",
        }
    }

    pub(crate) const fn path(&self) -> &'static str {
        match self.caller {
            Caller::IdentityCenter => "/aws-reserved/sso.amazonaws.com/eu-west-1/",
            Caller::User { path } | Caller::Role { path } => path,
        }
    }

    /// Whether the caller is a user, with keys of its own.
    pub(crate) const fn is_user(&self) -> bool {
        matches!(self.caller, Caller::User { .. })
    }

    /// The user's or role's ARN.
    pub(crate) fn identity_arn(&self) -> String {
        let kind = if self.is_user() { "user" } else { "role" };
        format!("arn:aws:iam::{SOURCE}:{kind}{}{}", self.path(), self.name())
    }

    /// The ARN that calls are made as.
    pub(crate) fn caller_arn(&self) -> String {
        if self.is_user() {
            return self.identity_arn();
        }
        format!("arn:aws:sts::{SOURCE}:assumed-role/{}/s1", self.name())
    }

    pub(crate) const fn unique_id(&self) -> &'static str {
        if self.is_user() {
            "AIDAWORLDSOPS0000000A"
        } else {
            "AROAWORLDSOPS0000000A"
        }
    }

    /// The plan file's text.
    pub(crate) fn plan(&self) -> String {
        let mut lines = vec!["[source]\nprofile = \"source\"\n\n[destination]".to_owned()];
        if self.has_destination {
            lines.push("profile = \"destination\"".to_owned());
        }
        lines.push(format!("bucket = \"{BUCKET}\""));
        if self.says_owner || !self.has_destination {
            lines.push(format!("owner = \"{}\"", self.bucket_home()));
        }
        lines.extend(self.prefix.map(|prefix| format!("prefix = \"{prefix}\"")));
        match self.encryption {
            Encryption::Aes256 => {}
            Encryption::Managed => lines.push("[encryption]\nalgorithm = \"KMS\"".to_owned()),
            Encryption::Key | Encryption::OwnKey => lines.push(format!(
                "[encryption]\nalgorithm = \"KMS\"\nkey = \"{}\"",
                self.key_arn()
            )),
        }
        lines.push(format!("\n[[tables]]\nname = \"{TABLE}\""));
        if self.is_incremental {
            let now = jiff::Timestamp::now();
            let at = |hours| now - jiff::SignedDuration::from_hours(hours);
            lines.push(format!(
                "type = \"INCREMENTAL_EXPORT\"\nfrom = \"{:.0}\"\nto = \"{:.0}\"",
                at(3),
                at(1)
            ));
        }
        lines.join("\n") + "\n"
    }

    /// The lists of statements, each with how many must stay, to be taken out one by one.
    pub(crate) fn lists(&mut self) -> Vec<(&mut Vec<Value>, usize)> {
        let mut lists = vec![
            (&mut self.identity, 0),
            (&mut self.attached, 0),
            (&mut self.of_group, 0),
            (&mut self.bucket, 0),
            (&mut self.key, 1),
            (&mut self.table_key, 1),
            (&mut self.table, 0),
            (&mut self.service_control, 1),
            (&mut self.resource_control, 0),
            (&mut self.grants, 0),
            (&mut self.refusals, 0),
        ];
        lists.extend(self.boundary.as_mut().map(|list| (list, 1)));
        lists.extend(self.account_service_control.as_mut().map(|list| (list, 1)));
        lists
    }
}

/// Whether a document of a place has a statement at least; other documents are then not there.
const fn must_say_something(place: Place) -> bool {
    matches!(
        place,
        Place::Boundary | Place::Key | Place::TableKey | Place::ServiceControl
    )
}

/// A statement that allows everything.
pub(crate) fn everything() -> Value {
    json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })
}

/// A document with these statements.
pub(crate) fn document(statements: &[Value]) -> Value {
    let mut document = Map::new();
    document.insert("Version".to_owned(), "2012-10-17".into());
    document.insert("Statement".to_owned(), statements.into());
    Value::Object(document)
}

impl fmt::Display for Case {
    /// What is random, a line for each document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            caller,
            membership,
            encryption,
            prefix,
            ..
        } = self;
        writeln!(
            f,
            "{caller:?} {membership:?} {encryption:?} prefix {prefix:?} same account {} on call {} \
             bucket key {} table key {} destination {} restricts {}",
            self.is_same_account,
            self.is_on_call,
            self.has_bucket_key,
            self.has_table_key,
            self.has_destination,
            self.restricts_public,
        )?;
        let mut lists = vec![
            ("identity", &self.identity),
            ("attached", &self.attached),
            ("group", &self.of_group),
            ("bucket", &self.bucket),
            ("key", &self.key),
            ("table's key", &self.table_key),
            ("table", &self.table),
            ("service control", &self.service_control),
            ("resource control", &self.resource_control),
            ("grants", &self.grants),
            ("refused", &self.refusals),
        ];
        lists.extend(self.boundary.as_ref().map(|list| ("boundary", list)));
        let own = self.account_service_control.as_ref();
        lists.extend(own.map(|list| ("the account's service control", list)));
        for (name, list) in lists {
            for statement in list {
                writeln!(f, "{name}: {statement}")?;
            }
        }
        Ok(())
    }
}
