//! How a cut-off is heard: once to stop waiting, twice to end at once.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::output;

/// A token that is cancelled by ctrl-c, SIGTERM or SIGHUP: from then on waiting stops, deeds end.
///
/// A second signal ends the process where it stands, for the one who will not wait for a call that is not
/// answered. The journal holds every deed before it is done, so that nothing is lost by it.
pub(super) fn cut_off_token() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};

    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        };
        next().await;
        cancelled.cancel();
        next().await;
        end_at_once();
    });
    Ok(token)
}

#[expect(clippy::exit, reason = "the operator asked twice")]
fn end_at_once() {
    // A closed standard error is no reason to stay.
    output::print_error(
        "cut off before the call in flight was answered; `tableferry resume` goes on with runs, and \
         `tableferry apply --list` tells of changes and probes",
    );
    std::process::exit(Exit::CutOff as i32);
}
