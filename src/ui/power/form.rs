//! The one form in which a setting is changed, whatever it takes.

use super::windows::{hhmm, read_time};
use crate::model::power::{SettingRow, Takes};
use crate::ui::editor::Editor;

/// The text field that is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field {
    /// None.
    #[default]
    None,
    /// The words that a row must have.
    Filter,
    /// A new value for a setting.
    Value(Box<Form>),
    /// A time for the selected end of a window.
    Time,
}

/// A setting that is being changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The setting.
    pub row: SettingRow,
    /// The selected word of a list.
    pub selected: usize,
    /// Words that are on, where several may be.
    pub on: Vec<String>,
}

/// Minutes of a step of a time of day.
const TIME_STEP: i32 = 15;

impl Form {
    /// Opens it with what the setting says, or what it was going to say; `typed` is the text field to fill.
    pub fn open(row: &SettingRow, proposed: Option<&str>, typed: &mut Editor) -> Self {
        let says = proposed.map(str::to_owned).or_else(|| plain(row)).unwrap_or_default();
        typed.clear();
        let mut form = Self { row: row.clone(), selected: 0, on: Vec::new() };
        match &row.takes {
            Takes::OneOf(words) => form.selected = words.iter().position(|word| *word == says).unwrap_or(0),
            Takes::AnyOf(words) => {
                let is_on = |word: &&String| says.split(',').any(|part| part.trim() == word.as_str());
                form.on = words.iter().filter(is_on).cloned().collect();
            }
            _ => typed.insert(&says),
        }
        form
    }

    /// The words to choose from.
    pub fn words(&self) -> &[String] {
        match &self.row.takes {
            Takes::OneOf(words) | Takes::AnyOf(words) => words,
            _ => &[],
        }
    }

    /// Up or down: the word above or below, or a step of the number or the time.
    pub fn step(&mut self, by: i32, typed: &mut Editor) {
        match &self.row.takes {
            Takes::OneOf(words) | Takes::AnyOf(words) => {
                self.selected = self.selected.saturating_add_signed(-by as isize).min(words.len().saturating_sub(1));
            }
            Takes::Number { min, max, step, .. } => {
                let Ok(value) = typed.text().trim().replace(',', ".").parse::<f64>() else { return };
                let step = step.filter(|step| *step > 0.0).unwrap_or(1.0);
                let stepped = (value / step).round().mul_add(step, step * f64::from(by));
                let stepped = stepped.max(min.unwrap_or(f64::MIN)).min(max.unwrap_or(f64::MAX));
                replace(typed, &number(stepped, step));
            }
            Takes::TimeOfDay => {
                let Some(at) = read_time(&typed.text()) else { return };
                replace(typed, &hhmm((i32::from(at) + by * TIME_STEP).rem_euclid(1440) as u16));
            }
            Takes::DateTime | Takes::Nothing(_) => {}
        }
    }

    /// Switches the selected word on or off, where several may be.
    pub fn toggle(&mut self) {
        let Takes::AnyOf(words) = &self.row.takes else { return };
        let Some(word) = words.get(self.selected) else { return };
        if self.on.contains(word) {
            self.on.retain(|on| on != word);
        } else {
            self.on.push(word.clone());
        }
    }

    /// Goes to the first word that begins with what is typed.
    pub fn jump(&mut self, typed: &str) {
        let typed = typed.trim().to_lowercase();
        if let Some(at) = self.words().iter().position(|word| word.to_lowercase().starts_with(&typed)) {
            self.selected = at;
        }
    }

    /// What is to be written, as it would be typed.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn text(&self, typed: &str) -> Result<String, String> {
        let typed = typed.trim();
        match &self.row.takes {
            Takes::OneOf(words) => words.get(self.selected).cloned().ok_or_else(|| "there is no word to choose".into()),
            Takes::AnyOf(words) if self.on.is_empty() && !words.is_empty() => Ok("none".to_owned()),
            // In the order of the words, so that the same choice is the same text.
            Takes::AnyOf(words) => {
                let on: Vec<&str> = words.iter().filter(|word| self.on.contains(word)).map(String::as_str).collect();
                Ok(on.join(", "))
            }
            Takes::Number { min, max, words, .. } => {
                if words.iter().any(|word| word.eq_ignore_ascii_case(typed)) {
                    return Ok(typed.to_owned());
                }
                let value: f64 = typed
                    .replace(',', ".")
                    .parse()
                    .map_err(|_| format!("{typed:?} is not a number; it takes {}", allowed(&self.row)))?;
                let inside = min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
                if inside && value.is_finite() {
                    Ok(typed.replace(',', "."))
                } else {
                    Err(format!("{typed} is out of range; it takes {}", allowed(&self.row)))
                }
            }
            Takes::TimeOfDay => {
                read_time(typed).map(hhmm).ok_or_else(|| format!("{typed:?} is not a time such as 07:30"))
            }
            Takes::DateTime if typed.is_empty() => Err("type a date and a time such as 2026-03-01 09:30:00".to_owned()),
            Takes::DateTime => Ok(typed.to_owned()),
            Takes::Nothing(why) => Err(why.clone()),
        }
    }
}

fn replace(typed: &mut Editor, text: &str) {
    typed.clear();
    typed.insert(text);
}

/// A number with as many places as its step has.
fn number(value: f64, step: f64) -> String {
    let places = (0..6).find(|places| (step * 10_f64.powi(*places)).fract().abs() < 1e-9).unwrap_or(6);
    format!("{value:.0$}", places as usize)
}

/// What a setting says, as it would be typed: without its unit.
pub(super) fn plain(row: &SettingRow) -> Option<String> {
    let value = row.value.as_deref()?;
    let bare = value.strip_suffix(row.unit.as_str()).filter(|_| !row.unit.is_empty()).unwrap_or(value);
    Some(bare.trim().to_owned())
}

/// What may be typed, in words.
pub fn allowed(row: &SettingRow) -> String {
    match &row.takes {
        Takes::Number { min, max, step, words } => {
            let unit = &row.unit;
            let mut text = match (min, max) {
                (Some(min), Some(max)) => format!("{min} to {max} {unit}"),
                (Some(min), None) => format!("{min} {unit} and more"),
                (None, Some(max)) => format!("up to {max} {unit}"),
                (None, None) => format!("a number {unit}"),
            };
            if let Some(step) = step.filter(|step| *step > 0.0) {
                text = format!("{} in steps of {step}", text.trim_end());
            }
            if !words.is_empty() {
                text = format!("{}, or {}", text.trim_end(), words.join(", "));
            }
            text.trim_end().to_owned()
        }
        Takes::OneOf(words) => format!("one of {}", words.join(", ")),
        Takes::AnyOf(words) => format!("any of {}", words.join(", ")),
        Takes::TimeOfDay => "a time of day, HH:MM".to_owned(),
        Takes::DateTime => "date and time, 2026-03-01 09:30:00".to_owned(),
        Takes::Nothing(why) => format!("nothing: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::power as scene;

    fn open(id: &str) -> (Form, Editor) {
        let rows = scene::settings();
        let mut typed = Editor::default();
        let form = Form::open(rows.iter().find(|row| row.id == id).unwrap(), None, &mut typed);
        (form, typed)
    }

    #[test]
    fn a_number_stays_in_its_range_and_on_its_step() {
        let (mut form, mut typed) = open("soc_min");
        assert_eq!(typed.text(), "20");
        form.step(1, &mut typed);
        assert_eq!(form.text(&typed.text()), Ok("21".to_owned()));
        assert!(form.text("101").unwrap_err().contains("5 to 100 %"));
        assert!(form.text("x").unwrap_err().contains("not a number"));
        assert_eq!(form.text("30,5"), Ok("30.5".to_owned()), "steps are judged where the profile is known");
    }

    #[test]
    fn words_are_chosen_and_bits_switched() {
        let (mut form, mut typed) = open("work_mode");
        form.step(-1, &mut typed);
        assert_eq!(form.text(""), Ok("battery first".to_owned()));
        form.jump("SELF");
        assert_eq!(form.text(""), Ok("self use".to_owned()));
        let (mut bits, _) = open("days");
        assert_eq!(bits.on, ["Mon", "Tue"]);
        bits.toggle();
        assert_eq!(bits.text(""), Ok("Tue".to_owned()));
        bits.selected = 1;
        bits.toggle();
        assert_eq!(bits.text(""), Ok("none".to_owned()));
    }

    #[test]
    fn times_are_times() {
        let (mut form, mut typed) = open("tou1_charge_start");
        assert_eq!(typed.text(), "23:00");
        for _ in 0..5 {
            form.step(1, &mut typed);
        }
        assert_eq!(form.text(&typed.text()), Ok("00:15".to_owned()));
        assert!(form.text("25:00").is_err());
    }
}
