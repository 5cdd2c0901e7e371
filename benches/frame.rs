//! Frames: how many bytes reach the terminal and how long it takes to make them.
//!
//! The screen shows the simulated machine, with a console that is full.

mod support;

use std::hint::black_box;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Size;
use sunmill::driver::clock::Clock;
use sunmill::driver::pace::Pace;
use sunmill::driver::transport::{InProcess, Opener};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub;
use sunmill::model::hub::LogEvent;
use sunmill::model::log::{LogEntry, LogItem};
use sunmill::model::machine::MessageLevel;
use sunmill::model::snapshot::LinkState;
use sunmill::model::{AxisVec, Endpoint, Firmware, Snapshot, Time};
use sunmill::sim::{self, Options};
use sunmill::ui::Settings;
use sunmill::ui::screen::Screen;
use sunmill::ui::state::{Event, Ui};
use sunmill::ui::update::update;
use sunmill::ui::view::view;
use support::{NO_BUDGET, Samples, heading, row, title, value};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];
const FRAMES: usize = 2000;
/// Reports of a moving machine in a second.
const REPORTS: u64 = 10;

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (snapshot, now) = runtime.block_on(simulated())?;
    let mut kinds: Vec<(String, Samples)> = Vec::new();
    title("Bytes of a frame");
    for (width, height) in SIZES {
        let mut scene = Scene::new(Size::new(width, height), snapshot.clone(), now);
        let size = format!("{width}x{height}");
        value(&format!("{size}, whole"), scene.whole()? as f64, "bytes", NO_BUDGET);
        value(&format!("{size}, nothing new"), scene.changed()? as f64, "bytes", "0");
        let moved = (0..REPORTS).map(|_| scene.moved()).sum::<io::Result<usize>>()?;
        value(&format!("{size}, a second of {REPORTS} reports"), moved as f64, "bytes", "< 2000");
        value(&format!("{size}, one more console line"), scene.scrolled()? as f64, "bytes", NO_BUDGET);

        let mut time = |name: &str, frame: &mut dyn FnMut(&mut Scene) -> io::Result<usize>| {
            let samples = Samples::of(FRAMES, || {
                black_box(frame(&mut scene)).unwrap_or_default();
            });
            kinds.push((format!("{size}, {name}"), samples));
        };
        time("whole", &mut Scene::whole);
        time("position moved", &mut Scene::moved);
        time("one more console line", &mut Scene::scrolled);
    }
    heading("Time to make a frame");
    for (name, samples) in &kinds {
        row(name, samples, NO_BUDGET);
    }
    Ok(())
}

/// A screen and what it shows.
struct Scene {
    screen: Screen,
    ui: Ui,
    snapshot: Snapshot,
    now: Time,
    lines: u64,
}

impl Scene {
    fn new(size: Size, snapshot: Snapshot, now: Time) -> Self {
        let ui = Ui::new(Settings::default());
        let mut scene = Self { screen: Screen::new(size), ui, snapshot, now, lines: 0 };
        (0..50).for_each(|_| scene.print());
        scene
    }

    fn whole(&mut self) -> io::Result<usize> {
        self.screen.forget();
        self.changed()
    }

    /// All axes have moved on by one report.
    fn moved(&mut self) -> io::Result<usize> {
        let machine = &mut self.snapshot.machine;
        let step = AxisVec::from_slice(&[1.237, -0.618, 0.05]);
        for position in [&mut machine.machine_position, &mut machine.work_position] {
            *position = position.map(|position| position.plus(&step));
        }
        self.changed()
    }

    fn scrolled(&mut self) -> io::Result<usize> {
        self.print();
        self.changed()
    }

    fn changed(&mut self) -> io::Result<usize> {
        let (ui, snapshot, now) = (&self.ui, &self.snapshot, self.now);
        Ok(self.screen.frame(|buffer| view(ui, snapshot, now, buffer).cursor)?.len())
    }

    /// The controller prints a line.
    fn print(&mut self) {
        self.lines += 1;
        let text = format!("Probed at {} mm, tool length offset is in force", self.lines);
        let what = LogItem::Received { level: MessageLevel::Info, text };
        let entry = LogEntry { id: self.lines, at: self.now, what };
        update(&mut self.ui, &Event::Log(LogEvent::Entry(Arc::new(entry))), &self.snapshot, self.now);
    }
}

/// The simulated machine, known and idle.
async fn simulated() -> io::Result<(Snapshot, Time)> {
    let opener = Opener {
        endpoint: Endpoint::Sim,
        baud: 115_200,
        pace: Pace::Off,
        lock_dir: PathBuf::new(),
        in_process: Some(InProcess(Arc::new(|| sim::serve::in_process(Options::new(Firmware::FluidNc))))),
    };
    let clock = Clock::start();
    let (port, task) = hub::start(SessionConfig::default(), Tables::load(), opener, clock);
    let mut hub = port.attach_screen();
    let known =
        |snapshot: &Snapshot| snapshot.machine.link.state == LinkState::Up && snapshot.machine.work_position.is_some();
    let mut snapshot = hub.snapshot();
    while !known(&snapshot) {
        let changed = tokio::time::timeout(Duration::from_secs(10), hub.changed()).await;
        let Ok(Ok(newer)) = changed else { return Err(io::Error::other("the simulated machine does not answer")) };
        snapshot = newer;
    }
    let now = clock.now();
    task.shutdown().await;
    Ok(((*snapshot).clone(), now))
}
