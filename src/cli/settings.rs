//! Configuration, command line and environment, joined into what is in force.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::Environment;
use crate::attach::Remote;
use crate::config::{Colour, Config, ConfigError, Loaded, Source, Symbols, load, read};
use crate::hub::programs::Folder;
use crate::model::{BusPort, Endpoint};
use crate::ui::{KeyOverride, KeyProblem, Keymap};

/// What is in force for this run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The values of the file; [`Settings::endpoint`] goes before its `machine.port`.
    pub config: Config,
    /// The file.
    pub source: Source,
    /// The screen's keys of the file, checked.
    pub keys: Vec<KeyOverride>,
    /// The machine: `--port`, else `machine.port`, else the simulated one.
    pub endpoint: Endpoint,
    /// How the screen looks.
    pub look: Look,
    /// The folder of the log files. `None`: there is no home folder and none is configured.
    pub log_folder: Option<PathBuf>,
    /// The folder of settings backups. `None`: there is no home folder.
    pub backup_folder: Option<PathBuf>,
    /// The user's folder for what is kept from one start to the next. `None`: there is no home folder.
    pub state_folder: Option<PathBuf>,
    /// The file of the store. `None`: there is no home folder and none is configured.
    pub store_file: Option<PathBuf>,
    /// The folder of one's own profiles of inverters. `None`: none is configured.
    pub profile_folder: Option<PathBuf>,
    /// The home folder, for `~` in ports.
    pub home: Option<PathBuf>,
    /// The folders of programs, `~` replaced.
    pub program_folders: Vec<Folder>,
    /// The user's own `config.toml`, whether or not it is there.
    pub user_config: Option<PathBuf>,
    /// The user's own folder for what lives as long as the session.
    pub runtime_dir: Option<PathBuf>,
    /// The hub's socket, where one was named.
    pub socket: Option<PathBuf>,
    /// The hub's port, where one elsewhere was named.
    pub remote: Option<Remote>,
    /// Where the person is, for the others who are attached.
    pub place: String,
}

/// How the screen looks, with every "auto" decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Use colours.
    pub colour: bool,
    /// Use symbols beyond ASCII.
    pub unicode: bool,
    /// No Braille, but the few symbols of the Linux console's font: for pictures made of blocks.
    pub blocks: bool,
    /// Shortest time between two frames.
    pub frame: Duration,
    /// Keys come over SSH: escape sequences may arrive in pieces.
    pub ssh: bool,
    /// tmux, screen or zellij is in between.
    pub multiplexed: bool,
    /// The Linux console: no more than its own font and keys.
    pub linux_console: bool,
}

impl Settings {
    /// Joins them. `file` is a file named to the command; it goes before `--config` and the search.
    ///
    /// # Errors
    /// The configuration cannot be read or has a mistake, or its keys have.
    pub fn new(
        file: Option<PathBuf>,
        config: Option<PathBuf>,
        port: Option<Endpoint>,
        environment: &Environment,
    ) -> Result<Self, BadSettings> {
        let Loaded { config, source } = match file {
            Some(file) => {
                let source = Source::Option(file);
                Loaded { config: read(&source)?, source }
            }
            None => load(&environment.places(config))?,
        };
        let keys = keys(&config, &source)?;
        Ok(Self::join(config, source, keys, port, environment))
    }

    /// Of no file: the defaults.
    pub(super) fn built_in(environment: &Environment) -> Self {
        Self::join(Config::default(), Source::BuiltIn, Vec::new(), None, environment)
    }

    fn join(
        config: Config,
        source: Source,
        keys: Vec<KeyOverride>,
        port: Option<Endpoint>,
        environment: &Environment,
    ) -> Self {
        let endpoint = match port.or_else(|| config.machine.port.clone()) {
            Some(Endpoint::Serial(path)) => Endpoint::Serial(environment.expand(&path)),
            Some(other) => other,
            // Only where nothing is configured: a machine that is absent is never simulated.
            None => Endpoint::Sim,
        };
        let look = look(&config, environment);
        let log_folder = match &config.log.folder {
            Some(folder) => Some(environment.expand(folder)),
            None => environment.state_home.as_ref().map(|state| state.join("sunmill/log")),
        };
        let below = |folder: &Option<PathBuf>, path: &str| folder.as_ref().map(|folder| folder.join(path));
        let backup_folder = below(&environment.state_home, "sunmill/backups");
        let state_folder = below(&environment.state_home, "sunmill");
        let store_file = match &config.store.path {
            Some(path) => Some(environment.expand(path)),
            None => below(&environment.state_home, "sunmill/sunmill.db"),
        };
        let folder = |path: &PathBuf| Folder { name: path.display().to_string(), path: environment.expand(path) };
        let profile_folder = config.inverters.profiles.as_ref().map(|folder| environment.expand(folder));
        let program_folders = config.programs.folders.iter().map(folder).collect();
        let user_config = below(&environment.config_home, "sunmill/config.toml");
        let runtime_dir = environment.runtime_dir.clone();
        Self {
            config,
            source,
            keys,
            endpoint,
            look,
            log_folder,
            backup_folder,
            state_folder,
            store_file,
            profile_folder,
            home: environment.home.clone(),
            program_folders,
            user_config,
            runtime_dir,
            socket: environment.socket.clone(),
            remote: None,
            place: environment.place.clone(),
        }
    }
}

impl Settings {
    /// A path of the configuration with `~` replaced.
    pub(super) fn expanded(&self, path: &Path) -> PathBuf {
        match (&self.home, path.strip_prefix("~")) {
            (Some(home), Ok(below)) => home.join(below),
            _ => path.to_owned(),
        }
    }

    /// A bus's port with `~` replaced.
    pub(super) fn bus_port(&self, port: &BusPort) -> BusPort {
        match port {
            BusPort::Serial(path) => BusPort::Serial(self.expanded(path)),
            _ => port.clone(),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// The file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The way to a hub elsewhere.
    #[error("{0}")]
    Way(String),
    /// Its `[keys]`: everything that is wrong with them, a line for each.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Keys(Vec<KeyProblem>),
}

impl BadSettings {
    /// The configuration is not there, or cannot be read: no line of it is to blame.
    pub(super) const fn is_about_reading(&self) -> bool {
        matches!(self, Self::Config(ConfigError::Unreadable { .. }))
    }
}

fn keys(config: &Config, source: &Source) -> Result<Vec<KeyOverride>, BadSettings> {
    let file = source.path().map_or_else(String::new, |path| path.display().to_string());
    let keys: Vec<KeyOverride> = config
        .keys
        .iter()
        .map(|(action, list)| KeyOverride {
            action: action.clone(),
            keys: list.keys.clone(),
            place: format!("{file}:{}", list.line),
        })
        .collect();
    Keymap::new(&keys).map_err(BadSettings::Keys)?;
    Ok(keys)
}

fn look(config: &Config, environment: &Environment) -> Look {
    let linux_console = environment.term == "linux";
    let frame_ms = config.ui.frame_ms.unwrap_or(if environment.ssh { 100 } else { 50 });
    Look {
        colour: match config.ui.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => !environment.no_colour && !matches!(environment.term.as_str(), "" | "dumb"),
        },
        unicode: match config.ui.symbols {
            Symbols::Unicode => true,
            Symbols::Ascii => false,
            Symbols::Auto => environment.utf8 && !linux_console,
        },
        blocks: linux_console && environment.utf8 && config.ui.symbols != Symbols::Ascii,
        frame: Duration::from_millis(frame_ms.into()),
        ssh: environment.ssh,
        multiplexed: environment.multiplexed,
        linux_console,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str, port: Option<&str>, environment: &Environment) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        Settings::new(Some(file), None, port.map(|port| port.parse().unwrap()), environment).unwrap()
    }

    #[test]
    fn the_simulated_machine_only_where_nothing_is_configured() {
        let env = Environment { home: Some("/h".into()), ..Environment::default() };
        let device = Endpoint::Serial("/dev/nowhere".into());
        assert_eq!(settings("", None, &env).endpoint, Endpoint::Sim);
        assert_eq!(settings("[machine]\nport = \"/dev/nowhere\"", None, &env).endpoint, device);
        assert_eq!(settings("[machine]\nport = \"tcp://mill\"", Some("/dev/nowhere"), &env).endpoint, device);
        assert_eq!(settings("[machine]\nport = \"tcp://mill\"", Some("sim"), &env).endpoint, Endpoint::Sim);
        assert_eq!(settings("[machine]\nport = \"~/mill\"", None, &env).endpoint, Endpoint::Serial("/h/mill".into()));
    }

    #[test]
    fn the_sample_of_a_checkout_is_the_simulated_machine() {
        assert_eq!(settings(crate::config::SAMPLE, None, &Environment::default()).endpoint, Endpoint::Sim);
    }

    #[test]
    fn every_auto_is_decided_by_the_environment() {
        let xterm = Environment { term: "xterm-256color".into(), utf8: true, ..Environment::default() };
        let look = |text: &str, env: &Environment| settings(text, None, env).look;
        let plain = look("", &xterm);
        assert!(plain.colour && plain.unicode && plain.frame == Duration::from_millis(50));
        assert!(!look("", &Environment { no_colour: true, ..xterm.clone() }).colour);
        assert!(!look("", &Environment { term: "dumb".into(), ..xterm.clone() }).colour);
        assert!(!look("", &Environment { utf8: false, ..xterm.clone() }).unicode);
        let console = look("", &Environment { term: "linux".into(), ..xterm.clone() });
        assert!(console.linux_console && console.colour && !console.unicode);
        assert!(console.blocks && !plain.blocks);
        let remote = Environment { ssh: true, ..xterm.clone() };
        assert_eq!(look("", &remote).frame, Duration::from_millis(100));

        let forced = "[ui]\ncolour = \"always\"\nsymbols = \"unicode\"\nframe_ms = 20";
        let forced = look(forced, &Environment { no_colour: true, term: "linux".into(), ssh: true, ..xterm });
        assert!(forced.colour && forced.unicode && forced.frame == Duration::from_millis(20));
    }

    #[test]
    fn the_store_is_in_the_state_folder_unless_configured() {
        let env = Environment { state_home: Some("/s".into()), home: Some("/h".into()), ..Environment::default() };
        assert_eq!(settings("", None, &env).store_file, Some("/s/sunmill/sunmill.db".into()));
        assert_eq!(settings("[store]\npath = \"~/db\"", None, &env).store_file, Some("/h/db".into()));
        assert_eq!(settings("", None, &Environment::default()).store_file, None);
    }

    #[test]
    fn folders_of_programs_keep_the_name_they_were_given() {
        let env = Environment { home: Some("/h".into()), ..Environment::default() };
        let folders = settings("[programs]\nfolders = [\"~/gcode\", \".\"]", None, &env).program_folders;
        let folder = |name: &str, path: &str| Folder { name: name.to_owned(), path: path.into() };
        assert_eq!(folders, [folder("~/gcode", "/h/gcode"), folder(".", ".")]);
    }

    #[test]
    fn logs_go_to_the_state_folder_unless_configured() {
        let env = Environment { state_home: Some("/s".into()), home: Some("/h".into()), ..Environment::default() };
        assert_eq!(settings("", None, &env).log_folder, Some("/s/sunmill/log".into()));
        assert_eq!(settings("[log]\nfolder = \"~/l\"", None, &env).log_folder, Some("/h/l".into()));
        assert_eq!(settings("", None, &Environment::default()).log_folder, None);
    }
}
