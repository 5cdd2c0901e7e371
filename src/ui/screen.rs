//! From one frame to the next: only the cells that changed, in one write, inside a synchronized update.

use std::io::{self, Write};

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The frame that the terminal shows.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    cursor: Option<Position>,
    /// The terminal's content is not known: everything is drawn.
    unknown: bool,
}

impl Screen {
    /// Of this size, with nothing drawn yet.
    pub fn new(size: Size) -> Self {
        Self { shown: Buffer::empty(Rect::from((Position::ORIGIN, size))), cursor: None, unknown: true }
    }

    /// The terminal has another size now.
    pub fn resize(&mut self, size: Size) {
        *self = Self::new(size);
    }

    /// The next frame is drawn as a whole.
    pub fn forget(&mut self) {
        *self = Self::new(self.shown.area.as_size());
    }

    /// The bytes that bring the terminal to what `draw` draws; none where nothing changed.
    ///
    /// # Errors
    /// None in practice: the bytes go to memory.
    pub fn frame(&mut self, draw: impl FnOnce(&mut Buffer) -> Option<Position>) -> io::Result<Vec<u8>> {
        let mut next = Buffer::empty(self.shown.area);
        let cursor = draw(&mut next);
        let changes = self.shown.diff(&next);
        if changes.is_empty() && cursor == self.cursor && !self.unknown {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::with_capacity(8 * 1024);
        bytes.extend_from_slice(BEGIN);
        if self.unknown {
            bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
        }
        let mut backend = CrosstermBackend::new(&mut bytes);
        if !changes.is_empty() {
            backend.draw(changes.into_iter())?;
        }
        match cursor {
            Some(position) => {
                backend.set_cursor_position(position)?;
                if self.cursor.is_none() || self.unknown {
                    backend.show_cursor()?;
                }
            }
            None if self.cursor.is_some() || self.unknown => backend.hide_cursor()?,
            None => {}
        }
        Write::flush(&mut backend)?;
        bytes.extend_from_slice(END);
        self.shown = next;
        self.cursor = cursor;
        self.unknown = false;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
