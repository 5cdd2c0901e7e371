//! From the models that were found to a profile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::models::{Model, Point, load};
use super::walk::Found;
use crate::inverter::profile::{
    Bound, Evidence, Form, Labels, Limits, Link, Parity, Problem, Profile, Register, RegisterType, WordOrder,
    WriteFunction, WriteRules, lint,
};
use crate::model::power::{Access, Danger, PollClass, Role, Table};

/// A profile for a device with these models. Models that are not known are left out.
///
/// # Errors
/// What is wrong with the profile; lines count its registers.
pub fn profile_of(found: &[Found], unit: u8) -> Result<Profile, Vec<Problem>> {
    let models = load();
    let mut builder = Builder { registers: Vec::new(), roles: BTreeSet::new(), scales: Vec::new() };
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for found in found {
        let Some(model) = models.iter().find(|model| model.id == found.id) else { continue };
        let times = seen.entry(found.id).or_default();
        *times += 1;
        let prefix = if *times == 1 { format!("m{}", found.id) } else { format!("m{}x{times}", found.id) };
        builder.model(model, *found, &prefix);
    }
    let known: Vec<String> = models
        .iter()
        .filter(|model| seen.contains_key(&model.id))
        .map(|model| format!("{} {}", model.id, model.name))
        .collect();
    let profile = builder.finish(format!("models {}", known.join(", ")), unit);
    let problems = lint(&profile);
    if problems.is_empty() { Ok(profile) } else { Err(problems) }
}

struct Builder {
    registers: Vec<Register>,
    roles: BTreeSet<Role>,
    /// Which register is scaled by which, by id.
    scales: Vec<(usize, String)>,
}

impl Builder {
    fn model(&mut self, model: &Model, found: Found, prefix: &str) {
        for point in &model.points {
            self.point(point, found, found.address, prefix, prefix, "");
        }
        let (Some(from), Some(size)) = (model.repeat_from, model.repeat_size) else { return };
        let groups = (found.length + 2).saturating_sub(from) / size.max(1);
        for group in 0..groups {
            let own = format!("{prefix}_{}", group + 1);
            let base = found.address + from + group * size;
            for point in &model.repeat {
                self.point(point, found, base, &own, prefix, &(group + 1).to_string());
            }
        }
    }

    /// `base` is what the point's offset counts from, `scales` where its exponent is named.
    fn point(&mut self, point: &Point, found: Found, base: u16, prefix: &str, scales: &str, group: &str) {
        let Some((kind, absent)) = kind(point) else { return };
        let words = kind.words() as u16;
        let address = base.saturating_add(point.off);
        // Shorter than the model of the registry: the point is not there.
        if address + words > found.address + 2 + found.length {
            return;
        }
        let role = point.role.as_ref().and_then(|role| Role::from_name(&role.replace('*', group)));
        let role = role.filter(|role| self.roles.insert(*role));
        // Energies are in kWh everywhere in this program.
        let (unit, scale) = if point.unit == "Wh" { ("kWh", 0.001) } else { (point.unit.as_str(), 1.0) };
        let words_for: Vec<(u64, String)> =
            point.words_for.iter().filter_map(|(n, word)| Some((n.parse().ok()?, word.clone()))).collect();
        let mut labels = Labels(words_for);
        labels.0.sort_by_key(|(number, _)| *number);
        let is_bits = matches!(kind, RegisterType::Bits(_));
        let (bits, labels) = if is_bits { (labels, Labels::default()) } else { (Labels::default(), labels) };
        let access = if point.danger.is_some() { Access::ReadWrite } else { Access::ReadOnly };
        if let Some(sf) = &point.sf {
            self.scales.push((self.registers.len(), format!("{scales}_{}", sf.to_lowercase())));
        }
        self.registers.push(Register {
            id: format!("{prefix}_{}", point.id.to_lowercase()),
            aliases: Vec::new(),
            line: self.registers.len() + 1,
            service: 0,
            table: Table::Holding,
            addresses: (0..words).map(|word| address + word).collect(),
            kind,
            scale,
            offset: 0.0,
            scale_by: None,
            unit: unit.to_owned(),
            mask: None,
            form: Form::Plain,
            labels,
            bits,
            absent,
            valid: None,
            doubt: Vec::new(),
            invert: false,
            poll: poll(kind, role, access, unit),
            role,
            access,
            min: point.range.map(|(min, _)| Bound::Number(min)),
            max: point.range.map(|(_, max)| Bound::Number(max)),
            step: None,
            special: Labels::default(),
            danger: point.danger.unwrap_or(Danger::Normal),
            function: None,
            write_with: Vec::new(),
            write_first: false,
            evidence: Evidence {
                grid_lost: point.grid_lost.clone(),
                grid_present: point.grid_present.clone(),
                grid_trouble: point.grid_trouble.clone(),
                ..Evidence::default()
            },
            note: point.note.clone(),
        });
    }

    fn finish(mut self, models: String, unit: u8) -> Profile {
        for (register, by) in std::mem::take(&mut self.scales) {
            self.registers[register].scale_by = self.registers.iter().position(|other| other.id == by);
        }
        Profile {
            name: "sunspec".to_owned(),
            brand: "SunSpec".to_owned(),
            models,
            sources: vec!["SunSpec Alliance model definitions".to_owned()],
            link: Link {
                baud: 9600,
                other_bauds: vec![19_200, 115_200],
                parity: Parity::None,
                tcp_port: 502,
                unit,
                services: Vec::new(),
                timeout: Duration::from_secs(3),
                spacing: Duration::from_millis(20),
            },
            word_order: WordOrder::HighFirst,
            read: Limits { max: 125, gap: 40 },
            write: WriteRules { function: WriteFunction::Multiple, max: 123, settle: Duration::from_millis(200) },
            registers: self.registers,
            derived: Vec::new(),
        }
    }
}

/// Type and the value that says "not implemented" (SunSpec Information Model Specification, table of types).
fn kind(point: &Point) -> Option<(RegisterType, Vec<u64>)> {
    use RegisterType::{Bits, F32, ScaleFactor, Signed, Text, Unsigned};
    Some(match point.kind.as_str() {
        "int16" => (Signed(1), vec![0x8000]),
        "int32" => (Signed(2), vec![0x8000_0000]),
        "int64" => (Signed(4), vec![0x8000_0000_0000_0000]),
        "uint16" | "enum16" | "count" => (Unsigned(1), vec![0xFFFF]),
        "uint32" | "enum32" => (Unsigned(2), vec![0xFFFF_FFFF]),
        "uint64" => (Unsigned(4), vec![u64::MAX]),
        "acc16" => (Unsigned(1), vec![0]),
        "acc32" => (Unsigned(2), vec![0]),
        "acc64" => (Unsigned(4), vec![0]),
        "bitfield16" => (Bits(1), vec![0xFFFF]),
        "bitfield32" => (Bits(2), vec![0xFFFF_FFFF]),
        "float32" => (F32, Vec::new()),
        "sunssf" => (ScaleFactor, Vec::new()),
        "string" => (Text(point.words?), Vec::new()),
        _ => return None,
    })
}

fn poll(kind: RegisterType, role: Option<Role>, access: Access, unit: &str) -> PollClass {
    match (kind, role) {
        (RegisterType::Text(_), _) | (_, Some(Role::RatedPower)) => PollClass::Once,
        _ if access.writes() => PollClass::Setting,
        (_, Some(role)) if role.is_safety() => PollClass::Safety,
        _ if matches!(unit, "W" | "V" | "A" | "Hz") => PollClass::Flow,
        _ => PollClass::Slow,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inverter::grid_loss::GridLoss;
    use crate::inverter::{Values, plan, summary};
    use crate::model::Time;
    use crate::model::power::{FaultKind, GridState};

    const FOUND: [Found; 3] = [
        Found { id: 1, address: 40_002, length: 66 },
        Found { id: 103, address: 40_070, length: 50 },
        // Two strings.
        Found { id: 160, address: 40_122, length: 48 },
    ];

    fn values(words: &[(u16, u16)]) -> Values {
        let profile = Arc::new(profile_of(&FOUND, 1).expect("in order"));
        let mut values = Values::new(profile.clone());
        for block in plan::plan(&profile, profile.read, &plan::Learned::default(), |_| true) {
            let addresses = block.address()..block.address() + block.count();
            let word = |at: u16| words.iter().find(|(address, _)| *address == at).map_or(0xFFFF, |(_, word)| *word);
            values.accept(&block, &addresses.map(word).collect::<Vec<_>>(), Time::ZERO);
        }
        values
    }

    #[test]
    fn models_become_registers_with_roles() {
        let profile = profile_of(&FOUND, 126).expect("in order");
        assert_eq!(profile.link.unit, 126);
        let at = |id: &str| profile.registers[profile.find(id).expect(id)].span().0;
        assert_eq!((at("m1_sn"), at("m103_w"), at("m160_1_dcw"), at("m160_2_dcw")), (40_052, 40_084, 40_143, 40_163));
        assert!(profile.find("m160_3_dcw").is_none());
        assert_eq!(profile.serial(), profile.find("m1_sn"));
        assert_eq!(profile.role(Role::Pv2Power), profile.find("m160_2_dcw"));
    }

    #[test]
    fn points_are_scaled_by_other_points_and_may_be_missing() {
        let serial = [(40_052, 0x4142), (40_053, 0x4344), (40_054, 0)];
        let known = [(40_084, 1234), (40_085, 1), (40_086, 4998), (40_087, 0xFFFE), (40_108, 4)];
        let absent = [(40_101, 0x8000), (40_103, 0x8000)];
        let values = values(&[&serial[..], &known[..], &absent[..]].concat());
        assert_eq!(values.role(Role::InverterPower).value, Some(12_340.0));
        assert_eq!(values.role(Role::GridFrequency).value, Some(49.98));
        assert_eq!(values.words(Role::Serial).as_deref(), Some("ABCD"));
        assert_eq!(values.words(Role::Status).as_deref(), Some("mppt"));
        // "Not implemented" is no value, and neither is one whose exponent is not there.
        for role in [Role::GridVoltage, Role::PvPower, Role::InverterTemp, Role::FaultBits] {
            assert_eq!(values.role(role).value, None, "{role}");
        }
    }

    #[test]
    fn energies_are_kilowatt_hours() {
        let values = values(&[(40_094, 18), (40_095, 54_400), (40_096, 0)]);
        assert_eq!(values.role(Role::TotalPv).value, Some(1234.048));
    }

    /// What is concluded of the grid, and whether that is a fault of the inverter, after a while of these words.
    fn grid(words: &[(u16, u16)]) -> (GridState, Option<bool>) {
        let profile = Arc::new(profile_of(&FOUND, 1).expect("in order"));
        let mut values = Values::new(profile.clone());
        let (mut loss, mut now) = (GridLoss::new(230.0), Time::ZERO);
        loss.connected(now);
        for _ in 0..40 {
            now += Duration::from_secs(1);
            for block in plan::plan(&profile, profile.read, &plan::Learned::default(), |_| true) {
                let addresses = block.address()..block.address() + block.count();
                let word = |at: u16| words.iter().find(|(address, _)| *address == at).map_or(0xFFFF, |(_, word)| *word);
                values.accept(&block, &addresses.map(word).collect::<Vec<_>>(), now);
            }
            loss.look(&values, now);
        }
        let known = summary::inverter("roof", &values, loss.grid(), &mut summary::FaultBook::default(), now);
        (known.grid.state, known.tells(FaultKind::Fault, now).and_then(|(_, says)| says.value))
    }

    #[test]
    fn an_outage_is_known_by_voltage_and_frequency_or_by_the_event_and_is_no_fault() {
        const NOT_TOLD: u16 = 0xFFFF;
        const DISCONNECT: u16 = 1 << 4;
        const UNDER_VOLT: u16 = 1 << 11;
        // In tenths of a volt, and hundredths of a hertz.
        let device = |volts: u16, hertz: u16, event: u16| {
            let scales = [(40_083, 0xFFFF), (40_087, 0xFFFE)];
            let told = [(40_080, volts), (40_086, hertz), (40_110, 0), (40_111, event)];
            [&scales[..], &told].concat()
        };
        assert_eq!(grid(&device(2300, 5000, 0)), (GridState::Good, Some(false)));
        assert_eq!(grid(&device(20, 0, UNDER_VOLT)), (GridState::Lost, Some(false)));
        assert_eq!(grid(&device(0, NOT_TOLD, DISCONNECT)), (GridState::Lost, Some(false)));
        // One source, or sources that do not agree: it makes a grid of its own, and tells of that.
        assert_eq!(grid(&device(0, NOT_TOLD, 0)).0, GridState::Unknown);
        assert_eq!(grid(&device(2300, 5000, DISCONNECT)), (GridState::Unknown, Some(false)));
        // The inverter itself.
        assert_eq!(grid(&device(2300, 5000, 1 << 7)), (GridState::Good, Some(true)));
    }

    #[test]
    fn every_model_together_is_in_order() {
        let mut address = 40_002;
        let found: Vec<Found> = load()
            .iter()
            .map(|model| {
                let length = 200;
                let found = Found { id: model.id, address, length };
                address += 2 + length;
                found
            })
            .collect();
        if let Err(problems) = profile_of(&found, 1) {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
        // A device that says it has a model twice, or shorter than it is, gets what is there.
        let twice = [found[1], Found { address: 50_000, ..found[1] }, Found { id: 103, address: 51_000, length: 3 }];
        let profile = profile_of(&twice, 1).expect("in order");
        assert!(profile.find("m101_w").is_some() && profile.find("m101x2_w").is_some());
        assert!(profile.find("m103_a").is_some() && profile.find("m103_w").is_none());
    }
}
