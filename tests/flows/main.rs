//! The built program and the AWS room against the sandbox: whole flows, checks, changes, predictions.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod access_checks;
mod account_changes;
mod archive_list;
mod archives;
mod aws_room;
mod bad_input;
mod changes;
mod clock;
mod command_texts;
mod config;
mod doctor;
mod documented;
mod duplicates;
mod earlier;
mod estimates;
mod explain;
mod fetched;
mod files;
mod full_disk;
mod history;
mod hostile;
mod imports;
mod inventory;
mod killed;
mod loads;
mod lost_journal;
mod man;
mod many;
mod masked;
mod network;
mod on_finish;
mod only;
mod output;
mod partitions;
mod policies;
mod predictions;
mod probe_killed;
mod program;
mod random;
mod relay;
mod run_cases;
mod schemas;
mod served;
mod servers;
mod taken_up;
mod terminal;
mod twice;
mod unanswered;
mod verify_archives;
mod verify_buckets;
mod verifying;
mod watch;
mod wizard_inventories;
mod wizard_readings;
mod wizard_uploads;
