//! What the environment says, read once.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::attach::Secret;
use crate::config::Places;

/// The parts of the environment that matter, as values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `$SUNMILL_CONFIG`.
    pub config: Option<PathBuf>,
    /// `$SUNMILL_SOCKET`.
    pub socket: Option<PathBuf>,
    /// `$SUNMILL_TOKEN`.
    pub token: Option<Secret>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, or `~/.config`.
    pub config_home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`, or `~/.local/state`.
    pub state_home: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `$NO_COLOR` is set to something (no-color.org).
    pub no_colour: bool,
    /// `$TERM`.
    pub term: String,
    /// `$COLORTERM`.
    pub colorterm: String,
    /// The locale's character set is UTF-8.
    pub utf8: bool,
    /// Inside an SSH session.
    pub ssh: bool,
    /// Inside tmux, screen or zellij, which answer for the terminal.
    pub multiplexed: bool,
    /// stdin and stdout are a terminal.
    pub terminal: bool,
    /// Where the person is: the computer that SSH comes from, the terminal; empty where neither is known.
    pub place: String,
}

impl Environment {
    /// Of this process.
    pub fn of_this_process() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let found = Self::from_variables(|name| std::env::var_os(name));
        let tty = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok();
        let tty = tty.map(|name| name.to_string_lossy().trim_start_matches("/dev/").to_owned());
        let place = [Some(found.place.clone()).filter(|place| !place.is_empty()), tty];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Self { terminal, place, ..found }
    }

    /// From any source of variables. An empty one counts as not set, as POSIX and XDG have it.
    pub fn from_variables(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        // XDG: a relative path is invalid and to be ignored.
        let folder = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = folder("HOME");
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(text).unwrap_or_default().to_uppercase();
        Self {
            config: set("SUNMILL_CONFIG").map(PathBuf::from),
            socket: set("SUNMILL_SOCKET").map(PathBuf::from),
            token: text("SUNMILL_TOKEN").map(|token| Secret::new(&token)),
            config_home: folder("XDG_CONFIG_HOME").or_else(|| below_home(".config")),
            state_home: folder("XDG_STATE_HOME").or_else(|| below_home(".local/state")),
            home,
            runtime_dir: folder("XDG_RUNTIME_DIR"),
            no_colour: set("NO_COLOR").is_some(),
            term: text("TERM").unwrap_or_default(),
            colorterm: text("COLORTERM").unwrap_or_default(),
            utf8: locale.contains("UTF-8") || locale.contains("UTF8"),
            ssh: set("SSH_CONNECTION").is_some() || set("SSH_TTY").is_some(),
            multiplexed: ["TMUX", "STY", "ZELLIJ"].into_iter().any(|name| set(name).is_some())
                || text("TERM").is_some_and(|term| term.starts_with("tmux") || term.starts_with("screen")),
            terminal: false,
            // "client port server port" (ssh(1)).
            place: text("SSH_CONNECTION").and_then(|all| all.split(' ').next().map(str::to_owned)).unwrap_or_default(),
        }
    }

    /// Where to look for `config.toml`.
    pub fn places(&self, option: Option<PathBuf>) -> Places {
        Places {
            option,
            variable: self.config.clone(),
            here: PathBuf::from("."),
            user: self.config_home.clone(),
            system: PathBuf::from("/etc"),
        }
    }

    /// `~/…` with the home folder in its place.
    pub fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn xdg_folders_go_before_the_home_folder() {
        let plain = environment(&[("HOME", "/h")]);
        assert_eq!(plain.config_home, Some("/h/.config".into()));
        assert_eq!(plain.state_home, Some("/h/.local/state".into()));
        let xdg = environment(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "relative")]);
        assert_eq!(xdg.config_home, Some("/c".into()));
        assert_eq!(xdg.state_home, Some("/h/.local/state".into()));
        assert_eq!(environment(&[]).config_home, None);
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(environment(&[("LANG", "de_DE.UTF-8")]).utf8);
        assert!(environment(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]).utf8);
        assert!(!environment(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!environment(&[]).utf8);
    }

    #[test]
    fn empty_variables_are_not_set() {
        let env = environment(&[("NO_COLOR", ""), ("SUNMILL_CONFIG", ""), ("SSH_TTY", "")]);
        assert!(!env.no_colour && env.config.is_none() && !env.ssh);
        assert!(environment(&[("NO_COLOR", "1")]).no_colour);
        assert!(environment(&[("SSH_CONNECTION", "10.0.0.1 5 10.0.0.2 22")]).ssh);
    }

    #[test]
    fn multiplexers_are_seen_through_ssh_by_their_terminal_name() {
        assert!(environment(&[("TMUX", "/tmp/tmux-1000/default,1,0")]).multiplexed);
        assert!(environment(&[("SSH_TTY", "/dev/pts/1"), ("TERM", "screen-256color")]).multiplexed);
        assert!(!environment(&[("TERM", "xterm-256color")]).multiplexed);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let env = environment(&[("HOME", "/h")]);
        assert_eq!(env.expand(Path::new("~/log")), Path::new("/h/log"));
        assert_eq!(env.expand(Path::new("/~/log")), Path::new("/~/log"));
        assert_eq!(environment(&[]).expand(Path::new("~/log")), Path::new("~/log"));
    }
}
