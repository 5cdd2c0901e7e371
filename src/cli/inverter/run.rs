//! From arguments to what does it.

use super::args::{InverterCommand, ProfilesCommand};
use super::{registers, scan, show};
use crate::cli::exit::Failure;
use crate::cli::profiles;
use crate::cli::settings::Settings;

/// Gives what is to be printed.
pub(in crate::cli) fn run(
    command: &InverterCommand,
    settings: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<String, Failure> {
    match command {
        InverterCommand::Scan(args) => scan::scan(&settings()?, args),
        InverterCommand::Show(args) => show::show(&settings()?, args),
        InverterCommand::Registers(args) => registers::registers(&settings()?, args),
        InverterCommand::Profiles(ProfilesCommand::List { json }) => profiles::list(*json),
        InverterCommand::Profiles(ProfilesCommand::Show { name, json }) => profiles::show(name, *json),
        InverterCommand::Profiles(ProfilesCommand::Check { file }) => profiles::check(file),
    }
}
