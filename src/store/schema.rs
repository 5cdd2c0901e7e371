//! The tables, and how an older file becomes a newer one.
//!
//! A step is never changed once it was released: what comes later is a step of its own behind it. `user_version` of the file
//! is how many steps it has taken.

use rusqlite::{Connection, TransactionBehavior};

/// One step from each format to the next.
const STEPS: &[&str] = &[PROGRAMS];

/// History, journal, analyses and audit.
const PROGRAMS: &str = "
    -- Times are ms of Unix time (…_ms at a moment) or ms (paused_ms, cutting_ms, took_ms).
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        hash BLOB,
        who TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        how TEXT CHECK (how IN ('done', 'stopped', 'failed', 'interrupted')),
        why TEXT,
        first_line INTEGER NOT NULL,
        last_line INTEGER NOT NULL,
        lines INTEGER,
        pauses INTEGER NOT NULL,
        paused_ms INTEGER NOT NULL,
        cutting_ms INTEGER NOT NULL,
        dry INTEGER NOT NULL,
        -- It is not offered to be taken up again.
        forgotten INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX runs_by_name ON runs (name);

    -- The latest of each run that could be taken up again; state is the whole of it in JSON.
    CREATE TABLE checkpoints (
        run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        at_ms INTEGER NOT NULL,
        acked_line INTEGER NOT NULL,
        state TEXT NOT NULL
    ) STRICT;

    -- Sums of runs that are too old to be kept one by one.
    CREATE TABLE old_runs (
        name TEXT NOT NULL,
        dry INTEGER NOT NULL,
        runs INTEGER NOT NULL,
        done INTEGER NOT NULL,
        running_ms INTEGER NOT NULL,
        cutting_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        PRIMARY KEY (name, dry)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE reports (
        key TEXT PRIMARY KEY,
        used_ms INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;

    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        outcome TEXT NOT NULL,
        took_ms INTEGER
    ) STRICT;
    CREATE INDEX audit_by_time ON audit (at_ms);
";

/// The format that is written here.
pub(super) const VERSION: u32 = STEPS.len() as u32;

/// Marks a file as one of ours (`application_id` of its header): "SUNM".
const APPLICATION: i64 = 0x5355_4e4d;

/// Whether it is empty or ours.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let entries: i64 = connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == APPLICATION || (application == 0 && entries == 0))
}

/// The format of a file; 0: a new one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings an older file up to date, all steps or none.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_with(connection, STEPS)
}

fn migrate_with(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = version(&transaction)? as usize;
    for step in steps.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    if from < steps.len() {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let mut rows = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_new_file_gets_every_table_and_an_old_one_what_it_lacks() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file).unwrap();
        assert_eq!(version(&file).unwrap(), VERSION);
        assert_eq!(tables(&file), ["audit", "checkpoints", "old_runs", "reports", "runs"]);
        migrate(&mut file).unwrap();

        // What a later step will do to a file of today, which keeps its rows.
        file.execute("INSERT INTO audit VALUES (1, 2, 'mdi', 'a', 'b', 'c', NULL)", []).unwrap();
        let later = [STEPS, &["CREATE TABLE telemetry (at_ms INTEGER PRIMARY KEY) STRICT;"]].concat();
        migrate_with(&mut file, &later).unwrap();
        assert_eq!((version(&file).unwrap(), tables(&file).len()), (VERSION + 1, 6));
        let kept: i64 = file.query_one("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file).unwrap();
        let broken = [STEPS, &["CREATE TABLE one (a INTEGER) STRICT;", "CREATE TABLE runs (a INTEGER);"]].concat();
        assert!(migrate_with(&mut file, &broken).is_err());
        assert_eq!((version(&file).unwrap(), tables(&file).len()), (VERSION, 5));
    }
}
