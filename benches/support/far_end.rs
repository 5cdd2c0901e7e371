//! The other end of a serial line: a controller that is always ready.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

/// The byte of a feed hold.
pub struct Heard {
    /// When it could be read.
    pub read: Instant,
    /// When the wire would have brought it.
    pub arrived: Instant,
}

/// A controller that is always ready, at the end of a wire.
pub struct FarEnd {
    cable: File,
    byte_time: Duration,
    line_time: Duration,
    tell: mpsc::Sender<Heard>,
    /// When each direction has brought all that was given to it.
    inbound: Instant,
    outbound: Instant,
    /// When all lines are worked through.
    idle: Instant,
    answers: VecDeque<(Instant, Vec<u8>)>,
    line: Vec<u8>,
    moved: bool,
    held: bool,
}

impl FarEnd {
    /// At this end of a cable.
    pub fn new(cable: File, baud: Option<u32>, line_time: Duration, tell: mpsc::Sender<Heard>) -> Self {
        let now = Instant::now();
        Self {
            cable,
            byte_time: baud.map_or(Duration::ZERO, |baud| Duration::from_secs(10) / baud),
            line_time,
            tell,
            inbound: now,
            outbound: now,
            idle: now,
            answers: VecDeque::new(),
            line: Vec::new(),
            moved: false,
            held: false,
        }
    }

    /// Until the cable is pulled.
    pub fn run(mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            if self.wait()? {
                let count = self.cable.read(&mut buffer)?;
                let read = Instant::now();
                for &byte in &buffer[..count] {
                    self.inbound = self.inbound.max(read) + self.byte_time;
                    self.take(byte, read);
                }
            }
            let now = Instant::now();
            // Reports overtake the answers of lines that are still being worked on.
            self.answers.make_contiguous().sort_by_key(|(due, _)| *due);
            while self.answers.front().is_some_and(|(due, _)| *due <= now) {
                if let Some((_, answer)) = self.answers.pop_front() {
                    self.cable.write_all(&answer)?;
                }
            }
        }
    }

    /// Waits for bytes, at most until an answer is due.
    fn wait(&self) -> io::Result<bool> {
        let wait = self.answers.front().map(|(due, _)| due.saturating_duration_since(Instant::now()));
        let timeout =
            wait.map(|wait| Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() });
        Ok(poll(&mut [PollFd::new(&self.cable, PollFlags::IN)], timeout.as_ref())? > 0)
    }

    fn take(&mut self, byte: u8, read: Instant) {
        match byte {
            b'?' => self.report(),
            b'!' => {
                let _ = self.tell.try_send(Heard { read, arrived: self.inbound });
                self.held = true;
                self.report();
            }
            b'~' => {
                self.held = false;
                self.report();
            }
            b'\n' => {
                self.moved |= self.line.starts_with(b"G1");
                self.idle = self.idle.max(self.inbound) + self.line_time;
                if self.line == b"$I" {
                    self.answer(self.idle, b"[VER:4.0 FluidNC v4.0.1:]\r\n[OPT:MPHS]\r\n");
                }
                self.line.clear();
                self.answer(self.idle, b"ok\r\n");
            }
            _ => self.line.push(byte),
        }
    }

    fn report(&mut self) {
        let state = match (self.held, self.moved) {
            (true, _) => "Hold:0",
            (false, true) => "Run",
            (false, false) => "Idle",
        };
        self.answer(self.inbound, format!("<{state}|MPos:1.000,2.000,3.000|FS:600,0>\r\n").as_bytes());
    }

    /// Gives an answer to the wire at a moment; it is there when the wire has brought it.
    fn answer(&mut self, at: Instant, bytes: &[u8]) {
        let due =
            if self.byte_time.is_zero() { at } else { self.outbound.max(at) + self.byte_time * bytes.len() as u32 };
        self.outbound = due;
        self.answers.push_back((due, bytes.to_vec()));
    }
}

/// Moments that have nothing to do with anything else.
pub struct Moments(u64);

impl Moments {
    /// The same ones in every run.
    pub const fn new() -> Self {
        Self(0x2545_F491_4F6C_DD1D)
    }

    /// Waits 4 to 10 ms.
    pub async fn next(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        tokio::time::sleep(Duration::from_micros(4000 + self.0 % 6000)).await;
    }
}
