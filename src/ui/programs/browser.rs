//! The list of files: folder, filter, order, selection.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::facts;
use crate::model::program::ask::Details;
use crate::model::program::{Entry, ProgramQuery, Severity};
use crate::ui::editor::Editor;

/// Files whose check is remembered for the list.
const KNOWN: usize = 512;

/// By what the list is sorted. Folders always go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The youngest first.
    #[default]
    Newest,
    /// By name.
    Name,
    /// The largest first.
    Largest,
}

impl Sort {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Newest => "newest first",
            Self::Name => "by name",
            Self::Largest => "largest first",
        }
    }

    /// The one after it, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Newest => Self::Name,
            Self::Name => Self::Largest,
            Self::Largest => Self::Newest,
        }
    }
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// The folder above.
    Up,
    /// A folder or a file.
    Entry(&'a Entry),
}

/// What the list tells of a file that was checked: of this content's size and time, or it is not told.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Estimated seconds, or why it could not be read.
    pub result: Result<f64, String>,
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Browser {
    /// What is listed; `None`: the configured folders themselves.
    pub folder: Option<PathBuf>,
    /// What is in it; `None` until it was told.
    pub entries: Option<Result<Vec<Entry>, String>>,
    /// What is not among them, and why.
    pub notes: Vec<String>,
    /// What the names must contain.
    pub filter: Editor,
    /// The order.
    pub sort: Sort,
    /// The selected row.
    pub selected: usize,
    /// Folders above this one.
    trail: Vec<Option<PathBuf>>,
    /// The entry to be selected once the list has come.
    wanted: Option<PathBuf>,
    known: BTreeMap<PathBuf, Known>,
}

impl Browser {
    /// The question for what is shown.
    pub fn query(&self) -> ProgramQuery {
        ProgramQuery::List(self.folder.clone())
    }

    /// The rows that are shown, in order.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let Some(Ok(entries)) = &self.entries else { return self.up().into_iter().collect() };
        let filter = self.filter.text().trim().to_lowercase();
        let mut found: Vec<&Entry> =
            entries.iter().filter(|entry| entry.name.to_lowercase().contains(&filter)).collect();
        found.sort_by(|a, b| {
            let order = match self.sort {
                Sort::Newest => b.modified_ms.cmp(&a.modified_ms),
                Sort::Largest => b.bytes.cmp(&a.bytes),
                Sort::Name => std::cmp::Ordering::Equal,
            };
            let name = || a.name.to_lowercase().cmp(&b.name.to_lowercase());
            b.is_folder.cmp(&a.is_folder).then(order).then_with(name)
        });
        self.up().into_iter().chain(found.into_iter().map(Row::Entry)).collect()
    }

    fn up(&self) -> Option<Row<'_>> {
        self.folder.is_some().then_some(Row::Up)
    }

    /// The selected file or folder.
    pub fn current(&self) -> Option<&Entry> {
        match self.rows().get(self.selected)? {
            Row::Up => None,
            Row::Entry(entry) => Some(*entry),
        }
    }

    /// A file or folder of the list.
    pub fn entry(&self, path: &Path) -> Option<&Entry> {
        self.entries.as_ref()?.as_ref().ok()?.iter().find(|entry| entry.path == path)
    }

    /// The selected file.
    pub fn file(&self) -> Option<&Path> {
        self.current().filter(|entry| !entry.is_folder).map(|entry| entry.path.as_path())
    }

    /// Moves the selection.
    pub fn select(&mut self, by: isize) {
        let last = self.rows().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Sorts otherwise; what was selected stays so.
    pub fn turn(&mut self) {
        let kept = self.current().map(|entry| entry.path.clone());
        self.sort = self.sort.next();
        self.find(kept.as_deref());
    }

    /// Goes into a folder.
    pub fn enter(&mut self, folder: PathBuf) -> ProgramQuery {
        self.trail.push(self.folder.replace(folder));
        self.open()
    }

    /// Goes to the folder above. `None`: there is none.
    pub fn leave(&mut self) -> Option<ProgramQuery> {
        let left = self.folder.take()?;
        self.folder = self.trail.pop().flatten();
        let query = self.open();
        self.wanted = Some(left);
        Some(query)
    }

    fn open(&mut self) -> ProgramQuery {
        self.entries = None;
        self.notes.clear();
        self.filter.clear();
        // The row below "the folder above", where there is one.
        self.selected = usize::from(self.folder.is_some());
        self.wanted = None;
        self.query()
    }

    /// Takes what a folder holds, if it is the one that is shown.
    pub fn take(&mut self, folder: Option<&Path>, entries: &Result<Vec<Entry>, String>, notes: &[String]) {
        if folder != self.folder.as_deref() {
            return;
        }
        let kept = self.wanted.take().or_else(|| self.current().map(|entry| entry.path.clone()));
        // What changed on disk has to be checked again.
        if let (Some(Ok(old)), Ok(new)) = (&self.entries, entries) {
            for entry in new.iter().filter(|entry| !old.contains(entry)) {
                self.known.remove(&entry.path);
            }
        }
        self.entries = Some(entries.clone());
        notes.clone_into(&mut self.notes);
        self.find(kept.as_deref());
    }

    fn find(&mut self, path: Option<&Path>) {
        let rows = self.rows();
        let found = path.and_then(|path| {
            rows.iter().position(|row| matches!(row, Row::Entry(entry) if entry.path.as_path() == path))
        });
        self.selected = found.unwrap_or_else(|| self.selected.min(rows.len().saturating_sub(1)));
    }

    /// Remembers what a check found.
    pub fn learn(&mut self, path: &Path, result: &Result<Arc<Details>, String>) {
        let known = match result {
            Ok(details) => Known {
                result: Ok(details.report.times.total_s()),
                errors: facts::count(details, Severity::Error),
                warnings: facts::count(details, Severity::Warning),
            },
            Err(why) => Known { result: Err(why.clone()), errors: 0, warnings: 0 },
        };
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(path.to_owned(), known);
    }

    /// What is remembered of a file.
    pub fn known(&self, path: &Path) -> Option<&Known> {
        self.known.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, is_folder: bool, bytes: u64, modified_ms: i64) -> Entry {
        Entry { path: Path::new("/g").join(name), name: name.into(), is_folder, bytes, modified_ms }
    }

    fn names(browser: &Browser) -> Vec<String> {
        browser
            .rows()
            .iter()
            .map(|row| match row {
                Row::Up => "..".to_owned(),
                Row::Entry(entry) => entry.name.clone(),
            })
            .collect()
    }

    fn browser() -> Browser {
        let mut browser = Browser::default();
        browser.enter("/g".into());
        let entries = vec![
            entry("a.nc", false, 5, 1),
            entry("B.nc", false, 9, 3),
            entry("old", true, 0, 0),
            entry("c.gcode", false, 1, 2),
        ];
        browser.take(Some(Path::new("/g")), &Ok(entries), &[]);
        browser
    }

    #[test]
    fn folders_go_first_and_the_order_turns_while_the_selection_stays() {
        let mut browser = browser();
        assert_eq!(names(&browser), ["..", "old", "B.nc", "c.gcode", "a.nc"]);
        browser.selected = 3;
        browser.turn();
        assert_eq!(names(&browser), ["..", "old", "a.nc", "B.nc", "c.gcode"]);
        assert_eq!(browser.current().unwrap().name, "c.gcode");
        browser.turn();
        assert_eq!(names(&browser), ["..", "old", "B.nc", "a.nc", "c.gcode"]);
    }

    #[test]
    fn a_filter_narrows_and_an_answer_for_another_folder_changes_nothing() {
        let mut browser = browser();
        browser.filter.insert("NC");
        assert_eq!(names(&browser), ["..", "B.nc", "a.nc"]);
        browser.take(Some(Path::new("/elsewhere")), &Ok(Vec::new()), &[]);
        assert_eq!(names(&browser), ["..", "B.nc", "a.nc"]);
        browser.select(99);
        assert_eq!(browser.selected, 2);
    }

    #[test]
    fn leaving_a_folder_selects_it_above() {
        let mut browser = Browser::default();
        browser.take(None, &Ok(vec![entry("x", true, 0, 0), entry("g", true, 0, 0)]), &[]);
        browser.enter("/g/g".into());
        assert_eq!(browser.leave(), Some(ProgramQuery::List(None)));
        browser.take(None, &Ok(vec![entry("x", true, 0, 0), entry("g", true, 0, 0)]), &[]);
        assert_eq!(browser.current().unwrap().name, "g");
        assert_eq!(browser.leave(), None);
    }

    #[test]
    fn what_changed_on_disk_is_not_known_any_more() {
        let mut browser = browser();
        for name in ["/g/a.nc", "/g/B.nc"] {
            browser.learn(Path::new(name), &Err("empty".into()));
        }
        let entries = vec![entry("a.nc", false, 5, 1), entry("B.nc", false, 10, 4)];
        browser.take(Some(Path::new("/g")), &Ok(entries), &[]);
        assert!(browser.known(Path::new("/g/a.nc")).is_some());
        assert!(browser.known(Path::new("/g/B.nc")).is_none());
    }
}
