//! Log files: one a day, the oldest go, nothing ever reaches the screen.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogLevel};

/// Lines that wait for the disk at most; more are dropped, because a slow SD card must not hold up a stop.
const WAITING_LINES: usize = 4096;

/// Begins to log into `folder`. Logging ends when the guard is dropped, after the last line is written.
///
/// # Errors
/// The folder or the file cannot be made; sunmill runs without a log then and says so.
pub(super) fn start(log: &Log, folder: &Path) -> io::Result<WorkerGuard> {
    fs::create_dir_all(folder)?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("sunmill")
        .filename_suffix("log")
        .max_log_files(log.max_files as usize)
        .build(folder)
        .map_err(io::Error::other)?;
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).thread_name("log").finish(Printable(file));
    subscriber(log.level, writer).try_init().map_err(io::Error::other)?;
    Ok(guard)
}

fn subscriber<W>(level: LogLevel, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (own, foreign) = match level {
        LogLevel::Off => (LevelFilter::OFF, LevelFilter::OFF),
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        LogLevel::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        LogLevel::Trace => (LevelFilter::TRACE, LevelFilter::WARN),
    };
    let filter = Targets::new().with_default(foreign).with_target("sunmill", own);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    tracing_subscriber::registry().with(filter).with(lines)
}

/// Makes each record one printable line: a controller can print escape sequences, and whoever reads
/// the log with `cat` must not have them run.
struct Printable<W>(W);

impl<W: Write> Write for Printable<W> {
    /// One record, with its line feed, as the worker hands it over.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let mut line = String::with_capacity(text.len() + 1);
        for c in text.strip_suffix('\n').unwrap_or(&text).chars() {
            if c.is_control() {
                line.extend(c.escape_default());
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LogLevel, what: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        tracing::subscriber::with_default(subscriber(level, move || Printable(writer.clone())), what);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn device_text_is_one_printable_line() {
        let log = logged(LogLevel::Info, || {
            let text = "\u{1b}[2Jok\r\nALARM:1\u{9b}0m Grüße";
            tracing::info!(target: "sunmill::wire", %text, "received");
        });
        assert_eq!(log.lines().count(), 1, "{log:?}");
        assert!(log.trim_end().chars().all(|c| !c.is_control()), "{log:?}");
        assert!(log.contains("ALARM:1") && log.contains("Grüße"), "{log:?}");
    }

    #[test]
    fn the_level_is_for_sunmill_and_others_only_warn() {
        let speak = || {
            tracing::debug!(target: "sunmill::driver", "ours");
            tracing::info!(target: "somebody", "theirs");
            tracing::warn!(target: "somebody", "warning");
        };
        let debug = logged(LogLevel::Debug, speak);
        assert!(debug.contains("ours") && !debug.contains("theirs") && debug.contains("warning"), "{debug}");
        assert_eq!(logged(LogLevel::Off, speak), "");
        assert!(!logged(LogLevel::Info, speak).contains("ours"));
    }
}
