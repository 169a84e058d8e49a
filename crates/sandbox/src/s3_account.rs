//! S3 Control: the Block Public Access of an account.

use http::Method;

use super::call::AuthenticatedCall;
use super::query::Xml;
use super::refusal::Refusal;
use super::world::World;

/// The namespace of S3 Control's answers.
pub(super) const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Answers a request with the root element's children; everything but the question after Block Public
/// Access is refused.
pub(super) fn answer(
    world: &World,
    call: &AuthenticatedCall<'_>,
    method: &Method,
    path: &str,
    account: &str,
) -> Result<Xml, Refusal> {
    if method != Method::GET || path != "/v20180820/configuration/publicAccessBlock" {
        let operation = format!("{method} {path}");
        return Err(Refusal {
            status: 501,
            ..Refusal::unknown_operation("NotImplemented", "S3 Control", &operation)
        });
    }
    if account != call.caller.account {
        return Err(Refusal::with_status(403, "AccessDenied", "Access Denied"));
    }
    call.require(world, "s3:GetAccountPublicAccessBlock", "*")
        .map_err(|denial| Refusal::with_status(403, "AccessDenied", denial.sentence()))?;
    let block = world
        .account(account)
        .and_then(|account| account.public_access)
        .ok_or_else(|| {
            Refusal::with_status(
                404,
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            )
        })?;
    let settings = [
        ("BlockPublicAcls", block.block_public_acls),
        ("IgnorePublicAcls", block.ignore_public_acls),
        ("BlockPublicPolicy", block.block_public_policy),
        ("RestrictPublicBuckets", block.restrict_public_buckets),
    ];
    Ok(settings
        .into_iter()
        .fold(Xml::default(), |xml, (name, is_on)| {
            xml.text(name, if is_on { "true" } else { "false" })
        }))
}
