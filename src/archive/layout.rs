//! Where an export's files lie: its id, and the keys that follow from prefix and id.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// The folder that DynamoDB puts below the prefix.
pub const FOLDER: &str = "AWSDynamoDB";

/// An export's id: the milliseconds of its start in 14 digits, a hyphen, and eight hexadecimal
/// digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId {
    text: String,
    started_at: Timestamp,
}

/// Why a text is no export id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an export's id: 14 digits, a hyphen and 8 hexadecimal digits")]
pub struct NotAnExportId(String);

impl ExportId {
    /// The id of an export that starts at a time; `tail` tells apart those of one millisecond.
    #[must_use]
    pub fn new(started_at: Timestamp, tail: u32) -> Self {
        let milliseconds = started_at.as_millisecond().max(0);
        Self {
            text: format!("{milliseconds:014}-{tail:08x}"),
            started_at: Timestamp::from_millisecond(milliseconds).unwrap_or(started_at),
        }
    }

    /// The id in an export's ARN, `…:table/NAME/export/ID`.
    pub fn from_export_arn(arn: &str) -> Result<Self, NotAnExportId> {
        match arn.rsplit_once("/export/") {
            Some((_, id)) => id.parse(),
            None => Err(NotAnExportId(arn.to_owned())),
        }
    }

    /// When the export started, to the millisecond.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for ExportId {
    type Err = NotAnExportId;

    fn from_str(text: &str) -> Result<Self, NotAnExportId> {
        let wrong = || NotAnExportId(text.to_owned());
        let (digits, tail) = text.split_once('-').ok_or_else(wrong)?;
        let is_id = digits.len() == 14
            && digits.bytes().all(|b| b.is_ascii_digit())
            && tail.len() == 8
            && tail.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_id {
            return Err(wrong());
        }
        let milliseconds: i64 = digits.parse().map_err(|_| wrong())?;
        let started_at = Timestamp::from_millisecond(milliseconds).map_err(|_| wrong())?;
        Ok(Self {
            text: text.to_owned(),
            started_at,
        })
    }
}

/// The keys of one export's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    base: String,
    id: String,
    is_incremental: bool,
}

impl Layout {
    /// The layout of an export below a prefix.
    ///
    /// An incremental export keeps its manifests in a folder of its own and its data in one that
    /// all incremental exports below the prefix share.
    #[must_use]
    pub fn new(prefix: Option<&str>, id: &ExportId, is_incremental: bool) -> Self {
        let base = match prefix {
            None | Some("") => FOLDER.to_owned(),
            Some(prefix) => format!("{prefix}/{FOLDER}"),
        };
        Self {
            base,
            id: id.to_string(),
            is_incremental,
        }
    }

    /// What all keys begin with, without a closing slash; `None` in the bucket's root.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.base.strip_suffix(FOLDER)?.strip_suffix('/')
    }

    /// The export's own folder, with a closing slash.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}/{}/", self.base, self.id)
    }

    /// The empty object that shows that the bucket is writable.
    #[must_use]
    pub fn started(&self) -> String {
        format!("{}_started", self.folder())
    }

    /// The summary manifest.
    #[must_use]
    pub fn manifest_summary(&self) -> String {
        format!("{}manifest-summary.json", self.folder())
    }

    /// The list of the data files.
    #[must_use]
    pub fn manifest_files(&self) -> String {
        format!("{}manifest-files.json", self.folder())
    }

    /// The folder of the data files, with a closing slash.
    #[must_use]
    pub fn data_folder(&self) -> String {
        if self.is_incremental {
            format!("{}/data/", self.base)
        } else {
            format!("{}data/", self.folder())
        }
    }

    /// A data file by its name without an extension; `extension` is `json.gz` or `ion.gz`.
    #[must_use]
    pub fn data_file(&self, name: &str, extension: &str) -> String {
        format!("{}{name}.{extension}", self.data_folder())
    }
}

/// The names that the checksum file of a manifest may have: what is seen, then what is documented.
#[must_use]
pub fn checksum_keys(manifest: &str) -> [String; 2] {
    let stem = manifest.strip_suffix(".json").unwrap_or(manifest);
    [format!("{stem}.md5"), format!("{stem}.checksum")]
}

/// The keys under which a key that AWS named may be found, the likeliest first.
///
/// `ExportManifest`, `manifestFilesS3Key` and `dataFileS3Key` are seen both with the prefix before
/// them and without it.
#[must_use]
pub fn key_candidates(named: &str, prefix: Option<&str>) -> Vec<String> {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else {
        return vec![named.to_owned()];
    };
    let prefixed = format!("{prefix}/{named}");
    let begins_with_prefix = named
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('/'));
    if begins_with_prefix {
        vec![named.to_owned(), prefixed]
    } else {
        vec![prefixed, named.to_owned()]
    }
}

/// Where a data file lies, seen from the manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataPlace {
    /// In `data/` below the manifests' folder, by its name: of a full export.
    Own(String),
    /// In `data/` beside that folder, by its name: of an incremental one.
    Shared(String),
}

/// Where the data file of a key lies, seen from the manifests; `None` where the key has not the form
/// that exports give it. It holds wherever the files were moved together.
#[must_use]
pub fn data_place(key: &str) -> Option<DataPlace> {
    let mut parts = key.rsplit('/');
    let (name, folder, above) = (parts.next()?, parts.next()?, parts.next()?);
    let is_name = !matches!(name, "" | "." | "..") && !name.contains('\0');
    if folder != "data" || !is_name {
        return None;
    }
    let name = name.to_owned();
    Some(if above == FOLDER {
        DataPlace::Shared(name)
    } else {
        DataPlace::Own(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_file_is_found_from_its_manifest_wherever_both_were_moved() {
        let own = DataPlace::Own("a.json.gz".to_owned());
        assert_eq!(
            data_place(&format!("p/q/AWSDynamoDB/{ID}/data/a.json.gz")),
            Some(own.clone())
        );
        assert_eq!(
            data_place(&format!("AWSDynamoDB/{ID}/data/a.json.gz")),
            Some(own)
        );
        let shared = DataPlace::Shared("a.json.gz".to_owned());
        assert_eq!(data_place("p/AWSDynamoDB/data/a.json.gz"), Some(shared));
        for key in [
            "a.json.gz",
            "data/a.json.gz",
            "AWSDynamoDB/x/data/..",
            "AWSDynamoDB/x/data/",
            "AWSDynamoDB/x/other/a.json.gz",
            "AWSDynamoDB/x/data/a\0b",
        ] {
            assert_eq!(data_place(key), None, "{key:?}");
        }
    }

    const ID: &str = "01693685827463-2d8752fd";

    fn id() -> ExportId {
        ID.parse().unwrap()
    }

    #[test]
    fn an_export_id_tells_when_the_export_started() {
        // 1693685827463 ms after 1970 is 2023-09-02 20:17:07.463 UTC.
        let started: Timestamp = "2023-09-02T20:17:07.463Z".parse().unwrap();
        assert_eq!(id().started_at(), started);
        assert_eq!(ExportId::new(started, 0x2d87_52fd), id());
        let arn = format!("arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/{ID}");
        assert_eq!(ExportId::from_export_arn(&arn), Ok(id()));
    }

    #[test]
    fn texts_that_are_no_export_id_are_refused() {
        for text in [
            "",
            "-",
            "1693685827463-2d8752fd",
            "01693685827463-2d8752f",
            "01693685827463-2d8752fg",
            "0169368582746x-2d8752fd",
            "０1693685827463-2d8752fd",
        ] {
            assert!(text.parse::<ExportId>().is_err(), "{text}");
        }
        assert!(ExportId::from_export_arn("arn:aws:dynamodb:::table/Orders").is_err());
    }

    #[test]
    fn a_full_export_keeps_everything_in_its_own_folder() {
        let layout = Layout::new(Some("prod/2026"), &id(), false);
        let folder = format!("prod/2026/AWSDynamoDB/{ID}/");
        assert_eq!(layout.started(), format!("{folder}_started"));
        assert_eq!(
            layout.manifest_summary(),
            format!("{folder}manifest-summary.json")
        );
        assert_eq!(
            layout.manifest_files(),
            format!("{folder}manifest-files.json")
        );
        assert_eq!(
            layout.data_file("abc", "json.gz"),
            format!("{folder}data/abc.json.gz")
        );
    }

    #[test]
    fn incremental_exports_share_their_data_folder() {
        let layout = Layout::new(Some("prod"), &id(), true);
        assert_eq!(layout.prefix(), Some("prod"));
        assert_eq!(layout.data_folder(), "prod/AWSDynamoDB/data/");
        assert_eq!(
            layout.manifest_files(),
            format!("prod/AWSDynamoDB/{ID}/manifest-files.json")
        );
    }

    #[test]
    fn without_a_prefix_keys_begin_with_the_folder_of_dynamodb() {
        for prefix in [None, Some("")] {
            let layout = Layout::new(prefix, &id(), false);
            assert_eq!(layout.folder(), format!("AWSDynamoDB/{ID}/"));
            assert_eq!(layout.prefix(), None);
        }
    }

    #[test]
    fn a_checksum_file_has_one_of_two_names() {
        assert_eq!(
            checksum_keys("p/manifest-summary.json"),
            ["p/manifest-summary.md5", "p/manifest-summary.checksum"]
        );
    }

    #[test]
    fn a_named_key_is_looked_for_with_and_without_the_prefix() {
        let bare = "AWSDynamoDB/x/manifest-summary.json";
        let full = "prod/AWSDynamoDB/x/manifest-summary.json";
        assert_eq!(key_candidates(bare, Some("prod")), [full, bare]);
        assert_eq!(
            key_candidates(full, Some("prod")),
            [full, "prod/prod/AWSDynamoDB/x/manifest-summary.json"]
        );
        assert_eq!(key_candidates(bare, None), [bare]);
        // "production/…" does not lie below "prod".
        assert_eq!(
            key_candidates("production/x", Some("prod")),
            ["prod/production/x", "production/x"]
        );
    }
}
