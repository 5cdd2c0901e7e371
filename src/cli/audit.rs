//! `sunmill audit`: who did what, when, and how it ended.

use std::time::Duration;

use clap::Args;
use color_eyre::eyre::eyre;
use jiff::Zoned;
use jiff::tz::TimeZone;
use serde::Serialize;

use tokio::time::timeout;

use super::args::Format;
use super::exit::{Code, Failure};
use super::remote::{gone, learned};
use super::settings::Settings;
use super::when::{When, local, rfc3339};
use super::{listing, out, socket, store};
use crate::model::audit::{AuditAsk, AuditKind, AuditPage, AuditRow};
use crate::model::desk::{Answer, Query};
use crate::model::hub::{Hub, News};
use crate::store::AuditFilter;

/// The hub answers within this.
const ANSWER: Duration = Duration::from_secs(10);

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

/// What `audit` prints: newest first. Where that is from is said on stderr.
pub(super) fn told(settings: &Settings, args: &AuditArgs) -> Result<String, Failure> {
    let Kept { rows, whence } = kept(settings, args)?;
    out::words(&whence);
    match args.format {
        Format { json: true, .. } => listing::json(&rows.iter().map(Told::of).collect::<Vec<_>>()),
        Format { csv: true, .. } => listing::csv(&NAMES, &rows.iter().map(Told::of).collect::<Vec<_>>()),
        _ => Ok(text(&rows, Zoned::now().time_zone())),
    }
}

/// The same for people, with where it is from at its head.
pub(super) fn told_whole(settings: &Settings, args: &AuditArgs) -> Result<String, Failure> {
    let Kept { rows, whence } = kept(settings, args)?;
    Ok(format!("({whence})\n{}", text(&rows, Zoned::now().time_zone())))
}

/// Rows, and in words where they are from.
struct Kept {
    rows: Vec<AuditRow>,
    whence: String,
}

/// Of the sunmill that runs, whose data may not be for this user to read; else what lies on this disk.
fn kept(settings: &Settings, args: &AuditArgs) -> Result<Kept, Failure> {
    let now = Zoned::now();
    let (since_ms, until_ms) = (
        args.since.map(|when| when.unix_ms(&now)).transpose()?,
        args.until.map(|when| when.unix_ms(&now)).transpose()?,
    );
    let ask = AuditAsk { since_ms, until_ms, kind: args.kind, ..AuditAsk::default() };
    let most = args.last.unwrap_or(usize::MAX);
    let why = match socket::serving(settings) {
        None => "no sunmill answers".to_owned(),
        Some(place) => match learned(&place, async |attached| of_hub(&mut attached.hub, ask, most).await) {
            Ok(rows) => return Ok(Kept { rows, whence: format!("the audit of the sunmill that runs at {place}") }),
            Err(why) => format!("the sunmill at {place} does not tell its audit ({})", why.words()),
        },
    };
    let file = settings.store_file.as_ref().map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    let (rows, whence) = match store::reader(settings) {
        Some(reader) => {
            let filter = AuditFilter { since_ms, until_ms, kind: args.kind };
            (reader.audit(&filter, 0, most)?, format!("{why}: this is what lies in {file}"))
        }
        None => (Vec::new(), format!("{why}, and nothing has been kept in {file} yet")),
    };
    Ok(Kept { rows, whence })
}

/// Page by page, from the newest on.
async fn of_hub(hub: &mut Hub, mut ask: AuditAsk, most: usize) -> Result<Vec<AuditRow>, Failure> {
    let mut rows = Vec::new();
    while rows.len() < most {
        let late = || Failure::new(Code::Timeout, eyre!("it did not answer in time"));
        let AuditPage { rows: page, before } =
            timeout(ANSWER, page(hub, ask.clone())).await.map_err(|_elapsed| late())??;
        rows.extend(page);
        ask.before = before;
        if before.is_none() {
            break;
        }
    }
    rows.truncate(most);
    Ok(rows)
}

async fn page(hub: &mut Hub, ask: AuditAsk) -> Result<AuditPage, Failure> {
    hub.ask(Query::Audit(ask)).map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
    loop {
        match hub.next().await.map_err(gone)? {
            News::Answer(Answer::Audit(page)) => return page.map_err(|why| eyre!("{why}").into()),
            News::Answer(Answer::Done(Err(why))) => return Err(Failure::new(Code::State, eyre!("{why}"))),
            _ => {}
        }
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
