//! From the words of a register to its value, and back.
//!
//! Bytes of a word are big-endian on the wire and already put together here; the order of words is the profile's.

use std::fmt::Write as _;

use super::profile::{Form, Profile, Register, RegisterType, WordOrder};

/// What a register says, in its unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, scaled.
    Number(f64),
    /// A raw number that stands for a word.
    Choice(u64),
    /// Bits, the lowest first.
    Bits(u128),
    /// Minutes since midnight.
    TimeOfDay(u16),
    /// Text.
    Text(String),
    /// Several codes, without the empty ones.
    Codes(Vec<u16>),
    /// The device's clock.
    Clock(DeviceClock),
}

impl Value {
    /// The number, if it is one; minutes of a time of day.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Choice(raw) => Some(*raw as f64),
            Self::TimeOfDay(minutes) => Some(f64::from(*minutes)),
            _ => None,
        }
    }
}

/// Date and time as a device tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceClock {
    /// Year, 2000 to 2255.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl DeviceClock {
    pub(super) fn is_possible(self) -> bool {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            _ => 0,
        };
        self.day >= 1 && self.day <= days && self.hour < 24 && self.minute < 60 && self.second < 60
    }
}

/// Why words are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// The device says that it has none.
    #[error("the device has no such value")]
    Absent,
    /// It is outside of what can be, and is not believed.
    #[error("the device tells a value that cannot be")]
    Implausible,
    /// Another register that it needs is not known.
    #[error("its scale is not known yet")]
    NoScale,
}

/// The value of a register's words, which are in the order of [`Register::addresses`]. `exponent` is the content of
/// the register named by [`Register::scale_by`].
///
/// # Errors
/// [`NoValue`]: what was read is a sentinel, or cannot be.
pub fn decode(profile: &Profile, register: &Register, words: &[u16], exponent: Option<i16>) -> Result<Value, NoValue> {
    let raw = assemble(profile.word_order, register, words);
    match register.kind {
        RegisterType::Text(_) => Ok(Value::Text(text(words))),
        RegisterType::Clock => clock(words),
        RegisterType::Codes(_) => Ok(Value::Codes(words.iter().copied().filter(|code| *code != 0).collect())),
        RegisterType::ScaleFactor => scale_factor(words),
        RegisterType::Bits(_) => {
            if is_absent(register, raw) {
                return Err(NoValue::Absent);
            }
            Ok(Value::Bits(register.mask.map_or(raw, |mask| u128::from(masked(raw as u64, mask)))))
        }
        RegisterType::F32 => {
            let value = f64::from(f32::from_bits(raw as u32)) * register.scale;
            if value.is_nan() || is_absent(register, raw) {
                return Err(NoValue::Absent);
            }
            plausible(register, value)
        }
        RegisterType::Unsigned(_) | RegisterType::Signed(_) => number(register, raw as u64, exponent),
    }
}

/// The words as one number, most significant first.
fn assemble(order: WordOrder, register: &Register, words: &[u16]) -> u128 {
    let join = |sum: u128, word: &u16| (sum << 16) | u128::from(*word);
    match (order, register.kind) {
        (WordOrder::LowFirst, _) => words.iter().rev().take(8).fold(0, join),
        (WordOrder::HighFirst, _) => words.iter().take(8).fold(0, join),
    }
}

fn is_absent(register: &Register, raw: u128) -> bool {
    register.absent.iter().any(|absent| u128::from(*absent) == raw)
}

/// The bits of the mask, moved down.
const fn masked(raw: u64, mask: u64) -> u64 {
    (raw & mask) >> mask.trailing_zeros()
}

fn number(register: &Register, raw: u64, exponent: Option<i16>) -> Result<Value, NoValue> {
    if is_absent(register, raw.into()) {
        return Err(NoValue::Absent);
    }
    let raw = register.mask.map_or(raw, |mask| masked(raw, mask));
    match register.form {
        Form::HourMinuteDecimal => return time_of_day(raw / 100, raw % 100),
        Form::HourMinute => return time_of_day(raw >> 8, raw & 0xFF),
        Form::Version => return Ok(Value::Text(format!("{}.{}", raw >> 8, raw & 0xFF))),
        Form::Plain => {}
    }
    if !register.labels.is_empty() {
        return Ok(Value::Choice(raw));
    }
    if register.special.word(raw).is_some() {
        return Ok(Value::Choice(raw));
    }
    let signed = match register.kind {
        RegisterType::Signed(1) => f64::from((raw as u16).cast_signed()),
        RegisterType::Signed(2) => f64::from((raw as u32).cast_signed()),
        RegisterType::Signed(_) => raw.cast_signed() as f64,
        _ => raw as f64,
    };
    let scaled = match (register.scale_by, exponent) {
        (Some(_), None) => return Err(NoValue::NoScale),
        (Some(_), Some(exponent)) => {
            rounded(ten_to(signed, exponent) * register.scale, places(register, Some(exponent)))
        }
        (None, _) => rounded(signed * register.scale, register.decimals()),
    };
    let value = rounded(scaled + register.offset, places(register, exponent));
    plausible(register, if register.invert { -value } else { value })
}

/// Decimals that the scale and the exponent leave.
fn places(register: &Register, exponent: Option<i16>) -> u8 {
    let of_exponent = exponent.map_or(0, |exponent| exponent.min(0).unsigned_abs().min(10) as u8);
    (register.decimals() + of_exponent).min(10)
}

fn ten_to(value: f64, exponent: i16) -> f64 {
    // Dividing by a power of ten is exact where multiplying with 0.1 is not.
    if exponent < 0 { value / 10f64.powi(-i32::from(exponent)) } else { value * 10f64.powi(exponent.into()) }
}

fn rounded(value: f64, decimals: u8) -> f64 {
    let factor = 10f64.powi(decimals.into());
    let rounded = (value * factor).round() / factor;
    // No negative zero on a screen.
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn plausible(register: &Register, value: f64) -> Result<Value, NoValue> {
    let out = register.valid.is_some_and(|(low, high)| !(low..=high).contains(&value)) || !value.is_finite();
    if out { Err(NoValue::Implausible) } else { Ok(Value::Number(value)) }
}

fn time_of_day(hour: u64, minute: u64) -> Result<Value, NoValue> {
    if hour < 24 && minute < 60 { Ok(Value::TimeOfDay((hour * 60 + minute) as u16)) } else { Err(NoValue::Implausible) }
}

fn scale_factor(words: &[u16]) -> Result<Value, NoValue> {
    // SunSpec: −10 to 10; 0x8000 is "not implemented".
    match words.first().map(|word| word.cast_signed()) {
        Some(exponent @ -10..=10) => Ok(Value::Number(exponent.into())),
        Some(i16::MIN) | None => Err(NoValue::Absent),
        Some(_) => Err(NoValue::Implausible),
    }
}

fn text(words: &[u16]) -> String {
    let bytes = words.iter().flat_map(|word| word.to_be_bytes());
    let text: String = bytes.take_while(|byte| *byte != 0).map(char::from).collect();
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect::<String>().trim().to_owned()
}

fn clock(words: &[u16]) -> Result<Value, NoValue> {
    let [date, day_hour, minute_second] = words else { return Err(NoValue::Implausible) };
    let [[year, month], [day, hour], [minute, second]] = [date, day_hour, minute_second].map(|word| word.to_be_bytes());
    let clock = DeviceClock { year: 2000 + u16::from(year), month, day, hour, minute, second };
    if clock.is_possible() { Ok(Value::Clock(clock)) } else { Err(NoValue::Implausible) }
}

/// The words that say this value, in the order of [`Register::addresses`]. `old` are the words there now: bits outside
/// of the register's mask are kept from them.
///
/// `None`: the register cannot say it. Nothing is clamped, ever.
pub fn encode(
    profile: &Profile,
    register: &Register,
    value: &Value,
    old: &[u16],
    exponent: Option<i16>,
) -> Option<Vec<u16>> {
    let words = register.kind.words();
    let raw = match (register.kind, value) {
        (RegisterType::Clock, Value::Clock(clock)) => return encode_clock(*clock),
        (RegisterType::Bits(_), Value::Bits(bits)) => match register.mask {
            Some(_) => u64::try_from(*bits).ok()?.into(),
            None => *bits,
        },
        (RegisterType::F32, Value::Number(number)) => {
            let single = (*number / register.scale) as f32;
            if !single.is_finite() {
                return None;
            }
            single.to_bits().into()
        }
        (RegisterType::Unsigned(1), Value::TimeOfDay(minutes)) if *minutes < 24 * 60 => {
            let (hour, minute) = (u128::from(minutes / 60), u128::from(minutes % 60));
            match register.form {
                Form::HourMinuteDecimal => hour * 100 + minute,
                Form::HourMinute => hour << 8 | minute,
                _ => return None,
            }
        }
        (RegisterType::Unsigned(_) | RegisterType::Signed(_), Value::Choice(raw)) => u128::from(*raw),
        (RegisterType::Unsigned(_) | RegisterType::Signed(_), Value::Number(number))
            if register.form == Form::Plain =>
        {
            raw_number(register, *number, exponent)?
        }
        _ => return None,
    };
    let raw = match register.mask {
        Some(mask) => {
            let moved = raw << mask.trailing_zeros();
            if moved & !u128::from(mask) != 0 {
                return None;
            }
            assemble(profile.word_order, register, old) & !u128::from(mask) | moved
        }
        None => raw,
    };
    if words < 8 && raw >> (16 * words) != 0 {
        return None;
    }
    let low_first: Vec<u16> = (0..words).map(|word| (raw >> (16 * word)) as u16).collect();
    Some(match profile.word_order {
        WordOrder::LowFirst => low_first,
        WordOrder::HighFirst => low_first.into_iter().rev().collect(),
    })
}

/// The raw number of a value, if the type can hold it.
fn raw_number(register: &Register, number: f64, exponent: Option<i16>) -> Option<u128> {
    let value = (if register.invert { -number } else { number }) - register.offset;
    let raw = match (register.scale_by, exponent) {
        (Some(_), None) => return None,
        (Some(_), Some(exponent)) => ten_to(value / register.scale, exponent.checked_neg()?),
        (None, _) => value / register.scale,
    };
    let raw = raw.round();
    let bits = 16 * register.kind.words() as u32;
    match register.kind {
        RegisterType::Signed(_) => {
            let half = f64::from(bits - 1).exp2();
            let fits = raw >= -half && raw < half;
            // As two's complement of the type's width.
            fits.then(|| (raw as i64).cast_unsigned() & (u64::MAX >> (64 - bits))).map(u128::from)
        }
        _ => (raw >= 0.0 && raw < f64::from(bits).exp2()).then_some(raw as u128),
    }
}

fn encode_clock(clock: DeviceClock) -> Option<Vec<u16>> {
    let year = u8::try_from(clock.year.checked_sub(2000)?).ok()?;
    clock.is_possible().then(|| {
        let words = [[year, clock.month], [clock.day, clock.hour], [clock.minute, clock.second]];
        words.map(u16::from_be_bytes).to_vec()
    })
}

/// The value in words, with its unit: `12.5 kW` is never made of `12500 W`, the unit is the register's.
pub fn show(register: &Register, value: &Value, exponent: Option<i16>) -> String {
    match value {
        Value::Number(number) => {
            let decimals = usize::from(places(register, exponent));
            let gap = if register.unit.is_empty() { "" } else { " " };
            format!("{number:.decimals$}{gap}{}", register.unit)
        }
        Value::Choice(raw) => match register.labels.word(*raw).or_else(|| register.special.word(*raw)) {
            Some(word) => word.to_owned(),
            None => format!("{raw} (no word for it)"),
        },
        Value::Bits(bits) => show_bits(register, *bits),
        Value::TimeOfDay(minutes) => format!("{:02}:{:02}", minutes / 60, minutes % 60),
        Value::Text(text) => text.clone(),
        Value::Codes(codes) if codes.is_empty() => "none".to_owned(),
        Value::Codes(codes) => {
            let words = codes.iter().map(|code| match register.labels.word((*code).into()) {
                Some(word) => word.to_owned(),
                None => format!("code {code}"),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Value::Clock(c) => {
            format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
        }
    }
}

fn show_bits(register: &Register, bits: u128) -> String {
    if bits == 0 {
        return "none".to_owned();
    }
    let mut text = String::new();
    for bit in (0..128).filter(|bit| bits >> bit & 1 == 1) {
        let gap = if text.is_empty() { "" } else { ", " };
        let _ = match register.bits.word(bit) {
            Some(word) => write!(text, "{gap}{word}"),
            None => write!(text, "{gap}bit {bit}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inverter::profile::shipped;

    fn value(profile: &Profile, id: &str, words: &[u16]) -> Result<String, NoValue> {
        let register = &profile.registers[profile.find(id).expect(id)];
        decode(profile, register, words, None).map(|value| show(register, &value, None))
    }

    fn profile(name: &str) -> Profile {
        shipped(name).expect(name).expect("in order")
    }

    #[test]
    fn words_are_put_together_in_the_order_of_the_family() {
        let senergy = profile("senergy");
        assert_eq!(value(&senergy, "battery_power", &[0xFFFF, 0xFFF6]), Ok("-1.0 W".into()));
        assert_eq!(value(&senergy, "pv_power", &[0, 12_345]), Ok("1234.5 W".into()));
        let deye = profile("deye_sunsynk");
        assert_eq!(value(&deye, "energy_total_import", &[10, 1]), Ok("6554.6 kWh".into()));
        assert_eq!(value(&deye, "grid_power", &[0xFC18]), Ok("-1000 W".into()));
    }

    #[test]
    fn sentinels_are_no_value_and_never_zero() {
        let deye = profile("deye_sunsynk");
        assert_eq!(value(&deye, "battery_temp", &[0]), Err(NoValue::Absent));
        assert_eq!(value(&deye, "battery_temp", &[1215]), Ok("21.5 °C".into()));
        assert_eq!(value(&deye, "battery_soc", &[101]), Err(NoValue::Implausible));
        let sungrow = profile("sungrow");
        assert_eq!(value(&sungrow, "load_power", &[0xFFFF, 0x7FFF]), Err(NoValue::Absent));
        assert_eq!(value(&sungrow, "mppt3_voltage", &[0xFFFF]), Err(NoValue::Absent));
        assert_eq!(value(&profile("solis"), "backup_power", &[65_400]), Err(NoValue::Implausible));
    }

    #[test]
    fn times_bits_codes_and_masks_are_told_in_words() {
        let deye = profile("deye_sunsynk");
        assert_eq!(value(&deye, "prog1_time", &[830]), Ok("08:30".into()));
        assert_eq!(value(&deye, "prog1_time", &[2460]), Err(NoValue::Implausible));
        assert_eq!(value(&deye, "prog1_mode", &[0b0000_1001]), Ok("backup".into()));
        assert_eq!(value(&deye, "timer_days", &[0b1000_0011]), Ok("Mon, Sun".into()));
        assert_eq!(value(&deye, "datetime", &[0x1903, 0x0A0C, 0x1E05]), Ok("2025-03-10 12:30:05".into()));
        assert_eq!(value(&deye, "datetime", &[0x1902, 0x1E00, 0]), Err(NoValue::Implausible));
        assert_eq!(value(&deye, "protocol_version", &[0x0104]), Ok("1.4".into()));
        let senergy = profile("senergy");
        assert_eq!(value(&senergy, "tou1_charge_start", &[0x0815]), Ok("08:21".into()));
        assert_eq!(value(&senergy, "error_bits", &[0, 0b100]), Ok("Grid AC absent".into()));
        assert_eq!(value(&senergy, "mode", &[7]), Ok("7 (no word for it)".into()));
        assert_eq!(value(&senergy, "serial", &[0x5345, 0x3031, 0, 0, 0, 0, 0, 0]), Ok("SE01".into()));
        let srne = profile("srne");
        assert_eq!(value(&srne, "fault_codes", &[12, 0, 99, 0]), Ok("bLineLoss, code 99".into()));
        assert_eq!(value(&srne, "fault_codes", &[0; 4]), Ok("none".into()));
        let growatt = profile("growatt_mod");
        assert_eq!(value(&growatt, "active_power_rate", &[255]), Ok("no limit".into()));
        assert_eq!(value(&growatt, "time1_start", &[0xE81E]), Ok("08:30".into()));
        assert_eq!(value(&growatt, "time1_priority", &[0xC81E]), Ok("grid".into()));
        assert_eq!(value(&growatt, "time1_enable", &[0xC81E]), Ok("on".into()));
    }

    #[test]
    fn a_masked_write_keeps_the_other_bits() {
        let deye = profile("deye_sunsynk");
        let mode = &deye.registers[deye.find("prog1_mode").unwrap()];
        let words = encode(&deye, mode, &Value::Choice(3), &[0b0100_0101], None);
        assert_eq!(words, Some(vec![0b0100_1101]));
        assert_eq!(encode(&deye, mode, &Value::Choice(8), &[0], None), None);
    }

    #[test]
    fn what_a_register_cannot_say_is_never_clamped() {
        let senergy = profile("senergy");
        let soc = &senergy.registers[senergy.find("discharge_end_soc").unwrap()];
        for wrong in [-1.0, 65_536.0] {
            assert_eq!(encode(&senergy, soc, &Value::Number(wrong), &[0], None), None);
        }
        assert_eq!(encode(&senergy, soc, &Value::Text("20".into()), &[0], None), None);
        let feed_in = &senergy.registers[senergy.find("max_feed_in_power").unwrap()];
        assert_eq!(encode(&senergy, feed_in, &Value::Number(70_000.0), &[0, 0], None), Some(vec![1, 4464]));
    }
}
