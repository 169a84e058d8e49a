//! Signals: to end, to stop for a while, and to go on.

use std::io;

use futures_util::FutureExt as _;
use signal_hook::consts::{SIGCONT, SIGSTOP, SIGTSTP};
use tokio::signal::unix::{self, SignalKind, signal};

/// What the system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// To end: SIGTERM, SIGHUP, or SIGINT from elsewhere than the keyboard.
    End,
    /// To stop: SIGTSTP.
    Stop,
    /// It was stopped by something else, and goes on: SIGCONT.
    Continue,
}

/// The signals that are listened for.
pub(super) struct Signals {
    terminate: unix::Signal,
    hang_up: unix::Signal,
    interrupt: unix::Signal,
    stop: unix::Signal,
    resumed: unix::Signal,
}

impl Signals {
    /// Starts to listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(SIGTSTP))?,
            resumed: signal(SignalKind::from_raw(SIGCONT))?,
        })
    }

    /// Forgets a ctrl-c that was meant for a command that had the terminal.
    pub(super) fn forget_interrupts(&mut self) {
        while self.interrupt.recv().now_or_never().is_some() {}
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.hang_up.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.resumed.recv() => Signal::Continue,
        }
    }
}

/// Stops this process until somebody continues it. SIGSTOP, since SIGTSTP is ours by now.
pub(super) fn stop_this_process() -> io::Result<()> {
    signal_hook::low_level::raise(SIGSTOP)
}
