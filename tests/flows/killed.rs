//! Killed at the worst moments: before the call, between the call and its answer, and while
//! waiting. Afterwards `resume` must end with every table exported exactly once.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::program::{Ended, Home, Server};

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "killed"
[[tables]]
name = "Orders"
[[tables]]
name = "Users"
"#;

/// When the program is killed, told by the calls that pass the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The call was sent, and reaches nobody.
    BeforeTheCall,
    /// The call was carried out, and its answer reaches nobody.
    BeforeTheAnswer,
    /// The exports go on, and are asked after.
    WhileWaiting,
    /// The call is never answered, and somebody presses ctrl-c until it ends.
    AtTheSecondInterrupt,
}

/// Kills process `victim`, once it is known, when the moment comes; from then on all passes.
struct Assassin {
    moment: Moment,
    victim: Option<u32>,
    is_done: bool,
}

impl Assassin {
    /// Whether the moment is now; if so the victim is dead on return.
    fn strikes(&mut self, moment: Moment) -> bool {
        if self.is_done || self.moment != moment {
            return false;
        }
        let victim = self.victim.expect("a victim before the first call");
        if moment == Moment::AtTheSecondInterrupt {
            assert!(send("INT", victim));
            // Once, it waits for the answer of what it has done.
            std::thread::sleep(Duration::from_millis(500));
            assert!(send("INT", victim), "it ended at the first");
            while send("0", victim) {
                std::thread::sleep(Duration::from_millis(5));
            }
        } else {
            assert!(send("KILL", victim));
        }
        self.is_done = true;
        true
    }
}

/// Sends a signal; whether there was a process to get it.
fn send(signal: &str, process: u32) -> bool {
    let mut kill = std::process::Command::new("kill");
    let kill = kill.args([&format!("-{signal}"), &process.to_string()]);
    kill.stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
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
    let is_start = head.contains("dynamodb_20120810.exporttabletopointintime");
    let is_question = head.contains("dynamodb_20120810.describeexport");
    for moment in [Moment::BeforeTheCall, Moment::AtTheSecondInterrupt] {
        if is_start && assassin.lock().unwrap().strikes(moment) {
            return None;
        }
    }
    if is_question && assassin.lock().unwrap().strikes(Moment::WhileWaiting) {
        return None;
    }
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).ok()?;
    upstream.write_all(&request).ok()?;
    let answer = read_message(&mut BufReader::new(&upstream))?;
    if is_start && assassin.lock().unwrap().strikes(Moment::BeforeTheAnswer) {
        return None;
    }
    (&*client).write_all(&answer).ok()
}

/// One HTTP message with a Content-Length, or without a body.
fn read_message(reader: &mut impl BufRead) -> Option<Vec<u8>> {
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

fn run_and_resume(moment: Moment) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let assassin = Arc::new(Mutex::new(Assassin {
        moment,
        victim: None,
        is_done: false,
    }));
    let port = relay(server.port, &assassin);
    let config = std::fs::read_to_string(home.path().join(".aws/config")).unwrap();
    home.write(
        ".aws/config",
        &config.replace(&format!(":{}", server.port), &format!(":{port}")),
    );

    let mut held = assassin.lock().unwrap();
    let mut program = home
        .command()
        .args(["run", "--yes"])
        .arg(&plan)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    held.victim = Some(program.id());
    drop(held);
    let begun = Instant::now();
    while program.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody killed it");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(assassin.lock().unwrap().is_done, "it ended by itself");
    if moment == Moment::AtTheSecondInterrupt {
        assert_eq!(program.wait().unwrap().code(), Some(4));
    }

    let ended = Ended::of(home.command().args(["resume", "--output", "json"]));
    assert_eq!(ended.status, 0, "{ended:?}");
    for export in ended.exports() {
        assert_eq!(export["status"], "COMPLETED", "{ended:?}");
        assert_eq!(export["verified"], true, "{ended:?}");
    }
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
    let nothing = Ended::of(home.command().arg("resume"));
    assert_eq!(nothing.status, 0, "{nothing:?}");
    assert!(nothing.out.contains("nothing is under way"), "{nothing:?}");
}

/// The tables of all exports that the server knows, sorted: one name for each export.
fn started_exports(home: &Home) -> Vec<String> {
    let variables = [("HOME".to_owned(), home.path().display().to_string())];
    let environment = tableferry::aws::Environment::from_variables(variables);
    let sign_in = tableferry::plan::SignIn {
        profile: "prod-admin".to_owned(),
        ..Default::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let session = environment.sign_in(&sign_in, None).await.unwrap();
        let exports = session
            .dynamodb(&session.region)
            .list_exports(None)
            .await
            .unwrap();
        let mut tables: Vec<String> = exports
            .iter()
            .map(|(arn, _)| arn.resource.split('/').nth(1).unwrap().to_owned())
            .collect();
        tables.sort();
        tables
    })
}

#[rstest]
#[case::before_the_call(Moment::BeforeTheCall)]
#[case::between_call_and_answer(Moment::BeforeTheAnswer)]
#[case::while_waiting(Moment::WhileWaiting)]
#[case::at_the_second_interrupt(Moment::AtTheSecondInterrupt)]
fn a_killed_run_is_resumed_without_a_second_export(#[case] moment: Moment) {
    run_and_resume(moment);
}

#[rstest]
#[case::ctrl_c("INT")]
#[case::terminated("TERM")]
#[case::hung_up("HUP")]
fn a_signal_stops_the_waiting_and_leaves_the_exports_running(#[case] signal: &str) {
    let home = Home::new();
    let _server = Server::start(&home, 0, "4");
    let plan = home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let mut program = home
        .command()
        .args(["run", "--yes"])
        .arg(&plan)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        seen.push_str(&line);
        seen.push('\n');
        if line.contains("Users: in progress") {
            break;
        }
    }
    assert!(send(signal, program.id()));
    for line in lines.map_while(Result::ok) {
        seen.push_str(&line);
        seen.push('\n');
    }
    assert_eq!(program.wait().unwrap().code(), Some(4), "{seen}");
    assert!(seen.contains("tableferry resume 1"), "{seen}");

    let ended = Ended::of(home.command().args(["resume", "1", "--output", "json"]));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
}
