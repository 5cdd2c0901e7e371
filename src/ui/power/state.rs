//! What the tab knows beside the snapshot.

use std::sync::Arc;
use std::time::Duration;

use super::changes::ChangeSet;
use super::clock;
use super::course::Course;
use super::face::same_face;
use super::faults::FaultLog;
use super::form::Field;
use super::keys::PowerPage;
use super::windows::{Window, windows};
use crate::model::Time;
use crate::model::power::{Power, PowerAnswer, PowerQuery, RegisterRow, SettingRow, Unit};
use crate::ui::editor::Editor;
use crate::ui::tab::Tab;

/// How often registers and settings are asked for while they are looked at.
const REFRESH: Duration = Duration::from_secs(1);

/// Rows of an inverter, or why there are none.
pub type Found<T> = Option<(String, Result<Arc<Vec<T>>, String>)>;

/// What is shown on the page of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SettingsView {
    /// All settings.
    #[default]
    List,
    /// The changes that are collected, and what became of the last ones.
    Changes,
    /// The time windows.
    Windows,
}

/// State of the tab.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PowerPanel {
    /// The open page.
    pub page: PowerPage,
    /// What the page of settings shows.
    pub view: SettingsView,
    /// Which inverter, counted from 0; of several, the last place is all of them together.
    pub place: usize,
    /// The selected row.
    pub selected: usize,
    /// Words that a row must have.
    pub filter: Editor,
    /// The text field that is open.
    pub field: Field,
    /// What is typed into it, where that is not the filter.
    pub typed: Editor,
    /// The settings that came last.
    pub settings: Found<SettingRow>,
    /// The registers that came last.
    pub registers: Found<RegisterRow>,
    /// What is to be changed.
    pub changes: ChangeSet,
    /// How power went.
    pub course: Course,
    /// Faults since the start.
    pub faults: FaultLog,
    /// The page of rules shows the plan of the battery.
    pub plan: bool,
    /// When the page asks anew.
    pub refresh_at: Option<Time>,
}

impl PowerPanel {
    /// The inverter that the page is about. `None`: all of them together, or there is none.
    pub fn unit<'a>(&self, power: &'a Power) -> Option<&'a Arc<Unit>> {
        let one = power.inverters.len() == 1 || self.page.needs_one();
        power.inverters.get(self.place).or_else(|| power.inverters.first().filter(|_| one))
    }

    /// The next inverter, then all of them together.
    pub fn next_unit(&mut self, power: &Power) {
        let count = power.inverters.len();
        let places = if count > 1 && !self.page.needs_one() { count + 1 } else { count.max(1) };
        self.place = (self.place.min(places - 1) + 1) % places;
        self.selected = 0;
    }

    /// Opens a page at its top.
    pub fn turn(&mut self, page: PowerPage) {
        if self.page != page {
            (self.page, self.selected, self.view) = (page, 0, SettingsView::List);
            self.filter.clear();
        }
        self.field = Field::None;
    }

    /// The settings that are known of an inverter.
    pub fn settings_of(&self, name: &str) -> Option<&Result<Arc<Vec<SettingRow>>, String>> {
        self.settings.as_ref().filter(|(of, _)| of == name).map(|(_, rows)| rows)
    }

    /// Those that the filter leaves.
    pub fn settings_left(&self, name: &str) -> Vec<&SettingRow> {
        let words = self.filter.text().to_lowercase();
        let rows = self.settings_of(name).and_then(|rows| rows.as_ref().ok());
        rows.into_iter().flat_map(|rows| rows.iter()).filter(|row| setting_has(row, &words)).collect()
    }

    /// The registers that the filter leaves.
    pub fn registers_left(&self, name: &str) -> Vec<&RegisterRow> {
        let words = self.filter.text().to_lowercase();
        let rows = self.registers.as_ref().filter(|(of, _)| of == name).and_then(|(_, rows)| rows.as_ref().ok());
        rows.into_iter().flat_map(|rows| rows.iter()).filter(|row| register_has(row, &words)).collect()
    }

    /// The time windows of an inverter, with what is going to be changed.
    pub fn windows_of(&self, name: &str) -> Vec<Window> {
        let rows = self.settings_of(name).and_then(|rows| rows.as_ref().ok());
        let proposed = |id: &str| self.changes.proposed(name, id).map(str::to_owned);
        rows.map_or_else(Vec::new, |rows| windows(rows, proposed))
    }

    /// Moves the selection by so many rows of `len`.
    pub fn select(&mut self, by: isize, len: usize) {
        let last = len.saturating_sub(1);
        self.selected = self.selected.min(last).saturating_add_signed(by).min(last);
    }

    /// What the open page is to ask now. `now_ms`: the present in ms of Unix time, if that is known.
    pub fn ask(&mut self, power: &Power, now: Time, now_ms: Option<i64>) -> Vec<PowerQuery> {
        let name = self.unit(power).map(|unit| unit.known.name.clone());
        self.refresh_at = Some(now + REFRESH);
        match (self.page, name) {
            (PowerPage::Settings, Some(inverter)) => vec![PowerQuery::Settings { inverter }],
            (PowerPage::Registers, Some(inverter)) => vec![PowerQuery::Registers { inverter }],
            (PowerPage::History, of) if !power.inverters.is_empty() => {
                let Some(now_ms) = now_ms else { return Vec::new() };
                let queries = self.course.ask(of, now_ms);
                self.refresh_at = self.course.refresh_at(now);
                queries.into()
            }
            _ => {
                self.refresh_at = None;
                Vec::new()
            }
        }
    }

    /// Takes an answer.
    pub fn take(&mut self, answer: &PowerAnswer) {
        match answer {
            PowerAnswer::Registers { inverter, rows } => self.registers = Some((inverter.clone(), rows.clone())),
            PowerAnswer::Settings { inverter, rows } => self.settings = Some((inverter.clone(), rows.clone())),
            PowerAnswer::Changes { .. } => self.changes.take(answer),
            PowerAnswer::History { .. } | PowerAnswer::Energies { .. } => self.course.take(answer),
        }
    }

    /// When something of power changes on the screen by time alone, or is to be asked for.
    pub fn poll_timeout(&self, tab: Tab, power: &Power, now: Time) -> Option<Time> {
        let open = tab == Tab::Power;
        let refresh = self.refresh_at.filter(|_| open).map(|at| at.max(now));
        [clock::next(power, open, now), refresh].into_iter().flatten().min()
    }

    /// Whether a newer state of power changes nothing on the screen.
    pub fn sees_nothing_new(&self, tab: Tab, old: &Arc<Power>, new: &Arc<Power>, now: Time) -> bool {
        Arc::ptr_eq(old, new) || (tab != Tab::Power && same_face(old, new, now)) || old == new
    }
}

fn setting_has(row: &SettingRow, words: &str) -> bool {
    let value = row.value.as_deref().unwrap_or_default();
    let addresses = at_addresses(&row.addresses);
    has(
        words,
        [row.id.as_str(), &row.title, &addresses, value, &row.note]
            .into_iter()
            .chain(row.aliases.iter().map(String::as_str)),
    )
}

/// Addresses as people look for them.
fn at_addresses(addresses: &[u16]) -> String {
    addresses.iter().map(|at| format!("{at} {at:#06x}")).collect::<Vec<_>>().join(" ")
}

fn register_has(row: &RegisterRow, words: &str) -> bool {
    let addresses = at_addresses(&row.addresses);
    let shown = row.shown.as_deref().unwrap_or_default();
    has(words, [row.id.as_str(), &addresses, shown, &row.note])
}

/// Each of the words is in one of the texts.
fn has<'a>(words: &str, texts: impl IntoIterator<Item = &'a str>) -> bool {
    let all = texts.into_iter().collect::<Vec<_>>().join(" ").to_lowercase();
    words.split_whitespace().all(|word| all.contains(word))
}
