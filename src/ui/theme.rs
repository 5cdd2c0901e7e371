//! Colours and symbols by role. Every role also differs by weight, reverse or a word: colour is never alone.

use ratatui::style::{Color, Modifier, Style};

use super::console::Tone;
use super::settings::{ColourMode, Settings, SymbolSet};

/// What a piece of the screen is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Labels, units, borders.
    Quiet,
    /// Titles of panels.
    Title,
    /// Numbers that are read from afar.
    Value,
    /// A key to press.
    Key,
    /// What is active now; the one accent.
    Accent,
    /// It went well.
    Good,
    /// Look here.
    Warning,
    /// Something is wrong.
    Bad,
    /// Something is wrong, as a block.
    Alarm,
    /// The simulated machine's label.
    Sim,
    /// The selected choice.
    Selected,
}

/// The theme.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: ColourMode,
    /// The symbols.
    pub symbols: &'static Symbols,
}

/// Symbols to draw with.
#[derive(Debug)]
pub struct Symbols {
    /// Horizontal line.
    pub line: &'static str,
    /// Vertical line.
    pub bar: &'static str,
    /// Vertical line hanging from a horizontal one.
    pub tee: &'static str,
    /// Between two facts.
    pub dot: &'static str,
    /// Upper corners of a frame.
    pub top: [&'static str; 2],
    /// Lower corners of a frame.
    pub bottom: [&'static str; 2],
    /// The arrow keys: left, right, up, down.
    pub arrows: [&'static str; 4],
    /// Times ten, divided by ten.
    pub times: [&'static str; 2],
    /// What is cut off.
    pub more: &'static str,
    /// Points at the selected choice.
    pub pointer: &'static str,
}

const UNICODE: Symbols = Symbols {
    line: "─",
    bar: "│",
    tee: "┬",
    dot: "·",
    top: ["┌", "┐"],
    bottom: ["└", "┘"],
    arrows: ["←", "→", "↑", "↓"],
    times: ["×", "÷"],
    more: "…",
    pointer: "▸",
};

const ASCII: Symbols = Symbols {
    line: "-",
    bar: "|",
    tee: "+",
    dot: "-",
    top: ["+", "+"],
    bottom: ["+", "+"],
    arrows: ["Left", "Right", "Up", "Down"],
    times: ["x", "/"],
    more: "~",
    pointer: ">",
};

impl Theme {
    /// As the settings say.
    pub const fn new(settings: &Settings) -> Self {
        let symbols = match settings.symbols {
            SymbolSet::Unicode => &UNICODE,
            SymbolSet::Ascii => &ASCII,
        };
        Self { colour: settings.colour, symbols }
    }

    /// Style of a role. Without colour only `Reset` is used, since crossterm writes a colour change under
    /// `NO_COLOR` as a full reset, which takes bold and reverse away.
    pub fn style(&self, role: Role) -> Style {
        let (colour, modifier) = match role {
            Role::Text => (Color::Reset, Modifier::empty()),
            Role::Quiet => (Color::DarkGray, Modifier::empty()),
            Role::Title | Role::Value => (Color::Reset, Modifier::BOLD),
            Role::Key => (Color::Cyan, Modifier::BOLD),
            Role::Accent => (Color::Cyan, Modifier::BOLD | Modifier::REVERSED),
            Role::Good => (Color::Green, Modifier::empty()),
            Role::Warning => (Color::Yellow, Modifier::BOLD),
            Role::Bad => (Color::Red, Modifier::BOLD),
            Role::Alarm => (Color::Red, Modifier::BOLD | Modifier::REVERSED),
            Role::Sim => (Color::Magenta, Modifier::BOLD | Modifier::REVERSED),
            Role::Selected => (Color::Reset, Modifier::BOLD | Modifier::REVERSED),
        };
        let colour = match self.colour {
            ColourMode::Ansi16 => colour,
            ColourMode::None => Color::Reset,
        };
        Style::new().fg(colour).bg(Color::Reset).add_modifier(modifier)
    }

    /// Style of a console line.
    pub fn tone(&self, tone: Tone) -> Style {
        self.style(match tone {
            Tone::Plain => Role::Text,
            Tone::Quiet => Role::Quiet,
            Tone::Good => Role::Good,
            Tone::Warning => Role::Warning,
            Tone::Bad => Role::Bad,
        })
    }
}
