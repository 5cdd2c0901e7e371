//! The one thread that writes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;

use super::agenda::Agenda;
use super::error::{StoreError, is_of_the_place, words};
use super::open::Held;
use super::options::StoreOptions;
use super::power::{self, Batch};
use super::write::{self, Write};
use crate::model::audit::{Asker, AuditKind, AuditRow};
use crate::model::power::Sample;
use crate::model::program::Checkpoint;

/// Rows that may wait while nothing can be written.
const BACKLOG: usize = 4096;
/// How often old rows are thrown away.
const TIDY_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The same of how power went: less at a time, so that its pages serve again.
const TIDY_POWER_EVERY: Duration = Duration::from_secs(3600);

/// What is sent to the thread.
#[derive(Debug)]
pub(super) enum Job {
    /// To be written.
    Write(Write),
    /// How power went at a moment: to be written with others of its kind.
    Tick(String, Sample),
    /// To be remembered of an inverter, in no hurry: (inverter, key, text).
    Remember(String, String, String),
    /// There is a checkpoint in its place.
    Look,
    /// Write all that was sent before, and say how that went.
    Flush(SyncSender<Result<(), StoreError>>),
    /// Write all that was sent before, and end.
    Close,
}

impl Job {
    /// Nothing that was asked for is lost if it is not written.
    pub(super) const fn is_cache(&self) -> bool {
        match self {
            Self::Write(write) => write.is_cache(),
            Self::Tick(..) => true,
            _ => false,
        }
    }
}

/// Whether how power went is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telemetry {
    /// What waits, and what is over.
    Due,
    /// Nothing comes after it.
    Last,
}

/// What the handles and the thread share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The newest position that is not written yet: each one takes the place of the one before.
    pub(super) checkpoint: Mutex<Option<Checkpoint>>,
    /// Rows that found no place, until the audit has told of them.
    pub(super) lost: AtomicU64,
    /// The file was found to be damaged while it was written; that does not pass.
    damage: OnceLock<String>,
    /// What is wrong, for everyone to see.
    pub(super) trouble: watch::Sender<Option<String>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            checkpoint: Mutex::new(None),
            lost: AtomicU64::new(0),
            damage: OnceLock::new(),
            trouble: watch::channel(None).0,
        }
    }

    /// Puts a newer position in its place, unless it would set the run back. Says whether the place was empty.
    pub(super) fn put(&self, checkpoint: Checkpoint) -> bool {
        let mut place = self.place();
        if place.as_ref().is_some_and(|old| old.run == checkpoint.run && old.acked_line > checkpoint.acked_line) {
            return false;
        }
        place.replace(checkpoint).is_none()
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Checkpoint>> {
        self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn damaged(&self, what: String) {
        let _ = self.damage.set(what);
        self.tell(None);
    }

    /// Something is wrong with writing, or nothing is any more.
    pub(super) fn tell(&self, trouble: Option<String>) {
        let trouble = trouble.or_else(|| self.damage.get().cloned());
        self.trouble.send_if_modified(|told| {
            let news = *told != trouble;
            *told = trouble;
            news
        });
    }
}

/// The thread's own.
#[derive(Debug)]
pub(super) struct Writer {
    held: Held,
    path: PathBuf,
    options: StoreOptions,
    jobs: Receiver<Job>,
    shared: Arc<Shared>,
    agenda: Agenda,
    backlog: VecDeque<Write>,
    batch: Batch,
    flushes: Vec<SyncSender<Result<(), StoreError>>>,
    started: Instant,
    tidied: Option<Duration>,
    tidied_power: Option<Duration>,
    /// What `PRAGMA synchronous` is set to.
    synchronous: Option<&'static str>,
}

impl Writer {
    pub(super) fn new(
        held: Held,
        path: PathBuf,
        options: StoreOptions,
        jobs: Receiver<Job>,
        shared: Arc<Shared>,
    ) -> Self {
        let batch = Batch::new(options.zone.clone());
        Self {
            held,
            path,
            options,
            jobs,
            shared,
            agenda: Agenda::default(),
            backlog: VecDeque::new(),
            batch,
            flushes: Vec::new(),
            started: Instant::now(),
            tidied: None,
            tidied_power: None,
            synchronous: None,
        }
    }

    /// Writes until it is told to end or nobody holds the store any more.
    pub(super) fn run(mut self) {
        loop {
            self.tidy();
            let ended = match self.next() {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if self.shared.place().is_some() {
                self.agenda.checkpoint();
            }
            let due = self.agenda.due().is_some_and(|due| due <= self.now());
            if due || ended || !self.flushes.is_empty() {
                // First the position, then the queue: so its run is among what was written.
                let checkpoint = self.shared.place().take();
                let ended = self.drain() || ended;
                self.commit(checkpoint, ended);
                if ended {
                    break;
                }
            }
        }
        if !self.backlog.is_empty() {
            tracing::error!(rows = self.backlog.len(), path = %self.path.display(), "could not be written at the end");
        }
        let properly = self.backlog.is_empty() && self.shared.damage.get().is_none();
        self.held.close(properly);
    }

    fn next(&self) -> Result<Job, RecvTimeoutError> {
        match self.agenda.due() {
            Some(due) => self.jobs.recv_timeout(due.saturating_sub(self.now())),
            None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says whether that was the last.
    fn take(&mut self, job: Job) -> bool {
        match job {
            Job::Tick(inverter, sample) => {
                self.agenda.telemetry(self.now());
                self.batch.tick(inverter, sample);
            }
            Job::Remember(inverter, key, text) => {
                self.agenda.telemetry(self.now());
                self.batch.memory(inverter, key, text);
            }
            Job::Write(write) => {
                if let Write::Remember(inverter, key, _) = &write {
                    self.batch.overtaken(inverter, key);
                }
                if write.is_urgent() {
                    self.agenda.urgent();
                } else {
                    self.agenda.lazy(self.now());
                }
                self.backlog.push_back(write);
                self.bound();
            }
            Job::Look => {}
            Job::Flush(answer) => self.flushes.push(answer),
            Job::Close => return true,
        }
        false
    }

    fn drain(&mut self) -> bool {
        let mut ended = false;
        while let Ok(job) = self.jobs.try_recv() {
            ended |= self.take(job);
        }
        ended
    }

    /// While nothing can be written the oldest rows of the audit go before the history does.
    fn bound(&mut self) {
        while self.backlog.len() > BACKLOG {
            let place = self
                .backlog
                .iter()
                .position(|write| matches!(write, Write::Audit(_) | Write::AuditEnd(_)))
                .unwrap_or(0);
            self.backlog.remove(place);
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn commit(&mut self, checkpoint: Option<Checkpoint>, end: bool) {
        if checkpoint.is_some() {
            self.agenda.checkpoint();
        }
        let telemetry = match end {
            true => Some(Telemetry::Last),
            false if !self.flushes.is_empty() || self.agenda.is_telemetry_due(self.now()) => Some(Telemetry::Due),
            false => None,
        };
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        let result = self.write(checkpoint.as_ref(), telemetry, lost);
        let now = self.now();
        let answer = match result {
            Ok(rejected) => {
                self.backlog.clear();
                self.agenda.written(now, telemetry.is_some());
                self.shared.lost.fetch_add(rejected, Ordering::Relaxed);
                self.shared.tell(None);
                None
            }
            Err(error) => {
                let trouble = format!("{} is not written: {}", self.path.display(), words(&error));
                tracing::warn!(trouble, rows = self.backlog.len(), "the store is not written");
                self.shared.lost.fetch_add(lost, Ordering::Relaxed);
                self.backlog.retain(|write| !write.is_cache());
                if let Some(checkpoint) = checkpoint {
                    self.shared.place().get_or_insert(checkpoint);
                }
                self.agenda.failed(now);
                self.shared.tell(Some(trouble.clone()));
                Some(trouble)
            }
        };
        for flush in self.flushes.drain(..) {
            let answer = answer.clone().map_or(Ok(()), |trouble| Err(StoreError::NotWritten(trouble)));
            // Whoever asked may have gone.
            let _ = flush.try_send(answer);
        }
    }

    /// All that waits, in one transaction. Gives how many rows SQLite would never take.
    fn write(
        &mut self,
        checkpoint: Option<&Checkpoint>,
        telemetry: Option<Telemetry>,
        lost: u64,
    ) -> rusqlite::Result<u64> {
        let telemetry = telemetry.filter(|when| !self.batch.is_empty() || *when == Telemetry::Last);
        let sync = checkpoint.is_some()
            || telemetry.is_some()
            || !self.flushes.is_empty()
            || self.backlog.iter().any(Write::is_urgent);
        self.set_synchronous(if sync { "full" } else { "normal" })?;
        let now_ms = now_ms();
        let transaction = self.held.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rejected = 0;
        let mut judge = |result: rusqlite::Result<()>, what: &dyn std::fmt::Debug| match result {
            Err(error) if is_of_the_place(&error) => Err(error),
            Err(error) => {
                tracing::error!(%error, ?what, "not taken by the store");
                rejected += 1;
                Ok(())
            }
            Ok(()) => Ok(()),
        };
        for write in &self.backlog {
            judge(write.apply(&transaction, now_ms), write)?;
        }
        if self.backlog.iter().any(|write| matches!(write, Write::Report(..))) {
            write::tidy_reports(&transaction, &self.options, now_ms)?;
        }
        if let Some(checkpoint) = checkpoint {
            judge(write::apply_checkpoint(&transaction, checkpoint), checkpoint)?;
        }
        let mut rolled = None;
        if let Some(when) = telemetry {
            let made = self.batch.apply(&transaction, when == Telemetry::Last).map(|made| rolled = Some(made));
            judge(made, &"history of inverters")?;
        }
        if lost > 0 {
            judge(Write::Audit(gap(lost, now_ms)).apply(&transaction, now_ms), &"gap")?;
        }
        transaction.commit()?;
        if telemetry.is_some() {
            self.batch.written(rolled);
        }
        Ok(rejected)
    }

    fn set_synchronous(&mut self, value: &'static str) -> rusqlite::Result<()> {
        if self.synchronous != Some(value) {
            self.held.connection.pragma_update(None, "synchronous", value)?;
            self.synchronous = Some(value);
        }
        Ok(())
    }

    /// Once at the start, and each kind in its time.
    fn tidy(&mut self) {
        let now = self.now();
        if self.tidied_power.is_none_or(|last| now.saturating_sub(last) >= TIDY_POWER_EVERY) {
            self.tidied_power = Some(now);
            self.throw_away(power::tidy);
        }
        if self.tidied.is_some_and(|last| now.saturating_sub(last) < TIDY_EVERY) {
            return;
        }
        self.tidied = Some(now);
        self.throw_away(write::tidy);
    }

    fn throw_away(&mut self, what: fn(&Connection, &StoreOptions, i64) -> rusqlite::Result<()>) {
        let tidied = self.held.connection.transaction().and_then(|transaction| {
            what(&transaction, &self.options, now_ms())?;
            transaction.commit()
        });
        if let Err(error) = tidied {
            tracing::warn!(%error, "old rows could not be thrown away");
        }
    }
}

/// The row that tells of rows that are not there.
fn gap(lost: u64, now_ms: i64) -> AuditRow {
    AuditRow {
        at_ms: now_ms,
        kind: AuditKind::Note,
        who: "sunmill".to_owned(),
        by: Asker::default(),
        what: "audit".to_owned(),
        outcome: format!("{lost} entries before this one could not be written and are lost"),
        took_ms: None,
    }
}

/// This moment, in ms of Unix time.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
