//! Commands for scripts: what a person can do, through the socket of the hub that runs.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use color_eyre::eyre::{Report, eyre};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::exit::{Code, Failure};
use super::settings::Settings;
use super::{out, socket};
use crate::attach::client::{Attached, Me};
use crate::attach::{ConnectError, connect, talk};
use crate::model::command::{Command, HomeTarget, Outcome, Realtime};
use crate::model::hub::{Hub, LogEvent, News};
use crate::model::log::LogItem;
use crate::model::snapshot::Snapshot;
use crate::model::{Axis, StateKind};

/// A stop is seen in the status within this, or it is said that it was not (FluidNC with a full planner takes 200 ms to slow down).
const SEEN: Duration = Duration::from_secs(5);

/// Options of `sunmill status`.
#[derive(Clone, Copy, Debug, Args)]
pub struct StatusArgs {
    /// All that is known, as one JSON document
    #[arg(long)]
    json: bool,
}

/// `sunmill control …`
#[derive(Clone, Debug, Subcommand)]
pub enum ControlCommand {
    /// Print who is in control, and who is attached
    Who {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What stops, holds and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Bring motion to a stand.
    Stop,
    /// Feed hold.
    Hold,
    /// Cycle start.
    Resume,
    /// Soft reset.
    Reset,
}

/// Prints the state.
pub(super) fn status(settings: &Settings, args: StatusArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let snapshot = attached.hub.snapshot();
        let text = if args.json { pretty(&json!(&*snapshot)) } else { told(&snapshot) };
        out::data(&text)?;
        Ok(())
    })
}

/// Presses a key, and waits until the machine is seen to obey.
pub(super) fn key(settings: &Settings, key: Key) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let hub = &mut attached.hub;
        let (realtime, seen): (_, fn(StateKind) -> bool) = match key {
            Key::Stop | Key::Hold => {
                let realtime = if key == Key::Stop { Realtime::Stop } else { Realtime::FeedHold };
                (realtime, |state| !matches!(state, StateKind::Run | StateKind::Jog | StateKind::Home))
            }
            Key::Resume => (Realtime::CycleStart, |state| state != StateKind::Hold),
            Key::Reset => (Realtime::SoftReset, |state| !matches!(state, StateKind::Run | StateKind::Jog)),
        };
        if realtime.needs_control()
            && let Some(control) = hub.snapshot().people.control.as_ref().filter(|control| !control.stale)
        {
            return Err(Failure::new(Code::Control, eyre!("{} is in control", control.who)));
        }
        let before = hub.snapshot().machine.reported_at;
        hub.realtime(realtime);
        let obeyed = async {
            loop {
                let machine = &hub.snapshot().machine;
                let fresh = machine.reported_at > before;
                if fresh && machine.state.is_some_and(|state| seen(state.kind)) {
                    return Ok(());
                }
                hub.next().await.map_err(|gone| Failure::new(Code::Unreachable, gone.into()))?;
            }
        };
        match timeout(SEEN, obeyed).await {
            Ok(done) => done,
            Err(_) => Err(Failure::new(Code::Timeout, eyre!("it was sent, but the machine was not seen to obey"))),
        }
    })
}

/// Asks for commands, one after the other; each has to be accepted before the next.
pub(super) fn commands(settings: &Settings, commands: Vec<Command>) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        for command in commands {
            let outcome = ended(&mut attached.hub, command).await?;
            if outcome != Outcome::Done {
                return Err(refused(&outcome));
            }
        }
        Ok(())
    })
}

/// `home`: all axes or one.
pub(super) fn home(axis: Option<Axis>) -> Command {
    Command::Home(axis.map_or(HomeTarget::All, HomeTarget::One))
}

/// Prints who is in control.
pub(super) fn control(settings: &Settings, command: &ControlCommand) -> Result<ExitCode, Failure> {
    let ControlCommand::Who { json } = *command;
    with_hub(settings, async |attached| {
        let people = attached.hub.snapshot().people.clone();
        if json {
            out::data(&pretty(&json!(&*people)))?;
            return Ok(());
        }
        let mut text = match &people.control {
            Some(control) => {
                format!("{} is in control{}\n", control.who, if control.stale { ", but silent" } else { "" })
            }
            None => "nobody is in control\n".to_owned(),
        };
        for person in people.clients.iter().filter(|person| person.id != attached.id) {
            let _ = writeln!(text, "client {}: {}, {}", person.id.0, person.words(), person.program);
        }
        out::data(&text)?;
        Ok(())
    })
}

/// Prints log entries as they come, a JSON object a line, until it is told to end.
pub(super) fn events(settings: &Settings) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        loop {
            match attached.hub.next().await {
                Ok(News::Log(LogEvent::Entry(entry))) if !matches!(entry.what, LogItem::Wire { .. }) => {
                    out::data(&format!("{}\n", json!(&*entry)))?;
                }
                Ok(News::Log(LogEvent::Gap(count))) => out::data(&format!("{}\n", json!({"gap": count})))?,
                Ok(_) => {}
                Err(gone) => return Err(Failure::new(Code::Unreachable, gone.into())),
            }
        }
    })
}

/// Calls a method of the protocol and prints its result.
pub(super) fn rpc(settings: &Settings, method: &str, params: Option<&str>) -> Result<ExitCode, Failure> {
    let params: Value = match params {
        Some(text) => serde_json::from_str(text).map_err(|error| eyre!("the params are not JSON: {error}"))?,
        None => json!({}),
    };
    let path = hub_place(settings)?;
    block_on(async {
        let result = talk(&path, me(), method, &params).await.map_err(unreachable_hub)?;
        let result = result.map_err(|problem| {
            let code = match problem.code {
                2 => Code::Control,
                1 => Code::State,
                _ => Code::Failed,
            };
            Failure::new(code, eyre!("{}", problem.message))
        })?;
        out::data(&pretty(&result))?;
        Ok(())
    })
}

pub(super) async fn ended(hub: &mut Hub, command: Command) -> Result<Outcome, Failure> {
    let asked = hub.submit(command).map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
    loop {
        let news = hub.next().await.map_err(|gone| Failure::new(Code::Unreachable, gone.into()))?;
        if let News::Log(LogEvent::Entry(entry)) = news
            && let LogItem::Outcome { ticket, outcome, .. } = &entry.what
            && *ticket == asked
        {
            return Ok(outcome.clone());
        }
    }
}

pub(super) fn refused(outcome: &Outcome) -> Failure {
    let code = match outcome {
        Outcome::Refused(why) if why.0.contains("is in control") => Code::Control,
        Outcome::Refused(_) => Code::State,
        Outcome::TimedOut => Code::Timeout,
        _ => Code::Failed,
    };
    Failure::new(code, eyre!("{outcome}"))
}

fn told(snapshot: &Snapshot) -> String {
    let machine = &snapshot.machine;
    let mut text = String::new();
    let who =
        machine.identity.as_ref().map_or_else(|| "unknown".to_owned(), |id| format!("{} {}", id.firmware, id.version));
    let _ = writeln!(text, "machine   {who} on {}", machine.link.endpoint);
    let state = machine.state.map_or_else(|| "not known".to_owned(), |state| state.to_string());
    let _ = writeln!(text, "state     {state}");
    if let Some(position) = machine.work_position {
        let words: Vec<String> = position.iter().map(|(axis, at)| format!("{axis} {at:.3}")).collect();
        let _ = writeln!(text, "position  {}", words.join("  "));
    }
    if let Some(run) = &snapshot.programs.run {
        let _ = writeln!(text, "program   {}", run.name);
    }
    if let Some(control) = &snapshot.people.control {
        let _ = writeln!(text, "control   {}", control.who);
    }
    text
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn me() -> Me {
    Me { program: concat!("sunmill ", env!("CARGO_PKG_VERSION")).to_owned(), ..Me::default() }
}

fn hub_place(settings: &Settings) -> Result<std::path::PathBuf, Failure> {
    socket::answering(settings).ok_or_else(|| {
        let places: Vec<String> = socket::places(settings).iter().map(|path| path.display().to_string()).collect();
        let tried = if places.is_empty() { "no place is known: give --socket".to_owned() } else { places.join(", ") };
        Failure::new(Code::Unreachable, eyre!("no sunmill answers ({tried}); start sunmill or sunmill daemon first"))
    })
}

fn unreachable_hub(error: ConnectError) -> Failure {
    let code = match &error {
        ConnectError::NotAllowed(_) => Code::NotAllowed,
        _ => Code::Unreachable,
    };
    Failure::new(code, Report::new(error))
}

pub(super) fn with_hub(
    settings: &Settings,
    doing: impl AsyncFnOnce(&mut Attached) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let path = hub_place(settings)?;
    block_on(async {
        let mut attached = connect(&path, me()).await.map_err(unreachable_hub)?;
        doing(&mut attached).await
    })
}

fn block_on(doing: impl Future<Output = Result<(), Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(doing)?;
    Ok(ExitCode::SUCCESS)
}
