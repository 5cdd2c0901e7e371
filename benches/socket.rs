//! What it costs to have the hub behind a socket: a key's way through it while a program streams, telling the state to many, being left
//! open, and a client that asks a million times at once. The hub is `sunmill daemon` in a process of its own.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;
use sunmill::attach::client::{Attached, Me, connect};
use sunmill::model::command::Realtime;
use sunmill::model::hub::Hub;
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ProgramOrder, RunRequest, Start};
use sunmill::model::{Command, Snapshot, StateKind, Time};
use sunmill::ui::Settings;
use sunmill::ui::input::{Input, InputEvent};
use sunmill::ui::state::{Effect, Event, Ui};
use sunmill::ui::update::update;
use support::far_end::{FarEnd, Heard, Moments};
use support::process::{PROGRAM, Simulator, status, usage};
use support::{NO_BUDGET, Samples, cable, heading, row, title, value};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

const KEYS: u64 = 300;
/// What a controller needs for a line: 2000 lines/s are more than any of them takes in.
const LINE_TIME: Duration = Duration::from_micros(500);
/// More than the run of keys takes.
const LINES: usize = 600_000;
/// How many watch.
const WATCHERS: [usize; 3] = [1, 10, 50];
const SETTLE: Duration = Duration::from_secs(5);
const WATCHED: Duration = Duration::from_secs(10);
const FANNED: Duration = Duration::from_secs(5);
/// Requests in one write.
const HEAP: u64 = 1_000_000;
/// Ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    heading("Feed hold key of an attached screen to its byte at the far end, while a program streams");
    let keys = runtime.block_on(keys())?;
    row("through the socket, 2000 lines/s", &keys, "p99 < 3 ms");
    title("Telling the state of a machine that moves, ten times a second");
    runtime.block_on(fan_out())?;
    title("Left open without a screen: machine polled at 5 Hz");
    idle(false)?;
    title("Left open without a screen: machine and inverter polled");
    idle(true)?;
    title("A million requests in one write");
    heap()
}

/// A hub without a screen.
struct Daemon {
    child: Child,
    socket: PathBuf,
    home: TempDir,
}

impl Daemon {
    fn start(config: &str) -> io::Result<Self> {
        let home = tempfile::tempdir()?;
        fs::write(home.path().join("config.toml"), config)?;
        let socket = home.path().join("sunmill.sock");
        let mut child = Process::new(PROGRAM)
            .args(["daemon", "--socket"])
            .arg(&socket)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        // It says where it is once others can attach.
        if let Some(words) = child.stderr.take() {
            BufReader::new(words).read_line(&mut String::new())?;
        }
        Ok(Self { child, socket, home })
    }

    async fn screen(&self) -> io::Result<Attached> {
        let me = Me { program: "bench".into(), from: String::new(), screen: true, max_hz: Some(20.0) };
        connect(&self.socket, me).await.map_err(io::Error::other)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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

fn is_in(snapshot: &Snapshot, kind: StateKind) -> bool {
    snapshot.machine.state.is_some_and(|state| state.kind == kind)
}

async fn keys() -> io::Result<Samples> {
    let cable = cable()?;
    let (tell, mut heard) = mpsc::channel(16);
    let far_end = std::thread::spawn(move || FarEnd::new(cable.machine, None, LINE_TIME, tell).run());
    let config =
        format!("[machine]\nport = \"{}\"\npace = \"off\"\n[programs]\nfolders = [\".\"]\n", cable.path.display());
    let daemon = Daemon::start(&config)?;
    let path = daemon.home.path().join("part.nc");
    fs::write(&path, "G1X12.345Y67.89F600\n".repeat(LINES))?;
    let Attached { mut hub, clock, .. } = daemon.screen().await?;
    until(&mut hub, |snapshot| is_in(snapshot, StateKind::Idle) && snapshot.machine.identity.is_some()).await?;
    // The daemon has the only hold on the line from now on.
    drop(cable.computer);
    let agreed = Agreed { warnings: true, unchecked: true, position_word: POSITION_WORD.to_owned() };
    let request =
        RunRequest { path, seen: None, start: Start::Beginning, agreed, check_mode: false, on_link_loss: None };
    hub.submit(Command::Program(ProgramOrder::Run(Box::new(request)))).map_err(io::Error::other)?;
    until(&mut hub, |snapshot| is_in(snapshot, StateKind::Run)).await?;
    let samples = press_keys(&mut hub, || clock.now(), &mut heard).await?;
    drop(hub);
    drop(daemon);
    let _ = far_end.join();
    Ok(samples)
}

async fn press_keys(hub: &mut Hub, now: impl Fn() -> Time, heard: &mut mpsc::Receiver<Heard>) -> io::Result<Samples> {
    let mut ui = Ui::new(Settings::default());
    let (mut samples, mut moments) = (Samples::default(), Moments::new());
    for batch in 0..KEYS {
        moments.next().await;
        let key = KeyEvent::new(KeyCode::Char('!'), KeyModifiers::NONE);
        let pressed = Instant::now();
        let event = Event::Input(InputEvent { at: now(), batch, keys_in_batch: 1, what: Input::Key(key) });
        for effect in update(&mut ui, &event, &hub.snapshot(), now()) {
            if let Effect::Realtime(realtime) = effect {
                hub.realtime(realtime);
            }
        }
        let byte = tokio::time::timeout(PATIENCE, heard.recv()).await;
        let Ok(Some(byte)) = byte else { return Err(io::Error::other("the key's byte never came")) };
        samples.push(byte.read - pressed);
        until(hub, |snapshot| is_in(snapshot, StateKind::Hold)).await?;
        hub.realtime(Realtime::CycleStart);
        until(hub, |snapshot| is_in(snapshot, StateKind::Run)).await?;
    }
    Ok(samples)
}

async fn fan_out() -> io::Result<()> {
    let daemon = Daemon::start("[machine]\nport = \"sim\"\n")?;
    let mut hub = daemon.screen().await?.hub;
    until(&mut hub, |snapshot| is_in(snapshot, StateKind::Idle) && snapshot.machine.work_position.is_some()).await?;
    for line in ["G91 G21 G94", "G1 X45 F60"] {
        hub.submit(Command::Mdi(line.to_owned())).map_err(io::Error::other)?;
    }
    until(&mut hub, |snapshot| is_in(snapshot, StateKind::Run)).await?;
    let pid = daemon.child.id();
    for count in WATCHERS {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut watchers = Vec::new();
        for _ in 0..count {
            watchers.push(watch(&daemon.socket, Arc::clone(&bytes)).await?);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = (Instant::now(), usage(pid)?, bytes.load(Ordering::Relaxed));
        tokio::time::sleep(FANNED).await;
        let seconds = before.0.elapsed().as_secs_f64();
        let cpu = usage(pid)?.cpu.saturating_sub(before.1.cpu).as_secs_f64() / seconds;
        let told = (bytes.load(Ordering::Relaxed) - before.2) as f64 / seconds / count as f64;
        value(&format!("{count} that watch: CPU"), cpu * 1e3, "ms of one core in a second", NO_BUDGET);
        value(&format!("{count} that watch: told to each"), told, "bytes/s", NO_BUDGET);
        watchers.iter().for_each(tokio::task::JoinHandle::abort);
    }
    Ok(())
}

/// A client that takes what it is told and makes nothing of it.
async fn watch(socket: &PathBuf, bytes: Arc<AtomicU64>) -> io::Result<tokio::task::JoinHandle<()>> {
    let mut stream = tokio::net::UnixStream::connect(socket).await?;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1, "client": "bench"}});
    let subscribe = json!({"jsonrpc": "2.0", "id": 2, "method": "subscribe", "params": {"max_hz": 10, "events": true}});
    stream.write_all(format!("{hello}\n{subscribe}\n").as_bytes()).await?;
    Ok(tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.fetch_add(count as u64, Ordering::Relaxed);
        }
    }))
}

fn idle(with_inverter: bool) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let (machine, sun) = (folder.path().join("machine"), folder.path().join("sun"));
    let _machine = Simulator::machine(&machine, "fluidnc")?;
    let mut config = format!("[machine]\nport = \"{}\"\n", machine.display());
    let inverter = if with_inverter { Some(Simulator::inverter(&sun, "senergy_hybrid")?) } else { None };
    if inverter.is_some() {
        let _ = write!(
            config,
            "[[bus]]\nname = \"roof\"\nport = \"{}\"\n[[inverter]]\nname = \"hybrid\"\nbus = \"roof\"\nprofile = \"senergy_hybrid\"\n",
            sun.display()
        );
    }
    let daemon = Daemon::start(&config)?;
    let pid = daemon.child.id();
    std::thread::sleep(SETTLE);
    let before = (Instant::now(), usage(pid)?);
    std::thread::sleep(WATCHED);
    let (after, seconds) = (usage(pid)?, before.0.elapsed().as_secs_f64());
    let cpu = after.cpu.saturating_sub(before.1.cpu).as_secs_f64() / seconds * 100.0;
    let (most_cpu, most_memory) = if with_inverter { ("< 0.5 %", "< 16 MiB") } else { ("< 0.3 %", "< 12 MiB") };
    value("CPU", cpu, "% of one core", most_cpu);
    value("resident memory", status(pid, "VmRSS:")? / 1024.0, "MiB", most_memory);
    value("of it not shared with the file", status(pid, "RssAnon:")? / 1024.0, "MiB", NO_BUDGET);
    value("threads switched to", (after.switches - before.1.switches) as f64 / seconds, "per s", NO_BUDGET);
    Ok(())
}

fn heap() -> io::Result<()> {
    let daemon = Daemon::start("[machine]\nport = \"sim\"\n")?;
    let pid = daemon.child.id();
    let stream = UnixStream::connect(&daemon.socket)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut to_hub = stream;
    writeln!(
        to_hub,
        "{}",
        json!({"jsonrpc": "2.0", "id": 0, "method": "hello", "params": {"protocol": 1, "client": "heap"}})
    )?;
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let ask = |id: u64| format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": "ping"}));
    let heap: String = (1..=HEAP).map(ask).collect();
    let before = status(pid, "VmHWM:")?;
    let start = Instant::now();
    let writes = std::thread::spawn(move || to_hub.write_all(heap.as_bytes()));
    for id in 1..=HEAP {
        line.clear();
        answers.read_line(&mut line)?;
        if !line.contains(&format!("\"id\":{id},")) {
            return Err(io::Error::other(format!("answer {id} is {line}")));
        }
    }
    let took = start.elapsed().as_secs_f64();
    writes.join().map_err(|_| io::Error::other("the heap was not written"))??;
    value("answered in order", HEAP as f64 / took, "requests/s", NO_BUDGET);
    value("memory that it took", (status(pid, "VmHWM:")? - before) / 1024.0, "MiB", NO_BUDGET);
    Ok(())
}
