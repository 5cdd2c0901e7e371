//! Text into [`Config`], or the first mistake with its place and a way out.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer};

use super::migrate::migrate;
use super::schema::Config;
use super::{inverters, outputs, rules, sun, tcp};
pub(crate) use crate::model::nearest::nearest;

/// A mistake in a configuration text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Problem {
    /// Name of the file as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// At this byte of `text`.
    pub(super) fn at(file: &str, text: &str, at: usize, message: impl Into<String>) -> Self {
        let (line, column) = line_and_column(text, at);
        Self { file: file.to_owned(), line, column, message: message.into() }
    }
}

/// Reads a configuration; `file` is the name that a [`Problem`] shows.
///
/// # Errors
/// The first mistake: bad TOML, an unknown key (with the nearest known one), a wrong type, a value out
/// of range (with the range), values that do not fit together, or a newer format version.
pub fn parse(file: &str, text: &str) -> Result<Config, Problem> {
    let problem = |at: usize, message: String| Problem::at(file, text, at, message);
    let refused = |error: &toml::de::Error, table: Option<&DeTable<'_>>| {
        let span = error.span().unwrap_or(0..0);
        problem(span.start, explain(error.message(), table, &span))
    };
    let mut document = DeTable::parse(text).map_err(|error| refused(&error, None))?;
    let version_at = place_of(document.get_ref(), &["version"]);
    migrate(document.get_mut()).map_err(|message| problem(version_at, message))?;

    let table = document.get_ref().clone();
    let mut config =
        Config::deserialize(Deserializer::from(document)).map_err(|error| refused(&error, Some(&table)))?;
    for (name, list) in &mut config.keys {
        list.line = line_and_column(text, place_of(&table, &["keys", name])).0;
    }
    if let Some((at, key, message)) = outputs::misfit(&config.outputs) {
        return Err(problem(place_in_list(&table, "outputs", at, key), format!("outputs.{key}: {message}")));
    }
    if let Some((list, at, key, message)) = inverters::misfit(&config) {
        return Err(problem(place_in_list(&table, list, at, key), format!("{list}.{key}: {message}")));
    }
    if let Some((at, key, message)) = rules::misfit(&config) {
        return Err(problem(place_in_list(&table, "rule", at, key), format!("rule.{key}: {message}")));
    }
    if let Some((at, key, message)) = sun::tariff_misfit(&config) {
        return Err(problem(place_in_list(&table, "tariff", at, key), format!("tariff.{key}: {message}")));
    }
    match misfit(&config).or_else(|| tcp::misfit(&config.attach.tcp)).or_else(|| sun::misfit(&config)) {
        Some((path, message)) => Err(problem(place_of(&table, path), format!("{}: {message}", dotted(path)))),
        None => Ok(config),
    }
}

/// Where the value of `machine.port` stands in the text, quotes included.
pub(super) fn port_span(text: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let DeValue::Table(machine) = document.get_ref().get("machine")?.get_ref() else { return None };
    Some(machine.get("port")?.span())
}

/// Values that are right by themselves and wrong together: the key to blame, and why.
fn misfit(config: &Config) -> Option<(&'static [&'static str], String)> {
    let (machine, jog) = (&config.machine, &config.jog);
    if machine.poll_moving_ms > machine.poll_idle_ms {
        let why = format!("{} is more than poll_idle_ms ({})", machine.poll_moving_ms, machine.poll_idle_ms);
        return Some((&["machine", "poll_moving_ms"], why));
    }
    if !jog.steps_mm.contains(&jog.step) {
        return Some((&["jog", "step"], format!("{} is not one of steps_mm, {:?}", jog.step, jog.steps_mm)));
    }
    if !jog.feeds_mm_min.contains(&jog.feed) {
        return Some((&["jog", "feed"], format!("{} is not one of feeds_mm_min, {:?}", jog.feed, jog.feeds_mm_min)));
    }
    if jog.rotary_steps_deg.len() != jog.steps_mm.len() {
        let (degrees, mm) = (jog.rotary_steps_deg.len(), jog.steps_mm.len());
        let why = format!("has {degrees} values and steps_mm has {mm}; each digit key needs one of both");
        return Some((&["jog", "rotary_steps_deg"], why));
    }
    let folders = &config.programs.folders;
    if folders.is_empty() {
        return Some((&["programs", "folders"], "has no folder; name at least one".to_owned()));
    }
    if folders.iter().any(|folder| folder.as_os_str().is_empty()) {
        let why = "has an empty name; \".\" is the folder in which sunmill is started".to_owned();
        return Some((&["programs", "folders"], why));
    }
    None
}

/// serde's words in sunmill's: which key, what it is, what it must be, and the nearest known name.
fn explain(message: &str, table: Option<&DeTable<'_>>, span: &Range<usize>) -> String {
    let Some(table) = table else {
        return message.trim_end().replace('\n', "; ");
    };
    let path = path_at(table, span.start);
    if message.starts_with("unknown field") {
        let (name, known) = backticked(message);
        return format!("unknown key {name:?} {}{}", Section(&path), suggestion(name, &known));
    }
    let key = path.join(".");
    if message.starts_with("unknown variant") {
        let (name, known) = backticked(message);
        return format!("{key} is {name:?}, but must be {}{}", Choice(&known), hint(name, &known).unwrap_or_default());
    }
    let fact = ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|p| message.strip_prefix(p));
    match fact.and_then(|fact| fact.split_once(", expected ")) {
        Some((found, wanted)) if message.starts_with("invalid length") => {
            format!("{key} has {found} values, but must be {wanted}")
        }
        Some((found, wanted)) => format!("{key} is {}, but must be {wanted}", found.replace('`', "")),
        None => format!("{key}: {message}"),
    }
}

/// The names in backticks of serde's message: the offender, then the known ones.
fn backticked(message: &str) -> (&str, Vec<&str>) {
    let mut names = message.split('`').skip(1).step_by(2);
    (names.next().unwrap_or_default(), names.collect())
}

fn suggestion(name: &str, known: &[&str]) -> String {
    hint(name, known).unwrap_or_else(|| format!("; known keys here: {}", known.join(", ")))
}

fn hint(name: &str, known: &[&str]) -> Option<String> {
    nearest(name, known).map(|nearest| format!("; did you mean {nearest:?}?"))
}

/// The keys that lead to the byte at `at`, which lies in a key or in a value.
fn path_at<'t>(table: &'t DeTable<'_>, at: usize) -> Vec<&'t str> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if let DeValue::Table(inner) = value.get_ref() {
            let below = path_at(inner, at);
            if !below.is_empty() {
                return std::iter::once(name).chain(below).collect();
            }
        }
        // The tables of a list `[[name]]` lie anywhere in the file; the span of the list is that of its first header.
        if let DeValue::Array(items) = value.get_ref() {
            let tables = items.iter().filter_map(|item| match item.get_ref() {
                DeValue::Table(inner) => Some((item.span(), inner)),
                _ => None,
            });
            for (span, inner) in tables {
                let below = path_at(inner, at);
                if !below.is_empty() || span.contains(&at) {
                    return std::iter::once(name).chain(below).collect();
                }
            }
        }
        // The end counts: toml blames an empty value at the byte after it.
        if key.span().contains(&at) || (value.span().start..=value.span().end).contains(&at) {
            return vec![name];
        }
    }
    Vec::new()
}

/// Where the value at `path` begins; a key that is not in the file is blamed on its table, or on the start.
fn place_of(table: &DeTable<'_>, path: &[&str]) -> usize {
    let Some((first, rest)) = path.split_first() else { return 0 };
    match table.get(*first) {
        Some(value) => match value.get_ref() {
            DeValue::Table(inner) if !rest.is_empty() && inner.contains_key(rest[0]) => place_of(inner, rest),
            _ => value.span().start,
        },
        None => 0,
    }
}

/// Where the value of `key` in the `at`th table of a list begins; without that key, where the table does.
fn place_in_list(table: &DeTable<'_>, list: &str, at: usize, key: &str) -> usize {
    let Some(DeValue::Array(items)) = table.get(list).map(toml::Spanned::get_ref) else { return 0 };
    let Some(item) = items.get(at) else { return 0 };
    match item.get_ref() {
        DeValue::Table(inner) => inner.get(key).map_or(item.span().start, |value| value.span().start),
        _ => item.span().start,
    }
}

fn dotted(path: &[&str]) -> String {
    path.join(".")
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// `in [machine]`, or `at the top` for a key outside all sections; of the path to the offending key.
struct Section<'a>(&'a [&'a str]);

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] | [_] => f.write_str("at the top"),
            [sections @ .., _] => write!(f, "in [{}]", sections.join(".")),
        }
    }
}

/// `"a", "b" or "c"`.
struct Choice<'a>(&'a [&'a str]);

impl fmt::Display for Choice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            f.write_str(match i {
                0 => "",
                _ if i + 1 == self.0.len() => " or ",
                _ => ", ",
            })?;
            write!(f, "{name:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::SAMPLE;
    use super::*;

    fn refused(text: &str) -> String {
        parse("f.toml", text).expect_err(text).to_string()
    }

    #[test]
    fn the_sample_is_the_default() {
        assert_eq!(parse("config.toml", SAMPLE), Ok(Config::default()));
        assert_eq!(parse("empty", ""), Ok(Config::default()));
    }

    /// A key that is not set by default stands in the sample as `# key = value`; with all of those set
    /// the sample must still be a configuration.
    #[test]
    fn the_commented_keys_of_the_sample_are_right() {
        let text = SAMPLE.lines().map(uncommented).collect::<Vec<_>>().join("\n");
        let config = parse("config.toml", &text).unwrap();
        assert!(config.machine.port.is_some() && config.machine.rx_buffer.is_some());
        assert!(config.ui.frame_ms.is_some() && config.log.folder.is_some());
        assert_eq!((config.bus.len(), config.inverter.len()), (1, 1));
        assert!(config.inverters.profiles.is_some());
        assert!(config.attach.tcp.listen.is_some() && config.attach.tcp.without_token.is_some());
        assert_eq!((config.rule.len(), config.park.x), (2, Some(0.0)));
        assert!(config.spindle.surge_w.is_some() && config.sun.peak_w.is_some() && config.tariff.len() == 1);
        assert_eq!(config.outputs.iter().map(|output| output.max).collect::<Vec<_>>(), [None, Some(60.0)]);
    }

    fn uncommented(line: &str) -> &str {
        match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with("[[") => rest,
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => rest,
            _ => line,
        }
    }

    #[test]
    fn every_key_stands_in_the_sample() {
        let sections = ["", "machine", "jog", "jog.invert", "ui", "ui.colours", "log", "wire_log", "inverters", "park"];
        for section in sections.into_iter().chain(["attach", "attach.tcp", "spindle", "sun"]) {
            let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            let error = toml::from_str::<Config>(&format!("{header}nonsense = 1")).unwrap_err();
            let (_, known) = backticked(error.message());
            assert!(!known.is_empty(), "{error}");
            let body = if section.is_empty() {
                SAMPLE
            } else {
                SAMPLE.split(&format!("\n[{section}]\n")).nth(1).expect(section).split("\n[").next().expect(section)
            };
            for key in known {
                let full = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
                let there = body.lines().any(|line| uncommented(line).starts_with(&format!("{key} =")))
                    || SAMPLE.contains(&format!("\n[{full}]\n"))
                    || SAMPLE.contains(&format!("\n# [[{full}]]\n"));
                assert!(there, "{full} is missing in config.toml");
            }
        }
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest_one() {
        for (text, expected) in [
            ("[machine]\nbauds = 9600", "f.toml:2:1: unknown key \"bauds\" in [machine]; did you mean \"baud\"?"),
            ("[machine]\n  Port = 1", "f.toml:2:3: unknown key \"Port\" in [machine]; did you mean \"port\"?"),
            ("[machin]\nbaud = 9600", "f.toml:1:2: unknown key \"machin\" at the top; did you mean \"machine\"?"),
            (
                "[log]\ncolour = 1",
                "f.toml:2:1: unknown key \"colour\" in [log]; known keys here: level, folder, max_files",
            ),
            (
                "jog = { invert = { d = true } }",
                "f.toml:1:20: unknown key \"d\" in [jog.invert]; known keys here: x, y, z, a, b, c, u, v, w",
            ),
        ] {
            assert_eq!(refused(text), expected);
        }
    }

    #[test]
    fn wrong_types_and_ranges_are_named() {
        for (text, expected) in [
            (
                "[machine]\nbaud = \"fast\"",
                "f.toml:2:8: machine.baud is string \"fast\", but must be a whole number from 1200 to 4000000",
            ),
            (
                "[machine]\nbaud = 300",
                "f.toml:2:8: machine.baud is integer 300, but must be a whole number from 1200 to 4000000",
            ),
            (
                "[machine]\nrx_buffer = -1",
                "f.toml:2:13: machine.rx_buffer is integer -1, but must be a whole number from 32 to 65535",
            ),
            (
                "[machine]\npace = \"slow\"",
                "f.toml:2:8: machine.pace is string \"slow\", but must be \"auto\", \"off\" or a baud rate from 1200 to 4000000",
            ),
            (
                "[jog]\nsteps_mm = [0.1, 5000]\n",
                "f.toml:2:18: jog.steps_mm is floating point 5000.0, but must be a number from 0.001 to 1000 mm",
            ),
            (
                "[jog]\nfeed = nan",
                "f.toml:2:8: jog.feed is floating point NaN, but must be a number from 1 to 100000 mm/min",
            ),
            ("[jog.invert]\nx = 1", "f.toml:2:5: jog.invert.x is integer 1, but must be a boolean"),
            (
                "[ui]\ncolour = \"alway\"",
                "f.toml:2:10: ui.colour is \"alway\", but must be \"auto\", \"always\" or \"never\"; did you mean \"always\"?",
            ),
            (
                "[analysis]\nconcurrent = 0",
                "f.toml:2:14: analysis.concurrent is integer 0, but must be a whole number from 1 to 16",
            ),
            ("ui = 5", "f.toml:1:6: ui is integer 5, but must be a table, [ui]"),
        ] {
            assert_eq!(refused(text), expected);
        }
    }

    #[test]
    fn lists_must_rise_and_fit_the_digit_keys() {
        for (list, expected) in [
            ("[]", "has 0 values"),
            ("[1, 1]", "does not rise"),
            ("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "has 10 values"),
            ("1", "is integer 1, but must be a list of 1 to 9"),
        ] {
            let error = refused(&format!("[jog]\nsteps_mm = {list}"));
            assert!(error.starts_with("f.toml:2:12: jog.steps_mm") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn values_that_do_not_fit_together_are_named() {
        for (text, expected) in [
            (
                "[machine]\npoll_moving_ms = 300",
                "f.toml:2:18: machine.poll_moving_ms: 300 is more than poll_idle_ms (200)",
            ),
            ("[programs]\nfolders = []", "f.toml:2:11: programs.folders: has no folder; name at least one"),
            (
                "[programs]\nfolders = [\"~/gcode\", \"\"]",
                "f.toml:2:11: programs.folders: has an empty name; \".\" is the folder in which sunmill is started",
            ),
            ("[jog]\nstep = 2", "f.toml:2:8: jog.step: 2 is not one of steps_mm, [0.01, 0.1, 1.0, 10.0]"),
            ("[jog]\nfeed = 700", "f.toml:2:8: jog.feed: 700 is not one of feeds_mm_min"),
            ("[jog]\nsteps_mm = [1.0]", "f.toml:1:1: jog.rotary_steps_deg: has 4 values and steps_mm has 1"),
        ] {
            let error = refused(text);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_output_that_cannot_be_is_named_with_its_line() {
        let lamp = "[[outputs]]\nname = \"lamp\"\nkind = \"digital\"\nnumber = 0\n";
        let second = |rest: &str| format!("{lamp}[[outputs]]\n{rest}");
        for (text, expected) in [
            (
                second("name = \"lamp\"\nkind = \"analog\"\nnumber = 0"),
                "f.toml:6:8: outputs.name: \"lamp\" is the name of",
            ),
            (
                second("name = \"fan\"\nkind = \"digital\"\nnumber = 0"),
                "f.toml:8:10: outputs.number: 0 is \"lamp\" already",
            ),
            (second("name = \" \"\nkind = \"digital\"\nnumber = 1"), "f.toml:6:8: outputs.name: \" \" must be 1 to 24"),
            (format!("{lamp}max = 50"), "f.toml:5:7: outputs.max: is for kind = \"analog\""),
            (
                second("name = \"fan\"\nkind = \"analog\"\nnumber = 1\nmax = 101"),
                "f.toml:9:7: outputs.max is floating point 101.0, but must be a number from 0 to 100 %",
            ),
            (
                second("name = \"fan\"\nkind = \"pwm\"\nnumber = 1"),
                "f.toml:7:8: outputs.kind is \"pwm\", but must be \"digital\" or \"analog\"",
            ),
            (
                second("name = \"fan\"\nkind = \"analog\"\nnumber = 256"),
                "f.toml:8:10: outputs.number is integer 256, but must be a whole number from 0 to 255",
            ),
            (
                second("name = \"fan\"\nkind = \"analog\"\nnumbr = 1"),
                "f.toml:8:1: unknown key \"numbr\" in [outputs]; did you mean \"number\"?",
            ),
            (second("name = \"fan\"\nkind = \"analog\""), "f.toml:5:1: outputs: missing field `number`"),
            ("outputs = 5".to_owned(), "f.toml:1:11: outputs is integer 5"),
        ] {
            let error = refused(&text);
            assert!(error.starts_with(expected), "{error}\n  not {expected}");
        }
        let nine: Vec<_> =
            (0..9).map(|n| format!("[[outputs]]\nname = \"o{n}\"\nkind = \"digital\"\nnumber = {n}\n")).collect();
        assert!(refused(&nine.concat()).starts_with("f.toml:34:8: outputs.name: is output 9; there is room for 8"));
    }

    #[test]
    fn a_bad_port_says_what_a_port_is() {
        let error = refused("[machine]\nport = \"ttyUSB0\"");
        assert!(error.starts_with("f.toml:2:8: machine.port: \"ttyUSB0\" is not a port:"), "{error}");
        assert!(error.contains("tcp://host[:23]"), "{error}");
    }

    #[test]
    fn bad_toml_keeps_its_place_and_one_line() {
        for (text, place) in
            [("[machine\nbaud = 1", "f.toml:1:"), ("\n\nbaud = = 1", "f.toml:3:"), ("a = \"ü\" b", "f.toml:1:")]
        {
            let error = refused(text);
            assert!(error.starts_with(place) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("ä\r\nöü=", 6), (2, 2));
        assert_eq!(line_and_column("a", 99), (1, 2));
    }

    #[test]
    fn a_newer_version_is_refused_where_it_stands() {
        let error = refused("# mine\nversion = 9\n[new_section]\nx = 1");
        assert!(error.starts_with("f.toml:2:11: version 9 was written for a newer sunmill"), "{error}");
        assert_eq!(parse("f", "version = 1"), Ok(Config::default()));
    }
}
