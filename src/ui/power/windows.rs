//! Time windows: which settings make one, when it is in force, and which overlap.

use super::form::plain;
use crate::model::power::SettingRow;
use crate::model::sun::in_window;

/// Minutes of a day.
const DAY: u16 = 1440;

/// A time window of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its set, such as `tou`.
    pub set: String,
    /// Its number in the set, from 1.
    pub n: u8,
    /// What happens in it: `charge`, `discharge`; empty where the set says it.
    pub what: String,
    /// Beginning in minutes of the day, if it is known.
    pub start: Option<u16>,
    /// End, likewise; the same as the beginning: the window is empty.
    pub end: Option<u16>,
    /// How the beginning is set.
    pub start_edge: Edge,
    /// How the end is set. `None`: it lasts until the next one of its set begins.
    pub end_edge: Option<Edge>,
    /// Its other settings with what they say, such as `soc` and `power`.
    pub others: Vec<(String, String)>,
}

/// How a time of a window is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// By one setting.
    Time(String),
    /// By two settings: hour and minute.
    HourAndMinute(String, String),
}

impl Edge {
    /// The settings that make it this time, with their texts.
    pub fn wanted(&self, minutes: u16) -> Vec<(String, String)> {
        match self {
            Self::Time(id) => vec![(id.clone(), hhmm(minutes))],
            Self::HourAndMinute(hour, minute) => {
                vec![(hour.clone(), (minutes / 60).to_string()), (minute.clone(), (minutes % 60).to_string())]
            }
        }
    }
}

impl Window {
    /// It is in force at this minute.
    pub fn holds(&self, minute: u16) -> bool {
        self.start.zip(self.end).is_some_and(|(start, end)| in_window(start, end, minute))
    }

    /// What it is called: `1 charge`.
    pub fn name(&self) -> String {
        format!("{} {}", self.n, self.what).trim_end().to_owned()
    }

    /// From when until when, in words.
    pub fn span(&self) -> String {
        match (self.start, self.end) {
            (Some(start), Some(end)) if start == end => format!("{} (empty)", hhmm(start)),
            (Some(start), Some(end)) => format!("{}-{}", hhmm(start), hhmm(end)),
            _ => "not known".to_owned(),
        }
    }
}

/// `HH:MM`.
pub fn hhmm(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// Reads `7:30`, `07:30`, `730` or `0730`. `None`: no time of day.
pub fn read_time(text: &str) -> Option<u16> {
    let text = text.trim();
    let (hour, minute) = match text.split_once([':', '.']) {
        Some(parts) => parts,
        None if text.len() >= 3 && text.is_ascii() => text.split_at(text.len() - 2),
        None => return None,
    };
    let digits = |part: &str| part.len() <= 2 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The minutes that a setting says. `None`: it is not known, or no time.
pub fn minutes_of(row: &SettingRow) -> Option<u16> {
    read_time(&plain(row)?)
}

/// The windows that the settings make, with `proposed` in place of what they say.
pub fn windows(rows: &[SettingRow], proposed: impl Fn(&str) -> Option<String>) -> Vec<Window> {
    let mut found: Vec<Window> = Vec::new();
    let mut keys: Vec<(&str, u8)> =
        rows.iter().filter_map(|row| row.window.as_ref().map(|(set, n, _)| (set.as_str(), *n))).collect();
    keys.sort_unstable();
    keys.dedup();
    for (set, n) in keys {
        let of: Vec<(&str, &SettingRow)> = rows
            .iter()
            .filter_map(|row| row.window.as_ref().map(|window| (window, row)))
            .filter(|((s, m, _), _)| s == set && *m == n)
            .map(|((_, _, field), row)| (field.as_str(), row))
            .collect();
        for what in ["", "charge", "discharge"] {
            found.extend(window(set, n, what, &of, &proposed));
        }
    }
    until_the_next(&mut found);
    found
}

fn window(
    set: &str,
    n: u8,
    what: &str,
    of: &[(&str, &SettingRow)],
    proposed: &impl Fn(&str) -> Option<String>,
) -> Option<Window> {
    let find = |field: &str| of.iter().find(|(known, _)| *known == field).map(|(_, row)| *row);
    let says = |row: &SettingRow| proposed(&row.id).or_else(|| plain(row));
    let prefix = if what.is_empty() { String::new() } else { format!("{what}_") };
    let time = |end: &str| -> Option<(Option<u16>, Edge)> {
        if let Some(row) = find(&format!("{prefix}{end}")) {
            return Some((says(row).and_then(|text| read_time(&text)), Edge::Time(row.id.clone())));
        }
        let (hour, minute) = (find(&format!("{prefix}{end}_hour"))?, find(&format!("{prefix}{end}_min"))?);
        let number = |row| says(row).and_then(|text| text.parse::<u16>().ok());
        let at = number(hour).zip(number(minute)).map(|(hour, minute)| (hour * 60 + minute) % DAY);
        Some((at, Edge::HourAndMinute(hour.id.clone(), minute.id.clone())))
    };
    let (start, start_edge) = time("start")?;
    let (end, end_edge) = time("end").map_or((None, None), |(at, edge)| (at, Some(edge)));
    let edges = ["start", "end", "start_hour", "start_min", "end_hour", "end_min"];
    let mine = |field: &str| -> Option<String> {
        let rest = field.strip_prefix(prefix.as_str())?;
        let of_other = what.is_empty() && (field.starts_with("charge_st") || field.starts_with("discharge_"));
        (!edges.contains(&rest) && !of_other).then(|| rest.replace('_', " "))
    };
    // What holds for the whole number is told with each of its parts.
    let shared = ["enable", "repeat", "priority"];
    let others = of
        .iter()
        .filter_map(|(field, row)| {
            let name = if shared.contains(field) { Some((*field).to_owned()) } else { mine(field) }?;
            let value = proposed(&row.id)
                .map_or_else(|| row.value.clone(), |text| Some(format!("{text} {}", row.unit).trim_end().to_owned()));
            Some((name, value.unwrap_or_else(|| row.quality.word().to_owned())))
        })
        .collect();
    Some(Window { set: set.to_owned(), n, what: what.to_owned(), start, end, start_edge, end_edge, others })
}

/// Windows that have no end of their own last until the next one of their set begins.
fn until_the_next(windows: &mut [Window]) {
    let starts: Vec<(String, Option<u16>)> = windows.iter().map(|window| (window.set.clone(), window.start)).collect();
    for window in windows.iter_mut().filter(|window| window.end_edge.is_none()) {
        let Some(start) = window.start else { continue };
        let after = |at: u16| (at + DAY - start - 1) % DAY;
        window.end = starts
            .iter()
            .filter(|(set, _)| *set == window.set)
            .filter_map(|(_, at)| *at)
            .filter(|at| *at != start)
            .min_by_key(|at| after(*at))
            .or(Some(start));
    }
}

/// Pairs of windows of one set and kind that are in force at the same time, with when that begins.
pub fn overlaps(windows: &[Window]) -> Vec<(usize, usize, u16)> {
    let mut found = Vec::new();
    for (i, a) in windows.iter().enumerate() {
        for (j, b) in windows.iter().enumerate().skip(i + 1) {
            let alike = a.set == b.set && a.what == b.what;
            if let Some(at) = (0..DAY).find(|at| alike && a.holds(*at) && b.holds(*at)) {
                found.push((i, j, at));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::power as scene;

    #[test]
    fn times_are_read_as_they_are_typed() {
        for (text, time) in [("7:30", Some(450)), ("0730", Some(450)), ("730", Some(450)), (" 23.59 ", Some(1439))] {
            assert_eq!(read_time(text), time, "{text}");
        }
        for text in ["24:00", "7:60", "7:3", "x", "", "12", "07:30:00", "-1:00", "٠٧:٣٠"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_window_over_midnight_holds_on_both_sides() {
        let found = windows(&scene::settings(), |_| None);
        let names: Vec<_> = found.iter().map(Window::name).collect();
        assert_eq!(names, ["1 charge", "1 discharge", "2 charge"]);
        let night = &found[0];
        assert_eq!((night.span().as_str(), night.holds(0), night.holds(1380)), ("23:00-05:00", true, true));
        assert!(!night.holds(300) && !night.holds(720));
        assert_eq!(night.others, [("soc".to_owned(), "80 %".to_owned())]);
        assert_eq!(overlaps(&found), [(0, 2, 240)], "from 4:00 on");
        let moved = windows(&scene::settings(), |id| (id == "tou2_charge_start").then(|| "05:00".to_owned()));
        assert_eq!(overlaps(&moved), []);
    }

    #[test]
    fn a_window_without_an_end_lasts_until_the_next() {
        let rows: Vec<_> = [("a", "06:00", 1), ("b", "22:00", 2), ("c", "06:00", 3)]
            .map(|(id, at, n)| {
                let mut row = scene::settings()[0].clone();
                (row.id, row.value, row.unit) = (id.into(), Some(at.into()), String::new());
                row.window = Some(("tou".into(), n, "start".into()));
                row
            })
            .into();
        let found = windows(&rows, |_| None);
        assert_eq!(found.iter().map(Window::span).collect::<Vec<_>>(), ["06:00-22:00", "22:00-06:00", "06:00-22:00"]);
        let alone = windows(&rows[..1], |_| None);
        assert_eq!(alone[0].span(), "06:00 (empty)");
    }

    #[test]
    fn hour_and_minute_are_two_settings() {
        let edge = Edge::HourAndMinute("h".into(), "m".into());
        assert_eq!(edge.wanted(450), [("h".to_owned(), "7".to_owned()), ("m".to_owned(), "30".to_owned())]);
        assert_eq!(Edge::Time("t".into()).wanted(450), [("t".to_owned(), "07:30".to_owned())]);
    }
}
