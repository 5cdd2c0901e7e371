//! What a row has, and how its numbers are scaled: a small whole number takes two bytes where a fraction takes eight.

use crate::model::power::Sample;

/// A value of a row: its column, how many of its units make one, and its place in a [`Sample`].
pub(super) struct Column {
    pub(super) name: &'static str,
    scale: f64,
    get: fn(&Sample) -> Option<f32>,
    set: fn(&mut Sample) -> &mut Option<f32>,
}

macro_rules! column {
    ($field:ident, $scale:expr) => {
        Column {
            name: stringify!($field),
            scale: $scale,
            get: |sample| sample.$field,
            set: |sample| &mut sample.$field,
        }
    };
}

/// How many there are.
pub(super) const COUNT: usize = 11;

/// All of them, in the order of the tables. The first four are powers.
pub(super) const COLUMNS: [Column; COUNT] = [
    column!(pv_w, 1.0),
    column!(battery_w, 1.0),
    column!(grid_w, 1.0),
    column!(load_w, 1.0),
    column!(soc_percent, 10.0),
    column!(battery_v, 100.0),
    column!(grid_v, 10.0),
    column!(grid_hz, 100.0),
    column!(inverter_c, 10.0),
    column!(battery_c, 10.0),
    column!(grid_there, 1000.0),
];

/// Places of the powers among the columns.
pub(super) const PV: usize = 0;
pub(super) const BATTERY: usize = 1;
pub(super) const GRID: usize = 2;
pub(super) const LOAD: usize = 3;
/// So many of them are powers.
pub(super) const POWERS: usize = 4;
/// Place of whether the grid is there.
pub(super) const GRID_THERE: usize = 10;

/// A value for each column.
pub(super) type Values = [Option<f64>; COUNT];

/// The values of a sample.
pub(super) fn values(sample: &Sample) -> Values {
    // What is no number was not known.
    COLUMNS.each_ref().map(|column| (column.get)(sample).map(f64::from).filter(|value| value.is_finite()))
}

/// A sample of these values.
pub(super) fn sample(at_ms: i64, values: &Values) -> Sample {
    let mut sample = Sample { at_ms, ..Sample::default() };
    for (column, value) in COLUMNS.iter().zip(values) {
        *(column.set)(&mut sample) = value.map(|value| value as f32);
    }
    sample
}

/// The numbers of a row.
pub(super) fn scaled(values: &Values) -> [Option<i64>; COUNT] {
    std::array::from_fn(|n| values[n].map(|value| (value * COLUMNS[n].scale).round() as i64))
}

/// Back from them.
pub(super) fn unscaled(numbers: [Option<i64>; COUNT]) -> Values {
    std::array::from_fn(|n| numbers[n].map(|number| number as f64 / COLUMNS[n].scale))
}

/// Their names with commas, as SQL wants them.
pub(super) fn names() -> String {
    COLUMNS.each_ref().map(|column| column.name).join(", ")
}

/// A bit for each column that has a value.
pub(super) fn bits(values: &Values) -> i64 {
    (0..COUNT).filter(|n| values[*n].is_some()).map(|n| 1 << n).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_comes_back_as_finely_as_it_is_kept() {
        let given = Sample {
            at_ms: 7,
            pv_w: Some(3000.4),
            battery_w: Some(-512.0),
            soc_percent: Some(55.5),
            battery_v: Some(52.31),
            grid_hz: Some(49.98),
            grid_there: Some(1.0),
            inverter_c: Some(f32::NAN),
            ..Sample::default()
        };
        let back = sample(7, &unscaled(scaled(&values(&given))));
        assert_eq!(back, Sample { pv_w: Some(3000.0), inverter_c: None, ..given });
        assert_eq!(bits(&values(&back)), 0b100_1011_0011);
    }

    #[test]
    fn the_places_of_the_powers_are_theirs() {
        let places =
            [(PV, "pv_w"), (BATTERY, "battery_w"), (GRID, "grid_w"), (LOAD, "load_w"), (GRID_THERE, "grid_there")];
        for (n, name) in places {
            assert_eq!(COLUMNS[n].name, name);
        }
    }
}
