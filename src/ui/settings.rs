//! What the owner of the screen may set. Plain values with defaults; the configuration fills them in.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::keymap::KeyOverride;
use super::theme::Role;
use crate::model::Units;
use crate::model::axes::MAX_AXES;
use crate::model::command::ClientId;

/// Settings of the screen and its keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Who this screen is to the hub.
    pub me: ClientId,
    /// The hub is another process, which goes on when this screen is left.
    pub attached: bool,
    /// Jog steps, feeds and directions.
    pub jog: JogSettings,
    /// The terminal is at the far end of an SSH connection: slower frames, longer wait after an Esc.
    pub ssh: bool,
    /// Something between us and the terminal answers for it (tmux, screen, zellij): its answers prove nothing.
    pub multiplexed: bool,
    /// Ask the terminal for key releases (kitty keyboard protocol). Off for terminals known to be confused by it.
    pub ask_key_releases: bool,
    /// Where keyboards are to be found that tell releases themselves (`/dev/input/by-path`, on the Linux console).
    pub keyboards: Option<PathBuf>,
    /// Lines typed before, oldest first.
    pub history: Vec<String>,
    /// In which unit lengths are shown and typed at the start.
    pub units: Units,
    /// Symbols to draw with.
    pub symbols: SymbolSet,
    /// Pictures are made of half blocks: the font of the Linux console has them, and no Braille.
    pub blocks: bool,
    /// Colours to draw with.
    pub colour: ColourMode,
    /// Colours of roles in place of those of `colour`; without colours they are left out too.
    pub paints: Vec<(Role, Paint)>,
    /// Shortest time between two frames that no key asked for. `None`: 50 ms, over SSH 100.
    pub frame: Option<Duration>,
    /// The terminal's bell rings when a rule fires, the grid goes, or a countdown to a start begins.
    pub bell: bool,
    /// A change of offsets larger than this is asked about, mm or degrees.
    pub confirm_offset_mm: f64,
    /// Keys that go before those of the action table. Those that cannot be understood leave all as it is by default.
    pub keys: Vec<KeyOverride>,
    /// Unix time of hub time 0, in ms. `None`: no time of day is shown.
    pub started_unix_ms: Option<i64>,
    /// The time zone in which dates are shown.
    pub zone: TimeZone,
    /// Something to tell at the start (no log folder, say).
    pub notice: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            me: ClientId(1),
            attached: false,
            jog: JogSettings::default(),
            ssh: false,
            multiplexed: false,
            ask_key_releases: true,
            keyboards: None,
            history: Vec::new(),
            units: Units::Mm,
            symbols: SymbolSet::Unicode,
            blocks: false,
            colour: ColourMode::Ansi16,
            paints: Vec::new(),
            frame: None,
            bell: true,
            confirm_offset_mm: 10.0,
            keys: Vec::new(),
            started_unix_ms: None,
            zone: TimeZone::UTC,
            notice: None,
        }
    }
}

impl Settings {
    /// How long a lone ESC byte is held back before it counts as the Esc key.
    pub const fn escape_wait(&self) -> Duration {
        Duration::from_millis(if self.ssh { 100 } else { 25 })
    }

    /// Shortest time between two frames that no key asked for.
    pub fn frame_interval(&self) -> Duration {
        self.frame.unwrap_or(Duration::from_millis(if self.ssh { 100 } else { 50 }))
    }
}

/// Symbols to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolSet {
    /// Lines and marks that every UTF-8 font has.
    Unicode,
    /// ASCII only (Linux console, `LANG=C`).
    Ascii,
}

/// Colours to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourMode {
    /// The 16 named colours of the terminal's own palette.
    Ansi16,
    /// Colours of the 256 that read well on a light ground.
    Light,
    /// Colours of the 256 that read well on a dark ground.
    Dark,
    /// Nothing faint; what matters is bold, underlined or reversed.
    HighContrast,
    /// None (`NO_COLOR`): bold, underline and reverse stay.
    None,
}

/// A colour that the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// The terminal's own.
    Default,
    /// One of the 256.
    Index(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// Jog steps, feeds and directions.
#[derive(Clone, Debug, PartialEq)]
pub struct JogSettings {
    /// Step presets of the digit keys, mm.
    pub steps_mm: Vec<f64>,
    /// Preset in force at the start.
    pub step_index: usize,
    /// Step presets of rotary axes, degrees, by the same digit keys.
    pub rotary_steps_deg: Vec<f64>,
    /// Feeds of `,` and `.`, mm/min.
    pub feeds_mm_min: Vec<f64>,
    /// Feed in force at the start.
    pub feed_index: usize,
    /// Feed of rotary axes as a multiple of the linear one: deg/min for each mm/min.
    pub rotary_feed_factor: f64,
    /// Feed of moves that are only Z, as a part of the feed in force.
    pub z_feed_factor: f64,
    /// How far a latched jog goes at most, mm or degrees.
    pub latch_mm: f64,
    /// Axes whose keys are swapped, by place (X first): for beds that move instead of the tool.
    pub invert: [bool; MAX_AXES],
    /// Jog mode leaves itself after this long without a key.
    pub idle_timeout: Duration,
}

impl Default for JogSettings {
    fn default() -> Self {
        Self {
            steps_mm: vec![0.01, 0.1, 1.0, 10.0],
            step_index: 2,
            rotary_steps_deg: vec![0.01, 0.1, 1.0, 10.0],
            feeds_mm_min: vec![100.0, 300.0, 600.0, 1000.0, 2000.0, 3000.0, 5000.0],
            feed_index: 3,
            rotary_feed_factor: 1.0,
            z_feed_factor: 0.8,
            latch_mm: 50.0,
            invert: [false; MAX_AXES],
            idle_timeout: Duration::from_secs(60),
        }
    }
}
