//! The wizard's start to its first frame, and its resident memory, in a real pseudo-terminal.
//!
//! `cargo bench --bench wizard` prints the median, the best and the worst of twenty starts on the
//! sandbox. The first frame is there when the terminal has been sent the wizard's title. Then it prints how
//! long a key takes to its frame while 300 exports in two accounts are watched and report, at the 99th
//! percentile, beside a loop that draws the same screen's size with nothing of ours.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot measure has nothing to say"
)]

use std::io::Read;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const STARTS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(10);

#[path = "wizard/watching.rs"]
mod watching;

fn main() {
    watching::measure();
    let mut starts = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..STARTS {
        let (start, resident) = one_start();
        starts.push(start);
        memory.push(resident);
    }
    starts.sort();
    memory.sort_unstable();
    let middle = STARTS / 2;
    report(
        "start to first frame, ms",
        [starts[middle], starts[0], starts[STARTS - 1]].map(|time| time.as_secs_f64() * 1000.0),
    );
    report(
        "resident memory, MiB",
        [memory[middle], memory[0], memory[STARTS - 1]].map(|kib| f64::from(kib) / 1024.0),
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn report(what: &str, [median, best, worst]: [f64; 3]) {
    println!("{what}: median {median:.1}, best {best:.1}, worst {worst:.1}");
}

/// Starts the wizard once: the time to its first frame, and its resident memory a moment later, in KiB.
fn one_start() -> (Duration, u32) {
    let home = tempfile::tempdir().expect("a temporary directory");
    let terminal = native_pty_system()
        .openpty(PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        })
        .expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tableferry"));
    command.arg("--sandbox");
    command.env_clear();
    command.env("HOME", home.path());
    command.env("TERM", "xterm-256color");
    let (sender, frames) = mpsc::channel();
    let mut output = terminal.master.try_clone_reader().expect("its output");
    std::thread::spawn(move || {
        let mut parser = vt100::Parser::default();
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = output.read(&mut buffer) {
            parser.process(&buffer[..read]);
            if parser.screen().contents().contains("Begin") {
                let _ = sender.send(Instant::now());
                break;
            }
        }
        // The program must not block on a full terminal.
        while matches!(output.read(&mut buffer), Ok(1..)) {}
    });
    let begun = Instant::now();
    let mut program = terminal.slave.spawn_command(command).expect("the program");
    let seen = frames.recv_timeout(PATIENCE).expect("a first frame");
    std::thread::sleep(Duration::from_millis(500));
    let resident = resident_kib(program.process_id().expect("its process"));
    let _ = program.kill();
    let _ = program.wait();
    (seen - begun, resident)
}

/// Resident memory of a process in KiB, as Linux tells it.
fn resident_kib(process: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .expect("its resident memory")
}
