//! Its subcommands.

use std::process::ExitCode;

use clap::Subcommand;

use super::analyses::AnalysesArgs;
use super::attached;
use super::browse::{self, ListArgs};
use super::details::{self, FileArgs, Told};
use super::history::{self, HistoryArgs};
use crate::cli::args::Format;
use crate::cli::exit::Failure;
use crate::cli::remote::with_hub;
use crate::cli::settings::Settings;
use crate::cli::{out, socket, store};
use crate::model::program::Totals;
use crate::model::program::ask::Analyses;
use crate::store::RunFilter;

/// `sunmill programs …`
#[derive(Debug, Subcommand)]
pub enum ProgramsCommand {
    /// Print the programs in `[programs] folders`, newest first
    List(ListArgs),
    /// Print what is known of a program: lines, time, reach, feeds, tools, waits, problems
    ///
    /// By the check of the sunmill that runs, for its machine as it stands; where none runs, for one of
    /// which nothing is known.
    Show(FileArgs),
    /// Check a program for the machine of the sunmill that runs, as it stands now
    ///
    /// Prints a line for each problem, as sunmill check does. The exit code is 0 where it may run, 1
    /// where it must not.
    Check(FileArgs),
    /// Print past runs, newest first
    History(HistoryArgs),
    /// Print how often and how long programs ran: the machine's hours, and each program's
    Statistics(Format),
    /// Print the checks in the background, with progress and totals; start, pause, resume, stop them
    Analyses(AnalysesArgs),
}

impl ProgramsCommand {
    /// The disk knows nothing of it.
    const fn needs_hub(&self) -> bool {
        matches!(self, Self::Analyses(AnalysesArgs { order: Some(_), .. }))
    }
}

/// Prints what is asked for.
pub(in crate::cli) fn run(settings: &Settings, command: &ProgramsCommand) -> Result<ExitCode, Failure> {
    let told = if command.needs_hub() || socket::answering(settings).is_some() {
        let mut told = Told::default();
        with_hub(settings, async |attached| {
            told = attached::told(attached, command).await?;
            Ok(())
        })?;
        told
    } else {
        on_disk(settings, command)?
    };
    out::data(&told.text)?;
    Ok(if told.must_not_run { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where no sunmill runs.
fn on_disk(settings: &Settings, command: &ProgramsCommand) -> Result<Told, Failure> {
    Ok(match command {
        ProgramsCommand::List(args) => args.told(&browse::found(settings, args)?)?.into(),
        ProgramsCommand::Show(args) => details::read(settings, args)?.shown(args)?.into(),
        ProgramsCommand::Check(args) => details::read(settings, args)?.checked(args)?,
        ProgramsCommand::History(args) => {
            let filter = RunFilter { name: args.name.clone(), since_ms: args.since_ms()? };
            let runs = match store::reader(settings) {
                Some(reader) => reader.runs(&filter, 0, args.last.unwrap_or(usize::MAX))?,
                None => Vec::new(),
            };
            args.told(&runs)?.into()
        }
        ProgramsCommand::Analyses(args) => {
            out::words("no sunmill runs, so nothing is checked in the background");
            let kept = store::reader(settings).map(|reader| reader.kept_reports()).transpose()?;
            let concurrent = settings.config.analysis.concurrent as usize;
            args.told(&Analyses { jobs: Vec::new(), concurrent, kept })?.into()
        }
        ProgramsCommand::Statistics(format) => {
            let totals = match store::reader(settings) {
                Some(reader) => reader.statistics()?,
                None => Totals::default(),
            };
            history::statistics(&totals, *format)?.into()
        }
    })
}
