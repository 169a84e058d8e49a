//! The program under random faults of the network, and killed at random moments: what it says and what
//! its journal holds is what the server did.
//!
//! Each round is made from a seed: which commands are given, what becomes of which message, when the
//! server's clock moves, and when the program is killed. What befalls a message depends on the seed,
//! on what the message is about and on how many of its kind came before it, and not on the order in
//! which messages of several kinds arrive.
//!
//! `KILLS=500 cargo test --test flows random::killed` plays on until so many were killed, and
//! `NETWORK_FAULTS=100 cargo test --test flows random::network` plays so many rounds; `KILL=seed` and
//! `NETWORK_FAULT=seed` play one, and tell about it.

mod faults;
mod killed;
mod network;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many rounds are under way at once: they wait more than they work.
const AT_ONCE: usize = 16;

/// What a round came to: how much of what was asked for it holds, and what is told of it.
struct Played {
    count: usize,
    told: String,
}

/// Plays rounds until they hold as much as the environment asks for, or the usual, and fails with what
/// went wrong in any of them.
fn play(of_one: &str, of_many: &str, usual: usize, round: fn(u64) -> Result<Played, String>) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = number(of_one) {
        match round(seed) {
            Ok(played) => panic!("nothing is wrong with {seed}:\n{}", played.told),
            Err(problem) => panic!("{of_one}={seed}: {problem}"),
        }
    }
    let wanted = number(of_many).map_or(usual, |count| usize::try_from(count).unwrap());
    let next = AtomicU64::new(0);
    let held = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while held.load(Ordering::SeqCst) < wanted {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    match round(seed) {
                        Ok(played) => _ = held.fetch_add(played.count, Ordering::SeqCst),
                        Err(problem) => {
                            held.fetch_add(1, Ordering::SeqCst);
                            let problem = format!("{of_one}={seed}: {problem}");
                            faults.lock().unwrap().push(problem);
                        }
                    }
                }
            });
        }
    });
    let rounds = next.into_inner();
    let faults = faults.into_inner().unwrap();
    assert!(
        faults.is_empty(),
        "{} of {rounds} rounds:\n{}",
        faults.len(),
        faults.join("\n\n")
    );
}
