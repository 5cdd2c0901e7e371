//! The check of one file: read from end to end in pieces, its report kept for the next time.

use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use super::folders::ProgramFile;
use super::jobs::Rope;
use super::shelf::Found;
use super::task::Task;
use super::worker::{Step, Work};
use crate::model::program::{ContentHash, Report};
use crate::program::analysis::{Analysis, AnalysisConfig};

/// Bytes of a step: a few milliseconds on a small computer.
const PIECE: usize = 256 * 1024;

/// A check under way.
#[derive(Debug)]
pub struct Checking {
    task: Task,
    program: ProgramFile,
    piece: Vec<u8>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Finds out whether a report on this content was kept: reading is many times as fast as checking.
    Recognising(Box<blake3::Hasher>),
    Checking(Box<Analysis>),
    Done,
}

impl Work for Checking {
    type Task = Task;
    type Part = Arc<Report>;
    type Found = Found;

    fn begin(task: Task) -> Result<Self, String> {
        let program = task.folders.open(&task.path).map_err(|why| why.to_string())?;
        if program.stamp != task.stamp {
            return Err(changed(&task.path));
        }
        let stage = match task.store {
            Some(_) => Stage::Recognising(Box::default()),
            None => check(&task),
        };
        Ok(Self { task, program, piece: vec![0; PIECE], stage })
    }

    fn step(&mut self, rope: &Rope) -> Result<Step<Self>, String> {
        let read = read(&mut self.program.file, &mut self.piece).map_err(|why| unreadable(&self.task.path, &why))?;
        let piece = &self.piece[..read];
        match &mut self.stage {
            Stage::Recognising(hasher) if read > 0 => {
                hasher.update(piece);
                Ok(Step::More)
            }
            Stage::Recognising(hasher) => {
                let hash = ContentHash(*hasher.finalize().as_bytes());
                self.program.file.rewind().map_err(|why| unreadable(&self.task.path, &why))?;
                self.stage = check(&self.task);
                Ok(self.task.kept_report(hash).map_or(Step::More, |report| Step::Part(Arc::new(report))))
            }
            Stage::Checking(analysis) if read > 0 => {
                analysis.feed(piece);
                let progress = analysis.progress();
                rope.progress(progress.bytes, progress.errors);
                Ok(Step::More)
            }
            Stage::Checking(_) | Stage::Done => self.finish(),
        }
    }
}

impl Checking {
    fn finish(&mut self) -> Result<Step<Self>, String> {
        let Stage::Checking(analysis) = std::mem::replace(&mut self.stage, Stage::Done) else {
            return Err("the check has ended already".to_owned());
        };
        let has_changed = self.program.has_changed().map_err(|why| unreadable(&self.task.path, &why))?;
        if has_changed || analysis.progress().bytes != self.program.stamp.bytes {
            return Err(changed(&self.task.path));
        }
        let (report, path) = analysis.finish();
        self.task.keep_report(&report);
        Ok(Step::Done(Found { report: Arc::new(report), path: Some(Arc::new(path)) }))
    }
}

fn check(task: &Task) -> Stage {
    let (dialect, model) = (task.setup.dialect.clone(), task.setup.model.clone());
    Stage::Checking(Box::new(Analysis::new(AnalysisConfig { dialect, model })))
}

fn changed(path: &Path) -> String {
    format!("{}: was written or cut while it was checked; look at it again when it is complete", path.display())
}

fn unreadable(path: &Path, why: &io::Error) -> String {
    format!("{}: cannot be read: {why}; check the disk, or copy the file here again", path.display())
}

fn read(file: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    use super::super::folders::{Folder, Folders};
    use super::super::setup::Setup;
    use super::*;
    use crate::model::snapshot::Snapshot;
    use crate::store::Store;

    struct Scene {
        top: tempfile::TempDir,
        store: Option<Store>,
    }

    impl Scene {
        fn new() -> Self {
            Self { top: tempfile::tempdir().unwrap(), store: None }
        }

        fn write(&self, text: &[u8]) -> PathBuf {
            let path = self.top.path().join("a.nc");
            fs::write(&path, text).unwrap();
            path
        }

        fn task(&self, path: &Path) -> Task {
            let folders = Folders::new(vec![Folder { name: "here".into(), path: self.top.path().to_owned() }]);
            let program = folders.open(path).unwrap();
            let setup = Arc::new(Setup::of(&Snapshot::default()));
            Task { path: program.path, stamp: program.stamp, setup, folders, store: self.store.clone() }
        }
    }

    /// Steps until something is known.
    fn next(work: &mut Checking) -> Result<Step<Checking>, String> {
        loop {
            match work.step(&Rope::default())? {
                Step::More => {}
                step => return Ok(step),
            }
        }
    }

    fn done(work: &mut Checking) -> Found {
        match next(work) {
            Ok(Step::Done(found)) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_is_checked_to_its_end() {
        let scene = Scene::new();
        let mut text = b"G21 G90\n".to_vec();
        for n in 0..100_000 {
            writeln!(text, "G1 X{}.5 F100", n % 100).unwrap();
        }
        let path = scene.write(&text);
        let found = done(&mut Checking::begin(scene.task(&path)).unwrap());
        assert_eq!((found.report.lines, found.report.bytes), (100_001, text.len() as u64));
        assert_eq!(found.report.hash, ContentHash(*blake3::hash(&text).as_bytes()));
        assert!(found.path.is_some());
    }

    #[test]
    fn a_kept_report_comes_first() {
        let mut scene = Scene::new();
        scene.store = Some(Store::open(&scene.top.path().join("s.db")).unwrap().0);
        let path = scene.write(b"G21 G90\nG1 X5 F100\n");
        let first = done(&mut Checking::begin(scene.task(&path)).unwrap());
        scene.store.as_ref().unwrap().flush().unwrap();
        let mut again = Checking::begin(scene.task(&path)).unwrap();
        let Ok(Step::Part(kept)) = next(&mut again) else { panic!("it was kept") };
        assert_eq!(kept, first.report);
        assert_eq!(done(&mut again).report, kept);
    }

    #[test]
    fn what_is_written_or_cut_meanwhile_gives_no_report() {
        let scene = Scene::new();
        let long = vec![b'\n'; 3 * PIECE];
        for change in [&|path: &Path| fs::write(path, b"G0").unwrap(), &|path: &Path| {
            let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"G0 X1\n").unwrap();
        }] as [&dyn Fn(&Path); 2]
        {
            let path = scene.write(&long);
            let mut work = Checking::begin(scene.task(&path)).unwrap();
            work.step(&Rope::default()).unwrap();
            change(&path);
            let why = next(&mut work).unwrap_err();
            assert!(why.contains("a.nc") && why.contains("look at it again"), "{why}");
        }
        let path = scene.write(b"G0");
        let task = scene.task(&path);
        scene.write(b"G0 X1");
        assert!(Checking::begin(task).unwrap_err().contains("look at it again"));
    }

    #[test]
    fn a_file_that_is_deleted_meanwhile_is_read_to_its_end() {
        let scene = Scene::new();
        let path = scene.write(&vec![b'\n'; 3 * PIECE]);
        let mut work = Checking::begin(scene.task(&path)).unwrap();
        work.step(&Rope::default()).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(done(&mut work).report.lines, 3 * PIECE as u64);
    }
}
