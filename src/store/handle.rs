//! The handle that all who write hold.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::error::StoreError;
use super::open::{self, Opened};
use super::options::StoreOptions;
use super::reader::Reader;
use super::write::Write;
use super::writer::{Job, Shared, Writer};
use crate::model::audit::AuditRow;
use crate::model::power::{Sample, Saved};
use crate::model::program::{Checkpoint, PastRun, Report, RunId};

/// Jobs that may wait for the thread. Positions wait elsewhere, each in the place of the one before.
const QUEUE: usize = 1024;

/// The store. Every copy is the same one.
///
/// Writing never waits and never fails for the caller: rows go to one thread, which keeps them until the disk takes
/// them and tries again where it does not. What is wrong is told by [`trouble`](Self::trouble); if so much piles up
/// that rows are lost, the audit tells how many. Reading goes past the thread, through a [`Reader`].
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    options: StoreOptions,
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// As [`open_with`](Self::open_with) the usual options.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> Result<(Self, Opened), StoreError> {
        Self::open_with(path, StoreOptions::default())
    }

    /// Opens the file, makes it where there is none, and checks it. Blocks while it does. A damaged file is set aside with a
    /// note and a new one begun; runs without an end get one, as interrupted.
    ///
    /// # Errors
    /// Nothing can be kept: another sunmill writes to the file, a newer one or another program has written it, or it
    /// cannot be made or written. The file is as it was.
    pub fn open_with(path: &Path, options: StoreOptions) -> Result<(Self, Opened), StoreError> {
        let (held, opened) = open::open(path, &options)?;
        let (jobs, inbox) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::new());
        if !held.checked {
            check_beside(path.to_owned(), &options, Arc::clone(&shared))?;
        }
        let writer = Writer::new(held, path.to_owned(), options.clone(), inbox, Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(|| writer.run())
            .map_err(|error| StoreError::File { path: path.to_owned(), error })?;
        let inner = Inner { path: path.to_owned(), options, jobs, shared, thread: Mutex::new(Some(thread)) };
        Ok((Self { inner: Arc::new(inner) }, opened))
    }

    /// What is wrong with the store now, as a sentence; `None`: all that was given to it is written or about to be.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.inner.shared.trouble.subscribe()
    }

    /// A run begins. To be called before its first checkpoint.
    pub fn run_started(&self, run: PastRun) {
        self.write(Write::Run(Box::new(run)));
    }

    /// How far a run is: on the disk within a second. Only the newest is kept, and it never goes back.
    pub fn checkpoint(&self, checkpoint: Checkpoint) {
        if self.inner.shared.put(checkpoint) {
            // A full queue has something for the thread to do, and it looks for positions each time.
            let _ = self.inner.jobs.try_send(Job::Look);
        }
    }

    /// A run has ended. If it came to its end its checkpoint goes; else it can be taken up again until it is forgotten.
    pub fn run_ended(&self, run: PastRun) {
        self.write(Write::Run(Box::new(run)));
    }

    /// A run is not offered any more, nor an older one of the same file: a person does not want it.
    pub fn forget_interrupted(&self, run: RunId) {
        self.write(Write::Forget(run));
    }

    /// Older runs of the same file are not offered any more: this one takes them up, or has come to the end of the file. To be
    /// called behind its first checkpoint, so that one of them is offered in any case.
    pub fn supersede(&self, run: RunId) {
        self.write(Write::Supersede(run));
    }

    /// Adds a row to the audit.
    pub fn audit(&self, row: AuditRow) {
        self.write(Write::Audit(row));
    }

    /// The end of what was added as [asked](crate::model::audit::ASKED): the same row, with how it ended.
    pub fn audit_end(&self, row: AuditRow) {
        self.write(Write::AuditEnd(row));
    }

    /// Keeps what a check found, for as long as the options say. `key` names content, firmware, machine and version of
    /// the check: all that it depends on.
    pub fn keep_report(&self, key: &str, report: &Report) {
        self.write(Write::Report(key.to_owned(), Box::new(report.clone())));
    }

    /// A report that was kept, which is then kept longer. Blocks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn report(&self, key: &str) -> Result<Option<Report>, StoreError> {
        let report = self.reader().report(key)?;
        if report.is_some() {
            self.write(Write::ReportUsed(key.to_owned()));
        }
        Ok(report)
    }

    /// Throws away all reports.
    pub fn clean_reports(&self) {
        self.write(Write::CleanReports);
    }

    /// How an inverter's power goes now: to be told every few seconds, at least twice a minute. On the disk within half a minute
    /// or so, together with all that was told in between; a cut of power loses no more than that. Also told when nothing is
    /// known of it, with `None` for all that is not, so that it is missed among all inverters together.
    pub fn power_sample(&self, inverter: &str, sample: Sample) {
        self.send(Job::Tick(inverter.to_owned(), sample));
    }

    /// A person set a setting of an inverter.
    pub fn save_setting(&self, inverter: &str, saved: Saved) {
        self.write(Write::SaveSetting(inverter.to_owned(), saved));
    }

    /// What a person set is not held against what the inverter says any more.
    pub fn forget_setting(&self, inverter: &str, id: &str) {
        self.write(Write::ForgetSetting(inverter.to_owned(), id.to_owned()));
    }

    /// Something to remember of an inverter, in the place of what was under this key; an empty text forgets it. If `urgent`, a
    /// cut of power right after does not lose it; else it goes with the samples.
    pub fn remember(&self, inverter: &str, key: &str, text: &str, urgent: bool) {
        let (inverter, key, text) = (inverter.to_owned(), key.to_owned(), text.to_owned());
        if urgent {
            self.write(Write::Remember(inverter, key, text));
        } else {
            self.send(Job::Remember(inverter, key, text));
        }
    }

    /// Reads past the thread that writes.
    pub fn reader(&self) -> Reader {
        Reader::new(self.inner.path.clone(), self.inner.options.busy_timeout)
    }

    /// Waits until all that was given before is on the disk. Blocks.
    ///
    /// # Errors
    /// It cannot be written at present; it is kept and tried again.
    pub fn flush(&self) -> Result<(), StoreError> {
        let (answer, answered) = sync_channel(1);
        self.inner.jobs.send(Job::Flush(answer)).map_err(|_| StoreError::Closed)?;
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// Writes what waits, and ends. Blocks. What is given to any copy after this is not written.
    pub fn close(&self) {
        self.inner.close();
    }

    fn write(&self, write: Write) {
        self.send(Job::Write(write));
    }

    fn send(&self, job: Job) {
        let cache = job.is_cache();
        match self.inner.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) if cache => {}
            Err(TrySendError::Full(job)) => {
                tracing::error!(?job, "lost: the store is too slow");
                self.inner.lose("it is written too slowly");
            }
            Err(TrySendError::Disconnected(job)) if self.inner.was_closed() => {
                tracing::debug!(?job, "not written: the store was closed");
            }
            Err(TrySendError::Disconnected(job)) => {
                tracing::error!(?job, "lost: the store's thread has failed");
                self.inner.lose("what writes it has failed; start sunmill anew when the machine stands");
            }
        }
    }
}

/// Reads all of a large file while it is in use already.
fn check_beside(path: PathBuf, options: &StoreOptions, shared: Arc<Shared>) -> Result<(), StoreError> {
    let busy = options.busy_timeout;
    let failed = |path: PathBuf, error| StoreError::File { path, error };
    let checked = path.clone();
    let check = move || {
        if let Some(why) = open::damage_beside(&checked, busy) {
            tracing::error!(why, "the store is damaged");
            let path = checked.display();
            shared.damaged(format!("{path} is damaged ({why}): it will be set aside at the next start of sunmill"));
        }
    };
    thread::Builder::new().name("store-check".to_owned()).spawn(check).map_err(|error| failed(path, error))?;
    Ok(())
}

impl Inner {
    /// A row is not taken: everybody is told, and the audit counts it when it can.
    fn lose(&self, why: &str) {
        self.shared.lost.fetch_add(1, Ordering::Relaxed);
        self.shared.tell(Some(format!("entries of {} are lost: {why}", self.path.display())));
    }

    fn was_closed(&self) -> bool {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // An error says that the thread has ended.
            let _ = self.jobs.send(Job::Close);
            if thread.join().is_err() {
                tracing::error!("the store's thread has failed");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;
    use crate::model::audit::{Asker, AuditKind};
    use crate::store::now_ms;

    /// A store whose thread does nothing, with room for one job.
    fn idle() -> (Store, Receiver<Job>) {
        let (jobs, inbox) = sync_channel(1);
        let inner = Inner {
            path: "sunmill.db".into(),
            options: StoreOptions::default(),
            jobs,
            shared: Arc::new(Shared::new()),
            thread: Mutex::new(Some(thread::spawn(|| ()))),
        };
        (Store { inner: Arc::new(inner) }, inbox)
    }

    fn row() -> AuditRow {
        let text = String::new;
        AuditRow {
            at_ms: now_ms(),
            kind: AuditKind::Mdi,
            who: text(),
            by: Asker::default(),
            what: text(),
            outcome: text(),
            took_ms: None,
        }
    }

    fn said(store: &Store) -> String {
        store.trouble().borrow().clone().unwrap_or_default()
    }

    #[test]
    fn a_full_queue_loses_no_position_and_says_what_it_loses() {
        let (store, inbox) = idle();
        store.audit(row());
        assert_eq!(said(&store), "");
        store.clean_reports();
        assert_eq!(said(&store), "", "a cache is no loss");
        store.checkpoint(Checkpoint { acked_line: 5, ..Checkpoint::default() });
        assert_eq!(store.inner.shared.checkpoint.lock().unwrap().as_ref().unwrap().acked_line, 5);
        store.audit(row());
        assert!(said(&store).contains("too slowly"), "{}", said(&store));
        assert_eq!(store.inner.shared.lost.load(Ordering::Relaxed), 1);
        drop(inbox);
    }

    #[test]
    fn a_thread_that_failed_is_said() {
        let (store, inbox) = idle();
        drop(inbox);
        store.audit(row());
        assert!(said(&store).contains("start sunmill anew"), "{}", said(&store));
    }
}
