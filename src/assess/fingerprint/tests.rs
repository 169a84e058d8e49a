mod changes;

use serde_json::json;

use super::*;
use crate::assess::facts::{GrantFacts, ReadError};
use crate::assess::tests::world::{
    KEY, ROLE, TABLE_KEY, absent, aes_plan, document as policy_of, facts as all_allowed,
    granting_bucket, granting_key, inline, key as key_facts, kms_plan, known, landing, plan,
    refused,
};
use crate::job::TableRef;
use crate::job::requirement::Actor;
use changes::{OF_CALLER, OF_PLACE, OF_TABLE, SAME};

/// Everything there is to know is there.
fn facts() -> Facts {
    let mut facts = all_allowed();
    let everything = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    let levels = || {
        known(vec![
            level("r-root", &["FullAccess", "Guard"]),
            level("111111111111", &["FullAccess"]),
        ])
    };
    facts.source_mut().boundary = known(inline("Boundary", &everything));
    facts.account_of_mut(Actor::Exporter).service_control = levels();
    facts.account_of_mut(Actor::Exporter).resource_control = levels();
    facts.account_of_mut(Actor::Reader).resource_control = levels();
    let table = facts.table_mut("Orders").unwrap();
    table.description.value_mut().unwrap().key = Some(TABLE_KEY.parse().unwrap());
    table.policy = known(policy_of(&everything));
    facts.put_key(key_facts(TABLE_KEY, &granting_key()));
    for key in [KEY, TABLE_KEY] {
        let key = facts.key_mut(key).unwrap();
        key.grants = known(vec![grant(ROLE, "one"), grant(ROLE, "two")]);
    }
    facts
}

fn level(target: &str, names: &[&str]) -> ControlLevel {
    let everything = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    ControlLevel {
        target: target.to_owned(),
        policies: names.iter().map(|name| inline(name, &everything)).collect(),
        unread: Vec::new(),
    }
}

fn grant(grantee: &str, bucket: &str) -> GrantFacts {
    GrantFacts {
        id: format!("id-of-{bucket}"),
        grantee: grantee.to_owned(),
        operations: vec!["Decrypt".to_owned(), "GenerateDataKey".to_owned()],
        context_subset: [("aws:s3:arn".to_owned(), bucket.to_owned())].into(),
        context_equals: None,
        source_arn: None,
    }
}

fn of(facts: &Facts) -> Fingerprint {
    fingerprints(&kms_plan(), facts).remove(0)
}

/// The one grant or policy more that every list can take.
fn more(list: &mut Fact<Vec<ControlLevel>>) {
    list.value_mut().unwrap()[0] = level("r-root", &["FullAccess"]);
}

fn denying() -> Policy {
    let mut statements = granting_bucket();
    statements[0]["Effect"] = "Deny".into();
    policy_of(&statements)
}

#[test]
fn each_fact_that_bears_on_an_export_changes_the_digest_that_it_belongs_to() {
    let before = of(&facts());
    let cases = [
        (OF_CALLER, (true, true)),
        (OF_PLACE, (true, false)),
        (OF_TABLE, (false, true)),
    ];
    for (changes, expected) in cases {
        for (what, change) in changes {
            let mut facts = facts();
            change(&mut facts);
            let after = of(&facts);
            let changed = (
                after.writing != before.writing,
                after.reading != before.reading,
            );
            assert_eq!(changed, expected, "{what}");
        }
    }
}

#[test]
fn the_plans_way_of_writing_is_part_of_it() {
    let of_plan = |plan| fingerprints(&plan, &facts()).remove(0).writing;
    let managed = || {
        let destination = "owner = '222222222222'\nprefix = 'prod'";
        plan(destination, "[encryption]\nalgorithm = 'KMS'")
    };
    assert_ne!(of_plan(aes_plan()), of_plan(kms_plan()));
    // Neither has a key by name, and one of them has one.
    assert_ne!(of_plan(aes_plan()), of_plan(managed()));
    let mut identified = aes_plan();
    identified.source.sign_in.source_identity = Some("pat".to_owned());
    assert_ne!(of_plan(aes_plan()), of_plan(identified));
}

#[test]
fn what_bears_on_no_permission_changes_nothing() {
    let mut base = facts();
    let policies = base.source_mut().identity_policies.value_mut().unwrap();
    policies.push(inline("More", &granting_bucket()));
    let before = of(&base);
    for (what, change) in SAME {
        let mut facts = base.clone();
        facts
            .source_mut()
            .identity_policies
            .value_mut()
            .unwrap()
            .reverse();
        change(&mut facts);
        assert_eq!(of(&facts), before, "{what}");
    }
}

#[test]
fn what_was_not_read_is_the_same_whatever_stood_in_the_way() {
    let with = |policy: Fact<Policy>| {
        let mut facts = facts();
        facts.bucket_mut(&landing()).policy = policy;
        of(&facts)
    };
    let failed = Fact::Failed(ReadError {
        permission: "s3:GetBucketPolicy".to_owned(),
        detail: "no answer within 30 seconds".to_owned(),
        ..ReadError::default()
    });
    let refused = with(refused("s3:GetBucketPolicy"));
    assert_eq!(with(failed), refused);
    assert_eq!(with(Fact::UNASKED), refused);
    assert_ne!(with(absent()), refused);
    // A document that says so is no document that was not read.
    assert_ne!(with(known("not read".into())), refused);
}

#[test]
fn there_is_one_for_each_table_and_writing_is_the_same_for_all() {
    let mut plan = kms_plan();
    let mut users = plan.tables[0].clone();
    users.table = TableRef::Name("Users".to_owned());
    plan.tables.push(users);
    let found = fingerprints(&plan, &facts());
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], of(&facts()));
    assert_eq!(found[0].writing, found[1].writing);
    assert_ne!(found[0].reading, found[1].reading);
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(is_digest(&found[0].writing) && is_digest(&found[0].reading));
}

/// Neither side's account, so that neither side's policies are told with it.
#[test]
fn a_resource_control_policy_over_the_key_of_a_third_account_is_a_change() {
    const THIRD: &str =
        "arn:aws:kms:eu-west-1:333333333333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let text = kms_plan().to_toml().replace(KEY, THIRD);
    let plan = crate::job::Plan::parse(&text, "plan.toml", crate::assess::tests::world::now());
    let plan = plan.unwrap();
    let mut facts = facts();
    facts.put_key(key_facts(THIRD, &granting_key()));
    let before = fingerprints(&plan, &facts).remove(0);
    let third = "333333333333".parse().unwrap();
    facts.account_mut(&third).resource_control = known(vec![level("r-root", &["Guard"])]);
    let after = fingerprints(&plan, &facts).remove(0);
    assert_ne!(before.writing, after.writing);
    assert_eq!(before.reading, after.reading);
}
