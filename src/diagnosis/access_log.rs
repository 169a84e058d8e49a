//! A line of an S3 server access log whose call was refused (S3 user guide, `LogFormat`).

use super::reported::{ErrorForm, ReportedError};

/// Reads a line such as `OWNER BUCKET [TIME] IP REQUESTER ID REST.PUT.OBJECT KEY "PUT /k" 403 AccessDenied`.
pub(super) fn read_access_log(text: &str) -> Option<ReportedError> {
    let (head, tail) = text.split_once("\" 403 ")?;
    let (head, request) = head.rsplit_once(" \"")?;
    let mut fields = head.rsplitn(6, ' ');
    let key = fields.next()?;
    let call = fields.next()?;
    let is_call = ["REST.", "SOAP.", "BATCH.", "WEBSITE.", "S3."]
        .iter()
        .any(|prefix| call.starts_with(prefix));
    if !is_call {
        return None;
    }
    let request_id = fields.next()?;
    let requester = fields.next()?;
    let _address = fields.next()?;
    let bucket = fields.next()?.split(' ').nth(1)?;
    let code = tail.split(' ').next()?;
    let code = if code == "-" { "403" } else { code };
    let mut error = ReportedError {
        code: Some(code.to_owned()),
        service: Some("s3".to_owned()),
        operation: Some(operation_of(call)),
        status: Some(403),
        request_id: Some(request_id.to_owned()),
        principal: (requester != "-").then(|| requester.to_owned()),
        resource: Some(if key == "-" {
            format!("arn:aws:s3:::{bucket}")
        } else {
            format!("arn:aws:s3:::{bucket}/{key}")
        }),
        form: ErrorForm::Error,
        record: format!("{call} {request} {code}"),
        ..ReportedError::default()
    };
    error.settle();
    Some(error)
}

/// The API's name of a call: `REST.PUT.OBJECT` is `PutObject`.
fn operation_of(call: &str) -> String {
    let name = match call.split_once('.').map_or(call, |(_, name)| name) {
        "PUT.OBJECT" | "POST.OBJECT" => "PutObject",
        "GET.OBJECT" => "GetObject",
        "HEAD.OBJECT" => "HeadObject",
        "DELETE.OBJECT" => "DeleteObject",
        "COPY.OBJECT" => "CopyObject",
        "GET.BUCKET" => "ListObjectsV2",
        "HEAD.BUCKET" => "HeadBucket",
        "POST.UPLOADS" => "CreateMultipartUpload",
        "PUT.PART" => "UploadPart",
        "POST.UPLOAD" => "CompleteMultipartUpload",
        "DELETE.UPLOAD" => "AbortMultipartUpload",
        "PUT.BUCKETPOLICY" => "PutBucketPolicy",
        "GET.BUCKETPOLICY" => "GetBucketPolicy",
        "PUT.ACL" => "PutObjectAcl",
        other => other,
    };
    name.to_owned()
}
