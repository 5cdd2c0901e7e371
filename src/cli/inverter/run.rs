//! From arguments to what does it.

use std::process::ExitCode;

use super::args::{InverterCommand, ProfilesCommand};
use super::{attached, registers, scan, show};
use crate::cli::exit::Failure;
use crate::cli::own_profiles::Profiles;
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
        InverterCommand::Profiles(ProfilesCommand::List { json }) => profiles::list(&own(settings)?, *json),
        InverterCommand::Profiles(ProfilesCommand::Show { name, json }) => profiles::show(&own(settings)?, name, *json),
        InverterCommand::Profiles(ProfilesCommand::Check { file }) => profiles::check(file),
    }?;
    out::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The profiles that there are; what a person should know of them is on stderr.
pub(super) fn own_of(settings: &Settings) -> Profiles {
    let profiles = Profiles::load(settings.profile_folder.as_deref());
    for notice in &profiles.notices {
        out::words(notice);
    }
    profiles
}

fn own(settings: impl FnOnce() -> Result<Settings, Failure>) -> Result<Profiles, Failure> {
    Ok(own_of(&settings()?))
}
