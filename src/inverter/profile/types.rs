//! A profile that was read and found in order.

use std::time::Duration;

use serde::Deserialize;

use super::derived::Expression;
use crate::model::power::{Access, Danger, PollClass, Role, Table};

/// Position of a register in [`Profile::registers`].
pub type RegisterId = usize;

/// What a family of inverters is.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// How configuration and commands call it.
    pub name: String,
    /// Brand, for people.
    pub brand: String,
    /// Which devices it fits.
    pub models: String,
    /// Where the facts are from.
    pub sources: Vec<String>,
    /// How it is reached unless configured otherwise.
    pub link: Link,
    /// Order of the words of long values.
    pub word_order: WordOrder,
    /// What one read may ask.
    pub read: Limits,
    /// How it is written.
    pub write: WriteRules,
    /// Its registers.
    pub registers: Vec<Register>,
    /// Values that no register holds.
    pub derived: Vec<Derived>,
}

impl Profile {
    /// A register by its id or one of its aliases.
    pub fn find(&self, name: &str) -> Option<RegisterId> {
        let by_id = self.registers.iter().position(|register| register.id == name);
        by_id.or_else(|| self.registers.iter().position(|register| register.aliases.iter().any(|alias| alias == name)))
    }

    /// The register of a role.
    pub fn role(&self, role: Role) -> Option<RegisterId> {
        self.registers.iter().position(|register| register.role == Some(role))
    }

    /// The register that says who it is.
    pub fn serial(&self) -> Option<RegisterId> {
        self.role(Role::Serial)
    }
}

/// How a device is reached unless configured otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Baud rate to try first.
    pub baud: u32,
    /// Baud rates that some devices have.
    pub other_bauds: Vec<u32>,
    /// Parity; data bits are 8, stop bits 1.
    pub parity: Parity,
    /// TCP port.
    pub tcp_port: u16,
    /// Unit address.
    pub unit: u8,
    /// More units behind the same link; [`Register::service`] counts them from 1.
    pub services: Vec<Service>,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Silence between an answer and the next question.
    pub spacing: Duration,
}

/// A unit beside the main one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the profile.
    pub name: String,
    /// Its usual unit address. `None`: differs from site to site.
    pub unit: Option<u8>,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// Order of the words of values that take several registers. Bytes of a word are big-endian everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// The most significant word has the lowest address.
    HighFirst,
    /// The least significant word has the lowest address.
    LowFirst,
}

/// What one read may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most registers, 1 to 125.
    pub max: u16,
    /// How many registers without a use may be read along to save a frame.
    pub gap: u16,
}

/// How a device is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRules {
    /// The function for one register.
    pub function: WriteFunction,
    /// Most registers in one write.
    pub max: u16,
    /// Between a write and reading it back.
    pub settle: Duration,
}

/// Function of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteFunction {
    /// Function 6 for one register, 16 for several.
    #[default]
    Single,
    /// Function 16 always.
    Multiple,
}

/// One value of the device.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// Its name.
    pub id: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// Line of the profile that declares it.
    pub line: usize,
    /// 0: the main unit; n: the nth of [`Link::services`].
    pub service: usize,
    /// Its table.
    pub table: Table,
    /// Address of each word, in the order of [`Profile::word_order`].
    pub addresses: Vec<u16>,
    /// What the words hold.
    pub kind: RegisterType,
    /// value = raw × scale + offset.
    pub scale: f64,
    /// See [`Register::scale`].
    pub offset: f64,
    /// The register that holds the exponent of 10 to scale with (SunSpec `sunssf`).
    pub scale_by: Option<RegisterId>,
    /// Unit of the value; empty: none.
    pub unit: String,
    /// Only these bits, moved down to bit 0.
    pub mask: Option<u64>,
    /// How the number is to be read.
    pub form: Form,
    /// Words for values.
    pub labels: Labels,
    /// Words for bits.
    pub bits: Labels,
    /// Raw values (before the mask) that say "there is none".
    pub absent: Vec<u64>,
    /// Values outside are not believed.
    pub valid: Option<(f64, f64)>,
    /// Values that are believed only when read three times in a row.
    pub doubt: Vec<f64>,
    /// Negate to reach the convention of signs.
    pub invert: bool,
    /// How often it is read.
    pub poll: PollClass,
    /// What it means.
    pub role: Option<Role>,
    /// Who may change it.
    pub access: Access,
    /// Lowest value that may be written.
    pub min: Option<Bound>,
    /// Highest value that may be written.
    pub max: Option<Bound>,
    /// Values that may be written are multiples of it, and the bounds themselves.
    pub step: Option<f64>,
    /// Values outside the range that mean something.
    pub special: Labels,
    /// What a wrong value can do.
    pub danger: Danger,
    /// Function to write it, if not the profile's.
    pub function: Option<WriteFunction>,
    /// Registers that are written in the same frame.
    pub write_with: Vec<RegisterId>,
    /// Written before the others of a change.
    pub write_first: bool,
    /// Values and bits that prove something.
    pub evidence: Evidence,
    /// What a person should know.
    pub note: String,
}

impl Register {
    /// Lowest and highest address.
    pub fn span(&self) -> (u16, u16) {
        let low = self.addresses.iter().copied().min().unwrap_or(0);
        let high = self.addresses.iter().copied().max().unwrap_or(0);
        (low, high)
    }

    /// Its words lie side by side.
    pub fn is_contiguous(&self) -> bool {
        let (low, high) = self.span();
        usize::from(high - low) + 1 == self.addresses.len()
    }

    /// Decimals that the scale leaves.
    pub fn decimals(&self) -> u8 {
        (0..=6)
            .find(|digits| {
                let shifted = self.scale * 10f64.powi(i32::from(*digits));
                (shifted - shifted.round()).abs() < 1e-9
            })
            .unwrap_or(6)
    }

    /// Bits of the mask, or of the type.
    pub fn mask_bits(&self) -> u64 {
        self.mask.unwrap_or(match self.kind.words() {
            0 | 4.. => u64::MAX,
            words => (1 << (16 * words)) - 1,
        })
    }
}

/// What the words of a register hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterType {
    /// Unsigned, of so many words (1, 2 or 4).
    Unsigned(u8),
    /// Two's complement, of so many words (1, 2 or 4).
    Signed(u8),
    /// IEEE 754, single precision.
    F32,
    /// Bits, of so many words (1, 2, 4 or 8).
    Bits(u8),
    /// ASCII, two characters a word, of so many words.
    Text(u8),
    /// So many values of a word each; 0 = none.
    Codes(u8),
    /// Year − 2000 and month, day and hour, minute and second.
    Clock,
    /// Exponent of 10 (SunSpec).
    ScaleFactor,
}

impl RegisterType {
    /// How many registers it takes.
    pub const fn words(self) -> usize {
        match self {
            Self::Unsigned(words)
            | Self::Signed(words)
            | Self::Bits(words)
            | Self::Text(words)
            | Self::Codes(words) => words as usize,
            Self::F32 => 2,
            Self::Clock => 3,
            Self::ScaleFactor => 1,
        }
    }

    /// It holds a number that can be scaled.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::Signed(_) | Self::F32)
    }
}

/// How the number of a register is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    #[default]
    Plain,
    /// 830 = 08:30.
    #[serde(rename = "hhmm")]
    HourMinuteDecimal,
    /// High byte hour, low byte minute.
    HourMinute,
    /// High byte . low byte.
    Version,
}

/// Words for numbers, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(pub Vec<(u64, String)>);

impl Labels {
    /// The word for a number.
    pub fn word(&self, number: u64) -> Option<&str> {
        let at = self.0.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(&self.0[at].1)
    }

    /// The number of a word, however it is capitalised.
    pub fn number(&self, word: &str) -> Option<u64> {
        self.0.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(number, _)| *number)
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A limit of what may be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A number, in the register's unit; minutes since midnight for times of day.
    Number(f64),
    /// What another register holds.
    Register(RegisterId),
}

/// Values (of an enum) or bits that prove something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The grid is gone.
    pub grid_lost: Vec<u64>,
    /// The grid is there.
    pub grid_present: Vec<u64>,
    /// The grid is not as it should be, which is no fault of the inverter: it proves nothing of whether it is there.
    pub grid_trouble: Vec<u64>,
    /// Too much load.
    pub overload: Vec<u64>,
    /// The battery is nearly empty.
    pub battery_low: Vec<u64>,
}

/// A value that no register holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// What it means.
    pub role: Role,
    /// How it is made.
    pub expression: Expression,
}
