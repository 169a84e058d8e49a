//! The rows about keys: which principals they let in, and how they are named.

use super::table::{EVENTS, KEY, LANDING, drop_statement, kms, of_plan, take_action, upload};
use super::{Row, plan_text};

const SHUT_KEY: &str =
    "arn:aws:kms:eu-west-1:222222222222:key/0000face-0000-4e11-8000-000000000222";
const OVERSEAS: &str =
    "arn:aws:kms:us-east-1:222222222222:key/0afa57ea-57ea-4e11-8000-000000000222";

/// The rows.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = of_permissions();
    rows.extend(of_names());
    rows
}

/// A plan that encrypts with a key.
fn with(key: &str) -> String {
    plan_text(LANDING, &kms(key), EVENTS)
}

/// Keys that the caller may not use.
fn of_permissions() -> Vec<Row> {
    let generate = "kms:GenerateDataKey";
    let through_key = |number, world, text| Row {
        plan: with(KEY),
        about: generate,
        ..upload(
            number,
            world,
            "denied",
            "no identity-based policy allows it",
            text,
        )
    };
    vec![
        Row {
            plan: with(SHUT_KEY),
            about: generate,
            ..upload(
                "14",
                |_| {},
                "denied",
                "EnableIamPolicies",
                "is not authorized to perform: kms:GenerateDataKey on this resource because the resource does \
                 not exist in this Region, no resource-based policies allow access, or a resource-based policy \
                 explicitly denies access",
            )
        },
        through_key(
            "15",
            |world| {
                drop_statement(world, "UseDevelopmentKeys");
            },
            "because no identity-based policy allows the kms:GenerateDataKey action",
        ),
        Row {
            about: "kms:Decrypt",
            ..through_key(
                "16",
                |world| take_action(world, "UseDevelopmentKeys", "kms:Decrypt"),
                "because no identity-based policy allows the kms:Decrypt action",
            )
        },
        Row {
            plan: plan_text(LANDING, "", "name = \"Ledger\""),
            about: "kms:Decrypt",
            code: "AccessDeniedException",
            ..through_key(
                "16c",
                |world| {
                    drop_statement(world, "UseDevelopmentKeys");
                },
                "is not authorized to perform: kms:Decrypt on resource: \
                 arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001 because no \
                 identity-based policy allows the kms:Decrypt action",
            )
        },
    ]
}

/// Keys that an export to the bucket cannot name.
fn of_names() -> Vec<Row> {
    let missing = "KmsNotFoundException";
    let alias = "arn:aws:kms:eu-west-1:222222222222:alias/exports";
    let gone = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-4e11-8000-00000000dead";
    vec![
        of_plan(
            "18a",
            plan_text(LANDING, "algorithm = \"KMS\"", EVENTS),
            "key_name",
            "is an AWS managed key",
            (
                missing,
                "Invalid keyId aws/s3 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException",
            ),
            with(KEY),
        ),
        of_plan(
            "18b",
            with(alias),
            "key_name",
            "is an alias of another account",
            (missing, "Error Code: KMS.NotFoundException"),
            with(KEY),
        ),
        of_plan(
            "19",
            with(OVERSEAS),
            "key_region",
            "the key is in us-east-1, and the bucket in eu-west-1",
            (
                missing,
                "Invalid arn us-east-1 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException",
            ),
            with(KEY),
        ),
        of_plan(
            "20",
            with(gone),
            "key_state",
            "there is no key",
            (
                missing,
                "Key 'arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-4e11-8000-00000000dead' does not \
             exist (Service: Amazon S3; Status Code: 400",
            ),
            with(KEY),
        ),
    ]
}
