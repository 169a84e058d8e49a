//! Who may use a key: its policy and its grants.

use aws_sdk_kms::types::GrantListEntry;

use super::{Failure, Kms};
use crate::assess::facts::GrantFacts;

impl Kms {
    /// The key's policy as it stands, by `GetKeyPolicy`, which takes an id or the key's ARN; every
    /// key has one, called `default`.
    pub async fn key_policy(&self, key: &str) -> Result<Option<String>, Failure> {
        let call = self
            .client
            .get_key_policy()
            .key_id(key)
            // The only name there is; some servers want it said.
            .policy_name("default")
            .send();
        let answer = self.mapper.answer("kms:GetKeyPolicy", key, call).await?;
        Ok(answer.policy)
    }

    /// The key's grants, by `ListGrants`; those to services are left out, since no export is made
    /// as one.
    pub async fn grants(&self, key: &str) -> Result<Vec<GrantFacts>, Failure> {
        let pages = self.client.list_grants().key_id(key).into_paginator();
        let call = pages.items().send().collect::<Result<Vec<_>, _>>();
        let entries = self.mapper.answer("kms:ListGrants", key, call).await?;
        Ok(entries.iter().filter_map(grant).collect())
    }
}

fn grant(entry: &GrantListEntry) -> Option<GrantFacts> {
    let constraints = entry.constraints();
    let pairs = |map: &std::collections::HashMap<String, String>| {
        map.iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    Some(GrantFacts {
        id: entry.grant_id()?.to_owned(),
        grantee: entry.grantee_principal()?.to_owned(),
        operations: entry
            .operations()
            .iter()
            .map(|operation| operation.as_str().to_owned())
            .collect(),
        context_subset: constraints
            .and_then(|constraints| constraints.encryption_context_subset())
            .map(pairs)
            .unwrap_or_default(),
        context_equals: constraints
            .and_then(|constraints| constraints.encryption_context_equals())
            .map(pairs),
        source_arn: constraints
            .and_then(|constraints| constraints.source_arn())
            .map(str::to_owned),
    })
}
