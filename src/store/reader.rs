//! Reading the store, beside the thread that writes, or from another process. Everything here blocks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::open;
use super::power::{self, PowerRow};
use super::rows::{self, AUDIT_COLUMNS, RUN_COLUMNS, signed};
use crate::model::audit::{AuditAsk, AuditKind, AuditPage, AuditRow};
use crate::model::power::{EnergyBar, Grain, Sample, Saved};
use crate::model::program::ask::{Kept, Statistics};
use crate::model::program::{Checkpoint, OnLinkLoss, PastRun, ProgramTotals, Report, RunEnergy, Totals};

/// Energy of a run in SQL, in Wh: sun, battery, grid and what has no source; 0 where nothing was measured.
pub(super) const ENERGY_WH: &str =
    "max(coalesce(json_extract(energy, '$.sun_wh') + json_extract(energy, '$.battery_wh')
    + json_extract(energy, '$.grid_wh') + json_extract(energy, '$.unsplit_wh'), 0.0), 0.0)";

/// Reads a store. Opens it anew for each question, so that it holds nothing in between.
#[derive(Clone, Debug)]
pub struct Reader {
    path: PathBuf,
    busy: Duration,
}

/// Which runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this file name only.
    pub name: Option<String>,
    /// Started at this ms of Unix time or later.
    pub since_ms: Option<i64>,
}

/// Which rows of the audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At this ms of Unix time or later.
    pub since_ms: Option<i64>,
    /// Before this ms of Unix time.
    pub until_ms: Option<i64>,
    /// Of this kind only.
    pub kind: Option<AuditKind>,
}

impl Reader {
    /// Of this file; another program may hold it locked for so long.
    pub const fn new(path: PathBuf, busy: Duration) -> Self {
        Self { path, busy }
    }

    /// Past runs, and the one that runs, newest first.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn runs(&self, filter: &RunFilter, skip: usize, count: usize) -> Result<Vec<PastRun>, StoreError> {
        self.ask(|connection| {
            connection
                .prepare(&format!(
                    "SELECT {RUN_COLUMNS} FROM runs
                     WHERE (?1 IS NULL OR name = ?1) AND started_ms >= coalesce(?2, started_ms)
                     ORDER BY id DESC LIMIT ?3 OFFSET ?4"
                ))?
                .query_map(
                    params![filter.name, filter.since_ms, signed(count as u64), signed(skip as u64)],
                    rows::run_of,
                )?
                .collect()
        })
    }

    /// Sums over all runs that have ended.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn statistics(&self) -> Result<Totals, StoreError> {
        self.ask(|connection| {
            let mut totals = Totals::default();
            let mut statement = connection.prepare(&format!(
                "WITH sums AS (
                     SELECT name, dry, 1 AS runs, how = 'done' AS done, max(ended_ms - started_ms - paused_ms, 0) AS running_ms,
                         cutting_ms, started_ms AS last_ms, {ENERGY_WH} AS energy_wh
                     FROM runs WHERE how IS NOT NULL
                     UNION ALL SELECT name, dry, runs, done, running_ms, cutting_ms, last_ms, energy_wh FROM old_runs
                 )
                 SELECT name, sum(runs), sum(done), sum(running_ms), sum(cutting_ms), max(last_ms), dry,
                     sum(energy_wh)
                 FROM sums GROUP BY name, dry ORDER BY name",
            ))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                add_row(&mut totals, row)?;
            }
            totals.programs.sort_by_key(|program| std::cmp::Reverse(program.last_ms));
            Ok(totals)
        })
    }

    /// What the newest runs on the real machine drew, as far as it was measured, newest first.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn run_energies(&self, count: usize) -> Result<Vec<RunEnergy>, StoreError> {
        let texts: Vec<String> = self.ask(|connection| {
            connection
                .prepare("SELECT energy FROM runs WHERE energy IS NOT NULL AND NOT dry ORDER BY id DESC LIMIT ?1")?
                .query_map([signed(count as u64)], |row| row.get(0))?
                .collect()
        })?;
        Ok(texts.iter().filter_map(|text| rows::energy_of(text)).collect())
    }

    /// The newest run that did not come to its end and was not forgotten.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn interrupted(&self) -> Result<Option<(PastRun, Checkpoint)>, StoreError> {
        self.ask(rows::interrupted)
    }

    /// What was chosen to follow a lost link when this program ran last. A store that cannot be read knows nothing, and says why in
    /// the log: no start waits for that.
    pub fn on_link_loss(&self, program: &Path) -> Option<OnLinkLoss> {
        let name: Result<Option<String>, _> = self.ask(|connection| {
            connection
                .query_row(
                    "SELECT on_link_loss FROM runs WHERE name = ?1 AND path = ?2 AND on_link_loss IS NOT NULL
                     ORDER BY id DESC LIMIT 1",
                    params![
                        program.file_name().unwrap_or(program.as_os_str()).display().to_string(),
                        program.display().to_string()
                    ],
                    |row| row.get(0),
                )
                .optional()
        });
        let known = name.inspect_err(|why| tracing::warn!(%why, "what was chosen for a program cannot be read"));
        known.ok().flatten()?.parse().ok()
    }

    /// What a check found, if that is still kept and is of this sunmill.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn report(&self, key: &str) -> Result<Option<Report>, StoreError> {
        let body: Option<String> = self.ask(|connection| {
            connection.query_row("SELECT body FROM reports WHERE key = ?1", [key], |row| row.get(0)).optional()
        })?;
        // One that an older sunmill made otherwise is made again.
        Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
    }

    /// How many reports of checks are kept, and how large they are.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn kept_reports(&self) -> Result<Kept, StoreError> {
        let (reports, bytes): (i64, i64) = self.ask(|connection| {
            connection.query_one("SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM reports", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })?;
        Ok(Kept { reports: reports.cast_unsigned(), bytes: bytes.cast_unsigned() })
    }

    /// Rows of the audit, newest first.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn audit(&self, filter: &AuditFilter, skip: usize, count: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.ask(|connection| {
            connection
                .prepare(&format!(
                    "SELECT {AUDIT_COLUMNS} FROM audit
                     WHERE at_ms >= coalesce(?1, at_ms) AND (?2 IS NULL OR at_ms < ?2) AND (?3 IS NULL OR kind = ?3)
                     ORDER BY id DESC LIMIT ?4 OFFSET ?5"
                ))?
                .query_map(
                    params![
                        filter.since_ms,
                        filter.until_ms,
                        filter.kind.map(AuditKind::name),
                        signed(count as u64),
                        signed(skip as u64)
                    ],
                    rows::audit_of,
                )?
                .collect()
        })
    }

    /// A page of the audit, newest first. Rows that are written between two pages move nothing.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn audit_page(&self, ask: &AuditAsk) -> Result<AuditPage, StoreError> {
        let count = if ask.count == 0 { AuditPage::MOST } else { ask.count.min(AuditPage::MOST) };
        let mut rows: Vec<(AuditRow, i64)> = self.ask(|connection| {
            connection
                .prepare(&format!(
                    "SELECT {AUDIT_COLUMNS}, id FROM audit
                     WHERE at_ms >= coalesce(?1, at_ms) AND (?2 IS NULL OR at_ms < ?2) AND (?3 IS NULL OR kind = ?3)
                         AND (?4 IS NULL OR id < ?4)
                     ORDER BY id DESC LIMIT ?5"
                ))?
                .query_map(
                    params![
                        ask.since_ms,
                        ask.until_ms,
                        ask.kind.map(AuditKind::name),
                        ask.before.map(signed),
                        // One more tells whether there are more.
                        signed(count as u64 + 1)
                    ],
                    |row| Ok((rows::audit_of(row)?, row.get("id")?)),
                )?
                .collect()
        })?;
        let is_last = rows.len() <= count;
        rows.truncate(count);
        let before = rows.last().filter(|_| !is_last).and_then(|(_, id)| u64::try_from(*id).ok());
        Ok(AuditPage { rows: rows.into_iter().map(|(row, _)| row).collect(), before })
    }

    /// How power went from a moment until before another, oldest first, in one inverter, or in all together (`None`): then
    /// there is a sum only where all of them are known.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn samples(
        &self,
        inverter: Option<&str>,
        from_ms: i64,
        until_ms: i64,
        grain: Grain,
    ) -> Result<Vec<Sample>, StoreError> {
        let span = (from_ms, until_ms);
        self.ask(|connection| match inverter {
            None => power::together(connection, span, grain),
            one => {
                let mut samples = Vec::new();
                power::told(connection, one, span, grain, &mut |row| {
                    samples.push(row.sample);
                    true
                })?;
                Ok(samples)
            }
        })
    }

    /// The same of one inverter, or of each (`None`), row by row: few are held at a time. `false` ends it.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn each_sample(
        &self,
        inverter: Option<&str>,
        from_ms: i64,
        until_ms: i64,
        grain: Grain,
        take: &mut dyn FnMut(PowerRow) -> bool,
    ) -> Result<(), StoreError> {
        self.ask(|connection| power::told(connection, inverter, (from_ms, until_ms), grain, take))
    }

    /// The inverters of which something is kept, by name.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn inverters(&self) -> Result<Vec<String>, StoreError> {
        self.ask(|connection| {
            connection.prepare("SELECT name FROM inverters ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// What flowed between each two neighbours of these moments, which rise, in one inverter or in all together (`None`).
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn energies(&self, inverter: Option<&str>, edges_ms: &[i64]) -> Result<Vec<EnergyBar>, StoreError> {
        self.ask(|connection| power::energies(connection, inverter, edges_ms))
    }

    /// The settings of an inverter that people set, by id.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn saved(&self, inverter: &str) -> Result<Vec<Saved>, StoreError> {
        self.ask(|connection| power::saved(connection, inverter))
    }

    /// What is remembered of an inverter under this key.
    ///
    /// # Errors
    /// The file is not there or cannot be read.
    pub fn memory(&self, inverter: &str, key: &str) -> Result<Option<String>, StoreError> {
        self.ask(|connection| power::memory(connection, inverter, key))
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = open::open_to_read(&self.path, self.busy)?;
        question(&connection).map_err(|error| StoreError::Sqlite { path: self.path.clone(), error })
    }
}

fn add_row(totals: &mut Totals, row: &Row<'_>) -> rusqlite::Result<()> {
    let name: String = row.get(0)?;
    let of = |ms: i64| ms as f64 / 1000.0;
    let sums = Statistics {
        runs: row.get::<_, i64>(1)? as u64,
        done: row.get::<_, i64>(2)? as u64,
        running_s: of(row.get(3)?),
        moving_s: of(row.get(4)?),
        energy_kwh: row.get::<_, f64>(7)? / 1000.0,
    };
    let last_ms: i64 = row.get(5)?;
    let dry: bool = row.get(6)?;
    add(if dry { &mut totals.dry } else { &mut totals.machine }, &sums);
    if totals.programs.last().is_none_or(|last| last.name != name) {
        totals.programs.push(ProgramTotals { name, last_ms, ..ProgramTotals::default() });
    }
    if let Some(program) = totals.programs.last_mut() {
        add(if dry { &mut program.dry } else { &mut program.machine }, &sums);
        program.last_ms = program.last_ms.max(last_ms);
    }
    Ok(())
}

fn add(to: &mut Statistics, sums: &Statistics) {
    to.runs += sums.runs;
    to.done += sums.done;
    to.running_s += sums.running_s;
    to.moving_s += sums.moving_s;
    to.energy_kwh += sums.energy_kwh;
}
