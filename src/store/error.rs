//! What can be wrong with the store, in words that say what to do.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the store cannot be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its folder or a file beside it refused.
    #[error("{}: {error}; nothing is journaled", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A newer sunmill has written it.
    #[error(
        "{} was written by a newer sunmill (format {found}, this one knows up to {known}); it is left alone and nothing is \
         journaled: update sunmill, or name another file in store.path",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is understood here.
        known: u32,
    },
    /// An older sunmill has written it, and it is only to be read.
    #[error("{} was written by an older sunmill: start this one once, so that it is brought up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It is a database of something else.
    #[error("{} is the database of another program; it is left alone: name another file in store.path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another sunmill writes to it.
    #[error(
        "{} is in use by another sunmill{}; nothing is journaled by this one: name another file in store.path",
        path.display(),
        pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who, if it said so.
        pid: Option<u32>,
    },
    /// There is none yet.
    #[error("{} is not there: nothing has been kept yet", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("{}: {}", path.display(), words(error))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        error: rusqlite::Error,
    },
    /// The store's own thread has ended.
    #[error("the store has been closed")]
    Closed,
    /// It could not be written; it is tried again.
    #[error("{0}")]
    NotWritten(String),
}

/// SQLite's complaint, with what to do about it where that is known.
pub(super) fn words(error: &rusqlite::Error) -> String {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: make room on it",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "it cannot be written: see who owns the file and its folder, and whether the disk is mounted read-only"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds it locked: close that",
        Some(ErrorCode::SystemIoFailure) => "the disk fails: check the card or its plug",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "it is damaged, and will be set aside at the next start of sunmill"
        }
        _ => return error.to_string(),
    };
    format!("{what} ({error})")
}

/// The row is fine and the place is not: it is kept and tried again.
pub(super) fn is_of_the_place(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OperationInterrupted
        )
    )
}

/// The file itself is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
