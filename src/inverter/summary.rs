//! From registers to what screens and rules read.

use std::collections::BTreeMap;

use super::codec::Value;
use super::profile::{Profile, Register, RegisterId, RegisterType};
use super::values::Values;
use crate::model::Time;
use crate::model::power::{
    Battery, Energy, EnergyRow, Fault, FaultSource, Flow, Grid, Inverter, PollClass, PvString, Quality, Reading,
    RegisterRow, Role,
};
use crate::model::sun::Quantity;

/// Roles of faults, worst first; the second tells a warning.
const FAULTS: &[(Role, bool)] = &[
    (Role::FaultBits, false),
    (Role::FaultBits2, false),
    (Role::FaultBits3, false),
    (Role::FaultBits4, false),
    (Role::FaultBits5, false),
    (Role::FaultCode, false),
    (Role::FaultCodes, false),
    (Role::BmsFault, false),
    (Role::BmsFault2, false),
    (Role::MpptError, false),
    (Role::AlarmOverload, true),
    (Role::AlarmHighTemp, true),
    (Role::AlarmLowBattery, true),
    (Role::WarningBits, true),
    (Role::WarningCode, true),
    (Role::BmsAlarm, true),
    (Role::BmsPreAlarm, true),
];

/// Keeps since when each fault is seen.
#[derive(Clone, Debug, Default)]
pub struct FaultBook {
    since: BTreeMap<(RegisterId, u64), Time>,
}

impl FaultBook {
    /// The faults in force, worst first. What is not fresh is not told as a fault in force, and keeps its beginning.
    pub fn look(&mut self, values: &Values, now: Time) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (role, warning) in FAULTS {
            let Some(index) = values.profile().role(*role) else { continue };
            let register = &values.profile().registers[index];
            let Some(value) = values.fresh(index, now) else { continue };
            let numbers = active(register, value);
            self.since.retain(|(known, number), _| *known != index || numbers.contains(number));
            for number in numbers {
                let evidence = &register.evidence;
                let since = *self.since.entry((index, number)).or_insert(now);
                faults.push(Fault {
                    text: words(register, number),
                    register: register.id.clone(),
                    warning: *warning,
                    overload: evidence.overload.contains(&number),
                    grid: evidence.grid_lost.contains(&number) || evidence.grid_trouble.contains(&number),
                    since,
                });
            }
        }
        faults
    }
}

/// The registers that tell of faults, with the age of what they say.
fn sources(values: &Values) -> Vec<FaultSource> {
    let profile = values.profile();
    let there = FAULTS.iter().filter_map(|(role, warning)| Some((profile.role(*role)?, *warning)));
    there
        .map(|(index, warning)| {
            let register = &profile.registers[index];
            FaultSource {
                register: register.id.clone(),
                warning,
                overload: !register.evidence.overload.is_empty(),
                says: values.told(index, |value| !active(register, value).is_empty()),
            }
        })
        .collect()
}

/// Whether a family of devices ever tells that there is too much load.
pub fn tells_overload(profile: &Profile) -> bool {
    let mut there = FAULTS.iter().filter_map(|(role, _)| profile.role(*role));
    there.any(|index| !profile.registers[index].evidence.overload.is_empty())
}

/// Whether a family of devices ever tells of a fault, or of a warning.
pub fn tells_faults(profile: &Profile, warnings: bool) -> bool {
    FAULTS.iter().any(|(role, warning)| *warning == warnings && profile.role(*role).is_some())
}

/// Whether a family of devices has the two sources that it takes to know that the grid is lost.
pub fn tells_grid_loss(profile: &Profile) -> bool {
    let measured =
        [Role::GridVoltage, Role::GridFrequency].iter().filter(|role| profile.role(**role).is_some()).count();
    let proves = |register: &&Register| {
        let evidence = &register.evidence;
        let is_bits = matches!(register.kind, RegisterType::Bits(_));
        !evidence.grid_lost.is_empty() || is_bits && !evidence.grid_present.is_empty()
    };
    measured + profile.registers.iter().filter(proves).count() >= 2
}

/// What a rule can ask for and this family of devices does not tell.
pub fn lacks(profile: &Profile) -> Vec<Role> {
    let has = |role: Role| profile.role(role).is_some() || profile.derived.iter().any(|derived| derived.role == role);
    let tells = |role: &Role| match role {
        Role::LoadPercent => has(Role::LoadPercent) || has(Role::LoadPower) && has(Role::RatedPower),
        Role::SocMin => has(Role::SocMin) || has(Role::SocShutdown),
        role => has(*role),
    };
    Quantity::ROLES.into_iter().filter(|role| !tells(role)).collect()
}

/// Bits that are set, or codes that are not 0.
fn active(register: &Register, value: &Value) -> Vec<u64> {
    match value {
        Value::Bits(bits) => (0..128).filter(|bit| bits >> bit & 1 == 1).collect(),
        Value::Codes(codes) => codes.iter().copied().map(u64::from).collect(),
        Value::Choice(0) => Vec::new(),
        Value::Choice(code) => vec![*code],
        Value::Number(number) if *number > 0.0 && register.kind == RegisterType::Unsigned(1) => vec![*number as u64],
        _ => Vec::new(),
    }
}

fn words(register: &Register, number: u64) -> String {
    match (register.bits.word(number).or_else(|| register.labels.word(number)), register.kind) {
        (Some(word), _) => word.to_owned(),
        (None, RegisterType::Bits(_)) => format!("{} bit {number}", register.id),
        (None, _) => format!("{} {number}", register.id),
    }
}

/// Everything about one inverter. `name` is its name in the configuration.
pub fn inverter(name: &str, values: &Values, grid: &Grid, faults: &mut FaultBook, now: Time) -> Inverter {
    let profile = values.profile();
    let role = |role| values.role(role);
    let shown = |role: Role| {
        let register = profile.role(role)?;
        let believed = matches!(values.quality(register, now), Quality::Fresh | Quality::Stale);
        believed.then(|| values.show(register)).flatten()
    };
    Inverter {
        name: name.to_owned(),
        profile: profile.name.clone(),
        brand: profile.brand.clone(),
        serial: values.words(Role::Serial),
        rated_w: role(Role::RatedPower),
        status: shown(Role::Status),
        flow: flow(values),
        battery: Battery {
            soc_percent: role(Role::BatterySoc),
            soh_percent: role(Role::BatterySoh),
            voltage_v: role(Role::BatteryVoltage),
            current_a: role(Role::BatteryCurrent),
            temperature_c: role(Role::BatteryTemp),
            soc_min_percent: first(values, &[Role::SocMin, Role::SocShutdown]),
            soc_max_percent: role(Role::SocMax),
            charge_limit_a: first(values, &[Role::BmsChargeLimit, Role::MaxChargeCurrent]),
            discharge_limit_a: first(values, &[Role::BmsDischargeLimit, Role::MaxDischargeCurrent]),
        },
        grid: grid.clone(),
        energy: Energy {
            day: EnergyRow {
                pv: role(Role::DayPv),
                load: role(Role::DayLoad),
                import: role(Role::DayImport),
                export: role(Role::DayExport),
                charge: role(Role::DayBatteryCharge),
                discharge: role(Role::DayBatteryDischarge),
            },
            total: EnergyRow {
                pv: role(Role::TotalPv),
                load: role(Role::TotalLoad),
                import: role(Role::TotalImport),
                export: role(Role::TotalExport),
                charge: role(Role::TotalBatteryCharge),
                discharge: role(Role::TotalBatteryDischarge),
            },
        },
        faults: faults.look(values, now),
        fault_sources: sources(values),
        lacks: lacks(profile),
        temperature_c: role(Role::InverterTemp),
    }
}

/// The first of these roles that the family has.
fn first(values: &Values, roles: &[Role]) -> Reading<f64> {
    let has = |role: &&Role| values.profile().role(**role).is_some();
    roles.iter().find(has).map(|role| values.role(*role)).unwrap_or_default()
}

fn flow(values: &Values) -> Flow {
    const STRINGS: [[Role; 3]; 4] = [
        [Role::Pv1Power, Role::Pv1Voltage, Role::Pv1Current],
        [Role::Pv2Power, Role::Pv2Voltage, Role::Pv2Current],
        [Role::Pv3Power, Role::Pv3Voltage, Role::Pv3Current],
        [Role::Pv4Power, Role::Pv4Voltage, Role::Pv4Current],
    ];
    let profile = values.profile();
    let has = |role: Role| profile.role(role).is_some() || profile.derived.iter().any(|derived| derived.role == role);
    let strings = STRINGS.iter().zip(1u8..).filter(|(roles, _)| roles.iter().any(|role| has(*role)));
    Flow {
        pv_w: values.role(Role::PvPower),
        strings: strings
            .map(|([power, voltage, current], n)| PvString {
                n,
                power_w: values.role(*power),
                voltage_v: values.role(*voltage),
                current_a: values.role(*current),
            })
            .collect(),
        battery_w: values.role(Role::BatteryPower),
        grid_w: values.role(Role::GridPower),
        load_w: values.role(Role::LoadPower),
        load_percent: if has(Role::LoadPercent) { values.role(Role::LoadPercent) } else { load_percent(values) },
    }
}

/// The load as a part of what the inverter can give, where it does not tell that itself. It is as old as the load.
fn load_percent(values: &Values) -> Reading<f64> {
    let (load, rated) = (values.role(Role::LoadPower), values.role(Role::RatedPower));
    let rated_w = rated.value.filter(|watts| *watts > 0.0 && !rated.quarantined && !rated.lost);
    Reading { value: load.value.zip(rated_w).map(|(load, rated)| (load / rated * 1000.0).round() / 10.0), ..load }
}

/// All registers as the register browser shows them, in the order of the profile; commands are left out.
pub fn registers(values: &Values) -> Vec<RegisterRow> {
    let registers = values.profile().registers.iter().enumerate();
    let readable = registers.filter(|(_, register)| register.access.reads() || register.poll != PollClass::Never);
    readable
        .map(|(index, register)| RegisterRow {
            id: register.id.clone(),
            addresses: register.addresses.clone(),
            table: register.table,
            raw: values.slot(index).words.clone(),
            shown: values.show(index),
            reading: values.reading(index),
            access: register.access,
            danger: register.danger,
            note: register.note.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::inverter::profile::shipped;
    use crate::model::power::FaultKind;

    fn senergy(words: &[(&str, &[u16])], at: Time) -> Values {
        let mut values = Values::new(Arc::new(shipped("senergy").unwrap().unwrap()));
        for (id, words) in words {
            let register = values.profile().find(id).expect(id);
            values.accept_register(register, words, at);
        }
        values
    }

    #[test]
    fn roles_become_what_a_screen_reads() {
        let values = senergy(
            &[
                ("battery_power", &[0, 12_000]),
                ("grid_power_l1", &[0xFFFF, 0xFE0C]),
                ("grid_power_l2", &[0, 0]),
                ("grid_power_l3", &[0, 0]),
                ("pv1_power", &[0, 5000]),
                ("battery_soc", &[64]),
                ("mode", &[3]),
            ],
            Time::ZERO,
        );
        let seen = inverter("roof", &values, &Grid::default(), &mut FaultBook::default(), Time::ZERO);
        assert_eq!(seen.flow.battery_w.value, Some(1200.0));
        assert_eq!(seen.flow.grid_w.value, Some(-50.0));
        assert_eq!(seen.flow.load_w.value, None);
        assert_eq!((seen.flow.strings.len(), seen.flow.strings[0].power_w.value), (2, Some(500.0)));
        assert_eq!((seen.status.as_deref(), seen.battery.soc_percent.value), (Some("OnGrid mode"), Some(64.0)));
        let later = Time::ZERO + Duration::from_secs(60);
        let seen = inverter("roof", &values, &Grid::default(), &mut FaultBook::default(), later);
        assert_eq!((seen.status, seen.flow.battery_w.fresh(later)), (None, None));
    }

    #[test]
    fn faults_are_told_in_words_with_their_beginning() {
        let mut book = FaultBook::default();
        let at = |second: u64| Time::from_millis(second * 1000);
        let values = senergy(&[("error_bits", &[0, 0b101])], at(0));
        let faults = book.look(&values, at(0));
        let told: Vec<_> = faults.iter().map(|fault| fault.text.as_str()).collect();
        assert_eq!(told, ["Grid AC over voltage", "Grid AC absent"]);
        let values = senergy(&[("error_bits", &[0, 0b100])], at(5));
        let faults = book.look(&values, at(5));
        assert_eq!((faults.len(), faults[0].since), (1, at(0)));
        // What is not known is no fault in force, and is not over either.
        assert_eq!(book.look(&values, at(60)), []);
        let values = senergy(&[("error_bits", &[0, 0b101])], at(70));
        let since: Vec<_> = book.look(&values, at(70)).iter().map(|fault| fault.since).collect();
        assert_eq!(since, [at(70), at(0)]);
    }

    #[test]
    fn a_register_of_faults_that_is_refused_is_not_known() {
        let mut values = senergy(&[("error_bits", &[0, 0b100]), ("battery_soc", &[50])], Time::ZERO);
        let look = |values: &Values| {
            let known = inverter("roof", values, &Grid::default(), &mut FaultBook::default(), Time::ZERO);
            let (register, told) = known.tells(FaultKind::Fault, Time::ZERO).unwrap();
            (register.to_owned(), told.fresh(Time::ZERO))
        };
        // "Grid AC absent" is no fault of the inverter, the fan is.
        assert_eq!(look(&values), ("error_bits".to_owned(), Some(false)));
        let register = values.profile().find("error_bits").unwrap();
        values.accept_register(register, &[0, 0b101], Time::ZERO);
        assert_eq!(look(&values).1, Some(true));
        values.quarantine(register, true);
        assert_eq!(look(&values).1, None);
    }

    #[test]
    fn what_a_solis_says_of_the_grid_is_no_fault_of_the_inverter() {
        let told = |id: &str, word: u16| {
            let mut values = Values::new(Arc::new(shipped("solis").unwrap().unwrap()));
            for id in [
                "fault_grid_bits",
                "fault_backup_bits",
                "fault_battery_bits",
                "fault_inverter_bits1",
                "fault_inverter_bits2",
                "bms_fault1",
                "bms_fault2",
            ] {
                let register = values.profile().find(id).unwrap();
                values.accept_register(register, &[0], Time::ZERO);
            }
            let register = values.profile().find(id).unwrap();
            values.accept_register(register, &[word], Time::ZERO);
            let known = inverter("roof", &values, &Grid::default(), &mut FaultBook::default(), Time::ZERO);
            let is = |kind| known.tells(kind, Time::ZERO).and_then(|(_, says)| says.value);
            (is(FaultKind::Fault), is(FaultKind::Overload), known.faults.first().map(|fault| fault.text.clone()))
        };
        // No grid, undervoltage, underfrequency: an outage.
        assert_eq!(told("fault_grid_bits", 0b1_0101), (Some(false), Some(false), Some("No grid".to_owned())));
        let meter = told("fault_grid_bits", 1 << 9);
        assert_eq!(meter, (Some(true), Some(false), Some("Meter communication failed".to_owned())));
        assert_eq!(told("fault_backup_bits", 2).1, Some(true));
        assert_eq!(told("fault_battery_bits", 4).0, Some(true));
    }

    #[test]
    fn the_load_in_percent_is_worked_out_where_it_is_not_told() {
        let words: [(&str, &[u16]); 2] = [("load_power_l1", &[0, 30_000]), ("rated_power", &[6000])];
        let values = senergy(&words, Time::ZERO);
        let at = |values: &Values| inverter("r", values, &Grid::default(), &mut FaultBook::default(), Time::ZERO);
        let percent = at(&values).flow.load_percent;
        assert_eq!((percent.value, percent.at, percent.period.is_some()), (Some(50.0), Some(Time::ZERO), true));
        assert_eq!(at(&senergy(&words[..1], Time::ZERO)).flow.load_percent.value, None);
        assert_eq!(at(&senergy(&[words[0], ("rated_power", &[0])], Time::ZERO)).flow.load_percent.value, None);
        assert!(!at(&values).lacks.contains(&Role::LoadPercent));
    }

    #[test]
    fn a_family_says_what_it_never_tells() {
        let profile = |name: &str| shipped(name).unwrap().unwrap();
        let [senergy, smg, sungrow, solis] = ["senergy", "easun_smg", "sungrow", "solis"].map(profile);
        assert!(!tells_overload(&senergy) && tells_overload(&smg) && !tells_overload(&sungrow));
        assert!(tells_faults(&senergy, false) && !tells_faults(&senergy, true) && !tells_faults(&sungrow, false));
        assert!([senergy, smg, sungrow, solis].iter().all(tells_grid_loss));
        let [smg, solis] = ["easun_smg", "solis"].map(profile);
        assert!(lacks(&solis).contains(&Role::LoadPercent) && !lacks(&smg).contains(&Role::LoadPercent));
    }

    #[test]
    fn every_readable_register_has_a_row() {
        let values = senergy(&[("discharge_end_soc", &[20])], Time::ZERO);
        let rows = registers(&values);
        let row = rows.iter().find(|row| row.id == "discharge_end_soc").expect("a row");
        assert_eq!((row.raw.as_slice(), row.shown.as_deref()), (&[20][..], Some("20 %")));
        assert_eq!(rows.iter().filter(|row| row.shown.is_some()).count(), 1);
    }
}
