//! `[ui.colours]`: what the user paints the roles of the screen with.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names of the first 16 of the 256 colours, which every terminal with colours has.
const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// A colour for each role; those that are not set are the theme's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [ui.colours]")]
pub struct Colours {
    /// Ordinary text.
    pub text: Option<Paint>,
    /// Labels, units, borders.
    pub quiet: Option<Paint>,
    /// Titles of panels.
    pub title: Option<Paint>,
    /// Numbers that are read from afar.
    pub value: Option<Paint>,
    /// A key to press.
    pub key: Option<Paint>,
    /// What is active now.
    pub accent: Option<Paint>,
    /// It went well.
    pub good: Option<Paint>,
    /// Look here.
    pub warning: Option<Paint>,
    /// Something is wrong.
    pub bad: Option<Paint>,
    /// Something is wrong, as a block.
    pub alarm: Option<Paint>,
    /// The simulated machine's label.
    pub sim: Option<Paint>,
    /// The selected choice.
    pub selected: Option<Paint>,
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// That of the terminal for ordinary text.
    Default,
    /// One of the 256; the first 16 are the named ones.
    Index(u8),
    /// Red, green, blue; for terminals with true colour.
    Rgb(u8, u8, u8),
}

impl Paint {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hex) = text.strip_prefix('#') {
            let digits = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
            let rgb = digits.then(|| u32::from_str_radix(hex, 16).ok()).flatten()?;
            let [_, red, green, blue] = rgb.to_be_bytes();
            return Some(Self::Rgb(red, green, blue));
        }
        let name = text.to_ascii_lowercase().replace(['_', ' '], "-");
        if name == "default" {
            return Some(Self::Default);
        }
        NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok()).map(Self::Index)
    }
}

impl Serialize for Paint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Default => serializer.serialize_str("default"),
            Self::Index(index) => match NAMES.get(usize::from(index)) {
                Some(name) => serializer.serialize_str(name),
                None => serializer.serialize_u8(index),
            },
            Self::Rgb(red, green, blue) => serializer.serialize_str(&format!("#{red:02x}{green:02x}{blue:02x}")),
        }
    }
}

impl<'de> Deserialize<'de> for Paint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PaintVisitor)
    }
}

struct PaintVisitor;

impl Visitor<'_> for PaintVisitor {
    type Value = Paint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"default\", ")?;
        // The bright ones are the same words.
        for name in &NAMES[..8] {
            write!(f, "\"{name}\", ")?;
        }
        f.write_str("one of these with \"bright-\" before it, a number from 0 to 255, or \"#rrggbb\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Paint, E> {
        Paint::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, index: i64) -> Result<Paint, E> {
        u8::try_from(index).map(Paint::Index).map_err(|_| E::invalid_value(Unexpected::Signed(index), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn colours(text: &str) -> Result<Colours, String> {
        let parsed = parse("f.toml", &format!("[ui.colours]\n{text}"));
        parsed.map(|config| config.ui.colours).map_err(|problem| problem.to_string())
    }

    #[test]
    fn colours_are_names_numbers_or_hex() {
        let got = colours("text = \"default\"\nkey = \"Bright-Blue\"\nquiet = 244\nbad = \"#ff8000\"").unwrap();
        assert_eq!((got.text, got.key), (Some(Paint::Default), Some(Paint::Index(12))));
        assert_eq!((got.quiet, got.bad, got.good), (Some(Paint::Index(244)), Some(Paint::Rgb(255, 128, 0)), None));
        let written = toml::to_string(&got).unwrap();
        assert_eq!(toml::from_str::<Colours>(&written).unwrap(), got, "{written}");
    }

    #[test]
    fn a_bad_colour_is_named_with_its_role_and_line() {
        for (text, says) in [
            ("\nbad = \"rde\"", "f.toml:3:7: ui.colours.bad is string \"rde\", but must be \"default\", \"black\", "),
            ("key = 256", "ui.colours.key is integer 256"),
            ("key = -1", "ui.colours.key is integer -1"),
            ("key = \"#12345\"", "string \"#12345\""),
            ("key = \"#12345g\"", "or \"#rrggbb\""),
            ("key = \"#+1234f\"", "but must be"),
            ("waring = 1", "f.toml:2:1: unknown key \"waring\" in [ui.colours]; did you mean \"warning\"?"),
        ] {
            let error = colours(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
