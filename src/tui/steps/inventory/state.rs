//! What is asked of S3 Inventory.

use crate::job::inventory::{Inventory, InventoryFormat, InventoryFrequency, InventoryVersions};
use crate::job::{Kind, Plan};
use crate::tui::widgets::list::FilteredList;
use tableferry_policy::arn::BucketName;

/// The columns that the wizard asks for beside bucket and key.
const FIELDS: [&str; 2] = ["Size", "LastModifiedDate"];

/// What is asked of S3 Inventory.
#[derive(Debug, Clone)]
pub(crate) struct InventoryChoice {
    /// The bucket that is listed.
    pub(crate) bucket: Option<BucketName>,
    /// All but the bucket; its own stands there until one is named.
    pub(crate) id: String,
    pub(crate) format: InventoryFormat,
    pub(crate) frequency: InventoryFrequency,
    pub(crate) versions: InventoryVersions,
    filter: Option<String>,
    fields: Vec<String>,
    pub(crate) list: FilteredList,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InventoryRow {
    Bucket,
    Id,
    Format,
    Frequency,
    Versions,
}

impl InventoryRow {
    const ALL: [Self; 5] = [
        Self::Bucket,
        Self::Id,
        Self::Format,
        Self::Frequency,
        Self::Versions,
    ];

    /// What it is called.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Bucket => "source bucket",
            Self::Id => "id",
            Self::Format => "format",
            Self::Frequency => "frequency",
            Self::Versions => "versions",
        }
    }

    /// Whether its value is typed, as opposed to one of a few.
    pub(crate) const fn is_typed(self) -> bool {
        matches!(self, Self::Bucket | Self::Id)
    }
}

impl Default for InventoryChoice {
    fn default() -> Self {
        Self {
            bucket: None,
            id: "all-objects".to_owned(),
            format: InventoryFormat::default(),
            frequency: InventoryFrequency::default(),
            versions: InventoryVersions::default(),
            filter: None,
            fields: FIELDS.map(str::to_owned).to_vec(),
            list: FilteredList::default(),
        }
    }
}

impl InventoryChoice {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        let Kind::Inventory(inventory) = &plan.kind else {
            return Self::default();
        };
        Self {
            bucket: Some(inventory.bucket.clone()),
            id: inventory.id.clone(),
            format: inventory.format,
            frequency: inventory.frequency,
            versions: inventory.versions,
            filter: inventory.filter.clone(),
            fields: inventory.fields.clone(),
            list: FilteredList::default(),
        }
    }

    /// The job as chosen; `None` where no bucket is named yet.
    pub(crate) fn inventory(&self) -> Option<Inventory> {
        Some(Inventory {
            bucket: self.bucket.clone()?,
            id: self.id.clone(),
            format: self.format,
            frequency: self.frequency,
            versions: self.versions,
            filter: self.filter.clone(),
            fields: self.fields.clone(),
        })
    }

    /// The rows that the filter leaves.
    pub(crate) fn rows(&self) -> Vec<InventoryRow> {
        let rows = InventoryRow::ALL.into_iter();
        rows.filter(|row| self.list.lets_through(row.title()))
            .collect()
    }

    /// The row under the cursor.
    pub(crate) fn row(&self) -> Option<InventoryRow> {
        self.rows().get(self.list.cursor).copied()
    }

    /// The value of a row.
    pub(crate) fn value(&self, row: InventoryRow) -> String {
        match row {
            InventoryRow::Bucket => self
                .bucket
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            InventoryRow::Id => self.id.clone(),
            InventoryRow::Format => self.format.as_str().to_owned(),
            InventoryRow::Frequency => self.frequency.as_str().to_owned(),
            InventoryRow::Versions => self.versions.as_str().to_owned(),
        }
    }

    /// Takes the next of a row's values.
    pub(crate) const fn toggle(&mut self, row: InventoryRow) {
        match row {
            InventoryRow::Format => {
                self.format = match self.format {
                    InventoryFormat::Csv => InventoryFormat::Orc,
                    InventoryFormat::Orc => InventoryFormat::Parquet,
                    InventoryFormat::Parquet => InventoryFormat::Csv,
                };
            }
            InventoryRow::Frequency => {
                self.frequency = match self.frequency {
                    InventoryFrequency::Daily => InventoryFrequency::Weekly,
                    InventoryFrequency::Weekly => InventoryFrequency::Daily,
                };
            }
            InventoryRow::Versions => {
                self.versions = match self.versions {
                    InventoryVersions::Current => InventoryVersions::All,
                    InventoryVersions::All => InventoryVersions::Current,
                };
            }
            InventoryRow::Bucket | InventoryRow::Id => {}
        }
    }
}
