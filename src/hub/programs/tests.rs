//! The desk with checks that do as they are told by the name of the file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::desk::{self, Library, ProgramDesk};
use super::folders::{Folder, Folders};
use super::jobs::Rope;
use super::shelf::Found;
use super::task::Task;
use super::worker::{Step, Work};
use crate::model::Snapshot;
use crate::model::desk::{Answer, Query};
use crate::model::hub::Errand;
use crate::model::program::ask::Details;
use crate::model::program::report::{FileUnits, Times};
use crate::model::program::{ContentHash, JobState, ProgramAnswer, ProgramQuery, Report};
use crate::store::Store;

/// Checks nothing: `endless…` never ends, `bad…` fails, all others have as many lines as bytes.
#[derive(Debug)]
struct Fake {
    task: Task,
    report: Option<Report>,
}

impl Work for Fake {
    type Task = Task;
    type Part = Arc<Report>;
    type Found = Found;

    fn begin(task: Task) -> Result<Self, String> {
        Ok(Self { task, report: None })
    }

    fn step(&mut self, rope: &Rope) -> Result<Step<Self>, String> {
        let name = self.task.path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("endless") {
            rope.progress(7, 0);
            std::thread::yield_now();
            return Ok(Step::More);
        }
        if name.starts_with("bad") {
            return Err(format!("{name} is bad"));
        }
        if let Some(report) = self.report.take() {
            return Ok(Step::Done(Found { report: Arc::new(report), path: Some(Arc::default()) }));
        }
        let mut program = self.task.folders.open(&self.task.path).map_err(|why| why.to_string())?;
        let mut text = Vec::new();
        program.file.read_to_end(&mut text).map_err(|why| why.to_string())?;
        let hash = hash_of(&text);
        let made = report(hash, program.stamp.bytes);
        if let Some(kept) = self.task.kept_report(hash) {
            self.report = Some(made);
            return Ok(Step::Part(Arc::new(kept)));
        }
        self.task.keep_report(&made);
        self.report = Some(made);
        Ok(Step::More)
    }
}

fn hash_of(text: &[u8]) -> ContentHash {
    ContentHash(*blake3::hash(text).as_bytes())
}

fn report(hash: ContentHash, bytes: u64) -> Report {
    Report {
        hash,
        bytes,
        lines: bytes,
        blocks: 0,
        problems: Vec::new(),
        errors: 0,
        warnings: 0,
        reach: Vec::new(),
        units: FileUnits::Mm,
        cut_mm: 0.0,
        rapid_mm: 0.0,
        times: Times::default(),
        spindle_on: Times::default(),
        feed_mm_min: None,
        spindle_rpm: None,
        systems: Vec::new(),
        tools: Vec::new(),
        waits: Vec::new(),
        timeline: Arc::default(),
        course: Arc::default(),
    }
}

struct Scene {
    top: tempfile::TempDir,
    desk: ProgramDesk,
    answers: mpsc::Receiver<Answer>,
    answer_to: mpsc::Sender<Answer>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

impl Scene {
    fn new(store: Option<Store>) -> Self {
        let top = tempfile::tempdir().unwrap();
        let folders = Folders::new(vec![Folder { name: "programs".into(), path: top.path().to_owned() }]);
        let (snapshots, watched) = watch::channel(Arc::default());
        let desk = desk::start::<Fake>(Library { folders, concurrent: 2, warm_up: Duration::ZERO }, store, watched);
        let (answer_to, answers) = mpsc::channel(64);
        Self { top, desk, answers, answer_to, snapshots }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.top.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn ask(&self, query: ProgramQuery) {
        let errand = Errand { query: Query::Program(query), answer_to: self.answer_to.clone() };
        self.desk.errands.send(errand).await.unwrap();
    }

    async fn answer(&mut self) -> Answer {
        self.answers.recv().await.unwrap()
    }

    /// The next answer, which must be about this file's details.
    async fn details(&mut self, path: &Path) -> Result<Arc<Details>, String> {
        match self.answer().await {
            Answer::Program(ProgramAnswer::Details { path: of, result }) if of == path => result,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the jobs are as wanted.
    async fn jobs(&mut self, wanted: impl Fn(&[(String, JobState)]) -> bool) -> Vec<u64> {
        let states = |jobs: &Arc<Vec<crate::model::program::Job>>| {
            let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
            jobs.iter().map(|job| (name(&job.path), job.state.clone())).collect::<Vec<_>>()
        };
        let jobs = self.desk.jobs.wait_for(|jobs| wanted(&states(jobs))).await.unwrap();
        jobs.iter().map(|job| job.id).collect()
    }
}

#[tokio::test]
async fn details_come_when_the_check_is_done_and_at_once_the_next_time() {
    let mut scene = Scene::new(None);
    let path = scene.write("a.nc", "G21\n");
    for _ in 0..2 {
        scene.ask(ProgramQuery::Details(path.clone())).await;
        let details = scene.details(&path).await.unwrap();
        assert_eq!((details.report.lines, details.path.is_some()), (4, true));
        assert_eq!(details.problems[0].kind, "link-down", "what the machine as it stands adds");
    }
    scene.jobs(|jobs| jobs == [("a.nc".to_owned(), JobState::Done)]).await;
}

#[tokio::test]
async fn all_checks_are_told_with_what_is_kept_of_them() {
    let place = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&place.path().join("store.db")).unwrap();
    for store in [None, Some(store)] {
        let is_kept = store.is_some();
        let mut scene = Scene::new(store.clone());
        let (short, endless) = (scene.write("a.nc", "G21\n"), scene.write("endless.nc", "G21\n"));
        scene.ask(ProgramQuery::Details(short.clone())).await;
        scene.details(&short).await.unwrap();
        scene.ask(ProgramQuery::Details(endless)).await;
        let runs = |(name, state): &(String, JobState)| name == "endless.nc" && *state == JobState::Running;
        scene.jobs(|jobs| jobs.iter().any(runs) && jobs.iter().any(|(_, state)| *state == JobState::Done)).await;
        if let Some(store) = &store {
            store.flush().unwrap();
        }
        scene.ask(ProgramQuery::Analyses).await;
        let Answer::Program(ProgramAnswer::Analyses(told)) = scene.answer().await else { panic!() };
        let states: Vec<_> = told.jobs.iter().map(|job| job.state.clone()).collect();
        assert!(states.len() == 2 && states.contains(&JobState::Running) && states.contains(&JobState::Done));
        assert_eq!((told.concurrent, told.kept.is_some()), (2, is_kept));
    }
}

#[tokio::test]
async fn another_content_is_another_check() {
    let mut scene = Scene::new(None);
    let path = scene.write("a.nc", "G21\n");
    scene.ask(ProgramQuery::Details(path.clone())).await;
    assert_eq!(scene.details(&path).await.unwrap().report.lines, 4);
    scene.write("a.nc", "G21\nG90\n");
    scene.ask(ProgramQuery::Details(path.clone())).await;
    assert_eq!(scene.details(&path).await.unwrap().report.lines, 8);
}

#[tokio::test]
async fn why_there_are_no_details_is_said() {
    let mut scene = Scene::new(None);
    for (path, words) in [
        (scene.write("bad.nc", ""), "bad.nc is bad"),
        (scene.top.path().join("none.nc"), "is not there"),
        (PathBuf::from("/etc/passwd"), "outside of the folders"),
    ] {
        scene.ask(ProgramQuery::Details(path.clone())).await;
        let why = scene.details(&path).await.unwrap_err();
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn a_stopped_check_stays_so_and_says_it() {
    let mut scene = Scene::new(None);
    let path = scene.write("endless.nc", "G21\n");
    scene.ask(ProgramQuery::Details(path.clone())).await;
    let id = scene.jobs(|jobs| jobs.iter().any(|(_, state)| *state == JobState::Running)).await[0];
    scene.ask(ProgramQuery::StopJob(id)).await;
    // Whoever waited is told, and who stopped it gets an answer.
    assert_eq!(scene.answer().await, Answer::Done(Ok(String::new())));
    assert!(scene.details(&path).await.unwrap_err().contains("was stopped"));
    scene.ask(ProgramQuery::Details(path.clone())).await;
    assert!(scene.details(&path).await.unwrap_err().contains("was stopped"));
    scene.jobs(|jobs| jobs == [("endless.nc".to_owned(), JobState::Stopped)]).await;
    scene.ask(ProgramQuery::ResumeJob(id)).await;
    scene.jobs(|jobs| jobs == [("endless.nc".to_owned(), JobState::Running)]).await;
    scene.ask(ProgramQuery::PauseJob(99)).await;
    assert_eq!(scene.answer().await, Answer::Done(Ok(String::new())));
    assert_eq!(scene.answer().await, Answer::Done(Err("that check is not in the list any more".to_owned())));
}

#[tokio::test]
async fn the_file_that_was_looked_at_last_is_checked_first() {
    let mut scene = Scene::new(None);
    for name in ["endless1.nc", "endless2.nc", "small.nc"] {
        let path = scene.write(name, "G21\n");
        scene.ask(ProgramQuery::Details(path)).await;
        scene.jobs(|jobs| jobs.iter().any(|(of, state)| of == name && *state != JobState::Waiting)).await;
    }
    assert!(scene.details(&scene.top.path().join("small.nc")).await.is_ok(), "although both places were taken");
    let ids = scene.jobs(|jobs| jobs.iter().filter(|(_, state)| *state == JobState::Running).count() == 2).await;
    assert_eq!(ids.len(), 3, "and the other goes on");
}

#[tokio::test]
async fn what_was_checked_is_known_by_content_for_the_machine_as_it_is() {
    let mut scene = Scene::new(None);
    let path = scene.write("a.nc", "G21\n");
    let hash = hash_of(b"G21\n");
    assert!(scene.desk.known.report(&hash).is_none());
    scene.ask(ProgramQuery::Details(path.clone())).await;
    scene.details(&path).await.unwrap();
    assert_eq!(scene.desk.known.report(&hash).unwrap().lines, 4);
    assert!(scene.desk.known.report(&hash_of(b"G20\n")).is_none());
    let mut other = Snapshot::default();
    other.machine.limits.acceleration_mm_s2 = crate::model::AxisVec::from_slice(&[1.0, 2.0, 3.0]);
    scene.snapshots.send_replace(Arc::new(other));
    assert!(scene.desk.known.report(&hash).is_none(), "that was another machine");
}

#[tokio::test]
async fn reports_are_kept_from_one_start_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(&folder.path().join("sunmill.db")).unwrap().0;
    let store = open();
    let mut scene = Scene::new(Some(store.clone()));
    let path = scene.write("a.nc", "G21\n");
    scene.ask(ProgramQuery::Details(path.clone())).await;
    scene.details(&path).await.unwrap();
    drop(scene);
    store.close();

    let store = open();
    let mut scene = Scene::new(Some(store.clone()));
    let again = scene.write("again.nc", "G21\n");
    scene.ask(ProgramQuery::Details(again.clone())).await;
    assert!(scene.details(&again).await.unwrap().path.is_none(), "the kept report first");
    assert!(scene.details(&again).await.unwrap().path.is_some(), "then the tool path too");

    scene.ask(ProgramQuery::CleanAnalyses).await;
    assert!(matches!(scene.answer().await, Answer::Done(Ok(_))));
    store.flush().unwrap();
    let third = scene.write("third.nc", "G21\n");
    scene.ask(ProgramQuery::Details(third.clone())).await;
    assert!(scene.details(&third).await.unwrap().path.is_some(), "checked anew");
}

#[tokio::test]
async fn listings_lines_and_history_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("sunmill.db")).unwrap();
    let mut scene = Scene::new(Some(store));
    let path = scene.write("a.nc", "G21\nG90\nM30\n");
    scene.ask(ProgramQuery::List(None)).await;
    let Answer::Program(ProgramAnswer::List { folder: None, entries: Ok(entries), notes }) = scene.answer().await
    else {
        panic!("no list")
    };
    assert_eq!((entries[0].name.as_str(), notes.len()), ("programs", 0));
    scene.ask(ProgramQuery::List(Some(entries[0].path.clone()))).await;
    let Answer::Program(ProgramAnswer::List { entries: Ok(entries), .. }) = scene.answer().await else {
        panic!("no list")
    };
    assert_eq!(entries[0].name, "a.nc");
    scene.ask(ProgramQuery::Lines { path: path.clone(), from: 2, count: 9 }).await;
    let lines = Ok(vec!["G90".to_owned(), "M30".to_owned()]);
    assert_eq!(scene.answer().await, Answer::Program(ProgramAnswer::Lines { path, from: 2, lines }));
    scene.ask(ProgramQuery::History { name: None, skip: 0, count: 9 }).await;
    assert!(matches!(scene.answer().await, Answer::Program(ProgramAnswer::History { runs, .. }) if runs.is_empty()));
}

#[tokio::test]
async fn a_preamble_is_answered_or_why_there_is_none() {
    let mut scene = Scene::new(None);
    let path = scene.write("a.nc", "G21 G90\nM3 S1000\nG0 X5 Y5\nG1 Z-1 F100\nX9\n");
    for (path, there) in [(path, true), (PathBuf::from("/etc/passwd"), false)] {
        scene.ask(ProgramQuery::Preamble { path: path.clone(), line: 5 }).await;
        let Answer::Program(ProgramAnswer::Preamble { path: of, line: 5, result }) = scene.answer().await else {
            panic!("no preamble")
        };
        assert_eq!(of, path);
        // Without a machine there is none, and that is another reason.
        let outside = result.as_ref().is_err_and(|why| why.contains("outside of the folders"));
        assert_eq!(outside, !there, "{result:?}");
    }
}

#[tokio::test]
async fn without_a_store_there_is_no_history_and_it_is_said() {
    let mut scene = Scene::new(None);
    scene.ask(ProgramQuery::History { name: None, skip: 0, count: 9 }).await;
    assert!(matches!(scene.answer().await, Answer::Done(Err(why)) if why.contains("no history")));
    let answer_to = scene.answer_to.clone();
    scene.desk.errands.send(Errand { query: Query::Ports, answer_to }).await.unwrap();
    assert!(matches!(scene.answer().await, Answer::Done(Err(_))));
}

#[tokio::test]
async fn the_desk_ends_with_its_last_client_and_with_the_hub() {
    for hub_ends in [false, true] {
        let scene = Scene::new(None);
        let path = scene.write("endless.nc", "");
        scene.ask(ProgramQuery::Details(path)).await;
        let Scene { desk: ProgramDesk { errands, mut jobs, .. }, .. } = scene;
        if hub_ends {
            drop(jobs);
            errands.closed().await;
        } else {
            drop(errands);
            while jobs.changed().await.is_ok() {}
        }
    }
}
