//! Commands for scripts: what a person can do, through the socket of the hub that runs.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use color_eyre::eyre::{Report, eyre};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::exit::{Code, Failure};
use super::settings::Settings;
use super::{out, socket, standing};
use crate::attach::client::{Attached, Me, Problem};
use crate::attach::{ConnectError, Place, connect, press, talk};
use crate::model::command::{Command, HomeTarget, Origin, Outcome, Realtime, VoidReason};
use crate::model::hub::{Hub, HubGone, LogEvent, News};
use crate::model::log::LogItem;
use crate::model::people::ControlOrder;
use crate::model::program::{ProgramOrder, Run, RunState};
use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::sun::{ParkStep, SunOrder};
use crate::model::{Axis, AxisVec, StateKind, Time};

/// A stop is seen in the status within this, or it is said that it was not (FluidNC with a full planner takes 200 ms to slow down).
const SEEN: Duration = Duration::from_secs(5);

/// Where to look for what became of a command.
const TOLD_BY: &str = "sunmill status and sunmill audit tell";

/// Whether control is taken first.
#[derive(Clone, Debug, Default, Args)]
pub struct TakeArgs {
    /// Take control from whoever has it
    #[arg(long)]
    take: bool,
    /// Why, for the others
    #[arg(long, value_name = "WORDS", requires = "take")]
    reason: Option<String>,
}

impl TakeArgs {
    /// Takes it, if that is wanted.
    pub(super) async fn take(&self, attached: &mut Attached) -> Result<(), Failure> {
        if !self.take {
            return Ok(());
        }
        taken(attached, self.reason.clone().unwrap_or_default()).await
    }
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
    /// Take control, and keep it until this is interrupted
    Take {
        /// Why, for the others
        #[arg(long, value_name = "WORDS", default_value = "")]
        reason: String,
    },
    /// Make control free, whoever has it
    Release {
        /// Why, for the others
        #[arg(long, value_name = "WORDS", default_value = "")]
        reason: String,
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

/// Presses a key, and waits until the machine is seen to obey.
pub(super) fn key(settings: &Settings, key: Key, take: &TakeArgs) -> Result<ExitCode, Failure> {
    let place = hub_place(settings)?;
    let (realtime, seen): (_, fn(StateKind) -> bool) = match key {
        Key::Stop => (Realtime::Stop, |state| !matches!(state, StateKind::Run | StateKind::Jog | StateKind::Home)),
        Key::Hold => (Realtime::FeedHold, |state| !matches!(state, StateKind::Run | StateKind::Jog | StateKind::Home)),
        Key::Resume => (Realtime::CycleStart, |state| state != StateKind::Hold),
        Key::Reset => (Realtime::SoftReset, |state| !matches!(state, StateKind::Run | StateKind::Jog)),
    };
    block_on(async {
        let mut attached = match connect(&place, me()).await {
            // A stop needs no place at the hub, and no version.
            Err(why @ ConnectError::Strange { .. }) if key != Key::Resume => {
                press(&place, realtime).await.map_err(unreachable_hub)?;
                let why = eyre!("it was sent, but what came of it cannot be seen: {why}");
                return Err(Failure::new(Code::Timeout, why));
            }
            attached => attached.map_err(unreachable_hub)?,
        };
        tokio::select! {
            done = pressed(&mut attached, key, realtime, seen, take) => done,
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        }
    })
}

async fn pressed(
    attached: &mut Attached,
    key: Key,
    realtime: Realtime,
    seen: fn(StateKind) -> bool,
    take: &TakeArgs,
) -> Result<(), Failure> {
    take.take(attached).await?;
    let (hub, now) = (&mut attached.hub, attached.clock.now());
    let (people, me) = (hub.snapshot().people.clone(), Origin::Script(attached.id));
    if let Some(why) = people.refusal(&me, now).filter(|_| realtime.needs_control()) {
        return Err(Failure::new(Code::Control, eyre!("{why}")));
    }
    attached.role.may(realtime.role()).map_err(|why| Failure::new(Code::NotAllowed, eyre!("{why}")))?;
    // A program that waits for a person goes on by an order of its own.
    let waits = |run: &Run| run.state.is_open() && (run.prompt.is_some() || matches!(run.state, RunState::Paused(_)));
    if key == Key::Resume && hub.snapshot().programs.run.as_ref().is_some_and(waits) {
        return done(hub, Command::Program(ProgramOrder::Resume)).await;
    }
    let waiting = hub.snapshot().sun.spindle.as_ref().map(|wait| wait.since);
    if key == Key::Resume && waiting.is_some() {
        return done(hub, Command::Sun(SunOrder::SpindleGo { since: waiting })).await;
    }
    if key == Key::Resume {
        waits_for_resume(&hub.snapshot(), now)?;
    }
    let before = hub.snapshot().machine.reported_at;
    hub.realtime(realtime);
    let obeyed = async {
        loop {
            let machine = &hub.snapshot().machine;
            if let LinkState::Down { why, .. } = &machine.link.state {
                let why = eyre!("NOTHING COULD BE SENT: the link to the machine is down ({why})");
                return Err(Failure::new(Code::State, why));
            }
            if let Some(wait) = hub.snapshot().sun.spindle.as_ref().filter(|wait| wait.kept && key == Key::Resume) {
                let why = eyre!("not sent: it {}, and {}; resume once more starts it anyway", wait.starts(), wait.why);
                return Err(Failure::new(Code::State, why));
            }
            let fresh = machine.reported_at > before;
            if fresh && machine.state.is_some_and(|state| seen(state.kind)) {
                return Ok(());
            }
            hub.next().await.map_err(lost)?;
        }
    };
    match timeout(SEEN, obeyed).await {
        Ok(done) => done,
        Err(_) => Err(Failure::new(Code::Timeout, eyre!("it was sent, but the machine was not seen to obey"))),
    }
}

/// There is something for a cycle start to go on with. Where the state is not known it may be tried.
fn waits_for_resume(snapshot: &Snapshot, now: Time) -> Result<(), Failure> {
    let state = snapshot.machine.fresh_state(now).map(|state| state.kind);
    match state {
        Some(StateKind::Hold | StateKind::Held | StateKind::Door | StateKind::Tool) | None => Ok(()),
        Some(other) => {
            let answered = snapshot.programs.run.as_ref().and_then(|run| run.answered.as_ref());
            let answered = answered.map_or_else(String::new, |answered| format!(": {answered}"));
            Err(Failure::new(Code::State, eyre!("there is nothing to resume (state {other:?}){answered}")))
        }
    }
}

/// Asks for commands, one after the other; each has to be accepted before the next.
pub(super) fn commands(settings: &Settings, commands: Vec<Command>, take: &TakeArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        take.take(attached).await?;
        for command in commands {
            let outcome = ended(&mut attached.hub, command).await?;
            if outcome != Outcome::Done {
                return Err(refused(&outcome));
            }
        }
        Ok(())
    })
}

/// Sends lines; with `wait` until what they move has come to its end.
pub(super) fn send(settings: &Settings, lines: Vec<String>, wait: bool, take: &TakeArgs) -> Result<ExitCode, Failure> {
    let lines = lines.into_iter().map(Command::Mdi).collect();
    if !wait {
        return commands(settings, lines, take);
    }
    with_hub(settings, async |attached| {
        take.take(attached).await?;
        let hub = &mut attached.hub;
        for command in lines {
            done(hub, command).await?;
        }
        // A dwell is answered when all motion before it has ended; on FluidNC one of no time is answered at once (facts §7).
        match ended(hub, Command::Mdi("G4 P0.01".to_owned())).await? {
            Outcome::Done => Ok(()),
            unknown if unknown.is_unknown() => Err(refused(&unknown)),
            outcome @ Outcome::Voided { .. } => Err(Failure::new(Code::Ended, eyre!("the motion was {outcome}"))),
            outcome => Err(refused(&outcome)),
        }
    })
}

/// Parks the machine, and waits for the end of that.
pub(super) fn park(settings: &Settings, take: &TakeArgs) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        take.take(attached).await?;
        let hub = &mut attached.hub;
        let outcome = ended(hub, Command::Sun(SunOrder::Park)).await?;
        if outcome != Outcome::Done {
            return Err(refused(&outcome));
        }
        loop {
            let snapshot = hub.snapshot();
            match snapshot.sun.park.as_ref().map(|park| (&park.step, &park.notes)) {
                Some((ParkStep::Done(reached), notes)) => {
                    let mut lines = vec![format!("parked: {reached}")];
                    lines.extend(notes.iter().cloned());
                    out::data(&(lines.join("\n") + "\n"))?;
                    return Ok(());
                }
                Some((ParkStep::Failed(why), _)) => return Err(Failure::new(Code::Failed, eyre!("not parked: {why}"))),
                _ => {}
            }
            hub.next().await.map_err(lost)?;
        }
    })
}

/// `home`: all axes or one.
pub(super) fn home(axis: Option<Axis>) -> Command {
    Command::Home(axis.map_or(HomeTarget::All, HomeTarget::One))
}

/// Sets work zero here.
pub(super) fn zero(axes: &[Axis]) -> Command {
    Command::SetWork { axes: axes.iter().copied().collect(), value: 0.0 }
}

/// One step, and its end. An interruption ends it too.
pub(super) fn jog(settings: &Settings, args: &JogArgs) -> Result<ExitCode, Failure> {
    let command = args.command()?;
    with_hub_to_the_end(settings, async |attached| {
        args.take.take(attached).await?;
        let hub = &mut attached.hub;
        let before = hub.snapshot().machine.reported_at;
        let stopped = hub.snapshot().machine.stop.as_ref().map(|stop| stop.at);
        match ended(hub, command).await? {
            Outcome::Done => {}
            unknown if unknown.is_unknown() => return Err(refused(&unknown)),
            outcome @ Outcome::Voided { .. } => return Err(Failure::new(Code::Ended, eyre!("{outcome}"))),
            outcome => return Err(refused(&outcome)),
        }
        let stands = async {
            loop {
                let machine = &hub.snapshot().machine;
                let moves = machine.state.is_some_and(|state| state.kind == StateKind::Jog) || machine.jog.is_some();
                if let Some(why) = standing::cut_short(machine, stopped) {
                    return Err(why);
                }
                if machine.reported_at > before && !moves {
                    return Ok(());
                }
                hub.next().await.map_err(lost)?;
            }
        };
        tokio::select! {
            stands = stands => return stands,
            _ = tokio::signal::ctrl_c() => {}
        }
        hub.realtime(Realtime::JogCancel);
        // It is gone when the machine is seen to stand, or the connection ends.
        while hub.snapshot().machine.jog.is_some() {
            hub.next().await.map_err(lost)?;
        }
        Err(interrupted())
    })
}

/// Options of `sunmill jog`.
#[derive(Clone, Debug, Args)]
pub struct JogArgs {
    /// How far: X10, Y-2.5, in mm (rotary axes: degrees)
    #[arg(required = true, value_parser = distance)]
    distances: Vec<(Axis, f64)>,
    /// mm/min (rotary axes: degrees/min)
    #[arg(long, value_name = "MM/MIN", default_value_t = 600.0)]
    feed: f64,
    /// Control
    #[command(flatten)]
    take: TakeArgs,
}

impl JogArgs {
    fn command(&self) -> Result<Command, Failure> {
        if !(self.feed > 0.0 && self.feed.is_finite()) {
            return Err(eyre!("--feed {}: a feed is above 0", self.feed).into());
        }
        let most = self.distances.iter().map(|(axis, _)| axis.index() + 1).max().unwrap_or(0);
        let mut distance = AxisVec::zeros(most);
        self.distances.iter().for_each(|(axis, by)| distance.set(*axis, *by));
        Ok(Command::JogStep { distance, feed_mm_min: self.feed })
    }
}

fn distance(text: &str) -> Result<(Axis, f64), String> {
    let wrong = || format!("{text:?} is no distance: a letter and a number, such as X10 or Y-2.5");
    let mut letters = text.chars();
    let axis = letters.next().and_then(|letter| Axis::from_letter(letter.to_ascii_uppercase())).ok_or_else(wrong)?;
    let by: f64 = letters.as_str().parse().map_err(|_| wrong())?;
    if by.is_finite() { Ok((axis, by)) } else { Err(wrong()) }
}

/// Prints who is in control, takes it or frees it.
pub(super) fn control(settings: &Settings, command: &ControlCommand) -> Result<ExitCode, Failure> {
    let json = match command {
        ControlCommand::Who { json } => *json,
        ControlCommand::Take { reason } => {
            return with_hub(settings, async |attached| {
                taken(attached, reason.clone()).await?;
                out::words("you are in control until this is interrupted");
                loop {
                    let people = attached.hub.snapshot().people.clone();
                    if people.control.as_ref().is_none_or(|control| control.client != attached.id) {
                        return Err(Failure::new(Code::Control, eyre!("{}", standing::no_more(&people))));
                    }
                    attached.hub.next().await.map_err(gone)?;
                }
            });
        }
        ControlCommand::Release { reason } => {
            return with_hub(settings, async |attached| {
                taken(attached, reason.clone()).await?;
                done(&mut attached.hub, Command::Control(ControlOrder::Release)).await
            });
        }
    };
    with_hub(settings, async |attached| {
        let people = attached.hub.snapshot().people.clone();
        if json {
            out::data(&pretty(&json!(&*people)))?;
            return Ok(());
        }
        out::data(&standing::people(&people, attached.id, attached.clock.now()))?;
        Ok(())
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
        // It was asked for, and the connection ended before the answer.
        let result = result.map_err(|problem| if problem.code == 0 { lost(HubGone) } else { problem_of(&problem) })?;
        out::data(&pretty(&result))?;
        Ok(())
    })
}

/// Asks for a command, and waits for its end.
///
/// # Errors
/// It was not taken, or nobody can tell what became of it.
pub(super) async fn ended(hub: &mut Hub, command: Command) -> Result<Outcome, Failure> {
    let asked = hub.submit(command).map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
    loop {
        match hub.next().await.map_err(lost)? {
            News::Log(LogEvent::Entry(entry)) => {
                if let LogItem::Outcome { ticket, outcome, .. } = &entry.what
                    && *ticket == asked
                {
                    return Ok(outcome.clone());
                }
            }
            // Its end may be among those; what the hub left out comes again by itself, but these were lost here.
            News::Log(LogEvent::Gap(_)) => {
                return Ok(Outcome::Voided { why: VoidReason::AnswerLost, sent: true });
            }
            _ => {}
        }
    }
}

/// What was asked for was not done, as an exit code.
pub(super) fn refused(outcome: &Outcome) -> Failure {
    let code = match outcome {
        Outcome::Refused(why) if why.is_about_control() => Code::Control,
        Outcome::Refused(why) if why.is_about_role() => Code::NotAllowed,
        Outcome::Refused(_) => Code::State,
        Outcome::Voided { why: VoidReason::Disconnect, sent: false } => Code::Unreachable,
        Outcome::TimedOut => Code::Timeout,
        unknown if unknown.is_unknown() => {
            return Failure::new(
                Code::Timeout,
                eyre!("it is not known whether it was carried out: {unknown} ({TOLD_BY})"),
            );
        }
        _ => Code::Failed,
    };
    Failure::new(code, eyre!("{outcome}"))
}

/// Takes control, and waits until that is seen: keys are judged by what is seen of it.
async fn taken(attached: &mut Attached, reason: String) -> Result<(), Failure> {
    let hub = &mut attached.hub;
    done(hub, Command::Control(ControlOrder::Take { reason })).await?;
    let is_mine = |hub: &Hub| hub.snapshot().people.control.as_ref().is_some_and(|it| it.client == attached.id);
    let seen = async {
        while !is_mine(hub) {
            hub.next().await.map_err(lost)?;
        }
        Ok(())
    };
    // Who else has taken it meanwhile is told of by what follows.
    timeout(SEEN, seen).await.unwrap_or(Ok(()))
}

async fn done(hub: &mut Hub, command: Command) -> Result<(), Failure> {
    let outcome = ended(hub, command).await?;
    if outcome == Outcome::Done { Ok(()) } else { Err(refused(&outcome)) }
}

/// An error of the protocol as an exit code.
pub(super) fn problem_of(problem: &Problem) -> Failure {
    let code = match problem.code {
        6 => Code::Timeout,
        5 => Code::NotAllowed,
        2 => Code::Control,
        1 => Code::State,
        0 => Code::Unreachable,
        _ => Code::Failed,
    };
    Failure::new(code, eyre!("{}", problem.message))
}

pub(super) fn gone(gone: HubGone) -> Failure {
    Failure::new(Code::Unreachable, gone.into())
}

/// The hub is gone, and with it the answer to what was asked.
pub(super) fn lost(_: HubGone) -> Failure {
    let why = eyre!("the hub has ended, or the connection: it is not known whether it was carried out ({TOLD_BY})");
    Failure::new(Code::Timeout, why)
}

pub(super) fn interrupted() -> Failure {
    Failure::new(Code::Interrupted, eyre!("interrupted"))
}

pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

pub(super) fn me() -> Me {
    Me { program: concat!("sunmill ", env!("CARGO_PKG_VERSION")).to_owned(), ..Me::default() }
}

pub(super) fn hub_place(settings: &Settings) -> Result<Place, Failure> {
    socket::serving(settings).ok_or_else(|| {
        let places: Vec<String> = socket::places(settings).iter().map(|path| path.display().to_string()).collect();
        let tried = if places.is_empty() { "no place is known: give --socket".to_owned() } else { places.join(", ") };
        Failure::new(Code::Unreachable, eyre!("no sunmill answers ({tried}); start sunmill or sunmill daemon first"))
    })
}

pub(super) fn unreachable_hub(error: ConnectError) -> Failure {
    let code = match &error {
        ConnectError::NotAllowed { .. } => Code::NotAllowed,
        _ => Code::Unreachable,
    };
    Failure::new(code, Report::new(error))
}

/// Does something with the hub, until that is done or interrupted.
pub(super) fn with_hub(
    settings: &Settings,
    doing: impl AsyncFnOnce(&mut Attached) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    with_hub_to_the_end(settings, async |attached| {
        tokio::select! {
            done = doing(attached) => done,
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        }
    })
}

/// The same, for what ends an interruption in a way of its own.
fn with_hub_to_the_end(
    settings: &Settings,
    doing: impl AsyncFnOnce(&mut Attached) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let path = hub_place(settings)?;
    block_on(async {
        let mut attached = connect(&path, me()).await.map_err(unreachable_hub)?;
        doing(&mut attached).await
    })
}

/// Asks the hub at this place something; nothing of the machine is changed by it.
pub(super) fn learned<T>(
    place: &Place,
    asking: impl AsyncFnOnce(&mut Attached) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut attached = connect(place, me()).await.map_err(unreachable_hub)?;
        asking(&mut attached).await
    })
}

pub(super) fn block_on(doing: impl Future<Output = Result<(), Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(doing)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::Refused;

    #[test]
    fn what_nobody_can_tell_the_end_of_is_7_and_what_was_not_sent_is_not() {
        let voided = |why, sent| refused(&Outcome::Voided { why, sent });
        for why in [VoidReason::Disconnect, VoidReason::AnswerLost] {
            let failure = voided(why, true);
            assert_eq!(failure.code(), Code::Timeout);
            let words = failure.words();
            assert!(words.contains("not known whether") && words.contains("sunmill audit"), "{words}");
        }
        assert_eq!(voided(VoidReason::Disconnect, false).code(), Code::Unreachable, "it may be asked for again");
        assert_eq!(voided(VoidReason::Stop, true).code(), Code::Failed);
        assert_eq!(refused(&Outcome::TimedOut).code(), Code::Timeout);
        assert_eq!(refused(&Outcome::Refused(Refused::because("alarm"))).code(), Code::State);
        assert_eq!(lost(HubGone).code(), Code::Timeout);
        let unknown = Problem { code: 6, message: "its end was lost".to_owned() };
        assert_eq!(problem_of(&unknown).code(), Code::Timeout);
    }
}
