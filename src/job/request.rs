//! What each table of a plan asks of `ExportTableToPointInTime`.

use std::fmt;

use super::{ExportRequest, Filter, Plan, Span, TableJob, TableRef};
use tableferry_policy::arn::{AccountId, Arn, Region};

impl Plan {
    /// The ARN of a job's table: as given, or the name in the source's account and Region.
    #[must_use]
    pub fn table_arn(&self, job: &TableJob, account: &AccountId, region: &Region) -> Arn {
        match &job.table {
            TableRef::Arn(arn) => arn.clone(),
            TableRef::Name(name) => Arn {
                partition: region.partition(),
                service: "dynamodb".to_owned(),
                region: region.to_string(),
                account: account.to_string(),
                resource: format!("table/{name}"),
            },
        }
    }

    /// What the call for one job sends.
    ///
    /// `owner` is the bucket's account where it is known by now; the plan's own word comes first.
    /// `client_token` must be new for a new export, and the same for a repeated call.
    #[must_use]
    pub fn request(
        &self,
        job: &TableJob,
        table_arn: Arn,
        owner: Option<AccountId>,
        client_token: String,
    ) -> ExportRequest {
        ExportRequest {
            table_arn,
            bucket: self.destination.bucket.clone(),
            bucket_owner: self.destination.owner.clone().or(owner),
            prefix: self.destination.prefix().map(str::to_owned),
            encryption: self.encryption.clone(),
            format: job.format,
            span: job.span.clone(),
            filter: job.filter.clone(),
            client_token,
        }
    }
}

impl super::Destination {
    /// What the objects' keys begin with, as the call has it.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_ref().map(super::Prefix::as_str)
    }
}

impl TableJob {
    /// A job with the defaults of the call: the whole table as it is when the export starts.
    #[must_use]
    pub fn new(table: TableRef) -> Self {
        Self {
            table,
            format: super::Format::default(),
            span: Span::Full { time: None },
            filter: None,
        }
    }
}

impl TableRef {
    /// The table's name, which is the last part of its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.resource_after("table").unwrap_or(&arn.resource),
        }
    }

    /// The Region, where the plan names one for this table.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => arn.region_code(),
        }
    }
}

impl TableRef {
    /// Whether the table is meant by a name or an ARN, as the plan has it, or by the name in its ARN.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name == text,
            Self::Arn(arn) => arn.resource_after("table") == Some(text) || arn.to_string() == text,
        }
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.pad(name),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

impl super::Format {
    /// The word that the API has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
        }
    }
}

impl super::View {
    /// The word that the API has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewImage => "NEW_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

impl Span {
    /// The word that the API has for its type.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Full { .. } => "FULL_EXPORT",
            Self::Incremental { .. } => "INCREMENTAL_EXPORT",
        }
    }
}

impl super::Encryption {
    /// The word that the export call has for the algorithm.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms { .. } => "KMS",
            Self::BucketDefault => "BUCKET_DEFAULT",
        }
    }

    /// The key, as it was given.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Aes256 | Self::Kms { key: None } | Self::BucketDefault => None,
            Self::Kms { key: Some(key) } => Some(key.as_str()),
        }
    }
}

impl Filter {
    /// The attributes that leave the account, each as a path with its names put in; `None` without
    /// a projection, where all do.
    #[must_use]
    pub fn projected_attributes(&self) -> Option<Vec<String>> {
        let paths = self.projection.as_deref()?.split(',');
        Some(paths.map(|path| self.with_names(path.trim())).collect())
    }

    fn with_names(&self, path: &str) -> String {
        let steps: Vec<String> = path
            .split('.')
            .map(|step| {
                let (token, index) = step.split_at(step.find('[').unwrap_or(step.len()));
                let name = self.names.get(token).map_or(token, String::as_str);
                format!("{name}{index}")
            })
            .collect();
        steps.join(".")
    }

    /// The filter as the API's `FilterSpecification` in JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut members = serde_json::Map::new();
        let expressions = [
            ("KeyConditionExpression", &self.key_condition),
            ("FilterExpression", &self.expression),
            ("ProjectionExpression", &self.projection),
        ];
        for (member, expression) in expressions {
            if let Some(expression) = expression {
                members.insert(member.to_owned(), expression.as_str().into());
            }
        }
        if !self.names.is_empty() {
            let names = self.names.iter();
            let names: serde_json::Map<_, _> = names
                .map(|(token, name)| (token.clone(), name.as_str().into()))
                .collect();
            members.insert("ExpressionAttributeNames".to_owned(), names.into());
        }
        if !self.values.is_empty() {
            let values = self.values.clone();
            let values: serde_json::Map<_, _> = values.into_iter().collect();
            members.insert("ExpressionAttributeValues".to_owned(), values.into());
        }
        members.into()
    }
}
