//! A way between the program and the server on which a test decides what becomes of each message.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::program::{Ended, Home, Server};
use crate::relay::{Passing, read_message};

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Pass,
    /// It is lost, and so is the connection.
    Lost,
    /// The program gets this answer in its place.
    Answered(String),
}

/// A refusal in DynamoDB's words.
pub fn refusal(code: &str) -> Fate {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"refused by the test"}}"#
    );
    Fate::Answered(format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0\r\n\
         x-amzn-RequestId: 0123456789\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// A proxy's refusal, which is nobody's word.
pub fn bare_403() -> Fate {
    Fate::Answered("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned())
}

/// Whether a request is for an operation of DynamoDB.
pub fn is_for(head: &str, operation: &str) -> bool {
    let target = format!("dynamodb_20120810.{operation}\r\n").to_ascii_lowercase();
    head.contains(&target)
}

/// A message's fate, by its request in lower case and how far it has come.
type Decide = dyn FnMut(&str, Passing) -> Fate + Send;

/// Runs a command of the program whose calls go this way.
pub fn run(
    home: &Home,
    server: &Server,
    command: &mut Command,
    decide: impl FnMut(&str, Passing) -> Fate + Send + 'static,
) -> Ended {
    let port = listen(server.port, Box::new(decide));
    let path = home.path().join(".aws/config");
    let direct = std::fs::read_to_string(&path).unwrap();
    let led = direct.replace(&format!(":{}", server.port), &format!(":{port}"));
    std::fs::write(&path, led).unwrap();
    let ended = Ended::of(command);
    std::fs::write(&path, direct).unwrap();
    ended
}

fn listen(server: u16, decide: Box<Decide>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let decide = Arc::new(Mutex::new(decide));
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let decide = Arc::clone(&decide);
            std::thread::spawn(move || while pass_one(&client, server, &decide).is_some() {});
        }
    });
    port
}

/// Passes one request and its answer; `None` ends the connection.
fn pass_one(client: &TcpStream, server: u16, decide: &Mutex<Box<Decide>>) -> Option<()> {
    let request = read_message(&mut BufReader::new(client))?;
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let mut fate = (decide.lock().unwrap())(&head, Passing::Request);
    let mut answer = Vec::new();
    if fate == Fate::Pass {
        let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).ok()?;
        upstream.write_all(&request).ok()?;
        answer = read_message(&mut BufReader::new(&upstream))?;
        fate = (decide.lock().unwrap())(&head, Passing::Answer);
    }
    match fate {
        Fate::Pass => (&*client).write_all(&answer).ok(),
        Fate::Lost => None,
        Fate::Answered(text) => (&*client).write_all(text.as_bytes()).ok(),
    }
}
