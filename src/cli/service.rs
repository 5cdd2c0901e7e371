//! What systemd is told by the daemon (`Type=notify`): that it is ready, that it lives, that it ends. Without systemd nobody is
//! told, and nothing else changes.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

use crate::driver::Pulse;
use crate::hub::Pulses;

/// A loop comes round so many times within systemd's limit.
const ROUNDS: u32 = 8;
/// It is looked at so many times within it.
const LOOKS: u32 = 4;
/// But no loop is made to come round more often than this.
const SHORTEST: Duration = Duration::from_millis(20);

/// systemd's watch over this process.
#[derive(Debug)]
pub(super) struct Watchdog {
    limit: Duration,
    pulses: Pulses,
}

/// A loop that is asked for its health comes round so often.
const ROUND: Duration = Duration::from_secs(1);
/// And is well if it did within this.
const WELL: Duration = Duration::from_secs(5);

/// Loops that can be asked whether they go on, watched by somebody or not.
pub(super) fn pulses() -> Pulses {
    Pulses { machine: Pulse::every(ROUND), hub: Pulse::every(ROUND) }
}

/// Both loops go on. As for the watchdog, inverters' buses do not count.
pub(super) fn is_well(pulses: &Pulses) -> bool {
    [&pulses.machine, &pulses.hub]
        .into_iter()
        .all(|pulse| pulse.age().is_some_and(|age| age < WELL.max(2 * pulse.period())))
}

impl Watchdog {
    /// The one that systemd asks for (`WatchdogSec=`). `None`: nobody watches.
    pub(super) fn asked_for() -> Option<Self> {
        sd_notify::watchdog_enabled().map(Self::with)
    }

    fn with(limit: Duration) -> Self {
        let every = (limit / ROUNDS).max(SHORTEST);
        Self { limit, pulses: Pulses { machine: Pulse::every(every), hub: Pulse::every(every) } }
    }

    /// For the loops.
    pub(super) fn pulses(&self) -> Pulses {
        self.pulses.clone()
    }

    /// Tells that all is well as long as both loops go on. Once one stands still nothing is told any more, and systemd ends the
    /// process when its limit is over. Inverters' buses do not count: one that hangs must not end a program.
    pub(super) async fn feed(&self, mut tell: impl FnMut() -> std::io::Result<()>) {
        let mut looks = interval((self.limit / LOOKS).max(SHORTEST));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let beats = || (self.pulses.machine.beats(), self.pulses.hub.beats());
        let mut seen = beats();
        let (mut stands, mut deaf) = (false, false);
        loop {
            looks.tick().await;
            let now = beats();
            if now.0 != seen.0 && now.1 != seen.1 {
                // Once: nobody listens a second later either.
                let told = tell();
                if let Err(error) = told.as_ref().map_err(ToString::to_string)
                    && !deaf
                {
                    tracing::warn!(%error, "systemd cannot be told that all is well");
                }
                deaf = told.is_err();
                (seen, stands) = (now, false);
            } else if !std::mem::replace(&mut stands, true) {
                tracing::debug!(?now, ?seen, "a loop has not come round");
            }
        }
    }
}

/// It runs, in these words.
pub(super) fn ready(status: &str) {
    told(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// All is well.
pub(super) fn alive() -> std::io::Result<()> {
    sd_notify::notify(&[NotifyState::Watchdog])
}

/// It ends.
pub(super) fn stopping() {
    told(&[NotifyState::Stopping]);
}

/// It takes longer than systemd may expect (`TimeoutStopSec=`), for this long at least.
pub(super) fn takes_longer(time: Duration) {
    told(&[NotifyState::ExtendTimeoutUsec(u32::try_from(time.as_micros()).unwrap_or(u32::MAX))]);
}

fn told(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often it is fed in ten seconds in which these loops go on.
    async fn fed(machine: bool, hub: bool) -> u32 {
        let watchdog = Watchdog::with(Duration::from_secs(2));
        let told = Cell::new(0);
        let turn = async |pulse: &Pulse, on: bool| {
            if !on {
                std::future::pending::<()>().await;
            }
            loop {
                pulse.beat();
                pulse.due().await;
            }
        };
        let all = async {
            tokio::select! {
                () = watchdog.feed(|| { told.set(told.get() + 1); Ok(()) }) => {}
                () = turn(&watchdog.pulses.machine, machine) => {}
                () = turn(&watchdog.pulses.hub, hub) => {}
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(10), all).await.is_err(), "none of them ends");
        told.get()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_fed_by_both_loops_and_by_no_timer() {
        assert!(fed(true, true).await >= 10, "at least twice in each limit");
        assert_eq!(fed(true, false).await, 0);
        assert_eq!(fed(false, true).await, 0);
    }
}
