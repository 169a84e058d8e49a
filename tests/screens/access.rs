//! What is found about a plan's permissions, as plain data.

use jiff::SignedDuration;
use tableferry::assess::assessment::Assessment;
use tableferry::assess::cost::Estimate;
use tableferry::assess::facts::{
    BucketFacts, Caller, Fact, Facts, KeyFacts, PrincipalFacts, RoleFacts,
};
use tableferry::assess::fingerprint::Fingerprint;
use tableferry::assess::remedy::{Fix, Remedy, Target, from_scratch, notes};
use tableferry::assess::responsible::Responsible;
use tableferry::assess::verdict::{
    AssessedRequirement, Check, Evidence, MissingInput, PolicyLayer, Requirement, SettledBy,
    Verdict,
};
use tableferry::aws::s3::multipart::UploadTarget;
use tableferry::job::export::{EXPORT, FOLLOW, WRITE};
use tableferry::job::requirement::{
    Actor, Criticality, Purpose, RequiredPermission, Resource, Subject,
};
use tableferry::job::{Encryption, Plan, SignIn, TableJob};
use tableferry::journal::{ProbeId, ProbeStage, RunId};
use tableferry::tui::services::{
    AssessedPlan, ChangeId, ChangeKind, ChangeRecord, Probe, ProbeRecord, Proposal, RemedyOption,
    StartSummary, UndoProposal,
};
use tableferry::tui::services::{Proposed, ProposedChange};
use tableferry::work::event::Side;
use tableferry::work::{ChangeStage, ChangeTarget};
use tableferry_policy::arn::{AccountId, Region};
use tableferry_policy::edit;
use tableferry_policy::evaluate::{Deciding, Dependency, PolicyKind};

use crate::driver::noon;
use crate::world::chosen_plan;

const OBJECTS: &str = "arn:aws:s3:::export-landing/AWSDynamoDB/*";

/// What is found: all allowed, or a bucket without a grant and a few things with it.
pub(crate) fn assessed(plan: &Plan, is_denied: bool, production: Option<&str>) -> AssessedPlan {
    let mut verdicts = Vec::new();
    if is_denied {
        verdicts
            .extend(["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"].map(no_grant));
    }
    verdicts.push(owner(is_denied));
    if is_denied {
        verdicts.push(address());
        verdicts.push(quota());
    }
    verdicts.extend([
        allowed(
            "dynamodb:ExportTableToPointInTime",
            EXPORT,
            "it starts the export",
        ),
        allowed(
            "dynamodb:DescribeTable",
            EXPORT,
            "the table's state and encryption are read before the start",
        ),
    ]);
    let remedies = if is_denied {
        vec![bucket_remedy(), message()]
    } else {
        Vec::new()
    };
    let options = if is_denied {
        vec![
            RemedyOption::Change(Box::new(proposed(production))),
            RemedyOption::Nothing("it is a text for somebody else".to_owned()),
        ]
    } else {
        Vec::new()
    };
    let request_texts = remedies.iter().map(|remedy| {
        let text = format!(
            "To {}\n\nWe export Orders of account 111111111111.",
            remedy.responsible
        );
        (remedy.responsible.clone(), text)
    });
    let assessment = Assessment {
        plan: plan.clone(),
        facts: facts(plan),
        made_at: noon(),
        requirements: verdicts.clone(),
        estimate: Estimate::default(),
    };
    AssessedPlan {
        policies: from_scratch(plan, &assessment.facts),
        notes: notes(plan, &assessment.facts),
        start: Ok(start_summary(plan)),
        assessment,
        verdicts,
        options,
        request_texts: request_texts.collect(),
        remedies,
        fixed_plan: plan.clone(),
        probe: Ok(Box::new(probe())),
        probed_at: None,
    }
}

/// Who exports, and the bucket's owner and Region, as they were read three seconds ago.
fn facts(plan: &Plan) -> Facts {
    let now = noon() - SignedDuration::from_secs(3);
    let caller = Caller {
        arn: "arn:aws:sts::111111111111:assumed-role/OnCall/mona"
            .parse()
            .unwrap(),
        account: "111111111111".parse().unwrap(),
        user_id: "AROAEXAMPLEEXAMPLE001:mona".to_owned(),
    };
    let region: Region = "eu-west-1".parse().unwrap();
    let mut source = PrincipalFacts::new(caller, region);
    let role = RoleFacts {
        arn: "arn:aws:iam::111111111111:role/OnCall".parse().unwrap(),
        id: None,
        created_at: None,
    };
    source.role = Fact::known(role, now, "iam:GetRole");
    let mut bucket = BucketFacts::UNREAD;
    let owner = "222222222222".parse().unwrap();
    bucket.owner = Fact::known(owner, now, "s3:ListAllMyBuckets");
    let mut facts = Facts::new(source, now);
    *facts.bucket_mut(&plan.destination.bucket) = bucket;
    if let Some(key) = plan.encryption.key() {
        facts.put_key(KeyFacts::new(key));
    }
    facts
}

/// What a start of the plan would do.
fn start_summary(plan: &Plan) -> StartSummary {
    let source = "111111111111".parse().unwrap();
    let region = "eu-west-1".parse().unwrap();
    let requests = plan.tables.iter().enumerate().map(|(index, job)| {
        let arn = plan.table_arn(job, &source, &region);
        plan.request(job, arn, None, format!("tableferry-token-{index}"))
    });
    let sentence = |job: &TableJob| {
        format!(
            "export {} (full, now) to s3://{}",
            job.table.name(),
            plan.destination.bucket
        )
    };
    StartSummary {
        estimate: Vec::new(),
        lines: plan.tables.iter().map(sentence).collect(),
        warnings: Vec::new(),
        requests: requests.collect(),
        duplicates: Vec::new(),
        earlier: Vec::new(),
        newest: Some(RunId(0)),
        digest: "digest".to_owned(),
        destination: format!("s3://{}", plan.destination.bucket),
        fingerprints: vec![fingerprint(); plan.tables.len()],
        given_up: Vec::new(),
    }
}

/// What was read for each of the plan's exports.
pub(crate) fn fingerprint() -> Fingerprint {
    Fingerprint {
        writing: "of the caller, the bucket and the key".to_owned(),
        reading: "of the caller and the table".to_owned(),
    }
}

/// The probe as it would be made.
pub(crate) fn probe() -> Probe {
    Probe {
        principal: "arn:aws:sts::111111111111:assumed-role/OnCall/mona"
            .parse()
            .unwrap(),
        region: "eu-west-1".parse().unwrap(),
        target: UploadTarget {
            bucket: "export-landing".parse().unwrap(),
            owner: "222222222222".parse().unwrap(),
            key: KEY.to_owned(),
        },
        encryption: Encryption::Aes256,
        kms_key: None,
        not_shown: chosen_plan().not_shown(),
        owner_principal: Some("arn:aws:iam::222222222222:user/dev-admin".parse().unwrap()),
        earlier: Vec::new(),
        reads: None,
    }
}

const KEY: &str =
    "AWSDynamoDB/tableferry-probe-0f8fad5b-d9cb-469f-a165-70867728950e/data/probe.json.gz";

/// A probe that was killed ten minutes ago.
pub(crate) fn unfinished_probe(upload_id: Option<&str>) -> ProbeRecord {
    ProbeRecord {
        id: ProbeId(2),
        created_at: noon() - SignedDuration::from_mins(10),
        principal: probe().principal,
        source_account: "111111111111".parse().unwrap(),
        sign_in: SignIn::default(),
        plan: String::new(),
        bucket: "export-landing".parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        key: KEY.replace("0f8fad5b", "7c9e6679"),
        upload_id: upload_id.map(str::to_owned),
        stage: ProbeStage::Planned,
        settled_at: None,
    }
}

/// The bucket's remedy as a change that is asked about.
pub(crate) fn proposed(production: Option<&str>) -> Proposed {
    let owner: AccountId = "222222222222".parse().unwrap();
    let proposal = Proposal {
        kind: ChangeKind::BucketPolicy,
        account: owner.clone(),
        source_account: "111111111111".parse().unwrap(),
        side: Side::Destination,
        title: "bucket policy of export-landing".to_owned(),
        target: bucket_policy(owner),
        remedy: bucket_remedy(),
    };
    Proposed {
        change: ProposedChange::Apply(Box::new(proposal)),
        name_to_type: production.map(str::to_owned),
    }
}

fn bucket_policy(owner: AccountId) -> ChangeTarget {
    ChangeTarget::BucketPolicy {
        bucket: "export-landing".parse().unwrap(),
        owner,
        region: "eu-west-1".parse().unwrap(),
    }
}

/// The bucket's remedy, applied ten minutes ago.
pub(crate) fn change(id: i64) -> ChangeRecord {
    let owner: AccountId = "222222222222".parse().unwrap();
    let then = noon() - SignedDuration::from_mins(10);
    let Fix::Document { after, added, .. } = bucket_remedy().fix else {
        unreachable!()
    };
    ChangeRecord {
        id: ChangeId(id),
        created_at: then,
        account: owner.clone(),
        source_account: "111111111111".parse().unwrap(),
        sign_in: SignIn::default(),
        caller: None,
        plan: String::new(),
        target: bucket_policy(owner),
        title: "bucket policy of export-landing".to_owned(),
        before: Some(BEFORE.to_owned()),
        after: Some(after),
        added,
        stage: ChangeStage::Held,
        written_at: Some(then),
        held_at: Some(then),
        undone_at: None,
        undone_from: None,
    }
}

/// What taking it away would do.
pub(crate) fn undo(id: ChangeId, name_to_type: Option<String>) -> Proposed {
    let record = change(id.0);
    let live = record.after.clone();
    Proposed {
        change: ProposedChange::Undo(Box::new(UndoProposal::on(record, live).unwrap())),
        name_to_type,
    }
}

pub(crate) fn destination_owner() -> Responsible {
    Responsible::DestinationOwner(Some("222222222222".parse().unwrap()))
}

fn need(
    action: &'static str,
    purpose: Purpose,
    pattern: &str,
    reason: &'static str,
) -> Requirement {
    Requirement::Permission(RequiredPermission {
        who: Actor::Exporter,
        purpose,
        action,
        resource: Resource::Pattern(pattern.to_owned()),
        subject: Subject::Object,
        account: None,
        via: None,
        service: None,
        criticality: Criticality::Required,
        is_direct: false,
        settled_by: SettledBy::Probe,
        reason,
    })
}

fn verdict(
    requirement: Requirement,
    outcome: Verdict,
    responsible: Responsible,
) -> AssessedRequirement {
    AssessedRequirement {
        requirement,
        outcome,
        explanation: String::new(),
        evidence: Evidence::Policies,
        deciding: Vec::new(),
        denied_by: None,
        responsible,
        hint: String::new(),
        expected_error: None,
        cautions: Vec::new(),
        criticality: Criticality::Required,
    }
}

/// A setting of the bucket that stops the call.
pub(crate) fn stopped(why: &str, hint: &str) -> AssessedRequirement {
    let requirement = Requirement::Check {
        check: Check::Bucket,
        of: "export-landing".to_owned(),
    };
    AssessedRequirement {
        explanation: why.to_owned(),
        hint: hint.to_owned(),
        ..verdict(requirement, Verdict::Denied, destination_owner())
    }
}

fn no_grant(action: &'static str) -> AssessedRequirement {
    let reason = "DynamoDB writes the files as the caller";
    let requirement = need(action, WRITE, OBJECTS, reason);
    AssessedRequirement {
        explanation: format!(
            "no statement of the bucket policy of export-landing allows {action} to \
             arn:aws:iam::111111111111:role/OnCall"
        ),
        denied_by: Some(PolicyKind::Resource),
        expected_error: Some(format!(
            "because no resource-based policy allows the {action} action"
        )),
        ..verdict(requirement, Verdict::Denied, destination_owner())
    }
}

fn owner(is_young: bool) -> AssessedRequirement {
    let requirement = Requirement::Check {
        check: Check::BucketOwner,
        of: "export-landing".to_owned(),
    };
    let outcome = Verdict::Allowed {
        assumed: Vec::new(),
    };
    let caution = is_young.then(|| "the bucket was made today".to_owned());
    AssessedRequirement {
        explanation: "S3BucketOwner is sent, and is right".to_owned(),
        cautions: caution.into_iter().collect(),
        ..verdict(requirement, outcome, destination_owner())
    }
}

/// A Deny by address: nobody can tell which one S3 will see.
fn address() -> AssessedRequirement {
    let requirement = need(
        "dynamodb:DescribeExport",
        FOLLOW,
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/*",
        "the export is followed to its end",
    );
    AssessedRequirement {
        explanation: "a Deny hits unless the address is one of the office's".to_owned(),
        deciding: vec![Deciding {
            kind: PolicyKind::ServiceControl,
            policy: "OfficeOnly".to_owned(),
            sid: "DenyElsewhere".to_owned(),
            is_deny: true,
        }],
        criticality: Criticality::Optional,
        ..verdict(
            requirement,
            Verdict::Depends {
                on: Dependency::on("aws:SourceIp"),
                unread: Vec::new(),
            },
            Responsible::Organization,
        )
    }
}

fn quota() -> AssessedRequirement {
    let requirement = Requirement::Check {
        check: Check::Quota,
        of: "111111111111".to_owned(),
    };
    AssessedRequirement {
        explanation: "the exports that run now could not be counted".to_owned(),
        criticality: Criticality::Optional,
        ..verdict(
            requirement,
            Verdict::Unknown {
                unread: vec![MissingInput {
                    layer: PolicyLayer::Setting,
                    what: "the exports in flight".to_owned(),
                    permission: "dynamodb:ListExports".to_owned(),
                    detail: "AccessDeniedException: Access is denied".to_owned(),
                }],
                settled_by: SettledBy::Reading,
            },
            Responsible::You,
        )
    }
}

fn allowed(action: &'static str, purpose: Purpose, reason: &'static str) -> AssessedRequirement {
    let pattern = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
    let scps = MissingInput {
        layer: PolicyLayer::ServiceControl,
        what: "the service control policies of 111111111111".to_owned(),
        permission: "organizations:ListPolicies".to_owned(),
        detail: "AccessDeniedException: You don't have permissions to access this resource."
            .to_owned(),
    };
    AssessedRequirement {
        explanation: "the identity policy allows it".to_owned(),
        deciding: vec![Deciding {
            kind: PolicyKind::Identity,
            policy: "OnCallExports".to_owned(),
            sid: "Exports".to_owned(),
            is_deny: false,
        }],
        ..verdict(
            need(action, purpose, pattern, reason),
            Verdict::Allowed {
                assumed: vec![scps],
            },
            Responsible::You,
        )
    }
}

pub(crate) const BEFORE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TlsOnly",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": "arn:aws:s3:::export-landing/*",
      "Condition": { "Bool": { "aws:SecureTransport": "false" } }
    }
  ]
}
"#;

pub(crate) fn bucket_remedy() -> Remedy {
    let statement = r#"{
      "Sid": "TableferryWrite",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111111111111:role/OnCall" },
      "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
      "Resource": "arn:aws:s3:::export-landing/AWSDynamoDB/*"
    }"#;
    let Ok(edit::Added::Inserted { text }) = edit::add_statement(BEFORE, statement) else {
        unreachable!("the statement is new");
    };
    let resolves = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"];
    Remedy {
        fix: Fix::Document {
            target: Target::BucketPolicy {
                bucket: "export-landing".parse().unwrap(),
            },
            before: Some(BEFORE.to_owned()),
            diff: edit::diff(BEFORE, &text),
            after: text,
            added: vec!["TableferryWrite".to_owned()],
            exempt: Vec::new(),
        },
        responsible: destination_owner(),
        resolves: resolves
            .map(|action| need(action, WRITE, OBJECTS, "").id())
            .into(),
        lets_through: Vec::new(),
        depending: Vec::new(),
        warnings: vec![
            "if the role is deleted and made again, the grant no longer matches it".to_owned(),
        ],
        problems: Vec::new(),
    }
}

fn message() -> Remedy {
    let text = "dynamodb:DescribeExport is needed because the export is followed to its end. A Deny \
                hits unless the address is one of the office's.";
    Remedy {
        fix: Fix::RequestText {
            text: text.to_owned(),
        },
        responsible: Responsible::Organization,
        resolves: vec![
            need(
                "dynamodb:DescribeExport",
                FOLLOW,
                "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/*",
                "",
            )
            .id(),
        ],
        lets_through: Vec::new(),
        depending: Vec::new(),
        warnings: Vec::new(),
        problems: Vec::new(),
    }
}
