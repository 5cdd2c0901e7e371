//! The decoder: bytes and time in, key events out. No IO, no clock.
//!
//! A split escape sequence must never become keys that nobody typed (`PgUp` is `ESC [ 5 ~`, and `~` is the
//! resume key). So nothing here depends on how bytes are grouped into reads, and only two things on time:
//! whether an ESC alone is the Esc key, and whether ESC and a letter are Alt+letter. A tail that arrives after
//! its ESC was given up is swallowed however late it is: `[` and `O` as the *first* byte after such an Esc
//! always open a tail, and an opened sequence stays open until its last byte. The keys that stop the machine
//! (Space, `!`, Ctrl+Space, Ctrl+X) occur in no sequence that a terminal sends; they end an open one and count.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};

use super::sequence::{self, Meaning};
use crate::model::Time;

const ESC: u8 = 0x1b;
const NUL: u8 = 0x00;
const ETX: u8 = 0x03;
const PASTE_END: &[u8] = b"\x1b[201~";
/// Longest paste that is kept; a program belongs in a file.
const MAX_PASTE: usize = 64 * 1024;
/// Longest body of a control sequence that is looked at; the rest is swallowed.
const MAX_BODY: usize = 64;
/// An OSC or DCS string that nobody asked for ends when it falls silent for this long. Long, because its tail must not become
/// commands over a slow link.
const STRING_SILENCE: Duration = Duration::from_secs(3);
/// A blank after this much silence in such a string may be a person who wants to stop.
const STOP_IN_STRING: Duration = Duration::from_millis(100);

/// Something that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key: press, repeat or release.
    Key(KeyEvent),
    /// An ESC byte has come and what follows is not known yet. Good for cancelling a running jog, for nothing else.
    EscPending,
    /// Bracketed paste; line ends are `\n`.
    Paste(String),
    /// A paste longer than 64 KiB, dropped.
    PasteTooLong,
    /// The terminal window got the focus.
    FocusGained,
    /// The terminal window lost the focus.
    FocusLost,
    /// The terminal answered `CSI 5 n`: the way to it and back is alive.
    TerminalOk,
    /// The terminal told its kitty keyboard flags (answer to `CSI ? u`).
    KittyFlags(u8),
}

/// An input with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputEvent {
    /// When its last byte was read.
    pub at: Time,
    /// Which read it came in.
    pub batch: u64,
    /// How many key presses and repeats that read held: a burst is not typing.
    pub keys_in_batch: usize,
    /// What it is.
    pub what: Input,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// ESC seen; `alt`: it is the second one (rxvt and PuTTY send Alt+Up as `ESC ESC [ A`).
    Esc {
        since: Time,
        alt: bool,
    },
    /// The ESC was given up as the Esc key; its tail may still come.
    AfterEsc,
    Csi {
        alt: bool,
    },
    /// `ESC [ [`: a function key of the Linux console, one letter follows.
    LinuxFunction,
    Ss3 {
        alt: bool,
    },
    /// OSC, DCS, APC, PM or SOS.
    String {
        last: Time,
        esc: bool,
    },
    Utf8 {
        need: usize,
        alt: bool,
    },
    Paste,
}

/// The decoder.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Body of the sequence, UTF-8 character or paste being read.
    body: Vec<u8>,
    paste_too_long: bool,
    escape_wait: Duration,
    escape_is_whole: bool,
    batch: u64,
    queue: VecDeque<InputEvent>,
}

impl Decoder {
    /// A decoder that waits this long after an ESC byte before it counts as the Esc key.
    pub fn new(escape_wait: Duration) -> Self {
        Self {
            state: State::Ground,
            body: Vec::new(),
            paste_too_long: false,
            escape_wait,
            escape_is_whole: false,
            batch: 0,
            queue: VecDeque::new(),
        }
    }

    /// The terminal sends the Esc key as a sequence of its own (kitty flag 1), so that an ESC byte alone is
    /// always the start of something and no reason to cancel a jog.
    pub fn set_escape_is_whole(&mut self, whole: bool) {
        self.escape_is_whole = whole;
    }

    /// Takes what one read brought.
    pub fn feed(&mut self, now: Time, bytes: &[u8]) {
        self.batch += 1;
        let first = self.queue.len();
        for (i, &byte) in bytes.iter().enumerate() {
            self.byte(now, byte, i + 1 < bytes.len());
        }
        if matches!(self.state, State::Esc { .. }) && !self.escape_is_whole {
            self.push(now, Input::EscPending);
        }
        self.count_keys(first);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Esc { since, .. } => Some(since + self.escape_wait),
            State::String { last, .. } => Some(last + STRING_SILENCE),
            _ => None,
        }
    }

    /// Gives up waiting for what is overdue.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        match self.state {
            State::Esc { .. } => {
                self.state = State::AfterEsc;
                let first = self.queue.len();
                self.key(now, KeyCode::Esc, KeyModifiers::NONE);
                self.count_keys(first);
            }
            State::String { .. } => self.state = State::Ground,
            _ => {}
        }
    }

    /// The next event.
    pub fn poll(&mut self) -> Option<InputEvent> {
        self.queue.pop_front()
    }

    fn count_keys(&mut self, first: usize) {
        let is_typed =
            |event: &&InputEvent| matches!(&event.what, Input::Key(key) if key.kind != KeyEventKind::Release);
        let keys = self.queue.iter().skip(first).filter(is_typed).count();
        for event in self.queue.iter_mut().skip(first) {
            event.keys_in_batch = keys;
        }
    }

    fn push(&mut self, at: Time, what: Input) {
        self.queue.push_back(InputEvent { at, batch: self.batch, keys_in_batch: 0, what });
    }

    fn key(&mut self, at: Time, code: KeyCode, modifiers: KeyModifiers) {
        self.push(at, Input::Key(KeyEvent::new(code, modifiers)));
    }

    fn byte(&mut self, now: Time, byte: u8, more: bool) {
        match self.state {
            State::Ground => self.ground(now, byte, false),
            State::Esc { since, alt } => self.after_esc(now, byte, more, since, alt),
            State::AfterEsc => match byte {
                b'[' => self.open(State::Csi { alt: false }),
                b'O' => self.open(State::Ss3 { alt: false }),
                _ => self.ground(now, byte, false),
            },
            State::Csi { alt } => self.csi(now, byte, alt),
            State::LinuxFunction => match byte {
                b'A'..=b'E' => self.finish(now, sequence::linux_function(byte)),
                _ if ends_sequence(byte) => self.ground(now, byte, false),
                _ => self.state = State::Ground,
            },
            State::Ss3 { alt } => match byte {
                // Old xterms put the modifier here: `ESC O 5 P`.
                b'0'..=b'9' if self.body.len() < 2 => self.body.push(byte),
                _ if ends_sequence(byte) => self.ground(now, byte, false),
                _ => {
                    let meaning = sequence::ss3(&self.body, byte, alt);
                    self.finish(now, meaning);
                }
            },
            State::String { last, esc } => match byte {
                0x07 => self.state = State::Ground,
                b'\\' if esc => self.state = State::Ground,
                NUL | 0x18 => self.ground(now, byte, false),
                b' ' if now.since(last) >= STOP_IN_STRING => {
                    self.ground(now, byte, false);
                    self.state = State::String { last: now, esc: false };
                }
                _ => self.state = State::String { last: now, esc: byte == ESC },
            },
            State::Utf8 { need, alt } => self.utf8(now, byte, need, alt),
            State::Paste => self.paste(now, byte),
        }
    }

    fn open(&mut self, state: State) {
        self.body.clear();
        self.state = state;
    }

    fn ground(&mut self, now: Time, byte: u8, alt: bool) {
        self.state = State::Ground;
        let alt_bit = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        let ctrl = KeyModifiers::CONTROL | alt_bit;
        match byte {
            ESC => self.state = State::Esc { since: now, alt: false },
            NUL => self.key(now, KeyCode::Char(' '), ctrl),
            0x08 | 0x7f => self.key(now, KeyCode::Backspace, alt_bit),
            b'\t' => self.key(now, KeyCode::Tab, alt_bit),
            b'\r' => self.key(now, KeyCode::Enter, alt_bit),
            0x01..=0x1a => self.key(now, KeyCode::Char((byte - 1 + b'a') as char), ctrl),
            0x1c..=0x1f => self.key(now, KeyCode::Char((byte - 0x1c + b'4') as char), ctrl),
            0x20..=0x7e => self.key(now, KeyCode::Char(byte as char), alt_bit),
            0xc2..=0xf4 => {
                let need = if byte >= 0xf0 {
                    4
                } else if byte >= 0xe0 {
                    3
                } else {
                    2
                };
                self.open(State::Utf8 { need, alt });
                self.body.push(byte);
            }
            // A stray continuation byte or one that UTF-8 never has.
            _ => {}
        }
    }

    fn after_esc(&mut self, now: Time, byte: u8, more: bool, since: Time, alt: bool) {
        match byte {
            b'[' => self.open(State::Csi { alt }),
            b'O' => self.open(State::Ss3 { alt }),
            ESC => self.state = State::Esc { since: now, alt: true },
            _ if now >= since + self.escape_wait => {
                self.key(now, KeyCode::Esc, KeyModifiers::NONE);
                self.ground(now, byte, false);
            }
            // Only with more in the same read: alone it is Alt+], and a string would swallow the keyboard.
            b']' | b'P' | b'_' | b'^' | b'X' if more => self.state = State::String { last: now, esc: false },
            _ => self.ground(now, byte, true),
        }
    }

    fn csi(&mut self, now: Time, byte: u8, alt: bool) {
        let private = self.body.first().is_some_and(|b| matches!(b, b'?' | b'<' | b'=' | b'>'));
        match byte {
            _ if ends_sequence(byte) => self.ground(now, byte, false),
            b'[' if self.body.is_empty() => self.state = State::LinuxFunction,
            // rxvt ends Shift+PgUp with `$`; elsewhere it is an intermediate byte.
            b'$' if !private && !self.body.is_empty() => {
                let meaning = sequence::csi(&self.body, byte, alt);
                self.finish(now, meaning);
            }
            0x20..=0x3f => {
                if self.body.len() < MAX_BODY {
                    self.body.push(byte);
                }
            }
            0x40..=0x7e => {
                let meaning = sequence::csi(&self.body, byte, alt);
                self.finish(now, meaning);
            }
            _ => self.state = State::Ground,
        }
    }

    fn utf8(&mut self, now: Time, byte: u8, need: usize, alt: bool) {
        if !(0x80..=0xbf).contains(&byte) {
            self.ground(now, byte, false);
            return;
        }
        self.body.push(byte);
        if self.body.len() < need {
            return;
        }
        self.state = State::Ground;
        if let Some(c) = std::str::from_utf8(&self.body).ok().and_then(|text| text.chars().next()) {
            self.key(now, KeyCode::Char(c), if alt { KeyModifiers::ALT } else { KeyModifiers::NONE });
        }
    }

    /// Inside a paste everything is text but Ctrl+Space and Ctrl+C, so that a paste whose end never comes
    /// cannot take the stop key away.
    fn paste(&mut self, now: Time, byte: u8) {
        match byte {
            NUL => return self.key(now, KeyCode::Char(' '), KeyModifiers::CONTROL),
            ETX => return self.key(now, KeyCode::Char('c'), KeyModifiers::CONTROL),
            _ => self.body.push(byte),
        }
        if self.body.ends_with(PASTE_END) {
            self.state = State::Ground;
            self.body.truncate(self.body.len() - PASTE_END.len());
            if self.paste_too_long {
                self.push(now, Input::PasteTooLong);
            } else {
                let text = String::from_utf8_lossy(&self.body).replace("\r\n", "\n").replace('\r', "\n");
                self.push(now, Input::Paste(text));
            }
        } else if self.body.len() > MAX_PASTE {
            self.paste_too_long = true;
            let keep = self.body.len() - PASTE_END.len();
            self.body.drain(..keep);
        }
    }

    fn finish(&mut self, now: Time, meaning: Meaning) {
        self.state = State::Ground;
        match meaning {
            Meaning::Nothing => {}
            Meaning::Key(key) => self.push(now, Input::Key(key)),
            Meaning::Text(text, kind) => {
                for c in text.chars() {
                    let key = KeyEvent {
                        code: KeyCode::Char(c),
                        modifiers: KeyModifiers::NONE,
                        kind,
                        state: KeyEventState::NONE,
                    };
                    self.push(now, Input::Key(key));
                }
            }
            Meaning::FocusGained => self.push(now, Input::FocusGained),
            Meaning::FocusLost => self.push(now, Input::FocusLost),
            Meaning::TerminalOk => self.push(now, Input::TerminalOk),
            Meaning::KittyFlags(flags) => self.push(now, Input::KittyFlags(flags)),
            Meaning::PasteStart => {
                self.paste_too_long = false;
                self.open(State::Paste);
            }
        }
    }
}

/// Bytes that no sequence of a terminal contains: they end an open one and count as keys.
const fn ends_sequence(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b' ' | b'!' | 0x7f)
}

#[cfg(test)]
mod tests;
