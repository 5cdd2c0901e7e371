//! The tables, and how an older file becomes a newer one.
//!
//! A step is never changed once it was released: what comes later is a step of its own behind it. `user_version` of the file
//! is how many steps it has taken.

use rusqlite::{Connection, TransactionBehavior};

/// One step from each format to the next.
const STEPS: &[&str] = &[PROGRAMS, INVERTERS, ENERGY, ASKERS, LINK_LOSS];

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

/// What inverters did, what people set on them, and what is remembered of each.
const INVERTERS: &str = "
    CREATE TABLE inverters (
        -- Less than 256: it is part of the keys below.
        id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
        name TEXT NOT NULL UNIQUE,
        -- A bit for each column below that it ever told.
        has INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- id = ms of Unix time * 256 + inverter, so that rows go to the end of the tree; of longer times that of their beginning.
    -- W, 0.1 %, 0.01 V of the battery, 0.1 V of the grid, 0.01 Hz, 0.1 °C, 1/1000. NULL: not known. Energies (_e) in mWh.
    CREATE TABLE power_ticks (
        id INTEGER PRIMARY KEY,
        pv_w INTEGER, battery_w INTEGER, grid_w INTEGER, load_w INTEGER, soc_percent INTEGER, battery_v INTEGER,
        grid_v INTEGER, grid_hz INTEGER, inverter_c INTEGER, battery_c INTEGER, grid_there INTEGER
    ) STRICT;
    CREATE TABLE power_minutes (
        id INTEGER PRIMARY KEY,
        pv_w INTEGER, battery_w INTEGER, grid_w INTEGER, load_w INTEGER, soc_percent INTEGER, battery_v INTEGER,
        grid_v INTEGER, grid_hz INTEGER, inverter_c INTEGER, battery_c INTEGER, grid_there INTEGER,
        known_ms INTEGER NOT NULL,
        pv_e INTEGER, load_e INTEGER, import_e INTEGER, export_e INTEGER, charge_e INTEGER, discharge_e INTEGER
    ) STRICT;
    CREATE TABLE power_quarters (
        id INTEGER PRIMARY KEY,
        pv_w INTEGER, battery_w INTEGER, grid_w INTEGER, load_w INTEGER, soc_percent INTEGER, battery_v INTEGER,
        grid_v INTEGER, grid_hz INTEGER, inverter_c INTEGER, battery_c INTEGER, grid_there INTEGER,
        known_ms INTEGER NOT NULL,
        pv_e INTEGER, load_e INTEGER, import_e INTEGER, export_e INTEGER, charge_e INTEGER, discharge_e INTEGER
    ) STRICT;
    CREATE TABLE power_days (
        id INTEGER PRIMARY KEY,
        pv_w INTEGER, battery_w INTEGER, grid_w INTEGER, load_w INTEGER, soc_percent INTEGER, battery_v INTEGER,
        grid_v INTEGER, grid_hz INTEGER, inverter_c INTEGER, battery_c INTEGER, grid_there INTEGER,
        known_ms INTEGER NOT NULL,
        pv_e INTEGER, load_e INTEGER, import_e INTEGER, export_e INTEGER, charge_e INTEGER, discharge_e INTEGER
    ) STRICT;

    CREATE TABLE saved_settings (
        inverter INTEGER NOT NULL,
        id TEXT NOT NULL,
        text TEXT NOT NULL,
        who TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (inverter, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE inverter_memory (
        inverter INTEGER NOT NULL,
        key TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (inverter, key)
    ) STRICT, WITHOUT ROWID;
";

/// What programs drew: JSON of each, NULL where nothing measured it; and the sums of those that are too old.
const ENERGY: &str = "
    ALTER TABLE runs ADD COLUMN energy TEXT;
    ALTER TABLE old_runs ADD COLUMN energy_wh REAL NOT NULL DEFAULT 0;
";

/// Who asked, taken apart. NULL: not known, or nobody.
const ASKERS: &str = "
    ALTER TABLE audit ADD COLUMN user TEXT;
    ALTER TABLE audit ADD COLUMN uid INTEGER;
    ALTER TABLE audit ADD COLUMN client INTEGER;
    ALTER TABLE audit ADD COLUMN program TEXT;
    ALTER TABLE audit ADD COLUMN place TEXT;
";

/// What was chosen to follow a lost link in a run. NULL: nothing was.
const LINK_LOSS: &str = "
    ALTER TABLE runs ADD COLUMN on_link_loss TEXT;
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
        let all = [
            "audit",
            "checkpoints",
            "inverter_memory",
            "inverters",
            "old_runs",
            "power_days",
            "power_minutes",
            "power_quarters",
            "power_ticks",
            "reports",
            "runs",
            "saved_settings",
        ];
        assert_eq!(tables(&file), all);
        migrate(&mut file).unwrap();

        // What a later step will do to a file of today, which keeps its rows.
        file.execute("INSERT INTO audit (at_ms, kind, who, what, outcome) VALUES (2, 'mdi', 'a', 'b', 'c')", [])
            .unwrap();
        let later = [STEPS, &["CREATE TABLE telemetry (at_ms INTEGER PRIMARY KEY) STRICT;"]].concat();
        migrate_with(&mut file, &later).unwrap();
        assert_eq!((version(&file).unwrap(), tables(&file).len()), (VERSION + 1, all.len() + 1));
        let kept: i64 = file.query_one("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate(&mut file).unwrap();
        let broken = [STEPS, &["CREATE TABLE one (a INTEGER) STRICT;", "CREATE TABLE runs (a INTEGER);"]].concat();
        assert!(migrate_with(&mut file, &broken).is_err());
        assert_eq!((version(&file).unwrap(), tables(&file).len()), (VERSION, 12));
    }

    #[test]
    fn a_file_of_any_older_format_keeps_its_rows() {
        for steps in 1..STEPS.len() {
            let mut file = Connection::open_in_memory().unwrap();
            migrate_with(&mut file, &STEPS[..steps]).unwrap();
            file.execute("INSERT INTO audit (at_ms, kind, who, what, outcome) VALUES (2, 'mdi', 'a', 'b', 'c')", [])
                .unwrap();
            migrate(&mut file).unwrap();
            let kept: (String, Option<u32>) =
                file.query_one("SELECT who, uid FROM audit", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            assert_eq!((version(&file).unwrap(), kept), (VERSION, ("a".to_owned(), None)), "{steps}");
        }
    }

    #[test]
    fn runs_of_before_energy_was_measured_have_none_and_their_sums_are_0() {
        let mut file = Connection::open_in_memory().unwrap();
        migrate_with(&mut file, &STEPS[..2]).unwrap();
        let run = "INSERT INTO runs VALUES (1, 'a', 'a', NULL, 'w', 1, 2, 'done', NULL, 1, 2, 2, 0, 0, 1, 0, 0)";
        file.execute(run, []).unwrap();
        file.execute("INSERT INTO old_runs VALUES ('a', 0, 1, 1, 10, 5, 1)", []).unwrap();
        migrate(&mut file).unwrap();
        let energy: Option<String> = file.query_one("SELECT energy FROM runs", [], |row| row.get(0)).unwrap();
        let sum: f64 = file.query_one("SELECT energy_wh FROM old_runs", [], |row| row.get(0)).unwrap();
        assert_eq!((energy, sum), (None, 0.0));
    }
}
