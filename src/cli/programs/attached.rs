//! Asks the sunmill that runs.

use std::collections::HashSet;
use std::path::PathBuf;

use color_eyre::eyre::eyre;

use super::analyses;
use super::browse::ListArgs;
use super::command::ProgramsCommand;
use super::details::{Checked, Told};
use super::history::{self, HistoryArgs};
use crate::attach::Attached;
use crate::cli::exit::{Code, Failure};
use crate::cli::job;
use crate::hub::programs::browse::Listing;
use crate::model::desk::Answer;
use crate::model::hub::{Hub, News};
use crate::model::program::{PastRun, ProgramAnswer, ProgramQuery, Totals};

/// Runs that are asked for at a time.
const PAGE: usize = 100;

/// What is printed.
pub(super) async fn told(attached: &mut Attached, command: &ProgramsCommand) -> Result<Told, Failure> {
    let (hub, clock) = (&mut attached.hub, attached.clock);
    Ok(match command {
        ProgramsCommand::List(args) => args.told(&found(hub, args).await?)?.into(),
        ProgramsCommand::Show(args) => {
            let details = job::checked(hub, &args.path()?).await?;
            Checked::here(&details, &hub.snapshot(), clock.now()).shown(args)?.into()
        }
        ProgramsCommand::Check(args) => {
            let details = job::checked(hub, &args.path()?).await?;
            Checked::here(&details, &hub.snapshot(), clock.now()).checked(args)?
        }
        ProgramsCommand::History(args) => args.told(&runs(hub, args).await?)?.into(),
        ProgramsCommand::Analyses(args) => analyses::told(hub, args).await?.into(),
        ProgramsCommand::Statistics(format) => history::statistics(&totals(hub).await?, *format)?.into(),
    })
}

async fn found(hub: &mut Hub, args: &ListArgs) -> Result<Listing, Failure> {
    if let Some(folder) = &args.folder {
        return listed(hub, Some(std::path::absolute(folder)?)).await;
    }
    let Listing { entries, mut notes } = listed(hub, None).await?;
    let mut found = Vec::new();
    for folder in entries {
        match listed(hub, Some(folder.path)).await {
            Ok(inside) => {
                found.extend(inside.entries);
                notes.extend(inside.notes);
            }
            Err(why) => notes.push(why.words()),
        }
    }
    Ok(Listing { entries: found, notes })
}

async fn listed(hub: &mut Hub, folder: Option<PathBuf>) -> Result<Listing, Failure> {
    let wanted = |answer| match answer {
        ProgramAnswer::List { folder: of, entries, notes } if of == folder => Some((entries, notes)),
        _ => None,
    };
    let (entries, notes) = asked(hub, ProgramQuery::List(folder.clone()), wanted).await?;
    let entries = entries.map_err(|why| Failure::new(Code::Failed, eyre!("{why}")))?;
    Ok(Listing { entries, notes })
}

/// Page by page; a run that begins meanwhile moves the others on by one.
async fn runs(hub: &mut Hub, args: &HistoryArgs) -> Result<Vec<PastRun>, Failure> {
    let (since_ms, most) = (args.since_ms()?, args.last.unwrap_or(usize::MAX));
    let (mut runs, mut seen, mut skip) = (Vec::new(), HashSet::new(), 0);
    while runs.len() < most {
        let query = ProgramQuery::History { name: args.name.clone(), skip, count: PAGE };
        let wanted = |answer| match answer {
            ProgramAnswer::History { runs, .. } => Some(runs),
            _ => None,
        };
        let page: Vec<PastRun> = asked(hub, query, wanted).await?;
        skip += page.len();
        let is_last = page.len() < PAGE;
        let fresh = page.into_iter().filter(|run| since_ms.is_none_or(|since| run.started_ms >= since));
        runs.extend(fresh.filter(|run| seen.insert(run.id)));
        if is_last {
            break;
        }
    }
    runs.truncate(most);
    Ok(runs)
}

async fn totals(hub: &mut Hub) -> Result<Totals, Failure> {
    let wanted = |answer| match answer {
        ProgramAnswer::Totals(totals) => Some(totals),
        _ => None,
    };
    asked(hub, ProgramQuery::Totals, wanted).await
}

/// Asks, and waits for the answer that is wanted.
async fn asked<T>(
    hub: &mut Hub,
    query: ProgramQuery,
    wanted: impl Fn(ProgramAnswer) -> Option<T>,
) -> Result<T, Failure> {
    job::ask(hub, query)?;
    loop {
        if let News::Answer(Answer::Program(answer)) = job::next(hub).await?
            && let Some(answer) = wanted(answer)
        {
            return Ok(answer);
        }
    }
}
