//! From chords to actions, made from the action table.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventState, KeyModifiers};

use super::action::{Action, Context, TABLE};
use super::jog::{JogKey, Scale};

/// A key with its modifiers, in one normal form for all terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key.
    pub code: KeyCode,
    /// Modifiers; Shift is dropped where the character already says it.
    pub modifiers: KeyModifiers,
    /// On the numeric keypad, where the terminal tells.
    pub keypad: bool,
}

impl Chord {
    /// The normal form of a key event.
    pub fn of(key: &KeyEvent) -> Self {
        let mut chord = Self {
            code: key.code,
            modifiers: key.modifiers & (KeyModifiers::SHIFT | KeyModifiers::ALT | KeyModifiers::CONTROL),
            keypad: key.state.contains(KeyEventState::KEYPAD),
        };
        match chord.code {
            KeyCode::Char(c) if chord.modifiers.contains(KeyModifiers::CONTROL) => {
                chord.code = KeyCode::Char(c.to_ascii_lowercase());
                chord.modifiers -= KeyModifiers::SHIFT;
            }
            KeyCode::Char(_) => chord.modifiers -= KeyModifiers::SHIFT,
            // Some terminals say Shift+Tab, others a key of its own.
            KeyCode::BackTab => {
                chord.code = KeyCode::Tab;
                chord.modifiers |= KeyModifiers::SHIFT;
            }
            _ => {}
        }
        chord
    }

    /// Without Alt: a key pressed right after Esc looks like Alt+key, and a stop key must not hang on that.
    #[must_use]
    pub fn without_alt(self) -> Self {
        Self { modifiers: self.modifiers - KeyModifiers::ALT, ..self }
    }

    /// A key without modifiers.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE, keypad: false }
    }

    /// As it is written in hints, shorter than the full name.
    pub fn short(self) -> String {
        self.to_string().replace("Ctrl+", "^")
    }
}

/// A key name that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key: write a character, a name such as Left, PgUp, Enter, F1, and Ctrl+, Alt+ or Shift+ before it"
)]
pub struct BadChord(String);

impl FromStr for Chord {
    type Err = BadChord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        for (prefix, modifier) in
            [("Ctrl+", KeyModifiers::CONTROL), ("Alt+", KeyModifiers::ALT), ("Shift+", KeyModifiers::SHIFT)]
        {
            if let Some(after) = rest.strip_prefix(prefix).filter(|after| !after.is_empty()) {
                (rest, modifiers) = (after, modifiers | modifier);
            }
        }
        let (keypad, name) = match rest.strip_prefix("Keypad").filter(|after| !after.is_empty()) {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let mut chars = name.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => NAMES
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, code)| *code)
                .or_else(|| name.strip_prefix('F').and_then(|n| n.parse().ok()).map(KeyCode::F))
                .ok_or_else(|| BadChord(text.to_owned()))?,
        };
        let state = if keypad { KeyEventState::KEYPAD } else { KeyEventState::NONE };
        Ok(Self::of(&KeyEvent { state, ..KeyEvent::new(code, modifiers) }))
    }
}

const NAMES: &[(&str, KeyCode)] = &[
    ("Space", KeyCode::Char(' ')),
    ("Esc", KeyCode::Esc),
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
];

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "Ctrl+"), (KeyModifiers::ALT, "Alt+"), (KeyModifiers::SHIFT, "Shift+")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if self.keypad {
            f.write_str("Keypad")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "F{n}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

/// What a chord stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// An action.
    Action(Action),
    /// A jog key with its scale.
    Jog(JogKey),
}

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: HashMap<(Context, Chord), Bound>,
    /// Keys of each action in the order in which they are shown.
    keys: HashMap<Action, Vec<String>>,
}

impl Default for Keymap {
    /// The defaults of the action table. Jog keys also get their Shift, Alt and Ctrl forms.
    fn default() -> Self {
        let (mut bindings, mut keys) = (HashMap::new(), HashMap::new());
        for row in TABLE {
            keys.insert(row.action, row.keys.iter().map(|key| (*key).to_owned()).collect());
            for chord in row.keys.iter().filter_map(|key| key.parse::<Chord>().ok()) {
                match row.action {
                    Action::Jog(direction) => {
                        for (variant, scale, single) in jog_variants(chord) {
                            let key = JogKey { direction, scale, single };
                            bindings.insert((row.context, variant), Bound::Jog(key));
                        }
                    }
                    action => {
                        bindings.insert((row.context, chord), Bound::Action(action));
                    }
                }
            }
        }
        Self { bindings, keys }
    }
}

fn jog_variants(chord: Chord) -> Vec<(Chord, Scale, bool)> {
    let with = |modifier| Chord { modifiers: chord.modifiers | modifier, ..chord };
    let mut variants = vec![(chord, Scale::Normal, false), (with(KeyModifiers::ALT), Scale::Fine, false)];
    match chord.code {
        KeyCode::Char(c) if c.is_ascii_lowercase() => {
            let capital = Chord { code: KeyCode::Char(c.to_ascii_uppercase()), ..chord };
            variants.push((capital, Scale::Coarse, false));
        }
        KeyCode::Char(_) => {}
        _ => {
            variants.push((with(KeyModifiers::SHIFT), Scale::Coarse, false));
            variants.push((with(KeyModifiers::CONTROL), Scale::Normal, true));
        }
    }
    variants
}

impl Keymap {
    /// What a key does in a context. A key of the keypad that has no meaning of its own counts as the plain key.
    pub fn lookup(&self, context: Context, chord: Chord) -> Option<Bound> {
        let find = |chord| self.bindings.get(&(context, chord)).copied();
        find(chord).or_else(|| find(Chord { keypad: false, ..chord }))
    }

    /// The keys of an action; the first is the one to show.
    pub fn keys(&self, action: Action) -> &[String] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The action of a key in a context, where it is no jog key.
    pub fn action(&self, context: Context, chord: Chord) -> Option<Action> {
        match self.lookup(context, chord) {
            Some(Bound::Action(action)) => Some(action),
            _ => None,
        }
    }

    /// The action of a stop chord, however it was modified by accident.
    pub fn stop(&self, chord: Chord) -> Option<Action> {
        match self.lookup(Context::Stop, chord.without_alt()) {
            Some(Bound::Action(action)) => Some(action),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::action::Danger;
    use super::*;

    #[test]
    fn default_keys_can_be_read_and_print_the_same() {
        for row in TABLE {
            for key in row.keys {
                let chord: Chord = key.parse().unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(chord.to_string(), *key);
            }
        }
    }

    #[test]
    fn no_two_actions_share_a_key_where_both_are_looked_for() {
        let overlaps = |a: Context, b: Context| {
            a == b
                || matches!(
                    (a, b),
                    (Context::Stop, _)
                        | (_, Context::Stop)
                        | (Context::Global, Context::Main | Context::Jog | Context::Tab(_))
                )
                || matches!((b, a), (Context::Global, Context::Main | Context::Jog | Context::Tab(_)))
        };
        let mut all: Vec<(Context, Chord, Action)> = Vec::new();
        for row in TABLE {
            for key in row.keys {
                let chord: Chord = key.parse().unwrap();
                let variants = match row.action {
                    Action::Jog(_) => jog_variants(chord).into_iter().map(|(chord, ..)| chord).collect(),
                    _ => vec![chord],
                };
                all.extend(variants.into_iter().map(|chord| (row.context, chord, row.action)));
            }
        }
        for (i, (context, chord, action)) in all.iter().enumerate() {
            for (other_context, other_chord, other) in &all[i + 1..] {
                assert!(
                    action == other || chord != other_chord || !overlaps(*context, *other_context),
                    "{chord} is {action:?} and {other:?}"
                );
            }
        }
    }

    /// The first byte of a late tail is `[` or `O`; the decoder swallows them after an Esc. And letters of Alt
    /// chords must do nothing outside jog mode, since a split Alt+h is Esc (which leaves jog mode) and h.
    #[test]
    fn what_a_split_sequence_can_leave_behind_is_not_bound() {
        let keymap = Keymap::default();
        for context in [Context::Stop, Context::Global, Context::Main] {
            for c in ['[', 'h', 'j', 'k', 'l', 'w', 's', 'y', 'u', 'b', 'n', '<', '>'] {
                assert_eq!(keymap.lookup(context, Chord::plain(KeyCode::Char(c))), None, "{c} in {context:?}");
            }
            // And what the head of a sequence or the last byte of an arrow or function key does touches nothing.
            for c in ['O', 'A', 'B', 'C', 'D', 'E', 'F', 'P', 'Q', 'R', 'S', 'Z'] {
                if let Some(Bound::Action(action)) = keymap.lookup(context, Chord::plain(KeyCode::Char(c))) {
                    let danger = super::super::action::find(action).map(|row| row.danger);
                    assert_eq!(danger, Some(Danger::None), "{c} in {context:?}");
                }
            }
        }
    }

    #[test]
    fn a_stop_key_right_after_esc_still_stops() {
        let keymap = Keymap::default();
        for (text, action) in [
            ("Alt+Space", Action::Stop),
            ("Ctrl+Alt+Space", Action::Stop),
            ("Shift+Space", Action::Stop),
            ("Ctrl+Alt+x", Action::SoftReset),
            ("Alt+!", Action::Hold),
        ] {
            assert_eq!(keymap.stop(text.parse().unwrap()), Some(action), "{text}");
        }
    }
}
