//! A folder of settings backups, one TOML file each, named by machine and time (UTC). None is ever overwritten.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::model::settings::Backup;

/// Most backups that are listed, newest first.
pub const MAX_LISTED: usize = 200;
/// Largest file that is read.
const MAX_BYTES: u64 = 1 << 20;
/// How a backup's name ends.
const ENDING: &str = ".toml";

/// Why a backup could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder or file refused.
    #[error("{}: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The name is not one of a backup.
    #[error("{0:?} is not the name of a backup")]
    Name(String),
    /// The file is not a backup.
    #[error("{name} is not a settings backup: {why}")]
    Content {
        /// The file.
        name: String,
        /// What is wrong, and in which line.
        why: String,
    },
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Backups {
    folder: PathBuf,
}

impl Backups {
    /// In this folder, which is made when the first backup is.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Names of the backups, newest first; none where there is no folder yet.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<String>, BackupError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(&self.folder, error)),
        };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|n| is_name(n)).collect();
        // The time stands behind the last dash but one.
        names.sort_by(|a, b| stamp_of(b).cmp(stamp_of(a)).then_with(|| a.cmp(b)));
        names.truncate(MAX_LISTED);
        Ok(names)
    }

    /// Keeps a backup; gives its name. On disk when it returns, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written, or one of that name is there.
    pub fn save(&self, backup: &Backup) -> Result<String, BackupError> {
        let name = file_name(backup);
        let path = self.folder.join(&name);
        let text = toml::to_string(backup)
            .map_err(|error| BackupError::Content { name: name.clone(), why: error.to_string() })?;
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let draft = self.folder.join(format!(".{name}.draft"));
            let mut file = fs::File::create(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // Unlike a rename, a link never takes the place of another file.
            let linked = fs::hard_link(&draft, &path);
            fs::remove_file(&draft)?;
            linked
        };
        write().map_err(|error| self.failed(&path, error))?;
        Ok(name)
    }

    /// Reads a backup by the name that [`list`](Self::list) gave.
    ///
    /// # Errors
    /// There is none of that name, or it is no backup: which line is wrong is said.
    pub fn load(&self, name: &str) -> Result<Backup, BackupError> {
        if !is_name(name) {
            return Err(BackupError::Name(name.to_owned()));
        }
        let path = self.folder.join(name);
        let mut text = String::new();
        fs::File::open(&path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(|error| self.failed(&path, error))?;
        toml::from_str(&text)
            .map_err(|error| BackupError::Content { name: name.to_owned(), why: error.to_string().trim().to_owned() })
    }

    #[allow(clippy::unused_self, reason = "errors of the folder are made in one place")]
    fn failed(&self, path: &Path, error: io::Error) -> BackupError {
        BackupError::File { path: path.to_owned(), error }
    }
}

/// `mill-20260102-030405.toml`.
fn file_name(backup: &Backup) -> String {
    let machine = if backup.machine.is_empty() { &backup.firmware } else { &backup.machine };
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '_' };
    let machine: String = machine.chars().take(40).map(plain).collect();
    format!("{machine}-{}{ENDING}", backup.made_at)
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    name.ends_with(ENDING) && !name.starts_with('.') && name.len() < 200 && name.bytes().all(plain)
}

/// The date and time of a name, as far as it has them.
fn stamp_of(name: &str) -> &str {
    let stem = name.trim_end_matches(ENDING);
    stem.len().checked_sub(15).and_then(|at| stem.get(at..)).unwrap_or(stem)
}

/// This moment, `YYYYMMDD-HHMMSS` in UTC.
pub fn now() -> String {
    stamp(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// A moment after 1970 in the calendar (Howard Hinnant's `civil_from_days`).
fn stamp(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (days, time) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}-{:02}{:02}{:02}", time / 3600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn backup(machine: &str, made_at: &str) -> Backup {
        let settings = [("110", "3000.000"), ("Start/Message", "Grbl \\V 'x' \"y\""), ("N0", "")];
        Backup {
            made_at: made_at.into(),
            firmware: "FluidNC".into(),
            version: "v4.0.5".into(),
            machine: machine.into(),
            axes: 3,
            settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn moments_are_read_from_the_calendar() {
        for (seconds, text) in [
            (0, "19700101-000000"),
            (951_782_400, "20000229-000000"),
            (1_767_322_999, "20260102-030319"),
            (4_107_542_400, "21000301-000000"),
        ] {
            assert_eq!(stamp(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_is_kept_is_read_again_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let backups = Backups::new(folder.path().join("deep/backups"));
        assert_eq!(backups.list().unwrap(), Vec::<String>::new());
        let saved = backup("Peer Mill/..", "20260102-030405");
        let name = backups.save(&saved).unwrap();
        assert_eq!(name, "peer_mill___-20260102-030405.toml");
        assert_eq!(backups.load(&name).unwrap(), saved);
        assert!(backups.save(&saved).unwrap_err().to_string().contains(&name), "a second in the same second");
        let newer = backups.save(&backup("", "20260102-030406")).unwrap();
        assert_eq!(backups.list().unwrap(), [newer, name], "newest first, no drafts among them");
    }

    #[test]
    fn what_is_no_backup_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let backups = Backups::new(folder.path().to_owned());
        for name in ["../x.toml", "x", ".hidden.toml", "a/b.toml"] {
            assert!(matches!(backups.load(name), Err(BackupError::Name(_))), "{name}");
        }
        assert!(backups.load("none.toml").unwrap_err().to_string().contains("none.toml"));
        fs::write(folder.path().join("bad.toml"), "made_at = 5\n").unwrap();
        let said = backups.load("bad.toml").unwrap_err().to_string();
        assert!(said.contains("bad.toml is not a settings backup") && said.contains("line 1"), "{said}");
        fs::write(folder.path().join("other.toml"), "[jog]\nsteps = 1\n").unwrap();
        assert!(backups.load("other.toml").is_err());
    }
}
