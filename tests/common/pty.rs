//! The real binary in a terminal of its own: keys in, a grid of characters out.
//!
//! A reader thread hands what the program writes to the test through a bounded channel; the test waits on that
//! channel until the screen shows what it looks for. Nothing sleeps, nothing is timed; a deadline
//! that is far longer than anything needs only ends a test that would hang, and then
//! shows the last screen and the end of the log.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use super::{ENVIRONMENT, Home};

/// Ends a test that would hang.
const DEADLINE: Duration = Duration::from_secs(30);

/// Between two gestures of a person.
const GESTURE: Duration = Duration::from_millis(300);

/// What a terminal answers when it is asked what it is and whether it is there.
const ANSWERS: [(&[u8], &[u8]); 3] =
    [(b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[5n", b"\x1b[0n"), (b"\x1b[>0q", b"\x1bP>|test\x1b\\")];

/// A program in a terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    keyboard: Option<Box<dyn Write + Send>>,
    tty: PathBuf,
    output: Receiver<Vec<u8>>,
    ended: Receiver<ExitStatus>,
    hanging_up: Arc<AtomicBool>,
    pid: Pid,
    parser: vt100::Parser,
    /// All that the program wrote, for questions about bytes.
    pub raw: Vec<u8>,
    /// Where it lives.
    pub home: Home,
}

impl Terminal {
    /// The real binary with these arguments in a terminal of this size.
    pub fn sunmill(home: Home, args: &[&str], (rows, columns): (u16, u16), variables: &[(&str, &str)]) -> Self {
        Self::spawn(home, env!("CARGO_BIN_EXE_sunmill"), args, (rows, columns), variables)
    }

    /// Any program.
    pub fn spawn(
        home: Home,
        program: &str,
        args: &[&str],
        (rows, cols): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(home.path());
        command.env_clear();
        command.env("HOME", home.path());
        for (name, value) in ENVIRONMENT.iter().chain(variables) {
            command.env(name, value);
        }
        let tty = pair.master.tty_name().expect("the terminal has a name");
        let mut reader = pair.master.try_clone_reader().expect("the terminal can be read");
        let keyboard = pair.master.take_writer().expect("the terminal can be written");
        let mut child = pair.slave.spawn_command(command).expect("the program starts");
        let pid = child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("a process id");
        // Only the program may hold this end, or its end would not be seen.
        drop(pair.slave);

        let hanging_up = Arc::new(AtomicBool::new(false));
        let (bytes, output) = sync_channel(64);
        let stop_reading = Arc::clone(&hanging_up);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if stop_reading.load(Ordering::Acquire) || bytes.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (status, ended) = sync_channel(1);
        std::thread::spawn(move || status.send(child.wait().expect("the program can be waited for")));

        Self {
            master: Some(pair.master),
            keyboard: Some(keyboard),
            tty,
            output,
            ended,
            hanging_up,
            pid,
            parser: vt100::Parser::new(size_of(rows), size_of(cols), 0),
            raw: Vec::new(),
            home,
        }
    }

    /// Types these bytes, all in one write.
    pub fn send(&mut self, keys: impl AsRef<[u8]>) {
        let keyboard = self.keyboard.as_mut().expect("the terminal is there");
        keyboard.write_all(keys.as_ref()).and_then(|()| keyboard.flush()).expect("the keys are taken");
    }

    /// Waits until the screen is as wanted.
    pub fn wait_until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !wanted(self.parser.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout) => self.fail(&format!("not seen in {DEADLINE:?}: {what}")),
                Err(RecvTimeoutError::Disconnected) => self.fail(&format!("the program ended before: {what}")),
            }
        }
    }

    /// Waits until this text is on the screen.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// Touches no key for a moment, as a person does between two gestures. Time is part of what is typed here:
    /// keys that move a machine are not taken on the heels of others.
    pub fn rest(&mut self) {
        let until = Instant::now() + GESTURE;
        while let Ok(bytes) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.show(&bytes);
        }
    }

    /// What is on the screen now.
    pub fn grid(&self) -> String {
        self.parser.screen().contents()
    }

    /// The screen with its modes.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, (rows, cols): (u16, u16)) {
        let master = self.master.as_ref().expect("the terminal is there");
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a new size");
        self.parser.screen_mut().set_size(size_of(rows), size_of(cols));
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the program takes signals");
    }

    /// Takes the terminal away, as a dropped SSH connection does: the kernel sends SIGHUP, reads end.
    pub fn hang_up(&mut self) {
        self.hanging_up.store(true, Ordering::Release);
        let mut tty = std::fs::OpenOptions::new().write(true).open(&self.tty).expect("the other side opens");
        // portable-pty types Enter and the end-of-file key when its writer is dropped, which no lost
        // connection does. It leaves that where the terminal has no such key.
        let mut modes = tcgetattr(&tty).expect("the terminal has modes");
        modes.special_codes[SpecialCodeIndex::VEOF] = 0;
        tcsetattr(&tty, OptionalActions::Now, &modes).expect("the terminal takes modes");
        // The reader thread holds the terminal open until its read returns; a byte from the other side ends that.
        tty.write_all(b"\0").expect("the other side takes a byte");
        drop(tty);
        while self.output.recv().is_ok() {}
        self.keyboard = None;
        self.master = None;
    }

    /// Waits until the program has ended; what it still writes is shown.
    pub fn exit_status(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout) => self.fail(&format!("has not ended in {DEADLINE:?}")),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        match self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(status) => status,
            Err(_) => self.fail(&format!("has not ended in {DEADLINE:?}")),
        }
    }

    /// Puts output on the screen, and answers what a terminal is asked in it.
    fn show(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        // A question may be split over two reads: look a little back.
        let from = self.raw.len().saturating_sub(8);
        let old = self.raw.len() - from;
        self.raw.extend_from_slice(bytes);
        for (question, answer) in ANSWERS {
            let recent = &self.raw[from..];
            let asked = recent
                .windows(question.len())
                .enumerate()
                .filter(|(at, window)| *window == question && at + question.len() > old);
            for _ in 0..asked.count() {
                self.send(answer);
            }
        }
    }

    fn fail(&self, why: &str) -> ! {
        let line = "-".repeat(usize::from(self.parser.screen().size().1.get()));
        panic!("{why}\n{line}\n{}\n{line}\n{}", self.grid(), self.home.log_tail());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.ended.try_recv().is_err() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

fn size_of(cells: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(cells).expect("a size above zero")
}
