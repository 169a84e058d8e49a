//! A line of an S3 server access log that tells a change of a bucket (S3 user guide, `LogFormat`). It
//! holds no document.

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::names;
use super::{ChangeRefusal, ChangedResource, RecordedChange};

/// The change that a line tells: `OWNER BUCKET [TIME] ADDRESS REQUESTER ID OPERATION KEY "URI" STATUS CODE`.
pub(super) fn change_of(line: &str) -> Option<RecordedChange> {
    let (head, rest) = line.split_once(" [")?;
    let bucket = head.split(' ').nth(1)?;
    let (time, rest) = rest.split_once("] ")?;
    let mut fields = rest.splitn(6, ' ');
    let address = fields.next()?;
    let requester = fields.next()?;
    let request_id = fields.next()?;
    let known = names::of_log(fields.next()?)?;
    // An ACL of an object has its key.
    if fields.next()? != "-" {
        return None;
    }
    let (_, answer) = fields.next()?.strip_prefix('"')?.split_once("\" ")?;
    let mut answer = answer.split(' ');
    let status: u16 = answer.next()?.parse().ok()?;
    let code = answer.next().filter(|code| *code != "-");
    let given = |field: &str| (field != "-").then(|| field.to_owned());
    Some(RecordedChange {
        at: time_of(time)?,
        event: known.event.to_owned(),
        setting: known.setting,
        resource: ChangedResource {
            kind: known.kind,
            name: bucket.to_owned(),
            account: None,
            region: None,
        },
        part: None,
        principal: given(requester),
        invoked_by: None,
        address: given(address),
        refusal: (status >= 400).then(|| ChangeRefusal {
            code: code.map_or_else(|| status.to_string(), ToOwned::to_owned),
            message: String::new(),
        }),
        document: None,
        id: None,
        request_id: given(request_id),
    })
}

/// `06/Feb/2019:00:00:38 +0000`.
fn time_of(text: &str) -> Option<Timestamp> {
    let broken = strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    broken.to_timestamp().ok()
}
