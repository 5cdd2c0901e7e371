//! Which background work runs, waits, is paused or stopped: a table without threads. The newest request goes first.
//!
//! Work is done in steps, so that one that runs can be asked to let go: it is then paused, stopped, or waits with what it
//! has until a place is free again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::model::program::{Job, JobState};

/// Most jobs that wait; the one asked for longest ago is forgotten first.
const MAX_WAITING: usize = 16;
/// Most jobs that do not run and keep what they have so far; others begin anew.
const MAX_BEGUN: usize = 2;
/// Most jobs of a kind that are over and still listed.
const MAX_ENDED: usize = 16;

/// The rope by which a running job is held: seen by its thread, pulled by the table.
#[derive(Debug, Default)]
pub struct Rope {
    let_go: AtomicBool,
    done_bytes: AtomicU64,
    errors: AtomicU64,
}

impl Rope {
    /// The job is to give its place back after its step.
    pub fn is_to_let_go(&self) -> bool {
        self.let_go.load(Ordering::Relaxed)
    }

    /// The job has come so far.
    pub fn progress(&self, done_bytes: u64, errors: u64) {
        self.done_bytes.store(done_bytes, Ordering::Relaxed);
        self.errors.store(errors, Ordering::Relaxed);
    }
}

/// A job that is to run now.
#[derive(Debug)]
pub struct Start<T, W> {
    /// Its number.
    pub id: u64,
    /// What is to be done.
    pub task: T,
    /// What it had when it let go; `None`: it begins.
    pub work: Option<W>,
    /// Its rope.
    pub rope: Arc<Rope>,
}

/// Why a job came back.
#[derive(Debug)]
pub enum Back<W> {
    /// It was to let go, and can be taken up again.
    LetGo(W),
    /// It is done.
    Done,
    /// It cannot be done.
    Failed(String),
}

#[derive(Debug)]
enum Stage<W> {
    Waiting(Option<W>),
    Running(Arc<Rope>, Then),
    Paused(Option<W>),
    Stopped,
    Done,
    Failed(String),
}

/// What is to become of a running job when it lets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It goes on; nobody wants it to let go.
    GoOn,
    Wait,
    Pause,
    Stop,
}

#[derive(Debug)]
struct Entry<T, W> {
    id: u64,
    task: T,
    path: PathBuf,
    total_bytes: u64,
    done_bytes: u64,
    errors: u64,
    /// When it was last asked for, in order.
    asked: u64,
    stage: Stage<W>,
}

/// All jobs: `T` says what is to be done, `W` is the work in hand.
#[derive(Debug)]
pub struct Jobs<T, W> {
    places: usize,
    table: Vec<Entry<T, W>>,
    next_id: u64,
    next_ask: u64,
}

impl<T: Clone + PartialEq, W> Jobs<T, W> {
    /// At most `places` run at the same time.
    pub fn new(places: usize) -> Self {
        Self { places: places.max(1), table: Vec::new(), next_id: 1, next_ask: 1 }
    }

    /// Somebody wants this. It is begun unless it is under way, paused or stopped; gives its number and how it stands.
    pub fn ask(&mut self, task: &T, path: PathBuf, total_bytes: u64) -> (u64, JobState) {
        let asked = self.next_ask;
        self.next_ask += 1;
        let at = match self.table.iter().position(|job| job.task == *task) {
            Some(at) => at,
            None => {
                let id = self.next_id;
                self.next_id += 1;
                let (task, stage) = (task.clone(), Stage::Waiting(None));
                self.table.push(Entry { id, task, path, total_bytes, done_bytes: 0, errors: 0, asked, stage });
                self.table.len() - 1
            }
        };
        let job = &mut self.table[at];
        job.asked = asked;
        if matches!(job.stage, Stage::Done | Stage::Failed(_)) {
            job.begin_anew();
        }
        let (id, state) = (job.id, job.state());
        self.tidy();
        self.make_room();
        (id, state)
    }

    /// How a job for this task stands, without asking for it: its state, bytes read, errors found.
    pub fn find(&self, task: &T) -> Option<Job> {
        self.table.iter().find(|job| job.task == *task).map(Entry::told)
    }

    /// What job `id` is about.
    pub fn task(&self, id: u64) -> Option<&T> {
        self.table.iter().find(|job| job.id == id).map(|job| &job.task)
    }

    /// The job that is to run now, if a place is free.
    pub fn start_next(&mut self) -> Option<Start<T, W>> {
        if self.running() >= self.places {
            return None;
        }
        let waiting = self.table.iter_mut().filter(|job| matches!(job.stage, Stage::Waiting(_)));
        let job = waiting.max_by_key(|job| job.asked)?;
        let rope = Arc::new(Rope::default());
        rope.progress(job.done_bytes, job.errors);
        let Stage::Waiting(work) = std::mem::replace(&mut job.stage, Stage::Running(Arc::clone(&rope), Then::GoOn))
        else {
            return None;
        };
        Some(Start { id: job.id, task: job.task.clone(), work, rope })
    }

    /// A job that ran has come back. Gives its task where it is done.
    pub fn come_back(&mut self, id: u64, back: Back<W>) -> Option<T> {
        let job = self.table.iter_mut().find(|job| job.id == id)?;
        let Stage::Running(rope, then) = &job.stage else { return None };
        let then = *then;
        job.done_bytes = rope.done_bytes.load(Ordering::Relaxed);
        job.errors = rope.errors.load(Ordering::Relaxed);
        job.stage = match (back, then) {
            (Back::Done, _) => Stage::Done,
            (Back::Failed(why), _) => Stage::Failed(why),
            (Back::LetGo(_), Then::Stop) => Stage::Stopped,
            (Back::LetGo(work), Then::Pause) => Stage::Paused(Some(work)),
            (Back::LetGo(work), Then::Wait | Then::GoOn) => Stage::Waiting(Some(work)),
        };
        let done = matches!(job.stage, Stage::Done).then(|| job.task.clone());
        self.tidy();
        done
    }

    /// Pauses a job that runs or waits.
    ///
    /// # Errors
    /// There is none of that number, or it is over.
    pub fn pause(&mut self, id: u64) -> Result<(), String> {
        let job = self.job(id)?;
        match &mut job.stage {
            Stage::Running(rope, then) if *then != Then::Stop => {
                *then = Then::Pause;
                rope.let_go.store(true, Ordering::Relaxed);
            }
            Stage::Waiting(work) => job.stage = Stage::Paused(work.take()),
            Stage::Paused(_) => {}
            _ => return Err(job.cannot("paused")),
        }
        self.tidy();
        Ok(())
    }

    /// Goes on with a paused job, or begins a stopped one anew. It goes before all that were asked for earlier.
    ///
    /// # Errors
    /// There is none of that number, or it is neither.
    pub fn resume(&mut self, id: u64) -> Result<(), String> {
        let asked = self.next_ask;
        let job = self.job(id)?;
        match &mut job.stage {
            // It has not let go yet.
            Stage::Running(_, then @ (Then::Pause | Then::Stop)) => *then = Then::Wait,
            Stage::Paused(work) => job.stage = Stage::Waiting(work.take()),
            Stage::Stopped => job.begin_anew(),
            _ => return Err(job.cannot("resumed")),
        }
        job.asked = asked;
        self.next_ask += 1;
        self.tidy();
        self.make_room();
        Ok(())
    }

    /// Stops a job for good: it is begun again by [`resume`](Self::resume) only.
    ///
    /// # Errors
    /// There is none of that number, or it is over.
    pub fn stop(&mut self, id: u64) -> Result<(), String> {
        let job = self.job(id)?;
        match &mut job.stage {
            Stage::Running(rope, then) => {
                *then = Then::Stop;
                rope.let_go.store(true, Ordering::Relaxed);
            }
            Stage::Waiting(_) | Stage::Paused(_) => job.stage = Stage::Stopped,
            Stage::Stopped => {}
            Stage::Done | Stage::Failed(_) => return Err(job.cannot("stopped")),
        }
        self.tidy();
        Ok(())
    }

    /// All that run let go, and none starts any more.
    pub fn end(&mut self) {
        self.places = 0;
        for job in &self.table {
            if let Stage::Running(rope, _) = &job.stage {
                rope.let_go.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Forgets the jobs that are done, and why others failed. What was stopped stays so.
    pub fn forget_ended(&mut self) {
        self.table.retain(|job| !matches!(job.stage, Stage::Done | Stage::Failed(_)));
    }

    /// How many run at the same time at most.
    pub const fn places(&self) -> usize {
        self.places
    }

    /// Jobs that hold a place.
    pub fn running(&self) -> usize {
        self.table.iter().filter(|job| matches!(job.stage, Stage::Running(..))).count()
    }

    /// As they stand, the one asked for last first.
    pub fn list(&self) -> Vec<Job> {
        let mut jobs: Vec<&Entry<T, W>> = self.table.iter().collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.asked));
        jobs.into_iter().map(Entry::told).collect()
    }

    fn job(&mut self, id: u64) -> Result<&mut Entry<T, W>, String> {
        let found = self.table.iter_mut().find(|job| job.id == id);
        found.ok_or_else(|| "that check is not in the list any more".to_owned())
    }

    /// Lets the job that was asked for longest ago give up its place for one that waits.
    fn make_room(&mut self) {
        let newest = self.table.iter().filter(|job| matches!(job.stage, Stage::Waiting(_))).map(|job| job.asked).max();
        let letting_go = |job: &Entry<T, W>| matches!(&job.stage, Stage::Running(rope, _) if rope.is_to_let_go());
        if self.running() < self.places || self.table.iter().any(letting_go) {
            return;
        }
        let oldest = self.table.iter_mut().filter(|job| matches!(job.stage, Stage::Running(..)));
        let Some(oldest) = oldest.min_by_key(|job| job.asked) else { return };
        if let (Stage::Running(rope, then), true) = (&mut oldest.stage, Some(oldest.asked) < newest) {
            *then = Then::Wait;
            rope.let_go.store(true, Ordering::Relaxed);
        }
    }

    /// Keeps the table within its bounds.
    fn tidy(&mut self) {
        self.keep_newest(MAX_WAITING, |stage| matches!(stage, Stage::Waiting(_)));
        self.keep_newest(MAX_ENDED, |stage| matches!(stage, Stage::Done | Stage::Failed(_)));
        self.keep_newest(MAX_ENDED, |stage| matches!(stage, Stage::Stopped));
        self.keep_newest(MAX_ENDED, |stage| matches!(stage, Stage::Paused(_)));
        let mut begun: Vec<&mut Entry<T, W>> = self.table.iter_mut().filter(|job| job.is_begun()).collect();
        begun.sort_by_key(|job| std::cmp::Reverse(job.asked));
        for job in begun.into_iter().skip(MAX_BEGUN) {
            if let Stage::Waiting(work) | Stage::Paused(work) = &mut job.stage {
                *work = None;
                (job.done_bytes, job.errors) = (0, 0);
            }
        }
    }

    fn keep_newest(&mut self, most: usize, kind: impl Fn(&Stage<W>) -> bool) {
        while self.table.iter().filter(|job| kind(&job.stage)).count() > most {
            let oldest = self.table.iter().enumerate().filter(|(_, job)| kind(&job.stage)).min_by_key(|(_, j)| j.asked);
            let Some((at, _)) = oldest else { return };
            self.table.remove(at);
        }
    }
}

impl<T, W> Entry<T, W> {
    const fn is_begun(&self) -> bool {
        matches!(self.stage, Stage::Waiting(Some(_)) | Stage::Paused(Some(_)))
    }

    fn begin_anew(&mut self) {
        self.stage = Stage::Waiting(None);
        (self.done_bytes, self.errors) = (0, 0);
    }

    /// As others see it: what it was told counts as done.
    fn state(&self) -> JobState {
        match &self.stage {
            Stage::Waiting(_) | Stage::Running(_, Then::Wait) => JobState::Waiting,
            Stage::Running(_, Then::GoOn) => JobState::Running,
            Stage::Paused(_) | Stage::Running(_, Then::Pause) => JobState::Paused,
            Stage::Stopped | Stage::Running(_, Then::Stop) => JobState::Stopped,
            Stage::Done => JobState::Done,
            Stage::Failed(why) => JobState::Failed(why.clone()),
        }
    }

    fn told(&self) -> Job {
        let (done_bytes, errors) = match &self.stage {
            Stage::Running(rope, _) => (rope.done_bytes.load(Ordering::Relaxed), rope.errors.load(Ordering::Relaxed)),
            _ => (self.done_bytes, self.errors),
        };
        let (id, path, total_bytes) = (self.id, self.path.clone(), self.total_bytes);
        Job { id, path, state: self.state(), done_bytes, total_bytes, errors }
    }

    fn cannot(&self, verb: &str) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let how = match &self.stage {
            Stage::Done => "done".to_owned(),
            Stage::Failed(why) => format!("over: {why}"),
            _ => "under way".to_owned(),
        };
        format!("the check of {name} cannot be {verb}: it is {how}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks are names; work in hand is how much of it is done.
    type Table = Jobs<&'static str, u32>;

    fn ask(table: &mut Table, task: &'static str) -> u64 {
        table.ask(&task, PathBuf::from(task), 100).0
    }

    fn started(table: &mut Table) -> &'static str {
        table.start_next().map_or("", |start| start.task)
    }

    fn state(table: &Table, id: u64) -> JobState {
        table.list().into_iter().find(|job| job.id == id).expect("a job").state
    }

    #[test]
    fn so_many_run_as_there_are_places_and_the_newest_request_goes_first() {
        let mut table = Table::new(2);
        let ids = ["a", "b", "c", "d"].map(|task| ask(&mut table, task));
        assert_eq!((started(&mut table), started(&mut table), started(&mut table)), ("d", "c", ""));
        assert_eq!(table.come_back(ids[3], Back::Done), Some("d"));
        assert_eq!(ask(&mut table, "a"), ids[0], "the same job, and now the newest");
        assert_eq!((started(&mut table), started(&mut table)), ("a", ""));
        let states: Vec<(u64, JobState)> = table.list().into_iter().map(|job| (job.id, job.state)).collect();
        assert_eq!(states.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [ids[0], ids[3], ids[2], ids[1]]);
        assert_eq!(states[1].1, JobState::Done);
        assert_eq!(states[3].1, JobState::Waiting);
    }

    #[test]
    fn a_newer_request_takes_the_place_of_the_oldest_which_goes_on_later() {
        let mut table = Table::new(2);
        let old = ask(&mut table, "old");
        let rope = table.start_next().unwrap().rope;
        ask(&mut table, "other");
        started(&mut table);
        let new = ask(&mut table, "new");
        assert!(rope.is_to_let_go());
        assert_eq!(started(&mut table), "", "not before it has let go");
        rope.progress(40, 1);
        table.come_back(old, Back::LetGo(40));
        assert_eq!(started(&mut table), "new");
        table.come_back(new, Back::Done);
        let again = table.start_next().unwrap();
        assert_eq!((again.task, again.work), ("old", Some(40)));
        let told = table.find(&"old").unwrap();
        assert_eq!((told.done_bytes, told.errors), (40, 1), "as far as it was");
    }

    #[test]
    fn only_one_gives_way_for_one_request() {
        let mut table = Table::new(2);
        ask(&mut table, "a");
        let a = table.start_next().unwrap().rope;
        ask(&mut table, "b");
        let b = table.start_next().unwrap().rope;
        for _ in 0..3 {
            ask(&mut table, "c");
        }
        assert!(a.is_to_let_go() && !b.is_to_let_go());
    }

    #[test]
    fn paused_work_keeps_what_it_has_and_holds_no_place() {
        let mut table = Table::new(1);
        let id = ask(&mut table, "a");
        let rope = table.start_next().unwrap().rope;
        table.pause(id).unwrap();
        assert!(rope.is_to_let_go());
        assert_eq!(state(&table, id), JobState::Paused);
        table.come_back(id, Back::LetGo(7));
        assert_eq!(table.ask(&"a", "a".into(), 100).1, JobState::Paused, "looking at it does not go on with it");
        ask(&mut table, "b");
        assert_eq!(started(&mut table), "b");
        table.resume(id).unwrap();
        let b = table.find(&"b").unwrap().id;
        table.come_back(b, Back::LetGo(1));
        assert_eq!(table.start_next().unwrap().work, Some(7));
    }

    #[test]
    fn what_is_stopped_stays_so_until_a_person_resumes_it() {
        let mut table = Table::new(1);
        let id = ask(&mut table, "a");
        started(&mut table);
        table.stop(id).unwrap();
        assert_eq!(state(&table, id), JobState::Stopped);
        table.come_back(id, Back::LetGo(7));
        for _ in 0..3 {
            assert_eq!(table.ask(&"a", "a".into(), 100), (id, JobState::Stopped));
        }
        assert_eq!(started(&mut table), "");
        assert!(table.pause(id).unwrap_err().contains("cannot be paused"));
        table.resume(id).unwrap();
        let again = table.start_next().unwrap();
        assert_eq!((again.task, again.work), ("a", None), "anew");
    }

    #[test]
    fn a_change_of_mind_before_it_has_let_go() {
        let mut table = Table::new(1);
        let id = ask(&mut table, "a");
        started(&mut table);
        table.pause(id).unwrap();
        table.resume(id).unwrap();
        table.come_back(id, Back::LetGo(3));
        assert_eq!(table.start_next().unwrap().work, Some(3));
        table.stop(id).unwrap();
        assert_eq!(table.come_back(id, Back::Done), Some("a"), "it was faster");
        assert_eq!(state(&table, id), JobState::Done);
    }

    #[test]
    fn what_is_over_begins_anew_when_it_is_asked_for_again() {
        let mut table = Table::new(1);
        let id = ask(&mut table, "a");
        started(&mut table);
        assert_eq!(table.come_back(id, Back::Failed("no disk".into())), None);
        assert_eq!(state(&table, id), JobState::Failed("no disk".into()));
        let said = table.stop(id).unwrap_err();
        assert_eq!(said, "the check of a cannot be stopped: it is over: no disk");
        assert_eq!(table.ask(&"a", "a".into(), 100), (id, JobState::Waiting));
        assert!(table.resume(99).is_err());
        assert_eq!(table.come_back(id, Back::Done), None, "nothing runs");
    }

    #[test]
    fn everything_is_bounded() {
        const NAMES: [&str; 40] = {
            let mut names = [""; 40];
            let all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
            let mut n = 0;
            while n < 40 {
                names[n] = all.split_at(n + 1).0;
                n += 1;
            }
            names
        };
        let mut table = Table::new(1);
        for task in NAMES {
            ask(&mut table, task);
        }
        assert_eq!(table.list().len(), MAX_WAITING);
        assert!(table.find(&NAMES[0]).is_none() && table.find(&NAMES[39]).is_some());
        for _ in 0..MAX_WAITING {
            let start = table.start_next().unwrap();
            table.pause(start.id).unwrap();
            table.come_back(start.id, Back::LetGo(1));
        }
        let begun = table.table.iter().filter(|job| job.is_begun()).count();
        assert_eq!((begun, table.list().len()), (MAX_BEGUN, MAX_WAITING));
        for task in NAMES {
            let id = ask(&mut table, task);
            if table.start_next().is_some() {
                table.come_back(id, Back::Done);
            }
        }
        let ended = table.list().into_iter().filter(|job| job.state == JobState::Done).count();
        assert_eq!(ended, MAX_ENDED);
        table.forget_ended();
        assert!(table.list().iter().all(|job| job.state == JobState::Paused));
    }

    #[test]
    fn at_the_end_all_let_go_and_none_starts() {
        let mut table = Table::new(1);
        ask(&mut table, "a");
        let rope = table.start_next().unwrap().rope;
        ask(&mut table, "b");
        table.end();
        assert!(rope.is_to_let_go());
        table.come_back(1, Back::LetGo(0));
        assert_eq!(started(&mut table), "");
    }
}
