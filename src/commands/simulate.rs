//! `tableferry simulate`: requests and policies in, AWS's answers out, one line each, offline.
//!
//! Every core answers lines. One thread reads them in batches and hands the batches to the workers in
//! turn; the answers are taken from the workers in the same turn, so that they come in the order of
//! the input without being sorted. Each queue holds a few batches, so that memory does not grow with
//! the number of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::Exit;
use super::error::CommandError;
use crate::text_file::without_mark;
use tableferry_policy::simulate::{LineStatus, refuse_line, simulate_line};

/// Bytes of input in one batch: enough that handing it over costs nothing beside answering it.
const BATCH: usize = 128 * 1024;
/// Batches that may wait for one worker, and answers that may wait to be written.
const QUEUE: usize = 2;

/// Answers the requests of a file, or of standard input, on `output`.
pub(super) fn run(file: Option<&Path>, output: impl Write) -> Result<Exit, CommandError> {
    let status = match file {
        None => simulate(io::stdin(), output)?,
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                CommandError::usage(format!("cannot read {}", path.display())).because(error)
            })?;
            simulate(file, output)?
        }
    };
    Ok(match status {
        LineStatus::Answered => Exit::Done,
        LineStatus::Unreadable => Exit::Usage,
    })
}

/// What is known of a batch once it was answered.
struct Answers {
    text: String,
    status: LineStatus,
}

/// Answers every line of the input, in its order; blank lines are passed over. Lines that wait for
/// more input are answered first, so that a program can ask line by line.
///
/// Returns whether all lines could be read.
///
/// # Errors
///
/// Where the input cannot be read or the output not be written.
pub fn simulate(
    input: impl Read + Send + 'static,
    mut output: impl Write,
) -> io::Result<LineStatus> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (batches, mut workers): (Vec<_>, Vec<_>) = (0..cores).map(|_| worker()).unzip();
    // Not joined: where the output is closed, nothing waits for an input that never ends.
    let reader = thread::spawn(move || send_batches(input, &batches));
    let mut status = LineStatus::Answered;
    let mut turn = 0;
    while let Some(worker) = workers.get(turn) {
        let Ok(answer) = worker.answers.recv() else {
            ended(workers.swap_remove(turn).thread)?;
            break;
        };
        output.write_all(answer.text.as_bytes())?;
        output.flush()?;
        if answer.status == LineStatus::Unreadable {
            status = LineStatus::Unreadable;
        }
        turn = (turn + 1) % workers.len();
    }
    ended(reader)?.map(|()| status)
}

/// What a thread returned; an error if it panicked, so that missing answers are never taken for the
/// end of the input.
fn ended<T>(thread: JoinHandle<T>) -> io::Result<T> {
    thread
        .join()
        .map_err(|_| io::Error::other("the simulation broke off before the end of the input"))
}

/// A thread that answers batches, and ends when no more can come.
struct Worker {
    answers: Receiver<Answers>,
    thread: JoinHandle<()>,
}

/// Starts a worker; what is sent to it is answered in that order.
fn worker() -> (SyncSender<Vec<u8>>, Worker) {
    let (batches, to_answer) = sync_channel::<Vec<u8>>(QUEUE);
    let (answered, answers) = sync_channel(QUEUE);
    let thread = thread::spawn(move || {
        for batch in to_answer {
            if answered.send(answer(&batch)).is_err() {
                return;
            }
        }
    });
    (batches, Worker { answers, thread })
}

/// Hands whole lines to the workers in turn, until the input ends or nobody takes them.
fn send_batches(input: impl Read, workers: &[SyncSender<Vec<u8>>]) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BATCH, input);
    for worker in workers.iter().cycle() {
        let mut batch = Vec::new();
        // An empty buffer means that the next line may have to be waited for.
        while batch.len() < BATCH && (batch.is_empty() || !input.buffer().is_empty()) {
            if input.read_until(b'\n', &mut batch)? == 0 {
                break;
            }
        }
        if batch.is_empty() || worker.send(batch).is_err() {
            break;
        }
    }
    Ok(())
}

fn answer(batch: &[u8]) -> Answers {
    let mut text = String::new();
    let mut status = LineStatus::Answered;
    for line in batch.split(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = match std::str::from_utf8(line) {
            Ok(line) => simulate_line(without_mark(line).trim_end(), &mut text),
            Err(_) => refuse_line("the line is not UTF-8", &mut text),
        };
        if read == LineStatus::Unreadable {
            status = LineStatus::Unreadable;
        }
        text.push('\n');
    }
    Answers { text, status }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn line(id: usize) -> String {
        format!(
            r#"{{"id":{id},"principal":"arn:aws:iam::111111111111:user/ann","action":"s3:GetObject","resource":"arn:aws:s3:::landing/x","resource_account":"111111111111"}}"#
        ) + "\n"
    }

    fn simulated(input: Vec<u8>) -> (LineStatus, String) {
        let mut output = Vec::new();
        let status = simulate(io::Cursor::new(input), &mut output).unwrap();
        (status, String::from_utf8(output).unwrap())
    }

    #[test]
    fn answers_come_in_the_order_of_the_lines() {
        let input: String = (0..20_000).map(line).collect();
        let (status, output) = simulated(input.into_bytes());
        assert_eq!(status, LineStatus::Answered);
        let begins = |number: usize| format!("{{\"id\":{number},");
        assert_eq!(output.lines().count(), 20_000);
        for (number, answer) in output.lines().enumerate() {
            assert!(answer.starts_with(&begins(number)), "{number}: {answer}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_answered_in_its_place() {
        let input = [line(0).as_bytes(), b"\xff\n\n", b"{\n", line(3).as_bytes()].concat();
        let (status, output) = simulated(input);
        assert_eq!(status, LineStatus::Unreadable);
        let answers: Vec<&str> = output.lines().collect();
        assert!(answers[0].starts_with("{\"id\":0,\"decision\""), "{output}");
        assert!(answers[1].contains("not UTF-8"), "{output}");
        assert!(answers[2].contains("\"error\""), "{output}");
        assert!(answers[3].starts_with("{\"id\":3,\"decision\""), "{output}");
        assert_eq!(answers.len(), 4);
    }

    /// Gives one line for each answer that was written.
    struct LineByLine {
        lines: std::vec::IntoIter<String>,
        answered: Receiver<()>,
    }

    impl Read for LineByLine {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(line) = self.lines.next() else {
                return Ok(0);
            };
            self.answered.recv().map_err(io::Error::other)?;
            buffer[..line.len()].copy_from_slice(line.as_bytes());
            Ok(line.len())
        }
    }

    struct Answered(Sender<()>);

    impl Write for Answered {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Nobody waits for the answer to the last line.
            let _ = self.0.send(());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_answered_before_the_next_one_is_waited_for() {
        let (sender, answered) = channel();
        sender.send(()).unwrap();
        let lines: Vec<String> = (0..5).map(line).collect();
        let input = LineByLine {
            lines: lines.into_iter(),
            answered,
        };
        assert_eq!(
            simulate(input, Answered(sender)).unwrap(),
            LineStatus::Answered
        );
    }

    #[test]
    fn a_closed_output_ends_it_although_the_input_goes_on() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = io::Cursor::new(line(0)).chain(io::repeat(b'\n'));
        let error = simulate(endless, Closed).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
