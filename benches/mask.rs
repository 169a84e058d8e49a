//! `mask` beside `gzip -dc | gzip` of all files, both pinned to one core.
//!
//! `cargo bench --bench mask` masks the export that `--bench verify` makes, of which `MEGABYTES=300` makes
//! less. It prints the median, the best and the worst of five, the speed in uncompressed JSON, and the
//! largest resident memory.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot measure has nothing to say"
)]

#[path = "verify/generator.rs"]
mod generator;
#[path = "verify/measure.rs"]
mod measure;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use measure::{ROUNDS, pinned, report, tell, timed};

const PLAN: &str = "[source]\nprofile = 'none'\n[destination]\nbucket = 'landing'\n\
    [mask]\nstaging = 'staging'\nsecret_environment = 'MASK_SECRET'\n\
    [[mask.attributes]]\npath = 'orderId'\nas = 'hash'\n\
    [[mask.attributes]]\npath = 'customerId'\nas = 'hash'\n\
    [[mask.attributes]]\npath = 'note'\nas = 'drop'\n\
    [[tables]]\nname = 'Orders'\n";

fn main() {
    let megabytes = std::env::var("MEGABYTES").ok();
    let megabytes: u64 = megabytes.map_or(2000, |text| text.parse().expect("a number"));
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = generator::archive(below, megabytes * 1_000_000).expect("an archive");
    let home = tempfile::tempdir_in(below).expect("a temporary directory");
    fs::write(home.path().join("plan.toml"), PLAN).expect("a plan");
    let (mut reference, mut masked, mut memory) = (vec![], vec![], 0);
    for round in 0..ROUNDS {
        reference.push(timed(&mut shell(&folder)).0);
        let (time, resident) = timed(&mut mask(home.path(), &folder, round));
        masked.push(time);
        memory = resident.max(memory);
        let made = home.path().join(round.to_string());
        fs::remove_dir_all(made).expect("a masked archive");
    }
    let bytes = unpacked(&folder.join("data")).expect("data files");
    let reference = report("gzip -dc | gzip, one core, s", &mut reference);
    let masked = report("mask, one core, s", &mut masked);
    tell(&format!("reference / mask: {:.2}", reference / masked));
    #[expect(clippy::cast_precision_loss, reason = "a speed is told to a megabyte")]
    let speed = bytes as f64 / 1e6 / masked;
    tell(&format!("mask: {speed:.0} MB/s of uncompressed JSON"));
    tell(&format!(
        "largest resident memory: {:.0} MiB",
        f64::from(memory) / 1024.0
    ));
}

fn shell(folder: &Path) -> Command {
    let mut command = pinned("0");
    let script = "cd \"$1\" && for f in *; do gzip -dc \"$f\" | gzip > /dev/null; done";
    command
        .args(["sh", "-ec", script, "sh"])
        .arg(folder.join("data"));
    command
}

fn mask(home: &Path, folder: &Path, round: usize) -> Command {
    let mut command = pinned("0");
    command.env_clear().env("HOME", home).current_dir(home);
    command.env("MASK_SECRET", "a secret of a benchmark");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.arg(env!("CARGO_BIN_EXE_tableferry"));
    command
        .args(["mask", "--plan", "plan.toml", "--to", &round.to_string()])
        .args(["--key", "orderId:S", "--key", "line:N"])
        .arg(folder);
    command
}

/// The bytes of the lines of all files.
fn unpacked(data: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(data)? {
        let mut file = flate2::read::GzDecoder::new(File::open(entry?.path())?);
        bytes += io::copy(&mut file, &mut io::sink())?;
    }
    Ok(bytes)
}
