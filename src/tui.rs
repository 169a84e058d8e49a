//! The wizard.
//!
//! ```text
//! key ─► keymap ─► update(&mut Model, Message) ─► Vec<Effect> ─► work (spawned)
//!                       ▲                                            │
//! screen ◄─ view(&Model)└────────────── Message ◄────────────────────┘
//! ```
//!
//! This room decides what is on the screen and what a key means. It makes no AWS call and holds no
//! client: what it wants done leaves [`update::update`] as data, and the runtime hands it to the
//! work room.

pub mod consent;
mod drafts;
pub mod keymap;
mod layout;
pub mod message;
pub mod model;
pub mod outside;
mod popups;
mod probing;
pub mod remote;
mod runtime;
mod steps;
pub mod theme;
pub mod update;
pub mod view;
mod widgets;

pub use runtime::{Options, TuiError, WizardExit, run};
