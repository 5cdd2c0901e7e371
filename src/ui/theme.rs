//! Colours and symbols by role. Every role also differs by weight, reverse or a word: colour is never alone.

use ratatui::style::{Color, Modifier, Style};

use super::console::Tone;
use super::settings::{ColourMode, Paint, Settings, SymbolSet};

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

impl Role {
    /// How many there are; [`Role::Selected`] is the last.
    const COUNT: usize = Self::Selected as usize + 1;
}

/// The theme.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: ColourMode,
    /// The user's own colours, by [`Role`].
    own: [Option<Color>; Role::COUNT],
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
    pub fn new(settings: &Settings) -> Self {
        let symbols = match settings.symbols {
            SymbolSet::Unicode => &UNICODE,
            SymbolSet::Ascii => &ASCII,
        };
        let mut own = [None; Role::COUNT];
        for (role, paint) in &settings.paints {
            own[*role as usize] = Some(match *paint {
                Paint::Default => Color::Reset,
                Paint::Index(index) => Color::Indexed(index),
                Paint::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
            });
        }
        Self { colour: settings.colour, own, symbols }
    }

    /// Style of a role. Without colour only `Reset` is used, since crossterm writes a colour change under
    /// `NO_COLOR` as a full reset, which takes bold and reverse away.
    pub fn style(&self, role: Role) -> Style {
        let mut modifier = match role {
            Role::Text | Role::Quiet | Role::Good => Modifier::empty(),
            Role::Title | Role::Value | Role::Key | Role::Warning | Role::Bad => Modifier::BOLD,
            Role::Accent | Role::Alarm | Role::Sim | Role::Selected => Modifier::BOLD | Modifier::REVERSED,
        };
        if self.colour == ColourMode::HighContrast && matches!(role, Role::Key | Role::Warning | Role::Bad) {
            modifier |= Modifier::UNDERLINED;
        }
        let own = self.own[role as usize].filter(|_| self.colour != ColourMode::None);
        let colour = own.unwrap_or_else(|| match self.colour {
            ColourMode::Ansi16 => ansi16(role),
            ColourMode::Light => light(role),
            ColourMode::Dark => dark(role),
            ColourMode::HighContrast => high_contrast(role),
            ColourMode::None => Color::Reset,
        });
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

const fn ansi16(role: Role) -> Color {
    match role {
        Role::Text | Role::Title | Role::Value | Role::Selected => Color::Reset,
        Role::Quiet => Color::DarkGray,
        Role::Key | Role::Accent => Color::Cyan,
        Role::Good => Color::Green,
        Role::Warning => Color::Yellow,
        Role::Bad | Role::Alarm => Color::Red,
        Role::Sim => Color::Magenta,
    }
}

const fn light(role: Role) -> Color {
    match role {
        Role::Text | Role::Title | Role::Value | Role::Selected => Color::Reset,
        Role::Quiet => Color::Indexed(240),
        Role::Key | Role::Accent => Color::Indexed(25),
        Role::Good => Color::Indexed(22),
        Role::Warning => Color::Indexed(94),
        Role::Bad | Role::Alarm => Color::Indexed(124),
        Role::Sim => Color::Indexed(90),
    }
}

const fn dark(role: Role) -> Color {
    match role {
        Role::Text | Role::Title | Role::Value | Role::Selected => Color::Reset,
        Role::Quiet => Color::Indexed(246),
        Role::Key | Role::Accent => Color::Indexed(117),
        Role::Good => Color::Indexed(114),
        Role::Warning => Color::Indexed(221),
        Role::Bad | Role::Alarm => Color::Indexed(210),
        Role::Sim => Color::Indexed(183),
    }
}

const fn high_contrast(role: Role) -> Color {
    match role {
        Role::Bad | Role::Alarm => Color::LightRed,
        _ => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 12] = [
        Role::Text,
        Role::Quiet,
        Role::Title,
        Role::Value,
        Role::Key,
        Role::Accent,
        Role::Good,
        Role::Warning,
        Role::Bad,
        Role::Alarm,
        Role::Sim,
        Role::Selected,
    ];

    fn theme(colour: ColourMode) -> Theme {
        Theme::new(&Settings { colour, ..Settings::default() })
    }

    /// Relative luminance of one of the 256 colours (WCAG 2), from 0 to 1.
    fn luminance(index: u8) -> f64 {
        let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        let rgb = match index {
            232.. => [8 + 10 * (index - 232); 3],
            _ => [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(level),
        };
        let [r, g, b] = rgb.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_colour_reads_on_its_ground() {
        for (colour, ground) in [(ColourMode::Light, 1.0), (ColourMode::Dark, 0.0)] {
            for role in ROLES {
                if let Some(Color::Indexed(index)) = theme(colour).style(role).fg {
                    let (a, b) = (luminance(index) + 0.05, ground + 0.05);
                    assert!(f64::max(a / b, b / a) >= 4.5, "{colour:?} {role:?} {index}");
                }
            }
        }
    }

    #[test]
    fn the_users_colours_go_before_the_themes_and_no_colour_before_them() {
        let paints = vec![(Role::Bad, Paint::Rgb(1, 2, 3)), (Role::Key, Paint::Default), (Role::Text, Paint::Index(9))];
        let with = |colour| Theme::new(&Settings { colour, paints: paints.clone(), ..Settings::default() });
        for colour in [ColourMode::Ansi16, ColourMode::Light, ColourMode::HighContrast] {
            let fg = |role| with(colour).style(role).fg.unwrap();
            assert_eq!((fg(Role::Bad), fg(Role::Key)), (Color::Rgb(1, 2, 3), Color::Reset));
            assert_eq!((fg(Role::Text), Some(fg(Role::Good))), (Color::Indexed(9), theme(colour).style(Role::Good).fg));
            assert_eq!(with(colour).style(Role::Bad).add_modifier, theme(colour).style(Role::Bad).add_modifier);
        }
        for role in ROLES {
            assert_eq!(with(ColourMode::None).style(role), theme(ColourMode::None).style(role));
        }
    }

    /// What is bad or to be looked at differs from ordinary text without its colour too.
    #[test]
    fn no_theme_tells_by_colour_alone() {
        for colour in
            [ColourMode::Ansi16, ColourMode::Light, ColourMode::Dark, ColourMode::HighContrast, ColourMode::None]
        {
            let weight = |role| theme(colour).style(role).add_modifier;
            for role in [Role::Warning, Role::Bad, Role::Alarm, Role::Accent, Role::Key, Role::Sim, Role::Selected] {
                assert_ne!(weight(role), weight(Role::Text), "{colour:?} {role:?}");
            }
            assert_ne!(weight(Role::Alarm), weight(Role::Bad), "{colour:?}");
        }
    }
}
