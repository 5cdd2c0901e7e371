//! The configured folders: what lies in them may be read, nothing else, and nobody is led out of them by a link.
//!
//! Everything here blocks.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// How the name of a program ends, whatever the case.
pub const ENDINGS: &[&str] = &["nc", "ngc", "gcode", "gco", "gc", "g", "ncc", "tap", "cnc", "txt"];

/// A configured folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// As configured.
    pub name: String,
    /// The same without `~`.
    pub path: PathBuf,
}

/// Why a file or folder is not read. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{}: {}", path.display(), in_words(error))]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is outside of the configured folders, or a link leads there.
    #[error("{}: lies outside of the folders of programs; copy it into one, or add its folder to [programs] folders", .0.display())]
    Outside(PathBuf),
    /// It, or a folder above it, is hidden.
    #[error("{}: hidden files are not read; rename it without the dot", .0.display())]
    Hidden(PathBuf),
    /// Its name is not that of a program.
    #[error("{}: not the name of a program; rename it to end in one of .{}", .0.display(), ENDINGS.join(" ."))]
    Ending(PathBuf),
    /// A folder, device or pipe.
    #[error("{}: not a file that can be read from end to end; choose a program", .0.display())]
    NotAFile(PathBuf),
    /// Something was put in its place while it was opened.
    #[error("{}: was replaced while it was opened; open it again", .0.display())]
    Replaced(PathBuf),
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not there (any more); list the folder again".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "cannot be read: permission denied; allow the user that runs sunmill to read it".to_owned()
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// By what a file is known again without reading it. Nearly always another content has another stamp; what must be certain,
/// such as that a program to be run is the one that was checked, is found out from the content itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    /// Bytes.
    pub bytes: u64,
    modified: (i64, i64),
    /// Also set by the system when the time of change is set back.
    changed: (i64, i64),
}

impl Stamp {
    /// Of an open file, as it is now.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// As far as the system knows nothing was written in between.
    pub(in crate::hub) fn has_content_of(&self, before: &Self) -> bool {
        (self.device, self.inode, self.bytes, self.modified)
            == (before.device, before.inode, before.bytes, before.modified)
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(data: &fs::Metadata) -> Self {
        Self {
            device: data.dev(),
            inode: data.ino(),
            bytes: data.len(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }
}

/// A program, opened for reading.
#[derive(Debug)]
pub struct ProgramFile {
    /// The file itself: it stays the same whatever happens to its name.
    pub file: File,
    /// Where it really lies, links followed.
    pub path: PathBuf,
    /// As it was when it was opened.
    pub stamp: Stamp,
}

impl ProgramFile {
    /// Whether it was written to, or cut, since it was opened. Another name, or none any more, is no change.
    ///
    /// # Errors
    /// What the system says.
    pub fn has_changed(&self) -> io::Result<bool> {
        let (now, then) = (Stamp::of(&self.file)?, self.stamp);
        Ok((now.bytes, now.modified) != (then.bytes, then.modified))
    }
}

/// The configured folders.
#[derive(Clone, Debug, Default)]
pub struct Folders(Arc<Vec<Folder>>);

/// Where something really lies.
struct Place {
    root: PathBuf,
    below: PathBuf,
}

impl Folders {
    /// These.
    pub fn new(folders: Vec<Folder>) -> Self {
        Self(Arc::new(folders))
    }

    /// As configured, missing ones too.
    pub fn configured(&self) -> &[Folder] {
        &self.0
    }

    /// Opens a program for reading.
    ///
    /// # Errors
    /// It lies outside, is hidden, is no program by name or kind, or cannot be read.
    pub fn open(&self, path: &Path) -> Result<ProgramFile, FileError> {
        let place = self.place(path)?;
        if !has_ending(&place.below) {
            return Err(FileError::Ending(path.to_owned()));
        }
        // Without waiting: a pipe of that name must not keep anybody.
        let file = File::from(walk(&place, OFlags::RDONLY | OFlags::NONBLOCK, path)?);
        let data = file.metadata().map_err(|error| failed(path, error))?;
        if !data.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        Ok(ProgramFile { file, path: place.root.join(&place.below), stamp: Stamp::from(&data) })
    }

    /// Opens a folder; gives where it really lies.
    pub(super) fn open_folder(&self, path: &Path) -> Result<(OwnedFd, PathBuf), FileError> {
        let place = self.place(path)?;
        let folder = walk(&place, OFlags::RDONLY | OFlags::DIRECTORY, path)?;
        Ok((folder, place.root.join(&place.below)))
    }

    /// Where `path` really lies, all links followed, and within which folder.
    fn place(&self, path: &Path) -> Result<Place, FileError> {
        let real = fs::canonicalize(path).map_err(|error| self.unseen(path, error))?;
        let roots = self.0.iter().filter_map(|folder| fs::canonicalize(&folder.path).ok());
        // The innermost: a folder can be configured although one above it is hidden.
        let root = roots.filter(|root| real.starts_with(root)).max_by_key(|root| root.components().count());
        let root = root.ok_or_else(|| FileError::Outside(path.to_owned()))?;
        let below = real.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        if below.iter().any(is_hidden) {
            return Err(FileError::Hidden(path.to_owned()));
        }
        Ok(Place { root, below })
    }

    /// What may be said of a path that leads nowhere: whether something exists outside is nobody's business.
    fn unseen(&self, path: &Path, error: io::Error) -> FileError {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match fs::canonicalize(parent) {
            Ok(parent)
                if self.0.iter().any(|f| fs::canonicalize(&f.path).is_ok_and(|root| parent.starts_with(root))) =>
            {
                failed(path, error)
            }
            _ if self.0.iter().any(|folder| path.starts_with(&folder.path)) => failed(path, error),
            _ => FileError::Outside(path.to_owned()),
        }
    }
}

/// Goes down from the root one name after the other, following no link: whatever is swapped in meanwhile, it stays below.
fn walk(place: &Place, last: OFlags, asked: &Path) -> Result<OwnedFd, FileError> {
    let refused = |errno: rustix::io::Errno| match errno {
        rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => FileError::Replaced(asked.to_owned()),
        errno => failed(asked, errno.into()),
    };
    let always = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let folder = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut at = openat(CWD, &place.root, folder | always, Mode::empty()).map_err(refused)?;
    let mut names = place.below.iter().peekable();
    while let Some(name) = names.next() {
        let how = if names.peek().is_some() { folder } else { last };
        at = openat(&at, name, how | always, Mode::empty()).map_err(refused)?;
    }
    Ok(at)
}

fn failed(path: &Path, error: io::Error) -> FileError {
    FileError::Io { path: path.to_owned(), error }
}

pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether this is the name of a program.
pub(super) fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder `in` with programs, configured, beside a folder `out` that is not.
    fn scene() -> (tempfile::TempDir, Folders) {
        let top = tempfile::tempdir().unwrap();
        for folder in ["in/deep/.hidden", "out", "in2"] {
            fs::create_dir_all(top.path().join(folder)).unwrap();
        }
        for file in ["in/a.nc", "in/deep/B.NGC", "in/deep/.hidden/c.nc", "in/.d.nc", "in/e.key", "out/s.nc", "in2/t.nc"]
        {
            fs::write(top.path().join(file), file).unwrap();
        }
        let folder = |name: &str| Folder { name: name.to_owned(), path: top.path().join(name) };
        let folders = Folders::new(vec![folder("missing"), folder("in"), folder("in2")]);
        (top, folders)
    }

    fn read(folders: &Folders, path: &Path) -> Result<String, FileError> {
        folders.open(path).map(|open| io::read_to_string(open.file).unwrap())
    }

    #[test]
    fn what_lies_within_is_opened() {
        let (top, folders) = scene();
        let at = |name: &str| top.path().join(name);
        assert_eq!(read(&folders, &at("in/a.nc")).unwrap(), "in/a.nc");
        assert_eq!(read(&folders, &at("in/deep/../deep/B.NGC")).unwrap(), "in/deep/B.NGC");
        assert_eq!(read(&folders, &at("in/../in2/t.nc")).unwrap(), "in2/t.nc", "from one folder to another");
        let opened = folders.open(&at("in/a.nc")).unwrap();
        assert_eq!(opened.stamp.bytes, 7);
        assert_eq!(opened.stamp, Stamp::of(&opened.file).unwrap());
    }

    #[test]
    fn what_lies_outside_is_refused_however_it_is_named() {
        let (top, folders) = scene();
        let at = |name: &str| top.path().join(name);
        symlink(at("out/s.nc"), at("in/link.nc")).unwrap();
        symlink(at("out"), at("in/folder")).unwrap();
        symlink("../../out/s.nc", at("in/deep/up.nc")).unwrap();
        for name in ["out/s.nc", "in/../out/s.nc", "in/link.nc", "in/folder/s.nc", "in/deep/up.nc", "out/none.nc"] {
            let refused = read(&folders, &at(name)).unwrap_err();
            assert!(matches!(refused, FileError::Outside(_)), "{name}: {refused}");
            assert!(refused.to_string().contains("[programs] folders"), "{refused}");
        }
        assert!(matches!(read(&folders, Path::new("/etc/passwd")), Err(FileError::Outside(_))));
        assert!(matches!(folders.open_folder(&at("in/folder")), Err(FileError::Outside(_))));
        assert!(matches!(folders.open_folder(&at("in/..")), Err(FileError::Outside(_))));
    }

    #[test]
    fn links_within_are_followed() {
        let (top, folders) = scene();
        symlink(top.path().join("in2/t.nc"), top.path().join("in/link.nc")).unwrap();
        assert_eq!(read(&folders, &top.path().join("in/link.nc")).unwrap(), "in2/t.nc");
    }

    #[test]
    fn only_programs_are_opened_and_each_refusal_says_what_to_do() {
        let (top, folders) = scene();
        let pipe = top.path().join("in/pipe.nc");
        rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::create_dir(top.path().join("in/folder.nc")).unwrap();
        for (name, words) in [
            ("in/.d.nc", "rename it without the dot"),
            ("in/deep/.hidden/c.nc", "rename it without the dot"),
            ("in/e.key", "end in one of .nc"),
            ("in/pipe.nc", "choose a program"),
            ("in/folder.nc", "choose a program"),
            ("in/none.nc", "list the folder again"),
        ] {
            let refused = read(&folders, &top.path().join(name)).unwrap_err().to_string();
            assert!(refused.contains(words) && refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn a_link_that_is_swapped_in_after_the_look_leads_nowhere() {
        let (top, folders) = scene();
        let at = |name: &str| top.path().join(name);
        let file = folders.place(&at("in/a.nc")).unwrap();
        let deep = folders.place(&at("in/deep/B.NGC")).unwrap();
        fs::remove_file(at("in/a.nc")).unwrap();
        symlink(at("out/s.nc"), at("in/a.nc")).unwrap();
        fs::rename(at("in/deep"), at("moved")).unwrap();
        symlink(at("out"), at("in/deep")).unwrap();
        for place in [file, deep] {
            let refused = walk(&place, OFlags::RDONLY, &at("in/x")).unwrap_err();
            assert!(matches!(refused, FileError::Replaced(_)), "{refused}");
        }
    }

    #[test]
    fn a_folder_that_is_configured_below_a_hidden_one_is_read() {
        let (top, _) = scene();
        let folder = |name: &str| Folder { name: name.to_owned(), path: top.path().join(name) };
        let folders = Folders::new(vec![folder("in"), folder("in/deep/.hidden")]);
        assert_eq!(read(&folders, &top.path().join("in/deep/.hidden/c.nc")).unwrap(), "in/deep/.hidden/c.nc");
    }

    #[test]
    fn every_change_changes_the_stamp() {
        let (top, folders) = scene();
        let path = top.path().join("in/a.nc");
        let before = folders.open(&path).unwrap().stamp;
        fs::write(&path, "other text").unwrap();
        let longer = folders.open(&path).unwrap().stamp;
        assert_ne!(before, longer);
        fs::write(top.path().join("in/new"), "other text").unwrap();
        fs::rename(top.path().join("in/new"), &path).unwrap();
        assert_ne!(folders.open(&path).unwrap().stamp, longer, "another file of the same size");
    }
}
