//! `sunmill keys`: the keys of the screen as text and as the README's table.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Where it works.
    pub group: &'static str,
    /// The keys.
    pub keys: String,
    /// What they do.
    pub what: &'static str,
}

/// The keys of the screen, in the order of the help.
pub fn rows() -> Vec<KeyRow> {
    const KEYS: &[(&str, &str, &str)] = &[
        ("Stop, everywhere", "Space", "stop motion and keep position"),
        ("Stop, everywhere", "Ctrl+Space", "the same, in text fields too"),
        ("Stop, everywhere", "Ctrl+X", "soft reset"),
        ("Screen", "?", "help"),
        ("Screen", "q", "quit"),
    ];
    KEYS.iter().map(|(group, keys, what)| KeyRow { group, keys: (*keys).to_owned(), what }).collect()
}

/// As text for a terminal.
pub fn text() -> String {
    let rows = rows();
    let width = rows.iter().map(|row| row.keys.width()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for row in &rows {
        if row.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", row.group);
            group = row.group;
        }
        let padding = " ".repeat(width - row.keys.width());
        let _ = writeln!(text, "  {}{padding}  {}", row.keys, row.what);
    }
    text
}

/// As the README's table.
pub fn markdown() -> String {
    let mut text = "| where | keys | what |\n|---|---|---|\n".to_owned();
    for row in rows() {
        let keys = row.keys.replace('|', "\\|");
        let _ = writeln!(text, "| {} | `{keys}` | {} |", row.group, row.what);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_on_one_line_of_both_forms() {
        for row in rows() {
            for form in [text(), markdown()] {
                assert!(form.lines().any(|line| line.contains(&row.keys) && line.contains(row.what)), "{row:?}");
            }
        }
    }

    #[test]
    fn groups_are_headed_once() {
        let heads = text().lines().filter(|line| !line.is_empty() && !line.starts_with(' ')).count();
        let mut groups: Vec<_> = rows().iter().map(|row| row.group).collect();
        groups.dedup();
        assert_eq!(heads, groups.len());
    }
}
