//! The wire log: every byte both ways, with its time, in files whose total size is bounded.
//!
//! A thread of its own writes; the link hands records over through a bounded channel and never waits. When the disk is
//! too slow, records are lost, counted, and the loss is written down. The format is that of
//! [`grbl::recording`](crate::grbl::recording).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, flock};

use crate::grbl::recording;
use crate::model::Time;

/// Records that wait for the disk at most.
const WAITING: usize = 4096;
/// So many waiting records wake the thread before it is due.
const MANY: usize = WAITING / 4;
/// Records are taken together, and reach the disk after this long: cards wear by the number of writes, and each wake-up
/// of a thread costs more than what it writes.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Text is gathered up to this many bytes before it is written.
const GATHER: usize = 64 * 1024;
/// The thread is given this long to write the rest at the end.
const LONGEST_END: Duration = Duration::from_secs(2);
const NAME: &str = "wire";

/// Where the files go and how much of them is kept.
#[derive(Clone, Debug)]
pub struct WireLogConfig {
    /// The folder; it is made if it is missing.
    pub folder: PathBuf,
    /// A file that has reached this size is followed by the next.
    pub file_bytes: u64,
    /// Files that are kept: `wire.log`, the newest, and `wire.1.log`, `wire.2.log`, …
    pub files: u32,
}

/// The end at the link. Copies write into the same files.
#[derive(Clone, Debug)]
pub struct WireLog {
    records: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
    /// Records that wait, as far as is counted.
    waiting: Arc<AtomicUsize>,
    writer: Thread,
}

/// The end at the program: dropping it waits for the last bytes, for a moment, once all copies of [`WireLog`] are gone.
#[derive(Debug)]
pub struct WireLogGuard {
    ended: Receiver<()>,
    writer: Thread,
}

#[derive(Debug)]
enum Entry {
    Bytes { at: Time, out: bool, bytes: Box<[u8]> },
    Opened { at: Time, what: String },
    Closed { at: Time, why: String },
}

/// Starts the thread.
///
/// # Errors
/// The folder or the file cannot be made, or another sunmill writes into this folder.
pub fn start(config: WireLogConfig) -> io::Result<(WireLog, WireLogGuard)> {
    let files = Files::open(config)?;
    let (records, inbox) = sync_channel(WAITING);
    let (ending, ended) = sync_channel(1);
    let lost = Arc::new(AtomicU64::new(0));
    let waiting = Arc::new(AtomicUsize::new(0));
    let text = String::with_capacity(GATHER);
    let writer = Writer { files, text, lost: Arc::clone(&lost), lost_told: 0, waiting: Arc::clone(&waiting) };
    let thread = thread::Builder::new().name("wire-log".to_owned()).spawn(move || {
        writer.run(&inbox);
        let _ = ending.try_send(());
    })?;
    let writer = thread.thread().clone();
    Ok((WireLog { records, lost, waiting, writer: writer.clone() }, WireLogGuard { ended, writer }))
}

impl WireLog {
    /// Bytes passed: to the controller (`out`) or from it. Never waits.
    pub fn bytes(&self, at: Time, out: bool, bytes: &[u8]) {
        self.send(Entry::Bytes { at, out, bytes: bytes.into() });
    }

    /// A link begins.
    pub fn opened(&self, at: Time, what: String) {
        self.send(Entry::Opened { at, what });
    }

    /// The link has ended.
    pub fn closed(&self, at: Time, why: String) {
        self.send(Entry::Closed { at, why });
    }

    /// Records that were lost because the disk was too slow or full.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn send(&self, entry: Entry) {
        if self.records.try_send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else if self.waiting.fetch_add(1, Ordering::Relaxed) == MANY {
            self.writer.unpark();
        }
    }
}

impl Drop for WireLogGuard {
    fn drop(&mut self) {
        self.writer.unpark();
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(LONGEST_END) {
            tracing::warn!("the wire log was not written to its end in time");
        }
    }
}

struct Writer {
    files: Files,
    text: String,
    lost: Arc<AtomicU64>,
    lost_told: u64,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Entry>) {
        // Nothing gathered: nothing to wake up for.
        while let Ok(entry) = inbox.recv() {
            self.take(&entry);
            let until = Instant::now() + FLUSH_EVERY;
            loop {
                let ended = self.take_waiting(inbox);
                let left = until.saturating_duration_since(Instant::now());
                if ended || left.is_zero() || self.text.len() >= GATHER {
                    break;
                }
                thread::park_timeout(left);
            }
            self.flush();
        }
    }

    /// Takes all that waits. `true`: there will be no more.
    fn take_waiting(&mut self, inbox: &Receiver<Entry>) -> bool {
        self.waiting.store(0, Ordering::Relaxed);
        loop {
            match inbox.try_recv() {
                Ok(entry) => self.take(&entry),
                Err(why) => return why == TryRecvError::Disconnected,
            }
        }
    }

    fn take(&mut self, entry: &Entry) {
        let since_start = |at: &Time| at.since(Time::ZERO);
        let at = match entry {
            Entry::Bytes { at, .. } | Entry::Opened { at, .. } | Entry::Closed { at, .. } => since_start(at),
        };
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > self.lost_told {
            let more = lost - self.lost_told;
            recording::write_mark(&mut self.text, at, &format!("lost {more} records: the disk was too slow"));
            self.lost_told = lost;
        }
        match entry {
            Entry::Bytes { out, bytes, .. } => recording::write_bytes(&mut self.text, at, *out, bytes),
            Entry::Opened { what, .. } => {
                let clock = utc(SystemTime::now());
                recording::write_mark(&mut self.text, at, &format!("opened {what} at {clock}"));
            }
            Entry::Closed { why, .. } => recording::write_mark(&mut self.text, at, &format!("closed {why}")),
        }
    }

    /// A disk that fails must not fail the machine: what cannot be written counts as lost.
    fn flush(&mut self) {
        if let Err(error) = self.files.write(self.text.as_bytes())
            && self.lost.fetch_add(self.text.lines().count() as u64, Ordering::Relaxed) == self.lost_told
        {
            tracing::warn!(%error, folder = %self.files.config.folder.display(), "the wire log cannot be written");
        }
        self.text.clear();
    }
}

struct Files {
    config: WireLogConfig,
    current: File,
    size: u64,
    /// Held so that no other process rotates these files.
    _lock: File,
}

impl Files {
    fn open(config: WireLogConfig) -> io::Result<Self> {
        fs::create_dir_all(&config.folder)?;
        let lock = File::options().write(true).create(true).truncate(false).open(config.folder.join("wire.lock"))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another sunmill writes its wire log there"));
        }
        let (current, size) = begin(&config.folder)?;
        Ok(Self { config, current, size, _lock: lock })
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let mut rest = text;
        while !rest.is_empty() {
            if self.size >= self.config.file_bytes {
                self.rotate()?;
            }
            // A file holds whole lines, and may be longer than its size by one of them.
            let room = usize::try_from(self.config.file_bytes - self.size).unwrap_or(usize::MAX).min(rest.len());
            let line_end = rest[room.saturating_sub(1)..].iter().position(|byte| *byte == b'\n');
            let end = line_end.map_or(rest.len(), |at| room.saturating_sub(1) + at + 1);
            self.current.write_all(&rest[..end])?;
            self.size += end as u64;
            rest = &rest[end..];
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let folder = &self.config.folder;
        let oldest = self.config.files.max(1) - 1;
        if oldest == 0 {
            fs::remove_file(path(folder, 0))?;
        }
        for number in (0..oldest).rev() {
            match fs::rename(path(folder, number), path(folder, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        (self.current, self.size) = begin(folder)?;
        Ok(())
    }
}

/// Opens the newest file for more, with its header if it is new.
fn begin(folder: &Path) -> io::Result<(File, u64)> {
    let mut file = File::options().append(true).create(true).open(path(folder, 0))?;
    let mut size = file.metadata()?.len();
    if size == 0 {
        let header = format!("{}\n", recording::HEADER);
        file.write_all(header.as_bytes())?;
        size = header.len() as u64;
    }
    Ok((file, size))
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(if number == 0 { format!("{NAME}.log") } else { format!("{NAME}.{number}.log") })
}

/// `2026-03-01T09:30:00Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    crate::model::time::utc(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grbl::recording::{What, read};

    fn config(dir: &tempfile::TempDir, file_bytes: u64, files: u32) -> WireLogConfig {
        WireLogConfig { folder: dir.path().to_owned(), file_bytes, files }
    }

    fn written(dir: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names.into_iter().filter_map(|name| name.into_string().ok()).filter(|name| name != "wire.lock").collect()
    }

    #[test]
    fn every_byte_is_there_with_its_time_and_can_be_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let (log, guard) = start(config(&dir, 1 << 20, 2)).unwrap();
        log.opened(Time::from_millis(1), "/dev/ttyUSB0".into());
        log.bytes(Time::from_millis(2), true, b"?");
        log.bytes(Time::from_millis(3), false, b"<Idle|MPos:0>\r\nok\r\n\xff");
        log.closed(Time::from_millis(4), "unplugged".into());
        drop(log);
        drop(guard);
        let text = fs::read_to_string(dir.path().join("wire.log")).unwrap();
        assert!(text.contains("0.003000 < <Idle|MPos:0>\\r\\n\n0.003000 < ok\\r\\n\n0.003000 < \\xFF\n"), "{text}");
        let what: Vec<_> = read(&text).map(|record| record.unwrap().what).collect();
        assert!(matches!(&what[0], What::Opened(words) if words.starts_with("/dev/ttyUSB0 at 20")), "{what:?}");
        assert_eq!(what.last(), Some(&What::Closed("unplugged".into())));
    }

    #[test]
    fn files_are_few_and_small_and_each_is_a_log() {
        let dir = tempfile::tempdir().unwrap();
        let (log, guard) = start(config(&dir, 1000, 3)).unwrap();
        let mut sent = 0;
        for n in 0..200_u32 {
            // Slower than the disk, since this test is about files and not about losses.
            let before = log.lost();
            log.bytes(Time::from_millis(n.into()), true, format!("G1 X{n:08}\n").as_bytes());
            sent += u32::from(log.lost() == before);
        }
        drop(log);
        drop(guard);
        assert_eq!(sent, 200);
        assert_eq!(written(&dir), ["wire.1.log", "wire.2.log", "wire.log"]);
        for name in written(&dir) {
            let text = fs::read_to_string(dir.path().join(name)).unwrap();
            assert!(text.starts_with(recording::HEADER) && text.len() <= 1000 + 40 && text.ends_with('\n'), "{text}");
            assert!(read(&text).all(|record| record.is_ok()));
        }
        let newest = fs::read_to_string(dir.path().join("wire.log")).unwrap();
        assert!(newest.contains("X00000199"), "{newest}");
    }

    #[test]
    fn a_new_run_goes_on_in_the_same_file_and_a_second_process_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let (log, guard) = start(config(&dir, 1 << 20, 2)).unwrap();
            assert_eq!(start(config(&dir, 1 << 20, 2)).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            log.bytes(Time::ZERO, true, b"?");
            drop(log);
            drop(guard);
        }
        let text = fs::read_to_string(dir.path().join("wire.log")).unwrap();
        assert_eq!((text.matches(recording::HEADER).count(), text.matches("> ?").count()), (1, 2));
    }

    #[test]
    fn a_disk_that_does_not_keep_up_loses_records_and_says_how_many() {
        let (records, inbox) = sync_channel(2);
        let (lost, waiting) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let log =
            WireLog { records, lost: Arc::clone(&lost), waiting: Arc::clone(&waiting), writer: thread::current() };
        for _ in 0..5 {
            log.bytes(Time::ZERO, true, b"?");
        }
        assert_eq!(log.lost(), 3);
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(config(&dir, 1 << 20, 1)).unwrap();
        drop(log);
        Writer { files, text: String::new(), lost, lost_told: 0, waiting }.run(&inbox);
        let text = fs::read_to_string(dir.path().join("wire.log")).unwrap();
        assert!(text.contains("lost 3 records") && text.matches("> ?").count() == 2, "{text}");
    }
}
