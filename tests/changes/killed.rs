//! Killed right after a bucket's policy was written, before the answer came: `undo` takes it away.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::{Ended, Home, Server};
use crate::world::example;

/// The process that is to be killed, once it is known; `None` again when it is dead.
type Victim = Arc<Mutex<Option<u32>>>;

/// Relays requests to the server, and kills the victim when it has written a bucket's policy.
fn relay(server: u16, victim: &Victim) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let victim = Arc::clone(victim);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let victim = Arc::clone(&victim);
            std::thread::spawn(move || while relay_one(&client, server, &victim).is_some() {});
        }
    });
    port
}

/// Relays one request and its answer; `None` ends the connection.
fn relay_one(client: &TcpStream, server: u16, victim: &Victim) -> Option<()> {
    let request = read_message(&mut BufReader::new(client))?;
    let head = String::from_utf8_lossy(&request);
    let is_write = head.starts_with("PUT ") && head.lines().next()?.contains("?policy");
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).ok()?;
    upstream.write_all(&request).ok()?;
    let answer = read_message(&mut BufReader::new(&upstream))?;
    if is_write && let Some(victim) = victim.lock().unwrap().take() {
        let status = std::process::Command::new("kill")
            .args(["-KILL", &victim.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        return None;
    }
    (&*client).write_all(&answer).ok()
}

/// One HTTP message with a Content-Length, or without a body.
fn read_message(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let (mut message, mut length) = (Vec::new(), 0);
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

#[test]
fn a_process_that_was_killed_before_the_answer_leaves_what_undo_needs() {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", &example("no-grant"));
    let victim = Victim::default();
    let port = relay(server.port, &victim);
    let config = std::fs::read_to_string(home.path().join(".aws/config")).unwrap();
    let relayed = config.replace(&format!(":{}", server.port), &format!(":{port}"));
    home.write(".aws/config", &relayed);

    let mut held = victim.lock().unwrap();
    let mut program = home
        .command()
        .args(["apply", "--yes", "--allow", "bucket-policy"])
        .arg(&plan)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    *held = Some(program.id());
    drop(held);
    let begun = Instant::now();
    while program.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody killed it");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(*victim.lock().unwrap(), None, "it ended by itself");

    let listed = Ended::of(home.command().args(["apply", "--list", "--output", "json"]));
    let changes = listed.objects();
    assert_eq!(changes.len(), 1, "{listed:?}");
    assert_eq!(changes[0]["stage"], "PLANNED", "{listed:?}");
    let undone = Ended::of(
        home.command()
            .args(["undo", "1", "--yes", "--output", "json"]),
    );
    assert_eq!(undone.status, 0, "{undone:?}");
    let last = undone.objects().pop().unwrap();
    assert_eq!(last["was_in_place"], true, "{undone:?}");
    let listed = Ended::of(home.command().args(["apply", "--list", "--output", "json"]));
    assert_eq!(listed.objects().len(), 0, "{listed:?}");
}
