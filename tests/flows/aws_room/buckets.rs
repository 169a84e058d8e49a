//! Buckets through the real S3 client: where they lie, whose they are, what is in them.

use rstest::rstest;
use tableferry::aws::FailureKind;
use tableferry::aws::s3::S3;

use crate::aws_room::fake::{Fake, Reply, Request, region, s3_error, signed_in};

async fn s3(fake: &Fake) -> S3 {
    signed_in(fake).await.s3(&region("eu-west-1"))
}

fn name() -> tableferry_policy::arn::BucketName {
    "landing".parse().unwrap()
}

fn is_head(request: &Request) -> bool {
    request.method == "HEAD"
}

#[tokio::test]
async fn a_bucket_is_located_by_the_header_whatever_else_is_answered() {
    for status in [200, 301, 403] {
        let fake = Fake::with_sts(move |_| Reply::head(status, Some("ap-south-1")));
        let found = s3(&fake).await.locate(&name()).await.unwrap().region;
        assert_eq!(found.as_str(), "ap-south-1", "HTTP {status}");
    }
}

#[tokio::test]
async fn without_the_header_the_location_is_asked_for() {
    let cases = [
        ("", "us-east-1"),
        ("EU", "eu-west-1"),
        ("sa-east-1", "sa-east-1"),
    ];
    for (constraint, expected) in cases {
        let fake = Fake::with_sts(move |request| {
            if is_head(request) {
                return Reply::head(200, None);
            }
            Reply::xml(
                200,
                &format!(
                    "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{constraint}</LocationConstraint>"
                ),
            )
        });
        let found = s3(&fake).await.locate(&name()).await.unwrap().region;
        assert_eq!(found.as_str(), expected);
    }
}

#[tokio::test]
async fn a_bucket_that_does_not_exist_is_told_by_the_status() {
    let fake = Fake::with_sts(|_| Reply::head(404, None));
    let failure = s3(&fake).await.locate(&name()).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("NoSuchBucket"));
    assert_eq!(failure.message, "the bucket does not exist");
    assert_eq!(failure.status, Some(404));
}

#[tokio::test]
async fn the_expected_owner_goes_with_the_question() {
    let fake = Fake::with_sts(
        |request| match request.header("x-amz-expected-bucket-owner") {
            Some("222222222222") => Reply::head(200, Some("eu-west-1")),
            _ => Reply::head(403, Some("eu-west-1")),
        },
    );
    let s3 = s3(&fake).await;
    let owner = "222222222222".parse().unwrap();
    let found = s3.head_bucket(&name(), Some(&owner)).await.unwrap();
    assert_eq!(found.unwrap().as_str(), "eu-west-1");
    let other = "333333333333".parse().unwrap();
    let failure = s3.head_bucket(&name(), Some(&other)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::AccessDenied);
    assert!(
        failure.message.contains("another account's"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_bucket_of_another_region_is_told_with_its_region() {
    let fake = Fake::with_sts(|_| Reply::head(301, Some("us-west-2")));
    let failure = s3(&fake)
        .await
        .head_bucket(&name(), None)
        .await
        .unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("PermanentRedirect"));
    assert_eq!(
        failure.message,
        "the bucket lies in us-west-2, not in eu-west-1"
    );
}

#[tokio::test]
async fn what_is_not_configured_is_absent_and_no_failure() {
    let fake = Fake::with_sts(|request| {
        if request.path.contains("encryption") {
            s3_error(
                404,
                "ServerSideEncryptionConfigurationNotFoundError",
                "none",
            )
        } else {
            s3_error(
                404,
                "NoSuchBucketPolicy",
                "The bucket policy does not exist",
            )
        }
    });
    let s3 = s3(&fake).await;
    let encryption = s3.default_encryption(&name(), None).await.unwrap();
    assert_eq!(
        (encryption.algorithm.as_str(), encryption.key),
        ("AES256", None)
    );
    assert_eq!(s3.bucket_policy(&name(), None).await.unwrap(), None);
}

#[tokio::test]
async fn a_default_key_and_a_policy_are_read_as_they_stand() {
    let fake = Fake::with_sts(|request| {
        if request.path.contains("encryption") {
            return Reply::xml(
                200,
                "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
                 <ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>\
                 <KMSMasterKeyID>alias/exports</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>\
                 <BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
            );
        }
        Reply::Answer(
            200,
            Vec::new(),
            "{ \"Version\" : \"2012-10-17\" }".to_owned(),
        )
    });
    let s3 = s3(&fake).await;
    let encryption = s3.default_encryption(&name(), None).await.unwrap();
    assert_eq!(encryption.algorithm, "aws:kms");
    assert_eq!(encryption.key.as_deref(), Some("alias/exports"));
    assert!(encryption.has_bucket_key);
    let policy = s3.bucket_policy(&name(), None).await.unwrap();
    assert_eq!(policy.as_deref(), Some("{ \"Version\" : \"2012-10-17\" }"));
}

fn listing(request: &Request) -> Reply {
    let contents = |numbers: std::ops::Range<u32>| {
        let one = |n| {
            format!("<Contents><Key>p/{n}</Key><Size>{n}</Size><ETag>\"e{n}\"</ETag></Contents>")
        };
        numbers.map(one).collect::<Vec<_>>().concat()
    };
    let (contents, rest) = if request.path.contains("continuation-token=next") {
        (contents(2..3), "<IsTruncated>false</IsTruncated>")
    } else {
        (
            contents(0..2),
            "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>",
        )
    };
    Reply::xml(
        200,
        &format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>landing</Name>{contents}{rest}</ListBucketResult>"
        ),
    )
}

#[tokio::test]
async fn all_pages_of_a_listing_are_read_or_as_many_as_wanted() {
    let fake = Fake::with_sts(listing);
    let s3 = s3(&fake).await;
    let owner = "222222222222".parse().unwrap();
    let all = s3.list_objects(&name(), "p/", Some(&owner)).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(
        (all[2].key.as_str(), all[2].size, all[2].etag.as_str()),
        ("p/2", 2, "e2")
    );
    for (limit, expected, has_more) in [(1, 1, true), (2, 2, true), (3, 3, false), (9, 3, false)] {
        let (some, more) = s3
            .list_some_objects(&name(), "p/", None, limit)
            .await
            .unwrap();
        assert_eq!((some.len(), more), (expected, has_more), "limit {limit}");
    }
}

#[tokio::test]
async fn an_object_is_read_up_to_the_limit_and_refused_beyond() {
    let fake = Fake::with_sts(|_| {
        let headers = vec![
            ("etag", "\"e\"".to_owned()),
            ("x-amz-request-id", "R".to_owned()),
        ];
        Reply::Answer(200, headers, "0123456789".to_owned())
    });
    let s3 = s3(&fake).await;
    let text = s3
        .get_text(&name(), "p/manifest-summary.json", None, 10)
        .await
        .unwrap();
    assert_eq!(text, b"0123456789");
    let failure = s3.get_text(&name(), "p/big", None, 9).await.unwrap_err();
    assert_eq!(failure.message, "the object is larger than 9 bytes");
    assert_eq!(failure.target, "landing/p/big");
    assert!(!failure.is_retryable(), "it would be as large again");
}

/// Every object of S3 has an ETag, and every answer a request id.
#[rstest]
#[case::no_headers(&[])]
#[case::a_page_with_an_etag(&[("etag", "\"e\""), ("content-type", "text/html; charset=utf-8")])]
#[tokio::test]
async fn what_answers_in_the_place_of_s3_is_no_object(
    #[case] headers: &'static [(&'static str, &'static str)],
) {
    let fake = Fake::with_sts(move |_| {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (*name, (*value).to_owned()));
        Reply::Answer(200, headers.collect(), "<p>Sign in</p>".to_owned())
    });
    let answer = s3(&fake).await.get_text(&name(), "p/x", None, 99).await;
    assert_eq!(answer.unwrap_err().kind, FailureKind::Unreadable);
}

#[tokio::test]
async fn buckets_are_listed_with_their_regions() {
    let fake = Fake::with_sts(|request| {
        assert!(
            request.path.contains("max-buckets=1000"),
            "{}",
            request.path
        );
        Reply::xml(
            200,
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Buckets>\
             <Bucket><Name>landing</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>\
             <Bucket><Name>archive</Name></Bucket></Buckets></ListAllMyBucketsResult>",
        )
    });
    let buckets = s3(&fake).await.list_buckets().await.unwrap();
    assert_eq!(buckets[0].region, Some(region("eu-west-1")));
    assert_eq!(
        (buckets[1].name.as_str(), &buckets[1].region),
        ("archive", &None)
    );
}

#[tokio::test]
async fn a_call_that_meets_the_wrong_region_says_which_one_is_right() {
    let fake = Fake::with_sts(|_| {
        let Reply::Answer(status, mut headers, body) =
            s3_error(301, "PermanentRedirect", "elsewhere")
        else {
            unreachable!()
        };
        headers.push(("x-amz-bucket-region", "us-west-2".to_owned()));
        Reply::Answer(status, headers, body)
    });
    let failure = s3(&fake)
        .await
        .list_objects(&name(), "", None)
        .await
        .unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("PermanentRedirect"));
    assert_eq!(
        failure.hint.as_deref(),
        Some("the bucket lies in us-west-2")
    );
}

#[tokio::test]
async fn a_proxys_page_is_no_refusal_of_the_bucket() {
    let fake = Fake::with_sts(|_| Reply::page());
    let s3 = s3(&fake).await;
    let located = s3.locate(&name()).await.unwrap_err();
    let headed = s3.head_bucket(&name(), None).await.unwrap_err();
    assert_eq!(located.kind, FailureKind::Unreadable);
    assert_eq!(headed.kind, FailureKind::Unreadable);
}
