//! Listings in which firmwares describe their settings.
//!
//! grblHAL: `$EG` groups, `$ES` one line per setting, `$ESH` the same with a description, separated by tabs
//! (grblHAL `report.c`, `settings_details_to_text`). FluidNC: `$CD`, the running configuration as YAML.

use crate::model::settings::Kind;

/// What grblHAL says of a setting in `[SETTING:n|group|name|unit|type|format|min|max|reboot|empty]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// The number.
    pub number: u16,
    /// Number of its group.
    pub group: u16,
    /// Name.
    pub name: String,
    /// Unit, empty where none.
    pub unit: String,
    /// What it takes.
    pub kind: Kind,
    /// It takes effect at the next start.
    pub needs_restart: bool,
}

/// The value of `[SETTING:…]` from `$ES`, on a machine with so many axes.
pub fn detail(value: &str, axes: usize) -> Option<Detail> {
    let mut fields = value.split('|');
    let number = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let (name, unit) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let data_type: u8 = fields.next()?.parse().ok()?;
    let format = fields.next().unwrap_or_default();
    let bound = |text: Option<&str>| text.and_then(|text| text.trim().parse::<f64>().ok());
    let (min, max) = (bound(fields.next()), bound(fields.next()));
    let needs_restart = fields.next() == Some("1");
    let names = || format.split(',').map(|name| name.trim().to_owned()).collect();
    // A format without a sign takes none: the firmware answers error:4.
    let least = min.or((!format.starts_with('-')).then_some(0.0));
    let kind = match data_type {
        0 => Kind::Switch,
        1 | 2 => Kind::Mask(names()),
        3 => Kind::Choice(names()),
        4 => Kind::Axes(axes as u8),
        5 => Kind::Number { min: least, max, whole: true },
        6 => Kind::Number { min: least, max, whole: false },
        _ => Kind::Text,
    };
    Some(Detail { number, group, name, unit, kind, needs_restart })
}

/// A group of settings from `[SETTINGGROUP:n|parent|name]`: its number and name.
pub fn group(value: &str) -> Option<(u16, String)> {
    let mut fields = value.split('|');
    let number = fields.next()?.parse().ok()?;
    Some((number, fields.nth(1)?.to_owned()))
}

/// Number and description of a line of `$ESH`. Line breaks, which it writes as `\n`, become blanks.
pub fn description(line: &str) -> Option<(u16, String)> {
    let mut fields = line.split('\t');
    let number = fields.next()?.parse().ok()?;
    let text = fields.nth(4)?.replace("\\n", " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some((number, text))
}

/// Reads the YAML of `$CD` line by line into paths and values.
#[derive(Clone, Debug, Default)]
pub struct TreeReader {
    /// Indentation and key of what is open.
    open: Vec<(usize, String)>,
}

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 16;

impl TreeReader {
    /// The next line. Gives the path (small letters, as FluidNC takes them in any case) and value of an item.
    pub fn line(&mut self, line: &str) -> Option<(String, String)> {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let (key, value) = line.trim().split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_key || !(value.is_empty() || value.starts_with(' ')) {
            return None;
        }
        self.open.retain(|(outer, _)| *outer < indent);
        let key = key.to_ascii_lowercase();
        let value = value.trim();
        if value.is_empty() {
            if self.open.len() < MAX_DEPTH {
                self.open.push((indent, key));
            }
            return None;
        }
        let parents = self.open.iter().map(|(_, key)| key.as_str());
        let path: Vec<_> = parents.chain([key.as_str()]).collect();
        Some((format!("/{}", path.join("/")), value.to_owned()))
    }
}
