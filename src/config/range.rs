//! Numbers that name their range when they are refused.
//!
//! `toml` adds the place of the value to whatever a visitor refuses, so a range that is checked while
//! deserializing needs no second description of the file.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// Most presets of a kind: one for each digit key 1 to 9.
const MAX_PRESETS: usize = 9;

/// A whole number from `MIN` to `MAX`.
pub(super) fn whole<'de, D, T, const MIN: u64, const MAX: u64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    deserializer.deserialize_any(Whole::<T, MIN, MAX>(PhantomData))
}

/// The same for a key that may be left out.
pub(super) fn whole_option<'de, D, T, const MIN: u64, const MAX: u64>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    whole::<D, T, MIN, MAX>(deserializer).map(Some)
}

struct Whole<T, const MIN: u64, const MAX: u64>(PhantomData<T>);

impl<T: TryFrom<u64>, const MIN: u64, const MAX: u64> Visitor<'_> for Whole<T, MIN, MAX> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        u64::try_from(value)
            .ok()
            .filter(|value| (MIN..=MAX).contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        // Only reached by numbers that no i64 holds, which no range here contains.
        Err(E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

/// A jog step in mm.
pub(super) fn step_mm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::STEP_MM.deserialize(deserializer)
}

/// Jog steps in mm, rising.
pub(super) fn steps_mm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    deserializer.deserialize_any(Presets(Number::STEP_MM))
}

/// Jog steps in degrees, rising.
pub(super) fn steps_deg<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    deserializer.deserialize_any(Presets(Number::STEP_DEG))
}

/// A jog feed in mm/min.
pub(super) fn feed_mm_min<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::FEED.deserialize(deserializer)
}

/// Jog feeds in mm/min, rising.
pub(super) fn feeds_mm_min<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    deserializer.deserialize_any(Presets(Number::FEED))
}

/// Watts.
pub(super) fn watts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::WATTS.deserialize(deserializer).map(Some)
}

/// Watts beyond what is needed.
pub(super) fn margin_w<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::MARGIN.deserialize(deserializer)
}

/// Charge of a battery.
pub(super) fn charge_percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::CHARGE.deserialize(deserializer).map(Some)
}

/// Degrees north.
pub(super) fn latitude<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::LATITUDE.deserialize(deserializer).map(Some)
}

/// Degrees east.
pub(super) fn longitude<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::LONGITUDE.deserialize(deserializer).map(Some)
}

/// Degrees by which panels are tilted.
pub(super) fn tilt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::TILT.deserialize(deserializer)
}

/// Where panels look.
pub(super) fn azimuth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::AZIMUTH.deserialize(deserializer)
}

/// What a kWh costs.
pub(super) fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::PRICE.deserialize(deserializer)
}

/// A part of a feed.
pub(super) fn part<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::PART.deserialize(deserializer)
}

/// A multiple of a feed.
pub(super) fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::FACTOR.deserialize(deserializer)
}

/// The cap of an analog output.
pub(super) fn output_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::OUTPUT.deserialize(deserializer).map(Some)
}

/// Capacity of a battery.
pub(super) fn capacity_kwh<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::CAPACITY.deserialize(deserializer).map(Some)
}

/// Nominal voltage of a grid.
pub(super) fn nominal_v<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::GRID.deserialize(deserializer)
}

/// A machine position.
pub(super) fn machine_mm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::MACHINE.deserialize(deserializer).map(Some)
}

/// Power of a machine.
pub(super) fn rated_w<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Number::POWER.deserialize(deserializer).map(Some)
}

/// A number within a range, whole or not.
#[derive(Clone)]
struct Number {
    range: RangeInclusive<f64>,
    unit: &'static str,
}

impl Number {
    const WATTS: Self = Self { range: 1.0..=1_000_000.0, unit: " W" };
    const MARGIN: Self = Self { range: 0.0..=100_000.0, unit: " W" };
    const CHARGE: Self = Self { range: 50.0..=100.0, unit: " %" };
    const LATITUDE: Self = Self { range: -90.0..=90.0, unit: " degrees" };
    const LONGITUDE: Self = Self { range: -180.0..=180.0, unit: " degrees" };
    const TILT: Self = Self { range: 0.0..=90.0, unit: " degrees" };
    const AZIMUTH: Self = Self { range: 0.0..=360.0, unit: " degrees" };
    const PRICE: Self = Self { range: -1000.0..=1_000_000.0, unit: "" };
    const STEP_MM: Self = Self { range: 0.001..=1000.0, unit: " mm" };
    const STEP_DEG: Self = Self { range: 0.001..=360.0, unit: " degrees" };
    const FEED: Self = Self { range: 1.0..=100_000.0, unit: " mm/min" };
    const PART: Self = Self { range: 0.05..=1.0, unit: "" };
    const OUTPUT: Self = Self { range: 0.0..=100.0, unit: " %" };
    const CAPACITY: Self = Self { range: 0.1..=10_000.0, unit: " kWh" };
    const GRID: Self = Self { range: 50.0..=1000.0, unit: " V" };
    const MACHINE: Self = Self { range: -100_000.0..=100_000.0, unit: " mm" };
    const POWER: Self = Self { range: 1.0..=100_000.0, unit: " W" };
    const FACTOR: Self = Self { range: 0.01..=100.0, unit: "" };
}

impl<'de> DeserializeSeed<'de> for Number {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number from {} to {}{}", self.range.start(), self.range.end(), self.unit)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        if self.range.contains(&value) {
            return Ok(value);
        }
        Err(E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        self.visit_f64(value as f64)
    }
}

/// One to nine rising numbers.
struct Presets(Number);

impl<'de> Visitor<'de> for Presets {
    type Value = Vec<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of 1 to 9 rising values, each ")?;
        self.0.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<f64>, A::Error> {
        let mut values: Vec<f64> = Vec::new();
        while let Some(value) = items.next_element_seed(self.0.clone())? {
            if values.last().is_some_and(|last| *last >= value) {
                return Err(A::Error::invalid_value(Unexpected::Other("a list that does not rise"), &self));
            }
            values.push(value);
        }
        if values.is_empty() || values.len() > MAX_PRESETS {
            return Err(A::Error::invalid_length(values.len(), &self));
        }
        Ok(values)
    }
}
