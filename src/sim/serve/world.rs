//! A machine with a clock and a wire: what all servers share.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::model::Time;
use crate::sim::inverter::BadInverterSettings;
use crate::sim::machine::{BadSettings, Machine, Options, Settings};

use super::control::Control;
use super::outlet::Outlet;
use super::wire::Wire;
use super::wired::Wired;

/// A paced wire takes bytes in only this far ahead; what it has not taken stays with the sender, as on a real port.
const PACED_AHEAD: usize = 32;
/// Output nobody takes is kept up to this; what is older is lost, as on an unplugged cable.
const MOST_OUTPUT: usize = 64 * 1024;
/// Timers are not finer than this.
const TIMER: Duration = Duration::from_millis(1);

/// A server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The pseudo terminal or its link.
    #[error("cannot serve on {}: {source}", path.display())]
    Pty {
        /// The link asked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is not a link stands where the link should be.
    #[error("{} exists and is not a link that sunmill could have made; remove it or choose another path", .0.display())]
    InTheWay(PathBuf),
    /// The TCP port.
    #[error("cannot listen on {addr}: {source}; choose another address or end what listens there")]
    Tcp {
        /// The address asked for.
        addr: String,
        /// Why.
        source: io::Error,
    },
    /// The file of settings cannot be read or written.
    #[error("cannot use the state file {}: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of an inverter's settings holds something else.
    #[error("the state file {} does not fit: {source}", path.display())]
    BadInverterState {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: BadInverterSettings,
    },
    /// The file of settings holds something else.
    #[error("the state file {} does not fit: {source}", path.display())]
    BadState {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: BadSettings,
    },
}

/// Why a server wakes up.
pub(super) enum Next {
    Time,
    Control(Control),
    Quit,
}

/// A machine on real (or tokio's simulated) time, at the end of a wire.
#[derive(Debug)]
pub struct World {
    machine: Machine,
    start: Instant,
    inbound: Wire,
    outbound: Wire,
    state_file: Option<PathBuf>,
    saved: Settings,
    outlet: Option<Outlet>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(outlet) = &self.outlet {
            outlet.draw(0.0);
        }
    }
}

impl World {
    /// Power on now.
    pub fn new(options: Options, pace_baud: Option<u32>) -> Self {
        let machine = Machine::new(options);
        let saved = machine.settings().clone();
        Self {
            machine,
            start: Instant::now(),
            inbound: Wire::new(pace_baud),
            outbound: Wire::new(pace_baud),
            state_file: None,
            saved,
            outlet: None,
        }
    }

    /// It draws its power there.
    #[must_use]
    pub fn plugged(mut self, outlet: Outlet) -> Self {
        self.outlet = Some(outlet);
        self
    }

    /// Power on with the settings kept in `state_file`, and keep them there when they change. A file that is not
    /// there yet means: as delivered.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn with_state_file(
        mut options: Options,
        pace_baud: Option<u32>,
        state_file: &Path,
    ) -> Result<Self, ServeError> {
        let path = state_file.to_path_buf();
        match std::fs::read_to_string(state_file) {
            Ok(text) => {
                let settings = Settings::read(&text, options.firmware, options.axes)
                    .map_err(|source| ServeError::BadState { path: path.clone(), source })?;
                options.settings = Some(settings);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ServeError::State { path, source }),
        }
        let mut world = Self::new(options, pace_baud);
        world.state_file = Some(path);
        Ok(world)
    }

    /// The machine itself, for looking at.
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Does what the person beside the machine did.
    pub fn apply(&mut self, control: Control) {
        self.machine.advance(self.now());
        self.machine.apply(control);
    }

    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// How many bytes [`input`](Self::input) takes now.
    pub(super) fn input_room(&self) -> usize {
        if self.inbound.is_paced() { PACED_AHEAD.saturating_sub(self.inbound.len()) } else { usize::MAX }
    }

    /// Bytes from the sender enter the wire.
    pub(super) fn input(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.inbound.push(now, bytes);
    }

    /// Moves everything on to now; gives what has come out of the wire at the sender's end.
    pub(super) fn output(&mut self) -> Vec<u8> {
        let now = self.now();
        let arrived = self.inbound.arrived(now);
        self.machine.handle_bytes(now, &arrived);
        let mut said = Vec::new();
        self.machine.poll_output(now, &mut said);
        if let Some(outlet) = &self.outlet {
            outlet.draw(self.machine.watts());
        }
        if self.outbound.len() > MOST_OUTPUT {
            self.outbound.clear();
        }
        self.outbound.push(now, &said);
        self.outbound.arrived(now)
    }

    /// Waits until [`output`](Self::output) would do something even without input.
    pub(super) async fn next_event(&self) {
        let times = [self.machine.poll_timeout(), self.inbound.next_arrival(), self.outbound.next_arrival()];
        match times.into_iter().flatten().min() {
            Some(at) => tokio::time::sleep(at.since(self.now()).max(TIMER)).await,
            None => std::future::pending().await,
        }
    }

    /// The same, or what the person beside the machine does. When nobody is there any more, it goes on alone.
    pub(super) async fn next(&self, controls: &mut mpsc::Receiver<Control>) -> Next {
        tokio::select! {
            Some(control) = controls.recv() => Next::Control(control),
            () = self.next_event() => Next::Time,
        }
    }

    /// Does it.
    pub(super) fn obey(&mut self, next: Next, notice: &mut impl FnMut(&str)) -> Next {
        let Next::Control(control) = next else { return next };
        match control {
            Control::Quit => return Next::Quit,
            Control::Help => notice(Control::HELP),
            Control::Counters => {
                let c = self.machine.counters();
                notice(&format!(
                    "lines {}, bytes lost {}, fullest buffer {}, planner starved {}",
                    c.lines, c.rx_overflows, c.max_rx_fill, c.starved
                ));
            }
            _ => self.apply(control),
        }
        Next::Time
    }

    pub(super) fn take_drop(&mut self) -> bool {
        let dropped = self.machine.take_drop();
        if dropped {
            self.inbound.clear();
            self.outbound.clear();
        }
        dropped
    }

    /// Writes the settings to their file if they changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&mut self) -> Result<(), ServeError> {
        let Some(path) = &self.state_file else { return Ok(()) };
        if self.saved == *self.machine.settings() {
            return Ok(());
        }
        self.saved = self.machine.settings().clone();
        std::fs::write(path, self.saved.to_string()).map_err(|source| ServeError::State { path: path.clone(), source })
    }
}

impl Wired for World {
    type Control = Control;

    fn input_room(&self) -> usize {
        self.input_room()
    }

    fn input(&mut self, bytes: &[u8]) {
        self.input(bytes);
    }

    fn output(&mut self) -> Vec<u8> {
        self.output()
    }

    fn take_drop(&mut self) -> bool {
        self.take_drop()
    }

    fn save(&mut self) -> Result<(), ServeError> {
        self.save()
    }

    async fn next_event(&self) {
        self.next_event().await;
    }

    fn obey(&mut self, control: Control, notice: &mut impl FnMut(&str)) -> bool {
        matches!(self.obey(Next::Control(control), notice), Next::Quit)
    }
}
