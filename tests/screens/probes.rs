//! The probe, key by key: shown with every call, agreed to, made, told, and assessed with.

use tableferry::aws::failure::{Failure, FailureKind};
use tableferry::tui::message::{Effect, Message, Mutation, MutationResult, Query};
use tableferry::tui::remote::RequestId;
use tableferry::tui::services::{Left, ProbeReport};
use tableferry::work::probe::{ProbeCall, ProbeStep, TakenBack, TakingBack};

use crate::access;
use crate::driver::{Driver, noon};
use crate::flows::TO_THE_QUESTION;
use crate::world::World;

fn at_access(world: World) -> Driver {
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&TO_THE_QUESTION[..13]);
    driver
}

/// What a probe found out: all three calls, each with why it failed if it did.
fn report(failures: [Option<Failure>; 3]) -> ProbeReport {
    let calls = [ProbeCall::Begin, ProbeCall::SendPart, ProbeCall::Abort];
    let steps = calls.into_iter().zip(failures);
    let mut report = ProbeReport::new(&access::probe(), noon());
    report.steps = steps
        .map(|(call, failure)| ProbeStep { call, failure })
        .collect();
    report
}

fn refused() -> Failure {
    Failure {
        kind: FailureKind::AccessDenied,
        operation: "s3:PutObject".to_owned(),
        target: "export-landing".to_owned(),
        code: Some("AccessDenied".to_owned()),
        message: "Access Denied".to_owned(),
        status: Some(403),
        request_id: None,
        hint: None,
    }
}

/// The probe that was asked for, and how often one was.
fn probe(driver: &Driver) -> Option<RequestId> {
    let mut probes = driver.done.iter().filter_map(|effect| match effect {
        Effect::Mutate(request, Mutation::Probe(plan, probe)) => {
            assert_eq!(plan.destination.bucket, probe.target.bucket);
            Some(*request)
        }
        _ => None,
    });
    let first = probes.next();
    assert_eq!(probes.next(), None, "a probe is made once");
    first
}

fn made(driver: &mut Driver, report: ProbeReport) {
    let request = probe(driver).unwrap();
    let plan = crate::world::chosen_plan();
    let outcome = MutationResult::Probed(Box::new(plan), Box::new(report));
    driver.dispatch(Message::Done(request, outcome));
}

#[test]
fn all_that_a_probe_sends_is_shown_and_enter_alone_is_a_no() {
    let mut driver = at_access(World::default());
    driver.shows("p probe").go(&["p"]);
    driver
        .shows("Probe the bucket?")
        .shows("CreateMultipartUpload of")
        .shows("tableferry-probe-0f8fad5b")
        .shows("UploadPart of 51 bytes");
    driver.go(&["end"]).shows("It does not show:");
    driver.shows("aws:CalledVia").shows("s3:PutObjectAcl");
    driver.go(&["enter"]).hides("Probe the bucket?");
    assert_eq!(probe(&driver), None);
    driver.dispatch(Message::Pasted("y\n".to_owned()));
    assert_eq!(probe(&driver), None);
}

#[test]
fn after_the_yes_it_is_made_told_and_judged_with() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    assert!(probe(&driver).is_some());
    driver
        .wait(3)
        .shows("probing, 3 s: an upload to export-landing");
    // The screen stays live, and nothing else is changed meanwhile.
    driver.go(&["down", "p"]).hides("Probe the bucket?");
    made(&mut driver, report([None, None, None]));
    driver.shows("the probe got through and left nothing");
    let (_, query) = driver.asked().pop().unwrap();
    let Query::AssessWithProbe(_, with) = query else {
        unreachable!("it is assessed without the probe: {query:?}")
    };
    assert_eq!(with.steps.len(), 3);
    driver.settle().shows("probed 12:00:00");
}

#[test]
fn what_a_probe_found_out_counts_until_the_accounts_are_read_anew() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    made(&mut driver, report([None, None, None]));
    driver
        .settle()
        .go(&["enter", "esc"])
        .shows("probed 12:00:00");
    driver.go(&["r"]).hides("probed").shows("read 11:59:57");
}

#[test]
fn a_refusal_is_told_in_full() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    let mut refusal = report([Some(refused()), None, None]);
    refusal.steps.truncate(1);
    made(&mut driver, refusal);
    driver
        .settle()
        .shows("What the probe showed")
        .shows("CreateMultipartUpload: failed: s3:PutObject on export-landing")
        .shows("tried, and refused: s3:PutObject");
}

#[test]
fn what_is_left_is_told_with_what_removes_it() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    let left = Left::Upload {
        id: "upload-7".to_owned(),
    };
    let mut stays = report([None, None, Some(refused())]);
    stays.left = left;
    made(&mut driver, stays);
    driver
        .settle()
        .shows("the incomplete upload upload-7")
        .shows("aws s3api abort-multipart-upload");
}

#[test]
fn a_probe_that_was_not_made_says_why_and_the_accounts_are_read_again() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    let request = probe(&driver).unwrap();
    let why = "nothing was sent: the disk is full".to_owned();
    driver.dispatch(Message::Done(request, MutationResult::NotProbed(why)));
    driver
        .shows("The probe was not made")
        .shows("the disk is full");
    let (_, query) = driver.asked().pop().unwrap();
    assert!(matches!(query, Query::Assess(_)), "{query:?}");
}

#[test]
fn quitting_waits_for_a_probe_and_lets_it_take_its_upload_back() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter", "q", "y"]);
    assert!(!driver.has_quit());
    let is_cut_off = |effect: &Effect| matches!(effect, Effect::CutOff);
    assert!(driver.done.iter().any(is_cut_off));
    made(&mut driver, report([None, None, None]));
    assert!(driver.has_quit());
}

#[test]
fn read_only_offers_no_probe_and_says_so() {
    let mut driver = at_access(World {
        is_read_only: true,
        ..World::default()
    });
    driver
        .shows("p no probe")
        .go(&["p"])
        .hides("Probe the bucket?")
        .shows("a probe begins an upload, and nothing is changed with --read-only");
    assert_eq!(probe(&driver), None);
}

/// The one in sight may be used up, and is replaced by the reading.
#[test]
fn while_both_accounts_are_read_no_probe_is_asked_about() {
    let mut driver = at_access(World::default());
    driver.press(&["r", "p"]);
    driver
        .hides("Probe the bucket?")
        .shows("one moment: both accounts are still being read");
    driver.settle().go(&["p"]).shows("Probe the bucket?");
}

#[test]
fn what_an_earlier_probe_left_is_told_at_the_start_and_taken_back_by_the_next() {
    let world = World {
        unfinished_probes: vec![access::unfinished_probe(Some("upload-3"))],
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world.clone(), None);
    driver
        .settle()
        .shows("a probe may have left an upload in a bucket: p in Access takes it back");
    let mut driver = at_access(world);
    driver.shows("an earlier probe may have left an upload: p takes it back first");
    driver
        .go(&["p"])
        .shows("AbortMultipartUpload of s3://")
        .shows("probe.json.gz, upload upload-3, which the probe of");
    driver.go(&["left", "enter"]);
    let earlier = access::unfinished_probe(Some("upload-3"));
    let mut took_back = report([None, None, None]);
    took_back.taken_back.push(TakenBack {
        record: earlier,
        end: TakingBack::Aborted(vec!["upload-3".to_owned()]),
    });
    made(&mut driver, took_back);
    driver.shows("taken back: the incomplete upload of");
}

#[test]
fn a_result_for_another_plan_is_told_and_not_judged_with() {
    let mut driver = at_access(World::default());
    driver.go(&["p", "left", "enter"]);
    let request = probe(&driver).unwrap();
    let mut other = crate::world::chosen_plan();
    other.destination.prefix = Some("elsewhere".parse().unwrap());
    let outcome = MutationResult::Probed(Box::new(other), Box::new(report([None, None, None])));
    driver.dispatch(Message::Done(request, outcome));
    driver.shows("the probe got through");
    assert_eq!(driver.asked().len(), 0);
}
