//! What follows from a check and the snapshot together.

use std::path::Path;

use crate::model::program::ask::Details;
use crate::model::program::run::{Job, JobState, Run};
use crate::model::program::{Problem, Severity};
use crate::model::snapshot::Snapshot;
use crate::model::{StateKind, Time};

/// How many problems of this severity there are at least: a report keeps only the first of them.
pub fn count(details: &Details, severity: Severity) -> u64 {
    let listed = details.problems.iter().filter(|problem| problem.severity == severity).count() as u64;
    match severity {
        Severity::Error => listed.max(details.report.errors),
        Severity::Warning => listed.max(details.report.warnings),
        Severity::Note => listed,
    }
}

/// The problems, errors first, then warnings, each in the order of lines.
pub fn sorted(details: &Details) -> Vec<&Problem> {
    let mut problems: Vec<&Problem> = details.problems.iter().collect();
    problems.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.line.cmp(&b.line)));
    problems
}

/// The analysis of a file that has not come to its end.
pub fn unfinished<'a>(snapshot: &'a Snapshot, path: &Path) -> Option<&'a Job> {
    let is_over = |state: &JobState| matches!(state, JobState::Done | JobState::Failed(_));
    snapshot.programs.jobs.iter().rev().find(|job| job.path == path).filter(|job| !is_over(&job.state))
}

/// How far an analysis is, in percent.
pub fn percent(job: &Job) -> u64 {
    (job.done_bytes.min(job.total_bytes) * 100).checked_div(job.total_bytes).unwrap_or(0)
}

/// The run under way.
pub fn open_run(snapshot: &Snapshot) -> Option<&Run> {
    snapshot.programs.run.as_ref().filter(|run| run.state.is_open())
}

/// Why no program can be started now.
pub fn hindrance(snapshot: &Snapshot, now: Time) -> Option<String> {
    if let Some(run) = open_run(snapshot) {
        return Some(format!("{} runs already", run.name));
    }
    let machine = &snapshot.machine;
    if !machine.link.is_open() {
        return Some("there is no link to the machine".to_owned());
    }
    match machine.fresh_state(now).map(|state| state.kind) {
        Some(StateKind::Idle) => None,
        Some(StateKind::Alarm) => Some("the machine is in alarm: clear it first ($)".to_owned()),
        Some(other) => Some(format!("the machine is not idle (state {other:?})")),
        None => Some("the machine's state is not known".to_owned()),
    }
}
