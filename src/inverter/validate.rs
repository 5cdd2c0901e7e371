//! The one judge of what may be written: for the screen, the command line and everything else that sets a value.
//!
//! Nothing is clamped, rounded or guessed. What is refused is refused by name, with what would be taken.

use crate::model::Time;
use crate::model::nearest::edits;
use crate::model::power::Danger;
use crate::model::quantity::parse_plain;

use super::codec::{DeviceClock, Value, encode, show};
use super::profile::{Bound, Form, Register, RegisterId, RegisterType, clock_minutes};
use super::values::Values;

/// One value to be written, found in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The register.
    pub register: RegisterId,
    /// Its id.
    pub id: String,
    /// What it says now, as far as known. A device that says something else when the write begins is not written.
    pub before: Option<Value>,
    /// What it shall say.
    pub after: Value,
    /// Both in words, with units, for the question that is put to a person.
    pub before_text: String,
    /// See [`Change::before_text`].
    pub after_text: String,
    /// What a wrong value can do.
    pub danger: Danger,
}

impl Change {
    /// It says that already: nothing would be written.
    pub fn is_none(&self) -> bool {
        self.before.as_ref() == Some(&self.after)
    }
}

/// Why a value is not written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such register.
    #[error("there is no register {name:?}{}", hint(.nearest.as_deref()))]
    NoRegister {
        /// As typed.
        name: String,
        /// The most similar one that can be written.
        nearest: Option<String>,
    },
    /// It cannot be written.
    #[error("{id} can only be read{}", if .note.is_empty() { String::new() } else { format!(" ({note})") })]
    ReadOnly {
        /// The register.
        id: String,
        /// What the profile notes.
        note: String,
    },
    /// It is named twice in one change.
    #[error("{id} is set twice")]
    Twice {
        /// The register.
        id: String,
    },
    /// Not one of the words.
    #[error("{text:?} is no value of {id}: it takes {offered}{}", hint(.nearest.as_deref()))]
    NoWord {
        /// The register.
        id: String,
        /// As typed.
        text: String,
        /// What it takes.
        offered: String,
        /// The most similar word.
        nearest: Option<String>,
    },
    /// Not of the right form.
    #[error("{text:?} does not fit {id}: write {wanted}")]
    Form {
        /// The register.
        id: String,
        /// As typed.
        text: String,
        /// What fits.
        wanted: String,
    },
    /// Outside of its range.
    #[error("{text} is out of range for {id}: it takes {low} to {high}")]
    Range {
        /// The register.
        id: String,
        /// As typed.
        text: String,
        /// Lowest, with unit.
        low: String,
        /// Highest, with unit.
        high: String,
    },
    /// Between two steps.
    #[error("{text} is between the steps of {id}: take {below} or {above}")]
    Step {
        /// The register.
        id: String,
        /// As typed.
        text: String,
        /// The step below.
        below: String,
        /// The step above.
        above: String,
    },
    /// Its limit is another register's value, which is not known now.
    #[error("the limit of {id} is {other}, which is not known now; try again when it was read")]
    LimitUnknown {
        /// The register.
        id: String,
        /// The register that limits it.
        other: String,
    },
    /// Its scale is not known.
    #[error("{id} cannot be set before its scale was read")]
    NoScale {
        /// The register.
        id: String,
    },
    /// It is dangerous, and dangerous writes are not armed.
    #[error("{id} is dangerous: arm dangerous settings first (for 60 s)")]
    NotArmed {
        /// The register.
        id: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest:?}?"))
}

/// Judges a set of settings, each a name and what was typed, and puts them in the order of writing. Limits that are
/// other registers of the set are judged by their new values.
///
/// # Errors
/// Everything that is wrong with it; nothing of a set with one refusal is written.
pub fn check(values: &Values, settings: &[(&str, &str)], armed: bool, now: Time) -> Result<Vec<Change>, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    for (name, text) in settings {
        match read(values, name, text.trim(), now) {
            Ok(change) if changes.iter().any(|other| other.register == change.register) => {
                refusals.push(Refusal::Twice { id: change.id });
            }
            Ok(change) if change.danger == Danger::Dangerous && !armed => {
                refusals.push(Refusal::NotArmed { id: change.id });
            }
            Ok(change) => changes.push(change),
            Err(refusal) => refusals.push(refusal),
        }
    }
    for change in &changes {
        refusals.extend(limits(values, change, &changes, now).err());
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    changes.sort_by_key(|change| !values.profile().registers[change.register].write_first);
    Ok(changes)
}

fn read(values: &Values, name: &str, text: &str, now: Time) -> Result<Change, Refusal> {
    let profile = values.profile();
    let Some(index) = profile.find(name) else {
        let writable = profile.registers.iter().filter(|register| register.access.writes());
        let nearest = nearest(name, writable.map(|register| register.id.as_str()));
        return Err(Refusal::NoRegister { name: name.to_owned(), nearest });
    };
    let register = &profile.registers[index];
    let id = register.id.clone();
    if !register.access.writes() {
        return Err(Refusal::ReadOnly { id, note: register.note.clone() });
    }
    let exponent = values.exponent(index);
    if register.scale_by.is_some() && exponent.is_none() {
        return Err(Refusal::NoScale { id });
    }
    let after = parse(register, text)?;
    let before = values.fresh(index, now).cloned();
    let before_text = match &before {
        Some(value) => show(register, value, exponent),
        None => "not known".to_owned(),
    };
    let after_text = show(register, &after, exponent);
    Ok(Change { register: index, id, before, after, before_text, after_text, danger: register.danger })
}

/// What was typed as a value of the register; limits are judged later.
fn parse(register: &Register, text: &str) -> Result<Value, Refusal> {
    let form = |wanted: String| Refusal::Form { id: register.id.clone(), text: text.to_owned(), wanted };
    match (register.kind, register.form) {
        (RegisterType::Bits(_), _) => bits(register, text),
        (RegisterType::Clock, _) => {
            clock(text).map(Value::Clock).ok_or_else(|| form("a date and time such as 2026-03-01 09:30:00".into()))
        }
        (_, Form::HourMinute | Form::HourMinuteDecimal) => {
            clock_minutes(text).map(Value::TimeOfDay).ok_or_else(|| form("a time such as 08:30".into()))
        }
        _ if !register.labels.is_empty() => word(register, text),
        _ => {
            if let Some(special) = register.special.number(text) {
                return Ok(Value::Choice(special));
            }
            let bare = match text.strip_suffix(register.unit.as_str()) {
                Some(bare) if !register.unit.is_empty() => bare.trim_end(),
                _ => text,
            };
            let unit = if register.unit.is_empty() { String::new() } else { format!(" in {}", register.unit) };
            parse_plain(bare).map(Value::Number).map_err(|_| form(format!("a number{unit}")))
        }
    }
}

fn word(register: &Register, text: &str) -> Result<Value, Refusal> {
    let by_number = || text.parse().ok().filter(|number| register.labels.word(*number).is_some());
    match register.labels.number(text).or_else(by_number) {
        Some(number) => Ok(Value::Choice(number)),
        None => {
            let words = || register.labels.0.iter().map(|(_, word)| word.as_str());
            Err(Refusal::NoWord {
                id: register.id.clone(),
                text: text.to_owned(),
                offered: words().collect::<Vec<_>>().join(", "),
                nearest: nearest(text, words()),
            })
        }
    }
}

/// Words of bits with commas between them; `none`.
fn bits(register: &Register, text: &str) -> Result<Value, Refusal> {
    let mut bits = 0u128;
    if text.eq_ignore_ascii_case("none") {
        return Ok(Value::Bits(0));
    }
    for word in text.split(',').map(str::trim) {
        match register.bits.number(word) {
            Some(bit) => bits |= 1 << bit,
            None => {
                let words = || register.bits.0.iter().map(|(_, word)| word.as_str());
                return Err(Refusal::NoWord {
                    id: register.id.clone(),
                    text: word.to_owned(),
                    offered: format!("none, or of {}", words().collect::<Vec<_>>().join(", ")),
                    nearest: nearest(word, words()),
                });
            }
        }
    }
    Ok(Value::Bits(bits))
}

fn clock(text: &str) -> Option<DeviceClock> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut date = date.split('-').map(|part| part.parse::<u16>().ok());
    let mut time = time.split(':').map(|part| part.parse::<u8>().ok());
    let clock = DeviceClock {
        year: date.next()??,
        month: u8::try_from(date.next()??).ok()?,
        day: u8::try_from(date.next()??).ok()?,
        hour: time.next()??,
        minute: time.next()??,
        second: time.next().unwrap_or(Some(0))?,
    };
    (date.next().is_none() && time.next().is_none() && clock.is_possible()).then_some(clock)
}

/// The value against range and step.
fn limits(values: &Values, change: &Change, set: &[Change], now: Time) -> Result<(), Refusal> {
    let profile = values.profile();
    let register = &profile.registers[change.register];
    let exponent = values.exponent(change.register);
    let id = || change.id.clone();
    let shown = |number: f64| match change.after {
        Value::TimeOfDay(_) => show(register, &Value::TimeOfDay(number as u16), exponent),
        _ => show(register, &Value::Number(number), exponent),
    };
    if let Some(number) = limited(&change.after) {
        let low = bound(values, register, register.min, set, now)?;
        let high = bound(values, register, register.max, set, now)?;
        if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
            let low = low.map_or_else(|| "anything".to_owned(), shown);
            let high = high.map_or_else(|| "anything".to_owned(), shown);
            return Err(Refusal::Range { id: id(), text: change.after_text.clone(), low, high });
        }
        let step = register.step.unwrap_or(register.scale);
        let steps = (number - register.offset) / step;
        let on_step = (steps - steps.round()).abs() < 1e-6 || Some(number) == low || Some(number) == high;
        if matches!(change.after, Value::Number(_)) && register.scale_by.is_none() && !on_step {
            let [below, above] = [steps.floor(), steps.ceil()].map(|n| shown(n * step + register.offset));
            // As typed: shown with the register's decimals it would look like one of the steps.
            return Err(Refusal::Step { id: id(), text: number.to_string(), below, above });
        }
    }
    let old = vec![0; register.addresses.len()];
    match encode(profile, register, &change.after, &old, exponent) {
        Some(_) => Ok(()),
        None => {
            let wanted = "what the register can hold".to_owned();
            Err(Refusal::Form { id: id(), text: change.after_text.clone(), wanted })
        }
    }
}

/// The number that range and step are about.
fn limited(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::TimeOfDay(minutes) => Some(f64::from(*minutes)),
        _ => None,
    }
}

fn bound(
    values: &Values,
    register: &Register,
    bound: Option<Bound>,
    set: &[Change],
    now: Time,
) -> Result<Option<f64>, Refusal> {
    match bound {
        None => Ok(None),
        Some(Bound::Number(number)) => Ok(Some(number)),
        Some(Bound::Register(other)) => {
            let new = set.iter().find(|change| change.register == other).and_then(|change| change.after.number());
            let number = new.or_else(|| values.fresh(other, now).and_then(Value::number));
            number.map(Some).ok_or_else(|| Refusal::LimitUnknown {
                id: register.id.clone(),
                other: values.profile().registers[other].id.clone(),
            })
        }
    }
}

/// The most similar of these words, if one is similar.
fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<String> {
    let text = text.to_lowercase();
    let scored = words.map(|word| (edits(&text, &word.to_lowercase()), word));
    let (distance, word) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= text.chars().count().max(3) / 2).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inverter::profile::shipped;

    const NOW: Time = Time::from_millis(1000);

    fn values(name: &str, known: &[(&str, &[u16])]) -> Values {
        let profile = Arc::new(shipped(name).unwrap().unwrap());
        let mut values = Values::new(profile.clone());
        for (id, words) in known {
            values.accept_register(profile.find(id).expect(id), words, NOW);
        }
        values
    }

    fn one(values: &Values, id: &str, text: &str) -> Result<String, String> {
        match check(values, &[(id, text)], false, NOW) {
            Ok(changes) => Ok(changes[0].after_text.clone()),
            Err(refusals) => Err(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        }
    }

    #[test]
    fn a_setting_goes_from_before_to_after_in_words() {
        let values = values("senergy", &[("discharge_end_soc", &[20]), ("work_mode", &[0])]);
        let settings = [("capacity_of_discharger_end_eod_", "35"), ("work_mode", "back-up mode")];
        let changes = check(&values, &settings, false, NOW).expect("in order");
        let told: Vec<_> = changes.iter().map(|c| (c.id.as_str(), &*c.before_text, &*c.after_text)).collect();
        assert_eq!(told, [("discharge_end_soc", "20 %", "35 %"), ("work_mode", "Self used mode", "Back-up mode")]);
        let same = check(&values, &[("discharge_end_soc", "20")], false, NOW).expect("in order");
        assert!(same[0].is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_and_never_clamped() {
        let values = values("senergy", &[]);
        for (id, text, says) in [
            ("discharge_end_soc", "101", "out of range for discharge_end_soc: it takes 0 % to 100 %"),
            ("discharge_end_soc", "-1", "out of range"),
            ("discharge_end_soc", "20.5", "20.5 is between the steps of discharge_end_soc: take 20 % or 21 %"),
            ("discharge_end_soc", "lots", "write a number in %"),
            ("discharge_end_soc", "20 W", "write a number in %"),
            ("discharge_end_soc", "", "write a number"),
            ("tou1_charge_power", "1250", "take 1200 W or 1300 W"),
            ("tou1_charge_start", "25:00", "write a time such as 08:30"),
            ("work_mode", "self use mode", "did you mean \"Self used mode\"?"),
            ("work_mode", "9", "it takes Self used mode, Feed-in priority mode"),
            ("battery_soc", "50", "battery_soc can only be read"),
            ("discharge_end_sock", "50", "no register \"discharge_end_sock\"; did you mean \"discharge_end_soc\"?"),
            ("modbus_address", "2", "there is no register"),
            ("inverter_control", "off", "is dangerous: arm"),
        ] {
            let refused = one(&values, id, text).expect_err(id);
            assert!(refused.contains(says), "{id} = {text}: {refused}");
        }
        for (id, text, after) in [
            ("discharge_end_soc", " 35 % ", "35 %"),
            ("discharge_end_soc", "0", "0 %"),
            ("tou1_charge_start", "08:05", "08:05"),
            ("work_mode", "2", "Time-based control"),
        ] {
            assert_eq!(one(&values, id, text), Ok(after.to_owned()));
        }
        assert!(check(&values, &[("inverter_control", "off")], true, NOW).is_ok());
    }

    #[test]
    fn limits_that_are_other_registers_are_looked_up() {
        let unknown = values("deye_sunsynk", &[]);
        assert!(one(&unknown, "prog1_power", "3000").is_err_and(|why| why.contains("rated_power, which is not known")));
        let known = values("deye_sunsynk", &[("rated_power", &[50_000, 0]), ("battery_low_soc", &[20])]);
        assert_eq!(one(&known, "prog1_power", "3000"), Ok("3000 W".into()));
        assert!(one(&known, "prog1_power", "5001").is_err_and(|why| why.contains("0 W to 5000 W")));
        // With both in one set, the new limit counts.
        assert!(one(&known, "battery_shutdown_soc", "25").is_err());
        let both = [("battery_shutdown_soc", "25"), ("battery_low_soc", "30")];
        assert!(check(&known, &both, false, NOW).is_ok());
        let twice = [("battery_low_soc", "25"), ("battery_low_soc", "30")];
        assert_eq!(check(&known, &twice, false, NOW).map_err(|r| r.len()), Err(1));
    }

    #[test]
    fn what_latches_others_goes_first() {
        let values = values("solis", &[]);
        let settings = [("tou_v2_switch", "charge_1, discharge_2"), ("rc_force", "charge")];
        let changes = check(&values, &settings, false, NOW).expect("in order");
        assert_eq!(changes.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["rc_force", "tou_v2_switch"]);
        assert_eq!(changes[1].after_text, "charge_1, discharge_2");
        assert!(one(&values, "tou_v2_switch", "charge1").is_err_and(|why| why.contains("did you mean \"charge_1\"?")));
    }
}
