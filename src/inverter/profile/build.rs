//! From the file to a [`Profile`], with everything that is wrong and the line where it is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::raw::{Addresses, RawBound, RawProfile, RawRegister, Words};
use super::types::{
    Bound, Derived, Evidence, Labels, Limits, Link, Profile, Register, RegisterId, RegisterType, Service,
    WriteFunction, WriteRules,
};
use super::{derived, lint};
use crate::model::power::Role;

/// The version of the form that this program reads.
const FORM: u32 = 1;

/// Something wrong in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a profile.
///
/// # Errors
/// Everything that is wrong with it, in the order of lines. A profile with any problem is not used.
pub fn parse(text: &str) -> Result<Profile, Vec<Problem>> {
    let lines = Lines::new(text);
    let raw: RawProfile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.at(&span));
        vec![Problem { line, what: one_line(error.message()) }]
    })?;
    let mut builder = Builder { lines, problems: Vec::new() };
    let profile = builder.profile(&raw);
    let mut problems = builder.problems;
    problems.extend(lint::profile(&profile));
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(profile) } else { Err(problems) }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line, from 1, that a place of the file is on.
    fn at(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|start| *start <= span.start)
    }
}

struct Builder {
    lines: Lines,
    problems: Vec<Problem>,
}

impl Builder {
    fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem { line, what: what.into() });
    }

    fn profile(&mut self, raw: &RawProfile) -> Profile {
        if raw.profile != FORM {
            self.problem(1, format!("profile = {}: this program reads version {FORM} of the form", raw.profile));
        }
        let services: Vec<Service> = raw
            .link
            .get_ref()
            .services
            .iter()
            .map(|(name, unit)| Service { name: name.clone(), unit: (*unit > 0).then_some(*unit) })
            .collect();
        let named = [&raw.enums, &raw.bits].map(|tables| {
            let tables = tables.iter().map(|(name, table)| {
                let line = self.lines.at(&table.span());
                (name.clone(), self.labels(line, name, table.get_ref()))
            });
            tables.collect::<BTreeMap<_, _>>()
        });
        let registers: Vec<(usize, &RawRegister)> =
            raw.registers.iter().map(|spanned| (self.lines.at(&spanned.span()), spanned.get_ref())).collect();
        let mut profile = Profile {
            name: raw.name.get_ref().clone(),
            brand: raw.brand.clone(),
            models: raw.models.clone(),
            sources: raw.sources.clone(),
            link: self.link(raw, services),
            word_order: raw.word_order,
            read: Limits { max: raw.read.get_ref().max, gap: raw.read.get_ref().gap },
            write: self.write_rules(raw),
            registers: Vec::new(),
            derived: Vec::new(),
        };
        for (line, register) in &registers {
            let register = self.register(*line, register, raw, &profile.link.services, &named);
            profile.registers.push(register);
        }
        for (index, (line, register)) in registers.iter().enumerate() {
            self.references(index, *line, register, &mut profile);
        }
        for (name, text) in &raw.derived {
            let line = self.lines.at(&text.span());
            let Some(role) = Role::from_name(name) else {
                self.problem(line, format!("[derived] {name}: no such role"));
                continue;
            };
            match derived::parse(text.get_ref(), &profile) {
                Ok(expression) => profile.derived.push(Derived { role, expression }),
                Err(what) => self.problem(line, format!("[derived] {name}: {what}")),
            }
        }
        profile
    }

    fn link(&mut self, raw: &RawProfile, services: Vec<Service>) -> Link {
        let line = self.lines.at(&raw.link.span());
        let link = raw.link.get_ref();
        if link.timeout_ms == 0 {
            self.problem(line, "[link] timeout_ms = 0: no device answers in no time");
        }
        for baud in link.other_bauds.iter().chain([&link.baud]) {
            if !(300..=1_000_000).contains(baud) {
                self.problem(line, format!("[link] {baud} Bd: out of range, 300 to 1000000"));
            }
        }
        if !(1..=247).contains(&link.unit) {
            self.problem(line, format!("[link] unit = {}: out of range, 1 to 247", link.unit));
        }
        Link {
            baud: link.baud,
            other_bauds: link.other_bauds.clone(),
            parity: link.parity,
            tcp_port: link.tcp_port,
            unit: link.unit,
            services,
            timeout: Duration::from_millis(link.timeout_ms.into()),
            spacing: Duration::from_millis(link.spacing_ms.into()),
        }
    }

    fn write_rules(&mut self, raw: &RawProfile) -> WriteRules {
        let line = self.lines.at(&raw.write.span());
        let write = raw.write.get_ref();
        let function = self.function(line, "[write]", write.function);
        WriteRules { function, max: write.max, settle: Duration::from_millis(write.settle_ms.into()) }
    }

    fn function(&mut self, line: usize, where_: &str, function: u8) -> WriteFunction {
        match function {
            6 => WriteFunction::Single,
            16 => WriteFunction::Multiple,
            other => {
                self.problem(line, format!("{where_} function = {other}: registers are written with 6 or 16"));
                WriteFunction::Single
            }
        }
    }

    fn labels(&mut self, line: usize, name: &str, table: &BTreeMap<String, String>) -> Labels {
        let mut labels = Vec::new();
        for (number, word) in table {
            match parse_number(number) {
                Some(number) => labels.push((number, word.clone())),
                None => self.problem(line, format!("{name}: {number:?} is no number")),
            }
            if word.trim().is_empty() {
                self.problem(line, format!("{name}: {number} has no word"));
            }
        }
        labels.sort_by_key(|(number, _)| *number);
        Labels(labels)
    }

    fn words(
        &mut self,
        line: usize,
        id: &str,
        words: Option<&Words>,
        named: &BTreeMap<String, Labels>,
        table: &str,
    ) -> Labels {
        match words {
            None => Labels::default(),
            Some(Words::Here(here)) => self.labels(line, id, here),
            Some(Words::Named(name)) => named.get(name).cloned().unwrap_or_else(|| {
                self.problem(line, format!("{id}: there is no [{table}] {name}"));
                Labels::default()
            }),
        }
    }

    fn register(
        &mut self,
        line: usize,
        raw: &RawRegister,
        file: &RawProfile,
        services: &[Service],
        [enums, bits]: &[BTreeMap<String, Labels>; 2],
    ) -> Register {
        let id = &raw.id;
        let kind = self.kind(line, raw);
        let service = raw.service.as_ref().map_or(0, |name| {
            let at = services.iter().position(|service| service.name == *name);
            if at.is_none() {
                self.problem(line, format!("{id}: [link] services has no {name:?}"));
            }
            at.map_or(0, |at| at + 1)
        });
        let role = raw.role.as_deref().and_then(|name| {
            let role = Role::from_name(name);
            if role.is_none() {
                self.problem(line, format!("{id}: {name:?} is no role that sunmill knows"));
            }
            role
        });
        if raw.danger.is_some() && !raw.access.writes() {
            self.problem(line, format!("{id}: danger is for registers that can be written"));
        }
        Register {
            id: id.clone(),
            aliases: raw.alias.list(),
            line,
            service,
            table: raw.table.unwrap_or(file.table),
            addresses: self.addresses(line, raw, kind),
            kind,
            scale: raw.scale.unwrap_or(1.0),
            offset: raw.offset.unwrap_or(0.0),
            scale_by: None,
            unit: raw.unit.clone(),
            mask: raw.mask,
            form: raw.form,
            labels: self.words(line, id, raw.labels.as_ref(), enums, "enum"),
            bits: self.words(line, id, raw.bits.as_ref(), bits, "bits"),
            absent: raw.absent.clone(),
            valid: raw.valid,
            doubt: raw.doubt.clone(),
            invert: raw.invert,
            poll: raw.poll,
            role,
            access: raw.access,
            min: None,
            max: None,
            step: raw.step,
            special: self.labels(line, id, &raw.special),
            danger: raw.danger.unwrap_or_default(),
            function: raw.function.map(|function| self.function(line, id, function)),
            write_with: Vec::new(),
            write_first: raw.write_first,
            evidence: Evidence {
                grid_lost: raw.grid_lost.clone(),
                grid_present: raw.grid_present.clone(),
                grid_trouble: raw.grid_trouble.clone(),
                overload: raw.overload.clone(),
                battery_low: raw.battery_low.clone(),
            },
            note: raw.note.clone(),
        }
    }

    fn kind(&mut self, line: usize, raw: &RawRegister) -> RegisterType {
        let sized = |name: &str| match name {
            "text" => Some(RegisterType::Text as fn(u8) -> RegisterType),
            "codes" => Some(RegisterType::Codes as fn(u8) -> RegisterType),
            _ => None,
        };
        let kind = match raw.kind.as_str() {
            "u16" => RegisterType::Unsigned(1),
            "u32" => RegisterType::Unsigned(2),
            "u64" => RegisterType::Unsigned(4),
            "s16" => RegisterType::Signed(1),
            "s32" => RegisterType::Signed(2),
            "s64" => RegisterType::Signed(4),
            "f32" => RegisterType::F32,
            "bits16" => RegisterType::Bits(1),
            "bits32" => RegisterType::Bits(2),
            "bits64" => RegisterType::Bits(4),
            "bits128" => RegisterType::Bits(8),
            "clock" => RegisterType::Clock,
            "sunssf" => RegisterType::ScaleFactor,
            other => match (sized(other), raw.words) {
                (Some(make), Some(words @ 1..=60)) => return make(words),
                (Some(make), _) => {
                    self.problem(line, format!("{}: type {other:?} needs words, 1 to 60", raw.id));
                    return make(1);
                }
                (None, _) => {
                    self.problem(line, format!("{}: {other:?} is no type", raw.id));
                    RegisterType::Unsigned(1)
                }
            },
        };
        if raw.words.is_some() {
            self.problem(line, format!("{}: words is for text and codes", raw.id));
        }
        kind
    }

    fn addresses(&mut self, line: usize, raw: &RawRegister, kind: RegisterType) -> Vec<u16> {
        let words = kind.words();
        match &raw.addr {
            Addresses::First(first) => {
                let last = usize::from(*first) + words - 1;
                if last > usize::from(u16::MAX) {
                    self.problem(line, format!("{}: address {last} is beyond 65535", raw.id));
                }
                (0..words).map(|word| first.wrapping_add(word as u16)).collect()
            }
            Addresses::Each(each) => {
                if each.len() != words {
                    self.problem(line, format!("{}: {} addresses, but {} takes {words}", raw.id, each.len(), raw.kind));
                    let first = each.first().copied().unwrap_or(0);
                    return (0..words).map(|word| first.wrapping_add(word as u16)).collect();
                }
                each.clone()
            }
        }
    }

    /// What names other registers, once all are known.
    fn references(&mut self, index: RegisterId, line: usize, raw: &RawRegister, profile: &mut Profile) {
        let id = &raw.id;
        let mut find = |name: &str| {
            let found = profile.find(name);
            if found.is_none() {
                self.problem(line, format!("{id}: {name:?} is no register of this profile"));
            }
            found
        };
        let scale_by = raw.scale_by.as_deref().and_then(&mut find);
        let write_with: Vec<_> = raw.write_with.iter().filter_map(|name| find(name)).collect();
        let min = raw.min.as_ref().map(|bound| self.bound(line, id, bound, profile));
        let max = raw.max.as_ref().map(|bound| self.bound(line, id, bound, profile));
        let register = &mut profile.registers[index];
        register.scale_by = scale_by;
        register.write_with = write_with;
        register.min = min.flatten();
        register.max = max.flatten();
    }

    fn bound(&mut self, line: usize, id: &str, bound: &RawBound, profile: &Profile) -> Option<Bound> {
        match bound {
            RawBound::Number(number) => Some(Bound::Number(*number)),
            RawBound::Name(name) => {
                if let Some(minutes) = clock_minutes(name) {
                    return Some(Bound::Number(minutes.into()));
                }
                let found = profile.find(name);
                if found.is_none() {
                    self.problem(line, format!("{id}: the bound {name:?} is neither a time nor a register"));
                }
                found.map(Bound::Register)
            }
        }
    }
}

/// `10`, `0x0A`.
fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Minutes since midnight of `08:30`.
pub(in crate::inverter) fn clock_minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str, longest: usize| -> Option<u16> {
        let plain = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile around these lines of registers; the first of them is on line 20.
    pub(super) fn around(registers: &str) -> String {
        format!(
            r#"profile = 1
name = "small"
brand = "None"
models = "none"
word_order = "high_first"
[link]
timeout_ms = 1000
spacing_ms = 50
[read]
max = 20
gap = 4
[write]
function = 6
[enum]
on_off = {{ 0 = "off", 1 = "on" }}
[bits]
faults = {{ 2 = "no grid", 15 = "last" }}
[derived]
# registers are last because tables end what stands above them
[[registers]]
id = "serial"
addr = 100
type = "text"
words = 4
poll = "once"
role = "serial"
{registers}"#
        )
    }

    fn problems(register: &str) -> Vec<String> {
        let text = around(&format!("[[registers]]\n{register}"));
        parse(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_small_profile_is_read() {
        let text = around(
            "[[registers]]\nid = \"grid_voltage\"\naddr = 7\ntype = \"u16\"\nscale = 0.1\nunit = \"V\"\n\
             poll = \"safety\"\nrole = \"grid_voltage\"\nalias = [\"mains\"]",
        );
        let profile = parse(&text).expect("in order");
        let voltage = &profile.registers[profile.find("mains").expect("an alias")];
        assert_eq!((voltage.line, voltage.decimals(), voltage.span()), (27, 1, (7, 7)));
        assert_eq!(profile.serial(), Some(0));
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        for (register, says) in [
            ("id = \"A\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"", "is no name"),
            ("id = \"a\"\naddr = 101\ntype = \"u16\"\npoll = \"slow\"", "overlaps serial of line 20"),
            ("id = \"serial\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"", "is a name already, in line 20"),
            ("id = \"a\"\naddr = 1\ntype = \"u17\"\npoll = \"slow\"", "\"u17\" is no type"),
            ("id = \"a\"\naddr = 65535\ntype = \"u32\"\npoll = \"slow\"", "beyond 65535"),
            ("id = \"a\"\naddr = [1, 3, 5]\ntype = \"u32\"\npoll = \"slow\"", "3 addresses, but u32 takes 2"),
            ("id = \"a\"\naddr = [3, 3]\ntype = \"u32\"\npoll = \"slow\"", "named twice"),
            ("id = \"a\"\naddr = 1\ntype = \"text\"\npoll = \"slow\"", "needs words"),
            ("id = \"a\"\naddr = 1\ntype = \"text\"\nwords = 30\npoll = \"slow\"", "[read] max is 20"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nrole = \"soc\"", "is no role"),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nrole = \"battery_soc\"",
                "is in %, not in no unit",
            ),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nscale = 0", "scale = 0"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nmask = 65536", "a mask needs bits"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nmask = 3\nenum = { 4 = \"x\" }", "cannot hold it"),
            ("id = \"a\"\naddr = 1\ntype = \"bits16\"\npoll = \"slow\"\nbits = { 16 = \"x\" }", "there are 16 bits"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nenum = \"yes_no\"", "no [enum] yes_no"),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nenum = \"on_off\"\ngrid_lost = [3]",
                "3 has no word",
            ),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nabsent = [65536]", "more than the type can hold"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nvalid = [5, 1]", "must be below"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"setting\"\naccess = \"rw\"", "needs min and max"),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"setting\"\naccess = \"rw\"\nmin = 5\nmax = 5",
                "is not below max",
            ),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"setting\"\naccess = \"rw\"\nmin = -5\nmax = 5",
                "cannot be told by the register",
            ),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"setting\"\naccess = \"rw\"\nmin = 0\nmax = \"b\"",
                "neither a time nor a register",
            ),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"setting\"\naccess = \"rw\"\nmin = 0\nmax = 9\nstep = 10",
                "wider than the range",
            ),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\ntable = \"input\"\npoll = \"setting\"\naccess = \"rw\"\nmin = 0\nmax = 9",
                "input registers cannot be written",
            ),
            (
                "id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\ndanger = \"caution\"",
                "danger is for registers that can be written",
            ),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\ndanger = \"forbidden\"", "forbidden"),
            ("id = \"a\"\naddr = 1\ntype = \"u16\"\npoll = \"slow\"\nscales = 3", "scales"),
        ] {
            let found = problems(register);
            assert!(
                found.iter().any(|problem| problem.contains(says) && line(problem) >= 27),
                "{register}\n-> {found:?}"
            );
        }
    }

    fn line(problem: &str) -> usize {
        problem.trim_start_matches("line ").split(':').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    #[test]
    fn derived_values_name_registers_that_are_there() {
        let with = |text: &str| {
            let text = around("").replace("[derived]", &format!("[derived]\n{text}"));
            parse(&text).err().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default()
        };
        assert_eq!(with("pv_power = \"serial\""), "");
        assert!(with("pv_power = \"serial + pv9\"").contains("line 19: [derived] pv_power: \"pv9\" is no register"));
        assert!(with("pv = \"serial\"").contains("no such role"));
        assert!(with("pv_power = \"serial +\"").contains("a register is missing"));
        assert!(with("pv_power = \"sign(serial)\"").contains("sign needs"));
    }

    #[test]
    fn times_of_day_are_times() {
        assert_eq!(clock_minutes("08:30"), Some(510));
        assert_eq!(clock_minutes("23:59"), Some(1439));
        for wrong in ["24:00", "8:60", "0830", ":30", "8:", "+8:30", "008:30"] {
            assert_eq!(clock_minutes(wrong), None, "{wrong}");
        }
    }
}
