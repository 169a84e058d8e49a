//! Killed at the worst moments: before the call, between the call and its answer, and while
//! waiting. Afterwards `resume` must end with every table exported exactly once.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use rstest::rstest;

use crate::program::{Ended, Home, Server};
use crate::relay::{self, Passing};

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

impl Moment {
    fn is_now(self, head: &str, passing: Passing) -> bool {
        let is_start = head.contains("dynamodb_20120810.exporttabletopointintime");
        let is_question = head.contains("dynamodb_20120810.describeexport");
        match self {
            Self::BeforeTheCall | Self::AtTheSecondInterrupt => {
                is_start && passing == Passing::Request
            }
            Self::BeforeTheAnswer => is_start && passing == Passing::Answer,
            Self::WhileWaiting => is_question && passing == Passing::Request,
        }
    }
}

/// Presses ctrl-c until the process, which is not this one, has ended.
fn interrupt_until_it_ends(process: u32) {
    while send("INT", process) {
        std::thread::sleep(Duration::from_millis(5));
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

fn run_and_resume(moment: Moment) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let mut command = home.command();
    command.args(["run", "--yes"]).arg(&plan);
    let is_now = move |head: &str, passing| moment.is_now(head, passing);
    if moment == Moment::AtTheSecondInterrupt {
        let deed = interrupt_until_it_ends;
        let ended = relay::struck(&home, &server, &mut command, is_now, deed);
        assert_eq!(ended.status, 4, "{ended:?}");
        // At the first it waits for the answer of what it has done; only the second says this.
        let words = "cut off before the call in flight was answered";
        assert!(ended.err.contains(words), "{ended:?}");
    } else {
        relay::killed(&home, &server, &mut command, is_now);
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
pub(crate) fn started_exports(home: &Home) -> Vec<String> {
    let mut tables: Vec<String> = exports(home)
        .iter()
        .map(|arn| arn.resource.split('/').nth(1).unwrap().to_owned())
        .collect();
    tables.sort();
    tables
}

/// All exports that the server knows.
pub(crate) fn exports(home: &Home) -> Vec<tableferry_policy::arn::Arn> {
    let variables = [("HOME".to_owned(), home.path().display().to_string())];
    let environment = tableferry::aws::Environment::from_variables(variables);
    let sign_in = tableferry::job::SignIn {
        profile: "prod-admin".to_owned(),
        ..Default::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let session = environment.sign_in(&sign_in, None).await.unwrap();
        let dynamodb = session.dynamodb(&session.region);
        let exports = dynamodb.list_exports(None).await.unwrap();
        exports.into_iter().map(|(arn, _)| arn).collect()
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
