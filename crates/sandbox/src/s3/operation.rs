//! Which operation of S3 a request asks for, by its method, its path and its query.

use http::header::HOST;
use http::{Method, Request};

use super::host::bucket_in_host;

/// The name that the API has for it; empty where it is none of the common ones.
pub(crate) fn operation_of<B>(request: &Request<B>) -> &'static str {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| {
        let mut members = query.split('&');
        members.any(|member| member.split('=').next() == Some(name))
    };
    let path = request.uri().path().trim_start_matches('/');
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let is_in_host = host.is_some_and(|host| bucket_in_host(host).is_some());
    let key = match (is_in_host, path.split_once('/')) {
        (true, _) => path,
        (false, Some((_, key))) => key,
        (false, None) => "",
    };
    match (request.method(), key.is_empty()) {
        (&Method::GET, false) if has("uploadId") => "ListParts",
        (&Method::GET, false) => "GetObject",
        (&Method::HEAD, false) => "HeadObject",
        (&Method::PUT, false) if has("partNumber") => "UploadPart",
        (&Method::PUT, false) => "PutObject",
        (&Method::POST, false) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, false) if has("uploadId") => "CompleteMultipartUpload",
        (&Method::DELETE, false) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, false) => "DeleteObject",
        (&Method::HEAD, true) => "HeadBucket",
        (&Method::GET, true) if path.is_empty() && !is_in_host => "ListBuckets",
        (&Method::GET, true) if has("list-type") => "ListObjectsV2",
        (&Method::GET, true) if has("uploads") => "ListMultipartUploads",
        (&Method::GET, true) if has("policy") => "GetBucketPolicy",
        (&Method::PUT, true) if has("policy") => "PutBucketPolicy",
        (&Method::GET, true) if has("encryption") => "GetBucketEncryption",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::object("GET", "/landing/a/b.json", "GetObject")]
    #[case::part("PUT", "/landing/a?partNumber=1&uploadId=u", "UploadPart")]
    #[case::begun("POST", "/landing/a?uploads=", "CreateMultipartUpload")]
    #[case::listed("GET", "/landing?list-type=2&prefix=a", "ListObjectsV2")]
    #[case::listed_with_slash("GET", "/landing/?list-type=2", "ListObjectsV2")]
    #[case::buckets("GET", "/", "ListBuckets")]
    #[case::head("HEAD", "/landing", "HeadBucket")]
    fn an_operation_is_told_by_method_path_and_query(
        #[case] method: &str,
        #[case] uri: &str,
        #[case] expected: &str,
    ) {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "127.0.0.1:4566")
            .body(())
            .unwrap();
        assert_eq!(operation_of(&request), expected);
    }
}
