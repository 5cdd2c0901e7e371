//! What is in a folder, for the browser: folders first, then programs, newest first. Everything here blocks.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Access, AtFlags, Dir, FileType, accessat, statat};

use super::folders::{FileError, Folders, has_ending, is_hidden};
use crate::model::program::Entry;

/// Most entries of a listing.
pub const MAX_LISTED: usize = 500;
/// Most names that are looked at in one folder.
const MAX_LOOKED: usize = 20_000;
/// Names that a note lists before it counts.
const NAMED: usize = 3;

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Folders first, then programs, newest first; at most [`MAX_LISTED`].
    pub entries: Vec<Entry>,
    /// What is not among them, and why.
    pub notes: Vec<String>,
}

/// Lists a folder; `None`: the configured ones.
///
/// # Errors
/// It lies outside of them, is no folder, or cannot be read.
pub fn list(folders: &Folders, folder: Option<&Path>) -> Result<Listing, FileError> {
    match folder {
        None => Ok(configured(folders)),
        Some(path) => inside(folders, path),
    }
}

fn configured(folders: &Folders) -> Listing {
    let mut listing = Listing::default();
    for folder in folders.configured() {
        let found = fs::canonicalize(&folder.path).and_then(|path| fs::read_dir(&path).map(|_| path));
        match found {
            Ok(path) if listing.entries.iter().any(|entry| entry.path == path) => {}
            Ok(path) => {
                let modified = fs::metadata(&path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                let since_1970 = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                let modified_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
                let name = folder.name.clone();
                listing.entries.push(Entry { path, name, is_folder: true, bytes: 0, modified_ms });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                listing.notes.push(format!("{} is not there, and left out ([programs] folders)", folder.name));
            }
            Err(error) => listing.notes.push(format!("{} cannot be read: {error}", folder.name)),
        }
    }
    listing
}

/// What is left out of a listing, by reason.
#[derive(Default)]
struct LeftOut {
    unreadable: Names,
    outside: Names,
    strange: Names,
}

#[derive(Default)]
struct Names {
    first: Vec<String>,
    all: usize,
}

impl Names {
    fn add(&mut self, name: &OsStr) {
        self.all += 1;
        if self.first.len() < NAMED {
            self.first.push(name.to_string_lossy().into_owned());
        }
    }

    fn note(&self, words: &str) -> Option<String> {
        let more = match self.all.saturating_sub(self.first.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (self.all > 0).then(|| format!("{}{more}: {words}", self.first.join(", ")))
    }
}

fn inside(folders: &Folders, asked: &Path) -> Result<Listing, FileError> {
    let (fd, real) = folders.open_folder(asked)?;
    let failed = |errno: rustix::io::Errno| FileError::Io { path: asked.to_owned(), error: errno.into() };
    let mut entries = Vec::new();
    let mut left_out = LeftOut::default();
    let mut notes = Vec::new();
    let names = Dir::read_from(&fd).map_err(failed)?.filter_map(Result::ok);
    for (looked, item) in names.enumerate() {
        if looked >= MAX_LOOKED {
            notes.push(format!("the folder holds more than {MAX_LOOKED} names, and only so many were looked at"));
            break;
        }
        let name = OsStr::from_bytes(item.file_name().to_bytes());
        if !is_hidden(name) {
            entries.extend(entry(folders, &fd, &real, name, &mut left_out));
        }
    }
    entries.sort_by(|a: &Entry, b: &Entry| {
        b.is_folder.cmp(&a.is_folder).then(b.modified_ms.cmp(&a.modified_ms)).then_with(|| a.name.cmp(&b.name))
    });
    if entries.len() > MAX_LISTED {
        notes.push(format!("the newest {MAX_LISTED} of {} are listed; sort the others into folders", entries.len()));
        entries.truncate(MAX_LISTED);
    }
    notes.extend(left_out.unreadable.note("cannot be read; allow the user that runs sunmill to read it"));
    notes.extend(left_out.outside.note("a link out of the folders of programs; copy the file instead"));
    notes.extend(left_out.strange.note("the name is not UTF-8; rename it"));
    Ok(Listing { entries, notes })
}

fn entry(folders: &Folders, fd: &OwnedFd, real: &Path, name: &OsStr, left_out: &mut LeftOut) -> Option<Entry> {
    let path = real.join(name);
    let mut stat = statat(fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let mut kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::Symlink {
        stat = match statat(fd, name, AtFlags::empty()) {
            Ok(stat) => stat,
            Err(_) if !has_ending(&path) => return None,
            Err(_) => {
                left_out.unreadable.add(name);
                return None;
            }
        };
        kind = FileType::from_raw_mode(stat.st_mode);
        let within = match kind {
            FileType::Directory => folders.open_folder(&path).map(drop),
            _ if !has_ending(&path) => return None,
            _ => folders.open(&path).map(drop),
        };
        if let Err(why) = within {
            match why {
                FileError::Outside(_) => left_out.outside.add(name),
                FileError::Io { .. } => left_out.unreadable.add(name),
                _ => {}
            }
            return None;
        }
    }
    let is_folder = kind == FileType::Directory;
    let is_program = kind == FileType::RegularFile && has_ending(&path);
    if !(is_folder || is_program) {
        return None;
    }
    let Some(text) = name.to_str() else {
        left_out.strange.add(name);
        return None;
    };
    if accessat(fd, name, Access::READ_OK, AtFlags::EACCESS).is_err() {
        left_out.unreadable.add(name);
        return None;
    }
    let modified_ms = stat.st_mtime.saturating_mul(1000).saturating_add_unsigned(stat.st_mtime_nsec as u64 / 1_000_000);
    let bytes = if is_folder { 0 } else { u64::try_from(stat.st_size).unwrap_or_default() };
    Some(Entry { name: text.to_owned(), path, is_folder, bytes, modified_ms })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::super::folders::Folder;
    use super::*;

    fn folders(top: &Path, names: &[&str]) -> Folders {
        let folder = |name: &&str| Folder { name: (*name).to_owned(), path: top.join(name) };
        Folders::new(names.iter().map(folder).collect())
    }

    fn write(path: &Path, age_s: u64) {
        let file = fs::File::create(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 - age_s)).unwrap();
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn configured_folders_are_listed_once_and_missing_ones_said() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("a")).unwrap();
        symlink(top.path().join("a"), top.path().join("same")).unwrap();
        fs::write(top.path().join("file"), "").unwrap();
        let listing = list(&folders(top.path(), &["a", "none", "same", "file"]), None).unwrap();
        assert_eq!(names(&listing), ["a"]);
        assert_eq!(listing.notes[0], "none is not there, and left out ([programs] folders)");
        assert!(listing.notes[1].starts_with("file cannot be read: "), "{:?}", listing.notes);
    }

    #[test]
    fn folders_come_first_then_the_newest_program() {
        let top = tempfile::tempdir().unwrap();
        for (name, age) in [("old.nc", 300), ("new.GCODE", 1), ("mid.tap", 60), ("photo.jpg", 0), (".hidden.nc", 0)] {
            write(&top.path().join(name), age);
        }
        fs::create_dir(top.path().join("parts")).unwrap();
        fs::create_dir(top.path().join(".git")).unwrap();
        let folders = folders(top.path(), &[""]);
        let listing = list(&folders, Some(top.path())).unwrap();
        assert_eq!(names(&listing), ["parts", "new.GCODE", "mid.tap", "old.nc"]);
        assert_eq!(listing.entries[1].modified_ms, 1_999_999_999_000);
        assert!(listing.entries[0].is_folder && listing.notes.is_empty());
        assert!(folders.open(&listing.entries[1].path).is_ok());
    }

    #[test]
    fn links_out_and_links_to_nowhere_are_named_not_listed() {
        let top = tempfile::tempdir().unwrap();
        for folder in ["in/parts", "out"] {
            fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        write(&top.path().join("out/s.nc"), 0);
        write(&top.path().join("in/parts/p.nc"), 0);
        for (target, name) in [
            (top.path().join("out/s.nc"), "out.nc"),
            (top.path().join("out"), "outside"),
            (top.path().join("none.nc"), "dangling.nc"),
            (top.path().join("in/parts/p.nc"), "within.nc"),
        ] {
            symlink(target, top.path().join("in").join(name)).unwrap();
        }
        let listing = list(&folders(top.path(), &["in"]), Some(&top.path().join("in"))).unwrap();
        assert_eq!(names(&listing), ["parts", "within.nc"]);
        assert_eq!(listing.notes.len(), 2, "{:?}", listing.notes);
        assert!(listing.notes[0].starts_with("dangling.nc: cannot be read"), "{:?}", listing.notes);
        assert!(listing.notes[1].contains("out.nc") && listing.notes[1].contains("outside"), "{:?}", listing.notes);
        assert!(list(&folders(top.path(), &["in"]), Some(&top.path().join("out"))).is_err());
    }

    #[test]
    fn a_huge_folder_is_cut_at_the_oldest_and_says_so() {
        let top = tempfile::tempdir().unwrap();
        for n in 0..MAX_LISTED as u64 + 7 {
            write(&top.path().join(format!("{n}.nc")), n);
        }
        let listing = list(&folders(top.path(), &[""]), Some(top.path())).unwrap();
        assert_eq!(listing.entries.len(), MAX_LISTED);
        assert_eq!(listing.entries[0].name, "0.nc");
        assert_eq!(listing.notes, ["the newest 500 of 507 are listed; sort the others into folders"]);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_said() {
        let top = tempfile::tempdir().unwrap();
        write(&top.path().join(OsStr::from_bytes(b"\xff.nc")), 0);
        let listing = list(&folders(top.path(), &[""]), Some(top.path())).unwrap();
        assert!(listing.entries.is_empty() && listing.notes[0].contains("not UTF-8"), "{listing:?}");
    }
}
