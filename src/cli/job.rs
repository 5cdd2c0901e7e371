//! `sunmill run`: a program from a script, with the checks that the screen makes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::eyre;
use tokio::time::timeout;

use super::exit::{Code, Failure};
use super::remote::{TakeArgs, ended, gone, lost, refused, with_hub};
use super::settings::Settings;
use super::{energy, out};
use crate::model::command::{Command, Outcome};
use crate::model::desk::{Answer, Query};
use crate::model::hub::{Hub, News};
use crate::model::legal::programs::{position_is_sure, to_agree};
use crate::model::program::ask::{Details, Preamble};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::{
    Agreed, Interrupted, JobState, OnLinkLoss, Problem, ProgramAnswer, ProgramOrder, ProgramQuery, Prompt, Run, RunId,
    RunRequest, RunState, Severity, Start,
};
use crate::model::snapshot::LinkState;
use crate::model::sun::SunOrder;
use crate::model::{Snapshot, StateKind};

/// The state that an answer led to is here within this.
const SHOWN: Duration = Duration::from_secs(2);

/// Options of `sunmill run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The program, below one of the hub's `[programs] folders`
    file: PathBuf,
    /// Wait until it has ended; the exit code is 8 if it did not come to its end
    #[arg(long)]
    wait: bool,
    /// Begin at this line; what is sent first is printed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
    /// Agree to the warnings, and to what is sent before a line in the middle
    #[arg(long)]
    yes: bool,
    /// Say that the position of a machine that is not homed is good
    #[arg(long)]
    position_is_good: bool,
    /// If the link to the machine is lost: hold what still moves when it is back, or finish what it has been sent
    ///
    /// Nothing ever goes on by itself. Not given: as this program ran last, else [programs] on_link_loss of the hub's
    /// configuration. It is kept for this program.
    #[arg(long, value_name = "hold|finish")]
    on_link_loss: Option<OnLinkLoss>,
    /// Do not start it now, but once there is enough sun, after a countdown on every screen
    ///
    /// Needs allow_start in [sun] of the hub's configuration, a machine that is homed, and a check without warnings. Any stop key,
    /// or sunmill stop, cancels it.
    #[arg(long, conflicts_with_all = ["from", "yes", "position_is_good", "wait"])]
    when_sun: bool,
    /// Control
    #[command(flatten)]
    take: TakeArgs,
}

/// Starts a program; waits for its end where that is wanted.
pub(super) fn run(settings: &Settings, args: &RunArgs) -> Result<ExitCode, Failure> {
    let path = std::path::absolute(&args.file)?;
    with_hub(settings, async |attached| {
        args.take.take(attached).await?;
        let hub = &mut attached.hub;
        let details = checked(hub, &path).await?;
        let takes_up = is_offered(&hub.snapshot(), &path);
        let preamble = match args.from.filter(|line| *line > 1 || takes_up) {
            Some(line) => Some(preamble(hub, &path, line).await?),
            None => None,
        };
        let start = preamble
            .as_ref()
            .map_or(Start::Beginning, |preamble| Start::Line { line: preamble.line, preamble: preamble.lines.clone() });
        if !args.position_is_good && !position_is_sure(&start, &hub.snapshot().machine) {
            let why = "the machine is not homed: home it, or say --position-is-good if you know that its position is";
            return Err(Failure::new(Code::State, eyre!(why)));
        }
        let position_word = if args.position_is_good { POSITION_WORD.to_owned() } else { String::new() };
        if let Some(told) = energy::of_snapshot(&hub.snapshot(), attached.clock.now(), &details.report) {
            energy::text(&told).lines().for_each(out::words);
        }
        let lost = to_agree(&path, &start, false, &hub.snapshot());
        agreed(&details, preamble.as_ref(), lost.as_deref(), args.yes)?;
        let request = RunRequest {
            path: path.clone(),
            seen: Some(details.report.hash),
            start,
            agreed: Agreed { warnings: args.yes, unchecked: false, position_word },
            check_mode: false,
            on_link_loss: args.on_link_loss,
        };
        if args.when_sun {
            return marked(hub, request).await;
        }
        let before = hub.snapshot().programs.run.as_ref().map(|run| run.id);
        let outcome = ended(hub, Command::Program(ProgramOrder::Run(Box::new(request)))).await?;
        if outcome != Outcome::Done {
            return Err(refused(&outcome));
        }
        if args.wait { followed(hub, before).await } else { Ok(()) }
    })
}

/// The run of this file is offered to be taken up again: even at line 1 something has to be sent first for that, such as a G92
/// shift that died.
fn is_offered(snapshot: &Snapshot, path: &Path) -> bool {
    let offered = |run: &Interrupted| Path::new(&run.run.path) == path.canonicalize().as_deref().unwrap_or(path);
    snapshot.programs.interrupted.as_ref().is_some_and(|run| offered(run))
}

/// Marks it to be started when the sun allows, and says how that stands.
async fn marked(hub: &mut Hub, request: RunRequest) -> Result<(), Failure> {
    let path = request.path.clone();
    let outcome = ended(hub, Command::Sun(SunOrder::StartWhenSun(Box::new(request)))).await?;
    if outcome != Outcome::Done {
        return Err(refused(&outcome));
    }
    // The answer may be here before the state that it led to.
    let shown = async {
        loop {
            if let Some(start) = hub.snapshot().sun.waits_for_sun(&path) {
                return Ok::<_, Failure>(format!("{} waits for the sun: {}", start.name, start.why));
            }
            next(hub).await?;
        }
    };
    let told = timeout(SHOWN, shown).await.unwrap_or_else(|_| Ok("it waits for the sun".to_owned()));
    out::words(&told?);
    Ok(())
}

/// What the check found, when it has come to its end.
pub(super) async fn checked(hub: &mut Hub, path: &Path) -> Result<Arc<Details>, Failure> {
    ask(hub, ProgramQuery::Details(path.to_owned()))?;
    let mut told = None;
    loop {
        let under_way = |job: &crate::model::program::Job| {
            job.path == path && !matches!(job.state, JobState::Done | JobState::Failed(_))
        };
        let finished = !hub.snapshot().programs.jobs.iter().any(under_way);
        if let Some(details) = told.take_if(|_| finished) {
            return Ok(details);
        }
        if let News::Answer(Answer::Program(ProgramAnswer::Details { path: of, result })) = next(hub).await?
            && of == path
        {
            told = Some(result.map_err(|why| Failure::new(Code::Failed, eyre!("{}: {why}", path.display())))?);
        }
    }
}

/// What is sent to begin in the middle.
async fn preamble(hub: &mut Hub, path: &Path, line: u64) -> Result<Preamble, Failure> {
    ask(hub, ProgramQuery::Preamble { path: path.to_owned(), line })?;
    loop {
        if let News::Answer(Answer::Program(ProgramAnswer::Preamble { path: of, line: at, result })) = next(hub).await?
            && (of.as_path(), at) == (path, line)
        {
            return result.map_err(|why| Failure::new(Code::State, eyre!("it cannot begin at line {line}: {why}")));
        }
    }
}

pub(super) fn ask(hub: &Hub, query: ProgramQuery) -> Result<(), Failure> {
    hub.ask(Query::Program(query)).map_err(|why| Failure::new(Code::State, eyre!("{why}")))
}

/// The next news; a question that is refused ends it all.
pub(super) async fn next(hub: &mut Hub) -> Result<News, Failure> {
    match hub.next().await.map_err(gone)? {
        News::Answer(Answer::Done(Err(why))) => Err(Failure::new(Code::State, eyre!("{why}"))),
        news => Ok(news),
    }
}

/// Tells what the check and the start have to say, and whether that is agreed to.
fn agreed(details: &Details, preamble: Option<&Preamble>, lost: Option<&str>, yes: bool) -> Result<(), Failure> {
    let of = |severity| details.problems.iter().filter(move |problem| problem.severity == severity);
    let (errors, warnings) = (of(Severity::Error).count(), of(Severity::Warning).count() + lost.iter().count());
    if let Some(lost) = lost {
        out::words(&format!("warning: {lost}"));
    }
    of(Severity::Error).chain(of(Severity::Warning)).for_each(|problem| out::words(&told(problem)));
    if let Some(preamble) = preamble {
        out::words(&format!("begins at line {}; sent first:", preamble.line));
        preamble.lines.iter().for_each(|line| out::words(&format!("  {line}")));
        preamble.warnings.iter().for_each(|warning| out::words(&format!("warning: {warning}")));
    }
    if errors > 0 {
        // What is wrong with the machine now is no fault of the program.
        let code = if details.report.errors == 0 { Code::State } else { Code::Failed };
        return Err(Failure::new(code, eyre!("the check found {errors} error(s): it must not run")));
    }
    if yes || warnings == 0 && preamble.is_none() {
        return Ok(());
    }
    let what = if warnings == 0 { "what is sent first" } else { "the warnings" };
    Err(Failure::new(Code::State, eyre!("not started: agree to {what} with --yes")))
}

fn told(problem: &Problem) -> String {
    let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
    let place = if problem.line == 0 { String::new() } else { format!("line {}: ", problem.line) };
    format!("{place}{severity}: {} ({})", problem.text, problem.remedy)
}

/// Follows the run to its end, telling on stderr when it waits for a person. `before`: the one that was known when it was asked
/// for, and that may still be the last one seen.
async fn followed(hub: &mut Hub, before: Option<RunId>) -> Result<(), Failure> {
    let mut id = None;
    let mut asked: Option<Prompt> = None;
    loop {
        let snapshot = hub.snapshot();
        match snapshot.programs.run.as_ref().filter(|run| is_it(run, id, before)) {
            Some(run) => {
                id = Some(run.id);
                if let Some(end) = over(run) {
                    return if end.is_ok() { stands(hub).await } else { end };
                }
                if run.prompt != asked {
                    asked.clone_from(&run.prompt);
                    if let Some(prompt) = &run.prompt {
                        out::words(&waits(prompt));
                    }
                }
            }
            None if id.is_some() => {
                let why = "it is not known how it ended: another one began, see sunmill programs history";
                return Err(Failure::new(Code::Failed, eyre!(why)));
            }
            None => {}
        }
        hub.next().await.map_err(|_| {
            let why =
                "the connection to sunmill was lost before the program came to its end: see sunmill programs history";
            Failure::new(Code::Ended, eyre!(why))
        })?;
    }
}

/// It is the run that is followed: the one that was seen first behind those known before.
fn is_it(run: &Run, id: Option<RunId>, before: Option<RunId>) -> bool {
    id.map_or_else(|| before.is_none_or(|before| run.id > before), |id| run.id == id)
}

/// The last line was accepted: what follows in a script must find a machine that stands.
async fn stands(hub: &mut Hub) -> Result<(), Failure> {
    let last = hub.snapshot().machine.reported_at;
    loop {
        let machine = &hub.snapshot().machine;
        if machine.alarm.is_some() {
            return Err(Failure::new(Code::Ended, eyre!("the machine is in alarm")));
        }
        if let LinkState::Down { why, .. } = &machine.link.state {
            return Err(Failure::new(Code::Ended, eyre!("the link to the machine is down: {why}")));
        }
        let moves = machine.state.is_some_and(|state| matches!(state.kind, StateKind::Run | StateKind::Jog));
        if machine.reported_at > last && !moves {
            return Ok(());
        }
        hub.next().await.map_err(lost)?;
    }
}

/// How it ended, if it has; a line that was refused is an end for a script, which cannot answer.
fn over(run: &Run) -> Option<Result<(), Failure>> {
    let ended_badly = |why: String| Some(Err(Failure::new(Code::Ended, eyre!("{}: {why}", run.name))));
    match (&run.state, &run.prompt) {
        (RunState::Done, _) => Some(Ok(())),
        (RunState::Failed(why), _) => ended_badly(format!("failed: {why}")),
        (RunState::Stopped(why), _) => ended_badly(format!("stopped: {why}")),
        (_, Some(Prompt::LineRefused { line, code, meaning, .. })) => {
            ended_badly(format!("line {line} was refused (error {code}: {meaning}); it waits on hold for a person"))
        }
        _ => None,
    }
}

/// What a program that asks something waits for.
pub(super) fn waits(prompt: &Prompt) -> String {
    match prompt {
        Prompt::Pause { line, text } => {
            format!("waits at line {line}: {}; sunmill resume goes on", text.as_deref().unwrap_or("a pause"))
        }
        Prompt::ToolChange { line, tool, text, .. } => {
            let tool = tool.map_or_else(String::new, |tool| format!(" T{tool}"));
            let text = text.as_deref().map_or_else(String::new, |text| format!(" ({text})"));
            format!("waits at line {line} for the tool{tool}{text}")
        }
        Prompt::SpindleStart { line, text, .. } => {
            format!("waits at line {line} for power for the spindle: {text}; sunmill resume starts it anyway")
        }
        Prompt::LineRefused { line, .. } => format!("line {line} was refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    #[test]
    fn the_end_of_the_run_before_is_not_that_of_the_one_that_is_followed() {
        let run = |id| Run::new(RunId(id), "part.nc".into(), 1, Time::ZERO);
        assert!(!is_it(&run(4), None, Some(RunId(4))), "the one before is still the last one seen");
        assert!(is_it(&run(5), None, Some(RunId(4))) && is_it(&run(1), None, None));
        assert!(is_it(&run(5), Some(RunId(5)), Some(RunId(4))));
        assert!(!is_it(&run(6), Some(RunId(5)), Some(RunId(4))), "another one has begun");
    }

    #[test]
    fn every_end_of_a_run_has_its_code() {
        let run = |state| Run { state, ..Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO) };
        assert!(matches!(over(&run(RunState::Done)), Some(Ok(()))));
        assert!(over(&run(RunState::Paused("hold".into()))).is_none());
        for state in [RunState::Failed("ALARM:1".into()), RunState::Stopped("Ctrl+X".into())] {
            let failure = over(&run(state)).unwrap().unwrap_err();
            assert_eq!(failure.code(), Code::Ended);
        }
        let prompt = Prompt::LineRefused { line: 3, code: 20, meaning: "no such command".into(), around: Vec::new() };
        let failure = over(&Run { prompt: Some(prompt), ..run(RunState::Running) }).unwrap().unwrap_err();
        assert_eq!(failure.code(), Code::Ended);
    }
}
