//! From chords to actions, made from the action table.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventState, KeyModifiers};

use super::action::{Action, Context, Group, Row, TABLE};
use super::jog::{JogKey, Scale};
use crate::model::nearest::edits;

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

/// Keys that the user gives an action in place of its default ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOverride {
    /// The action's [id](Row::id).
    pub action: String,
    /// Its keys, as [`Chord`] reads them.
    pub keys: Vec<String>,
    /// Where it is written, for messages: `config.toml:12`.
    pub place: String,
}

/// What is wrong with the user's keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// No such action.
    #[error("{place}: there is no action {action:?}; did you mean {nearest:?}? `sunmill keys --toml` lists them")]
    UnknownAction {
        /// Where.
        place: String,
        /// What was written.
        action: String,
        /// The known one that is nearest.
        nearest: String,
    },
    /// No such key.
    #[error("{place}: keys.{action}: {problem}")]
    BadKey {
        /// Where.
        place: String,
        /// The action.
        action: String,
        /// What is wrong with it.
        problem: BadChord,
    },
    /// Two actions on one key.
    #[error(
        "{place}: keys.{action}: {key} is already the key of {other} ({other_place}); give one of them another key"
    )]
    Conflict {
        /// Where.
        place: String,
        /// The action.
        action: String,
        /// The key.
        key: String,
        /// The other action.
        other: String,
        /// Where that is written, or "a default".
        other_place: String,
    },
}

impl Default for Keymap {
    /// The keys of the action table.
    fn default() -> Self {
        let (keymap, _) = Self::build(&[]);
        keymap
    }
}

/// A chord that has been given to an action.
struct Claim {
    context: Context,
    chord: Chord,
    row: &'static Row,
    /// Where the user wrote it; `None`: a default.
    place: Option<String>,
}

impl Keymap {
    /// The keys of the action table, with those of the user in place of the default ones. Stop keys are never taken
    /// away: theirs are added. Jog keys also get their Shift, Alt and Ctrl forms.
    ///
    /// # Errors
    /// Everything that is wrong with the user's keys: unknown actions and keys, and two actions on one key where both
    /// are listened to.
    pub fn new(overrides: &[KeyOverride]) -> Result<Self, Vec<KeyProblem>> {
        let (keymap, problems) = Self::build(overrides);
        if problems.is_empty() { Ok(keymap) } else { Err(problems) }
    }

    fn build(overrides: &[KeyOverride]) -> (Self, Vec<KeyProblem>) {
        let mut problems: Vec<KeyProblem> = overrides.iter().filter_map(unknown_action).collect();
        let mut keymap = Self { bindings: HashMap::new(), keys: HashMap::new() };
        let mut claims: Vec<Claim> = Vec::new();
        for row in TABLE {
            let id = row.id();
            let own = overrides.iter().find(|own| own.action == id);
            let mut keys: Vec<(Chord, Option<String>)> = Vec::new();
            if own.is_none() || row.group == Group::Stop {
                keys.extend(row.keys.iter().filter_map(|key| Some((key.parse().ok()?, None))));
            }
            for (own, key) in own.iter().flat_map(|own| own.keys.iter().map(move |key| (own, key))) {
                match key.parse::<Chord>() {
                    Ok(chord) if keys.iter().any(|(known, _)| *known == chord) => {}
                    Ok(chord) => keys.push((chord, Some(own.place.clone()))),
                    Err(problem) => {
                        let (place, action) = (own.place.clone(), id.clone());
                        problems.push(KeyProblem::BadKey { place, action, problem });
                    }
                }
            }
            keymap.keys.insert(row.action, keys.iter().map(|(chord, _)| chord.to_string()).collect());
            for (chord, place) in keys {
                keymap.bind(row, chord, place.as_ref(), &mut claims);
            }
        }
        problems.extend(conflicts(&claims));
        (keymap, problems)
    }

    fn bind(&mut self, row: &'static Row, chord: Chord, place: Option<&String>, claims: &mut Vec<Claim>) {
        let bound = match row.action {
            Action::Jog(direction) => jog_variants(chord)
                .into_iter()
                .map(|(chord, scale, single)| (chord, Bound::Jog(JogKey { direction, scale, single })))
                .collect(),
            action => vec![(chord, Bound::Action(action))],
        };
        for (chord, bound) in bound {
            self.bindings.insert((row.context, chord), bound);
            claims.push(Claim { context: row.context, chord, row, place: place.cloned() });
        }
    }
}

fn unknown_action(own: &KeyOverride) -> Option<KeyProblem> {
    let ids: Vec<String> = TABLE.iter().map(Row::id).collect();
    if ids.contains(&own.action) {
        return None;
    }
    let nearest = ids.into_iter().min_by_key(|id| edits(id, &own.action)).unwrap_or_default();
    Some(KeyProblem::UnknownAction { place: own.place.clone(), action: own.action.clone(), nearest })
}

fn conflicts(claims: &[Claim]) -> Vec<KeyProblem> {
    let mut problems = Vec::new();
    for (i, a) in claims.iter().enumerate() {
        for b in &claims[i + 1..] {
            if a.row.action == b.row.action || a.chord != b.chord || !listens_to_both(a.context, b.context) {
                continue;
            }
            // The one that the user wrote is to blame; of two, the later one.
            let (blamed, other) = if b.place.is_some() { (b, a) } else { (a, b) };
            problems.push(KeyProblem::Conflict {
                place: blamed.place.clone().unwrap_or_else(|| "the defaults".to_owned()),
                action: blamed.row.id(),
                key: blamed.chord.to_string(),
                other: other.row.id(),
                other_place: other.place.clone().unwrap_or_else(|| "a default".to_owned()),
            });
        }
    }
    problems
}

/// Whether a key could mean both. What a tab does with a key may go before the main screen's meaning.
fn listens_to_both(a: Context, b: Context) -> bool {
    let one_way = |a, b| {
        matches!(
            (a, b),
            (Context::Stop, _)
                | (
                    Context::Global,
                    Context::Main | Context::Jog | Context::Tab(_) | Context::Panel | Context::Override
                )
        )
    };
    a == b || one_way(a, b) || one_way(b, a)
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
        assert_eq!(Keymap::build(&[]).1, []);
    }

    fn own(action: &str, keys: &[&str], line: usize) -> KeyOverride {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        KeyOverride { action: action.into(), keys, place: format!("config.toml:{line}") }
    }

    fn problems(overrides: &[KeyOverride]) -> Vec<String> {
        Keymap::new(overrides).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_users_keys_take_the_place_of_the_default_ones() {
        let keymap = Keymap::new(&[own("home", &["F5", "F10"], 1), own("x-plus", &["d"], 2)]).unwrap();
        let main = |key: &str| keymap.action(Context::Main, key.parse().unwrap());
        assert_eq!((main("F5"), main("F10"), main("H")), (Some(Action::Home), Some(Action::Home), None));
        assert_eq!(keymap.keys(Action::Home), ["F5", "F10"]);
        let coarse = keymap.lookup(Context::Jog, "D".parse().unwrap());
        assert!(matches!(coarse, Some(Bound::Jog(JogKey { scale: Scale::Coarse, .. }))), "{coarse:?}");
        assert_eq!(Keymap::new(&[own("home", &[], 1)]).unwrap().keys(Action::Home), [""; 0]);
    }

    #[test]
    fn stop_keys_stay_whatever_is_written() {
        let keymap = Keymap::new(&[own("stop", &["F12"], 1), own("close", &[], 2)]).unwrap();
        for key in ["Space", "Ctrl+Space", "F12"] {
            assert_eq!(keymap.stop(key.parse().unwrap()), Some(Action::Stop), "{key}");
        }
        assert_eq!(keymap.action(Context::Global, "Esc".parse().unwrap()), Some(Action::Escape));
        let taken = problems(&[own("help", &["Space"], 3)]);
        assert_eq!(
            taken,
            ["config.toml:3: keys.help: Space is already the key of stop (a default); give one of them another key"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(
            problems(&[own("home", &["F5"], 4), own("zero", &["F5"], 9)]),
            ["config.toml:9: keys.zero: F5 is already the key of home (config.toml:4); give one of them another key"]
        );
        let jog = problems(&[own("longer-step", &["L"], 2)]);
        assert!(jog[0].contains("L is already the key of x-plus"), "the coarse form of l: {jog:?}");
        let unknown = problems(&[own("homee", &["F5"], 7)]);
        assert!(
            unknown[0].starts_with("config.toml:7: there is no action \"homee\"; did you mean \"home\"?"),
            "{unknown:?}"
        );
        let bad = problems(&[own("home", &["Hyper+K"], 7)]);
        assert!(bad[0].starts_with("config.toml:7: keys.home: \"Hyper+K\" is not a key"), "{bad:?}");
        // A key may mean one thing while jogging and another outside.
        assert!(Keymap::new(&[own("home", &["l"], 1)]).is_ok());
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
