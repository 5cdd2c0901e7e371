//! Small files that are replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Writes a file so that it holds the old text or the new one, whatever happens in between. Its folder is made if it is
/// missing; what a link points to is replaced, not the link; the mode stays.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    replaced(&path, |new, old| write(new, old, text))
}

/// The same for what only its owner may read. Where root writes it, its owner is that of the folder: who runs the hub. Since that
/// owner is less than root, no link in the folder is followed: it could lead to any file of the computer.
pub(super) fn replace_private(path: &Path, text: &str) -> io::Result<()> {
    replaced(path, |new, _| {
        match fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        if rustix::process::geteuid().is_root() {
            let folder = fs::metadata(new.parent().unwrap_or(Path::new(".")))?;
            std::os::unix::fs::fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
}

fn replaced(path: &Path, write: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = folder.join(name);
    let written = write(&new, path).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn write(new: &Path, old: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(new)?;
    if let Ok(old) = fs::metadata(old) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_private_is_its_owners_alone_from_the_first_byte_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens.json");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        replace_private(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(metadata.uid(), fs::metadata(dir.path()).unwrap().uid());
    }

    #[test]
    fn what_is_private_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("tokens.json"), dir.path().join("other"));
        fs::write(&other, "not to be touched").unwrap();
        symlink(&other, &file).unwrap();
        symlink(&other, dir.path().join(format!("tokens.json.{}.new", std::process::id()))).unwrap();
        replace_private(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "not to be touched");
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }

    #[test]
    fn a_link_stays_a_link_and_a_mode_a_mode() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("deep/real");
        replace(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let link = dir.path().join("link");
        symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1, "nothing is left over");
    }
}
