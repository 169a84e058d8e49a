//! `tableferry man`: the manual, a page for each command.

use std::io::{self, Write as _};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use roff::{Roff, roman};

use super::error::CommandError;
use super::exit::Exit;
use super::output;
use crate::args::{Args, examples};

/// What ends a command, for every page.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Done, and verified where it could be."),
    (
        "1",
        "An export failed or did not verify, or an archive is damaged.",
    ),
    ("2", "The plan or the usage is wrong."),
    (
        "3",
        "Refused before the start: a setting or a permission is missing.",
    ),
    (
        "4",
        "Cut off while exports go on, or sign-in needed and no terminal.",
    ),
    (
        "5",
        "Done, but unverified or undecided for want of reading rights.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "~/.config/tableferry/config.toml",
        "The configuration; `tableferry config --init` writes one that documents every key.",
    ),
    (
        "~/.local/state/tableferry/journal.db",
        "The journal: operations, changes and probes, without credentials.",
    ),
    (
        "~/.aws/config, ~/.aws/credentials",
        "The profiles, as the AWS CLI reads them.",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("TABLEFERRY_CONFIG", "The configuration file."),
    ("TABLEFERRY_STATE_DIR", "The journal's directory."),
    (
        "XDG_CONFIG_HOME, XDG_STATE_HOME",
        "Where both are looked for otherwise.",
    ),
    (
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        "The files of profiles. Keys in the environment do not take a profile's place.",
    ),
    (
        "AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY",
        "How AWS is reached.",
    ),
    ("NO_COLOR", "No colours."),
];

/// Prints the page of the program, or writes the pages of all commands into a directory.
pub(super) fn man(directory: Option<&Path>) -> Result<Exit, CommandError> {
    let mut command = Args::definition().disable_help_subcommand(true);
    command.build();
    match directory {
        None => {
            let mut out = output::words();
            out.write_all(&page(&command, "")?)?;
            out.flush()?;
        }
        Some(directory) => {
            std::fs::create_dir_all(directory).and_then(|()| write(&command, "", directory))?;
        }
    }
    Ok(Exit::Done)
}

fn write(command: &Command, path: &str, directory: &Path) -> io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    std::fs::write(directory.join(name), page(command, path)?)?;
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name());
        write(below, path.trim_start(), directory)?;
    }
    Ok(())
}

/// One page. It is made in memory first: nothing is left half written.
fn page(command: &Command, path: &str) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut more = Roff::default();
    if let Some(notes) = Args::notes(path) {
        more.control("SH", ["NOTES"]);
        more.control("nf", []);
        for line in notes.lines() {
            more.text([roman(line)]);
        }
        more.control("fi", []);
    }
    list(&mut more, "EXIT STATUS", EXIT_STATUS);
    list(&mut more, "FILES", FILES);
    list(&mut more, "ENVIRONMENT", ENVIRONMENT);
    let examples: Vec<(&str, &str)> = examples(path)
        .iter()
        .map(|(purpose, line)| (*line, *purpose))
        .collect();
    list(&mut more, "EXAMPLES", &examples);
    more.to_writer(&mut text)?;
    Ok(text)
}

fn list(roff: &mut Roff, title: &str, entries: &[(&str, &str)]) {
    if entries.is_empty() {
        return;
    }
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([roff::bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}
