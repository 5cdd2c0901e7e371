//! Opening the file: one writer, a format that is understood, and content that is sound.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::error::{StoreError, is_damage};
use super::options::StoreOptions;
use super::{backups, rows, schema};
use crate::model::program::{Checkpoint, PastRun, RunId};

/// What was found when the store was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// What a person should know: that a damaged file was set aside.
    pub notes: Vec<String>,
    /// The number of the next run. It rises by one from here; nobody else writes to the file.
    pub next_run: RunId,
    /// The newest run that did not come to its end and was not forgotten.
    pub interrupted: Option<(PastRun, Checkpoint)>,
}

impl Default for Opened {
    fn default() -> Self {
        Self { notes: Vec::new(), next_run: RunId(1), interrupted: None }
    }
}

/// The file, held open by its one writer.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) connection: Connection,
    /// All of it was read and is sound.
    pub(super) checked: bool,
    /// Ends with the process, however that ends.
    lock: File,
}

impl Held {
    /// Closes the file; if `properly`, the next start need not read all of it.
    pub(super) fn close(self, properly: bool) {
        let Self { connection, mut lock, .. } = self;
        match connection.close() {
            Ok(()) if properly => {
                // Not noted, the next start takes longer.
                let _ = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{CLOSED}"));
            }
            Ok(()) => {}
            Err((_, error)) => tracing::warn!(%error, "the store is not closed"),
        }
    }
}

/// What the lock file says of a file that was closed properly; else it has the number of the process.
const CLOSED: &str = "closed";

/// Opens the file for writing, and makes it where there is none.
pub(super) fn open(path: &Path, options: &StoreOptions) -> Result<(Held, Opened), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| StoreError::File { path: folder.to_owned(), error })?;
    }
    let (lock, closed) = lock(path)?;
    let small = fs::metadata(path).is_ok_and(|file| file.len() <= options.check_bytes);
    let checked = small || !closed;
    let failed = |error| StoreError::Sqlite { path: path.to_owned(), error };
    let mut notes = Vec::new();
    let mut connection = match sound(path, options, checked) {
        Ok(connection) => connection,
        Err(Unsound::Damaged(why)) => {
            let aside = set_aside(path)?;
            let note = format!(
                "{} was damaged ({why}): it is kept as {}, and history and journal begin anew",
                path.display(),
                aside.display()
            );
            tracing::error!("{note}");
            notes.push(note);
            sound(path, options, true).map_err(|unsound| unsound.into_error(path))?
        }
        Err(unsound) => return Err(unsound.into_error(path)),
    };
    let opened = ready(&mut connection, options).map_err(failed)?;
    Ok((Held { connection, checked, lock }, Opened { notes, ..opened }))
}

/// A connection that only reads; for as many as like, also while a hub writes.
pub(super) fn open_to_read(path: &Path, busy: Duration) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::Sqlite { path: path.to_owned(), error };
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(busy).map_err(failed)?;
    if !schema::is_ours(&connection).map_err(failed)? {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    match schema::version(&connection).map_err(failed)? {
        schema::VERSION => Ok(connection),
        found if found > schema::VERSION => Err(newer(path, found)),
        _ => Err(StoreError::Older { path: path.to_owned() }),
    }
}

fn newer(path: &Path, found: u32) -> StoreError {
    StoreError::Newer { path: path.to_owned(), found, known: schema::VERSION }
}

/// A file beside the database: SQLite's own locks would end when any descriptor of the database is closed.
/// Says whether the last one to hold it closed it properly.
fn lock(path: &Path) -> Result<(File, bool), StoreError> {
    let beside = with_ending(path, ".lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&beside)
        .map_err(|error| StoreError::File { path: beside.clone(), error })?;
    let locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    match locked {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(StoreError::InUse { path: path.to_owned(), pid: holder.trim().parse().ok() });
        }
        Err(error) => return Err(StoreError::File { path: beside, error: error.into() }),
    }
    // The lock holds without the number, on a full disk.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok((file, holder.trim() == CLOSED))
}

/// Why a file cannot be gone on with.
enum Unsound {
    Damaged(String),
    Refused(StoreError),
    Sqlite(rusqlite::Error),
}

impl Unsound {
    fn into_error(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Sqlite(error) => StoreError::Sqlite { path, error },
            Self::Damaged(why) => StoreError::File { path, error: io::Error::other(why) },
        }
    }
}

impl From<rusqlite::Error> for Unsound {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { Self::Damaged(error.to_string()) } else { Self::Sqlite(error) }
    }
}

/// Opens the file and reads all of it, if it is to be `checked`; changes nothing in it.
fn sound(path: &Path, options: &StoreOptions, checked: bool) -> Result<Connection, Unsound> {
    let connection = Connection::open(path)?;
    // What is refused is left as it is, its log too.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(options.busy_timeout)?;
    if !schema::is_ours(&connection)? {
        return Err(Unsound::Refused(StoreError::Foreign { path: path.to_owned() }));
    }
    let found = schema::version(&connection)?;
    if found > schema::VERSION {
        return Err(Unsound::Refused(newer(path, found)));
    }
    if let Some(why) = checked.then(|| damage(&connection)).transpose()?.flatten() {
        return Err(Unsound::Damaged(why));
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

/// Reads all of the file. `None`: it is sound.
fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.query_one("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((verdict != "ok").then(|| verdict.replace('\n', "; ")))
}

/// The same beside the one that writes. Takes as long as it takes.
pub(super) fn damage_beside(path: &Path, busy: Duration) -> Option<String> {
    let connection = open_to_read(path, busy).ok()?;
    match damage(&connection) {
        Ok(found) => found,
        Err(error) => is_damage(&error).then(|| error.to_string()),
    }
}

/// Makes a sound file ready to be written, and ends the runs and commands that have no end.
fn ready(connection: &mut Connection, options: &StoreOptions) -> rusqlite::Result<Opened> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    schema::migrate(connection)?;
    let transaction = connection.transaction()?;
    rows::end_interrupted(&transaction)?;
    transaction.commit()?;
    // A page that cannot be read is found by the check of the whole file, which may run beside its use.
    if let Err(error) = rows::end_asked(connection) {
        tracing::warn!(%error, "commands without an answer are not marked as such");
    }
    Ok(Opened { notes: Vec::new(), next_run: rows::next_run(connection)?, interrupted: rows::interrupted(connection)? })
}

/// Opens the file to read, beside whoever writes, and reads all of it.
///
/// # Errors
/// It is missing, not ours, of another version, or damaged.
pub fn examine(path: &Path, busy: Duration) -> Result<(), StoreError> {
    let connection = open_to_read(path, busy)?;
    let failed = |error| StoreError::Sqlite { path: path.to_owned(), error };
    match damage(&connection).map_err(failed)? {
        Some(why) => {
            Err(StoreError::File { path: path.to_owned(), error: io::Error::other(format!("damaged: {why}")) })
        }
        None => Ok(()),
    }
}

/// Gives a damaged file and its log a name with the date. Nothing is deleted.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let stamp = backups::now();
    let free = |ending: &str| Some(with_ending(path, ending)).filter(|name| !name.exists());
    let aside = free(&format!(".damaged-{stamp}"))
        .or_else(|| (2..100).find_map(|n| free(&format!(".damaged-{stamp}-{n}"))))
        .unwrap_or_else(|| with_ending(path, ".damaged"));
    for ending in ["", "-wal", "-shm"] {
        let from = with_ending(path, ending);
        match fs::rename(&from, with_ending(&aside, ending)) {
            Err(error) if ending.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::File { path: from, error });
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
