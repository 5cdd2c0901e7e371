//! A row of the action table.

use super::kind::{Action, Context, Danger, Group};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it does.
    pub action: Action,
    /// Its name, for hints and the palette.
    pub name: &'static str,
    /// Default keys, as [`Chord`](crate::ui::keymap::Chord) reads them; the first is the one shown.
    pub keys: &'static [&'static str],
    /// One line of help.
    pub help: &'static str,
    /// Heading in help.
    pub group: Group,
    /// What it can do to the world.
    pub danger: Danger,
    /// Where its keys are looked for.
    pub context: Context,
}

impl Row {
    /// Its id, as it is written in `[keys]` of the configuration: the name in small letters, with `-` between words
    /// and signs in words (`x-minus`, `type-g-code`).
    pub fn id(&self) -> String {
        let spelled =
            self.name.replace('+', " plus ").replace("- ", " minus ").replace('/', " over ").replace('=', " ");
        let spelled = match spelled.strip_suffix('-') {
            Some(before) => format!("{before} minus"),
            None => spelled,
        };
        spelled.to_lowercase().replace('-', " ").split_whitespace().collect::<Vec<_>>().join("-")
    }
}

/// What rows of an area have in common: heading, danger, and where the keys are looked for.
pub(super) type Kind = (Group, Danger, Context);

/// A row, in the order in which it is read.
pub(super) const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    (group, danger, context): Kind,
    help: &'static str,
) -> Row {
    Row { action, name, keys, help, group, danger, context }
}
