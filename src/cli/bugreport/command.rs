//! Gathers the report.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::eyre;

use super::redact;
use crate::cli::args::Format;
use crate::cli::audit::{self, AuditArgs};
use crate::cli::environment::Environment;
use crate::cli::exit::Failure;
use crate::cli::settings::{BadSettings, Settings};
use crate::cli::{doctor, out, socket, watch};

/// Rows of the audit.
const AUDIT: usize = 100;
/// Events of the sunmill that runs.
const EVENTS: usize = 300;
/// Lines of a log file.
const LOG: usize = 300;
/// Lines of the wire log.
const WIRE: usize = 500;
/// No more of a file is read than this.
const MOST: u64 = 512 * 1024;

/// Options of `sunmill bugreport`.
#[derive(Debug, Args)]
pub struct BugreportArgs {
    /// Write it into this file, which must not be there yet; otherwise it is printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What is in force, or why it cannot be; and where its file is.
pub(in crate::cli) struct Found {
    /// The settings.
    pub settings: Result<Settings, BadSettings>,
    /// The file, whether or not it can be read.
    pub file: Option<PathBuf>,
}

/// Writes the report.
pub(in crate::cli) fn run(found: Found, environment: &Environment, args: &BugreportArgs) -> Result<ExitCode, Failure> {
    let report = report(found, environment);
    match &args.output {
        None => out::data(&report)?,
        Some(path) => {
            let written =
                File::create_new(path).and_then(|mut file| std::io::Write::write_all(&mut file, report.as_bytes()));
            written.map_err(|why| eyre!("{}: {why}", path.display()))?;
            out::words(&format!("written to {}; look through it before you send it", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(found: Found, environment: &Environment) -> String {
    let written = found.file.as_deref().map(|path| fs::read_to_string(path).unwrap_or_default());
    let (config, secrets) = match written.as_deref().map(|text| (redact::config(text), text)) {
        None => ("(none: the defaults)\n".to_owned(), Vec::new()),
        Some((Some((shown, secrets)), _)) => (shown, secrets),
        Some((None, text)) => ("(it is no TOML: left out)\n".to_owned(), redact::of_broken(text)),
    };
    let settings = match &found.settings {
        Ok(settings) => settings.clone(),
        Err(_) => Settings::built_in(environment),
    };
    let mut report =
        "sunmill bugreport: secrets that could be told by their names are removed; look through it before you \
                      send it\n"
            .to_owned();
    let mut part = |title: &str, text: &str| {
        let text = if text.trim().is_empty() { "(nothing)\n" } else { text };
        let _ = write!(report, "\n== {title}\n{text}");
    };
    part("versions", &versions(environment));
    part("doctor", &doctor::text(&doctor::findings(found.settings, environment)));
    let file = found.file.as_deref().map_or_else(String::new, |path| format!(" {}", path.display()));
    part(&format!("configuration{file}"), &config);
    part(&format!("audit, the last {AUDIT}"), &audited(&settings));
    part(&format!("events, the last {EVENTS} of the sunmill that runs"), &events(&settings));
    if let Some(folder) = &settings.log_folder {
        match newest_log(folder) {
            Some(path) => part(&format!("log, the end of {}", path.display()), &tail(&path, LOG)),
            None => part("log", ""),
        }
        part("crashes, the end of panic.log", &tail(&folder.join("panic.log"), LOG));
        part("wire, the end of wire.log", &tail(&folder.join("wire.log"), WIRE));
    }
    redact::text(&report, &secrets)
}

fn versions(environment: &Environment) -> String {
    let kernel = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name =
        release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown").trim_matches('"');
    format!(
        "sunmill   {} ({} {})\nkernel    {} {}\nsystem    {name}\nterminal  {} {}{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
        kernel("ostype").trim(),
        kernel("osrelease").trim(),
        environment.term,
        environment.colorterm,
        if environment.multiplexed { " in a multiplexer" } else { "" },
    )
}

fn audited(settings: &Settings) -> String {
    let args = AuditArgs { since: None, until: None, kind: None, last: Some(AUDIT), format: Format::default() };
    match audit::told_whole(settings, &args) {
        Ok(text) => text,
        Err(why) => format!("(it cannot be read: {})\n", why.words()),
    }
}

/// What the sunmill that runs has logged last, a JSON object a line.
fn events(settings: &Settings) -> String {
    let Some(place) = socket::serving(settings) else { return "(no sunmill answers)\n".to_owned() };
    watch::last(&place, EVENTS).unwrap_or_else(|why| format!("(it does not tell: {})\n", why.words()))
}

/// The log file of the latest day.
fn newest_log(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("sunmill.") && name.ends_with(".log")
    };
    files.filter(is_log).max()
}

/// The last lines of a file, printable.
fn tail(path: &Path, lines: usize) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let from = file.metadata()?.len().saturating_sub(MOST);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let text = read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    let last = &all[all.len().saturating_sub(lines)..];
    last.iter().map(|line| line.replace(char::is_control, "\u{b7}") + "\n").collect()
}
