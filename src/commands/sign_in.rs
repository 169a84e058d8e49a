//! Signing in without the wizard: codes are asked for on the terminal, where there is one.

use std::io::{BufRead, IsTerminal};

use rustix::termios::QueueSelector;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::error::{CommandError, sign_in_hint};
use super::output::{print_error, write_question};
use super::report::Report;
use crate::aws::{MfaCode, SignInError};
use crate::job::{Plan, SignIn};
use crate::work::{Event, Identified, Side, Work};

/// Proves both sides of a plan.
pub(super) async fn prove_both(
    work: &Work,
    plan: &Plan,
    report: &Report,
) -> Result<(), CommandError> {
    let source = &plan.source.sign_in;
    let Some(destination) = &plan.destination.sign_in else {
        return prove(work, Side::Source, source, report).await;
    };
    if work.share_a_device(source, destination) {
        return prove_with_one_code(work, source, destination, report).await;
    }
    prove(work, Side::Source, source, report).await?;
    prove(work, Side::Destination, destination, report).await
}

/// Proves one side.
pub(super) async fn prove(
    work: &Work,
    side: Side,
    sign_in: &SignIn,
    report: &Report,
) -> Result<(), CommandError> {
    tell(side, try_prove(work, side, sign_in).await, report)
}

/// Proves one side, and leaves it to the caller what comes of a failure.
pub(super) async fn try_prove(
    work: &Work,
    side: Side,
    sign_in: &SignIn,
) -> Result<Identified, SignInError> {
    let mut answer = work.sign_in(side, sign_in, None).await;
    for _ in 0..TRIES {
        let Some(code) = code_for(&answer).await else {
            break;
        };
        answer = work.sign_in(side, sign_in, Some(&code)).await;
    }
    answer
}

/// One question at a time, where the sessions of several runs end together.
static ASKING: Mutex<()> = Mutex::const_new(());

/// Signs a side in again whose session has ended on the way, as it was signed in; `why` says what stopped.
/// `false` where nobody sits at the terminal, or gives up.
pub(super) async fn sign_in_again(
    work: &Work,
    side: Side,
    why: &str,
    cancel: &CancellationToken,
    report: &Report,
) -> bool {
    let Some(how) = work
        .sign_in_of(side)
        .filter(|_| std::io::stdin().is_terminal())
    else {
        return false;
    };
    let asked = async {
        let _asking = ASKING.lock().await;
        report.stop_bar();
        report.line(&format!("paused: {why}"));
        report.line(
            "exports that were started go on meanwhile; this run goes on as the same principal",
        );
        while let Err(error) = tell(side, try_prove(work, side, &how).await, report) {
            report.error(&error);
            let question = "Enter tries again, q stops: ".to_owned();
            match ask(question).await.as_deref() {
                Some("") => {}
                _ => return false,
            }
        }
        true
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => false,
        is_signed_in = asked => is_signed_in,
    }
}

/// The code that a sign-in failed for want of, asked for on the terminal. What was wrong with the one
/// before is said.
async fn code_for(answer: &Result<Identified, SignInError>) -> Option<MfaCode> {
    match answer {
        Err(SignInError::MfaRequired { serial, .. }) => ask_for_code(serial).await,
        Err(
            error @ SignInError::CodeRefused {
                serial, failure, ..
            },
        ) => {
            print_error(&format!(
                "{}; {}",
                failure.message.trim(),
                sign_in_hint(error)
            ));
            ask_for_code(serial).await
        }
        _ => None,
    }
}

/// Both sides ask for the same device's code, and a code is good for one use.
async fn prove_with_one_code(
    work: &Work,
    source: &SignIn,
    destination: &SignIn,
    report: &Report,
) -> Result<(), CommandError> {
    let mut answer = work.sign_in(Side::Source, source, None).await;
    for _ in 0..TRIES {
        let Some(code) = code_for(&answer).await else {
            break;
        };
        let [one, other] = work.sign_in_both(source, destination, &code).await;
        if one.is_ok() {
            tell(Side::Source, one, report)?;
            return tell(Side::Destination, other, report);
        }
        answer = one;
    }
    tell(Side::Source, answer, report)
}

/// Prints who a side is.
fn tell(
    side: Side,
    answer: Result<Identified, SignInError>,
    report: &Report,
) -> Result<(), CommandError> {
    let identified = answer.map_err(|error| CommandError::not_signed_in(side, &error))?;
    for (service, url) in &identified.endpoints {
        report.line(&format!("{side:<11} endpoint of {service}: {url}"));
    }
    report.happened(&Event::Identified {
        side,
        identity: identified.identity,
    });
    for warning in identified.warnings {
        let message = format!("{side}: {warning}");
        report.happened(&Event::Noted { message });
    }
    Ok(())
}

/// How many codes are tried, and how often one is asked for that turns out to be none.
const TRIES: usize = 3;

/// Asks on the terminal for a device's code; `None` where there is no terminal or no answer.
async fn ask_for_code(serial: &str) -> Option<MfaCode> {
    for _ in 0..TRIES {
        let answer = ask(format!("code of {serial}: ")).await?;
        match answer.parse::<MfaCode>() {
            Ok(code) => return Some(code),
            Err(_) if answer.is_empty() => return None,
            Err(error) => print_error(&error.to_string()),
        }
    }
    None
}

/// Asks a question on the terminal; `None` where there is no terminal.
pub(super) async fn ask(question: String) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    tokio::task::spawn_blocking(move || {
        // A line that was typed before the question was there is no answer to it.
        let _ = rustix::termios::tcflush(std::io::stdin(), QueueSelector::IFlush);
        write_question(&question).ok()?;
        let mut answer = String::new();
        // Nothing at all is the end of the input, as ctrl-d makes it.
        if std::io::stdin().lock().read_line(&mut answer).ok()? == 0 {
            return None;
        }
        Some(answer.trim().to_owned())
    })
    .await
    .ok()?
}
