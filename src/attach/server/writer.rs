//! Writing to one client, for as long as it takes anything.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::patient::{Patient, STUCK, WayOut};

/// Lines that may wait for a client.
pub(super) const QUEUE: usize = 256;

/// The end of the queue at which lines are put in.
#[derive(Debug)]
pub(super) struct Outlet {
    lines: mpsc::Sender<String>,
    writing: Arc<AtomicBool>,
    moved: Arc<Notify>,
}

/// The end at which they are taken out.
#[derive(Debug)]
pub(super) struct Queue {
    lines: mpsc::Receiver<String>,
    writing: Arc<AtomicBool>,
    moved: Arc<Notify>,
}

/// The queue holds all that it may.
#[derive(Debug)]
pub(super) struct Full;

/// A queue of lines for one client.
pub(super) fn queue() -> (Outlet, Queue) {
    let (put, lines) = mpsc::channel(QUEUE);
    let (writing, moved) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let outlet = Outlet { lines: put, writing: Arc::clone(&writing), moved: Arc::clone(&moved) };
    (outlet, Queue { lines, writing, moved })
}

impl Outlet {
    /// Puts a line in.
    ///
    /// # Errors
    /// There is no room, or nobody writes any more.
    pub(super) fn put(&self, line: String) -> Result<(), Full> {
        self.lines.try_send(line).map_err(|_| Full)
    }

    /// For so many lines there is room.
    pub(super) fn room(&self) -> usize {
        self.lines.capacity()
    }

    /// Waits until lines were taken out, or written. Remembers one such moment, so that none before the call is missed.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// The client has taken all that was put in.
    pub(super) fn is_taken(&self) -> bool {
        self.lines.capacity() == QUEUE && !self.writing.load(Ordering::Acquire)
    }
}

impl Queue {
    /// The next lines, in one text: what has gathered goes in one write. `None`: nobody puts any in any more.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.writing.store(false, Ordering::Release);
        self.moved.notify_one();
        let mut text = self.lines.recv().await?;
        self.writing.store(true, Ordering::Release);
        text.push('\n');
        while text.len() < 64 * 1024
            && let Ok(next) = self.lines.try_recv()
        {
            text.push_str(&next);
            text.push('\n');
        }
        // There is room already while this is written.
        self.moved.notify_one();
        Some(text)
    }
}

/// Whether something was written. If not, the client is gone, or was cut off.
pub(super) fn is_written<E: Display>(written: Result<(), E>) -> bool {
    written.inspect_err(|error| tracing::debug!(%error, "a client is gone, or took nothing for five seconds")).is_ok()
}

/// Waits for the last that is said to a client, however it takes it.
pub(super) async fn last_words<E: Display>(written: impl Future<Output = Result<(), E>>) {
    if let Ok(written) = timeout(STUCK, written).await {
        is_written(written);
    }
}

/// Writes what is queued until nobody queues any more. Ends early where the client does not read, or is gone.
pub(super) async fn write_out(to: impl WayOut, mut queue: Queue) {
    let mut to = Patient::new(to);
    while let Some(text) = queue.next().await {
        if !is_written(to.write_all(text.as_bytes()).await) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off_and_one_that_reads_is_not() {
        let (near, _far) = UnixStream::pair().unwrap();
        let (outlet, queued) = queue();
        for _ in 0..QUEUE {
            outlet.put("x".repeat(16 * 1024)).unwrap();
        }
        assert!(!outlet.is_taken());
        // The outlet is still held: it ends because of the client.
        let start = Instant::now();
        write_out(near, queued).await;
        assert_eq!(start.elapsed(), STUCK);
        assert!(outlet.put(String::new()).is_err() && !outlet.is_taken());

        let (near, mut far) = UnixStream::pair().unwrap();
        let (outlet, queued) = queue();
        outlet.put("one".to_owned()).unwrap();
        outlet.put("two".to_owned()).unwrap();
        drop(outlet);
        let mut text = String::new();
        let read = far.read_to_string(&mut text);
        let ((), read) = tokio::join!(write_out(near, queued), read);
        assert_eq!((read.unwrap(), text.as_str()), (8, "one\ntwo\n"));
    }
}
