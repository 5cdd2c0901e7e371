//! The registers of the simulated device, as words at addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::inverter::codec::{NoValue, Value, decode, encode};
use crate::inverter::profile::{Bound, Factor, Form, Profile, Register, RegisterId, RegisterType, Term};
use crate::model::power::{Access, Role, Table};

use super::values::{Teller, at_first};

/// Where a word is: service, table, address.
pub(super) type Place = (usize, Table, u16);

/// A line of kept settings that does not fit the profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text:?}: {why}")]
pub struct BadInverterSettings {
    /// Line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

fn is_kept(register: &Register) -> bool {
    register.access == Access::ReadWrite && register.kind != RegisterType::Clock
}

/// Words at addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Bank {
    words: BTreeMap<Place, u16>,
}

impl Bank {
    /// As delivered: settings and constants. What the day says comes with [`Bank::tell`].
    pub(super) fn new(profile: &Profile) -> Self {
        let mut bank = Self::default();
        // Twice: what limits another register may stand behind it.
        for _ in 0..2 {
            for register in &profile.registers {
                bank.deliver(profile, register);
            }
        }
        bank
    }

    fn deliver(&mut self, profile: &Profile, register: &Register) {
        let wanted = self.in_range(profile, register, at_first(register));
        // What cannot be is not delivered: the first that can, of what is usual.
        let usual = [wanted, Value::Number(0.0), Value::Number(1.0), Value::Choice(0), Value::TimeOfDay(0)];
        let old = self.read(register);
        let fit = usual.iter().find_map(|value| {
            let words = words_of(profile, register, value, &old)?;
            decode(profile, register, &words, None).is_ok().then_some(words)
        });
        self.write(register, &fit.unwrap_or(old));
    }

    fn in_range(&self, profile: &Profile, register: &Register, value: Value) -> Value {
        let Value::Number(mut number) = value else { return value };
        if let Some((low, high)) = register.valid {
            number = number.clamp(low, high);
        }
        if let Some(low) = self.bound(profile, register.min) {
            number = number.max(low);
        }
        if let Some(high) = self.bound(profile, register.max) {
            number = number.min(high);
        }
        Value::Number(number)
    }

    /// A limit as it is now.
    pub(super) fn bound(&self, profile: &Profile, bound: Option<Bound>) -> Option<f64> {
        match bound? {
            Bound::Number(number) => Some(number),
            Bound::Register(other) => self.value(profile, other).ok()?.number(),
        }
    }

    /// What a person can set and read, a line each: id and words. The clock is not a setting.
    pub(super) fn settings(&self, profile: &Profile) -> String {
        let kept = profile.registers.iter().filter(|register| is_kept(register));
        kept.fold(String::new(), |mut text, register| {
            let words: Vec<String> = self.read(register).iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "{} = {}", register.id, words.join(" "));
            text
        })
    }

    /// Takes what [`Bank::settings`] gave. Lines that begin with `#` are for people.
    pub(super) fn take_settings(&mut self, profile: &Profile, text: &str) -> Result<(), BadInverterSettings> {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |why: &'static str| BadInverterSettings { line: at + 1, text: line.to_owned(), why };
            let (id, words) = line.split_once('=').ok_or_else(|| bad("it is not \"id = words\""))?;
            let register = profile.registers.iter().find(|register| register.id == id.trim() && is_kept(register));
            let register = register.ok_or_else(|| bad("the profile has no such setting"))?;
            let words: Result<Vec<u16>, _> = words.split_whitespace().map(str::parse).collect();
            let words = words.map_err(|_| bad("a word is a number from 0 to 65535"))?;
            if words.len() != register.addresses.len() {
                return Err(bad("it has another number of words"));
            }
            self.write(register, &words);
        }
        Ok(())
    }

    /// The words of a register; 0 where nothing was put so far.
    pub(super) fn read(&self, register: &Register) -> Vec<u16> {
        register.addresses.iter().map(|address| self.word(&place(register, *address)).unwrap_or(0)).collect()
    }

    /// What a register says.
    pub(super) fn value(&self, profile: &Profile, register: RegisterId) -> Result<Value, NoValue> {
        let register = &profile.registers[register];
        decode(profile, register, &self.read(register), None)
    }

    pub(super) fn word(&self, place: &Place) -> Option<u16> {
        self.words.get(place).copied()
    }

    pub(super) fn set_word(&mut self, place: Place, word: u16) {
        self.words.insert(place, word);
    }

    fn write(&mut self, register: &Register, words: &[u16]) {
        for (address, word) in register.addresses.iter().zip(words) {
            self.words.insert(place(register, *address), *word);
        }
    }

    fn put(&mut self, profile: &Profile, register: RegisterId, value: &Value) {
        let register = &profile.registers[register];
        if let Some(words) = words_of(profile, register, value, &self.read(register)) {
            self.write(register, &words);
        }
    }

    /// Puts what the day says where the profile says it. Settings stay.
    pub(super) fn tell(&mut self, profile: &Profile, teller: &Teller<'_>) {
        for (index, register) in profile.registers.iter().enumerate() {
            let clock = register.kind == RegisterType::Clock;
            if register.access.writes() && !clock {
                continue;
            }
            if let Some(value) = teller.value(register) {
                self.put(profile, index, &value);
            }
        }
        for derived in &profile.derived {
            if let Some(number) = teller.number(derived.role) {
                self.tell_derived(profile, &derived.expression.terms, number);
            }
        }
    }

    /// Gives the registers of an expression that mean nothing by themselves such values that it comes out right: the
    /// first such term has all of it.
    fn tell_derived(&mut self, profile: &Profile, terms: &[Term], number: f64) {
        let mut rest = Some(number);
        for term in terms {
            let Some((free, known)) = self.taken_apart(profile, term) else { continue };
            let share = rest.take().unwrap_or(0.0);
            let value = match free {
                Factor::Abs(_) => share.abs(),
                _ if known == 0.0 => 0.0,
                _ => share / known,
            };
            self.put(profile, free.register(), &Value::Number(value));
        }
    }

    /// The factor of a term that no role speaks for, and the product of the others.
    fn taken_apart(&self, profile: &Profile, term: &Term) -> Option<(Factor, f64)> {
        let spoken_for = |factor: &Factor| profile.registers[factor.register()].role.is_some();
        let free = *term.factors.iter().find(|factor| !spoken_for(factor))?;
        let known = term.factors.iter().filter_map(|factor| match factor {
            Factor::Value(register) if *factor != free => Some(self.value(profile, *register).ok()?.number()?),
            _ => None,
        });
        Some((free, known.product()))
    }

    /// Addresses between mapped ones that are near enough to be read along, and read 0.
    pub(super) fn holes(profile: &Profile) -> BTreeSet<Place> {
        let mapped: BTreeSet<Place> = readable(profile);
        let mut holes = BTreeSet::new();
        for (below, above) in mapped.iter().zip(mapped.iter().skip(1)) {
            let same = (below.0, below.1) == (above.0, above.1);
            if same && above.2 - below.2 - 1 <= profile.read.gap {
                holes.extend((below.2 + 1..above.2).map(|address| (below.0, below.1, address)));
            }
        }
        holes
    }
}

/// Addresses that a read may ask for.
pub(super) fn readable(profile: &Profile) -> BTreeSet<Place> {
    let registers = profile.registers.iter().filter(|register| register.access.reads());
    registers.flat_map(|register| register.addresses.iter().map(|address| place(register, *address))).collect()
}

pub(super) const fn place(register: &Register, address: u16) -> Place {
    (register.service, register.table, address)
}

/// The words of any value; a device also says what nobody may write.
fn words_of(profile: &Profile, register: &Register, value: &Value, old: &[u16]) -> Option<Vec<u16>> {
    match (register.kind, value) {
        (RegisterType::Text(count), Value::Text(text)) => {
            let mut bytes = text.bytes();
            let mut next = || bytes.next().unwrap_or(0);
            Some((0..count).map(|_| u16::from_be_bytes([next(), next()])).collect())
        }
        (RegisterType::Codes(count), Value::Codes(codes)) => {
            Some((0..usize::from(count)).map(|at| codes.get(at).copied().unwrap_or(0)).collect())
        }
        (_, Value::Number(number)) if register.form == Form::Version => Some(vec![0x0100 | *number as u16]),
        // Where values have words a number is one of them.
        (RegisterType::Unsigned(_) | RegisterType::Signed(_), Value::Number(number)) if !register.labels.is_empty() => {
            encode(profile, register, &Value::Choice(*number as u64), old, None)
        }
        _ => encode(profile, register, value, old, None),
    }
}

/// The registers can say that power goes into the grid. Where they cannot, the family feeds nothing in.
pub(super) fn can_tell_export(profile: &Profile) -> bool {
    let signed = |register: RegisterId| {
        let register = &profile.registers[register];
        matches!(register.kind, RegisterType::Signed(_) | RegisterType::F32)
    };
    if let Some(register) = profile.role(Role::GridPower) {
        return signed(register);
    }
    let Some(derived) = profile.derived.iter().find(|derived| derived.role == Role::GridPower) else { return true };
    let factors = derived.expression.terms.iter().filter(|term| !term.negative).flat_map(|term| &term.factors);
    derived.expression.terms.iter().any(|term| term.negative) || factors.map(|f| f.register()).any(signed)
}
