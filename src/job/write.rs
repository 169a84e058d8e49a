//! Writing a plan as the TOML that a person would have written: only what is set, in the order in
//! which it is explained.

use std::fmt::Write as _;

use super::inventory::Inventory;
use super::load::Load;
use super::table_definition::{Capacity, Projection, TableDefinition, TableKeys};
use super::{
    Encryption, Filter, Format, Kind, Mask, MaskMethod, Plan, SecretSource, SignIn, SpanChoice,
    TableJob, TableSelector, View,
};

impl Plan {
    /// The plan as a plan file; [`Plan::parse`] reads the same plan from it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut file = PlanWriter::default();
        if let Kind::Upload(upload) = &self.kind {
            file.text("kind", "upload");
            file.line("multipart", &upload.is_multipart.into());
        }
        if let Kind::Inventory(inventory) = &self.kind {
            file.inventory(inventory);
        }
        if let Kind::Reading(_) = &self.kind {
            file.text("kind", "read");
        }
        if self.new_table().is_some() {
            file.text("kind", "import");
        }
        if let Some(load) = self.load() {
            file.text("kind", if load.is_replay() { "replay" } else { "load" });
        }
        file.header("[source]");
        file.sign_in(&self.source.sign_in);
        file.optional("bucket", self.source_bucket());
        file.optional("principal", self.principal());
        let (destination, encryption) = match &self.mask {
            Some(mask) => (&mask.destination, &mask.encryption),
            None => (&self.destination, &self.encryption),
        };
        file.header("[destination]");
        if let Some(sign_in) = &destination.sign_in {
            file.sign_in(sign_in);
        }
        let (bucket, prefix) = (&destination.bucket, destination.prefix());
        if self.new_table().is_some() || self.load().is_some() {
            let folder = prefix.unwrap_or_default();
            file.text("archive", &format!("s3://{bucket}/{folder}"));
            file.optional("owner", destination.owner.as_ref());
            if let Some(load) = self.load() {
                file.read_from(load);
            }
        } else {
            file.text("bucket", bucket.as_str());
            file.optional("owner", destination.owner.as_ref());
            file.optional("prefix", prefix.as_ref());
        }
        let by_default = match &self.kind {
            Kind::Export => Encryption::Aes256,
            Kind::Upload(_)
            | Kind::Inventory(_)
            | Kind::Reading(_)
            | Kind::Import(_)
            | Kind::Load(_) => Encryption::BucketDefault,
        };
        if *encryption != by_default {
            file.header("[encryption]");
            file.text("algorithm", encryption.as_str());
            file.optional("key", encryption.key().as_ref());
        }
        if let Some(mask) = &self.mask {
            file.mask(mask, self);
        }
        if let Some(table) = self.new_table() {
            file.new_table(table);
        }
        if let Some(load) = self.load() {
            file.written_table(load, &self.tables);
            return file.text;
        }
        for job in &self.tables {
            let span = SpanChoice::from(&job.span);
            file.entry(&job.table, job.format, &span, job.filter.as_ref());
        }
        for selector in &self.selectors {
            let TableSelector {
                tables,
                format,
                span,
                filter,
            } = selector;
            file.entry(tables, *format, span, filter.as_ref());
        }
        file.text
    }
}

#[derive(Default)]
struct PlanWriter {
    text: String,
}

impl PlanWriter {
    fn header(&mut self, header: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(header);
        self.text.push('\n');
    }

    fn line(&mut self, key: &str, value: &toml::Value) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.line(key, &text.into());
    }

    fn optional(&mut self, key: &str, value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.text(key, &value.to_string());
        }
    }

    fn inventory(&mut self, inventory: &Inventory) {
        self.text("kind", "inventory");
        self.text("id", &inventory.id);
        self.text("format", inventory.format.as_str());
        self.text("frequency", inventory.frequency.as_str());
        self.text("versions", inventory.versions.as_str());
        self.optional("filter", inventory.filter.as_ref());
        if !inventory.fields.is_empty() {
            let fields = inventory.fields.iter().map(|field| field.as_str().into());
            self.line("fields", &toml::Value::Array(fields.collect()));
        }
    }

    /// A mask; of the plan it takes where the export is staged.
    fn mask(&mut self, mask: &Mask, plan: &Plan) {
        let staging = &plan.destination;
        self.header("[mask]");
        self.text("staging", staging.bucket.as_str());
        self.optional("staging_owner", staging.owner.as_ref());
        self.optional("staging_prefix", staging.prefix.as_ref());
        self.optional("staging_key", plan.encryption.key().as_ref());
        if mask.staging_leaves_the_account {
            self.line("staging_leaves_the_account", &true.into());
        }
        match &mask.secret {
            Some(SecretSource::File(path)) => self.text("secret_file", &path.to_string_lossy()),
            Some(SecretSource::Environment(name)) => self.text("secret_environment", name),
            None => {}
        }
        for rule in &mask.rules {
            self.header("[[mask.attributes]]");
            self.text("path", &rule.path.to_string());
            self.text("as", rule.method.as_str());
            if let MaskMethod::Replace(value) = &rule.method
                && let Some(value) = from_json(value)
            {
                self.line("with", &value);
            }
        }
    }

    fn new_table(&mut self, table: &TableDefinition) {
        self.header("[table]");
        self.text("name", &table.name);
        self.keys(&table.keys);
        self.capacity(table.capacity);
        self.optional("key", table.kms_key.as_ref());
        for index in &table.indexes {
            self.header("[[table.indexes]]");
            self.text("name", &index.name);
            self.keys(&index.keys);
            match &index.projection {
                Projection::All => {}
                Projection::KeysOnly => self.text("projection", "KEYS_ONLY"),
                Projection::Include(names) => {
                    let names = names.iter().map(|name| name.as_str().into());
                    self.line("attributes", &toml::Value::Array(names.collect()));
                }
            }
            self.capacity(index.capacity);
        }
    }

    /// Where the exports of a load or a replay are read.
    fn read_from(&mut self, load: &Load) {
        if let Some(directory) = &load.directory {
            self.text("directory", &directory.to_string_lossy());
        }
        if load.is_replay() {
            let windows = load.windows.iter().map(|window| window.to_string().into());
            self.line("windows", &toml::Value::Array(windows.collect()));
        }
    }

    /// The table that a load or a replay writes to.
    fn written_table(&mut self, load: &Load, tables: &[TableJob]) {
        self.header("[table]");
        self.optional("name", tables.first().map(|job| &job.table));
        if let Some(units) = load.most_write_units {
            let units = i64::try_from(units).unwrap_or(i64::MAX);
            self.line("max_write_units", &units.into());
        }
        if load.is_onto_source {
            self.line("onto_source", &true.into());
        }
    }

    fn keys(&mut self, keys: &TableKeys) {
        self.text("partition_key", &keys.partition.to_string());
        self.optional("sort_key", keys.sort.as_ref());
    }

    fn capacity(&mut self, capacity: Option<Capacity>) {
        let Some(capacity) = capacity else { return };
        for (key, units) in [
            ("read_units", capacity.read_units),
            ("write_units", capacity.write_units),
        ] {
            let units = i64::try_from(units).unwrap_or(i64::MAX);
            self.line(key, &units.into());
        }
    }

    fn sign_in(&mut self, sign_in: &SignIn) {
        self.text("profile", &sign_in.profile);
        self.optional("region", sign_in.region.as_ref());
        self.optional("role", sign_in.role.as_ref());
        self.optional("external_id", sign_in.external_id.as_ref());
        self.optional("session_name", sign_in.session_name.as_ref());
        self.optional("source_identity", sign_in.source_identity.as_ref());
        if let Some(seconds) = sign_in.duration_seconds {
            self.line("duration_seconds", &i64::from(seconds).into());
        }
        self.optional("mfa_serial", sign_in.mfa_serial.as_ref());
    }

    fn entry(
        &mut self,
        name: &impl ToString,
        format: Format,
        span: &SpanChoice,
        filter: Option<&Filter>,
    ) {
        self.header("[[tables]]");
        self.text("name", &name.to_string());
        if format != Format::default() {
            self.text("format", format.as_str());
        }
        match span {
            SpanChoice::Full { time } => self.optional("time", time.as_ref()),
            SpanChoice::Changes { from, to, view } => {
                self.text("type", "INCREMENTAL_EXPORT");
                self.text("from", &from.to_string());
                self.optional("to", to.as_ref());
                if *view != View::default() {
                    self.text("view", view.as_str());
                }
            }
        }
        if let Some(filter) = filter {
            self.filter(filter);
        }
    }

    fn filter(&mut self, filter: &Filter) {
        self.header("[tables.filter]");
        self.optional("key_condition", filter.key_condition.as_ref());
        self.optional("expression", filter.expression.as_ref());
        self.optional("projection", filter.projection.as_ref());
        if !filter.names.is_empty() {
            let names = filter.names.iter();
            let names: toml::Table = names
                .map(|(token, name)| (token.clone(), name.as_str().into()))
                .collect();
            self.line("names", &names.into());
        }
        if !filter.values.is_empty() {
            let values = filter.values.iter();
            let values: toml::Table = values
                .filter_map(|(token, value)| Some((token.clone(), from_json(value)?)))
                .collect();
            self.line("values", &values.into());
        }
    }
}

/// The same value in TOML, which knows no null; a null is none of DynamoDB's attribute values.
fn from_json(value: &serde_json::Value) -> Option<toml::Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => number.to_string().into(),
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => {
            toml::Value::Array(items.iter().filter_map(from_json).collect())
        }
        serde_json::Value::Object(members) => toml::Value::Table(
            members
                .iter()
                .filter_map(|(name, member)| Some((name.clone(), from_json(member)?)))
                .collect(),
        ),
    })
}
