//! The echo of control characters, while something moves at the bottom of a terminal.
//!
//! A moving table fills its last line, behind which the cursor waits. There the terminal would echo ctrl-c as
//! `^C`, on the next line: what is cleared then is one line too low, and the table's first line stays.

use std::io::{IsTerminal as _, stdin};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Keeps control characters from being echoed, until it is dropped.
pub(super) struct NoControlEcho {
    /// How the terminal was; `None` where there is none, or it echoes none.
    before: Option<Termios>,
}

impl NoControlEcho {
    pub(super) fn on_terminal() -> Self {
        Self {
            before: switch_off(),
        }
    }
}

fn switch_off() -> Option<Termios> {
    if !stdin().is_terminal() {
        return None;
    }
    let before = tcgetattr(stdin()).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHOCTL);
    tcsetattr(stdin(), OptionalActions::Now, &quiet).ok()?;
    Some(before)
}

impl Drop for NoControlEcho {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}
