//! Reading the keys of a plan and of its tables, each as the side whose account it lies in.

use futures_util::future;

use super::reading::{read, read_optional};
use crate::assess::facts::{KeyDescription, KeyFacts, KeyManager, TableFacts};
use crate::aws::{Failure, Session};
use tableferry_policy::arn::{Arn, Region};
use tableferry_policy::policy::Policy;

/// What KMS answers where there is no such key.
const ABSENT: [&str; 1] = ["NotFoundException"];

pub(super) async fn read_all(
    of_objects: Vec<String>,
    tables: &[TableFacts],
    bucket_region: Option<&Region>,
    source: &Session,
    destination: Option<&Session>,
) -> Vec<KeyFacts> {
    let mut asked = of_objects;
    for table in tables {
        let key = table
            .description
            .value()
            .and_then(|table| table.key.as_ref());
        asked.extend(key.map(Arn::to_string));
    }
    asked.sort();
    asked.dedup();
    let reads = asked.iter().map(|asked| {
        let arn = asked.parse::<Arn>().ok();
        let reader = reader(arn.as_ref(), source, destination);
        // S3 looks in the bucket's Region for a key that is not named by its ARN.
        let region = arn
            .as_ref()
            .and_then(Arn::region_code)
            .or_else(|| bucket_region.cloned())
            .unwrap_or_else(|| source.region.clone());
        let other = destination
            .filter(|other| other.identity.account == source.identity.account)
            .map(|other| {
                if other.identity.arn == reader.identity.arn {
                    source
                } else {
                    other
                }
            });
        async move {
            let mut facts = read_key(asked, reader, region.clone()).await;
            let is_whole = facts.policy.is_settled() && facts.grants.is_settled();
            if let Some(other) = other.filter(|_| !is_whole && !facts.description.is_absent()) {
                let told = read_key(asked, other, region).await;
                facts.fill(told);
            }
            facts
        }
    });
    future::join_all(reads).await
}

/// Key policies and grants are shown to the key's own account alone; an id or alias is looked for
/// in the account that exports.
fn reader<'a>(
    arn: Option<&Arn>,
    source: &'a Session,
    destination: Option<&'a Session>,
) -> &'a Session {
    let is_of =
        |session: &Session| arn.is_some_and(|arn| arn.account == session.identity.account.as_str());
    match destination {
        // Of two identities of one account, the destination's is the likelier to read policies.
        Some(destination) if is_of(destination) => destination,
        _ => source,
    }
}

async fn read_key(asked: &str, reader: &Session, region: Region) -> KeyFacts {
    let kms = reader.kms(&region);
    let mut facts = KeyFacts::new(asked);
    let description = async {
        let key = kms.describe_key(asked).await?;
        Ok::<_, Failure>(KeyDescription {
            arn: key.arn,
            state: key.state,
            manager: if key.is_aws_managed {
                KeyManager::Aws
            } else {
                KeyManager::Customer
            },
        })
    };
    facts.description = read("kms:DescribeKey", &ABSENT, description).await;
    if facts.description.is_absent() {
        return facts;
    }
    let Some(arn) = facts.arn() else {
        return facts;
    };
    let arn = arn.to_string();
    let (policy, grants) = future::join(
        read_optional("kms:GetKeyPolicy", kms.key_policy(&arn)),
        read("kms:ListGrants", &ABSENT, kms.grants(&arn)),
    )
    .await;
    facts.policy = policy.map(Policy::from);
    facts.grants = grants;
    facts
}
