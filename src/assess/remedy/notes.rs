//! What to know before the policies of a plan are copied by hand.

use crate::assess::facts::Facts;
use crate::assess::job_facts::{bucket_owner, customer_table_keys};
use crate::assess::principal::SourcePrincipal;
use crate::job::Plan;
use crate::job::requirement::JobContext;
use tableferry_policy::arn::Arn;

/// A sentence or two each.
#[must_use]
pub fn notes(plan: &Plan, facts: &Facts) -> Vec<String> {
    let table_keys = customer_table_keys(plan, facts);
    let owner = bucket_owner(plan, facts);
    let bucket = facts.bucket(&plan.destination.bucket);
    let stored_keys = bucket.stored_keys();
    let context = JobContext {
        account: &facts.source().caller.account,
        region: &facts.source().region,
        owner: owner.as_ref(),
        default_key: bucket.default_key(),
        stored_keys: &stored_keys,
        table_keys: &table_keys,
    };
    let keys = bucket.objects_keys(&plan.encryption);
    written(plan, context, &facts.source().naming(), &keys)
}

fn written(
    plan: &Plan,
    context: JobContext<'_>,
    principal: &SourcePrincipal,
    keys: &[String],
) -> Vec<String> {
    let mut notes: Vec<String> = principal.caution().into_iter().collect();
    let bucket = &plan.destination.bucket;
    match context.owner {
        None => notes.push(format!(
            "Whose bucket {bucket} is, is not known. The bucket policy is needed if it is of \
             another account than {}; the owner's id must then be sent too.",
            context.account
        )),
        Some(owner) if owner == context.account => notes.push(format!(
            "{bucket} is of the {} account, so that the identity policy is enough, unless \
             the bucket's policy denies.",
            plan.words().participle
        )),
        Some(owner) => notes.push(format!(
            "Somebody of account {owner} adds the bucket statement to the policy of {bucket}, \
             beside what stands there already."
        )),
    }
    notes.extend(keys.iter().map(|key| key_note(plan, context, key)));
    if !plan.tables.is_empty() {
        notes.push(table_key_note(plan, context));
    }
    notes
}

fn key_note(plan: &Plan, context: JobContext<'_>, key: &str) -> String {
    if key.starts_with("alias/aws/") {
        return "KMS without a key means the AWS managed key aws/s3, whose policy nobody can change: \
                it serves only callers of the bucket's own account."
            .to_owned();
    }
    let arn = key.parse::<Arn>().ok();
    let owner = arn.as_ref().and_then(Arn::account_id);
    if let Some(owner) = owner.filter(|owner| owner != context.account) {
        return format!(
            "Somebody of account {owner} adds the key statement to the policy of {key}. Across accounts \
             both are needed, the key policy and the identity policy."
        );
    }
    if arn.is_some() {
        format!(
            "{key} is of the {} account: its key policy must allow the principal, or \
             delegate to IAM through the account's root, as the default key policy does.",
            plan.words().participle
        )
    } else {
        format!(
            "{key} is looked for in {}, the account that {}. A key of another account must be \
             given by its full ARN.",
            context.account,
            plan.words().verb
        )
    }
}

/// A table's own key is no part of a plan, so that a person must look where nobody has.
fn table_key_note(plan: &Plan, context: JobContext<'_>) -> String {
    if let [first, ..] = context.table_keys {
        return format!(
            "A table is encrypted with {first}: that key's policy must allow the principal too, or \
             delegate to IAM through the account's root."
        );
    }
    let regions = plan
        .tables
        .iter()
        .map(|job| job.table.region().unwrap_or_else(|| context.region.clone()));
    let mut services: Vec<String> = regions
        .map(|region| format!("dynamodb.{region}.{}", region.partition().dns_suffix()))
        .collect();
    services.sort_unstable();
    services.dedup();
    format!(
        "If a table is encrypted with a customer managed key of its own, the principal must be \
         able to use that key too, through DynamoDB (kms:ViaService {}).",
        services.join(", ")
    )
}
