//! From arguments to what does it.

use std::process::ExitCode;

use super::args::{InverterCommand, ProfilesCommand};
use super::{attached, registers, scan, show};
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{out, profiles};

/// Does it, and prints what it gives.
pub(in crate::cli) fn run(
    command: &InverterCommand,
    settings: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<ExitCode, Failure> {
    let text = match command {
        InverterCommand::List(args) => return attached::list(&settings()?, *args),
        InverterCommand::Set(args) => return attached::set(&settings()?, args),
        InverterCommand::Scan(args) => scan::scan(&settings()?, args),
        InverterCommand::Show(args) => show::show(&settings()?, args),
        InverterCommand::Registers(args) => registers::registers(&settings()?, args),
        InverterCommand::Profiles(ProfilesCommand::List { json }) => profiles::list(*json),
        InverterCommand::Profiles(ProfilesCommand::Show { name, json }) => profiles::show(name, *json),
        InverterCommand::Profiles(ProfilesCommand::Check { file }) => profiles::check(file),
    }?;
    out::data(&text)?;
    Ok(ExitCode::SUCCESS)
}
