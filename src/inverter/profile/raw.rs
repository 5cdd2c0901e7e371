//! The file as it is written: shapes only, nothing judged yet.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::types::{Form, Parity, WordOrder};
use crate::model::power::{Access, Danger, PollClass, Table};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) profile: u32,
    pub(super) name: Spanned<String>,
    pub(super) brand: String,
    pub(super) models: String,
    #[serde(default)]
    pub(super) sources: Vec<String>,
    pub(super) word_order: WordOrder,
    #[serde(default)]
    pub(super) table: Table,
    pub(super) link: Spanned<RawLink>,
    pub(super) read: Spanned<RawRead>,
    pub(super) write: Spanned<RawWrite>,
    #[serde(default, rename = "enum")]
    pub(super) enums: BTreeMap<String, Spanned<BTreeMap<String, String>>>,
    #[serde(default)]
    pub(super) bits: BTreeMap<String, Spanned<BTreeMap<String, String>>>,
    #[serde(default)]
    pub(super) derived: BTreeMap<String, Spanned<String>>,
    pub(super) registers: Vec<Spanned<RawRegister>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLink {
    #[serde(default = "baud")]
    pub(super) baud: u32,
    #[serde(default)]
    pub(super) other_bauds: Vec<u32>,
    #[serde(default)]
    pub(super) parity: Parity,
    #[serde(default = "tcp_port")]
    pub(super) tcp_port: u16,
    #[serde(default = "unit")]
    pub(super) unit: u8,
    #[serde(default)]
    pub(super) services: BTreeMap<String, u8>,
    pub(super) timeout_ms: u32,
    pub(super) spacing_ms: u32,
}

/// All families but one speak 9600 8N1 when new.
const fn baud() -> u32 {
    9600
}

const fn tcp_port() -> u16 {
    502
}

const fn unit() -> u8 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRead {
    pub(super) max: u16,
    pub(super) gap: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWrite {
    pub(super) function: u8,
    #[serde(default = "most")]
    pub(super) max: u16,
    #[serde(default = "settle")]
    pub(super) settle_ms: u32,
}

const fn most() -> u16 {
    crate::inverter::request::MAX_WRITE
}

/// The shortest wait after which the devices in the field were seen to tell the new value.
const fn settle() -> u32 {
    100
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Addresses {
    First(u16),
    Each(Vec<u16>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    Named(String),
    Here(BTreeMap<String, String>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawBound {
    Number(f64),
    Name(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(super) fn list(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRegister {
    pub(super) id: String,
    #[serde(default)]
    pub(super) alias: Names,
    pub(super) addr: Addresses,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) words: Option<u8>,
    pub(super) table: Option<Table>,
    pub(super) service: Option<String>,
    pub(super) scale: Option<f64>,
    pub(super) offset: Option<f64>,
    pub(super) scale_by: Option<String>,
    #[serde(default)]
    pub(super) unit: String,
    pub(super) mask: Option<u64>,
    #[serde(default)]
    pub(super) form: Form,
    #[serde(rename = "enum")]
    pub(super) labels: Option<Words>,
    pub(super) bits: Option<Words>,
    #[serde(default)]
    pub(super) special: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) absent: Vec<u64>,
    pub(super) valid: Option<(f64, f64)>,
    #[serde(default)]
    pub(super) doubt: Vec<f64>,
    #[serde(default)]
    pub(super) invert: bool,
    pub(super) poll: PollClass,
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) access: Access,
    pub(super) min: Option<RawBound>,
    pub(super) max: Option<RawBound>,
    pub(super) step: Option<f64>,
    pub(super) danger: Option<Danger>,
    pub(super) function: Option<u8>,
    #[serde(default)]
    pub(super) write_with: Vec<String>,
    #[serde(default)]
    pub(super) write_first: bool,
    #[serde(default)]
    pub(super) grid_lost: Vec<u64>,
    #[serde(default)]
    pub(super) grid_present: Vec<u64>,
    #[serde(default)]
    pub(super) grid_trouble: Vec<u64>,
    #[serde(default)]
    pub(super) overload: Vec<u64>,
    #[serde(default)]
    pub(super) battery_low: Vec<u64>,
    #[serde(default)]
    pub(super) note: String,
}
