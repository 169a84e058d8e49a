//! Reading a plan file: the whole of it in one pass, with every violation told.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::consistency::ConsistencyCheck;
use super::reading::Reading;
use super::section::{Section, one_of, wrong_type};
use super::table_job::Entry;
use super::upload::Upload;
use super::value::{self, Prefix};
use super::violation::Violations;
use super::{
    Destination, Encryption, Kind, Now, Plan, Source, TableJob, TableSelector, encryption, import,
    inventory, load, mask, reading, sign_in, table_job,
};
use crate::text_file::without_mark;
use tableferry_policy::arn::{Arn, Region};

/// The keys and sections that a plan of a kind takes.
const fn known(word: KindWord) -> &'static [&'static str] {
    match word {
        KindWord::Export => &[
            "kind",
            "source",
            "destination",
            "encryption",
            "mask",
            "tables",
        ],
        KindWord::Upload => &["kind", "multipart", "source", "destination", "encryption"],
        KindWord::Inventory => &inventory::parse::KEYS,
        KindWord::Reading => &["kind", "source", "destination", "encryption"],
        KindWord::Import => &import::parse::KEYS,
        KindWord::Load | KindWord::Replay => &load::parse::KEYS,
    }
}

/// The sections that every plan has, and how to add them; the last is an export's alone.
const REQUIRED: [(&str, &str); 3] = [
    ("source", "add [source] with `profile = \"…\"` below it"),
    (
        "destination",
        "add [destination] with `bucket = \"…\"` below it",
    ),
    (
        "tables",
        "add [[tables]] with `name = \"…\"` below it, once for each table",
    ),
];

/// A kind as a plan file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KindWord {
    Export,
    Upload,
    Inventory,
    Reading,
    Import,
    Load,
    Replay,
}

impl KindWord {
    /// What the principal of such a plan does, where the plan may name it.
    const fn does(self) -> &'static str {
        match self {
            Self::Export | Self::Inventory => "exports",
            Self::Upload => "uploads",
            Self::Reading => "reads",
            Self::Import => "imports",
            Self::Load => "loads",
            Self::Replay => "replays",
        }
    }
}

/// The words for kinds; a plan without one is an export.
const KINDS: [(&str, KindWord); 7] = [
    ("export", KindWord::Export),
    ("upload", KindWord::Upload),
    ("inventory", KindWord::Inventory),
    ("read", KindWord::Reading),
    ("import", KindWord::Import),
    ("load", KindWord::Load),
    ("replay", KindWord::Replay),
];

impl Plan {
    /// Reads a plan file's text; `file` is what violations call it, and `now` the time after which
    /// nothing can be exported, and from which relative times count.
    ///
    /// It checks every rule that needs no call, and tells all violations at once. A closing slash
    /// of the prefix is taken away, since DynamoDB itself puts one before `AWSDynamoDB`.
    pub fn parse(text: &str, file: &str, now: impl Into<Now>) -> Result<Self, Violations> {
        let text = without_mark(text);
        let mut violations = Violations::default();
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            violations.add(at, error.message(), syntax_hint(error.message()));
        }
        if !violations.is_empty() {
            return Err(violations.located(file, text));
        }
        let plan = read(document.get_ref(), &now.into(), &mut violations);
        match plan {
            Some(plan) if violations.is_empty() => Ok(plan),
            _ => Err(violations.located(file, text)),
        }
    }

    /// Reads a plan file's bytes, as [`Plan::parse`] reads its text.
    pub fn from_bytes(bytes: &[u8], file: &str, now: impl Into<Now>) -> Result<Self, Violations> {
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Self::parse(text, file, now),
            Err(error) => error,
        };
        let (readable, _) = bytes.split_at(error.valid_up_to());
        let readable = String::from_utf8_lossy(readable);
        let mut violations = Violations::default();
        violations.add(
            readable.len(),
            "the file is not UTF-8 text from here on",
            "save it as UTF-8",
        );
        Err(violations.located(file, &readable))
    }

    /// The plan as its own file would be read, with the same rules; for plans that were put
    /// together otherwise. Lines of violations are those of [`Plan::to_toml`].
    pub fn checked(&self, now: impl Into<Now>) -> Result<Self, Violations> {
        Self::parse(&self.to_toml(), "plan", now)
    }
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "keep one of the two"
    } else if message.contains("must be quoted") {
        "put the value in quotes"
    } else if message.contains("string") || message.contains("escape") {
        "a string begins and ends with a quote on one line; a backslash in it is written twice"
    } else {
        "a plan is TOML: [section] lines, [[tables]] lines, and one `key = \"value\"` a line"
    }
}

fn read(table: &DeTable<'_>, now: &Now, violations: &mut Violations) -> Option<Plan> {
    let root = Section::new("a plan", 0, table);
    if table.is_empty() {
        violations.add(
            0,
            "the plan is empty",
            "a plan needs [source] with `profile`, [destination] with `bucket`, and [[tables]] with `name`",
        );
        return None;
    }
    let word = match root.value("kind") {
        None => KindWord::Export,
        Some(_) => one_of(root, "kind", &KINDS, violations)?.into_inner(),
    };
    root.refuse_unknown(known(word), violations);
    for (section, hint) in REQUIRED {
        if section != "tables" || word == KindWord::Export {
            root.require(section, hint, violations);
        }
    }
    let mut consistency = ConsistencyCheck::default();
    let section = root.table("source", "[source]", violations);
    let (mut source, mut principal) = (None, None);
    match (word, section) {
        (_, None) => {}
        (
            KindWord::Export | KindWord::Import | KindWord::Load | KindWord::Replay,
            Some(section),
        ) => {
            source = read_source(section, &mut consistency, violations);
        }
        (KindWord::Inventory, Some(section)) => {
            source = inventory::parse::read_source(section, &mut consistency, violations);
        }
        (KindWord::Upload | KindWord::Reading, Some(section)) => {
            principal = read_principal(section, word, &mut consistency, violations);
            source = sign_in::read(section, "source", &mut consistency, violations)
                .map(|sign_in| Source { sign_in });
        }
    }
    let destination = root
        .table("destination", "[destination]", violations)
        .and_then(|section| match word {
            KindWord::Reading => reading::parse::read_place(section, &mut consistency, violations),
            KindWord::Import => {
                let sign_in = sign_in::read_destination(section, &mut consistency, violations);
                import::parse::read_place(section, sign_in, violations)
            }
            KindWord::Load | KindWord::Replay => {
                let sign_in = sign_in::read_destination(section, &mut consistency, violations);
                let is_replay = word == KindWord::Replay;
                load::parse::read_place(section, is_replay, sign_in, violations)
            }
            _ => read_destination(section, &mut consistency, violations),
        });
    if let (KindWord::Upload | KindWord::Reading, None) = (word, &source)
        && let (Some(section), Some(destination)) = (section, &destination)
    {
        source = read_as(section, word, destination, principal.is_some(), violations);
    }
    let (kind, written) = read_kind(
        root,
        word,
        (section, principal, destination.as_ref()),
        &mut consistency,
        violations,
    );
    let by_default = default_encryption(word);
    let section = root.table("encryption", "[encryption]", violations);
    let encryption = section.map_or(by_default.clone(), |section| {
        encryption::read(section, by_default, &mut consistency, violations)
    });
    if let (KindWord::Inventory, Some(section)) = (word, section) {
        inventory::parse::refuse_key(section, &encryption, violations);
    }
    let home = source
        .as_ref()
        .and_then(|source| source.sign_in.region.clone());
    let (mut tables, selectors) =
        read_tables(root, now, home.as_ref(), &mut consistency, violations);
    tables.extend(written);
    let plan = match (kind, source, destination) {
        (Some(kind), Some(source), Some(destination)) => Some(Plan {
            kind,
            source,
            destination,
            encryption,
            mask: None,
            tables,
            selectors,
        }),
        _ => None,
    };
    let plan = read_mask(root, (word, plan), &mut consistency, violations);
    consistency.check(violations);
    plan
}

/// How the objects of a kind of job are encrypted where the plan does not say.
fn default_encryption(word: KindWord) -> Encryption {
    match word {
        KindWord::Export => Encryption::default(),
        KindWord::Upload
        | KindWord::Inventory
        | KindWord::Reading
        | KindWord::Import
        | KindWord::Load
        | KindWord::Replay => Encryption::BucketDefault,
    }
}

/// What the plan asks for, and the table that a load or a replay writes to.
fn read_kind(
    root: Section<'_, '_>,
    word: KindWord,
    (section, principal, destination): (Option<Section<'_, '_>>, Option<Arn>, Option<&Destination>),
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> (Option<Kind>, Option<TableJob>) {
    let mut written = None;
    let kind = match word {
        KindWord::Export => Some(Kind::Export),
        KindWord::Import => {
            import::parse::read_table(root, consistency, violations).map(Kind::Import)
        }
        KindWord::Load | KindWord::Replay => {
            let is_replay = word == KindWord::Replay;
            load::parse::read(root, is_replay, destination, consistency, violations).map(
                |(load, target)| {
                    written = Some(target);
                    Kind::Load(load)
                },
            )
        }
        KindWord::Inventory => {
            inventory::parse::read(root, section, violations).map(Kind::Inventory)
        }
        KindWord::Upload => Some(Kind::Upload(Upload {
            principal,
            is_multipart: root.boolean("multipart", violations).unwrap_or(true),
        })),
        KindWord::Reading => Some(Kind::Reading(Reading { principal })),
    };
    (kind, written)
}

/// The plan with its mask, where it has one: it exports into the staging bucket then.
fn read_mask(
    root: Section<'_, '_>,
    (word, plan): (KindWord, Option<Plan>),
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Plan> {
    let section = root.table("mask", "[mask]", violations);
    match section.filter(|_| word == KindWord::Export) {
        Some(section) => mask::parse::read(section, plan, consistency, violations),
        None => plan,
    }
}

fn read_source(
    section: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Source> {
    section.refuse_unknown(&sign_in::KEYS, violations);
    section.require(
        "profile",
        "add `profile = \"…\"`, a profile of the shared config file",
        violations,
    );
    let sign_in = sign_in::read(section, "source", consistency, violations)?;
    Some(Source { sign_in })
}

/// The principal that uploads or reads, where it is named.
fn read_principal(
    section: Section<'_, '_>,
    word: KindWord,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Arn> {
    let mut known = sign_in::KEYS.to_vec();
    known.push("principal");
    section.refuse_unknown(&known, violations);
    let principal = section.text_that("principal", violations, |text| {
        value::principal(text, word.does())
    })?;
    consistency.note_arn("the principal", principal.get_ref(), principal.span());
    Some(principal.into_inner())
}

/// How the source signs in where it names no profile: what can be read of the principal is read by the
/// destination's.
fn read_as(
    section: Section<'_, '_>,
    word: KindWord,
    destination: &Destination,
    has_principal: bool,
    violations: &mut Violations,
) -> Option<Source> {
    if section.value("profile").is_some() {
        return None;
    }
    if section.value("principal").is_none() {
        let does = word.does();
        let hint = format!(
            "add `profile = \"…\"`, a profile of the shared config file, or `principal = \"arn:…\"`, \
             the user or role that {does}"
        );
        section.require("profile", &hint, violations);
    } else if has_principal && destination.sign_in.is_none() {
        violations.add(
            section.at,
            "the plan names no profile to read anything with",
            "add `profile = \"…\"` to [source] or to [destination]",
        );
    }
    let sign_in = destination.sign_in.clone().filter(|_| has_principal)?;
    Some(Source { sign_in })
}

fn read_destination(
    section: Section<'_, '_>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Destination> {
    let mut known = sign_in::KEYS.to_vec();
    known.extend(["bucket", "owner", "prefix"]);
    section.refuse_unknown(&known, violations);
    section.require("bucket", "add `bucket = \"…\"`, its name", violations);
    let sign_in = sign_in::read_destination(section, consistency, violations);
    let bucket = section.text_that("bucket", violations, value::bucket);
    let owner = section.text_that("owner", violations, value::bucket_owner);
    let prefix = section.text_that("prefix", violations, str::parse::<Prefix>);
    Some(Destination {
        sign_in,
        bucket: bucket?.into_inner(),
        owner: owner.map(Spanned::into_inner),
        prefix: prefix.map(Spanned::into_inner),
    })
}

fn read_tables(
    root: Section<'_, '_>,
    now: &Now,
    home: Option<&Region>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> (Vec<TableJob>, Vec<TableSelector>) {
    let (mut jobs, mut selectors) = (Vec::new(), Vec::new());
    let Some(value) = root.value("tables") else {
        return (jobs, selectors);
    };
    let at = value.span().start;
    let DeValue::Array(items) = value.get_ref() else {
        violations.add(
            at,
            wrong_type("tables", "a list of tables", value.get_ref()),
            "write [[tables]] in double brackets, with `name = \"…\"` below it",
        );
        return (jobs, selectors);
    };
    if items.is_empty() {
        violations.add(
            at,
            "the plan names no table",
            "add [[tables]] with `name = \"…\"` below it",
        );
    }
    let mut spanned: Vec<Spanned<TableJob>> = Vec::new();
    for item in items {
        match read_entry(item, now, consistency, violations) {
            Some(Entry::Tables(jobs)) => {
                spanned.extend(jobs.into_iter().map(|job| Spanned::new(item.span(), job)));
            }
            Some(Entry::Selector(selector)) => selectors.push(*selector),
            None => {}
        }
    }
    table_job::refuse_duplicates(&spanned, home, violations);
    jobs.extend(spanned.into_iter().map(Spanned::into_inner));
    (jobs, selectors)
}

/// One entry: a section, or a name or pattern alone.
fn read_entry(
    item: &Spanned<DeValue<'_>>,
    now: &Now,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Entry> {
    let at = item.span();
    match item.get_ref() {
        DeValue::Table(table) => {
            let section = Section::new("[[tables]]", at.start, table);
            table_job::read(section, now, consistency, violations)
        }
        DeValue::String(name) => table_job::read_name(name, at, consistency, violations),
        other => {
            violations.add(
                at.start,
                wrong_type("tables", "a list of tables", other),
                "write [[tables]] with `name = \"…\"` below it, once for each table, or \
                 `tables = [\"Orders\", \"prod-*\"]` above the sections",
            );
            None
        }
    }
}
