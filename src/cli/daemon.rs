//! `sunmill daemon`: the hub alone.

use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::{Report, eyre};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::exit::Failure;
use super::house::{House, access, opener};
use super::service::{self, Watchdog};
use super::settings::Settings;
use super::{logged, logging, out, socket, tcp};
use crate::attach::{Listening, serve};
use crate::config::OnStop;
use crate::model::command::{Origin, Realtime};
use crate::model::hub::Hub;
use crate::model::program::{Run, RunState};

/// A program that is ended stands within this, or it is held as it is. Less than the unit's `TimeoutStopSec=`.
const LONGEST_STOP: Duration = Duration::from_secs(10);
/// How often systemd is told that a program is still waited for.
const STILL_WAITS: Duration = Duration::from_secs(5);

/// Runs until it is told to end (SIGTERM, SIGINT), and on without the terminal in which it was started. A program comes to the end that `[daemon] on_stop` says; what still moves then is
/// held, a jog cancelled, the link closed, and the line of a program is in the journal. systemd is told when it is ready, lives and ends.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    if let Some(remote) = &settings.remote {
        let url = &remote.url;
        return Err(
            eyre!("{url}: a daemon serves a socket of this computer; [attach.tcp] opens a port beside it").into()
        );
    }
    let Some(path) = socket::of_daemon(settings) else {
        return Err(eyre!(
            "there is no place for the socket: give --socket, or set $SUNMILL_SOCKET or $XDG_RUNTIME_DIR"
        )
        .into());
    };
    // Ruling 13: one hub a device, whoever runs it. It would otherwise try for ever, and say that it serves.
    if let Some(taken) = opener(settings).held_by_another() {
        return Err(Failure::refused(eyre!("{taken}, or attach to it: sunmill --socket FILE")));
    }
    let log = settings.log_folder.as_ref().map(|folder| logging::start(&settings.config.log, folder)).transpose()?;
    let watchdog = Watchdog::asked_for();
    let pulses = watchdog.as_ref().map_or_else(|| tcp::pulses(settings), Watchdog::pulses);
    let house = House::build(settings)?.watched(pulses);
    house.run(async |running| -> Result<(), Report> {
        let listening = Listening::bind(&path)?;
        let tcp = tcp::open(settings).await?;
        let also = tcp.as_ref().map_or_else(String::new, |tcp| format!(" and {}", tcp.url()));
        let serves = format!("serves {} on {}{also}", settings.endpoint, listening.path().display());
        out::words(&format!("sunmill {serves}"));
        // With the whole log: the first of it is what the start was like.
        tokio::spawn(logged::follow(running.port.attach(Origin::Hub), logged::Teller::start()?));
        let clock = running.clock;
        let mut server = serve(listening, running.port.clone(), access(settings), move || clock.now());
        tcp::serve(&mut server, tcp, &running.pulses);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Who started it in a terminal may close that: it has no screen to lose. Unheard, the signal would end it in mid-motion.
        let _hang_up = signal(SignalKind::hangup())?;
        let mut watch = running.port.attach_screen();
        service::ready(&serves);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = async { while watch.changed().await.is_ok() {} } => {
                return Err(eyre!("what runs the machine has failed inside sunmill; see the log"));
            }
            () = fed(watchdog.as_ref()) => {}
        }
        service::stopping();
        let on_stop = settings.config.daemon.on_stop;
        // Those who are attached can still look, and stop. Who signals again does not want to wait.
        tokio::select! {
            () = ended(on_stop, running.port.join(Origin::Hub)) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = fed(watchdog.as_ref()) => {}
        }
        drop(server);
        Ok(())
    })?;
    drop(log);
    Ok(ExitCode::SUCCESS)
}

/// Feeds the watchdog, if there is one; never ends.
async fn fed(watchdog: Option<&Watchdog>) {
    match watchdog {
        Some(watchdog) => watchdog.feed(service::alive).await,
        None => std::future::pending().await,
    }
}

/// Brings a program to the end that is wanted. What it leaves in motion is held afterwards, as everything is that moves.
async fn ended(on_stop: OnStop, mut hub: Hub) {
    match on_stop {
        OnStop::Hold => {}
        OnStop::Stop => {
            let open = |run: &Run| run.state.is_open();
            if hub.snapshot().programs.run.as_ref().is_some_and(open) {
                hub.realtime(Realtime::StopProgram);
                if timeout(LONGEST_STOP, while_it_is(&mut hub, open)).await.is_err() {
                    tracing::warn!("the program was not seen to end");
                }
            }
        }
        OnStop::Finish => {
            let mut still = interval(STILL_WAITS);
            still.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let waits = async {
                loop {
                    still.tick().await;
                    service::takes_longer(3 * STILL_WAITS);
                }
            };
            tokio::select! {
                () = while_it_is(&mut hub, goes_on) => {}
                () = waits => {}
            }
        }
    }
}

/// It comes to its end by itself; one that is paused or asks something may wait for ever.
fn goes_on(run: &Run) -> bool {
    let moves_on = matches!(run.state, RunState::Ready | RunState::Running | RunState::Pausing | RunState::Stopping);
    moves_on && run.prompt.is_none()
}

/// Waits as long as there is a run like this.
async fn while_it_is(hub: &mut Hub, like_this: impl Fn(&Run) -> bool) {
    while hub.snapshot().programs.run.as_ref().is_some_and(&like_this) {
        if hub.changed().await.is_err() {
            return;
        }
    }
}
