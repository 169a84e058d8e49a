//! What `check` predicts, against what the sandbox does: known failures, the articles' situations,
//! and worlds made at random.

mod articles;
mod calls;
mod diagnosed;
mod inventories;
mod others;
mod partly_read;
mod place;
mod random;
mod readings;
mod rows;
mod simulated;
mod uploads;
