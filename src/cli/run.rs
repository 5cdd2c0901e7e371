//! From arguments to what does it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use super::args::{Cli, Command, ConfigCommand, KeysArgs, SimCommand};
use super::environment::Environment;
use super::exit::Failure;
use super::power_history::{self, HistoryCommand};
use super::remote::{Key, TakeArgs};
use super::rules::RulesCommand;
use super::screen::Face;
use super::settings::Settings;
use super::socket::Way;
use super::{
    audit, bugreport, check, config, daemon, doctor, inverter, job, keys, out, ports, preview, programs, protocol,
    remote, replay, rules, rules_list, screen, sim, sim_inverter, status, token, watch,
};
use crate::model::Command as Asked;
use crate::ui::{Keymap, key_table_markdown, key_table_toml};

/// Does what the arguments ask.
///
/// # Errors
/// What went wrong, with its exit code.
pub fn run(cli: Cli, environment: &Environment) -> Result<ExitCode, Failure> {
    let Cli { config: option, port, socket, token_file, ca, plain, command } = cli;
    let named = option.clone();
    let settings = |file: Option<PathBuf>| {
        let settings = Settings::new(file, option, port, environment)?;
        let way = Way { place: socket.or_else(|| environment.socket.clone()), token_file, ca };
        way.into_settings(settings, environment.token.as_ref())
    };
    match command {
        None => {
            // A terminal that cannot draw says so by this name; the screen would be heaps of letters on it.
            let dumb = environment.terminal && environment.term == "dumb";
            let look = if plain || dumb { Face::Plain { asked: plain } } else { Face::Screen };
            return screen::run(&settings(None)?, environment.terminal, look);
        }
        Some(Command::Keys(args)) => {
            let keymap = Keymap::new(&settings(None)?.keys).unwrap_or_default();
            print(&match args {
                KeysArgs { markdown: true, .. } => key_table_markdown(&keymap),
                KeysArgs { toml: true, .. } => key_table_toml(&keymap),
                _ => keys::text(&keymap),
            })
        }
        Some(Command::Check(args)) => return check::run(&args, &settings(None)),
        Some(Command::Config(ConfigCommand::Check { file })) => print(&config::checked(&settings(file)?)?),
        Some(Command::Config(ConfigCommand::Show { file })) => print(&config::shown(&settings(file)?)?),
        Some(Command::Ports(args)) => print(&ports::listed(&settings(None)?, args.json)?),
        Some(Command::Preview(args)) => preview::run(&args, &settings(None)?.look),
        Some(Command::Replay(args)) => replay::run(&settings(None)?, &args.file, args.json),
        Some(Command::Inverter(command)) => return inverter::run(&command, || Ok(settings(None)?)),
        Some(Command::History(HistoryCommand::Export(args))) => power_history::export(&settings(None)?, &args),
        Some(Command::Sim(SimCommand::Machine(args))) => sim::machine(args.into()),
        Some(Command::Sim(SimCommand::Inverter(args))) => sim_inverter::inverter(args),
        Some(Command::Programs(command)) => return programs::run(&settings(None)?, &command),
        Some(Command::Bugreport(args)) => {
            let file = environment.places(named).first();
            return bugreport::run(bugreport::Found { settings: settings(None), file }, environment, &args);
        }
        Some(Command::Doctor(args)) => return doctor::run(settings(None), environment, args),
        Some(Command::Rules(RulesCommand::Check { file, json })) => print(&rules::checked(&settings(file)?, json)?),
        Some(Command::Rules(RulesCommand::Plan { json })) => return rules::plan(&settings(None)?, json),
        Some(Command::Rules(RulesCommand::List { json })) => return rules_list::list(&settings(None)?, json),
        Some(Command::Rules(RulesCommand::Aside { rule, back, take })) => {
            return rules_list::aside(&settings(None)?, rule, back, &take);
        }
        Some(Command::Park(take)) => return remote::park(&settings(None)?, &take),
        Some(Command::Daemon) => return daemon::run(&settings(None)?),
        Some(Command::Status(args)) => return status::status(&settings(None)?, args),
        Some(Command::Stop) => return remote::key(&settings(None)?, Key::Stop, &TakeArgs::default()),
        Some(Command::Hold) => return remote::key(&settings(None)?, Key::Hold, &TakeArgs::default()),
        Some(Command::Resume(take)) => return remote::key(&settings(None)?, Key::Resume, &take),
        Some(Command::Reset) => return remote::key(&settings(None)?, Key::Reset, &TakeArgs::default()),
        Some(Command::Unlock(take)) => return remote::commands(&settings(None)?, vec![Asked::Unlock], &take),
        Some(Command::Home { axis, take }) => {
            return remote::commands(&settings(None)?, vec![remote::home(axis)], &take);
        }
        Some(Command::Zero { axes, take }) => {
            return remote::commands(&settings(None)?, vec![remote::zero(&axes)], &take);
        }
        Some(Command::Jog(args)) => return remote::jog(&settings(None)?, &args),
        Some(Command::Run(args)) => return job::run(&settings(None)?, &args),
        Some(Command::Send { lines, wait, take }) => return remote::send(&settings(None)?, lines, wait, &take),
        Some(Command::Control(command)) => return remote::control(&settings(None)?, &command),
        Some(Command::Events(args)) => return watch::events(&settings(None)?, args),
        Some(Command::Rpc { method, params }) => return remote::rpc(&settings(None)?, &method, params.as_deref()),
        Some(Command::Token(command)) => token::run(&settings(None)?, &command),
        Some(Command::Help { command }) => return help(command),
        Some(Command::Protocol) => print(&protocol::page()),
        Some(Command::Audit(args)) => print(&audit::told(&settings(None)?, &args)?),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// `help run` is `run --help`.
fn help(command: Vec<String>) -> Result<ExitCode, Failure> {
    let words = ["sunmill".to_owned()].into_iter().chain(command).chain(["--help".to_owned()]);
    let Err(told) = Cli::try_parse_from(words) else { return Ok(ExitCode::SUCCESS) };
    let text = told.to_string();
    if told.use_stderr() {
        out::words(text.trim_end());
    } else {
        print(&text)?;
    }
    Ok(ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(1)))
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(out::data(text)?)
}
