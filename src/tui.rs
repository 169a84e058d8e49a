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

mod actions;
mod assessing;
mod changes;
mod consent;
pub mod keymap;
mod layout;
pub mod message;
pub mod model;
mod popups;
mod probing;
pub mod remote;
mod revision;
mod runtime;
pub mod services;
mod shutdown;
mod sight;
mod steps;
pub mod theme;
pub mod update;
pub mod view;
pub mod view_state;
pub(crate) mod widgets;

pub use layout::SMALLEST;
pub use runtime::{TuiError, WizardExit, WizardOptions, plans_here, run};

/// Whether the wizard makes plans of this kind.
#[must_use]
pub fn has_flow(plan: &crate::job::Plan) -> bool {
    // No step shows a mask, and a plan that is saved from the steps would have none.
    steps::flow_of(plan).is_some() && plan.mask.is_none()
}
