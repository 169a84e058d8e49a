//! Whether a summary is of the export that was asked for.
//!
//! What the manifest does not name is not held against it. Times are compared as far as both sides are
//! exact: the call sends milliseconds, and what DynamoDB keeps of them is not documented.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::manifest::Summary;
use crate::job::{Encryption, ExportRequest, Span};

/// Below this two times are the same.
const EXACT: SignedDuration = SignedDuration::from_secs(1);

/// A snapshot of now is exact to about a minute.
const SNAPSHOT: SignedDuration = SignedDuration::from_secs(60);

/// Something in which a summary differs from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs, in the console's words.
    pub what: &'static str,
    /// What was asked for.
    pub asked: String,
    /// What the summary says.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, asked, found } = self;
        write!(
            f,
            "the manifest is of another request: its {what} is {found}, and {asked} was asked for"
        )
    }
}

/// In what a summary differs from the request; nothing where it belongs to it.
#[must_use]
pub fn differences(summary: &Summary, request: &ExportRequest) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |what, asked: String, named: Option<String>| {
        if let Some(named) = named.filter(|named| *named != asked) {
            found.push(Difference {
                what,
                asked,
                found: named,
            });
        }
    };
    compare(
        "bucket",
        request.bucket.to_string(),
        Some(summary.bucket.clone()),
    );
    compare(
        "prefix",
        prefix(request.prefix.as_deref()),
        Some(prefix(summary.prefix.as_deref())),
    );
    compare(
        "table",
        request.table_arn.to_string(),
        Some(summary.table_arn.clone()),
    );
    compare(
        "format",
        request.format.as_str().to_owned(),
        summary.format.map(|format| format.as_str().to_owned()),
    );
    compare(
        "encryption",
        request.encryption.as_str().to_owned(),
        summary.sse_algorithm.clone(),
    );
    if !is_same_key(&request.encryption, summary.sse_kms_key_id.as_deref()) {
        found.push(Difference {
            what: "KMS key",
            asked: key(request.encryption.key()),
            found: key(summary.sse_kms_key_id.as_deref()),
        });
    }
    found.extend(span_difference(summary, &request.span));
    found
}

fn prefix(prefix: Option<&str>) -> String {
    match prefix {
        None | Some("") => "none".to_owned(),
        Some(prefix) => format!("`{prefix}`"),
    }
}

fn key(key: Option<&str>) -> String {
    key.unwrap_or("none").to_owned()
}

/// Whether two names of a key can be of the same key. An alias may stand for any, and which form the
/// manifest keeps is not documented.
pub(crate) fn is_same_key(encryption: &Encryption, found: Option<&str>) -> bool {
    let (Some(asked), Some(found)) = (encryption.key(), found) else {
        return true;
    };
    let is_alias = |key: &str| key.contains("alias/");
    let id = |key: &str| key.rsplit('/').next().map(str::to_owned);
    is_alias(asked) || is_alias(found) || id(asked) == id(found)
}

/// The time or window that differs, where the summary names one.
fn span_difference(summary: &Summary, asked: &Span) -> Option<Difference> {
    let found = summary.span.as_ref()?;
    (!is_same_span(asked, found, summary.start_time)).then(|| Difference {
        what: "time",
        asked: span(asked),
        found: span(found),
    })
}

/// Whether an export that was started at a time is of the time or window that was asked for.
pub(crate) fn is_same_span(asked: &Span, found: &Span, started_at: Option<Timestamp>) -> bool {
    match (asked, found) {
        (Span::Full { time: Some(asked) }, Span::Full { time: Some(found) }) => {
            is_near(*asked, *found, EXACT)
        }
        // Where no time is asked for, the export is of its start.
        (Span::Full { time: None }, Span::Full { time: Some(found) }) => {
            started_at.is_none_or(|started| is_near(started, *found, SNAPSHOT))
        }
        (Span::Full { .. }, Span::Full { time: None }) => true,
        (
            Span::Incremental { from, to, view },
            Span::Incremental {
                from: found_from,
                to: found_to,
                view: found_view,
            },
        ) => {
            is_near(*from, *found_from, EXACT)
                && is_near(*to, *found_to, EXACT)
                && view == found_view
        }
        _ => false,
    }
}

fn is_near(one: Timestamp, other: Timestamp, within: SignedDuration) -> bool {
    one.duration_since(other).abs() < within
}

fn span(span: &Span) -> String {
    match span {
        Span::Full { time: None } => "the table as of the start".to_owned(),
        Span::Full { time: Some(time) } => format!("the table as of {time}"),
        Span::Incremental { from, to, view } => {
            format!("the changes from {from} to {to} ({})", view.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::job::{Format, View};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// As in two public exports (ddb-pitr's test data): prefix and key are `null`, and `exportTime`
    /// equals `startTime` where no time was asked for.
    fn summary() -> Summary {
        Summary::parse(
            br#"{"version":"2020-06-30","exportArn":"arn:aws:dynamodb:eu-north-1:111111111111:table/test/export/01768385930622-efd1a093","startTime":"2026-01-14T10:18:50.622Z","endTime":"2026-01-14T10:24:58.984Z","tableArn":"arn:aws:dynamodb:eu-north-1:111111111111:table/test","tableId":"cf263806-6bf1-4e51-a242-7067dcdecc72","exportTime":"2026-01-14T10:18:50.622Z","s3Bucket":"landing","s3Prefix":null,"s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,"manifestFilesS3Key":"AWSDynamoDB/01768385930622-efd1a093/manifest-files.json","billedSizeBytes":0,"itemCount":3,"outputFormat":"DYNAMODB_JSON"}"#,
        )
        .unwrap()
    }

    fn request() -> ExportRequest {
        ExportRequest {
            table_arn: "arn:aws:dynamodb:eu-north-1:111111111111:table/test"
                .parse()
                .unwrap(),
            bucket: "landing".parse().unwrap(),
            bucket_owner: None,
            prefix: None,
            encryption: Encryption::Aes256,
            format: Format::DynamoDbJson,
            span: Span::Full { time: None },
            filter: None,
            client_token: "t".to_owned(),
        }
    }

    fn window(from: &str, view: View) -> Span {
        Span::Incremental {
            from: at(from),
            to: at("2026-01-14T10:35:00Z"),
            view,
        }
    }

    fn kms(key: Option<&str>) -> Encryption {
        Encryption::Kms {
            key: key.map(|key| key.parse().unwrap()),
        }
    }

    #[test]
    fn a_summary_as_aws_writes_it_belongs_to_its_request() {
        assert_eq!(differences(&summary(), &request()), []);
    }

    type Change = fn(&mut Summary, &mut ExportRequest);

    #[rstest]
    #[case::bucket("bucket", |summary: &mut Summary, _: &mut ExportRequest| summary.bucket = "other".to_owned())]
    #[case::prefix("prefix", |summary: &mut Summary, _: &mut ExportRequest| summary.prefix = Some("dev".to_owned()))]
    #[case::no_prefix("prefix", |_: &mut Summary, request: &mut ExportRequest| request.prefix = Some("dev".to_owned()))]
    #[case::table("table", |summary: &mut Summary, _: &mut ExportRequest| summary.table_arn.push('2'))]
    #[case::format("format", |_: &mut Summary, request: &mut ExportRequest| request.format = Format::Ion)]
    #[case::encryption("encryption", |_: &mut Summary, request: &mut ExportRequest| request.encryption = kms(None))]
    #[case::key("KMS key", |summary: &mut Summary, request: &mut ExportRequest| {
        request.encryption = kms(Some("1234abcd-12ab-34cd-56ef-1234567890ab"));
        summary.sse_algorithm = Some("KMS".to_owned());
        summary.sse_kms_key_id = Some("99999999-12ab-34cd-56ef-1234567890ab".to_owned());
    })]
    #[case::a_time("time", |_: &mut Summary, request: &mut ExportRequest| {
        request.span = Span::Full { time: Some(at("2026-01-14T09:00:00Z")) };
    })]
    #[case::an_earlier_time_than_now("time", |summary: &mut Summary, _: &mut ExportRequest| {
        summary.span = Some(Span::Full { time: Some(at("2026-01-14T09:00:00Z")) });
    })]
    #[case::a_window_for_a_table("time", |summary: &mut Summary, _: &mut ExportRequest| {
        summary.span = Some(window("2026-01-14T10:20:00Z", View::NewImage));
    })]
    #[case::another_window("time", |summary: &mut Summary, request: &mut ExportRequest| {
        summary.span = Some(window("2026-01-14T10:20:00Z", View::NewImage));
        request.span = window("2026-01-14T10:05:00Z", View::NewImage);
    })]
    #[case::another_view("time", |summary: &mut Summary, request: &mut ExportRequest| {
        summary.span = Some(window("2026-01-14T10:20:00Z", View::NewImage));
        request.span = window("2026-01-14T10:20:00Z", View::NewAndOldImages);
    })]
    fn a_summary_of_another_request_is_told_by_what_differs(
        #[case] what: &str,
        #[case] change: Change,
    ) {
        let (mut summary, mut request) = (summary(), request());
        change(&mut summary, &mut request);
        let found = differences(&summary, &request);
        let told: Vec<&str> = found.iter().map(|difference| difference.what).collect();
        assert_eq!(told, [what]);
    }

    #[rstest]
    #[case::nothing_is_named(|summary: &mut Summary, request: &mut ExportRequest| {
        summary.span = None;
        summary.format = None;
        summary.sse_algorithm = None;
        request.encryption = kms(Some("alias/landing"));
        request.format = Format::Ion;
    })]
    #[case::a_second_was_cut_off(|summary: &mut Summary, request: &mut ExportRequest| {
        request.span = Span::Full { time: Some(at("2026-01-14T09:00:00.622Z")) };
        summary.span = Some(Span::Full { time: Some(at("2026-01-14T09:00:00Z")) });
    })]
    #[case::a_key_by_its_id_and_by_its_arn(|summary: &mut Summary, request: &mut ExportRequest| {
        request.encryption = kms(Some("1234abcd-12ab-34cd-56ef-1234567890ab"));
        summary.sse_algorithm = Some("KMS".to_owned());
        summary.sse_kms_key_id = Some(
            "arn:aws:kms:eu-north-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
        );
    })]
    #[case::an_empty_prefix(|summary: &mut Summary, _: &mut ExportRequest| summary.prefix = Some(String::new()))]
    fn what_is_not_named_or_written_otherwise_is_no_difference(#[case] change: Change) {
        let (mut summary, mut request) = (summary(), request());
        change(&mut summary, &mut request);
        assert_eq!(differences(&summary, &request), []);
    }
}
