//! The table as text: for the README, and for the file of keys.

use super::kind::Group;
use super::table::TABLE;
use crate::ui::keymap::Keymap;

/// The README's key table, as Markdown.
pub fn key_table_markdown(keymap: &Keymap) -> String {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(format!("### {}\n\n| key | action |\n|---|---|", group.title()));
        for row in TABLE.iter().filter(|row| row.group == group) {
            let keys: Vec<String> = keymap.keys(row.action).iter().map(|key| format!("`{key}`")).collect();
            lines.push(format!("| {} | {} |", keys.join(" "), row.help));
        }
        if group == Group::Jog {
            for (keys, help) in JOG_MODIFIERS {
                lines.push(format!("| {keys} | {help} |"));
            }
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

/// What modifiers do to every jog key; the keymap makes these chords by itself.
pub const JOG_MODIFIERS: &[(&str, &str)] = &[
    ("Shift+key or capital", "Ten times the step, ten times the feed when held"),
    ("Alt+key", "A tenth of the step, a tenth of the feed when held"),
    ("Ctrl+arrow", "Exactly one step, however long it is held"),
];

/// The table as `[keys]` of a configuration: every action with its keys and what it does.
pub fn key_table_toml(keymap: &Keymap) -> String {
    let mut text = String::from(
        "# The keys of sunmill's screen. What is written under [keys] in config.toml goes before these; the keys that\n\
         # stop always stay. Printed by `sunmill keys --toml` from the program's own table.\n",
    );
    for group in Group::ALL {
        text = text + "\n# " + group.title() + "\n";
        for row in TABLE.iter().filter(|row| row.group == group) {
            let keys: Vec<String> = keymap.keys(row.action).iter().map(|key| format!("{key:?}")).collect();
            text = text + &row.id() + " = [" + &keys.join(", ") + "]  # " + row.help + "\n";
        }
    }
    text
}
