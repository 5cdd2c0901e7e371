//! What can be typed in the linear mode.

use crate::model::quantity::{parse_on, parse_plain};
use crate::model::work::AxisValues;
use crate::model::{Axis, AxisSet, Units};

/// What a line means.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Nothing was typed.
    Nothing,
    /// Yes, or the word that was asked for, as typed.
    Answer(String),
    /// Stop motion.
    Stop,
    /// Feed hold.
    Hold,
    /// End the program.
    End,
    /// Go on.
    Resume,
    /// Soft reset.
    Reset,
    /// Home all axes, or one.
    Home(Option<Axis>),
    /// Out of the alarm without homing.
    Unlock,
    /// What the alarm means.
    Alarm,
    /// One exact step: signed mm or degrees, at a feed in mm/min.
    Jog(AxisValues, Option<f64>),
    /// Go to a point in work coordinates, at a feed in mm/min or at rapid.
    Go(AxisValues, Option<f64>),
    /// Make the present position read zero; `None`: on all axes.
    Zero(Option<AxisSet>),
    /// Make the present position read these values.
    Set(AxisValues),
    /// Take the newest change of offsets back.
    Undo,
    /// Bring the machine down safely.
    Park,
    /// Take up the interrupted program, from the line that is suggested or another.
    TakeUp(Option<u64>),
    /// The interrupted program is not wanted.
    Forget,
    /// What rules, parking, spindle and sun wait for.
    Sun,
    /// What comes from where and goes where.
    Power,
    /// All about one inverter; `None`: which ones there are.
    Inverter(Option<String>),
    /// Change a setting of an inverter.
    SetInverter {
        /// The inverter.
        inverter: String,
        /// The setting.
        id: String,
        /// Its value, as typed.
        text: String,
    },
    /// Let dangerous settings of inverters be written for a minute.
    Arm,
    /// Where it is.
    Position,
    /// Everything that is known.
    Status,
    /// In which unit lengths are spoken and typed.
    Units(Units),
    /// Try the link now.
    Reconnect,
    /// The words, or one of them.
    Help(Option<String>),
    /// Leave.
    Quit,
    /// G-code or a `$` command.
    Line(String),
}

/// A word with what it takes and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The word itself.
    pub word: &'static str,
    /// As it is typed.
    pub usage: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn entry(word: &'static str, usage: &'static str, help: &'static str) -> Entry {
    Entry { word, usage, help }
}

/// The words, in the order in which help tells them.
pub const WORDS: &[Entry] = &[
    entry("stop", "stop", "stops motion and keeps the position; so do Ctrl+C, and Enter alone while the machine moves"),
    entry("hold", "hold", "feed hold; resume goes on"),
    entry("end", "end", "ends the program: hold, stand still, reset; keeps the position"),
    entry("reset", "reset", "soft reset, at once while the machine moves (the position is lost then); asks when idle"),
    entry(
        "resume",
        "resume",
        "goes on after a hold or a closed door; starts a spindle that waits for power, and asks first",
    ),
    entry(
        "take",
        "take up, or take up 120",
        "says what is sent first to take up the interrupted program, there or at a line, and asks before it starts",
    ),
    entry("forget", "forget", "the interrupted program is not offered any more; asks first"),
    entry("status", "status", "says all that is known; Enter alone does it too while nothing moves"),
    entry("position", "position", "says where the machine is; pos for short"),
    entry("alarm", "alarm", "says what the alarm means and the way out of it"),
    entry("home", "home, or home Z", "homes all axes or one; asks first"),
    entry("unlock", "unlock", "leaves the alarm without homing; says what that costs, and asks"),
    entry("jog", "jog X 10, or jog X -0.5 Y 2 F 500", "moves by exactly this distance"),
    entry("go", "go X 10 Y 5, or go Z 2 F 300", "goes to a point in work coordinates; says the line, and asks"),
    entry("zero", "zero X, or zero all", "makes the present position the work zero"),
    entry(
        "set",
        "set X 12.5, or set roof soc_min 20",
        "makes the present position read this; or changes a setting of an inverter: says before and after, and asks",
    ),
    entry("undo", "undo", "takes the newest change of offsets back; asks first"),
    entry("park", "park", "hold, spindle off, position kept, Z up, park position; asks first. stop ends it"),
    entry("sun", "sun", "says what rules see, how parking stands, and what waits for power or for the sun"),
    entry("power", "power", "says what sun, battery, grid and loads do"),
    entry("inverter", "inverter, or inverter roof", "says which inverters there are, or all about one"),
    entry("arm", "arm", "lets dangerous settings of inverters be written for 60 s; asks first"),
    entry("units", "units mm, or units inch", "in which unit lengths are spoken and typed"),
    entry("reconnect", "reconnect", "tries the link now instead of waiting"),
    entry("help", "help, or help jog", "says the words, or what one of them does"),
    entry("quit", "quit", "leaves; asks first when the machine is busy"),
];

/// Reads a line. Numbers without a unit are in `units`.
///
/// # Errors
/// What cannot be understood, and what would be right.
pub fn read(text: &str, units: Units) -> Result<Word, String> {
    let text = text.trim();
    let mut parts = text.split_whitespace();
    let Some(first) = parts.next() else { return Ok(Word::Nothing) };
    let rest: Vec<&str> = parts.collect();
    let first = first.to_ascii_lowercase();
    let alone = |word: Word| match rest.first() {
        None => Ok(word),
        Some(more) => Err(format!("{first} takes nothing after it, and {more:?} was typed. Nothing was done")),
    };
    match first.as_str() {
        "stop" => Ok(Word::Stop),
        "hold" | "pause" => Ok(Word::Hold),
        "end" => alone(Word::End),
        "reset" => alone(Word::Reset),
        "resume" => alone(Word::Resume),
        "status" => alone(Word::Status),
        "position" | "pos" => alone(Word::Position),
        "alarm" => alone(Word::Alarm),
        "park" => alone(Word::Park),
        "forget" => alone(Word::Forget),
        "take" => match rest.as_slice() {
            [up] if up.eq_ignore_ascii_case("up") => Ok(Word::TakeUp(None)),
            [up, line] if up.eq_ignore_ascii_case("up") => match line.parse() {
                Ok(line @ 1..) => Ok(Word::TakeUp(Some(line))),
                _ => Err(format!("{line:?} is not the number of a line, which are counted from 1. Nothing was done")),
            },
            _ => Err("type take up, or take up 120 to begin at line 120".to_owned()),
        },
        "sun" => alone(Word::Sun),
        "power" => alone(Word::Power),
        "arm" => alone(Word::Arm),
        "inverter" => match rest.as_slice() {
            [] => Ok(Word::Inverter(None)),
            [name] => Ok(Word::Inverter(Some((*name).to_owned()))),
            _ => Err("inverter takes one name, or none for all".to_owned()),
        },
        "unlock" => alone(Word::Unlock),
        "undo" => alone(Word::Undo),
        "reconnect" => alone(Word::Reconnect),
        "quit" | "exit" | "bye" => alone(Word::Quit),
        "yes" | "y" | "no" | "n" if rest.is_empty() => Ok(Word::Answer(first)),
        "help" | "?" => Ok(Word::Help(rest.first().map(|word| word.to_ascii_lowercase()))),
        "home" => match rest.as_slice() {
            [] => Ok(Word::Home(None)),
            [axis] => one_axis(axis).map(|axis| Word::Home(Some(axis))),
            _ => Err("home takes one axis, or none for all".to_owned()),
        },
        "zero" => match rest.as_slice() {
            [] => Err("zero what? Type zero X, or zero all".to_owned()),
            ["all" | "ALL" | "All"] => Ok(Word::Zero(None)),
            axes => axes.iter().map(|axis| one_axis(axis)).collect::<Result<AxisSet, _>>().map(|a| Word::Zero(Some(a))),
        },
        "jog" => numbers(&rest, units, "jog X 10").map(|(values, feed)| Word::Jog(values, feed)),
        "go" => numbers(&rest, units, "go X 10").map(|(values, feed)| Word::Go(values, feed)),
        "set" if rest.first().is_some_and(|first| is_name(first)) => match rest.as_slice() {
            [inverter, id, value @ ..] if !value.is_empty() => {
                Ok(Word::SetInverter { inverter: (*inverter).to_owned(), id: (*id).to_owned(), text: value.join(" ") })
            }
            _ => Err("type set, the inverter, the setting and its value: set roof soc_min 20".to_owned()),
        },
        "set" => match numbers(&rest, units, "set X 12.5")? {
            (values, None) => Ok(Word::Set(values)),
            _ => Err("set takes no feed: nothing moves".to_owned()),
        },
        "units" => match rest.as_slice() {
            ["mm" | "MM"] => Ok(Word::Units(Units::Mm)),
            ["in" | "inch" | "inches"] => Ok(Word::Units(Units::Inch)),
            _ => Err("type units mm, or units inch".to_owned()),
        },
        _ if is_line(text) => Ok(Word::Line(text.to_owned())),
        _ => Err(format!("{text:?} is not a word or G-code. help lists the words. Nothing was done")),
    }
}

/// G-code begins with a letter and a number, and `$` commands with their sign; a mistyped word does not.
fn is_line(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('$' | '[' | '(' | '#' | '%' | ';') => true,
        Some(letter) if letter.is_ascii_alphabetic() => {
            matches!(chars.find(|c| *c != ' '), Some('0'..='9' | '+' | '-' | '.' | '#' | '['))
        }
        _ => false,
    }
}

/// More than a letter and its number: the name of an inverter, not an axis.
fn is_name(word: &str) -> bool {
    word.chars().nth(1).is_some_and(char::is_alphabetic)
}

fn one_axis(text: &str) -> Result<Axis, String> {
    let mut chars = text.chars();
    match (chars.next().and_then(Axis::from_letter), chars.next()) {
        (Some(axis), None) => Ok(axis),
        _ => Err(format!("{text:?} is not an axis: X, Y, Z, A, B, C, U, V or W")),
    }
}

/// `X 10 y-5 F500`: values by axis, and a feed in mm/min.
fn numbers(rest: &[&str], units: Units, example: &str) -> Result<(AxisValues, Option<f64>), String> {
    let (mut values, mut feed) = (AxisValues::new(), None);
    let mut rest = rest.iter();
    while let Some(part) = rest.next() {
        let mut chars = part.chars();
        let Some(letter) = chars.next() else { continue };
        let number = match chars.as_str() {
            "" => *rest.next().ok_or_else(|| format!("a number is missing after {letter}. For example: {example}"))?,
            number => number,
        };
        if letter.eq_ignore_ascii_case(&'f') {
            let value = parse_plain(number).map_err(|why| format!("feed: {why}"))? * units.mm();
            if value <= 0.0 {
                return Err("the feed must be above 0".to_owned());
            }
            if feed.replace(value).is_some() {
                return Err("the feed stands there twice. Nothing was done".to_owned());
            }
            continue;
        }
        let axis = one_axis(&letter.to_string()).map_err(|why| format!("{why}. For example: {example}"))?;
        let value = parse_on(axis, number, units).map_err(|why| format!("{axis}: {why}"))?;
        if values.iter().any(|(known, _)| *known == axis) {
            return Err(format!("{axis} stands there twice. Nothing was done"));
        }
        values.push((axis, value));
    }
    if values.is_empty() {
        Err(format!("an axis and a number are missing. For example: {example}"))
    } else {
        Ok((values, feed))
    }
}
