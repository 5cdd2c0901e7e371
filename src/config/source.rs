//! Which file is in force.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::parse::{Problem, parse};
use super::schema::Config;

/// The file below a configuration folder.
const IN_FOLDER: &str = "sunmill/config.toml";

/// Where to look, best first. All of it is handed in, so that nothing here reads the environment.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `--config`; must exist.
    pub option: Option<PathBuf>,
    /// `$SUNMILL_CONFIG`; must exist.
    pub variable: Option<PathBuf>,
    /// The folder of `./config.toml`.
    pub here: PathBuf,
    /// `$XDG_CONFIG_HOME` or `~/.config`.
    pub user: Option<PathBuf>,
    /// `/etc`.
    pub system: PathBuf,
}

/// Where a configuration came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--config`, or a file named to `config check` and `config show`.
    Option(PathBuf),
    /// `$SUNMILL_CONFIG`.
    Variable(PathBuf),
    /// `./config.toml`.
    Here(PathBuf),
    /// The user's configuration folder.
    User(PathBuf),
    /// `/etc/sunmill/config.toml`.
    System(PathBuf),
    /// No file: the built-in defaults.
    BuiltIn,
}

impl Source {
    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Option(path) | Self::Variable(path) | Self::Here(path) | Self::User(path) | Self::System(path) => {
                Some(path)
            }
            Self::BuiltIn => None,
        }
    }

    /// Named by a person, so it must be there.
    const fn must_exist(&self) -> bool {
        matches!(self, Self::Option(_) | Self::Variable(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(path) | Self::Here(path) | Self::User(path) | Self::System(path) => {
                write!(f, "{}", path.display())
            }
            Self::Variable(path) => write!(f, "{} ($SUNMILL_CONFIG)", path.display()),
            Self::BuiltIn => f.write_str("the built-in defaults (no file found)"),
        }
    }
}

/// A configuration and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where from.
    pub source: Source,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The file has a mistake.
    #[error(transparent)]
    Bad(#[from] Problem),
}

/// Reads the first file of the search order that exists.
///
/// # Errors
/// A file that was named and is not there, one that is there and cannot be read, or its first mistake.
pub fn load(places: &Places) -> Result<Loaded, ConfigError> {
    for source in places.candidates() {
        match read(&source) {
            Err(ConfigError::Unreadable { why, .. })
                if !source.must_exist()
                    && matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            other => return other.map(|config| Loaded { config, source }),
        }
    }
    Ok(Loaded { config: Config::default(), source: Source::BuiltIn })
}

/// Reads the file of `source`.
///
/// # Errors
/// It cannot be read, or its first mistake.
pub fn read(source: &Source) -> Result<Config, ConfigError> {
    let Some(path) = source.path() else {
        return Ok(Config::default());
    };
    let bytes = std::fs::read(path).map_err(|why| ConfigError::Unreadable { path: path.to_owned(), why })?;
    let name = path.display().to_string();
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(parse(&name, text)?),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let what = "this byte is not UTF-8 text; save the file as UTF-8";
            Err(ConfigError::Bad(Problem::at(&name, &good, good.len(), what)))
        }
    }
}

impl Places {
    /// The first file that is there, whatever is in it.
    pub fn first(&self) -> Option<PathBuf> {
        self.candidates().iter().filter_map(Source::path).find(|path| path.is_file()).map(Path::to_owned)
    }

    fn candidates(&self) -> Vec<Source> {
        let in_folder = |folder: &PathBuf| folder.join(IN_FOLDER);
        // A file that was named is the only one: if it is bad, another one would be a surprise.
        if let Some(path) = &self.option {
            return vec![Source::Option(path.clone())];
        }
        if let Some(path) = &self.variable {
            return vec![Source::Variable(path.clone())];
        }
        let here = Source::Here(self.here.join("config.toml"));
        let user = self.user.as_ref().map(|folder| Source::User(in_folder(folder)));
        let system = Source::System(in_folder(&self.system));
        [Some(here), user, Some(system)].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A folder with one file per place, each with its own baud rate.
    fn house() -> (TempDir, Places) {
        let house = tempfile::tempdir().unwrap();
        let file = |path: &str, baud: u32| {
            let path = house.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("[machine]\nbaud = {baud}")).unwrap();
            path
        };
        let places = Places {
            option: Some(file("option.toml", 1200)),
            variable: Some(file("variable.toml", 2400)),
            here: house.path().join("here"),
            user: Some(house.path().join("user")),
            system: house.path().join("etc"),
        };
        file("here/config.toml", 4800);
        file("user/sunmill/config.toml", 9600);
        file("etc/sunmill/config.toml", 19_200);
        (house, places)
    }

    fn baud(places: &Places) -> (u32, Source) {
        let loaded = load(places).unwrap();
        (loaded.config.machine.baud, loaded.source)
    }

    #[test]
    fn the_search_goes_from_the_option_to_the_built_in() {
        let (house, mut places) = house();
        let at = |path: &str| house.path().join(path);
        assert_eq!(baud(&places), (1200, Source::Option(at("option.toml"))));
        places.option = None;
        assert_eq!(baud(&places), (2400, Source::Variable(at("variable.toml"))));
        places.variable = None;
        assert_eq!(baud(&places), (4800, Source::Here(at("here/config.toml"))));
        fs::remove_file(at("here/config.toml")).unwrap();
        assert_eq!(baud(&places), (9600, Source::User(at("user/sunmill/config.toml"))));
        places.user = None;
        assert_eq!(baud(&places), (19_200, Source::System(at("etc/sunmill/config.toml"))));
        fs::remove_file(at("etc/sunmill/config.toml")).unwrap();
        assert_eq!(baud(&places), (115_200, Source::BuiltIn));
    }

    #[test]
    fn a_named_file_must_be_there() {
        let (house, mut places) = house();
        places.option = Some(house.path().join("nowhere.toml"));
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("nowhere.toml cannot be read: No such file"), "{error}");
    }

    #[test]
    fn a_bad_file_is_not_passed_over() {
        let (house, mut places) = house();
        (places.option, places.variable) = (None, None);
        fs::write(house.path().join("here/config.toml"), "nonsense = 1").unwrap();
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("here/config.toml:1:1: unknown key"), "{error}");
        fs::remove_file(house.path().join("here/config.toml")).unwrap();
        fs::create_dir(house.path().join("here/config.toml")).unwrap();
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("cannot be read: Is a directory"), "{error}");
    }

    #[test]
    fn text_that_is_not_utf8_is_placed() {
        let (house, mut places) = house();
        fs::write(house.path().join("option.toml"), b"# ok\n# \xc3\xa4 \xff").unwrap();
        places.option = Some(house.path().join("option.toml"));
        let error = load(&places).unwrap_err().to_string();
        assert!(error.contains("option.toml:2:5: this byte is not UTF-8"), "{error}");
    }
}
