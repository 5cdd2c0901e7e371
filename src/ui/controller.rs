//! State of the tab Settings: which row is selected, what is searched, what is typed.

use super::editor::Editor;
use crate::model::settings::{Setting, SettingsTable};

/// What the tab knows beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// What is shown.
    pub page: Page,
    /// The selected row of those that are shown.
    pub selected: usize,
    /// Words that a row must have.
    pub filter: Editor,
    /// The text field that is open.
    pub field: Field,
    /// What is typed into it, where that is not the search.
    pub value: Editor,
    /// A backup to compare another one with.
    pub marked: Option<String>,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The settings.
    #[default]
    List,
    /// The backups.
    Backups,
    /// A comparison, and how a restore goes.
    Compared,
}

/// The text field that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// None.
    #[default]
    None,
    /// The search.
    Filter,
    /// A new value for the setting of this key.
    Value(String),
    /// The word that allows a backup of another machine, of this name.
    Word(String),
}

impl Controller {
    /// The rows that the search leaves.
    pub fn rows<'a>(&self, table: &'a SettingsTable) -> Vec<&'a Setting> {
        let words = self.filter.text().to_lowercase();
        table.rows.iter().filter(|row| row.matches(&words)).collect()
    }

    /// Moves the selection by so many rows of `len`.
    pub fn select(&mut self, by: isize, len: usize) {
        self.selected = self.selected.min(len.saturating_sub(1)).saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Shows another page from its top.
    pub fn turn(&mut self, page: Page) {
        self.page = page;
        self.selected = 0;
        self.field = Field::None;
    }
}
