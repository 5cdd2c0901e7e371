//! The thread that reads a program for the machine: an open file in, items through a bounded channel out.
//!
//! The descriptor stays open, so a file that is renamed, replaced or deleted is run to its end as it was. One that is written
//! to or cut off is noticed before the next piece of it is read, and holds the machine.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::encode::{Encoder, Sent};
use super::lookup::{self, Middle};
use crate::driver::machine::{BATCH, Feeder};
use crate::grbl::session::ProgramItem;
use crate::hub::programs::{Folders, ProgramFile, Stamp};
use crate::model::command::TicketId;
use crate::model::program::{Checkpoint, ContentHash, Interrupted, OnLinkLoss, PastRun, Prompt};
use crate::program::{RawLine, Reader as LineReader};
use crate::store::Reader;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// A NUL among so many bytes at the head is no text.
const HEAD: usize = 4096;

/// What is to be fed.
#[derive(Debug)]
pub(super) struct Job {
    /// Of the command that asked for it.
    pub(super) ticket: TicketId,
    pub(super) path: PathBuf,
    pub(super) folders: Folders,
    /// Where it stands what was chosen for this program when it ran last, if that is wanted.
    pub(super) history: Option<Reader>,
    /// The content that was seen; another one is refused.
    pub(super) seen: Option<ContentHash>,
    /// Where it begins, and the lines that go before.
    pub(super) first_line: u64,
    pub(super) before: Vec<String>,
    /// The lines that go before are all there is: the file is only looked at.
    pub(super) only_before: bool,
    /// For a start in the middle: the machine, by which it is said what goes before.
    pub(super) middle: Option<Middle>,
    pub(super) encoder: Encoder,
}

/// An opened program.
#[derive(Debug)]
pub(in crate::hub) struct Opened {
    /// Where it really lies.
    pub(super) path: PathBuf,
    /// For whoever wants to look up a line while it runs.
    pub(super) file: Arc<File>,
    /// What follows a lost link in this program, as it was chosen when it ran last.
    pub(super) on_link_loss: Option<OnLinkLoss>,
}

/// What the thread tells the hub.
#[derive(Debug)]
pub(in crate::hub) enum News {
    /// It can be read, or not, and why.
    Opened(TicketId, Result<Opened, String>),
    /// Somebody will be asked at a line ahead.
    Foreseen(TicketId, Prompt),
    /// It was read to its end.
    Whole { ticket: TicketId, hash: ContentHash, lines: u64 },
    /// A line and its neighbours.
    Around(u64, Vec<(u64, String)>),
    /// A run that can be taken up again.
    Offer(Box<Interrupted>),
    /// What the store has left where the run that was offered is not wanted.
    Left(Box<(PastRun, Checkpoint)>),
}

/// Opens the file off the runtime and tells how that went; then starts the thread, which ends at the end of the file, or
/// when the other end of `feeder` or `news` is gone.
pub(super) fn start(job: Job, feeder: Feeder, news: mpsc::Sender<News>) {
    tokio::task::spawn_blocking(move || {
        let (ticket, name) = (job.ticket, job.path.display().to_string());
        let answer = |result| drop(news.blocking_send(News::Opened(ticket, result)));
        let program = match open(&job) {
            Ok(program) => program,
            Err(why) => return answer(Err(why)),
        };
        let (file, stamp) = (Arc::new(program.file), program.stamp);
        let on_link_loss = job.history.as_ref().and_then(|history| history.on_link_loss(&program.path));
        let opened = Opened { path: program.path, file: Arc::clone(&file), on_link_loss };
        let tell = news.clone();
        let thread = std::thread::Builder::new().name("program".to_owned());
        let (begun, first) = std::sync::mpsc::sync_channel(1);
        match thread.spawn(move || run(job, &file, stamp, feeder, tell, begun)) {
            Ok(_) => {
                // The first lines are there when the program is said to be open. An error says that it is over already.
                let _ = first.recv();
                answer(Ok(opened));
            }
            Err(why) => answer(Err(format!("{name}: cannot be read: {why}"))),
        }
    });
}

/// The file, if it is what was seen.
fn open(job: &Job) -> Result<ProgramFile, String> {
    let program = job.folders.open(&job.path).map_err(|why| why.to_string())?;
    let name = job.path.display();
    if program.stamp.bytes == 0 {
        return Err(format!("{name}: is empty; choose another program"));
    }
    let failed = |why: io::Error| format!("{name}: cannot be read: {why}");
    let mut head = Vec::new();
    Read::by_ref(&mut &program.file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    (&program.file).rewind().map_err(failed)?;
    if head.contains(&0) {
        return Err(format!("{name}: holds bytes that no text has; it is not a G-code program"));
    }
    if let Some(seen) = job.seen {
        let found = hash(&program.file).map_err(failed)?;
        (&program.file).rewind().map_err(failed)?;
        let now = Stamp::of(&program.file).map_err(failed)?;
        if found != seen || !now.has_content_of(&program.stamp) {
            return Err(format!("{name}: is not what was checked any more; look at it again before it runs"));
        }
    }
    if let Some(middle) = &job.middle {
        let made = lookup::approach(&program.file, &program.path, job.first_line, middle.clone());
        if made.map_err(|why| format!("{name}: {why}"))?.lines != job.before {
            return Err(format!(
                "{name}: to begin at line {}, other lines would be sent now than those that were shown; look at them again",
                job.first_line
            ));
        }
    }
    Ok(program)
}

/// What it holds. Blocks.
pub(super) fn hash(mut file: impl Read) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(ContentHash(*hasher.finalize().as_bytes())),
            n => hasher.update(&chunk[..n]),
        };
    }
}

fn run(
    job: Job,
    file: &File,
    stamp: Stamp,
    feeder: Feeder,
    news: mpsc::Sender<News>,
    begun: std::sync::mpsc::SyncSender<()>,
) {
    let name = job.path.display().to_string();
    let mut feeding = Feeding {
        ticket: job.ticket,
        first_line: job.first_line,
        name,
        encoder: job.encoder,
        stamp,
        reading: 0,
        begun: Some(begun),
        feeder,
        news,
        batch: Vec::with_capacity(BATCH),
        over: false,
    };
    if job.only_before {
        return feeding.alone(&job.before);
    }
    feeding.preamble(&job.before);
    feeding.file(file);
}

/// A program half-way to the machine.
struct Feeding {
    ticket: TicketId,
    first_line: u64,
    name: String,
    encoder: Encoder,
    /// The file as it was when it was opened.
    stamp: Stamp,
    /// The line that is read at present.
    reading: u64,
    /// Who waits for the first lines.
    begun: Option<std::sync::mpsc::SyncSender<()>>,
    feeder: Feeder,
    news: mpsc::Sender<News>,
    batch: Vec<ProgramItem>,
    /// Nobody takes more, or there is nothing more to take.
    over: bool,
}

impl Feeding {
    fn preamble(&mut self, lines: &[String]) {
        for text in lines {
            match self.encoder.preamble(text, 0) {
                Ok(sent) => self.take(sent),
                Err(why) => self.fail(format!("the preamble cannot be sent: {why}")),
            }
        }
    }

    fn take(&mut self, sent: Sent) {
        for prompt in sent.prompts {
            self.tell(News::Foreseen(self.ticket, prompt));
        }
        for item in sent.items {
            self.push(item);
        }
    }

    /// Lines that are a program of their own.
    fn alone(&mut self, lines: &[String]) {
        for (number, text) in (1..).zip(lines) {
            match self.encoder.preamble(text, number) {
                Ok(sent) => self.take(sent),
                Err(why) => self.fail(format!("line {number} cannot be sent: {why}")),
            }
        }
        if !self.over {
            self.push(ProgramItem::End);
            self.send();
        }
    }

    fn file(&mut self, mut file: &File) {
        let mut reader = LineReader::new();
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; CHUNK];
        while !self.over {
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => {
                    hasher.update(&chunk[..n]);
                    reader.feed(&chunk[..n], |line| self.line(file, line));
                    self.must_be_the_same(file);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => {
                    let line = reader.lines() + 1;
                    return self.fail(format!("{}: line {line} cannot be read: {why}. Stop the program", self.name));
                }
            }
        }
        reader.finish(|line| self.line(file, line));
        self.must_be_the_same(file);
        if reader.bytes() < self.stamp.bytes && !self.over {
            return self.fail(format!(
                "{}: was cut off while it ran, behind line {}. Stop the program and look at the file",
                self.name,
                reader.lines()
            ));
        }
        if self.over {
            return;
        }
        let hash = ContentHash(*hasher.finalize().as_bytes());
        self.tell(News::Whole { ticket: self.ticket, hash, lines: reader.lines() });
        self.push(ProgramItem::End);
        self.send();
    }

    /// Nobody has written to the file since it was opened.
    fn must_be_the_same(&mut self, file: &File) {
        if self.over || Stamp::of(file).is_ok_and(|now| now.has_content_of(&self.stamp)) {
            return;
        }
        self.fail(format!(
            "{}: was changed while it ran, near line {}: nothing more of it is sent. Stop the program, look at the file and begin \
             again from a line",
            self.name, self.reading
        ));
    }

    fn line(&mut self, file: &File, line: RawLine<'_>) {
        if self.over {
            return;
        }
        self.reading = line.number;
        if self.batch.is_empty() {
            self.must_be_the_same(file);
        }
        if line.number < self.first_line {
            self.encoder.pass_over(line);
            return;
        }
        match self.encoder.line(line) {
            Ok(sent) => self.take(sent),
            Err(why) => {
                self.fail(format!("{}: line {}: {why}. Stop the program and mend the line", self.name, line.number));
            }
        }
    }

    fn fail(&mut self, why: String) {
        self.push(ProgramItem::Broken { why });
        self.send();
        self.over = true;
    }

    fn push(&mut self, item: ProgramItem) {
        self.batch.push(item);
        if self.batch.len() >= BATCH {
            self.send();
        }
    }

    /// Waits until the machine has taken what was given before.
    fn send(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
            self.over |= self.feeder.blocking_send(batch).is_err();
            drop(self.begun.take());
        }
    }

    fn tell(&mut self, news: News) {
        self.over |= self.news.blocking_send(news).is_err();
    }
}
