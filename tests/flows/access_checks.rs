//! `survey` and `check` against the sandbox: what is named before the start is what AWS says after.

mod explained;
mod facts_files;
mod guards;
mod precedents;
mod predicted;
mod probe;
mod readings;
mod recorded;
mod same;
mod uploads;
