//! Files that a command is given: regular files alone, opened without waiting, read up to a size.
//! Those that it writes over are held to the same.
//!
//! A pipe without a writer would block its reader for good, and a device may never end. It also
//! decides what "there is no such file" means: a link that leads nowhere is a file that cannot be
//! reached, and not a file that is missing.

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use rustix::fs::OFlags;

/// Opens a regular file for reading.
///
/// # Errors
/// Where it cannot be opened, or is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // Looked at before it is opened, since the opening of a device may already do something.
    check_kind(&fs::metadata(path)?)?;
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    check_kind(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file to be written anew: one that is there loses its content, unless it is no regular file.
///
/// # Errors
/// Where it cannot be opened or made, or is no regular file.
pub fn replace(path: &Path) -> io::Result<File> {
    match fs::metadata(path) {
        Ok(found) => check_kind(&found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    check_kind(&found)?;
    if found.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Reads a regular file of at most `largest` bytes.
///
/// # Errors
/// Where it cannot be read, is larger, or is no regular file.
pub fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .take(largest.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= largest) {
        return Ok(bytes);
    }
    Err(io::Error::new(
        ErrorKind::FileTooLarge,
        format!("it is larger than {}", ByteSize(largest)),
    ))
}

/// The same for a file that need not be there: `None` where there is no such file, nor a link in
/// its place.
///
/// # Errors
/// As of [`read`]; and where a link on the way to the file leads nowhere.
pub fn read_if_present(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    match read(path, largest) {
        Err(error) if error.kind() == ErrorKind::NotFound => match dangling_link(path)? {
            None => Ok(None),
            Some(link) => Err(dangling(&link)),
        },
        read => read.map(Some),
    }
}

/// The link on the way to a file that leads nowhere: the file itself, or a directory above it.
fn dangling_link(path: &Path) -> io::Result<Option<PathBuf>> {
    let is_missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    for place in path
        .ancestors()
        .filter(|place| !place.as_os_str().is_empty())
    {
        match fs::symlink_metadata(place) {
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                let is_dangling = fs::metadata(place).is_err_and(|error| is_missing(&error));
                return Ok(is_dangling.then(|| place.to_owned()));
            }
        }
    }
    Ok(None)
}

fn dangling(link: &Path) -> io::Error {
    let leads_to = fs::read_link(link).unwrap_or_default();
    io::Error::new(
        // Not `NotFound`: the file is not missing, it cannot be reached.
        ErrorKind::InvalidInput,
        format!(
            "{} is a symbolic link to {}, which does not exist",
            link.display(),
            leads_to.display()
        ),
    )
}

/// Refuses what is no regular file, by its kind. The null device is as good as an empty one: many
/// name it where a program shall read nothing.
fn check_kind(found: &Metadata) -> io::Result<()> {
    let kind = found.file_type();
    let is_null = || fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == found.rdev());
    if kind.is_file() || kind.is_char_device() && is_null() {
        return Ok(());
    }
    let error = if kind.is_dir() {
        ErrorKind::IsADirectory
    } else {
        ErrorKind::InvalidInput
    };
    let message = format!("it is {}, and a regular file is needed", name_of(kind));
    Err(io::Error::new(error, message))
}

/// What a file is that is no regular one.
pub(crate) fn name_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_by_its_kind() {
        let directory = tempfile::tempdir().unwrap();
        let describe = |path: &Path| read(path, 10).unwrap_err().to_string();
        assert!(describe(directory.path()).contains("a directory"));
        assert!(describe(Path::new("/dev/zero")).contains("a device"));
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(describe(&socket).contains("a socket"));
    }

    /// A pipe without a reader would block its writer for good.
    #[test]
    fn only_a_regular_file_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
        let told = replace(&pipe).unwrap_err().to_string();
        assert!(told.contains("a named pipe"), "{told}");
        let path = directory.path().join("file");
        for text in ["a longer text", "short"] {
            replace(&path).unwrap().write_all(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        replace(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_beyond() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"0123456789");
        let error = read(&path, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is larger than 9 B");
        assert_eq!(read(Path::new("/dev/null"), 9).unwrap(), b"");
    }

    /// What stands at a path, and whether that is a missing file, a file, or an error.
    #[test]
    fn only_a_file_that_is_not_there_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "x").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let found = |name: &str| read_if_present(&at(name), 10);
        assert_eq!(found("file").unwrap().as_deref(), Some(&b"x"[..]));
        assert_eq!(found("link").unwrap().as_deref(), Some(&b"x"[..]));
        for missing in ["none", "none/below", "none/further/below"] {
            assert_eq!(found(missing).unwrap(), None, "{missing}");
        }
        for unreachable in [
            "dangling",
            "dangling/below",
            "dangling/further/below",
            "loop",
            "loop/below",
            "file/below",
        ] {
            let error = found(unreachable).unwrap_err();
            assert_ne!(error.kind(), ErrorKind::NotFound, "{unreachable}");
        }
    }
}
