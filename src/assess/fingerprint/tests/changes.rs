//! What can change in facts, each with what it is called.

use super::*;
use crate::assess::facts::{
    DefaultEncryption, KeyManager, ObservedCall, Ownership, PublicAccessBlock, Simulated,
};
use crate::assess::tests::world::{KEY, TABLE, at};
use crate::job::TableStatus;
use crate::job::requirement::Actor;

const OTHER: &str = "arn:aws:iam::111111111111:role/Other";

pub(super) type Change = fn(&mut Facts);

/// What bears on writing and on reading.
pub(super) const OF_CALLER: &[(&str, Change)] = &[
    ("the role", |facts| {
        facts.source_mut().caller.arn = "arn:aws:sts::111111111111:assumed-role/Other/pat"
            .parse()
            .unwrap();
    }),
    ("the role's unique id", |facts| {
        facts.source_mut().caller.user_id = "AROAEXAMPLEEXAMPLE002:pat".to_owned();
    }),
    ("the account", |facts| {
        facts.source_mut().caller.account = "333333333333".parse().unwrap();
    }),
    ("the role's path", |facts| {
        let role = facts.source_mut().role.value_mut().unwrap();
        role.arn = "arn:aws:iam::111111111111:role/a/OnCallExporter"
            .parse()
            .unwrap();
    }),
    ("the role, unread", |facts| {
        facts.source_mut().role = refused("iam:GetRole");
    }),
    ("an identity policy", |facts| {
        let policies = facts.source_mut().identity_policies.value_mut().unwrap();
        policies[0].document = denying();
    }),
    ("an identity policy's name", |facts| {
        let policies = facts.source_mut().identity_policies.value_mut().unwrap();
        policies[0].name = "Other".to_owned();
    }),
    ("an identity policy more", |facts| {
        let policies = facts.source_mut().identity_policies.value_mut().unwrap();
        policies.push(inline("More", &granting_bucket()));
    }),
    ("the identity policies, unread", |facts| {
        facts.source_mut().identity_policies = refused("iam:ListAttachedRolePolicies");
    }),
    ("an identity policy that was read beside others", |facts| {
        let some = &mut facts.source_mut().some_identity_policies;
        some.push(inline("More", &granting_bucket()));
    }),
    ("the boundary", |facts| {
        facts.source_mut().boundary.value_mut().unwrap().document = denying();
    }),
    ("the boundary, taken away", |facts| {
        facts.source_mut().boundary = absent();
    }),
    ("the boundary, unread", |facts| {
        facts.source_mut().boundary = refused("iam:GetRole");
    }),
    ("the organization", |facts| {
        facts
            .account_of_mut(Actor::Exporter)
            .organization
            .value_mut()
            .unwrap()
            .id = "o-other".to_owned();
    }),
    ("the organization, left", |facts| {
        facts.account_of_mut(Actor::Exporter).organization = absent();
    }),
    ("the unit", |facts| {
        facts
            .account_of_mut(Actor::Exporter)
            .organization
            .value_mut()
            .unwrap()
            .path = None;
    }),
    ("a service control policy", |facts| {
        more(&mut facts.account_of_mut(Actor::Exporter).service_control);
    }),
    ("the level of a service control policy", |facts| {
        facts
            .account_of_mut(Actor::Exporter)
            .service_control
            .value_mut()
            .unwrap()
            .reverse();
    }),
    ("the service control policies, unread", |facts| {
        facts.account_of_mut(Actor::Exporter).service_control =
            refused("organizations:ListPoliciesForTarget");
    }),
    ("a resource control policy", |facts| {
        more(&mut facts.account_of_mut(Actor::Exporter).resource_control);
    }),
    ("the resource control policies, unread", |facts| {
        facts.account_of_mut(Actor::Exporter).resource_control = Fact::UNASKED;
    }),
];

/// What bears on writing alone.
pub(super) const OF_PLACE: &[(&str, Change)] = &[
    ("the owner", |facts| {
        facts.bucket_mut(&landing()).owner = known("333333333333".parse().unwrap());
    }),
    ("the owner, unread", |facts| {
        facts.bucket_mut(&landing()).owner = refused("s3:ListBucket");
    }),
    ("the Region", |facts| {
        facts.bucket_mut(&landing()).region = known("eu-central-1".parse().unwrap());
    }),
    ("the bucket policy", |facts| {
        facts.bucket_mut(&landing()).policy = known(denying());
    }),
    ("the bucket policy, taken away", |facts| {
        facts.bucket_mut(&landing()).policy = absent();
    }),
    ("the bucket policy, unread", |facts| {
        facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    }),
    ("the ownership", |facts| {
        facts.bucket_mut(&landing()).ownership = known(Ownership::ObjectWriter);
    }),
    ("Block Public Access of the bucket", |facts| {
        facts.bucket_mut(&landing()).public_access = known(restricting());
    }),
    ("Block Public Access of the account", |facts| {
        facts.account_of_mut(Actor::Reader).public_access = known(restricting());
    }),
    ("Block Public Access of the organization", |facts| {
        facts
            .account_of_mut(Actor::Reader)
            .organization_public_access = known(restricting());
    }),
    ("the default encryption", |facts| {
        facts.bucket_mut(&landing()).encryption = known(DefaultEncryption {
            algorithm: "aws:kms".to_owned(),
            key: None,
            has_bucket_key: true,
        });
    }),
    ("who pays", |facts| {
        facts.bucket_mut(&landing()).requester_pays = known(true);
    }),
    ("the owner's organization", |facts| {
        let account = facts.account_of_mut(Actor::Reader);
        account.organization.value_mut().unwrap().id = "o-other".to_owned();
    }),
    ("a resource control policy over the owner", |facts| {
        more(&mut facts.account_of_mut(Actor::Reader).resource_control);
    }),
    ("the owner's side, not signed in", |facts| {
        facts.set_destination(None);
    }),
    ("the key, unread", |facts| {
        facts.retain_keys(|key| !key.goes_by(KEY));
    }),
    ("the key's state", |facts| {
        let key = facts.key_mut(KEY).unwrap().description.value_mut().unwrap();
        key.state = "Disabled".to_owned();
    }),
    ("the key's manager", |facts| {
        let key = facts.key_mut(KEY).unwrap().description.value_mut().unwrap();
        key.manager = KeyManager::Aws;
    }),
    ("the key's policy", |facts| {
        facts.key_mut(KEY).unwrap().policy = known(denying());
    }),
    ("the key's policy, unread", |facts| {
        facts.key_mut(KEY).unwrap().policy = refused("kms:GetKeyPolicy");
    }),
    ("a grant on the key", |facts| {
        facts
            .key_mut(KEY)
            .unwrap()
            .grants
            .value_mut()
            .unwrap()
            .pop();
    }),
    ("a grant's operations", |facts| {
        facts.key_mut(KEY).unwrap().grants.value_mut().unwrap()[0]
            .operations
            .pop();
    }),
    ("a grant's constraint", |facts| {
        facts.key_mut(KEY).unwrap().grants.value_mut().unwrap()[0]
            .context_subset
            .clear();
    }),
    ("a grant's whole context", |facts| {
        let grant = &mut facts.key_mut(KEY).unwrap().grants.value_mut().unwrap()[0];
        grant.context_equals = Some(grant.context_subset.clone());
    }),
    ("a grant's source", |facts| {
        let grant = &mut facts.key_mut(KEY).unwrap().grants.value_mut().unwrap()[0];
        grant.source_arn = Some(TABLE.to_owned());
    }),
    ("a grant to the whole account", |facts| {
        let grants = facts.key_mut(KEY).unwrap().grants.value_mut().unwrap();
        grants.push(grant("arn:aws:iam::111111111111:root", "one"));
    }),
    ("the grants, unread", |facts| {
        facts.key_mut(KEY).unwrap().grants = refused("kms:ListGrants");
    }),
];

/// What bears on reading the table alone.
pub(super) const OF_TABLE: &[(&str, Change)] = &[
    ("the table, unread", |facts| {
        facts.table_mut("Orders").unwrap().description = refused("dynamodb:DescribeTable");
    }),
    ("the table's ARN", |facts| {
        let table = facts
            .table_mut("Orders")
            .unwrap()
            .description
            .value_mut()
            .unwrap();
        table.arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Other"
            .parse()
            .unwrap();
    }),
    ("the table's policy", |facts| {
        facts.table_mut("Orders").unwrap().policy = known(denying());
    }),
    ("the table's policy, taken away", |facts| {
        facts.table_mut("Orders").unwrap().policy = absent();
    }),
    ("the table's policy, unread", |facts| {
        facts.table_mut("Orders").unwrap().policy = refused("dynamodb:GetResourcePolicy");
    }),
    ("the table's key", |facts| {
        let table = facts
            .table_mut("Orders")
            .unwrap()
            .description
            .value_mut()
            .unwrap();
        table.key = Some(KEY.parse().unwrap());
    }),
    ("the state of the table's key", |facts| {
        let key = facts
            .key_mut(TABLE_KEY)
            .unwrap()
            .description
            .value_mut()
            .unwrap();
        key.state = "PendingDeletion".to_owned();
    }),
    ("the policy of the table's key", |facts| {
        facts.key_mut(TABLE_KEY).unwrap().policy = known(denying());
    }),
    ("a grant on the table's key", |facts| {
        facts
            .key_mut(TABLE_KEY)
            .unwrap()
            .grants
            .value_mut()
            .unwrap()
            .pop();
    }),
];

/// What bears on no permission of the exporter, or is the same in other words.
pub(super) const SAME: &[(&str, Change)] = &[
    ("the time of reading", |facts| {
        facts.surveyed_at = at("2026-11-23T12:00:00Z");
        let policy = facts.bucket_mut(&landing()).policy.value().unwrap().clone();
        facts.bucket_mut(&landing()).policy =
            Fact::known(policy, facts.surveyed_at, "another call");
    }),
    ("another session of the role", |facts| {
        facts.source_mut().caller.arn = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/sam"
            .parse()
            .unwrap();
        facts.source_mut().caller.user_id = "AROAEXAMPLEEXAMPLE001:sam".to_owned();
        facts.source_mut().expires_at = known(at("2026-11-24T12:00:00Z"));
    }),
    ("a role that was named and not read", |facts| {
        facts.source_mut().role.value_mut().unwrap().id = Some("AROAEXAMPLEEXAMPLE001".to_owned());
    }),
    ("the layout of a document", |facts| {
        let policy = facts.bucket_mut(&landing()).policy.value_mut().unwrap();
        let value: Value = serde_json::from_str(policy.text()).unwrap();
        *policy = serde_json::to_string_pretty(&value).unwrap().into();
    }),
    (
        "the order of members and lists, and lists of one",
        |facts| {
            let text = format!(
                r#"{{"Statement":{{"Resource":["arn:aws:s3:::export-landing/*"],
                "Action":["s3:AbortMultipartUpload","s3:PutObjectAcl","s3:PutObject"],
                "Principal":{{"AWS":["{ROLE}"]}},"Effect":"Allow","Sid":"AllowExport"}},
                "Version":"2012-10-17"}}"#
            );
            facts.bucket_mut(&landing()).policy = known(text.into());
        },
    ),
    ("the order of attached policies", |facts| {
        let account = facts.account_of_mut(Actor::Exporter);
        for levels in [&mut account.service_control, &mut account.resource_control] {
            levels.value_mut().unwrap()[0].policies.reverse();
        }
    }),
    ("the order of grants and operations", |facts| {
        let grants = facts.key_mut(KEY).unwrap().grants.value_mut().unwrap();
        grants.reverse();
        grants[0].operations.reverse();
    }),
    ("a grant made anew", |facts| {
        facts.key_mut(KEY).unwrap().grants.value_mut().unwrap()[0].id = "another".to_owned();
    }),
    ("grants to others", |facts| {
        let grants = facts.key_mut(KEY).unwrap().grants.value_mut().unwrap();
        grants.push(grant(OTHER, "one"));
        grants.push(grant("arn:aws:iam::222222222222:root", "one"));
        grants.push(grant("dynamodb.eu-west-1.amazonaws.com", "one"));
    }),
    ("what IAM's simulation says, and what was tried", |facts| {
        facts.source_mut().simulation = known(vec![Simulated {
            action: "s3:PutObject".to_owned(),
            resource: "*".to_owned(),
            decision: "allowed".to_owned(),
            allowed_by_organization: None,
            allowed_by_boundary: None,
            missing_context: Vec::new(),
            given: Vec::new(),
        }]);
        facts.tried.push(ObservedCall {
            who: Actor::Exporter,
            action: "s3:PutObject".to_owned(),
            resource: "*".to_owned(),
            at: at("2026-11-22T12:00:00Z"),
            refusal: None,
        });
    }),
    ("the table's size, state and recovery", |facts| {
        let table = facts
            .table_mut("Orders")
            .unwrap()
            .description
            .value_mut()
            .unwrap();
        table.size_bytes = None;
        table.status = TableStatus::Updating;
        facts.table_mut("Orders").unwrap().recovery = Fact::UNASKED;
    }),
    ("the rights of the reader", |facts| {
        let side = facts.destination_mut().unwrap();
        side.identity_policies = refused("iam:ListAttachedRolePolicies");
    }),
];

fn restricting() -> PublicAccessBlock {
    PublicAccessBlock {
        restrict_public_buckets: true,
        ..PublicAccessBlock::default()
    }
}
