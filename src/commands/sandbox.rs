//! `tableferry sandbox serve`: the practice AWS on the loopback, for the AWS CLI and SDKs.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;

use super::Exit;
use super::cut_off::cut_off_token;
use super::error::CommandError;
use super::open::options;
use super::output::print_words;
use crate::args::Global;
use crate::job::shell_quoted;
use tableferry_sandbox::{Options, Sandbox, SharedFiles};

/// Serves a world, by where it is kept and how large its generated table is, until
/// a signal; prints the two shared files that point the AWS CLI here, or writes them into
/// a directory.
pub(super) async fn serve(
    global: &Global,
    port: u16,
    world: (Option<PathBuf>, Option<u64>),
    write_files: Option<PathBuf>,
) -> Result<Exit, CommandError> {
    let cancel = cut_off_token()?;
    let (state, generated_items) = world;
    let sandbox = Sandbox::open(Options {
        generated_items,
        ..options(global, state)
    })?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            CommandError::usage(format!("cannot listen on 127.0.0.1:{port}"))
                .because(error)
                .hint("`--port 0` takes a free port")
        })?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let files = sandbox.profiles(Some(&endpoint));
    print_words(&format!(
        "# The sandbox listens on {endpoint} until ctrl-c. Point the AWS CLI at it with two files:"
    ));
    match &write_files {
        Some(directory) => write(directory, &files)?,
        None => print(&files),
    }
    print_words("# ---- ready ----");
    sandbox.serve(listener, cancel.cancelled_owned()).await?;
    Ok(Exit::Done)
}

fn print(files: &SharedFiles) {
    print_words("# ---- the file that AWS_CONFIG_FILE names ----");
    print_words(files.config.trim_end());
    print_words("# ---- the file that AWS_SHARED_CREDENTIALS_FILE names ----");
    print_words(files.credentials.trim_end());
}

/// What the files begin with that `--write-files` wrote; only such files are written over.
const MARK: &str = "# Written by `tableferry sandbox serve`, for the sandbox alone.\n";

/// Writes the two files and prints the lines of a shell that point the AWS CLI at them.
fn write(directory: &Path, files: &SharedFiles) -> Result<(), CommandError> {
    let cannot = |what: &str, error| {
        CommandError::usage(format!(
            "cannot {what} the directory {}",
            directory.display()
        ))
        .because(error)
    };
    std::fs::create_dir_all(directory).map_err(|error| cannot("make", error))?;
    let directory = directory
        .canonicalize()
        .map_err(|error| cannot("find", error))?;
    for (name, variable, text) in [
        ("config", "AWS_CONFIG_FILE", &files.config),
        (
            "credentials",
            "AWS_SHARED_CREDENTIALS_FILE",
            &files.credentials,
        ),
    ] {
        let path = directory.join(name);
        write_file(&path, text)?;
        let path = path.to_string_lossy();
        print_words(&format!("export {variable}={}", shell_quoted(&path)));
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    let name = path.display();
    let cannot =
        |what: &str, error| CommandError::usage(format!("cannot {what} {name}")).because(error);
    let is_ours = std::fs::read_to_string(path).is_ok_and(|text| text.starts_with(MARK));
    if is_ours {
        std::fs::remove_file(path).map_err(|error| cannot("replace", error))?;
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(format!("{MARK}{text}").as_bytes()));
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CommandError::usage(
            format!("{name} is there already and is not the sandbox's"),
        )
        .hint("give --write-files another directory")),
        written => written.map_err(|error| cannot("write", error)),
    }
}
