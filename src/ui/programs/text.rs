//! A window on the lines of a file, which may have millions: what is in sight is asked for, and a little around it.

use std::path::{Path, PathBuf};

use crate::model::program::ProgramQuery;

/// Lines that are asked for at once.
const WINDOW: usize = 200;
/// Lines before the cursor that are asked for.
const BEFORE: u64 = 60;
/// So near to an end of what is known, more is asked for.
const MARGIN: u64 = 30;

/// The lines of one file around a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextWindow {
    /// The file.
    pub path: Option<PathBuf>,
    /// Where a person looks, counted from 1.
    pub cursor: u64,
    /// Why it cannot be read.
    pub error: Option<String>,
    from: u64,
    lines: Vec<String>,
    /// The last line of the file, once it was seen.
    end: Option<u64>,
    /// A line that the file does not have.
    beyond: Option<u64>,
    /// The first line of a question that is under way.
    asked: Option<u64>,
    /// The first line of the last question that was answered.
    answered: Option<u64>,
}

impl TextWindow {
    /// Looks at a line of a file. What is known of that file stays.
    pub fn look(&mut self, path: &Path, line: u64) {
        if self.path.as_deref() != Some(path) {
            *self = Self { path: Some(path.to_owned()), ..Self::default() };
        }
        self.cursor = line.max(1);
        self.clamp();
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: i64) {
        self.cursor = self.cursor.saturating_add_signed(by).max(1);
        self.clamp();
    }

    /// To the end, of which somebody else may know where it is.
    pub fn to_end(&mut self, lines: Option<u64>) {
        if let Some(end) = self.end.or(lines) {
            self.cursor = end.max(1);
        }
    }

    /// Reads everything anew at the next question: the file may have changed.
    pub fn forget(&mut self) {
        let (path, cursor) = (self.path.take(), self.cursor);
        *self = Self { path, cursor, ..Self::default() };
    }

    fn clamp(&mut self) {
        if let Some(end) = self.end {
            self.cursor = self.cursor.min(end.max(1));
        }
    }

    /// A line, where it is known.
    pub fn line(&self, number: u64) -> Option<&str> {
        let at = number.checked_sub(self.from)?;
        self.lines.get(usize::try_from(at).ok()?).map(String::as_str)
    }

    /// Whether the file is known to have this line.
    pub fn is_past_end(&self, number: u64) -> bool {
        self.end.is_some_and(|end| number > end)
    }

    /// The line behind those that are known.
    fn below(&self) -> u64 {
        self.from + self.lines.len() as u64
    }

    /// The next question, if one is due. There is never more than one under way.
    pub fn query(&mut self) -> Option<ProgramQuery> {
        let path = self.path.clone()?;
        if self.asked.is_some() || self.error.is_some() || self.is_past_end(self.cursor) {
            return None;
        }
        let from = self.wanted()?;
        self.asked = Some(from);
        Some(ProgramQuery::Lines { path, from, count: WINDOW })
    }

    fn wanted(&self) -> Option<u64> {
        let wanted = self.cursor.saturating_sub(BEFORE).max(1);
        let is_new = |from| self.answered != Some(from);
        if self.line(self.cursor).is_some() {
            if self.end.is_none() && self.cursor + MARGIN >= self.below() {
                return Some(self.below()).filter(|below| is_new(*below));
            }
            // A page may hold fewer lines than asked for, where they are long: then going up asks at the top only.
            let near_top = self.from > 1 && self.cursor < self.from + MARGIN && self.lines.len() >= WINDOW;
            return Some(wanted).filter(|wanted| near_top && is_new(*wanted));
        }
        if is_new(wanted) {
            return Some(wanted);
        }
        // Where the file has fewer lines than was thought, what is known is followed to its end.
        let follows = self.beyond.is_some() && !self.lines.is_empty() && self.below() <= self.cursor;
        let next = if follows { self.below() } else { self.cursor };
        Some(next).filter(|next| is_new(*next))
    }

    /// Takes an answer, if it is to the question under way.
    pub fn take(&mut self, path: &Path, from: u64, lines: &Result<Vec<String>, String>) -> bool {
        if self.path.as_deref() != Some(path) || self.asked != Some(from) {
            return false;
        }
        (self.asked, self.answered) = (None, Some(from));
        match lines {
            Err(why) => self.error = Some(why.clone()),
            Ok(lines) if lines.is_empty() => {
                if from <= 1 || from == self.below() {
                    self.end = Some(from.saturating_sub(1));
                    self.clamp();
                } else {
                    self.beyond = Some(from);
                    // Half-way back, but not further than to what is known.
                    self.cursor = self.cursor.min((from / 2).max(self.below().saturating_sub(1)).max(1));
                }
            }
            Ok(lines) if from == self.below() && !self.lines.is_empty() => {
                self.lines.extend_from_slice(lines);
                let gone = self.lines.len().saturating_sub(2 * WINDOW);
                self.lines.drain(..gone);
                self.from += gone as u64;
            }
            Ok(lines) => {
                self.from = from;
                self.lines.clone_from(lines);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A desk for a file of so many lines, of which it tells at most `page` at once. Returns how often it was asked.
    fn serve(window: &mut TextWindow, lines: u64, page: usize) -> usize {
        let mut asked = 0;
        while let Some(ProgramQuery::Lines { path, from, count }) = window.query() {
            asked += 1;
            assert!(asked < 40, "it asks for ever");
            assert_eq!(window.query(), None, "one question at a time");
            let told = (from..=lines).take(count.min(page)).map(|n| format!("N{n}")).collect();
            assert!(window.take(&path, from, &Ok(told)));
        }
        asked
    }

    #[test]
    fn what_is_around_the_cursor_is_asked_for_once() {
        let mut window = TextWindow::default();
        window.look(Path::new("a.nc"), 5000);
        assert_eq!(serve(&mut window, 10_000, 500), 1);
        assert_eq!(window.line(5000), Some("N5000"));
        for _ in 0..20 {
            window.step(1);
            assert_eq!(serve(&mut window, 10_000, 500), 0);
        }
        window.step(200);
        assert_eq!(serve(&mut window, 10_000, 500), 1);
        assert_eq!(window.line(5220), Some("N5220"));
    }

    #[test]
    fn the_end_is_found_and_held() {
        for (lines, cursor) in [(10, 900), (10, 1), (1000, 900), (450, 70_000)] {
            let mut window = TextWindow::default();
            window.look(Path::new("a.nc"), cursor);
            for _ in 0..3 {
                serve(&mut window, lines, 500);
                window.step(1000);
            }
            serve(&mut window, lines, 500);
            assert_eq!(window.cursor, lines, "from {cursor}");
            assert_eq!(window.line(lines), Some(format!("N{lines}").as_str()));
            assert!(window.is_past_end(lines + 1));
        }
        let mut empty = TextWindow::default();
        empty.look(Path::new("e.nc"), 1);
        assert_eq!(serve(&mut empty, 0, 500), 1);
        assert!(empty.is_past_end(1));
    }

    #[test]
    fn long_lines_of_which_a_page_holds_few_are_reached_too() {
        let mut window = TextWindow::default();
        window.look(Path::new("a.nc"), 5000);
        assert!(serve(&mut window, 10_000, 3) <= 15);
        assert_eq!(window.line(5000), Some("N5000"));
    }

    #[test]
    fn an_answer_about_another_file_changes_nothing() {
        let mut window = TextWindow::default();
        window.look(Path::new("a.nc"), 1);
        assert!(window.query().is_some());
        assert!(!window.take(Path::new("b.nc"), 1, &Ok(vec!["M2".into()])));
        assert_eq!(window.line(1), None);
    }
}
