//! Backups of settings: kept and read off the runtime, restored one setting at a time.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::run::Keeper;
use crate::model::Time;
use crate::model::command::{Command, Origin, Outcome, Refused, TicketId, VoidReason};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::settings::{Backup, Change, Compared, Kept, RESTORE_WORD, Restore, changes, plan};
use crate::store::{BackupError, Backups, backups};

/// File jobs that may be under way; one more is refused.
pub(super) const FILE_JOBS: usize = 4;

/// What a file job brought.
#[derive(Debug)]
pub(super) struct FileDone {
    ticket: Option<TicketId>,
    origin: Origin,
    what: Result<Got, BackupError>,
}

#[derive(Debug)]
enum Got {
    Listed(Vec<String>),
    Saved(String, Vec<String>),
    Opened(String, Box<Backup>, Option<(String, Box<Backup>)>),
    ToRestore(String, Box<Backup>, String),
}

/// A restore under way.
#[derive(Debug)]
struct Running {
    ticket: TicketId,
    origin: Origin,
    waiting: VecDeque<Change>,
    now: Option<(TicketId, Change)>,
}

/// The hub's part that deals with backups.
#[derive(Debug)]
pub(super) struct BackupDesk {
    backups: Option<Backups>,
    done: mpsc::Sender<FileDone>,
    jobs: usize,
    running: Option<Running>,
}

impl BackupDesk {
    /// Backups in `folder`; what jobs bring comes out of the receiver.
    pub(super) fn new(folder: Option<PathBuf>) -> (Self, mpsc::Receiver<FileDone>) {
        let (done, results) = mpsc::channel(FILE_JOBS);
        (Self { backups: folder.map(Backups::new), done, jobs: 0, running: None }, results)
    }

    fn start(
        &mut self,
        ticket: Option<TicketId>,
        origin: Origin,
        job: impl FnOnce(&Backups) -> Result<Got, BackupError> + Send + 'static,
    ) -> Result<(), Outcome> {
        let refuse = |why: &str| Err(Outcome::Refused(Refused::because(why)));
        let Some(backups) = self.backups.clone() else {
            return refuse("there is no folder for backups: set $XDG_STATE_HOME or $HOME");
        };
        if self.jobs >= FILE_JOBS {
            return refuse("the files are busy; try again");
        }
        self.jobs += 1;
        let done = self.done.clone();
        tokio::task::spawn_blocking(move || {
            let what = job(&backups);
            // Nobody listens: the hub has ended, and has answered the ticket.
            let _ = done.blocking_send(FileDone { ticket, origin, what });
        });
        Ok(())
    }
}

impl Keeper {
    /// Finds out which backups there are.
    pub(super) fn list_backups(&mut self) {
        let _ = self.desk.start(None, Origin::Hub, |backups| backups.list().map(Got::Listed));
    }

    /// A command about backups. `None`: it is about something else.
    pub(super) fn backup_command(&mut self, request: &Request, now: Time) -> Option<Result<(), Outcome>> {
        let (ticket, origin) = (Some(request.ticket), request.origin.clone());
        let refuse = |why: String| Some(Err(Outcome::Refused(Refused::because(why))));
        match &request.command {
            Command::BackupSettings => {
                let machine = &self.snapshot.machine;
                let Some(identity) = machine.identity.as_ref().filter(|_| machine.settings.complete) else {
                    return refuse("all settings have to be read first".to_owned());
                };
                let backup = Backup::of(&machine.settings, identity, machine.axis_count(), backups::now());
                Some(self.desk.start(ticket, origin, move |backups| {
                    let name = backups.save(&backup)?;
                    Ok(Got::Saved(name, backups.list()?))
                }))
            }
            Command::CompareBackup { name, with } => {
                let (name, with) = (name.clone(), with.clone());
                Some(self.desk.start(ticket, origin, move |backups| {
                    let backup = Box::new(backups.load(&name)?);
                    let with = with.map(|with| backups.load(&with).map(|read| (with, Box::new(read)))).transpose()?;
                    Ok(Got::Opened(name, backup, with))
                }))
            }
            Command::RestoreSettings { name, word } => {
                if self.desk.running.is_some() {
                    return refuse("a restore is under way".to_owned());
                }
                if let Err(why) = legal::check(&request.command, &self.snapshot, now) {
                    return refuse(why.to_string());
                }
                let (name, word) = (name.clone(), word.clone());
                Some(self.desk.start(ticket, origin, move |backups| {
                    let backup = Box::new(backups.load(&name)?);
                    Ok(Got::ToRestore(name, backup, word))
                }))
            }
            _ => None,
        }
    }

    /// A file job has ended.
    pub(super) fn take_file(&mut self, done: FileDone) {
        self.desk.jobs = self.desk.jobs.saturating_sub(1);
        let now = self.clock.now();
        let FileDone { ticket, origin, what } = done;
        let outcome = match what {
            Err(error) => Outcome::Failed { code: 0, text: error.to_string() },
            Ok(Got::Listed(names)) => {
                self.kept(|kept| kept.names = names);
                Outcome::Done
            }
            Ok(Got::Saved(name, names)) => {
                tracing::info!(name, "settings backed up");
                self.kept(|kept| kept.names = names);
                Outcome::Done
            }
            Ok(Got::Opened(name, backup, with)) => {
                let compared = self.compare(name, &backup, with);
                self.kept(|kept| kept.compared = Some(compared));
                Outcome::Done
            }
            Ok(Got::ToRestore(name, backup, word)) => {
                let Some(ticket) = ticket else { return };
                match self.begin_restore(name, &backup, &word, ticket, origin) {
                    Ok(()) => return self.step_restore(now),
                    Err(outcome) => outcome,
                }
            }
        };
        if let Some(ticket) = ticket {
            self.answer(now, ticket, outcome);
        } else if let Outcome::Failed { text, .. } = outcome {
            tracing::warn!(text, "backups cannot be listed");
        }
    }

    fn compare(&self, name: String, backup: &Backup, with: Option<(String, Box<Backup>)>) -> Compared {
        if let Some((other, read)) = with {
            return Compared::Files { changes: changes(&backup.settings, &read.settings), before: name, after: other };
        }
        let machine = &self.snapshot.machine;
        let strange = match &machine.identity {
            Some(identity) => backup.strange(identity, machine.axis_count()),
            None => vec!["no machine is connected".to_owned()],
        };
        Compared::Machine { name, strange, plan: plan(&machine.settings, backup) }
    }

    fn begin_restore(
        &mut self,
        name: String,
        backup: &Backup,
        word: &str,
        ticket: TicketId,
        origin: Origin,
    ) -> Result<(), Outcome> {
        let Compared::Machine { strange, plan, .. } = self.compare(name.clone(), backup, None) else {
            return Err(Outcome::Refused(Refused::because("nothing to restore")));
        };
        if !strange.is_empty() && word.trim() != RESTORE_WORD {
            let why =
                format!("this backup is of another machine: {}. Type {RESTORE_WORD} to use it", strange.join("; "));
            return Err(Outcome::Refused(Refused::because(why)));
        }
        let report = Restore { name, not_set: plan.set.clone(), running: true, ..Restore::default() };
        self.kept(|kept| kept.restore = Some(report));
        self.desk.running = Some(Running { ticket, origin, waiting: plan.set.into(), now: None });
        Ok(())
    }

    /// Orders the next setting, or ends the restore.
    fn step_restore(&mut self, now: Time) {
        let Some(running) = &mut self.desk.running else { return };
        let Some(change) = running.waiting.pop_front() else { return self.end_restore(now, None) };
        if self.latch.is_void(running.ticket, false) {
            return self.end_restore(now, Some("stopped".to_owned()));
        }
        let command = Command::SetSetting { key: change.key.clone(), value: change.after.clone().unwrap_or_default() };
        let ticket = self.latch.next_ticket();
        let request = Request { ticket, origin: running.origin.clone(), command };
        running.now = Some((ticket, change));
        self.take_request(&request);
    }

    /// A ticket has ended; if it was a setting of the restore, the next follows, or it stops here.
    pub(super) fn restore_outcome(&mut self, now: Time, ticket: TicketId, outcome: &Outcome) {
        let Some(running) = &mut self.desk.running else { return };
        let Some((_, change)) = running.now.take_if(|(of, _)| *of == ticket) else { return };
        let why = match outcome {
            Outcome::Done => {
                self.kept(|kept| {
                    if let Some(report) = &mut kept.restore {
                        report.not_set.retain(|waiting| waiting.key != change.key);
                        report.set.push(change);
                    }
                });
                return self.step_restore(now);
            }
            Outcome::Refused(why) => why.to_string(),
            Outcome::Failed { text, .. } => text.clone(),
            Outcome::TimedOut => "the controller did not answer".to_owned(),
            Outcome::Voided { why, .. } => format!("interrupted by {why}"),
        };
        self.end_restore(now, Some(format!("${}: {why}", change.key)));
    }

    fn end_restore(&mut self, now: Time, why: Option<String>) {
        let Some(running) = self.desk.running.take() else { return };
        self.kept(|kept| {
            if let Some(report) = &mut kept.restore {
                report.running = false;
                report.why = why;
            }
        });
        let report = self.snapshot.kept.restore.clone().unwrap_or_default();
        let outcome = match report.why {
            None => Outcome::Done,
            Some(_) => Outcome::Failed { code: 0, text: report.to_string() },
        };
        self.answer(now, running.ticket, outcome);
    }

    /// The hub ends: a restore is over too.
    pub(super) fn abandon_restore(&mut self, now: Time) {
        self.end_restore(now, Some(format!("interrupted by {}", VoidReason::Shutdown)));
    }

    fn kept(&mut self, change: impl FnOnce(&mut Kept)) {
        change(Arc::make_mut(&mut self.snapshot.kept));
        self.snapshot.rev += 1;
    }
}
