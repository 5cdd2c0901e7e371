//! `sunmill audit`: who did what, when, and how it ended.

use clap::Args;
use jiff::Zoned;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::args::Format;
use super::exit::Failure;
use super::settings::Settings;
use super::when::{When, local, rfc3339};
use super::{listing, store};
use crate::model::audit::{AuditKind, AuditRow};
use crate::store::AuditFilter;

/// Options of `sunmill audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Then or later: a date, a date and time, or how long ago (2h, 3d)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<When>,
    /// Before then
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
    /// Of this kind only: jog, mdi, command, offset, setting, run, realtime, alarm, lease or note
    #[arg(long)]
    pub kind: Option<AuditKind>,
    /// Only the newest N
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// How it is printed
    #[command(flatten)]
    pub format: Format,
}

/// Letters of a cell that are shown; JSON and CSV have all of them.
const WIDEST: usize = 60;

/// A row as programs read it. The order is that of [`NAMES`].
#[derive(Debug, Serialize)]
struct Told<'a> {
    at: String,
    kind: AuditKind,
    who: &'a str,
    what: &'a str,
    outcome: &'a str,
    took_ms: Option<u64>,
    user: Option<&'a str>,
    uid: Option<u32>,
    client: Option<u32>,
    program: Option<&'a str>,
    place: Option<&'a str>,
}

const NAMES: [&str; 11] =
    ["at", "kind", "who", "what", "outcome", "took_ms", "user", "uid", "client", "program", "place"];

impl<'a> Told<'a> {
    fn of(row: &'a AuditRow) -> Self {
        let AuditRow { at_ms, kind, who, by, what, outcome, took_ms } = row;
        Self {
            at: rfc3339(*at_ms),
            kind: *kind,
            who,
            what,
            outcome,
            took_ms: *took_ms,
            user: by.user.as_deref(),
            uid: by.uid,
            client: by.client,
            program: by.program.as_deref(),
            place: by.place.as_deref(),
        }
    }
}

/// What `audit` prints: newest first.
pub(super) fn told(settings: &Settings, args: &AuditArgs) -> Result<String, Failure> {
    let now = Zoned::now();
    let filter = AuditFilter {
        since_ms: args.since.map(|when| when.unix_ms(&now)).transpose()?,
        until_ms: args.until.map(|when| when.unix_ms(&now)).transpose()?,
        kind: args.kind,
    };
    let rows = match store::reader(settings) {
        Some(reader) => reader.audit(&filter, 0, args.last.unwrap_or(usize::MAX))?,
        None => Vec::new(),
    };
    match args.format {
        Format { json: true, .. } => listing::json(&rows.iter().map(Told::of).collect::<Vec<_>>()),
        Format { csv: true, .. } => listing::csv(&NAMES, &rows.iter().map(Told::of).collect::<Vec<_>>()),
        _ => Ok(text(&rows, now.time_zone())),
    }
}

fn text(rows: &[AuditRow], zone: &TimeZone) -> String {
    if rows.is_empty() {
        return "nothing of that has been done yet\n".to_owned();
    }
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let took = row.took_ms.map_or_else(String::new, took);
            let (what, outcome) = (listing::cut(&row.what, WIDEST), listing::cut(&row.outcome, WIDEST));
            vec![local(row.at_ms, zone), row.who.clone(), row.kind.to_string(), what, took, outcome]
        })
        .collect();
    listing::columns(&rows, &[4])
}

fn took(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{ms} ms"),
        10_000..3_600_000 => format!("{} s", ms / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::Asker;

    #[test]
    fn a_long_text_makes_no_wide_column_and_the_time_it_took_is_told() {
        let row = |what: &str, took_ms| AuditRow {
            at_ms: 0,
            kind: AuditKind::Alarm,
            who: "machine".into(),
            by: Asker::default(),
            what: what.into(),
            outcome: "done".into(),
            took_ms,
        };
        let text =
            text(&[row(&"x".repeat(230), None), row("home", Some(12)), row("run", Some(65_000))], &TimeZone::UTC);
        assert!(text.lines().all(|line| line.chars().count() < 130), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains(&format!("{}\u{2026}", "x".repeat(59))), "{text}");
        assert!(lines[1].contains("12 ms  done") && lines[2].contains("65 s  done"), "{text}");
    }
}
