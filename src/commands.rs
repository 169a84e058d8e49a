//! The headless commands: the same work as the wizard's, printed instead of drawn.
//!
//! One file a command. A command returns its exit status, or a `CommandError`; `execute` opens what it
//! stands on, prints why it was not done, once, and closes its output.

mod apply;
mod archive_reading;
mod archive_target;
mod archive_words;
mod archives;
mod athena;
mod audit_report;
mod changes;
mod check;
mod config;
mod consent;
mod control_echo;
mod cut_off;
mod diagnosed;
mod doctor;
mod error;
mod execute;
mod exit;
mod explain;
mod export;
mod exports;
mod facts_file;
mod fetch;
mod follow;
mod grant_options;
mod history;
mod hold;
mod import;
mod inventory;
mod lint;
mod load;
mod man;
mod mask;
mod only;
mod open;
pub mod output;
mod plan_file;
mod policies;
mod profiles;
mod refusal;
mod report;
mod resume;
mod retry;
mod run;
mod sandbox;
mod sign_in;
pub mod simulate;
mod survey;
mod undo;
mod unfinished;
mod verify;
mod watch;
mod wizard;

pub use self::execute::{execute, on_accounts};
pub use self::exit::Exit;
