//! Programs for whoever runs them: opened, and known again if they were checked.

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::folders::{Folders, ProgramFile, Stamp};
use super::task::Task;
use crate::model::program::{ContentHash, Job, Report};

const ENDING: &str = "sunmill is ending";
/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// What is known of a file that is to run.
#[derive(Clone, Debug)]
pub enum Known {
    /// This very content was checked to its end, for the machine as it is set up now.
    Checked(Arc<Report>),
    /// Its check has not come to its end: it waits, runs, was paused or stopped, or has failed. [`Job::errors`] says
    /// what was found so far.
    Unchecked(Job),
}

/// A program, opened, and what is known of it.
#[derive(Debug)]
pub struct OpenedProgram {
    /// The program, at its first byte.
    pub program: ProgramFile,
    /// What is known of exactly this content.
    pub known: Known,
}

/// A question to the desk.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) settled: bool,
    /// What its bytes are, once they were read, and the report on them that was kept, if any.
    pub(super) content: Option<(ContentHash, Option<Arc<Report>>)>,
    pub(super) answer: oneshot::Sender<Reply>,
}

/// An answer of the desk.
#[derive(Debug)]
pub(super) enum Reply {
    Known(Known),
    /// Nothing is known by name and time: the content is to be read, and looked for as this task.
    Read(Box<Task>),
}

/// The door to the programs for whoever runs them.
#[derive(Clone, Debug)]
pub struct ProgramFiles {
    folders: Folders,
    desk: mpsc::Sender<Ask>,
}

impl ProgramFiles {
    pub(super) const fn new(folders: Folders, desk: mpsc::Sender<Ask>) -> Self {
        Self { folders, desk }
    }

    /// Opens a program and says what is known of its content. One that has changed on disk since it was checked is known by
    /// its content, or its check begins. Blocks, at most for as long as reading the file takes.
    ///
    /// # Errors
    /// It cannot be opened, or the hub is ending: words for a person.
    pub fn open(&self, path: &Path) -> Result<OpenedProgram, String> {
        let mut program = self.folders.open(path).map_err(|why| why.to_string())?;
        let task = match self.ask(&program, None)? {
            Reply::Known(known) => return Ok(OpenedProgram { program, known }),
            Reply::Read(task) => task,
        };
        let hash = program.hash().map_err(|why| format!("{}: cannot be read: {why}", path.display()))?;
        let kept = task.kept_report(hash).map(Arc::new);
        match self.ask(&program, Some((hash, kept)))? {
            Reply::Known(known) => Ok(OpenedProgram { program, known }),
            Reply::Read(_) => Err(ENDING.to_owned()),
        }
    }

    fn ask(&self, program: &ProgramFile, content: Option<(ContentHash, Option<Arc<Report>>)>) -> Result<Reply, String> {
        let (answer, answered) = oneshot::channel();
        let (path, stamp, settled) = (program.path.clone(), program.stamp, program.settled);
        let ask = Ask { path, stamp, settled, content, answer };
        self.desk.blocking_send(ask).map_err(|_| ENDING)?;
        answered.blocking_recv().map_err(|_| ENDING.to_owned())
    }
}

impl ProgramFile {
    /// Reads all of it, and goes back to its first byte. Blocks.
    ///
    /// # Errors
    /// What the system says.
    pub fn hash(&mut self) -> io::Result<ContentHash> {
        self.file.rewind()?;
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; PIECE];
        loop {
            match self.file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => hasher.update(&piece[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
        }
        self.file.rewind()?;
        Ok(ContentHash(*hasher.finalize().as_bytes()))
    }

    /// Whether it was written to, or cut, since it was opened. Another name, or none any more, is no change.
    ///
    /// # Errors
    /// What the system says.
    pub fn has_changed(&self) -> io::Result<bool> {
        Ok(!Stamp::of(&self.file)?.has_content_of(&self.stamp))
    }
}
