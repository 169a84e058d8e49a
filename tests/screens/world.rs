//! Two accounts, as plain data: what the wizard is told when it asks.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tableferry::assess::facts::{
    BucketFacts, DefaultEncryption, Fact, Recovery, TableDescription, TableFacts,
};
use tableferry::aws::dynamodb::ExportStatus;
use tableferry::aws::failure::{Failure, FailureKind};
use tableferry::aws::kms::Key;
use tableferry::aws::profiles::{IgnoredProfile, Profile, ProfileKind, Profiles};
use tableferry::aws::s3::Bucket;
use tableferry::aws::{Identity, SignInError};
use tableferry::job::{Plan, SignIn, TableStatus};
use tableferry::journal::RunId;
use tableferry::tui::message::{Query, Reply};
use tableferry::tui::services::{
    AssessedPlan, ChangeRecord, Identified, ProbeRecord, PropagationReport, PropagationStatus,
    RunSummary, SavedPlan,
};
use tableferry::work::event::{OperationProgress, ProgressStage, Side};
use tableferry_policy::arn::{AccountId, BucketName, Region};

use crate::access;
use crate::driver::noon;

/// What can go otherwise than well.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that can go otherwise on its own"
)]
pub(crate) struct World {
    pub is_real: bool,
    pub is_read_only: bool,
    pub runs: Vec<RunSummary>,
    pub plans: Vec<SavedPlan>,
    pub refuses_tables: bool,
    pub has_no_tables: bool,
    /// What the bucket's setting is, by which the call is stopped.
    pub stopped: Option<(&'static str, &'static str)>,
    /// What is in progress to the same place, and unknown to the journal.
    pub duplicates: Vec<tableferry::work::DuplicateExport>,
    /// What a start is said to be billed for.
    pub estimate: Vec<String>,
    pub table_names: Option<Vec<String>>,
    /// Whether the bucket grants nothing, and what else may be found with it.
    pub is_denied: bool,
    /// The name of the destination's account, where it is marked production.
    pub production: Option<String>,
    /// The changes of ours that are in place.
    pub changes: Vec<ChangeRecord>,
    /// The probes of which something may be left.
    pub unfinished_probes: Vec<ProbeRecord>,
}

pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

impl World {
    pub(crate) fn answer(&self, query: &Query) -> Reply {
        match query {
            Query::Profiles => Reply::Profiles(profiles()),
            Query::Runs => Reply::Runs(Ok(self.runs.clone())),
            Query::Plans => Reply::Plans(self.plans.clone()),
            Query::SignIn(side, how, code) => {
                Reply::SignedIn(*side, Box::new(sign_in(how, code.is_some())))
            }
            Query::Tables if self.refuses_tables => {
                Reply::Tables(Err(refusal("dynamodb:ListTables", "111111111111")))
            }
            Query::Tables => Reply::Tables(Ok(self.tables())),
            Query::Table(name) => Reply::Table(Box::new(table(name))),
            Query::Buckets => Reply::Buckets(Ok(buckets())),
            Query::Bucket(name) => Reply::Bucket(Box::new(bucket(name))),
            Query::Keys(_) => Reply::Keys(Ok(keys())),
            Query::Assess(plan) => Reply::Assessed(Box::new(Ok(self.assessed(plan)))),
            Query::AssessWithProbe(plan, report) => {
                let mut assessed = self.assessed(plan);
                assessed.probed_at = Some(report.at);
                Reply::Assessed(Box::new(Ok(assessed)))
            }
            Query::UnfinishedProbes => Reply::UnfinishedProbes(self.unfinished_probes.clone()),
            Query::WaitForPropagation(_, id) => Reply::Propagation(PropagationReport {
                changes: vec![(*id, PropagationStatus::Holds)],
            }),
            Query::Changes => Reply::Changes(Ok(self.changes.clone())),
            Query::ProposeUndo(id) => {
                Reply::UndoProposed(Box::new(Ok(access::undo(*id, self.production.clone()))))
            }
            Query::ProposeInventory(_) => {
                Reply::InventoryProposed(Box::new(Err("this world has no inventories".to_owned())))
            }
            Query::InventoryStatus(_) => {
                Reply::InventoryStatus(Box::new(Ok(tableferry::work::InventoryStatus {
                    configuration: Ok(None),
                    is_as_planned: false,
                    place: "s3://exports/".to_owned(),
                    reports: Vec::new(),
                    newest: None,
                })))
            }
        }
    }

    pub(crate) fn assessed(&self, plan: &Plan) -> AssessedPlan {
        let mut assessed = access::assessed(plan, self.is_denied, self.production.as_deref());
        if let Ok(probe) = &mut assessed.probe {
            probe.earlier.clone_from(&self.unfinished_probes);
        }
        if let Ok(start) = &mut assessed.start {
            start.duplicates.clone_from(&self.duplicates);
            start.estimate.clone_from(&self.estimate);
        }
        if let Some((why, hint)) = self.stopped {
            let found = access::stopped(why, hint);
            assessed.verdicts.push(found.clone());
            assessed.assessment.requirements.push(found);
        }
        assessed
    }

    pub(crate) fn production_accounts(&self) -> BTreeMap<AccountId, String> {
        let name = self.production.clone();
        let marked = name.map(|name| ("222222222222".parse().unwrap(), name));
        marked.into_iter().collect()
    }

    fn tables(&self) -> Vec<String> {
        if self.has_no_tables {
            return Vec::new();
        }
        let usual = ["Audit", "Empty", "Orders", "Sessions", "Users"];
        let usual = usual.map(str::to_owned).to_vec();
        self.table_names.clone().unwrap_or(usual)
    }
}

fn profiles() -> Profiles {
    let profile = |name: &str, kind: ProfileKind| Profile {
        name: name.to_owned(),
        kind,
        region: Some("eu-west-1".parse().unwrap()),
        role_arn: None,
        mfa_serial: None,
        endpoints: Vec::new(),
        warnings: Vec::new(),
        place: "~/.aws/config:1".to_owned(),
    };
    Profiles {
        usable: vec![
            profile("prod-admin", ProfileKind::Keys),
            profile(
                "prod-oncall",
                ProfileKind::Role {
                    from: "prod-admin".to_owned(),
                },
            ),
            profile("prod-mfa", ProfileKind::Keys),
            profile("prod-sso", ProfileKind::Sso),
            profile("dev-admin", ProfileKind::Keys),
        ],
        ignored: vec![IgnoredProfile {
            name: "my prod".to_owned(),
            place: "~/.aws/config:17".to_owned(),
            reason: "The SDK ignores [profile my prod]: a name with a space needs quotes."
                .to_owned(),
        }],
        chosen: Some("prod-oncall".to_owned()),
        problems: Vec::new(),
    }
}

fn sign_in(how: &SignIn, has_code: bool) -> Result<Identified, SignInError> {
    let account = if how.profile.starts_with("dev") {
        "222222222222"
    } else {
        "111111111111"
    };
    match how.profile.as_str() {
        "prod-mfa" if !has_code => Err(SignInError::MfaRequired {
            profile: how.profile.clone(),
            serial: "arn:aws:iam::111111111111:mfa/mona".to_owned(),
        }),
        "prod-sso" => Err(SignInError::LoginRequired {
            profile: how.profile.clone(),
            command: "aws sso login --profile prod-sso".to_owned(),
            detail: "the SSO token has expired".to_owned(),
        }),
        profile => Ok(identified(account, profile)),
    }
}

pub(crate) fn identified(account: &str, profile: &str) -> Identified {
    let arn = match profile {
        "prod-oncall" => format!("arn:aws:sts::{account}:assumed-role/OnCall/mona"),
        name => format!("arn:aws:iam::{account}:user/{name}"),
    };
    Identified {
        identity: Identity {
            account: account.parse().unwrap(),
            arn: arn.parse().unwrap(),
            user_id: "AIDAEXAMPLE".to_owned(),
        },
        region: "eu-west-1".parse().unwrap(),
        expires_at: (profile == "prod-oncall").then(|| noon() + SignedDuration::from_mins(55)),
        endpoints: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(crate) fn refusal(operation: &str, target: &str) -> Failure {
    Failure {
        kind: FailureKind::AccessDenied,
        operation: operation.to_owned(),
        target: target.to_owned(),
        code: Some("AccessDeniedException".to_owned()),
        message: format!(
            "User: arn:aws:sts::111111111111:assumed-role/OnCall/mona is not authorized to perform: \
             {operation} because no identity-based policy allows the {operation} action"
        ),
        status: Some(400),
        request_id: Some("2f0c7b1e-0a3d-4f5b".to_owned()),
        hint: Some(format!("allow {operation} in the policy of OnCall")),
    }
}

pub(crate) fn table(name: &str) -> TableFacts {
    let (items, bytes, is_enabled) = match name {
        "Orders" => (10_240, 1_310_720, true),
        "Users" => (1_234_567, 987_654_321, true),
        "Sessions" => (73, 9_120, false),
        "Audit" => (512, 40_000, true),
        _ => (0, 0, true),
    };
    let recovery = Recovery {
        is_enabled,
        earliest: is_enabled.then(|| "2026-10-20T08:00:00Z".parse().unwrap()),
        latest: is_enabled.then(|| "2026-11-22T11:55:00Z".parse().unwrap()),
        period_days: None,
    };
    let description = TableDescription {
        arn: format!("arn:aws:dynamodb:eu-west-1:111111111111:table/{name}")
            .parse()
            .unwrap(),
        id: None,
        status: TableStatus::Active,
        created_at: None,
        item_count: Some(items),
        size_bytes: Some(bytes),
        key_attributes: vec!["customer".to_owned(), "order".to_owned()],
        key: None,
    };
    let mut facts = TableFacts::new(name);
    facts.description = Fact::known(description, noon(), "dynamodb:DescribeTable");
    facts.recovery = Fact::known(recovery, noon(), "dynamodb:DescribeContinuousBackups");
    facts
}

fn buckets() -> Vec<Bucket> {
    let bucket = |name: &str, region: &str| Bucket {
        name: name.parse().unwrap(),
        region: Some(region.parse().unwrap()),
    };
    vec![
        bucket("export-landing", "eu-west-1"),
        bucket("frankfurt-landing", "eu-central-1"),
        bucket("kms-landing", "eu-west-1"),
    ]
}

fn bucket(name: &BucketName) -> BucketFacts {
    let is_kms = name.as_str() == "kms-landing";
    let region: Region = match name.as_str() {
        "frankfurt-landing" => "eu-central-1".parse().unwrap(),
        _ => "eu-west-1".parse().unwrap(),
    };
    let algorithm = if is_kms { "aws:kms" } else { "AES256" };
    let encryption = DefaultEncryption {
        algorithm: algorithm.to_owned(),
        key: is_kms.then(|| KEY.to_owned()),
        has_bucket_key: is_kms,
    };
    let mut facts = BucketFacts::UNREAD;
    facts.region = Fact::known(region, noon(), "s3:ListBucket");
    facts.owner = Fact::known("222222222222".parse().unwrap(), noon(), "s3:ListBucket");
    facts.encryption = Fact::known(encryption, noon(), "s3:GetEncryptionConfiguration");
    facts
}

fn keys() -> Vec<Key> {
    let key = |arn: &str, alias: &str, is_aws_managed: bool| Key {
        arn: arn.parse().unwrap(),
        aliases: vec![alias.to_owned()],
        state: "Enabled".to_owned(),
        is_aws_managed,
        description: "for exports".to_owned(),
    };
    let managed = "arn:aws:kms:eu-west-1:222222222222:key/aaaaaaaa-0000-0000-0000-000000000000";
    vec![
        key(KEY, "alias/exports", false),
        key(managed, "alias/aws/s3", true),
    ]
}

/// An export of a table, as it just was accepted.
pub(crate) fn export(index: usize, table: &str) -> OperationProgress {
    OperationProgress {
        kind: "export".to_owned(),
        to_write: None,
        index,
        name: table.to_owned(),
        subject: format!("arn:aws:dynamodb:eu-west-1:111111111111:table/{table}"),
        stage: ProgressStage::Running(ExportStatus::InProgress),
        arn: Some(format!(
            "arn:aws:dynamodb:eu-west-1:111111111111:table/{table}/export/01763812800000-a1b2c3d4"
        )),
        failure_code: None,
        failure_message: None,
        files_seen: None,
        bytes_seen: None,
        item_count: None,
        billed_size_bytes: None,
        manifest: None,
        verification: None,
        verified_at: None,
        remarks: Vec::new(),
        started_at: Some(noon()),
        ended_at: None,
    }
}

/// A run that an earlier session left.
pub(crate) fn open_run(plan: Option<Plan>) -> RunSummary {
    RunSummary {
        id: RunId(7),
        created_at: noon() - SignedDuration::from_mins(20),
        source: "111111111111".to_owned(),
        destination: "s3://export-landing/prod".to_owned(),
        is_open: true,
        exports: vec![export(0, "Orders")],
        uris: Vec::new(),
        plan,
    }
}

/// The plan that the keys of the flows choose.
pub(crate) fn chosen_plan() -> Plan {
    let text = r#"
[source]
profile = "prod-oncall"

[destination]
profile = "dev-admin"
bucket = "export-landing"
owner = "222222222222"

[[tables]]
name = "Orders"
"#;
    Plan::parse(text, "plan.toml", noon()).unwrap()
}

/// A plan as a file would give it.
pub(crate) fn plan() -> Plan {
    let text = r##"
[source]
profile = "prod-oncall"

[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "prod"

[[tables]]
name = "Orders"
filter = { projection = "customer, #t", names = { "#t" = "total" } }
"##;
    Plan::parse(text, "plan.toml", noon()).unwrap()
}

/// A plan of an upload, as a file would give it.
pub(crate) fn upload_plan() -> Plan {
    let text = r#"
kind = "upload"
multipart = false

[source]
profile = "prod-oncall"
principal = "arn:aws:iam::111111111111:role/Uploader"

[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "in"
"#;
    Plan::parse(text, "upload.toml", noon()).unwrap()
}

pub(crate) fn side_of(query: &Query) -> Option<Side> {
    match query {
        Query::SignIn(side, ..) => Some(*side),
        _ => None,
    }
}
