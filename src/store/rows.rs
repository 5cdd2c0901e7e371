//! Rows as they are written and read.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;

use crate::model::audit::{ASKED, Asker, AuditKind, AuditRow, NEVER_ANSWERED};
use crate::model::program::{Checkpoint, ContentHash, OnLinkLoss, PastRun, RunEnd, RunEnergy, RunId};

/// Columns of a run, in the order in which [`run_of`] reads them.
pub(super) const RUN_COLUMNS: &str = "id, name, path, hash, who, started_ms, ended_ms, how, why, first_line, last_line, lines, \
                                      pauses, paused_ms, cutting_ms, dry, energy, on_link_loss";
/// Columns of an audit row, in the order in which [`audit_of`] reads them.
pub(super) const AUDIT_COLUMNS: &str = "at_ms, kind, who, what, outcome, took_ms, user, uid, client, program, place";

/// Rows of the audit among which one can be whose command was never answered.
const NEWEST: i64 = 1000;

/// Numbers as SQLite has them; what does not fit is as large as can be.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn run_of(row: &Row<'_>) -> rusqlite::Result<PastRun> {
    let how: Option<String> = row.get(7)?;
    let why: Option<String> = row.get(8)?;
    Ok(PastRun {
        id: RunId(unsigned(row.get(0)?)),
        name: row.get(1)?,
        path: row.get(2)?,
        hash: row.get::<_, Option<[u8; 32]>>(3)?.map(ContentHash),
        who: row.get(4)?,
        started_ms: row.get(5)?,
        ended_ms: row.get(6)?,
        end: how.map(|how| end_of(&how, why.unwrap_or_default())),
        first_line: unsigned(row.get(9)?),
        last_line: unsigned(row.get(10)?),
        lines: row.get::<_, Option<i64>>(11)?.map(unsigned),
        pauses: row.get(12)?,
        paused_for: Duration::from_millis(unsigned(row.get(13)?)),
        moving_for: Duration::from_millis(unsigned(row.get(14)?)),
        dry: row.get(15)?,
        energy: row.get::<_, Option<String>>(16)?.and_then(|text| energy_of(&text)),
        // Of a kind that came later: as if nothing had been chosen.
        on_link_loss: row.get::<_, Option<String>>(17)?.and_then(|name| name.parse().ok()),
    })
}

/// Energy that cannot be read is not known.
pub(super) fn energy_of(text: &str) -> Option<RunEnergy> {
    serde_json::from_str(text).inspect_err(|error| tracing::warn!(%error, "the energy of a run cannot be read")).ok()
}

fn end_of(how: &str, why: String) -> RunEnd {
    match how {
        "done" => RunEnd::Done,
        "stopped" => RunEnd::Stopped(why),
        "failed" => RunEnd::Failed(why),
        _ => RunEnd::Interrupted(why),
    }
}

const fn how(end: &RunEnd) -> (&'static str, Option<&String>) {
    match end {
        RunEnd::Done => ("done", None),
        RunEnd::Stopped(why) => ("stopped", Some(why)),
        RunEnd::Failed(why) => ("failed", Some(why)),
        RunEnd::Interrupted(why) => ("interrupted", Some(why)),
    }
}

/// Writes a run, at its start and again at its end. A run that has ended does not become one that runs.
pub(super) fn put_run(connection: &Connection, run: &PastRun) -> rusqlite::Result<()> {
    let (how, why) = run.end.as_ref().map_or((None, None), |end| (Some(how(end).0), how(end).1));
    let energy = run.energy.map(|energy| json(&energy)).transpose()?;
    connection
        .prepare(
            "INSERT INTO runs (id, name, path, hash, who, started_ms, ended_ms, how, why, first_line, last_line, lines,
                 pauses, paused_ms, cutting_ms, dry, energy, on_link_loss)
             VALUES (:id, :name, :path, :hash, :who, :started, :ended, :how, :why, :first, :last, :lines,
                 :pauses, :paused, :cutting, :dry, :energy, :link)
             ON CONFLICT (id) DO UPDATE SET hash = coalesce(excluded.hash, hash), ended_ms = excluded.ended_ms, how = excluded.how,
                 why = excluded.why, last_line = excluded.last_line, lines = coalesce(excluded.lines, lines), pauses = excluded.pauses,
                 paused_ms = excluded.paused_ms, cutting_ms = excluded.cutting_ms, energy = coalesce(excluded.energy, energy)
             WHERE excluded.how IS NOT NULL",
        )?
        .execute(named_params! {
            ":id": signed(run.id.0), ":name": run.name, ":path": run.path, ":hash": run.hash.map(|hash| hash.0),
            ":who": run.who, ":started": run.started_ms, ":ended": run.ended_ms, ":how": how, ":why": why,
            ":first": signed(run.first_line), ":last": signed(run.last_line), ":lines": run.lines.map(signed),
            ":pauses": run.pauses, ":paused": millis(run.paused_for), ":cutting": millis(run.moving_for),
            ":dry": run.dry, ":energy": energy, ":link": run.on_link_loss.map(OnLinkLoss::name),
        })?;
    if run.end == Some(RunEnd::Done) {
        drop_checkpoint(connection, run.id)?;
    }
    Ok(())
}

/// Writes how far a run is. Nothing is written for a run that came to its end or was forgotten, or that would set
/// its position back.
pub(super) fn put_checkpoint(connection: &Connection, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    let state = json(checkpoint)?;
    connection
        .prepare(
            "INSERT INTO checkpoints (run, at_ms, acked_line, state)
             SELECT id, ?2, ?3, ?4 FROM runs WHERE id = ?1 AND how IS NOT 'done' AND NOT forgotten
             ON CONFLICT (run) DO UPDATE SET at_ms = excluded.at_ms, acked_line = excluded.acked_line,
                 state = excluded.state
             WHERE excluded.acked_line >= checkpoints.acked_line",
        )?
        .execute(params![signed(checkpoint.run.0), checkpoint.at_ms, signed(checkpoint.acked_line), state])?;
    Ok(())
}

/// As it stands in a column.
fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn drop_checkpoint(connection: &Connection, run: RunId) -> rusqlite::Result<()> {
    connection.prepare("DELETE FROM checkpoints WHERE run = ?1")?.execute([signed(run.0)]).map(|_| ())
}

/// A run is not offered any more, nor an older one of the same file.
pub(super) fn forget(connection: &Connection, run: RunId) -> rusqlite::Result<()> {
    supersede(connection, run)?;
    connection.prepare("UPDATE runs SET forgotten = 1 WHERE id = ?1")?.execute([signed(run.0)])?;
    drop_checkpoint(connection, run)
}

/// Older runs of the same file are not offered any more. One in check mode or on the simulated machine takes no real one's place.
pub(super) fn supersede(connection: &Connection, run: RunId) -> rusqlite::Result<()> {
    connection
        .prepare(
            "UPDATE runs SET forgotten = 1 FROM (SELECT path, dry FROM runs WHERE id = ?1) AS newer
             WHERE runs.id < ?1 AND runs.path = newer.path AND runs.dry >= newer.dry AND NOT forgotten",
        )?
        .execute([signed(run.0)])?;
    connection.execute("DELETE FROM checkpoints WHERE run IN (SELECT id FROM runs WHERE forgotten)", []).map(|_| ())
}

pub(super) fn put_audit(connection: &Connection, row: &AuditRow) -> rusqlite::Result<()> {
    connection
        .prepare(&format!("INSERT INTO audit ({AUDIT_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"))?
        .execute(params![
            row.at_ms,
            row.kind.name(),
            row.who,
            row.what,
            row.outcome,
            row.took_ms.map(signed),
            row.by.user,
            row.by.uid,
            row.by.client,
            row.by.program,
            row.by.place
        ])?;
    Ok(())
}

/// Writes the end into the row that says it was asked; a row of its own where there is none.
pub(super) fn end_audit(connection: &Connection, row: &AuditRow) -> rusqlite::Result<()> {
    let ended = connection
        .prepare(
            "UPDATE audit SET outcome = ?5, took_ms = ?6 WHERE id =
                 (SELECT max(id) FROM audit WHERE at_ms = ?1 AND kind = ?2 AND who = ?3 AND what = ?4 AND outcome = ?7)",
        )?
        .execute(params![
            row.at_ms,
            row.kind.name(),
            row.who,
            row.what,
            row.outcome,
            row.took_ms.map(signed),
            ASKED
        ])?;
    if ended == 0 { put_audit(connection, row) } else { Ok(()) }
}

/// What was asked and has no end: sunmill was not there to write it. Such rows are among the newest; a long audit is not read
/// for them.
pub(super) fn end_asked(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare("UPDATE audit SET outcome = ?1 WHERE id > (SELECT max(id) FROM audit) - ?3 AND outcome = ?2")?
        .execute(params![NEVER_ANSWERED, ASKED, NEWEST])
        .map(|_| ())
}

pub(super) fn audit_of(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let kind: String = row.get(1)?;
    Ok(AuditRow {
        at_ms: row.get(0)?,
        // Of a kind that came later: nothing is left out for that.
        kind: kind.parse().unwrap_or(AuditKind::Note),
        who: row.get(2)?,
        what: row.get(3)?,
        outcome: row.get(4)?,
        took_ms: row.get::<_, Option<i64>>(5)?.map(unsigned),
        by: Asker {
            user: row.get(6)?,
            uid: row.get(7)?,
            client: row.get(8)?,
            program: row.get(9)?,
            place: row.get(10)?,
        },
    })
}

/// Runs that have no end: sunmill was not there to write it. They get one, with what their last checkpoint knows.
pub(super) fn end_interrupted(connection: &Connection) -> rusqlite::Result<()> {
    let open: Vec<PastRun> = connection
        .prepare(&format!("SELECT {RUN_COLUMNS} FROM runs WHERE how IS NULL"))?
        .query_map([], run_of)?
        .collect::<Result<_, _>>()?;
    for mut run in open {
        run.ended_ms = Some(run.started_ms);
        if let Some(last) = checkpoint(connection, run.id)? {
            run.ended_ms = Some(last.at_ms);
            run.last_line = last.acked_line;
            run.hash = last.hash.or(run.hash);
            run.lines = last.lines.or(run.lines);
            (run.pauses, run.paused_for, run.moving_for) = (last.pauses, last.paused_for, last.moving_for);
            run.energy = last.energy;
        }
        run.end = Some(RunEnd::Interrupted("sunmill or the computer ended in the middle of it".to_owned()));
        put_run(connection, &run)?;
    }
    Ok(())
}

/// The newest run that did not come to its end, was not forgotten and left a checkpoint that can be read. One that a later run took
/// up is not offered: stores of before that was written down hold such ones.
pub(super) fn interrupted(connection: &Connection) -> rusqlite::Result<Option<(PastRun, Checkpoint)>> {
    let run = connection
        .prepare(&format!(
            "SELECT {RUN_COLUMNS} FROM runs
             WHERE how IS NOT NULL AND NOT forgotten AND id IN (SELECT run FROM checkpoints)
                 AND NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.path = runs.path AND later.id > runs.id
                     AND later.first_line > 1 AND later.dry <= runs.dry)
             ORDER BY id DESC LIMIT 1"
        ))?
        .query_row([], run_of)
        .optional()?;
    let Some(run) = run else { return Ok(None) };
    Ok(checkpoint(connection, run.id)?.map(|checkpoint| (run, checkpoint)))
}

fn checkpoint(connection: &Connection, run: RunId) -> rusqlite::Result<Option<Checkpoint>> {
    let state: Option<String> = connection
        .query_row("SELECT state FROM checkpoints WHERE run = ?1", [signed(run.0)], |row| row.get(0))
        .optional()?;
    let Some(state) = state else { return Ok(None) };
    match serde_json::from_str(&state) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(error) => {
            tracing::warn!(%error, run = run.0, "a checkpoint cannot be read");
            Ok(None)
        }
    }
}

/// The number of the next run. The newest run is never too old to be kept, so that no number comes twice.
pub(super) fn next_run(connection: &Connection) -> rusqlite::Result<RunId> {
    let last: Option<i64> = connection.query_one("SELECT max(id) FROM runs", [], |row| row.get(0))?;
    Ok(RunId(unsigned(last.unwrap_or(0)) + 1))
}
