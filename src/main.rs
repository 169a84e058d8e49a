//! Arguments, a command, an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use tableferry::args::Args;
use tableferry::commands;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Args::read(std::env::args_os()) {
        // `--help` and `--version` are asked for, and no error.
        Err(help) if !help.use_stderr() => help.exit(),
        parsed => commands::execute(parsed).into(),
    }
}
