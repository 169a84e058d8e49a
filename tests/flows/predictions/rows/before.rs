//! Known failures that show elsewhere than in a verdict: in the plan, at the sign-in, when a policy is
//! written, while a change spreads, and when the files are read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tableferry::assess::assessment::Assessment;
use tableferry::assess::facts::{Facts, RecentChange};
use tableferry::assess::judge::judge;
use tableferry::assess::limits::Limits;
use tableferry::assess::remedy::Target;
use tableferry::assess::verdict::Check;
use tableferry::diagnosis::circumstance::Circumstance;
use tableferry::diagnosis::{OperationFailure, diagnose};
use tableferry::job::{Encryption, ExportRequest, Plan, SignIn, Span, View};
use tableferry_sandbox::{ExportAcl, Faults, SourceAddress};

use super::table::{EVENTS, KEY, LANDING, kms};
use super::{base, plan_text};
use crate::predictions::diagnosed::{explained, printed};
use crate::predictions::place::{self, Ending, Place};

/// The rows that are shown here.
pub(super) const ROWS: [u8; 5] = [6, 16, 24, 35, 39];

fn violations(text: &str) -> String {
    match Plan::parse(text, "plan.toml", Timestamp::now()) {
        Ok(plan) => panic!("{plan:?}"),
        Err(violations) => violations.to_string(),
    }
}

/// What the sandbox answers to a call that no plan can ask for.
async fn refused(change: impl FnOnce(&mut ExportRequest)) -> (String, String) {
    let plan = place::plan(&plan_text(LANDING, "", EVENTS));
    let place = Place::open(&base(), &plan).await;
    let mut request = place.requests(&plan).await.remove(0);
    change(&mut request);
    let ending = place.send(&request).await;
    let (code, message) = ending.describe();
    (code.to_owned(), message.to_owned())
}

#[test]
fn a_plan_refuses_the_times_that_dynamodb_refuses() {
    let now = Timestamp::now();
    let at = |minutes| now - SignedDuration::from_mins(minutes);
    // Rows 6 and 7: shorter than 15 minutes, longer than a day, an end in the future.
    for (from, to, text, cause) in [
        (
            at(70),
            at(60),
            "Difference between export period from time and export period to time is less than 15 minutes",
            "increment-window",
        ),
        (
            at(60),
            at(-60),
            "Incremental export period to time cannot be greater than the current time : ",
            "increment-bounds",
        ),
    ] {
        let table = format!(
            "{EVENTS}\ntype = \"INCREMENTAL_EXPORT\"\nfrom = \"{from:.0}\"\nto = \"{to:.0}\""
        );
        assert!(!violations(&plan_text(LANDING, "", &table)).is_empty());
        let (code, message) = place::run(async || {
            refused(|request| {
                request.span = Span::Incremental {
                    from,
                    to,
                    view: View::NewAndOldImages,
                };
            })
            .await
        });
        assert_eq!(code, "InvalidExportTimeException", "{message}");
        assert!(message.contains(text), "{message}");
        let told = printed("ExportTableToPointInTime", &code, &message);
        assert_eq!(explained(&told, None), [cause]);
    }
}

#[test]
fn a_plan_refuses_a_key_without_the_algorithm_that_takes_one() {
    let told = violations(&plan_text(
        LANDING,
        &kms(KEY).replace("KMS", "AES256"),
        EVENTS,
    ));
    assert!(told.contains("key"), "{told}");
}

/// Row 16b: a policy that was just written is read back, and does not hold yet.
#[test]
fn a_young_change_is_told_and_the_export_fails_until_it_holds() {
    place::run(async || {
        let text = plan_text(&LANDING.replace("landing", "nopolicy"), "", EVENTS);
        let plan = place::plan(&text);
        let world = base();
        let place = Place::open(&world, &plan).await;
        let hold = |policy_delay| {
            place.sandbox.set_faults(Faults {
                policy_delay,
                ..Faults::default()
            });
        };
        hold(Duration::from_hours(1));
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "Exports", "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::111111111111:role/OnCallExporter" },
            "Action": ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"],
            "Resource": "arn:aws:s3:::export-nopolicy/*",
        }] })
        .to_string();
        let target = Target::BucketPolicy {
            bucket: "export-nopolicy".parse().unwrap(),
        };
        assert_eq!(place.put(&target, &policy, &world).await, Ok(()));
        let mut facts = place.survey(&plan).await;
        let now = Timestamp::now();
        facts.changes.push(RecentChange {
            document: target.to_string(),
            at: now,
        });
        let verdicts = judge(&plan, &facts, now);
        let young = verdicts
            .iter()
            .find(|found| found.is_of(Check::YoungChange));
        assert_eq!(young.map(|found| found.outcome.as_str()), Some("depends"));
        let ending = place.export(&plan).await;
        assert!(
            ending
                .describe()
                .1
                .contains("no resource-based policy allows"),
            "{ending:?}"
        );
        assert_eq!(
            causes_after_a_change(&plan, facts.clone(), &ending),
            ["export-propagation"]
        );
        hold(Duration::ZERO);
        assert_eq!(place.put(&target, &policy, &world).await, Ok(()));
        assert!(place.export(&plan).await.is_completed());
        let later = now + SignedDuration::from_mins(6);
        let verdicts = judge(&plan, &facts, later);
        assert!(!verdicts.iter().any(|found| found.is_of(Check::YoungChange)));
    });
}

/// The causes that come first for a failure some minutes after a policy was written.
fn causes_after_a_change(plan: &Plan, facts: Facts, ending: &Ending) -> Vec<String> {
    let (code, message) = ending.describe();
    let failure = OperationFailure {
        operation: "ExportTableToPointInTime".to_owned(),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        ..OperationFailure::default()
    };
    let assessment = Assessment::of(plan, facts, &Limits::default(), Timestamp::now());
    let error = failure.reported();
    let mut known = failure.circumstances(&error, Some(&assessment));
    known.add(Circumstance::ChangedMinutesAgo);
    let diagnosis = diagnose(&error, &known).unwrap();
    diagnosis.first().map(|one| one.cause.id.clone()).collect()
}

/// Row 24: S3 takes no principal that does not exist, and what the snippets and remedies name does.
#[test]
fn a_policy_with_a_principal_that_does_not_exist_is_not_taken() {
    place::run(async || {
        let plan = place::plan(&plan_text(LANDING, "", EVENTS));
        let world = base();
        let place = Place::open(&world, &plan).await;
        let target = Target::BucketPolicy {
            bucket: "export-landing".parse().unwrap(),
        };
        for (principal, is_there) in [
            ("arn:aws:iam::111111111111:role/OnCallExporter", true),
            ("arn:aws:iam::111111111111:role/OncallExporter", false),
            ("AROASANDBOXGONE00000A", false),
        ] {
            let policy = json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::export-landing/*",
            }] });
            let answer = place.put(&target, &policy.to_string(), &world).await;
            let expected = if is_there {
                Ok(())
            } else {
                Err((
                    "MalformedPolicy".to_owned(),
                    "Invalid principal in policy".to_owned(),
                ))
            };
            assert_eq!(answer, expected, "{principal}");
            if let Err((code, message)) = answer {
                let told = printed("PutBucketPolicy", &code, &message);
                assert_eq!(explained(&told, None), ["policy-principal-invalid"]);
            }
        }
    });
}

/// Row 35: the sign-in names it before the call that STS would refuse.
#[test]
fn a_chained_role_for_longer_than_an_hour_is_refused_at_the_sign_in() {
    place::run(async || {
        let plan = place::plan(&plan_text(LANDING, "", EVENTS));
        let place = Place::open(&base(), &plan).await;
        let how = SignIn {
            profile: "prod-oncall".to_owned(),
            role: "arn:aws:iam::111111111111:role/Auditor".parse().ok(),
            duration_seconds: Some(7200),
            ..SignIn::default()
        };
        let error = place.environment.sign_in(&how, None).await.unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("a role assumed from a role lasts at most one hour"),
            "{told}"
        );
        let refused = chain_for_two_hours(&place).await;
        assert_eq!(
            refused,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        );
        let told = printed("AssumeRole", "ValidationError", &refused);
        assert_eq!(explained(&told, None), ["role-chaining"]);
        let how = SignIn {
            duration_seconds: Some(3600),
            ..how
        };
        assert!(place.environment.sign_in(&how, None).await.is_ok());
    });
}

/// What STS says to a role's session that assumes another role for two hours.
async fn chain_for_two_hours(place: &Place) -> String {
    let administrator = place.administrator(&base(), "111111111111");
    let assume = |config: &aws_config::SdkConfig, role: &str, seconds| {
        aws_sdk_sts::Client::new(config)
            .assume_role()
            .role_arn(format!("arn:aws:iam::111111111111:role/{role}"))
            .role_session_name("chain")
            .duration_seconds(seconds)
            .send()
    };
    let first = assume(&administrator, "OnCallExporter", 3600)
        .await
        .unwrap();
    let issued = first.credentials().unwrap();
    let credentials = aws_credential_types::Credentials::new(
        issued.access_key_id(),
        issued.secret_access_key(),
        Some(issued.session_token().to_owned()),
        None,
        "test",
    );
    let session = administrator.to_builder().credentials_provider(
        aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
    );
    let error = assume(&session.build(), "Auditor", 7200).await.unwrap_err();
    let service = error.as_service_error().unwrap();
    service.meta().message().unwrap_or_default().to_owned()
}

/// Row 39: the export completes, and the destination may not read what it owns no part of.
#[test]
fn on_a_bucket_whose_writers_own_what_they_write_reading_depends_on_the_access_control_list() {
    place::run(async || {
        let plan = place::plan(&plan_text(LANDING, "", EVENTS));
        let mut world = base();
        world["buckets"]["export-landing"]["ownership"] = "ObjectWriter".into();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        let ownership = verdicts
            .iter()
            .find(|found| found.is_of(Check::ObjectOwnership));
        assert_eq!(
            ownership.map(|found| found.outcome.as_str()),
            Some("depends")
        );
        for (acl, can_read) in [
            (ExportAcl::BucketOwnerFullControl, true),
            (ExportAcl::Absent, false),
        ] {
            place.play_as(SourceAddress::Service, acl);
            assert!(place.export(&plan).await.is_completed());
            assert_eq!(reads_the_newest(&place, &plan).await, can_read, "{acl:?}");
        }
        world["buckets"]["export-landing"]["ownership"] = "BucketOwnerEnforced".into();
        let place = Place::open(&world, &plan).await;
        place.play_as(SourceAddress::Service, ExportAcl::Absent);
        assert!(place.export(&plan).await.is_completed());
        assert!(reads_the_newest(&place, &plan).await);
    });
}

/// Whether the destination can read the summary that was written last.
async fn reads_the_newest(place: &Place, plan: &Plan) -> bool {
    let reader = place.session("dev-admin").await;
    let s3 = reader.s3(&reader.region);
    let bucket = &plan.destination.bucket;
    let objects = s3
        .list_objects(bucket, "prod/AWSDynamoDB/", None)
        .await
        .unwrap();
    let summaries = objects
        .iter()
        .filter(|found| found.key.ends_with("manifest-summary.json"));
    let newest = summaries
        .max_by(|one, other| one.key.cmp(&other.key))
        .unwrap();
    s3.get_text(bucket, &newest.key, None, 1 << 20)
        .await
        .is_ok()
}

#[test]
fn a_bucket_whose_requester_pays_is_refused_by_name() {
    place::run(async || {
        let plan = place::plan(&plan_text(LANDING, "", EVENTS));
        let mut world = base();
        world["buckets"]["export-landing"]["requester_pays"] = true.into();
        let place = Place::open(&world, &plan).await;
        let verdicts = place.check(&plan).await;
        let payer = verdicts
            .iter()
            .find(|found| found.is_of(Check::RequesterPays));
        assert_eq!(payer.map(|found| found.outcome.as_str()), Some("denied"));
        assert_eq!(place.export(&plan).await.describe().0, "S3AccessDenied");
    });
}

/// A call that asks for a key with S3's own encryption, which row 21 is about.
#[test]
fn dynamodb_refuses_what_no_plan_says() {
    // As a journal may hold it; a plan does not.
    let key = serde_json::from_value("not a key".into()).unwrap();
    let encryption = Encryption::Kms { key: Some(key) };
    let (code, _) = place::run(async || refused(|request| request.encryption = encryption).await);
    assert_eq!(code, "ValidationException");
}
