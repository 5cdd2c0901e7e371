//! What is known of one device: every register's words, value and age.

use std::sync::Arc;
use std::time::Duration;

use super::codec::{NoValue, Value, decode};
use super::plan::Block;
use super::profile::{Factor, Profile, RegisterId};
use crate::model::Time;
use crate::model::power::{Quality, Reading, Role};

/// A value in doubt is believed when it was read so many times in a row.
const DOUBT_READS: u8 = 3;

/// What is known of one register.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    /// The last words, in the order of the register's addresses. Empty: not all were read so far.
    pub words: Vec<u16>,
    /// The last value, or why there is none. `None`: not read so far.
    pub value: Option<Result<Value, NoValue>>,
    /// When the oldest of its words arrived.
    pub at: Option<Time>,
    /// The device refuses it.
    pub quarantined: bool,
    parts: Vec<Option<(u16, Time)>>,
    doubt: u8,
}

/// The registers of one device.
#[derive(Clone, Debug)]
pub struct Values {
    profile: Arc<Profile>,
    slots: Vec<Slot>,
    periods: Vec<Option<Duration>>,
    lost: bool,
    revision: u64,
}

impl Values {
    /// Nothing is known.
    pub fn new(profile: Arc<Profile>) -> Self {
        let slots = profile
            .registers
            .iter()
            .map(|register| Slot { parts: vec![None; register.addresses.len()], ..Slot::default() })
            .collect();
        let periods = profile.registers.iter().map(|register| register.poll.period()).collect();
        Self { profile, slots, periods, lost: false, revision: 0 }
    }

    /// The profile they are of.
    pub const fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Rises whenever a value changes, comes or goes; not when the same is read again.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What is known of a register.
    pub fn slot(&self, register: RegisterId) -> &Slot {
        &self.slots[register]
    }

    /// Takes what a read brought: `words` from the block's first address on.
    pub fn accept(&mut self, block: &Block, words: &[u16], now: Time) {
        let start = usize::from(block.address());
        for item in &block.items {
            for word in 0..usize::from(item.count) {
                let offset = usize::from(item.address) - start + word;
                if let Some(read) = words.get(offset) {
                    self.slots[item.register].parts[item.word + word] = Some((*read, now));
                }
            }
        }
        // Scale factors first: what they scale may be in the same block.
        let mut registers: Vec<RegisterId> = block.items.iter().map(|item| item.register).collect();
        registers.dedup();
        registers.sort_by_key(|register| self.profile.registers[*register].scale_by.is_some());
        for register in registers {
            self.decode(register);
        }
    }

    /// Takes words of one register, all of them.
    pub(super) fn accept_register(&mut self, register: RegisterId, words: &[u16], now: Time) {
        let parts = words.iter().map(|word| Some((*word, now))).collect();
        self.slots[register].parts = parts;
        self.decode(register);
    }

    fn decode(&mut self, register: RegisterId) {
        let known = &self.profile.registers[register];
        let exponent = self.exponent(register);
        let slot = &mut self.slots[register];
        let Some(parts) = slot.parts.iter().copied().collect::<Option<Vec<_>>>() else { return };
        slot.words = parts.iter().map(|(word, _)| *word).collect();
        let value = decode(&self.profile, known, &slot.words, exponent);
        let doubtful = matches!(&value, Ok(Value::Number(number)) if known.doubt.contains(number));
        slot.doubt = if doubtful { slot.doubt.saturating_add(1) } else { 0 };
        if doubtful && slot.doubt < DOUBT_READS && !matches!(&slot.value, Some(old) if *old == value) {
            // The value before stays, and keeps its age.
            return;
        }
        self.revision += u64::from(slot.value.as_ref() != Some(&value) || slot.quarantined);
        slot.value = Some(value);
        slot.at = parts.iter().map(|(_, at)| *at).min();
        slot.quarantined = false;
    }

    /// The exponent that scales a register, once known.
    pub fn exponent(&self, register: RegisterId) -> Option<i16> {
        let by = self.profile.registers[register].scale_by?;
        match &self.slots[by].value {
            Some(Ok(Value::Number(number))) => Some(*number as i16),
            _ => None,
        }
    }

    /// The device refuses a register, or does so no more.
    pub(super) fn quarantine(&mut self, register: RegisterId, refused: bool) {
        self.revision += u64::from(self.slots[register].quarantined != refused);
        self.slots[register].quarantined = refused;
    }

    /// Nobody answers, or somebody does again.
    pub(super) const fn set_lost(&mut self, lost: bool) {
        if self.lost != lost {
            self.revision += 1;
        }
        self.lost = lost;
    }

    /// How often a register is really read, where the link is too slow for its class.
    pub(super) fn set_period(&mut self, register: RegisterId, period: Option<Duration>) {
        self.periods[register] = period;
    }

    /// Forgets everything: another device answers.
    pub(super) fn clear(&mut self) {
        self.revision += 1;
        for slot in &mut self.slots {
            *slot = Slot { parts: vec![None; slot.parts.len()], ..Slot::default() };
        }
    }

    fn wrap<T>(&self, register: RegisterId, value: Option<T>) -> Reading<T> {
        let slot = &self.slots[register];
        let (period, quarantined) = (self.periods[register], slot.quarantined);
        Reading { value, at: slot.at, period, quarantined, lost: self.lost }
    }

    /// A register as a number with its age.
    pub fn reading(&self, register: RegisterId) -> Reading<f64> {
        let value = match &self.slots[register].value {
            Some(Ok(value)) => value.number(),
            _ => None,
        };
        self.wrap(register, value)
    }

    /// What a register's value says, with its age.
    pub fn told(&self, register: RegisterId, says: impl FnOnce(&Value) -> bool) -> Reading<bool> {
        let value = match &self.slots[register].value {
            Some(Ok(value)) => Some(says(value)),
            _ => None,
        };
        self.wrap(register, value)
    }

    /// A register's value, if it is young enough to act on.
    pub fn fresh(&self, register: RegisterId, now: Time) -> Option<&Value> {
        let value = self.slots[register].value.as_ref()?.as_ref().ok()?;
        (self.wrap(register, Some(())).quality(now) == Quality::Fresh).then_some(value)
    }

    /// How far a register can be believed now.
    pub fn quality(&self, register: RegisterId, now: Time) -> Quality {
        let there = matches!(self.slots[register].value, Some(Ok(_))).then_some(());
        self.wrap(register, there).quality(now)
    }

    /// A role as a number with its age: from its register, or worked out from others.
    pub fn role(&self, role: Role) -> Reading<f64> {
        if let Some(register) = self.profile.role(role) {
            return self.reading(register);
        }
        match self.profile.derived.iter().position(|derived| derived.role == role) {
            Some(at) => self.derived(at),
            None => Reading::default(),
        }
    }

    /// Is as old as the oldest and as slow as the slowest of what it is made of. Unknown while any of that is.
    fn derived(&self, at: usize) -> Reading<f64> {
        let mut sum = Some(0.0);
        let mut result: Option<Reading<f64>> = None;
        for term in &self.profile.derived[at].expression.terms {
            let readings: Vec<_> =
                term.factors.iter().map(|factor| (*factor, self.reading(factor.register()))).collect();
            let nothing_there = readings.iter().any(|(_, reading)| {
                reading.quarantined || (reading.at.is_some() && reading.value.is_none() && !reading.lost)
            });
            if term.optional && nothing_there {
                continue;
            }
            let product = readings.iter().try_fold(1.0, |product, (factor, reading)| {
                let value = reading.value?;
                Some(match factor {
                    Factor::Value(_) => product * value,
                    Factor::Abs(_) => product * value.abs(),
                    Factor::Sign(_, negative) => product * if value == *negative as f64 { -1.0 } else { 1.0 },
                })
            });
            sum = sum.zip(product).map(|(sum, product)| if term.negative { sum - product } else { sum + product });
            for (_, reading) in readings {
                result = Some(result.map_or(reading, |so_far| older(so_far, reading)));
            }
        }
        let Some(mut reading) = result else { return Reading::default() };
        reading.value = sum.map(|sum| (sum * 1000.0).round() / 1000.0);
        reading
    }

    /// A role's value in words, with its age. Not for numbers.
    pub fn words(&self, role: Role) -> Option<String> {
        let register = self.profile.role(role)?;
        self.show(register)
    }

    /// A register's last value as a person reads it.
    pub fn show(&self, register: RegisterId) -> Option<String> {
        let value = self.slots[register].value.as_ref()?.as_ref().ok()?;
        Some(super::codec::show(&self.profile.registers[register], value, self.exponent(register)))
    }
}

/// The less believable of both.
fn older(a: Reading<f64>, b: Reading<f64>) -> Reading<f64> {
    Reading {
        value: None,
        // Unknown beats any age.
        at: a.at.zip(b.at).map(|(a, b)| a.min(b)),
        period: match (a.period, b.period) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        },
        quarantined: a.quarantined || b.quarantined,
        lost: a.lost || b.lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::plan::{Learned, plan};
    use crate::inverter::profile::shipped;

    fn values(name: &str) -> Values {
        Values::new(Arc::new(shipped(name).unwrap().unwrap()))
    }

    fn set(values: &mut Values, id: &str, words: &[u16], millis: u64) {
        let register = values.profile.find(id).expect(id);
        values.accept_register(register, words, Time::from_millis(millis));
    }

    #[test]
    fn derived_values_are_as_old_as_their_oldest_part() {
        let mut growatt = values("growatt_sph");
        assert_eq!(growatt.role(Role::BatteryPower).quality(Time::ZERO), Quality::Unknown);
        set(&mut growatt, "battery_discharge_power", &[0, 12_000], 1000);
        assert_eq!(growatt.role(Role::BatteryPower).quality(Time::from_millis(1000)), Quality::Unknown);
        set(&mut growatt, "battery_charge_power", &[0, 2000], 3000);
        let reading = growatt.role(Role::BatteryPower);
        assert_eq!((reading.value, reading.at), (Some(1000.0), Some(Time::from_millis(1000))));
    }

    #[test]
    fn a_string_that_is_not_there_counts_nothing_and_one_not_read_yet_is_no_zero() {
        let mut deye = values("deye_3p");
        set(&mut deye, "pv1_power", &[500], 0);
        set(&mut deye, "pv2_power", &[250], 0);
        assert_eq!(deye.role(Role::PvPower).value, None);
        for id in ["pv3_power", "pv4_power"] {
            let register = deye.profile.find(id).unwrap();
            deye.quarantine(register, true);
        }
        assert_eq!(deye.role(Role::PvPower).fresh(Time::ZERO), Some(750.0));
    }

    #[test]
    fn a_magnitude_gets_its_sign() {
        let mut solis = values("solis");
        set(&mut solis, "battery_power", &[0, 800], 0);
        set(&mut solis, "battery_direction", &[0], 0);
        assert_eq!(solis.role(Role::BatteryPower).value, Some(-800.0));
        set(&mut solis, "battery_direction", &[1], 0);
        assert_eq!(solis.role(Role::BatteryPower).value, Some(800.0));
    }

    #[test]
    fn a_doubtful_value_is_believed_the_third_time() {
        let mut solis = values("solis");
        let soc = |values: &Values| values.role(Role::BatterySoc).value;
        set(&mut solis, "battery_soc", &[55], 0);
        set(&mut solis, "battery_soc", &[0], 1000);
        set(&mut solis, "battery_soc", &[0], 2000);
        assert_eq!((soc(&solis), solis.role(Role::BatterySoc).at), (Some(55.0), Some(Time::ZERO)));
        set(&mut solis, "battery_soc", &[0], 3000);
        assert_eq!((soc(&solis), solis.role(Role::BatterySoc).at), (Some(0.0), Some(Time::from_millis(3000))));
    }

    #[test]
    fn a_value_in_two_reads_is_there_when_both_are() {
        let mut deye = values("deye_3p");
        let register = deye.profile.find("grid_power").unwrap();
        let profile = deye.profile.clone();
        let blocks = plan(&profile, profile.read, &Learned::default(), |id| id == register);
        deye.accept(&blocks[0], &[0xFF38], Time::from_millis(10));
        assert_eq!(deye.reading(register).value, None);
        deye.accept(&blocks[1], &[0xFFFF], Time::from_millis(20));
        assert_eq!(
            deye.reading(register),
            Reading {
                period: Some(Duration::from_secs(5)),
                ..Reading::new(-200.0, Time::from_millis(10), Duration::ZERO)
            }
        );
    }
}
