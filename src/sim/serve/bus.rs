//! A simulated inverter on real (or tokio's simulated) time: what its connections share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::model::Time;
use crate::sim::inverter::{Client, InverterOptions, SimInverter};

use super::bus_control::{BusControl, shown};
use super::outlet::Outlet;
use super::wired::Wired;
use super::world::ServeError;

/// Timers are not finer than this.
const TIMER: Duration = Duration::from_millis(1);
/// What the pipe of [`Bus::connect`] holds in each direction.
const PIPE_BYTES: usize = 4096;
/// Connections at a time; gateways have no more either.
const MOST_CONNECTIONS: usize = 32;
/// The serial line, which is one connection.
const LINE: Client = 0;

/// A simulated inverter with a clock, shared by whoever is connected to it. Clones are the same inverter.
#[derive(Clone, Debug)]
pub struct Bus {
    inverter: Arc<Mutex<SimInverter>>,
    last_client: Arc<AtomicU64>,
    start: Instant,
    /// Where its settings are kept.
    state_file: Option<Arc<PathBuf>>,
    /// Where a machine is plugged in that it feeds.
    outlet: Option<Outlet>,
}

impl Bus {
    /// Power on now. Must be called within a tokio runtime.
    pub fn new(options: InverterOptions) -> Self {
        Self {
            inverter: Arc::new(Mutex::new(SimInverter::new(options))),
            last_client: Arc::new(AtomicU64::new(LINE)),
            start: Instant::now(),
            state_file: None,
            outlet: None,
        }
    }

    /// It feeds what is plugged in there, in place of a workshop that works by the clock.
    #[must_use]
    pub fn feeding(mut self, outlet: Outlet) -> Self {
        self.outlet = Some(outlet);
        self
    }

    /// The same with the settings kept in `state_file`, where they are kept when they change. A file that is not there yet
    /// means: as delivered. Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn with_state_file(options: InverterOptions, state_file: &Path) -> Result<Self, ServeError> {
        let path = state_file.to_path_buf();
        let mut bus = Self::new(options);
        match std::fs::read_to_string(state_file) {
            Ok(text) => bus
                .with(|inverter| inverter.take_settings(&text))
                .map_err(|source| ServeError::BadInverterState { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ServeError::State { path, source }),
        }
        bus.state_file = Some(Arc::new(path));
        Ok(bus)
    }

    /// What has to be kept, and where.
    fn to_keep(&self) -> Option<(Arc<PathBuf>, String)> {
        let file = self.state_file.clone()?;
        Some((file, self.with(SimInverter::take_changed_settings)?))
    }

    /// Looks at the inverter, or does something to it, as it is now.
    pub fn with<T>(&self, look: impl FnOnce(&mut SimInverter) -> T) -> T {
        let mut inverter = self.lock();
        if let Some(outlet) = &self.outlet {
            inverter.feed(outlet.watts());
        }
        inverter.advance(self.now());
        look(&mut inverter)
    }

    /// A connection in this process: a task serves it until the other end is dropped. Must be called within a tokio
    /// runtime.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().converse(far));
        near
    }

    /// The inverter is whole after every call: a task that panicked left nothing half done.
    fn lock(&self) -> MutexGuard<'_, SimInverter> {
        self.inverter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// Serves one connection until it ends.
    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let client = self.last_client.fetch_add(1, Ordering::Relaxed) + 1;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut buffer = [0_u8; 512];
        loop {
            let (out, ended) = self.with(|inverter| (inverter.output(self.now(), client), inverter.take_end(client)));
            if writer.write_all(&out).await.is_err() || ended {
                break;
            }
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        self.with(|inverter| inverter.handle_bytes(self.now(), client, &buffer[..count]));
                        // Kept before it is answered.
                        if let Some((file, text)) = self.to_keep()
                            && let Ok(Err(error)) = tokio::task::spawn_blocking(move || keep(&file, &text)).await
                        {
                            tracing::warn!(%error, "the settings of a simulated inverter are not kept");
                        }
                    }
                },
                () = self.due(client) => {}
            }
        }
        self.with(|inverter| inverter.left(client));
    }

    /// Waits until there is something to say to the client.
    async fn due(&self, client: Client) {
        let next = self.with(|inverter| inverter.poll_timeout(client));
        match next {
            Some(at) => tokio::time::sleep(at.since(self.now()).max(TIMER)).await,
            None => std::future::pending().await,
        }
    }

    fn obeyed(&self, control: BusControl, notice: &mut impl FnMut(&str)) -> bool {
        match control {
            BusControl::Quit => return true,
            BusControl::Help => notice(BusControl::HELP),
            BusControl::Fault(fault) => self.with(|inverter| inverter.trigger(fault)),
            BusControl::Fix(fault) => self.with(|inverter| inverter.mend(fault)),
            BusControl::Show => notice(&self.with(|inverter| shown(inverter))),
            BusControl::Counters => {
                let c = self.with(|inverter| inverter.counters());
                notice(&format!("requests {}, answers {}, of them exceptions {}", c.requests, c.answers, c.exceptions));
            }
        }
        false
    }
}

impl Wired for Bus {
    type Control = BusControl;

    fn input_room(&self) -> usize {
        usize::MAX
    }

    fn input(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.with(|inverter| inverter.handle_bytes(now, LINE, bytes));
    }

    fn output(&mut self) -> Vec<u8> {
        let now = self.now();
        self.with(|inverter| inverter.output(now, LINE))
    }

    fn take_drop(&mut self) -> bool {
        false
    }

    fn save(&mut self) -> Result<(), ServeError> {
        match self.to_keep() {
            Some((file, text)) => keep(&file, &text),
            None => Ok(()),
        }
    }

    async fn next_event(&self) {
        self.due(LINE).await;
    }

    fn obey(&mut self, control: BusControl, notice: &mut impl FnMut(&str)) -> bool {
        self.obeyed(control, notice)
    }
}

/// Writes settings whole or not at all.
fn keep(file: &Path, text: &str) -> Result<(), ServeError> {
    let failed = |source| ServeError::State { path: file.to_path_buf(), source };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    std::fs::write(&new, format!("# Settings of a simulated inverter: id = words.\n{text}")).map_err(failed)?;
    std::fs::rename(&new, file).map_err(failed)
}

/// Serves the inverter to everyone who connects, until [`BusControl::Quit`].
///
/// # Errors
/// Connections cannot be taken any more.
pub async fn serve_bus_tcp(
    bus: Bus,
    listener: TcpListener,
    controls: &mut mpsc::Receiver<BusControl>,
    mut notice: impl FnMut(&str),
) -> Result<(), ServeError> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                if let Ok((stream, _)) = accepted {
                    // Answers are small and must not wait for each other.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(bus.clone().converse(stream));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            Some(control) = controls.recv() => {
                if bus.obeyed(control, &mut notice) {
                    return Ok(());
                }
            }
        }
    }
}
