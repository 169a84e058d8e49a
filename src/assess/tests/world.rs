//! A world to judge: a role of 111111111111 exports to a bucket of 222222222222, and all is granted.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::assess::facts::{
    AccountFacts, BucketFacts, Caller, Drift, Fact, Facts, KeyDescription, KeyFacts, KeyManager,
    Organization, Ownership, PastExport, PolicyText, PrincipalFacts, PublicAccessBlock, ReadError,
    Recovery, RoleFacts, Simulated, TableDescription, TableFacts,
};
use crate::assess::judge::judge;
use crate::assess::simulation::questions;
use crate::assess::verdict::{AssessedRequirement, Check, Requirement};
use crate::job::requirement::Actor;
use crate::job::{ExportStatus, Plan, TableStatus};
use tableferry_policy::arn::{Arn, BucketName, Region};
use tableferry_policy::policy::Policy;

pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const TABLE_KEY: &str =
    "arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001";
pub(crate) const ROLE: &str = "arn:aws:iam::111111111111:role/OnCallExporter";
pub(crate) const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";

pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, now(), "test")
}

pub(crate) fn absent<T>() -> Fact<T> {
    Fact::absent(now(), "test")
}

pub(crate) fn refused<T>(permission: &str) -> Fact<T> {
    Fact::Refused(ReadError {
        permission: permission.to_owned(),
        detail: "access denied".to_owned(),
        ..ReadError::default()
    })
}

pub(crate) fn description(name: &str, key: Option<Arn>) -> TableDescription {
    TableDescription {
        arn: format!("arn:aws:dynamodb:eu-west-1:111111111111:table/{name}")
            .parse()
            .unwrap(),
        id: None,
        status: TableStatus::Active,
        created_at: Some(at("2026-01-01T00:00:00Z")),
        item_count: None,
        size_bytes: Some(1_000_000),
        key_attributes: Vec::new(),
        key,
    }
}

pub(crate) fn plan(destination: &str, rest: &str) -> Plan {
    let text = format!(
        "[source]\nprofile = 'p'\n[destination]\nprofile = 'd'\nbucket = 'export-landing'\n\
         {destination}\n{rest}\n[[tables]]\nname = 'Orders'\n"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

pub(crate) fn aes_plan() -> Plan {
    plan("owner = '222222222222'\nprefix = 'prod'", "")
}

pub(crate) fn kms_plan() -> Plan {
    plan(
        "owner = '222222222222'\nprefix = 'prod'",
        &format!("[encryption]\nalgorithm = 'KMS'\nkey = '{KEY}'"),
    )
}

pub(crate) fn document(statements: &Value) -> Policy {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    document.to_string().into()
}

/// A policy that gives the exporter all it needs.
pub(crate) fn full_identity() -> Value {
    json!([
        { "Sid": "Tables", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*" },
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": "arn:aws:s3:::export-landing/*"
        },
        {
            "Sid": "Keys",
            "Effect": "Allow",
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": [KEY, TABLE_KEY]
        }
    ])
}

pub(crate) fn granting_bucket() -> Value {
    json!([{
        "Sid": "AllowExport",
        "Effect": "Allow",
        "Principal": { "AWS": ROLE },
        "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
        "Resource": "arn:aws:s3:::export-landing/*"
    }])
}

pub(crate) fn granting_key() -> Value {
    json!([
        {
            "Sid": "Root",
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
            "Action": "kms:*",
            "Resource": "*"
        },
        {
            "Sid": "AllowExport",
            "Effect": "Allow",
            "Principal": { "AWS": ROLE },
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": "*"
        }
    ])
}

pub(crate) fn inline(name: &str, statements: &Value) -> PolicyText {
    PolicyText {
        name: name.to_owned(),
        document: document(statements),
    }
}

fn side(arn: &str, account: &str, role: Option<&str>, identity: &Value) -> PrincipalFacts {
    let caller = Caller {
        arn: arn.parse().unwrap(),
        account: account.parse().unwrap(),
        user_id: "AROAEXAMPLEEXAMPLE001:pat".to_owned(),
    };
    let region: Region = "eu-west-1".parse().unwrap();
    let mut side = PrincipalFacts::new(caller, region);
    side.role = role.map_or_else(absent, |role| {
        known(RoleFacts {
            arn: role.parse().unwrap(),
            id: None,
            created_at: None,
        })
    });
    side.expires_at = known(at("2026-11-22T20:00:00Z"));
    side.identity_policies = known(vec![inline("Rights", identity)]);
    side.boundary = absent();
    side
}

/// The bucket that the plans export to.
pub(crate) fn landing() -> BucketName {
    "export-landing".parse().unwrap()
}

/// An account of the organization, which no control policy binds.
fn account() -> AccountFacts {
    AccountFacts {
        organization: known(Organization {
            id: "o-exampleorg".to_owned(),
            management_account: "999999999999".parse().unwrap(),
            path: Some("o-exampleorg/r-root/".to_owned()),
        }),
        service_control: known(Vec::new()),
        resource_control: known(Vec::new()),
        public_access: absent(),
        organization_public_access: absent(),
        in_flight: Fact::UNASKED,
    }
}

/// Everything is known, and everything is allowed.
pub(crate) fn facts() -> Facts {
    let source = side(
        "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat",
        "111111111111",
        Some(ROLE),
        &full_identity(),
    );
    let destination = side(
        "arn:aws:sts::222222222222:assumed-role/Loader/pat",
        "222222222222",
        Some("arn:aws:iam::222222222222:role/Loader"),
        &json!([{ "Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*" }]),
    );
    let mut bucket = BucketFacts::UNREAD;
    bucket.owner = known("222222222222".parse().unwrap());
    bucket.region = known("eu-west-1".parse().unwrap());
    bucket.policy = known(document(&granting_bucket()));
    bucket.ownership = known(Ownership::BucketOwnerEnforced);
    bucket.public_access = known(PublicAccessBlock::default());
    bucket.encryption = absent();
    bucket.requester_pays = known(false);
    let mut facts = Facts::new(source, now());
    facts.set_destination(Some(destination));
    *facts.account_of_mut(Actor::Exporter) = account();
    *facts.account_of_mut(Actor::Reader) = account();
    *facts.bucket_mut(&landing()) = bucket;
    facts.put_table(TableFacts {
        asked: "Orders".to_owned(),
        description: known(description("Orders", None)),
        recovery: known(Recovery {
            is_enabled: true,
            earliest: Some(at("2026-10-20T00:00:00Z")),
            latest: Some(at("2026-11-22T11:55:00Z")),
            period_days: None,
        }),
        policy: absent(),
    });
    facts.account_of_mut(Actor::Exporter).in_flight = known(crate::assess::facts::InFlight {
        count: 2,
        bytes: Some(0),
    });
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &granting_key()));
    facts
}

pub(crate) fn key(arn: &str, policy: &Value) -> KeyFacts {
    let mut key = KeyFacts::new(arn);
    key.description = known(KeyDescription {
        arn: arn.parse().unwrap(),
        state: "Enabled".to_owned(),
        manager: KeyManager::Customer,
    });
    key.policy = known(document(policy));
    key.grants = known(Vec::new());
    key
}

/// An export to where [`aes_plan`] writes, which completed two days ago; nothing has changed since.
pub(crate) fn past() -> PastExport {
    PastExport {
        export_arn: format!("{TABLE}/export/01763000000000-00000000"),
        table_arn: TABLE.to_owned(),
        principal: ROLE.to_owned(),
        bucket: "export-landing".to_owned(),
        prefix: Some("prod".to_owned()),
        key: None,
        started_at: at("2026-11-20T00:00:00Z"),
        ended_at: Some(at("2026-11-20T00:10:00Z")),
        status: ExportStatus::Completed,
        failure_code: None,
        failure_message: None,
        owner: Some("222222222222".parse().unwrap()),
        writing: Drift::Unchanged,
        reading: Drift::Unchanged,
    }
}

/// What IAM's simulation says where it says the same of every request of a plan.
pub(crate) fn simulation(
    plan: &Plan,
    facts: &Facts,
    decision: &str,
    organization: Option<bool>,
    missing: &[&str],
) -> Fact<Vec<Simulated>> {
    let answers = questions(plan, facts, now())
        .into_iter()
        .flat_map(|question| {
            let given: Vec<String> = question.context.into_iter().map(|(key, _)| key).collect();
            let answer = move |resource| Simulated {
                action: question.action.to_owned(),
                resource,
                decision: decision.to_owned(),
                allowed_by_organization: organization,
                allowed_by_boundary: None,
                missing_context: missing.iter().map(ToString::to_string).collect(),
                given: given.clone(),
            };
            question.resources.into_iter().map(answer)
        });
    known(answers.collect())
}

/// The verdict on an action of the exporter.
pub(crate) fn on(plan: &Plan, facts: &Facts, action: &str) -> AssessedRequirement {
    let verdicts = judge(plan, facts, now());
    let found = verdicts.into_iter().find(|verdict| {
        matches!(&verdict.requirement, Requirement::Permission(need)
            if need.action == action && need.who == crate::job::requirement::Actor::Exporter)
    });
    found.unwrap_or_else(|| panic!("nothing needs {action}"))
}

/// The verdict of a check.
pub(crate) fn of(plan: &Plan, facts: &Facts, check: Check) -> AssessedRequirement {
    let verdicts = judge(plan, facts, now());
    let found = verdicts.into_iter().find(|verdict| verdict.is_of(check));
    found.unwrap_or_else(|| panic!("{check:?} was not judged"))
}

/// A bucket whose policy grants, and has one statement more.
pub(crate) fn bucket_with(extra: &Value) -> Facts {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements.as_array_mut().unwrap().push(extra.clone());
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    facts
}

/// A Deny on the bucket and all in it, under a condition.
pub(crate) fn deny(condition: &Value) -> Value {
    json!({
        "Sid": "Guard",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::export-landing", "arn:aws:s3:::export-landing/*"],
        "Condition": condition
    })
}

/// The plan's table with a key of its own, whose policy could not be read.
pub(crate) fn own_key(facts: &mut Facts) {
    let table = facts
        .table_mut("Orders")
        .unwrap()
        .description
        .value_mut()
        .unwrap();
    table.key = Some(TABLE_KEY.parse().unwrap());
    let mut own = key(TABLE_KEY, &granting_key());
    own.policy = refused("kms:GetKeyPolicy");
    own.grants = refused("kms:ListGrants");
    facts.put_key(own);
}
