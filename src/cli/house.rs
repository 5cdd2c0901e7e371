//! What runs behind a screen, or without one: the hub, its machine, and what is kept on disk.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr};
use jiff::tz::TimeZone;
use tokio::runtime::Runtime;

use super::fleet::{Fleet, fleet};
use super::settings::Settings;
use super::store::Kept;
use super::{crash, desk};
use crate::attach::Access;
use crate::config;
use crate::driver::clock::Clock;
use crate::driver::transport::lock_dir;
use crate::driver::wire_log::{self, WireLog, WireLogConfig, WireLogGuard};
use crate::driver::{InProcess, Opener, Pace};
use crate::grbl::session::SessionConfig;
use crate::grbl::tables::Tables;
use crate::hub::power::{PowerKeeping, Remembered};
use crate::hub::programs::{Folders, Library};
use crate::hub::runner::{RunnerConfig, ToolChange};
use crate::hub::sun::plan::{Place, Planning, TariffWindow};
use crate::hub::sun::{ParkPlace, SpindleNeed, StartSetup, SunSetup};
use crate::hub::{self, HubTask, Keeping, Pulses};
use crate::model::hub::HubPort;
use crate::model::people::OnClientLoss;
use crate::model::sun::Learned;
use crate::model::{Axis, AxisVec, Endpoint, Firmware};
use crate::sim::serve::Outlet;
use crate::sim::{Options, serve};
use crate::store::Store;

/// All that is needed to run a machine, not running yet.
pub(super) struct House {
    runtime: Runtime,
    keeping: Keeping,
    store: Option<Store>,
    wire_guard: Option<WireLogGuard>,
    fleet: Fleet,
    remembered: Remembered,
    /// Something to tell at the start.
    pub(super) notice: Option<String>,
    /// Why there is no wire log, if there should be one.
    pub(super) wire_notice: Option<String>,
    settings: Settings,
}

/// A running hub.
pub(super) struct Running {
    /// Handles for clients are made from it.
    pub(super) port: HubPort,
    /// The hub's time.
    pub(super) clock: Clock,
    /// Signs of life of its loops.
    pub(super) pulses: Pulses,
    task: HubTask,
}

impl House {
    /// Opens what is kept on disk.
    ///
    /// # Errors
    /// There is no runtime.
    pub(super) fn build(settings: &Settings) -> Result<Self, Report> {
        crash::install(settings.log_folder.clone())?;
        let source = &settings.source;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), %source, machine = %settings.endpoint, "start");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .wrap_err("cannot start the runtime")?;
        let (wire_log, wire_guard, wire_notice) = wire_log(settings);
        let kept = Kept::open(settings);
        let store = kept.store.clone();
        let fleet = fleet(settings);
        let (remembered, memory_notice) = remembered(store.as_ref(), &fleet);
        let of_fleet = fleet.notices.first().cloned();
        fleet.notices.iter().for_each(|notice| tracing::warn!(notice, "inverters"));
        let notice = kept.notice().or(memory_notice).or(of_fleet);
        let keeping = Keeping {
            backups: settings.backup_folder.clone(),
            wire_log,
            store: kept.store,
            opened: kept.opened,
            store_trouble: kept.trouble,
            programs: Some(library(settings)),
            runner: runner(settings),
            local_priority: settings.config.attach.local_priority,
            on_client_loss: match settings.config.attach.on_client_loss {
                config::OnClientLoss::Continue => OnClientLoss::Continue,
                config::OnClientLoss::Hold => OnClientLoss::Hold,
                config::OnClientLoss::Stop => OnClientLoss::Stop,
            },
            outputs: settings.config.outputs.iter().map(config::Output::to_model).collect(),
            pulses: Pulses::default(),
            power: PowerKeeping { zone: TimeZone::system(), ..PowerKeeping::default() },
            sun: sun(settings, store.as_ref()),
        };
        Ok(Self {
            runtime,
            keeping,
            store,
            wire_guard,
            fleet,
            remembered,
            notice,
            wire_notice,
            settings: settings.clone(),
        })
    }

    /// With loops that show that they go on.
    #[must_use]
    pub(super) fn watched(mut self, pulses: Pulses) -> Self {
        self.keeping.pulses = pulses;
        self
    }

    /// Runs the hub while `doing` lasts. Then it cancels a jog, closes the port and answers all that is open, whatever
    /// the reason; what is kept is on the disk when this returns.
    pub(super) fn run<T>(self, doing: impl AsyncFnOnce(&Running) -> T) -> T {
        let Self { runtime, mut keeping, store, wire_guard, fleet, remembered, settings, .. } = self;
        let done = runtime.block_on(async {
            let clock = Clock::start();
            let outlet = Outlet::default();
            let feeds = (settings.endpoint == Endpoint::Sim).then(|| outlet.clone());
            let buses = fleet.with_simulated(settings.state_folder.as_deref(), feeds);
            keeping.power = keeping.power.start(buses, remembered, clock);
            let in_process = InProcess(Arc::new(move || serve::in_process_on(simulated(), outlet.clone())));
            let opener = Opener { in_process: Some(in_process), ..opener(&settings) };
            let session = session_config(&settings);
            let pulses = keeping.pulses.clone();
            let (port, task) = hub::start_keeping(session, Tables::load(), opener, clock, keeping);
            let port = port.with_desk(desk::start(&settings, clock, store.clone()));
            let running = Running { port, clock, pulses, task };
            let done = doing(&running).await;
            running.task.shutdown().await;
            done
        });
        if let Some(store) = store {
            store.close();
        }
        drop(wire_guard);
        done
    }
}

/// What is remembered of the inverters; and what to tell where that cannot be read.
fn remembered(store: Option<&Store>, fleet: &Fleet) -> (Remembered, Option<String>) {
    let Some(store) = store else { return (Remembered::default(), None) };
    match hub::power::remembered(&store.reader(), fleet.names()) {
        Ok(remembered) => (remembered, None),
        Err(why) => {
            tracing::warn!(%why, "what is remembered of inverters cannot be read");
            (Remembered::default(), Some(format!("what is remembered of inverters cannot be read: {why}")))
        }
    }
}

fn library(settings: &Settings) -> Library {
    let folders = Folders::new(settings.program_folders.clone());
    let warm_up = Duration::from_secs(settings.config.programs.warm_up_s.into());
    Library { folders, concurrent: settings.config.analysis.concurrent as usize, warm_up }
}

/// The wire log, if it is wanted, and what to tell where it cannot be had.
fn wire_log(settings: &Settings) -> (Option<WireLog>, Option<WireLogGuard>, Option<String>) {
    let wanted = &settings.config.wire_log;
    let Some(folder) = settings.log_folder.clone().filter(|_| wanted.enabled) else { return (None, None, None) };
    let file_bytes = u64::from(wanted.file_mib) * 1024 * 1024;
    match wire_log::start(WireLogConfig { folder: folder.clone(), file_bytes, files: wanted.files }) {
        Ok((log, guard)) => (Some(log), Some(guard), None),
        Err(why) => {
            tracing::warn!(%why, folder = %folder.display(), "no wire log");
            (None, None, Some(format!("no wire log in {}: {why}", folder.display())))
        }
    }
}

/// Rules, where the machine is parked, and what earlier runs drew.
fn sun(settings: &Settings, store: Option<&Store>) -> SunSetup {
    let read = store.map(|store| store.reader().run_energies(Learned::RUNS)).transpose();
    let read = read.inspect_err(|why| tracing::warn!(%why, "what earlier runs drew cannot be read"));
    let taught = read.ok().flatten().unwrap_or_default();
    let config::Config { park, spindle, sun, .. } = &settings.config;
    let across = [(Axis::X, park.x), (Axis::Y, park.y)].into_iter().filter_map(|(axis, to)| Some((axis, to?)));
    SunSetup {
        rules: settings.config.rule.iter().map(config::Rule::to_model).collect(),
        park: ParkPlace { z_mm: park.z, across: across.collect(), takes: Duration::from_secs(park.takes_s.into()) },
        taught,
        rated_w: settings.config.machine.rated_w,
        spindle: spindle.surge_w.map(|surge_w| SpindleNeed {
            surge_w,
            rated_w: spindle.rated_w,
            inverter: spindle.inverter.clone(),
        }),
        start: sun.allow_start.then(|| StartSetup {
            margin_w: sun.margin_w,
            lasts: Duration::from_secs(u64::from(sun.for_min) * 60),
            countdown: Duration::from_secs(sun.countdown_s.into()),
            full_percent: sun.full_percent,
            unattended: sun.unattended,
            inverter: sun.inverter.clone(),
        }),
        planning: planning(settings),
    }
}

/// What plans of the battery are made from.
fn planning(settings: &Settings) -> Planning {
    let config::Config { sun, tariff, .. } = &settings.config;
    let place = sun.latitude.zip(sun.longitude).map(|(latitude, longitude)| Place {
        latitude,
        longitude,
        tilt: sun.tilt,
        azimuth: sun.azimuth,
        peak_w: sun.peak_w,
    });
    let tariffs =
        tariff.iter().map(|window| TariffWindow { from: window.from.0, to: window.to.0, price: window.price });
    Planning { inverter: sun.inverter.clone(), place, tariffs: tariffs.collect() }
}

/// How programs are run.
fn runner(settings: &Settings) -> RunnerConfig {
    let programs = &settings.config.programs;
    RunnerConfig {
        folders: library(settings).folders,
        compact: programs.compact,
        tool_change: match programs.tool_change {
            config::ToolChange::Ask => ToolChange::Ask,
            config::ToolChange::Controller => ToolChange::Controller,
        },
        on_link_loss: programs.on_link_loss,
        warm_up: Duration::from_secs(programs.warm_up_s.into()),
    }
}

/// What those who may open the socket may do.
pub(super) fn access(settings: &Settings) -> Access {
    let attach = &settings.config.attach;
    Access { groups: attach.groups.clone().into_iter().collect(), others: attach.others }
}

pub(super) fn opener(settings: &Settings) -> Opener {
    Opener {
        endpoint: settings.endpoint.clone(),
        baud: settings.config.machine.baud,
        pace: match settings.config.machine.pace {
            config::Pace::Auto => Pace::Auto,
            config::Pace::Off => Pace::Off,
            config::Pace::Baud(baud) => Pace::Baud(baud),
        },
        lock_dir: lock_dir(settings.runtime_dir.clone()),
        in_process: Some(InProcess(Arc::new(|| serve::in_process(simulated())))),
    }
}

/// The machine that runs where nothing is configured: homed, with room to move in every direction.
fn simulated() -> Options {
    let start = AxisVec::from_slice(&[50.0, 50.0, -10.0, 0.0]);
    Options { homed: true, start: Some(start), ..Options::new(Firmware::FluidNc) }
}

pub(super) fn session_config(settings: &Settings) -> SessionConfig {
    let machine = &settings.config.machine;
    SessionConfig {
        rx_bytes: machine.rx_buffer,
        idle_interval: Duration::from_millis(machine.poll_idle_ms.into()),
        moving_interval: Duration::from_millis(machine.poll_moving_ms.into()),
        ..SessionConfig::default()
    }
}
