//! `verify --deep` beside `md5sum` of all files and `gzip -dc | wc -l` of all files, pinned to one core, and
//! with two cores.
//!
//! `cargo bench --bench verify` makes 2 GB of compressed JSON once, which takes minutes and the space;
//! `MEGABYTES=300` makes less. It prints the median, the best and the worst of five, and the largest
//! resident memory.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot measure has nothing to say"
)]

#[path = "verify/generator.rs"]
mod generator;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

fn main() {
    let megabytes = std::env::var("MEGABYTES").ok();
    let megabytes: u64 = megabytes.map_or(2000, |text| text.parse().expect("a number"));
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = generator::archive(below, megabytes * 1_000_000).expect("an archive");
    let home = tempfile::tempdir().expect("a temporary directory");
    let (mut reference, mut one, mut two, mut memory) = (vec![], vec![], vec![], 0_u32);
    // One after the other in each round, so that a machine's moods meet all of them.
    for _ in 0..ROUNDS {
        reference.push(timed(&mut shell(&folder)).0);
        let (time, resident) = timed(&mut verify(home.path(), &folder, "0"));
        one.push(time);
        let (time, more) = timed(&mut verify(home.path(), &folder, "0,1"));
        two.push(time);
        memory = resident.max(more).max(memory);
    }
    let reference = report("md5sum, gzip -dc | wc -l, one core, s", &mut reference);
    let one = report("verify --deep, one core, s", &mut one);
    let two = report("verify --deep, two cores, s", &mut two);
    tell(&format!("reference / one core: {:.2}", reference / one));
    tell(&format!("one core / two cores: {:.2}", one / two));
    tell(&format!(
        "largest resident memory: {:.0} MiB",
        f64::from(memory) / 1024.0
    ));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn tell(text: &str) {
    println!("{text}");
}

fn report(what: &str, times: &mut [Duration]) -> f64 {
    times.sort();
    let seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    let (median, best, worst) = (seconds[ROUNDS / 2], seconds[0], seconds[ROUNDS - 1]);
    tell(&format!(
        "{what}: median {median:.2}, best {best:.2}, worst {worst:.2}"
    ));
    median
}

fn pinned(cores: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).stdout(Stdio::null());
    command
}

/// What an operator would do by hand.
fn shell(folder: &Path) -> Command {
    let mut command = pinned("0");
    let script = "cd \"$1\" && md5sum * && for f in *; do gzip -dc \"$f\" | wc -l; done";
    command
        .args(["sh", "-ec", script, "sh"])
        .arg(folder.join("data"));
    command
}

fn verify(home: &Path, folder: &Path, cores: &str) -> Command {
    let mut command = pinned(cores);
    command.env_clear().env("HOME", home);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.arg(env!("CARGO_BIN_EXE_tableferry"));
    command
        .args(["verify", "--deep", "--key", "orderId:S", "--key", "line:N"])
        .arg(folder);
    command
}

/// How long a command takes, and its largest resident memory in KiB.
fn timed(command: &mut Command) -> (Duration, u32) {
    let begun = Instant::now();
    let mut child = command.spawn().expect("taskset and a shell");
    let status = format!("/proc/{}/status", child.id());
    let mut resident = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
        resident = peak.unwrap_or(0).max(resident);
        if let Some(ended) = child.try_wait().expect("a child") {
            assert!(ended.success(), "{command:?} failed");
            return (begun.elapsed(), resident);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
