//! A relay between the program and the server, on which a test decides what becomes of each message:
//! it goes on, late or in part or not at all, something else is answered in its place, or the program
//! is killed while it is on its way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::program::{Ended, Home, Server};

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    /// A request, which has reached nobody.
    Request,
    /// The answer to a request that was carried out.
    Answer,
}

/// What becomes of a message.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It goes on.
    Pass,
    /// It goes on after a while.
    Late(Duration),
    /// It is lost, and so is the connection.
    Lost,
    /// Half of it goes on, and the connection is lost.
    Half,
    /// The program gets this answer, and never the server's.
    Answered(String),
    /// The program is killed, and it is lost.
    Killed,
    /// Something else is done to the process, which is dead afterwards, and it is lost.
    Struck(fn(u32)),
}

/// A message's fate, by its request in lower case and how far it has come.
type Decide = dyn FnMut(&str, Passing) -> Fate + Send;

/// A refusal in DynamoDB's words.
pub(crate) fn refusal(code: &str) -> Fate {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"refused by the test"}}"#
    );
    let kind = "application/x-amz-json-1.0\r\nx-amzn-RequestId: 0123456789";
    answered("400 Bad Request", kind, &body)
}

/// A proxy's refusal, which is nobody's word.
pub(crate) fn bare_403() -> Fate {
    answered("403 Forbidden", "text/plain", "")
}

/// An answer in place of the server's.
pub(crate) fn answered(status: &str, kind: &str, body: &str) -> Fate {
    Fate::Answered(format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// Whether a request is for an operation of DynamoDB.
pub(crate) fn is_for(head: &str, operation: &str) -> bool {
    let target = format!("dynamodb_20120810.{operation}\r\n").to_ascii_lowercase();
    head.contains(&target)
}

/// What the threads of a relay share.
struct Shared {
    server: u16,
    decide: Mutex<Box<Decide>>,
    /// The program under way.
    program: Mutex<Option<u32>>,
    /// How many connections are open.
    open: Mutex<usize>,
    has_closed: Condvar,
}

/// A relay to a server.
pub(crate) struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    /// A relay that lets everything pass.
    pub(crate) fn to(server: &Server) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server: server.port,
            decide: Mutex::new(Box::new(|_, _| Fate::Pass)),
            program: Mutex::new(None),
            open: Mutex::new(0),
            has_closed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                *own.open.lock().unwrap() += 1;
                let shared = Arc::clone(&own);
                std::thread::spawn(move || {
                    while shared.pass_one(&client).is_some() {}
                    drop(client);
                    *shared.open.lock().unwrap() -= 1;
                    shared.has_closed.notify_all();
                });
            }
        });
        Self { port, shared }
    }

    /// Decides every message from now on.
    pub(crate) fn decide(&self, decide: impl FnMut(&str, Passing) -> Fate + Send + 'static) {
        *self.shared.decide.lock().unwrap() = Box::new(decide);
    }

    /// Runs a command of the program to its end, and until nothing of it is on its way.
    pub(crate) fn run(&self, command: &mut Command) -> Output {
        let mut held = self.shared.program.lock().unwrap();
        let mut program = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        *held = Some(program.id());
        drop(held);
        let mut output = program.stdout.take().unwrap();
        let mut errors = program.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).unwrap();
            text
        });
        let mut stdout = Vec::new();
        output.read_to_end(&mut stdout).unwrap();
        let stderr = errors.join().unwrap();
        // Its number is another's once it was waited for.
        *self.shared.program.lock().unwrap() = None;
        let status = program.wait().unwrap();
        let open = self.shared.open.lock().unwrap();
        drop(self.shared.has_closed.wait_while(open, |open| *open > 0));
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

impl Shared {
    /// Passes one request and its answer; `None` ends the connection.
    fn pass_one(&self, client: &TcpStream) -> Option<()> {
        let request = read_message(&mut BufReader::new(client), true)?;
        let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let has_body = !head.starts_with("head ");
        let mut answer = Vec::new();
        for passing in [Passing::Request, Passing::Answer] {
            let message = if passing == Passing::Request {
                &request
            } else {
                &answer
            };
            let mut end = message.len();
            let fate = (self.decide.lock().unwrap())(&head, passing);
            match fate {
                Fate::Pass => {}
                // What the network takes, which the other process waits for.
                Fate::Late(delay) => std::thread::sleep(delay),
                Fate::Lost => return None,
                Fate::Half => end -= end / 4,
                Fate::Answered(text) => {
                    let end = if has_body {
                        text.len()
                    } else {
                        text.find("\r\n\r\n")? + 4
                    };
                    return (&*client).write_all(&text.as_bytes()[..end]).ok();
                }
                Fate::Killed => {
                    self.kill();
                    return None;
                }
                Fate::Struck(deed) => {
                    let program = *self.program.lock().unwrap();
                    deed(program.unwrap());
                    return None;
                }
            }
            let is_whole = end == message.len();
            if passing == Passing::Answer {
                (&*client).write_all(&message[..end]).ok()?;
            } else {
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)).ok()?;
                server.write_all(&message[..end]).ok()?;
                if is_whole {
                    answer = read_message(&mut BufReader::new(&server), has_body)?;
                }
            }
            if !is_whole {
                return None;
            }
        }
        Some(())
    }

    /// Kills the program, where it has not ended meanwhile.
    fn kill(&self) {
        // While this is held nobody waits for it, so that its number is its own.
        let program = self.program.lock().unwrap();
        if let Some(program) = *program {
            let mut kill = Command::new("kill");
            let kill = kill.args(["-KILL", &program.to_string()]);
            assert!(kill.status().unwrap().success());
        }
    }
}

/// Runs a command of the program whose messages are decided.
pub(crate) fn run(
    home: &Home,
    server: &Server,
    command: &mut Command,
    decide: impl FnMut(&str, Passing) -> Fate + Send + 'static,
) -> Ended {
    let relay = Relay::to(server);
    relay.decide(decide);
    home.lead(server.port, relay.port);
    let output = relay.run(command);
    home.lead(relay.port, server.port);
    Ended::from(output)
}

/// Runs a command of the program whose calls go through a relay, and kills it when the moment comes.
pub(crate) fn killed(
    home: &Home,
    server: &Server,
    command: &mut Command,
    moment: impl Fn(&str, Passing) -> bool + Send + 'static,
) {
    struck_by(home, server, command, moment, Fate::Killed);
}

/// The same with another deed, after which the process is dead; says how it ended.
pub(crate) fn struck(
    home: &Home,
    server: &Server,
    command: &mut Command,
    moment: impl Fn(&str, Passing) -> bool + Send + 'static,
    deed: fn(u32),
) -> Ended {
    struck_by(home, server, command, moment, Fate::Struck(deed))
}

fn struck_by(
    home: &Home,
    server: &Server,
    command: &mut Command,
    moment: impl Fn(&str, Passing) -> bool + Send + 'static,
    fate: Fate,
) -> Ended {
    let is_done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_done);
    let ended = run(home, server, command, move |head, passing| {
        if seen.load(Ordering::SeqCst) || !moment(head, passing) {
            return Fate::Pass;
        }
        seen.store(true, Ordering::SeqCst);
        fate.clone()
    });
    assert!(
        is_done.load(Ordering::SeqCst),
        "it ended by itself: {ended:?}"
    );
    ended
}

/// One HTTP message with a Content-Length, or without a body.
fn read_message(reader: &mut impl BufRead, has_body: bool) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut length = 0;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        message.extend_from_slice(&line);
        if line == b"\r\n" {
            break;
        }
    }
    let mut body = vec![0; if has_body { length } else { 0 }];
    reader.read_exact(&mut body).ok()?;
    message.extend_from_slice(&body);
    Some(message)
}
