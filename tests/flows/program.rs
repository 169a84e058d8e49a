//! The program, run in a home of its own, with nothing of the real one in sight.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// How long an export takes in these tests' sandboxes, in seconds.
pub(crate) const JOB_SECONDS: &str = "0.2";

/// The file in the home that moves a server's clock.
const CLOCK_OFFSET: &str = "clock-offset";

/// An empty home directory.
pub(crate) struct Home {
    directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Sends the calls of this home's profiles to another port.
    pub(crate) fn lead(&self, from: u16, to: u16) {
        let path = self.path().join(".aws/config");
        let text = std::fs::read_to_string(&path).unwrap();
        let led = text.replace(&format!(":{from}\n"), &format!(":{to}\n"));
        assert!(led != text || from == to, "{text}");
        std::fs::write(path, led).unwrap();
    }

    /// Moves the clock of this home's [`Server::with_clock`]; the next request goes by it.
    pub(crate) fn move_clock(&self, offset: &str) {
        move_clock(self.path(), offset);
    }

    /// The program, with this home and no AWS variable of the real environment.
    pub(crate) fn command(&self) -> Command {
        self.command_under(env!("CARGO_BIN_EXE_tableferry"))
    }

    /// Another program, in the same surroundings.
    pub(crate) fn command_under(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// The program against a sandbox that keeps its state in this home.
    pub(crate) fn sandbox(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command
            .args(["--sandbox", "--sandbox-job", JOB_SECONDS, "--sandbox-state"])
            .arg(self.path().join("world.json"))
            .args(arguments);
        command
    }

    /// The journal of [`Home::sandbox`].
    pub(crate) fn journal(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path().join("world.json.journal")).unwrap()
    }
}

/// Moves the clock of a home's server.
pub(crate) fn move_clock(home: &Path, offset: &str) {
    let new = home.join("clock-offset.new");
    std::fs::write(&new, offset).unwrap();
    std::fs::rename(new, home.join(CLOCK_OFFSET)).unwrap();
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// The JSON objects on standard output.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{error} in {line}\n{self:?}"))
            })
            .collect()
    }

    /// The exports of the last line.
    pub(crate) fn exports(&self) -> Vec<Value> {
        let objects = self.objects();
        let last = objects
            .last()
            .unwrap_or_else(|| panic!("no output: {self:?}"));
        assert_eq!(last["event"], "finished", "{self:?}");
        last["exports"].as_array().unwrap().clone()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// `sandbox serve`, running; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// Starts the server and writes the shared files that it prints into the home's `.aws`.
    pub(crate) fn start(home: &Home, port: u16, job_seconds: &str) -> Self {
        Self::serve(home, &["--port", &port.to_string()], job_seconds)
    }

    /// The same with its clock moved, and to be moved by [`Home::move_clock`].
    pub(crate) fn with_clock(home: &Home, job_seconds: &str, offset: &str) -> Self {
        let file = home.write(CLOCK_OFFSET, offset);
        let option = format!("--clock-offset=@{}", file.display());
        Self::serve(home, &[&option], job_seconds)
    }

    /// The same with more options of the program.
    pub(crate) fn serve(home: &Home, arguments: &[&str], job_seconds: &str) -> Self {
        let state = home.path().join("served.json").display().to_string();
        Self::in_memory(
            home,
            &[arguments, &["--state", state.as_str()]].concat(),
            job_seconds,
        )
    }

    /// The same with a world that is gone with the server, which answers sooner.
    pub(crate) fn in_memory(home: &Home, arguments: &[&str], job_seconds: &str) -> Self {
        use std::io::{BufRead, BufReader};

        let mut child = home
            .command()
            .args(["sandbox", "serve", "--sandbox-job", job_seconds])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut files = [String::new(), String::new()];
        let mut current = None;
        for line in lines.map_while(Result::ok) {
            if line.contains("---- ready") {
                break;
            } else if line.contains("AWS_CONFIG_FILE names") {
                current = Some(0);
            } else if line.contains("AWS_SHARED_CREDENTIALS_FILE names") {
                current = Some(1);
            } else if let Some(index) = current {
                let file: &mut String = &mut files[index];
                file.push_str(&line);
                file.push('\n');
            }
        }
        let port = files[0]
            .split("http://127.0.0.1:")
            .nth(1)
            .and_then(|rest| {
                rest.split(|c: char| !c.is_ascii_digit())
                    .next()?
                    .parse()
                    .ok()
            })
            .expect("the config names the endpoint");
        home.write(".aws/config", &files[0]);
        home.write(".aws/credentials", &files[1]);
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
