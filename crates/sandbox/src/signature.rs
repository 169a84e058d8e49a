//! Signature Version 4 for the JSON and query protocols: the signature of every request is built
//! again from the request and the secret, and compared.
//!
//! The canonical request is the one of "Create a signed AWS API request" in the IAM user guide. S3's
//! signatures, which differ in small ways, are checked by the s3s crate.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::caller::Caller;
use super::query::{decode, encode};
use super::world::World;

/// How many minutes a request's time may be off: five "in most cases" ("Signing AWS API requests", IAM
/// user guide), and fifteen in what STS and IAM were seen to answer.
pub(super) const fn tolerance(service: &str) -> i64 {
    match service.as_bytes() {
        b"sts" | b"iam" => 15,
        _ => 5,
    }
}

/// What the `Authorization` header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorization {
    pub access_key: String,
    /// `YYYYMMDD`.
    pub date: String,
    pub region: String,
    pub service: String,
    pub signed_headers: Vec<String>,
    pub signature: String,
}

/// Why a request is not accepted as anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unauthenticated {
    Unsigned,
    UnknownKey,
    WrongToken,
    WrongSignature,
    Expired,
    /// The request's time, and why it is not taken.
    Skewed(String),
}

impl Authorization {
    /// Reads the header; `None` where there is none or it is not Signature Version 4.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let rest = text.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            rest.split(',').find_map(|part| {
                part.trim()
                    .strip_prefix(name)
                    .and_then(|value| value.strip_prefix('='))
            })
        };
        let mut scope = field("Credential")?.rsplitn(5, '/');
        let (terminator, service, region, date, access_key) = (
            scope.next()?,
            scope.next()?,
            scope.next()?,
            scope.next()?,
            scope.next()?,
        );
        (terminator == "aws4_request").then(|| Self {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: field("SignedHeaders")
                .unwrap_or_default()
                .split(';')
                .map(str::to_owned)
                .collect(),
            signature: field("Signature").unwrap_or_default().to_owned(),
        })
    }
}

impl World {
    /// Says who signed a request, once its signature, its time and its token are found right.
    pub(super) fn authenticate(
        &self,
        request: &Request<Bytes>,
        authorization: &Authorization,
        now: Timestamp,
    ) -> Result<Caller, Unauthenticated> {
        let opened = self
            .open_key(&authorization.access_key)
            .ok_or(Unauthenticated::UnknownKey)?;
        let token = header(request, "x-amz-security-token");
        if opened.token != token {
            return Err(Unauthenticated::WrongToken);
        }
        let signed_at = signing_time(request.headers()).ok_or(Unauthenticated::WrongSignature)?;
        let expected = sign(request, authorization, opened.secret, signed_at);
        if expected.as_deref() != Some(authorization.signature.as_str()) {
            return Err(Unauthenticated::WrongSignature);
        }
        check_skew(signed_at, now, tolerance(&authorization.service))?;
        if opened.expires_at.is_some_and(|end| end <= now) {
            return Err(Unauthenticated::Expired);
        }
        Ok(opened.caller)
    }
}

fn check_skew(signed_at: Timestamp, now: Timestamp, minutes: i64) -> Result<(), Unauthenticated> {
    let tolerance = SignedDuration::from_mins(minutes);
    let (earliest, latest) = (now - tolerance, now + tolerance);
    let format = |time: Timestamp| time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let at = format(signed_at);
    let (end, problem, sign) = if signed_at < earliest {
        (earliest, "Signature expired", ("now earlier", '-'))
    } else if signed_at > latest {
        (latest, "Signature not yet current", ("still later", '+'))
    } else {
        return Ok(());
    };
    let (relation, sign) = sign;
    Err(Unauthenticated::Skewed(format!(
        "{problem}: {at} is {relation} than {} ({} {sign} {minutes} min.)",
        format(end),
        format(now),
    )))
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The time in `X-Amz-Date`.
pub(super) fn signing_time(headers: &HeaderMap) -> Option<Timestamp> {
    read_stamp(headers.get("x-amz-date")?.to_str().ok()?)
}

/// A time as signatures write it.
pub(super) fn read_stamp(text: &str) -> Option<Timestamp> {
    DateTime::strptime("%Y%m%dT%H%M%SZ", text)
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|time| time.timestamp())
}

/// The signature that a request should have; `None` where a signed header is not there.
fn sign(
    request: &Request<Bytes>,
    authorization: &Authorization,
    secret: &str,
    signed_at: Timestamp,
) -> Option<String> {
    let canonical = canonical_request(request, &authorization.signed_headers)?;
    let Authorization {
        date,
        region,
        service,
        ..
    } = authorization;
    let stamp = signed_at.strftime("%Y%m%dT%H%M%SZ");
    if !stamp.to_string().starts_with(date.as_str()) {
        return None;
    }
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{date}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let seconds = u64::try_from(signed_at.as_second()).ok()?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let key = generate_signing_key(secret, time, region, service);
    Some(calculate_signature(key, text.as_bytes()))
}

fn canonical_request(request: &Request<Bytes>, signed_headers: &[String]) -> Option<String> {
    let mut headers = String::new();
    for name in signed_headers {
        let values: Vec<String> = request
            .headers()
            .get_all(name)
            .iter()
            .map(|value| value.to_str().map(collapse))
            .collect::<Result<_, _>>()
            .ok()?;
        if values.is_empty() {
            return None;
        }
        let _ = writeln!(headers, "{name}:{}", values.join(","));
    }
    let payload = header(request, "x-amz-content-sha256").map_or_else(
        || hex::encode(Sha256::digest(request.body())),
        str::to_owned,
    );
    let actual = hex::encode(Sha256::digest(request.body()));
    if payload != actual && payload != "UNSIGNED-PAYLOAD" {
        return None;
    }
    Some(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        request.method(),
        request.uri().path(),
        canonical_query(request.uri().query().unwrap_or_default()),
        signed_headers.join(";"),
    ))
}

/// Trims a header's value and makes runs of blanks one.
fn collapse(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The query's parameters, encoded alike and sorted.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use tableferry_policy::arn::Partition;

    use super::*;

    /// The worked example of AWS's "Signature Version 4 signing process": `ListUsers` by GET.
    fn published_example() -> Request<Bytes> {
        Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .header("host", "iam.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            )
            .body(Bytes::new())
            .unwrap()
    }

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_published_example_has_the_published_signature() {
        let request = published_example();
        let authorization = Authorization::of(request.headers()).unwrap();
        assert_eq!(authorization.access_key, "AKIDEXAMPLE");
        assert_eq!(authorization.service, "iam");
        let signature = sign(
            &request,
            &authorization,
            SECRET,
            "2015-08-30T12:36:00Z".parse().unwrap(),
        );
        assert_eq!(signature.as_deref(), Some(authorization.signature.as_str()));
    }

    #[test]
    fn another_secret_gives_another_signature() {
        let request = published_example();
        let authorization = Authorization::of(request.headers()).unwrap();
        let time = "2015-08-30T12:36:00Z".parse().unwrap();
        let signature = sign(&request, &authorization, "another", time);
        assert_ne!(signature.as_deref(), Some(authorization.signature.as_str()));
    }

    #[test]
    fn a_request_is_skewed_beyond_the_minutes_that_its_service_allows() {
        assert_eq!(
            ["dynamodb", "kms", "sts", "iam"].map(tolerance),
            [5, 5, 15, 15]
        );
        let now: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
        let refused = |seconds, minutes| {
            let at = now + SignedDuration::from_secs(seconds);
            match check_skew(at, now, minutes) {
                Err(Unauthenticated::Skewed(text)) => text,
                other => format!("{other:?}"),
            }
        };
        assert_eq!(refused(-300, 5), "Ok(())");
        assert_eq!(refused(300, 5), "Ok(())");
        // In the words of aws/aws-sdk-js-v3#7605 and devsecops/bootcamp#101.
        assert_eq!(
            refused(-301, 5),
            "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z \
             (20150830T123600Z - 5 min.)"
        );
        assert_eq!(
            refused(901, 15),
            "Signature not yet current: 20150830T125101Z is still later than 20150830T125100Z \
             (20150830T123600Z + 15 min.)"
        );
    }

    const TOKEN: &str = "sandbox-session-token-of-prod-sso";

    /// A request of the profile `prod-sso` to STS, signed for a time.
    fn signed(now: Timestamp, body: &'static str) -> (Request<Bytes>, Authorization) {
        let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let request = Request::post("https://sts.eu-west-1.amazonaws.com/")
            .header("host", "sts.eu-west-1.amazonaws.com")
            .header("x-amz-date", &stamp)
            .header("x-amz-security-token", TOKEN)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let mut authorization = Authorization {
            access_key: "ASIASANDBOXPRODSSO00".to_owned(),
            date: stamp.get(..8).unwrap().to_owned(),
            region: "eu-west-1".to_owned(),
            service: "sts".to_owned(),
            signed_headers: ["host", "x-amz-date", "x-amz-security-token"]
                .map(str::to_owned)
                .to_vec(),
            signature: String::new(),
        };
        let world = World::fresh(Partition::Aws, now).unwrap();
        let secret = world.open_key(&authorization.access_key).unwrap().secret;
        authorization.signature = sign(&request, &authorization, secret, now).unwrap();
        (request, authorization)
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_body_that_was_changed_does_not_fit_its_signature() {
        let world = World::fresh(Partition::Aws, now()).unwrap();
        let (request, authorization) = signed(now(), "Action=GetCallerIdentity");
        assert!(world.authenticate(&request, &authorization, now()).is_ok());
        let (changed, _) = signed(now(), "Action=GetSessionToken");
        assert_eq!(
            world
                .authenticate(&changed, &authorization, now())
                .unwrap_err(),
            Unauthenticated::WrongSignature
        );
    }

    #[test]
    fn a_session_ends_at_its_expiration() {
        let mut world = World::fresh(Partition::Aws, now()).unwrap();
        let (request, authorization) = signed(now(), "Action=GetCallerIdentity");
        let keys = world.sessions.get_mut(&authorization.access_key).unwrap();
        keys.expires_at = Some(now() + SignedDuration::from_secs(1));
        assert!(world.authenticate(&request, &authorization, now()).is_ok());
        let later = now() + SignedDuration::from_secs(1);
        assert_eq!(
            world
                .authenticate(&request, &authorization, later)
                .unwrap_err(),
            Unauthenticated::Expired
        );
    }
}
