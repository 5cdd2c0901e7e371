//! `$` commands that only FluidNC has.

use std::time::Duration;

use crate::model::{Axis, AxisSet};

use super::core::{Machine, State};
use super::dollar::Answer;
use super::gcode::Code;
use super::profile::{fluid_alarm_name, fluid_error_text};

/// Names of the configuration tree, the numbered setting behind each, by axis.
const AXIS_ITEMS: [(&str, u16); 4] =
    [("steps_per_mm", 100), ("max_rate_mm_per_min", 110), ("acceleration_mm_per_sec2", 120), ("max_travel_mm", 130)];

/// Reading a configuration value or a setting never waits for the motion; everything else does.
pub(super) fn answers_at_once(upper: &str) -> bool {
    upper == "$G"
        || upper.starts_with("$SD/")
        || upper.starts_with("$LOCALFS/")
        || upper.starts_with("$AXES/")
        || upper.starts_with("$/AXES/")
}

impl Machine {
    pub(super) fn fluid_dollar(&mut self, line: &str, upper: &str) -> Answer {
        let (name, value) = upper[1..].split_once('=').map_or((&upper[1..], None), |(n, v)| (n, Some(v)));
        let resting = matches!(self.state, State::Idle | State::Alarm | State::Critical);
        match (name, value) {
            ("RI" | "REPORT/INTERVAL", Some(value)) => self.set_report_interval(value).into(),
            ("SS" | "STARTUP/SHOW", None) => {
                self.startup_log();
                Ok(()).into()
            }
            ("GS", None) if resting => {
                let banner = self.profile.banner;
                self.say("");
                self.say(banner);
                Ok(()).into()
            }
            ("CI" | "CHANNEL/INFO", None) => {
                self.say(self.channel());
                Ok(()).into()
            }
            ("T" | "STATE", None) => {
                let text = self.state_number();
                self.say(text);
                Ok(()).into()
            }
            ("A" | "ALARMS/LIST", None) => self.list_numbered(1..=18, fluid_alarm_name),
            ("E" | "ERRORS/LIST", None) => self.list_numbered(1..=38, fluid_error_text),
            ("SA" | "ALARM/SEND", Some(value)) => match value.parse() {
                Ok(code) => {
                    self.alarm(code);
                    Ok(()).into()
                }
                Err(_) => Err(2).into(),
            },
            ("CD" | "CONFIG/DUMP", None) => {
                self.dump_config();
                Ok(()).into()
            }
            ("S" | "SETTINGS/LIST" | "N", None) => {
                self.list_named();
                Ok(()).into()
            }
            ("SD/LIST" | "LOCALFS/LIST", _) if !resting => Err(120).into(),
            ("LOCALFS/LIST", _) => {
                self.say("[FILE: config.yaml|SIZE:2048]");
                self.say("[/littlefs Free:190.00 KB Used:2.00 KB Total:192.00 KB]");
                Ok(()).into()
            }
            // There is no card in the slot.
            _ if name.starts_with("SD/") => Err(60).into(),
            ("MD" | "MOTOR/DISABLE", _) if resting => {
                self.message("Disabling all motors");
                Ok(()).into()
            }
            ("BYE", _) => {
                self.say("Exiting");
                self.message("Restarting");
                self.power_cycle();
                Answer::Never
            }
            ("RST", Some(value)) => self.restore(value).into(),
            ("SLP", Some(_)) => self.run_dollar("$SLP"),
            ("H", Some(letters)) => {
                let axes: AxisSet = letters.chars().filter_map(Axis::from_letter).collect();
                self.home(axes)
            }
            _ if name.starts_with("AXES/") || name.starts_with("/AXES/") => self.config_item(line).into(),
            ("ME" | "MOTOR/ENABLE" | "L" | "V" | "HEAP", _) if resting => Ok(()).into(),
            ("MD" | "ME" | "MOTOR/DISABLE" | "MOTOR/ENABLE" | "V" | "GS", _) => Err(8).into(),
            (number, Some(value)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                self.set_fluid_number(number, value).into()
            }
            (number, None) if number.bytes().all(|b| b.is_ascii_digit()) => self.show_number(number).into(),
            (_, Some(_)) if self.state == State::Check => Err(8).into(),
            _ => self.named_setting(line).into(),
        }
    }

    /// `$Hostname` and its like, read and written; capitals do not matter in the name.
    fn named_setting(&mut self, line: &str) -> Result<(), Code> {
        let (name, value) = line[1..].split_once('=').map_or((&line[1..], None), |(n, v)| (n, Some(v)));
        if let Some(value) = value {
            return if self.settings.keep_named(name, value) { Ok(()) } else { Err(3) };
        }
        let known = self.settings.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let text = known.map(|(name, value)| format!("${name}={value}")).ok_or(3_u16)?;
        self.say(&text);
        Ok(())
    }

    /// Numbered settings are views of the configuration file: read-only, but for the report mask.
    fn set_fluid_number(&mut self, number: &str, value: &str) -> Result<(), Code> {
        if self.state == State::Check {
            return Err(8);
        }
        let known = number.parse().is_ok_and(|n: u16| self.settings.numbers.contains_key(&n));
        match number {
            "10" => {
                let mask: u16 = value.parse().map_err(|_| 2_u16)?;
                if mask > 3 {
                    return Err(80);
                }
                self.set_number(number, value)
            }
            "13" => self.set_number(number, value),
            _ if known => Err(162),
            _ => Err(3),
        }
    }

    fn show_number(&mut self, number: &str) -> Result<(), Code> {
        let number: u16 = number.parse().map_err(|_| 3_u16)?;
        let value = *self.settings.numbers.get(&number).ok_or(3_u16)?;
        self.say(&format!("${number}={value}"));
        Ok(())
    }

    /// `$/axes/x/max_rate_mm_per_min` and its like, read and (until the next start) written.
    fn config_item(&mut self, line: &str) -> Result<(), Code> {
        let (path, value) = line[1..].split_once('=').map_or((&line[1..], None), |(p, v)| (p, Some(v)));
        let path = path.trim_start_matches('/').to_ascii_lowercase();
        let mut parts = path.split('/').skip(1);
        let axis = parts.next().filter(|p| p.len() == 1).and_then(|p| Axis::from_letter(p.chars().next()?));
        let item = parts.next().unwrap_or_default();
        let axis = axis.filter(|a| a.index() < self.axes).ok_or(3_u16)?;
        let (_, first) = *AXIS_ITEMS.iter().find(|(name, _)| *name == item).ok_or(3_u16)?;
        let number = first + axis.index() as u16;
        if let Some(value) = value {
            return self.set_number(&number.to_string(), value);
        }
        let text = format!("$/{path}={:.3}", self.settings.get(number));
        self.say(&text);
        Ok(())
    }

    fn set_report_interval(&mut self, value: &str) -> Result<(), Code> {
        let millis: u64 = value.parse().map_err(|_| 2_u16)?;
        let channel = self.channel();
        if millis == 0 {
            self.message(&format!("{channel} auto reporting turned off"));
            self.reports.set_interval(None);
        } else {
            let millis = millis.max(50);
            self.message(&format!("{channel} auto report interval set to {millis} ms"));
            self.reports.set_interval(Some(Duration::from_millis(millis)));
        }
        Ok(())
    }

    const fn channel(&self) -> &'static str {
        if self.network { "telnet" } else { "uart_channel0" }
    }

    const fn state_number(&self) -> &'static str {
        match self.state {
            State::Idle | State::Tool => "State 0 (Idle)",
            State::Alarm => "State 1 (Alarm)",
            State::Check => "State 2 (CheckMode)",
            State::Home => "State 3 (Homing)",
            State::Run => "State 4 (Cycle)",
            State::Hold => "State 5 (Hold)",
            State::Jog => "State 7 (Jog)",
            State::Door => "State 8 (SafetyDoor)",
            State::Sleep => "State 9 (Sleep)",
            State::Critical => "State 11 (Critical)",
        }
    }

    fn list_numbered(&mut self, codes: std::ops::RangeInclusive<u16>, text: fn(u16) -> &'static str) -> Answer {
        for code in codes.filter(|&c| !text(c).starts_with("Unknown")) {
            self.say(&format!("{code}: {}", text(code)));
        }
        Ok(()).into()
    }

    fn list_named(&mut self) {
        for axis in AxisSet::first(self.axes).iter() {
            for (name, first) in [("Resolution", 100), ("MaxRate", 110), ("Acceleration", 120), ("MaxTravel", 130)] {
                let value = self.settings.get(first + axis.index() as u16);
                self.say(&format!("$Grbl/{name}/{axis}={value:.3}"));
            }
        }
        let named: Vec<String> = self.settings.named.iter().map(|(name, value)| format!("${name}={value}")).collect();
        for row in named {
            self.say(&row);
        }
    }

    /// The running configuration, as YAML: sections with a blank behind the colon, an empty line where one ends.
    fn dump_config(&mut self) {
        let mut rows = vec!["board: SIMULATED".to_owned(), format!("name: {}", self.name), "axes: ".to_owned()];
        rows.push("  shared_stepper_disable_pin: NO_PIN".to_owned());
        rows.push("  homing_runs: 2".to_owned());
        for axis in AxisSet::first(self.axes).iter() {
            rows.push(format!("  {axis}: "));
            for (name, first) in AXIS_ITEMS {
                let value = self.settings.get(first + axis.index() as u16);
                rows.push(format!("    {name}: {value:.6}"));
            }
            rows.push(format!("    soft_limits: {}", self.settings.on(20) && self.range(axis).is_some()));
            rows.push("    motor0: ".to_owned());
            rows.push(format!("      limit_neg_pin: gpio.{}", 9 + axis.index()));
            rows.push(format!("      hard_limits: {}", self.settings.on(21)));
            rows.push(String::new());
        }
        rows.push("coolant: ".to_owned());
        rows.push("  delay_ms: 0".to_owned());
        rows.push(String::new());
        for row in rows {
            self.say(&row);
        }
    }
}
