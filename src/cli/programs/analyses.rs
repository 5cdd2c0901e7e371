//! `sunmill programs analyses`: the checks in the background, as the page of the tab Programs has them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use color_eyre::eyre::eyre;
use serde::Serialize;

use crate::cli::exit::{Code, Failure};
use crate::cli::{job, listing};
use crate::model::desk::Answer;
use crate::model::hub::{Hub, News};
use crate::model::program::ask::Analyses;
use crate::model::program::{Job, JobState, ProgramAnswer, ProgramQuery};
use crate::ui::programs::{facts, words};

/// Options of `sunmill programs analyses`.
#[derive(Debug, Args)]
pub struct AnalysesArgs {
    /// What to do; without it, print them
    #[command(subcommand)]
    pub order: Option<AnalysesOrder>,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What is to become of a check. Their numbers are those that are printed.
#[derive(Debug, Subcommand)]
pub enum AnalysesOrder {
    /// Check a program in the background, and do not wait for it
    Start {
        /// The program, below one of `[programs] folders`
        file: PathBuf,
    },
    /// Pause one; it keeps what it has
    Pause {
        /// Its number
        number: u64,
    },
    /// Go on with one that is paused, or begin one that was stopped anew
    Resume {
        /// Its number
        number: u64,
    },
    /// Stop one; it stays stopped until it is resumed
    Stop {
        /// Its number
        number: u64,
    },
    /// Throw away all that is kept of checks; each file is read anew when it is looked at
    Clean,
}

/// A check as programs read it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    number: u64,
    file: &'a Path,
    state: &'static str,
    why: Option<&'a str>,
    done_bytes: u64,
    total_bytes: u64,
    percent: u64,
    errors: u64,
}

/// How many there are of each kind. What is kept is null where nothing can be.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Totals {
    running: usize,
    at_most: usize,
    waiting: usize,
    paused: usize,
    stopped: usize,
    done: usize,
    failed: usize,
    kept_reports: Option<u64>,
    kept_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    analyses: Vec<Row<'a>>,
    totals: Totals,
}

const fn state(job: &Job) -> &'static str {
    match job.state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::Paused => "paused",
        JobState::Stopped => "stopped",
        JobState::Done => "done",
        JobState::Failed(_) => "failed",
    }
}

impl<'a> Row<'a> {
    fn of(job: &'a Job) -> Self {
        Self {
            number: job.id,
            file: &job.path,
            state: state(job),
            why: if let JobState::Failed(why) = &job.state { Some(why) } else { None },
            done_bytes: job.done_bytes,
            total_bytes: job.total_bytes,
            percent: facts::percent(job),
            errors: job.errors,
        }
    }
}

impl Totals {
    fn of(analyses: &Analyses) -> Self {
        let count = |wanted| analyses.jobs.iter().filter(|job| state(job) == wanted).count();
        Self {
            running: count("running"),
            at_most: analyses.concurrent,
            waiting: count("waiting"),
            paused: count("paused"),
            stopped: count("stopped"),
            done: count("done"),
            failed: count("failed"),
            kept_reports: analyses.kept.map(|kept| kept.reports),
            kept_bytes: analyses.kept.map(|kept| kept.bytes),
        }
    }

    fn words(&self) -> String {
        let Self { running, at_most, waiting, paused, stopped, done, failed, .. } = self;
        let kept = match (self.kept_reports, self.kept_bytes) {
            (Some(reports), Some(bytes)) => {
                format!("{} kept, {}", words::plural(reports, "report"), words::size(bytes))
            }
            _ => "nothing can be kept".to_owned(),
        };
        format!(
            "{running} running of at most {at_most}, {waiting} waiting, {paused} paused, {stopped} stopped; \
             {done} done, {failed} failed; {kept}\n"
        )
    }
}

impl AnalysesArgs {
    /// How they are printed.
    pub(super) fn told(&self, analyses: &Analyses) -> Result<String, Failure> {
        let totals = Totals::of(analyses);
        if self.json {
            return listing::json(&Document { analyses: analyses.jobs.iter().map(Row::of).collect(), totals });
        }
        let row = |job: &Job| {
            let errors = if job.errors == 0 { String::new() } else { words::plural(job.errors, "error") };
            let file = job.path.display().to_string();
            vec![job.id.to_string(), format!("{} %", facts::percent(job)), words::job(&job.state), errors, file]
        };
        let rows: Vec<_> = analyses.jobs.iter().map(row).collect();
        Ok(listing::columns(&rows, &[0, 1]) + &totals.words())
    }
}

/// Carries it out at the sunmill that runs, or lists them.
pub(super) async fn told(hub: &mut Hub, args: &AnalysesArgs) -> Result<String, Failure> {
    match &args.order {
        None => {}
        Some(AnalysesOrder::Start { file }) => start(hub, &std::path::absolute(file)?).await?,
        Some(AnalysesOrder::Pause { number }) => done(hub, ProgramQuery::PauseJob(*number)).await?,
        Some(AnalysesOrder::Resume { number }) => done(hub, ProgramQuery::ResumeJob(*number)).await?,
        Some(AnalysesOrder::Stop { number }) => done(hub, ProgramQuery::StopJob(*number)).await?,
        Some(AnalysesOrder::Clean) => done(hub, ProgramQuery::CleanAnalyses).await?,
    }
    args.told(&listed(hub).await?)
}

async fn listed(hub: &mut Hub) -> Result<Analyses, Failure> {
    job::ask(hub, ProgramQuery::Analyses)?;
    loop {
        if let News::Answer(Answer::Program(ProgramAnswer::Analyses(analyses))) = job::next(hub).await? {
            return Ok(analyses);
        }
    }
}

/// What is answered with a word only.
async fn done(hub: &mut Hub, query: ProgramQuery) -> Result<(), Failure> {
    job::ask(hub, query)?;
    loop {
        if let News::Answer(Answer::Done(Ok(_))) = job::next(hub).await? {
            return Ok(());
        }
    }
}

/// Has it read in the background: it is over when it was read already, or when it stands in the list.
async fn start(hub: &mut Hub, path: &Path) -> Result<(), Failure> {
    job::ask(hub, ProgramQuery::Details(path.to_owned()))?;
    while !hub.snapshot().programs.jobs.iter().any(|job| job.path == path) {
        if let News::Answer(Answer::Program(ProgramAnswer::Details { path: of, result })) = job::next(hub).await?
            && of == path
        {
            return result.map(|_| ()).map_err(|why| Failure::new(Code::Failed, eyre!("{}: {why}", path.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::ask::Kept;

    fn analyses() -> Analyses {
        let job = |id, name: &str, state, done_bytes, errors| Job {
            id,
            path: format!("/gcode/{name}").into(),
            state,
            done_bytes,
            total_bytes: 200,
            errors,
        };
        let jobs = vec![
            job(7, "long.nc", JobState::Running, 50, 2),
            job(6, "next.nc", JobState::Waiting, 0, 0),
            job(5, "bad.nc", JobState::Failed("it is empty".to_owned()), 0, 0),
            job(4, "done.nc", JobState::Done, 200, 0),
        ];
        Analyses { jobs, concurrent: 2, kept: Some(Kept { reports: 3, bytes: 4200 }) }
    }

    #[test]
    fn each_is_told_with_its_progress_and_all_are_counted() {
        let args = |json| AnalysesArgs { order: None, json };
        let text = args(false).told(&analyses()).unwrap();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["7", "25", "%", "reads", "2", "errors", "/gcode/long.nc"]);
        assert_eq!(lines[1].last(), Some(&"/gcode/next.nc"));
        assert!(
            text.ends_with(
                "1 running of at most 2, 1 waiting, 0 paused, 0 stopped; 1 done, 1 failed; 3 reports kept, 4.2 kB\n"
            ),
            "{text}"
        );
        let told: serde_json::Value = serde_json::from_str(&args(true).told(&analyses()).unwrap()).unwrap();
        assert_eq!(told["analyses"][0]["percent"], 25);
        assert_eq!(told["analyses"][2]["why"], "it is empty");
        let totals = serde_json::json!({
            "running": 1, "at_most": 2, "waiting": 1, "paused": 0, "stopped": 0, "done": 1, "failed": 1,
            "kept_reports": 3, "kept_bytes": 4200,
        });
        assert_eq!(told["totals"], totals);
        let none = args(false).told(&Analyses { concurrent: 2, ..Analyses::default() }).unwrap();
        assert_eq!(
            none,
            "0 running of at most 2, 0 waiting, 0 paused, 0 stopped; 0 done, 0 failed; nothing can be kept\n"
        );
    }
}
