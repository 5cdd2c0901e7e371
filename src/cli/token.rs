//! `sunmill token`: who may attach over TCP.

use std::fs::File;
use std::path::Path;
use std::str::FromStr;

use clap::{Args, Subcommand};
use color_eyre::eyre::{WrapErr, eyre};
use jiff::Zoned;
use jiff::tz::TimeZone;
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

use super::exit::Failure;
use super::settings::Settings;
use super::when::{When, local, rfc3339};
use super::{files, listing, out, tcp};
use crate::attach::tokens::{Token, TokenError, Tokens, now_s};
use crate::model::Role;

/// `sunmill token …`
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once
    ///
    /// Only its hash is kept. Who has it attaches over TCP ([attach.tcp] in the configuration) with this role:
    /// SUNMILL_TOKEN=… sunmill --socket wss://host:port
    Add(AddArgs),
    /// Print which tokens there are; the tokens themselves nobody has but who was given them
    List {
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Make a token invalid; who is attached by it is cut off within a second
    Revoke {
        /// Its name
        name: String,
    },
}

/// Options of `sunmill token add`.
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// A name, for people
    name: String,
    /// observe, stop, operate or admin; each may stop the machine
    #[arg(long)]
    role: Role,
    /// Good until then: a date, a date and time, or how long from now (12h, 30d)
    #[arg(long, value_name = "WHEN")]
    expires: Option<Until>,
}

/// A moment to come.
#[derive(Clone, Copy, Debug)]
struct Until(When);

impl FromStr for Until {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no moment: give a date (2027-03-01), a date and time (2027-03-01T09:30), or how long from now (12h, 30d)";
        text.parse().map(Self).map_err(|_| WRONG)
    }
}

/// A token as programs read it.
#[derive(Debug, Serialize)]
struct Told<'a> {
    name: &'a str,
    role: Role,
    made: String,
    expires: Option<String>,
    valid: bool,
}

impl<'a> Told<'a> {
    fn of(token: &'a Token, now: u64) -> Self {
        let moment = |unix_s: u64| rfc3339(i64::try_from(unix_s).unwrap_or(0).saturating_mul(1000));
        Self {
            name: &token.name,
            role: token.role,
            made: moment(token.made_s),
            expires: token.expires_s.map(moment),
            valid: !token.is_over(now),
        }
    }
}

/// Does it.
pub(super) fn run(settings: &Settings, command: &TokenCommand) -> Result<(), Failure> {
    let path = tcp::tokens_file(settings)?;
    match command {
        TokenCommand::Add(args) => add(settings, &path, args),
        TokenCommand::List { json } => {
            let tokens = Tokens::read(&path)?;
            Ok(out::data(&if *json { as_json(&tokens)? } else { as_text(&tokens, &path) })?)
        }
        TokenCommand::Revoke { name } => {
            changed(&path, |tokens| tokens.revoke(name))?;
            out::words(&format!("token {name:?} is not valid any more, and who was attached by it is cut off"));
            Ok(())
        }
    }
}

fn add(settings: &Settings, path: &Path, args: &AddArgs) -> Result<(), Failure> {
    let (now, asked_at) = (now_s(), Zoned::now());
    let expires_s = match &args.expires {
        Some(Until(when)) => Some(u64::try_from(when.ahead_s(&asked_at)?).unwrap_or(0)),
        None => None,
    };
    if expires_s.is_some_and(|end| end <= now) {
        return Err(eyre!("--expires is over already").into());
    }
    let secret = changed(path, |tokens| tokens.add(&args.name, args.role, expires_s, now))?;
    out::data(&format!("{secret}\n"))?;
    let until = expires_s.map_or_else(|| "it is revoked".to_owned(), |end| words(end, asked_at.time_zone()));
    out::words(&format!("token {:?}, {}, good until {until}; it is shown only this once", args.name, args.role));
    if settings.config.attach.tcp.listen.is_none() {
        out::words("nothing is served over TCP yet: set attach.tcp.listen in config.toml");
    }
    Ok(())
}

/// Reads the tokens, changes them, writes them: nobody else does so meanwhile.
fn changed<T>(path: &Path, change: impl FnOnce(&mut Tokens) -> Result<T, TokenError>) -> Result<T, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).wrap_err_with(|| folder.display().to_string())?;
    let lock = File::open(folder).wrap_err_with(|| folder.display().to_string())?;
    flock(&lock, FlockOperation::LockExclusive).wrap_err_with(|| folder.display().to_string())?;
    let mut tokens = Tokens::read(path)?;
    let done = change(&mut tokens)?;
    files::replace_private(path, &tokens.to_text()).wrap_err_with(|| path.display().to_string())?;
    Ok(done)
}

fn words(unix_s: u64, zone: &TimeZone) -> String {
    local(i64::try_from(unix_s).unwrap_or(i64::MAX / 1000).saturating_mul(1000), zone)
}

fn as_json(tokens: &Tokens) -> Result<String, Failure> {
    let now = now_s();
    listing::json(&tokens.all().iter().map(|token| Told::of(token, now)).collect::<Vec<_>>())
}

fn as_text(tokens: &Tokens, path: &Path) -> String {
    if tokens.all().is_empty() {
        return format!("there is no token in {}; sunmill token add NAME --role ROLE makes one\n", path.display());
    }
    let (zone, now) = (TimeZone::system(), now_s());
    let row = |token: &Token| {
        let end = match token.expires_s {
            None => "until revoked".to_owned(),
            Some(end) if token.is_over(now) => format!("over since {}", words(end, &zone)),
            Some(end) => format!("until {}", words(end, &zone)),
        };
        vec![token.name.clone(), token.role.to_string(), format!("since {}", words(token.made_s, &zone)), end]
    };
    listing::columns(&tokens.all().iter().map(row).collect::<Vec<_>>(), &[])
}
