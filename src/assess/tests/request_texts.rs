//! Letters: what another team is asked for, why and for how long, each of it true.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::*;
use crate::assess::facts::{
    ControlLevel, DefaultEncryption, Fact, Facts, KeyManager, ObservedCall, Ownership,
    PublicAccessBlock,
};
use crate::assess::remedy::{Fix, GrantOptions, Remedies, Target, remedies, request_text};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::Verdict;
use crate::job::Encryption;
use crate::job::Plan;
use crate::job::requirement::Actor;

const ENDS: &str = "2026-11-22T20:00:00Z";

/// All request texts of a plan, one after the other.
fn request_texts(plan: &Plan, facts: &Facts, grant_options: GrantOptions) -> (String, Remedies) {
    let found = remedies(plan, facts, now(), grant_options);
    let mut responsible_parties: Vec<_> = found
        .remedies
        .iter()
        .map(|one| one.responsible.clone())
        .collect();
    responsible_parties.sort_unstable();
    responsible_parties.dedup();
    let all = responsible_parties.iter().map(|responsible| {
        request_text(
            responsible,
            &found.remedies,
            plan,
            facts,
            grant_options.expires,
        )
    });
    (all.collect(), found)
}

fn until() -> GrantOptions {
    GrantOptions {
        expires: Some(at(ENDS)),
        estimate: None,
    }
}

fn office_only() -> Value {
    json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:Put*",
        "Resource": "arn:aws:s3:::export-landing/*",
        "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } }
    })
}

/// "aws:CurrentTime" stands in the statements that we add; a Deny's condition has no time of its own.
#[test]
fn an_exemption_does_not_end_by_itself_and_is_said_not_to() {
    let (text, found) = request_texts(&aes_plan(), &bucket_with(&office_only()), until());
    assert!(!text.contains("ends by itself at"), "{text}");
    assert!(text.contains("It does not end by itself"), "{text}");
    let warnings = found.remedies[0].warnings.join("\n");
    assert!(
        warnings.contains("`OfficeOnly` does not end at 2026-11-22T20:00:00Z"),
        "{warnings}"
    );
}

#[test]
fn a_statement_and_an_exemption_in_one_document_are_told_apart() {
    let mut facts = bucket_with(&office_only());
    facts.bucket_mut(&landing()).policy = known(document(&json!([office_only()])));
    let (text, _) = request_texts(&aes_plan(), &facts, until());
    assert!(
        text.contains(&format!(
            "The statement `TableferryWrite` ends by itself at {ENDS}"
        )),
        "{text}"
    );
    assert!(
        text.contains("What is put into the Deny `OfficeOnly` is needed until the export is done"),
        "{text}"
    );
}

#[test]
fn an_exemptions_letter_names_the_calls_that_the_deny_hits_and_why() {
    let (text, _) = request_texts(
        &aes_plan(),
        &bucket_with(&office_only()),
        GrantOptions::default(),
    );
    for (action, reason) in [
        ("s3:PutObject", "DynamoDB writes the files as the caller"),
        (
            "s3:PutObjectAcl",
            "AWS documents it among what an export needs",
        ),
    ] {
        let line = format!(
            "  - {action} on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*, which the Deny \
             `OfficeOnly` of the bucket policy of export-landing hits: {reason}\n"
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("s3:AbortMultipartUpload"), "{text}");
}

/// "Switching PITR off again destroys the table's recovery window: never an undo by default."
#[test]
fn nobody_is_told_to_switch_recovery_off_again() {
    let mut facts = facts();
    if let Some(recovery) = facts.table_mut("Orders").unwrap().recovery.value_mut() {
        recovery.is_enabled = false;
    }
    for grant_options in [GrantOptions::default(), until()] {
        let (text, _) = request_texts(&aes_plan(), &facts, grant_options);
        assert!(text.contains("switch on point-in-time recovery"), "{text}");
        assert!(!text.contains("taken away"), "{text}");
        assert!(!text.contains("ends by itself"), "{text}");
        assert!(text.contains("leave it on"), "{text}");
    }
}

#[test]
fn what_the_organization_is_asked_says_nothing_of_an_end() {
    let mut facts = facts();
    let policy = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoExports", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*" }
    ]);
    facts.account_of_mut(Actor::Exporter).service_control = known(vec![ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![inline("Guardrail", &policy)],
        unread: Vec::new(),
    }]);
    let (text, _) = request_texts(&aes_plan(), &facts, until());
    assert!(text.starts_with("To the organization"), "{text}");
    assert!(!text.contains("ends by itself"), "{text}");
    assert!(!text.contains("taken away"), "{text}");
}

/// "A bucket that denies uploads without aws:kms makes `S3SseAlgorithm=KMS` mandatory": it is for the
/// operator, who changes the plan and chooses a key.
#[rstest]
#[case::kms(json!("aws:kms"))]
#[case::kms_or_dsse(json!(["aws:kms", "aws:kms:dsse"]))]
fn a_bucket_that_demands_kms_is_for_the_operator(#[case] exempt: Value) {
    let demand = json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": exempt } });
    let mut guard = deny(&demand);
    guard["Action"] = json!("s3:PutObject");
    let mut facts = bucket_with(&guard);
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").responsible,
        Responsible::You
    );
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    assert_eq!(found.plan.encryption, Encryption::Kms { key: None });
    assert!(
        found
            .remedies
            .iter()
            .all(|remedy| remedy.responsible == Responsible::You),
        "{found:#?}"
    );
    let Some(Fix::RequestText { text }) = found.remedies.last().map(|remedy| &remedy.fix) else {
        panic!("{found:#?}");
    };
    assert!(
        text.contains("Choose a customer managed key in eu-west-1"),
        "{text}"
    );
    assert!(text.contains(KEY), "{text}");
    // The bucket's own key, by its ARN, is the one to take.
    facts.bucket_mut(&landing()).encryption = known(DefaultEncryption {
        algorithm: "aws:kms".to_owned(),
        key: Some(KEY.to_owned()),
        has_bucket_key: false,
    });
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    let key = Some(KEY.parse().unwrap());
    assert_eq!(found.plan.encryption, Encryption::Kms { key });
}

/// `S3SseAlgorithm` is `AES256` or `KMS`: what demands `aws:kms:dsse` alone no plan can meet.
#[test]
fn a_bucket_that_demands_dsse_alone_is_for_its_owner() {
    let demand =
        json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms:dsse" } });
    let facts = bucket_with(&deny(&demand));
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    assert_eq!(found.plan.encryption, Encryption::Aes256);
    assert_eq!(on(&aes_plan(), &facts, "s3:PutObject").responsible, owner());
}

fn owner() -> Responsible {
    Responsible::DestinationOwner(Some("222222222222".parse().unwrap()))
}

/// Which ACL an export sends with the permission's own call is not documented, so that the Allow's
/// condition decides.
#[test]
fn an_allow_whose_condition_decides_is_for_no_matter_who_wrote_it() {
    let mut facts = facts();
    let mut policy = granting_bucket();
    policy[0]["Condition"] =
        json!({ "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } });
    facts.bucket_mut(&landing()).policy = known(document(&policy));
    let verdict = on(&aes_plan(), &facts, "s3:PutObjectAcl");
    assert!(
        matches!(verdict.outcome, Verdict::Depends { .. }),
        "{verdict:#?}"
    );
    assert_eq!(verdict.responsible, owner());
}

/// The one message to a responsible party.
fn message_to(responsible: &Responsible, plan: &Plan, facts: &Facts) -> String {
    let found = remedies(plan, facts, now(), GrantOptions::default());
    let message = found.remedies.iter().find_map(|remedy| match &remedy.fix {
        Fix::RequestText { text } if remedy.responsible == *responsible => Some(text.clone()),
        _ => None,
    });
    message.unwrap_or_else(|| panic!("{found:#?}"))
}

#[test]
fn denials_by_settings_are_asked_of_those_who_can_change_them() {
    let mut disabled = facts();
    if let Some(key) = disabled.key_mut(KEY).unwrap().description.value_mut() {
        key.state = "Disabled".to_owned();
    }
    let key_owner = Responsible::KeyOwner("222222222222".parse().unwrap());
    let text = message_to(&key_owner, &kms_plan(), &disabled);
    assert!(
        text.contains(KEY) && text.contains("please enable the key"),
        "{text}"
    );

    let mut paying = facts();
    paying.bucket_mut(&landing()).requester_pays = known(true);
    let text = message_to(&owner(), &aes_plan(), &paying);
    assert!(text.contains("switch Requester Pays off"), "{text}");

    let mut writer = facts();
    writer.bucket_mut(&landing()).ownership = known(Ownership::ObjectWriter);
    let text = message_to(&owner(), &aes_plan(), &writer);
    assert!(text.contains("BucketOwnerEnforced"), "{text}");

    let mut public = bucket_with(&json!({
        "Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::export-landing/*"
    }));
    public.bucket_mut(&landing()).public_access = known(PublicAccessBlock {
        restrict_public_buckets: true,
        ..Default::default()
    });
    let text = message_to(&owner(), &aes_plan(), &public);
    assert!(
        text.contains("`Open`") && text.contains("please tie"),
        "{text}"
    );
}

/// "A managed key or alias cannot cross accounts: customer managed key, full ARN."
#[test]
fn nobody_is_asked_to_open_a_key_that_aws_manages() {
    let mut facts = facts();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    if let Some(key) = facts.key_mut(KEY).unwrap().description.value_mut() {
        key.manager = KeyManager::Aws;
    }
    assert_eq!(
        on(&kms_plan(), &facts, "kms:Decrypt").responsible,
        Responsible::You
    );
    let found = remedies(&kms_plan(), &facts, now(), GrantOptions::default());
    let [remedy] = found.remedies.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(remedy.responsible, Responsible::You);
    let Fix::RequestText { text } = &remedy.fix else {
        panic!("{remedy:#?}");
    };
    assert!(
        text.contains("Choose a customer managed key in eu-west-1"),
        "{text}"
    );
}

fn probed(who: Actor, action: &str, resource: &str, refusal: &str) -> ObservedCall {
    ObservedCall {
        who,
        action: action.to_owned(),
        resource: resource.to_owned(),
        at: now(),
        refusal: Some(refusal.to_owned()),
    }
}

/// The bucket has no policy, so a bare refusal is what was to be expected: with the policy it is
/// explained, and nothing else is to be asked for.
#[rstest]
#[case::bare("AccessDenied: Access Denied", true)]
#[case::reasoned(
    "because no resource-based policy allows the s3:PutObject action",
    true
)]
#[case::of_another("with an explicit deny in a service control policy", false)]
fn a_refused_probe_that_the_remedy_explains_asks_for_nothing_more(
    #[case] refusal: &str,
    #[case] is_explained: bool,
) {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    let object = "arn:aws:s3:::export-landing/prod/AWSDynamoDB/probe";
    facts
        .tried
        .push(probed(Actor::Exporter, "s3:PutObject", object, refusal));
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    assert_eq!(found.remedies.len() == 1, is_explained, "{found:#?}");
}

#[test]
fn a_refused_probe_of_a_key_is_explained_by_the_keys_new_policy() {
    let mut facts = facts();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    let refusal = "User: x is not authorized to perform: kms:GenerateDataKey on this resource because \
                   the resource does not exist in this Region, no resource-based policies allow \
                   access, or a resource-based policy explicitly denies access";
    facts
        .tried
        .push(probed(Actor::Exporter, "kms:GenerateDataKey", KEY, refusal));
    let found = remedies(&kms_plan(), &facts, now(), GrantOptions::default());
    assert_eq!(found.remedies.len(), 1, "{found:#?}");
}

fn permission_set(facts: &mut Facts) {
    let session = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat";
    facts.source_mut().caller.arn = session.parse().unwrap();
    facts.source_mut().role = refused("iam:GetRole");
    let statements = json!([]);
    facts.source_mut().identity_policies = known(vec![inline("Set", &statements)]);
}

/// A role of Identity Center "cannot be edited by hand": its set's inline policy is, and the set is
/// provisioned again. The one who owns the bucket has nothing to do with it.
#[test]
fn a_permission_sets_owner_is_asked_for_its_inline_policy_and_the_buckets_owner_for_nothing_of_it()
{
    let mut facts = facts();
    permission_set(&mut facts);
    facts.source_mut().identity_policies = known(Vec::new());
    facts.bucket_mut(&landing()).policy = absent();
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    let to = |responsible: &Responsible| {
        request_text(responsible, &found.remedies, &aes_plan(), &facts, None)
    };
    let set = to(&Responsible::PermissionSetOwner("Ops".to_owned()));
    assert!(
        set.contains(
            "Please add these statements to the inline policy of the permission set Ops in IAM \
             Identity Center, and provision the set again to account 111111111111:"
        ),
        "{set}"
    );
    for text in [&set, &to(&owner())] {
        assert!(!text.contains("edited by hand"), "{text}");
        assert!(!text.contains("of the source's principal"), "{text}");
    }
}

fn scp(source: &str, name: &str) -> Fact<Vec<ControlLevel>> {
    let policy = json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoExports", "Effect": "Deny", "Action": "s3:Put*", "Resource": "*" }
    ]);
    let level = ControlLevel {
        target: "r-root".to_owned(),
        policies: vec![inline(name, &policy)],
        unread: Vec::new(),
    };
    Fact::known(vec![level], now(), source)
}

#[test]
fn the_organization_is_told_which_calls_of_whom_which_statement_forbids() {
    let mut facts = facts();
    facts.account_of_mut(Actor::Exporter).service_control = scp("test", "Guardrail");
    let text = message_to(&Responsible::Organization, &aes_plan(), &facts);
    assert_eq!(
        text,
        "Please let arn:aws:iam::111111111111:role/OnCallExporter make these calls, which the Deny \
         `NoExports` of the service control policy Guardrail forbids:\n  \
         - s3:PutObject on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*: DynamoDB writes the files \
         as the caller\n  \
         - s3:PutObjectAcl on arn:aws:s3:::export-landing/prod/AWSDynamoDB/*: AWS documents it among \
         what an export needs"
    );
    // A path on the operator's machine is nobody else's.
    facts.account_of_mut(Actor::Exporter).service_control = scp("--scp", "/home/pat/scp.json");
    let text = message_to(&Responsible::Organization, &aes_plan(), &facts);
    assert!(
        text.contains("a service control policy (the file given as --scp)"),
        "{text}"
    );
    assert!(!text.contains("/home/pat"), "{text}");
}

#[test]
fn a_boundary_is_for_no_matter_who_owns_it_and_not_for_the_operator() {
    let mut facts = facts();
    let reads =
        json!([{ "Effect": "Allow", "Action": ["dynamodb:*", "s3:Get*"], "Resource": "*" }]);
    facts.source_mut().boundary = known(inline("arn:aws:iam::111111111111:policy/Limit", &reads));
    let responsible = Responsible::BoundaryOwner(ROLE.to_owned());
    assert_eq!(
        on(&aes_plan(), &facts, "s3:PutObject").responsible,
        responsible
    );
    let text = message_to(&responsible, &aes_plan(), &facts);
    assert!(
        text.contains(
            "which the statements of the permissions boundary \
             arn:aws:iam::111111111111:policy/Limit do not allow:"
        ),
        "{text}"
    );
    assert!(text.contains("\"s3:AbortMultipartUpload\""), "{text}");
}

/// What AWS refused for want of an identity policy is given by one, not asked for in a request text.
#[test]
fn a_refused_read_is_fixed_by_the_identity_policy_that_it_lacks() {
    let mut facts = facts();
    let action = "dynamodb:DescribeContinuousBackups";
    let refusal = format!("… because no identity-based policy allows the {action} action");
    let refused = probed(Actor::Exporter, action, TABLE, &refusal);
    facts.tried.push(refused);
    let found = remedies(&aes_plan(), &facts, now(), GrantOptions::default());
    let Fix::Document { target, after, .. } = &found.remedies[0].fix else {
        panic!("{found:#?}");
    };
    assert!(matches!(target, Target::IdentityPolicy { .. }));
    let statement = &serde_json::from_str::<Value>(after).unwrap()["Statement"][0];
    assert_eq!(statement["Action"], action);
    assert_eq!(statement["Resource"], TABLE);
    assert_eq!(found.remedies.len(), 1, "{found:#?}");
    assert!(
        found
            .after
            .iter()
            .all(|verdict| verdict.outcome.is_allowed())
    );
}

/// S3 says that the bucket is of none of the two accounts.
#[test]
fn the_destination_is_not_asked_to_open_a_bucket_that_is_not_its_own() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).owner = refused("s3:ListBucket");
    facts.bucket_mut(&landing()).not_owners = vec!["222222222222".parse().unwrap()];
    let bucket = "arn:aws:s3:::export-landing";
    facts.tried.push(probed(
        Actor::Reader,
        "s3:ListBucket",
        bucket,
        "AccessDenied: Access Denied",
    ));
    let plan = plan("prefix = 'prod'", "");
    let found = remedies(&plan, &facts, now(), GrantOptions::default());
    assert!(
        found
            .remedies
            .iter()
            .all(|remedy| remedy.responsible != owner()),
        "{found:#?}"
    );
}

/// "Bucket policies are limited to 20 KB in size": a bucket has one, so that splitting it is no way.
#[test]
fn a_document_that_is_too_large_is_asked_for_without_it() {
    let mut facts = facts();
    let many: Vec<String> = (0..300)
        .map(|number| {
            format!("arn:aws:s3:::export-landing/archive/folder-number-{number:04}/of-the-year/*")
        })
        .collect();
    facts.bucket_mut(&landing()).policy = known(document(&json!([
        {
            "Sid": "Archive", "Effect": "Allow", "Action": "s3:GetObject", "Resource": many,
            "Principal": { "AWS": "arn:aws:iam::222222222222:root" }
        }
    ])));
    let (text, found) = request_texts(&aes_plan(), &facts, until());
    let problems = found.remedies[0].problems.join("\n");
    assert!(!problems.contains("split it"), "{problems}");
    assert!(
        problems.contains("bytes") && problems.contains("`Archive` ("),
        "{problems}"
    );
    assert!(
        text.contains("Please let these through in the bucket policy"),
        "{text}"
    );
    assert!(text.contains("s3:AbortMultipartUpload on "), "{text}");
    assert!(!text.contains("ends by itself"), "{text}");
}

/// What depends on the address is not denied without the exemption.
#[test]
fn what_depends_is_not_told_as_denied() {
    let (text, _) = request_texts(
        &aes_plan(),
        &bucket_with(&office_only()),
        GrantOptions::default(),
    );
    assert!(!text.contains("these are denied"), "{text}");
    assert!(
        text.contains(
            "Without it, nobody can tell whether these are allowed:\n  - s3:PutObject on"
        ),
        "{text}"
    );
}

#[test]
fn an_unknown_alias_is_asked_for_in_a_sentence_that_reads() {
    let mut facts = facts();
    let mut unknown = crate::assess::facts::KeyFacts::new("alias/nowhere");
    unknown.description = absent();
    facts.retain_keys(|_| false);
    facts.put_key(unknown);
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        "[encryption]\nalgorithm = 'KMS'\nkey = 'alias/nowhere'",
    );
    let text = message_to(&Responsible::You, &plan, &facts);
    assert!(
        text.starts_with(
            "there is no key alias/nowhere: please set encryption.key to a key that 111111111111, \
             the account that exports, has"
        ),
        "{text}"
    );
    let verdict = on(&plan, &facts, "kms:GenerateDataKey");
    assert_eq!(
        verdict.requirement.to_string(),
        "kms:GenerateDataKey on the key of alias/nowhere in 111111111111"
    );
}

/// "Access is denied" to a caller of another account: no policy of the caller's helps.
#[test]
fn a_table_of_another_account_is_asked_for_once_and_no_policy_is_offered() {
    let table = "arn:aws:dynamodb:eu-west-1:333333333333:table/Orders";
    let text = format!(
        "[source]\nprofile = 'p'\n[destination]\nprofile = 'd'\nbucket = 'export-landing'\n\
         owner = '222222222222'\nprefix = 'prod'\n[[tables]]\nname = '{table}'\n"
    );
    let plan = Plan::parse(&text, "plan.toml", now()).unwrap();
    let mut facts = facts();
    facts.source_mut().identity_policies = known(Vec::new());
    let mut foreign = facts.table("Orders").unwrap().clone();
    table.clone_into(&mut foreign.asked);
    foreign.description.value_mut().unwrap().arn = table.parse().unwrap();
    facts.put_table(foreign);
    let (text, found) = request_texts(&plan, &facts, GrantOptions::default());
    let documents = found
        .remedies
        .iter()
        .filter_map(|remedy| match &remedy.fix {
            Fix::Document { after, .. } => Some(after),
            _ => None,
        });
    for document in documents {
        assert!(!document.contains(table), "{document}");
    }
    assert!(
        text.contains(&format!(
            "table {table} belongs to account 333333333333, the source is 111111111111: please sign in \
             to the table's own account as the source"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("We export {table} to the bucket")),
        "{text}"
    );
}
