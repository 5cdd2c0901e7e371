//! One exchange after the other, and what makes an answer worthy of trust again after trouble.

use std::borrow::Cow;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::{ExceptionCode, Slave};

use super::endpoint::{BusOpener, OpenBus};
use super::lent::Home;
use super::stats::BusStats;
use crate::driver::transport::{DeviceLock, OpenError};
use crate::inverter::frame::{Damage, damage};
use crate::inverter::request::Exception;
use crate::inverter::{Action, Failure, Reply, Request};
use crate::model::power::Table;

/// A link is silent for at least this long after trouble before it is trusted (facts of tokio-modbus 0.17: an answer that comes
/// after the silence is taken for the answer to the next question).
const LEAST_SILENCE: Duration = Duration::from_secs(1);
/// A line on which something is said for this long without a pause is not waited for any longer.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);

/// How long to wait for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For an answer.
    pub timeout: Duration,
    /// The most that an answer of this device has ever been late: silence after a time-out is longer.
    pub lateness: Duration,
    /// Silence between an answer and the next question.
    pub spacing: Duration,
}

/// A register whose content is known: read again after trouble, before anything else is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The question; a read, of a length that nothing else is asked in where possible.
    pub request: Request,
    /// The words it must bring.
    pub words: Vec<u16>,
}

/// The bytes of an open bus.
enum Wire {
    /// RTU: a decoder of its own for each exchange, so that nothing of an exchange outlives it.
    Rtu(Home),
    /// TCP: one decoder for the life of the connection, since it counts the transactions.
    Tcp(Context, Home),
}

impl Wire {
    const fn home(&self) -> &Home {
        match self {
            Self::Rtu(home) | Self::Tcp(_, home) => home,
        }
    }
}

struct Open {
    wire: Wire,
    _lock: Option<DeviceLock>,
}

/// The owner of a bus. Requests go one at a time; no future of it may be dropped in the middle but with the whole link.
pub struct BusLink {
    opener: BusOpener,
    open: Option<Open>,
    /// No question before this.
    quiet_until: Instant,
    /// Something went wrong since the last answer that was proved: nothing is believed until a canary is.
    doubted: bool,
    stats: BusStats,
}

impl std::fmt::Debug for BusLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusLink").field("opener", &self.opener).field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl BusLink {
    /// Not open yet: it opens with the first exchange.
    pub fn new(opener: BusOpener) -> Self {
        Self { opener, open: None, quiet_until: Instant::now(), doubted: false, stats: BusStats::default() }
    }

    /// Counters.
    pub const fn stats(&self) -> &BusStats {
        &self.stats
    }

    /// The port or connection is open.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Something went wrong since the last answer that was proved.
    pub const fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// Opens it, if it is not open.
    ///
    /// # Errors
    /// See [`OpenError`]; each text says what to do.
    pub async fn open(&mut self) -> Result<(), OpenError> {
        // What is open already is silent when it is used; a serial server hands late bytes to a new connection too.
        sleep_until(self.quiet_until).await;
        if self.open.is_some() {
            return Ok(());
        }
        let OpenBus { stream, lock } = self.opener.open().await?;
        self.stats.opens += 1;
        let home = Home::of(stream);
        let wire = match home.lend() {
            Some(lent) if self.opener.endpoint.is_tcp_framing() => Wire::Tcp(tcp::attach(lent), home),
            _ => Wire::Rtu(home),
        };
        self.open = Some(Open { wire, _lock: lock });
        Ok(())
    }

    /// What was answered makes no sense to who asked: nothing is believed until the link has proved itself.
    pub fn doubt(&mut self, patience: Patience) {
        self.trouble(patience);
    }

    /// Asks and gives the answer, which is one to this request and to no other as far as can be told.
    ///
    /// After a time-out or an answer that did not fit, a socket is connected anew, a serial line (and one behind a socket)
    /// is silent for longer than the device's worst lateness and drained; then `canary` is read first. A request that was not sent
    /// because of that fails as its canary does.
    ///
    /// # Errors
    /// See [`Failure`]. After [`Failure::Timeout`] it is not known whether a write was taken.
    pub async fn exchange(
        &mut self,
        request: &Request,
        patience: Patience,
        canary: Option<&Canary>,
    ) -> Result<Reply, Failure> {
        self.ready(patience).await?;
        if !self.doubted {
            return self.once(request, patience).await;
        }
        let Some(canary) = canary else { return self.twice(request, patience).await };
        self.stats.canaries += 1;
        let words = self.once(&canary.request, patience).await?;
        if words != Reply::Words(canary.words.clone()) {
            self.trouble(patience);
            let text =
                format!("{}: a known register reads something else: a late answer, or another device", canary.request);
            return Err(Failure::Framing(text));
        }
        self.doubted = false;
        if canary.request == *request {
            return Ok(words);
        }
        self.ready(patience).await?;
        self.once(request, patience).await
    }

    /// Without a register that is known, an answer counts if the same question gets it twice: a late answer to something else
    /// would be followed by another one.
    async fn twice(&mut self, request: &Request, patience: Patience) -> Result<Reply, Failure> {
        if request.is_write() {
            return Err(Failure::Framing("nothing is written until the link has proved itself by a read".to_owned()));
        }
        let first = self.once(request, patience).await?;
        self.ready(patience).await?;
        let second = self.once(request, patience).await?;
        if first != second {
            self.trouble(patience);
            return Err(Failure::Framing(format!("{request}: two answers in a row differ, after trouble on the link")));
        }
        self.doubted = false;
        Ok(second)
    }

    /// Closes it; the next exchange opens it again.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Waits for the end of the silence, opens what is closed, and throws away what nobody asked for.
    async fn ready(&mut self, patience: Patience) -> Result<(), Failure> {
        self.open().await.map_err(|error| Failure::Closed(error.to_string()))?;
        self.drain(patience).await;
        Ok(())
    }

    /// One request with its time-out. The decoder sees nothing but what comes after it.
    async fn once(&mut self, request: &Request, patience: Patience) -> Result<Reply, Failure> {
        let Some(open) = &mut self.open else { return Err(Failure::Closed("the bus is closed".to_owned())) };
        self.stats.requests += 1;
        let slave = Slave(request.unit);
        let started = Instant::now();
        let called = match &mut open.wire {
            Wire::Rtu(home) => {
                let Some(lent) = home.lend() else { return Err(Failure::Closed("the port is lent".to_owned())) };
                let mut context = rtu::attach_slave(lent, slave);
                timeout(patience.timeout, context.call(asked(request))).await
            }
            Wire::Tcp(context, _) => {
                tokio_modbus::slave::SlaveContext::set_slave(context, slave);
                timeout(patience.timeout, context.call(asked(request))).await
            }
        };
        let took = started.elapsed();
        self.quiet_until = Instant::now() + patience.spacing;
        let read = match &open.wire {
            Wire::Rtu(home) => Some(home.take_read()),
            Wire::Tcp(..) => None,
        };
        let ended = open.wire.home().has_ended();
        let answer = match called {
            Err(_) => Err(Failure::Timeout),
            Ok(Ok(Ok(response))) => match reply(response) {
                Some(reply) => request.check(&reply).map(|()| reply),
                None => Err(Failure::Framing(format!("{request}: another function answered"))),
            },
            Ok(Ok(Err(code))) => Err(Failure::Exception(exception(code))),
            Ok(Err(tokio_modbus::Error::Protocol(error))) => Err(Failure::Framing(error.to_string())),
            Ok(Err(tokio_modbus::Error::Transport(error))) => match error.kind() {
                // The decoder's word for a frame that makes no sense.
                std::io::ErrorKind::InvalidData => Err(Failure::Framing(error.to_string())),
                _ if ended => Err(Failure::Closed("the other end hung up".to_owned())),
                _ => Err(Failure::Closed(error.to_string())),
            },
        };
        self.account(request, &answer, read, took);
        match &answer {
            Ok(_) | Err(Failure::Exception(_)) => {}
            Err(Failure::Timeout | Failure::Framing(_)) => self.trouble(patience),
            Err(Failure::Closed(_)) => {
                self.doubted = true;
                self.open = None;
            }
        }
        answer
    }

    fn account(
        &mut self,
        request: &Request,
        answer: &Result<Reply, Failure>,
        read: Option<(u64, Vec<u8>)>,
        took: Duration,
    ) {
        let frame = match answer {
            Ok(_) => request.rtu_bytes().1 as u64,
            Err(Failure::Exception(_)) => 5,
            Err(_) => 0,
        };
        let (read, heard) = read.unwrap_or_default();
        self.stats.stray_bytes += read.saturating_sub(frame);
        let damage = if frame == 0 { damage(request, &heard) } else { None };
        match answer {
            Err(Failure::Timeout | Failure::Framing(_)) if damage == Some(Damage::Sum) => self.stats.crc_errors += 1,
            Err(Failure::Timeout | Failure::Framing(_)) if damage == Some(Damage::Cut) => self.stats.cut_short += 1,
            Ok(_) => {
                self.stats.replies += 1;
                self.stats.busy += took;
                self.stats.slowest = self.stats.slowest.max(took);
            }
            Err(Failure::Exception(_)) => self.stats.exceptions += 1,
            Err(Failure::Timeout) => self.stats.timeouts += 1,
            Err(Failure::Framing(_)) => self.stats.desyncs += 1,
            Err(Failure::Closed(_)) => {}
        }
    }

    /// Nothing that comes now can be told from an answer to the next question.
    fn trouble(&mut self, patience: Patience) {
        self.doubted = true;
        if self.opener.endpoint.is_socket() {
            self.open = None;
        }
        if !self.opener.endpoint.is_tcp_framing() {
            // Behind a socket too: a serial server hands late bytes to whoever is connected.
            self.quiet_until = Instant::now() + patience.lateness.max(LEAST_SILENCE);
        }
    }

    /// Throws away what has come unasked. While the link is doubted it waits for a pause first.
    async fn drain(&mut self, patience: Patience) {
        let Some(Open { wire: Wire::Rtu(home), .. }) = &self.open else { return };
        let Some(mut lent) = home.lend() else { return };
        let pause = if self.doubted { patience.spacing.max(Duration::from_millis(50)) } else { Duration::ZERO };
        let until = Instant::now() + LONGEST_DRAIN;
        let mut waste = [0; 256];
        while Instant::now() < until {
            match timeout(pause, lent.read(&mut waste)).await {
                Ok(Ok(n)) if n > 0 => {}
                _ => break,
            }
        }
        drop(lent);
        let (waste, _) = home.take_read();
        self.stats.stray_bytes += waste;
        self.stats.unasked += u64::from(waste > 0);
    }
}

fn asked(request: &Request) -> tokio_modbus::Request<'_> {
    match &request.action {
        Action::Read { table: Table::Holding, address, count } => {
            tokio_modbus::Request::ReadHoldingRegisters(*address, *count)
        }
        Action::Read { table: Table::Input, address, count } => {
            tokio_modbus::Request::ReadInputRegisters(*address, *count)
        }
        Action::WriteSingle { address, value } => tokio_modbus::Request::WriteSingleRegister(*address, *value),
        Action::WriteMultiple { address, values } => {
            tokio_modbus::Request::WriteMultipleRegisters(*address, Cow::Borrowed(values))
        }
    }
}

fn reply(response: tokio_modbus::Response) -> Option<Reply> {
    Some(match response {
        tokio_modbus::Response::ReadHoldingRegisters(words) | tokio_modbus::Response::ReadInputRegisters(words) => {
            Reply::Words(words)
        }
        tokio_modbus::Response::WriteSingleRegister(address, value) => Reply::WroteSingle { address, value },
        tokio_modbus::Response::WriteMultipleRegisters(address, count) => Reply::WroteMultiple { address, count },
        _ => return None,
    })
}

fn exception(code: ExceptionCode) -> Exception {
    Exception(code.into())
}
