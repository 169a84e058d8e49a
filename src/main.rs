//! Arguments, a command, an exit code.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use tableferry::args::Args;
use tableferry::commands;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let parsed = Args::try_parse().and_then(|args| args.check().map(|()| args));
    match parsed {
        // `--help` and `--version` are asked for, and no error.
        Err(help) if !help.use_stderr() => help.exit(),
        parsed => commands::execute(parsed).into(),
    }
}
