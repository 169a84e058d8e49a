use std::collections::VecDeque;

use futures_util::future::{self, BoxFuture};
use serde_json::Value;

use super::*;
use crate::work::operation::ListedPage;

const SPACING: Duration = Duration::from_millis(400);

/// The most that `ListExports` gives on a page (API reference, `MaxResults`).
const PAGE: usize = 25;

/// A service with so many operations that counts its calls and when they were made.
struct CountingService {
    arns: Vec<Arn>,
    /// Those that are no longer under way.
    ended: Mutex<BTreeSet<String>>,
    described: Mutex<Vec<Instant>>,
    listed: Mutex<Vec<Instant>>,
    may_list: bool,
    /// What the next calls are refused with.
    failures: Mutex<VecDeque<FailureKind>>,
}

impl CountingService {
    fn with(operations: usize) -> Self {
        let arn = |number| {
            format!("arn:aws:dynamodb:eu-west-1:111111111111:table/T{number}/export/01-{number}")
        };
        Self {
            arns: (0..operations)
                .map(|number| arn(number).parse().unwrap())
                .collect(),
            ended: Mutex::default(),
            described: Mutex::default(),
            listed: Mutex::default(),
            may_list: true,
            failures: Mutex::default(),
        }
    }

    fn counts(&self) -> (usize, usize) {
        (lock(&self.listed).len(), lock(&self.described).len())
    }

    fn calls(&self) -> Vec<Instant> {
        let mut calls = lock(&self.listed).clone();
        calls.extend(lock(&self.described).iter());
        calls.sort_unstable();
        calls
    }

    fn fail(&self) -> Result<(), Failure> {
        match lock(&self.failures).pop_front() {
            Some(kind) => Err(failure(kind)),
            None => Ok(()),
        }
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure {
        kind,
        operation: "dynamodb:ListExports".to_owned(),
        target: String::new(),
        code: None,
        message: String::new(),
        status: None,
        request_id: None,
        hint: None,
    }
}

impl StatusCalls for CountingService {
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>> {
        Box::pin(async {
            lock(&self.described).push(Instant::now());
            self.fail()?;
            let has_ended = lock(&self.ended).contains(&arn.to_string());
            Ok(Described {
                arn: arn.clone(),
                token: None,
                stage: if has_ended {
                    Stage::Completed
                } else {
                    Stage::InProgress
                },
                started_at: None,
                ended_at: None,
                failure_code: None,
                failure_message: None,
                result: Value::Null,
            })
        })
    }

    fn list_page(
        &self,
        page: Option<String>,
    ) -> BoxFuture<'_, Option<Result<ListedPage, Failure>>> {
        Box::pin(async move {
            lock(&self.listed).push(Instant::now());
            if !self.may_list {
                return Some(Err(failure(FailureKind::AccessDenied)));
            }
            if let Err(failure) = self.fail() {
                return Some(Err(failure));
            }
            let number: usize = page.map_or(0, |page| page.parse().unwrap());
            let mut pages = self.arns.chunks(PAGE).skip(number);
            let ended = lock(&self.ended).clone();
            let stage = |arn: &Arn| {
                if ended.contains(&arn.to_string()) {
                    Stage::Completed
                } else {
                    Stage::InProgress
                }
            };
            let page = pages.next().unwrap_or_default().iter();
            Some(Ok(ListedPage {
                operations: page.map(|arn| (arn.clone(), stage(arn))).collect(),
                next: pages.next().map(|_| (number + 1).to_string()),
            }))
        })
    }
}

fn poller() -> Arc<Poller> {
    Arc::new(Poller::new(SPACING))
}

/// Asks once after each of the first `followed` operations, all at the same time.
async fn ask_all(
    service: &CountingService,
    followers: &[Follower],
    known_at: Instant,
) -> Vec<Result<Option<Described>, Failure>> {
    let asked = followers
        .iter()
        .zip(&service.arns)
        .map(|(follower, arn)| follower.ask(service, arn, known_at));
    future::join_all(asked).await
}

fn followers(count: usize) -> Vec<Follower> {
    let poller = poller();
    (0..count).map(|_| poller.follow("export")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_handful_is_described_one_by_one() {
    let service = CountingService::with(HANDFUL);
    let followers = followers(HANDFUL);
    let answers = ask_all(&service, &followers, Instant::now()).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(_)))));
    assert_eq!(service.counts(), (0, HANDFUL));
}

#[tokio::test(start_paused = true)]
async fn three_hundred_share_one_listing_and_those_that_ended_are_described() {
    let service = CountingService::with(300);
    let followers = followers(300);
    let known_at = Instant::now();
    tokio::time::advance(Duration::from_secs(5)).await;
    let answers = ask_all(&service, &followers, known_at).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(None))));
    assert_eq!(service.counts(), (12, 0), "300 are 12 pages of 25");
    // Who has not heard of that listing yet takes it for an answer; who has waits for a newer one.
    ask_all(&service, &followers, known_at).await;
    assert_eq!(service.counts(), (12, 0));
    for number in [7, 299] {
        lock(&service.ended).insert(service.arns[number].to_string());
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    let answers = ask_all(
        &service,
        &followers,
        Instant::now() - Duration::from_secs(1),
    )
    .await;
    assert_eq!(service.counts(), (24, 2));
    let ended = answers.iter().filter(
        |answer| matches!(answer, Ok(Some(described)) if described.stage == Stage::Completed),
    );
    assert_eq!(ended.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_takes_more_calls_than_describing_is_given_up() {
    let service = CountingService::with(PAGE * 200);
    let followers = followers(10);
    ask_all(&service, &followers, Instant::now()).await;
    assert_eq!(service.counts(), (10, 10));
    ask_all(&service, &followers, Instant::now()).await;
    assert_eq!(service.counts(), (10, 20), "it is not tried again");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_list_describes_and_tries_to_list_again_after_minutes() {
    let mut service = CountingService::with(20);
    service.may_list = false;
    let followers = followers(20);
    ask_all(&service, &followers, Instant::now()).await;
    assert_eq!(service.counts(), (1, 20));
    tokio::time::advance(REFUSED_FOR).await;
    ask_all(&service, &followers, Instant::now()).await;
    assert_eq!(service.counts(), (2, 40));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_was_not_answered_is_one_failure_for_all_who_waited() {
    let service = CountingService::with(100);
    lock(&service.failures).push_back(FailureKind::Timeout);
    let followers = followers(100);
    let known_at = Instant::now();
    tokio::time::advance(Duration::from_secs(5)).await;
    let answers = ask_all(&service, &followers, known_at).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(service.counts(), (1, 0));
}

/// The most calls within any window of this length, of calls in their order.
fn most_within(calls: &[Instant], window: Duration) -> usize {
    let within = |from: usize| calls[from..].partition_point(|at| *at < calls[from] + window);
    (0..calls.len()).map(within).max().unwrap_or(0)
}

/// Follows operations as a run does, for so long.
async fn follow_for(service: &CountingService, count: usize, time: Duration) {
    let followers = followers(count);
    let begun = Instant::now();
    let follow = |(follower, arn)| async move {
        let mut backoff = Backoff::new(Poll::default());
        let mut known_at = begun;
        loop {
            tokio::time::sleep(backoff.next()).await;
            let follower: &Follower = follower;
            if follower.ask(service, arn, known_at).await.is_ok() {
                known_at = Instant::now();
                backoff.grow_with(begun.elapsed());
            }
        }
    };
    let all = future::join_all(followers.iter().zip(&service.arns).map(follow));
    assert!(tokio::time::timeout(time, all).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_few_calls_a_second_are_all_that_an_account_sees_however_many_are_followed() {
    let window = Duration::from_secs(10);
    // 25 calls at the pace of 400 ms, and what a pause before saved up.
    let most = 25 + usize::try_from(BURST).unwrap();
    for (operations, may_list) in [
        (1, true),
        (20, true),
        (300, true),
        (300, false),
        (1000, true),
    ] {
        let mut service = CountingService::with(operations);
        service.may_list = may_list;
        follow_for(&service, operations, Duration::from_mins(30)).await;
        let calls = service.calls();
        let found = most_within(&calls, window);
        assert!(found <= most, "{operations}: {found} calls in 10 s");
        if may_list {
            // Each listing serves all for half a minute, by default: a page is a call.
            let pages = operations.div_ceil(PAGE);
            let bound = 30 * 60 / 12 * pages + 20;
            assert!(calls.len() <= bound, "{operations}: {} calls", calls.len());
        }
        assert!(calls.len() >= 30, "{operations}: {} calls", calls.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_asked_too_fast_is_asked_more_seldom_and_then_as_before() {
    let service = CountingService::with(1);
    let followers = followers(1);
    let ask = || followers[0].ask(&service, &service.arns[0], Instant::now());
    for _ in 0..3 {
        lock(&service.failures).push_back(FailureKind::Throttled);
        assert!(ask().await.is_err());
    }
    let before = Instant::now();
    ask().await.unwrap();
    // Three times twice as long.
    assert!(before.elapsed() >= SPACING * 8, "{:?}", before.elapsed());
    for _ in 0..60 {
        ask().await.unwrap();
    }
    let before = Instant::now();
    for _ in 0..10 {
        ask().await.unwrap();
    }
    let pace = before.elapsed() / 10;
    assert!(pace <= SPACING, "{pace:?}");
}

#[test]
fn pauses_grow_to_the_longest_and_vary_by_a_fifth() {
    let mut backoff = Backoff::new(Poll {
        first: Duration::from_secs(4),
        longest: Duration::from_secs(10),
        ..Poll::default()
    });
    let within = |pause: Duration, seconds: f64| {
        (seconds * 0.8..=seconds * 1.2).contains(&pause.as_secs_f64())
    };
    for expected in [4.0, 6.0, 9.0, 10.0, 10.0] {
        let pause = backoff.next();
        assert!(
            within(pause, expected),
            "{pause:?} is not about {expected} s"
        );
    }
}

#[test]
fn what_has_taken_an_hour_is_asked_after_as_seldom_as_may_be_from_the_second_time_on() {
    let poll = Poll::default();
    let mut backoff = Backoff::new(poll);
    assert!(backoff.next() < poll.first * 2);
    backoff.grow_with(Duration::from_hours(1));
    assert!(backoff.next() >= poll.longest.mul_f64(0.8));
}
