//! Verdicts on the bucket's settings: that it is there, whose it is, what Block Public Access keeps
//! out, who owns what is written to it, and who pays.

mod source;

use super::prior_export;
use crate::assess::facts::{Fact, Facts, Ownership};
use crate::assess::job_facts::{bucket_owner, owner_sent};
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{AssessedRequirement, Check, MissingInput, SettledBy, Verdict};
use crate::job::requirement::{Actor, Criticality, DefaultKey};
use crate::job::{Encryption, Plan};
use tableferry_policy::arn::AccountId;
use tableferry_policy::evaluate::Dependency;
use tableferry_policy::public::public_statements;

/// Judges the bucket.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> Vec<AssessedRequirement> {
    let existence = existence(plan, facts);
    if existence.outcome == Verdict::Denied {
        return vec![existence];
    }
    let owner = bucket_owner(plan, facts);
    let mut verdicts = vec![existence, judge_owner(plan, facts)];
    verdicts.extend(public_access(plan, facts, owner.as_ref()));
    verdicts.extend(object_ownership(plan, facts, owner.as_ref()));
    verdicts.extend(requester_pays(plan, facts, owner.as_ref()));
    verdicts.extend(request_payer(plan, facts, owner.as_ref()));
    verdicts.extend(default_encryption(plan, facts));
    verdicts.extend(source::judge(plan, facts));
    verdicts
}

fn existence(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    if bucket.region.is_absent() || bucket.owner.is_absent() {
        return AssessedRequirement::check(Check::Bucket, name.as_str(), Verdict::Denied)
            .because(format!("there is no bucket {name}"))
            .fixed_by(
                Responsible::for_bucket(facts, None),
                "check the name, or make the bucket in the destination's account",
            )
            .expecting("The specified bucket does not exist");
    }
    if let Some(region) = bucket.region.value() {
        return AssessedRequirement::check(Check::Bucket, name.as_str(), Verdict::CLEAR)
            .because(format!("bucket {name} is in {region}"));
    }
    let assumed = MissingInput::of_setting(
        &bucket.region,
        format!("the Region of bucket {name}"),
        "s3:ListBucket",
    );
    let outcome = if bucket.owner.value().is_some() {
        Verdict::Allowed { assumed }
    } else {
        Verdict::unread(assumed)
    };
    AssessedRequirement::check(Check::Bucket, name.as_str(), outcome)
        .because(format!("the Region of bucket {name} could not be read"))
}

/// `S3BucketOwner` must be sent where the bucket is of another account, and must be its account.
fn judge_owner(plan: &Plan, facts: &Facts) -> AssessedRequirement {
    const REFUSED: &str =
        "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied";
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let source = &facts.source().caller.account;
    let check = |outcome| AssessedRequirement::check(Check::BucketOwner, name.as_str(), outcome);
    let denied = |why: String, hint: String| {
        check(Verdict::Denied)
            .because(why)
            .fixed_by(Responsible::You, hint)
            .expecting(REFUSED)
    };
    let said = plan.destination.owner.as_ref();
    let sent = owner_sent(plan, facts);
    let sent = sent.as_ref();
    let choose = |owner: &AccountId| format!("set destination.owner to \"{owner}\"");
    let find_out = || "set destination.owner to the account that owns the bucket".to_owned();
    match (sent, bucket.owner.value()) {
        (Some(sent), Some(owner)) if sent != owner => {
            let who = if said.is_some() {
                "the plan"
            } else {
                "without destination.owner, the run"
            };
            denied(
                format!("{who} sends {sent} as the owner, and bucket {name} is of {owner}"),
                choose(owner),
            )
        }
        (Some(_), Some(owner)) if said.is_none() && owner != source => check(Verdict::CLEAR)
            .because(format!(
                "{owner} was found out to be the owner, and is sent as S3BucketOwner"
            )),
        (Some(_), Some(owner)) => {
            check(Verdict::CLEAR).because(format!("{owner} is the owner, and is sent"))
        }
        (None, Some(owner)) if owner == source => {
            check(Verdict::CLEAR).because("the bucket is of the exporting account".to_owned())
        }
        (None, Some(owner)) => denied(
            format!("bucket {name} is of {owner}, and no owner is sent"),
            choose(owner),
        ),
        (Some(sent), None) if bucket.not_owners.contains(sent) => denied(
            format!(
                "{sent} is sent as the owner, and S3 says that bucket {name} is not of that account"
            ),
            find_out(),
        ),
        (None, None) if bucket.not_owners.contains(source) => denied(
            format!(
                "bucket {name} is not of {source}, the account that exports, and no owner is sent"
            ),
            find_out(),
        ),
        (sent, None) => {
            let what = format!("whose bucket {name} is");
            let why = sent.map_or_else(
                || format!("{what} could not be proved, and no owner is sent: if it is not of {source}, the export fails"),
                |sent| format!("{what} could not be proved; {sent} is sent as its owner"),
            );
            let unread = MissingInput::of_setting(&bucket.owner, what, "s3:ListBucket");
            let earlier = prior_export::of_owner(plan, facts, sent);
            if let Some(found) = earlier.as_ref().filter(|found| found.holds()) {
                return check(Verdict::Allowed { assumed: unread })
                    .because(found.describe())
                    .caution(found.caveat());
            }
            let unknown = check(Verdict::Unknown {
                unread,
                settled_by: SettledBy::Export,
            })
            .because(why)
            .fixed_by(
                Responsible::for_bucket(facts, sent),
                "ask who owns the bucket, and set destination.owner",
            );
            match earlier {
                Some(found) => unknown.caution(found.describe()),
                None => unknown,
            }
        }
    }
}

/// While a policy counts as public, `RestrictPublicBuckets` lets in only "AWS service principals and
/// authorized users within the bucket owner's account" ("Blocking public access to your Amazon S3
/// storage").
fn public_access(
    plan: &Plan,
    facts: &Facts,
    owner: Option<&AccountId>,
) -> Option<AssessedRequirement> {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let document = bucket.policy.value()?.document().ok()?;
    let public: Vec<String> = public_statements(document)
        .into_iter()
        .filter_map(|index| Some(document.statements().get(index)?.label(index)))
        .collect();
    let check = |outcome| AssessedRequirement::check(Check::PublicAccess, name.as_str(), outcome);
    if public.is_empty() {
        return Some(check(Verdict::CLEAR).because("the bucket's policy is not public"));
    }
    let statements = public.join("`, `");
    let is_own = owner == Some(&facts.source().caller.account);
    let restricting = facts
        .public_access_blocks(name)
        .into_iter()
        .find(|(_, fact)| {
            fact.value()
                .is_some_and(|block| block.restrict_public_buckets)
        });
    if let Some((place, _)) = restricting.filter(|_| !is_own) {
        return Some(
            check(Verdict::Denied)
                .because(format!(
                    "the statement `{statements}` makes the bucket's policy public, and Block Public \
                     Access of {place} (RestrictPublicBuckets) then keeps every other account out"
                ))
                .fixed_by(
                    Responsible::for_bucket(facts, owner),
                    format!(
                        "tie the statement `{statements}` to fixed values, such as \
                         aws:PrincipalOrgID, so that the policy is public no more"
                    ),
                )
                .expecting("Access Denied"),
        );
    }
    let assumed = facts
        .public_access_blocks(name)
        .into_iter()
        .filter(|_| !is_own)
        .flat_map(|(place, fact)| {
            MissingInput::of_setting(
                fact,
                format!("Block Public Access of {place}"),
                "s3:GetBucketPublicAccessBlock",
            )
        })
        .collect();
    Some(
        check(Verdict::Allowed { assumed })
            .because("Block Public Access keeps nobody out, as far as it was read")
            .caution(format!(
                "the statement `{statements}` makes the bucket's policy public"
            )),
    )
}

/// Which access control list an export sends is not documented. On a bucket with
/// `BucketOwnerEnforced`, which every new one has, any but `bucket-owner-full-control` would be refused
/// (`AccessControlListNotSupported`); the developer guide has exports go to such buckets without a
/// word on it, so that nothing is cautioned of there.
///
/// A bucket without ownership controls is one on which "the object writer" owns what it writes
/// ("Controlling ownership of objects and disabling ACLs for your bucket").
fn object_ownership(
    plan: &Plan,
    facts: &Facts,
    owner: Option<&AccountId>,
) -> Option<AssessedRequirement> {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    if owner == Some(&facts.source().caller.account) {
        return None;
    }
    let source = &facts.source().caller.account;
    let check = |outcome| {
        AssessedRequirement::check(Check::ObjectOwnership, name.as_str(), outcome)
            .of_criticality(Criticality::Optional)
            .fixed_by(Responsible::for_bucket(facts, owner), "")
    };
    let ownership = match &bucket.ownership {
        Fact::Known { value, .. } => *value,
        Fact::Absent { .. } => Ownership::ObjectWriter,
        other => {
            let assumed = MissingInput::of_setting(
                other,
                format!("the object ownership of bucket {name}"),
                "s3:GetBucketOwnershipControls",
            );
            return Some(check(Verdict::Allowed { assumed }));
        }
    };
    Some(match ownership {
        Ownership::BucketOwnerEnforced => {
            check(Verdict::CLEAR).because("the bucket's owner owns every object, no matter who writes it")
        }
        Ownership::BucketOwnerPreferred => check(Verdict::CLEAR)
            .because("the bucket's owner owns objects that come with bucket-owner-full-control")
            .caution(plan.words().on_acl),
        Ownership::ObjectWriter => check(Verdict::Depends {
            on: Dependency::on("s3:x-amz-acl"),
            unread: Vec::new(),
        })
        .because(format!(
            "the account that writes an object to bucket {name} owns it: {source} may own {}, and the bucket's \
             policy would not cover them",
            plan.words().files
        ))
        .fixed_by(
            Responsible::for_bucket(facts, owner),
            "set the bucket's object ownership to BucketOwnerEnforced",
        ),
    })
}

/// "Requesters must include x-amz-request-payer … in their requests", but for those of the bucket
/// owner's account ("Using Requester Pays general purpose buckets").
fn request_payer(
    plan: &Plan,
    facts: &Facts,
    owner: Option<&AccountId>,
) -> Option<AssessedRequirement> {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let is_on = *bucket.requester_pays.value()?;
    let is_of_owner = owner == Some(&facts.source().caller.account);
    (is_on && !is_of_owner).then(|| {
        let on = Dependency::on(if plan.reads_objects() {
            "whether the reader sends x-amz-request-payer: requester"
        } else {
            "whether the uploader sends x-amz-request-payer: requester"
        });
        let outcome = Verdict::Depends {
            on,
            unread: Vec::new(),
        };
        AssessedRequirement::check(Check::RequestPayer, name.as_str(), outcome)
            .because("the requester pays, and S3 refuses a request that does not say that it will")
            .fixed_by(
                Responsible::You,
                "send x-amz-request-payer: requester with each request (`--request-payer requester`)",
            )
            .expecting("Access Denied")
    })
}

/// Where a job leaves the encryption to the bucket, the bucket's default tells which key matters.
fn default_encryption(plan: &Plan, facts: &Facts) -> Option<AssessedRequirement> {
    if plan.encryption != Encryption::BucketDefault {
        return None;
    }
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let check =
        |outcome| AssessedRequirement::check(Check::DefaultEncryption, name.as_str(), outcome);
    let key = match bucket.default_key() {
        DefaultKey::None => {
            return Some(
                check(Verdict::CLEAR).because("S3 encrypts with keys of its own (AES256)"),
            );
        }
        DefaultKey::Named(key) => key,
        DefaultKey::Unknown => {
            let mut tried = facts.tried.iter();
            let was_let_in = tried.any(|tried| {
                tried.who == Actor::Exporter
                    && tried.action == "s3:PutObject"
                    && tried.refusal.is_none()
            });
            let unread = MissingInput::of_setting(
                &bucket.encryption,
                format!("the default encryption of bucket {name}"),
                "s3:GetEncryptionConfiguration",
            );
            return Some(if was_let_in {
                check(Verdict::Allowed { assumed: unread })
                    .because("an upload was tried, and S3 encrypted it")
            } else {
                check(Verdict::Unknown {
                    unread,
                    settled_by: SettledBy::Probe,
                })
                .because("which key the bucket encrypts with by default could not be read")
                .fixed_by(
                    Responsible::for_bucket(facts, bucket_owner(plan, facts).as_ref()),
                    "ask which key it is, and name it in encryption.key",
                )
            });
        }
    };
    // "If the default encryption is SSE-KMS without a key's ARN", nobody can read what S3 itself wrote.
    if plan.takes_keys_by_arn_alone() && !key.contains(":key/") {
        return Some(
            check(Verdict::Denied)
                .because(format!(
                    "the bucket encrypts with {key} by default, which is no customer managed key by its \
                     ARN: what S3 delivers could be read by nobody"
                ))
                .fixed_by(
                    Responsible::You,
                    "set encryption.algorithm to \"AES256\", or to \"KMS\" with encryption.key as the full \
                     ARN of a customer managed key",
                ),
        );
    }
    Some(check(Verdict::CLEAR).because(format!("the bucket encrypts with {key} by default")))
}

fn requester_pays(
    plan: &Plan,
    facts: &Facts,
    owner: Option<&AccountId>,
) -> Option<AssessedRequirement> {
    let name = &plan.destination.bucket;
    let bucket = facts.bucket(name);
    let is_on = *bucket.requester_pays.value()?;
    is_on.then(|| {
        AssessedRequirement::check(Check::RequesterPays, name.as_str(), Verdict::Denied)
            .because("exports to buckets with Requester Pays are not supported")
            .fixed_by(
                Responsible::for_bucket(facts, owner),
                "switch Requester Pays off, or choose another bucket",
            )
    })
}
