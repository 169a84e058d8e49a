//! The table that is written to: what it is, and whether it may be written to now.

use jiff::Timestamp;

use super::LoadError;
use crate::archive::line::{KeyAttribute, KeySchema};
use crate::aws::dynamodb::{PointInTimeRecovery, Table};
use crate::job::TableStatus;
use crate::work::{Session, region_of};
use tableferry_policy::arn::Arn;

/// The table that is written to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) table: Table,
    pub(super) recovery: PointInTimeRecovery,
    /// AWS's time when that was told.
    pub(super) asked_at: Option<Timestamp>,
}

impl Target {
    /// Reads a table, and whether it can be restored.
    pub(super) async fn read(session: &Session, arn: &Arn) -> Result<Self, LoadError> {
        let dynamodb = session.dynamodb(&region_of(arn, session));
        let text = arn.to_string();
        let called = |failure| LoadError::Call(Box::new(failure));
        let table = dynamodb.describe_table(&text).await.map_err(called)?;
        let recovery = dynamodb.describe_recovery(&text).await.map_err(called)?;
        Ok(Self {
            table,
            recovery,
            asked_at: dynamodb.service_time(),
        })
    }

    /// Why it cannot be written to now: "the table must be ACTIVE".
    pub(super) fn busy(&self) -> Option<String> {
        let Table { name, status, .. } = &self.table;
        if *status != TableStatus::Active {
            return Some(format!("the table {name} is {status}, and must be ACTIVE"));
        }
        let mut indexes = self.table.indexes.iter();
        let (index, status) = indexes.find(|(_, status)| status != "ACTIVE")?;
        Some(format!(
            "the index {index} of table {name} is {status}, and must be ACTIVE"
        ))
    }

    /// Whether it is the table that was agreed to, and can be written to.
    pub(super) fn check(&self, id: Option<&str>) -> Result<(), LoadError> {
        if id.is_some() && self.table.id.as_deref() != id {
            let name = &self.table.name;
            let problem = format!("the table {name} was made again since the run was agreed to");
            return Err(LoadError::Table(problem));
        }
        self.busy()
            .map_or(Ok(()), |busy| Err(LoadError::Table(busy)))
    }

    /// Whether it can be restored to a moment.
    pub(super) fn check_recovery(&self, moment: Timestamp) -> Result<(), LoadError> {
        let name = &self.table.name;
        if !self.recovery.is_enabled {
            return Err(LoadError::Table(format!(
                "point-in-time recovery of table {name} is off, so that it could not be restored"
            )));
        }
        match self.recovery.earliest {
            Some(earliest) if earliest > moment => Err(LoadError::Table(format!(
                "table {name} can be restored to {earliest} at the earliest: its recovery was switched on \
                 just now, so wait a minute and go on"
            ))),
            _ => Ok(()),
        }
    }

    /// Its keys.
    pub(super) fn keys(&self) -> Result<KeySchema, LoadError> {
        keys(&self.table).ok_or_else(|| {
            LoadError::Table(format!(
                "the keys of table {} are not told",
                self.table.name
            ))
        })
    }
}

/// The keys of a table, where their types are told.
pub(super) fn keys(table: &Table) -> Option<KeySchema> {
    let attributes = table.key_attributes.iter().map(|name| {
        let kind = table.attribute_types.get(name)?;
        format!("{name}:{kind}").parse::<KeyAttribute>().ok()
    });
    KeySchema::new(attributes.collect::<Option<_>>()?).ok()
}
