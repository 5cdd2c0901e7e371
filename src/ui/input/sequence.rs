//! What a whole control sequence means: VT, xterm, rxvt, Linux console and kitty (`CSI … u`).
//!
//! Sources: xterm's ctlseqs, rxvt's key table, console_codes(4), and the kitty keyboard protocol.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};

/// Meaning of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Not known or of no interest (modifier keys alone, mouse, other replies): swallowed.
    Nothing,
    /// One key.
    Key(KeyEvent),
    /// Text without a key (compose, input methods).
    Text(String, KeyEventKind),
    FocusGained,
    FocusLost,
    TerminalOk,
    KittyFlags(u8),
    PasteStart,
}

/// `ESC [` body final.
pub(super) fn csi(body: &[u8], last: u8, alt: bool) -> Meaning {
    let Ok(body) = std::str::from_utf8(body) else { return Meaning::Nothing };
    if let Some(rest) = body.strip_prefix('?') {
        return match (last, rest.parse::<u8>()) {
            (b'u', Ok(flags)) => Meaning::KittyFlags(flags),
            _ => Meaning::Nothing,
        };
    }
    if body.starts_with(['<', '=', '>']) {
        return Meaning::Nothing;
    }
    let params = Params::new(body);
    let (mods, kind) = params.modifiers(alt);
    let key = |code| Meaning::Key(KeyEvent { code, modifiers: mods, kind, state: KeyEventState::NONE });
    match last {
        b'I' if body.is_empty() => Meaning::FocusGained,
        b'O' if body.is_empty() => Meaning::FocusLost,
        b'n' if body == "0" => Meaning::TerminalOk,
        b'u' => params.kitty(mods, kind),
        b'~' if body == "200" => Meaning::PasteStart,
        b'~' => tilde(params.get(0, 0)).map_or(Meaning::Nothing, key),
        // rxvt: Shift, Ctrl, both.
        b'$' | b'^' | b'@' => {
            let extra = match last {
                b'$' => KeyModifiers::SHIFT,
                b'^' => KeyModifiers::CONTROL,
                _ => KeyModifiers::SHIFT | KeyModifiers::CONTROL,
            };
            tilde(params.get(0, 0)).map_or(Meaning::Nothing, |code| Meaning::Key(KeyEvent::new(code, mods | extra)))
        }
        b'Z' => Meaning::Key(KeyEvent { code: KeyCode::BackTab, modifiers: mods, kind, state: KeyEventState::NONE }),
        // rxvt: Shift+arrows.
        b'a'..=b'd' => arrow(last.to_ascii_uppercase())
            .map_or(Meaning::Nothing, |code| Meaning::Key(KeyEvent::new(code, mods | KeyModifiers::SHIFT))),
        // Only with a parameter is `CSI R` F3; and it is a cursor report then. Nobody asks for one here.
        b'R' => Meaning::Nothing,
        _ => arrow(last).or_else(|| function(last)).map_or(Meaning::Nothing, key),
    }
}

/// `ESC O` body final.
pub(super) fn ss3(body: &[u8], last: u8, alt: bool) -> Meaning {
    let number = std::str::from_utf8(body).ok().and_then(|text| text.parse().ok());
    let mods = number.map_or(KeyModifiers::NONE, modifiers) | if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
    let key = |code| Meaning::Key(KeyEvent::new(code, mods));
    let keypad = |code| {
        Meaning::Key(KeyEvent { code, modifiers: mods, kind: KeyEventKind::Press, state: KeyEventState::KEYPAD })
    };
    match last {
        // rxvt: Ctrl+arrows.
        b'a'..=b'd' => arrow(last.to_ascii_uppercase())
            .map_or(Meaning::Nothing, |code| Meaning::Key(KeyEvent::new(code, mods | KeyModifiers::CONTROL))),
        b'M' => keypad(KeyCode::Enter),
        b'X' => keypad(KeyCode::Char('=')),
        b'j'..=b'y' => keypad(KeyCode::Char((last - b'j' + b'*') as char)),
        b'R' => key(KeyCode::F(3)),
        _ => arrow(last).or_else(|| function(last)).map_or(Meaning::Nothing, key),
    }
}

/// `ESC [ [ A` … `E`: F1 to F5 of the Linux console.
pub(super) fn linux_function(letter: u8) -> Meaning {
    Meaning::Key(KeyEvent::new(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE))
}

fn arrow(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

fn function(last: u8) -> Option<KeyCode> {
    match last {
        b'P' => Some(KeyCode::F(1)),
        b'Q' => Some(KeyCode::F(2)),
        b'S' => Some(KeyCode::F(4)),
        _ => None,
    }
}

fn tilde(number: Option<u32>) -> Option<KeyCode> {
    Some(match number? {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        n @ 11..=15 => KeyCode::F((n - 10) as u8),
        n @ 17..=21 => KeyCode::F((n - 11) as u8),
        n @ 23..=26 => KeyCode::F((n - 12) as u8),
        n @ 28..=29 => KeyCode::F((n - 13) as u8),
        n @ 31..=34 => KeyCode::F((n - 14) as u8),
        _ => return None,
    })
}

/// xterm's and kitty's modifier number: 1 plus a bit set. Caps Lock and Num Lock say nothing here.
fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut set = KeyModifiers::NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ] {
        if bits & bit != 0 {
            set |= modifier;
        }
    }
    set
}

/// Parameters separated by `;`, each with sub-parameters separated by `:`.
struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    const fn new(body: &'a str) -> Self {
        Self(body)
    }

    fn get(&self, param: usize, sub: usize) -> Option<u32> {
        self.0.split(';').nth(param)?.split(':').nth(sub)?.parse().ok()
    }

    fn modifiers(&self, alt: bool) -> (KeyModifiers, KeyEventKind) {
        let mut mods = modifiers(self.get(1, 0).unwrap_or(1));
        if alt {
            mods |= KeyModifiers::ALT;
        }
        let kind = match self.get(1, 1) {
            Some(2) => KeyEventKind::Repeat,
            Some(3) => KeyEventKind::Release,
            _ => KeyEventKind::Press,
        };
        (mods, kind)
    }

    /// `CSI code:shifted:base ; modifiers:event ; text u`. The text, where told, is what the key types on the
    /// user's own layout (AltGr+q is `@` on a German one); without it the shifted code, then the plain one.
    fn kitty(&self, mods: KeyModifiers, kind: KeyEventKind) -> Meaning {
        let Some(code) = self.get(0, 0) else { return Meaning::Nothing };
        let chorded = mods.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER);
        let text: String = if chorded { String::new() } else { self.text() };
        if code == 0 {
            return if text.is_empty() { Meaning::Nothing } else { Meaning::Text(text, kind) };
        }
        let (code, keypad) = match code {
            9 if mods.contains(KeyModifiers::SHIFT) => (KeyCode::BackTab, false),
            9 => (KeyCode::Tab, false),
            13 => (KeyCode::Enter, false),
            27 => (KeyCode::Esc, false),
            8 | 127 => (KeyCode::Backspace, false),
            0..=31 => return Meaning::Nothing,
            57344..=63743 => match functional(code) {
                Some(found) => found,
                None => return Meaning::Nothing,
            },
            _ => match self.character(code, mods, &text) {
                Some(c) => (KeyCode::Char(c), false),
                None => return Meaning::Nothing,
            },
        };
        let state = if keypad { KeyEventState::KEYPAD } else { KeyEventState::NONE };
        // What a character needed Shift for is in the character.
        let modifiers = if matches!(code, KeyCode::Char(_)) { mods - KeyModifiers::SHIFT } else { mods };
        Meaning::Key(KeyEvent { code, modifiers, kind, state })
    }

    fn character(&self, code: u32, mods: KeyModifiers, text: &str) -> Option<char> {
        let mut typed = text.chars();
        if let (Some(c), None) = (typed.next(), typed.next()) {
            return Some(c);
        }
        let plain = char::from_u32(code)?;
        if !mods.contains(KeyModifiers::SHIFT) || mods.contains(KeyModifiers::CONTROL) {
            return Some(plain);
        }
        match self.get(0, 1).and_then(char::from_u32) {
            Some(shifted) => Some(shifted),
            None if plain.is_alphabetic() => plain.to_uppercase().next(),
            // Which sign Shift makes of it depends on a layout that is not known: better no key than a wrong one.
            None if plain == ' ' => Some(' '),
            None => None,
        }
    }

    fn text(&self) -> String {
        let codes = self.0.split(';').nth(2).unwrap_or_default();
        codes
            .split(':')
            .filter_map(|code| code.parse().ok().and_then(char::from_u32))
            .filter(|c| !c.is_control())
            .collect()
    }
}

/// Kitty's private codes: numpad and the function keys without an older form.
fn functional(code: u32) -> Option<(KeyCode, bool)> {
    Some(match code {
        57364..=57398 => (KeyCode::F((code - 57364 + 1 + 12) as u8), false),
        57399..=57408 => (KeyCode::Char((code - 57399 + u32::from(b'0')) as u8 as char), true),
        57409 => (KeyCode::Char('.'), true),
        57410 => (KeyCode::Char('/'), true),
        57411 => (KeyCode::Char('*'), true),
        57412 => (KeyCode::Char('-'), true),
        57413 => (KeyCode::Char('+'), true),
        57414 => (KeyCode::Enter, true),
        57415 => (KeyCode::Char('='), true),
        57416 => (KeyCode::Char(','), true),
        57417 => (KeyCode::Left, true),
        57418 => (KeyCode::Right, true),
        57419 => (KeyCode::Up, true),
        57420 => (KeyCode::Down, true),
        57421 => (KeyCode::PageUp, true),
        57422 => (KeyCode::PageDown, true),
        57423 => (KeyCode::Home, true),
        57424 => (KeyCode::End, true),
        57425 => (KeyCode::Insert, true),
        57426 => (KeyCode::Delete, true),
        57427 => (KeyCode::KeypadBegin, true),
        // Locks, media keys, and modifiers alone.
        _ => return None,
    })
}
