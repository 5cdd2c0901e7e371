//! `sunmill programs history` and `statistics`: what ran, how it ended, how long it took.

use std::time::Duration;

use clap::Args;
use jiff::Zoned;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::args::Format;
use crate::cli::exit::Failure;
use crate::cli::listing;
use crate::cli::when::{When, hours, local, rfc3339};
use crate::model::program::ask::Statistics;
use crate::model::program::{PastRun, ProgramTotals, RunEnd, RunEnergy, Totals};

/// Options of `sunmill programs history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Of this file name only
    #[arg(long)]
    pub name: Option<String>,
    /// Started then or later: a date, a date and time, or how long ago (2h, 3d)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Only the newest N
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// How it is printed
    #[command(flatten)]
    pub format: Format,
}

impl HistoryArgs {
    /// From which ms of Unix time on.
    pub(super) fn since_ms(&self) -> Result<Option<i64>, Failure> {
        Ok(self.since.map(|when| when.unix_ms(&Zoned::now())).transpose()?)
    }

    /// How these runs are printed.
    pub(super) fn told(&self, runs: &[PastRun]) -> Result<String, Failure> {
        match self.format {
            Format { json: true, .. } => listing::json(&runs.iter().map(Told::of).collect::<Vec<_>>()),
            Format { csv: true, .. } => listing::csv(&NAMES, &runs.iter().map(Told::of).collect::<Vec<_>>()),
            _ => Ok(history_text(runs, &TimeZone::system())),
        }
    }
}

/// A run as programs read it. The order is that of [`NAMES`].
#[derive(Debug, Serialize)]
struct Told<'a> {
    id: u64,
    name: &'a str,
    path: &'a str,
    hash: Option<String>,
    who: &'a str,
    started: String,
    ended: Option<String>,
    result: &'static str,
    why: Option<&'a str>,
    first_line: u64,
    last_line: u64,
    lines: Option<u64>,
    pauses: u32,
    paused_s: f64,
    running_s: Option<f64>,
    moving_s: f64,
    dry: bool,
    /// Null: no inverter measured it.
    energy_kwh: Option<f64>,
    sun_kwh: Option<f64>,
    battery_kwh: Option<f64>,
    grid_kwh: Option<f64>,
    /// Seconds of it that were not measured.
    unmeasured_s: Option<f64>,
}

const NAMES: [&str; 22] = [
    "id",
    "name",
    "path",
    "hash",
    "who",
    "started",
    "ended",
    "result",
    "why",
    "first_line",
    "last_line",
    "lines",
    "pauses",
    "paused_s",
    "running_s",
    "moving_s",
    "dry",
    "energy_kwh",
    "sun_kwh",
    "battery_kwh",
    "grid_kwh",
    "unmeasured_s",
];

impl<'a> Told<'a> {
    fn of(run: &'a PastRun) -> Self {
        let (result, why) = result(run);
        let measured = run.energy.filter(RunEnergy::is_known);
        let kwh = |of: fn(&RunEnergy) -> f64| measured.map(|energy| (of(&energy).max(0.0) * 1000.0).round() / 1e6);
        Self {
            id: run.id.0,
            name: &run.name,
            path: &run.path,
            hash: run.hash.map(|hash| hash.to_string()),
            who: &run.who,
            started: rfc3339(run.started_ms),
            ended: run.ended_ms.map(rfc3339),
            result,
            why,
            first_line: run.first_line,
            last_line: run.last_line,
            lines: run.lines,
            pauses: run.pauses,
            paused_s: run.paused_for.as_secs_f64(),
            running_s: running(run).map(|time| time.as_secs_f64()),
            moving_s: run.moving_for.as_secs_f64(),
            dry: run.dry,
            energy_kwh: kwh(RunEnergy::wh),
            sun_kwh: kwh(|energy| energy.sun_wh),
            battery_kwh: kwh(|energy| energy.battery_wh),
            grid_kwh: kwh(|energy| energy.grid_wh),
            unmeasured_s: run.energy.map(|energy| (energy.unknown_s * 10.0).round() / 10.0),
        }
    }
}

fn result(run: &PastRun) -> (&'static str, Option<&str>) {
    match &run.end {
        None => ("running", None),
        Some(RunEnd::Done) => ("done", None),
        Some(RunEnd::Stopped(why)) => ("stopped", Some(why)),
        Some(RunEnd::Failed(why)) => ("failed", Some(why)),
        Some(RunEnd::Interrupted(why)) => ("interrupted", Some(why)),
    }
}

/// From start to end without the pauses. `None`: it runs still.
fn running(run: &PastRun) -> Option<Duration> {
    let whole = u64::try_from(run.ended_ms? - run.started_ms).unwrap_or(0);
    Some(Duration::from_millis(whole).saturating_sub(run.paused_for))
}

fn history_text(runs: &[PastRun], zone: &TimeZone) -> String {
    if runs.is_empty() {
        return "no such program has run yet\n".to_owned();
    }
    let is_measured = runs.iter().any(|run| run.energy.is_some());
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let (result, why) = result(run);
            let lines = match run.lines {
                Some(lines) => format!("line {} of {lines}", run.last_line),
                None => format!("line {}", run.last_line),
            };
            let dry = if run.dry { " (dry)" } else { "" };
            let energy = run.energy.map_or_else(String::new, |energy| energy.words());
            let mut row = vec![
                local(run.started_ms, zone),
                run.name.clone(),
                format!("{result}{dry}"),
                running(run).map_or_else(String::new, |time| hours(time.as_secs_f64())),
                lines,
            ];
            row.extend(is_measured.then_some(energy));
            row.push(why.unwrap_or_default().to_owned());
            row
        })
        .collect();
    listing::columns(&rows, &[3])
}

/// Sums as programs read them.
#[derive(Debug, Serialize)]
struct ToldTotals<'a> {
    machine: Statistics,
    dry: Statistics,
    programs: Vec<ToldProgram<'a>>,
}

#[derive(Debug, Serialize)]
struct ToldProgram<'a> {
    name: &'a str,
    last: String,
    machine: Statistics,
    dry: Statistics,
}

const TOTAL_NAMES: [&str; 12] = [
    "name",
    "last",
    "runs",
    "done",
    "running_s",
    "moving_s",
    "dry_runs",
    "dry_done",
    "dry_running_s",
    "dry_moving_s",
    "energy_kwh",
    "dry_energy_kwh",
];

/// How these sums are printed.
pub(super) fn statistics(totals: &Totals, format: Format) -> Result<String, Failure> {
    let told = |program: &ProgramTotals| rfc3339(program.last_ms);
    match format {
        Format { json: true, .. } => listing::json(&ToldTotals {
            machine: totals.machine,
            dry: totals.dry,
            programs: totals
                .programs
                .iter()
                .map(|p| ToldProgram { name: &p.name, last: told(p), machine: p.machine, dry: p.dry })
                .collect(),
        }),
        Format { csv: true, .. } => {
            let rows: Vec<_> = totals.programs.iter().map(|p| flat(p, told(p))).collect();
            listing::csv(&TOTAL_NAMES, &rows)
        }
        _ => Ok(statistics_text(totals, &TimeZone::system())),
    }
}

/// In the order of [`TOTAL_NAMES`].
fn flat(program: &ProgramTotals, last: String) -> impl Serialize {
    let four = |sums: Statistics| (sums.runs, sums.done, sums.running_s, sums.moving_s);
    let ProgramTotals { name, machine, dry, .. } = program;
    (name.clone(), last, four(*machine), four(*dry), machine.energy_kwh, dry.energy_kwh)
}

fn statistics_text(totals: &Totals, zone: &TimeZone) -> String {
    let head = ["", "runs", "done", "running", "moving", "kWh", "dry runs", "last"].map(str::to_owned).to_vec();
    let row = |name: &str, sums: Statistics, dry: Statistics, last: String| {
        vec![
            name.to_owned(),
            sums.runs.to_string(),
            sums.done.to_string(),
            hours(sums.running_s),
            hours(sums.moving_s),
            format!("{:.2}", sums.energy_kwh),
            dry.runs.to_string(),
            last,
        ]
    };
    let mut rows = vec![head, row("all", totals.machine, totals.dry, String::new())];
    rows.extend(totals.programs.iter().map(|p| row(&p.name, p.machine, p.dry, local(p.last_ms, zone))));
    listing::columns(&rows, &[1, 2, 3, 4, 5, 6])
}
