//! Servers that speak AWS's protocols, but not all of them, and not always well.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use serde_json::{Value, json};

use crate::program::{Ended, Home};

/// What the server knows, and how it fails.
#[derive(Default)]
struct World {
    /// How many starts, though carried out, are answered with an error of the server.
    failing_starts: usize,
    /// How many questions are answered with this code.
    failing_questions: usize,
    code: &'static str,
    status: u16,
    /// Each token's export.
    exports: BTreeMap<String, String>,
    /// The partition of the one who calls; `aws` where it is empty.
    partition: &'static str,
}

impl World {
    fn answer(&mut self, call: &str, body: &str) -> (u16, String) {
        if body.contains("Action=GetCallerIdentity") {
            return (200, identity(self.partition));
        }
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        match call {
            "ExportTableToPointInTime" => self.start(&body),
            "DescribeExport" => self.describe(&body),
            _ => (400, error("UnknownOperationException")),
        }
    }

    fn start(&mut self, body: &Value) -> (u16, String) {
        let token = body["ClientToken"].as_str().unwrap().to_owned();
        let table = body["TableArn"].as_str().unwrap();
        let number = self.exports.len();
        let arn = self
            .exports
            .entry(token)
            .or_insert_with(|| format!("{table}/export/01795324670539-0000000{number}"))
            .clone();
        if self.failing_starts > 0 {
            self.failing_starts -= 1;
            return (500, error("InternalServerError"));
        }
        let export = json!({"ExportArn": arn, "ExportStatus": "IN_PROGRESS"});
        (200, json!({"ExportDescription": export}).to_string())
    }

    fn describe(&mut self, body: &Value) -> (u16, String) {
        if self.failing_questions > 0 {
            self.failing_questions -= 1;
            return (self.status, error(self.code));
        }
        let export = json!({
            "ExportArn": body["ExportArn"],
            "ExportStatus": "COMPLETED",
            "ItemCount": 3,
        });
        (200, json!({"ExportDescription": export}).to_string())
    }
}

fn error(code: &str) -> String {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no"})
        .to_string()
}

fn identity(partition: &str) -> String {
    let partition = if partition.is_empty() {
        "aws"
    } else {
        partition
    };
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
     <Arn>arn:PARTITION:iam::111111111111:user/ada</Arn><UserId>AIDA</UserId><Account>111111111111</Account>\
     </GetCallerIdentityResult></GetCallerIdentityResponse>"
        .replace("PARTITION", partition)
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, world: &Mutex<World>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut call, mut length, mut is_head) = (String::new(), 0, false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            is_head |= line.starts_with("HEAD ");
            let lower = line.to_ascii_lowercase();
            if lower.starts_with("x-amz-target:") {
                line.trim().rsplit('.').next()?.clone_into(&mut call);
            } else if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8_lossy(&body);
        let (status, answer) = world.lock().unwrap().answer(&call, &body);
        let answer = if is_head { "" } else { answer.as_str() };
        write!(
            &*stream,
            "HTTP/1.1 {status} X\r\nx-amzn-RequestId: R1\r\nDate: {}\r\nContent-Length: {}\r\n\r\n{answer}",
            jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT"),
            answer.len()
        )
        .ok()?;
    }
}

/// Serves a world on a port of the loopback.
fn listen(world: &Arc<Mutex<World>>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = Arc::clone(world);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let world = Arc::clone(&served);
            std::thread::spawn(move || serve(&stream, &world));
        }
    });
    port
}

/// A home whose profile `other` points at a server of this world.
fn home_with(world: World) -> (Home, Arc<Mutex<World>>) {
    let world = Arc::new(Mutex::new(world));
    let port = listen(&world);
    let home = Home::new();
    home.write(
        ".aws/config",
        &format!("[profile other]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:{port}\n"),
    );
    home.write(
        ".aws/credentials",
        "[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n",
    );
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\npatience_seconds = 1\n\
         [timeouts]\nconnect_seconds = 2\nread_seconds = 5\nattempt_seconds = 5\noperation_seconds = 20\n",
    );
    home.write(
        "plan.toml",
        "[source]\nprofile = 'other'\n[destination]\nbucket = 'export-landing'\n[[tables]]\nname = 'Orders'\n",
    );
    (home, world)
}

fn run(home: &Home) -> Ended {
    let plan = home.path().join("plan.toml");
    Ended::of(
        home.command()
            .args(["run", "--yes", "--output", "json"])
            .arg(plan),
    )
}

#[test]
fn what_a_server_does_not_know_is_unknown_and_not_fatal() {
    let (home, _world) = home_with(World::default());
    let ended = run(&home);
    assert_eq!(ended.status, 5, "{ended:?}");
    let export = &ended.exports()[0];
    assert_eq!(export["status"], "COMPLETED", "{ended:?}");
    assert_eq!(export["verified"], "unknown", "{ended:?}");
}

#[test]
fn who_may_not_ask_after_an_export_leaves_it_undecided() {
    let (home, world) = home_with(World {
        failing_questions: usize::MAX,
        code: "AccessDeniedException",
        status: 400,
        ..World::default()
    });
    let ended = run(&home);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_eq!(ended.exports()[0]["status"], "IN_PROGRESS", "{ended:?}");
    assert!(
        ended.out.contains("allow dynamodb:DescribeExport"),
        "{ended:?}"
    );
    // With the right to ask, the same run is decided.
    world.lock().unwrap().failing_questions = 0;
    let ended = Ended::of(home.command().args(["resume", "--output", "json"]));
    assert_eq!(ended.exports()[0]["status"], "COMPLETED", "{ended:?}");
}

#[rstest]
#[case::throttled("ThrottlingException", 400)]
#[case::failing("InternalServerError", 500)]
fn a_passing_difficulty_is_waited_out(#[case] code: &'static str, #[case] status: u16) {
    let (home, _world) = home_with(World {
        // One question of four attempts.
        failing_questions: 4,
        code,
        status,
        ..World::default()
    });
    let ended = run(&home);
    assert_eq!(ended.exports()[0]["status"], "COMPLETED", "{ended:?}");
    assert!(ended.out.contains("asking again"), "{ended:?}");
}

#[test]
fn waiting_for_a_server_that_fails_for_good_comes_to_an_end() {
    let (home, _world) = home_with(World {
        failing_questions: usize::MAX,
        code: "InternalServerError",
        status: 500,
        ..World::default()
    });
    let ended = run(&home);
    assert_eq!(ended.status, 4, "{ended:?}");
    assert!(ended.out.contains("the waiting ends"), "{ended:?}");
}

#[test]
fn a_start_answered_with_a_servers_own_failure_is_repeated_with_its_token() {
    let (home, world) = home_with(World {
        failing_starts: 4,
        ..World::default()
    });
    let ended = run(&home);
    assert_eq!(ended.status, 4, "{ended:?}");
    assert_eq!(ended.exports()[0]["status"], "CALLING", "{ended:?}");
    let ended = Ended::of(home.command().args(["resume", "--output", "json"]));
    assert_eq!(ended.exports()[0]["status"], "COMPLETED", "{ended:?}");
    assert_eq!(world.lock().unwrap().exports.len(), 1);
}

/// Nothing in the plan names a partition: whose the profiles are shows only after the sign-in.
#[test]
fn a_plan_across_partitions_is_refused_by_check_and_run_whatever_is_forced() {
    let (home, source) = home_with(World::default());
    let china = Arc::new(Mutex::new(World {
        partition: "aws-cn",
        ..World::default()
    }));
    let port = listen(&china);
    let config = home.path().join(".aws/config");
    let profiles = std::fs::read_to_string(&config).unwrap();
    let destination =
        format!("[profile china]\nregion = cn-north-1\nendpoint_url = http://127.0.0.1:{port}\n");
    home.write(".aws/config", &format!("{profiles}{destination}"));
    let keys = std::fs::read_to_string(home.path().join(".aws/credentials")).unwrap();
    let keys = format!("{keys}{}", keys.replace("[other]", "[china]"));
    home.write(".aws/credentials", &keys);
    let plan = home.write(
        "plan.toml",
        "[source]\nprofile = 'other'\n[destination]\nprofile = 'china'\n\
         bucket = 'export-landing'\n[[tables]]\nname = 'Orders'\n",
    );
    for command in [
        "check",
        "run --yes",
        "run --yes --force",
        "run --yes --force --output json",
    ] {
        let mut program = home.command();
        let ended = Ended::of(program.args(command.split(' ')).arg(&plan));
        assert_eq!(ended.status, 3, "{command}: {ended:?}");
        let told = format!("{}{}", ended.out, ended.err);
        let word = "the source is in partition aws, the destination in aws-cn";
        assert!(told.contains(word), "{command}: {ended:?}");
        assert!(!told.contains("--force starts"), "{command}: {ended:?}");
    }
    assert_eq!(source.lock().unwrap().exports.len(), 0);
}
