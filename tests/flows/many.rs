//! Plans of many tables: patterns, the queue, and the failed ones again.

mod again;
mod large;
mod patterns;
mod queue;
mod watched;

use crate::program::{Ended, Home};

/// A plan that exports what `tables` lists.
fn plan(tables: &str) -> String {
    format!(
        "tables = {tables}\n[source]\nprofile = \"prod-admin\"\n[destination]\n\
         profile = \"dev-admin\"\nbucket = \"export-landing\"\nprefix = \"many\"\n"
    )
}

/// Runs a command on a plan in a world with so many tables beside the others.
fn with_tables(home: &Home, count: &str, command: &[&str], plan: &str) -> Ended {
    let plan = home.write("plan.toml", plan);
    let mut command = home.sandbox(command);
    Ended::of(command.args(["--sandbox-tables", count]).arg(plan))
}
