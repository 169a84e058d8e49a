//! A relay between the program and the server, in which a test can stop a request or its answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::{Home, Server};

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// A request, which has reached nobody.
    Request,
    /// The answer to a request that was carried out.
    Answer,
}

/// Whether a request that begins so, and has come so far, is the one to kill at.
type Moment = Box<dyn Fn(&str, Passing) -> bool + Send>;

/// What is done to which process, and when.
struct Assassin {
    moment: Moment,
    /// The process is dead when it returns.
    deed: fn(u32),
    victim: Option<u32>,
    is_done: bool,
}

impl Assassin {
    /// Whether the moment is now; if so the victim is dead on return. From then on all passes.
    fn strikes(&mut self, head: &str, passing: Passing) -> bool {
        if self.is_done || !(self.moment)(head, passing) {
            return false;
        }
        let victim = self.victim.expect("a victim before the first call");
        (self.deed)(victim);
        self.is_done = true;
        true
    }
}

/// Runs a command of the program whose calls go through a relay, and kills it when the moment comes.
pub fn killed(
    home: &Home,
    server: &Server,
    command: &mut Command,
    moment: impl Fn(&str, Passing) -> bool + Send + 'static,
) {
    struck(home, server, command, moment, |victim| {
        let status = Command::new("kill")
            .args(["-KILL", &victim.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    });
}

/// The same with another deed, after which the process is dead; says how it ended.
pub fn struck(
    home: &Home,
    server: &Server,
    command: &mut Command,
    moment: impl Fn(&str, Passing) -> bool + Send + 'static,
    deed: fn(u32),
) -> ExitStatus {
    let assassin = Arc::new(Mutex::new(Assassin {
        moment: Box::new(moment),
        deed,
        victim: None,
        is_done: false,
    }));
    let port = relay(server.port, &assassin);
    let path = home.path().join(".aws/config");
    let direct = std::fs::read_to_string(&path).unwrap();
    let relayed = direct.replace(&format!(":{}", server.port), &format!(":{port}"));
    std::fs::write(&path, relayed).unwrap();

    let mut held = assassin.lock().unwrap();
    let mut program = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    held.victim = Some(program.id());
    drop(held);
    let status = wait(&mut program);
    assert!(assassin.lock().unwrap().is_done, "it ended by itself");
    std::fs::write(&path, direct).unwrap();
    status
}

fn wait(program: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = program.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody killed it");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Relays requests to the server, one connection each, and lets the assassin see them.
fn relay(server: u16, assassin: &Arc<Mutex<Assassin>>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let assassin = Arc::clone(assassin);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let assassin = Arc::clone(&assassin);
            std::thread::spawn(move || while relay_one(&client, server, &assassin).is_some() {});
        }
    });
    port
}

/// Relays one request and its answer; `None` ends the connection.
fn relay_one(client: &TcpStream, server: u16, assassin: &Mutex<Assassin>) -> Option<()> {
    let request = read_message(&mut BufReader::new(client))?;
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    if assassin.lock().unwrap().strikes(&head, Passing::Request) {
        return None;
    }
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).ok()?;
    upstream.write_all(&request).ok()?;
    let answer = read_message(&mut BufReader::new(&upstream))?;
    if assassin.lock().unwrap().strikes(&head, Passing::Answer) {
        return None;
    }
    (&*client).write_all(&answer).ok()
}

/// One HTTP message with a Content-Length, or without a body.
pub fn read_message(reader: &mut impl BufRead) -> Option<Vec<u8>> {
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
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    message.extend_from_slice(&body);
    Some(message)
}
