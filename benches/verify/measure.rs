//! Commands that are timed, pinned to cores.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const ROUNDS: usize = 5;

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
pub fn tell(text: &str) {
    println!("{text}");
}

/// Tells the median, the best and the worst, and answers the median in seconds.
pub fn report(what: &str, times: &mut [Duration]) -> f64 {
    times.sort();
    let seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    let (median, best, worst) = (seconds[ROUNDS / 2], seconds[0], seconds[ROUNDS - 1]);
    tell(&format!(
        "{what}: median {median:.2}, best {best:.2}, worst {worst:.2}"
    ));
    median
}

pub fn pinned(cores: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).stdout(Stdio::null());
    command
}

/// How long a command takes, and its largest resident memory in KiB.
pub fn timed(command: &mut Command) -> (Duration, u32) {
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
