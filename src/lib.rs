//! tableferry carries DynamoDB tables into another AWS account by the service's own export to S3.
//!
//! It signs both accounts in, shows what the export needs on either side, starts
//! `ExportTableToPointInTime`, follows the export live, and verifies what arrived.
//!
//! # The one idea
//!
//! Every job is a [`job::Plan`]. A plan implies requirements: permissions, settings and times, which the
//! file of its kind says ([`job::export`], [`job::upload`]); nothing that assesses knows kinds. What was
//! read from the accounts are facts: a store of principals, accounts, buckets, keys and tables by their
//! ARN, id or name, each value known, absent, refused to us, failed, or not asked for. The assessment
//! holds every requirement with its verdict, and what fixes those that are not *allowed*. It is the only
//! answer to "can this job run?".
//!
//! ```text
//! Plan ──► Requirements ──┐
//!                         ├──► Assessment ──► Remedies ──► (apply, with consent) ──► Facts, read again
//! Facts ──────────────────┘
//! ```
//!
//! [`work::Work::assess`] reads the facts and assesses them; `check`, `run`, `policies`, `apply`, the
//! probe and the wizard all show what it returns, and judge nothing themselves. Facts from a file count
//! only as far as they are of the plan that is assessed ([`assess::facts::Facts::match_plan`]). A remedy that
//! somebody who is signed in can carry out is a [`work::Proposal`]; [`work::change`] applies it once it
//! was shown and agreed to, waits until it holds, and takes it away again.
//!
//! # The rooms, and who may look into which
//!
//! ```text
//! crates/policy            the IAM policy language: evaluate, explain, lint, edit; ARNs    pure
//! crates/sandbox           an AWS in memory below the SDK's HTTP client
//! job                      the plan file, and the kinds of jobs: what each requires    pure
//! assess                   facts, verdicts, limits, remedies                           pure
//! diagnosis                errors in any text or log: what refused, why, what to do    pure
//! archive                  what an export leaves behind: manifests, checksums, data    pure
//! aws                      the only room with SDK clients; SDK types stop at its door
//! journal                  operations of any kind, in SQLite; written before the deed
//! work                     sign-in, assess, change and undo, start, follow, verify, resume
//! tui                      the wizard: message, model, update, effect, view
//! commands                 one file per headless command; the same work, printed
//! args, config             the command line; the configuration file
//! nearest                  the word that somebody meant who wrote another
//! sanitize                 what of a text reaches a terminal
//! regular_file, text_file  files that are given: regular ones, of a bounded size; their text
//! private_file             files that are kept: of this user alone, and never through a link
//! ```
//!
//! Arrows point one way: front ends (`tui`, `commands`) → `work` → `aws` and `journal` → the pure
//! rooms, which know nothing of the others: no network, no clock, no terminal. The front ends make
//! no AWS call and hold no client. The sandbox uses `crates/policy` alone, and only `args` and
//! `commands` know that it exists. It builds the context of each request with code of its own, not with
//! the code that derives needs: otherwise checker and sandbox would only agree with each other.
//!
//! # Promises
//!
//! - Nothing is lost, nothing is done twice: a client token is in the journal before its call is
//!   made, so that a crash at any point leaves a run that `resume` completes without a second export.
//!   The upload that a probe begins is in it as well: what a crash leaves, the next probe takes back.
//! - Nothing is changed unasked: every change of an account is shown first and agreed to, is in the
//!   journal with the document that stood there before it is written, is not written where that
//!   document changed meanwhile, and can be undone.
//! - Unknown is an answer: what could not be read is called unknown, never a guess dressed as a yes.
//! - No secret leaves: credentials never reach the journal or the screen, and all text
//!   leaves by one door, which lets nothing through that steers a terminal or hides its neighbours.

pub mod archive;
pub mod args;
pub mod assess;
pub mod aws;
pub mod commands;
pub mod config;
pub mod diagnosis;
pub mod job;
pub mod journal;
pub mod nearest;
pub mod private_file;
pub mod regular_file;
pub mod sanitize;
pub mod text_file;
pub mod tui;
pub mod work;
