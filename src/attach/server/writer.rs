//! Writing to one client, with a bound on how long it may take nothing.

use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Lines that may wait for a client.
pub(super) const QUEUE: usize = 256;
/// A client that takes nothing for so long is cut off.
const STUCK: Duration = Duration::from_secs(5);

/// Writes what is queued until nobody queues any more. Ends early where the client does not read, or is gone.
pub(super) async fn write_out(mut to: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<String>) {
    while let Some(mut line) = queue.recv().await {
        // What has gathered goes in one write.
        line.push('\n');
        while line.len() < 64 * 1024
            && let Ok(next) = queue.try_recv()
        {
            line.push_str(&next);
            line.push('\n');
        }
        match timeout(STUCK, to.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return tracing::debug!(%error, "a client is gone"),
            Err(_) => return tracing::warn!("a client took nothing for five seconds and is cut off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off_and_one_that_reads_is_not() {
        let (near, _far) = tokio::io::duplex(16);
        let (lines, queue) = mpsc::channel(4);
        lines.send("x".repeat(100)).await.unwrap();
        // The sender is still held: it ends because of the client.
        write_out(near, queue).await;
        assert!(lines.is_closed());

        let (near, mut far) = tokio::io::duplex(16);
        let (lines, queue) = mpsc::channel(4);
        lines.send("one".to_owned()).await.unwrap();
        lines.send("two".to_owned()).await.unwrap();
        drop(lines);
        let mut text = String::new();
        let read = tokio::io::AsyncReadExt::read_to_string(&mut far, &mut text);
        let ((), read) = tokio::join!(write_out(near, queue), read);
        assert_eq!((read.unwrap(), text.as_str()), (8, "one\ntwo\n"));
    }
}
