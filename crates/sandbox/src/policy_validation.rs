//! What AWS checks of a resource policy before it takes it: that it is one, that its principals
//! exist, that it is about the resource it is put on, and, under Block Public Access, that it is
//! not public.

use jiff::Timestamp;

use super::bucket::{Bucket, PublicAccess};
use super::caller::Caller;
use super::world::World;
use tableferry_policy::document::{Document, Patterns, PrincipalKind};
use tableferry_policy::public::public_statements;

/// Why a bucket does not take a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// With S3's words.
    Malformed(String),
    Public,
}

impl World {
    /// Whether a setting of Block Public Access is on for a bucket, by itself or by its account: "the
    /// most restrictive combination of the bucket-level and account-level settings" applies.
    pub(super) fn blocks(&self, bucket: &Bucket, setting: impl Fn(&PublicAccess) -> bool) -> bool {
        let of_account = self
            .account(&bucket.account)
            .and_then(|account| account.public_access.as_ref());
        setting(&bucket.public_access) || of_account.is_some_and(setting)
    }

    /// Whether `RestrictPublicBuckets` keeps a caller out: while the policy is public, it lets in
    /// "only AWS service principals and authorized users within the bucket owner's account".
    pub(super) fn keeps_out(&self, bucket: &Bucket, caller: &Caller, now: Timestamp) -> bool {
        let restricts = |block: &PublicAccess| block.restrict_public_buckets;
        caller.account != bucket.account
            && self.blocks(bucket, restricts)
            && bucket
                .policy
                .in_force(now)
                .and_then(|text| Document::parse(&text.0).ok())
                .is_some_and(|policy| !public_statements(&policy).is_empty())
    }
}

/// Whether a bucket takes a policy.
pub(super) fn check_bucket_policy(world: &World, name: &str, text: &str) -> Result<(), Refused> {
    let malformed = |message: &str| Refused::Malformed(message.to_owned());
    let policy = Document::parse(text).map_err(|error| Refused::Malformed(error.to_string()))?;
    for statement in policy.statements() {
        if statement.principals.is_none() {
            return Err(malformed("Missing required field Principal"));
        }
        if !fits(&statement.actions, |action| {
            action == "*" || action.to_ascii_lowercase().starts_with("s3:")
        }) {
            return Err(malformed("Policy has invalid action"));
        }
        let Some(resources) = &statement.resources else {
            return Err(malformed("Missing required field Resource"));
        };
        if !fits(resources, |resource| is_of_bucket(world, resource, name)) {
            return Err(malformed("Policy has invalid resource"));
        }
    }
    if !all_principals_exist(world, &policy) {
        return Err(malformed("Invalid principal in policy"));
    }
    let is_blocked = world
        .bucket(name)
        .is_none_or(|bucket| world.blocks(bucket, |block| block.block_public_policy));
    if is_blocked && !public_statements(&policy).is_empty() {
        Err(Refused::Public)
    } else {
        Ok(())
    }
}

fn fits(patterns: &Patterns<'_>, fits: impl Fn(&str) -> bool) -> bool {
    patterns.items.iter().all(|item| fits(&item.value))
}

/// The bucket itself, or objects in it.
fn is_of_bucket(world: &World, resource: &str, name: &str) -> bool {
    resource
        .strip_prefix(&Bucket::arn(world.partition, name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
}

/// Whether every AWS principal that a policy names exists.
pub(super) fn all_principals_exist(world: &World, policy: &Document<'_>) -> bool {
    policy
        .statements()
        .iter()
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| &principals.entries)
        .filter(|(kind, _)| *kind == PrincipalKind::Aws)
        .all(|(_, principal)| world.has_principal(&principal.value))
}

#[cfg(test)]
mod tests {
    use tableferry_policy::arn::Partition;

    use super::*;

    fn check(statement: &str) -> Result<(), Refused> {
        let world = World::fresh(Partition::Aws, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{statement}}}]}}"#);
        check_bucket_policy(&world, "landing", &text)
    }

    fn malformed(message: &str) -> Result<(), Refused> {
        Err(Refused::Malformed(message.to_owned()))
    }

    const ROOT: &str = r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"}"#;

    #[test]
    fn a_policy_about_its_own_bucket_is_taken() {
        for resource in ["", "/*", "/prod/AWSDynamoDB/*", "*"] {
            let statement =
                format!(r#"{ROOT},"Action":"s3:*","Resource":"arn:aws:s3:::landing{resource}""#);
            assert_eq!(check(&statement), Ok(()), "{resource}");
        }
    }

    #[test]
    fn a_policy_about_something_else_is_not() {
        for resource in ["arn:aws:s3:::other/*", "arn:aws:s3:::landing-2/*", "*"] {
            let statement = format!(r#"{ROOT},"Action":"s3:*","Resource":"{resource}""#);
            assert_eq!(check(&statement), malformed("Policy has invalid resource"));
        }
        let statement =
            format!(r#"{ROOT},"Action":"kms:Decrypt","Resource":"arn:aws:s3:::landing/*""#);
        assert_eq!(check(&statement), malformed("Policy has invalid action"));
    }

    #[test]
    fn a_principal_that_is_gone_is_not_taken() {
        for principal in [
            "arn:aws:iam::111111111111:role/Nobody",
            "AROASANDBOXGONE00000A",
            "arn:aws:iam::444444444444:root",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/*",
            // Without its path an Identity Center role is another role.
            "arn:aws:iam::111111111111:role/AWSReservedSSO_ExportOperators_0123456789abcdef",
        ] {
            let statement = format!(
                r#""Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:PutObject",
                   "Resource":"arn:aws:s3:::landing/*""#
            );
            assert_eq!(
                check(&statement),
                malformed("Invalid principal in policy"),
                "{principal}"
            );
        }
    }

    #[test]
    fn roles_with_paths_sessions_and_account_ids_are_taken() {
        for principal in [
            "111111111111",
            "arn:aws:iam::111111111111:role/partners/PartnerExporter",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/oncall",
            "arn:aws:iam::111111111111:user/prod-admin",
        ] {
            let statement = format!(
                r#""Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:PutObject",
                   "Resource":"arn:aws:s3:::landing/*""#
            );
            assert_eq!(check(&statement), Ok(()), "{principal}");
        }
    }

    #[test]
    fn a_public_policy_is_blocked() {
        let statement = r#""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::landing/*""#;
        assert_eq!(check(statement), Err(Refused::Public));
    }
}
