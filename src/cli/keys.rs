//! `sunmill keys`: the keys of the screen, from its action table.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::ui::Keymap;
use crate::ui::action::{Group, JOG_MODIFIERS, TABLE};

/// As the README's tables, with the default keys.
pub fn markdown() -> String {
    crate::ui::key_table_markdown(&Keymap::default())
}

/// As text for a terminal.
pub fn text(keymap: &Keymap) -> String {
    let sections: Vec<(Group, Vec<(String, &str)>)> = Group::ALL.map(|group| (group, rows(keymap, group))).into();
    let keys = sections.iter().flat_map(|(_, rows)| rows).map(|(keys, _)| keys.width());
    let width = keys.max().unwrap_or(0);
    let mut text = String::new();
    for (group, rows) in sections {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{}", group.title());
        for (keys, help) in rows {
            let padding = " ".repeat(width - keys.width());
            let _ = writeln!(text, "  {keys}{padding}  {help}");
        }
    }
    text
}

/// Keys and help of a group.
fn rows(keymap: &Keymap, group: Group) -> Vec<(String, &'static str)> {
    let actions =
        TABLE.iter().filter(|row| row.group == group).map(|row| (keymap.keys(row.action).join("  "), row.help));
    let modifiers = JOG_MODIFIERS.iter().filter(|_| group == Group::Jog);
    actions.chain(modifiers.map(|(keys, help)| ((*keys).to_owned(), *help))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_is_on_one_line_with_all_its_keys() {
        let text = text(&Keymap::default());
        for row in TABLE {
            let found = text.lines().any(|line| line.ends_with(row.help) && row.keys.iter().all(|k| line.contains(k)));
            assert!(found, "{row:?} is missing:\n{text}");
        }
    }

    #[test]
    fn groups_are_headed_once_and_in_order() {
        let text = text(&Keymap::default());
        let heads: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).collect();
        assert_eq!(heads, Group::ALL.map(Group::title));
    }
}
