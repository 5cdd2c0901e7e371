//! Values that no register holds: sums of products of registers.

use super::types::{Profile, RegisterId};

/// A sum of terms, such as `pv1_power + pv2_power + pv3_power?` or `battery_voltage * battery_current`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// What is added up.
    pub terms: Vec<Term>,
}

/// A product of registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// It is taken away.
    pub negative: bool,
    /// Written with `?`: where the device has no such value, the term counts nothing. A value that is only old or not
    /// read yet is never left out.
    pub optional: bool,
    /// What is multiplied.
    pub factors: Vec<Factor>,
}

/// A part of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The value of a register.
    Value(RegisterId),
    /// `-1` where the register holds this raw value, `+1` elsewhere: `sign(battery_direction = 0)`.
    Sign(RegisterId, u64),
    /// The value without its sign: `abs(battery_power)`.
    Abs(RegisterId),
}

impl Factor {
    /// The register that it reads.
    pub const fn register(self) -> RegisterId {
        match self {
            Self::Value(id) | Self::Sign(id, _) | Self::Abs(id) => id,
        }
    }
}

/// Reads an expression.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(text: &str, profile: &Profile) -> Result<Expression, String> {
    let mut terms = Vec::new();
    let mut rest = text.trim();
    let mut negative = false;
    if let Some(after) = rest.strip_prefix('-') {
        (negative, rest) = (true, after.trim_start());
    }
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        terms.push(term(rest[..end].trim(), negative, profile)?);
        let Some(sign) = rest[end..].chars().next() else { break };
        negative = sign == '-';
        rest = rest[end + 1..].trim_start();
    }
    Ok(Expression { terms })
}

fn term(text: &str, negative: bool, profile: &Profile) -> Result<Term, String> {
    let optional = text.ends_with('?');
    let text = text.trim_end_matches('?');
    let factors = text.split('*').map(|part| factor(part.trim(), profile)).collect::<Result<_, _>>()?;
    Ok(Term { negative, optional, factors })
}

fn factor(text: &str, profile: &Profile) -> Result<Factor, String> {
    let inside = |name: &str| text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')');
    let register = |name: &str| {
        let name = name.trim();
        if name.is_empty() {
            return Err(format!("a register is missing in {text:?}"));
        }
        profile.find(name).ok_or_else(|| format!("{name:?} is no register of this profile"))
    };
    if let Some(inside) = inside("sign") {
        let (name, value) = inside.split_once('=').ok_or("sign needs a register and a value: sign(direction = 0)")?;
        let value = value.trim().parse().map_err(|_| format!("{:?} is no number", value.trim()))?;
        return Ok(Factor::Sign(register(name)?, value));
    }
    if let Some(inside) = inside("abs") {
        return Ok(Factor::Abs(register(inside)?));
    }
    Ok(Factor::Value(register(text)?))
}
