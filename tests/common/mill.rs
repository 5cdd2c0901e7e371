//! A shop with a folder of programs.
#![allow(clippy::unwrap_used, reason = "a test ends where it does not find what it needs")]

use std::path::PathBuf;
use std::sync::Arc;

use sunmill::hub::Keeping;
use sunmill::hub::programs::{Folder, Folders};
use sunmill::hub::runner::RunnerConfig;
use sunmill::model::machine::Firmware;
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, Interrupted, ProgramOrder, Prompt, Run, RunEnd, RunRequest, RunState, Start};
use sunmill::model::{AxisVec, Command, Outcome, Snapshot};
use sunmill::sim::{FaultPlan, Options, serve};
use sunmill::store::{RunFilter, Store, StoreOptions};
use tempfile::TempDir;
use tokio::io::DuplexStream;

use super::shop::{Shop, middle};

/// A shop with a folder of programs.
pub struct Mill {
    /// Hub, driver and machine.
    pub shop: Shop,
    /// Its programs, and `store.db`.
    pub folder: TempDir,
    /// What is kept.
    pub store: Option<Store>,
}

impl Mill {
    /// Its machine is homed and idle.
    pub async fn open(firmware: Firmware) -> Self {
        Self::with(firmware, "", None).await
    }

    /// With a fault, such as `drop@5s`, and the runner's settings changed.
    pub async fn with(firmware: Firmware, fault: &str, config: Option<RunnerConfig>) -> Self {
        Self::on_disk(firmware, fault, config, StoreOptions::default()).await
    }

    /// The same with a store of its own manners.
    pub async fn on_disk(firmware: Firmware, fault: &str, config: Option<RunnerConfig>, disk: StoreOptions) -> Self {
        let faults: Vec<FaultPlan> = fault.split_terminator(' ').map(|f| f.parse().unwrap()).collect();
        let first = std::sync::atomic::AtomicBool::new(true);
        let link = move || {
            // A link that comes back finds the machine as it is, not with the same trouble ahead.
            let faults =
                if first.swap(false, std::sync::atomic::Ordering::SeqCst) { faults.clone() } else { Vec::new() };
            serve::in_process(Options { faults, ..Self::machine(firmware) })
        };
        Self::on_link(link, config, disk).await
    }

    /// A homed machine in the middle of its travel.
    pub fn machine(firmware: Firmware) -> Options {
        let start = AxisVec::from_slice(&[middle(firmware), middle(firmware), -30.0, 0.0]);
        Options { homed: true, start: Some(start), ..Options::new(firmware) }
    }

    /// On a link that is made anew by whoever is asked for it.
    pub async fn on_link(
        link: impl Fn() -> DuplexStream + Send + Sync + 'static,
        config: Option<RunnerConfig>,
        disk: StoreOptions,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Folder { name: "here".to_owned(), path: folder.path().to_owned() };
        let config = RunnerConfig { folders: Folders::new(vec![place]), ..config.unwrap_or_default() };
        let (store, opened) = Store::open_with(&folder.path().join("store.db"), disk).unwrap();
        let keeping = Keeping { runner: config, store: Some(store.clone()), opened, ..Keeping::default() };
        let (mut shop, _) = Shop::start_on(link, keeping);
        shop.until_ready().await;
        Self { shop, folder, store: Some(store) }
    }

    /// Puts a program into the folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// To run it from its beginning, agreed to whatever is asked.
    pub fn request(path: PathBuf) -> RunRequest {
        let agreed = Agreed { unchecked: true, warnings: true, position_word: POSITION_WORD.to_owned() };
        RunRequest { path, seen: None, start: Start::Beginning, agreed, check_mode: false, on_link_loss: None }
    }

    /// Asks for something and waits for the outcome.
    pub async fn ask(&mut self, order: ProgramOrder) -> Outcome {
        self.shop.ask(Command::Program(order)).await
    }

    /// Asks for a run.
    pub async fn ask_run(&mut self, request: RunRequest) -> Outcome {
        self.ask(ProgramOrder::Run(Box::new(request))).await
    }

    /// Starts a program of this text.
    pub async fn run(&mut self, text: &str) -> PathBuf {
        let path = self.write("part.nc", text);
        assert_eq!(self.ask_run(Self::request(path.clone())).await, Outcome::Done);
        path
    }

    /// Waits for a run as wanted.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Run) -> bool) -> Run {
        let snapshot = self.shop.until(what, |s| s.programs.run.as_ref().is_some_and(&wanted)).await;
        snapshot.programs.run.clone().unwrap()
    }

    /// Waits for its end.
    pub async fn over(&mut self) -> Run {
        self.until("end of the run", |run| !run.state.is_open()).await
    }

    /// Waits until it asks something.
    pub async fn prompt(&mut self) -> Prompt {
        self.until("prompt", |run| run.prompt.is_some() && matches!(run.state, RunState::Paused(_)))
            .await
            .prompt
            .unwrap()
    }

    /// Waits for the offer to go on.
    pub async fn interrupted(&mut self) -> Arc<Interrupted> {
        let snapshot = self.shop.until("offer to go on", |s| s.programs.interrupted.is_some()).await;
        snapshot.programs.interrupted.clone().unwrap()
    }

    /// How the last run ended, as the history has it.
    pub fn history(&mut self) -> Option<RunEnd> {
        let store = self.store.clone().unwrap();
        store.flush().unwrap();
        let runs = store.reader().runs(&RunFilter::default(), 0, 10).unwrap();
        runs.first().and_then(|run| run.end.clone())
    }

    /// Ends all.
    pub async fn close(self) {
        self.shop.task.shutdown().await;
    }
}

/// Back and forth, `n` times, in small steps.
pub fn moves(n: usize) -> String {
    let mut text = "G21 G90 (metric)\nG1 F6000\nG91\n".to_owned();
    for i in 0..n {
        text.push_str(if i % 2 == 0 { "G1 X1.5 Y0.5\n" } else { "G1 X-1.5 Y-0.5\n" });
    }
    text + "G90\n"
}

/// Where X is, in machine coordinates.
pub fn x(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[0])
}

/// Where Z is.
pub fn z(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[2])
}
