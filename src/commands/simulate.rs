//! `tableferry simulate`: requests and policies in, AWS's answers out, one line each, offline.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::Exit;
use crate::text_file::without_mark;
use tableferry_policy::simulate::{LineStatus, refuse_line, simulate_line};

/// Answers the requests of a file, or of standard input, on `output`.
pub fn run(file: Option<&Path>, output: impl Write) -> anyhow::Result<Exit> {
    let output = BufWriter::new(output);
    let status = match file {
        None => simulate(io::stdin().lock(), output)?,
        Some(path) => {
            let file =
                File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            simulate(BufReader::new(file), output)?
        }
    };
    Ok(if status == 0 { Exit::Done } else { Exit::Usage })
}

/// Answers every line of the input; blank lines are passed over. Memory does not grow with the
/// number of lines.
///
/// Returns the exit status: 0 where all lines could be read, 2 otherwise.
///
/// # Errors
///
/// Where the input cannot be read or the output not be written.
pub fn simulate(mut input: impl BufRead, mut output: impl Write) -> io::Result<u8> {
    let mut line = Vec::new();
    let mut answer = String::new();
    let mut status = 0;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            output.flush()?;
            return Ok(status);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        answer.clear();
        let read = match std::str::from_utf8(&line) {
            Ok(text) => simulate_line(without_mark(text).trim_end(), &mut answer),
            Err(_) => refuse_line("the line is not UTF-8", &mut answer),
        };
        if read == LineStatus::Unreadable {
            status = 2;
        }
        answer.push('\n');
        output.write_all(answer.as_bytes())?;
    }
}
