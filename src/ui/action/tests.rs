use super::*;
use crate::ui::jog::Direction;
use crate::ui::keymap::Keymap;

#[test]
fn ids_are_plain_and_each_is_of_one_action() {
    for (i, row) in TABLE.iter().enumerate() {
        let id = row.id();
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
        assert!(TABLE[i + 1..].iter().all(|other| other.id() != id), "{id} twice");
    }
    let id = |action| find(action).unwrap().id();
    assert_eq!(id(Action::Jog(Direction([-1, 1, 0, 0]))), "x-minus-y-plus");
    assert_eq!(id(Action::Mdi), "type-g-code");
    assert_eq!(id(Action::StepOverTen), "step-over-10");
}

#[test]
fn the_key_file_is_that_of_the_program() {
    let text = include_str!("../../../assets/keymap.toml");
    assert_eq!(text, key_table_toml(&Keymap::default()), "write `sunmill keys --toml` to assets/keymap.toml");
}

#[test]
fn every_action_has_one_row_with_keys_and_help() {
    for (i, row) in TABLE.iter().enumerate() {
        assert!(!row.keys.is_empty() && !row.help.is_empty(), "{row:?}");
        assert!(TABLE[i + 1..].iter().all(|other| other.action != row.action), "{:?} twice", row.action);
    }
}

#[test]
fn the_markdown_names_every_key() {
    let text = key_table_markdown(&Keymap::default());
    for row in TABLE {
        for key in row.keys {
            assert!(text.contains(&format!("`{key}`")), "{key}");
        }
    }
}
