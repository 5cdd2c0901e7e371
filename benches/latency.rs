//! From a key to its realtime byte at the far end of a serial line, while a program-like stream of lines runs.
//!
//! The key is an event for the screen's `update`; its effect goes to the hub's latch, the driver writes the byte,
//! and a thread at the other end of a pseudo-terminal takes it. That thread answers lines as fast as a controller with a
//! fast processor does, or at once, and, for the paced run, keeps the clock of a wire: a byte has arrived when the
//! wire would have brought it, behind all that was written before. Hub, driver and screen share a process, as in `sunmill` without a daemon.

mod support;

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use sunmill::driver::clock::Clock;
use sunmill::driver::pace::Pace;
use sunmill::driver::transport::Opener;
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub;
use sunmill::model::command::{Outcome, Realtime};
use sunmill::model::hub::{Hub, HubPort, LogEvent};
use sunmill::model::log::LogItem;
use sunmill::model::{Command, Endpoint, Snapshot, StateKind, Time};
use sunmill::ui::Settings;
use sunmill::ui::input::{Input, InputEvent};
use sunmill::ui::state::{Effect, Event, Ui};
use sunmill::ui::update::update;
use support::far_end::{FarEnd, Heard, Moments};
use support::{NO_BUDGET, Samples, cable, heading, row, title, value};
use tokio::sync::mpsc;

const KEYS: u64 = 2000;
const BAUD: u32 = 115_200;
/// What a controller needs for a line: 2000 lines/s are more than any of them takes in.
const LINE_TIME: Duration = Duration::from_micros(500);
/// A line of a program, 19 bytes with its end: about the average of real ones.
const LINE: &str = "G1X12.345Y67.89F600";
/// Unanswered lines that the stream keeps up: more than any receive buffer holds, fewer than the session queues.
const DEPTH: usize = 16;
/// Ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the stream alone is watched.
const STREAM: Duration = Duration::from_secs(3);

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    heading("Feed hold key to its byte at the far end, while lines stream");
    row("a bare write to the other end, idle", &runtime.block_on(bare())?, "what this computer does at best");
    let unpaced = runtime.block_on(run(None, LINE_TIME))?;
    row("unpaced, 2000 lines/s", &unpaced.keys, "p99 < 1 ms");
    let flood = runtime.block_on(run(None, Duration::ZERO))?;
    row("unpaced, as fast as both ends can", &flood.keys, NO_BUDGET);
    let paced = runtime.block_on(run(Some(BAUD), Duration::ZERO))?;
    row("at the end of a 115,200-baud wire", &paced.keys, "p50 <= 3 ms, p99 <= 5 ms");
    row("the same, to the write", &paced.writes, "p99 < 1 ms");
    title("The stream meanwhile (lines through the hub's command queue)");
    value("lines, unpaced", unpaced.lines_per_s, "lines/s", NO_BUDGET);
    value("lines, as fast as both ends can", flood.lines_per_s, "lines/s", NO_BUDGET);
    value("lines at 115,200 baud", paced.lines_per_s, "lines/s", NO_BUDGET);
    let wire = paced.lines_per_s * (LINE.len() + 1) as f64 * 10.0 / f64::from(BAUD);
    value("use of that wire by lines", wire, "of its bytes", NO_BUDGET);
    Ok(())
}

struct Figures {
    /// To the moment at which the byte has arrived.
    keys: Samples,
    /// To the moment at which it could be read, whatever the wire.
    writes: Samples,
    lines_per_s: f64,
}

async fn run(baud: Option<u32>, line_time: Duration) -> io::Result<Figures> {
    let cable = cable()?;
    let locks = tempfile::tempdir()?;
    let (tell, mut heard) = mpsc::channel(16);
    let far_end = std::thread::spawn(move || FarEnd::new(cable.machine, baud, line_time, tell).run());
    let opener = Opener {
        endpoint: Endpoint::Serial(cable.path),
        baud: BAUD,
        pace: baud.map_or(Pace::Off, Pace::Baud),
        lock_dir: locks.path().to_owned(),
        in_process: None,
    };
    let clock = Clock::start();
    let (port, task) = hub::start(SessionConfig::default(), Tables::load(), opener, clock);
    // The driver has the only hold on the line from now on.
    let mut screen = port.attach_screen();
    until(&mut screen, |snapshot| snapshot.machine.fresh_state(clock.now()).is_some()).await?;
    drop(cable.computer);

    let stream = tokio::spawn(stream(port.clone()));
    until(&mut screen, |snapshot| is_in(snapshot, StateKind::Run)).await?;
    let lines_per_s = rate(port.attach_screen()).await?;
    let (keys, writes) = press_keys(&mut screen, clock, &mut heard).await?;
    stream.abort();
    drop(screen);
    drop(port);
    task.shutdown().await;
    let _ = far_end.join();
    Ok(Figures { keys, writes, lines_per_s })
}

/// The same way without sunmill: a byte written into the same kind of line while nothing else goes on.
async fn bare() -> io::Result<Samples> {
    let mut cable = cable()?;
    let (tell, mut heard) = mpsc::channel(16);
    let far_end = std::thread::spawn(move || FarEnd::new(cable.machine, None, Duration::ZERO, tell).run());
    let (mut samples, mut moments, mut report) = (Samples::default(), Moments::new(), [0; 256]);
    for _ in 0..KEYS / 4 {
        moments.next().await;
        let written = Instant::now();
        cable.computer.write_all(b"!")?;
        let Some(byte) = heard.recv().await else { return Err(io::Error::other("the byte never came")) };
        samples.push(byte.read - written);
        // Its report, or the line would fill up and stop the other end.
        let _ = cable.computer.read(&mut report)?;
    }
    drop(cable.computer);
    let _ = far_end.join();
    Ok(samples)
}

/// Presses the key of the feed hold again and again, at moments that have nothing to do with the stream.
async fn press_keys(hub: &mut Hub, clock: Clock, heard: &mut mpsc::Receiver<Heard>) -> io::Result<(Samples, Samples)> {
    let mut ui = Ui::new(Settings::default());
    let (mut keys, mut writes) = (Samples::default(), Samples::default());
    let mut moments = Moments::new();
    for batch in 0..KEYS {
        moments.next().await;
        let pressed = Instant::now();
        press(&mut ui, hub, clock.now(), batch);
        let byte = tokio::time::timeout(PATIENCE, heard.recv()).await;
        let Ok(Some(byte)) = byte else { return Err(io::Error::other("the key's byte never came")) };
        keys.push(byte.arrived - pressed);
        writes.push(byte.read - pressed);
        until(hub, |snapshot| is_in(snapshot, StateKind::Hold)).await?;
        hub.realtime(Realtime::CycleStart);
        until(hub, |snapshot| is_in(snapshot, StateKind::Run)).await?;
    }
    Ok((keys, writes))
}

fn press(ui: &mut Ui, hub: &Hub, now: Time, batch: u64) {
    let key = KeyEvent::new(KeyCode::Char('!'), KeyModifiers::NONE);
    let event = Event::Input(InputEvent { at: now, batch, keys_in_batch: 1, what: Input::Key(key) });
    for effect in update(ui, &event, &hub.snapshot(), now) {
        if let Effect::Realtime(realtime) = effect {
            hub.realtime(realtime);
        }
    }
}

fn is_in(snapshot: &Snapshot, kind: StateKind) -> bool {
    snapshot.machine.state.is_some_and(|state| state.kind == kind)
}

async fn until(hub: &mut Hub, wanted: impl Fn(&Snapshot) -> bool) -> io::Result<()> {
    let mut snapshot = hub.snapshot();
    while !wanted(&snapshot) {
        snapshot = match tokio::time::timeout(PATIENCE, hub.changed()).await {
            Ok(Ok(snapshot)) => snapshot,
            _ => return Err(io::Error::other(format!("the machine stays at {:?}", snapshot.machine.state))),
        };
    }
    Ok(())
}

/// Keeps lines coming, as a program does; goes on by itself after a hold.
async fn stream(port: HubPort) {
    let mut hub = port.attach_screen();
    let mut open = 0_usize;
    loop {
        while open < DEPTH && hub.submit(Command::Mdi(LINE.to_owned())).is_ok() {
            open += 1;
        }
        let Ok(event) = hub.log().await else { return };
        match answered(&event) {
            Some(true) => open = open.saturating_sub(1),
            // On hold: no use in asking at full speed.
            Some(false) => {
                open = open.saturating_sub(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // The log ran over: what was lost is taken for answered.
            None if matches!(event, LogEvent::Gap(_)) => open = 0,
            None => {}
        }
    }
}

/// Whether a line has ended, and if so whether well.
fn answered(event: &LogEvent) -> Option<bool> {
    let LogEvent::Entry(entry) = event else { return None };
    match &entry.what {
        LogItem::Outcome { outcome, .. } => Some(*outcome == Outcome::Done),
        _ => None,
    }
}

async fn rate(mut hub: Hub) -> io::Result<f64> {
    let (start, mut lines) = (Instant::now(), 0_u64);
    while start.elapsed() < STREAM {
        let event = hub.log().await.map_err(io::Error::other)?;
        lines += u64::from(answered(&event) == Some(true));
    }
    Ok(lines as f64 / start.elapsed().as_secs_f64())
}
