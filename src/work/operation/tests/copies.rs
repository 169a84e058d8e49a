//! A service that copies books from shelves, on the loopback, and the kind of operation that asks it.
//!
//! Its rules are AWS's where the code under test relies on them: a repeated token answers with the same
//! copy, an answer tells the service's time, and what is carried out is carried out whether its answer
//! arrives or not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::aws::failure::FailureKind;
use crate::work::look_up::absence;

/// How long a program may take to come to its moment on a machine that does other things besides.
const LONGEST: Duration = Duration::from_mins(2);

/// When the program is killed, told by the calls that pass the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The second copy is asked for, and nothing is done about it.
    BeforeTheCall,
    /// The second copy is begun, and its answer reaches nobody.
    BeforeTheAnswer,
    /// A copy under way is asked after.
    WhileWaiting,
}

#[derive(Default)]
struct State {
    /// Each copy by its token, with its number, its request and how often it was asked after.
    copies: BTreeMap<String, (usize, Value, u32)>,
    calls: usize,
    /// The token of each call that came to begin a copy.
    asked_for: Vec<String>,
    kill_at: Option<Moment>,
    program: Option<Child>,
    ended: Option<ExitStatus>,
}

impl State {
    /// Kills the program if its moment is here; whether it was.
    fn strike(&mut self, moment: Moment) -> bool {
        if self.kill_at != Some(moment) {
            return false;
        }
        self.kill_at = None;
        if let Some(mut program) = self.program.take() {
            program.kill().unwrap();
            self.ended = Some(program.wait().unwrap());
        }
        true
    }

    fn describe(&self, token: &str) -> Value {
        let (number, request, asked) = &self.copies[token];
        let is_done = *asked >= 2;
        json!({
            "arn": format!("arn:aws:copies:eu-west-1:111111111111:copy/{number}"),
            "token": token,
            "is_done": is_done,
            "books": if is_done { request["books"].clone() } else { Value::Null },
        })
    }
}

/// The server; it ends with the test.
pub(super) struct Server {
    pub(super) port: u16,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                answer(&own, &client);
            }
        });
        Self { port, shared }
    }

    /// Runs a program up to a moment, and kills it there.
    pub(super) fn kill_at(&self, moment: Moment, program: &mut Command) -> ExitStatus {
        let (state, has_ended) = &*self.shared;
        let mut state = state.lock().unwrap();
        state.kill_at = Some(moment);
        state.program = Some(program.spawn().unwrap());
        let (state, _) = has_ended
            .wait_timeout_while(state, LONGEST, |state| state.ended.is_none())
            .unwrap();
        state.ended.expect("the program never came to the moment")
    }

    /// The tokens of all copies, one for each.
    pub(super) fn copies(&self) -> Vec<String> {
        let state = self.shared.0.lock().unwrap();
        state.copies.keys().cloned().collect()
    }

    /// How often a copy was asked for.
    pub(super) fn asked_for(&self, token: &str) -> usize {
        let state = self.shared.0.lock().unwrap();
        state
            .asked_for
            .iter()
            .filter(|asked| *asked == token)
            .count()
    }

    /// How many calls were made.
    pub(super) fn calls(&self) -> usize {
        self.shared.0.lock().unwrap().calls
    }
}

/// Answers one request, of which the first line says all.
fn answer((state, has_ended): &(Mutex<State>, Condvar), mut client: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.calls += 1;
    let body = act(&mut state, &mut line.split_whitespace());
    has_ended.notify_all();
    let body = json!({"now": Timestamp::now(), "answer": body?});
    writeln!(client, "{body}").ok()
}

/// Does what is asked; `None` where the answer reaches nobody.
fn act<'a>(state: &mut State, words: &mut impl Iterator<Item = &'a str>) -> Option<Value> {
    match words.next()? {
        "start" => {
            let (token, request) = (words.next()?, words.next()?);
            state.asked_for.push(token.to_owned());
            if !state.copies.is_empty() && state.strike(Moment::BeforeTheCall) {
                return None;
            }
            let is_second = !state.copies.is_empty();
            if !state.copies.contains_key(token) {
                let copy = (state.copies.len(), request.parse().ok()?, 0);
                state.copies.insert(token.to_owned(), copy);
            }
            if is_second && state.strike(Moment::BeforeTheAnswer) {
                return None;
            }
            Some(state.describe(token))
        }
        "list" => Some(
            state
                .copies
                .keys()
                .map(|token| state.describe(token))
                .collect(),
        ),
        "describe" => {
            if state.strike(Moment::WhileWaiting) {
                return None;
            }
            let number: usize = words.next()?.parse().ok()?;
            let mut copies = state.copies.iter_mut();
            let (token, copy) = copies.find(|(_, copy)| copy.0 == number)?;
            copy.2 += 1;
            let token = token.clone();
            Some(state.describe(&token))
        }
        _ => Some(Value::Null),
    }
}

/// Copies as a kind.
#[derive(Debug)]
pub(super) struct CopyKind {
    pub(super) port: u16,
}

struct CopyCalls {
    port: u16,
    request: String,
    time: Mutex<Option<Timestamp>>,
}

impl CopyCalls {
    async fn ask(&self, line: &str) -> Result<Value, Failure> {
        let failed = |message: String| Failure {
            kind: FailureKind::Connection,
            operation: "copies".to_owned(),
            target: line.to_owned(),
            code: None,
            message,
            status: None,
            request_id: None,
            hint: None,
        };
        let exchanged = async {
            let address = (Ipv4Addr::LOCALHOST, self.port);
            let mut server = tokio::net::TcpStream::connect(address).await?;
            server.write_all(format!("{line}\n").as_bytes()).await?;
            let mut text = String::new();
            server.read_to_string(&mut text).await?;
            std::io::Result::Ok(text)
        };
        let text = exchanged.await.map_err(|error| failed(error.to_string()))?;
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        *self.time.lock().unwrap() = answer["now"].as_str().and_then(|now| now.parse().ok());
        Ok(answer["answer"].take())
    }
}

fn described(copy: &Value) -> Described {
    Described {
        arn: copy["arn"].as_str().unwrap().parse().unwrap(),
        token: copy["token"].as_str().map(str::to_owned),
        stage: match copy["is_done"].as_bool() {
            Some(true) => Stage::Completed,
            _ => Stage::InProgress,
        },
        started_at: None,
        ended_at: None,
        failure_code: None,
        failure_message: None,
        result: json!({"books": copy["books"]}),
    }
}

impl Calls for CopyCalls {
    fn ask_time(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async { self.ask("time").await.map(|_| ()) })
    }

    fn service_time(&self) -> Option<Timestamp> {
        *self.time.lock().unwrap()
    }

    fn start(&self, _signed_at: Option<Timestamp>) -> BoxFuture<'_, StartAnswer<Described>> {
        Box::pin(async {
            match self.ask(&format!("start {}", self.request)).await {
                Ok(copy) => StartAnswer::Started(Box::new(described(&copy))),
                Err(failure) => StartAnswer::Unanswered(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, record: &'a Operation) -> BoxFuture<'a, LookUp> {
        Box::pin(async {
            let asked_at = self.service_time();
            let listed = match self.ask("list").await {
                Ok(listed) => listed,
                Err(failure) => return LookUp::Failed(failure),
            };
            let mut copies = listed.as_array().unwrap().iter();
            match copies.find(|copy| copy["token"] == record.token.as_str()) {
                Some(copy) => LookUp::Found(Box::new(described(copy))),
                None => absence(record, asked_at, Some(Timestamp::UNIX_EPOCH)),
            }
        })
    }
}

impl StatusCalls for CopyCalls {
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>> {
        Box::pin(async {
            let number = arn.resource_after("copy").unwrap();
            let copy = self.ask(&format!("describe {number}")).await?;
            Ok(described(&copy))
        })
    }
}

impl OperationKind for CopyKind {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn side(&self) -> Side {
        Side::Source
    }

    fn token_holds(&self) -> SignedDuration {
        SignedDuration::from_hours(1)
    }

    fn describe_operation(&self) -> &'static str {
        "DescribeCopy"
    }

    fn look_up_permissions(&self) -> &'static str {
        "copies:ListCopies"
    }

    fn describe_permission(&self) -> &'static str {
        "copies:DescribeCopy"
    }

    fn calls(&self, _: &Session, record: &Operation) -> Result<Box<dyn Calls>, JournalError> {
        Ok(Box::new(CopyCalls {
            port: self.port,
            request: format!("{} {}", record.token, record.request),
            time: Mutex::default(),
        }))
    }

    fn blocked_by<'a>(
        &'a self,
        _: &'a Work,
        _: &'a Session,
        _: &'a Operation,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }

    fn may_be(&self, _: &Operation, arn: &Arn) -> bool {
        arn.service == "copies"
    }

    fn is_unknown(&self, _: &Failure) -> bool {
        false
    }

    fn files_seen<'a>(
        &'a self,
        _: &'a Work,
        _: &'a Operation,
    ) -> BoxFuture<'a, Option<(u64, u64)>> {
        Box::pin(async { None })
    }

    fn verify<'a>(&'a self, _: &'a Work, record: &'a Operation) -> BoxFuture<'a, Observation> {
        let verification = if record.result["books"] == record.request["books"] {
            Verification::Verified {
                files: 0,
                bytes: 0,
                items: 3,
            }
        } else {
            Verification::Wrong {
                findings: vec!["books are missing".to_owned()],
            }
        };
        Box::pin(async { Observation::Settled(verification, Vec::new()) })
    }
}
