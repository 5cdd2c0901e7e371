//! Bytes and time in, bytes out: framing and trouble around the device.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::DateTime;

use crate::inverter::codec::Value;
use crate::inverter::profile::{Profile, RegisterId};
use crate::model::Time;
use crate::model::power::Role;

use super::bank::BadInverterSettings;
use super::day::Day;
use super::device::{BUSY, Device, ILLEGAL_FUNCTION};
use super::fault::{InverterFault, InverterFaultPlan};
use super::frame::{Asked, put, take};

/// Answers that wait to be late; more are lost.
const MOST_WAITING: usize = 256;
/// Gateway target device failed to respond (Modbus Application Protocol V1.1b3, 7).
const NO_TARGET: u8 = 0x0B;
/// Longest tick of the day, however fast it goes, seconds.
const LONGEST_TICK_S: f64 = 60.0;

/// How frames look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Unit, function, data, CRC.
    Rtu,
    /// With the header of Modbus TCP.
    Tcp,
}

/// Who asks: a connection. A serial line is one.
pub type Client = u64;

/// Which inverter.
#[derive(Clone, Debug)]
pub struct InverterOptions {
    /// Its family.
    pub profile: Arc<Profile>,
    /// Unit address. `None`: the profile's.
    pub unit: Option<u8>,
    /// How its frames look.
    pub framing: Framing,
    /// Seconds of its day in a second.
    pub speed: f64,
    /// Date and time of the place at the start. `None`: a morning in June.
    pub start: Option<DateTime>,
    /// What goes wrong, and when.
    pub faults: Vec<InverterFaultPlan>,
}

impl InverterOptions {
    /// A healthy one, in real time.
    pub fn new(profile: Arc<Profile>, framing: Framing) -> Self {
        Self { profile, unit: None, framing, speed: 1.0, start: None, faults: Vec::new() }
    }
}

/// A simulated inverter.
#[derive(Debug)]
pub struct SimInverter {
    device: Device,
    framing: Framing,
    speed: f64,
    now: Time,
    planned: Vec<InverterFaultPlan>,
    faults: Vec<InverterFault>,
    partial: BTreeMap<Client, Vec<u8>>,
    waiting: VecDeque<(Time, Client, Vec<u8>)>,
    ended: Vec<Client>,
    counters: BusCounters,
}

/// What came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusCounters {
    /// Whole requests, whoever they were for.
    pub requests: u64,
    /// Answers, exceptions among them.
    pub answers: u64,
    /// Answers that were exceptions.
    pub exceptions: u64,
}

impl SimInverter {
    /// Switched on at time zero.
    pub fn new(options: InverterOptions) -> Self {
        let unit = options.unit.unwrap_or(options.profile.link.unit);
        let mut inverter = Self {
            device: Device::new(options.profile, unit, options.start),
            framing: options.framing,
            speed: options.speed,
            now: Time::ZERO,
            planned: options.faults,
            faults: Vec::new(),
            partial: BTreeMap::new(),
            waiting: VecDeque::new(),
            ended: Vec::new(),
            counters: BusCounters::default(),
        };
        inverter.advance(Time::ZERO);
        inverter
    }

    /// Its family.
    pub fn profile(&self) -> &Arc<Profile> {
        self.device.profile()
    }

    /// Its unit addresses: of the main unit, then of the profile's services.
    pub fn units(&self) -> &[u8] {
        self.device.units()
    }

    /// What goes on there.
    pub fn day(&self) -> &Day {
        &self.device.day
    }

    /// A number of the day, in the role's unit. `None`: the day has no such number.
    pub fn number(&self, role: Role) -> Option<f64> {
        self.device.number(role)
    }

    /// What a register holds. `None`: it says that there is nothing.
    pub fn value(&self, register: RegisterId) -> Option<Value> {
        self.device.value(register)
    }

    /// What its settings hold, as text, to be kept.
    pub fn settings(&self) -> String {
        self.device.settings()
    }

    /// Takes settings that were kept.
    ///
    /// # Errors
    /// The first line that does not fit the profile; nothing is taken then.
    pub fn take_settings(&mut self, text: &str) -> Result<(), BadInverterSettings> {
        self.device.take_settings(text)
    }

    /// The settings, if one was written since this was asked last.
    pub fn take_changed_settings(&mut self) -> Option<String> {
        std::mem::take(&mut self.device.changed).then(|| self.device.settings())
    }

    /// What came and went.
    pub const fn counters(&self) -> BusCounters {
        self.counters
    }

    /// What is wrong now.
    pub fn faults(&self) -> &[InverterFault] {
        &self.faults
    }

    /// Something goes wrong from now on.
    pub fn trigger(&mut self, fault: InverterFault) {
        self.faults.retain(|other| !other.replaces(fault));
        self.faults.push(fault);
        self.felt();
    }

    /// It is right again. `None`: everything is.
    pub fn mend(&mut self, fault: Option<InverterFault>) {
        self.faults.retain(|other| fault.is_some_and(|fault| !other.replaces(fault)));
        self.felt();
    }

    fn has(&self, fault: InverterFault) -> bool {
        self.faults.contains(&fault)
    }

    fn felt(&mut self) {
        let [grid, overload, swap] =
            [InverterFault::GridLoss, InverterFault::Overload, InverterFault::UnitSwap].map(|fault| self.has(fault));
        self.device.set_trouble(grid, overload, swap);
    }

    /// It feeds a machine that draws so much from now on, in watts, in place of a workshop that works by the clock.
    pub fn feed(&mut self, watts: f64) {
        self.device.day.machine_w = Some(watts);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
        let due = |plan: &InverterFaultPlan| Time::ZERO + plan.after <= now;
        let begun: Vec<_> = self.planned.iter().filter(|plan| due(plan)).map(|plan| plan.fault).collect();
        self.planned.retain(|plan| !due(plan));
        for fault in begun {
            self.trigger(fault);
        }
        let seconds = self.now.since(Time::ZERO).as_secs_f64() * self.speed;
        self.device.advance_to(seconds as u64, self.speed.clamp(1.0, LONGEST_TICK_S) as u64);
    }

    /// Bytes of a connection arrive.
    pub fn handle_bytes(&mut self, now: Time, client: Client, bytes: &[u8]) {
        self.advance(now);
        let mut buffer = self.partial.remove(&client).unwrap_or_default();
        buffer.extend(bytes);
        loop {
            match take(self.framing, &mut buffer) {
                Ok(Some(asked)) => self.asked(client, &asked),
                Ok(None) => break,
                Err(()) => {
                    self.ended.push(client);
                    return;
                }
            }
        }
        self.partial.insert(client, buffer);
    }

    /// A connection has ended.
    pub fn left(&mut self, client: Client) {
        self.partial.remove(&client);
        self.waiting.retain(|(_, whose, _)| *whose != client);
        self.ended.retain(|ended| *ended != client);
    }

    /// It sent what no Modbus master sends, so the device ends its connection. Told once.
    pub fn take_end(&mut self, client: Client) -> bool {
        let ended = self.ended.contains(&client);
        self.ended.retain(|other| *other != client);
        ended
    }

    /// What has to go to a connection by now.
    pub fn output(&mut self, now: Time, client: Client) -> Vec<u8> {
        self.advance(now);
        let mut out = Vec::new();
        self.waiting.retain(|(due, whose, bytes)| {
            let goes = *whose == client && *due <= now;
            if goes {
                out.extend(bytes);
            }
            !goes
        });
        out
    }

    /// When there is output next for a connection, or something planned goes wrong.
    pub fn poll_timeout(&self, client: Client) -> Option<Time> {
        let planned = self.planned.iter().map(|plan| Time::ZERO + plan.after);
        let waiting = self.waiting.iter().filter(|(_, whose, _)| *whose == client);
        waiting.map(|(due, ..)| *due).chain(planned).min()
    }

    fn asked(&mut self, client: Client, asked: &Asked) {
        self.counters.requests += 1;
        let Some((pdu, framed)) = self.reply(asked) else { return };
        self.counters.answers += 1;
        self.counters.exceptions += u64::from(pdu.first().is_some_and(|function| function & 0x80 != 0));
        let late = self.faults.iter().find_map(|fault| match fault {
            InverterFault::Late(by) => Some(*by),
            _ => None,
        });
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back((self.now + late.unwrap_or(Duration::ZERO), client, framed));
        }
    }

    /// The answer, right or wrong, as function and data and as the frame that goes out.
    fn reply(&mut self, asked: &Asked) -> Option<(Vec<u8>, Vec<u8>)> {
        let ours = self.units().contains(&asked.unit);
        if self.has(InverterFault::Silence) || asked.pdu.is_empty() {
            return None;
        }
        if asked.unit == 0 && self.framing == Framing::Rtu && !ours {
            // A broadcast: obeyed, never answered.
            let main = self.units().first().copied()?;
            if matches!(asked.pdu[0], 6 | 16) {
                self.device.answer(main, &asked.pdu);
            }
            return None;
        }
        let function = asked.pdu[0];
        if !ours {
            // On a line the unit that is not there is silent; a gateway says so.
            let pdu = vec![function | 0x80, NO_TARGET];
            return (self.framing == Framing::Tcp).then(|| (pdu.clone(), put(self.framing, asked, &pdu)));
        }
        let mut pdu = match self.refusal(&asked.pdu) {
            Some(code) => vec![function | 0x80, code],
            None => self.device.answer(asked.unit, &asked.pdu)?,
        };
        if self.has(InverterFault::Short) {
            shorten(&mut pdu);
        }
        if self.has(InverterFault::WrongEcho)
            && let [6 | 16, .., last] = &mut pdu[..]
        {
            *last ^= 1;
        }
        let mut framed = put(self.framing, asked, &pdu);
        if self.has(InverterFault::Garbage) {
            for (at, byte) in framed.iter_mut().enumerate() {
                *byte = 0xA7 ^ (at as u8).wrapping_mul(59);
            }
        }
        Some((pdu, framed))
    }

    /// The exception that a fault answers with instead.
    fn refusal(&self, pdu: &[u8]) -> Option<u8> {
        let [function, a1, a0, c1, c0, ..] = *pdu else { return None };
        let first = u32::from(u16::from_be_bytes([a1, a0]));
        let count = match function {
            3 | 4 | 16 => u32::from(u16::from_be_bytes([c1, c0])),
            6 => 1,
            _ => return Some(ILLEGAL_FUNCTION),
        };
        self.faults.iter().find_map(|fault| match fault {
            InverterFault::Busy => Some(BUSY),
            InverterFault::Exception { address, code } => {
                (first..first + count).contains(&u32::from(*address)).then_some(*code)
            }
            _ => None,
        })
    }
}

/// A register too few, told as if that were all; or the last byte of an echo cut off.
fn shorten(pdu: &mut Vec<u8>) {
    match pdu[..] {
        [3 | 4, count, ..] if count >= 2 => {
            pdu.truncate(pdu.len() - 2);
            pdu[1] = count - 2;
        }
        [6 | 16, ..] => {
            pdu.pop();
        }
        _ => {}
    }
}
