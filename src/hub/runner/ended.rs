//! The end of a run in the audit: the row of its start says only that it was begun.

use super::keeper::Runner;
use crate::driver::machine::{Event, EventKind};
use crate::hub::run::Keeper;
use crate::model::audit::{Asker, AuditKind, AuditRow};
use crate::model::command::{Origin, Realtime};
use crate::model::program::{PastRun, RunEnd};

impl Runner {
    /// Who asked for what ends a program: the row of its end names them.
    pub(super) fn hear_enders(&mut self, event: &Event) {
        let EventKind::Asked(askers) = &event.what else { return };
        let ends = |realtime: &Realtime| matches!(realtime, Realtime::StopProgram | Realtime::SoftReset);
        if let Some((_, origin)) = askers.iter().rev().find(|(realtime, _)| ends(realtime)) {
            self.ender = Some(origin.clone());
        }
    }
}

impl Keeper {
    /// One row for the end of a run: how it ended, and who stopped it.
    pub(in crate::hub) fn audit_run_end(&mut self, past: &PastRun) {
        let outcome = match &past.end {
            Some(RunEnd::Done) => "done".to_owned(),
            Some(RunEnd::Stopped(why)) => format!("stopped: {why}"),
            Some(RunEnd::Failed(why)) => format!("failed: {why}"),
            Some(RunEnd::Interrupted(why)) => format!("interrupted: {why}"),
            None => return,
        };
        let stopped = matches!(past.end, Some(RunEnd::Stopped(_)));
        let ender = self.runner.ender.take().filter(|_| stopped);
        let (who, by) = match &ender {
            Some(origin) => (self.audit.words(origin), self.audit.asker(origin)),
            None => (Origin::Hub.to_string(), Asker::default()),
        };
        let ended_ms = past.ended_ms.unwrap_or(past.started_ms);
        self.audit.row(AuditRow {
            at_ms: ended_ms,
            kind: AuditKind::Run,
            who,
            by,
            what: format!("end of {} at line {}, begun by {}", past.name, past.last_line, past.who),
            outcome,
            took_ms: u64::try_from(ended_ms - past.started_ms).ok(),
        });
    }
}
