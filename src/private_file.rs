//! Files that this program keeps: of this user alone, and never through a link.
//!
//! What is opened to be written is looked at first. A link may lead to a file that means something
//! to another program, and a file of somebody else is not ours to write, nor to take away the rights
//! of.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::regular_file;

/// Opens a file to be appended to, and makes it, readable by its owner alone, where there is none;
/// a file of ours that others may read is taken back from them.
///
/// # Errors
/// Where it is a link, no regular file, or another user's, and where it cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) => check(&found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Who puts something else in its place meanwhile is refused by the system, or by the second look.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    check(&found)?;
    if found.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Writes a new file, readable by its owner alone.
///
/// # Errors
/// Where there is one already, and where it cannot be written.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
}

/// Makes a directory for files that are kept, for its owner alone, where there is none.
///
/// # Errors
/// Where it cannot be made.
pub fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Refuses a directory in which somebody else could put a file in another's place. Root may do so
/// anywhere.
///
/// # Errors
/// Where it is another user's, or may be written by everybody.
pub fn check_directory(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.uid() != 0 {
        check_owner(&found, "the directory")?;
    }
    if found.mode() & 0o002 != 0 {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "everybody may write to the directory: `chmod o-w {}` forbids it",
                path.display()
            ),
        ));
    }
    Ok(())
}

/// The file by a path without a link in it, for those who refuse every link on the way.
///
/// # Errors
/// Where its directory cannot be reached.
pub fn without_links(path: &Path) -> io::Result<PathBuf> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).canonicalize()?;
    Ok(path
        .file_name()
        .map_or_else(|| directory.clone(), |name| directory.join(name)))
}

fn check(found: &Metadata) -> io::Result<()> {
    if !found.is_file() {
        let message = format!(
            "it is {}, and a regular file is needed",
            regular_file::name_of(found.file_type())
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    check_owner(found, "it")
}

fn check_owner(found: &Metadata, what: &str) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    if found.uid() == own {
        return Ok(());
    }
    Err(io::Error::new(
        ErrorKind::PermissionDenied,
        format!(
            "{what} belongs to another user, of id {}, and this program runs as {own}",
            found.uid()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_file_is_made_for_its_owner_alone_and_taken_back_from_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        open(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        open(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_a_link_leads_to_is_neither_opened_nor_changed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, foreign) = (
            directory.path().join("file"),
            directory.path().join("other"),
        );
        symlink(&foreign, &path).unwrap();
        let error = open(&path).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        assert!(!foreign.exists());
        fs::write(&foreign, "").unwrap();
        fs::set_permissions(&foreign, Permissions::from_mode(0o664)).unwrap();
        open(&path).unwrap_err();
        assert_eq!(mode(&foreign), 0o664);
    }

    #[test]
    fn a_file_or_directory_of_another_user_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        let another = rustix::process::geteuid().as_raw() + 1;
        // Only root can give a file away.
        if std::os::unix::fs::chown(&path, Some(another), None).is_err() {
            return;
        }
        let error = open(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("of id {another}")), "{error}");
        assert_eq!(mode(&path), 0o664);
        std::os::unix::fs::chown(directory.path(), Some(another), None).unwrap();
        let error = check_directory(directory.path()).unwrap_err().to_string();
        assert!(error.contains("another user"), "{error}");
    }

    #[test]
    fn a_directory_that_everybody_may_write_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        check_directory(directory.path()).unwrap();
        for open_to_all in [0o777, 0o1777] {
            let permissions = Permissions::from_mode(open_to_all);
            fs::set_permissions(directory.path(), permissions).unwrap();
            let error = check_directory(directory.path()).unwrap_err().to_string();
            assert!(error.contains("chmod o-w"), "{error}");
        }
    }
}
