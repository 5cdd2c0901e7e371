//! What a profile must not be: rules over all of it, each with the line of the register that breaks it.

use std::collections::HashMap;

use super::build::Problem;
use super::types::{Bound, Form, Profile, Register, RegisterId, RegisterType};
use crate::inverter::request::{MAX_READ, MAX_WRITE};
use crate::model::power::{Access, PollClass, Role, Table};

/// Everything wrong with a profile whose shape is right.
pub(in crate::inverter) fn profile(profile: &Profile) -> Vec<Problem> {
    let mut problems = Vec::new();
    whole(profile, &mut |line, what| problems.push(Problem { line, what }));
    for register in &profile.registers {
        let mut found = |what: String| {
            problems.push(Problem { line: register.line, what: format!("{}: {what}", register.id) });
        };
        place(register, profile, &mut found);
        number(register, profile, &mut found);
        words(register, &mut found);
        meaning(register, &mut found);
        writing(register, profile, &mut found);
    }
    names(profile, &mut problems);
    overlaps(profile, &mut problems);
    problems
}

fn whole(profile: &Profile, found: &mut dyn FnMut(usize, String)) {
    if !is_name(&profile.name) {
        found(1, format!("name = {:?}: write small letters, digits and _", profile.name));
    }
    if profile.registers.is_empty() {
        found(1, "there are no registers".to_owned());
    }
    if !(1..=MAX_READ).contains(&profile.read.max) {
        found(1, format!("[read] max = {}: out of range, 1 to {MAX_READ}", profile.read.max));
    }
    if profile.read.gap >= profile.read.max {
        let (gap, max) = (profile.read.gap, profile.read.max);
        found(1, format!("[read] gap = {gap}: a gap of that many does not fit a read of at most {max}"));
    }
    if !(1..=MAX_WRITE).contains(&profile.write.max) {
        found(1, format!("[write] max = {}: out of range, 1 to {MAX_WRITE}", profile.write.max));
    }
    for derived in &profile.derived {
        if profile.role(derived.role).is_some() {
            found(1, format!("[derived] {}: a register has this role already", derived.role));
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn place(register: &Register, profile: &Profile, found: &mut dyn FnMut(String)) {
    let aliases = register.aliases.iter();
    for name in aliases.chain([&register.id]).filter(|name| !is_name(name)) {
        found(format!("{name:?} is no name: write small letters, digits and _"));
    }
    let words = register.kind.words();
    if register.is_contiguous() && words > usize::from(profile.read.max) {
        found(format!("{words} registers, but [read] max is {}", profile.read.max));
    }
    let mut sorted = register.addresses.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        found("an address is named twice".to_owned());
    }
    if register.access == Access::WriteOnly && register.poll != PollClass::Never {
        found("what can only be written is never read: poll = \"never\"".to_owned());
    }
    if register.access == Access::ReadWrite && register.poll == PollClass::Once {
        found("what can be written changes: poll = \"setting\"".to_owned());
    }
}

fn number(register: &Register, profile: &Profile, found: &mut dyn FnMut(String)) {
    if !register.scale.is_finite() || register.scale <= 0.0 {
        found(format!("scale = {}: use a number above 0, and invert for the sign", register.scale));
    }
    if !register.offset.is_finite() {
        found("offset is no number".to_owned());
    }
    let plain = register.scale == 1.0 && register.offset == 0.0 && !register.invert && register.scale_by.is_none();
    if !register.kind.is_number() && !plain {
        found("scale, offset and invert are for numbers".to_owned());
    }
    if register.form != Form::Plain && (register.kind != RegisterType::Unsigned(1) || !plain) {
        found("form is for u16 without scale, offset or invert".to_owned());
    }
    if let Some(by) = register.scale_by
        && profile.registers[by].kind != RegisterType::ScaleFactor
    {
        found(format!("scale_by: {} is no sunssf", profile.registers[by].id));
    }
    if let Some((low, high)) = register.valid
        && (low >= high || !low.is_finite() || !high.is_finite())
    {
        found(format!("valid = [{low}, {high}]: the first must be below the second"));
    }
    let bits = 16 * register.kind.words().min(4) as u32;
    let fits = |value: u64| bits == 64 || value >> bits == 0;
    if let Some(mask) = register.mask {
        let type_has_bits = matches!(register.kind, RegisterType::Unsigned(_) | RegisterType::Bits(1..=4));
        if mask == 0 || !fits(mask) || !type_has_bits {
            found(format!("mask = {mask}: a mask needs bits of a u or bits type"));
        }
    }
    for absent in register.absent.iter().filter(|absent| !fits(**absent)) {
        found(format!("absent = {absent}: more than the type can hold"));
    }
}

/// Enum and bits against type and mask, evidence against both.
fn words(register: &Register, found: &mut dyn FnMut(String)) {
    let is_bits = matches!(register.kind, RegisterType::Bits(_));
    let takes_enum =
        matches!(register.kind, RegisterType::Unsigned(_) | RegisterType::Signed(1) | RegisterType::Codes(_));
    if !register.labels.is_empty() && !takes_enum {
        found("enum is for whole numbers and codes; bits have bits".to_owned());
    }
    if !register.bits.is_empty() && !is_bits {
        found("bits is for bits types; whole numbers have enum".to_owned());
    }
    let mask = register.mask_bits();
    let moved = mask.checked_shr(mask.trailing_zeros()).unwrap_or(0);
    for (labels, name) in [(&register.labels, "enum"), (&register.special, "special"), (&register.bits, "bits")] {
        for pair in labels.0.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            found(format!("{name}: {} twice", pair[0].0));
        }
    }
    for (value, word) in &register.labels.0 {
        let largest = if matches!(register.kind, RegisterType::Codes(_)) { 0xFFFF } else { moved };
        if *value > largest {
            found(format!("enum {value} = {word:?}: the register cannot hold it"));
        }
    }
    let bit_count =
        if register.mask.is_some() { 64 - moved.leading_zeros() } else { 16 * register.kind.words() as u32 };
    for (bit, word) in register.bits.0.iter().filter(|(bit, _)| *bit >= u64::from(bit_count)) {
        found(format!("bit {bit} = {word:?}: there are {bit_count} bits"));
    }
    let evidence = &register.evidence;
    for (name, values) in [
        ("grid_lost", &evidence.grid_lost),
        ("grid_present", &evidence.grid_present),
        ("grid_trouble", &evidence.grid_trouble),
        ("overload", &evidence.overload),
        ("battery_low", &evidence.battery_low),
    ] {
        let labels = if is_bits { &register.bits } else { &register.labels };
        for value in values.iter().filter(|value| labels.word(**value).is_none()) {
            found(format!("{name}: {value} has no word in enum or bits"));
        }
    }
    if evidence.grid_lost.iter().any(|value| evidence.grid_present.contains(value)) {
        found("a value cannot say both grid_lost and grid_present".to_owned());
    }
}

fn meaning(register: &Register, found: &mut dyn FnMut(String)) {
    let Some(role) = register.role else { return };
    let unit = role.unit();
    if unit != "*" && unit != register.unit {
        let shown = |unit: &str| if unit.is_empty() { "no unit".to_owned() } else { unit.to_owned() };
        found(format!("role {role} is in {}, not in {}", shown(unit), shown(&register.unit)));
    }
    if role == Role::Serial && !matches!(register.kind, RegisterType::Text(_) | RegisterType::Unsigned(_)) {
        found("a serial number is text or a whole number".to_owned());
    }
}

fn writing(register: &Register, profile: &Profile, found: &mut dyn FnMut(String)) {
    let bounded = register.min.is_some() || register.max.is_some() || register.step.is_some();
    if !register.access.writes() {
        if bounded || !register.write_with.is_empty() || register.write_first || !register.special.is_empty() {
            found("min, max, step, special, write_with and write_first are for what can be written".to_owned());
        }
        return;
    }
    if register.table == Table::Input {
        found("input registers cannot be written".to_owned());
    }
    if !register.is_contiguous() {
        found("words that lie apart cannot be written in one go".to_owned());
    }
    if matches!(register.kind, RegisterType::Text(_) | RegisterType::Codes(_) | RegisterType::ScaleFactor) {
        found("this type cannot be written".to_owned());
    }
    let has_words = !register.labels.is_empty() || !register.bits.is_empty();
    let is_time = matches!(register.form, Form::HourMinute | Form::HourMinuteDecimal);
    let limited = has_words || is_time || register.kind == RegisterType::Clock;
    if !limited && (register.min.is_none() || register.max.is_none()) {
        found("a number that can be written needs min and max: nothing could be refused".to_owned());
    }
    range(register, profile, found);
    let function_max = profile.write.max;
    let mut span: Vec<u16> = register.addresses.clone();
    for other in &register.write_with {
        let other = &profile.registers[*other];
        span.extend(&other.addresses);
        if !other.access.writes() || other.table != register.table || other.service != register.service {
            found(format!("write_with: {} cannot be written in the same frame", other.id));
        }
    }
    let (low, high) = (span.iter().min().copied().unwrap_or(0), span.iter().max().copied().unwrap_or(0));
    span.sort_unstable();
    span.dedup();
    if usize::from(high - low) + 1 != span.len() {
        found("write_with: the registers do not lie side by side".to_owned());
    }
    if span.len() > usize::from(function_max) && register.kind.words() <= usize::from(function_max) {
        found(format!("write_with: {} registers, but [write] max is {function_max}", span.len()));
    }
}

fn range(register: &Register, profile: &Profile, found: &mut dyn FnMut(String)) {
    if let Some(step) = register.step
        && (!step.is_finite() || step <= 0.0)
    {
        found(format!("step = {step}: use a number above 0"));
    }
    for bound in [register.min, register.max].into_iter().flatten() {
        match bound {
            Bound::Number(number) if !holds(register, number) => {
                found(format!("the bound {number} cannot be told by the register"));
            }
            Bound::Register(other) if profile.registers[other].unit != register.unit => {
                found(format!("the bound {} has another unit", profile.registers[other].id));
            }
            _ => {}
        }
    }
    if let (Some(Bound::Number(min)), Some(Bound::Number(max))) = (register.min, register.max) {
        if min >= max {
            found(format!("min {min} is not below max {max}"));
        } else if register.step.is_some_and(|step| step > max - min) {
            found("step is wider than the range".to_owned());
        }
    }
}

/// The register has a raw value for this.
fn holds(register: &Register, number: f64) -> bool {
    if register.scale_by.is_some() || register.kind == RegisterType::F32 || register.form != Form::Plain {
        return true;
    }
    let value = if register.invert { -number } else { number };
    let raw = (value - register.offset) / register.scale;
    let bits = 16.0 * register.kind.words() as f64;
    let (low, high) = match register.kind {
        RegisterType::Signed(_) => (-((bits - 1.0).exp2()), (bits - 1.0).exp2() - 1.0),
        _ => (0.0, register.mask.map_or(bits.exp2() - 1.0, |mask| (mask >> mask.trailing_zeros()) as f64)),
    };
    // A bound of the type itself, rounded by the scale, still counts.
    (low - 0.5..=high + 0.5).contains(&raw)
}

fn names(profile: &Profile, problems: &mut Vec<Problem>) {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut roles: HashMap<Role, usize> = HashMap::new();
    for register in &profile.registers {
        for name in register.aliases.iter().chain([&register.id]) {
            if let Some(first) = names.insert(name, register.line) {
                let what = format!("{}: {name:?} is a name already, in line {first}", register.id);
                problems.push(Problem { line: register.line, what });
            }
        }
        if let Some(role) = register.role
            && let Some(first) = roles.insert(role, register.line)
        {
            let what = format!("{}: the role {role} is taken already, in line {first}", register.id);
            problems.push(Problem { line: register.line, what });
        }
    }
}

/// Two registers may share an address only when each has its own bits of it.
fn overlaps(profile: &Profile, problems: &mut Vec<Problem>) {
    let mut at: HashMap<(usize, Table, u16), Vec<RegisterId>> = HashMap::new();
    for (index, register) in profile.registers.iter().enumerate() {
        for address in &register.addresses {
            at.entry((register.service, register.table, *address)).or_default().push(index);
        }
    }
    let mut shared: Vec<(RegisterId, RegisterId)> = Vec::new();
    for indices in at.values() {
        for (n, first) in indices.iter().enumerate() {
            for second in &indices[n + 1..] {
                let (a, b) = (&profile.registers[*first], &profile.registers[*second]);
                let apart = a.kind.words() == 1
                    && b.kind.words() == 1
                    && a.mask.zip(b.mask).is_some_and(|(first, second)| first & second == 0);
                if !apart && !shared.contains(&(*first, *second)) {
                    shared.push((*first, *second));
                }
            }
        }
    }
    for (first, second) in shared {
        let (first, second) = (&profile.registers[first], &profile.registers[second]);
        let what = format!("{}: it overlaps {} of line {}; masks would part them", second.id, first.id, first.line);
        problems.push(Problem { line: second.line, what });
    }
}
