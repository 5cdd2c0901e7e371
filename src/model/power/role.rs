//! What a register means, whatever brand it is of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Declares the plain roles: variant, name in a profile, unit (`""`: none, `"*"`: any), and whether a rule of the
/// safety class depends on it.
macro_rules! roles {
    ($($variant:ident $name:literal $unit:literal $doc:literal;)*) => {
        /// What a register means. Profiles name it (`role = "battery_soc"`); screens, rules and history ask for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Role {
            $(#[doc = $doc] $variant,)*
            /// A field of a time window.
            Window {
                /// Which set of windows.
                set: WindowSet,
                /// Counted from 1.
                n: u8,
                /// Which part of the window.
                field: WindowField,
            },
        }

        impl Role {
            /// All but the windows, in the order of declaration.
            pub const PLAIN: &[Self] = &[$(Self::$variant,)*];

            fn plain_name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($name),)*
                    Self::Window { .. } => None,
                }
            }

            /// The unit that a register of this role must have; `""` for none, `"*"` where brands differ.
            pub fn unit(self) -> &'static str {
                match self {
                    $(Self::$variant => $unit,)*
                    Self::Window { field, .. } => field.unit(),
                }
            }
        }
    };
}

roles! {
    // What flows.
    PvPower "pv_power" "W" "Power of all PV strings, ≥ 0.";
    Pv1Power "pv1_power" "W" "Power of string 1.";
    Pv2Power "pv2_power" "W" "Power of string 2.";
    Pv3Power "pv3_power" "W" "Power of string 3.";
    Pv4Power "pv4_power" "W" "Power of string 4.";
    Pv1Voltage "pv1_voltage" "V" "Voltage of string 1.";
    Pv2Voltage "pv2_voltage" "V" "Voltage of string 2.";
    Pv3Voltage "pv3_voltage" "V" "Voltage of string 3.";
    Pv4Voltage "pv4_voltage" "V" "Voltage of string 4.";
    Pv1Current "pv1_current" "A" "Current of string 1.";
    Pv2Current "pv2_current" "A" "Current of string 2.";
    Pv3Current "pv3_current" "A" "Current of string 3.";
    Pv4Current "pv4_current" "A" "Current of string 4.";
    GridPower "grid_power" "W" "Power from the grid, + = importing.";
    GridImportPower "grid_import_power" "W" "Power taken from the grid, ≥ 0.";
    GridExportPower "grid_export_power" "W" "Power fed into the grid, ≥ 0.";
    GridCtPower "grid_ct_power" "W" "Power at the external current transformer, + = importing.";
    MeterPower "meter_power" "W" "Power at an external meter, + = importing.";
    GridVoltage "grid_voltage" "V" "Grid voltage, first phase.";
    GridFrequency "grid_frequency" "Hz" "Grid frequency.";
    LoadPower "load_power" "W" "Power of the loads, ≥ 0.";
    LoadPercent "load_percent" "%" "Load as a share of the rated power.";
    BackupPower "backup_power" "W" "Power of the backup output.";
    EpsPower "eps_power" "W" "Power of the emergency output.";
    EpsVoltage "eps_voltage" "V" "Voltage of the emergency output.";
    GenPower "gen_power" "W" "Power of the generator input.";
    InverterPower "inverter_power" "W" "AC power of the inverter.";
    InverterVoltage "inverter_voltage" "V" "AC voltage of the inverter.";
    OutputVoltage "output_voltage" "V" "Voltage of the output.";
    OutputFrequency "output_frequency" "Hz" "Frequency of the output.";
    RatedPower "rated_power" "W" "Rated power.";
    InverterTemp "inverter_temp" "°C" "Temperature of the inverter or its heat sink.";
    InverterTempDc "inverter_temp_dc" "°C" "Temperature of the DC converter.";
    // The battery.
    BatteryPower "battery_power" "W" "Power of the battery, + = discharging.";
    BatteryChargePower "battery_charge_power" "W" "Power into the battery, ≥ 0.";
    BatteryDischargePower "battery_discharge_power" "W" "Power out of the battery, ≥ 0.";
    BatteryCurrent "battery_current" "A" "Current of the battery, + = discharging.";
    BatteryVoltage "battery_voltage" "V" "Voltage of the battery.";
    BatterySoc "battery_soc" "%" "State of charge.";
    BatterySoh "battery_soh" "%" "State of health.";
    BatteryTemp "battery_temp" "°C" "Temperature of the battery.";
    BatteryState "battery_state" "" "What the battery does, in words.";
    BatteryDirection "battery_direction" "" "Charging or discharging, where power is told without a sign.";
    BmsChargeLimit "bms_charge_limit" "A" "What the battery's own management lets in.";
    BmsDischargeLimit "bms_discharge_limit" "A" "What the battery's own management lets out.";
    // State and faults.
    Status "status" "" "State of the inverter, in words.";
    WorkModeState "work_mode_state" "" "The work mode in force, where it cannot be set.";
    OperatingBits "operating_bits" "" "What is running, as bits.";
    FlowBits "flow_bits" "" "Where power flows, as bits.";
    ChargeState "charge_state" "" "Stage of charging.";
    FaultBits "fault_bits" "" "Faults in force, as bits.";
    FaultBits2 "fault_bits2" "" "More faults.";
    FaultBits3 "fault_bits3" "" "More faults.";
    FaultBits4 "fault_bits4" "" "More faults.";
    FaultBits5 "fault_bits5" "" "More faults.";
    FaultCode "fault_code" "" "The fault in force; 0 = none.";
    FaultCodes "fault_codes" "" "Several fault codes; 0 = none.";
    WarningBits "warning_bits" "" "Warnings in force, as bits.";
    WarningCode "warning_code" "" "The warning in force; 0 = none.";
    BmsFault "bms_fault" "" "Faults that the battery's management tells.";
    BmsFault2 "bms_fault2" "" "More of them.";
    BmsAlarm "bms_alarm" "" "Warnings that the battery's management tells.";
    BmsPreAlarm "bms_pre_alarm" "" "Early warning of the battery's management.";
    MpptError "mppt_error" "" "Fault of a solar charger.";
    AlarmHighTemp "alarm_high_temp" "" "Over-temperature alarm.";
    AlarmLowBattery "alarm_low_battery" "" "Low-battery alarm.";
    AlarmOverload "alarm_overload" "" "Overload alarm.";
    GridConnected "grid_connected" "" "State of the grid relay.";
    GridLost "grid_lost" "" "The device's own grid-lost alarm.";
    ActiveSource "active_source" "" "What the device takes power from.";
    ActiveInput "active_input" "" "Which AC input is in use.";
    // Energy.
    DayPv "day_pv" "kWh" "PV energy of the day.";
    DayLoad "day_load" "kWh" "Energy of the loads of the day.";
    DayImport "day_import" "kWh" "Energy from the grid of the day.";
    DayExport "day_export" "kWh" "Energy into the grid of the day.";
    DayBatteryCharge "day_battery_charge" "kWh" "Energy into the battery of the day.";
    DayBatteryDischarge "day_battery_discharge" "kWh" "Energy out of the battery of the day.";
    DayPv1 "day_pv1" "kWh" "Energy of string 1 of the day.";
    DayPv2 "day_pv2" "kWh" "Energy of string 2 of the day.";
    TotalPv "total_pv" "kWh" "PV energy ever.";
    TotalPvUser "total_pv_user" "kWh" "PV energy since a person set the counter back.";
    TotalLoad "total_load" "kWh" "Energy of the loads ever.";
    TotalImport "total_import" "kWh" "Energy from the grid ever.";
    TotalExport "total_export" "kWh" "Energy into the grid ever.";
    TotalBatteryCharge "total_battery_charge" "kWh" "Energy into the battery ever.";
    TotalBatteryDischarge "total_battery_discharge" "kWh" "Energy out of the battery ever.";
    // Identity.
    Serial "serial" "" "Serial number: who this is.";
    DeviceType "device_type" "" "Kind of device.";
    Clock "clock" "" "The device's own clock.";
    // Settings.
    WorkMode "work_mode" "" "What power is used first.";
    EnergyPriority "energy_priority" "" "Battery or load first.";
    PowerSwitch "power_switch" "" "On and off.";
    BackupMode "backup_mode" "" "Backup output on and off.";
    ForceMode "force_mode" "" "Charging or discharging by command.";
    ForcePower "force_power" "W" "Power of that command.";
    MaxChargeCurrent "max_charge_current" "A" "Most current into the battery.";
    MaxDischargeCurrent "max_discharge_current" "A" "Most current out of the battery.";
    MaxChargePower "max_charge_power" "W" "Most power into the battery.";
    MaxDischargePower "max_discharge_power" "W" "Most power out of the battery.";
    ChargeRate "charge_rate" "%" "Most power into the battery, as a share.";
    DischargeRate "discharge_rate" "%" "Most power out of the battery, as a share.";
    GridChargeCurrent "grid_charge_current" "A" "Most current into the battery from the grid.";
    GridChargePower "grid_charge_power" "W" "Most power into the battery from the grid.";
    AcChargeEnable "ac_charge_enable" "" "Charging from the grid.";
    AcInputLimit "ac_input_limit" "A" "Most current from the AC input.";
    SocMin "soc_min" "%" "State of charge at which discharging ends.";
    SocMax "soc_max" "%" "State of charge at which charging ends.";
    SocLow "soc_low" "%" "State of charge of the low-battery warning.";
    SocShutdown "soc_shutdown" "%" "State of charge at which the inverter switches off.";
    SocReserve "soc_reserve" "%" "State of charge kept for an outage.";
    SocToGrid "soc_to_grid" "%" "State of charge at which it goes to the grid.";
    SocToBattery "soc_to_battery" "%" "State of charge at which it goes back to the battery.";
    VMinGrid "v_min_grid" "V" "Battery voltage at which it goes to the grid.";
    VMinOffGrid "v_min_offgrid" "V" "Battery voltage at which it switches off without a grid.";
    TouEnable "tou_enable" "" "Time windows on and off.";
    TouChargeEnable "tou_charge_enable" "" "Timed charging on and off.";
    TouDischargeEnable "tou_discharge_enable" "" "Timed discharging on and off.";
    TimedChargeCurrent "timed_charge_current" "A" "Current of timed charging.";
    TimedDischargeCurrent "timed_discharge_current" "A" "Current of timed discharging.";
    ExportLimit "export_limit" "W" "Most power into the grid.";
    ExportLimitEnable "export_limit_enable" "" "Limiting what goes into the grid.";
    EssSetpoint "ess_setpoint" "W" "Grid power to hold; forgotten unless repeated.";
    EssSetpointSettings "ess_setpoint_settings" "W" "Grid power to hold, kept.";
    BatteryLifeState "battery_life_state" "" "State of the battery-life scheme.";
    DisableCharge "disable_charge" "" "Charging forbidden.";
    DisableFeedIn "disable_feed_in" "" "Feeding in forbidden.";
}

/// Sets of time windows, as brands have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowSet {
    /// Time of use.
    Tou,
    /// A slot whose priority is part of it.
    Slot,
    /// Feed the grid first.
    GridFirst,
    /// Fill the battery first.
    BatteryFirst,
    /// Feed the loads first.
    LoadFirst,
}

impl WindowSet {
    const ALL: [(Self, &str); 5] = [
        (Self::Tou, "tou"),
        (Self::Slot, "slot"),
        (Self::GridFirst, "grid_first"),
        (Self::BatteryFirst, "battery_first"),
        (Self::LoadFirst, "load_first"),
    ];

    /// The name before the number.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(set, _)| *set == self).map_or("", |(_, name)| name)
    }
}

/// Declares the fields of windows with their names and units.
macro_rules! fields {
    ($($variant:ident $name:literal $unit:literal;)*) => {
        /// Parts of a time window.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is its name")]
        pub enum WindowField { $($variant,)* }

        impl WindowField {
            const ALL: &[(Self, &'static str)] = &[$((Self::$variant, $name),)*];

            fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }
        }
    };
}

fields! {
    Start "start" "";
    End "end" "";
    Enable "enable" "";
    Repeat "repeat" "";
    Priority "priority" "";
    Power "power" "W";
    Voltage "voltage" "V";
    Soc "soc" "%";
    ChargeSource "charge_source" "";
    ChargeStart "charge_start" "";
    ChargeEnd "charge_end" "";
    ChargePower "charge_power" "W";
    ChargeSoc "charge_soc" "%";
    DischargeStart "discharge_start" "";
    DischargeEnd "discharge_end" "";
    DischargePower "discharge_power" "W";
    DischargeSoc "discharge_soc" "%";
    ChargeStartHour "charge_start_hour" "*";
    ChargeStartMinute "charge_start_min" "*";
    ChargeEndHour "charge_end_hour" "*";
    ChargeEndMinute "charge_end_min" "*";
    DischargeStartHour "discharge_start_hour" "*";
    DischargeStartMinute "discharge_start_min" "*";
    DischargeEndHour "discharge_end_hour" "*";
    DischargeEndMinute "discharge_end_min" "*";
}

impl WindowField {
    /// The name after the number.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(field, _)| *field == self).map_or("", |(_, name)| name)
    }
}

impl Role {
    /// Rules that keep machine and battery safe read it: it is polled in the safety class.
    pub const fn is_safety(self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::FaultBits
                | Self::FaultBits2
                | Self::FaultBits3
                | Self::FaultBits4
                | Self::FaultBits5
                | Self::FaultCode
                | Self::FaultCodes
                | Self::WarningBits
                | Self::WarningCode
                | Self::BmsFault
                | Self::AlarmLowBattery
                | Self::AlarmOverload
                | Self::GridConnected
                | Self::GridLost
                | Self::ActiveInput
                | Self::GridVoltage
                | Self::GridFrequency
                | Self::LoadPower
                | Self::LoadPercent
                | Self::BatterySoc
        )
    }

    /// The role that a profile names so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PLAIN.iter().copied().find(|role| role.plain_name() == Some(name)).or_else(|| window(name))
    }
}

/// `tou1_charge_start` taken apart.
fn window(name: &str) -> Option<Role> {
    let (set, rest) = WindowSet::ALL
        .iter()
        .find_map(|(set, prefix)| Some((*set, name.strip_prefix(prefix)?)))
        .filter(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))?;
    let (n, field) = rest.split_once('_')?;
    let n = n.parse().ok().filter(|n| (1..=12).contains(n))?;
    let (field, _) = WindowField::ALL.iter().find(|(_, known)| *known == field)?;
    Some(Role::Window { set, n, field: *field })
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window { set, n, field } => write!(f, "{}{n}_{}", set.name(), field.name()),
            plain => f.write_str(plain.plain_name().unwrap_or_default()),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::from_name(name).ok_or_else(|| format!("{name:?} is no role"))
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name() {
        let mut names = std::collections::HashSet::new();
        for role in Role::PLAIN {
            assert_eq!(Role::from_name(&role.to_string()), Some(*role));
            assert!(names.insert(role.to_string()), "{role} twice");
        }
        for name in ["tou1_charge_start", "tou6_power", "slot9_end", "grid_first2_enable", "tou1_charge_end_min"] {
            assert_eq!(Role::from_name(name).map(|role| role.to_string()).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_no_role_is_none() {
        for name in ["", "pv5_power", "tou_power", "tou0_power", "tou13_power", "tou1_powr", "Battery_soc", "tou1"] {
            assert_eq!(Role::from_name(name), None, "{name}");
        }
    }
}
