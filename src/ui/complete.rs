//! Completion of `$` commands, from the lists of what each firmware has (`assets/commands.json`).

use std::collections::BTreeMap;

use crate::model::Firmware;

const COMMANDS: &str = include_str!("../../assets/commands.json");

/// What Tab makes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The line goes on with this, and that is all there is.
    Whole(String),
    /// The line goes on with this (it may be empty), and then there are several ways.
    Several {
        /// What all ways have in common.
        more: String,
        /// The commands, whole.
        commands: Vec<String>,
    },
    /// Nothing that is known begins so.
    Nothing,
}

/// Completes `line`. `None` as the firmware: all that Grbl has, since the others have it too.
pub fn complete(line: &str, firmware: Option<Firmware>) -> Completion {
    let typed = line.trim_start();
    if !typed.starts_with('$') {
        return Completion::Nothing;
    }
    let mut fitting: Vec<String> = commands(firmware);
    let typed_upper = typed.to_ascii_uppercase();
    fitting.retain(|command| command.to_ascii_uppercase().starts_with(&typed_upper));
    let Some(first) = fitting.first() else { return Completion::Nothing };
    let common = fitting.iter().fold(first.len(), |common, command| {
        let same = first.bytes().zip(command.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        common.min(same)
    });
    let more = first.get(typed.len()..common).unwrap_or_default().to_owned();
    if fitting.len() == 1 { Completion::Whole(more) } else { Completion::Several { more, commands: fitting } }
}

fn commands(firmware: Option<Firmware>) -> Vec<String> {
    let name = match firmware {
        Some(Firmware::FluidNc) => "fluidnc",
        Some(Firmware::GrblHal) => "grblhal",
        _ => "grbl",
    };
    let mut lists: BTreeMap<String, Vec<String>> = serde_json::from_str(COMMANDS).unwrap_or_default();
    lists.remove(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_there_sorted_out_and_harmless_to_offer() {
        for firmware in [None, Some(Firmware::Grbl), Some(Firmware::FluidNc), Some(Firmware::GrblHal)] {
            let commands = commands(firmware);
            assert!(commands.len() > 10, "{firmware:?}");
            for (index, command) in commands.iter().enumerate() {
                assert!(
                    command.starts_with('$') && command.is_ascii() && !command.contains(['!', '?', '~']),
                    "{command}"
                );
                assert!(!commands[index + 1..].contains(command), "{command} twice");
            }
        }
    }

    #[test]
    fn a_line_is_completed_as_far_as_it_is_sure() {
        let fluid = |line| complete(line, Some(Firmware::FluidNc));
        assert_eq!(fluid("$sd/ru"), Completion::Whole("n=".into()));
        let Completion::Several { more, commands } = fluid("$SD/S") else { panic!() };
        assert_eq!((more.as_str(), commands), ("", vec!["$SD/Show=".to_owned(), "$SD/Status".to_owned()]));
        let Completion::Several { more, .. } = fluid("$Set") else { panic!() };
        assert_eq!(more, "tings/");
        for line in ["G0", "", "$Nonsense", "$SD/Runx"] {
            assert_eq!(fluid(line), Completion::Nothing, "{line}");
        }
        assert_eq!(complete("$SD", Some(Firmware::Grbl)), Completion::Nothing, "Grbl has no cards");
    }
}
