//! What others do at the same time: before we write, while we write, and from a second process.

use tableferry::journal::Journal;
use tableferry::work::{ApplyError, ReadBack, Work};

use crate::account_changes::meddling::{self, Meddling};
use crate::account_changes::world::*;
use crate::program::{Ended, Home, Server};

#[tokio::test]
async fn a_policy_that_changed_between_reading_and_writing_is_not_overwritten() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let theirs = Some(their_policy("export-nopolicy"));
    sandbox.change_bucket_policy("export-nopolicy", theirs.clone());
    let refused = work.apply(&plan, &proposal).await.unwrap_err();
    let ApplyError::ChangedMeanwhile { diff, .. } = &refused else {
        panic!("{refused}");
    };
    assert!(diff.contains("Theirs"), "{diff}");
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, theirs);
    assert_eq!(work.changes().unwrap(), []);
    // Looked at again, both statements fit.
    let proposal = only(&work, &plan).await;
    work.apply(&plan, &proposal).await.unwrap();
    let policy = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    assert!(policy.contains("\"Theirs\"") && policy.contains("TableferryWrite"));
}

#[tokio::test]
async fn a_policy_that_is_only_laid_out_anew_did_not_change() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    let before = their_policy("export-nopolicy");
    sandbox.change_bucket_policy("export-nopolicy", Some(before.clone()));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let value: serde_json::Value = serde_json::from_str(&before).unwrap();
    sandbox.change_bucket_policy("export-nopolicy", Some(value.to_string()));
    let applied = work.apply(&plan, &proposal).await.unwrap();
    assert_eq!(applied.read_back, ReadBack::AsWritten);
    // What stood there is kept as it stood there.
    let record = work.change(applied.id).unwrap().unwrap();
    assert_eq!(record.before, Some(value.to_string()));
}

#[tokio::test]
async fn an_update_that_is_lost_is_told() {
    let sandbox = sandbox();
    let overwriting = Meddling::Overwritten(their_policy("export-nopolicy"));
    let environment = environment(&sandbox, meddling::client(&sandbox, overwriting));
    let work = Work::new(environment, Journal::in_memory().unwrap(), settings());
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let applied = work.apply(&plan, &proposal).await.unwrap();
    assert!(applied.has_lost_update(), "{applied:?}");
    let ReadBack::Lost { diff } = &applied.read_back else {
        panic!("{applied:?}");
    };
    assert!(diff.contains("Theirs") && diff.contains("TableferryWrite"));
}

#[tokio::test]
async fn who_finds_it_done_already_writes_nothing() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    work.apply(&plan, &proposal).await.unwrap();
    let again = work.apply(&plan, &proposal).await.unwrap_err();
    assert!(matches!(again, ApplyError::Already(_)), "{again}");
    assert_eq!(work.changes().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_of_another_account_than_the_one_shown_writes_nothing() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan_text = example("no-grant");
    let shown = plan(&plan_text);
    sign_in(&work, &shown).await;
    let proposal = only(&work, &shown).await;
    let other = plan(&plan_text.replace("dev-admin", "partner-admin"));
    sign_in(&work, &other).await;
    let refused = work.apply(&other, &proposal).await.unwrap_err();
    assert!(
        matches!(refused, ApplyError::OtherAccount { .. }),
        "{refused}"
    );
    assert_eq!(work.changes().unwrap(), []);
}

/// Two processes of one journal, each with a plan for a prefix of its own in the same bucket.
#[test]
fn two_processes_at_once_lose_no_statement() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "1");
    let apply = |prefix: &'static str| {
        let text = example("no-grant").replace("\"prod\"", &format!("\"{prefix}\""));
        let plan = home.write(&format!("{prefix}.toml"), &text);
        let mut command = home.command();
        command
            .args(["apply", "--yes", "--allow", "bucket-policy", "--no-wait"])
            .args(["--output", "json"])
            .arg(plan);
        command
    };
    let prefixes = ["one", "two", "three"];
    let runs: Vec<_> = prefixes
        .iter()
        .map(|prefix| {
            let mut command = apply(prefix);
            std::thread::spawn(move || Ended::of(&mut command))
        })
        .collect();
    let ended: Vec<Ended> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    // Who came too late was told so, and looks again.
    let mut is_written = 0;
    for (prefix, ended) in prefixes.iter().zip(ended) {
        let has_applied = |ended: &Ended| ended.out.contains("\"event\":\"applied\"");
        if has_applied(&ended) {
            is_written += 1;
        } else {
            assert_eq!(ended.status, 3, "{ended:?}");
            assert!(ended.out.contains("changed meanwhile"), "{ended:?}");
            let again = Ended::of(&mut apply(prefix));
            assert!(has_applied(&again), "{again:?}");
        }
    }
    assert!(is_written >= 1);
    let listed = Ended::of(home.command().args(["apply", "--list", "--output", "json"]));
    assert_eq!(listed.objects().len(), 3, "{listed:?}");
    let policy = served_policy(&home);
    for prefix in prefixes {
        let resource = format!("arn:aws:s3:::export-nopolicy/{prefix}/AWSDynamoDB/*");
        assert!(policy.contains(&resource), "{prefix}: {policy}");
    }
}

/// The policy that the server's bucket has in the end.
fn served_policy(home: &Home) -> String {
    let variables = [("HOME".to_owned(), home.path().display().to_string())];
    let environment = tableferry::aws::Environment::from_variables(variables);
    let sign_in = tableferry::job::SignIn {
        profile: "dev-admin".to_owned(),
        ..Default::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let session = environment.sign_in(&sign_in, None).await.unwrap();
        let s3 = session.s3(&"eu-west-1".parse().unwrap());
        let bucket = "export-nopolicy".parse().unwrap();
        s3.bucket_policy(&bucket, None).await.unwrap().unwrap()
    })
}
