//! KMS: keys, their aliases, policies and grants.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::authorize::Attempt;
use super::call::AuthenticatedCall;
use super::context;
use super::encryption::key_sentence;
use super::export::epoch;
use super::json_members::text;
use super::policy_validation::key::check_key_policy;
use super::refusal::Refusal;
use super::world::{Key, World};
use tableferry_policy::arn::Arn;

/// How long a key waits for its deletion, if nobody says otherwise (API reference of
/// `ScheduleKeyDeletion`).
const WAITING_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Answers an operation.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    match operation {
        "ListKeys" => list_keys(world, call, input),
        "ListAliases" => list_aliases(world, call, input),
        "DescribeKey" => describe_key(world, call, input),
        "GetKeyPolicy" => get_key_policy(world, call, input),
        "PutKeyPolicy" => put_key_policy(world, call, input),
        "ListGrants" => list_grants(world, call, input),
        _ => Err(Refusal::unknown_operation(
            "UnknownOperationException",
            "KMS",
            operation,
        )),
    }
}

fn own_keys<'a>(world: &'a World, call: &AuthenticatedCall<'_>) -> Vec<&'a Key> {
    world
        .account(&call.caller.account)
        .map(|account| account.keys.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(|key| key.region == call.region)
        .collect()
}

/// One page of a list: `Marker` is how many came before.
fn page(name: &str, entries: Vec<Value>, input: &Value, usual: usize) -> Result<Value, Refusal> {
    let limit = input
        .get("Limit")
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(usual)
        .clamp(1, 1000);
    let skipped = match text(input, "Marker") {
        None => 0,
        Some(marker) => marker
            .parse()
            .map_err(|_| Refusal::new("InvalidMarkerException", "The marker is not valid."))?,
    };
    let total = entries.len();
    let shown: Vec<Value> = entries.into_iter().skip(skipped).take(limit).collect();
    let end = skipped + shown.len();
    let mut answer = json!({ name: shown, "Truncated": end < total });
    if end < total {
        answer["NextMarker"] = end.to_string().into();
    }
    Ok(answer)
}

fn list_keys(world: &World, call: &AuthenticatedCall<'_>, input: &Value) -> Result<Value, Refusal> {
    require_listing(world, call, "kms:ListKeys")?;
    let account = &call.caller.account;
    let entries = own_keys(world, call)
        .iter()
        .map(|key| json!({"KeyId": key.id, "KeyArn": key.arn(call.partition, account)}))
        .collect();
    page("Keys", entries, input, 100)
}

fn list_aliases(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    require_listing(world, call, "kms:ListAliases")?;
    let wanted = match text(input, "KeyId") {
        None => None,
        Some(reference) => Some(find(world, call, reference)?.1.id.clone()),
    };
    let entries = own_keys(world, call)
        .iter()
        .filter(|key| wanted.as_ref().is_none_or(|id| *id == key.id))
        .flat_map(|key| {
            key.aliases.iter().map(|alias| {
                json!({
                    "AliasName": alias,
                    "AliasArn": call.arn("kms", alias),
                    "TargetKeyId": key.id,
                    "CreationDate": epoch(world.born),
                    "LastUpdatedDate": epoch(world.born),
                })
            })
        })
        .collect();
    page("Aliases", entries, input, 50)
}

fn require_listing(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
) -> Result<(), Refusal> {
    call.require(world, action, "*")
        .map_err(|denial| Refusal::new("AccessDeniedException", denial.sentence()))
}

/// The key that a reference means: an ARN, an id or an alias of the caller's account and Region.
fn find<'a>(
    world: &'a World,
    call: &AuthenticatedCall<'_>,
    reference: &str,
) -> Result<(String, &'a Key), Refusal> {
    let not_found = |text: String| Refusal::new("NotFoundException", text);
    let (account, region, name) = if let Ok(arn) = reference.parse::<Arn>() {
        (arn.account, arn.region, arn.resource)
    } else {
        let resource = if reference.starts_with("alias/") {
            reference.to_owned()
        } else {
            format!("key/{reference}")
        };
        (
            call.caller.account.clone(),
            call.region.to_owned(),
            resource,
        )
    };
    if region != call.region {
        return Err(not_found(format!("Invalid arn {region}")));
    }
    let arn = format!("arn:{}:kms:{region}:{account}:{name}", call.partition);
    let key = if name.starts_with("alias/") {
        world
            .key_by_alias(&account, &region, &name)
            .ok_or_else(|| not_found(format!("Alias {arn} is not found.")))?
    } else {
        name.strip_prefix("key/")
            .and_then(|id| world.key(&account, &region, id))
            .ok_or_else(|| not_found(format!("Key '{arn}' does not exist")))?
    };
    Ok((account, key))
}

/// Finds the key of a call and judges the call.
fn authorized<'a>(
    world: &'a World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    input: &Value,
) -> Result<(String, &'a Key), Refusal> {
    let reference = text(input, "KeyId").unwrap_or_default();
    let (account, key) = find(world, call, reference)?;
    let policy = key.policy.in_force(call.now).map(|text| text.0.as_str());
    judge(world, call, action, &account, key, policy)?;
    Ok((account, key))
}

fn judge(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    account: &str,
    key: &Key,
    policy: Option<&str>,
) -> Result<(), Refusal> {
    let mut context = call.context(world, account);
    context::add_key_use(&mut context, &call.caller.account, None, &[]);
    world
        .authorize(&Attempt {
            caller: call.caller,
            action,
            resource: &key.arn(call.partition, account),
            resource_account: account,
            policy,
            grants: &key.grants,
            context: &context,
            now: call.now,
        })
        .map_err(|denial| {
            let sentence = key_sentence(&denial, call.caller, account);
            Refusal::new("AccessDeniedException", sentence)
        })
}

fn describe_key(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let (account, key) = authorized(world, call, "kms:DescribeKey", input)?;
    let mut metadata = json!({
        "AWSAccountId": account,
        "KeyId": key.id,
        "Arn": key.arn(call.partition, &account),
        "CreationDate": epoch(world.born),
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": if key.aws_managed.is_some() { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    if key.state == "PendingDeletion" {
        metadata["DeletionDate"] = json!(epoch(world.born + WAITING_PERIOD));
    }
    Ok(json!({ "KeyMetadata": metadata }))
}

fn get_key_policy(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let (_, key) = authorized(world, call, "kms:GetKeyPolicy", input)?;
    only_own(call, key, world)?;
    let text = key.policy.current.as_ref().map_or("", |text| &text.0);
    Ok(json!({ "Policy": text, "PolicyName": "default" }))
}

/// Key policies and grants are never shown to, nor written by, another account.
fn only_own(call: &AuthenticatedCall<'_>, key: &Key, world: &World) -> Result<(), Refusal> {
    let is_own = world
        .key(&call.caller.account, call.region, &key.id)
        .is_some();
    if is_own {
        Ok(())
    } else {
        Err(Refusal::new(
            "AccessDeniedException",
            "The operation cannot be performed on a key of another account",
        ))
    }
}

fn put_key_policy(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let (account, key) = authorized(world, call, "kms:PutKeyPolicy", input)?;
    only_own(call, key, world)?;
    let malformed = |message: &str| Refusal::new("MalformedPolicyDocumentException", message);
    if key.aws_managed.is_some() {
        return Err(Refusal::new(
            "AccessDeniedException",
            format!(
                "User: {} is not authorized to perform: kms:PutKeyPolicy on resource: {}",
                call.caller.arn,
                key.arn(call.partition, &account)
            ),
        ));
    }
    let policy = text(input, "Policy").unwrap_or_default();
    check_key_policy(world, policy)?;
    let is_check_off = input
        .get("BypassPolicyLockoutSafetyCheck")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    if !is_check_off && judge(world, call, "kms:PutKeyPolicy", &account, key, Some(policy)).is_err()
    {
        return Err(malformed(
            "The new key policy will not allow you to update the key policy in the future.",
        ));
    }
    let id = key.id.clone();
    let policy = policy.to_owned();
    if let Some(key) = world
        .accounts
        .get_mut(&account)
        .and_then(|account| account.keys.iter_mut().find(|key| key.id == id))
    {
        key.policy
            .write(Some(policy), call.now, call.open_questions.policy_delay);
    }
    world.touch();
    Ok(json!({}))
}

fn list_grants(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let (account, key) = authorized(world, call, "kms:ListGrants", input)?;
    let entries = key
        .grants
        .iter()
        .map(|grant| {
            let mut entry = json!({
                "KeyId": key.arn(call.partition, &account),
                "GrantId": grant.id,
                "GranteePrincipal": grant.grantee,
                "IssuingAccount": format!("arn:{}:iam::{account}:root", call.partition),
                "CreationDate": epoch(world.born),
                "Operations": grant.operations,
            });
            if !grant.context_subset.is_empty() {
                entry["Constraints"]["EncryptionContextSubset"] = json!(grant.context_subset);
            }
            if let Some(whole) = &grant.context_equals {
                entry["Constraints"]["EncryptionContextEquals"] = json!(whole);
            }
            entry
        })
        .collect();
    page("Grants", entries, input, 50)
}
