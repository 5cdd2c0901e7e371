//! Inverters of the sunmill that runs: which there are, and their settings. Written through its hub, as from a screen: by the same
//! judge, with the same budget and audit.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::eyre;
use serde_json::json;
use tokio::time::timeout;

use super::super::exit::{Code, Failure};
use super::super::out;
use super::super::remote::{ended, refused, with_hub};
use super::super::settings::Settings;
use crate::model::Command;
use crate::model::command::Outcome;
use crate::model::desk::{Answer, Query};
use crate::model::hub::{Hub, News};
use crate::model::power::{
    ChangeRow, Danger, PowerAnswer, PowerOrder, PowerQuery, Unit, UnitState, Wanted, WriteReport,
};

/// How long an answer may take: a bus may be busy with something slow.
const ANSWER: Duration = Duration::from_secs(10);

/// How often, and how many times, it is looked whether a setting has been read.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: usize = 40;
/// What stands for a value that was not read.
const NOT_KNOWN: &str = "not known";

/// Options of `sunmill inverter list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct ListArgs {
    /// As JSON, an array with an object for each
    #[arg(long)]
    json: bool,
}

/// Options of `sunmill inverter set`.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// Its name; see sunmill inverter list
    name: String,
    /// What to set, as ID=VALUE; several are written in order
    #[arg(required = true, value_parser = assignment)]
    settings: Vec<(String, String)>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Dangerous settings too
    #[arg(long)]
    arm: bool,
    /// What became of each as a JSON array; needs --yes
    #[arg(long, requires = "yes")]
    json: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (id, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not of the form ID=VALUE"))?;
    Ok((id.trim().to_owned(), value.trim().to_owned()))
}

/// Prints the inverters, a line each.
pub(in crate::cli) fn list(settings: &Settings, args: ListArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let power = attached.hub.snapshot().power.clone();
        if args.json {
            return Ok(out::data(&format!("{:#}\n", json!(power.inverters)))?);
        }
        let text: String = power.inverters.iter().map(|unit| line(unit)).collect();
        if text.is_empty() {
            out::words("no inverter is configured: see [[inverter]] in config.toml");
        }
        Ok(out::data(&text)?)
    })
}

fn line(unit: &Unit) -> String {
    let known = &unit.known;
    let state = match &unit.state {
        UnitState::Waiting => "not heard of yet".to_owned(),
        UnitState::Answers => "answers".to_owned(),
        UnitState::Silent { why, .. } => format!("silent: {why}"),
        UnitState::Off => "off".to_owned(),
    };
    let simulated = if unit.simulated { "SIM, " } else { "" };
    let serial = known.serial.as_deref().unwrap_or("-");
    format!("{}\t{}\t{serial}\t{} unit {}\t{simulated}{state}\n", known.name, known.profile, unit.bus, unit.address)
}

/// Shows before and after, asks, writes, and prints what became of each.
pub(in crate::cli) fn set(settings: &Settings, args: &SetArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let hub = &mut attached.hub;
        let wanted = args.settings.iter().map(|(id, text)| Wanted { id: id.clone(), text: text.clone(), shown: None });
        let wanted: Vec<Wanted> = wanted.collect();
        done(hub, PowerOrder::ReadSettings { inverter: args.name.clone() }).await?;
        let mut rows = checked(hub, &args.name, wanted.clone()).await?;
        for _ in 0..LOOKS {
            if rows.iter().all(|row| row.before != NOT_KNOWN) {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            rows = checked(hub, &args.name, wanted.clone()).await?;
        }
        for row in &rows {
            out::words(&told(row));
        }
        if rows.iter().any(|row| row.danger == Danger::Dangerous) && !args.arm {
            return Err(Failure::new(Code::State, eyre!("dangerous settings are written only with --arm")));
        }
        if !args.yes && !agreed() {
            return Err(Failure::new(Code::State, eyre!("nothing was written: it was not agreed to (yes, or --yes)")));
        }
        if args.arm {
            done(hub, PowerOrder::Arm).await?;
        }
        // What was shown is what is changed: if it says something else by then, nothing is written.
        let shown = |wanted: Wanted| {
            let row = rows.iter().find(|row| row.id == wanted.id);
            Wanted { shown: row.map(|row| row.before.clone()).filter(|before| before != NOT_KNOWN), ..wanted }
        };
        let order = PowerOrder::Set { inverter: args.name.clone(), settings: wanted.into_iter().map(shown).collect() };
        let before = last_report(hub, &args.name);
        let outcome = ended(hub, Command::Power(order)).await?;
        // The state comes a moment after the end of the command.
        let newer = async { while last_report(hub, &args.name) == before && hub.next().await.is_ok() {} };
        let sent = !matches!(outcome, Outcome::Refused(_));
        let _ = timeout(if sent { ANSWER } else { Duration::ZERO }, newer).await;
        let report = last_report(hub, &args.name).filter(|_| sent);
        if args.arm {
            done(hub, PowerOrder::Disarm).await?;
        }
        if let Some(report) = report {
            let text = if args.json {
                format!("{:#}\n", json!(report.rows))
            } else {
                report.rows.iter().fold(String::new(), |mut text, row| {
                    let _ = writeln!(text, "{}: {}", row.id, row.words);
                    text
                })
            };
            out::data(&text)?;
        }
        if outcome == Outcome::Done { Ok(()) } else { Err(refused(&outcome)) }
    })
}

fn last_report(hub: &Hub, inverter: &str) -> Option<Arc<WriteReport>> {
    hub.snapshot().power.find(inverter)?.last_write.clone()
}

fn told(row: &ChangeRow) -> String {
    let danger = match row.danger {
        Danger::Normal => "",
        Danger::Caution => "  (caution)",
        Danger::Dangerous => "  (DANGEROUS)",
    };
    let same = if row.unchanged { ", as it is: nothing is written" } else { "" };
    let warnings = row.warnings.iter().fold(String::new(), |text, warning| text + "\n  " + warning);
    format!("{}: {} -> {}{same}{danger}{warnings}", row.id, row.before, row.after)
}

/// What the changes would do.
async fn checked(hub: &mut Hub, inverter: &str, settings: Vec<Wanted>) -> Result<Vec<ChangeRow>, Failure> {
    match asked(hub, PowerQuery::CheckChanges { inverter: inverter.to_owned(), settings }).await? {
        PowerAnswer::Changes { rows, .. } => rows.map_err(|why| Failure::new(Code::State, eyre!("{}", why.join("\n")))),
        _ => Err(eyre!("the sunmill that runs answers something else").into()),
    }
}

/// The answer to a question about an inverter.
pub(super) async fn asked(hub: &mut Hub, query: PowerQuery) -> Result<PowerAnswer, Failure> {
    hub.ask(Query::Power(query)).map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
    let answer = async {
        loop {
            match hub.next().await.map_err(|gone| Failure::new(Code::Unreachable, gone.into()))? {
                News::Answer(Answer::Power(answer)) => return Ok(answer),
                News::Answer(Answer::Done(Err(why))) => return Err(Failure::new(Code::State, eyre!("{why}"))),
                _ => {}
            }
        }
    };
    let late = || Failure::new(Code::Timeout, eyre!("the sunmill that runs did not answer in time"));
    timeout(ANSWER, answer).await.map_err(|_| late())?
}

async fn done(hub: &mut Hub, order: PowerOrder) -> Result<(), Failure> {
    let outcome = ended(hub, Command::Power(order)).await?;
    if outcome == Outcome::Done { Ok(()) } else { Err(refused(&outcome)) }
}

/// Somebody typed yes.
fn agreed() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    out::words("Type yes to write:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).is_ok() && line.trim() == "yes"
}
