//! What can be written, how urgent it is, and how it is done.

use rusqlite::{Connection, params};

use super::options::StoreOptions;
use super::reader::ENERGY_WH;
use super::{power, rows};
use crate::model::audit::AuditRow;
use crate::model::power::Saved;
use crate::model::program::{Checkpoint, PastRun, Report, RunId};

/// One thing to write.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// A run as it began or ended.
    Run(Box<PastRun>),
    /// A run is not to be offered any more.
    Forget(RunId),
    /// This run takes the place of those before it of the same file.
    Supersede(RunId),
    /// A row of the audit.
    Audit(AuditRow),
    /// The end of what stands in the audit as [asked](crate::model::audit::ASKED).
    AuditEnd(AuditRow),
    /// What a check found.
    Report(String, Box<Report>),
    /// A report was of use.
    ReportUsed(String),
    /// All reports go.
    CleanReports,
    /// A person set a setting of an inverter.
    SaveSetting(String, Saved),
    /// What a person set is forgotten: (inverter, setting).
    ForgetSetting(String, String),
    /// To be remembered of an inverter at once: (inverter, key, text).
    Remember(String, String, String),
}

impl Write {
    /// A power cut right after it must not lose it.
    pub(super) const fn is_urgent(&self) -> bool {
        match self {
            Self::Run(_)
            | Self::Forget(_)
            | Self::Supersede(_)
            | Self::CleanReports
            | Self::SaveSetting(..)
            | Self::ForgetSetting(..)
            | Self::Remember(..) => true,
            Self::Audit(row) | Self::AuditEnd(row) => row.kind.at_once(),
            Self::Report(..) | Self::ReportUsed(_) => false,
        }
    }

    /// It can be made again, so that nothing is lost if it is not written.
    pub(super) const fn is_cache(&self) -> bool {
        matches!(self, Self::Report(..) | Self::ReportUsed(_) | Self::CleanReports)
    }

    pub(super) fn apply(&self, connection: &Connection, now_ms: i64) -> rusqlite::Result<()> {
        match self {
            Self::Run(run) => rows::put_run(connection, run),
            Self::Forget(run) => rows::forget(connection, *run),
            Self::Supersede(run) => rows::supersede(connection, *run),
            Self::Audit(row) => rows::put_audit(connection, row),
            Self::AuditEnd(row) => rows::end_audit(connection, row),
            Self::Report(key, report) => put_report(connection, key, report, now_ms),
            Self::ReportUsed(key) => connection
                .prepare("UPDATE reports SET used_ms = ?2 WHERE key = ?1")?
                .execute(params![key, now_ms])
                .map(|_| ()),
            Self::CleanReports => connection.execute("DELETE FROM reports", []).map(|_| ()),
            Self::SaveSetting(inverter, saved) => power::save_setting(connection, inverter, saved),
            Self::ForgetSetting(inverter, id) => power::forget_setting(connection, inverter, id),
            Self::Remember(inverter, key, text) => power::remember(connection, inverter, key, text),
        }
    }
}

pub(super) fn apply_checkpoint(connection: &Connection, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    rows::put_checkpoint(connection, checkpoint)
}

fn put_report(connection: &Connection, key: &str, report: &Report, now_ms: i64) -> rusqlite::Result<()> {
    let mut report = report.clone();
    // JSON has no infinity, and of axes that are not commanded the numbers mean nothing.
    for reach in &mut report.reach {
        for number in reach.min.iter_mut().chain(&mut reach.max) {
            *number = if number.is_finite() { *number } else { 0.0 };
        }
    }
    let body =
        serde_json::to_string(&report).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection
        .prepare(
            "INSERT INTO reports (key, used_ms, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET used_ms = excluded.used_ms, body = excluded.body",
        )?
        .execute(params![key, now_ms, body])?;
    Ok(())
}

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Runs of which only sums are kept. The newest stays for its number; those that can be taken up again stay for that, and those
/// that teach what the machine draws for that.
const OLD: &str = "ended_ms < ?1 AND id <> (SELECT max(id) FROM runs) AND id NOT IN (SELECT run FROM checkpoints)
    AND id NOT IN (SELECT id FROM runs WHERE energy IS NOT NULL AND NOT dry ORDER BY id DESC LIMIT 20)";

/// Throws away the reports that are too old or too many.
pub(super) fn tidy_reports(connection: &Connection, options: &StoreOptions, now_ms: i64) -> rusqlite::Result<()> {
    let oldest = now_ms - i64::try_from(options.analyses_for.as_millis()).unwrap_or(i64::MAX);
    connection
        .prepare(
            "DELETE FROM reports WHERE used_ms < ?1
             OR key NOT IN (SELECT key FROM reports ORDER BY used_ms DESC, rowid DESC LIMIT ?2)",
        )?
        .execute(params![oldest, options.analyses])
        .map(|_| ())
}

/// Throws away what is too old. Of old runs the sums stay.
pub(super) fn tidy(connection: &Connection, options: &StoreOptions, now_ms: i64) -> rusqlite::Result<()> {
    tidy_reports(connection, options, now_ms)?;
    if options.audit_days > 0 {
        let oldest = now_ms - i64::from(options.audit_days) * DAY_MS;
        connection.execute("DELETE FROM audit WHERE at_ms < ?1", [oldest])?;
    }
    if options.history_days > 0 {
        let oldest = now_ms - i64::from(options.history_days) * DAY_MS;
        connection.execute(
            &format!(
                "INSERT INTO old_runs (name, dry, runs, done, running_ms, cutting_ms, last_ms, energy_wh)
                 SELECT name, dry, count(*), sum(how = 'done'), sum(max(ended_ms - started_ms - paused_ms, 0)),
                     sum(cutting_ms), max(started_ms), sum({ENERGY_WH})
                 FROM runs WHERE {OLD} GROUP BY name, dry
                 ON CONFLICT (name, dry) DO UPDATE SET runs = runs + excluded.runs, done = done + excluded.done,
                     running_ms = running_ms + excluded.running_ms, cutting_ms = cutting_ms + excluded.cutting_ms,
                     last_ms = max(last_ms, excluded.last_ms), energy_wh = energy_wh + excluded.energy_wh"
            ),
            [oldest],
        )?;
        connection.execute(&format!("DELETE FROM runs WHERE {OLD}"), [oldest])?;
    }
    Ok(())
}
