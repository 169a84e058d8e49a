//! S3: buckets, objects and bucket policies.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};

use super::clients::{profile, profile_in, refusal, sandbox, with};

#[tokio::test]
async fn an_account_lists_its_own_buckets_with_their_regions() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let buckets = s3.list_buckets().send().await.unwrap();
    let listed: Vec<(&str, &str)> = buckets
        .buckets()
        .iter()
        .filter_map(|bucket| Some((bucket.name()?, bucket.bucket_region()?)))
        .collect();
    assert_eq!(listed.len(), 6);
    assert!(listed.contains(&("export-frankfurt", "eu-central-1")));
    assert!(!listed.iter().any(|(name, _)| *name == "prod-archive"));
}

#[tokio::test]
async fn a_refused_listing_of_buckets_names_no_resource() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "prod-sso").await);
    let (code, message) = refusal(s3.list_buckets().send().await);
    assert_eq!(code, "AccessDenied");
    assert!(
        message.ends_with(
            "is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy \
             allows the s3:ListAllMyBuckets action"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn a_bucket_of_another_region_says_where_it_is() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let error = s3
        .head_bucket()
        .bucket("export-frankfurt")
        .send()
        .await
        .unwrap_err();
    let raw = error.raw_response().unwrap();
    assert_eq!(raw.status().as_u16(), 301);
    assert_eq!(
        raw.headers().get("x-amz-bucket-region"),
        Some("eu-central-1")
    );
    let listing = s3.list_objects_v2().bucket("export-frankfurt").send().await;
    assert_eq!(refusal(listing).0, "PermanentRedirect");
    let policy = s3
        .get_bucket_policy()
        .bucket("export-frankfurt")
        .send()
        .await;
    assert_eq!(refusal(policy).0, "AuthorizationHeaderMalformed");
    let there = Client::new(&profile_in(&sandbox, "dev-admin", "eu-central-1").await);
    there
        .head_bucket()
        .bucket("export-frankfurt")
        .send()
        .await
        .unwrap();
    let location = there
        .get_bucket_location()
        .bucket("export-frankfurt")
        .send()
        .await
        .unwrap();
    assert_eq!(
        location.location_constraint().unwrap().as_str(),
        "eu-central-1"
    );
    let location = s3
        .get_bucket_location()
        .bucket("export-landing")
        .send()
        .await
        .unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "EU");
}

#[tokio::test]
async fn a_refused_head_says_the_region_and_a_wrong_owner_is_refused() {
    let sandbox = sandbox();
    let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
    let error = oncall
        .head_bucket()
        .bucket("export-landing")
        .send()
        .await
        .unwrap_err();
    let raw = error.raw_response().unwrap();
    assert_eq!(raw.status().as_u16(), 403);
    assert_eq!(raw.headers().get("x-amz-bucket-region"), Some("eu-west-1"));
    let owner = Client::new(&profile(&sandbox, "dev-admin").await);
    let head = |account: &str| {
        owner
            .head_bucket()
            .bucket("export-landing")
            .expected_bucket_owner(account)
            .send()
    };
    head("222222222222").await.unwrap();
    let error = head("111111111111").await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    let error = owner
        .head_bucket()
        .bucket("no-such-bucket")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn objects_are_written_read_in_part_listed_in_pages_and_deleted() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    for key in ["a/1.txt", "a/2.txt", "b/1 +ü.txt"] {
        let body = ByteStream::from_static(b"0123456789");
        let put = s3
            .put_object()
            .bucket("export-landing")
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(put.e_tag(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));
    }
    let part = s3
        .get_object()
        .bucket("export-landing")
        .key("b/1 +ü.txt")
        .range("bytes=2-4")
        .send()
        .await
        .unwrap();
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"234");
    let page = s3
        .list_objects_v2()
        .bucket("export-landing")
        .max_keys(2)
        .send()
        .await
        .unwrap();
    assert_eq!(page.contents().len(), 2);
    let rest = s3
        .list_objects_v2()
        .bucket("export-landing")
        .continuation_token(page.next_continuation_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(rest.contents()[0].key(), Some("b/1 +ü.txt"));
    let folders = s3
        .list_objects_v2()
        .bucket("export-landing")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let folders: Vec<_> = folders
        .common_prefixes()
        .iter()
        .map(|p| p.prefix().unwrap())
        .collect();
    assert_eq!(folders, ["a/", "b/"]);
    s3.delete_object()
        .bucket("export-landing")
        .key("a/1.txt")
        .send()
        .await
        .unwrap();
    let gone = s3
        .get_object()
        .bucket("export-landing")
        .key("a/1.txt")
        .send()
        .await;
    assert_eq!(refusal(gone).0, "NoSuchKey");
    let hidden = Client::new(&profile(&sandbox, "partner-admin").await);
    let gone = hidden
        .get_object()
        .bucket("export-landing")
        .key("a/1.txt")
        .send()
        .await;
    assert_eq!(
        refusal(gone),
        ("AccessDenied".to_owned(), "Access Denied".to_owned())
    );
}

#[tokio::test]
async fn an_upload_in_parts_is_put_together() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let (bucket, key) = ("export-kms-default", "parts");
    let upload = s3
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    assert_eq!(
        upload.server_side_encryption(),
        Some(&ServerSideEncryption::AwsKms)
    );
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, text) in [(1, "over "), (2, "the sea")] {
        let part = s3
            .upload_part()
            .bucket(bucket)
            .key(key)
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(text.as_bytes().to_vec()))
            .send()
            .await
            .unwrap();
        parts = parts.parts(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(part.e_tag().unwrap())
                .build(),
        );
    }
    s3.complete_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(id)
        .multipart_upload(parts.build())
        .send()
        .await
        .unwrap();
    let head = s3
        .head_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(12));
    assert!(head.e_tag().unwrap().ends_with("-2\""));
    let aborted = s3
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    let id = aborted.upload_id().unwrap();
    s3.abort_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(id)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn uploads_under_way_are_listed_in_pages_and_aborted_by_key_and_id() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let bucket = "export-landing";
    let mut begun = Vec::new();
    for key in ["b/two", "a", "b/one", "b/one"] {
        let upload = s3.create_multipart_upload().bucket(bucket).key(key);
        let upload = upload.send().await.unwrap();
        begun.push(upload.upload_id().unwrap().to_owned());
    }
    let listing = s3.list_multipart_uploads().bucket(bucket).prefix("b/");
    let first = listing.clone().max_uploads(2).send().await.unwrap();
    let ids: Vec<&str> = first
        .uploads()
        .iter()
        .filter_map(|upload| upload.upload_id())
        .collect();
    // By key, and within a key the one that was begun first.
    assert_eq!(ids, [&begun[2], &begun[3]]);
    assert_eq!(first.is_truncated(), Some(true));
    let rest = listing
        .set_key_marker(first.next_key_marker().map(str::to_owned))
        .set_upload_id_marker(first.next_upload_id_marker().map(str::to_owned));
    let rest = rest.send().await.unwrap();
    assert_eq!(rest.uploads().len(), 1);
    assert_eq!(rest.uploads()[0].key(), Some("b/two"));
    assert_eq!(rest.is_truncated(), Some(false));

    let abort = |key: &str| {
        let abort = s3.abort_multipart_upload().bucket(bucket).key(key);
        abort.upload_id(&begun[1]).send()
    };
    assert_eq!(refusal(abort("b/one").await).0, "NoSuchUpload");
    abort("a").await.unwrap();
    assert_eq!(refusal(abort("a").await).0, "NoSuchUpload");

    let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
    let listing = oncall.list_multipart_uploads().bucket(bucket).send().await;
    assert_eq!(refusal(listing).0, "AccessDenied");
}

#[tokio::test]
async fn a_policy_is_kept_byte_by_byte_and_decides() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let none = s3
        .get_bucket_policy()
        .bucket("export-nopolicy")
        .send()
        .await;
    assert_eq!(refusal(none).0, "NoSuchBucketPolicy");
    let text = r#"{ "Version":"2012-10-17",
        "Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},
        "Action":"s3:ListBucket","Resource":"arn:aws:s3:::export-nopolicy"}]}"#;
    s3.put_bucket_policy()
        .bucket("export-nopolicy")
        .policy(text)
        .send()
        .await
        .unwrap();
    let read = s3
        .get_bucket_policy()
        .bucket("export-nopolicy")
        .send()
        .await
        .unwrap();
    assert_eq!(read.policy(), Some(text));
    let admin = Client::new(&profile(&sandbox, "prod-admin").await);
    admin
        .list_objects_v2()
        .bucket("export-nopolicy")
        .send()
        .await
        .unwrap();
    s3.delete_bucket_policy()
        .bucket("export-nopolicy")
        .send()
        .await
        .unwrap();
    let denied = admin
        .list_objects_v2()
        .bucket("export-nopolicy")
        .send()
        .await;
    assert_eq!(
        refusal(denied).1,
        "User: arn:aws:iam::111111111111:user/prod-admin is not authorized to perform: \
         s3:ListBucket on resource: \"arn:aws:s3:::export-nopolicy\" because no resource-based \
         policy allows the s3:ListBucket action"
    );
}

#[tokio::test]
async fn policies_with_dead_principals_or_for_everybody_are_not_taken() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let put = async |principal: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
               "Action":"s3:GetObject","Resource":"arn:aws:s3:::export-nopolicy/*"}}]}}"#
        );
        refusal(
            s3.put_bucket_policy()
                .bucket("export-nopolicy")
                .policy(text)
                .send()
                .await,
        )
    };
    let malformed = (
        "MalformedPolicy".to_owned(),
        "Invalid principal in policy".to_owned(),
    );
    assert_eq!(
        put(r#"{"AWS":"arn:aws:iam::111111111111:role/Nobody"}"#).await,
        malformed
    );
    assert_eq!(put(r#"{"AWS":"AROASANDBOXGONE00000A"}"#).await, malformed);
    assert_eq!(put("\"*\"").await.0, "AccessDenied");
    let text = s3
        .put_bucket_policy()
        .bucket("export-nopolicy")
        .policy("{")
        .send()
        .await;
    assert_eq!(refusal(text).0, "MalformedPolicy");
}

#[tokio::test]
async fn a_policy_may_take_a_while_to_hold() {
    let sandbox = with(|options| options.faults.policy_delay = std::time::Duration::from_hours(1));
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    s3.delete_bucket_policy()
        .bucket("export-landing")
        .send()
        .await
        .unwrap();
    let read = s3.get_bucket_policy().bucket("export-landing").send().await;
    assert_eq!(refusal(read).0, "NoSuchBucketPolicy");
    let oncall = aws_sdk_dynamodb::Client::new(&profile(&sandbox, "prod-oncall").await);
    let request = super::exports::request(&oncall, "Empty", "export-landing");
    let export = super::exports::finish(&oncall, request).await;
    assert_eq!(export.item_count(), Some(0), "the old policy still decides");
}

#[tokio::test]
async fn what_the_sandbox_does_not_know_it_says() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let (code, message) = refusal(s3.create_bucket().bucket("export-new").send().await);
    assert_eq!(code, "NotImplemented");
    assert_eq!(
        message,
        "tableferry's sandbox does not play the operation CreateBucket of S3; its documentation lists \
         what it plays."
    );
    let dynamodb = aws_sdk_dynamodb::Client::new(&profile(&sandbox, "dev-admin").await);
    let query = dynamodb.query().table_name("Fixtures").send().await;
    assert_eq!(refusal(query).0, "UnknownOperationException");
}

#[tokio::test]
async fn settings_are_read() {
    let sandbox = sandbox();
    let s3 = Client::new(&profile(&sandbox, "dev-admin").await);
    let bucket = "export-kms-default";
    let encryption = s3
        .get_bucket_encryption()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    let rules = encryption
        .server_side_encryption_configuration()
        .unwrap()
        .rules();
    let default = rules[0].apply_server_side_encryption_by_default().unwrap();
    assert_eq!(
        default.kms_master_key_id(),
        Some("arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    );
    assert_eq!(rules[0].bucket_key_enabled(), Some(true));
    let controls = s3
        .get_bucket_ownership_controls()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    let rule = &controls.ownership_controls().unwrap().rules()[0];
    assert_eq!(rule.object_ownership().as_str(), "BucketOwnerEnforced");
    let block = s3
        .get_public_access_block()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!(block.block_public_policy(), Some(true));
    let status = s3
        .get_bucket_policy_status()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(status.policy_status().unwrap().is_public(), Some(false));
}
