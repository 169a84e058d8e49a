//! A home, a served sandbox and a relay between them; and what the sandbox and the journal hold.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use fastrand::Rng;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::faults::Faults;
use crate::program::{Ended, Home, JOB_SECONDS, Server, move_clock};
use crate::relay::{Fate, Relay};

/// A configuration by which one attempt of a call takes so many seconds at most.
fn config(attempt: u32) -> String {
    format!(
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\npatience_seconds = 2\n\
         [timeouts]\nconnect_seconds = {attempt}\nread_seconds = {attempt}\n\
         attempt_seconds = {attempt}\noperation_seconds = {}\n",
        attempt * 4
    )
}

/// The plan that is run.
const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "random"
[[tables]]
name = "Events"
[[tables]]
name = "Users"
"#;

/// Its tables; small ones, so that a server of many rounds is never late by itself.
pub(super) const TABLES: [&str; 2] = ["Events", "Users"];

/// What each server begins with.
static STATE: OnceLock<String> = OnceLock::new();

/// A profile whose role may read tables and change its own policies.
pub(super) const SELF_KEEPER: &str = "prod-keeper";

/// The state of a server that has just begun, in which a user and a role that may not export may give
/// themselves the right.
fn state_with_keepers() -> String {
    let home = Home::new();
    drop(Server::with_clock(&home, JOB_SECONDS, "0s"));
    let text = std::fs::read_to_string(home.path().join("served.json")).unwrap();
    let mut state: Value = serde_json::from_str(&text).unwrap();
    let own = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Resource": "*",
        "Action": ["iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy",
            "iam:DeleteRolePolicy", "dynamodb:GetResourcePolicy"] }] });
    let own = json!({ "own": { "current": own.to_string(), "lingering": null } });
    let account = &mut state["accounts"]["111111111111"];
    account["users"]["prod-reader"]["inline"] = own.clone();
    let mut keeper = account["roles"]["OnCallExporter"].clone();
    keeper["id"] = "AROASANDBOXKEEPER0000".into();
    keeper["attached"] = json!(["arn:aws:iam::111111111111:policy/TableReader"]);
    keeper["inline"] = own;
    account["roles"]["Keeper"] = keeper;
    let profile = json!({ "name": SELF_KEEPER, "settings": {
        "role_arn": "arn:aws:iam::111111111111:role/Keeper",
        "source_profile": "prod-admin", "role_session_name": "keeper" } });
    state["profiles"].as_array_mut().unwrap().push(profile);
    state.to_string()
}

/// An export as the sandbox has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Started {
    pub arn: String,
    pub table: String,
    pub token: String,
    /// `InProgress`, `Completed` or `Failed`.
    pub state: String,
}

/// An export as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noted {
    pub run: i64,
    pub table: String,
    pub token: String,
    pub stage: String,
    pub arn: Option<String>,
    pub verified: Option<String>,
}

pub(super) struct World {
    pub home: Home,
    _server: Server,
    relay: Relay,
    /// How far ahead the server's clock is.
    ahead: Arc<Mutex<SignedDuration>>,
    /// How often the program was killed.
    pub kills: usize,
    /// What was done, for the reader of a fault.
    pub told: String,
}

impl World {
    pub(super) fn new() -> Self {
        let home = Home::new();
        home.write("served.json", STATE.get_or_init(state_with_keepers));
        let server = Server::with_clock(&home, JOB_SECONDS, "0s");
        let relay = Relay::to(&server);
        home.lead(server.port, relay.port);
        home.write("plan.toml", PLAN);
        Self {
            home,
            _server: server,
            relay,
            ahead: Arc::default(),
            kills: 0,
            told: String::new(),
        }
    }

    pub(super) fn plan(&self) -> String {
        self.home.path().join("plan.toml").display().to_string()
    }

    /// Runs a command while all passes; it waits for a machine that has much to do.
    pub(super) fn run(&mut self, arguments: &[&str]) -> Ended {
        self.wait_at_most(20);
        self.relay.decide(|_, _| Fate::Pass);
        self.run_as_decided(arguments, "")
    }

    fn wait_at_most(&self, seconds: u32) {
        self.home
            .write(".config/tableferry/config.toml", &config(seconds));
    }

    /// Runs a command under faults.
    pub(super) fn run_under(&mut self, arguments: &[&str], mut faults: Faults) -> Ended {
        self.wait_at_most(2);
        let how = format!("{}%, {:?}", faults.percent, faults.moment);
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let mover = self.clock_mover();
        faults.move_clock = Box::new(mover);
        self.relay.decide(move |head, passing| {
            let fate = faults.decide(head, passing);
            if !matches!(fate, Fate::Pass) {
                let kind = super::faults::kind(head);
                seen.lock()
                    .unwrap()
                    .push(format!("  {kind} {passing:?}: {fate:?}"));
            }
            fate
        });
        let ended = self.run_as_decided(arguments, &how);
        self.relay.decide(|_, _| Fate::Pass);
        for line in told.lock().unwrap().iter() {
            self.tell(&line.replace("\r\n", " "));
        }
        ended
    }

    /// Resumes until nothing is under way, while all passes.
    pub(super) fn follow_to_the_end(&mut self) -> Result<(), String> {
        for _ in 0..4 {
            let ended = self.run(&["resume"]);
            if ended.status == 0 && ended.out.contains("nothing is under way") {
                return Ok(());
            }
            if ended.status == 4 {
                // That no export is listed proves something once no call can arrive any more.
                self.mover()(SignedDuration::from_mins(30));
                self.tell("half an hour goes by");
            }
        }
        Err(format!("resuming does not end: {:#?}", self.noted()))
    }

    fn run_as_decided(&mut self, arguments: &[&str], how: &str) -> Ended {
        let mut command = self.home.command();
        let output = self.relay.run(command.args(arguments));
        self.kills += usize::from(output.status.signal() == Some(9));
        let ended = Ended::from(output);
        let first = arguments.first().copied().unwrap_or_default();
        self.tell(&format!("{first}: {} ({how})", ended.status));
        for line in ended
            .out
            .lines()
            .rev()
            .take(3)
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            let short: String = line.chars().take(600).collect();
            self.tell(&format!("  > {short}"));
        }
        for line in ended.err.lines().take(4) {
            self.tell(&format!("  ! {line}"));
        }
        ended
    }

    fn tell(&mut self, line: &str) {
        self.told.push_str(line);
        self.told.push('\n');
    }

    /// Moves the server's clock forward, by up to twelve hours.
    pub(super) fn move_clock(&mut self, rng: &mut Rng) {
        self.clock_mover()(rng);
        let ahead = *self.ahead.lock().unwrap();
        self.tell(&format!("the clock is {ahead:#} ahead"));
    }

    fn clock_mover(&self) -> impl FnMut(&mut Rng) + Send + 'static {
        let mover = self.mover();
        move |rng| mover(SignedDuration::from_mins(rng.i64(1..=12 * 60)))
    }

    fn mover(&self) -> impl Fn(SignedDuration) + Send + 'static {
        let ahead = Arc::clone(&self.ahead);
        let home = self.home.path().to_owned();
        move |by| {
            let mut ahead = ahead.lock().unwrap();
            *ahead += by;
            move_clock(&home, &format!("{ahead:#}"));
        }
    }

    /// The whole state of the sandbox.
    pub(super) fn state(&self) -> Value {
        let text = std::fs::read_to_string(self.home.path().join("served.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(super) fn started(&self) -> Vec<Started> {
        let state = self.state();
        let exports = state["exports"].as_object().unwrap().values();
        exports
            .map(|export| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let state = match &export["state"] {
                    Value::String(state) => state.clone(),
                    Value::Object(state) => state.keys().next().unwrap().clone(),
                    other => panic!("{other}"),
                };
                Started {
                    arn: text(&export["arn"]),
                    table: text(&export["table_name"]),
                    token: text(&export["order"]["token"]),
                    state,
                }
            })
            .collect()
    }

    fn journal_path(&self) -> PathBuf {
        self.home.path().join(".local/state/tableferry/journal.db")
    }

    pub(super) fn noted(&self) -> Vec<Noted> {
        let path = self.journal_path();
        if !path.exists() {
            return Vec::new();
        }
        let journal = rusqlite::Connection::open(path).unwrap();
        let select = "SELECT run, subject, token, state, arn, verified FROM operation WHERE kind = 'export' ORDER BY run, position";
        let Ok(mut rows) = journal.prepare(select) else {
            // Killed before its tables were made.
            return Vec::new();
        };
        let rows = rows.query_map([], |row| {
            let table: String = row.get(1)?;
            Ok(Noted {
                run: row.get(0)?,
                table: table.rsplit('/').next().unwrap_or_default().to_owned(),
                token: row.get(2)?,
                stage: row.get(3)?,
                arn: row.get(4)?,
                verified: row.get(5)?,
            })
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Every document and setting that a change may be made to, by a name.
    pub(super) fn settings(&self) -> BTreeMap<String, Value> {
        let state = self.state();
        let mut settings = BTreeMap::new();
        for (name, bucket) in state["buckets"].as_object().unwrap() {
            settings.insert(
                format!("bucket {name}"),
                bucket["policy"]["current"].clone(),
            );
        }
        for (id, account) in state["accounts"].as_object().unwrap() {
            for key in account["keys"].as_array().unwrap() {
                let name = format!("key {id} {}", key["id"]);
                settings.insert(name, key["policy"]["current"].clone());
            }
            for table in account["tables"].as_array().unwrap() {
                let name = format!("recovery {id} {}", table["name"]);
                settings.insert(name, Value::Bool(!table["recovery_since"].is_null()));
            }
            for kind in ["users", "roles"] {
                for (name, holder) in account[kind].as_object().unwrap() {
                    for (policy, text) in holder["inline"].as_object().unwrap() {
                        if !text["current"].is_null() {
                            let name = format!("{kind} {id} {name} {policy}");
                            settings.insert(name, text["current"].clone());
                        }
                    }
                }
            }
        }
        settings
    }

    /// The uploads under way in every bucket.
    pub(super) fn uploads(&self) -> Vec<String> {
        let state = self.state();
        let buckets = state["buckets"].as_object().unwrap().values();
        buckets
            .flat_map(|bucket| bucket["uploads"].as_object().unwrap().values())
            .map(|upload| upload["key"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What is wrong between the journal and the sandbox once nothing is left to be done.
pub(super) fn differences(noted: &[Noted], started: &[Started]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in noted {
        let own: Vec<&Started> = started
            .iter()
            .filter(|one| one.token == row.token)
            .collect();
        let is_right = match row.stage.as_str() {
            "PLANNED" | "REFUSED" => own.is_empty(),
            "COMPLETED" | "FAILED" => {
                own.len() == 1 && row.arn.as_deref() == Some(own[0].arn.as_str())
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("the journal has {row:?}, and the sandbox {own:?}"));
        }
    }
    for one in started {
        if !noted.iter().any(|row| row.token == one.token) {
            wrong.push(format!("the journal does not know {one:?}"));
        }
    }
    wrong
}
