//! The sections of `config.toml` and their defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::attach::Attach;
use super::colours::Colours;
use super::daemon::Daemon;
use super::inverters::{Bus, Inverter, Inverters};
use super::outputs::Output;
use super::range;
use super::rules::{Park, Rule};
use super::sun::{Spindle, SunConfig, Tariff};
use crate::model::axes::MAX_AXES;
use crate::model::program::OnLinkLoss;
use crate::model::{Axis, Endpoint, Units};

/// The annotated sample, which is also the default.
pub const SAMPLE: &str = include_str!("../../config.toml");

/// The format that this sunmill writes and reads; older ones are migrated while reading.
pub const VERSION: u32 = 1;

/// Slowest baud rate taken.
pub const MIN_BAUD: u64 = 1200;
/// Fastest baud rate taken.
pub const MAX_BAUD: u64 = 4_000_000;

/// All of `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Config {
    /// Format version. Missing means 1.
    pub version: u32,
    /// Where the machine is and how it is talked to.
    pub machine: Machine,
    /// Presets of the jog keys.
    pub jog: Jog,
    /// Names and caps of the controller's outputs.
    pub outputs: Vec<Output>,
    /// The look of the screen.
    pub ui: Ui,
    /// The log files.
    pub log: Log,
    /// Keys of actions, by the actions' ids. Whether there are such actions and keys is for the screen to say.
    pub keys: BTreeMap<String, KeyList>,
    /// The log of all bytes on the wire.
    pub wire_log: WireLog,
    /// Where programs lie.
    pub programs: Programs,
    /// How programs are checked.
    pub analysis: Analysis,
    /// History, journal and audit.
    pub store: Store,
    /// Who may do what through the socket.
    pub attach: Attach,
    /// The hub without a screen.
    pub daemon: Daemon,
    /// What all inverters share.
    pub inverters: Inverters,
    /// Serial lines and sockets with inverters on them.
    pub bus: Vec<Bus>,
    /// The inverters.
    pub inverter: Vec<Inverter>,
    /// What is done when power runs short.
    pub rule: Vec<Rule>,
    /// Where the machine is parked.
    pub park: Park,
    /// What a spindle start waits for.
    pub spindle: Spindle,
    /// When the sun may start a program, and where the panels are.
    pub sun: SunConfig,
    /// What a kWh from the grid costs, by the time of day.
    pub tariff: Vec<Tariff>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            machine: Machine::default(),
            jog: Jog::default(),
            outputs: Vec::new(),
            ui: Ui::default(),
            log: Log::default(),
            keys: BTreeMap::new(),
            wire_log: WireLog::default(),
            store: Store::default(),
            programs: Programs::default(),
            analysis: Analysis::default(),
            attach: Attach::default(),
            daemon: Daemon::default(),
            inverters: Inverters::default(),
            bus: Vec::new(),
            inverter: Vec::new(),
            rule: Vec::new(),
            park: Park::default(),
            spindle: Spindle::default(),
            sun: SunConfig::default(),
            tariff: Vec::new(),
        }
    }
}

/// `[machine]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [machine]")]
pub struct Machine {
    /// Where it is. `None`: the simulated machine.
    pub port: Option<Endpoint>,
    /// Baud rate of a serial device.
    #[serde(deserialize_with = "range::whole::<_, _, MIN_BAUD, MAX_BAUD>")]
    pub baud: u32,
    /// Pacing of what is sent.
    pub pace: Pace,
    /// Receive buffer of the controller in bytes, where it should not be found out.
    #[serde(deserialize_with = "range::whole_option::<_, _, 32, 65_535>")]
    pub rx_buffer: Option<u16>,
    /// Status interval in ms while it stands.
    #[serde(deserialize_with = "range::whole::<_, _, 50, 2000>")]
    pub poll_idle_ms: u32,
    /// Status interval in ms while it moves.
    #[serde(deserialize_with = "range::whole::<_, _, 50, 1000>")]
    pub poll_moving_ms: u32,
    /// Watts of spindle and machine at work, for forecasts until runs were measured.
    #[serde(deserialize_with = "range::rated_w")]
    pub rated_w: Option<f64>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            port: None,
            baud: 115_200,
            pace: Pace::Auto,
            rx_buffer: None,
            poll_idle_ms: 200,
            poll_moving_ms: 100,
            rated_w: None,
        }
    }
}

/// How fast bytes are handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At the baud rate on a UART, unpaced on the network.
    Auto,
    /// Unpaced.
    Off,
    /// At this many baud, whatever the link is.
    Baud(u32),
}

impl Serialize for Pace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Off => serializer.serialize_str("off"),
            Self::Baud(baud) => serializer.serialize_u32(*baud),
        }
    }
}

impl<'de> Deserialize<'de> for Pace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PaceVisitor)
    }
}

struct PaceVisitor;

impl Visitor<'_> for PaceVisitor {
    type Value = Pace;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"auto\", \"off\" or a baud rate from {MIN_BAUD} to {MAX_BAUD}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Pace, E> {
        match text {
            "auto" => Ok(Pace::Auto),
            "off" => Ok(Pace::Off),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, baud: i64) -> Result<Pace, E> {
        u32::try_from(baud)
            .ok()
            .filter(|baud| (MIN_BAUD..=MAX_BAUD).contains(&u64::from(*baud)))
            .map(Pace::Baud)
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(baud), &self))
    }
}

/// `[jog]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [jog]")]
pub struct Jog {
    /// Steps of the digit keys in mm, rising, one to nine of them.
    #[serde(deserialize_with = "range::steps_mm")]
    pub steps_mm: Vec<f64>,
    /// The step chosen at the start, one of `steps_mm`.
    #[serde(deserialize_with = "range::step_mm")]
    pub step: f64,
    /// Steps of the digit keys in degrees for rotary axes, as many as `steps_mm`.
    #[serde(deserialize_with = "range::steps_deg")]
    pub rotary_steps_deg: Vec<f64>,
    /// Feeds to choose from in mm/min, rising, one to nine of them.
    #[serde(deserialize_with = "range::feeds_mm_min")]
    pub feeds_mm_min: Vec<f64>,
    /// The feed chosen at the start, one of `feeds_mm_min`.
    #[serde(deserialize_with = "range::feed_mm_min")]
    pub feed: f64,
    /// Part of the feed at which Z jogs.
    #[serde(deserialize_with = "range::part")]
    pub z_feed_factor: f64,
    /// Degrees/min at which rotary axes jog, for each mm/min of the feed.
    #[serde(deserialize_with = "range::factor")]
    pub rotary_feed_factor: f64,
    /// How far a latched jog goes at most, mm or degrees.
    #[serde(deserialize_with = "range::step_mm")]
    pub latch_mm: f64,
    /// Seconds without a key after which jog mode ends.
    #[serde(deserialize_with = "range::whole::<_, _, 5, 3600>")]
    pub idle_timeout_s: u32,
    /// Axes whose keys work the other way round.
    pub invert: Invert,
}

impl Default for Jog {
    fn default() -> Self {
        Self {
            steps_mm: vec![0.01, 0.1, 1.0, 10.0],
            step: 1.0,
            rotary_steps_deg: vec![0.01, 0.1, 1.0, 10.0],
            feeds_mm_min: vec![100.0, 300.0, 600.0, 1000.0, 2000.0, 3000.0, 5000.0],
            feed: 1000.0,
            z_feed_factor: 0.8,
            rotary_feed_factor: 1.0,
            latch_mm: 50.0,
            idle_timeout_s: 60,
            invert: Invert::default(),
        }
    }
}

impl Jog {
    /// Place of `step` in `steps_mm`, from 0.
    pub fn step_index(&self) -> usize {
        self.steps_mm.iter().position(|step| *step == self.step).unwrap_or(0)
    }

    /// Place of `feed` in `feeds_mm_min`, from 0.
    pub fn feed_index(&self) -> usize {
        self.feeds_mm_min.iter().position(|feed| *feed == self.feed).unwrap_or(0)
    }
}

/// `[jog.invert]`: one switch per axis letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [jog.invert]")]
pub struct Invert {
    /// X.
    pub x: bool,
    /// Y.
    pub y: bool,
    /// Z.
    pub z: bool,
    /// A.
    pub a: bool,
    /// B.
    pub b: bool,
    /// C.
    pub c: bool,
    /// U.
    pub u: bool,
    /// V.
    pub v: bool,
    /// W.
    pub w: bool,
}

impl Invert {
    /// Whether the keys of `axis` work the other way round.
    pub fn get(&self, axis: Axis) -> bool {
        self.by_index()[axis.index()]
    }

    /// All of them, in report order.
    pub const fn by_index(&self) -> [bool; MAX_AXES] {
        [self.x, self.y, self.z, self.a, self.b, self.c, self.u, self.v, self.w]
    }
}

/// `[ui]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [ui]")]
pub struct Ui {
    /// Whether to use colours.
    pub colour: Colour,
    /// Which colours, where there are any.
    pub theme: Theme,
    /// Which symbols to draw with.
    pub symbols: Symbols,
    /// In which unit lengths and feeds are shown and typed at the start.
    pub units: Units,
    /// Shortest time between two frames in ms. `None`: 50, over SSH 100.
    #[serde(deserialize_with = "range::whole_option::<_, _, 10, 1000>")]
    pub frame_ms: Option<u32>,
    /// Colours of the roles, on top of the theme's.
    pub colours: Colours,
    /// The terminal's bell rings when a rule fires, the grid goes, or a countdown to a start by the sun begins.
    pub bell: bool,
    /// A change of offsets larger than this, mm or degrees, is asked about.
    #[serde(deserialize_with = "range::step_mm")]
    pub confirm_offset_mm: f64,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            colour: Colour::default(),
            theme: Theme::default(),
            symbols: Symbols::default(),
            units: Units::default(),
            frame_ms: None,
            colours: Colours::default(),
            bell: true,
            confirm_offset_mm: 10.0,
        }
    }
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Unless `$NO_COLOR` or the terminal says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// The 16 named colours, as the terminal is set up.
    #[default]
    Ansi,
    /// For a light ground.
    Light,
    /// For a dark ground.
    Dark,
    /// Nothing faint.
    HighContrast,
    /// Bold and reverse only.
    None,
}

/// Which symbols to draw with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbols {
    /// By locale and terminal.
    #[default]
    Auto,
    /// Box drawing and arrows.
    Unicode,
    /// Plain ASCII.
    Ascii,
}

/// The keys of one action: one key, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyList {
    /// As written.
    pub keys: Vec<String>,
    /// Line in the file, from 1; 0 where it was not read from one.
    pub line: usize,
}

impl Serialize for KeyList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.keys.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyListVisitor)
    }
}

struct KeyListVisitor;

impl<'de> Visitor<'de> for KeyListVisitor {
    type Value = KeyList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key in quotes such as \"Ctrl+K\", or a list of keys")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<KeyList, E> {
        Ok(KeyList { keys: vec![text.to_owned()], line: 0 })
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<KeyList, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = list.next_element::<String>()? {
            keys.push(key);
        }
        Ok(KeyList { keys, line: 0 })
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [log]")]
pub struct Log {
    /// What is recorded.
    pub level: LogLevel,
    /// Where. `None`: the state folder of the user.
    pub folder: Option<PathBuf>,
    /// How many daily files are kept.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 365>")]
    pub max_files: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: LogLevel::Info, folder: None, max_files: 7 }
    }
}

/// `[wire_log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [wire_log]")]
pub struct WireLog {
    /// Whether it is written.
    pub enabled: bool,
    /// How many files are kept.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 100>")]
    pub files: u32,
    /// Size in MiB at which a file is followed by the next.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 1024>")]
    pub file_mib: u32,
}

impl Default for WireLog {
    fn default() -> Self {
        Self { enabled: true, files: 8, file_mib: 4 }
    }
}

/// `[programs]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [programs]")]
pub struct Programs {
    /// Folders whose programs can be listed and run. What lies outside of them is refused.
    pub folders: Vec<PathBuf>,
    /// Lines go out as short as they can be said.
    pub compact: bool,
    /// Who changes tools at M6.
    pub tool_change: ToolChange,
    /// What follows a link that was lost in a program.
    pub on_link_loss: OnLinkLoss,
    /// Seconds that a spindle is given to come to speed.
    #[serde(deserialize_with = "range::whole::<_, _, 0, 120>")]
    pub warm_up_s: u32,
}

/// Who changes tools at M6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolChange {
    /// A person, asked by sunmill.
    #[default]
    Ask,
    /// The controller.
    Controller,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            folders: ["assets/programs", "~/gcode", "."].map(PathBuf::from).to_vec(),
            compact: true,
            tool_change: ToolChange::default(),
            on_link_loss: OnLinkLoss::default(),
            warm_up_s: 4,
        }
    }
}

/// `[analysis]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [analysis]")]
pub struct Analysis {
    /// How many files are checked at the same time.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 16>")]
    pub concurrent: u32,
}

impl Default for Analysis {
    fn default() -> Self {
        Self { concurrent: 2 }
    }
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [store]")]
pub struct Store {
    /// The file. `None`: in the state folder of the user.
    pub path: Option<PathBuf>,
    /// Hours after which the report of a check that was not used is thrown away.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 8760>")]
    pub analyses_hours: u32,
    /// How many reports are kept.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 10_000>")]
    pub analyses: u32,
    /// Days after which only the sums of a run are kept; 0: never.
    #[serde(deserialize_with = "range::whole::<_, _, 0, 36_500>")]
    pub history_days: u32,
    /// Days after which a row of the audit is thrown away; 0: never.
    #[serde(deserialize_with = "range::whole::<_, _, 0, 36_500>")]
    pub audit_days: u32,
    /// Hours for which the power of inverters is kept every few seconds.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 8760>")]
    pub power_raw_hours: u32,
    /// Days for which it is kept by the minute.
    #[serde(deserialize_with = "range::whole::<_, _, 1, 3650>")]
    pub power_minute_days: u32,
    /// Days for which it is kept by the quarter of an hour.
    #[serde(deserialize_with = "range::whole::<_, _, 7, 36_500>")]
    pub power_quarter_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: None,
            analyses_hours: 24,
            analyses: 100,
            history_days: 0,
            audit_days: 365,
            power_raw_hours: 48,
            power_minute_days: 31,
            power_quarter_days: 730,
        }
    }
}

/// What is recorded: each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What is suspicious.
    Warn,
    /// What happened.
    Info,
    /// How it came about.
    Debug,
    /// Every line on the wire.
    Trace,
}

#[cfg(test)]
mod tests;
