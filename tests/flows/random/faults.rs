//! What becomes of each message, from a seed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use fastrand::Rng;

use crate::relay::{Fate, Passing, answered};

/// Longer than the program waits for an attempt in these tests.
const TOO_LATE: Duration = Duration::from_millis(2_300);

/// Calls that change something.
const CHANGING: [&str; 13] = [
    "exporttabletopointintime",
    "updatecontinuousbackups",
    "putkeypolicy",
    "putuserpolicy",
    "deleteuserpolicy",
    "putrolepolicy",
    "deleterolepolicy",
    "put export-nopolicy ?policy",
    "delete export-nopolicy ?policy",
    "post export-landing/ ?uploads",
    "put export-landing/ ?partnumber,uploadid,x-id",
    "put export-landing/ ?partnumber,uploadid",
    "delete export-landing/ ?uploadid",
];

/// When the program is killed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// At a message, counted from the first.
    Message(usize, Passing),
    /// At a call that changes something, counted from the first.
    Change(usize, Passing),
}

impl Moment {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let passing = *rng.choice(&[Passing::Request, Passing::Answer]).unwrap();
        if rng.bool() {
            Self::Change(rng.usize(0..3), passing)
        } else {
            Self::Message(rng.usize(0..40), passing)
        }
    }
}

/// What a network and a server do to messages.
pub(super) struct Faults {
    pub seed: u64,
    /// How many of a hundred messages meet a fault.
    pub percent: u8,
    /// How many faults there are at most, so that everything ends.
    pub left: usize,
    /// Whether rights are withdrawn too.
    pub has_refusals: bool,
    pub moment: Option<Moment>,
    /// How many of a hundred requests the server's clock moves before, and what moves it.
    pub clock_percent: u8,
    pub move_clock: Box<dyn FnMut(&mut Rng) + Send>,
    seen: BTreeMap<(String, bool), usize>,
    messages: [usize; 2],
    changes: [usize; 2],
}

impl Faults {
    pub(super) fn new(seed: u64, percent: u8) -> Self {
        Self {
            seed,
            percent,
            left: 12,
            has_refusals: false,
            moment: None,
            clock_percent: 0,
            move_clock: Box::new(|_| ()),
            seen: BTreeMap::new(),
            messages: [0; 2],
            changes: [0; 2],
        }
    }

    /// What becomes of a message.
    pub(super) fn decide(&mut self, head: &str, passing: Passing) -> Fate {
        let kind = kind(head);
        let is_answer = passing == Passing::Answer;
        let seen = self.seen.entry((kind.clone(), is_answer)).or_default();
        let mut hasher = DefaultHasher::new();
        (self.seed, &kind, is_answer, *seen).hash(&mut hasher);
        *seen += 1;
        let mut rng = Rng::with_seed(hasher.finish());
        if self.is_moment(&kind, passing) {
            return Fate::Killed;
        }
        if !is_answer && rng.u8(0..100) < self.clock_percent {
            (self.move_clock)(&mut rng);
        }
        // What changes something is worth more faults than what is read.
        let percent = match self.percent {
            0 => 0,
            percent if CHANGING.contains(&kind.as_str()) => percent.max(30),
            percent => percent,
        };
        if self.left == 0 || rng.u8(0..100) >= percent {
            return Fate::Pass;
        }
        self.left -= 1;
        if is_answer {
            of_answer(&mut rng)
        } else {
            self.of_request(&mut rng, head)
        }
    }

    fn is_moment(&mut self, kind: &str, passing: Passing) -> bool {
        let which = usize::from(passing == Passing::Answer);
        let number = self.messages[which];
        self.messages[which] += 1;
        let is_change = CHANGING.contains(&kind);
        let change = self.changes[which];
        self.changes[which] += usize::from(is_change);
        match self.moment {
            Some(Moment::Message(at, when)) => at == number && when == passing,
            Some(Moment::Change(at, when)) => is_change && at == change && when == passing,
            None => false,
        }
    }

    fn of_request(&self, rng: &mut Rng, head: &str) -> Fate {
        match rng.u8(0..if self.has_refusals { 14 } else { 10 }) {
            0 => Fate::Late(Duration::from_millis(rng.u64(5..60))),
            1 => Fate::Late(TOO_LATE),
            2 | 3 => Fate::Lost,
            4 => Fate::Half,
            5..10 => of_proxy(rng),
            _ => refusal(head),
        }
    }
}

/// What becomes of the answer to a request that was carried out.
fn of_answer(rng: &mut Rng) -> Fate {
    match rng.u8(0..10) {
        0 => Fate::Late(Duration::from_millis(rng.u64(5..60))),
        1 => Fate::Late(TOO_LATE),
        2..5 => Fate::Lost,
        5 | 6 => Fate::Half,
        _ => of_proxy(rng),
    }
}

/// An answer that comes from something between the program and the service, or from a service that is
/// out of order.
fn of_proxy(rng: &mut Rng) -> Fate {
    let page = "<!DOCTYPE html><html><head><title>Access</title></head><body>Sign in to go on.</body></html>";
    let (status, kind, body) = match rng.u8(0..7) {
        0 => ("429 Too Many Requests", "text/plain", "slow down"),
        1 => ("500 Internal Server Error", "text/plain", "oops"),
        2 => ("503 Service Unavailable", "text/plain", "no upstream"),
        3 => ("403 Forbidden", "text/html", page),
        4 => ("200 OK", "text/html", page),
        5 => ("502 Bad Gateway", "text/html", page),
        _ => ("403 Forbidden", "text/plain", ""),
    };
    answered(status, kind, body)
}

/// AWS's own refusal of a right that was withdrawn, in the form of the service that is asked.
fn refusal(head: &str) -> Fate {
    let message = "User: arn:aws:iam::111111111111:user/somebody is not authorized to perform this";
    if head.contains("x-amz-target:") {
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"{message}"}}"#
        );
        let kind = "application/x-amz-json-1.0\r\nx-amzn-RequestId: 0123456789";
        return answered("400 Bad Request", kind, &body);
    }
    let error = format!("<Code>AccessDenied</Code><Message>{message}</Message>");
    let body = if head.contains("action=") {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>r</RequestId></ErrorResponse>"
        )
    } else {
        format!("<Error>{error}<RequestId>r</RequestId></Error>")
    };
    answered("403 Forbidden", "application/xml", &body)
}

/// What a request is about, without what differs from one run of the program to the next.
pub(super) fn kind(head: &str) -> String {
    let after = |mark: &str| head.split(mark).nth(1);
    let word = |text: &str| -> String {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    if let Some(target) = after("x-amz-target: ") {
        return target.split('.').nth(1).map(word).unwrap_or_default();
    }
    if let Some(action) = after("action=") {
        return word(action);
    }
    let mut line = head.split(' ');
    let method = line.next().unwrap_or_default();
    let target = line.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((&path[1..], ""));
    let slash = if key.is_empty() { "" } else { "/" };
    let names: Vec<&str> = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default())
        .collect();
    format!("{method} {bucket}{slash} ?{}", names.join(","))
}
