//! Which bucket a request means: by its host in process, by its path on the loopback.

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};
use tableferry_policy::arn::Partition;

/// Hosts as S3's endpoints have them: `BUCKET.s3.REGION.amazonaws.com`, `s3.REGION.amazonaws.com`.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let found = VirtualHost::new(host);
        Ok(match bucket_in_host(host) {
            Some(bucket) => found.with_bucket(bucket),
            None => found,
        })
    }
}

pub(super) fn bucket_in_host(host: &str) -> Option<&str> {
    let suffix = Partition::of_host(host)?.dns_suffix();
    let endpoint = host.strip_suffix(suffix)?.strip_suffix('.')?;
    match endpoint.rfind(".s3.") {
        Some(at) => endpoint.get(..at),
        None => endpoint.strip_suffix(".s3"),
    }
}

/// The bucket that a request means, if it means one.
pub(crate) fn bucket_of(request: &Request<Bytes>) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    if let Some(bucket) = bucket_in_host(host) {
        return Some(bucket.to_owned());
    }
    let path = request.uri().path().strip_prefix('/')?;
    let bucket = path.split('/').next().unwrap_or(path);
    (!bucket.is_empty()).then(|| bucket.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_before_the_endpoint() {
        let bucket = |host| bucket_in_host(host);
        assert_eq!(
            bucket("landing.s3.eu-west-1.amazonaws.com"),
            Some("landing")
        );
        assert_eq!(bucket("a.b.s3.eu-west-1.amazonaws.com"), Some("a.b"));
        assert_eq!(bucket("landing.s3.amazonaws.com"), Some("landing"));
        assert_eq!(bucket("s3.eu-west-1.amazonaws.com"), None);
        assert_eq!(
            bucket("landing.s3.cn-north-1.amazonaws.com.cn"),
            Some("landing")
        );
        assert_eq!(bucket("s3.us-gov-west-1.amazonaws.com"), None);
        assert_eq!(bucket("127.0.0.1:8080"), None);
    }
}
