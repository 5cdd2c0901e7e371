//! A line of text being typed, with the lines typed before.

use crossterm::event::{KeyCode, KeyModifiers};

use super::keymap::Chord;

/// Lines that are remembered.
const MAX_HISTORY: usize = 200;
/// Longest line that can be typed; FluidNC and grblHAL take 255 bytes.
const MAX_CHARS: usize = 255;

/// The line and its history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: Vec<char>,
    cursor: usize,
    history: Vec<String>,
    /// Place in the history while looking back; `None`: a new line.
    place: Option<usize>,
    draft: String,
    /// What is looked for in the history, while going from one match to the next.
    needle: Option<String>,
}

impl Editor {
    /// An empty line that remembers these, oldest first.
    pub fn with_history(mut lines: Vec<String>) -> Self {
        lines.drain(..lines.len().saturating_sub(MAX_HISTORY));
        Self { history: lines, ..Self::default() }
    }

    /// The next older line of the history that holds what was typed when the search began. `false`: there is none.
    pub fn search(&mut self) -> bool {
        let needle = self.needle.take().unwrap_or_else(|| self.text());
        let before = self.place.unwrap_or(self.history.len());
        let wanted = needle.to_lowercase();
        let found = self.history[..before].iter().rposition(|line| line.to_lowercase().contains(&wanted));
        if let Some(place) = found {
            if self.place.is_none() {
                self.draft = self.text();
            }
            self.place = Some(place);
            let line = self.history[place].clone();
            self.set(&line);
        }
        self.needle = Some(needle);
        found.is_some()
    }

    /// The text as typed so far.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Cursor, in characters from the start.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// The characters.
    pub fn chars(&self) -> &[char] {
        &self.text
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.needle = None;
        self.set("");
        self.place = None;
    }

    /// Takes the line and remembers it.
    pub fn take(&mut self) -> String {
        let text = self.text();
        if !text.trim().is_empty() {
            self.history.retain(|line| *line != text);
            if self.history.len() == MAX_HISTORY {
                self.history.remove(0);
            }
            self.history.push(text.clone());
        }
        self.clear();
        text
    }

    /// Puts text in at the cursor. Line ends become spaces: nothing is sent without Enter.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars() {
            let c = if c == '\n' || c == '\t' { ' ' } else { c };
            if !c.is_control() && self.text.len() < MAX_CHARS {
                self.text.insert(self.cursor, c);
                self.cursor += 1;
            }
        }
    }

    /// Puts text behind what is there.
    pub fn append(&mut self, text: &str) {
        self.needle = None;
        self.cursor = self.text.len();
        self.insert(text);
    }

    /// An editing key. `false`: not one.
    pub fn key(&mut self, chord: Chord) -> bool {
        self.needle = None;
        let ctrl = chord.modifiers == KeyModifiers::CONTROL;
        match chord.code {
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.text.len(),
            KeyCode::Char('u') if ctrl => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            KeyCode::Char('k') if ctrl => self.text.truncate(self.cursor),
            KeyCode::Char('w') if ctrl => self.delete_word(),
            KeyCode::Char(c) if chord.modifiers.is_empty() => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            KeyCode::Delete if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            KeyCode::Backspace | KeyCode::Delete => {}
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    /// The line before in the history.
    pub fn earlier(&mut self) {
        let place = match self.place {
            None if self.history.is_empty() => return,
            None => {
                self.draft = self.text();
                self.history.len() - 1
            }
            Some(place) => place.saturating_sub(1),
        };
        self.place = Some(place);
        let line = self.history[place].clone();
        self.set(&line);
    }

    /// The line after; past the last one, what was being typed.
    pub fn later(&mut self) {
        let Some(place) = self.place else { return };
        let line = if let Some(line) = self.history.get(place + 1) {
            self.place = Some(place + 1);
            line.clone()
        } else {
            self.place = None;
            std::mem::take(&mut self.draft)
        };
        self.set(&line);
    }

    fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
        self.cursor = self.text.len();
    }

    fn delete_word(&mut self) {
        let mut start = self.cursor;
        while start > 0 && self.text[start - 1] == ' ' {
            start -= 1;
        }
        while start > 0 && self.text[start - 1] != ' ' {
            start -= 1;
        }
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> Editor {
        let mut editor = Editor::default();
        for key in keys {
            assert!(editor.key(key.parse().unwrap()), "{key}");
        }
        editor
    }

    #[test]
    fn editing() {
        for (keys, text, cursor) in [
            (&["G", "0"][..], "G0", 2),
            (&["G", "0", "Left", "1"][..], "G10", 2),
            (&["G", "0", "Home", "Delete"][..], "0", 0),
            (&["G", "Space", "X", "Ctrl+W"][..], "G ", 2),
            (&["G", "0", "Ctrl+U"][..], "", 0),
            (&["Backspace", "Left", "é"][..], "é", 1),
        ] {
            let editor = typed(keys);
            assert_eq!((editor.text().as_str(), editor.cursor()), (text, cursor), "{keys:?}");
        }
    }

    #[test]
    fn history_keeps_the_draft() {
        let mut editor = Editor::default();
        editor.insert("G0 X1");
        assert_eq!(editor.take(), "G0 X1");
        editor.insert("draft");
        editor.earlier();
        assert_eq!(editor.text(), "G0 X1");
        editor.earlier();
        assert_eq!(editor.text(), "G0 X1");
        editor.later();
        assert_eq!(editor.text(), "draft");
    }

    #[test]
    fn a_search_goes_from_match_to_older_match_and_a_line_is_remembered_once() {
        let lines = ["G0 X1", "$H", "G0 Y2", "$$"].map(str::to_owned);
        let mut editor = Editor::with_history(lines.into());
        editor.insert("g0");
        assert!(editor.search());
        assert_eq!(editor.text(), "G0 Y2");
        assert!(editor.search());
        assert_eq!(editor.text(), "G0 X1");
        assert!(!editor.search());
        assert_eq!(editor.text(), "G0 X1", "the last match stays");
        assert_eq!(editor.take(), "G0 X1");
        assert!(editor.search(), "nothing typed finds the latest");
        assert_eq!(editor.text(), "G0 X1");
        editor.search();
        editor.search();
        editor.search();
        assert_eq!(editor.text(), "$H");
        assert!(!editor.search());
    }

    #[test]
    fn a_paste_is_one_line() {
        let mut editor = Editor::default();
        editor.insert("G0\nX1\x1b\x07");
        assert_eq!(editor.text(), "G0 X1");
    }
}
