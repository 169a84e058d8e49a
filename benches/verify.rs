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
#[path = "verify/measure.rs"]
mod measure;

use std::path::Path;
use std::process::Command;

use measure::{ROUNDS, pinned, report, tell, timed};

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
