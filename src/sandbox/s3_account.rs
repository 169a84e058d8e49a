//! S3 Control: the Block Public Access of an account, which no account of the sandbox has set.

use http::Method;

use super::call::{Call, Refusal};
use super::world::World;

/// The namespace of S3 Control's answers.
pub(super) const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Answers a request; everything but the question after Block Public Access is refused.
pub(super) fn answer(
    world: &World,
    call: &Call<'_>,
    method: &Method,
    path: &str,
    account: &str,
) -> Refusal {
    if method != Method::GET || path != "/v20180820/configuration/publicAccessBlock" {
        return Refusal::with_status(501, "NotImplemented", "The sandbox does not know the call.");
    }
    if account != call.caller.account {
        return Refusal::with_status(403, "AccessDenied", "Access Denied");
    }
    match call.require(world, "s3:GetAccountPublicAccessBlock", "*") {
        Ok(()) => Refusal::with_status(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
        Err(denial) => Refusal::with_status(403, "AccessDenied", denial.sentence()),
    }
}
