//! Disk, clock and processes of this computer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Zoned;
use rustix::fs::{Access, access, statvfs};

use super::facts::{Clock, Kept};
use crate::store::{self, StoreError};

/// How long a file that another program holds locked is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Made by systemd-timesyncd when it has set the clock, and only then.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";
/// Programs that set the clock, by the names that the kernel keeps (15 letters).
const TIME_SERVICES: [&str; 5] = ["systemd-timesyn", "chronyd", "ntpd", "ntpsec", "openntpd"];

/// The file of the store.
pub(super) fn store(path: Option<PathBuf>) -> Kept {
    let trouble = |path: &Path| match store::examine(path, PATIENCE) {
        // It is made, or brought up to date, at the next start.
        Ok(()) | Err(StoreError::Missing { .. } | StoreError::Older { .. }) => None,
        Err(why) => Some(why.to_string()),
    };
    kept(path, trouble)
}

/// The folder of the log files.
pub(super) fn log(path: Option<PathBuf>) -> Kept {
    let not_a_folder = |path: &Path| (path.exists() && !path.is_dir()).then(|| "it is no folder".to_owned());
    kept(path, not_a_folder)
}

fn kept(path: Option<PathBuf>, trouble: impl FnOnce(&Path) -> Option<String>) -> Kept {
    let Some(path) = path else { return Kept::default() };
    let nearest = path.ancestors().find(|path| path.exists()).unwrap_or(&path).to_owned();
    Kept {
        exists: path.exists(),
        unwritable: access(&nearest, Access::WRITE_OK).err().map(|error| format!("{} ({})", error, nearest.display())),
        trouble: trouble(&path),
        bytes: bytes(&path),
        free_bytes: statvfs(&nearest).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        path: Some(path),
    }
}

/// Of a file, or of all files of a folder.
fn bytes(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(of) if of.is_dir() => {
            let files = fs::read_dir(path).into_iter().flatten().flatten();
            files.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|of| of.len()).sum()
        }
        Ok(of) => of.len(),
        Err(_) => 0,
    }
}

/// The clock, and who sets it.
pub(super) fn clock() -> Clock {
    let service = processes().map(|(name, _)| name).find(|name| TIME_SERVICES.contains(&name.as_str()));
    let synchronised = match service.as_deref() {
        _ if Path::new(TIMESYNC).exists() => Some(true),
        Some("systemd-timesyn") => Some(false),
        _ => None,
    };
    let service = service.map(|name| if name == "systemd-timesyn" { "systemd-timesyncd".to_owned() } else { name });
    Clock { year: Zoned::now().year(), synchronised, service }
}

/// All processes that can be seen: names and ids.
pub(super) fn processes() -> impl Iterator<Item = (String, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((name.trim().to_owned(), pid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_and_one_that_cannot_be_made_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/sunmill.db");
        let none = store(Some(path.clone()));
        assert!(!none.exists && none.trouble.is_none() && none.unwritable.is_none(), "{none:?}");
        assert!(none.free_bytes.is_some());
        let damaged = folder.path().join("sunmill.db");
        fs::write(
            &damaged,
            "no database at all, but long enough for a header of one hundred bytes, which is where SQLite looks first",
        )
        .unwrap();
        let found = store(Some(damaged));
        assert!(found.exists && found.trouble.is_some(), "{found:?}");
        let blocked = folder.path().join("file/log");
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(log(Some(folder.path().join("file"))).trouble.is_some());
        assert!(log(Some(blocked)).path.is_some());
    }

    #[test]
    fn this_process_is_among_all() {
        assert!(processes().any(|(_, pid)| pid == std::process::id()));
    }
}
