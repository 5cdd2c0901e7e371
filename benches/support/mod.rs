//! What the benches share: percentiles, a table of results, a pair of pseudo-terminal ends.
//!
//! The benches are plain programs. They print figures for people and never fail on one: a figure depends
//! on the computer and on what else it does.
#![allow(dead_code, unreachable_pub, reason = "each bench is a crate of its own and uses a part of this")]
#![allow(clippy::print_stdout, reason = "printing the figures is what a bench is for")]

pub mod far_end;
pub mod process;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Samples of one quantity.
#[derive(Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Times `what`, `count` times, after a tenth as many runs that do not count.
    pub fn of(count: usize, mut what: impl FnMut()) -> Self {
        for _ in 0..count / 10 {
            what();
        }
        let timed = (0..count).map(|_| {
            let start = Instant::now();
            what();
            start.elapsed()
        });
        Self(timed.collect())
    }

    /// Adds one.
    pub fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// Samples of runs of `runs` at a time, as the time of one.
    #[must_use]
    pub fn per(mut self, runs: u32) -> Self {
        for sample in &mut self.0 {
            *sample /= runs;
        }
        self
    }

    /// p50, p99 and the largest.
    ///
    /// The p-th percentile is the smallest sample that at least p % of all do not exceed.
    pub fn percentiles(&self) -> [Duration; 3] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let nth = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().unwrap_or_default()
        };
        [nth(50), nth(99), nth(100)]
    }
}

/// Stands where a budget would, for figures that only explain others.
pub const NO_BUDGET: &str = "";

/// Prints a heading for rows of [`value`].
pub fn title(title: &str) {
    println!("\n{title}\n{:<44}{:>12} {:<36}budget", "", "", "");
}

/// Prints a heading for rows of [`row`].
pub fn heading(title: &str) {
    println!("\n{title}\n{:<44}{:>12}{:>12}{:>12}{:>10}   budget", "", "p50", "p99", "max", "samples");
}

/// Prints one row, with what the design allows beside it.
pub fn row(name: &str, samples: &Samples, budget: &str) {
    let [p50, p99, max] = samples.percentiles();
    println!("{name:<44}{:>12}{:>12}{:>12}{:>10}   {budget}", figure(p50), figure(p99), figure(max), samples.0.len());
}

/// Prints a quantity that has no distribution, such as a rate or a ratio, with what the design allows beside it.
pub fn value(name: &str, number: f64, unit: &str, budget: &str) {
    println!("{name:<44}{number:>12.3} {unit:<36}{budget}");
}

/// A duration with four digits at most and its unit.
fn figure(duration: Duration) -> String {
    match duration.as_nanos() {
        nanos @ 0..10_000 => format!("{nanos} ns"),
        nanos @ 10_000..10_000_000 => format!("{:.1} µs", nanos as f64 / 1e3),
        nanos => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}

/// Both ends of a pseudo-terminal in raw mode: what a serial cable is to the machine's driver.
pub struct Cable {
    /// The end of the machine.
    pub machine: File,
    /// The end of the computer.
    pub computer: File,
    /// The path by which the computer's end can be opened once more.
    pub path: std::path::PathBuf,
}

/// Lays a cable.
pub fn cable() -> io::Result<Cable> {
    let machine = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&machine)?;
    unlockpt(&machine)?;
    let name = ptsname(&machine, Vec::new())?.into_string().map_err(io::Error::other)?;
    let computer: OwnedFd = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
    raw(computer.as_fd())?;
    Ok(Cable { machine: machine.into(), computer: computer.into(), path: name.into() })
}

fn raw(tty: impl AsFd) -> io::Result<()> {
    let mut modes = tcgetattr(&tty)?;
    modes.make_raw();
    modes.set_speed(115_200)?;
    Ok(tcsetattr(&tty, OptionalActions::Now, &modes)?)
}
