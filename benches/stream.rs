//! A program on its way to the machine: how soon its first byte goes out, how fast it streams, what it costs.
//!
//! The far end is the simulated Grbl at the other side of a pseudo-terminal, on a thread that keeps the clock of a wire: a
//! byte has arrived when a wire of this speed would have brought it. The bare loop writes lines and counts answers, nothing else.

mod support;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sunmill::driver::clock::Clock;
use sunmill::driver::pace::Pace;
use sunmill::driver::transport::Opener;
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::programs::{Folder, Folders};
use sunmill::hub::runner::RunnerConfig;
use sunmill::hub::{self, Keeping};
use sunmill::model::command::Realtime;
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ContentHash, ProgramOrder, RunRequest, RunState, Start};
use sunmill::model::{AxisVec, Command, Endpoint, Firmware, Hub, StateKind, Time};
use sunmill::sim::Options;
use sunmill::sim::machine::{Counters, Machine};
use support::{NO_BUDGET, Samples, cable, heading, row, title, value};

const BAUD: u32 = 115_200;
const WINDOW: usize = 127;
/// Runs of which the median is taken, by turns with the bare loop: what else the computer does makes some of them dearer.
const READINGS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    title("From `run` to the first byte");
    let begun = runtime.block_on(streamed(&program(1_000_000, 0.004), None, Then::StopAt(50)))?;
    value("1,000,000 lines, content compared first", begun.first_byte.as_secs_f64() * 1e3, "ms", "< 100 ms");

    title("Unpaced over a pseudo-terminal");
    let text = program(20_000, 0.004);
    let (bare_rate, bare_cpu) = bare(&text, None)?;
    let free = runtime.block_on(streamed(&text, None, Then::Leave))?;
    value("bare loop", bare_rate, "lines/s", NO_BUDGET);
    value("sunmill", free.rate, "lines/s", NO_BUDGET);
    value("ratio", free.rate / bare_rate, "", ">= 0.8");
    cpu(text.lines().count(), bare_cpu, free.cpu, NO_BUDGET);

    title("At 115,200 baud, lines like G1 X99.951 Y99.907");
    // Short enough that the planner's look-ahead (16 blocks) lets the machine take more lines than the wire carries.
    let text = program(4000, 0.004);
    let (mut bare_costs, mut costs, mut bare_rate) = (Vec::new(), Vec::new(), 0.0);
    for _ in 1..READINGS {
        let (rate, cost) = bare(&text, Some(BAUD))?;
        bare_rate = rate;
        bare_costs.push(cost);
        costs.push(runtime.block_on(streamed(&text, Some(BAUD), Then::Leave))?.cpu);
    }
    bare_costs.push(bare(&text, Some(BAUD))?.1);
    let paced = runtime.block_on(streamed(&text, Some(BAUD), Then::Hold))?;
    costs.push(paced.cpu);
    value("bare loop", bare_rate, "lines/s", NO_BUDGET);
    value("sunmill", paced.rate, "lines/s", ">= 720");
    value("wire in use", paced.wire, "of its bytes", ">= 0.995 of what the window allows");
    cpu(text.lines().count(), median(&mut bare_costs), median(&mut costs), "<= 2");
    value("receive overflows", paced.counters.rx_overflows as f64, "", "0");
    value("most bytes in the receive buffer", paced.counters.max_rx_fill as f64, "of 128", NO_BUDGET);
    let fed = runtime.block_on(streamed(&program(2400, 0.06), Some(BAUD), Then::Leave))?;
    value("times the planner ran dry, segments of 2.7 ms", fed.counters.starved as f64, "", "0");
    heading("Feed hold while it streams at 115,200 baud");
    row("to the far end of the wire", &paced.holds, "p50 <= 3 ms, p99 <= 5 ms");
    Ok(())
}

fn median(costs: &mut [Duration]) -> Duration {
    costs.sort_unstable();
    costs[costs.len() / 2]
}

/// Prints what a line costs, and how that compares.
fn cpu(lines: usize, bare: Duration, sunmill: Duration, budget: &str) {
    let each = |all: Duration| all.as_secs_f64() * 1e6 / lines as f64;
    value("processor, bare loop", each(bare), "us a line", NO_BUDGET);
    value("processor, sunmill", each(sunmill), "us a line", NO_BUDGET);
    value("ratio", each(sunmill) / each(bare), "", budget);
}

/// Small steps along a line, as fast as the machine goes.
fn program(lines: usize, step: f64) -> String {
    let mut text = "G21 G91\nG1 F1500\nG90\nG92 X50 Y50\n".to_owned();
    for i in 0..lines {
        let at = (i % 8000) as f64 * step;
        let at = if (i / 8000) % 2 == 0 { at } else { 8000.0 * step - at };
        let _ = writeln!(text, "G1 X{:.3} Y{:.3}", 50.0 + at, 50.0 + at / 2.0);
    }
    text
}

struct Figures {
    first_byte: Duration,
    rate: f64,
    wire: f64,
    cpu: Duration,
    counters: Counters,
    holds: Samples,
}

/// What to do with a program.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Stop it behind this line.
    StopAt(u64),
    /// Let it end.
    Leave,
    /// Let it end, then press the feed hold in a second run, which does not count in the rate.
    Hold,
}

/// Both sides of the bench see this.
#[derive(Default)]
struct Shared {
    /// One of the three below.
    watched: AtomicU8,
    ended: AtomicBool,
    /// The thread of the far end.
    far_end: AtomicU64,
}

const NOTHING: u8 = 0;
const LINES: u8 = 1;
const HOLDS: u8 = 2;

impl Shared {
    fn watch(&self, what: u8) {
        self.watched.store(what, Ordering::SeqCst);
    }

    /// Time on a core, all threads of this process but the far end: the scheduler's own count.
    fn processor(&self) -> io::Result<Duration> {
        let far_end = self.far_end.load(Ordering::SeqCst);
        let mut nanos = 0;
        for thread in std::fs::read_dir("/proc/self/task")? {
            let thread = thread?;
            if thread.file_name().to_str().and_then(|id| id.parse().ok()) != Some(far_end) {
                // A thread may end in between.
                let told = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
                nanos += told.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or_default();
            }
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Called by the thread of the far end: it keeps its own account.
    fn i_am_the_far_end(&self) -> io::Result<()> {
        let me = std::fs::read_link("/proc/thread-self")?;
        let id = me.file_name().and_then(|id| id.to_str()?.parse().ok()).unwrap_or_default();
        self.far_end.store(id, Ordering::SeqCst);
        Ok(())
    }
}

/// What the far end saw.
#[derive(Default)]
struct Seen {
    counters: Counters,
    /// Bytes of the program's lines; questions of the session are not the program.
    line_bytes: u64,
    first: Option<Instant>,
    last: Option<Instant>,
    /// The line that comes in: how long it is, and whether it is a question.
    line: (u64, bool),
    /// Arrival of each feed hold.
    holds: Vec<Instant>,
}

impl Seen {
    fn byte(&mut self, watched: u8, at: Instant, byte: u8) {
        match (watched, byte) {
            (HOLDS, b'!') => self.holds.push(at),
            (LINES, b'?' | b'!') => {}
            (LINES, byte) => {
                self.line.1 |= byte == b'$' && self.line.0 == 0;
                self.line.0 += 1;
                self.first = self.first.or(Some(at));
                if byte == b'\n' {
                    let (bytes, asks) = std::mem::take(&mut self.line);
                    if !asks {
                        self.line_bytes += bytes;
                        self.last = Some(at);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Runs a program through hub, feeder, driver and session.
async fn streamed(text: &str, baud: Option<u32>, then: Then) -> io::Result<Figures> {
    let cable = cable()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("part.nc");
    std::fs::write(&path, text)?;
    let shared = Arc::new(Shared::default());
    let sees = Arc::clone(&shared);
    let far_end = std::thread::spawn(move || machine(cable.machine, baud, &sees));
    // Without anybody at its other end the far end would be hung up before the driver opens it.
    let _computer = cable.computer;
    let opener = Opener {
        endpoint: Endpoint::Serial(cable.path),
        baud: BAUD,
        pace: if baud.is_some() { Pace::Baud(BAUD) } else { Pace::Off },
        lock_dir: folder.path().to_owned(),
        in_process: None,
    };
    let place = Folder { name: "here".to_owned(), path: folder.path().to_owned() };
    let runner = RunnerConfig { folders: Folders::new(vec![place]), ..RunnerConfig::default() };
    let keeping = Keeping { runner, ..Keeping::default() };
    let (port, task) = hub::start_keeping(SessionConfig::default(), Tables::load(), opener, Clock::start(), keeping);
    let mut hub = port.attach_screen();
    wait(&mut hub, |s| s.machine.state.is_some_and(|s| s.kind == StateKind::Idle) && s.machine.modal.is_some()).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let request = RunRequest {
        path,
        seen: Some(ContentHash(*blake3::hash(text.as_bytes()).as_bytes())),
        start: Start::Beginning,
        agreed: Agreed { warnings: true, unchecked: false, position_word: POSITION_WORD.to_owned() },
        check_mode: false,
        on_link_loss: None,
    };
    shared.watch(LINES);
    let (asked, cpu) = (Instant::now(), shared.processor()?);
    hub.submit(Command::Program(ProgramOrder::Run(Box::new(request)))).map_err(io::Error::other)?;
    let mut pressed = Vec::new();
    if let Then::StopAt(lines) = then {
        wait(&mut hub, |s| s.programs.run.as_ref().is_some_and(|run| run.acked_line >= lines)).await?;
        hub.realtime(Realtime::StopProgram);
    }
    wait(&mut hub, |s| {
        s.programs
            .run
            .as_ref()
            .is_some_and(|run| !run.state.is_open() || run.sent_line >= run.lines.unwrap_or(u64::MAX))
    })
    .await?;
    let cpu = shared.processor()?.saturating_sub(cpu);
    wait(&mut hub, |s| s.programs.run.as_ref().is_some_and(|run| !run.state.is_open())).await?;
    shared.watch(NOTHING);
    if then == Then::Hold {
        shared.watch(HOLDS);
        pressed = holds(&mut hub, folder.path(), text).await?;
    }
    task.shutdown().await;
    shared.ended.store(true, Ordering::SeqCst);
    let seen = far_end.join().map_err(|_| io::Error::other("the far end has failed"))??;
    let took = seen.last.zip(seen.first).map_or(1.0, |(last, first)| (last - first).as_secs_f64());
    let mut samples = Samples::default();
    for (pressed, arrived) in pressed.iter().zip(&seen.holds) {
        samples.push(arrived.saturating_duration_since(*pressed));
    }
    Ok(Figures {
        first_byte: seen.first.map_or(Duration::MAX, |first| first.saturating_duration_since(asked)),
        rate: text.lines().count() as f64 / took,
        wire: seen.line_bytes as f64 / took / (f64::from(BAUD) / 10.0),
        cpu,
        counters: seen.counters,
        holds: samples,
    })
}

/// Presses the feed hold again and again while a program streams.
async fn holds(hub: &mut Hub, folder: &std::path::Path, text: &str) -> io::Result<Vec<Instant>> {
    let path = folder.join("held.nc");
    std::fs::write(&path, text)?;
    let request = RunRequest {
        path,
        seen: None,
        start: Start::Beginning,
        agreed: Agreed { warnings: true, unchecked: true, position_word: POSITION_WORD.to_owned() },
        check_mode: false,
        on_link_loss: None,
    };
    hub.submit(Command::Program(ProgramOrder::Run(Box::new(request)))).map_err(io::Error::other)?;
    let mut pressed = Vec::new();
    for _ in 0..20 {
        wait(hub, |s| s.programs.run.as_ref().is_some_and(|run| run.state == RunState::Running)).await?;
        tokio::time::sleep(Duration::from_millis(60)).await;
        pressed.push(Instant::now());
        hub.realtime(Realtime::FeedHold);
        wait(hub, |s| s.programs.run.as_ref().is_some_and(|run| matches!(run.state, RunState::Paused(_)))).await?;
        hub.realtime(Realtime::CycleStart);
    }
    hub.realtime(Realtime::StopProgram);
    wait(hub, |s| s.programs.run.as_ref().is_some_and(|run| !run.state.is_open())).await?;
    Ok(pressed)
}

async fn wait(hub: &mut Hub, wanted: impl Fn(&sunmill::model::Snapshot) -> bool) -> io::Result<()> {
    let search = async {
        while !wanted(&hub.snapshot()) {
            hub.changed().await.map_err(io::Error::other)?;
        }
        Ok(())
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    let never = |_| {
        io::Error::other(format!(
            "it never came: {:?} {:?}",
            hub.snapshot().machine.link.state,
            hub.snapshot().programs.run
        ))
    };
    found.map_err(never)?
}

/// Writes lines and counts answers.
fn bare(text: &str, baud: Option<u32>) -> io::Result<(f64, Duration)> {
    let cable = cable()?;
    let shared = Arc::new(Shared::default());
    let sees = Arc::clone(&shared);
    let far_end = std::thread::spawn(move || machine(cable.machine, baud, &sees));
    let mut computer = cable.computer;
    let (mut open, mut filled, mut buffer) = (VecDeque::new(), 0, [0; 4096]);
    let mut lines = text.lines().peekable();
    let (begin, cpu) = (Instant::now(), shared.processor()?);
    let mut left = text.lines().count();
    while left > 0 {
        while let Some(line) = lines.next_if(|line| filled + line.len() < WINDOW) {
            computer.write_all(format!("{line}\n").as_bytes())?;
            filled += line.len() + 1;
            open.push_back(line.len() + 1);
        }
        let count = computer.read(&mut buffer)?;
        for _ in buffer[..count].iter().filter(|byte| **byte == b'k') {
            filled -= open.pop_front().unwrap_or_default();
            left -= 1;
        }
    }
    let rate = text.lines().count() as f64 / begin.elapsed().as_secs_f64();
    let cpu = shared.processor()?.saturating_sub(cpu);
    shared.ended.store(true, Ordering::SeqCst);
    let _ = far_end.join();
    Ok((rate, cpu))
}

/// The simulated machine behind a wire.
fn machine(mut cable: File, baud: Option<u32>, shared: &Shared) -> io::Result<Seen> {
    shared.i_am_the_far_end()?;
    let start = AxisVec::from_slice(&[-150.0, -99.0, -10.0]);
    let mut machine = Machine::new(Options { homed: true, start: Some(start), ..Options::new(Firmware::Grbl) });
    let (begin, mut seen) = (Instant::now(), Seen::default());
    let byte_time = baud.map_or(Duration::ZERO, |baud| Duration::from_secs(10) / baud);
    let (mut wire, mut free_at) = (VecDeque::new(), begin);
    let (mut buffer, mut out) = ([0; 4096], Vec::new());
    while !shared.ended.load(Ordering::SeqCst) {
        let watched = shared.watched.load(Ordering::SeqCst);
        let timeout = Timespec { tv_sec: 0, tv_nsec: 300_000 };
        if wire.len() < 4096 && poll(&mut [PollFd::new(&cable, PollFlags::IN)], Some(&timeout))? > 0 {
            let Ok(count) = cable.read(&mut buffer) else { break };
            for byte in &buffer[..count] {
                free_at = free_at.max(Instant::now()) + byte_time;
                wire.push_back((free_at, *byte));
            }
        }
        let now = Instant::now();
        while wire.front().is_some_and(|(at, _)| *at <= now) {
            let Some((at, byte)) = wire.pop_front() else { break };
            seen.byte(watched, at, byte);
            let at = Time::from_micros((at - begin).as_micros() as u64);
            machine.handle_bytes(at, &[byte]);
        }
        let now = Time::from_micros(begin.elapsed().as_micros() as u64);
        machine.advance(now);
        machine.poll_output(now, &mut out);
        if !out.is_empty() {
            if cable.write_all(&out).is_err() {
                break;
            }
            out.clear();
        }
    }
    seen.counters = machine.counters();
    Ok(seen)
}
