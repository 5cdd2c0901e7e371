//! The whole program in a terminal of its own with a machine that stands still: what it costs to leave it open.
//!
//! The machine is `sunmill sim machine` in a process of its own, polled at 5 Hz; without a machine configured the
//! program also simulates one, which is measured too.

mod support;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use support::process::{PROGRAM, Simulator, status, usage};
use support::{NO_BUDGET, title, value};

/// Until the controller is known and has told all its settings.
const SETTLE: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_secs(10);
const STARTS: u32 = 5;

fn main() -> io::Result<()> {
    let home = tempfile::tempdir()?;
    for firmware in ["grbl", "fluidnc"] {
        title(&format!("Idle, {firmware} behind a pseudo-terminal"));
        let machine = home.path().join(firmware);
        let simulator = Simulator::machine(&machine, firmware)?;
        let figures = watch(home.path(), &["--port", &machine.to_string_lossy()])?;
        drop(simulator);
        figures.print("< 0.3 %", "< 12 MiB");
    }
    title("Idle, machine simulated in the same process");
    watch(home.path(), &[])?.print(NO_BUDGET, NO_BUDGET);
    title("Start");
    let mut first = Duration::ZERO;
    for _ in 0..STARTS {
        first += first_paint(home.path())? / STARTS;
    }
    value("first paint", first.as_secs_f64() * 1e3, "ms, mean of 5", "< 50 ms");
    Ok(())
}

struct Figures {
    cpu_percent: f64,
    wakes_per_s: f64,
    resident_mib: f64,
    private_mib: f64,
    bytes_per_s: f64,
}

impl Figures {
    fn print(&self, cpu: &str, resident: &str) {
        value("CPU", self.cpu_percent, "% of one core", cpu);
        value("resident memory", self.resident_mib, "MiB", resident);
        value("of it not shared with the file", self.private_mib, "MiB", NO_BUDGET);
        value("to the terminal", self.bytes_per_s, "bytes/s", "0");
        value("threads switched to", self.wakes_per_s, "per s", NO_BUDGET);
    }
}

/// The program in its terminal.
struct Screen {
    pid: u32,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _terminal: Box<dyn MasterPty + Send>,
    output: Box<dyn Read + Send>,
}

impl Screen {
    fn open(home: &Path, args: &[&str]) -> io::Result<Self> {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(io::Error::other)?;
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.cwd(home);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        command.env("HOME", home);
        let output = pair.master.try_clone_reader().map_err(io::Error::other)?;
        let child = pair.slave.spawn_command(command).map_err(io::Error::other)?;
        let pid = child.process_id().ok_or_else(|| io::Error::other("the program has no process id"))?;
        Ok(Self { pid, child, _terminal: pair.master, output })
    }

    fn close(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

fn watch(home: &Path, args: &[&str]) -> io::Result<Figures> {
    let mut screen = Screen::open(home, args)?;
    let written = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&written);
    let mut output = std::mem::replace(&mut screen.output, Box::new(io::empty()));
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = output.read(&mut buffer) {
            count.fetch_add(n as u64, Ordering::Relaxed);
        }
    });
    std::thread::sleep(SETTLE);
    let before = (Instant::now(), usage(screen.pid)?, written.load(Ordering::Relaxed));
    std::thread::sleep(WATCHED);
    let after = (Instant::now(), usage(screen.pid)?, written.load(Ordering::Relaxed));
    let seconds = (after.0 - before.0).as_secs_f64();
    let figures = Figures {
        cpu_percent: after.1.cpu.saturating_sub(before.1.cpu).as_secs_f64() / seconds * 100.0,
        wakes_per_s: (after.1.switches - before.1.switches) as f64 / seconds,
        resident_mib: status(screen.pid, "VmRSS:")? / 1024.0,
        private_mib: status(screen.pid, "RssAnon:")? / 1024.0,
        bytes_per_s: (after.2 - before.2) as f64 / seconds,
    };
    screen.close()?;
    let _ = reader.join();
    Ok(figures)
}

/// From the start of the process to a screen with the machine on it.
fn first_paint(home: &Path) -> io::Result<Duration> {
    let start = Instant::now();
    let mut screen = Screen::open(home, &[])?;
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while !all.windows(7).any(|part| part == b"Machine") {
        match screen.output.read(&mut buffer)? {
            0 => return Err(io::Error::other("the program ended before it drew anything")),
            n => all.extend_from_slice(&buffer[..n]),
        }
    }
    let took = start.elapsed();
    screen.close()?;
    Ok(took)
}
