//! What the day says, by role: the bridge between what happens and what registers mean.

use crate::inverter::codec::Value;
use crate::inverter::profile::{Evidence, Form, Labels, Profile, Register, RegisterType};
use crate::model::power::{Role, WindowField};

use super::day::{Day, RATED_W};

/// Words that a state has while nothing is wrong, best first.
const HEALTHY: &[&str] =
    &["normal", "ok", "ongrid", "mains", "inverting", "running", "generating", "mppt", "inverter", "grid"];

/// A day, told by a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teller<'a> {
    pub(super) day: &'a Day,
    /// Strings that the profile can tell of: 1 or 2.
    pub(super) strings: u8,
    pub(super) serial: &'a str,
}

impl Teller<'_> {
    /// How many strings a profile has registers for, as far as the simulation has them.
    pub(super) fn strings_of(profile: &Profile) -> u8 {
        let second = [Role::Pv2Power, Role::Pv2Current];
        1 + u8::from(second.iter().any(|role| profile.role(*role).is_some()))
    }

    /// A number of the day in the role's unit and convention of signs. `None`: not a number of the day.
    pub(super) fn number(&self, role: Role) -> Option<f64> {
        let day = self.day;
        let (import, export) = (day.grid_w.max(0.0), (-day.grid_w).max(0.0));
        let (discharge, charge) = (day.battery_w.max(0.0), (-day.battery_w).max(0.0));
        Some(match role {
            Role::PvPower => day.pv_w,
            Role::Pv1Power => self.string_w(1),
            Role::Pv2Power => self.string_w(2),
            Role::Pv3Power | Role::Pv4Power | Role::GenPower => 0.0,
            Role::Pv1Voltage => self.string_v(1),
            Role::Pv2Voltage => self.string_v(2),
            Role::Pv3Voltage | Role::Pv4Voltage | Role::Pv3Current | Role::Pv4Current => 0.0,
            Role::Pv1Current => self.string_a(1),
            Role::Pv2Current => self.string_a(2),
            Role::GridPower | Role::GridCtPower | Role::MeterPower => day.grid_w,
            Role::GridImportPower => import,
            Role::GridExportPower => export,
            Role::GridVoltage => day.grid_v(),
            Role::GridFrequency => day.grid_hz(),
            Role::LoadPower => day.load_w,
            Role::LoadPercent => day.load_w / RATED_W * 100.0,
            Role::BackupPower | Role::EpsPower => {
                if day.grid_present {
                    0.0
                } else {
                    day.load_w
                }
            }
            Role::EpsVoltage | Role::OutputVoltage | Role::InverterVoltage => 230.0,
            Role::OutputFrequency => 50.0,
            Role::InverterPower => day.pv_w + day.battery_w,
            Role::RatedPower => RATED_W,
            Role::InverterTemp => day.sink_c(),
            Role::InverterTempDc => day.sink_c() + 2.0,
            Role::BatteryPower => day.battery_w,
            Role::BatteryChargePower => charge,
            Role::BatteryDischargePower => discharge,
            Role::BatteryCurrent => day.battery_w / day.battery_v(),
            Role::BatteryVoltage => day.battery_v(),
            Role::BatterySoc => day.soc_percent,
            Role::BatterySoh => 98.0,
            Role::BatteryTemp => 23.0 + day.battery_w.abs() / 1000.0,
            Role::BmsChargeLimit | Role::BmsDischargeLimit => 100.0,
            Role::DayPv => day.today.pv,
            Role::DayPv1 => day.today.pv * self.share(1),
            Role::DayPv2 => day.today.pv * self.share(2),
            Role::DayLoad => day.today.load,
            Role::DayImport => day.today.import,
            Role::DayExport => day.today.export,
            Role::DayBatteryCharge => day.today.charge,
            Role::DayBatteryDischarge => day.today.discharge,
            Role::TotalPv | Role::TotalPvUser => day.ever.pv,
            Role::TotalLoad => day.ever.load,
            Role::TotalImport => day.ever.import,
            Role::TotalExport => day.ever.export,
            Role::TotalBatteryCharge => day.ever.charge,
            Role::TotalBatteryDischarge => day.ever.discharge,
            _ => return None,
        })
    }

    /// What a register says of the day. `None`: nothing; it is a setting or a constant.
    pub(super) fn value(&self, register: &Register) -> Option<Value> {
        if register.evidence != Evidence::default() {
            return Some(self.evidence(register));
        }
        let role = register.role?;
        if let Some(number) = self.number(role) {
            return Some(Value::Number(number));
        }
        Some(match role {
            Role::Serial => Value::Text(self.serial.to_owned()),
            Role::Clock => Value::Clock(self.day.clock()),
            Role::Status | Role::ActiveSource => choice(&register.labels, HEALTHY),
            Role::BatteryState | Role::BatteryDirection => choice(&register.labels, self.battery_words()),
            Role::FlowBits => Value::Bits(self.flow_bits(&register.bits)),
            role if tells_trouble(role) => quiet(register),
            _ => return None,
        })
    }

    fn share(&self, string: u8) -> f64 {
        match (self.strings, string) {
            (1, 1) => 1.0,
            (1, _) => 0.0,
            (_, 1) => 0.55,
            _ => 0.45,
        }
    }

    fn string_w(&self, string: u8) -> f64 {
        self.day.pv_w * self.share(string)
    }

    fn string_v(&self, string: u8) -> f64 {
        let watts = self.string_w(string);
        if watts > 0.0 { 330.0 + 8.0 * f64::from(string) - watts / 100.0 } else { 0.0 }
    }

    fn string_a(&self, string: u8) -> f64 {
        let volts = self.string_v(string);
        if volts > 0.0 { self.string_w(string) / volts } else { 0.0 }
    }

    fn battery_words(&self) -> &'static [&'static str] {
        match self.day.battery_w {
            w if w > 5.0 => &["discharg"],
            w if w < -5.0 => &["charg"],
            _ => &["idle", "standby", "discharg"],
        }
    }

    fn flow_bits(&self, words: &Labels) -> u128 {
        let day = self.day;
        let flows = [
            ("pv", day.pv_w > 5.0),
            ("charging", day.battery_w < -5.0),
            ("discharging", day.battery_w > 5.0),
            ("load_positive", day.load_w > 5.0),
            ("exporting", day.grid_w < -5.0),
            ("importing", day.grid_w > 5.0),
        ];
        let on = flows.iter().filter(|(_, flows)| *flows);
        on.filter_map(|(word, _)| words.number(word)).fold(0, |bits, bit| bits | 1 << bit)
    }

    /// What a register that proves things says now.
    fn evidence(&self, register: &Register) -> Value {
        // Trouble of the grid other than that it is gone is not simulated.
        let Evidence { grid_lost, grid_present, overload, battery_low, grid_trouble: _ } = &register.evidence;
        let day = self.day;
        let mut told: Vec<u64> = Vec::new();
        told.extend(overload.iter().filter(|_| day.overload));
        told.extend(grid_lost.iter().filter(|_| !day.grid_present));
        told.extend(battery_low.first().filter(|_| day.battery_low));
        told.extend(grid_present.iter().filter(|_| day.grid_present));
        match register.kind {
            RegisterType::Bits(_) => Value::Bits(told.iter().fold(0, |bits, bit| bits | 1 << bit)),
            RegisterType::Codes(_) => Value::Codes(told.iter().map(|code| *code as u16).collect()),
            _ => told.first().map_or_else(|| quiet(register), |told| Value::Choice(*told)),
        }
    }
}

/// The first label that begins with one of the words, in their order; else the lowest.
fn choice(labels: &Labels, words: &[&str]) -> Value {
    Value::Choice(begins(labels, words, &[]).unwrap_or_else(|| labels.0.first().map_or(0, |(number, _)| *number)))
}

/// Roles of faults and warnings.
fn tells_trouble(role: Role) -> bool {
    matches!(
        role,
        Role::FaultBits
            | Role::FaultBits2
            | Role::FaultBits3
            | Role::FaultBits4
            | Role::FaultBits5
            | Role::FaultCode
            | Role::FaultCodes
            | Role::WarningBits
            | Role::WarningCode
            | Role::BmsFault
            | Role::BmsFault2
            | Role::BmsAlarm
            | Role::BmsPreAlarm
            | Role::MpptError
            | Role::AlarmHighTemp
            | Role::AlarmLowBattery
            | Role::AlarmOverload
            | Role::GridLost
            | Role::OperatingBits
    )
}

/// What a register says while there is nothing to tell: a healthy word, 0, no bits.
fn quiet(register: &Register) -> Value {
    let Evidence { grid_lost, grid_present, grid_trouble, overload, battery_low } = &register.evidence;
    let proofs = [grid_lost, grid_present, grid_trouble, overload, battery_low].map(Vec::as_slice).concat();
    match register.kind {
        RegisterType::Bits(_) => Value::Bits(0),
        RegisterType::Codes(_) => Value::Codes(Vec::new()),
        _ if register.labels.is_empty() => Value::Number(0.0),
        _ if register.role == Some(Role::Status) => {
            Value::Choice(begins(&register.labels, HEALTHY, &proofs).unwrap_or(0))
        }
        _ => {
            let silent = register.labels.0.iter().map(|(number, _)| *number).find(|number| !proofs.contains(number));
            Value::Choice(if proofs.contains(&0) { silent.unwrap_or(0) } else { 0 })
        }
    }
}

/// The first label that begins with one of the words, in their order, without those of these numbers.
fn begins(labels: &Labels, words: &[&str], but: &[u64]) -> Option<u64> {
    words.iter().find_map(|word| {
        let mut fit = labels.0.iter().filter(|(number, _)| !but.contains(number));
        fit.find(|(_, label)| label.to_ascii_lowercase().starts_with(word)).map(|(number, _)| *number)
    })
}

/// What a register that says nothing of the day holds at first: a setting as delivered, or something that can be.
/// The value still has to be put into the register's range.
pub(super) fn at_first(register: &Register) -> Value {
    match register.kind {
        RegisterType::Text(_) => return Value::Text("SIMULATED".to_owned()),
        RegisterType::Bits(_) => return Value::Bits(0),
        RegisterType::Codes(_) => return Value::Codes(Vec::new()),
        _ => {}
    }
    if matches!(register.form, Form::HourMinute | Form::HourMinuteDecimal) {
        return Value::TimeOfDay(window_minutes(register.role));
    }
    if !register.labels.is_empty() {
        let on = register.role == Some(Role::PowerSwitch);
        let word = begins(&register.labels, if on { &["on"] } else { &["off", "disabled"] }, &[]);
        return Value::Choice(word.unwrap_or_else(|| register.labels.0.first().map_or(0, |(number, _)| *number)));
    }
    Value::Number(register.role.and_then(as_delivered).unwrap_or_else(|| by_unit(&register.unit)))
}

/// Settings that act, as delivered.
fn as_delivered(role: Role) -> Option<f64> {
    Some(match role {
        Role::SocMin | Role::SocToGrid => 20.0,
        Role::SocMax | Role::ChargeRate | Role::DischargeRate => 100.0,
        Role::SocLow => 25.0,
        Role::SocShutdown => 10.0,
        Role::SocReserve => 30.0,
        Role::SocToBattery => 80.0,
        Role::MaxChargePower | Role::MaxDischargePower | Role::ExportLimit => RATED_W,
        Role::MaxChargeCurrent | Role::MaxDischargeCurrent => 100.0,
        Role::GridChargePower => 1000.0,
        Role::GridChargeCurrent => 20.0,
        _ => return None,
    })
}

fn by_unit(unit: &str) -> f64 {
    match unit {
        "V" => 51.2,
        "A" => 10.0,
        "Hz" => 50.0,
        "°C" => 25.0,
        "%" => 50.0,
        "kWh" => 12.0,
        "Ah" => 200.0,
        _ => 0.0,
    }
}

/// Windows as delivered: one after the other through the day.
fn window_minutes(role: Option<Role>) -> u16 {
    match role {
        Some(Role::Window { n, field, .. }) => {
            let ends = matches!(field, WindowField::End | WindowField::ChargeEnd | WindowField::DischargeEnd);
            (u16::from(n.clamp(1, 12)) - 1) * 120 + if ends { 60 } else { 0 }
        }
        _ => 0,
    }
}
