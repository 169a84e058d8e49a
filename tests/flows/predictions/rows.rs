//! Row by row of the known failures: `check` names it before the start, with what decides; the export
//! forced all the same fails with that failure's code and text; and with the remedy done `check` is
//! clean, and the same export completes.

mod before;
mod keys;
pub(super) mod table;

use serde_json::Value;
use tableferry::assess::judge::judge;
use tableferry::assess::remedy::{Fix, GrantOptions, Remedy, remedies};
use tableferry::assess::verdict::{AssessedRequirement, Overall, Requirement, overall};
use tableferry::job::Plan;

use crate::predictions::place::{self, Place, Whereabouts, carry_out};

/// One known failure.
pub(super) struct Row {
    /// Its number, with a letter where several are of a kind.
    pub number: &'static str,
    /// What is done to the world that comes with the program.
    pub world: fn(&mut Value),
    /// The plan file's text.
    pub plan: String,
    /// The check, or the action of the exporter, whose verdict names it.
    pub about: &'static str,
    pub word: &'static str,
    /// What the explanation or the deciding statements hold.
    pub because: &'static str,
    /// The code, and a part of the message, of the refusal or failure.
    pub code: &'static str,
    pub text: &'static str,
    pub fix: Fixed,
}

/// How it is fixed.
pub(super) enum Fixed {
    /// By the remedies, each of them sound.
    ByRemedies,
    /// By anyone who owns something, as the message asks.
    InTheWorld(fn(&mut Value)),
    /// By another plan, as the hint says.
    ByPlan(String),
}

/// The world that comes with the program, in which the one on call may read what bears on it.
pub(super) fn base() -> Value {
    let mut world = place::shipped_world();
    world["organization"]["delegated"] = serde_json::json!(["111111111111", "222222222222"]);
    let reads = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Reads","Effect":"Allow","Resource":"*",
        "Action":["iam:Get*","iam:List*","organizations:*","dynamodb:GetResourcePolicy",
        "s3:ListAllMyBuckets","s3:GetAccountPublicAccessBlock","kms:DescribeKey","kms:GetKeyPolicy",
        "kms:ListGrants"]}]}"#;
    for role in [
        "OnCallExporter",
        "AWSReservedSSO_ExportOperators_0123456789abcdef",
    ] {
        world["accounts"]["111111111111"]["roles"][role]["inline"]["Reads"] = reads.into();
    }
    world
}

/// Where the principals of the rows stand.
pub(super) fn whereabouts() -> Whereabouts {
    Whereabouts {
        exporter: "/accounts/111111111111/roles/OnCallExporter".to_owned(),
        reader: "/accounts/222222222222/users/dev-admin".to_owned(),
    }
}

/// A plan file's text: the bucket's lines, the encryption's, the table's.
pub(super) fn plan_text(destination: &str, encryption: &str, table: &str) -> String {
    let encryption = match encryption {
        "" => String::new(),
        lines => format!("[encryption]\n{lines}\n"),
    };
    format!(
        "[source]\nprofile = \"prod-oncall\"\n[destination]\n{destination}\nprefix = \"prod\"\n\
         {encryption}[[tables]]\n{table}\n"
    )
}

/// The verdict on an action of the exporter, or on a setting.
fn verdict_about<'v>(verdicts: &'v [AssessedRequirement], about: &str) -> &'v AssessedRequirement {
    let found = verdicts.iter().find(|verdict| match &verdict.requirement {
        Requirement::Permission(need) => need.action == about,
        Requirement::Check { .. } => verdict.to_json()["subject"]["check"] == about,
    });
    found.unwrap_or_else(|| panic!("nothing on {about}: {verdicts:#?}"))
}

/// Goes through one row.
async fn go_through(row: &Row) {
    let number = row.number;
    let mut world = base();
    (row.world)(&mut world);
    let plan = place::plan(&row.plan);
    let place = Place::open(&world, &plan).await;
    let facts = place.survey(&plan).await;
    let now = jiff::Timestamp::now();
    let verdicts = judge(&plan, &facts, now);
    let verdict = verdict_about(&verdicts, row.about);
    assert_eq!(
        verdict.outcome.as_str(),
        row.word,
        "row {number}: {verdict:#?}"
    );
    let told = format!("{} {}", verdict.explanation, verdict.to_json()["deciding"]);
    assert!(told.contains(row.because), "row {number}: {told}");

    let ending = place.export(&plan).await;
    let (code, message) = ending.describe();
    assert_eq!(code, row.code, "row {number}: {message}");
    assert!(message.contains(row.text), "row {number}: {message}");
    let predicted = verdict.expected_error.as_deref();
    let is_predicted = predicted.is_some_and(|text| message.contains(text) || code == text);
    assert!(
        is_predicted,
        "row {number}: {predicted:?} was predicted, and it is {message}"
    );

    let plan = match &row.fix {
        Fixed::ByRemedies => {
            let found = remedies(&plan, &facts, now, GrantOptions::default());
            for remedy in &found.remedies {
                assert!(can_be_done(remedy), "row {number}: {remedy:#?}");
                if let Fix::Document { target, after, .. } = &remedy.fix {
                    let answer = place.put(target, after, &world).await;
                    assert_eq!(answer, Ok(()), "row {number}: {after}");
                }
                carry_out(&mut world, remedy, &whereabouts());
            }
            found.plan
        }
        Fixed::InTheWorld(fix) => {
            let found = remedies(&plan, &facts, now, GrantOptions::default());
            let is_told = found
                .open()
                .any(|open| open.requirement == verdict.requirement);
            assert!(is_told, "row {number}: {found:#?}");
            fix(&mut world);
            plan
        }
        Fixed::ByPlan(text) => place::plan(text),
    };
    completes(number, &world, &plan).await;
}

/// Whether a remedy is one that its responsible party can just do.
fn can_be_done(remedy: &Remedy) -> bool {
    remedy.is_sound() && !matches!(remedy.fix, Fix::RequestText { .. })
}

/// `check` is clean, even where assumptions count, and the export completes.
async fn completes(number: &str, world: &Value, plan: &Plan) {
    let place = Place::open(world, plan).await;
    let verdicts = place.check(plan).await;
    let open: Vec<&AssessedRequirement> = verdicts
        .iter()
        .filter(|found| overall(std::slice::from_ref(*found), true) != Overall::Allowed)
        .collect();
    assert!(open.is_empty(), "row {number} is not clean: {open:#?}");
    let ending = place.export(plan).await;
    assert!(ending.is_completed(), "row {number}: {ending:?}");
}

#[test]
fn every_known_failure_is_named_before_it_happens_and_mended() {
    let rows = table::rows();
    let mut failed = Vec::new();
    for row in rows {
        let number = row.number;
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            place::run(|| go_through(&row));
        }));
        if outcome.is_err() {
            failed.push(number);
        }
    }
    assert!(failed.is_empty(), "rows {failed:?}");
}

#[test]
fn the_world_of_the_rows_is_one_in_which_nothing_is_amiss() {
    place::run(async || {
        let plan = place::plan(&plan_text(table::LANDING, "", table::EVENTS));
        completes("none", &base(), &plan).await;
        let plan = place::plan(&plan_text(
            table::LANDING,
            &table::kms(table::KEY),
            table::EVENTS,
        ));
        completes("none", &base(), &plan).await;
    });
}

/// The failures that nobody can predict, or that concern something else than an export, each with
/// the reason.
const NOT_OF_A_CHECK: [(u8, &str); 16] = [
    (
        8,
        "a plan has no way of saying type and specification apart",
    ),
    (
        17,
        "it is the reader's: the needs of the destination name it",
    ),
    (21, "the plan is refused: `before` shows it"),
    (29, "a plan's bare name is made an ARN before the call"),
    (30, "each call has a token of its own"),
    (31, "each call has a token of its own"),
    (
        32,
        "the quota is a check of its own; the sandbox has no limits",
    ),
    (33, "exports are followed by the ARN that the call gave"),
    (34, "it is about looking back"),
    (36, "signing in asks for the code"),
    (37, "signing in fails before there is anything to check"),
    (38, "it happens while an export runs"),
    (
        40,
        "which access control list an export sends is not documented, and no plan can say it",
    ),
    (41, "it is about imports"),
    (42, "it is about imports"),
    (43, "it is about imports"),
];

#[test]
fn no_known_failure_is_left_out() {
    let number = |text: &str| -> u8 {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let mut covered: Vec<u8> = table::rows().iter().map(|row| number(row.number)).collect();
    covered.extend(NOT_OF_A_CHECK.iter().map(|(row, _)| *row));
    covered.extend(before::ROWS);
    for row in 1..=43 {
        assert!(covered.contains(&row), "{row}");
    }
}
