//! Settings of an inverter as a page shows them, changes as a person is asked about them, and what became of them.

use serde::{Deserialize, Serialize};

use super::reading::Quality;
use super::register::Danger;
use crate::model::Time;

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingRow {
    /// Its id.
    pub id: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// Addresses of its words.
    pub addresses: Vec<u16>,
    /// Its name for people, made of the id, without an abbreviation of ours.
    pub title: String,
    /// What it says, in words with unit. `None`: not known.
    pub value: Option<String>,
    /// How far that can be believed.
    pub quality: Quality,
    /// When it was read.
    pub at: Option<Time>,
    /// What may be typed.
    pub takes: Takes,
    /// Unit of numbers; empty: none.
    pub unit: String,
    /// What a wrong value can do.
    pub danger: Danger,
    /// What a person should know.
    pub note: String,
    /// It belongs to a time window: (set such as `tou`, number from 1, field such as `start`).
    pub window: Option<(String, u8, String)>,
    /// What a person saved last, and who and when.
    pub saved: Option<Saved>,
    /// Writes in the last 24 hours.
    pub writes_today: u32,
}

/// What may be typed for a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// A number in the row's unit.
    Number {
        /// Lowest. `None`: not known at present (another register's value).
        min: Option<f64>,
        /// Highest.
        max: Option<f64>,
        /// Multiples of it.
        step: Option<f64>,
        /// Words that may be typed instead of a number.
        words: Vec<String>,
    },
    /// One of these words.
    OneOf(Vec<String>),
    /// Any of these words, with commas between; or `none`.
    AnyOf(Vec<String>),
    /// A time of day, `HH:MM`.
    TimeOfDay,
    /// Date and time, `2026-03-01 09:30:00`.
    DateTime,
    /// Nothing: it can only be read. Why, in words.
    Nothing(String),
}

/// A value that a person set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The setting's id.
    pub id: String,
    /// The value as it would be typed.
    pub text: String,
    /// Who set it.
    pub who: String,
    /// When, in ms of Unix time.
    pub at_ms: i64,
}

/// A value that somebody wants to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The setting, by its id or one of its other names.
    pub id: String,
    /// As typed.
    pub text: String,
    /// What it said when the person was asked, in words; nothing is written where it says something else by then.
    /// `None`: whatever it says now.
    pub shown: Option<String>,
}

/// A change as a person is asked about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// The setting.
    pub id: String,
    /// What it says, in words with unit.
    pub before: String,
    /// What it shall say.
    pub after: String,
    /// It says that already: nothing will be written.
    pub unchanged: bool,
    /// What a wrong value can do.
    pub danger: Danger,
    /// What a person should know: many writes today, a note of the profile.
    pub warnings: Vec<String>,
}

/// What became of a set of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteReport {
    /// Who asked.
    pub who: String,
    /// When it ended.
    pub at: Time,
    /// Each of them, in the order of writing.
    pub rows: Vec<WriteRow>,
}

impl WriteReport {
    /// Every register says what was asked for.
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(|row| row.good)
    }
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteRow {
    /// The setting.
    pub id: String,
    /// What the device said before, in words. `None`: it was not read.
    pub before: Option<String>,
    /// What was asked for.
    pub after: String,
    /// The register says what was asked for.
    pub good: bool,
    /// Something was sent, or may have been.
    pub sent: bool,
    /// How it ended, in words.
    pub words: String,
}
