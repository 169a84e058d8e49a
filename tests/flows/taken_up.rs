//! Killed while an archive is read or fetched: what was read is not read again, and nothing that is half
//! there looks whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rstest::rstest;

use crate::archives::kinds;
use crate::fetched::files;
use crate::full_disk::with_small_files;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing};
use crate::verify_buckets::{is_data, orders, verify};

/// How often each data file is asked for.
type Requests = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// Runs the command, and counts the requests for data files.
fn counted(home: &Home, server: &Server, arguments: &[&str]) -> (Ended, Requests) {
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    let mut command = home.command();
    command.args(arguments).current_dir(home.path());
    let ended = relay::run(home, server, &mut command, move |head, passing| {
        if is_data(head) && passing == Passing::Request {
            let line = head.lines().next().unwrap().to_owned();
            let range = head.lines().find(|line| line.starts_with("range:"));
            let range = range.unwrap_or_default().to_owned();
            seen.lock().unwrap().entry(line).or_default().push(range);
        }
        Fate::Pass
    });
    (ended, requests)
}

/// What a verification leaves beside the journal.
fn kept(home: &Home) -> Vec<std::path::PathBuf> {
    files(&home.path().join(".local/state/tableferry/reading"))
}

#[test]
fn a_verification_that_was_killed_reads_only_what_was_not_read() {
    let (home, server) = orders();
    let (mut seen, mut fifth) = (0, String::new());
    let mut command = home.command();
    command.args(["verify", "1", "--deep"]);
    // The fifth file is a second on its way, in which it is written down that four were read.
    relay::run(&home, &server, &mut command, move |head, passing| {
        let line = head.lines().next().unwrap_or_default();
        if !is_data(head) {
            return Fate::Pass;
        }
        if passing == Passing::Request {
            seen += 1;
            if seen == 5 {
                line.clone_into(&mut fifth);
                return Fate::Late(Duration::from_secs(3));
            }
        } else if line == fifth {
            return Fate::Killed;
        }
        Fate::Pass
    });
    assert_eq!(kept(&home).len(), 2, "{:?}", kept(&home));
    let (ended, requests) = counted(
        &home,
        &server,
        &["verify", "1", "--deep", "--output", "json"],
    );
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    assert_eq!(requests.lock().unwrap().len(), 1, "{requests:?}");
    let objects = ended.objects();
    let recalled = objects
        .iter()
        .find(|object| object["event"] == "recalled")
        .unwrap();
    assert_eq!(recalled["files"], 4);
    let whole = verify(&home, &["1", "--deep"]);
    let report = |ended: &Ended| crate::archives::report(ended);
    assert_eq!(report(&ended), report(&whole));
    assert_eq!(kept(&home), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_download_that_was_killed_is_gone_on_with_behind_what_has_arrived() {
    let (home, server) = orders();
    let mut command = home.command();
    command
        .args(["fetch", "1", "copy"])
        .current_dir(home.path());
    let mut halves = 0;
    relay::run(&home, &server, &mut command, move |head, passing| {
        if is_data(head) && passing == Passing::Answer {
            halves += 1;
            return match halves {
                1 => Fate::Half,
                2 | 3 => Fate::Pass,
                _ => Fate::Killed,
            };
        }
        Fate::Pass
    });
    half_files_have_no_final_name(&home);
    let (ended, requests) = counted(&home, &server, &["fetch", "1", "copy", "--output", "json"]);
    assert_eq!(
        (ended.status, kinds(&ended, "faults")),
        (0, Vec::new()),
        "{ended:?}"
    );
    let requests = requests.lock().unwrap();
    let ranges: Vec<&String> = requests.values().flatten().collect();
    assert!(ranges.iter().any(|range| !range.is_empty()), "{requests:?}");
    assert!(
        requests.values().all(|ranges| ranges.len() == 1),
        "{requests:?}"
    );
    assert_eq!(files(&home.path().join("copy")).len(), 9);
}

/// Every file with a final name is whole.
fn half_files_have_no_final_name(home: &Home) {
    for file in files(&home.path().join("copy/AWSDynamoDB")) {
        if file.extension().is_some_and(|extension| extension == "gz") {
            let bytes = fs::read(&file).unwrap();
            let mut text = String::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(&*bytes);
            decoder.read_to_string(&mut text).unwrap();
        }
    }
}

/// S3's refusal of a request that comes too fast.
fn slow_down() -> Fate {
    let body =
        "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    relay::answered("503 Slow Down", "application/xml", body)
}

/// S3's words for a session that has ended (S3 API reference, "Error responses": `ExpiredToken`).
fn session_ended() -> Fate {
    let body = "<Error><Code>ExpiredToken</Code>\
                <Message>The provided token has expired.</Message></Error>";
    relay::answered("400 Bad Request", "application/xml", body)
}

/// The message at which the program is killed, in each round another.
fn rounds() -> usize {
    let rounds = std::env::var("KILLS").ok();
    rounds.map_or(6, |text| text.parse().unwrap())
}

#[rstest]
#[case::verify(&["verify", "1", "--deep", "--output", "json"])]
#[case::fetch(&["fetch", "1", "copy", "--output", "json"])]
fn killed_at_any_message_it_comes_to_the_same_in_the_end(#[case] arguments: &[&str]) {
    let (home, server) = orders();
    let expected = {
        let ended = verify(&home, &["1", "--deep"]);
        crate::archives::report(&ended)
    };
    for round in 0..rounds() {
        let seed = 4711 + u64::try_from(round).unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        let _ = fs::remove_dir_all(home.path().join("copy"));
        // Killed up to three times, at any of some thirty messages, with answers cut, requests throttled,
        // sessions that end, and files that cannot grow.
        for _ in 0..random.usize(1..4) {
            let mut left = random.usize(0..30);
            let mut fates = random.fork();
            let mut command = match random.u32(0..3) {
                0 => with_small_files(&home, random.u32(1..500)),
                _ => home.command(),
            };
            command.args(arguments).current_dir(home.path());
            let ended = relay::run(&home, &server, &mut command, move |head, passing| {
                if left == 0 {
                    return Fate::Killed;
                }
                left -= 1;
                if is_data(head) && passing == Passing::Request && fates.u8(0..20) == 0 {
                    return session_ended();
                }
                if is_data(head) && passing == Passing::Request && fates.u8(0..10) < 3 {
                    return slow_down();
                }
                if is_data(head) && passing == Passing::Answer && fates.u8(0..4) == 0 {
                    return Fate::Half;
                }
                Fate::Pass
            });
            assert_ne!(ended.status, 101, "seed {seed}: {ended:?}");
            half_files_have_no_final_name(&home);
        }
        let mut command = home.command();
        let ended = Ended::of(command.args(arguments).current_dir(home.path()));
        assert_eq!(
            (ended.status, kinds(&ended, "faults")),
            (0, Vec::new()),
            "seed {seed}: {ended:?}"
        );
        let found = crate::archives::report(&ended);
        for figure in ["files", "bytes", "items", "lines", "unpacked_bytes"] {
            assert_eq!(found[figure], expected[figure], "seed {seed}: {figure}");
        }
        assert_eq!(kept(&home), Vec::<std::path::PathBuf>::new(), "seed {seed}");
    }
}
