//! A thread for each job that runs: below everything else in priority, gone when the job has ended or let go.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::mpsc;

use super::jobs::{Back, Rope, Start};

/// How much less a check is to get of a processor than what runs the machine.
const NICENESS: i32 = 10;

/// Work that is done in short steps.
pub trait Work: Sized + Send + 'static {
    /// What is to be done.
    type Task: Send + 'static;
    /// What is known early.
    type Part: Send + 'static;
    /// What is known at the end.
    type Found: Send + 'static;

    /// Begins it.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn begin(task: Self::Task) -> Result<Self, String>;

    /// Does some more of it: as much as a person does not notice. Errors end it.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn step(&mut self, rope: &Rope) -> Result<Step<Self>, String>;
}

/// What a step brought.
#[derive(Debug)]
pub enum Step<W: Work> {
    /// There is more to do.
    More,
    /// There is more to do, and this is known already.
    Part(W::Part),
    /// It is done.
    Done(W::Found),
}

/// What a thread tells.
#[derive(Debug)]
pub enum Told<W: Work> {
    /// Something is known early.
    Part(u64, W::Part),
    /// The job has ended or let go; what it found where it is done.
    Back(u64, Back<W>, Option<W::Found>),
}

/// Starts the thread of a job. What it tells last is [`Told::Back`], whatever happens.
///
/// # Errors
/// The system has no thread left.
pub fn start<W: Work>(start: Start<W::Task, W>, tell: mpsc::Sender<Told<W>>) -> io::Result<()> {
    std::thread::Builder::new().name(format!("check-{}", start.id)).spawn(move || {
        // Of this thread only; where it is not allowed it is as important as the others.
        let _ = rustix::process::nice(NICENESS);
        let id = start.id;
        let outcome = catch_unwind(AssertUnwindSafe(|| run(start, &tell)));
        let (back, found) = match outcome {
            Ok(Ok((back, found))) => (back, found),
            Ok(Err(why)) => (Back::Failed(why), None),
            Err(_) => (Back::Failed("the check failed inside sunmill; see the log".to_owned()), None),
        };
        // Nobody listens: the hub has ended.
        let _ = tell.blocking_send(Told::Back(id, back, found));
    })?;
    Ok(())
}

type Ended<W> = (Back<W>, Option<<W as Work>::Found>);

fn run<W: Work>(start: Start<W::Task, W>, tell: &mpsc::Sender<Told<W>>) -> Result<Ended<W>, String> {
    let Start { id, task, work, rope } = start;
    let mut work = match work {
        Some(work) => work,
        None => W::begin(task)?,
    };
    loop {
        if rope.is_to_let_go() {
            return Ok((Back::LetGo(work), None));
        }
        match work.step(&rope)? {
            Step::More => {}
            Step::Part(part) => {
                let _ = tell.blocking_send(Told::Part(id, part));
            }
            Step::Done(found) => return Ok((Back::Done, Some(found))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::jobs::Jobs;
    use super::*;
    use crate::model::program::JobState;

    /// Counts up to its task.
    #[derive(Debug)]
    struct Count {
        now: u64,
        until: u64,
    }

    impl Work for Count {
        type Task = u64;
        type Part = u64;
        type Found = String;

        fn begin(until: u64) -> Result<Self, String> {
            if until == 13 { Err("an unlucky number".to_owned()) } else { Ok(Self { now: 0, until }) }
        }

        fn step(&mut self, rope: &Rope) -> Result<Step<Self>, String> {
            assert!(self.until != 666, "a mistake in the work");
            self.now += 1;
            rope.progress(self.now, 0);
            Ok(match self.now {
                now if now == self.until => Step::Done(format!("{now}!")),
                1 => Step::Part(1),
                _ => Step::More,
            })
        }
    }

    #[tokio::test]
    async fn work_tells_early_parts_and_its_end() {
        let (tell, mut told) = mpsc::channel(8);
        let rope = Arc::new(Rope::default());
        start::<Count>(Start { id: 5, task: 3, work: None, rope }, tell).unwrap();
        assert!(matches!(told.recv().await, Some(Told::Part(5, 1))));
        let Some(Told::Back(5, Back::Done, Some(found))) = told.recv().await else { panic!("not done") };
        assert_eq!(found, "3!");
        assert!(told.recv().await.is_none(), "the thread is gone");
    }

    #[tokio::test]
    async fn work_that_cannot_begin_or_breaks_gives_its_place_back() {
        for (task, words) in [(13, "unlucky"), (666, "see the log")] {
            let (tell, mut told) = mpsc::channel(8);
            let rope = Arc::new(Rope::default());
            start::<Count>(Start { id: 1, task, work: None, rope }, tell).unwrap();
            let Some(Told::Back(1, Back::Failed(why), None)) = told.recv().await else { panic!("not failed") };
            assert!(why.contains(words), "{why}");
        }
    }

    #[tokio::test]
    async fn a_thread_lets_go_after_its_step_and_goes_on_where_it_was() {
        let (tell, mut told) = mpsc::channel(8);
        let mut jobs: Jobs<u64, Count> = Jobs::new(1);
        let (id, _) = jobs.ask(&u64::MAX, "endless".into(), 0);
        start(jobs.start_next().unwrap(), tell.clone()).unwrap();
        assert!(matches!(told.recv().await, Some(Told::Part(..))));
        jobs.pause(id).unwrap();
        let Some(Told::Back(_, back, None)) = told.recv().await else { panic!("it did not let go") };
        jobs.come_back(id, back);
        let so_far = jobs.list()[0].done_bytes;
        assert!(so_far >= 1 && jobs.list()[0].state == JobState::Paused);
        jobs.resume(id).unwrap();
        let mut again = jobs.start_next().unwrap();
        if let Some(work) = &mut again.work {
            work.until = so_far + 5;
        }
        start(again, tell).unwrap();
        let Some(Told::Back(_, Back::Done, Some(found))) = told.recv().await else { panic!("not done") };
        assert_eq!(found, format!("{}!", so_far + 5));
    }
}
