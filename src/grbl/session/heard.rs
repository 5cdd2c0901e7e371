//! What an open port says before anything answers as a Grbl does.

use crate::grbl::reply::{self, Reply};

/// What came before anything answered as a Grbl does.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) garbage: usize,
    pub(super) text: Option<String>,
}

impl Heard {
    const QUOTED: usize = 60;

    pub(super) fn note_text(&mut self, text: &str) {
        self.text = Some(text.chars().take(Self::QUOTED).collect());
    }

    /// Counts a line that has no end yet too: a login prompt never ends, and an echo of `?` neither.
    pub(super) fn note_unfinished(&mut self, (line, dropped): (&[u8], usize)) {
        self.garbage += dropped;
        match reply::parse(line, None) {
            Reply::Garbage(bytes) => self.garbage += bytes,
            Reply::Empty => {}
            _ => self.note_text(&String::from_utf8_lossy(line)),
        }
    }
}
