//! What a controller keeps over power-off: numbered settings, offsets, startup lines.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::axes::MAX_AXES;
use crate::model::{Axis, AxisVec, Firmware};

/// Settings and offsets of a simulated machine. The text form ([`fmt::Display`], [`Settings::read`]) is for a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Values of `$n`.
    pub(super) numbers: BTreeMap<u16, f64>,
    /// `G54` … `G59.3`.
    pub(super) wcs: [AxisVec; 9],
    /// `G28`.
    pub(super) g28: AxisVec,
    /// `G30`.
    pub(super) g30: AxisVec,
    /// `$N0`, `$N1`.
    pub(super) startup: [String; 2],
    /// Named settings of FluidNC, in the order of `$S`.
    pub(super) named: Vec<(String, String)>,
    /// The memory fails: a write is taken and not kept.
    pub(super) forgetful: bool,
    axes: usize,
}

/// The text is not a settings file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text:?} is not a setting: write $n=value, or G54=x,y,z and the like")]
pub struct BadSettings {
    /// Counted from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// Names of the work coordinate systems, in the order of `$#`.
pub(super) const WCS_NAMES: [&str; 9] = ["G54", "G55", "G56", "G57", "G58", "G59", "G59.1", "G59.2", "G59.3"];

/// Named settings of a FluidNC as delivered, with those that its network part adds.
const NAMED: [(&str, &str); 9] = [
    ("Telnet/Enable", "ON"),
    ("Telnet/Port", "23"),
    ("HTTP/Enable", "ON"),
    ("HTTP/Port", "80"),
    ("Hostname", "fluidnc"),
    ("Start/Message", "Grbl \\V [FluidNC \\B (\\X) \\H]"),
    ("SD/FallbackCS", "-1"),
    ("Config/Filename", "config.yaml"),
    ("Message/Level", "Info"),
];

const TRAVEL: [f64; 4] = [300.0, 200.0, 60.0, 360.0];
const RATE: [f64; 4] = [3000.0, 3000.0, 1000.0, 3600.0];
const ACCEL: [f64; 4] = [200.0, 200.0, 100.0, 200.0];
const STEPS: [f64; 4] = [80.0, 80.0, 200.0, 100.0];

impl Settings {
    /// As delivered: the little mill.
    pub fn defaults(firmware: Firmware, axes: usize) -> Self {
        let axes = axes.clamp(1, MAX_AXES);
        let mut numbers: BTreeMap<u16, f64> = common(firmware).iter().copied().collect();
        for i in 0..axes {
            let row = i.min(3);
            let n = i as u16;
            numbers.insert(100 + n, STEPS[row]);
            numbers.insert(110 + n, RATE[row]);
            numbers.insert(120 + n, ACCEL[row]);
            numbers.insert(130 + n, TRAVEL[row]);
        }
        let zero = AxisVec::zeros(axes);
        let named: &[(&str, &str)] = if firmware == Firmware::FluidNc { &NAMED } else { &[] };
        Self {
            numbers,
            wcs: [zero; 9],
            g28: zero,
            g30: zero,
            startup: Default::default(),
            named: named.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            forgetful: false,
            axes,
        }
    }

    /// Keeps `$n`, if the memory works.
    pub(super) fn keep(&mut self, number: u16, value: f64) {
        if !self.forgetful {
            self.numbers.insert(number, value);
        }
    }

    /// Keeps a named setting, if the memory works. `false`: there is none of that name.
    pub(super) fn keep_named(&mut self, name: &str, value: &str) -> bool {
        let Some(entry) = self.named.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
            return false;
        };
        if !self.forgetful {
            value.clone_into(&mut entry.1);
        }
        true
    }

    /// Sets `$n`.
    #[must_use]
    pub fn with(mut self, number: u16, value: f64) -> Self {
        self.numbers.insert(number, value);
        self
    }

    /// Value of `$n`, 0 where the firmware has no such setting.
    pub fn get(&self, number: u16) -> f64 {
        self.numbers.get(&number).copied().unwrap_or_default()
    }

    /// A switch such as `$20`.
    pub(super) fn on(&self, number: u16) -> bool {
        self.get(number) != 0.0
    }

    fn per_axis(&self, first: u16) -> AxisVec {
        let values: Vec<f64> = (0..self.axes as u16).map(|n| self.get(first + n)).collect();
        AxisVec::from_slice(&values)
    }

    pub(super) fn rates(&self) -> AxisVec {
        self.per_axis(110)
    }

    pub(super) fn accelerations(&self) -> AxisVec {
        self.per_axis(120)
    }

    /// Travel of a linear axis in mm; rotary axes are endless.
    pub(super) fn travel(&self, axis: Axis) -> Option<f64> {
        (!axis.is_rotary() && axis.index() < self.axes).then(|| self.get(130 + axis.index() as u16))
    }

    /// `$23`: this axis homes toward minus.
    pub(super) fn homes_negative(&self, axis: Axis) -> bool {
        self.get(23) as u32 & (1 << axis.index()) != 0
    }

    /// From the text that [`fmt::Display`] writes; what is not told keeps its default.
    ///
    /// # Errors
    /// The first line that is not a setting.
    pub fn read(text: &str, firmware: Firmware, axes: usize) -> Result<Self, BadSettings> {
        let mut settings = Self::defaults(firmware, axes);
        for (i, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            settings.read_line(line).ok_or_else(|| BadSettings { line: i + 1, text: line.to_owned() })?;
        }
        Ok(settings)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let (name, value) = line.split_once('=')?;
        if let Some(number) = name.strip_prefix("$N") {
            value.clone_into(self.startup.get_mut(number.parse::<usize>().ok()?)?);
            return Some(());
        }
        if let Some(named) = name.strip_prefix('$')
            && self.keep_named(named, value)
        {
            return Some(());
        }
        if let Some(number) = name.strip_prefix('$') {
            let number: u16 = number.parse().ok()?;
            let value: f64 = value.parse().ok()?;
            self.numbers.contains_key(&number).then(|| self.numbers.insert(number, value))?;
            return Some(());
        }
        let values: Vec<f64> = value.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        if values.len() != self.axes || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let values = AxisVec::from_slice(&values);
        match (name, WCS_NAMES.iter().position(|&n| n == name)) {
            (_, Some(i)) => self.wcs[i] = values,
            ("G28", _) => self.g28 = values,
            ("G30", _) => self.g30 = values,
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, value) in &self.numbers {
            writeln!(f, "${number}={value}")?;
        }
        for (name, value) in &self.named {
            writeln!(f, "${name}={value}")?;
        }
        let named = WCS_NAMES.iter().copied().zip(&self.wcs).chain([("G28", &self.g28), ("G30", &self.g30)]);
        for (name, values) in named {
            let text: Vec<String> = values.as_slice().iter().map(f64::to_string).collect();
            writeln!(f, "{name}={}", text.join(","))?;
        }
        for (i, line) in self.startup.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            writeln!(f, "$N{i}={line}")?;
        }
        Ok(())
    }
}

/// `$n` below 100, as the firmware delivers them (`$22` on: a machine that can home).
fn common(firmware: Firmware) -> &'static [(u16, f64)] {
    match firmware {
        Firmware::FluidNc => {
            &[(10, 1.0), (13, 0.0), (20, 1.0), (21, 1.0), (22, 1.0), (23, 3.0), (30, 24000.0), (32, 0.0)]
        }
        Firmware::Grbl => &[
            (0, 10.0),
            (1, 25.0),
            (2, 0.0),
            (3, 0.0),
            (4, 0.0),
            (5, 0.0),
            (6, 0.0),
            (10, 1.0),
            (11, 0.010),
            (12, 0.002),
            (13, 0.0),
            (20, 1.0),
            (21, 1.0),
            (22, 1.0),
            (23, 0.0),
            (24, 200.0),
            (25, 1500.0),
            (26, 250.0),
            (27, 1.0),
            (30, 1000.0),
            (31, 0.0),
            (32, 0.0),
        ],
        Firmware::GrblHal => &[
            (0, 5.0),
            (1, 25.0),
            (2, 0.0),
            (3, 0.0),
            (4, 7.0),
            (5, 0.0),
            (6, 0.0),
            (10, 511.0),
            (11, 0.010),
            (12, 0.002),
            (13, 0.0),
            (20, 1.0),
            (21, 1.0),
            (22, 1.0),
            (23, 0.0),
            (24, 200.0),
            (25, 1500.0),
            (26, 250.0),
            (27, 1.0),
            (30, 1000.0),
            (31, 0.0),
            (32, 0.0),
            (40, 0.0),
            (62, 0.0),
            (341, 0.0),
            (392, 4.0),
            (481, 0.0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_their_file() {
        let mut settings = Settings::defaults(Firmware::Grbl, 3).with(110, 1234.5);
        settings.wcs[1] = AxisVec::from_slice(&[1.0, -2.5, 0.0]);
        settings.startup[0] = "G54G21".into();
        let read = Settings::read(&settings.to_string(), Firmware::Grbl, 3).unwrap();
        assert_eq!(read, settings);
        let mut settings = Settings::defaults(Firmware::FluidNc, 4);
        assert!(settings.keep_named("hostname", "mill=2") && !settings.keep_named("nosuch", "1"));
        assert_eq!(Settings::read(&settings.to_string(), Firmware::FluidNc, 4).unwrap(), settings);
    }

    #[test]
    fn a_bad_settings_file_names_the_line() {
        for text in ["$110=fast", "\n$110", "# ok\n\nG54=1,2", "$4711=1", "G54=1,2,inf"] {
            let error = Settings::read(text, Firmware::Grbl, 3).unwrap_err();
            assert_eq!(error.line, text.lines().count(), "{text}");
        }
    }
}
