//! The device: answers requests as its family does, and lets settings act.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::DateTime;

use crate::inverter::codec::{Value, decode};
use crate::inverter::profile::{Profile, Register, RegisterId, RegisterType, WriteFunction};
use crate::inverter::request::{MAX_READ, MAX_WRITE};
use crate::model::power::{Role, Table};

use super::bank::{BadInverterSettings, Bank, Place, can_tell_export, place, readable};
use super::day::{Day, Limits, RATED_W};
use super::values::Teller;

/// Exceptions (Modbus Application Protocol V1.1b3, 7).
pub(super) const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;
pub(super) const BUSY: u8 = 6;

/// Unit addresses of services that the profile leaves open begin here.
const FREE_UNITS: u8 = 30;

const SERIAL: &str = "SIM0000001";
const OTHER_SERIAL: &str = "SIM0000002";

/// One inverter.
#[derive(Debug)]
pub(super) struct Device {
    profile: Arc<Profile>,
    /// Unit addresses, in the order of services.
    units: Vec<u8>,
    bank: Bank,
    readable: BTreeSet<Place>,
    holes: BTreeSet<Place>,
    exports: bool,
    strings: u8,
    pub(super) swapped: bool,
    /// A setting was written since this was looked at last.
    pub(super) changed: bool,
    pub(super) day: Day,
    limits: Limits,
}

impl Device {
    /// `start`: date and time of the place. `None`: a morning in June.
    pub(super) fn new(profile: Arc<Profile>, unit: u8, start: Option<DateTime>) -> Self {
        let free = (FREE_UNITS..).filter(|free| *free != unit);
        let named = profile.link.services.iter().zip(free).map(|(service, free)| service.unit.unwrap_or(free));
        let units = std::iter::once(unit).chain(named).collect();
        let mut device = Self {
            bank: Bank::new(&profile),
            readable: readable(&profile),
            holes: Bank::holes(&profile),
            exports: can_tell_export(&profile),
            strings: Teller::strings_of(&profile),
            units,
            profile,
            swapped: false,
            changed: false,
            day: start.map_or_else(|| Day::new(&Limits::default()), |start| Day::at(start, &Limits::default())),
            limits: Limits::default(),
        };
        device.obey_settings();
        device.tell();
        device
    }

    pub(super) const fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Unit addresses: of the main unit, then of the services.
    pub(super) fn units(&self) -> &[u8] {
        &self.units
    }

    pub(super) fn value(&self, register: RegisterId) -> Option<Value> {
        self.bank.value(&self.profile, register).ok()
    }

    pub(super) fn number(&self, role: Role) -> Option<f64> {
        self.teller().number(role)
    }

    const fn teller(&self) -> Teller<'_> {
        let serial = if self.swapped { OTHER_SERIAL } else { SERIAL };
        Teller { day: &self.day, strings: self.strings, serial }
    }

    /// What its settings hold, as text.
    pub(super) fn settings(&self) -> String {
        self.bank.settings(&self.profile)
    }

    /// Takes settings that were kept.
    pub(super) fn take_settings(&mut self, text: &str) -> Result<(), BadInverterSettings> {
        let mut bank = self.bank.clone();
        bank.take_settings(&self.profile, text)?;
        self.bank = bank;
        self.obey_settings();
        self.tell();
        Ok(())
    }

    /// Lets time pass, up to so many seconds after the start.
    pub(super) fn advance_to(&mut self, seconds: u64, tick: u64) {
        let before = self.day.elapsed_s();
        while self.day.elapsed_s() + tick <= seconds {
            self.day.pass(tick, &self.limits);
        }
        if self.day.elapsed_s() != before {
            self.tell();
        }
    }

    pub(super) fn set_trouble(&mut self, grid_lost: bool, overload: bool, swapped: bool) {
        self.swapped = swapped;
        self.day.set_grid(!grid_lost, &self.limits);
        self.day.set_overload(overload, &self.limits);
        self.tell();
    }

    /// Puts the day into the registers.
    fn tell(&mut self) {
        let profile = Arc::clone(&self.profile);
        let mut bank = std::mem::take(&mut self.bank);
        bank.tell(&profile, &self.teller());
        self.bank = bank;
    }

    /// The answer to a request: function and data. `None`: nobody answers.
    pub(super) fn answer(&mut self, unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
        let service = self.units.iter().position(|known| *known == unit)?;
        let function = *pdu.first()?;
        let answered = match (function, &pdu[1..]) {
            (3 | 4, &[a1, a0, c1, c0]) => {
                let table = if function == 3 { Table::Holding } else { Table::Input };
                self.read(service, table, u16::from_be_bytes([a1, a0]), u16::from_be_bytes([c1, c0]))
            }
            (6, &[a1, a0, v1, v0]) => self.write_one(service, u16::from_be_bytes([a1, a0]), [v1, v0]),
            (16, &[a1, a0, c1, c0, bytes, ref data @ ..]) if data.len() == usize::from(bytes) => {
                self.write_many(service, u16::from_be_bytes([a1, a0]), u16::from_be_bytes([c1, c0]), data)
            }
            (3 | 4 | 6 | 16, _) => Err(ILLEGAL_VALUE),
            _ => Err(ILLEGAL_FUNCTION),
        };
        Some(match answered {
            Ok(data) => [&[function][..], &data].concat(),
            Err(code) => vec![function | 0x80, code],
        })
    }

    fn read(&self, service: usize, table: Table, address: u16, count: u16) -> Result<Vec<u8>, u8> {
        if !(1..=self.profile.read.max.min(MAX_READ)).contains(&count) {
            return Err(ILLEGAL_VALUE);
        }
        let mut data = vec![(2 * count) as u8];
        for offset in 0..count {
            let address = address.checked_add(offset).ok_or(ILLEGAL_ADDRESS)?;
            let place = (service, table, address);
            let word = if self.readable.contains(&place) {
                self.bank.word(&place).unwrap_or(0)
            } else if self.holes.contains(&place) {
                0
            } else {
                return Err(ILLEGAL_ADDRESS);
            };
            data.extend(word.to_be_bytes());
        }
        Ok(data)
    }

    fn write_one(&mut self, service: usize, address: u16, value: [u8; 2]) -> Result<Vec<u8>, u8> {
        let place = (service, Table::Holding, address);
        // A family that is written with 16 only says so.
        let takes =
            |register: &Register| register.function.unwrap_or(self.profile.write.function) == WriteFunction::Single;
        let here: Vec<&Register> = self.at(place).collect();
        if !here.is_empty() && !here.iter().any(|register| takes(register)) {
            return Err(ILLEGAL_FUNCTION);
        }
        self.write(service, address, &[u16::from_be_bytes(value)])?;
        Ok([&address.to_be_bytes()[..], &value].concat())
    }

    fn write_many(&mut self, service: usize, address: u16, count: u16, data: &[u8]) -> Result<Vec<u8>, u8> {
        let most = self.profile.write.max.min(MAX_WRITE);
        if !(1..=most).contains(&count) || data.len() != 2 * usize::from(count) {
            return Err(ILLEGAL_VALUE);
        }
        let words: Vec<u16> = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        self.write(service, address, &words)?;
        Ok([address.to_be_bytes(), count.to_be_bytes()].concat())
    }

    /// Registers that have a word here.
    fn at(&self, at: Place) -> impl Iterator<Item = &Register> {
        let has = move |register: &&Register| register.addresses.iter().any(|address| place(register, *address) == at);
        self.profile.registers.iter().filter(has)
    }

    /// All of it, or nothing: every address has a register that is written, what cannot be written does not change, and
    /// every value is one that the register takes.
    fn write(&mut self, service: usize, address: u16, words: &[u16]) -> Result<(), u8> {
        let mut after = self.bank.clone();
        let mut touched: Vec<RegisterId> = Vec::new();
        for (offset, word) in words.iter().enumerate() {
            let address = address.checked_add(offset as u16).ok_or(ILLEGAL_ADDRESS)?;
            let at = (service, Table::Holding, address);
            if !self.at(at).any(|register| register.access.writes()) {
                return Err(ILLEGAL_ADDRESS);
            }
            after.set_word(at, *word);
            let here = |register: &Register| register.addresses.iter().any(|a| place(register, *a) == at);
            let registers = self.profile.registers.iter().enumerate();
            touched.extend(registers.filter(|(_, register)| here(register)).map(|(index, _)| index));
        }
        for index in touched {
            let register = &self.profile.registers[index];
            if self.bank.value(&self.profile, index) == after.value(&self.profile, index) {
                continue;
            }
            if !register.access.writes() {
                return Err(ILLEGAL_ADDRESS);
            }
            self.judge(register, &after)?;
        }
        self.changed |= self.bank.settings(&self.profile) != after.settings(&self.profile);
        self.bank = after;
        self.act();
        Ok(())
    }

    /// Whether a register takes what it would hold.
    fn judge(&self, register: &Register, after: &Bank) -> Result<(), u8> {
        let value = decode(&self.profile, register, &after.read(register), None).map_err(|_| ILLEGAL_VALUE)?;
        let limited = match &value {
            Value::Choice(raw) => {
                let known = register.labels.word(*raw).or_else(|| register.special.word(*raw)).is_some();
                return if known { Ok(()) } else { Err(ILLEGAL_VALUE) };
            }
            Value::Number(number) => *number,
            Value::TimeOfDay(minutes) => f64::from(*minutes),
            _ => return Ok(()),
        };
        let low = after.bound(&self.profile, register.min);
        let high = after.bound(&self.profile, register.max);
        if low.is_some_and(|low| limited < low) || high.is_some_and(|high| limited > high) {
            return Err(ILLEGAL_VALUE);
        }
        Ok(())
    }

    /// A write came: the clock is set, limits follow, and the registers tell it.
    fn act(&mut self) {
        let clock = self.profile.role(Role::Clock).filter(|clock| {
            let register = &self.profile.registers[*clock];
            register.kind == RegisterType::Clock && register.access.writes()
        });
        if let Some(Value::Clock(set)) = clock.and_then(|clock| self.value(clock))
            && set != self.day.clock()
        {
            self.day.set_clock(set);
        }
        self.obey_settings();
        self.tell();
    }

    /// Settings that act, by role; what a family does not have limits nothing.
    fn obey_settings(&mut self) {
        let number = |role: Role| {
            let register = self.profile.role(role)?;
            self.value(register)?.number()
        };
        let word = |role: Role| {
            let register = &self.profile.registers[self.profile.role(role)?];
            let raw = number(role)? as u64;
            register.labels.word(raw).map(str::to_ascii_lowercase)
        };
        let on = |role: Role| word(role).is_some_and(|word| word.starts_with("on") || word.starts_with("enable"));
        let most = |limits: [Option<f64>; 3]| limits.into_iter().flatten().fold(RATED_W, f64::min);
        let volts = self.day.battery_v();
        let watts = |role: Role| number(role).map(|amperes| amperes * volts);
        let share = |role: Role| number(role).map(|percent| percent / 100.0 * RATED_W);
        let forbidden = |role: Role| if number(role).is_some_and(|raw| raw != 0.0) { 0.0 } else { 1.0 };
        let limited_export = word(Role::ExportLimitEnable).is_none() || on(Role::ExportLimitEnable);
        let export = number(Role::ExportLimit).filter(|_| limited_export).unwrap_or(RATED_W);
        let switched_off = word(Role::PowerSwitch).is_some_and(|word| word.starts_with("off"));
        self.limits = Limits {
            soc_min: number(Role::SocMin).or_else(|| number(Role::SocShutdown)).unwrap_or(20.0),
            soc_max: number(Role::SocMax).unwrap_or(100.0),
            charge_w: forbidden(Role::DisableCharge)
                * most([number(Role::MaxChargePower), watts(Role::MaxChargeCurrent), share(Role::ChargeRate)]),
            discharge_w: most([
                number(Role::MaxDischargePower),
                watts(Role::MaxDischargeCurrent),
                share(Role::DischargeRate),
            ]),
            export_w: if self.exports { forbidden(Role::DisableFeedIn) * export } else { 0.0 },
            on: !switched_off,
        };
        self.day.flow(&self.limits);
    }
}
