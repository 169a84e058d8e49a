//! The statements with which an archive is queried in Athena: a table, a partition for the export, and a
//! first query.
//!
//! Columns come from the data itself. Lines in JSON keep their types as fields (`item.total.n`), since an
//! attribute may have several; lines in Ion have the values themselves. A full export is a partition by its
//! own folder. The folder of incremental exports is shared by all of them, so that a partition of theirs is
//! a list of files (`SymlinkTextInputFormat`, as S3 Inventory uses it), which must be put beside them.

mod names;
mod shape;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use names::{Names, have_case_twins};
use shape::{Fields, Shape};

use super::line::KeySchema;
use super::manifest::Summary;
use super::value::Record;
use crate::job::{Format, Span};

/// What the items of an archive are, as far as they were read.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    item: Fields,
    keys: Fields,
    records: u64,
}

/// Where an archive lies and what is to be called how.
#[derive(Debug, Clone)]
pub struct Placement {
    /// The bucket.
    pub bucket: String,
    /// The folder of the manifests, with a closing slash.
    pub folder: String,
    /// The keys of the data files.
    pub files: Vec<String>,
    /// The export's id.
    pub id: String,
    /// The name of the table in Athena; `None` for one made of the table's name.
    pub table: Option<String>,
}

impl Columns {
    /// Takes in what a line holds.
    pub fn add(&mut self, record: &Record) {
        self.records += 1;
        match record {
            Record::Item(item) => self.item.add(item),
            Record::Change(change) => {
                self.keys.add(&change.keys);
                for image in [&change.old_image, &change.new_image].into_iter().flatten() {
                    self.item.add(image);
                }
            }
        }
    }

    /// How many lines were taken in.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    fn fields(&self) -> [&Fields; 2] {
        [&self.item, &self.keys]
    }
}

/// The list of an incremental export's files, for its partition: one URI a line.
#[must_use]
pub fn file_list(placement: &Placement) -> String {
    let mut text = String::new();
    for key in &placement.files {
        let _ = writeln!(text, "s3://{}/{key}", placement.bucket);
    }
    text
}

/// Where the list of an incremental export's files is to be put.
#[must_use]
pub fn list_key(placement: &Placement) -> String {
    let above = above(&placement.folder);
    format!("{above}athena/{}/files.txt", placement.id)
}

/// The statements, each ended by a semicolon, with remarks as SQL comments.
#[must_use]
pub fn statements(
    summary: &Summary,
    columns: &Columns,
    keys: Option<&KeySchema>,
    placement: &Placement,
) -> String {
    let writer = StatementWriter {
        is_ion: summary.format == Some(Format::Ion),
        is_incremental: matches!(summary.span, Some(Span::Incremental { .. })),
        names: names(columns, summary.format == Some(Format::Ion)),
        has_case_twins: has_case_twins(columns),
        table: placement
            .table
            .clone()
            .unwrap_or_else(|| table_name(summary)),
    };
    let mut text = String::new();
    writer.remarks(summary, columns, placement, &mut text);
    writer.create(columns, placement, &mut text);
    writer.partition(placement, &mut text);
    writer.query(columns, keys, placement, &mut text);
    text
}

/// All names of the columns, with their aliases. Ion's reader has no mappings.
fn names(columns: &Columns, is_ion: bool) -> Names {
    let mut all = BTreeSet::from(MEMBERS);
    for fields in columns.fields() {
        gather(fields, &mut all);
    }
    if is_ion {
        return Names::unmapped(&all);
    }
    all.extend(TYPES);
    Names::new(&all, has_case_twins(columns))
}

fn has_case_twins(columns: &Columns) -> bool {
    let mut has_twins = false;
    for fields in columns.fields() {
        each_map(fields, &mut |names| {
            has_twins |= have_case_twins(names.iter().copied());
        });
    }
    has_twins
}

fn gather<'c>(fields: &'c Fields, all: &mut BTreeSet<&'c str>) {
    each_map(fields, &mut |names| all.extend(names));
}

/// Hands out the names of each map, itself first.
fn each_map<'c>(fields: &'c Fields, each: &mut dyn FnMut(&[&'c str])) {
    match fields {
        Fields::Named(named) => {
            each(&named.keys().map(String::as_str).collect::<Vec<_>>());
            for shape in named.values() {
                each_map_below(shape, each);
            }
        }
        Fields::Keyed(shape) => each_map_below(shape, each),
    }
}

fn each_map_below<'c>(shape: &'c Shape, each: &mut dyn FnMut(&[&'c str])) {
    if let Some(list) = &shape.list {
        each_map_below(list, each);
    }
    if let Some(map) = &shape.map {
        each_map(map, each);
    }
}

/// The members of a line.
const MEMBERS: [&str; 7] = [
    "Item",
    "Record",
    "Keys",
    "Metadata",
    "WriteTimestampMicros",
    "OldImage",
    "NewImage",
];
/// The names of types in `DynamoDB` JSON.
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"];

/// Writes the statements of one archive.
struct StatementWriter {
    is_ion: bool,
    is_incremental: bool,
    names: Names,
    /// Whether names of one map differ in case only.
    has_case_twins: bool,
    table: String,
}

impl StatementWriter {
    fn remarks(
        &self,
        summary: &Summary,
        columns: &Columns,
        placement: &Placement,
        out: &mut String,
    ) {
        let mut remark = |text: &str| {
            let _ = writeln!(out, "-- {}", text.replace(['\n', '\r'], " "));
        };
        remark(&format!(
            "{} ({} items)",
            summary.export_arn, summary.item_count
        ));
        remark(&format!(
            "Columns are those of the {} lines that were read.",
            columns.records
        ));
        if self.is_incremental {
            remark(
                "The folder of the data files is shared by all incremental exports below the prefix: the",
            );
            remark("partition is the list of this export's files. Put it in its place first:");
            remark(&format!(
                "  tableferry athena s3://{}/{} --list | aws s3 cp - s3://{}/{}",
                placement.bucket,
                placement.folder,
                placement.bucket,
                list_key(placement)
            ));
        }
        if self.is_ion {
            remark(
                "No data file in Ion that AWS wrote was ever compared with this; Athena's types of Ion have",
            );
            remark("no place for an attribute of several types, which is read as string here.");
            if self.has_case_twins {
                remark(
                    "Names that differ in case only cannot be told apart below a column of Ion.",
                );
            }
        }
        let unmappable = self.names.mappings().filter(|(_, name)| name.contains('|'));
        for (_, name) in unmappable {
            remark(&format!(
                "{name:?}: the SerDe takes the sign | for a choice of names"
            ));
        }
    }

    fn create(&self, columns: &Columns, placement: &Placement, out: &mut String) {
        let location = format!("s3://{}/{}", placement.bucket, above(&placement.folder));
        let _ = writeln!(
            out,
            "CREATE EXTERNAL TABLE IF NOT EXISTS {} (",
            quoted(&self.table)
        );
        let members = self.members(columns);
        let members: Vec<String> = members
            .iter()
            .map(|(name, kind)| format!("  {} {kind}", quoted(self.names.alias(name))))
            .collect();
        let _ = writeln!(out, "{}\n)", members.join(",\n"));
        out.push_str("PARTITIONED BY (`export` string)\n");
        if self.is_ion {
            out.push_str("ROW FORMAT SERDE 'com.amazon.ionhiveserde.IonHiveSerDe'\n");
        } else {
            out.push_str("ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n");
            self.properties(out);
        }
        match (self.is_incremental, self.is_ion) {
            (true, _) => out.push_str(
                "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'\n\
                 OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n",
            ),
            (false, true) => out.push_str(
                "STORED AS INPUTFORMAT 'com.amazon.ionhiveserde.formats.IonInputFormat'\n\
                 OUTPUTFORMAT 'com.amazon.ionhiveserde.formats.IonOutputFormat'\n",
            ),
            (false, false) => {}
        }
        let _ = writeln!(out, "LOCATION {};\n", text_of(&location));
    }

    fn properties(&self, out: &mut String) {
        let mut properties = Vec::new();
        if self.names.is_case_sensitive {
            properties.push(("case.insensitive".to_owned(), "FALSE".to_owned()));
        }
        if self.names.have_dots() {
            properties.push(("dots.in.keys".to_owned(), "TRUE".to_owned()));
        }
        for (alias, name) in self.names.mappings() {
            properties.push((format!("mapping.{alias}"), name.to_owned()));
        }
        if properties.is_empty() {
            return;
        }
        let properties: Vec<String> = properties
            .iter()
            .map(|(name, value)| format!("  {} = {}", text_of(name), text_of(value)))
            .collect();
        let _ = writeln!(out, "WITH SERDEPROPERTIES (\n{}\n)", properties.join(",\n"));
    }

    /// The columns with their types.
    fn members(&self, columns: &Columns) -> Vec<(&'static str, String)> {
        let item = self.fields(&columns.item);
        if !self.is_incremental {
            return vec![("Item", item)];
        }
        let written = if self.is_ion {
            "decimal(38,0)"
        } else {
            "struct<`n`:string>"
        };
        let metadata = format!(
            "struct<{}:{written}>",
            quoted(self.names.alias("WriteTimestampMicros"))
        );
        let keys = self.fields(&columns.keys);
        if self.is_ion {
            let record = format!(
                "struct<`keys`:{keys},`metadata`:{metadata},`oldimage`:{item},`newimage`:{item}>"
            );
            return vec![("Record", record)];
        }
        vec![
            ("Metadata", metadata),
            ("Keys", keys),
            ("OldImage", item.clone()),
            ("NewImage", item),
        ]
    }

    fn fields(&self, fields: &Fields) -> String {
        match fields {
            // A table whose items were all empty has keys at least; a struct has one field or more.
            Fields::Named(named) if named.is_empty() => "map<string,string>".to_owned(),
            Fields::Named(named) => {
                // In Ion, which has no mappings, names that become one are one field.
                let mut seen = BTreeSet::new();
                let fields: Vec<String> = named
                    .iter()
                    .filter(|(name, _)| seen.insert(self.names.alias(name)))
                    .map(|(name, shape)| {
                        format!("{}:{}", quoted(self.names.alias(name)), self.value(shape))
                    })
                    .collect();
                format!("struct<{}>", fields.join(","))
            }
            Fields::Keyed(shape) => format!("map<string,{}>", self.value(shape)),
        }
    }

    fn value(&self, shape: &Shape) -> String {
        if self.is_ion {
            return self.ion_value(shape);
        }
        let list = || {
            shape
                .list
                .as_ref()
                .map(|list| format!("array<{}>", self.value(list)))
        };
        let array = || "array<string>".to_owned();
        let kinds = [
            ("S", shape.is_string.then(|| "string".to_owned())),
            ("N", shape.number.map(|_| "string".to_owned())),
            ("B", shape.is_binary.then(|| "string".to_owned())),
            ("BOOL", shape.is_bool.then(|| "boolean".to_owned())),
            ("NULL", shape.is_null.then(|| "boolean".to_owned())),
            ("SS", shape.is_strings.then(array)),
            ("NS", shape.numbers.map(|_| array())),
            ("BS", shape.is_binaries.then(array)),
            ("L", list()),
            ("M", shape.map.as_ref().map(|map| self.fields(map))),
        ];
        let fields: Vec<String> = kinds
            .into_iter()
            .filter_map(|(name, kind)| {
                Some(format!("{}:{}", quoted(self.names.alias(name)), kind?))
            })
            .collect();
        if fields.is_empty() {
            // The members of lists that are all empty.
            return "struct<`s`:string>".to_owned();
        }
        format!("struct<{}>", fields.join(","))
    }

    /// The one type of an attribute; the type of none or several is string.
    fn ion_value(&self, shape: &Shape) -> String {
        let decimal = |digits: shape::Digits| match digits.decimal() {
            Some((precision, scale)) => format!("decimal({precision},{scale})"),
            None => "double".to_owned(),
        };
        let mut kinds = [
            shape.is_string.then(|| "string".to_owned()),
            shape.number.map(decimal),
            shape.is_binary.then(|| "binary".to_owned()),
            shape.is_bool.then(|| "boolean".to_owned()),
            shape.is_strings.then(|| "array<string>".to_owned()),
            shape
                .numbers
                .map(|digits| format!("array<{}>", decimal(digits))),
            shape.is_binaries.then(|| "array<binary>".to_owned()),
            shape
                .list
                .as_ref()
                .map(|list| format!("array<{}>", self.ion_value(list))),
            shape.map.as_ref().map(|map| self.fields(map)),
        ]
        .into_iter()
        .flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind,
            _ => "string".to_owned(),
        }
    }

    fn partition(&self, placement: &Placement, out: &mut String) {
        let folder = if self.is_incremental {
            let key = list_key(placement);
            format!("s3://{}/{}", placement.bucket, above(&key))
        } else {
            format!("s3://{}/{}data/", placement.bucket, placement.folder)
        };
        let _ = writeln!(
            out,
            "ALTER TABLE {} ADD IF NOT EXISTS PARTITION (`export` = {}) LOCATION {};\n",
            quoted(&self.table),
            text_of(&placement.id),
            text_of(&folder)
        );
    }

    /// A query of the keys and a few other attributes. Athena's queries quote names otherwise than its DDL.
    fn query(
        &self,
        columns: &Columns,
        keys: Option<&KeySchema>,
        placement: &Placement,
        out: &mut String,
    ) {
        let item = match (self.is_incremental, self.is_ion) {
            (false, _) => "\"item\"",
            (true, false) => "\"newimage\"",
            (true, true) => "\"record\".\"newimage\"",
        };
        let mut selected = Vec::new();
        if let Fields::Named(named) = &columns.item {
            let is_key = |name: &str| {
                keys.is_some_and(|keys| keys.attributes().any(|attribute| attribute.name == name))
            };
            let mut attributes: Vec<_> = named.iter().collect();
            attributes.sort_by_key(|(name, _)| !is_key(name));
            selected.extend(
                attributes
                    .into_iter()
                    .filter_map(|(name, shape)| self.selected(item, name, shape))
                    .take(8),
            );
        }
        if selected.is_empty() {
            selected.push(item.to_owned());
        }
        let _ = writeln!(
            out,
            "SELECT\n  {}\nFROM \"{}\"\nWHERE \"export\" = {}\nLIMIT 10;",
            selected.join(",\n  "),
            self.table,
            text_of(&placement.id)
        );
    }

    /// An attribute of one plain type, as its value.
    fn selected(&self, item: &str, name: &str, shape: &Shape) -> Option<String> {
        let alias = self.names.alias(name);
        let field = format!("{item}.\"{alias}\"");
        let typed = |kind: &str| format!("{field}.\"{}\"", self.names.alias(kind));
        let value = match (shape.is_string, shape.number, shape.is_bool) {
            (true, None, false) | (false, Some(_), false) | (false, None, true) if self.is_ion => {
                field
            }
            (true, None, false) => typed("S"),
            (false, Some(digits), false) => match digits.decimal() {
                Some((precision, scale)) => {
                    format!("CAST({} AS decimal({precision},{scale}))", typed("N"))
                }
                None => format!("CAST({} AS double)", typed("N")),
            },
            (false, None, true) => typed("BOOL"),
            _ => return None,
        };
        Some(format!("{value} AS \"{alias}\""))
    }
}

/// A name in DDL: "To escape them, enclose them in backticks" (Athena user guide, reserved keywords).
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "_"))
}

fn text_of(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The folder above a folder or key, with a closing slash, or nothing.
fn above(key: &str) -> &str {
    let key = key.trim_end_matches('/');
    key.rfind('/')
        .map_or("", |end| key.get(..=end).unwrap_or(""))
}

/// A table's name as Athena takes it.
fn table_name(summary: &Summary) -> String {
    let name = summary.table_arn.rsplit('/').next().unwrap_or_default();
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let kind = match summary.span {
        Some(Span::Incremental { .. }) => "changes",
        _ => "export",
    };
    format!("{plain}_{kind}")
}

#[cfg(test)]
mod tests;
