//! The desk for programs: one task that lives beside the hub, asks threads to read and check files, and answers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::answers::{self, Reading};
use super::folders::{FileError, Folders, ProgramFile, Stamp};
use super::jobs::{Back, Jobs, Start};
use super::known::{self, KnownReports, Reports};
use super::lines::LineIndexes;
use super::outlines;
use super::setup::Setup;
use super::shelf::{Found, Shelf};
use super::task::Task;
use super::worker::{self, Told, Work};
use crate::model::Snapshot;
use crate::model::desk::{Answer, Query};
use crate::model::hub::Errand;
use crate::model::program::ask::{Analyses, Details, OutlineAsk};
use crate::model::program::{Job, JobState, OnLinkLoss, ProgramAnswer, ProgramQuery, Report};
use crate::store::Store;

/// Questions that may wait.
const WAITING: usize = 16;
/// Files that are read for answers at the same time.
const READING: usize = 4;
/// Who waits for checks at most; who has waited longest is forgotten first.
const ASKERS: usize = 64;
/// How often the progress of checks is told while any runs.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Where programs lie, and how they are checked.
#[derive(Clone, Debug)]
pub struct Library {
    /// Their folders.
    pub folders: Folders,
    /// How many files are checked at the same time.
    pub concurrent: usize,
    /// How long the spindle gets to come up to speed before a program goes on in its middle; the runner's.
    pub warm_up: Duration,
}

/// The doors of a desk that runs. It ends when nobody can ask it any more, or nobody looks at its jobs.
#[derive(Debug)]
pub struct ProgramDesk {
    /// For questions of [`Query::Program`].
    pub errands: mpsc::Sender<Errand>,
    /// For whoever runs programs.
    pub known: KnownReports,
    /// The checks, for the snapshot.
    pub jobs: watch::Receiver<Arc<Vec<Job>>>,
}

/// Work that checks a program.
pub trait Check: Work<Task = Task, Part = Arc<Report>, Found = Found> {}
impl<W: Work<Task = Task, Part = Arc<Report>, Found = Found>> Check for W {}

/// Starts a desk whose checks are made by `W`. Reports are kept in `store`, and the history is read from it. To be called in
/// the runtime.
pub fn start<W: Check>(
    library: Library,
    store: Option<Store>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
) -> ProgramDesk {
    let (errands, inbox) = mpsc::channel(WAITING);
    let (tell, told) = mpsc::channel(WAITING);
    let (opened, openings) = mpsc::channel(READING);
    let (published, jobs) = watch::channel(Arc::default());
    let (reports, reported) = watch::channel(Arc::default());
    let known = KnownReports::new(reported, snapshots.clone());
    let desk: Desk<W> = Desk {
        jobs: Jobs::new(library.concurrent),
        folders: library.folders,
        warm_up: library.warm_up,
        store,
        snapshots,
        tell,
        opened,
        published,
        reports,
        shelf: Shelf::default(),
        askers: Vec::new(),
        indexes: Arc::default(),
        reading: Arc::new(Semaphore::new(READING)),
    };
    tokio::spawn(desk.run(Inbox { errands: inbox, told, openings }));
    ProgramDesk { errands, known, jobs }
}

/// Somebody waits for a check.
struct Asker {
    job: u64,
    path: PathBuf,
    on_link_loss: Option<OnLinkLoss>,
    answer_to: mpsc::Sender<Answer>,
}

/// A file was opened for a question about it.
struct Opened {
    path: PathBuf,
    /// Its outline is asked for; else what its check found.
    outline: Option<OutlineAsk>,
    /// What was chosen to follow a lost link when it ran last.
    on_link_loss: Option<OnLinkLoss>,
    answer_to: mpsc::Sender<Answer>,
    result: Result<ProgramFile, FileError>,
}

struct Inbox<W: Check> {
    errands: mpsc::Receiver<Errand>,
    told: mpsc::Receiver<Told<W>>,
    openings: mpsc::Receiver<Opened>,
}

struct Desk<W: Check> {
    folders: Folders,
    warm_up: Duration,
    store: Option<Store>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    jobs: Jobs<Task, W>,
    tell: mpsc::Sender<Told<W>>,
    opened: mpsc::Sender<Opened>,
    published: watch::Sender<Arc<Vec<Job>>>,
    reports: watch::Sender<Reports>,
    shelf: Shelf,
    askers: Vec<Asker>,
    indexes: Arc<Mutex<LineIndexes>>,
    reading: Arc<Semaphore>,
}

impl<W: Check> Desk<W> {
    async fn run(mut self, mut inbox: Inbox<W>) {
        let mut tick = interval(TELL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let reading = Arc::clone(&self.reading);
        loop {
            tokio::select! {
                Some(told) = inbox.told.recv() => self.take_told(told),
                Some(opened) = inbox.openings.recv() => self.take_opened(opened),
                // The hub has ended.
                () = self.published.closed() => break,
                // Only as many as can be read at once; the others wait in the queue, which refuses when it is full.
                errand = next_errand(&mut inbox.errands, &reading) => match errand {
                    Some((errand, reading)) => self.take_errand(errand, reading),
                    None => break,
                },
                () = next_tick(&mut tick, self.jobs.running() > 0) => {}
            }
            self.start_jobs();
            self.publish();
        }
        self.jobs.end();
    }

    fn take_errand(&mut self, errand: Errand, reading: Reading) {
        let Errand { query, answer_to } = errand;
        let Query::Program(query) = query else {
            let _ = answer_to.try_send(Answer::Done(Err("the desk for programs knows nothing else".to_owned())));
            return;
        };
        let done = |result: Result<(), String>| Answer::Done(result.map(|()| String::new()));
        let answer = match query {
            ProgramQuery::Details(path) => return self.open(path, None, answer_to, reading),
            ProgramQuery::Outline { path, ask } => return self.open(path, Some(ask), answer_to, reading),
            ProgramQuery::PauseJob(id) => done(self.jobs.pause(id)),
            ProgramQuery::ResumeJob(id) => done(self.jobs.resume(id)),
            ProgramQuery::StopJob(id) => done(self.jobs.stop(id)),
            ProgramQuery::CleanAnalyses => self.clean(),
            query => {
                let asks_for_all = query == ProgramQuery::Analyses;
                let analyses = if asks_for_all { self.analyses() } else { Analyses::default() };
                let source = answers::Source {
                    analyses,
                    folders: self.folders.clone(),
                    store: self.store.clone(),
                    indexes: Arc::clone(&self.indexes),
                    snapshot: Arc::clone(&self.snapshots.borrow()),
                    warm_up: self.warm_up,
                };
                return answers::start(source, query, answer_to, reading);
            }
        };
        let _ = answer_to.try_send(answer);
        self.tell_those_who_wait_in_vain();
    }

    /// As they stand now; what is kept of them is read elsewhere.
    fn analyses(&self) -> Analyses {
        Analyses { jobs: self.jobs.list(), concurrent: self.jobs.places(), kept: None }
    }

    fn clean(&mut self) -> Answer {
        self.shelf.clear();
        self.reports.send_replace(Reports::default());
        self.jobs.forget_ended();
        if let Some(store) = &self.store {
            store.clean_reports();
        }
        Answer::Done(Ok("all kept checks are thrown away; each file is checked anew when it is looked at".to_owned()))
    }

    fn open(&self, path: PathBuf, outline: Option<OutlineAsk>, answer_to: mpsc::Sender<Answer>, reading: Reading) {
        let (folders, opened) = (self.folders.clone(), self.opened.clone());
        let history = self.store.as_ref().filter(|_| outline.is_none()).map(Store::reader);
        tokio::task::spawn_blocking(move || {
            let result = folders.open(&path);
            let on_link_loss = result.as_ref().ok().and_then(|file| history?.on_link_loss(&file.path));
            // Nobody listens: the hub has ended.
            let _ = opened.blocking_send(Opened { path, outline, on_link_loss, answer_to, result });
            drop(reading);
        });
    }

    fn take_opened(&mut self, opened: Opened) {
        if let Some(ask) = opened.outline {
            return self.answer_outline(ask, opened);
        }
        let Opened { path, on_link_loss, answer_to, result, .. } = opened;
        let program = match result {
            Ok(program) => program,
            Err(why) => return answer_details(&answer_to, path, Err(why.to_string())),
        };
        let bytes = program.stamp.bytes;
        let task = self.task(program.path, program.stamp);
        let found = self.shelf.get(&task);
        if let Some(found) = &found {
            let details = answers::details(found, on_link_loss, &self.snapshots.borrow());
            answer_details(&answer_to, path.clone(), Ok(details));
            if found.path.is_some() {
                return;
            }
        }
        // The report may be there already, and the tool path is to come.
        let (job, state) = self.jobs.ask(&task, path.clone(), bytes);
        match refused(&state) {
            Some(why) if found.is_none() => answer_details(&answer_to, path, Err(why)),
            Some(_) => {}
            None => self.wait_for(Asker { job, path, on_link_loss, answer_to }),
        }
    }

    /// From what is known of the file; its check is asked for by whoever looks at it.
    fn answer_outline(&mut self, ask: OutlineAsk, opened: Opened) {
        let Opened { path, answer_to, result, .. } = opened;
        let found = result.map_err(|why| why.to_string()).and_then(|program| {
            let task = self.task(program.path, program.stamp);
            self.shelf.get(&task).ok_or_else(|| "its check has not come to its end: wait for it".to_owned())
        });
        let snapshot = Arc::clone(&self.snapshots.borrow());
        tokio::task::spawn_blocking(move || {
            let result = found.and_then(|found| outlines::plan(&found, ask, &snapshot));
            // A client that has gone has no use for it.
            let _ = answer_to.try_send(Answer::Program(ProgramAnswer::Outline { path, ask, result }));
        });
    }

    fn wait_for(&mut self, asker: Asker) {
        // Who asks again waits once.
        self.askers.retain(|other| !(other.job == asker.job && other.answer_to.same_channel(&asker.answer_to)));
        if self.askers.len() >= ASKERS {
            self.askers.remove(0);
        }
        self.askers.push(asker);
    }

    fn task(&self, path: PathBuf, stamp: Stamp) -> Task {
        let setup = Arc::new(Setup::of(&self.snapshots.borrow()));
        Task { path, stamp, setup, folders: self.folders.clone(), store: self.store.clone() }
    }

    fn take_told(&mut self, told: Told<W>) {
        match told {
            Told::Part(id, report) => {
                if let Some(task) = self.jobs.task(id).cloned() {
                    let found = Found { report, path: None };
                    self.answer_all(id, &found);
                    self.put(task, found);
                }
            }
            Told::Back(id, back, found) => {
                let task = self.jobs.come_back(id, back);
                if let (Some(task), Some(found)) = (task, found) {
                    self.answer_all(id, &found);
                    self.put(task, found);
                    self.askers.retain(|asker| asker.job != id);
                }
                self.tell_those_who_wait_in_vain();
            }
        }
    }

    fn put(&mut self, task: Task, found: Found) {
        self.shelf.put(task, found);
        self.reports.send_replace(known::reports(self.shelf.reports()));
    }

    fn answer_all(&self, job: u64, found: &Found) {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        for asker in self.askers.iter().filter(|asker| asker.job == job) {
            let details = answers::details(found, asker.on_link_loss, &snapshot);
            answer_details(&asker.answer_to, asker.path.clone(), Ok(details));
        }
    }

    /// Answers those whose check will not come to an end by itself.
    fn tell_those_who_wait_in_vain(&mut self) {
        let jobs = self.jobs.list();
        self.askers.retain(|asker| {
            let job = jobs.iter().find(|job| job.id == asker.job);
            let why = match job {
                Some(job) => refused(&job.state),
                None => Some("so much was asked for since that its check was given up; look at it again".to_owned()),
            };
            if let Some(why) = &why {
                answer_details(&asker.answer_to, asker.path.clone(), Err(why.clone()));
            }
            why.is_none()
        });
    }

    fn start_jobs(&mut self) {
        while let Some(start) = self.jobs.start_next() {
            let Start { id, .. } = start;
            if let Err(why) = worker::start(start, self.tell.clone()) {
                let why = format!("the check cannot be started: {why}");
                self.take_told(Told::Back(id, Back::Failed(why), None));
            }
        }
    }

    fn publish(&self) {
        let jobs = self.jobs.list();
        self.published.send_if_modified(|shown| {
            let news = **shown != jobs;
            if news {
                *shown = Arc::new(jobs);
            }
            news
        });
    }
}

/// Why no report comes; `None`: one does.
fn refused(state: &JobState) -> Option<String> {
    match state {
        JobState::Paused => Some("its check is paused; resume it to see more".to_owned()),
        JobState::Stopped => Some("its check was stopped; resume it to see more".to_owned()),
        JobState::Failed(why) => Some(why.clone()),
        JobState::Waiting | JobState::Running | JobState::Done => None,
    }
}

fn answer_details(to: &mpsc::Sender<Answer>, path: PathBuf, result: Result<Arc<Details>, String>) {
    // A client that has gone, or that does not read, has no use for it.
    let _ = to.try_send(Answer::Program(ProgramAnswer::Details { path, result }));
}

async fn next_errand(inbox: &mut mpsc::Receiver<Errand>, reading: &Arc<Semaphore>) -> Option<(Errand, Reading)> {
    let place = Arc::clone(reading).acquire_owned().await.ok()?;
    Some((inbox.recv().await?, place))
}

/// Never comes while nothing runs: an idle second costs nothing.
async fn next_tick(tick: &mut Interval, wanted: bool) {
    if wanted {
        tick.tick().await;
    } else {
        std::future::pending::<()>().await;
    }
}
