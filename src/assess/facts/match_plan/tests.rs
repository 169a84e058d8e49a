//! Facts against plans that they are not of, or of in part.

use rstest::rstest;

use super::*;
use crate::assess::facts::Simulated;
use crate::assess::judge::judge;
use crate::assess::tests::world::landing;
use crate::assess::tests::world::{KEY, ROLE, TABLE, aes_plan, facts, kms_plan, known, now, plan};
use crate::assess::verdict::{Check, Requirement, Verdict};

const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/pat";

/// A plan of the same bucket, with other sign-ins and tables.
fn other(source: &str, destination: &str, tables: &str) -> Plan {
    let text = format!(
        "[source]\n{source}\n[destination]\nbucket = 'export-landing'\nowner = '222222222222'\n\
         prefix = 'prod'\n{destination}\n{tables}"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

const ORDERS: &str = "[[tables]]\nname = 'Orders'\n";

/// Facts as `survey` would have written them for a plan.
fn surveyed(plan: &Plan) -> Facts {
    let mut facts = facts();
    facts.surveyed_for = Some(SurveyedFor::of(plan));
    facts
}

/// What is said against facts, in one line.
fn against(facts: Facts, plan: &Plan, said: &[&str]) -> String {
    let said: Vec<Arn> = said.iter().map(|arn| arn.parse().unwrap()).collect();
    match facts.match_plan(plan, &said) {
        Ok(_) => String::new(),
        Err(mismatches) => {
            let texts = mismatches.into_iter().map(|mismatch| mismatch.what);
            texts.collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn facts_fit_the_plan_that_they_were_read_for_as_they_are() {
    for plan in [aes_plan(), kms_plan()] {
        let mut facts = surveyed(&plan);
        if plan.encryption == Encryption::Aes256 {
            facts.retain_keys(|_| false);
        }
        let matched = facts.clone().match_plan(&plan, &[]).unwrap();
        assert_eq!(matched.facts, facts);
        assert!(matched.notes.is_empty(), "{:?}", matched.notes);
    }
}

#[test]
fn the_facts_of_another_bucket_are_refused_whatever_else_agrees() {
    let text = aes_plan()
        .to_toml()
        .replace("export-landing", "export-other");
    let plan = Plan::parse(&text, "plan.toml", now()).unwrap();
    let told = against(surveyed(&plan), &plan, &[]);
    assert!(told.contains("bucket export-landing"), "{told}");
    assert!(told.contains("bucket export-other"), "{told}");
    assert!(against(facts(), &plan, &[]).contains("bucket export-other"));
}

/// Each is judged against facts of the role `OnCallExporter`, read by the profiles p and d.
#[rstest]
#[case::the_same_names("profile = 'p'", "profile = 'd'", &[], "")]
#[case::another_source("profile = 'q'", "profile = 'd'", &[], "plan's profile q is")]
#[case::another_destination("profile = 'p'", "profile = 'e'", &[], "plan's profile e is")]
#[case::vouched_by_role("profile = 'q'", "profile = 'd'", &[ROLE], "")]
#[case::vouched_by_session("profile = 'q'", "profile = 'd'", &[SESSION], "")]
#[case::vouched_for_the_other_side("profile = 'p'", "profile = 'e'", &[ROLE], "profile e is")]
#[case::vouched_for_somebody_else(
    "profile = 'p'", "profile = 'd'", &["arn:aws:iam::111111111111:role/Other"], "not of arn:aws:iam"
)]
#[case::the_role_itself(
    "profile = 'q'\nrole = 'arn:aws:iam::111111111111:role/OnCallExporter'", "profile = 'd'", &[], ""
)]
#[case::the_role_under_a_path(
    "profile = 'q'\nrole = 'arn:aws:iam::111111111111:role/team/OnCallExporter'",
    "profile = 'd'", &[], ""
)]
#[case::another_role(
    "profile = 'p'\nrole = 'arn:aws:iam::111111111111:role/Other'", "profile = 'd'", &[],
    "signs in as arn:aws:iam::111111111111:role/Other"
)]
#[case::another_role_in_spite_of_a_word(
    "profile = 'p'\nrole = 'arn:aws:iam::111111111111:role/Other'", "profile = 'd'", &[ROLE],
    "signs in as arn:aws:iam::111111111111:role/Other"
)]
#[case::a_namesake_of_another_account(
    "profile = 'p'\nrole = 'arn:aws:iam::333333333333:role/OnCallExporter'", "profile = 'd'", &[],
    "333333333333"
)]
#[case::another_session(
    "profile = 'p'\nrole = 'arn:aws:iam::111111111111:role/OnCallExporter'\nsession_name = 'night'",
    "profile = 'd'", &[], "session night"
)]
#[case::another_region("profile = 'p'\nregion = 'eu-central-1'", "profile = 'd'", &[], "eu-central-1")]
fn facts_are_refused_where_they_are_not_known_to_be_of_the_plan_s_identities(
    #[case] source: &str,
    #[case] destination: &str,
    #[case] said: &[&str],
    #[case] expected: &str,
) {
    let told = against(
        surveyed(&aes_plan()),
        &other(source, destination, ORDERS),
        said,
    );
    if expected.is_empty() {
        assert_eq!(told, "");
    } else {
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_role_or_region_that_the_plan_names_no_more_leaves_the_identity_open() {
    let role = format!("profile = 'p'\nrole = '{ROLE}'");
    let plain = other("profile = 'p'", "profile = 'd'", ORDERS);
    let told = against(
        surveyed(&other(&role, "profile = 'd'", ORDERS)),
        &plain,
        &[],
    );
    assert!(told.contains("which the plan does not name"), "{told}");
    let region = "profile = 'p'\nregion = 'eu-west-1'";
    let told = against(
        surveyed(&other(region, "profile = 'd'", ORDERS)),
        &plain,
        &[],
    );
    assert!(told.contains("the profile's own Region"), "{told}");
    let by_arn = other(
        "profile = 'p'",
        "profile = 'd'",
        &format!("[[tables]]\nname = '{TABLE}'\n"),
    );
    assert_eq!(
        against(
            surveyed(&other(region, "profile = 'd'", ORDERS)),
            &by_arn,
            &[]
        ),
        ""
    );
}

#[test]
fn facts_that_do_not_say_for_whom_they_were_read_fit_with_a_note_unless_they_tell_otherwise() {
    let plan = other("profile = 'q'", "profile = 'd'", ORDERS);
    let notes = facts().match_plan(&plan, &[]).unwrap().notes;
    assert!(
        notes[0].contains(SESSION) && notes[0].contains("that q is"),
        "{notes:?}"
    );
    let role = "profile = 'q'\nrole = 'arn:aws:iam::111111111111:role/Other'";
    assert!(!against(facts(), &other(role, "profile = 'd'", ORDERS), &[]).is_empty());
}

#[test]
fn a_destination_that_was_not_surveyed_is_missed_and_one_too_many_is_left_out() {
    let plan = aes_plan();
    let mut without = surveyed(&plan);
    without.destination = None;
    assert!(against(without, &plan, &[]).contains("the destination was not surveyed"));
    let matched = surveyed(&plan)
        .match_plan(&other("profile = 'p'", "", ORDERS), &[])
        .unwrap();
    assert_eq!(matched.facts.destination, None);
    assert!(matched.notes[0].contains("left out"), "{:?}", matched.notes);
}

#[test]
fn a_table_is_known_by_its_arn_however_either_side_names_it_and_others_are_left_out() {
    let by_arn = other(
        "profile = 'p'",
        "profile = 'd'",
        &format!("[[tables]]\nname = '{TABLE}'\n"),
    );
    let matched = surveyed(&aes_plan())
        .match_plan(&by_arn, &[])
        .unwrap()
        .facts;
    assert_eq!(matched.tables.len(), 1);
    assert!(matched.table(TABLE).is_some());
    let mut facts = surveyed(&by_arn);
    TABLE.clone_into(&mut facts.table_mut("Orders").unwrap().asked);
    assert!(
        facts
            .match_plan(&aes_plan(), &[])
            .unwrap()
            .facts
            .table("Orders")
            .is_some()
    );
    let elsewhere = TABLE.replace("eu-west-1", "eu-central-1");
    let namesake = other(
        "profile = 'p'",
        "profile = 'd'",
        &format!("[[tables]]\nname = '{elsewhere}'\n"),
    );
    assert!(
        surveyed(&aes_plan())
            .match_plan(&namesake, &[])
            .unwrap()
            .facts
            .tables
            .is_empty()
    );
}

/// IAM's simulation was told the encryption (`s3:x-amz-server-side-encryption`), which policies ask.
#[test]
fn what_the_simulation_was_asked_about_another_encryption_is_left_out() {
    let simulated = || {
        let mut facts = surveyed(&aes_plan());
        facts.source_mut().simulation = known(Vec::<Simulated>::new());
        facts
    };
    let same = simulated().match_plan(&aes_plan(), &[]).unwrap().facts;
    assert!(same.source.simulation.value().is_some());
    let other = simulated().match_plan(&kms_plan(), &[]).unwrap();
    assert_eq!(
        other.facts.source().simulation,
        Fact::unasked(Unasked::AskedOtherwise)
    );
    assert!(other.notes[0].contains("simulation"), "{:?}", other.notes);
}

#[test]
fn a_table_that_was_not_surveyed_is_allowed_nothing() {
    let both = format!("{ORDERS}[[tables]]\nname = 'Users'\n");
    let plan = other("profile = 'p'", "profile = 'd'", &both);
    let facts = surveyed(&aes_plan()).match_plan(&plan, &[]).unwrap().facts;
    let verdicts = judge(&plan, &facts, now());
    let mut about = 0;
    for verdict in &verdicts {
        let is_of = |name: &str| verdict.requirement.to_string().contains(name);
        if is_of("Users") {
            about += 1;
            let Verdict::Unknown { unread, .. } = &verdict.outcome else {
                panic!("{verdict:?}");
            };
            assert_eq!(unread[0].detail, "it was not surveyed");
        } else {
            assert!(verdict.outcome.is_allowed(), "{verdict:?}");
        }
    }
    // Four permissions on it, that it is there, and its recovery.
    assert_eq!(about, 6);
}

#[test]
fn what_the_caller_s_own_policies_deny_on_a_table_is_denied_whether_it_was_surveyed_or_not() {
    let plan = other(
        "profile = 'p'",
        "profile = 'd'",
        "[[tables]]\nname = 'Users'\n",
    );
    let mut facts = surveyed(&aes_plan());
    facts.source_mut().identity_policies = known(Vec::new());
    let facts = facts.match_plan(&plan, &[]).unwrap().facts;
    let verdicts = judge(&plan, &facts, now());
    let export = verdicts.iter().find(|verdict| {
        matches!(&verdict.requirement, Requirement::Permission(need)
            if need.action == "dynamodb:ExportTableToPointInTime")
    });
    assert_eq!(export.unwrap().outcome, Verdict::Denied);
}

#[test]
fn a_key_that_was_not_surveyed_is_allowed_nothing() {
    let plan = kms_plan();
    let facts = || surveyed(&aes_plan()).match_plan(&plan, &[]).unwrap().facts;
    let mut without = facts();
    without.keys.clear();
    let verdicts = judge(&plan, &without, now());
    let state = verdicts
        .iter()
        .find(|verdict| verdict.is_of(Check::KeyState));
    assert!(matches!(state.unwrap().outcome, Verdict::Unknown { .. }));
    for verdict in &verdicts {
        if let Requirement::Permission(need) = &verdict.requirement
            && need.resource.pattern() == KEY
        {
            assert!(
                matches!(verdict.outcome, Verdict::Unknown { .. }),
                "{verdict:?}"
            );
        }
    }
    // The bucket owner's own `aws/s3`, in one account, where nothing but its state is judged.
    let mut managed = plan_of_managed_key();
    managed.destination.owner = Some("111111111111".parse().unwrap());
    let mut own = facts();
    own.bucket_mut(&landing()).owner = known("111111111111".parse().unwrap());
    own.retain_keys(|_| false);
    let verdicts = judge(&managed, &own, now());
    let state = verdicts
        .iter()
        .find(|verdict| verdict.is_of(Check::KeyState));
    assert!(matches!(state.unwrap().outcome, Verdict::Unknown { .. }));
}

fn plan_of_managed_key() -> Plan {
    plan("prefix = 'prod'", "[encryption]\nalgorithm = 'KMS'")
}
