//! Programs that a bench starts, and what they use.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// sunmill itself.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_sunmill");

/// A simulated device in a process of its own.
pub struct Simulator(pub Child);

impl Simulator {
    /// A machine that stands still.
    pub fn machine(at: &Path, firmware: &str) -> io::Result<Self> {
        Self::start(&["machine", "--firmware", firmware], at)
    }

    /// An inverter.
    pub fn inverter(at: &Path, profile: &str) -> io::Result<Self> {
        Self::start(&["inverter", "--profile", profile], at)
    }

    fn start(what: &[&str], at: &Path) -> io::Result<Self> {
        let mut child = Command::new(PROGRAM)
            .arg("sim")
            .args(what)
            .arg("--pty")
            .arg(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It says where it is once it can be opened.
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut String::new())?;
        }
        Ok(Self(child))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process has used so far.
pub struct Usage {
    /// Time of a processor.
    pub cpu: Duration,
    /// How often one of its threads was switched to.
    pub switches: u64,
}

/// Of all its threads: the scheduler's own count in ns, since the clock ticks of `stat` are too coarse for this.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let (mut nanos, mut switches) = (0, 0);
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let mut fields = text.split_whitespace().map(|field| field.parse::<u64>().unwrap_or_default());
        nanos += fields.next().unwrap_or_default();
        switches += fields.nth(1).unwrap_or_default();
    }
    Ok(Usage { cpu: Duration::from_nanos(nanos), switches })
}

/// A figure of `/proc/PID/status`, in KiB.
pub fn status(pid: u32, name: &str) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let figure = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    figure.ok_or_else(|| io::Error::other(format!("no {name} in the process status")))
}
